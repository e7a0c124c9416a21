"""The metrics. Arrays are (T,) or (T, n_outputs); a metric of errors averages over steps and outputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from reservoir.validation import DataError


def _pair(predictions: ArrayLike, targets: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    predictions, targets = np.asarray(predictions), np.asarray(targets)
    if predictions.size != targets.size or predictions.shape[:1] != targets.shape[:1]:
        raise DataError(f"predictions have shape {predictions.shape}, targets {targets.shape}; they must agree.")
    if targets.size == 0 or targets.ndim == 0:
        raise DataError(f"targets have shape {targets.shape}; at least one row is needed for a score.")
    return predictions.reshape(targets.shape), targets


def _numbers(predictions: ArrayLike, targets: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays as float64, in which the differences of small integers do not wrap around."""
    predictions, targets = _pair(predictions, targets)
    return predictions.astype(np.float64), targets.astype(np.float64)


def _constant(columns: np.ndarray) -> np.ndarray:
    """Which columns hold one value throughout: the variance of such a column, of .1 say, is not 0 to the last bit."""
    return np.asarray(np.ptp(columns, axis=0) == 0.0)


def mse(predictions: ArrayLike, targets: ArrayLike) -> float:
    """Mean squared error.

    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    predictions, targets = _numbers(predictions, targets)
    with np.errstate(over="ignore"):  # a forecast that ran away has an infinite error
        return float(np.mean(np.square(predictions - targets)))


def rmse(predictions: ArrayLike, targets: ArrayLike) -> float:
    """Root of the mean squared error.

    >>> rmse([0.0, 0.0], [3.0, 3.0])
    3.0
    """
    return float(np.sqrt(mse(predictions, targets)))


def nmse(predictions: ArrayLike, targets: ArrayLike, variance: float | None = None) -> float:
    """Mean squared error over the variance of the targets (divisor T, averaged over outputs).

    Predicting the mean scores 1. `variance` replaces that of the targets, where a longer record gives a better one. Raises
    `DataError` when the variance is zero.

    >>> nmse([2.0, 2.0], [1.0, 3.0])
    1.0
    """
    predictions, targets = _numbers(predictions, targets)
    if variance is None:
        variance = float(np.mean(np.where(_constant(targets), 0.0, np.var(targets, axis=0))))
    if variance <= 0.0:
        raise DataError("nmse: the targets are constant, their variance is 0; use mse, or score a part where they vary.")
    return mse(predictions, targets) / variance


def nrmse(predictions: ArrayLike, targets: ArrayLike, variance: float | None = None) -> float:
    """Root of `nmse`: the root mean squared error over the standard deviation of the targets.

    >>> nrmse([2.0, 2.0], [1.0, 3.0])
    1.0
    """
    return float(np.sqrt(nmse(predictions, targets, variance)))


def nrmse84(predictions: ArrayLike, targets: ArrayLike, variance: float) -> float:
    """sqrt(sum e^2 / (n variance)) of the 84th free-run step over n starts (Jaeger & Haas 2004).

    Both arrays are (n_starts, steps) or (n_starts, steps, 1) with at least 84 steps; `variance` is the series'.
    """
    predictions, targets = _numbers(predictions, targets)
    if targets.ndim < 2 or targets.shape[1] < 84:
        raise DataError(f"nrmse84: needs (n_starts, at least 84 steps). Got shape {targets.shape} instead.")
    return nrmse(predictions[:, 83], targets[:, 83], variance)


def valid_prediction_time(
    predictions: ArrayLike, targets: ArrayLike, spread: ArrayLike, time_step: float, lyapunov: float, threshold: float = 0.3
) -> float:
    """Valid prediction time in Lyapunov times (Platt et al. 2022, with the threshold .3).

    It is the first t at which sqrt(mean over components of (error / spread)^2) exceeds `threshold`, or is NaN, times
    `time_step` and `lyapunov`, the largest Lyapunov exponent; `spread` (n_outputs,) is the climatological standard
    deviation. A forecast that never exceeds the threshold scores its whole length.

    >>> valid_prediction_time([[0.0], [0.0], [9.0]], [[0.0], [0.0], [0.0]], [1.0], time_step=0.5, lyapunov=1.0)
    1.0
    """
    predictions, targets = _numbers(predictions, targets)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.square((predictions - targets) / np.asarray(spread))
        errors = np.sqrt(squares.reshape(len(squares), -1).mean(axis=1))
    exceeded = np.flatnonzero(~(errors <= threshold))
    steps = int(exceeded[0]) if exceeded.size else len(errors)
    return steps * time_step * lyapunov


def memory_capacity(predictions: ArrayLike, targets: ArrayLike) -> float:
    """Sum over columns of the squared correlation of prediction and target (Jaeger 2001, GMD 152).

    Column k holds the input k steps ago and its reconstruction. A column without variance counts 0.
    """
    return float(squared_correlations(predictions, targets).sum())


def squared_correlations(predictions: ArrayLike, targets: ArrayLike) -> np.ndarray:
    """The squared correlation coefficient of each column: the memory curve when the columns are lags."""
    predictions, targets = _numbers(predictions, targets)
    p, y = predictions - predictions.mean(axis=0), targets - targets.mean(axis=0)
    scale = np.square(p).sum(axis=0) * np.square(y).sum(axis=0)
    varied = (scale > 0.0) & ~_constant(predictions) & ~_constant(targets)
    return np.asarray(np.divide(np.square((p * y).sum(axis=0)), scale, out=np.zeros_like(scale), where=varied))


def accuracy(predictions: ArrayLike, targets: ArrayLike) -> float:
    """Fraction of labels that are right.

    >>> accuracy(["a", "b"], ["a", "c"])
    0.5
    """
    predictions, targets = _pair(predictions, targets)
    return float(np.mean(predictions == targets))


def symbol_error_rate(predictions: ArrayLike, targets: ArrayLike, alphabet: ArrayLike) -> float:
    """Fraction of predictions whose nearest symbol of `alphabet` (ascending) is not the target. NaN is an error.

    >>> symbol_error_rate([0.9, -1.8, 2.9], [1, -3, 3], alphabet=[-3, -1, 1, 3])
    0.3333333333333333
    """
    predictions, targets = _pair(predictions, targets)
    alphabet = np.asarray(alphabet, dtype=float)
    borders = (alphabet[1:] + alphabet[:-1]) / 2.0
    wrong = alphabet[np.searchsorted(borders, predictions)] != targets
    return float(np.mean(wrong | np.isnan(predictions)))


def r2(predictions: ArrayLike, targets: ArrayLike) -> float:
    """The coefficient of determination, averaged over outputs: 1 - MSE / variance, as in scikit-learn's `r2_score`."""
    predictions, targets = _numbers(predictions, targets)
    with np.errstate(over="ignore"):
        errors = np.mean(np.square(predictions - targets), axis=0)
    variances = np.where(_constant(targets), 0.0, np.var(targets, axis=0))
    constant = variances == 0.0
    return float(np.mean(np.where(constant, errors == 0.0, 1.0 - errors / np.where(constant, 1.0, variances))))


def mae(predictions: ArrayLike, targets: ArrayLike) -> float:
    """Mean absolute error.

    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    predictions, targets = _numbers(predictions, targets)
    return float(np.mean(np.abs(predictions - targets)))


def mase(predictions: ArrayLike, targets: ArrayLike, history: ArrayLike, season: int = 1) -> float:
    """Mean absolute error over that of the seasonal naive forecast one season ahead within `history` (Hyndman & Koehler 2006).

    `history` (T,) may have gaps (NaN). Raises `DataError` where it repeats itself exactly, or is no longer than a season.

    >>> mase([3.0, 3.0], [4.0, 5.0], history=[0.0, 1.0, 2.0])
    1.5
    """
    past = np.asarray(history, dtype=float)
    steps = np.abs(past[season:] - past[:-season])
    scale = float(np.nanmean(steps)) if np.isfinite(steps).any() else 0.0
    if scale == 0.0:
        raise DataError(f"mase: the history has no differences {season} rows apart, so that there is no scale; use mae.")
    return mae(predictions, targets) / scale


def smape(predictions: ArrayLike, targets: ArrayLike) -> float:
    """Symmetric mean absolute percentage error, 200 mean(|p - y| / (|p| + |y|)); where both are 0 the error is 0.

    >>> smape([1.0, 0.0], [3.0, 0.0])
    50.0
    """
    predictions, targets = _numbers(predictions, targets)
    size = np.abs(predictions) + np.abs(targets)
    return float(200.0 * np.mean(np.abs(predictions - targets) / np.where(size > 0.0, size, 1.0)))


def coverage(lower: ArrayLike, upper: ArrayLike, targets: ArrayLike) -> float:
    """Fraction of the targets within a band, its borders included.

    >>> coverage([0.0, 0.0], [1.0, 1.0], [1.0, 2.0])
    0.5
    """
    lower, targets = _numbers(lower, targets)
    upper, targets = _numbers(upper, targets)
    return float(np.mean((lower <= targets) & (targets <= upper)))


def interval_score(lower: ArrayLike, upper: ArrayLike, targets: ArrayLike, level: float) -> float:
    """Mean width of a band plus 2 / a of how far targets lie outside, a = 1 - level / 100 (Winkler 1972); lower is better.

    >>> interval_score([0.0, 0.0], [1.0, 1.0], [1.0, 2.0], level=50)
    3.0
    """
    lower, targets = _numbers(lower, targets)
    upper, targets = _numbers(upper, targets)
    outside = np.maximum(lower - targets, 0.0) + np.maximum(targets - upper, 0.0)
    return float(np.mean(upper - lower + outside * 2.0 / (1.0 - level / 100.0)))
