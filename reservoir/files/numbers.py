"""Numbers as people write them: decimal points or commas, thousands separators."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from reservoir.validation import DataError

SPACES = "' \u2019\u00a0\u202f"
GROUPED = {
    "." : re.compile(rf"[+-]?\d{{1,3}}([,{SPACES}])\d{{3}}(?:\1\d{{3}})*(?:\.\d*)?"),
    ",": re.compile(rf"[+-]?\d{{1,3}}([.{SPACES}])\d{{3}}(?:\1\d{{3}})*(?:,\d*)?"),
}  # fmt: skip
PLAIN = {".": re.compile(r"[+-]?\d*\.\d*(?:[eE][+-]?\d+)?"), ",": re.compile(r"[+-]?\d*,\d*(?:[eE][+-]?\d+)?")}
EITHER_WAY = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}")
"""1,234 may be 1.234 or 1234."""
SEPARATORS = str.maketrans("", "", SPACES)


def number(cell: str, mark: str = ".") -> float | None:
    """The number in a cell with this decimal mark, a point or a comma, and maybe thousands separators; None for other text.

    Thousands are set off by the other mark, a space or an apostrophe. Python's digit groups (1_000) are no numbers in a file.

    >>> number("1,234.5"), number("1.234,5", ","), number("12 345"), number("1,5"), number("1_000")
    (1234.5, 1234.5, 12345.0, None, None)
    """
    text = cell.strip()
    if GROUPED[mark].fullmatch(text):
        text = text.translate(SEPARATORS).replace("," if mark == "." else ".", "")
    elif mark == "," and "." in text:
        return None
    try:
        return None if "_" in text else float(text.replace(",", ".") if mark == "," else text)
    except ValueError:
        return None


def any_number(cell: str) -> float | None:
    """The number in a cell with either decimal mark; None for other text."""
    value = number(cell)
    return number(cell, ",") if value is None else value


def remedy(cell: str, mark: str) -> str:
    """The remedy for a cell that is no number, where it has the other decimal mark than its column."""
    return (
        "" if any_number(cell) is None else f"; the column has decimal {'points' if mark == '.' else 'commas'}, write all alike"
    )


def decimal_marks(columns: Mapping[str, Sequence[str]], delimiter: str) -> dict[str, str]:
    """The decimal mark of every column of a file: what most of its cells show that show one.

    Where all cells of a column may be read either way, as 1,234 and 1.234 may, a comma is a decimal comma after semicolons
    and sets off thousands after commas, and a point is a decimal point. A `DataError` is raised, with the column and the
    cell, where other columns of the file have the other mark, and for commas after tabs if no column has decimal commas.
    """
    if not any("," in cell for cells in columns.values() for cell in cells):
        return dict.fromkeys(columns, ".")
    shown = {name: Counter(filter(None, map(_mark, cells))) for name, cells in columns.items()}
    everywhere = {mark for counts in shown.values() for mark in counts}
    marks = {}
    for name, counts in shown.items():
        unclear = next((match for cell in columns[name] if (match := EITHER_WAY.fullmatch(cell.strip()))), None)
        if counts or unclear is None:
            marks[name] = counts.most_common(1)[0][0] if counts else "."
            continue
        mark = "." if delimiter == "," else unclear[1]
        if everywhere - {mark} or (unclear[1] == "," and delimiter not in ",;" and not everywhere):
            raise DataError(
                f"column '{name}': {unclear[0]!r} may have a decimal mark or a thousands separator; write decimals with a point,"
                " and no thousands separators."
            )
        marks[name] = mark
    return marks


def _mark(cell: str) -> str | None:
    """The decimal mark that a cell shows without doubt."""
    text = cell.strip()
    if EITHER_WAY.fullmatch(text):
        return None
    for mark, other in (".,", ",."):
        grouped = GROUPED[mark].fullmatch(text)
        if (PLAIN[mark].fullmatch(text) and len(text) > 1) or (grouped and (mark in text or grouped[1] == other)):
            return mark
    return None
