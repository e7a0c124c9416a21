"""Dates and times as people write them, read as NumPy dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from reservoir.validation import DataError, ParameterError

DAYS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d-%b-%Y",
    "%d %b %Y", "%d %B %Y", "%b-%d-%Y", "%b %d, %Y", "%B %d, %Y", "%Y-%m", "%Y/%m", "%m/%Y", "%b-%Y", "%b %Y", "%B %Y", "%YM%m",
)  # fmt: skip
CLOCKS = ("", " %H:%M:%S", " %H:%M", " %H:%M:%S.%f", "T%H:%M:%S", "T%H:%M", "T%H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p")
QUARTER = re.compile(r"(\d{4})[ -]?Q([1-4])", re.IGNORECASE)
YEAR = re.compile(r"(1[5-9]|20|21)\d\d")
OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


def read_times(cells: Sequence[str], name: str = "time", timezone: str | None = None) -> np.ndarray:
    """Read a column of dates or times as NumPy dates (n,) in seconds.

    All cells have one format: ISO 8601 with or without a time of day, days or months first (what fits all rows; where both
    do, the day comes first after a point, the month after a slash), month names, quarters ("1970 Q1"), months
    ("1949-01"), years. Times with an offset are brought to UTC unless all have the same. With `timezone`, a name such as
    "Europe/Berlin", local times become UTC; of an hour that daylight saving repeats, the first row is the earlier one.

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
    texts = [" ".join(cell.split()) for cell in cells]
    for row, text in enumerate(texts, start=1):
        if not text:
            raise DataError(f"column '{name}', row {row}: the time is blank; fill it or remove the row first.")
    moments = _local_times(texts, name)
    return moments if timezone is None else _to_utc(moments, name, timezone)


def _local_times(texts: list[str], name: str) -> np.ndarray:
    """The times as written, or in UTC where offsets differ."""
    if all(YEAR.fullmatch(text) for text in texts):
        return np.array([f"{text}-01-01" for text in texts], "M8[s]")
    if all(QUARTER.fullmatch(text) for text in texts):
        found = [QUARTER.fullmatch(text) for text in texts]
        return np.array([f"{match[1]}-{3 * int(match[2]) - 2:02}" for match in found if match], "M8[s]")
    clock = [bool(re.search(r"\d:\d\d", text)) for text in texts]
    offsets = [OFFSET.search(text) if timed else None for text, timed in zip(texts, clock, strict=True)]
    bare = [text[: match.start()].rstrip() if match else text for text, match in zip(texts, offsets, strict=True)]
    moments = _parsed(bare, texts, name)
    if all(offsets) and len({_seconds(match[0]) for match in offsets if match}) > 1:
        shifts = [_seconds(match[0]) for match in offsets if match]
        return moments - np.array(shifts, "m8[s]")
    return moments


def _seconds(offset: str) -> int:
    """The seconds of an offset from UTC."""
    if offset == "Z":
        return 0
    digits = offset[1:].replace(":", "")
    return (-1 if offset[0] == "-" else 1) * (3600 * int(digits[:2]) + 60 * int(digits[2:]))


def _parsed(bare: list[str], texts: list[str], name: str) -> np.ndarray:
    """The times by the first format that all rows have; the error names the first row without the format of most."""
    best, furthest = "", -1
    for day in DAYS:
        for clock in CLOCKS:
            read = 0
            found = []
            try:
                for text in bare:
                    found.append(datetime.strptime(text, day + clock))
                    read += 1
                return np.array(found, "M8[s]")
            except ValueError:
                if read > furthest:
                    best, furthest = day + clock, read
    if furthest <= 0:
        raise DataError(f"column '{name}', row 1: {texts[0][:40]!r} is no time; write 2024-12-31 or 2024-12-31 13:30.")
    like = datetime(2024, 12, 31, 13, 30).strftime(best)
    raise DataError(f"column '{name}', row {furthest + 1}: {texts[furthest][:40]!r} cannot be read as a time like {like}.")


def _to_utc(moments: np.ndarray, name: str, timezone: str) -> np.ndarray:
    """Local times (n,) of a time zone as UTC; a repeated hour is resolved by order."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ParameterError(f"The 'timezone' must be a name such as Europe/Berlin. Got {timezone!r} instead.") from None
    out: list[datetime] = []
    for row, moment in enumerate(moments.tolist(), start=1):
        first, second = (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first.astimezone(zone).replace(tzinfo=None) != moment:
            raise DataError(f"column '{name}', row {row}: there was no {moment} in {timezone}; the clocks skipped it.")
        out.append(second if out and first <= out[-1] < second else first)
    return np.array([moment.replace(tzinfo=None) for moment in out], "M8[s]")
