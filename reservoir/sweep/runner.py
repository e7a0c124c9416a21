"""Running a sweep: what is missing in the store goes to the workers in chunks, and comes back as rows.

Scores do not depend on the number of workers, on chunks, on where a sweep was stopped: a run is alone with its seed and
its parameters.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from time import monotonic
from typing import Any

from reservoir.literals import canonical
from reservoir.sweep.engines import Engine, engine
from reservoir.sweep.planning import Sweep
from reservoir.sweep.space import Point
from reservoir.sweep.store import Row, Store
from reservoir.sweep.strategies import Outcome
from reservoir.sweep.table import Table
from reservoir.sweep.work import Answer, Chunk, Run, prepared, run_chunk, shared
from reservoir.threads import one_blas_thread
from reservoir.workers import WorkerError

CHUNK_SECONDS = 0.3
"""What a chunk should take: long beside the milliseconds of sending it, short beside a user's patience with Ctrl-C."""
SLOT_SECONDS = 0.01
"""By how much longer it is for each worker, so that sending chunks to hundreds of them and writing what they did keeps up."""
MOST_RUNS = 500
SHARING = 20
"""Runs beyond those, by which a chunk is longer to keep together what shares its states: the first of them costs the most."""
ATTEMPTS = 3
"""How often a run is given to a worker, when its workers die."""


@dataclass
class Progress:
    """How far a sweep is.

    Attributes
    ----------
    total : number of runs, those already in the store included
    kept : how many were in the store at the start
    done, failed, pruned : how many came of each kind since then
    best : the best score of a single run since then; None before the first
    seconds : since the start
    finishing : whether it only waits for the runs in hand, after Ctrl-C
    """

    total: int
    kept: int = 0
    done: int = 0
    failed: int = 0
    pruned: int = 0
    best: float | None = None
    seconds: float = 0.0
    finishing: bool = False

    @property
    def finished(self) -> int:
        """How many runs came since the start."""
        return self.done + self.failed + self.pruned


def run(
    sweep: Sweep,
    store: str | os.PathLike[str],
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    executor: Executor | None = None,
    retry: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Table:
    """Do the runs of a sweep that its store lacks, and return all that the store has.

    At Ctrl-C the runs in hand are finished and written, then KeyboardInterrupt is raised; a second one drops them.

    Parameters
    ----------
    sweep : what `plan` gives
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
            ready = prepared(sweep.task, sweep.split, sweep.seeds[0])
        with Store.writing(store, sweep.about()) as opened, _interrupts() as interrupted:
            opened.check_data(sweep.seeds[0], ready.hashed, ready.baseline)
            opened.note(**sweep.facts())
            kept = {key for key, status in opened.statuses().items() if _counts(status, sweep, retry)}
            driver = _Driver(sweep, opened, made, Progress(total=sweep.runs), interrupted, report)
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
            return opened.table()


def _counts(status: str, sweep: Sweep, retry: bool) -> bool:
    """Whether a run of that status need not be run."""
    return status == "done" or (status == "failed" and not retry) or (status == "pruned" and sweep.prune)


def _batches(sweep: Sweep) -> Iterator[tuple[list[tuple[Point, str]], list[Outcome]]]:
    """Batches of (parameters, the same as canonical text), each with a list for what came of them."""
    proposals = sweep.search.proposals(sweep.dimensions, sweep.task.higher_is_better)
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
) -> Iterator[tuple[int, Run]]:
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
            yield seed, Run(key, numbers[k], trials[k][0], states[kinds[k][:2]])


@dataclass
class _Hand:
    """A chunk that is with a worker of `executor`."""

    chunk: Chunk
    attempts: int
    executor: Executor | None = None


@dataclass
class _Driver:
    """Gives chunks to an engine, and writes what comes back."""

    sweep: Sweep
    store: Store
    engine: Engine
    progress: Progress
    interrupted: list[int]
    report: Callable[[Progress], None]
    started: float = field(default_factory=monotonic)
    seconds_per_run: float | None = None
    flying: dict[Future[Answer], _Hand] = field(default_factory=dict)
    suspects: deque[_Hand] = field(default_factory=deque)
    earlier: set[int] = field(default_factory=set)
    """The trials of batches that are finished, with which those that may be stopped early are compared."""

    def finish(self, missing: Sequence[tuple[int, Run]]) -> None:
        """Run all of these; after Ctrl-C only what is in hand."""
        chunks = self._chunks(missing)
        self._tell()
        more = True
        while True:
            while more and not self.interrupted and not self.suspects and self._wants_more():
                chunk = next(chunks, None)
                more = chunk is not None
                if chunk is not None:
                    self._submit(_Hand(chunk, 1))
            if self.suspects and not self.flying and not self.interrupted:
                self._submit(self.suspects.popleft())  # alone, so that a worker's death tells which it was
            if not self.flying:
                return
            self._collect()

    def _wants_more(self) -> bool:
        """Whether to hand out another chunk: a second for every worker where they are short, none where something came."""
        short = self.seconds_per_run is not None and self.seconds_per_run < CHUNK_SECONDS
        room = len(self.flying) < (1 + short) * self.engine.slots()
        return room and not any(future.done() for future in self.flying)

    def _chunks(self, missing: Sequence[tuple[int, Run]]) -> Iterator[Chunk]:
        """Chunks of one seed each, as long as they should be by what was seen so far."""
        left = len(missing)
        for seed, group in groupby(missing, key=lambda item: item[0]):
            rivals = self.store.curves(seed, self.earlier) if self.sweep.prune else None
            runs = [run for _, run in group]
            first = 0
            while first < len(runs):
                last = self._end(runs, first, left)
                yield Chunk(self.sweep.task, self.sweep.model, self.sweep.split, seed, runs[first:last], rivals)
                left, first = left - (last - first), last

    def _end(self, runs: Sequence[Run], first: int, left: int) -> int:
        """Where the chunk ends that begins at `first`: not amid runs that share their states, if these are few.

        Of the `left` runs that are not handed out yet, every worker gets its share.
        """
        known, slots = self.seconds_per_run, self.engine.slots()
        wanted = 1.0 if known is None else max(CHUNK_SECONDS, slots * SLOT_SECONDS) / known
        length = max(int(min(wanted, MOST_RUNS, left / slots)), 1)
        last = min(first + length, len(runs))
        most = min(last + SHARING, len(runs))
        while last < most and runs[last].states == runs[last - 1].states:
            last += 1
        return last

    def _submit(self, hand: _Hand) -> None:
        try:
            future = self.engine.executor.submit(run_chunk, hand.chunk)
        except self.engine.lost:  # it broke since the last look
            self.engine.executor = self.engine.renew()
            try:
                future = self.engine.executor.submit(run_chunk, hand.chunk)
            except self.engine.lost as error:
                raise WorkerError(f"The executor is broken ({error}). What was finished is kept; go on with another.") from error
        hand.executor = self.engine.executor
        self.flying[future] = hand

    def _collect(self) -> None:
        """Write what has come, and look after what was lost."""
        done, _ = wait(self.flying, timeout=0.2, return_when=FIRST_COMPLETED)
        lost = False
        for future in done:
            hand = self.flying.pop(future)
            try:
                answer = future.result()
            except self.engine.lost as error:
                lost = lost or hand.executor is self.engine.executor
                self._lose(hand, error)
            except Exception as error:
                raise WorkerError(
                    f"A worker could not do the work: {type(error).__name__}: {error}. Has it the same version of everything?"
                ) from error
            else:
                self._write(hand, answer)
        if lost:
            self.engine.executor = self.engine.renew()
        self._tell()

    def _tell(self) -> None:
        self.progress.seconds = monotonic() - self.started
        self.progress.finishing = bool(self.interrupted)
        self.report(self.progress)

    def _write(self, hand: _Hand, answer: Answer) -> None:
        if answer.data_hash:
            self.store.check_data(hand.chunk.seed, answer.data_hash, answer.baseline)
        self._record([row._replace(attempts=hand.attempts) for row in answer.rows], answer.versions)
        latest = answer.seconds / len(answer.rows)
        self.seconds_per_run = latest if self.seconds_per_run is None else min(latest, (self.seconds_per_run + latest) / 2)

    def _lose(self, hand: _Hand, error: BaseException) -> None:
        """What a dead worker had in hand is tried again: by itself, then run by run, until a run is given up."""
        chunk, tried = hand.chunk, isinstance(error, self.engine.tried)
        if hand.attempts == ATTEMPTS or (tried and len(chunk.runs) == 1):
            told = f"its worker died whenever it was tried, perhaps for want of memory ({type(error).__name__})"
            rows = [Row(run.key, run.trial, chunk.seed, "failed", error=told, attempts=hand.attempts) for run in chunk.runs]
            self._record(rows, {})
            return
        alone = tried or hand.attempts + 1 == ATTEMPTS
        parts = [replace(chunk, runs=[run]) for run in chunk.runs] if alone else [chunk]
        self.suspects.extend(_Hand(part, hand.attempts + 1) for part in parts)

    def _record(self, rows: Iterable[Row], versions: dict[str, str]) -> None:
        rows = list(rows)
        self.store.record(rows, versions)
        for row in rows:
            setattr(self.progress, row.status, getattr(self.progress, row.status) + 1)
        scores = [row.score for row in rows if row.score is not None]
        if scores:
            better = max if self.sweep.task.higher_is_better else min
            self.progress.best = better(scores if self.progress.best is None else [*scores, self.progress.best])


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
