"""Giving what is to be run to workers in chunks, and writing what comes back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field, replace
from itertools import groupby
from time import monotonic

from reservoir.base.tables import number
from reservoir.experiments.workers import WorkerError
from reservoir.sweeps.engines import Engine
from reservoir.sweeps.plan import Sweep
from reservoir.sweeps.store import Row, Store
from reservoir.sweeps.work import Answer, Chunk, TrialRun, run_chunk

CHUNK_SECONDS = 0.3
"""What a chunk should take: long beside the milliseconds of sending it, short beside a user's patience with Ctrl-C."""
SLOT_SECONDS = 0.01
"""By how much longer it is for each worker, so that sending chunks to hundreds of them and writing what they did keeps up."""
MOST_RUNS = 200
SHARING = 20
"""Runs beyond those, by which a chunk is longer to keep together what shares its states: the first of them costs the most."""
PATIENCE = 3.0
"""How many times longer a chunk may take than it should; what is left then comes back."""
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

    def text(self) -> str:
        """What a progress line says besides the number of runs."""
        parts = ["finishing what is in hand; Ctrl-C again drops it"] if self.finishing else []
        parts += [f"{self.failed:,} failed"] if self.failed else []
        parts += [f"{self.pruned:,} pruned"] if self.pruned else []
        parts += [f"best run {number(self.best)}"] if self.best is not None else []
        parts += [f"{self.finished / self.seconds:,.3g} runs/s"] if self.finished and self.seconds else []
        return ", ".join(parts)


@dataclass
class _Hand:
    """A chunk that is with a worker of `executor`."""

    chunk: Chunk
    attempts: int
    executor: Executor | None = None


@dataclass
class Driver:
    """Gives chunks to an engine, and writes what comes back."""

    name: str
    """Of this sweep, see `Chunk`."""
    sweep: Sweep
    store: Store
    engine: Engine
    progress: Progress
    interrupted: list[int]
    report: Callable[[Progress], None]
    started: float = field(default_factory=monotonic)
    seconds_per_run: float | None = None
    slots: int = 1
    returned: deque[Chunk] = field(default_factory=deque)
    flying: dict[Future[Answer], _Hand] = field(default_factory=dict)
    suspects: deque[_Hand] = field(default_factory=deque)
    earlier: set[int] = field(default_factory=set)
    """The trials of batches that are finished, with which those that may be stopped early are compared."""

    def finish(self, missing: Sequence[tuple[int, TrialRun]]) -> None:
        """Do all of these runs; after Ctrl-C only those that workers have already."""
        chunks = self._chunks(missing)
        self.slots = self.engine.slots()
        self._tell()
        while True:
            while not self.interrupted and not self.suspects and self._wants_more():
                chunk = self.returned.popleft() if self.returned else next(chunks, None)
                if chunk is None:
                    break
                self._submit(_Hand(chunk, 1))
            if self.suspects and not self.flying and not self.interrupted:
                self._submit(self.suspects.popleft())  # alone, so that a worker's death tells which it was
            if not self.flying:
                return
            self._collect()

    def _wants_more(self) -> bool:
        """Whether to hand out another chunk: a second for every worker where they are short, none where something came."""
        short = self.seconds_per_run is not None and self.seconds_per_run < CHUNK_SECONDS
        room = len(self.flying) < (1 + short) * self.slots
        return room and not any(future.done() for future in self.flying)

    def _chunks(self, missing: Sequence[tuple[int, TrialRun]]) -> Iterator[Chunk]:
        """Chunks of one seed each, as long as they should be by what was seen so far."""
        sweep, left = self.sweep, len(missing)
        for seed, group in groupby(missing, key=lambda item: item[0]):
            rivals = self.store.curves(seed, self.earlier) if sweep.prune else None
            runs = [run for _, run in group]
            first = 0
            while first < len(runs):
                last = self._end(runs, first, left)
                patience = PATIENCE * self._seconds()
                yield Chunk(self.name, sweep.task, sweep.model, sweep.split, seed, runs[first:last], rivals, patience)
                left, first = left - (last - first), last

    def _end(self, runs: Sequence[TrialRun], first: int, left: int) -> int:
        """Where the chunk ends that begins at `first`: not amid runs that share their states, if these are few.

        Of the `left` runs that are not handed out yet, every worker gets its share.
        """
        wanted = 1.0 if self.seconds_per_run is None else self._seconds() / self.seconds_per_run
        length = max(int(min(wanted, MOST_RUNS, left / self.slots)), 1)
        last = min(first + length, len(runs))
        most = min(last + SHARING, len(runs))
        while last < most and runs[last].states == runs[last - 1].states:
            last += 1
        return last

    def _seconds(self) -> float:
        return max(CHUNK_SECONDS, self.slots * SLOT_SECONDS)

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
        self.slots = self.engine.slots()
        self._tell()

    def _tell(self) -> None:
        self.progress.seconds = monotonic() - self.started
        self.progress.finishing = bool(self.interrupted)
        self.report(self.progress)

    def _write(self, hand: _Hand, answer: Answer) -> None:
        if answer.data_hash:
            self.store.check_data(hand.chunk.seed, answer.data_hash, answer.baseline)
        self._record([row._replace(attempts=hand.attempts) for row in answer.rows], answer.versions)
        if rest := hand.chunk.runs[len(answer.rows) :]:
            chunk = replace(hand.chunk, runs=rest)
            if hand.attempts == 1:
                self.returned.append(chunk)
            else:
                self.suspects.appendleft(_Hand(chunk, hand.attempts))
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
