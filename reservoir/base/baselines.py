"""Trivial forecasts, which any other has to beat, and the period that the seasonal one needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from reservoir.validation import DataError


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
    centered = columns - columns.mean(axis=0)
    centered = centered - np.outer(time, time @ centered / (time @ time))
    variance = np.square(centered).sum(axis=0)
    # Rounding leaves a little of a constant or a straight line behind; it has no period.
    varies = variance > 1e-20 * length * np.square(columns).max(axis=0)
    if not varies.any():
        return np.zeros(length)
    spectrum = np.fft.rfft(centered[:, varies], 2 * length, axis=0)
    covariance = np.fft.irfft(np.square(np.abs(spectrum)), axis=0)[:length]
    mean: np.ndarray = (covariance / variance[varies]).mean(axis=1)
    return mean
