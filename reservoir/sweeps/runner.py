"""Running a sweep: what is missing in the store goes to the workers in chunks, and comes back as rows.

Scores do not depend on the number of workers, on chunks, on where a sweep was stopped: a run is alone with its seed and
its parameters.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from reservoir.base.threads import one_blas_thread
from reservoir.base.values import canonical
from reservoir.sweeps.driver import Driver, Progress
from reservoir.sweeps.engines import engine
from reservoir.sweeps.plan import Sweep
from reservoir.sweeps.report import SweepReport
from reservoir.sweeps.space import Point
from reservoir.sweeps.store import Store
from reservoir.sweeps.strategies import Outcome
from reservoir.sweeps.work import TrialRun, prepared, shared

RUNS_AT_ONCE = 10_000
"""Of a strategy that does not listen: what is in memory at a time."""


def run_sweep(
    sweep: Sweep,
    store: str | os.PathLike[str],
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    executor: Executor | None = None,
    retry: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
) -> SweepReport:
    """Do the runs of a sweep that its store lacks, and report all that the store has.

    At Ctrl-C the runs in hand are finished and written, then KeyboardInterrupt is raised; a second one drops them.

    Parameters
    ----------
    sweep : what `plan_sweep` gives
    store : path of the file; made if it is not there
    jobs : number of processes, or of the executor's workers; by default the number of cores. One works in this process
    scheduler : address of a Dask scheduler, as tcp://host:8786, instead of processes
    executor : any `concurrent.futures.Executor`, instead of processes; it is not shut down
    retry : whether runs that failed are tried again
    report : called whenever something came

    Raises
    ------
    ParameterError
        Jobs, scheduler and executor that do not go together.
    DataError
        The task's data cannot be used.
    StoreError, OSError
        The store is damaged, of another sweep, newer; cannot be written to. The scheduler does not answer.
    WorkerError
        A broken executor cannot be replaced, or a worker cannot do the work.
    """
    with engine(jobs, scheduler, executor) as made:
        with one_blas_thread():
            name = os.urandom(8).hex()
            ready = prepared(name, sweep.task, sweep.split, sweep.seeds[0])
        with Store.writing(store, sweep.about()) as opened, _interrupts() as interrupted:
            opened.check_data(sweep.seeds[0], ready.hashed, ready.baseline)
            opened.note(**sweep.facts(opened.about()))
            kept = {key for key, status in opened.statuses().items() if _counts(status, sweep, retry)}
            driver = Driver(name, sweep, opened, made, Progress(total=sweep.runs), interrupted, report)
            for trials, outcomes in _batches(sweep):
                numbers = opened.add_trials([text for _, text in trials])
                missing = list(_missing(sweep, trials, numbers, kept))
                driver.progress.kept += len(trials) * len(sweep.seeds) - len(missing)
                driver.finish(missing)
                if interrupted:
                    raise KeyboardInterrupt
                kept.update(run.key for _, run in missing)
                if sweep.search.listens:
                    driver.earlier.update(numbers)
                    outcomes.extend(opened.outcome(number, sweep.seeds) for number in numbers)
            return SweepReport(opened.table(), opened.path)


def _counts(status: str, sweep: Sweep, retry: bool) -> bool:
    """Whether a run of that status need not be run."""
    return status == "done" or (status == "failed" and not retry) or (status == "pruned" and sweep.prune)


def _batches(sweep: Sweep) -> Iterator[tuple[list[tuple[Point, str]], list[Outcome]]]:
    """Batches of (parameters, the same as canonical text), each with a list for what came of them."""
    at_once = max(RUNS_AT_ONCE // len(sweep.seeds), 1)
    proposals = sweep.search.proposals(sweep.dimensions, sweep.task.higher_is_better, at_once)
    points = next(proposals, None)
    while points:
        outcomes: list[Outcome] = []
        parameters = [sweep.parameters(point) for point in points]
        yield [(one, canonical(one)) for one in parameters], outcomes
        try:
            points = proposals.send(outcomes)
        except StopIteration:
            return


def _missing(
    sweep: Sweep, trials: Sequence[tuple[Point, str]], numbers: Sequence[int], kept: set[bytes]
) -> Iterator[tuple[int, TrialRun]]:
    """(seed, run) for all that is not kept, seed by seed, those beside each other that share weights and states."""
    missing: list[dict[bytes, int]] = []  # for each seed the index of a trial by its key, equal trials once
    for seed in sweep.seeds:
        keys = {sweep.key(text, seed): k for k, (_, text) in enumerate(trials)}
        missing.append({key: k for key, k in keys.items() if key not in kept})
    kinds = {k: shared(trials[k][0]) for some in missing for k in some.values()}
    place = {k: n for n, k in enumerate(sorted(kinds, key=kinds.__getitem__))}
    states = {kind: n for n, kind in enumerate({kind[:2] for kind in kinds.values()})}
    for seed, some in zip(sweep.seeds, missing, strict=True):
        for key, k in sorted(some.items(), key=lambda item: place[item[1]]):
            yield seed, TrialRun(key, numbers[k], trials[k][0], states[kinds[k][:2]])


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """A list that the first Ctrl-C within the block adds to; the second one raises KeyboardInterrupt."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def handle(number: int, frame: Any) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)
