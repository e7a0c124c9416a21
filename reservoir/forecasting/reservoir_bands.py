"""Bands by reservoir conformal prediction: past errors count more if they were made in a situation like today's.

Neglia, Cini, Bronstein & Bianchi (2025), arXiv 2510.05060. A reservoir runs over the errors of the forecasts; the weights of
past errors are a softmax of the likeness of its states then with its state now. Nothing is trained. Here the errors come from
the inner origins, so that there is a weight for each of them, and the weighted quantiles are those of `bands`.
"""

from __future__ import annotations

import numpy as np

from reservoir.forecasting.features import draw_reservoir, states

UNITS = 50
SPAWN = 2**20
"""Of the seed: far from those of the networks that forecast."""
TEMPERATURE = 0.5
"""The cosines of the states are divided by it: the most alike of all counts up to e^(2 / .5) = 55 times the least."""


def latest_errors(errors: np.ndarray, origins: np.ndarray, rows: int) -> np.ndarray:
    """The error (rows - first origin,) of each row from the last origin before it, in units of their root mean square.

    `errors` (n_origins, h) from ascending `origins` may have gaps (NaN), which count as 0, as do rows that no forecast reaches.
    """
    found = np.zeros(rows - origins[0])
    for origin, row in zip(origins - origins[0], np.nan_to_num(errors), strict=True):
        found[origin:] = 0.0
        found[origin : origin + len(row)] = row[: len(found) - origin]
    return np.asarray(found / max(float(np.sqrt(np.mean(np.square(found)))), 1e-300))


def likeness(errors: np.ndarray, origins: np.ndarray, rows: int, seed: np.random.SeedSequence) -> np.ndarray:
    """The weights (n_origins,), of sum 1, of the errors from each origin: how like the end of the past their situation was."""
    driven = latest_errors(errors, origins, rows)
    own = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, SPAWN))
    reservoir = draw_reservoir(1, UNITS, max(8.0, 2.0 * errors.shape[1]), own)
    after = states(reservoir, driven[:, None])
    known = np.concatenate([np.zeros((1, UNITS)), after])  # before the first origin there is no error
    situations = known[origins - origins[0]]
    lengths = np.linalg.norm(situations, axis=1) * np.linalg.norm(known[-1])
    cosines = situations @ known[-1] / np.maximum(lengths, 1e-300)
    raw = np.exp((cosines - cosines.max()) / TEMPERATURE)
    return np.asarray(raw / raw.sum())
