"""Rows that lie outside the band of the forecast made before them, with the share of them that is expected by chance."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.base.tables import Table, number
from reservoir.files.writing import write_csv
from reservoir.forecasting.forecaster import Forecaster
from reservoir.forecasting.report import group_notes
from reservoir.forecasting.result import series_label
from reservoir.forecasting.times import time_texts
from reservoir.validation import DataError, ParameterError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class GroupAnomalies:
    """The m new rows of d series with the band that was expected for them.

    Attributes
    ----------
    group : the name of the series' group, or None
    names : of the d series
    first : the number of the first new row, counted from 1
    times : (m,) NumPy dates, or None
    values : (m, d) what came, NaN where a row is missing
    forecast, lower, upper : (m, d) what was expected
    level : per cent of the rows that the band is meant to hold
    timezone : of the times, which are then in UTC, or None
    """

    group: str | None
    names: tuple[str, ...]
    first: int
    times: np.ndarray | None
    values: np.ndarray
    forecast: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    level: float
    timezone: str | None = None

    @property
    def outside(self) -> np.ndarray:
        """Whether each value (m, d) lies outside the band; a missing one does not."""
        return (self.values < self.lower) | (self.values > self.upper)

    @property
    def steps(self) -> list[Any]:
        """The times of the rows as text, or their numbers."""
        if self.times is None:
            return list(range(self.first, self.first + len(self.values)))
        return time_texts(self.times, self.timezone)

    @property
    def places(self) -> np.ndarray:
        """The times of the rows, or their numbers."""
        return np.arange(self.first, self.first + len(self.values)) if self.times is None else self.times


@dataclass(frozen=True)
class AnomalyReport:
    """The new rows of the series of every group, and which of them lie outside the band.

    Attributes
    ----------
    groups : a `GroupAnomalies` for each group; of a file without groups there is one
    left_out : the reasons why groups have none, by their names
    """

    groups: tuple[GroupAnomalies, ...]
    left_out: Mapping[str, str]

    def records(self) -> list[dict[str, Any]]:
        """One dictionary per group and column: rows, how many lie outside, their share and that expected, and these rows."""
        found = []
        for one in self.groups:
            for k, name in enumerate(one.names):
                known, outside = ~np.isnan(one.values[:, k]), one.outside[:, k]
                rows, steps = int(known.sum()), one.steps
                anomalies = [
                    {"row" if one.times is None else "time": steps[i], "value": one.values[i, k], "forecast": one.forecast[i, k],
                     "lower": one.lower[i, k], "upper": one.upper[i, k]}
                    for i in np.flatnonzero(outside)
                ]  # fmt: skip
                found.append({
                    "column": name, "group": one.group, "level": one.level, "rows": rows, "outside": len(anomalies),
                    "share": len(anomalies) / rows if rows else None, "expected_share": 1.0 - one.level / 100.0,
                    "anomalies": anomalies,
                })  # fmt: skip
        return found

    def table(self) -> Table:
        """How many rows lie outside, a row per group and column; beneath, the first of these rows."""
        rows, notes = [], []
        for record in self.records():
            label = series_label(record["group"], record["column"])
            share = "" if record["share"] is None else f"{record['share']:.1%}"
            rows.append([label, f"{record['rows']:,}", f"{record['outside']:,}", share, f"{record['expected_share']:.1%}"])
            for row in record["anomalies"][:5]:
                band = f"{number(row['lower'])} to {number(row['upper'])}"
                notes.append(f"{label}: {number(row['value'])} at {row.get('time', row.get('row'))}, expected {band}.")
            if record["outside"] > 5:
                notes.append(f"{label}: and {record['outside'] - 5} more; the file has them all.")
        title = f"New rows outside the {self.groups[0].level:g} % band of the forecast before them"
        columns = ["column", "rows", "outside", "share", "expected by chance"]
        return Table(title, columns, rows, [*notes, *group_notes(self.left_out)])

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the new rows: a row per group and row, with the forecast, the band, and 1 where the value lies outside."""
        first = self.groups[0]
        grouped = first.group is not None
        parts = ("", "_forecast", "_lower", "_upper", "_outside")
        header = [*(["group"] if grouped else []), "row" if first.times is None else "time"]
        header += [f"{name}{part}" for name in first.names for part in parts]
        rows = []
        for one in self.groups:
            columns = np.stack([one.values, one.forecast, one.lower, one.upper, one.outside], axis=2)
            for step, cells in zip(one.steps, columns.reshape(len(columns), -1).tolist(), strict=True):
                shown = [int(cell) if i % 5 == 4 else "" if cell != cell else cell for i, cell in enumerate(cells)]
                rows.append([*([one.group] if grouped else []), step, *shown])
        write_csv(path, header, rows)

    def plot(self, path: str | os.PathLike[str] | None = None, title: str | None = None) -> Figure:
        """Draw the new rows with the band and the rows outside it; also to a file.

        Raises `ParameterError` when matplotlib is missing or the file is not of png, svg or pdf.
        """
        from reservoir.plotting import anomaly_figure, kept

        return kept(anomaly_figure(self, title), path)


def anomalies_of(group: str | None, before: Forecaster, after: Forecaster, fill: str | None) -> GroupAnomalies:
    """The rows that a forecaster has seen `after`, but not `before`, against forecasts from every horizon of them.

    A row outside between two rows inside is replaced by its forecast for later forecasts, which it would spoil.
    """
    if np.size(before.levels) == 0:
        raise ParameterError("The 'levels' parameter of Forecaster must name a band for anomalies. Got none.")
    seen, whole = before.rows_, after.prepared_
    m, n = after.rows_ - seen, len(before.prepared_.series)
    if m == 0:
        raise DataError("series: has no row after the last one that the model has seen; there is nothing to check.")
    widest = int(np.argmax(np.atleast_1d(before.levels)))
    series, one = whole.series.copy(), before
    expected = np.empty((3, m, series.shape[1]))  # forecast, lower, upper
    for done in range(0, m, whole.horizon):
        if done:
            one = copy(after).moved(replace(whole, series=series).until(n + done), fill)
        forecast, end = one.predict(), min(done + whole.horizon, m)
        expected[:, done:end] = np.stack([forecast.values, forecast.lower[widest], forecast.upper[widest]])[:, : end - done]
        rows = slice(n + done, n + end)
        series[rows] = np.where(_alone(series[rows], expected[:, done:end]), expected[0, done:end], series[rows])
    times = None if whole.times is None else whole.times[n:]
    level, kind = float(np.atleast_1d(before.levels)[widest]), before.kind_
    zone = kind.timezone if kind is not None and kind.utc else None
    middle, lower, upper = expected
    return GroupAnomalies(group, whole.names, seen + 1, times, whole.series[n:], middle, lower, upper, level, zone)


def _alone(values: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Whether values (m, d) lie outside their bands between two rows inside; `expected` (3, m, d) is forecast, lower, upper."""
    outside = np.pad((values < expected[1]) | (values > expected[2]), ((1, 1), (0, 0)))
    return np.asarray(outside[1:-1] & ~outside[:-2] & ~outside[2:])
