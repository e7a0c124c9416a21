"""The columns of a user's CSV file or frame: numbers, times and texts by name, and where a bad cell is."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from reservoir.files.csv_file import read_cells
from reservoir.files.dates import read_times
from reservoir.files.frames import FrameKind, is_frame, read_frame, read_parquet
from reservoir.files.numbers import number, remedy
from reservoir.files.reading import PathLike
from reservoir.validation import DataError, nearest

TIME_NAMES = ("date", "time", "datetime", "timestamp", "day", "month", "week", "quarter", "year", "ds", "period")
MISSING = ("", "na", "nan", "n/a", "null", "none", "-")
LISTED = 20


@dataclass(frozen=True)
class Columns:
    """Columns by name, of texts, numbers or times.

    Attributes
    ----------
    source : the path of the file, or "frame"
    cells : each column, (rows,)
    word, places : what a row is called, and its number: that of the line in a file; rows of a frame count from 1
    marks : the decimal mark of columns of texts
    kinds : what a frame of results is like, by the column of its times; nothing for a file
    """

    source: str
    cells: Mapping[str, np.ndarray | list[str]]
    word: str
    places: Sequence[int]
    marks: Mapping[str, str]
    kinds: Mapping[str, FrameKind]

    def check_uses(self, names: Sequence[str]) -> None:
        """Raise `DataError` for a name that no column has, and one that is used twice."""
        for name in names:
            if name not in self.cells:
                listed = ", ".join(list(self.cells)[:LISTED])
                raise DataError(f"{self.source}: there is no column '{name}'.{nearest(name, self.cells)} Columns: {listed}.")
            if names.count(name) > 1:
                raise DataError(f"{self.source}: column '{name}' is named {names.count(name)} times; a column has one use.")

    def numbers(self, name: str) -> np.ndarray:
        """A column (rows,) of numbers, NaN where a cell is missing. Raises `DataError` for a cell that is no number."""
        cells = self.cells[name]
        if isinstance(cells, np.ndarray):
            if cells.dtype.kind == "M":
                raise DataError(f"{self.source}: column '{name}' holds dates, not numbers; choose another.")
            return cells
        mark = self.marks.get(name, ".")
        out = np.full(len(cells), np.nan)
        for row, text in enumerate(cells):
            if text.lower() not in MISSING:
                value = number(text, mark)
                if value is None or not math.isfinite(value):
                    what = f"{text[:40]!r} is not a number{remedy(text, mark) or '; correct it or leave it blank'}"
                    raise DataError(f"{self.place(row, name)}: {what}.")
                out[row] = value
        return out

    def times(self, name: str) -> np.ndarray:
        """A column (rows,) of NumPy dates, as they are written. Raises `DataError` for a cell that is no time."""
        cells = self.cells[name]
        if isinstance(cells, np.ndarray) and cells.dtype.kind == "M":
            for row in np.flatnonzero(np.isnat(cells))[:1].tolist():
                raise DataError(f"{self.place(row, name)}: the time is blank; fill it or remove the row first.")
            return cells
        return read_times(self.texts(name), name, place=lambda row: self.place(row, name))

    def texts(self, name: str) -> list[str]:
        """A column as texts, "" where a cell is missing; a whole number has no decimals."""
        cells = self.cells[name]
        if isinstance(cells, list):
            return cells
        if cells.dtype.kind == "M":
            return [str(value) for value in cells]
        return ["" if value != value else str(int(value)) if value.is_integer() else repr(value) for value in cells.tolist()]

    def place(self, row: int, name: str) -> str:
        """Where a cell is; rows count from 0."""
        return f"{self.source}, {self.word} {self.places[row]}, column '{name}'"

    def time_column(self, unused: Sequence[str]) -> str | None:
        """The first column that can only be times: numbers are times in a column with a name of `TIME_NAMES` alone."""
        for name in unused:
            cells = self.cells[name]
            if isinstance(cells, np.ndarray) and cells.dtype.kind == "M":
                return name
            first = next((text for text in self.texts(name) if text), "")
            if number(first) is not None and name.lower() not in TIME_NAMES:
                continue
            try:
                read_times([first], name)
            except DataError:
                continue
            return name
        return None

    def candidates(self, unused: Sequence[str]) -> list[str]:
        """The columns of numbers that may be targets: no index, which only rises by one, if there are others."""
        numeric: list[str] = []
        index: list[str] = []
        for name in unused:
            cells = self.cells[name]
            if isinstance(cells, np.ndarray) and cells.dtype.kind == "M":
                continue
            texts = self.texts(name)
            values = [number(text, self.marks.get(name, ".")) for text in texts if text.lower() not in MISSING]
            known = [value for value in values if value is not None and math.isfinite(value)]
            if known and 2 * len(known) > len(values):
                rising = len(known) == len(texts) and {b - a for a, b in pairwise(known)} == {1.0}
                (index if rising else numeric).append(name)
        return numeric or index


def read_columns(data: Any) -> Columns:
    """The columns of a file, CSV or Parquet, by its path, or of a frame. Raises `DataError` for what cannot be read."""
    if is_frame(data):
        return _of_frame(data, "frame")
    path: PathLike = data
    if os.fspath(path).endswith(".parquet"):
        return _of_frame(read_parquet(path), os.fspath(path))
    columns, lines, marks = read_cells(path)
    return Columns(os.fspath(path), columns, "line", lines, marks, {})


def _of_frame(frame: Any, source: str) -> Columns:
    """The columns of a frame."""
    cells, kinds = read_frame(frame)
    rows = len(next(iter(cells.values()))) if cells else 0
    if rows == 0:
        raise DataError(f"{source}: is empty; give rows of numbers.")
    return Columns(source, cells, "row", range(1, rows + 1), {}, kinds)
