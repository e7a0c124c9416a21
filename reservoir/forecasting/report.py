"""The forecast of a user's own series, and its report: how the same settings did on the end of the record."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.base.tables import Table, counted, number
from reservoir.files.writing import write_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Forecast:
    """Steps ahead of a series of d columns: median, band and members of an ensemble, in the series' own units."""

    median: np.ndarray  # (steps, d)
    low: np.ndarray
    high: np.ndarray
    members: np.ndarray  # (n_seeds that stayed finite, steps, d)
    diverged: int


@dataclass(frozen=True)
class ForecastReport:
    """A series' forecast past its end, and how the same settings did on the end of the record, which they had not seen."""

    series: np.ndarray  # (T, d), in the units of the file
    names: list[str]
    settings: Mapping[str, Any]
    period: int | None
    held_out: Forecast  # of the last rows
    future: Forecast
    baselines: Mapping[str, np.ndarray]  # trivial forecasts of the last rows, (holdout, d) each
    errors: Mapping[str, list[float]]  # root mean squared error on the last rows, by forecast, for each column

    @property
    def holdout(self) -> int:
        """How many rows were held out."""
        return len(self.held_out.median)

    @property
    def diverged(self) -> int:
        """How many networks diverged, of those fitted before the hold-out and those fitted on all rows."""
        return self.held_out.diverged + self.future.diverged

    def records(self) -> list[Mapping[str, Any]]:
        """The errors, the settings and the forecast past the end as plain data, in a list of one."""
        record = {
            "columns": self.names,
            "rows": len(self.series),
            "holdout": self.holdout,
            "horizon": len(self.future.median),
            "period": self.period,
            "settings": self.settings,
            "rmse": self.errors,
            "diverged": self.diverged,
            "forecast": self.future.median,
            "low": self.future.low,
            "high": self.future.high,
        }
        return [record]

    def table(self) -> Table:
        """The errors on the hold-out: a row per forecast and column."""
        truth = self.series[-self.holdout :]
        ours, *trivial = self.errors
        rows, notes = [], []
        for k, column in enumerate(self.names):
            best = min(trivial, key=lambda name: self.errors[name][k])
            least = self.errors[best][k]
            for name, errors in self.errors.items():
                quotients = _quotient(errors[k], truth[:, k].std()), _quotient(errors[k], least)
                rows.append([column, name, number(errors[k]), *quotients])
            if self.errors[ours][k] >= least:
                notes.append(f"The {best} forecast of {column} is no worse than the network's; prefer it.")
        columns = ["column", "forecast", "rmse", "nrmse", "rmse / best naive"]
        return Table("Error on the hold-out", columns, rows, [*notes, *self._notes(truth)])

    def _notes(self, truth: np.ndarray) -> list[str]:
        """What was chosen, and how far the band can be trusted, given the held-out rows (holdout, d)."""
        chosen = ", ".join(f"{name.replace('__', '.')}={value}" for name, value in self.settings.items())
        period = "none found" if self.period is None else str(self.period)
        inside = np.mean((self.held_out.low <= truth) & (truth <= self.held_out.high))
        notes = [
            f"Settings: {chosen}",
            f"Seasonal period: {period}. Rows: {len(self.series)}, held out: {self.holdout}.",
            f"The band held {inside:.0%} of the held-out values; it is meant to hold 80%.",
        ]
        if self.diverged:
            networks = 2 * (len(self.future.members) + self.future.diverged)
            notes.append(f"{self.diverged} of {networks} networks diverged and were left out.")
        return notes

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the forecast past the end: a row per step, with the number its row would have, the median and the band."""
        header = [f"{name}{suffix}" for name in self.names for suffix in ("", "_low", "_high")]
        future = self.future
        values = np.stack([future.median, future.low, future.high], axis=2).reshape(len(future.median), -1)
        write_rows(path, header, values, len(self.series) + 1)

    def plot(self, path: str | os.PathLike[str] | None = None, title: str | None = None) -> Figure:
        """Draw the first column: the end of the record, its forecast there and past the end; also to a file, if one is given.

        Raises `ParameterError` when matplotlib is missing or the file is not of png, svg or pdf.
        """
        from reservoir.plotting import forecast_figure, kept

        ours, *trivial = self.errors
        best = min(trivial, key=lambda name: self.errors[name][0])
        off, least = (number(self.errors[name][0]) for name in (ours, best))
        finding = (
            f"{self.names[0] if title is None else title}: the forecast of the last {self.holdout} rows is off by {off} (rmse)"
        )
        networks = counted(len(self.future.members), "network")
        about = f"the best trivial one, {best}, by {least}; {len(self.series):,} rows, {networks}"
        return kept(forecast_figure(self, f"{finding}\n{about}"), path)


def _quotient(error: float, scale: float) -> str:
    """An error relative to a scale, for people; nothing where the scale is zero."""
    return number(error / scale) if scale > 0.0 else ""
