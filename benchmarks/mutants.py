"""Draws random mutants of the library and runs the tests that should notice: `python benchmarks/mutants.py --count 40`.

A mutant is the library with one small change: an operator, a comparison, a number, a condition. The changes are drawn
evenly over the places of all modules where there is one, in a copy of the tree. The test files run one after the other,
those first whose name or imports are nearest to the changed module, until one fails: the mutant is killed. A mutant
that every test file passes survived, and is printed with its line, to be explained or to be caught by a better test.
With `--files 8` only the eight nearest test files run, which takes minutes, not hours.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SEED = 0
LIMIT = 900  # seconds for one test file: an endless loop is noticed too
OPERATORS = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "+"), ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.And: ("and", "or"), ast.Or: ("or", "and"), ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"),
}  # fmt: skip


class Mutant(NamedTuple):
    """A replacement of the text between two offsets of a file."""

    file: Path
    line: int
    start: int
    end: int
    new: str


def main() -> None:
    """Print every mutant with the test file that killed it, and the share that was killed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--first", type=int, default=0, help="Skip so many of the mutants drawn.")
    parser.add_argument("--files", type=int, help="Run only so many test files for each mutant, the nearest.")
    arguments = parser.parse_args()
    every = sorted(mutant for file in modules(ROOT) for mutant in mutants(file))
    drawn = random.Random(arguments.seed).sample(every, arguments.count)[arguments.first :]
    killed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv", "demo"))
        for number, mutant in enumerate(drawn, arguments.first + 1):
            began = time.monotonic()
            with applied(mutant, copy) as change:
                tests = nearest_tests(mutant.file)[: arguments.files]
                killer = next((test.name for test in tests if fails(test, copy, mutant.file)), None)
            killed += killer is not None
            outcome = f"killed by {killer}" if killer else "SURVIVED"
            place = f"{mutant.file.relative_to(ROOT)}:{mutant.line}"
            print(f"{number:3} {place}: {change}\n    {outcome} ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"{killed} of {len(drawn)} mutants killed; {len(every)} places in all, seed {arguments.seed}.")


def modules(root: Path) -> list[Path]:
    """The files of the library."""
    return sorted([*(root / "reservoir").rglob("*.py"), *(root / "tasks").rglob("*.py"), root / "cli.py"])


def mutants(file: Path) -> Iterator[Mutant]:
    """Every mutant of a file, but for annotations, docstrings and what only type checkers read."""
    text = file.read_text(encoding="utf-8")
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    source = text.encode()

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + column

    def between(left: ast.expr, right: ast.expr, old: str, new: str) -> Iterator[Mutant]:
        first, last = (
            offset(left.end_lineno or 0, left.end_col_offset or 0),
            offset(right.lineno, right.col_offset),
        )
        place = source.find(old.encode(), first, last)
        if place >= 0:
            yield Mutant(file, left.end_lineno or 0, place, place + len(old), new)

    for node in running(ast.parse(text)):
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            if not isinstance(node.left, ast.Constant) or isinstance(node.left.value, (int, float)):
                yield from between(node.left, node.right, *OPERATORS[type(node.op)])
        elif isinstance(node, ast.BoolOp):
            yield from between(node.values[0], node.values[1], *OPERATORS[type(node.op)])
        elif isinstance(node, ast.Compare):
            yield from between(node.left, node.comparators[0], *OPERATORS[type(node.ops[0])])
        elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            start = offset(node.lineno, node.col_offset)
            new = {True: "False", False: "True"}[node.value] if isinstance(node.value, bool) else f"({node.value!r} + 1)"
            yield Mutant(file, node.lineno, start, offset(node.end_lineno or 0, node.end_col_offset or 0), new)
        elif isinstance(node, (ast.If, ast.IfExp)):
            start, end = (
                offset(node.test.lineno, node.test.col_offset),
                offset(node.test.end_lineno or 0, node.test.end_col_offset or 0),
            )
            yield Mutant(file, node.test.lineno, start, end, f"(not ({source[start:end].decode()}))")


def running(node: ast.AST) -> Iterator[ast.AST]:
    """A node and those below it that do something at run time."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from running(child)


class applied:  # noqa: N801 - a context manager, used like a function
    """Write the mutant into the copy of the tree for a while; gives the line before and after."""

    def __init__(self, mutant: Mutant, copy: Path) -> None:
        self.mutant = mutant
        self.path = copy / mutant.file.relative_to(ROOT)

    def __enter__(self) -> str:
        self.times = os.stat(self.path)
        self.source = self.path.read_bytes()
        start, end = self.mutant.start, self.mutant.end
        self.path.write_bytes(self.source[:start] + self.mutant.new.encode() + self.source[end:])
        return f"{self.source[start:end].decode()} -> {self.mutant.new}"

    def __exit__(self, *_: object) -> None:
        self.path.write_bytes(self.source)
        os.utime(self.path, ns=(self.times.st_atime_ns, self.times.st_mtime_ns))  # or Numba compiles it again


def nearest_tests(module: Path) -> list[Path]:
    """All test files, those first whose name has that of the module or its folder, then those that import the module."""
    dotted = ".".join(module.relative_to(ROOT).with_suffix("").parts)
    dotted = f"reservoir.{dotted}" if dotted.startswith("tasks") else dotted

    def distance(test: Path) -> tuple[int, int]:
        text = test.read_text(encoding="utf-8")
        named = [module.stem in test.stem, dotted in text, module.parent.name in test.stem, dotted.rpartition(".")[0] in text]
        return next((place for place, near in enumerate(named) if near), len(named)), test.stat().st_size

    return sorted((ROOT / "tests").glob("test_*.py"), key=distance)


def fails(test: Path, copy: Path, mutated: Path) -> bool:
    """Whether a test file fails on the copy, or does not end in time."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"tests/{test.name}"]
    environment = {**os.environ, "PYTHONPATH": str(copy), "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    if mutated.parent.name in ("kernels", "cells"):  # whose compiled files would take the place of those of all other mutants
        environment["NUMBA_CACHE_DIR"] = str(copy.parent / "compiled")
    try:
        ended = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return True
    return ended.returncode not in (0, 5)  # 5: no test was collected


if __name__ == "__main__":
    main()
