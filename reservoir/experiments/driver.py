"""Hands the runs of a sweep or a comparison to workers in chunks, and writes what comes back to the store."""

from __future__ import annotations

import math
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from time import monotonic
from typing import Any

from reservoir.base.tables import duration, number
from reservoir.experiments.engines import Engine
from reservoir.experiments.rows import KeptRun, Row
from reservoir.experiments.store import Store
from reservoir.experiments.work import Answer, Chunk, TrialRun, run_chunk
from reservoir.experiments.workers import WorkerError

CHUNK_SECONDS = 0.3
"""How long a chunk should take: long beside the milliseconds of sending it, short beside a user's patience with Ctrl-C."""
SLOT_SECONDS = 0.01
"""How much longer a chunk should take for each worker, so that the driver keeps up with hundreds of them."""
MOST_RUNS = 200
SHARING = 20
"""How many more runs a chunk may get that share their states with the last one; the first of such runs costs the most."""
PATIENCE = 3.0
"""A chunk may take this many times longer than it should; then the worker gives back the remainder."""
ATTEMPTS = 3
"""The number of times that a run is handed to a worker before it is given up, because its workers die."""


@dataclass
class Progress:
    """Counts the runs of a sweep or a comparison: all of them, and those that ended."""

    total: int  # those already in the store included
    kept: int = 0  # in the store at the start
    done: int = 0  # ended since then, as are the next two
    failed: int = 0
    pruned: int = 0
    best: float | None = None  # the best score of a single run since then; None before the first
    seconds: float = 0.0  # since the start
    left: float | None = None  # the seconds that the other runs may take; None where that is not estimated
    finishing: bool = False  # whether the work stops after Ctrl-C, and only waits for the runs under way

    @property
    def finished(self) -> int:
        """The number of runs that ended since the start."""
        return self.done + self.failed + self.pruned

    def text(self) -> str:
        """Return the words of a progress line beside the number of runs."""
        parts = ["waiting for the runs under way (Ctrl-C again drops them)"] if self.finishing else []
        parts += [f"{count:,} {name}" for name, count in (("failed", self.failed), ("pruned", self.pruned)) if count]
        parts += [f"best run {number(self.best)}"] if self.best is not None else []
        if self.left is not None:
            parts.append(f"about {duration(self.left)} left")
        elif self.finished and self.seconds:
            parts.append(f"{self.finished / self.seconds:,.3g} runs/s")
        return ", ".join(parts)


@dataclass
class Driver:
    """Hands chunks to an engine and writes their results."""

    store: Store
    engine: Engine
    progress: Progress
    report: Callable[[Progress], None]
    better: Callable[[float, float], float] | None = None  # of two scores; None where runs do not compare
    earlier: set[int] | None = None  # trials of finished batches, to whose losses runs are compared; None to stop no run
    collect: Callable[[KeptRun], None] = lambda run: None  # called with every run that ended
    hear: Callable[[Any], None] = lambda message: None  # called with what runs report
    flying: dict[Future[Answer], Chunk] = field(default_factory=dict)  # what workers have
    waiting: deque[Chunk] = field(default_factory=deque)  # what must be handed out once more
    seconds_per_run: float = math.inf
    slots: int = 1
    started: float = field(default_factory=monotonic)

    def finish(self, missing: Sequence[tuple[Chunk, TrialRun]]) -> None:
        """Do these runs, each as part of a chunk like the one given; after Ctrl-C only those that workers have already."""
        chunks = self._chunks(missing)
        self._look()
        while True:
            while not self.progress.finishing and self._has_room():
                chunk = self.waiting.popleft() if self.waiting else next(chunks, None)
                if chunk is None:
                    break
                self._submit(chunk)
            if not self.flying:
                return
            self._collect()

    def _has_room(self) -> bool:
        """Return whether to hand out a chunk. A worker gets two if they are short, and none while results wait to be written."""
        if any(chunk.attempts > 1 for chunk in (*self.waiting, *self.flying.values())):
            return not self.flying  # alone, so that a worker's death tells which chunk caused it
        room = len(self.flying) < (1 + (self.seconds_per_run < CHUNK_SECONDS)) * self.slots
        return room and not any(future.done() for future in self.flying)

    def _chunks(self, missing: Sequence[tuple[Chunk, TrialRun]]) -> Iterator[Chunk]:
        """Yield chunks of one seed each; their length depends on the seconds that runs took so far."""
        left = len(missing)
        for _, group in groupby(missing, key=lambda item: id(item[0])):
            alike = list(group)
            template, runs = alike[0][0], [run for _, run in alike]
            rivals = None if self.earlier is None else self.store.curves(template.seed, self.earlier)
            while runs:
                size, seconds = self._size(runs, left), PATIENCE * self._seconds()
                yield replace(template, runs=runs[:size], rivals=rivals, seconds=seconds)
                runs, left = runs[size:], left - size

    def _size(self, runs: Sequence[TrialRun], left: int) -> int:
        """Return how many runs the next chunk gets: a worker's share of the runs left, and a few more that share states."""
        size = min(max(int(min(self._seconds() / self.seconds_per_run, MOST_RUNS, left / self.slots)), 1), len(runs))
        most = min(size + SHARING, len(runs))
        while size < most and runs[size].states == runs[size - 1].states:
            size += 1
        return size

    def _seconds(self) -> float:
        return max(CHUNK_SECONDS, self.slots * SLOT_SECONDS)

    def _submit(self, chunk: Chunk) -> None:
        for last in (False, True):
            try:
                self.flying[self.engine.executor.submit(run_chunk, chunk)] = chunk
                return
            except self.engine.lost as error:  # it broke since the last look
                if last:
                    text = "What was finished is kept; continue with another."
                    raise WorkerError(f"The executor is broken ({error}). {text}") from error
                self.engine.executor = self.engine.renew()

    def _collect(self) -> None:
        """Write the results that arrived, and hand out once more what dead workers had."""
        lost = False
        ended = wait(self.flying, timeout=0.2, return_when=FIRST_COMPLETED).done
        for message in self.engine.messages():
            self.hear(message)
        for future in ended:
            chunk = self.flying.pop(future)
            try:
                answer = future.result()
            except self.engine.lost as error:
                lost = True
                self._lose(chunk, error)
            except Exception as error:
                text = f"A worker could not do the work: {type(error).__name__}: {error}."
                raise WorkerError(f"{text} Has it the same version of everything?") from error
            else:
                self._write(chunk, answer)
        if lost:
            self.engine.executor = self.engine.renew()
        self._look()

    def _look(self) -> None:
        """Ask the engine for its number of workers, and report the progress."""
        self.slots = self.engine.slots()
        self.progress.seconds = monotonic() - self.started
        self.report(self.progress)

    def _write(self, chunk: Chunk, answer: Answer) -> None:
        if answer.data_hash:
            self.store.check_data(chunk.seed, answer.data_hash, answer.baseline, chunk.subject)
        self._record(answer.rows, answer.versions, answer.baseline)
        if rest := chunk.runs[len(answer.rows) :]:
            self.waiting.appendleft(replace(chunk, runs=rest))
        latest = answer.seconds / len(answer.rows)
        self.seconds_per_run = min(latest, (self.seconds_per_run + latest) / 2)

    def _lose(self, chunk: Chunk, error: BaseException) -> None:
        """Queue what a dead worker had: first the same chunk, then its runs one by one, until a run is given up."""
        tried = isinstance(error, self.engine.tried)
        if chunk.attempts == ATTEMPTS or (tried and len(chunk.runs) == 1):
            text = f"its worker died at every attempt, perhaps for want of memory ({type(error).__name__})"
            self._record([run.row(chunk, "failed", error=text) for run in chunk.runs], {}, math.nan)
            return
        again = replace(chunk, attempts=chunk.attempts + 1)
        alone = tried or again.attempts == ATTEMPTS
        self.waiting.extend([replace(again, runs=[run]) for run in chunk.runs] if alone else [again])

    def _record(self, rows: Sequence[Row], versions: dict[str, str], baseline: float) -> None:
        self.store.record(rows, versions)
        for row in rows:
            self.collect(KeptRun(row, baseline, versions))
            setattr(self.progress, row.status, getattr(self.progress, row.status) + 1)
            if self.better is not None and row.score is not None:
                self.progress.best = row.score if self.progress.best is None else self.better(self.progress.best, row.score)


@contextmanager
def finishing_at_ctrl_c(progress: Progress) -> Iterator[None]:
    """Let the first Ctrl-C within the block set `progress.finishing`, and the second one raise KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: Any) -> None:
        if progress.finishing:
            raise KeyboardInterrupt
        progress.finishing = True

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
