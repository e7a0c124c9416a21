"""The series that a forecast is asked for: columns of a file or frame, in groups, with what is known ahead; or an array."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from reservoir.base.tables import counted
from reservoir.experiments.engines import engine
from reservoir.experiments.workers import WorkerError
from reservoir.files.frames import is_frame
from reservoir.forecasting.forecaster import Forecaster
from reservoir.forecasting.table import SeriesTable, read_series
from reservoir.forecasting.times import infer_step, positions, time_texts
from reservoir.validation import DataError, ParameterError

Found = TypeVar("Found")


@dataclass(frozen=True)
class Source:
    """Where series come from, with the arguments of `forecast` and `backtest` of the same names."""

    data: Any
    columns: Sequence[str] | None = None
    time: Any = None
    known: Any = None
    past: Any = None
    group: str | None = None
    timezone: str | None = None
    future: Any = None

    @property
    def has_columns(self) -> bool:
        """Whether the data are a file or a frame, whose columns have names."""
        return isinstance(self.data, (str, os.PathLike)) or is_frame(self.data)

    def tables(self) -> list[SeriesTable]:
        """Read the series, a table for each group."""
        columns = names(self.columns)
        if not self.has_columns:
            return [self._array(columns)]
        known, past = names(self.known), names(self.past)
        options = {"time": self.time, "group": self.group, "timezone": self.timezone}
        tables = read_series(self.data, columns, known=known, past=past, **options)
        if self.future is None:
            return tables
        if not known:
            raise ParameterError("The 'future' holds known columns; name them with 'known'. Got none.")
        ahead = {table.group: table for table in read_series(self.future, known, **options)}
        return [_continued(table, ahead[table.group], self) if table.group in ahead else table for table in tables]

    def _array(self, columns: Sequence[str]) -> SeriesTable:
        """The table of an array (n,) or (n, d), whose known and past columns and times are arrays too; names may be missing."""
        for name in ("group", "timezone", "future"):
            if getattr(self, name) is not None:
                given = getattr(self, name)
                raise ParameterError(f"The '{name}' parameter is for files and frames. Got {given!r} with an array.")
        return SeriesTable(None, tuple(columns), self.data, self.known, self.past, self.time)

    def check(self, table: SeriesTable, forecaster: Forecaster | None = None) -> None:
        """Raise `DataError` for a group without values, and for a known column that ends too early.

        It has to reach the end of the series, and with a forecaster its horizon past that. Arrays are checked by `Forecaster`.
        """
        if not self.has_columns:
            return
        n, times = len(table.series), table.times
        if n == 0:
            raise DataError(f"Column '{table.names[0]}' has no values.")
        if table.known is None:
            return
        places = np.arange(len(table.known)) if times is None else positions(times, infer_step(times))
        horizon = 0 if forecaster is None else forecaster.steps(int(places[n - 1]) + 1)
        for name, column in zip(names(self.known), table.known.T, strict=True):
            there = np.flatnonzero(~np.isnan(column))
            if not there.size:
                raise DataError(f"Known column '{name}' has no values; give them, or leave the column out.")
            rows = int(places[there[-1]] - places[n - 1])
            if rows < horizon:
                end = f"in row {there[-1] + 1}" if times is None else f"at {time_texts(times[there[-1:]])[0]}"
                apart = f"{counted(abs(rows), 'row')} {'past' if rows > 0 else 'before'} the end of the series"
                remedy = f"the horizon of {horizon} needs {horizon}. Give more in this file or in `future`, or lower the horizon"
                if horizon == 0:
                    remedy = "a backtest needs all rows of the series. Give them, or leave the column out"
                raise DataError(f"Known column '{name}' ends {end}, {apart if rows else 'with the series'}; {remedy}.")


def names(given: Any) -> list[str]:
    """Column names as a list: None are none, a text is one."""
    return [] if given is None else [given] if isinstance(given, str) else list(given)


def _continued(table: SeriesTable, ahead: SeriesTable, source: Source) -> SeriesTable:
    """The table with the known columns that a second file has past the end of the series."""
    n, name = len(table.series), str(source.future) if isinstance(source.future, (str, os.PathLike)) else "future"
    if (table.times is None) != (ahead.times is None):
        raise DataError(f"{name}: must have times if and only if the series have some; name them with 'time' in both.")
    later = np.arange(len(ahead.series))
    if table.times is not None and ahead.times is not None:
        later = np.flatnonzero(ahead.times > table.times[n - 1])
        if not later.size:
            ends = time_texts(np.array([ahead.times[-1], table.times[n - 1]]))
            raise DataError(f"{name}: ends at {ends[0]}, not after the series, which ends at {ends[1]}.")
    known = None if table.known is None else np.concatenate([table.known[:n], ahead.series[later]])
    times = None
    if table.times is not None and ahead.times is not None:
        times = np.concatenate([table.times[:n], ahead.times[later]])
    return table._replace(known=known, times=times)


def each_group(
    tables: Sequence[SeriesTable], work: Callable[[SeriesTable], Found], jobs: int = 1, report: Callable[[], None] = lambda: None
) -> tuple[tuple[Found, ...], dict[str, str]]:
    """The results of every group, and the reasons, by name, why groups are left out: too few rows, gaps, a constant series.

    With several `jobs` the groups are shared among so many processes, to which `work` must be sent; `report` is called after
    each group. Raises the error itself where there is no other group, and `WorkerError` where a process was killed.
    """
    found: list[Found] = []
    left_out: dict[str, str] = {}
    with engine(min(jobs, len(tables))) as made:
        futures: Iterable[Future[Found]] = (made.executor.submit(work, table) for table in tables)
        if jobs > 1:
            futures = list(futures)
        for table, future in zip(tables, futures, strict=True):
            try:
                found.append(future.result())
            except (DataError, ParameterError) as error:
                if table.group is None or (len(left_out) + 1 == len(tables) and set(left_out.values()) <= {str(error)}):
                    raise
                left_out[table.group] = str(error)
            except BrokenExecutor:
                raise WorkerError("A process that fitted groups was killed, maybe for its memory; use fewer jobs.") from None
            report()
    if not found:
        first, reason = next(iter(left_out.items()))
        raise DataError(f"None of the {len(left_out)} groups can be used. Group '{first}': {reason}")
    return tuple(found), left_out
