"""Trivial forecasts, which any other forecast has to beat, and the period that the seasonal one needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from reservoir.validation import DataError


def naive(history: ArrayLike, steps: int) -> np.ndarray:
    """Return the last value, repeated: (T,) or (T, d) gives (steps,) or (steps, d).

    >>> naive([1.0, 4.0], 3).tolist()
    [4.0, 4.0, 4.0]
    """
    return seasonal_naive(history, steps, 1)


def seasonal_naive(history: ArrayLike, steps: int, period: int) -> np.ndarray:
    """Return the last `period` values, repeated in order: (T,) or (T, d) gives (steps,) or (steps, d).

    Raises `DataError` when the history is shorter than one period.

    >>> seasonal_naive([9.0, 1.0, 2.0, 3.0], 5, period=3).tolist()
    [1.0, 2.0, 3.0, 1.0, 2.0]
    """
    history = np.asarray(history)
    if len(history) < period:
        raise DataError(f"The forecast repeats the last {period} rows of the history. Got {len(history)} rows instead.")
    return history[len(history) - period + np.arange(steps) % period]


def estimate_period(series: ArrayLike) -> int | None:
    """Find the seasonal period of a series (T,) or (T, d) in samples, at most a third of T and 10,000; None without one.

    A period p is a peak of the autocorrelation, averaged over columns without their cubic trends, that stands out by .1 and is
    above .2 and 3 / sqrt(T), three standard errors of noise. Its skill is the share of the naive forecast's squared error
    over the next p steps that the seasonal naive forecast saves, without slow swings (a moving average of two to four periods),
    times 1 - p/T. The skill must be above .2 + p/2T, and above that of a shorter period by a tenth or two standard errors: so
    a multiple of a period does not win, but a year wins over its quarters. Up to three noise series of a hundred have a period.

    >>> estimate_period(np.sin(np.arange(200) * 2 * np.pi / 12))
    12
    """
    from scipy.signal import find_peaks

    columns = np.asarray(series, dtype=float)
    length = len(columns)
    if length < 6:
        return None
    columns = _without_trend(columns.reshape(length, -1))
    correlation = _autocorrelation(columns)
    longest = min(length // 3, 10_000)
    peaks, _ = find_peaks(correlation[: longest + 2], height=max(0.2, 3.0 / np.sqrt(length)), prominence=0.1)
    lags = [int(lag) for lag in peaks if lag <= longest]
    # by octave, so that thousands of peaks need a few transforms
    skills = {octave: _skills(columns, 2**octave) for octave in {lag.bit_length() for lag in lags}}
    best = 0
    for lag in lags:
        skill = skills[lag.bit_length()]
        better = skill[lag] - skill[best] > max(0.1 * skill[lag], 2.0 / np.sqrt(length))
        if better and skill[lag] >= 0.2 + 0.5 * lag / length:
            best = lag
    return best or None


def _skills(columns: np.ndarray, longest: int) -> np.ndarray:
    """Skills of seasonal naive forecasts of columns (T, d) with periods 0 to `longest`, see `estimate_period`.

    The squared difference of values l steps apart, d(l), is the error of the seasonal naive forecast with period l and of the
    naive forecast at its step l. So d(p) over the mean of d(1), ..., d(p) compares the two, like the cumulative mean normalized
    difference of de Cheveigné & Kawahara (2002, eq. 8).
    """
    from scipy.ndimage import uniform_filter1d

    length = len(columns)
    lags = np.arange(1, min(longest + 1, length))
    rest = columns - uniform_filter1d(columns, 2 * longest + 1, axis=0, mode="reflect")
    rest = rest / rest.std(axis=0)
    energy = np.append(0.0, np.square(rest).mean(axis=1).cumsum())
    pairs = energy[length - lags] + energy[length] - energy[lags]
    difference = (pairs - 2.0 * length * _autocorrelation(rest)[lags]) / (length - lags)
    saved = 1.0 - difference / (np.cumsum(difference) / lags)
    return np.append(0.0, saved * (1.0 - lags / length))


def _without_trend(columns: np.ndarray) -> np.ndarray:
    """Return the columns (T, d) that vary, less their cubic trend."""
    powers = np.polynomial.legendre.legvander(np.linspace(-1.0, 1.0, len(columns)), 3)
    rest = columns - powers @ np.linalg.lstsq(powers, columns)[0]
    # a constant or a trend leaves rounding errors, which have no period
    varies = np.square(rest).mean(axis=0) > 1e-20 * np.square(columns).max(axis=0)
    return rest[:, varies]


def _autocorrelation(columns: np.ndarray) -> np.ndarray:
    """Return the mean over columns (T, d) of mean zero of the autocorrelation at lags 0 to T - 1, divisor T; 0 for no columns."""
    length = len(columns)
    if columns.shape[1] == 0:
        return np.zeros(length)
    spectrum = np.fft.rfft(columns, 2 * length, axis=0)
    covariance = np.fft.irfft(np.square(np.abs(spectrum)), axis=0)[:length]
    return np.asarray((covariance / covariance[0]).mean(axis=1))
