"""The times of a network's rows: their column, their step, and the last one seen."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from reservoir.base.tables import counted
from reservoir.files.csv_file import read_texts
from reservoir.files.dates import read_times
from reservoir.forecasting.columns import Columns
from reservoir.forecasting.following import FIT_AGAIN, places_after, same_rows
from reservoir.forecasting.times import Step, infer_step, time_texts
from reservoir.validation import DataError


class Calendar(NamedTuple):
    """The column of the times, the time of the last row seen, and the step of the rows."""

    column: str
    last: np.datetime64
    step: Step

    def texts(self, steps: np.ndarray) -> list[str]:
        """The times so many steps after the last row seen, as text."""
        return time_texts(self.times(steps))

    def times(self, steps: np.ndarray) -> np.ndarray:
        """The times so many steps after the last row seen."""
        return self.step.after(self.last, steps)

    def plain(self) -> dict[str, Any]:
        """The calendar as plain data."""
        return {"column": self.column, "last": int(self.last.astype("M8[s]").astype(np.int64)), "step": asdict(self.step)}


def calendar_of(plain: dict[str, Any] | None) -> Calendar | None:
    """The calendar of plain data, if there is one."""
    return None if plain is None else Calendar(plain["column"], np.datetime64(plain["last"], "s"), Step(**plain["step"]))


def find_calendar(path: str, unused: list[str]) -> Calendar | None:
    """The calendar of a CSV file, from the first of its unused columns that can only be times; None where there is none."""
    first = {name: read_texts(path, name, 1) for name in unused}
    name = Columns(path, first, "line", [1], {}, {}).time_column(unused)
    if name is None:
        return None
    try:
        times = read_times(read_texts(path, name), name)
        return Calendar(name, times[-1], infer_step(times))
    except DataError:
        return None  # irregular times say nothing of the rows to come


def seen_by_time(calendar: Calendar, path: str, rows: np.ndarray, tail: np.ndarray) -> int:
    """How many rows (m, d) of a file the model has seen, by their times; `tail` (k, d) are the last ones it saw.

    Raises `DataError` for times that cannot be read, another frequency, a row that differs, rows that end too early, and gaps.
    """
    texts = read_texts(path, calendar.column)
    times = read_times(texts, calendar.column, place=lambda row: f"{path}, row {row + 1}, column '{calendar.column}'")
    places = places_after(times, calendar.last, calendar.step)
    last = time_texts(np.array([calendar.last]))[0]
    if places[-1] < -1:
        end = time_texts(times[-1:])[0]
        raise DataError(f"series: ends at {end}, before the last row that the model has seen, at {last}; give newer rows.")
    seen = int(np.count_nonzero(places < 0))
    for i in np.flatnonzero((places < 0) & (places >= -len(tail))):
        if not same_rows(tail[len(tail) + places[i]], rows[i]):
            where = time_texts(times[[i]])[0]
            raise DataError(f"series: the row at {where} is not the one that the model has seen; {FIT_AGAIN}.")
    missing = np.flatnonzero(places[seen:] != np.arange(len(places) - seen))
    if missing.size:
        row = seen + int(missing[0])
        count = int(places[row] - (places[row - 1] if row > seen else -1)) - 1
        raise DataError(
            f"series: {counted(count, 'row')} missing before {time_texts(times[[row]])[0]}, after the last row that the model has"
            f" seen, at {last}; a network cannot leave rows out: give them."
        )
    return seen
