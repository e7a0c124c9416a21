"""Small sweeps, and executors that note what they are given."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from sweep_toys import Toy

from reservoir.experiments import driver, work
from reservoir.experiments.engines import Here
from reservoir.experiments.rows import Row
from reservoir.experiments.store import Store
from reservoir.experiments.work import Answer, Chunk
from reservoir.sweeps.plan import Sweep, plan_sweep

RADII = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


@pytest.fixture(autouse=True)
def _nothing_prepared() -> None:
    """Data that were kept for another toy."""
    work._prepared.clear()


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of one run, but for those that share their states."""
    monkeypatch.setattr(driver, "CHUNK_SECONDS", 1e-9)
    monkeypatch.setattr(driver, "SLOT_SECONDS", 1e-9)


def sweep_of(
    task: Toy | None = None,
    radii: Sequence[float] = RADII,
    ridges: Sequence[float] = (1e-6,),
    seeds: Sequence[int] = (0,),
    **more: Any,
) -> Sweep:
    vary = {"spectral_radius": list(radii), "readout__ridge": list(ridges)}
    return plan_sweep(task or Toy(), "esn", vary, {}, seeds, **more)


class Recording(Here):
    """Works when it is given work, and remembers the chunks."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.chunks.append(args[0])
        return super().submit(function, *args, **kwargs)

    def runs(self) -> list[tuple[float, float, int]]:
        """(radius, ridge, seed) of all runs in the order given."""
        return [(r.parameters["spectral_radius"], r.parameters["readout__ridge"], c.seed) for c in self.chunks for r in c.runs]


def instant(seconds_per_run: float) -> Callable[[Chunk], Answer]:
    """A `run_chunk` that works on nothing, and says that it took so long."""

    def work(chunk: Chunk) -> Answer:
        rows = [Row(r.key, r.trial, chunk.seed, "done", float(r.trial), {"error": float(r.trial)}) for r in chunk.runs]
        return Answer(rows, "", math.nan, {}, seconds_per_run * len(rows))

    return work


def outcomes(path: Path) -> dict[float, tuple[str, Any, Any]]:
    """(status, error, attempts) by the spectral radius."""
    with Store.reading(path) as store:
        return {row["parameters"]["spectral_radius"]: (row["status"], row["error"], row["attempts"]) for row in store.rows()}
