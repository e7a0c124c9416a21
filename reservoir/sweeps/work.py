"""What a worker does: the runs of a chunk, all with one seed, one after the other.

Everything here is in the worker's hands: the data of its latest seeds, the unit-radius matrices (`reservoir.echo`), and
within a chunk the weights and states that neighbors share.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import math
import platform
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from importlib.metadata import version
from itertools import groupby
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from reservoir.base.threads import one_blas_thread, warnings_as_texts
from reservoir.base.values import canonical
from reservoir.base.version import __version__
from reservoir.experiments.evaluation import make_model, measured, reason
from reservoir.sweeps.store import Row

MOST_BYTES = 2**28
"""Of the data of several seeds that a worker keeps."""
MATRIX = ("units", "density", "topology", "topology_options")
MOST_TEXT, MOST_WARNINGS = 1000, 10
"""Characters of an error or a warning, and warnings of a run, beyond which they are cut."""


class TrialRun(NamedTuple):
    """A trial with one seed; `states` is a number that runs of a chunk have in common which run through the same states."""

    key: bytes
    trial: int
    parameters: Mapping[str, Any]
    states: int


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Runs with one seed.

    Attributes
    ----------
    sweep : names the sweep that is under way; data are kept within it
    task, model, split, seed : of all of them
    runs : what to run
    rivals : losses by epoch of earlier runs with this seed, to which those that fall behind are compared; None to run
        every one to its end
    seconds : after how long what is left is given back
    """

    sweep: str
    task: Any
    model: str | type
    split: str
    seed: int
    runs: Sequence[TrialRun]
    rivals: Sequence[Sequence[float]] | None
    seconds: float


def shared(parameters: Mapping[str, Any]) -> tuple[str, str, str]:
    """What the recurrent matrix depends on, what the states depend on besides, and the readout's settings."""
    matrix = {name: value for name, value in parameters.items() if name.partition("__")[0] in MATRIX}
    readout = {name: value for name, value in parameters.items() if name.partition("__")[0] == "readout"}
    states = {name: value for name, value in parameters.items() if name not in matrix and name not in readout}
    return canonical(matrix), canonical(states), canonical(readout)


class Answer(NamedTuple):
    """What came of a chunk: of its first runs, where there was not the time for all."""

    rows: list[Row]
    data_hash: str
    baseline: float
    versions: dict[str, str]
    seconds: float


class FellBehind(Exception):  # noqa: N818 - nothing went wrong
    """A run is stopped: it is worse than its rivals were."""


@dataclasses.dataclass(frozen=True)
class Prepared:
    """The data of a seed, the split that is scored in the place of the test split."""

    data: Any
    hashed: str
    baseline: float
    size: int


_prepared: dict[tuple[str, int], Prepared] = {}  # the latest last
_preparing = threading.Lock()


def prepared(sweep: str, task: Any, split: str, seed: int) -> Prepared:
    """The data of a seed. Those of a sweep's latest seeds are kept, but for no other sweep: files may have changed."""
    key = sweep, seed
    with _preparing:  # once, however many threads ask for it
        found = _prepared.pop(key, None)
        if found is None:
            data = task.generate(seed)
            scored = data if split == "test" else dataclasses.replace(data, test=data.validation)
            size = sum(array.nbytes for array in _arrays(data))
            found = Prepared(scored, data_hash(data), float(task.baseline(scored)), size)
        _prepared[key] = found
        while len(_prepared) > 1 and sum(kept.size for kept in _prepared.values()) > MOST_BYTES:
            del _prepared[next(iter(_prepared))]
    return found


def data_hash(data: Any) -> str:
    """A hash of the three splits' inputs and targets."""
    digest = hashlib.sha256()
    for array in _arrays(data):
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(repr(array.tolist()).encode() if array.dtype.hasobject else np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]


def _arrays(data: Any) -> Iterator[np.ndarray]:
    for split in (data.train, data.validation, data.test):
        for part in (split.inputs, split.targets):
            yield from map(np.asarray, [part] if isinstance(part, np.ndarray) else part)


def run_chunk(chunk: Chunk) -> Answer:
    """Do the runs, the first ones at least. One that fails is told in its row; of what the data raise, all of them fail."""
    from reservoir.echo.reuse import reusing

    started = perf_counter()
    with one_blas_thread():
        try:
            ready = prepared(chunk.sweep, chunk.task, chunk.split, chunk.seed)
        except (Exception, SystemExit) as failure:
            told = _reason(failure, chunk.seed)
            rows = [Row(run.key, run.trial, chunk.seed, "failed", error=told) for run in chunk.runs]
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
    row = Row(run.key, run.trial, chunk.seed, "done")
    curve: list[float] = []
    with warnings_as_texts() as warned:
        try:
            model = make_model(chunk.model, run.parameters, chunk.seed)
            _, outcome = measured(chunk.task, model, ready.data, _watched(chunk.rivals, curve))
            row = row._replace(**_plain(outcome), curve=curve)
            if not math.isfinite(row.score or 0.0):
                row = row._replace(status="failed", score=None, scores=None, error=f"its score is not finite: {row.score}")
        except FellBehind:
            row = row._replace(status="pruned", curve=curve)
        except (Exception, SystemExit) as failure:  # whatever it is: the others go on
            row = row._replace(status="failed", error=_reason(failure, chunk.seed))
    return row._replace(warnings=[text[:MOST_TEXT] for text in warned[:MOST_WARNINGS]])


def _plain(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """What was measured as plain numbers, whatever kinds the task gives."""
    scores = {name: float(score) for name, score in outcome["scores"].items()}
    count = outcome["n_parameters"]
    count = None if count is None else int(count)
    return {**outcome, "score": float(outcome["score"]), "scores": scores, "n_parameters": count}


def _reason(failure: Exception | SystemExit, seed: int) -> str:
    return (reason(failure, seed) if isinstance(failure, Exception) else f"SystemExit: {failure}")[:MOST_TEXT]


def _watched(rivals: Sequence[Sequence[float]] | None, curve: list[float]) -> Any:
    """A `Progress` that keeps the losses, and with rivals raises `FellBehind` where Optuna's median rule says so."""
    falls_behind = (lambda: False) if rivals is None else _median_rule(rivals, curve)

    def progress(record: dict[str, Any], epochs: int) -> None:
        curve.append(float(record["loss"] if record["validation_loss"] is None else record["validation_loss"]))
        if falls_behind():
            raise FellBehind

    return progress


def _median_rule(rivals: Sequence[Sequence[float]], curve: Sequence[float]) -> Callable[[], bool]:
    """A function that says whether the last loss of a growing curve is a reason to stop."""
    from reservoir.sweeps.strategies import quiet_optuna

    optuna = quiet_optuna()
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=5))
    for losses in rivals:
        values = dict(enumerate(losses))
        study.add_trial(optuna.trial.create_trial(value=0.0, intermediate_values=values))  # the losses alone count
    trial = study.ask()

    def falls_behind() -> bool:
        trial.report(curve[-1], len(curve) - 1)
        return bool(trial.should_prune())

    return falls_behind


@functools.cache
def versions() -> dict[str, str]:
    """Versions of what computes the runs."""
    packages = {name: version(name) for name in ("numpy", "scipy", "numba")}
    return {"reservoir": __version__, "python": platform.python_version(), **packages, "machine": platform.machine()}
