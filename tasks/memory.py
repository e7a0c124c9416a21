"""Tasks that ask for the past of the input: memory capacity, delayed recall, parity; and the lagged input itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir import metrics
from reservoir.tasks.base import COUNT, LAG, LENGTHS, Data, Split, Task, scored, scored_rows
from reservoir.tasks.settings import ADAM, DEEP, FAST, FILTER, epochs, given
from reservoir.validation import ParameterError


def lagged(series: np.ndarray, lags: Sequence[int]) -> np.ndarray:
    """Return (T, len(lags)): column j holds `series` (T,) `lags[j]` steps ago, and 0 where that lies before its start.

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

    weights = np.linalg.lstsq(*scored_rows(map(design, data.train.inputs), data.train), rcond=None)[0]
    return [design(u) @ weights for u in data.test.inputs]


@dataclass(frozen=True)
class _Past(Task):
    """One record per split, in which the target at t depends on the inputs at the lags of `window`."""

    kind = "filter"
    higher_is_better = True
    constraints = LENGTHS | given(washout=LAG)

    train_length: int = 2000
    validation_length: int = 1000
    test_length: int = 2000
    washout: int = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.washout < self.window[-1]:
            raise ParameterError(
                f"The 'washout' parameter of task {self.name} must be at least {self.window[-1]}, the longest lag asked for: "
                f"a target from before the record cannot be known. Got {self.washout} instead."
            )

    @property
    def window(self) -> range:
        """The lags that are asked for."""
        raise NotImplementedError


@dataclass(frozen=True)
class MemoryCapacity(_Past):
    """Reproduce the input of 1, 2, ... `lags` steps ago, all at once; the score counts the lags that succeed.

    u(t) is uniform on (-.8, .8), drawn anew at each step; column k-1 of the target is u(t-k), k = 1...lags.

    Metric: `memory_capacity`, the sum over k of the squared correlation of output k with u(t-k) on the test rows. It is at most
    the number of units of the model (independent inputs, linear readout; the estimate from a finite record scatters about it, by
    .2 or less at the default lengths), so ask for about twice as many lags as units. It depends on the solver: normal equations
    lose much of what least squares by QR finds. Chance adds about lags / test_length, and a fit to few rows takes away about a
    share units / train_length.
    Source: H. Jaeger, Short term memory in echo state networks, GMD report 152, 2001.
    Baseline: a model without memory, which answers u(t) for every lag; about lags / test_length, by chance.
    """

    name = "memory-capacity"
    slow = ("gradient",)
    picture = "memory curve"
    metric = "memory_capacity"
    baseline_name = "the present input alone"
    published = "at most the number of units (Jaeger 2001, GMD report 152)"
    constraints = _Past.constraints | given(lags=COUNT)
    tuned = given(
        esn=given(units=50, topology="orthogonal", activation="identity", spectral_radius=0.95, input_scaling=0.1,
                  bias_scaling=0.0, readout__ridge=0.0, readout__solver="svd", washout=200),
        gradient=ADAM | given(units=50, washout=100, training__learning_rate=1e-2, training__batch_size=16,
                              training__window=300) | epochs(200),
        clockwork=FAST, indrnn=DEEP,
    )  # fmt: skip

    train_length: int = 20000
    test_length: int = 20000
    lags: int = 100

    @property
    def window(self) -> range:
        """The lags 1, 2, ..., `lags`."""
        return range(1, self.lags + 1)

    def draw(self, generator: np.random.Generator, size: int) -> Split:
        """One record: inputs (washout + size, 1), targets (washout + size, lags)."""
        inputs = generator.uniform(-0.8, 0.8, size=self.washout + size)
        return Split([inputs[:, None]], [lagged(inputs, self.window)], washout=self.washout)

    def facts(self) -> dict[str, Any]:
        """The bound of the score, in words."""
        return {"bound": "the model's number of units"}

    def score(self, predictions: list[np.ndarray], data: Data) -> float:
        """Memory capacity of predictions, one (T, lags) array per sequence of the test split."""
        return metrics.memory_capacity(*scored_rows(predictions, data.test))

    def baseline(self, data: Data) -> float:
        """Memory capacity of answering the present input for every lag."""
        return self.score([np.repeat(u, self.lags, axis=1) for u in data.test.inputs], data)


@dataclass(frozen=True)
class _Symbols(_Past):
    """Random signs as input, a product of past ones as target, the sign of the output as answer."""

    picture = "symbols"
    metric = "accuracy"
    baseline_name = "the commoner sign"

    def draw(self, generator: np.random.Generator, size: int) -> Split:
        """One record: inputs and targets (washout + size, 1)."""
        inputs = generator.choice([-1.0, 1.0], size=self.washout + size)
        return Split([inputs[:, None]], [lagged(inputs, self.window).prod(axis=1, keepdims=True)], washout=self.washout)

    def score(self, predictions: list[np.ndarray], data: Data) -> float:
        """Fraction of scored rows whose output has the target's sign; an output of exactly 0, or NaN, is wrong."""
        outputs, targets = scored_rows(predictions, data.test)
        return metrics.accuracy(np.sign(outputs), targets)

    def scores(self, predictions: list[np.ndarray], data: Data) -> dict[str, float]:
        """Accuracy, and the normalized error of the outputs before the threshold."""
        return {"accuracy": self.score(predictions, data), "nmse": metrics.nmse(*scored_rows(predictions, data.test))}

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
    constraints = _Past.constraints | given(delay=LAG)
    tuned = given(
        esn=given(units=100, density=0.1, spectral_radius=0.95, input_scaling=0.1, bias_scaling=0.05),
        gradient=FILTER, clockwork=FAST, indrnn=DEEP,
    )  # fmt: skip

    delay: int = 10

    @property
    def window(self) -> range:
        """The one lag `delay`."""
        return range(self.delay, self.delay + 1)


@dataclass(frozen=True)
class Parity(_Symbols):
    """Say whether the last `bits` bits held an even number of ones: memory, and a function no linear one can replace.

    u(t) is -1 (a one) or +1 (a zero) with equal chance, drawn anew at each step; the target is the product y(t) = u(t - delay)
    u(t - delay - 1) ... u(t - delay - bits + 1): +1 when the number of ones is even, else -1.

    Metric: `accuracy` of the output's sign on the test rows; `scores` adds the nmse of the output itself.
    Source: after N. Bertschinger & T. Natschläger, Neural Computation 16, 2004.
    Baseline: always the sign that is commoner in the train targets; about .5, and linear regression does no better.
    Published: none comparable.
    """

    name = "parity"
    constraints = _Past.constraints | given(bits=COUNT, delay=LAG)
    tuned = given(
        esn=given(units=200, density=0.05, spectral_radius=0.8, input_scaling=0.5, readout__ridge=1e-6),
        gradient=FILTER, clockwork=FAST, indrnn=DEEP,
    )  # fmt: skip

    bits: int = 3
    delay: int = 0

    @property
    def window(self) -> range:
        """The lags of the `bits` inputs that are multiplied."""
        return range(self.delay, self.delay + self.bits)
