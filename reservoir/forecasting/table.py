"""Series in a CSV file: which columns are the time, the targets, what is known beside them, and the groups."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from reservoir.files.csv_file import read_cells
from reservoir.files.dates import read_times
from reservoir.files.reading import PathLike
from reservoir.validation import DataError, nearest

TIME_NAMES = ("date", "time", "datetime", "timestamp", "day", "month", "week", "quarter", "year", "ds", "period")
MISSING = ("", "na", "nan", "n/a", "null", "none", "-")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
REPEATED = " Remove one, or give the time zone if daylight saving repeats an hour."
MOST_GROUPS = 0.5
"""A column of groups has at most so many different texts, of the number of rows."""


class SeriesTable(NamedTuple):
    """The series of one group of a file; m >= n rows, of which the last m - n are to come.

    `group` is the text of the group's column, or None; `known` (m, q) and `times` (m,) are None where there are none.
    """

    group: str | None
    names: tuple[str, ...]
    series: np.ndarray  # (n, d), NaN where a cell is blank
    known: np.ndarray | None
    past: np.ndarray  # (n, e)
    times: np.ndarray | None


def read_series(
    path: PathLike, columns: Sequence[str] = (), *, time: str | None = None, known: Sequence[str] = (),
    past: Sequence[str] = (), group: str | None = None, timezone: str | None = None,
) -> list[SeriesTable]:  # fmt: skip
    """Read the series of a CSV file, one table for each group.

    Parameters
    ----------
    path : the file; blank cells, "NA" and "NaN" are missing
    columns : the targets; the only column of numbers that has no other use where none is named
    time : the column of the times; where it is None, the first column that can only be times, if there is one
    known, past : columns that are known ahead, and up to now only; the rows at the end without targets are to come
    group : the column that says which series a row belongs to, for series one below the other
    timezone : of local times, see `read_times`

    Raises
    ------
    DataError
        The file cannot be read, there is no such column, a time or a number cannot be read (the text has its line), several
        columns could be the target, or a time repeats without `group`.
    """
    cells, lines = read_cells(path)
    used = [*columns, *([time] if time else []), *known, *past, *([group] if group else [])]
    for name in used:
        if name not in cells:
            raise DataError(f"{path}: there is no column '{name}'.{nearest(name, cells)} Columns: {', '.join(list(cells)[:20])}.")
        if used.count(name) > 1:
            raise DataError(f"{path}: column '{name}' is named {used.count(name)} times; a column has one use.")
    time = time or _time_column({name: texts for name, texts in cells.items() if name not in used})
    targets = tuple(columns) or (_only_target(path, {n: t for n, t in cells.items() if n != time and n not in used}),)
    numbers = {name: _numbers(path, name, cells[name], lines) for name in (*targets, *known, *past)}
    tables = []
    for key, rows in _groups(cells[group] if group else None, len(lines)).items():
        picked = {name: values[rows] for name, values in numbers.items()}
        times = None if time is None else read_times([cells[time][row] for row in rows], time, timezone)
        if times is not None and group is None:
            _check_repeats(path, times, time or "", cells, lines)
        tables.append(_table(path, key, targets, known, past, picked, times))
    return tables


def _table(
    path: PathLike, key: str | None, targets: tuple[str, ...], known: Sequence[str], past: Sequence[str],
    columns: Mapping[str, np.ndarray], times: np.ndarray | None,
) -> SeriesTable:  # fmt: skip
    """The table of one group: the series end with the last row that has a target; a group without any has no rows."""
    series = np.stack([columns[name] for name in targets], axis=1)
    there = np.flatnonzero(~np.isnan(series).all(axis=1))
    if not there.size and key is None:
        raise DataError(f"{path}: column '{targets[0]}' has no values.")
    end = int(there[-1]) + 1 if there.size else 0
    ahead = np.stack([columns[name] for name in known], axis=1) if known else None
    behind = np.stack([columns[name] for name in past], axis=1)[:end] if past else np.empty((end, 0))
    stamps = times if times is None or ahead is not None else times[:end]
    return SeriesTable(key, targets, series[:end], ahead, behind, stamps)


def _groups(texts: list[str] | None, rows: int) -> dict[str | None, np.ndarray]:
    """The rows of each group, in the order in which groups appear."""
    if texts is None:
        return {None: np.arange(rows)}
    return {key: np.array([row for row, text in enumerate(texts) if text == key]) for key in dict.fromkeys(texts)}


def _time_column(cells: Mapping[str, list[str]]) -> str | None:
    """The first column that can only be times: numbers are times in a column with a name of `TIME_NAMES` alone."""
    for name, texts in cells.items():
        first = next((text for text in texts if text), "")
        if _value(first) is not None and name.lower() not in TIME_NAMES:
            continue
        try:
            read_times([first], name)
        except DataError:
            continue
        return name
    return None


def _only_target(path: PathLike, cells: Mapping[str, list[str]]) -> str:
    """The only column of numbers, an index aside. Raises `DataError` where there is none, or several."""
    numeric: list[str] = []
    index: list[str] = []
    for name, texts in cells.items():
        values = [_value(text) for text in texts if text.lower() not in MISSING]
        known = [value for value in values if value is not None]
        if known and 2 * len(known) > len(values):
            rising = len(known) == len(texts) and {b - a for a, b in pairwise(known)} == {1.0}
            (index if rising else numeric).append(name)
    numeric = numeric or index
    if len(numeric) != 1:
        found = f"{len(numeric)} columns could be the target, choose among them" if numeric else "no column holds numbers"
        raise DataError(f"{path}: {found}. Columns: {', '.join((numeric or list(cells))[:20])}.")
    return numeric[0]


def _value(text: str) -> float | None:
    """The number in a cell, with a decimal point or comma; None where there is none."""
    if DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _numbers(path: PathLike, name: str, texts: list[str], lines: list[int]) -> np.ndarray:
    """A column (rows,) of numbers, NaN where a cell is missing. Raises `DataError` for a cell that is no number."""
    out = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        if text.lower() not in MISSING:
            value = _value(text)
            if value is None:
                raise DataError(
                    f"{path}, line {lines[row]}, column '{name}': {text[:40]!r} is not a number; correct it or leave it blank."
                )
            out[row] = value
    return out


def _check_repeats(path: PathLike, times: np.ndarray, time: str, cells: Mapping[str, list[str]], lines: list[int]) -> None:
    """Raise `DataError` for a time that two rows have; the text names a column that could be the group, if there is one."""
    unique, counts = np.unique(times, return_counts=True)
    if (counts == 1).all():
        return
    first, second = np.flatnonzero(times == unique[counts > 1][0])[:2]
    likely = ""
    for name, texts in cells.items():
        if (
            name != time
            and 1 < len(set(texts)) <= MOST_GROUPS * len(texts)
            and len(set(zip(times, texts, strict=True))) == len(texts)
        ):
            likely = f" The file seems to hold {len(set(texts))} series; name their column: group '{name}'."
            break
    raise DataError(f"{path}: lines {lines[first]} and {lines[second]} have the same time {times[first]}.{likely or REPEATED}")
