"""Columns of mean 0 and standard deviation 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reservoir.validation import DataError


def standardized(series: np.ndarray, names: Sequence[str] | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The series (T, d) with mean 0 and standard deviation 1 per column, and both.

    Raises `DataError`, with the column's name, for one that is constant or whose numbers overflow when squared.
    """
    with np.errstate(over="ignore"):
        mean, spread = series.mean(axis=0), series.std(axis=0)
    for k in np.flatnonzero(~(spread > 1e-12 * np.abs(mean)) | ~np.isfinite(spread)):
        column = f"Column '{names[int(k)]}'" if names else f"Column {k} of the series"
        if series[:, k].min() == series[:, k].max():
            raise DataError(f"{column} is constant ({series[0, k]:g}); there is nothing to learn from it.")
        raise DataError(
            f"{column} lies between {series[:, k].min():.6g} and {series[:, k].max():.6g}, too far or too close for its standard"
            " deviation to be computed; shift or scale it first."
        )
    return (series - mean) / spread, mean, spread
