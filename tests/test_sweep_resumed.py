"""A sweep that continues where it stopped, and one that stops trials early."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_runs import RADII, Recording, _nothing_prepared, instant, one_by_one, outcomes, sweep_of  # noqa: F401
from sweep_toys import Toy, lasting

from reservoir.experiments import driver, work
from reservoir.experiments.driver import Progress
from reservoir.experiments.store import Store
from reservoir.sweeps import runner
from reservoir.sweeps.plan import plan_sweep
from reservoir.sweeps.runner import run_sweep

# going on


def test_a_sweep_again_runs_nothing_and_a_grown_one_what_is_new(tmp_path: Path) -> None:
    path, executor = tmp_path / "a.db", Recording()
    run_sweep(sweep_of(radii=RADII[:3]), path, executor=executor, jobs=1)
    first = lasting(path)
    told: list[Progress] = []
    run_sweep(sweep_of(radii=RADII[:3]), path, executor=executor, jobs=1, report=lambda p: told.append(replace(p)))
    assert len(executor.runs()) == 3 and lasting(path) == first
    assert [(p.total, p.kept, p.finished) for p in told] == [(3, 3, 0)]
    told.clear()
    run_sweep(sweep_of(seeds=(0, 1)), path, executor=executor, jobs=1, report=lambda p: told.append(replace(p)))
    assert sorted(executor.runs()[3:]) == sorted(
        (r, 1e-6, s) for r in RADII for s in (0, 1) if (r, s) not in [(q, 0) for q in RADII[:3]]
    )
    assert (told[0].total, told[0].kept, told[0].finished) == (12, 3, 0)
    assert (told[-1].total, told[-1].kept, told[-1].done, told[-1].finishing) == (12, 3, 9, False)
    assert [row for row in lasting(path) if row in first] == first
    assert told[-1].best == min(float(row[4]) for row in lasting(path) if row not in first)


def test_numbers_of_progress(tmp_path: Path) -> None:
    told: list[Progress] = []
    task = Toy(acts=((0.2, "raise"), (0.4, "nan")))
    run_sweep(sweep_of(task), tmp_path / "a.db", executor=Recording(), jobs=1, report=lambda p: told.append(replace(p)))
    assert all(p.total == 6 and p.kept == 0 for p in told)
    counts = [p.finished for p in told]
    assert counts == sorted(counts) and counts[0] == 0 and (told[-1].done, told[-1].failed, told[-1].pruned) == (4, 2, 0)
    assert [p.seconds for p in told] == sorted(p.seconds for p in told)


def test_batches_of_a_strategy_that_does_not_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More points than a batch: kept and done are right in the end, and points that are drawn twice are run once."""
    monkeypatch.setattr(driver, "run_chunk", instant(0.0001))
    executor, told = Recording(), list[Progress]()
    sweep = plan_sweep(Toy(), "esn", {"units": "1:5000"}, strategy="random", trials=runner.RUNS_AT_ONCE + 500)
    table = run_sweep(sweep, tmp_path / "a.db", executor=executor, jobs=1, report=lambda p: told.append(replace(p))).runs
    different = len({r.parameters["units"] for c in executor.chunks for r in c.runs})
    assert len(table.score) == len(table.trials) == sum(len(c.runs) for c in executor.chunks) == different
    assert 4000 < different < 5000 and told[-1].total == runner.RUNS_AT_ONCE + 500 == told[-1].kept + told[-1].done


def test_what_failed_is_tried_again_only_when_asked(tmp_path: Path) -> None:
    path, executor = tmp_path / "a.db", Recording()
    faulty = Toy(acts=((0.2, "raise"), (0.4, "exit")))
    run_sweep(sweep_of(faulty), path, executor=executor, jobs=1)
    run_sweep(sweep_of(), path, executor=executor, jobs=1)
    assert len(executor.runs()) == 6 and outcomes(path)[0.2][0] == outcomes(path)[0.4][0] == "failed"
    run_sweep(sweep_of(), path, executor=executor, jobs=1, retry=True)
    assert sorted(executor.runs()[6:]) == [(0.2, 1e-6, 0), (0.4, 1e-6, 0)]
    run_sweep(sweep_of(), tmp_path / "b.db", executor=executor, jobs=1)
    assert lasting(path) == lasting(tmp_path / "b.db")


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("strategy", ["random", "sobol", "tpe", "cmaes"])
@pytest.mark.filterwarnings("default")  # of Optuna's
def test_going_on_is_as_if_there_had_been_no_end(strategy: str, tmp_path: Path) -> None:
    """Stopped within a batch, with some of its runs done in another order: the same trials and scores."""
    vary = {"spectral_radius": "0.1:1.2", "leak_rate": "0.2:1.0"}
    sweep = plan_sweep(
        Toy(), "esn", vary, seeds=(0, 1), strategy=strategy, trials=14, batch=4 if strategy in ("tpe", "cmaes") else None
    )
    whole = Recording()
    run_sweep(sweep, tmp_path / "whole.db", executor=whole, jobs=1)
    assert sum(len(chunk.runs) for chunk in whole.chunks) == 28
    path, parts = tmp_path / "parts.db", []
    for stop in (3, 5, 100):
        part = Stopping(stop)
        parts.append(part)
        try:
            run_sweep(sweep, path, executor=part, jobs=1)
        except KeyboardInterrupt:
            continue
    assert lasting(path) == lasting(tmp_path / "whole.db")
    done = [r.key for part in parts for c in part.chunks for r in c.runs]
    assert len(done) == len(set(done)) == 28 and len(parts[-1].chunks) > 0


class Stopping(Recording):
    """Ctrl-C comes with the given chunk."""

    def __init__(self, stop: int) -> None:
        super().__init__()
        self.stop = stop

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if len(self.chunks) + 1 == self.stop:
            signal.raise_signal(signal.SIGINT)
        return super().submit(function, *args, **kwargs)


@pytest.mark.usefixtures("one_by_one")
def test_ctrl_c_finishes_what_is_in_hand(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    before = signal.getsignal(signal.SIGINT)
    executor, told = Stopping(2), list[Progress]()
    with pytest.raises(KeyboardInterrupt):
        run_sweep(sweep_of(), path, executor=executor, jobs=1, report=lambda p: told.append(replace(p)))
    assert signal.getsignal(signal.SIGINT) is before
    assert len(executor.chunks) == 2 and told[-1].finishing
    assert len(lasting(path)) == 2


@pytest.mark.usefixtures("one_by_one")
def test_ctrl_c_twice_drops_what_is_in_hand(tmp_path: Path) -> None:
    path, task = tmp_path / "a.db", Toy(acts=((0.3, "interrupt"), (0.4, "interrupt")), folder=str(tmp_path))

    class Twice(Recording):
        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            if len(self.chunks) == 1:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)
            return super().submit(function, *args, **kwargs)

    with pytest.raises(KeyboardInterrupt):
        run_sweep(sweep_of(task), path, executor=Twice(), jobs=1)
    assert len(lasting(path)) == 1
    run_sweep(sweep_of(), path, executor=Recording(), jobs=1)
    assert len(lasting(path)) == 6


def test_ctrl_c_within_a_run_of_this_process(tmp_path: Path) -> None:
    """With one job, the run that is under way is finished and written."""
    path, task = tmp_path / "a.db", Toy(acts=((0.3, "interrupt"),), folder=str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        run_sweep(sweep_of(task), path, jobs=1)
    assert outcomes(path)[0.3] == ("done", None, 1)
    run_sweep(sweep_of(), path, jobs=1)
    run_sweep(sweep_of(), tmp_path / "b.db", jobs=1)
    assert lasting(path) == lasting(tmp_path / "b.db")


# stopping early


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.filterwarnings("default")
def test_runs_that_fall_behind_are_stopped_and_the_same_ones_from_wherever_it_goes_on(tmp_path: Path) -> None:
    rates = {"training__learning_rate": "log:1e-6:0.1"}
    settings = {"training__epochs": 12, "training__patience": None}
    sweep = plan_sweep(Toy(), "elman", rates, settings, strategy="tpe", trials=18, batch=6, prune=True)
    whole = Recording()
    table = run_sweep(sweep, tmp_path / "whole.db", executor=whole, jobs=1).runs
    assert 0 < (table.status == "pruned").sum() < 12 and set(table.status) == {"done", "pruned"}
    with Store.reading(tmp_path / "whole.db") as store:
        rows = list(store.rows())
    for row in rows:
        assert len(row["curve"]) == 12 if row["status"] == "done" else 5 < len(row["curve"]) < 12
        assert (row["score"] is None) == (row["status"] == "pruned")
        if row["status"] == "pruned":  # worse at its best than the median of the earlier batches' at that epoch
            first = 6 * ((row["trial"] - 1) // 6)
            rivals = [r["curve"][len(row["curve"]) - 1] for r in rows if r["trial"] <= first and r["status"] == "done"]
            assert min(row["curve"]) > np.median(rivals)
    path, parts = tmp_path / "parts.db", [Stopping(stop) for stop in (4, 6, 100)]
    for part in parts:
        try:
            run_sweep(sweep, path, executor=part, jobs=1)
        except KeyboardInterrupt:
            continue
    assert lasting(path) == lasting(tmp_path / "whole.db")
    assert rivals_of([whole]) == rivals_of(parts)  # not those of its own batch, which may be there or not
    again = Recording()
    run_sweep(replace(sweep, prune=False, search=replace(sweep.search, trials=6)), path, executor=again, jobs=1)
    assert again.chunks == []  # the first batch has nothing to be compared with
    assert table.status[:6].tolist() == ["done"] * 6


def rivals_of(executors: Sequence[Recording]) -> dict[bytes, Any]:
    return {run.key: chunk.rivals for executor in executors for chunk in executor.chunks for run in chunk.runs}


def test_rivals_may_have_lost_their_numbers() -> None:
    """A training that ended in NaN, its best weights kept, is a rival like others."""
    rivals = [[3.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, math.nan]] * 3 + [[4.0, 3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]] * 3
    curve: list[float] = []
    watch = work._watch(rivals, curve)
    for epoch, loss in enumerate([9.0, 9.0, 9.0, 9.0, 9.0]):
        watch({"loss": 0.0, "validation_loss": loss, "epoch": epoch}, 8)
    with pytest.raises(work.FellBehind):
        watch({"loss": 9.0, "validation_loss": None, "epoch": 5}, 8)
    assert curve == [9.0] * 6
