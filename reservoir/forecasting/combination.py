"""Several forecasts joined into one: weights by their errors from earlier origins, and a share for the references."""

from __future__ import annotations

import numpy as np

POWER = 4
REFERENCE_POWER = 2
REFERENCE_SHARE = 3.0


def weights(errors: np.ndarray, references: np.ndarray, horizon: int, rows: int) -> np.ndarray:
    """Weights (M,) of M forecasts, by their errors (M, n_origins, h), which may have gaps (NaN).

    They fall with the fourth power of the mean squared error. A share 3 h / n (h steps, n rows) is kept for the
    `references`, a mask (M,), within which weights fall with the second power: how often the past holds the horizon says how
    far its errors can be trusted. Without references nothing is kept for them.

    >>> errors = np.array([[[1.0]], [[2.0]]])
    >>> weights(errors, np.array([False, False]), horizon=1, rows=30).round(4)
    array([0.9961, 0.0039])
    >>> weights(errors, np.array([False, True]), horizon=1, rows=30).round(4)
    array([0.8965, 0.1035])
    """
    mse = np.nanmean(np.square(errors), axis=(1, 2))
    share = min(REFERENCE_SHARE * horizon / rows, 1.0) if references.any() else 0.0
    if share == 0.0:
        return _inverse(mse, POWER)
    kept = np.zeros(len(mse))
    kept[references] = _inverse(mse[references], REFERENCE_POWER)
    return (1.0 - share) * _inverse(mse, POWER) + share * kept


def _inverse(mse: np.ndarray, power: int) -> np.ndarray:
    """Weights of sum 1 that fall with a power of the errors; one without error takes all."""
    least = mse.min()
    raw = (mse == 0.0).astype(float) if least == 0.0 else (mse / least) ** -power
    return np.asarray(raw / raw.sum())


def errors_left_out(errors: np.ndarray, references: np.ndarray, horizon: int, rows: int) -> np.ndarray:
    """The errors (n_origins, h) of the combination, at each origin with the weights that the other origins give.

    With fewer than three origins the weights of all are used.
    """
    count = errors.shape[1]
    out = np.empty(errors.shape[1:])
    for i in range(count):
        others = np.arange(count) != i if count > 2 else slice(None)
        out[i] = np.tensordot(weights(errors[:, others], references, horizon, rows), errors[:, i], 1)
    return out
