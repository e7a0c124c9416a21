"""Runs that fail, workers that die, executors that break: what is kept and what is reported."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from messages import mentions
from sweep_runs import RADII, Recording, _nothing_prepared, instant, outcomes, sweep_of  # noqa: F401
from sweep_toys import Toy, lasting

from reservoir.experiments import driver, work
from reservoir.experiments.driver import Progress
from reservoir.experiments.engines import engine
from reservoir.experiments.store import Store
from reservoir.experiments.work import Answer, Chunk, prepared, run_chunk
from reservoir.experiments.workers import WorkerError
from reservoir.sweeps import runner
from reservoir.sweeps.runner import run_sweep
from reservoir.validation import StoreError


class Fragile(Recording):
    """Loses whatever has a run in it with one of some radii, so many times each."""

    def __init__(self, deaths: dict[float, int], error: type[Exception] = BrokenExecutor, for_good: bool = False) -> None:
        super().__init__()
        self.deaths, self.error, self.for_good = deaths, error, for_good

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.for_good and not any(self.deaths.values()):
            raise self.error("it is broken")
        for one in args[0].runs:
            radius = one.parameters["spectral_radius"]
            if self.deaths.get(radius, 0) > 0:
                self.deaths[radius] -= 1
                self.chunks.append(args[0])
                future: Future[Any] = Future()
                future.set_exception(self.error("a process died"))
                return future
        return super().submit(function, *args, **kwargs)


def test_a_run_that_fails_is_told_and_the_others_go_on(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    acts = ((0.1, "raise"), (0.2, "exit"), (0.3, "nan"), (0.4, "text"), (0.5, "warn"))
    run_sweep(sweep_of(Toy(acts=acts)), tmp_path / "a.db", jobs=1)
    found = {radius: outcome[:2] for radius, outcome in outcomes(tmp_path / "a.db").items()}
    assert found == {
        0.1: ("failed", "LookupError: nowhere to be found"),
        0.2: ("failed", "SystemExit: enough"),
        0.3: ("failed", "its score is not finite: nan"),
        0.4: ("failed", "ValueError: could not convert string to float: 'much'"),
        0.5: ("done", None),
        0.6: ("done", None),
    }
    with Store.reading(tmp_path / "a.db") as store:
        assert [row["warnings"] for row in store.rows()] == [None] * 4 + [["dubious"], None]
    assert len(recwarn) == 0


def test_scores_of_another_kind_of_number(tmp_path: Path) -> None:
    table = run_sweep(sweep_of(Toy(acts=((0.1, "float32"),))), tmp_path / "a.db", jobs=1).runs
    assert table.status[0] == "done" and table.score[0] == np.float32(table.score[0])


def test_data_that_cannot_be_had(tmp_path: Path) -> None:
    """Those of the first seed stop the sweep before there is a store, those of another one fail their runs."""
    with pytest.raises(ValueError, match=mentions("data")):
        run_sweep(sweep_of(Toy(broken_seed=0), seeds=(0, 1)), tmp_path / "a.db", jobs=1)
    assert not (tmp_path / "a.db").exists()
    table = run_sweep(sweep_of(Toy(broken_seed=7), seeds=(0, 7)), tmp_path / "a.db", jobs=1).runs
    assert table.status.tolist() == ["done", "failed"] * 6 and table.error[1] == "ValueError: there are no such data"


def test_data_that_changed_since(tmp_path: Path) -> None:
    run_sweep(sweep_of(radii=RADII[:2]), tmp_path / "a.db", jobs=1)
    work._prepared.clear()  # as in another process
    with pytest.raises(StoreError, match=mentions("0 runs")):
        run_sweep(sweep_of(Toy(level=0.2)), tmp_path / "a.db", jobs=1)
    assert len(lasting(tmp_path / "a.db")) == 2


def test_the_data_of_the_latest_seeds_are_kept_within_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Toy()
    one, two = prepared(Chunk("a", task, "esn", "test", 1)), prepared(Chunk("a", task, "esn", "test", 2))
    assert one.size == 3 * 2 * 60 * 8
    monkeypatch.setattr(work, "MOST_BYTES", 2 * one.size)
    assert prepared(Chunk("a", task, "esn", "test", 1)) is one
    prepared(Chunk("a", task, "esn", "test", 3))
    assert prepared(Chunk("a", task, "esn", "test", 1)) is one and prepared(Chunk("a", task, "esn", "test", 2)) is not two
    assert prepared(Chunk("b", task, "esn", "test", 1)) is not one


def test_data_that_changed_are_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may be another one at the next sweep of the same process."""
    before, original = run_sweep(sweep_of(), tmp_path / "a.db", jobs=1), Toy.generate

    def changed(task: Toy, seed: int) -> Any:
        data = original(task, seed)
        data.train.targets[0] = data.train.targets[0] * 2.0
        return data

    monkeypatch.setattr(Toy, "generate", changed)
    after = run_sweep(sweep_of(), tmp_path / "b.db", jobs=1)
    assert (before.runs.score != after.runs.score).all()
    with pytest.raises(StoreError, match=mentions("0 runs")):
        run_sweep(sweep_of(), tmp_path / "a.db", jobs=1)


def test_a_chunk_that_takes_too_long_gives_back_what_is_left() -> None:
    sweep = sweep_of(ridges=(1e-6, 1e-3))
    points = [{"spectral_radius": radius, "readout__ridge": ridge} for radius in (0.1, 0.2) for ridge in (1e-6, 1e-3)]
    kinds = list(map(sweep.parameters, points))
    runs = [work.TrialRun(bytes([k]) * 16, k, parameters, k // 2) for k, parameters in enumerate(kinds)]
    found = [run_chunk(Chunk("a", Toy(), "esn", "test", 0, runs, None, seconds)) for seconds in (0.0, 60.0)]
    assert [[row.trial for row in answer.rows] for answer in found] == [[0, 1], [0, 1, 2, 3]]  # what shares states stays together
    assert [row.score for row in found[0].rows] == [row.score for row in found[1].rows[:2]]


def test_what_is_given_back_is_run_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = instant(0.001)
    monkeypatch.setattr(driver, "run_chunk", lambda chunk: whole(replace(chunk, runs=chunk.runs[:2])))
    executor, told = Recording(), list[Progress]()
    table = run_sweep(
        sweep_of(seeds=(0, 1)), tmp_path / "a.db", executor=executor, jobs=1, report=lambda p: told.append(replace(p))
    ).runs
    assert len(table.score) == told[-1].done == 12
    assert max(len(chunk.runs) for chunk in executor.chunks) > 2


def test_more_runs_than_are_in_memory_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_sweep(sweep_of(seeds=(0, 1)), tmp_path / "a.db", jobs=1)
    monkeypatch.setattr(runner, "RUNS_AT_ONCE", 5)
    executor, told = Recording(), list[Progress]()
    run_sweep(sweep_of(seeds=(0, 1)), tmp_path / "b.db", executor=executor, jobs=1, report=lambda p: told.append(replace(p)))
    assert lasting(tmp_path / "a.db") == lasting(tmp_path / "b.db")
    assert [(c.seed, len(c.runs)) for c in executor.chunks][:3] == [(0, 1), (0, 1), (1, 2)]  # two trials, with either seed
    assert (told[-1].kept, told[-1].done) == (0, 12)


@pytest.mark.parametrize("deaths", [1, 2])
def test_a_run_whose_worker_died_is_tried_again(deaths: int, tmp_path: Path) -> None:
    executor = Fragile({0.3: deaths})
    run_sweep(sweep_of(), tmp_path / "a.db", executor=executor, jobs=1)
    run_sweep(sweep_of(), tmp_path / "b.db", executor=Recording(), jobs=1)
    assert lasting(tmp_path / "a.db") == lasting(tmp_path / "b.db")
    assert outcomes(tmp_path / "a.db")[0.3] == ("done", None, deaths + 1)


def test_what_a_dead_worker_had_is_run_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it takes longer than the driver waits for results."""
    events: list[tuple[str, int]] = []

    def work(chunk: Chunk) -> Answer:
        time.sleep(0.5 if chunk.attempts > 1 else 0.01)
        return instant(10.0)(chunk)

    class Watching(ThreadPoolExecutor):
        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            [chunk] = args
            events.append(("begins", chunk.attempts))
            radii = [run.parameters["spectral_radius"] for run in chunk.runs]
            future = super().submit(function, chunk) if chunk.attempts > 1 or 0.3 not in radii else Future[Any]()
            future.add_done_callback(lambda _: events.append(("ends", chunk.attempts)))
            if chunk.attempts == 1 and 0.3 in radii:
                future.set_exception(BrokenExecutor("a process died"))
            return future

    monkeypatch.setattr(driver, "run_chunk", work)
    with Watching(3) as executor:
        table = run_sweep(sweep_of(seeds=(0, 1)), tmp_path / "a.db", executor=executor, jobs=3).runs
    assert set(table.status) == {"done"}
    alone = [place for place, event in enumerate(events) if event == ("begins", 2)]
    assert len(alone) == 2
    for place in alone:
        before = [what for what, _ in events[:place]]
        assert before.count("begins") == before.count("ends") and events[place + 1] == ("ends", 2)


def test_a_run_is_given_up_after_three_deaths_and_those_beside_it_survive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = Fragile({0.3: 99})
    monkeypatch.setattr(driver, "SHARING", 0)
    sweep = sweep_of(radii=np.linspace(0.05, 1.0, 20).round(2).tolist())
    told: list[Progress] = []
    run_sweep(sweep, tmp_path / "a.db", executor=executor, jobs=1, report=lambda p: told.append(replace(p)))
    found = outcomes(tmp_path / "a.db")
    error = "its worker died at every attempt, perhaps for want of memory (BrokenExecutor)"
    assert found.pop(0.3) == ("failed", error, 3)
    assert {outcome[:2] for outcome in found.values()} == {("done", None)} and len(found) == 19
    assert executor.deaths == {0.3: 96}
    beside = [chunk for chunk in executor.chunks if any(r.parameters["spectral_radius"] == 0.3 for r in chunk.runs)]
    first, second, third = (len(chunk.runs) for chunk in beside)
    assert first == second > third == 1  # the chunk by itself, then run by run
    tried = [attempts for _, _, attempts in found.values()]
    assert tried.count(3) == first - 1 and tried.count(1) == 20 - first
    assert (told[-1].done, told[-1].failed) == (19, 1)


def test_an_executor_that_has_tried_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a Dask cluster does: a chunk is split at once, a single run given up at once."""
    executor = Fragile({0.3: 99})
    made = engine

    def tried(**arguments: Any) -> Any:
        context = made(**arguments)
        entered = context.__enter__()
        entered.tried = (BrokenExecutor,)
        context.__enter__ = lambda: entered
        return Entered(entered)

    monkeypatch.setattr(runner, "engine", tried)
    run_sweep(sweep_of(ridges=(1e-6, 1e-2)), tmp_path / "a.db", executor=executor, jobs=1)
    with Store.reading(tmp_path / "a.db") as store:
        rows = [row for row in store.rows() if row["parameters"]["spectral_radius"] == 0.3]
    assert [(row["status"], row["attempts"]) for row in rows] == [("failed", 2)] * 2
    assert executor.deaths == {0.3: 96}  # both together, then each


class Entered:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __enter__(self) -> Any:
        return self.value

    def __exit__(self, *error: object) -> None:
        pass


def test_an_executor_that_is_broken_for_good(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=mentions("executor finished")):
        run_sweep(sweep_of(), tmp_path / "a.db", executor=Fragile({0.3: 1}, for_good=True), jobs=1)
    # It breaks at 0.3: what came before is kept.
    assert 0 <= len(lasting(tmp_path / "a.db")) < 6


def test_an_executor_that_cannot_do_the_work(tmp_path: Path) -> None:
    class Foreign(Executor):
        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(ModuleNotFoundError("No module named 'reservoir'"))
            return future

    with pytest.raises(WorkerError, match=mentions("ModuleNotFoundError version")):
        run_sweep(sweep_of(), tmp_path / "a.db", executor=Foreign(), jobs=1)
