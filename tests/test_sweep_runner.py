"""Running a sweep: every run once, in good chunks, whatever comes of it, and the same from wherever it goes on."""

from __future__ import annotations

import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_toys import Toy, lasting
from threadpoolctl import threadpool_info, threadpool_limits

from reservoir.experiments import driver, work
from reservoir.experiments.driver import Progress
from reservoir.experiments.engines import Here, engine
from reservoir.experiments.rows import Row
from reservoir.experiments.store import Store
from reservoir.experiments.work import Answer, Chunk, data_hash, prepared, run_chunk
from reservoir.experiments.workers import WorkerError
from reservoir.sweeps import runner
from reservoir.sweeps.plan import Sweep, plan_sweep
from reservoir.sweeps.runner import run_sweep
from reservoir.validation import ParameterError, StoreError

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


# -- what is run -------------------------------------------------------------------------------------------------------


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


# -- going on ----------------------------------------------------------------------------------------------------------


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


# -- stopping early ------------------------------------------------------------------------------------------------------


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


# -- what goes wrong -----------------------------------------------------------------------------------------------------


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
    with pytest.raises(ValueError, match="there are no such data"):
        run_sweep(sweep_of(Toy(broken_seed=0), seeds=(0, 1)), tmp_path / "a.db", jobs=1)
    assert not (tmp_path / "a.db").exists()
    table = run_sweep(sweep_of(Toy(broken_seed=7), seeds=(0, 7)), tmp_path / "a.db", jobs=1).runs
    assert table.status.tolist() == ["done", "failed"] * 6 and table.error[1] == "ValueError: there are no such data"


def test_data_that_changed_since(tmp_path: Path) -> None:
    run_sweep(sweep_of(radii=RADII[:2]), tmp_path / "a.db", jobs=1)
    work._prepared.clear()  # as in another process
    with pytest.raises(StoreError, match="its runs with seed 0 had other data"):
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
    with pytest.raises(StoreError, match="its runs with seed 0 had other data"):
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
    with pytest.raises(WorkerError, match=r"^The executor is broken \(it is broken\)\. What was finished is kept; .*\.$"):
        run_sweep(sweep_of(), tmp_path / "a.db", executor=Fragile({0.3: 1}, for_good=True), jobs=1)
    # It breaks at 0.3: what came before is kept.
    assert 0 <= len(lasting(tmp_path / "a.db")) < 6


def test_an_executor_that_cannot_do_the_work(tmp_path: Path) -> None:
    class Foreign(Executor):
        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(ModuleNotFoundError("No module named 'reservoir'"))
            return future

    with pytest.raises(WorkerError, match=r"^A worker could not do the work: ModuleNotFoundError: No module .* same version"):
        run_sweep(sweep_of(), tmp_path / "a.db", executor=Foreign(), jobs=1)


# -- threads -------------------------------------------------------------------------------------------------------------


def test_threads_give_the_same_bits_and_leave_the_process_as_it_was(tmp_path: Path) -> None:
    task = Toy(acts=((0.2, "warn"), (0.4, "raise"), (0.6, "warn")))
    sweep = sweep_of(task, ridges=(1e-6, 1e-4, 1e-2), seeds=range(6))
    filters, show = warnings.filters[:], warnings.showwarning
    with threadpool_limits(2):
        with ThreadPoolExecutor(4) as executor:
            run_sweep(sweep, tmp_path / "a.db", executor=executor, jobs=4)
        assert {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"} == {2}
    assert warnings.filters == filters and warnings.showwarning is show
    run_sweep(sweep, tmp_path / "b.db", jobs=1)
    assert lasting(tmp_path / "a.db") == lasting(tmp_path / "b.db")


def test_blas_has_one_thread_while_runs_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[int]] = []
    monkeypatch.setattr(
        work, "_row", lambda *_: seen.append({i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"})
    )
    run_one = work.TrialRun(b"k" * 16, 1, {}, 0)
    with threadpool_limits(2):
        run_chunk(Chunk("a", Toy(), "esn", "test", 0, [run_one, run_one], None, 60.0))
    assert seen == [{1}, {1}]


def test_a_sweep_in_a_thread(tmp_path: Path) -> None:
    """Where Ctrl-C never comes to."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(run_sweep(sweep_of(), tmp_path / "a.db", jobs=1)))
    thread.start()
    thread.join()
    assert set(found[0].runs.status) == {"done"}


# -- engines -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [0, -1, True, 1.0, "2"])
def test_jobs_that_are_no_number_of_processes(jobs: Any, tmp_path: Path) -> None:
    with pytest.raises(
        ParameterError, match=rf"^The 'jobs' parameter of sweep must be .* \[1, inf\), or None\. Got {jobs!r} instead\.$"
    ):
        run_sweep(sweep_of(), tmp_path / "a.db", jobs=jobs)
    assert list(tmp_path.iterdir()) == []


def test_a_scheduler_and_jobs_do_not_go_together(tmp_path: Path) -> None:
    for other in ({"jobs": 2}, {"executor": Here()}):
        with pytest.raises(ParameterError, match="give either a scheduler or jobs"):
            run_sweep(sweep_of(), tmp_path / "a.db", scheduler="tcp://localhost:1", **other)  # type: ignore[arg-type]


def test_one_job_is_this_process() -> None:
    with engine(1) as made:
        assert isinstance(made.executor, Here) and made.slots() == 1
        assert made.executor.submit(divmod, 7, 2).result() == (3, 1)
        assert isinstance(made.executor.submit(divmod, 7, 0).exception(), ZeroDivisionError)
