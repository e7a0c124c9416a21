"""Times at regular steps: what the step is, which rows are missing, what comes next, which seasons it suggests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC

import numpy as np

from reservoir.files.dates import Place, zone_of
from reservoir.validation import DataError

DAY = 86_400
WEEKDAYS = 5
IN_SUCCESSION = 3
"""So many longer steps one after the other are another frequency, not missing rows."""
YEAR_DAYS = 365.25
NAMES = {1: "second", 60: "minute", 3600: "hour", DAY: "day", 7 * DAY: "week"}


@dataclass(frozen=True)
class Step:
    """The step of a series in time: `count` of seconds, business days or months."""

    kind: str  # "seconds", "business days", "months"
    count: int
    month_ends: bool = False

    def __str__(self) -> str:
        if self.kind == "business days":
            return "business day"
        if self.kind == "months":
            return {1: "month", 3: "quarter", 12: "year"}.get(self.count, f"{self.count} months")
        unit = max(seconds for seconds in NAMES if self.count % seconds == 0)
        many = self.count // unit
        return NAMES[unit] if many == 1 else f"{many} {NAMES[unit]}s"

    def numbers(self, times: np.ndarray) -> np.ndarray:
        """The times (n,) as multiples of the step, from any origin; not whole where a time is off the grid."""
        if self.kind == "months":
            return np.asarray((times.astype("M8[M]").astype(int)) / self.count)
        if self.kind == "business days":
            days = times.astype("M8[D]")
            return np.busday_count(np.datetime64("1970-01-01"), days).astype(float)
        return np.asarray(times.astype("M8[s]").astype(np.int64) / self.count)

    def after(self, time: np.datetime64, steps: np.ndarray) -> np.ndarray:
        """The times some steps after one."""
        if self.kind == "business days":
            return np.busday_offset(time.astype("M8[D]"), steps).astype("M8[s]")
        if self.kind == "seconds":
            return np.asarray(time.astype("M8[s]") + self.count * steps)
        months = time.astype("M8[M]") + self.count * steps
        last = (months + 1).astype("M8[D]") - np.timedelta64(1, "D")
        within = time.astype("M8[s]") - time.astype("M8[M]").astype("M8[s]")
        if self.month_ends:
            return last.astype("M8[s]") + within % np.timedelta64(DAY, "s")
        return np.asarray(np.minimum(months.astype("M8[s]") + within, last.astype("M8[s]") + within % np.timedelta64(DAY, "s")))

    def seasons(self) -> tuple[float, ...]:
        """The seasons in rows that a series of this step may have: a day, a week, a year; a working week; a year of months."""
        if self.kind == "business days":
            return (float(WEEKDAYS),)
        if self.kind == "months":
            return (12.0 / self.count,) if self.count in (1, 2, 3, 4, 6) else ()
        rows = (DAY / self.count, 7 * DAY / self.count, YEAR_DAYS * DAY / self.count)
        return tuple(season for season in rows if season >= 2.0)


def infer_step(times: np.ndarray, place: Place = lambda row: f"times: row {row + 1}") -> Step:
    """Infer the step of ascending times (n,): whole months, business days, or a number of seconds.

    Raises `DataError` for two rows of one time, rows out of order, mixed frequencies and times off the grid; `place` says
    where a row is, which counts from 0.
    """
    seconds = times.astype("M8[s]").astype(np.int64)
    for row in np.flatnonzero(np.isnat(times))[:1]:
        raise DataError(f"{place(row)}: the time is blank; fill it or remove the row first.")
    if len(times) < 2:
        raise DataError(f"times: one row has no step. Got {len(times)} rows; give at least 2.")
    gaps = np.diff(seconds)
    for row in np.flatnonzero(gaps <= 0)[:1]:
        before, moment = time_texts(times[row : row + 2])
        if gaps[row] == 0:
            raise DataError(
                f"{place(row + 1)}: has the same time as the row before it, {moment}; remove one of them, or name the column of"
                " groups if several series are stacked."
            )
        raise DataError(
            f"{place(row + 1)}: {moment} comes after {before} and is earlier; rows are out of order, sort them first."
        )
    step = _monthly(times) or _business(times) or Step("seconds", Counter(gaps.tolist()).most_common(1)[0][0])
    check_grid(times, step, place)
    return step


def check_grid(times: np.ndarray, step: Step, place: Place) -> None:
    """Raise `DataError` unless the times (n,) are on the grid of a step, with rows missing at most."""
    numbers = step.numbers(times)
    off = np.flatnonzero(np.abs(np.mod(numbers - numbers[0] + 0.5, 1.0) - 0.5) > 1e-6)
    if off.size:
        raise DataError(
            f"{place(off[0])}: {time_texts(times[off[:1]])[0]} is no whole number of steps after the first row (one row per"
            f" {step}); the frequencies are mixed or the steps irregular. Give rows of one frequency."
        )
    steps = np.round(np.diff(numbers)).astype(int)
    run = 1
    for row in range(1, len(steps)):
        run = run + 1 if steps[row] == steps[row - 1] > 1 else 1
        if run >= IN_SUCCESSION:
            raise DataError(
                f"{place(row - run + 1)}: from here on the rows are {steps[row]} steps apart (one row per {step}); the"
                " frequencies are mixed. Give rows of one frequency."
            )


def _monthly(times: np.ndarray) -> Step | None:
    """The step where all rows lie on one day of the month, or all on its last; None otherwise."""
    days = times.astype("M8[D]")
    months = times.astype("M8[M]")
    day = (days - months.astype("M8[D]")).astype(int)
    ends = days == (months + 1).astype("M8[D]") - np.timedelta64(1, "D")
    clock = times.astype("M8[s]") - days.astype("M8[s]")
    gaps = np.diff(months.astype(int))
    anchored = (day == day.max()) | (ends & (day < day.max()))
    if (gaps < 1).any() or len(np.unique(clock)) > 1 or not anchored.all():
        return None
    return Step("months", Counter(gaps.tolist()).most_common(1)[0][0], bool(ends.all()))


def _business(times: np.ndarray) -> Step | None:
    """The step of days where none is on a weekend, and a Monday follows a Friday; None otherwise."""
    days = times.astype("M8[D]")
    weekday = (days.astype(int) + 3) % 7
    gaps = np.diff(days.astype(int))
    crossing = (weekday[:-1] == 4) & (weekday[1:] == 0) & (gaps == 3)
    daily = np.count_nonzero(gaps == 1) > len(gaps) / 2
    return Step("business days", 1) if daily and crossing.any() and weekday.max() < WEEKDAYS else None


def positions(times: np.ndarray, step: Step) -> np.ndarray:
    """The place (n,) of each row on the regular grid from the first to the last."""
    numbers = step.numbers(times)
    return np.round(numbers - numbers[0]).astype(int)


def time_texts(times: np.ndarray, timezone: str | None = None) -> list[str]:
    """Dates (n,) as text: the day, with the time of day where one of them has one; those in UTC in a time zone, if one is named.

    >>> time_texts(np.array(["2024-12-31T00:00:00", "2024-12-31T13:30:00"], "M8[s]"))
    ['2024-12-31 00:00', '2024-12-31 13:30']
    >>> time_texts(np.array(["2024-12-31T23:30:00"], "M8[s]"), "Europe/Berlin")
    ['2025-01-01 00:30:00+01:00']
    """
    if timezone is not None:
        moments = [moment.replace(tzinfo=UTC) for moment in times.astype("M8[s]").tolist()]
        return [str(moment.astimezone(zone_of(timezone))) for moment in moments]
    days = times.astype("M8[D]")
    if (times == days).all():
        return days.astype(str).tolist()
    minutes = times.astype("M8[m]")
    return [text.replace("T", " ") for text in (minutes if (times == minutes).all() else times.astype("M8[s]")).astype(str)]
