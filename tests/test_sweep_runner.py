"""Running a sweep: every run once, in good chunks, whatever comes of it, and the same from wherever it goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_runs import RADII, Recording, _nothing_prepared, instant, one_by_one, sweep_of  # noqa: F401
from sweep_toys import Toy

from reservoir.experiments import driver
from reservoir.experiments.store import Store
from reservoir.experiments.work import Chunk, data_hash, prepared
from reservoir.sweeps.plan import plan_sweep
from reservoir.sweeps.runner import run_sweep

# what is run


def test_every_run_is_done_once_and_scored_as_by_hand(tmp_path: Path) -> None:
    executor = Recording()
    sweep = sweep_of(ridges=(1e-6, 1e-2), seeds=(0, 3))
    table = run_sweep(sweep, tmp_path / "a.db", executor=executor, jobs=2).runs
    assert sorted(executor.runs()) == sorted((r, ridge, s) for r in RADII for ridge in (1e-6, 1e-2) for s in (0, 3))
    assert len(table.score) == 24 and set(table.status) == {"done"} and table.seed.tolist() == [0, 3] * 12
    task = Toy()
    for trial, seed, score in zip(table.trial, table.seed, table.score, strict=True):
        data = task.generate(int(seed))
        model = runner_model(table.trials[trial], int(seed))
        model.fit(data.train.inputs, data.train.targets)
        assert score == task.score(model.predict(data.validation.inputs), replace(data, test=data.validation))
    assert [trial["spectral_radius"] for trial in table.trials] == [r for r in RADII for _ in range(2)]  # in the grid's order
    with Store.reading(tmp_path / "a.db") as store:
        row = next(store.rows())
    assert row["data_hash"] == data_hash(task.generate(0)) and row["baseline"] == 1.0 and row["attempts"] == 1
    assert row["scores"] == {"error": row["score"], "length": 60.0, "other": None} and row["n_parameters"] == 8
    assert set(row["versions"]) == {"reservoir", "python", "numpy", "scipy", "numba", "machine"}


def runner_model(parameters: Any, seed: int) -> Any:
    from reservoir.experiments.evaluation import make_model

    return make_model("esn", parameters, seed)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_the_split_that_is_scored(split: str) -> None:
    data = Toy().generate(0)
    ready = prepared(Chunk("a", Toy(level=0.1), "esn", split, 0))
    np.testing.assert_array_equal(ready.data.test.inputs[0], getattr(data, split).inputs[0])
    assert ready.hashed == data_hash(data)


def test_the_hash_knows_every_part_of_the_data() -> None:
    data = Toy().generate(0)
    known = {data_hash(data)}
    for split in ("train", "validation", "test"):
        for part in ("inputs", "targets"):
            changed = Toy().generate(0)
            getattr(getattr(changed, split), part)[0][-1, 0] += 1e-15
            known.add(data_hash(changed))
    changed = Toy().generate(0)
    changed.test.inputs[0] = changed.test.inputs[0].T
    assert len(known | {data_hash(changed)}) == 8


def test_neighbors_share_and_a_chunk_has_one_seed(tmp_path: Path) -> None:
    """Runs with the same states follow each other, whatever the order they are varied in."""
    ridges = (1e-6, 1e-4, 1e-2)
    executor = Recording()
    sweep = plan_sweep(Toy(), "esn", {"readout__ridge": list(ridges), "leak_rate": [0.5, 1.0], "units": [5, 6]}, seeds=(0, 1))
    run_sweep(sweep, tmp_path / "a.db", executor=executor, jobs=1)
    kinds = [(c.seed, r.parameters["units"], r.parameters["leak_rate"]) for c in executor.chunks for r in c.runs]
    changes = sum(a != b for a, b in pairwise(kinds))
    assert len(kinds) == 24 and changes == 7  # eight kinds of three runs each
    assert [kind[:2] for kind in kinds] == sorted(kind[:2] for kind in kinds)  # matrices too
    for chunk in executor.chunks:
        numbers = [r.states for r in chunk.runs]
        kind = [(r.parameters["units"], r.parameters["leak_rate"]) for r in chunk.runs]
        assert len(set(numbers)) == len(set(kind)) == len(set(zip(numbers, kind, strict=True)))


@pytest.mark.parametrize(
    ("seconds", "lengths"),
    [
        (0.0001, [1, 200, 200, 200, 200, 200, 199]),  # no more than 200
        (0.01, [1, 30, 30, 30, 30, 30]),  # 0.3 s
        (0.25, [1, 1, 1]),
        (60.0, [1, 1, 1]),
    ],
)
def test_chunks_are_as_long_as_runs_are_short(
    seconds: float, lengths: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "run_chunk", instant(seconds))
    executor = Recording()
    run_sweep(sweep_of(radii=np.linspace(0.1, 1.0, 1200).tolist()), tmp_path / "a.db", executor=executor, jobs=1)
    found = [len(chunk.runs) for chunk in executor.chunks]
    assert found[: len(lengths)] == lengths and sum(found) == 1200


def test_every_worker_gets_a_share_of_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "run_chunk", instant(0.001))
    executor = Recording()
    run_sweep(sweep_of(radii=np.linspace(0.1, 1.0, 101).tolist()), tmp_path / "a.db", executor=executor, jobs=4)
    assert [len(chunk.runs) for chunk in executor.chunks][:5] == [1, 25, 18, 14, 10]  # of 100, 75, 57, 43 a quarter


def test_chunks_for_many_workers_are_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "run_chunk", instant(0.1))
    executor = Recording()
    run_sweep(sweep_of(radii=np.linspace(0.1, 1.0, 5000).tolist()), tmp_path / "a.db", executor=executor, jobs=200)
    assert [len(chunk.runs) for chunk in executor.chunks][:3] == [1, 20, 20]  # 2 s


@pytest.mark.parametrize(
    ("ridges", "lengths"),
    [(7, [7] * 10), (20, [20] * 10), (50, [21, 21, 8] * 5)],  # 1 + 20 at most beyond what time allows
)
def test_what_shares_a_fit_stays_in_one_chunk_also_where_runs_are_long(
    ridges: int, lengths: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "run_chunk", instant(10.0))
    executor = Recording()
    sweep = sweep_of(radii=RADII[:5], ridges=np.geomspace(1e-9, 1.0, ridges).tolist(), seeds=(0, 1))
    run_sweep(sweep, tmp_path / "a.db", executor=executor, jobs=1)
    found = [len(chunk.runs) for chunk in executor.chunks]
    assert found[: len(lengths)] == lengths and sum(found) == 10 * ridges


@pytest.mark.parametrize(("seconds", "most"), [(0.2, 6), (1.0, 3)])
def test_how_much_is_handed_out_at_a_time(seconds: float, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second chunk waits for every worker where they are short, none where Ctrl-C would have to wait for it."""
    monkeypatch.setattr(driver, "run_chunk", instant(seconds))
    seen: list[int] = []
    slow = threading.Event()

    class Counting(ThreadPoolExecutor):
        under_way = 0

        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.under_way += 1
            seen.append(self.under_way)
            future = super().submit(later, function, *args)
            future.add_done_callback(self.less)
            return future

        def less(self, future: Future[Any]) -> None:
            self.under_way -= 1

    def later(function: Callable[..., Any], *args: Any) -> Any:
        slow.wait(0.005)
        return function(*args)

    with Counting(3) as executor:
        run_sweep(
            sweep_of(radii=np.linspace(0.1, 1.0, 60).tolist(), seeds=range(2)), tmp_path / "a.db", executor=executor, jobs=3
        )
    assert max(seen) == most


@pytest.mark.usefixtures("one_by_one")
def test_what_is_finished_is_written_before_more_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    written: list[int] = []

    class Looking(Recording):
        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            with Store.reading(path) as store:
                written.append(len(store.statuses()))
            return super().submit(function, *args, **kwargs)

    executor = Looking()
    run_sweep(sweep_of(), path, executor=executor, jobs=1)
    before = np.cumsum([0, *(len(chunk.runs) for chunk in executor.chunks)])
    assert written == before[:-1].tolist()
