"""What a user passes to a forecaster, checked, as arrays on a regular grid of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.forecasting.past import SHORTEST, check_gaps, fill_gaps
from reservoir.forecasting.times import Step, infer_step, positions
from reservoir.validation import DataError, as_matrix

LONGEST_DEFAULT = 100


@dataclass(frozen=True)
class Prepared:
    """d series of n rows, and what is beside them.

    Attributes
    ----------
    series : (n, d), NaN where a row or a cell is missing
    known : (n + h, q) columns that are known ahead
    past : (n, e) columns that are known up to now
    names : of the d series
    horizon : h
    times, step : (n,) NumPy dates and their step, or None
    """

    series: np.ndarray
    known: np.ndarray
    past: np.ndarray
    names: tuple[str, ...]
    horizon: int
    times: np.ndarray | None
    step: Step | None


def prepare(
    series: Any, known: Any, past: Any, times: Any, names: Sequence[str] | None, horizon: int | None, fill: str | None
) -> Prepared:
    """Check what `Forecaster.fit` is given, put it on the grid of its times, and fill the gaps of columns beside the series.

    Raises `DataError` for shapes that do not fit together, gaps without `fill`, too few rows, and a constant series.
    """
    values = numbers(series, "series")
    if len(values) == 0:
        raise DataError("series: is empty; give rows of numbers.")
    ahead = numbers(known, "known") if known is not None else np.empty((0, 0))
    behind = numbers(past, "past") if past is not None else np.empty((len(values), 0))
    if len(behind) != len(values):
        raise DataError(f"past: has {len(behind)} rows, the series has {len(values)}; they must agree.")
    if known is not None and len(ahead) < len(values):
        raise DataError(
            f"known: has {len(ahead)} rows, fewer than the {len(values)} of the series; give those of the horizon too."
        )
    step = None
    if times is not None:
        stamps = np.asarray(times)
        if stamps.dtype.kind != "M" or stamps.shape not in {(len(values),), (len(ahead),)}:
            raise DataError(
                f"times: must be {len(values)} NumPy dates, one per row. Got {stamps.dtype}, shape {stamps.shape} instead."
            )
        step = infer_step(stamps)
        values, behind, ahead, stamps = on_grid(values, behind, ahead, stamps, step)
    n, d = values.shape
    titles = tuple(names) if names is not None else tuple(f"column {k + 1}" for k in range(d))
    if len(titles) != d:
        raise DataError(f"names: must name each of the {d} series. Got {len(titles)} names instead.")
    steps = min(LONGEST_DEFAULT, max(n // 10, 1)) if horizon is None else int(horizon)
    if known is not None and len(ahead) < n + steps:
        raise DataError(
            f"known: ends {n + steps - len(ahead)} rows before the horizon of {steps}; give more or lower the horizon."
        )
    for k, name in enumerate(titles):
        check_series(values[:, k], name, steps, fill)
    if known is not None:
        ahead = without_gaps(ahead[: n + steps], "known", fill, n)
    return Prepared(
        values, ahead if known is not None else np.empty((n + steps, 0)), without_gaps(behind, "past", fill, n), titles, steps,
        None if step is None else stamps[:n], step,
    )  # fmt: skip


def numbers(data: Any, name: str) -> np.ndarray:
    """Data as float64 (T, k). Raises `DataError` for what is no numbers, and for infinity; NaN stays."""
    matrix = as_matrix(data, name, np.float64)
    if np.isinf(matrix).any():
        row, column = np.argwhere(np.isinf(matrix))[0].tolist()
        raise DataError(f"{name}: holds infinity at row {row}, column {column}; remove or fill such values first.")
    return matrix


def on_grid(
    values: np.ndarray, behind: np.ndarray, ahead: np.ndarray, stamps: np.ndarray, step: Step
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Put all columns on the grid of the times, NaN where rows are missing; times of rows to come may be left out."""
    places = positions(stamps, step)
    rows = int(places[len(values) - 1]) + 1
    to_come = len(ahead) - len(stamps)
    if to_come > 0:
        places = np.append(places, rows + np.arange(to_come))
    spread = []
    for block, count in ((values, rows), (behind, rows), (ahead, int(places[len(ahead) - 1]) + 1 if len(ahead) else 0)):
        out = np.full((count, block.shape[1]), np.nan)
        out[places[: len(block)]] = block
        spread.append(out)
    return spread[0], spread[1], spread[2], step.after(stamps[0], np.arange(int(places[-1]) + 1))


def check_series(series: np.ndarray, name: str, horizon: int, fill: str | None) -> None:
    """Raise `DataError` for a series (n,) that is empty or constant, has gaps without `fill`, or is too short."""
    observed = ~np.isnan(series)
    if not observed.any():
        raise DataError(f"Series '{name}' has no values; leave it out.")
    start = int(np.argmax(observed))
    if np.nanmin(series) == np.nanmax(series):
        raise DataError(f"Series '{name}' is constant ({series[start]:g}); there is nothing to forecast.")
    if fill is None:
        check_gaps(series[start:], f"Series '{name}'")
    rows, least = len(series) - start, horizon + SHORTEST
    if rows < least:
        raise DataError(
            f"Series '{name}' has {rows} rows; a horizon of {horizon} needs at least {least}. Lower it or give more rows."
        )


def without_gaps(columns: np.ndarray, name: str, fill: str | None, rows: int) -> np.ndarray:
    """Fill the gaps of columns (m, k) in the first `rows`; the first rows of a column that begins late repeat its first value.

    Raises `DataError` for gaps without `fill`, and for any in rows to come.
    """
    missing = np.isnan(columns)
    if missing[rows:].any():
        row, column = np.argwhere(missing[rows:])[0].tolist()
        raise DataError(
            f"{name}: column {column} has no value {row + 1} rows after the series' end; it must be known to the horizon."
        )
    filled = columns.copy()
    for k in np.flatnonzero(missing.any(axis=0)):
        if fill is None:
            check_gaps(columns[:, k], f"{name}, column {k}")
        start = int(np.argmin(missing[:, k]))
        if missing[:, k].all():
            raise DataError(f"{name}: column {k} has no values; leave it out.")
        filled[:start, k] = columns[start, k]
        filled[start:, k] = fill_gaps(columns[start:, k], fill or "last", 1)
    return filled
