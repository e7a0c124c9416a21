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
    """Find the seasonal period in samples, at most a third of the length and 10,000; None when there is none.

    A period p is a peak of the autocorrelation (cubic trend removed) that stands out by .1, is above .2 and above three
    standard errors of noise, 3 / sqrt(T). The skill of its seasonal naive forecast confirms it: the share of the naive
    forecast's squared error, over the next p steps, that it saves once slow swings are removed too (a moving average of
    two to four periods), times 1 - p/T. A skill of .2 + p/2T is asked for, and of a longer period a tenth, or two
    standard errors, more than that of a shorter one: so a multiple does not win, but a year wins over its quarters.
    Noise, correlated or not, shows a period by chance in up to three records of a hundred.

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
    columns = _without_trend(columns.reshape(length, -1))
    correlation = _autocorrelation(columns)
    longest = min(length // 3, 10_000)
    peaks, _ = find_peaks(correlation[: longest + 2], height=max(0.2, 3.0 / np.sqrt(length)), prominence=0.1)
    lags = [int(lag) for lag in peaks if lag <= longest]
    # By octave, so that thousands of peaks take a few transforms.
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

    The squared difference of values l steps apart, d(l), is the error of the seasonal naive forecast with period l, and
    of the naive forecast at its step l. So d(p) over the mean of d(1), ..., d(p) compares the two; in search of the pitch
    of a voice it is the cumulative mean normalized difference of de Cheveigné & Kawahara (2002, eq. 8).
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
    """The columns (T, d) that vary, less their cubic trend."""
    powers = np.polynomial.legendre.legvander(np.linspace(-1.0, 1.0, len(columns)), 3)
    rest = columns - powers @ np.linalg.lstsq(powers, columns)[0]
    # Rounding leaves a little of a constant or of a trend behind; it has no period.
    varies = np.square(rest).mean(axis=0) > 1e-20 * np.square(columns).max(axis=0)
    return rest[:, varies]


def _autocorrelation(columns: np.ndarray) -> np.ndarray:
    """The mean over columns (T, d) of mean zero of the autocorrelation at lags 0 to T - 1, divisor T; 0 for no columns."""
    length = len(columns)
    if columns.shape[1] == 0:
        return np.zeros(length)
    spectrum = np.fft.rfft(columns, 2 * length, axis=0)
    covariance = np.fft.irfft(np.square(np.abs(spectrum)), axis=0)[:length]
    mean: np.ndarray = (covariance / covariance[0]).mean(axis=1)
    return mean
