"""A regression on what is known ahead: known columns, the waves of the seasons and a trend; its residuals by autoregression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reservoir.forecasting.direct import cumulated, decomposed
from reservoir.forecasting.features import waves
from reservoir.forecasting.past import Past

HARMONICS = 3
HINGES = (0.1, 0.3, 0.5, 0.7, 0.9)
ORDER = 7
"""Of the autoregression."""
DAMPING = 1e-3
"""Added to the variance in the equations of Yule and Walker, relative to it."""


def known_block(known: np.ndarray, rows: int) -> np.ndarray:
    """The known columns (N, q), standardized on the first `rows`, each with hinges max(0, u - c) at five of its quantiles c.

    A column of two values, a switch, has no hinges.
    """
    found = []
    for column in known.T:
        past = column[:rows]
        spread = past.std() or 1.0
        found.append((column - past.mean()) / spread)
        if len(np.unique(past)) > 2:
            found += [np.maximum(column - knot, 0.0) / spread for knot in np.unique(np.quantile(past, HINGES))]
    return np.stack(found, axis=1)


def switches(known: np.ndarray, rows: int) -> np.ndarray:
    """The known columns (N, s) that have two values at most in the first `rows`."""
    return known[:, [len(np.unique(column[:rows])) <= 2 for column in known.T]]


def design(past: Past, rows: int) -> np.ndarray:
    """The regression's columns (n + h, F) for the rows of the past and the horizon after it, scaled by the first `rows`.

    The short season and the switches also come multiplied with the trend and the first wave of the longest season, and with
    each other; not so on the logarithm, on which effects multiply by themselves.
    """
    steps = np.arange(len(past.known))
    trend = ((steps - rows / 2) / rows)[:, None]
    columns = [trend, waves(steps, past.periods, HARMONICS), known_block(past.known, rows)]
    if past.scale.power > 0.0:
        season, switch = waves(steps, past.periods[:1], HARMONICS), switches(past.known, rows)
        slow = np.column_stack([trend, waves(steps, past.periods[1:][-1:], 1)])
        for left, right in ((season, slow), (switch, slow), (switch, season)):
            columns.append((left[:, :, None] * right[:, None, :]).reshape(len(steps), -1))
    return np.column_stack(columns)


def regressions(columns: np.ndarray, z: np.ndarray, observed: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Coefficients (R, E, 1 + F), the bias first, on the observed rows before each of E ascending ends, for R penalties."""
    rows = np.flatnonzero(observed)
    s = decomposed(cumulated(columns[rows], z[rows, None], 0, np.searchsorted(rows, ends)), shrunk_rows=0.0)
    rotated = s.moments[:, :, 0] / (s.values + s.penalties)
    slopes = s.scale * np.einsum("efg,reg->ref", s.vectors, rotated)
    bias = s.offset[:, 0] - np.einsum("ref,ef->re", slopes, s.mean)
    return np.concatenate([bias[:, :, None], slopes], axis=2)


def autoregression(residuals: np.ndarray) -> np.ndarray:
    """The coefficients (p, R) of autoregressions of R columns of residuals (T, R), by the equations of Yule and Walker."""
    order = min(ORDER, len(residuals) - 1)
    covariance = np.stack([(residuals[k:] * residuals[: len(residuals) - k]).sum(axis=0) for k in range(order + 1)])
    matrix = covariance[np.abs(np.subtract.outer(np.arange(order), np.arange(order)))].transpose(2, 0, 1)
    matrix = matrix + (DAMPING * covariance[0] + 1e-300)[:, None, None] * np.eye(order)
    return np.asarray(np.linalg.solve(matrix, covariance[1:].T[:, :, None])[:, :, 0].T)


def continued(residuals: np.ndarray, coefficients: np.ndarray, steps: int) -> np.ndarray:
    """The next steps (steps, R) of residuals (T, R) by autoregressions (p, R)."""
    order = len(coefficients)
    rows = list(residuals[len(residuals) - order :])
    for _ in range(steps):
        rows.append((coefficients * np.stack(rows[: -order - 1 : -1])).sum(axis=0))
    return np.stack(rows[order:])


def from_origin(columns: np.ndarray, z: np.ndarray, weights: np.ndarray, origin: int, horizon: int) -> np.ndarray:
    """Forecasts (R, h) of z from an origin by R sets of coefficients (R, 1 + F), the residuals by autoregression."""
    fitted = weights[:, 0] + columns[: origin + horizon] @ weights[:, 1:].T
    residuals = z[:origin, None] - fitted[:origin]
    return np.asarray((fitted[origin:] + continued(residuals, autoregression(residuals), horizon)).T)


@dataclass(frozen=True)
class Regression:
    """The forecast by regression on what is known ahead; there is none where nothing is."""

    def fit(self, past: Past) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Returns forecasts (1, n_origins, h) with the penalty of least error on them, and coefficients."""
        n, h = len(past.z), past.horizon
        if past.known.shape[1] == 0:
            return np.empty((0, len(past.origins), h)), {}
        columns, z = design(past, n), past.z + past.effects[:n]
        weights = regressions(columns[:n], z, past.observed, np.append(past.origins, n))
        origins = enumerate(past.origins.tolist())
        path = np.stack([from_origin(columns, z, weights[:, i], origin, h) for i, origin in origins], axis=1)
        path -= past.effects[past.origins[:, None] + np.arange(h)]
        best = int(np.nanmean(np.square(path - past.truth), axis=(1, 2)).argmin())
        return path[best : best + 1], {"coefficients": weights[best, -1], "rows": np.array(n)}

    def apply(self, past: Past, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """Returns the forecast (1, h) past the end."""
        n, h = len(past.z), past.horizon
        if past.known.shape[1] == 0:
            return np.empty((0, h))
        columns = design(past, int(arrays["rows"]))
        return from_origin(columns, past.z + past.effects[:n], arrays["coefficients"][None], n, h) - past.effects[n:]


def effect_weights(past: Past) -> np.ndarray:
    """The coefficients (1 + F,) of the regression, the bias first, by all rows of the past and with the smallest penalty."""
    n = len(past.z)
    return np.asarray(regressions(design(past, n)[:n], past.z, past.observed, np.array([n]))[0, 0])


def effects(past: Past, weights: np.ndarray, rows: int) -> np.ndarray:
    """What coefficients (1 + F,), learned from the first `rows`, give for the past and the horizon after it, (n + h,)."""
    return np.asarray(weights[0] + design(past, rows) @ weights[1:])
