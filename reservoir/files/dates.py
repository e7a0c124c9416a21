"""Dates and times as people write them, read as NumPy dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from reservoir.validation import DataError, ParameterError

DAYS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d-%b-%Y", "%d %b %Y",
    "%d %B %Y", "%b-%d-%Y", "%b %d, %Y", "%B %d, %Y", "%Y-%m", "%Y/%m", "%m/%Y", "%b-%Y", "%b %Y", "%B %Y", "%YM%m",
    "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d-%b-%y", "%b-%y",
)  # fmt: skip
TWINS = {"%m/%d": "%d/%m", "%d-%m": "%m-%d"}
"""Orders of days and months that look alike."""
PLAIN = re.compile(r"[12]\d{3}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?")
MONTHS_DIFFER = 31 / 28
CLOCKS = ("", " %H:%M:%S", " %H:%M", " %H:%M:%S.%f", "T%H:%M:%S", "T%H:%M", "T%H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p")
CODES: tuple[tuple[re.Pattern, Callable[[re.Match], str]], ...] = (
    (re.compile(r"((?:1[5-9]|20|21)\d\d)"), lambda m: f"{m[1]}-01-01"),
    (re.compile(r"((?:1[5-9]|20|21)\d\d)(0[1-9]|1[0-2])"), lambda m: f"{m[1]}-{m[2]}-01"),
    (re.compile(r"(\d{4})[ -]?Q([1-4])", re.IGNORECASE), lambda m: f"{m[1]}-{3 * int(m[2]) - 2:02}-01"),
    (re.compile(r"Q([1-4])[ -]?(\d{4})", re.IGNORECASE), lambda m: f"{m[2]}-{3 * int(m[1]) - 2:02}-01"),
    (re.compile(r"(\d{4})-?W(\d\d)"), lambda m: date.fromisocalendar(int(m[1]), int(m[2]), 1).isoformat()),
)
"""Years, months, quarters and weeks, and their first days."""
COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?=$|[ T])")
OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$")

Place = Callable[[int], str]
"""Says where a row is, for errors; rows count from 0."""


def read_times(cells: Sequence[str], name: str = "time", timezone: str | None = None, place: Place | None = None) -> np.ndarray:
    """Read a column of dates or times as NumPy dates (n,) in seconds.

    All cells have one format: ISO 8601 with or without a time of day, days or months first, month names, quarters
    ("1970 Q1"), months ("1949-01", "194901"), weeks ("2024-W05"), years. Where both days and months can come first in
    every row, the order with the more regular steps is taken; if they are equal, the month comes first with a slash and the
    day with a hyphen.

    Times with an offset are brought to UTC unless all have the same. With `timezone`, a name such as "Europe/Berlin", local
    times become UTC; of an hour that daylight saving repeats, the first row is the earlier one. Either way, times that all
    have the same time of day, such as dates, stay as they are: a day is a step then, however many hours it has.

    `place` says where a row is, for errors.

    Raises
    ------
    DataError
        A cell cannot be read; the text has its row, counted from 1.
    ParameterError
        There is no such time zone.

    >>> read_times(["Jan-1-1995", "Feb-1-1995"]).astype("M8[D]").astype(str).tolist()
    ['1995-01-01', '1995-02-01']
    >>> read_times(["1970 Q4"]).astype("M8[M]").astype(str).tolist()
    ['1970-10']
    """
    where = place or (lambda row: f"column '{name}', row {row + 1}")
    texts = [" ".join(cell.split()) for cell in cells]
    for row, text in enumerate(texts):
        if not text:
            raise DataError(f"{where(row)}: the time is blank; fill it or remove the row first.")
    moments = _plain(texts)
    moments = _as_written(texts, where) if moments is None else moments
    return moments if timezone is None else to_utc(moments, timezone, where)


def _plain(texts: list[str]) -> np.ndarray | None:
    """Days or moments in ISO 8601 without offsets, which NumPy reads in a hundredth of the time; None for all others."""
    if not texts or not PLAIN.fullmatch(texts[0]) or any(len(text) != len(texts[0]) or text[0] not in "12" for text in texts):
        return None
    try:
        return np.array(texts, "M8[s]")
    except ValueError:  # `_as_written` says where
        return None


def _as_written(texts: list[str], place: Place) -> np.ndarray:
    """The times as written, or in UTC where offsets differ."""
    for pattern, first_day in CODES:
        if texts and pattern.fullmatch(texts[0]):
            return _coded(texts, pattern, first_day, place)
    clock = [bool(re.search(r"\d:\d\d", text)) for text in texts]
    offsets = [OFFSET.search(text) if timed else None for text, timed in zip(texts, clock, strict=True)]
    bare = [text[: match.start()].rstrip() if match else text for text, match in zip(texts, offsets, strict=True)]
    moments = _parsed([COMPACT.sub(r"\1-\2-\3", text) for text in bare], texts, place)
    shifts = [_seconds(match[0]) for match in offsets if match]
    if all(offsets) and len(set(shifts)) > 1 and not one_clock(moments):
        return moments - np.array(shifts, "m8[s]")
    return moments


def _coded(texts: list[str], pattern: re.Pattern, first_day: Callable[[re.Match], str], place: Place) -> np.ndarray:
    """Times that are all of one of `CODES`."""
    found = []
    for row, text in enumerate(texts):
        try:
            match = pattern.fullmatch(text)
            found.append(np.datetime64(first_day(match), "s") if match else None)
        except ValueError:  # no such week
            found.append(None)
        if found[-1] is None:
            what = f"cannot be read as a time like {texts[0]}" if row else "is no time"
            raise DataError(f"{place(row)}: {text[:40]!r} {what}.")
    return np.array(found, "M8[s]")


def one_clock(local: np.ndarray) -> bool:
    """Whether several local times (n,) have the same time of day: a day is their step, however many hours it has."""
    return len(local) > 1 and len(np.unique(local - local.astype("M8[D]"))) == 1


def _seconds(offset: str) -> int:
    """The seconds of an offset from UTC."""
    if offset == "Z":
        return 0
    digits = offset[1:].replace(":", "")
    return (-1 if offset[0] == "-" else 1) * (3600 * int(digits[:2]) + 60 * int(digits[2:]))


def _parsed(bare: list[str], texts: list[str], place: Place) -> np.ndarray:
    """The times by the first format that all rows have; the error names the first row without the format of most."""
    best, furthest = "", -1
    for day in DAYS:
        for clock in CLOCKS:
            found = _all_of_format(bare, day + clock)
            if len(found) == len(bare):
                return _more_regular(np.array(found, "M8[s]"), bare, day, clock)
            if len(found) > furthest:
                best, furthest = day + clock, len(found)
    if furthest <= 0:
        raise DataError(f"{place(0)}: {texts[0][:40]!r} is no time; write 2024-12-31 or 2024-12-31 13:30.")
    like = datetime(2024, 12, 31, 13, 30).strftime(best)
    raise DataError(f"{place(furthest)}: {texts[furthest][:40]!r} cannot be read as a time like {like}.")


def _all_of_format(texts: list[str], form: str) -> list[datetime]:
    """The times of the texts up to the first that has another format."""
    found: list[datetime] = []
    try:
        for text in texts:
            found.append(datetime.strptime(text, form))
    except ValueError:
        pass
    return found


def _more_regular(moments: np.ndarray, bare: list[str], day: str, clock: str) -> np.ndarray:
    """The times, or those with day and month exchanged if all rows can be read so too and the steps differ less."""
    other = next((day.replace(order, twin) for order, twin in TWINS.items() if day.startswith(order)), None)
    exchanged = _all_of_format(bare, other + clock) if other else []
    if len(exchanged) < len(bare) or len(bare) < 3:
        return moments
    steps = [np.diff(np.array(times, "M8[s]").astype(np.int64)) for times in (moments, exchanged)]
    unevenness = [max(step.max() / step.min(), MONTHS_DIFFER) if step.min() > 0 else np.inf for step in steps]
    return moments if unevenness[0] <= unevenness[1] else np.array(exchanged, "M8[s]")


def zone_of(timezone: str) -> ZoneInfo:
    """The time zone of a name. Raises `ParameterError` where there is none."""
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ParameterError(f"The 'timezone' must be a name such as Europe/Berlin. Got {timezone!r} instead.") from None


def to_utc(moments: np.ndarray, timezone: str, place: Place) -> np.ndarray:
    """Local times (n,) of a time zone as UTC; a repeated hour is resolved by order. Dates stay as they are: see `read_times`."""
    zone = zone_of(timezone)
    out: list[datetime] = []
    if one_clock(moments):
        return moments
    for row, moment in enumerate(moments.tolist()):
        first, second = (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first.astimezone(zone).replace(tzinfo=None) != moment:
            raise DataError(f"{place(row)}: there was no {moment} in {timezone}; the clocks skipped it.")
        out.append(second if out and first <= out[-1] < second else first)
    return np.array([moment.replace(tzinfo=None) for moment in out], "M8[s]")
