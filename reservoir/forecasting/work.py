"""Forecasts and backtests of a user's own series, from a file, a frame or an array."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from reservoir.base.estimator import clone
from reservoir.forecasting.backtest import Backtest, rolling_origins
from reservoir.forecasting.forecaster import Forecaster
from reservoir.forecasting.report import BacktestReport, ForecastReport, GroupForecast, group_notes
from reservoir.forecasting.saved import Forecasters
from reservoir.forecasting.source import Source, each_group
from reservoir.forecasting.table import SeriesTable
from reservoir.validation import ParameterError

SENT = "data"
"""What stands for a file or frame where its series are sent to another process."""


def forecast(
    data: Any,
    forecaster: Forecaster | None = None,
    *,
    columns: Sequence[str] | None = None,
    time: Any = None,
    known: Any = None,
    past: Any = None,
    future: Any = None,
    group: str | None = None,
    timezone: str | None = None,
    save: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    report: Callable[[], None] = lambda: None,
) -> ForecastReport:
    """Forecast series past their ends, with bands; `reservoir forecast` does the same.

    Parameters
    ----------
    data : the path of a CSV or Parquet file, a frame of pandas, polars or pyarrow, or an array (n,) or (n, d)
    forecaster : a `Forecaster` with the horizon and all other settings, which stays as it is; the default one where it is None
    columns : of a file or frame, the columns to forecast, the only column of numbers that has no other use unless given; of
        an array, the names of its columns
    time : of a file or frame, the column of the times, found if there is one; of an array, NumPy dates (n,) or (m,)
    known : what is known ahead: of a file or frame, columns, whose rows at the end without targets are to come; of an array,
        an array (m, q), m >= n + horizon
    past : what is known up to now only: of a file or frame, columns; of an array, an array (n, e)
    future : a second file or frame with the known columns of the rows to come, and the same columns of times and groups
    group : the column of a file or frame that says which series a row belongs to, for series one below the other; each is
        forecast on its own
    timezone : of local times, such as "Europe/Berlin"; where an hour is repeated, its first row is the earlier one
    save : a file in which the forecasters are kept: `load(save).predict(data)` then continues from new rows
    jobs : processes among which the groups are shared; the bits are the same
    report : called after each group

    Returns
    -------
    The report: `groups[0].forecast` has values, lower and upper; `records()` all as plain data, with a verdict for each column;
    `table()` the verdicts and what was chosen; `to_csv(path)` writes the forecast, `plot()` draws it.

    Raises
    ------
    DataError
        Too few rows, a constant series, gaps without `fill`, a known column that ends before the horizon, times that cannot be
        read, or repeat. If some groups can be forecast, a warning names the others and says why.
    ParameterError
        A setting out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import Forecaster, forecast
    >>> months = np.arange(96)
    >>> sales = 100.0 + months + 20.0 * np.sin(2 * np.pi * months / 12)
    >>> report = forecast(sales, Forecaster(horizon=6, seasons=[12]), columns=["sales"])
    >>> report.groups[0].forecast.values[:, 0].round().tolist()
    [196.0, 207.0, 215.0, 219.0, 217.0, 211.0]
    >>> report.table().notes[0]
    'sales: 0.00 times the error of the seasonal naive forecast (season 12), from 16 earlier origins.'
    """
    source, forecaster = Source(data, columns, time, known, past, group, timezone, future), forecaster or Forecaster()
    tables = source.tables()
    found = forecast_tables(source, tables, forecaster, report, jobs)
    if save is not None:
        Forecasters.of(found, source, tables[0], forecaster).save(save)
    _warn(found.left_out)
    return found


def forecast_tables(
    source: Source, tables: Sequence[SeriesTable], forecaster: Forecaster, report: Callable[[], None], jobs: int = 1
) -> ForecastReport:
    """Forecast the tables that were read from a source, in so many processes; `report` is called after each."""
    _check(forecaster)
    described = replace(source, data=SENT if source.has_columns else None, future=None)  # the tables hold the data
    return ForecastReport(*each_group(tables, partial(_forecast_table, described, forecaster), jobs, report))


def _forecast_table(source: Source, forecaster: Forecaster, table: SeriesTable) -> GroupForecast:
    """Fit a forecaster to a table of a source, and forecast."""
    source.check(table, forecaster)
    model = clone(forecaster)
    model.fit(table.series, known=table.known, past=table.past, times=table.times, names=table.names or None)
    model.kind_ = table.kind
    return GroupForecast(table.group, len(table.series), model, model.predict())


def backtest(
    data: Any,
    forecaster: Forecaster | None = None,
    *,
    origins: int = 8,
    every: int | None = None,
    columns: Sequence[str] | None = None,
    time: Any = None,
    known: Any = None,
    past: Any = None,
    group: str | None = None,
    timezone: str | None = None,
    report: Callable[[], None] = lambda: None,
) -> BacktestReport:
    """Forecast from earlier origins, on what was known there, and compare with what came; `reservoir backtest` does the same.

    The combined forecast is compared with the naive, the seasonal naive, the seasonal naive forecast with drift, a linear
    regression on the last values and what is known ahead, and with each of its own parts. Known columns have their actual values
    after each origin; where these are forecasts in real life, that is optimistic.

    Parameters
    ----------
    data, forecaster : as for `forecast`
    origins : how many; the last is a horizon before the end
    every : rows between two origins; the horizon where it is None
    columns, time, known, past, group, timezone : as for `forecast`
    report : called after each origin of each group

    Returns
    -------
    The report: `groups[0]` has the forecasts of every method; `records()` their errors, `table()` too, with the verdicts;
    `to_csv(path)` writes the errors, `plot()` draws the forecasts, and error and coverage against the lead.

    Raises
    ------
    DataError
        As `forecast`; too few rows for so many origins.
    ParameterError
        A number or a setting out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import Forecaster, backtest
    >>> months = np.arange(96)
    >>> sales = 100.0 + months + 20.0 * np.sin(2 * np.pi * months / 12)
    >>> found = backtest(sales, Forecaster(horizon=6, seasons=[12]), origins=3)
    >>> error = {record["method"]: record["rmse"] for record in found.records()}
    >>> error["forecast"] < 0.2 * error["seasonal naive"]
    True
    """
    source = Source(data, columns, time, known, past, group, timezone)
    found = backtest_tables(source, source.tables(), forecaster or Forecaster(), origins, every, report)
    _warn(found.left_out)
    return found


def backtest_tables(
    source: Source,
    tables: Sequence[SeriesTable],
    forecaster: Forecaster,
    origins: int,
    every: int | None,
    report: Callable[[], None],
) -> BacktestReport:
    """Backtest the tables that were read from a source; `report` is called after each origin of each."""

    def work(table: SeriesTable) -> Backtest:
        source.check(table)
        return rolling_origins(
            forecaster, table.series, origins=origins, every=every, known=table.known, past=table.past, times=table.times,
            names=table.names or None, group=table.group, report=report,
        )  # fmt: skip

    _check(forecaster)
    return BacktestReport(*each_group(tables, work), known=source.known is not None)


def _check(forecaster: Any) -> None:
    """Raise `ParameterError` for what is no `Forecaster`, and for a setting out of its range."""
    if not isinstance(forecaster, Forecaster):
        remedy = "must be a Forecaster, as Forecaster(horizon=12)"
        raise ParameterError(f"The 'forecaster' parameter {remedy}. Got {forecaster!r} instead.")
    forecaster.check()


def _warn(left_out: Mapping[str, str]) -> None:
    for line in group_notes(left_out):
        warnings.warn(line, RuntimeWarning, stacklevel=3)
