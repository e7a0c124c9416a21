"""Times the cases of benchmarks/speed.py with one peer library, in an environment of its own.

    PYTHON benchmarks/speed_peer.py NAME CASES.json SECONDS.json

NAME is a file of benchmarks/peers, whose function `prepare(case)` returns the function to time, or None for a case that
the library does not do; its `version()` names the library and its version. CASES.json is a list of cases as
benchmarks/speed_cases.py lists them; SECONDS.json has the version and, for each case, seconds or null. It imports nothing of
this project.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from speed_timing import least


def peer_of(name: str) -> Any:
    """Load a peer from its path: a file called like the library it measures must not hide it."""
    specification = importlib.util.spec_from_file_location(f"peer_{name}", Path(__file__).parent / "peers" / f"{name}.py")
    if specification is None or specification.loader is None:
        raise SystemExit(f"NAME must be a file of benchmarks/peers. Got {name!r} instead.")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def main() -> None:
    """Time every case."""
    name, cases, answer = sys.argv[1:]
    peer, seconds = peer_of(name), []
    for case in json.loads(Path(cases).read_text()):
        function = peer.prepare(case)
        seconds.append(function and least({"": function}, case["budget"])[""])
        print(f"{peer.version()} {case['name']}: {seconds[-1] and round(1e3 * seconds[-1]['cpu'], 3)} ms", file=sys.stderr)
        Path(answer).write_text(json.dumps({"version": peer.version(), "seconds": seconds}))


if __name__ == "__main__":
    main()
