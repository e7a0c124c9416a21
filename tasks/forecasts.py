"""What free runs share: cutting a record into histories and continuations, persistence, base classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from reservoir.base.baselines import naive
from reservoir.metrics import valid_prediction_time
from reservoir.tasks.base import COUNT, LAG, Data, Split, Task
from reservoir.tasks.settings import given
from reservoir.validation import DataError, Number, ParameterError


def one_step(record: np.ndarray, washout: int) -> Split:
    """The training split of a (T + 1, d) record: each value with its successor, T pairs."""
    return Split(inputs=[record[:-1]], targets=[record[1:]], washout=washout)


def rolling_origins(record: np.ndarray, first: int, last: int, history: int | None, steps: int, starts: int) -> Split:
    """Histories of a (T, d) record with their continuations, all of which lie within rows `first` to `last`.

    The starts are spaced evenly: the first continuation begins at row `first`, the last one ends before row `last` (a single one
    begins at `first`). A history is the `history` rows before the start, or all there are when it is None.
    """
    origins = first + np.arange(starts) * (last - first - steps) // max(starts - 1, 1)
    begins = np.zeros_like(origins) if history is None else np.maximum(origins - history, 0)
    return Split(
        inputs=[record[begin:origin] for begin, origin in zip(begins, origins, strict=True)],
        targets=[record[origin : origin + steps] for origin in origins],
    )


@dataclass(frozen=True)
class FreeRun(Task):
    """Base of the free runs of systems that can be simulated for any length of time.

    The three splits are independent records of the system, from three child streams of the seed. Training: `train_length`
    one-step pairs, of which the first `washout` are not scored. Test: `starts` histories of `history` samples, each with the
    `steps` samples that follow; the continuations lie end to end on one record. Validation: half as many.
    """

    train_length: int = 2000
    washout: int = 100
    history: int = 100
    steps: int = 100
    starts: int = 20

    kind = "free run"
    constraints = given(train_length=Number(low=2, integer=True), washout=LAG, history=COUNT, steps=COUNT, starts=COUNT)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_washout(self, self.train_length, self.washout)

    def record(self, length: int, generator: np.random.Generator) -> np.ndarray:
        """A record (length, d) of the system after its transient, from a random start."""
        raise NotImplementedError

    def windows(self, starts: int, generator: np.random.Generator) -> Split:
        """Histories and continuations from one record."""
        record = self.record(self.history + starts * self.steps, generator)
        return rolling_origins(record, self.history, len(record), self.history, self.steps, starts)

    def generate(self, seed: int) -> Data:
        """The data of one seed; the same seed gives the same bits."""
        train, validation, test = self.streams(seed)
        return Data(
            train=one_step(self.record(self.train_length + 1, train), self.washout),
            validation=self.windows(max(1, self.starts // 2), validation),
            test=self.windows(self.starts, test),
            info=self.facts(),
        )

    def baseline(self, data: Data) -> float:
        """The score of persistence: the last value of each history, repeated."""
        return self.score(persistence(data.test), data)


@dataclass(frozen=True)
class Chaos(FreeRun):
    """Base of the free runs scored by valid prediction time (threshold .3) in Lyapunov times, averaged over the starts.

    The exponents of Sprott 2003 are those of the appendix of his Chaos and Time-Series Analysis.
    """

    lyapunov: ClassVar[float]
    spread: ClassVar[tuple[float, ...]]
    """Standard deviation of each component over a long record."""
    metric = "vpt"
    baseline_name = "the last value, repeated"
    higher_is_better = True

    def facts(self) -> dict[str, Any]:
        """What the score is scaled with."""
        return {"spread": self.spread, "time_step": self.time_step, "lyapunov": self.lyapunov}

    def valid_times(self, predictions: Iterable[ArrayLike], data: Data) -> np.ndarray:
        """The valid prediction time of each start, in Lyapunov times."""
        predictions, targets = list(predictions), list(data.test.targets)
        if len(predictions) != len(targets):
            raise DataError(f"There are {len(predictions)} predictions for {len(targets)} starts; they must agree.")
        facts = self.spread, self.time_step, self.lyapunov
        return np.array([valid_prediction_time(guess, true, *facts) for guess, true in zip(predictions, targets, strict=True)])

    def score(self, predictions: Any, data: Data) -> float:
        """The mean valid prediction time in Lyapunov times."""
        return float(self.valid_times(predictions, data).mean())

    def scores(self, predictions: Any, data: Data) -> dict[str, float]:
        """The mean, the median and the least valid prediction time in Lyapunov times."""
        times = self.valid_times(predictions, data)
        return {"vpt": float(times.mean()), "vpt_median": float(np.median(times)), "vpt_min": float(times.min())}


def check_washout(task: Task, train_length: int, washout: int) -> None:
    """Raise `ParameterError` unless the washout leaves something to train on."""
    if washout >= train_length:
        raise ParameterError(
            f"The 'washout' parameter of task {task.name} must be below the training length, {train_length}. "
            f"Got {washout} instead."
        )


def persistence(split: Split) -> list[np.ndarray]:
    """The naive forecast of each history of a split, as long as its continuation."""
    return [naive(history, len(target)) for history, target in zip(split.inputs, split.targets, strict=True)]


def training_mean(data: Data) -> list[np.ndarray]:
    """The mean of the training targets as the forecast of every start of the test split."""
    mean = np.concatenate(list(data.train.targets)).mean(axis=0)
    return [np.broadcast_to(mean, np.shape(target)) for target in data.test.targets]
