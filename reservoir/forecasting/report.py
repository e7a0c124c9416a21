"""The reports of forecasts and backtests: plain data, tables with verdicts and choices in words, files, pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.base.tables import Table, as_json, counted, number
from reservoir.files.writing import write_csv
from reservoir.forecasting.backtest import COMBINED, Backtest
from reservoir.forecasting.forecaster import Forecaster
from reservoir.forecasting.result import Forecast, series_label
from reservoir.forecasting.times import time_texts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POWERS = {0.0: "logarithm", 0.5: "square root", 1.0: None}
MOST_ROWS = 20
"""Series that a table shows of many."""
OPTIMISTIC = (
    "Known columns have their actual values after each origin; where these are forecasts in real life, the errors are optimistic."
)


def season_name(season: int) -> str:
    """The seasonal naive forecast with its season; that without a season is the naive one."""
    return f"seasonal naive forecast (season {season})" if season > 1 else "naive forecast"


def verdict(rmse: float | None, naive: float | None, season: int) -> str | None:
    """How an error compares with that of the seasonal naive forecast, in words; None where that one has no error.

    >>> verdict(2.0, 0.5, 12)
    '4.00 times the error of the seasonal naive forecast (season 12)'
    """
    return f"{rmse / naive:.2f} times the error of the {season_name(season)}" if naive and rmse is not None else None


def group_notes(left_out: Mapping[str, str]) -> list[str]:
    """A line for each group that is left out."""
    return [f"Group '{group}' is left out: {reason}" for group, reason in left_out.items()]


@dataclass(frozen=True)
class GroupForecast:
    """The forecast of one group of series, and the fitted `Forecaster` that made it.

    `rows` are all those of the series, `new_rows` of these those that were read after the fit; None where it was just fitted.
    """

    group: str | None
    rows: int
    forecaster: Forecaster
    forecast: Forecast
    new_rows: int | None = None

    @property
    def steps(self) -> list[Any]:
        """The times of the forecast's rows as text, or their numbers, counted from 1 at the start of the series."""
        times, count, kind = self.forecast.times, len(self.forecast.values), self.forecast.kind
        if times is None:
            return list(range(self.rows + 1, self.rows + count + 1))
        return time_texts(times, kind.timezone if kind is not None and kind.utc else None)

    def places(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The times or row numbers (n,) of the history, the history (n, d), and the times or row numbers (h,) of the forecast."""
        prepared, times = self.forecaster.prepared_, self.forecast.times
        n, h = len(prepared.series), len(self.forecast.values)
        if prepared.times is None or times is None:
            return np.arange(self.rows - n + 1, self.rows + 1), prepared.series, np.arange(self.rows + 1, self.rows + h + 1)
        return prepared.times, prepared.series, times

    def label(self, name: str) -> str:
        """The name of a series, with that of its group."""
        return series_label(self.group, name)


def _ratio(one: GroupForecast, k: int) -> float:
    """The error of a series in the past over that of the seasonal naive forecast; -1 where that had none."""
    ours, naive = one.forecaster.models_[k].past_rmse
    return ours / naive if naive else -1.0


@dataclass(frozen=True)
class ForecastReport:
    """Forecasts of the series of every group past their ends, with what was chosen and how far it was off in the past.

    Attributes
    ----------
    groups : a `GroupForecast` for each group; of a file without groups there is one
    left_out : the reasons why groups have no forecast, by their names
    """

    groups: tuple[GroupForecast, ...]
    left_out: Mapping[str, str]

    def records(self) -> list[dict[str, Any]]:
        """One dictionary per group and column: what was chosen, the past errors with their verdict, forecast and bands."""
        found = []
        for one in self.groups:
            forecast, step = one.forecast, one.forecaster.prepared_.step
            for k, (name, model) in enumerate(zip(forecast.names, one.forecaster.models_, strict=True)):
                bands = {
                    side: {f"{level:g}": band[:, k] for level, band in zip(forecast.levels, getattr(forecast, side), strict=True)}
                    for side in ("lower", "upper")
                }
                ours, naive = model.past_rmse
                rows = {"rows": one.rows, **({} if one.new_rows is None else {"new_rows": one.new_rows})}
                found.append({
                    "column": name, "group": one.group, "method": COMBINED, **rows, "horizon": len(forecast.values),
                    "step": None if step is None else str(step), "season": model.past.season, "periods": model.past.periods,
                    "transform": POWERS[model.past.scale.power], "weights": model.shares(),
                    "filled": int(np.count_nonzero(~model.past.observed)), "origins": len(model.past.origins),
                    "rmse": {COMBINED: ours, "seasonal naive": naive}, "verdict": verdict(ours, naive, model.past.season),
                    "times": one.steps, "forecast": forecast.values[:, k], **bands,
                })  # fmt: skip
        return found

    def ranked(self) -> list[tuple[GroupForecast, int]]:
        """The series, as groups and numbers of columns: those of several groups with the worst verdict first."""
        every = [(one, k) for one in self.groups for k in range(len(one.forecast.names))]
        return every if len(self.groups) == 1 else sorted(every, key=lambda pair: -_ratio(*pair))

    def table(self) -> Table:
        """The past errors, a row per group and column, the worst groups first; beneath, the verdicts and what was chosen.

        Of more than 20 series the worst 20 are shown, and a summary of all.
        """
        rows, notes = [], []
        series = self.ranked()
        few = series if len(series) <= MOST_ROWS else series[:MOST_ROWS]
        for one, k in few:
            model, label = one.forecaster.models_[k], one.label(one.forecast.names[k])
            ours, naive = model.past_rmse
            rows.append([label, f"{one.rows:,}", number(ours), number(naive), number(ours / naive) if naive else ""])
            words = verdict(ours, naive, model.past.season) or f"the {season_name(model.past.season)} had no error"
            notes.append(f"{label}: {words}, from {counted(len(model.past.origins), 'earlier origin')}.")
        if len(few) < len(series):
            ratios = np.array([ratio for pair in series if (ratio := _ratio(*pair)) >= 0.0])
            notes = [
                f"The worst {MOST_ROWS} of {len(series):,} series. Of all, the median ratio is {np.median(ratios):.3g}, and"
                f" {np.count_nonzero(ratios > 1.0):,} are worse than the seasonal naive forecast."
            ]
        for one in self.groups if len(few) == len(series) else ():
            if one.new_rows is not None:
                new = f"{counted(one.new_rows, 'new row')} after the {one.rows - one.new_rows:,} seen before."
                notes.append(new if one.group is None else f"{one.group}: {new}")
            notes += [line if one.group is None else f"{one.group}: {line}" for line in one.forecaster.describe()]
        title = f"Forecasts of {counted(len(self.groups[0].forecast.values), 'step')}: root mean squared errors in the past"
        return Table(title, ["column", "rows", "rmse", "seasonal naive", "ratio"], rows, [*notes, *group_notes(self.left_out)])

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the forecasts: a row per group and step, with its time, or the number that the row would have."""
        first = self.groups[0]
        grouped = first.group is not None
        columns = first.forecast.columns()
        header = [*(["group"] if grouped else []), "row" if first.forecast.times is None else "time", *columns]
        rows = []
        for one in self.groups:
            values = np.stack(list(one.forecast.columns().values()), axis=1).tolist()
            rows += [[*([one.group] if grouped else []), step, *row] for step, row in zip(one.steps, values, strict=True)]
        write_csv(path, header, rows)

    def plot(self, path: str | os.PathLike[str] | None = None, title: str | None = None) -> Figure:
        """Draw the end of each series with its forecast and bands; also to a file, if one is given.

        Raises `ParameterError` when matplotlib is missing or the file is not of png, svg or pdf.
        """
        from reservoir.plotting import forecast_figure, kept

        return kept(forecast_figure(self, title), path)


@dataclass(frozen=True)
class BacktestReport:
    """Forecasts of the series of every group from earlier origins, compared with what came.

    Attributes
    ----------
    groups : a `Backtest` for each group; of a file without groups there is one
    left_out : the reasons why groups have no backtest, by their names
    known : whether columns were known ahead
    """

    groups: tuple[Backtest, ...]
    left_out: Mapping[str, str]
    known: bool

    def records(self) -> list[dict[str, Any]]:
        """One dictionary per column, group and method; errors are averaged over the origins, and count observed rows only.

        Coverage and interval score are dictionaries by level, and None where a method has no bands.
        """
        found = []
        for one in self.groups:
            for k, column in enumerate(one.names):
                errors = one.errors(k)
                naive = errors["seasonal naive"]["rmse"]
                for method, of_method in errors.items():
                    coverage, score = one.bands(k) if method == COMBINED else (None, None)
                    found.append({
                        "column": column, "group": one.group, "method": method, "horizon": one.horizon,
                        "origins": len(one.origins), **of_method, "coverage": coverage, "interval_score": score,
                        "verdict": verdict(of_method["rmse"], naive, int(one.seasons[-1, k])),
                    })  # fmt: skip
        return found

    def table(self) -> Table:
        """The errors: a row per group, column and method; the verdicts beneath."""
        rows, notes = [], []
        for record in self.records():
            label = series_label(record["group"], record["column"])
            cells = ["" if record[name] is None else number(record[name]) for name in ("rmse", "mae", "mase", "smape")]
            rows.append([label, record["method"], *cells])
            if record["method"] == COMBINED:
                notes.append(f"{label}: {record['verdict'] or 'the seasonal naive forecast has no error'}.")
                if record["coverage"]:
                    held = ", ".join(f"the {level} % band {share:.0%}" for level, share in record["coverage"].items())
                    notes.append(f"{label}: of the rows, {held}.")
        first = self.groups[0]
        title = f"Errors over {counted(len(first.origins), 'origin')}, {counted(first.horizon, 'step')} each"
        notes += [OPTIMISTIC] * self.known + group_notes(self.left_out)
        return Table(title, ["column", "method", "rmse", "mae", "mase", "smape"], rows, notes)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the errors: a row per group, column and method; coverage and interval score have a column for each level."""
        header: list[str] = []
        rows = []
        for record in self.records():
            by_level = {name: record.pop(name) or {} for name in ("coverage", "interval_score")}
            for name, values in by_level.items():
                record.update({f"{name}_{level:g}": values.get(f"{level:g}") for level in self.groups[0].levels})
            header = list(record)
            rows.append(list(as_json(record).values()))
        write_csv(path, header, rows)

    def plot(self, path: str | os.PathLike[str] | None = None, title: str | None = None) -> Figure:
        """Draw the forecasts from every origin over the record, error and coverage against the lead; also to a file.

        Raises `ParameterError` when matplotlib is missing or the file is not of png, svg or pdf.
        """
        from reservoir.plotting import backtest_figure, kept

        return kept(backtest_figure(self, title), path)
