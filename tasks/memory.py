"""Tasks that ask for the past of the input: memory capacity, delayed recall, parity; and the lagged input itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from reservoir import metrics
from reservoir.tasks.base import Data, Split, Task, scored
from reservoir.validation import Constraint, Number, ParameterError

LENGTH = Number(low=2, integer=True)
LAG = Number(low=0, integer=True)


def lagged(series: np.ndarray, lags: Sequence[int]) -> np.ndarray:
    """Column j holds `series` (T,) `lags[j]` steps ago, and 0 where that lies before its start: (T, len(lags)).

    >>> lagged(np.array([1.0, 2.0, 3.0]), [0, 2])
    array([[1., 0.],
           [2., 0.],
           [3., 1.]])
    """
    columns = np.zeros((len(series), len(lags)))
    for column, lag in zip(columns.T, lags, strict=True):
        column[lag:] = series[: max(len(series) - lag, 0)]
    return columns


def lagged_regression(data: Data, lags: Sequence[int]) -> list[np.ndarray]:
    """Predictions for the test split: least squares on the one input at the given lags and a constant, fit on train."""

    def design(inputs: np.ndarray) -> np.ndarray:
        return np.column_stack([np.ones(len(inputs)), lagged(inputs[:, 0], lags)])

    train = data.train
    features = scored(train, [design(u) for u in train.inputs])
    weights = np.linalg.lstsq(features, scored(train, train.targets), rcond=None)[0]
    return [design(u) @ weights for u in data.test.inputs]


@dataclass(frozen=True)
class _Past(Task):
    """One record per split, in which the target at t depends on inputs up to `_reach` steps ago."""

    kind = "filter"
    higher_is_better = True
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "train_length": LENGTH,
        "validation_length": LENGTH,
        "test_length": LENGTH,
        "washout": LAG,
    }

    train_length: int = 2000
    validation_length: int = 1000
    test_length: int = 2000
    washout: int = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.washout < self._reach():
            raise ParameterError(
                f"The 'washout' parameter of task {self.name} must be at least {self._reach()}, the longest lag asked for: "
                f"a target from before the record cannot be known. Got {self.washout} instead."
            )

    def _reach(self) -> int:
        raise NotImplementedError

    def _record(self, generator: np.random.Generator, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (length,) and targets (length, n_outputs)."""
        raise NotImplementedError

    def draw(self, generator: np.random.Generator, size: int) -> Split:
        """One record: inputs (washout + size, 1), targets (washout + size, n_outputs)."""
        inputs, targets = self._record(generator, self.washout + size)
        return Split([inputs[:, None]], [targets], washout=self.washout)


@dataclass(frozen=True)
class MemoryCapacity(_Past):
    """Reproduce the input of 1, 2, ... `lags` steps ago, all at once; the score is how many come back.

    u(t) is uniform on (-.8, .8), drawn anew at each step; column k-1 of the target is u(t-k), k = 1...lags.

    Metric: `memory_capacity`, the sum over k of the squared correlation of output k with u(t-k) on the test rows.
    It is at most the number of units of the model (independent inputs, linear readout; the estimate from a finite
    record scatters about it, by .2 or less at the default lengths), so ask for about twice as
    many lags as units. It depends on the solver: normal equations lose much of what least squares by QR finds.
    Chance adds about lags / test_length, and a fit to few rows takes away about a share units / train_length.
    Source: H. Jaeger, Short term memory in echo state networks, GMD report 152, 2001.
    Baseline: a model without memory, which answers u(t) for every lag; about lags / test_length, by chance.
    Published: the bound, the number of units.
    """

    name = "memory-capacity"
    picture = "memory curve"
    metric = "memory_capacity"
    published = "at most the number of units (Jaeger 2001, GMD report 152)"
    constraints: ClassVar[Mapping[str, Constraint]] = {**_Past.constraints, "lags": Number(low=1, integer=True)}

    train_length: int = 20000
    test_length: int = 20000
    lags: int = 100

    def _reach(self) -> int:
        return self.lags

    def _record(self, generator: np.random.Generator, length: int) -> tuple[np.ndarray, np.ndarray]:
        inputs = generator.uniform(-0.8, 0.8, size=length)
        return inputs, lagged(inputs, range(1, self.lags + 1))

    def facts(self) -> dict[str, Any]:
        """What bounds the score."""
        return {"bound": "the model's number of units"}

    def score(self, predictions: list[np.ndarray], data: Data) -> float:
        """Memory capacity of predictions, one (T, lags) array per sequence of the test split."""
        return metrics.memory_capacity(scored(data.test, predictions), scored(data.test, data.test.targets))

    def baseline(self, data: Data) -> float:
        """Memory capacity of answering the present input for every lag."""
        return self.score([np.repeat(u, self.lags, axis=1) for u in data.test.inputs], data)


@dataclass(frozen=True)
class _Symbols(_Past):
    """Random signs as input, a product of past ones as target, the sign of the output as answer."""

    picture = "symbols"
    metric = "accuracy"

    def _window(self) -> range:
        """The lags whose signs are multiplied."""
        raise NotImplementedError

    def _reach(self) -> int:
        return self._window()[-1]

    def _record(self, generator: np.random.Generator, length: int) -> tuple[np.ndarray, np.ndarray]:
        inputs = generator.choice([-1.0, 1.0], size=length)
        return inputs, lagged(inputs, self._window()).prod(axis=1, keepdims=True)

    def score(self, predictions: list[np.ndarray], data: Data) -> float:
        """Fraction of scored rows whose output has the target's sign; an output of exactly 0, or NaN, is wrong."""
        return metrics.accuracy(np.sign(scored(data.test, predictions)), scored(data.test, data.test.targets))

    def scores(self, predictions: list[np.ndarray], data: Data) -> dict[str, float]:
        """Accuracy, and the normalized error of the outputs before the threshold."""
        error = metrics.nmse(scored(data.test, predictions), scored(data.test, data.test.targets))
        return {"accuracy": self.score(predictions, data), "nmse": error}

    def baseline(self, data: Data) -> float:
        """Accuracy of the sign that is commoner among the scored train targets (+1 on a tie), always."""
        balance = scored(data.train, data.train.targets).sum()
        return self.score([np.full((len(u), 1), 1.0 if balance >= 0 else -1.0) for u in data.test.inputs], data)


@dataclass(frozen=True)
class DelayedRecall(_Symbols):
    """Say which of two symbols came `delay` steps ago.

    u(t) is -1 or +1 with equal chance, drawn anew at each step; the target is y(t) = u(t - delay), delay ≥ 0.

    Metric: `accuracy` of the output's sign on the test rows; `scores` adds the nmse of the output itself.
    Source: the delay line of H. Jaeger, GMD report 152, 2001, with symbols in place of reals.
    Baseline: always the sign that is commoner in the train targets; about .5.
    Published: none known; a delay line is exact.
    """

    name = "delayed-recall"
    constraints: ClassVar[Mapping[str, Constraint]] = {**_Symbols.constraints, "delay": LAG}

    delay: int = 10

    def _window(self) -> range:
        return range(self.delay, self.delay + 1)


@dataclass(frozen=True)
class Parity(_Symbols):
    """Say whether the last `bits` bits held an even number of ones: memory, and a function no linear one can replace.

    u(t) is -1 (a one) or +1 (a zero) with equal chance, drawn anew at each step; the target is the product
    y(t) = u(t - delay) u(t - delay - 1) ... u(t - delay - bits + 1): +1 when the number of ones is even, else -1.

    Metric: `accuracy` of the output's sign on the test rows; `scores` adds the nmse of the output itself.
    Source: after N. Bertschinger & T. Natschläger, Neural Computation 16, 2004.
    Baseline: always the sign that is commoner in the train targets; about .5, and linear regression does no better.
    Published: none comparable.
    """

    name = "parity"
    constraints: ClassVar[Mapping[str, Constraint]] = {
        **_Symbols.constraints,
        "bits": Number(low=1, integer=True),
        "delay": LAG,
    }

    bits: int = 3
    delay: int = 0

    def _window(self) -> range:
        return range(self.delay, self.delay + self.bits)
