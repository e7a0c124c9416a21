"""A fitted model on a user's own columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reservoir.validation import DataError, ParameterError


def apply_model(
    model: Any, series: np.ndarray, names: Sequence[str], steps: int | None = None, standardize: bool = False
) -> tuple[np.ndarray, list[str]]:
    """Outputs (n, n_outputs) of a fitted model for a series (T, d), and their names.

    Parameters
    ----------
    names : of the d columns, which are also those of a forecast
    steps : forecast so many steps past the end; None for an output at every step, or one for the sequence
    standardize : give the model columns of mean 0 and standard deviation 1, and bring its outputs back to their units

    Raises
    ------
    ParameterError
        `standardize` where the outputs are not the columns: nothing says what their units are.
    DataError, DivergenceError
        What the model raises; a constant column.
    """
    values, mean, spread = standardized(series, names) if standardize else (series, 0.0, 1.0)
    outputs = np.asarray(model.predict(values) if steps is None else model.forecast(values, steps))
    outputs = outputs.reshape(len(outputs), -1) if outputs.ndim else outputs.reshape(1, 1)
    count = outputs.shape[1]
    if standardize and (count != len(names) or outputs.dtype.kind != "f"):
        raise ParameterError(f"standardize needs a model whose outputs are its {len(names)} inputs one step on; it has {count}.")
    if steps is not None or standardize:
        return outputs * spread + mean, list(names)
    return outputs, ["output"] if count == 1 else [f"output {k + 1}" for k in range(count)]


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
            " deviation to be told; shift or scale it first."
        )
    return (series - mean) / spread, mean, spread
