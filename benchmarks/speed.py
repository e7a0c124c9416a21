"""Speed beside every peer that is installed, and beside what the machine can do at best, in one run.

    python benchmarks/speed.py [GROUP ...] [--peers NAME=PYTHON ...] [--threads 1 2] [--json FILE] [--picture FILE]
                              [--page FILE]

`make bench` makes the peers' environments and measures everything.

GROUP: many, drive, closed, large, fit, digits, sweep, training, clockwork, language, start; all by default. With --picture
or --page and no GROUP nothing is measured: both are made from the JSON file, by default benchmarks/speed.json. Groups that
are measured are printed, and take the place of the same groups and threads in the JSON file, if one is given.

A peer is a library in an environment of its own: NAME is a file of benchmarks/peers (reservoirpy, reservoirpy_jax, rclib,
resdag, pyrcn, echoes, torch), PYTHON an interpreter that can import it. A peer that fails is left out, which is said.

A figure is the least of several repeats after one to warm up. On one thread it is processor time, which other work on the
machine disturbs least; on two it is elapsed time, and such rows are left out where other work has the second core. The JSON
file keeps both times.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import speed_cases as cases
import speed_floors
import speed_reservoirs
import speed_training
from speed_machine import machine
from speed_page import group_table, merged, page
from speed_peers import ask, named
from speed_picture import draw
from speed_start import starts
from speed_sweep import sweeps

HERE = Path(__file__).parent
Row = dict[str, Any]
SECOND_CORE = 1.6
"""Two threads must do so many times the multiply-adds of one, or other work has the second core."""
GROUPS: dict[str, Callable[[], list[cases.Case]]] = {
    "many": cases.many, "drive": cases.drive, "closed": cases.closed, "large": cases.large, "fit": cases.fit,
    "digits": cases.digits, "training": cases.training, "language": cases.language,
}  # fmt: skip


def measure(group: str, rates: dict[int, speed_floors.Rates], peers: dict[str, str], folder: Path) -> list[Row]:
    """Return the rows of a group: the library's seconds, then each peer's."""
    ours = speed_training if group in ("training", "language") else speed_reservoirs
    rows = [cases.write_data(case, folder) for case in GROUPS[group]() if case["threads"] in rates]
    for row in rows:
        row["seconds"] = ours.measured(row)
        row["floor"], row["bound"] = ours.floor(row, rates[row["threads"]], row["seconds"]) or (None, None)
    for threads in rates:
        some = [row for row in rows if row["threads"] == threads and not row.get("alone")]
        for name, python in peers.items() if some else ():
            version, seconds = ask(name, python, some)
            for row, found in zip(some, seconds, strict=True):
                if found:
                    row["seconds"][version] = found
    kept = ("group", "name", "threads", "per", "unit", "scale", "floor", "bound", "seconds")
    return [{key: row[key] for key in kept} for row in rows]


def measured(groups: list[str], peers: dict[str, str], counts: list[int]) -> Iterator[dict[str, Any]]:
    """Measure group by group; print each and yield its rows, with the machine and its rates."""
    rates = {threads: speed_floors.rates(threads) for threads in (1, 2)}
    if 2 in counts and rates[2]["fma64"] < SECOND_CORE * rates[1]["fma64"]:
        counts = [1]
        print("rows on two threads are left out: other work has the second core", file=sys.stderr)
    facts = {"machine": machine(), "rates": {str(threads): rates[threads] for threads in counts}}
    others: dict[str, Callable[[], list[Row]]] = {
        "sweep": lambda: sweeps(lambda asked: {name: ask(name, python, asked) for name, python in peers.items()}, counts),
        "clockwork": lambda: speed_training.clockwork({threads: rates[threads] for threads in counts}),
        "start": starts,
    }
    with tempfile.TemporaryDirectory() as folder:
        for group in groups:
            rows = others[group]() if group in others else measure(group, {n: rates[n] for n in counts}, peers, Path(folder))
            print(f"{group}\n{group_table(rows)}", flush=True)
            yield facts | {"rows": rows}


def main() -> None:
    """Measure, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*GROUPS, "sweep", "clockwork", "start"]
    parser.add_argument("groups", nargs="*", metavar="GROUP")
    parser.add_argument("--peers", nargs="+", type=named, default=[], metavar="NAME=PYTHON")
    parser.add_argument("--threads", nargs="+", type=int, choices=(1, 2), default=[1, 2], metavar="NUMBER")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--page", type=Path)
    arguments = parser.parse_args()
    if wrong := [group for group in arguments.groups if group not in names]:
        parser.error(f"GROUP must be one of {', '.join(names)}. Got {wrong[0]!r} instead.")
    drawn = bool(arguments.picture or arguments.page)
    path = arguments.json or HERE / "speed.json"
    if arguments.groups or not drawn:
        found = json.loads(path.read_text()) if arguments.json and path.exists() else {}
        for new in measured(arguments.groups or names, dict(arguments.peers), arguments.threads):
            found = merged(found, new)
            if arguments.json:
                path.write_text(json.dumps(found, indent=1) + "\n")
    elif path.exists():
        found = json.loads(path.read_text())
    else:
        parser.error(f"--json must be a file of results to draw from. Got {str(path)!r}, which does not exist.")
    if arguments.picture:
        draw(found, arguments.picture)
    if arguments.page:
        arguments.page.write_text(page(found))


if __name__ == "__main__":
    main()
