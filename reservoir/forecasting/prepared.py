"""What a user passes to a forecaster, checked, as arrays on a regular grid of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reservoir.forecasting.holidays import holiday_counts
from reservoir.forecasting.past import SHORTEST, check_gaps, fill_gaps
from reservoir.forecasting.times import Step, infer_step, positions
from reservoir.validation import DataError, ParameterError, as_matrix

SMALLEST, LARGEST = 1e-100, 1e100
"""A series varies by more than the one and stays below the other."""


LONGEST_PAST = 20_000
SENTINELS = (99.0, 999.0, 9999.0, 99999.0)


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

    def one(self, k: int) -> tuple[int, np.ndarray]:
        """The first row of series k that has a value, and the series from there on."""
        start = int(np.argmax(~np.isnan(self.series[:, k])))
        return start, self.series[start:, k]

    def until(self, rows: int) -> Prepared:
        """The first rows, with what is known ahead of them."""
        times = None if self.times is None else self.times[:rows]
        known, past = self.known[: rows + self.horizon], self.past[:rows]
        return replace(self, series=self.series[:rows], known=known, past=past, times=times)

    def beside(self, k: int, season: int, fill: str) -> np.ndarray:
        """The other series, without gaps, and the columns of the past, for the rows of series k: (n, e)."""
        start, others = self.one(k)[0], []
        for j in range(self.series.shape[1]):
            if j != k:
                first, values = self.one(j)
                filled = fill_gaps(values, fill, season)
                others.append(np.concatenate([np.repeat(filled[:1], first), filled])[start:])
        return np.column_stack([*others, self.past[start:]])


@dataclass(frozen=True)
class Grid:
    """Series (n, d), columns known ahead (m, q), columns of the past (n, e) and times (m,) on regular rows, NaN where missing."""

    series: np.ndarray
    known: np.ndarray | None
    past: np.ndarray
    times: np.ndarray | None
    step: Step | None


def gridded(series: Any, known: Any, past: Any, times: Any) -> Grid:
    """Check the shapes of what is given to `Forecaster.fit`, and put all columns on the grid of the times.

    Raises `DataError` for shapes that do not fit together, times that are no regular grid, and infinite values.
    """
    values = numbers(series, "series")
    if len(values) == 0:
        raise DataError("series: is empty; give rows of numbers.")
    ahead = None if known is None else numbers(known, "known")
    behind = np.empty((len(values), 0)) if past is None else numbers(past, "past")
    if len(behind) != len(values):
        raise DataError(f"past: has {len(behind)} rows, the series has {len(values)}; they must agree.")
    if ahead is not None and len(ahead) < len(values):
        raise DataError(f"known: has {len(ahead)} rows, fewer than the {len(values)} of the series; give the horizon's too.")
    if times is None:
        return Grid(values, ahead, behind, None, None)
    stamps = np.asarray(times)
    allowed = {len(values), len(values if ahead is None else ahead)}
    if stamps.dtype.kind != "M" or stamps.ndim != 1 or len(stamps) not in allowed:
        raise DataError(
            f"times: must be {len(values)} NumPy dates, a row each. Got {stamps.dtype}, shape {stamps.shape} instead."
        )
    step = infer_step(stamps)
    places = positions(stamps, step)
    rows = int(places[len(values) - 1]) + 1
    to_come = np.arange(max(len(values if ahead is None else ahead) - len(stamps), 0))
    places = np.concatenate([places, rows + to_come])
    grid = step.after(stamps[0], np.arange(int(places[-1]) + 1))
    ahead = None if ahead is None else spread(ahead, places[: len(ahead)], int(places[len(ahead) - 1]) + 1)
    return Grid(spread(values, places[: len(values)], rows), ahead, spread(behind, places[: len(values)], rows), grid, step)


def spread(columns: np.ndarray, places: np.ndarray, rows: int) -> np.ndarray:
    """Put rows at their places among `rows`, NaN elsewhere."""
    out = np.full((rows, columns.shape[1]), np.nan)
    out[places] = columns
    return out


def prepare(grid: Grid, names: Sequence[str] | None, horizon: int, fill: str | None, holidays: str | None = None) -> Prepared:
    """Check the series of a grid, its last 20,000 rows, and fill the gaps of the columns beside them.

    The `holidays` of a country are one more column that is known ahead.

    Raises `DataError` for gaps without `fill`, too few rows, a constant series, and known columns that end too early.
    """
    rows, d = grid.series.shape
    n = min(rows, LONGEST_PAST)
    series, beside = grid.series[rows - n :], grid.past[rows - n :]
    titles = tuple(names) if names is not None else tuple(f"column {k + 1}" for k in range(d))
    if len(titles) != d:
        raise DataError(f"names: must name each of the {d} series. Got {len(titles)} names instead.")
    known = np.empty((rows + horizon, 0)) if grid.known is None else grid.known[: rows + horizon]
    if len(known) < rows + horizon:
        short = rows + horizon - len(known)
        raise DataError(f"known: ends {short} rows before the horizon of {horizon}; give more or lower the horizon.")
    times = None if grid.times is None else grid.times[rows - n : rows]
    if holidays is not None:
        if grid.times is None or grid.step is None:
            raise ParameterError(
                f"The 'holidays' parameter of Forecaster needs times of the rows; give them. Got {holidays!r} alone."
            )
        all_times = grid.step.after(grid.times[0], np.arange(rows + horizon))
        known = np.column_stack([known, holiday_counts(holidays, all_times, grid.step)])
    for k, name in enumerate(titles):
        check_series(series[:, k], name, horizon, fill, times)
    known, past = without_gaps(known[rows - n :], "known", fill), without_gaps(beside, "past", fill)
    return Prepared(series, known, past, titles, horizon, times, grid.step)


def numbers(data: Any, name: str) -> np.ndarray:
    """Data as float64 (T, k). Raises `DataError` for what is no numbers, and for infinity; NaN stays."""
    matrix = as_matrix(data, name, np.float64)
    if np.isinf(matrix).any():
        row, column = np.argwhere(np.isinf(matrix))[0].tolist()
        raise DataError(f"{name}: holds infinity at row {row}, column {column}; remove or fill such values first.")
    return matrix


def check_series(series: np.ndarray, name: str, horizon: int, fill: str | None, times: np.ndarray | None = None) -> None:
    """Raise `DataError` for a series (n,) that is empty or constant, has gaps without `fill`, or is too short."""
    observed = ~np.isnan(series)
    if not observed.any():
        raise DataError(f"Series '{name}' has no values; leave it out.")
    start = int(np.argmax(observed))
    low, high = float(np.nanmin(series)), float(np.nanmax(series))
    if low == high:
        raise DataError(f"Series '{name}' is constant ({low:g}); there is nothing to forecast.")
    size = max(abs(low), abs(high))
    if not (high - low > SMALLEST and size < LARGEST and high - low > 1e-12 * size):
        raise DataError(
            f"Series '{name}' lies between {low:.6g} and {high:.6g}, too far or too close to compute with; rescale it."
        )
    if fill is None:
        check_gaps(series, f"Series '{name}'", start, times)
    rows, least = len(series) - start, horizon + SHORTEST
    if rows < least:
        raise DataError(
            f"Series '{name}' has {rows} rows; a horizon of {horizon} needs at least {least}. Lower it or give more rows."
        )


def without_gaps(columns: np.ndarray, name: str, fill: str | None) -> np.ndarray:
    """Fill the gaps of columns (m, k) beside the series; the first rows of a column that begins late repeat its first value.

    Raises `DataError` for gaps without `fill`, and for a column that ends early.
    """
    missing = np.isnan(columns)
    filled = columns.copy()
    for k in np.flatnonzero(missing.any(axis=0)):
        there = np.flatnonzero(~missing[:, k])
        if not there.size or there[-1] < len(columns) - 1:
            short = len(columns) - 1 - (int(there[-1]) if there.size else -1)
            raise DataError(f"{name}: column {k} has no values in its last {short} rows; give them, or leave the column out.")
        if fill is None:
            check_gaps(columns[:, k], f"{name}, column {k}")
        start = int(there[0])
        filled[:start, k] = columns[start, k]
        filled[start:, k] = fill_gaps(columns[start:, k], fill or "last", 1)
    return filled


def sentinel(values: np.ndarray) -> float | None:
    """The value of -99, -999, 999, ... 99999 that stands far from all other values (n,), if there is one.

    Far means ten times the range of the others.

    >>> sentinel(np.array([3.0, -999.0, 5.0, 4.0])), sentinel(np.array([990.0, 999.0, 995.0]))
    (-999.0, None)
    """
    for size in SENTINELS:
        for value in (-size, size):
            is_it = np.isclose(values, value, rtol=1e-6)
            others = values[~is_it]
            if is_it.any() and others.size > 1 and np.abs(others - value).min() > 10.0 * np.ptp(others):
                return value
    return None
