"""Direct readouts: ridge regressions from what is known at a row to the corrections of a reference some rows ahead.

z(t+k) - reference(t, k) is regressed on the features of row t, one regression for each block of the leads k = 1 ... h and
each reference, on the rows whose targets are known before an origin. Origins share the work: the Gram matrix grows from
one to the next, and one eigendecomposition serves all penalties and references.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

RIDGES = 10.0 ** np.arange(-3, 5)
"""Penalties, times the root of the number of rows, on standardized features."""
BLOCKS = 6
SHRUNK_ROWS = 20.0
"""The mean correction of T rows counts T / (T + 20)."""
FEWEST_ROWS = 8
LEAST_VARIANCE = 1e-8


class Sums(NamedTuple):
    """The sums over rows first ... end-1, at each of E ends, of F features and O targets, and of their products."""

    rows: np.ndarray  # (E,)
    x: np.ndarray  # (E, F)
    xx: np.ndarray  # (E, F, F)
    y: np.ndarray  # (E, O)
    xy: np.ndarray  # (E, F, O)


class Spectra(NamedTuple):
    """Regressions at each of E ends, decomposed, for every penalty: see `solve`."""

    penalties: np.ndarray  # (R, E, 1)
    mean: np.ndarray  # (E, F)
    scale: np.ndarray  # (E, F)
    values: np.ndarray  # (E, F)
    vectors: np.ndarray  # (E, F, F)
    moments: np.ndarray  # (E, F, O)
    offset: np.ndarray  # (E, O)


def cumulated(x: np.ndarray, y: np.ndarray, first: int, ends: np.ndarray) -> Sums:
    """The sums of x (n, F), y (n, O) and their products over rows first ... end-1, for ascending `ends`."""
    shapes = ((x.shape[1],), (x.shape[1], x.shape[1]), (y.shape[1],), (x.shape[1], y.shape[1]))
    found = Sums(np.maximum(ends - first, 0).astype(float), *(np.zeros((len(ends), *shape)) for shape in shapes))
    start = first
    for i, end in enumerate(ends):
        rows, targets = x[start : max(start, end)], y[start : max(start, end)]
        parts = rows.sum(axis=0), rows.T @ rows, targets.sum(axis=0), rows.T @ targets
        for total, part in zip(found[1:], parts, strict=True):
            total[i] = total[i - 1] + part if i else part
        start = max(start, end)
    return found


def decomposed(sums: Sums, shrunk_rows: float = SHRUNK_ROWS) -> Spectra:
    """Center and scale the features, and decompose their Gram matrices; the mean of T targets counts T / (T + shrunk_rows)."""
    count = np.maximum(sums.rows, 1.0)[:, None]
    mean = sums.x / count
    variance = np.einsum("eff->ef", sums.xx) / count - np.square(mean)
    scale = np.where(variance > LEAST_VARIANCE, 1.0 / np.sqrt(np.maximum(variance, LEAST_VARIANCE)), 0.0)
    centered = sums.xx - count[:, :, None] * mean[:, :, None] * mean[:, None, :]
    values, vectors = np.linalg.eigh(centered * scale[:, :, None] * scale[:, None, :])
    moments = (sums.xy - mean[:, :, None] * sums.y[:, None, :]) * scale[:, :, None]
    offset = sums.y / (count + shrunk_rows)
    # With few rows there is no regression; the reference stays as it is.
    few = sums.rows < FEWEST_ROWS
    moments[few], offset[few] = 0.0, 0.0
    penalties = RIDGES[:, None, None] * np.sqrt(count)
    return Spectra(penalties, mean, scale, np.maximum(values, 0.0), vectors, vectors.transpose(0, 2, 1) @ moments, offset)


def predictions(spectra: Spectra, at: np.ndarray) -> np.ndarray:
    """The outputs (R, E, O) for features `at` (E, F), one row for each end, under every penalty."""
    s = spectra
    query = np.einsum("ef,efg->eg", (at - s.mean) * s.scale, s.vectors) / (s.values + s.penalties)
    return np.asarray(s.offset + np.matmul(query[:, :, None, :], s.moments)[:, :, 0])


def coefficients(spectra: Spectra, penalty: np.ndarray) -> np.ndarray:
    """The coefficients (1 + F, O) of the regression at the last end, the bias first; output o has penalty number penalty[o]."""
    s = spectra
    shrunk = s.moments[-1] / (s.values[-1][:, None] + s.penalties[penalty, -1, 0])
    weights = s.scale[-1][:, None] * (s.vectors[-1] @ shrunk)
    return np.concatenate([(s.offset[-1] - s.mean[-1] @ weights)[None], weights])


def block_edges(horizon: int) -> np.ndarray:
    """The borders of at most six blocks of the leads, as even as can be.

    >>> block_edges(13).tolist()
    [0, 2, 4, 6, 8, 10, 13]
    """
    return np.unique(np.linspace(0, horizon, min(BLOCKS, horizon) + 1).astype(int))


def block_regressions(
    x: np.ndarray, z: np.ndarray, bases: np.ndarray, origins: np.ndarray, first: int, a: int, b: int
) -> tuple[np.ndarray, Spectra]:
    """Correct the references `bases` (B, n, h) at leads a+1 ... b: the corrections (R, B, E, b - a), and the last regression.

    x (n, F) are the features, z (n,) the series; the E `origins` ascend, `first` is the first row to learn from.
    """
    rows = len(z) - b
    targets = np.stack([z[k : k + rows] for k in range(a + 1, b + 1)], axis=1)
    y = np.concatenate([targets - base[:rows, a:b] for base in bases], axis=1)
    spectra = decomposed(cumulated(x[:rows], y, first, origins - b))
    found = predictions(spectra, x[origins - 1]).reshape(len(RIDGES), len(origins), len(bases), b - a)
    last = Spectra(spectra.penalties[:, -1:], *(part[-1:].copy() for part in spectra[1:]))
    return found.transpose(0, 2, 1, 3), last
