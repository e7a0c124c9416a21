"""What a user waits for before any work: the first run after installing, importing, help."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

REPEATS = 15
PROJECT = Path(__file__).parent.parent
COMMANDS = {
    "import reservoir": ["-c", "import reservoir"],
    "reservoir --help": ["-m", "reservoir", "--help"],
    "reservoir run narma10": ["-m", "reservoir", "run", "narma10", "--quiet"],
}
COLD = "reservoir run narma10, no kernel compiled yet"


def once(arguments: list[str], **environment: str) -> dict[str, float]:
    """Run Python; return its seconds."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    variables = {**os.environ, "PYTHONPATH": str(PROJECT), "OPENBLAS_NUM_THREADS": "1", **environment}
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=variables)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall": wall, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def cold(arguments: list[str]) -> dict[str, float]:
    """Run Python with no compiled kernel to find."""
    with tempfile.TemporaryDirectory() as folder:
        return once(arguments, NUMBA_CACHE_DIR=folder)


def least_of(times: list[dict[str, float]]) -> dict[str, float]:
    return {key: min(found[key] for found in times) for key in times[0]}


def starts() -> list[dict[str, Any]]:
    """Rows of commands, beside Python that does nothing."""
    bare = least_of([once(["-c", "pass"]) for _ in range(REPEATS)])
    seconds = {name: least_of([once(words) for _ in range(REPEATS)]) for name, words in COMMANDS.items()}
    seconds[COLD] = least_of([cold(COMMANDS["reservoir run narma10"]) for _ in range(2)])
    return [
        {"group": "start", "name": name, "threads": 1, "per": 1, "unit": "s", "scale": 1.0, "floor": bare["cpu"],
         "bound": "Python's own start", "seconds": {"ours": found}}
        for name, found in seconds.items()
    ]  # fmt: skip
