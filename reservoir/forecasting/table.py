"""Series in a CSV file or a frame: which columns are the time, the targets, what is known beside them, and the groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from reservoir.files.dates import one_clock, to_utc
from reservoir.files.frames import INDEX, FrameKind, is_frame
from reservoir.forecasting.columns import LISTED, Columns, read_columns
from reservoir.forecasting.times import infer_step, time_texts
from reservoir.validation import DataError

REPEATED = " Remove one, or give the time zone if daylight saving repeats an hour."
MOST_GROUPS = 0.5
"""A column of groups has at most so many different texts, of the number of rows."""


class SeriesTable(NamedTuple):
    """The series of one group of a file or frame; m >= n rows, of which the last m - n are to come.

    `group` is the text of the group's column, or None; `known` (m, q) and `times` (m,) are None where there are none.
    `kind` says what results share with the data: the time zone, the library of a frame; it is None for arrays.
    """

    group: str | None
    names: tuple[str, ...]
    series: np.ndarray  # (n, d), NaN where a cell is blank
    known: np.ndarray | None
    past: np.ndarray  # (n, e)
    times: np.ndarray | None
    kind: FrameKind | None = None
    every: tuple[str, ...] = ()  # the names of all columns of the file or frame


def read_series(
    data: Any, columns: Sequence[str] = (), *, time: str | None = None, known: Sequence[str] = (), past: Sequence[str] = (),
    group: str | None = None, timezone: str | None = None, every_column: bool = False,
) -> list[SeriesTable]:  # fmt: skip
    """Read the series of a CSV file or a frame, one table for each group.

    Parameters
    ----------
    data : the path of a file, in which blank cells, "NA" and "NaN" are missing; or a frame of pandas, polars, pyarrow, ...
    columns : the targets; the only column of numbers that has no other use where none is named
    time : the column of the times; where it is None, the first column that can only be times, if there is one
    known, past : columns that are known ahead, and up to now only; the rows at the end without targets are to come
    group : the column that says which series a row belongs to, for series one below the other
    timezone : of local times, see `read_times`
    every_column : where no target is named, every column of numbers that has no other use is one

    Raises
    ------
    DataError
        The data cannot be read, there is no such column, a time or a number cannot be read (the text has its line), several
        columns could be the target, a time repeats without `group`, rows are out of order or their steps irregular.
    """
    found = read_columns(data)
    used = [*columns, *([time] if time else []), *known, *past, *([group] if group else [])]
    found.check_uses(used)
    time = time or found.time_column([name for name in found.cells if name not in used])
    unused = [name for name in found.cells if name != time and name not in used]
    targets = tuple(columns) or _targets(found, unused, every_column)
    numbers = {name: found.numbers(name) for name in (*targets, *known, *past)}
    times = None if time is None else found.times(time)
    kind = found.kinds.get(time or next(iter(found.cells)), FrameKind(None, time or INDEX))
    groups = found.texts(group) if group else None
    tables = []
    for key, rows in _groups(groups, len(found.places)).items():
        picked = {name: values[rows] for name, values in numbers.items()}
        stamps, own = None, kind
        if times is not None and time is not None:
            stamps = _times_of_group(found, times, time, rows, timezone, key)
            if timezone is not None:
                own = replace(kind, timezone=timezone, utc=not one_clock(stamps))
        tables.append(_table(found.source, key, targets, known, past, picked, stamps, own)._replace(every=tuple(found.cells)))
    if not any(len(table.series) for table in tables):
        raise DataError(f"{found.source}: column '{targets[0]}' has no values.")
    return tables


def _times_of_group(
    columns: Columns, times: np.ndarray, time: str, rows: np.ndarray, timezone: str | None, key: str | None
) -> np.ndarray:
    """The times of some rows, checked: an error names the line."""
    stamps = times[rows]
    if timezone is not None:
        stamps = to_utc(stamps, timezone, lambda row: columns.place(int(rows[row]), time))
    if key is None:
        _check_repeats(columns, stamps, time)
    if len(stamps) > 1:
        infer_step(stamps, lambda row: columns.place(int(rows[row]), time))
    return stamps


def _table(
    source: str, key: str | None, targets: tuple[str, ...], known: Sequence[str], past: Sequence[str],
    columns: Mapping[str, np.ndarray], times: np.ndarray | None, kind: FrameKind,
) -> SeriesTable:  # fmt: skip
    """The table of one group: the series end with the last row that has a target; a group without any is empty."""
    series = np.stack([columns[name] for name in targets], axis=1)
    there = np.flatnonzero(~np.isnan(series).all(axis=1))
    end = int(there[-1]) + 1 if there.size else 0
    ahead = np.stack([columns[name] for name in known], axis=1) if known else None
    behind = np.stack([columns[name] for name in past], axis=1)[:end] if past else np.empty((end, 0))
    stamps = times if times is None or ahead is not None else times[:end]
    return SeriesTable(key, targets, series[:end], ahead, behind, stamps, kind)


def _groups(texts: list[str] | None, rows: int) -> dict[str | None, np.ndarray]:
    """The rows of each group, in the order in which groups appear."""
    if texts is None:
        return {None: np.arange(rows)}
    found: dict[str | None, list[int]] = {}
    for row, text in enumerate(texts):
        found.setdefault(text, []).append(row)
    return {key: np.array(members) for key, members in found.items()}


def _targets(columns: Columns, unused: Sequence[str], every_column: bool) -> tuple[str, ...]:
    """The columns of numbers without another use. Raises `DataError` for none, and for several unless all are asked for."""
    numeric = columns.candidates(unused)
    if not numeric or (len(numeric) > 1 and not every_column):
        found = f"{len(numeric)} columns could be the target, choose among them" if numeric else "no column holds numbers"
        raise DataError(f"{columns.source}: {found}. Columns: {', '.join((numeric or list(unused))[:LISTED])}.")
    return tuple(numeric)


def _check_repeats(columns: Columns, times: np.ndarray, time: str) -> None:
    """Raise `DataError` for a time that two rows have; the text names a column that could be the group, if there is one."""
    unique, counts = np.unique(times, return_counts=True)
    if (counts == 1).all():
        return
    first, second = np.flatnonzero(times == unique[counts > 1][0])[:2]
    likely = ""
    for name in columns.cells:
        texts = columns.texts(name)
        different = len(set(texts))
        if name != time and 1 < different <= MOST_GROUPS * len(texts) and len(set(zip(times, texts, strict=True))) == len(texts):
            likely = f" The file seems to hold {different} series; name their column: group '{name}'."
            break
    places = f"{columns.word}s {columns.places[first]} and {columns.places[second]}"
    remedy = likely or (" Remove one." if one_clock(times) else REPEATED)
    raise DataError(f"{columns.source}: {places} have the same time {time_texts(times[[first]])[0]}.{remedy}")


def one_table(series: Any, known: Any, past: Any, times: Any, names: Sequence[str] | str | None) -> SeriesTable:
    """What `Forecaster.fit` is given as a table, with the arrays as they are; of a frame the columns that are named.

    Raises `DataError` for a frame as `read_series`.
    """
    if not is_frame(series):
        return SeriesTable(None, names, series, known, past, times)  # type: ignore[arg-type]
    columns, ahead, behind = (_names(given) for given in (names, known, past))
    [table] = read_series(series, columns, time=times, known=ahead, past=behind, every_column=True)
    return table


def _names(given: Sequence[str] | str | None) -> Sequence[str]:
    """Names of columns as a sequence; one may be given alone."""
    return [] if given is None else [given] if isinstance(given, str) else given
