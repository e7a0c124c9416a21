"""A small space, and a search in it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from reservoir.experiments.rows import Outcome
from reservoir.sweeps.space import Dimension, Point, read_dimension
from reservoir.sweeps.strategies import Search

RANGES = [
    read_dimension("a", "0:1", False),
    read_dimension("b", "log:1e-3:1e3", False),
    read_dimension("c", "1:20", True),
    read_dimension("d", "log:1:100", True),
    read_dimension("e", "0:1:5", False),
]
MIXED = [*RANGES, read_dimension("f", ["x", None, True, [1, 2]], None), read_dimension("g", "7", None)]


def sphere(point: Point) -> Outcome:
    return Outcome((point["a"] - 0.3) ** 2 + math.log10(point["b"]) ** 2 + point["c"] / 20)


def tried(
    search: Search,
    dimensions: Sequence[Dimension],
    answer: Callable[[Point], Outcome] = sphere,
    higher: bool = False,
    at_once: int = 10_000,
) -> list[list[Point]]:
    """The batches that a search proposes when every point has its answer."""
    outcomes: list[Outcome] = []
    batches = []
    for points in search.proposals(dimensions, higher, at_once, outcomes):
        batches.append(points)
        outcomes[:] = [answer(point) for point in points]
    return batches


def all_points(*args: Any, **options: Any) -> list[Point]:
    return list(itertools.chain.from_iterable(tried(*args, **options)))
