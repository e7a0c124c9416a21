"""Does the work of a worker: the runs of a chunk, all with one seed, one after the other.

A worker keeps the data of its latest seeds; within a chunk, runs that follow each other share weights and states.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import groupby
from time import perf_counter
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from reservoir.base.threads import one_blas_thread, warnings_as_texts
from reservoir.base.values import canonical
from reservoir.experiments.evaluation import learner_for, make_model, measured, reason, versions
from reservoir.experiments.rows import Row
from reservoir.experiments.workers import tell

MOST_BYTES = 2**28
"""A worker keeps the data of several seeds up to this number of bytes."""
MATRIX = ("units", "density", "topology", "topology_options")
MOST_TEXT, MOST_WARNINGS = 1000, 10
"""A row holds this number of characters of an error or a warning, and this number of warnings."""


class TrialRun(NamedTuple):
    """A trial with one seed; the runs of a chunk with the same number `states` have the same reservoir states."""

    key: bytes
    trial: int
    parameters: Mapping[str, Any]
    states: int

    def row(self, chunk: Chunk, status: str, **rest: Any) -> Row:
        """Return the row of this run as part of a chunk."""
        return Row(self.key, self.trial, chunk.seed, status, attempts=chunk.attempts, **rest)


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Runs with one seed."""

    sweep: str  # a name for the sweep or comparison under way; a worker keeps data for this one only
    task: Any
    model: str | type
    split: str
    seed: int
    runs: Sequence[TrialRun] = ()
    rivals: Sequence[Sequence[float]] | None = None  # losses by epoch of earlier runs, to stop one that is worse; None: no run
    seconds: float = math.inf  # after this time, the worker gives back the remainder
    attempts: int = 1  # how often the runs were handed to a worker, this time included
    subject: int = 1  # the number of the task and model in the store
    keeps: Collection[str] = ()  # what rows keep for pictures, of "history" and "predictions"


def shared(parameters: Mapping[str, Any]) -> tuple[str, str, str]:
    """Divide parameters into those of the recurrent matrix, the others that the states depend on, and the readout's."""
    parts: tuple[dict[str, Any], ...] = ({}, {}, {})
    for name, value in parameters.items():
        whole = name.partition("__")[0]
        parts[0 if whole in MATRIX else 2 if whole == "readout" else 1][name] = value
    matrix, states, readout = map(canonical, parts)
    return matrix, states, readout


class Answer(NamedTuple):
    """The rows of a chunk: of its first runs, where the time was too short for all."""

    rows: list[Row]
    data_hash: str
    baseline: float
    versions: dict[str, str]
    seconds: float


class FellBehind(Exception):  # noqa: N818 - nothing went wrong
    """Stops a run whose loss is worse than that of its rivals."""


class Prepared(NamedTuple):
    """The data of a seed, with the split that is scored in the place of the test split."""

    data: Any
    hashed: str
    baseline: float
    size: int


_prepared: dict[tuple[str, str, int], Prepared] = {}  # the latest last
_preparing = threading.Lock()


def prepared(chunk: Chunk, data: Any = None) -> Prepared:
    """Return the data of a chunk; `data` are its task's if they are known already.

    A worker keeps those of a sweep's latest seeds, for that sweep alone: files may change.
    """
    key = chunk.sweep, chunk.task.name, chunk.seed
    with _preparing:  # once, however many threads ask for it
        found = _prepared.pop(key, None)
        if found is None:
            data = chunk.task.generate(chunk.seed) if data is None else data
            scored = data if chunk.split == "test" else dataclasses.replace(data, test=data.validation)
            size = sum(array.nbytes for array in _arrays(data))
            found = Prepared(scored, data_hash(data), float(chunk.task.baseline(scored)), size)
        _prepared[key] = found
        while len(_prepared) > 1 and sum(kept.size for kept in _prepared.values()) > MOST_BYTES:
            del _prepared[next(iter(_prepared))]
    return found


def data_hash(data: Any) -> str:
    """Return a hash of the three splits' inputs and targets."""
    digest = hashlib.sha256()
    for array in _arrays(data):
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(repr(array.tolist()).encode() if array.dtype.hasobject else np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]


def _arrays(data: Any) -> Iterator[np.ndarray]:
    splits = [getattr(data, name, None) for name in ("train", "validation", "test")]  # a comparison does without validation
    for split in filter(None, splits):
        for part in (split.inputs, split.targets):
            yield from map(np.asarray, [part] if isinstance(part, np.ndarray) else part)


def run_chunk(chunk: Chunk) -> Answer:
    """Do the runs of a chunk, at least the first ones. A run that fails has a row that says why; without data all runs fail."""
    from reservoir.echo.reuse import reusing

    started = perf_counter()
    with one_blas_thread():
        try:
            ready = prepared(chunk)
        except (Exception, SystemExit) as failure:
            rows = [run.row(chunk, "failed", error=_reason(failure, chunk.seed)) for run in chunk.runs]
            return Answer(rows, "", math.nan, versions(), perf_counter() - started)
        rows = []
        for _, group in groupby(chunk.runs, key=lambda run: run.states):
            if rows and perf_counter() - started > chunk.seconds:
                break
            alike = list(group)
            with reusing() if len(alike) > 1 else nullcontext():
                rows += [_row(chunk, ready, run) for run in alike]
    return Answer(rows, ready.hashed, ready.baseline, versions(), perf_counter() - started)


def _row(chunk: Chunk, ready: Prepared, run: TrialRun) -> Row:
    curve: list[float] = []
    history: list[dict[str, Any]] = []
    watch = _told(run.key, history) if "history" in chunk.keeps else _watch(chunk.rivals, curve)
    with warnings_as_texts() as warned:
        try:
            model = make_model(chunk.model, run.parameters, chunk.seed)
            predictions, outcome = measured(chunk.task, learner_for(chunk.task, model), ready.data, watch)
            row = run.row(chunk, "done", **_plain(outcome), curve=curve)
            if "predictions" in chunk.keeps:
                row = row._replace(predictions=predictions)
            if not (math.isfinite(row.score or 0.0) or chunk.keeps):
                row = row._replace(status="failed", score=None, scores=None, error=f"its score is not finite: {row.score}")
        except FellBehind:
            row = run.row(chunk, "pruned", curve=curve)
        except (Exception, SystemExit) as failure:  # whatever it is, the other runs continue
            row = run.row(chunk, "failed", error=_reason(failure, chunk.seed))
    return row._replace(warnings=[text[:MOST_TEXT] for text in warned[:MOST_WARNINGS]], history=history or None)


def _plain(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outcome of a run as plain numbers, whatever kinds of numbers the task returns."""
    scores = {name: float(score) for name, score in outcome["scores"].items()}
    count = outcome["n_parameters"]
    return {**outcome, "score": float(outcome["score"]), "scores": scores, "n_parameters": None if count is None else int(count)}


def _reason(failure: Exception | SystemExit, seed: int) -> str:
    return (reason(failure, seed) if isinstance(failure, Exception) else f"SystemExit: {failure}")[:MOST_TEXT]


def _told(key: bytes, history: list[dict[str, Any]]) -> Callable[[dict[str, Any], int], None]:
    """Report that a run starts; return a `Progress` that adds each record to the history and reports it."""
    tell((key, None))

    def progress(record: dict[str, Any], epochs: int) -> None:
        history.append(dict(record))
        tell((key, (record, epochs)))

    return progress


def _watch(rivals: Sequence[Sequence[float]] | None, curve: list[float]) -> Callable[[dict[str, Any], int], None]:
    """Return a `Progress` that adds each loss to the curve, and raises `FellBehind` where Optuna's median rule says so."""
    trial: Any = None
    if rivals is not None:
        optuna = quiet_optuna()
        study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=5))
        for losses in rivals:  # whose losses alone count, not their value
            study.add_trial(optuna.trial.create_trial(value=0.0, intermediate_values=dict(enumerate(losses))))
        trial = study.ask()

    def progress(record: dict[str, Any], epochs: int) -> None:
        curve.append(float(record["loss"] if record["validation_loss"] is None else record["validation_loss"]))
        if trial is not None:
            trial.report(curve[-1], len(curve) - 1)
            if trial.should_prune():
                raise FellBehind

    return progress


def quiet_optuna() -> ModuleType:
    """Import Optuna without its messages."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
