"""Slow twins of the parts of a forecast, loop by loop. Nothing here imports `reservoir`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

RATES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99)
RIDGES = tuple(10.0**k for k in range(-3, 5))
Base = Callable[[int, int], float]


def seasonal_naive(z: Sequence[float], season: int, horizon: int) -> list[float]:
    """The values of the last season, repeated, after a past z."""
    extended = list(z)
    for _ in range(horizon):
        extended.append(extended[-season])
    return extended[len(z) :]


def drift(z: Sequence[float], season: int, horizon: int) -> list[float]:
    differences = [z[t] - z[t - season] for t in range(season, len(z))]
    mean = sum(differences) / len(differences) if len(z) > 2 * season else 0.0
    extended = list(z)
    for _ in range(horizon):
        extended.append(extended[-season] + mean)
    return extended[len(z) :]


def lag_regression(z: Sequence[float], known: Sequence[Sequence[float]], season: int, horizon: int) -> list[float]:
    """For each lead a regression, with a tiny penalty, on the last values, the same season's last, and what is known ahead."""
    n = len(z)
    lags = min(max((n - horizon - season) // 4, 1), 7)
    out = []
    for lead in range(1, horizon + 1):

        def row(end: int, lead: int = lead) -> list[float]:
            same = end + lead
            while same > end:
                same -= season
            return [*(z[end - lag] for lag in range(lags)), z[same], *known[end + lead]]

        ends = range(max(lags, season) - 1, n - lead)
        rows, targets = np.array([row(end) for end in ends]), np.array([z[end + lead] for end in ends])
        center, spread = rows.mean(axis=0), rows.std(axis=0)
        spread[spread == 0.0] = 1.0
        penalty = np.sqrt(1e-6 * len(rows)) * np.eye(rows.shape[1])
        stacked = np.vstack([(rows - center) / spread, penalty])
        weights = np.linalg.lstsq(stacked, np.append(targets - targets.mean(), np.zeros(len(penalty))), rcond=None)[0]
        out.append(float(targets.mean() + ((np.array(row(n - 1)) - center) / spread) @ weights))
    return out


def seasonal_means(z: Sequence[float], season: int) -> list[float]:
    n = len(z)
    if season < 2 or n < 2 * season:
        return [0.0] * season
    rest: dict[int, list[float]] = {phase: [] for phase in range(season)}
    half = season // 2
    for t in range(half, n - half):
        if season % 2:
            trend = sum(z[t - half : t + half + 1]) / season
        else:
            trend = (sum(z[t - half + 1 : t + half]) + 0.5 * z[t - half] + 0.5 * z[t + half]) / season
        rest[t % season].append(z[t] - trend)
    means = [sum(values) / max(len(values), 1) for values in rest.values()]
    return [mean - sum(means) / season for mean in means]


def theta(z: Sequence[float], season: int, horizon: int) -> list[float]:
    n, effects = len(z), seasonal_means(z, season)
    rest = [z[t] - effects[t % season] for t in range(n)]
    middle = (n - 1) / 2
    slope = sum((t - middle) * rest[t] for t in range(n)) / sum((t - middle) ** 2 for t in range(n)) / 2
    least, best = math.inf, 0.0
    for rate in RATES:
        level, squares = rest[0], 0.0
        for value in rest[1:]:
            error = value - (level + slope)
            squares += error**2
            level += slope + rate * error
        if squares < least:
            least, best = squares, level
    return [best + slope * k + effects[(n - 1 + k) % season] for k in range(1, horizon + 1)]


def correction(
    x: np.ndarray, z: np.ndarray, base: Base, origin: int, first: int, leads: tuple[int, int], k: int, ridge: float
) -> float:
    """The correction of a base forecast base(t, k) at lead k from the last row before an origin, by ridge regression.

    The rows are those whose targets at all leads of the block are known.
    """
    rows = [t for t in range(first, origin) if t + leads[1] < origin]
    if len(rows) < 8:
        return 0.0
    features = np.array([x[t] for t in rows])
    targets = np.array([z[t + k] - base(t, k) for t in rows])
    mean, spread = features.mean(axis=0), features.std(axis=0)
    scaled = np.where(spread > 1e-4, (features - mean) / np.where(spread > 1e-4, spread, 1.0), 0.0)
    offset = targets.sum() / (len(rows) + 20)
    penalty = ridge * math.sqrt(len(rows)) * np.eye(x.shape[1])
    weights = np.linalg.solve(scaled.T @ scaled + penalty, scaled.T @ targets)
    query = np.where(spread > 1e-4, (x[origin - 1] - mean) / np.where(spread > 1e-4, spread, 1.0), 0.0)
    return float(offset + query @ weights)


def ridge_regression(x: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    """The coefficients (1 + F,), the bias first and not penalized, on standardized columns."""
    mean, spread = x.mean(axis=0), x.std(axis=0)
    scaled = (x - mean) / spread
    slopes = (
        np.linalg.solve(scaled.T @ scaled + ridge * math.sqrt(len(x)) * np.eye(x.shape[1]), scaled.T @ (y - y.mean())) / spread
    )
    return np.concatenate([[y.mean() - mean @ slopes], slopes])


def autoregression(residuals: np.ndarray, order: int) -> np.ndarray:
    n = len(residuals)
    covariance = [sum(residuals[t] * residuals[t - k] for t in range(k, n)) for k in range(order + 1)]
    matrix = [[covariance[abs(i - j)] + (1e-3 * covariance[0] if i == j else 0.0) for j in range(order)] for i in range(order)]
    return np.linalg.solve(np.array(matrix), np.array(covariance[1:]))


def continued(residuals: np.ndarray, coefficients: np.ndarray, steps: int) -> list[float]:
    extended = list(residuals)
    for _ in range(steps):
        extended.append(sum(c * extended[-1 - j] for j, c in enumerate(coefficients)))
    return extended[len(residuals) :]


def weights(errors: np.ndarray, references: Sequence[bool], horizon: int, rows: int) -> list[float]:
    """The weights of M forecasts by their errors (M, n_origins, h), NaN where a row was missing."""
    mse = [np.mean([e**2 for e in part.ravel() if not math.isnan(e)]) for part in errors]
    whole = [value**-4 for value in mse]
    kept = [value**-2 if reference else 0.0 for value, reference in zip(mse, references, strict=True)]
    share = min(3 * horizon / rows, 1.0) if any(references) else 0.0
    return [(1 - share) * a / sum(whole) + (share * b / sum(kept) if share else 0.0) for a, b in zip(whole, kept, strict=True)]


def weighted_quantile(values: Sequence[float], weight: Sequence[float], level: float) -> float:
    """The least value up to which the weights reach the level; else the largest."""
    total = sum(weight)
    reached = 0.0
    for value, one in sorted(zip(values, weight, strict=True)):
        reached += one
        if reached >= level * total:
            return value
    return max(values)


def likeness(
    errors: np.ndarray, origins: Sequence[int], rows: int, weights: dict[str, np.ndarray], temperature: float
) -> list[float]:
    """Softmax of the cosines of the states of a reservoir over the errors of the last origin before each row."""
    first, driven = origins[0], []
    for row in range(first, rows):
        last = max(i for i, origin in enumerate(origins) if origin <= row)
        lead = row - origins[last]
        value = errors[last][lead] if lead < len(errors[last]) else 0.0
        driven.append(0.0 if math.isnan(value) else float(value))
    size = math.sqrt(sum(value**2 for value in driven) / len(driven))
    state = np.zeros(len(weights["bias"]))
    reached = {first: state}
    for row, value in enumerate(driven, start=first + 1):
        drive = weights["recurrent"] @ state + weights["input"][:, 0] * (value / size) + weights["bias"]
        state = (1.0 - weights["leak"]) * state + weights["leak"] * np.tanh(drive)
        reached[row] = state
    found = []
    for origin in origins:
        there = reached[origin]
        length = math.sqrt(float(there @ there) * float(state @ state))
        found.append(math.exp(float(there @ state) / length / temperature) if length else 1.0)
    return [value / sum(found) for value in found]
