"""What free runs share: trivial forecasts, cutting a record into histories and continuations, base classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from reservoir.metrics import nmse, valid_prediction_time
from reservoir.validation import Constraint, DataError, Number, ParameterError
from tasks.base import Data, Kind, Split, Task


def naive(history: ArrayLike, steps: int) -> np.ndarray:
    """The last value, repeated: (T,) or (T, d) gives (steps,) or (steps, d).

    >>> naive([1.0, 4.0], 3).tolist()
    [4.0, 4.0, 4.0]
    """
    return seasonal_naive(history, steps, 1)


def seasonal_naive(history: ArrayLike, steps: int, period: int) -> np.ndarray:
    """The last `period` values, repeated in order: (T,) or (T, d) gives (steps,) or (steps, d).

    Raises `DataError` when the history is shorter than one period.

    >>> seasonal_naive([9.0, 1.0, 2.0, 3.0], 5, period=3).tolist()
    [1.0, 2.0, 3.0, 1.0, 2.0]
    """
    history = np.asarray(history)
    if len(history) < period:
        raise DataError(f"The forecast repeats the last {period} rows of the history. Got {len(history)} rows instead.")
    return history[len(history) - period + np.arange(steps) % period]


def estimate_period(series: ArrayLike) -> int | None:
    """The strongest seasonal period in samples, at most a third of the length and 10,000; None when there is none.

    A period p is a peak of the autocorrelation r (straight line removed) that stands out by .1, is above .2 and above
    three standard errors of noise, 3 / sqrt(T), and recurs: r near 2p is at least a third of r(p) after both are
    corrected for the shrinking overlap. The shortest lag within 10 %, or two standard errors, of the highest such peak
    wins, so that a multiple does not. Strongly correlated noise shows a period by chance in up to one record of ten.

    Parameters
    ----------
    series : (T,) or (T, d); the autocorrelations of several columns are averaged

    >>> estimate_period(np.sin(np.arange(200) * 2 * np.pi / 12))
    12
    """
    from scipy.signal import find_peaks

    columns = np.asarray(series, dtype=float)
    length = len(columns)
    if length < 6:
        return None
    correlation = _autocorrelation(columns.reshape(length, -1))
    longest = min(length // 3, 10_000)
    lags, _ = find_peaks(correlation[: longest + 2], height=max(0.2, 3.0 / np.sqrt(length)), prominence=0.1)
    recurring = [lag for lag in lags if lag <= longest and _recurs(correlation, lag)]
    if not recurring:
        return None
    highest = max(correlation[lag] for lag in recurring)
    near = highest - max(0.1 * highest, 2.0 / np.sqrt(length))
    return int(next(lag for lag in recurring if correlation[lag] >= near))


def _recurs(correlation: np.ndarray, lag: int) -> bool:
    """Whether the autocorrelation rises again within a tenth of twice the lag."""
    near = np.arange(2 * lag - lag // 10, 2 * lag + lag // 10 + 1)
    overlap = 1.0 - np.append(near, lag) / len(correlation)
    unbiased = correlation[np.append(near, lag)] / overlap
    return bool(unbiased[:-1].max() >= unbiased[-1] / 3.0)


def _autocorrelation(columns: np.ndarray) -> np.ndarray:
    """The mean over columns (T, d) of the autocorrelation at lags 0 to T - 1, divisor T, straight lines removed."""
    length = len(columns)
    time = np.arange(length) - (length - 1) / 2.0
    centred = columns - columns.mean(axis=0)
    centred = centred - np.outer(time, time @ centred / (time @ time))
    variance = np.square(centred).sum(axis=0)
    # Rounding leaves a little of a constant or a straight line behind; it has no period.
    varies = variance > 1e-20 * length * np.square(columns).max(axis=0)
    if not varies.any():
        return np.zeros(length)
    spectrum = np.fft.rfft(centred[:, varies], 2 * length, axis=0)
    covariance = np.fft.irfft(np.square(np.abs(spectrum)), axis=0)[:length]
    mean: np.ndarray = (covariance / variance[varies]).mean(axis=1)
    return mean


def one_step(record: np.ndarray, washout: int) -> Split:
    """The training split of a (T + 1, d) record: each value with its successor, T pairs."""
    return Split(inputs=[record[:-1]], targets=[record[1:]], warmup=washout)


def rolling_origins(record: np.ndarray, first: int, last: int, history: int | None, steps: int, starts: int) -> Split:
    """Histories of a (T, d) record with their continuations, all of which lie within rows `first` to `last`.

    The starts are spaced evenly: the first continuation begins at row `first`, the last one ends before row `last` (a
    single one begins at `first`). A history is the `history` rows before the start, or all there are when it is None.
    """
    origins = first + np.arange(starts) * (last - first - steps) // max(starts - 1, 1)
    begins = np.zeros_like(origins) if history is None else np.maximum(origins - history, 0)
    return Split(
        inputs=[record[begin:origin] for begin, origin in zip(begins, origins, strict=True)],
        targets=[record[origin : origin + steps] for origin in origins],
    )


FREE_RUN_CONSTRAINTS: Mapping[str, Constraint] = {
    "train_length": Number(low=2, integer=True),
    "washout": Number(low=0, integer=True),
    "history": Number(low=1, integer=True),
    "steps": Number(low=1, integer=True),
    "starts": Number(low=1, integer=True),
}


@dataclass(frozen=True)
class FreeRun(Task):
    """Base of the free runs of systems that can be simulated for as long as one likes.

    The three splits are independent records of the system, from three child streams of the seed. Training:
    `train_length` one-step pairs, of which the first `washout` are not scored. Test: `starts` histories of `history`
    samples, each with the `steps` samples that follow; the continuations lie end to end on one record. Validation: half
    as many.
    """

    train_length: int = 2000
    washout: int = 100
    history: int = 100
    steps: int = 100
    starts: int = 20

    kind: ClassVar[Kind] = "free run"
    constraints: ClassVar[Mapping[str, Constraint]] = FREE_RUN_CONSTRAINTS

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

    def facts(self) -> dict[str, Any]:
        """What the score is scaled with."""
        return {}

    def baseline(self, data: Data) -> float:
        """The score of persistence: the last value of each history, repeated."""
        return self.score(persistence(data.test), data)


@dataclass(frozen=True)
class Chaos(FreeRun):
    """Base of the free runs scored by valid prediction time (threshold .3) in Lyapunov times, averaged over the starts.

    The exponents of Sprott 2003 are those of the appendix of his Chaos and Time-Series Analysis.
    """

    time_step: ClassVar[float]
    """Time between samples."""
    lyapunov: ClassVar[float]
    """Largest Lyapunov exponent, per unit of time."""
    spread: ClassVar[tuple[float, ...]]
    """Standard deviation of each component over a long record."""
    metric: ClassVar[str] = "vpt"
    higher_is_better: ClassVar[bool] = True

    def facts(self) -> dict[str, Any]:
        """What the score is scaled with."""
        return {"spread": self.spread, "time_step": self.time_step, "lyapunov": self.lyapunov}

    def valid_times(self, predictions: Iterable[ArrayLike], data: Data) -> np.ndarray:
        """The valid prediction time of each start, in Lyapunov times."""
        predictions, targets = list(predictions), list(data.test.targets)
        if len(predictions) != len(targets):
            raise DataError(f"There are {len(predictions)} predictions for {len(targets)} starts; they must agree.")
        return np.array(
            [
                valid_prediction_time(prediction, target, self.spread, self.time_step, self.lyapunov)
                for prediction, target in zip(predictions, targets, strict=True)
            ]
        )

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


def stacked_nmse(predictions: Any, split: Split) -> float:
    """`nmse` over all starts and steps; the variance is that of the continuations, one after the other."""
    return nmse(np.concatenate([np.asarray(p) for p in predictions]), np.concatenate(list(split.targets)))
