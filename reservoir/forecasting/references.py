"""Forecasts that need no network: what the others correct, and have to beat.

Every function takes a series z (n,), its season m in rows (1 for none), origins, and a horizon h. An origin o is a number of
rows known: its forecasts are for rows o ... o+h-1, and use rows before o alone. The result is (n_origins, h).
"""

from __future__ import annotations

import numpy as np

from reservoir.kernels.smoothing import smooth_levels

LAGS = 7
RIDGE = 1e-6
"""Of `lag_regression`, relative to the variance of its columns: enough for columns that repeat each other."""
THETA_RATES = np.array([0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99])


def seasonal_naive(z: np.ndarray, season: int, origins: np.ndarray, horizon: int) -> np.ndarray:
    """The last season, repeated; the last value where the season is 1.

    >>> seasonal_naive(np.array([9.0, 1.0, 2.0]), 2, np.array([3]), 3).tolist()
    [[1.0, 2.0, 1.0]]
    """
    return np.asarray(z[origins[:, None] - season + np.arange(horizon) % season])


def drift(z: np.ndarray, season: int, origins: np.ndarray, horizon: int) -> np.ndarray:
    """The last season, repeated, plus the mean difference of rows a season apart for each season ahead.

    In a past of two seasons at most there are too few differences; their mean counts as 0.

    >>> drift(np.array([1.0, 5.0, 2.0, 6.0, 3.0]), 2, np.array([5]), 3).tolist()
    [[7.0, 4.0, 8.0]]
    """
    sums = np.concatenate([[0.0], np.cumsum(z)])
    differences = origins - season
    total = sums[origins] - sums[season] - sums[np.maximum(differences, 0)]
    mean = np.where(differences > season, total / np.maximum(differences, 1), 0.0)
    return seasonal_naive(z, season, origins, horizon) + mean[:, None] * (1 + np.arange(horizon) // season)


def seasonal_means(z: np.ndarray, season: int) -> np.ndarray:
    """Additive seasonal effects (m,) of sum 0, of the rows t with t mod m = 0 ... m-1, by classical decomposition.

    The effect is the mean distance from a centered moving average over a season. Fewer than two seasons give zeros.
    """
    if season < 2 or len(z) < 2 * season:
        return np.zeros(season)
    weights = np.full(season, 1.0 / season)
    if season % 2 == 0:
        weights = np.concatenate([[0.5 / season], weights[1:], [0.5 / season]])
    trend = np.convolve(z, weights, "valid")
    first = (len(z) - len(trend)) // 2
    phase = np.arange(first, first + len(trend)) % season
    rest = z[first : first + len(trend)] - trend
    counts = np.maximum(np.bincount(phase, minlength=season), 1)
    effects = np.bincount(phase, rest, minlength=season) / counts
    return np.asarray(effects - effects.mean())


def theta(z: np.ndarray, season: int, origins: np.ndarray, horizon: int) -> np.ndarray:
    """The theta method: seasons taken off, simple exponential smoothing with a drift of half the linear slope.

    Assimakopoulos & Nikolopoulos (2000), in the form of Hyndman & Billah (2003); the smoothing rate has the least squared
    one-step error of eight.
    """
    out = np.empty((len(origins), horizon))
    levels, errors = np.empty_like(THETA_RATES), np.empty_like(THETA_RATES)
    steps = np.arange(1, horizon + 1)
    for i, origin in enumerate(origins):
        effects = seasonal_means(z[:origin], season)
        rows = np.arange(origin)
        rest = z[:origin] - effects[rows % season]
        centered = rows - rows.mean()
        half_slope = 0.5 * float(centered @ rest) / max(float(centered @ centered), 1.0)
        smooth_levels(rest, half_slope, THETA_RATES, levels, errors)
        out[i] = levels[np.argmin(errors)] + half_slope * steps + effects[(origin - 1 + steps) % season]
    return out


def lag_regression(series: np.ndarray, known: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Linear regression on the last values, the last of the same season, and known columns, for each lead by itself.

    Takes a series (n,) without gaps and its known columns (n + h, q); returns the forecast (h,) past its end. There are up to
    seven last values, fewer where the series has few rows.
    """
    n = len(series)
    lags = int(np.clip((n - horizon - season) // 4, 1, LAGS))
    ends = np.arange(max(lags, season) - 1, n)  # the last row known to each forecast
    last = np.stack([series[ends - lag] for lag in range(lags)], axis=1)
    out = np.empty(horizon)
    for lead in range(1, horizon + 1):
        same = series[ends + lead - season * -(-lead // season)]
        columns = np.column_stack([last, same, known[ends + lead]])
        past, target = columns[:-lead], series[ends[lead:]]
        center, spread = past.mean(axis=0), past.std(axis=0)
        scaled = (columns - center) / np.where(spread > 0.0, spread, 1.0)
        gram = scaled[:-lead].T @ scaled[:-lead] + RIDGE * len(past) * np.eye(scaled.shape[1])
        out[lead - 1] = target.mean() + scaled[-1] @ np.linalg.solve(gram, scaled[:-lead].T @ (target - target.mean()))
    return out
