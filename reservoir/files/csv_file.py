"""Reading users' CSV files: columns of numbers, or one line that says what is wrong and where."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reservoir.files.numbers import any_number, decimal_marks, number, remedy
from reservoir.files.reading import PathLike, reading
from reservoir.validation import DataError, nearest

Row = tuple[int, list[str]]
"""The number of the line a row ends on, and its cells."""

FILL = "interpolate it first; without its row, all later ones would be a step early."
ROWS_AT_ONCE = 1000
"""Few, so that the garbage collector never walks over long lists of rows: that is two thirds of the time otherwise."""


def read_csv(path: PathLike, columns: Sequence[str] | None = None) -> tuple[np.ndarray, list[str]]:
    """Read columns of numbers of a CSV file, and their names.

    The delimiter (comma, semicolon, tab or white space) and a header line are recognized; without a header the columns
    are called "1", "2" and so on. UTF-8, with or without a mark, or else Latin-1; gzip is recognized. Decimal commas and
    thousands separators are read column by column: see `decimal_marks`. Blank lines are skipped, but within a file of one
    column they count as missing values.

    Parameters
    ----------
    path : the file
    columns : the names of the columns wanted, in the order wanted; None for the only one that holds numbers

    Returns
    -------
    values : (T, n_columns) float64
    names : list of the names of these columns

    Raises
    ------
    DataError
        The file cannot be read or is not a CSV file, a column is missing or its name not unique, rows differ in length,
        or a cell is blank, not a number or not finite.
    """
    text = _read_text(path)
    delimiter = _delimiter(text)
    rows = _rows(text, delimiter, path)
    sample = list(islice(rows, ROWS_AT_ONCE))
    if not sample:
        raise DataError(f"{path}: the file is empty; it needs rows of numbers.")
    width = len(sample[0][1])
    names = _names(sample)
    if not sample:
        raise DataError(f"{path}: has a header and no rows below it. Columns: {_listed(names)}.")
    positions = _choose(path, names, columns, [cells for _, cells in sample if len(cells) == width])
    chosen = {names[position]: position for position in positions}
    if "," not in text or (delimiter == "," and '"' not in text):
        return _convert(path, chain(sample, rows), width, chosen, dict.fromkeys(chosen, ".")), list(chosen)
    every = [*sample, *rows]
    marks = _marks(
        {name: [cells[k] for _, cells in every if len(cells) == width] for k, name in enumerate(names)}, delimiter, path
    )
    return _convert(path, iter(every), width, chosen, marks), list(chosen)


def read_header(path: PathLike) -> list[str]:
    """The names of all columns of a CSV file, "1", "2" and so on where it has no header."""
    text = _read_text(path)
    sample = list(islice(_rows(text, _delimiter(text), path), ROWS_AT_ONCE))
    if not sample:
        raise DataError(f"{path}: the file is empty; it needs rows of numbers.")
    return _names(sample)


def read_texts(path: PathLike, column: str, most: int | None = None) -> list[str]:
    """The texts of a column of a CSV file, of all rows or of the first `most`. Raises `DataError` as `read_csv`."""
    text = _read_text(path)
    rows = _rows(text, _delimiter(text), path)
    sample = list(islice(rows, ROWS_AT_ONCE))
    if not sample:
        raise DataError(f"{path}: the file is empty; it needs rows of numbers.")
    width, names = len(sample[0][1]), _names(sample)
    [index] = _choose(path, names, [column], [])
    found: list[str] = []
    every = chain(sample, rows)
    while (most is None or len(found) < most) and (block := list(islice(every, most or ROWS_AT_ONCE))):
        _check_widths(path, block, width)
        found += [cells[index].strip() for _, cells in block]
    return found


def _names(rows: list[Row]) -> list[str]:
    """The names of the columns, from the first row if that is a header, which is taken off."""
    names = [str(index + 1) for index in range(len(rows[0][1]))]
    if _is_header(rows):
        header = (" ".join(cell.split()) for cell in rows.pop(0)[1])
        names = [given or number for given, number in zip(header, names, strict=True)]
    return names


class Cells(NamedTuple):
    """The cells of a file: the texts of every column by name, the line that each row ends on, each column's decimal mark."""

    columns: dict[str, list[str]]
    lines: list[int]
    marks: dict[str, str]


def read_cells(path: PathLike) -> Cells:
    """All columns of a CSV file as texts by name, and the line that each row ends on; otherwise as `read_csv`.

    Raises `DataError` where the file cannot be read, rows differ in length, or two columns have one name.
    """
    text = _read_text(path)
    delimiter = _delimiter(text)
    rows = list(_rows(text, delimiter, path))
    if not rows:
        raise DataError(f"{path}: the file is empty; it needs rows of numbers.")
    width = len(rows[0][1])
    names = _names(rows)
    for name, count in Counter(names).items():
        if count > 1:
            raise DataError(f"{path}: {count} columns are called '{name}'; rename them.")
    _check_widths(path, rows, width)
    columns = {name: [cells[index].strip() for _, cells in rows] for index, name in enumerate(names)}
    return Cells(columns, [line for line, _ in rows], _marks(columns, delimiter, path))


def _marks(columns: Mapping[str, list[str]], delimiter: str, path: PathLike) -> dict[str, str]:
    """The decimal mark of every column; an error names the file."""
    try:
        return decimal_marks(columns, delimiter)
    except DataError as error:
        raise DataError(f"{path}, {error}") from None


def _check_widths(path: PathLike, rows: list[Row], width: int) -> None:
    """Raise `DataError` for a row that is longer or shorter than the first."""
    for line, cells in rows:
        if len(cells) != width:
            comma = "; a decimal comma under a comma separator? Write decimals with a point" if len(cells) > width else ""
            raise DataError(f"{path}, line {line}: has {len(cells)} cells where the first row has {width}{comma}.")


def _read_text(path: PathLike) -> str:
    """The decoded file, unpacked by gzip; every way in which a file cannot be read or is no text has its own line."""
    with reading(path, "CSV file"):
        content = Path(path).read_bytes()
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error):
            raise DataError(f"{path}: is a damaged gzip file; compress or download it again.") from None
    control = bytes([*range(9), *range(14, 32)])
    if len(content.translate(None, control)) < len(content):
        raise DataError(f"{path}: is not a CSV file, it has NUL or control bytes; save it as text in UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _lines(text: str) -> io.StringIO:
    """The lines as the csv module wants them: any of the three line ends, which are kept."""
    return io.StringIO(text, newline="")


def _delimiter(text: str) -> str:
    """The delimiter that splits most of the first lines into equally many cells; a space stands for white space.

    White space comes last: dates with a time of day, and names, have spaces inside a cell.
    """
    # 50 lines of 2,000 characters stay below the longest cell that the csv module accepts, whatever the quotes.
    lines = [line[:2000] for line in islice(_lines(text), 50) if line.strip()]
    best, most = ",", 0
    for delimiter in "\t;,":
        agreeing = _agreeing(csv.reader(lines, delimiter=delimiter))
        if agreeing > most:
            best, most = delimiter, agreeing
    if most == 0 and 2 * _agreeing(line.split() for line in lines) > len(lines):
        return " "
    return best


def _agreeing(rows: Iterator[list[str]]) -> int:
    """How many rows share the commonest number of cells, of those with more than one."""
    widths = Counter(len(cells) for cells in rows if len(cells) > 1)
    return max(widths.values(), default=0)


def _rows(text: str, delimiter: str, path: PathLike) -> Iterator[Row]:
    """The rows from the first that is not blank to the last that is not blank."""
    if delimiter == " ":
        yield from ((number, line.split()) for number, line in enumerate(_lines(text), start=1) if line.strip())
        return
    reader = csv.reader(_lines(text.rstrip(" \r\n")), delimiter=delimiter, skipinitialspace=True)
    width = 0
    try:
        for cells in reader:
            blank = not cells or (len(cells) == 1 and not cells[0].strip())
            if not blank:
                width = len(cells)
                yield reader.line_num, cells
            elif width == 1:
                yield reader.line_num, [""]
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: is not CSV: {error}.") from None


def _is_header(rows: list[Row]) -> bool:
    """Whether the first row is all words, or has a word above a number. Words above words (dates) tell nothing."""
    first = rows[0][1]
    words = [bool(cell.strip()) and any_number(cell) is None for cell in first]
    below = rows[1][1] if len(rows) > 1 else []
    return all(words) or any(word and any_number(cell) is not None for word, cell in zip(words, below, strict=False))


def _listed(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _choose(path: PathLike, names: list[str], columns: Sequence[str] | None, rows: list[list[str]]) -> list[int]:
    """The positions of the columns asked for, or of the only one whose cells are mostly numbers."""
    if columns is None:
        numeric = [index for index in range(len(names)) if _mostly_numbers([row[index] for row in rows])]
        if len(names) == 1 or len(numeric) == 1:
            return numeric or [0]
        found = f"{len(numeric)} columns hold numbers, choose among them" if numeric else "no column holds numbers"
        raise DataError(f"{path}: {found}. Columns: {_listed([names[index] for index in numeric] or names)}.")
    if not columns:
        raise DataError(f"{path}: no column was asked for. Columns: {_listed(names)}.")
    for column in columns:
        if names.count(column) > 1:
            raise DataError(f"{path}: {names.count(column)} columns are called '{column}'; rename them.")
        if column not in names:
            close = nearest(column, names)
            raise DataError(f"{path}: there is no column '{column}'.{close} Columns: {_listed(names)}.")
    return [names.index(column) for column in columns]


def _mostly_numbers(cells: list[str]) -> bool:
    """Whether over half of the cells that are not blank hold numbers, so that a few bad ones are told by their line."""
    return 2 * sum(any_number(cell) is not None for cell in cells) > sum(bool(cell.strip()) for cell in cells)


def _convert(path: PathLike, rows: Iterator[Row], width: int, chosen: Mapping[str, int], marks: Mapping[str, str]) -> np.ndarray:
    """The chosen columns as (T, n_columns) floats, a block at a time; only a block that fails is read cell by cell."""
    blocks = []
    while block := list(islice(rows, ROWS_AT_ONCE)):
        _check_widths(path, block, width)
        values = np.empty((len(block), len(chosen)))
        for position, (name, index) in enumerate(chosen.items()):
            texts = [cells[index] for _, cells in block]
            try:
                if marks[name] != "." or "_" in "".join(texts):
                    raise ValueError
                values[:, position] = np.fromiter(map(float, texts), float, len(texts))
            except ValueError:
                found = (number(text, marks[name]) for text in texts)
                values[:, position] = np.fromiter((np.nan if value is None else value for value in found), float, len(texts))
        if not np.isfinite(values).all():
            raise _culprit(path, block, chosen, marks)
        blocks.append(values)
    return np.concatenate(blocks)


def _culprit(path: PathLike, block: list[Row], chosen: Mapping[str, int], marks: Mapping[str, str]) -> DataError:
    """The error for the first chosen cell of the block that holds no finite number."""
    for line, cells in block:
        for name, index in chosen.items():
            cell, value = cells[index].strip(), number(cells[index], marks[name])
            place = f"{path}, line {line}, column '{name}'"
            if not cell:
                return DataError(f"{place}: the cell is blank; {FILL}")
            if value is None:
                return DataError(f"{place}: {cell[:40]!r} is not a number{remedy(cell, marks[name])}.")
            if not math.isfinite(value):
                what = "NaN" if math.isnan(value) else "infinity (inf)"
                return DataError(f"{place}: the cell holds {what}; {FILL}")
    raise AssertionError("a block without a bad cell was searched for one")
