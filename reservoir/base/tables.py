"""Tables of results as text, numbers for people, and plain data for JSON and CSV."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from shutil import get_terminal_size
from typing import Any, NamedTuple

import numpy as np

NO_NUMBERS = ("", "–", "inf", "-inf", "nan", "failed")
"""Texts that may stand among the numbers of a column that is aligned to the right."""
GAPS = (3, 2)
"""The characters between two columns of a table: the first number with which all columns fit."""
NUMBER = re.compile(r"\d+(?:[.,]\d+)*(?:e[+-]?\d+)?")


class Table(NamedTuple):
    """A table for people: its title, the names of its columns, rows of text, and lines beneath it.

    `str(table)` is its text, as wide as the terminal allows.

    >>> print(Table("Scores", ["model", "nmse"], [["esn", "0.04"], ["lstm", "0.12"]], ["Lower is better."]))
    Scores
    <BLANKLINE>
     model   nmse
     ────────────
     esn     0.04
     lstm    0.12
    <BLANKLINE>
    Lower is better.
    """

    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str]

    def __str__(self) -> str:
        return table_text(self, table_width())


def table_width() -> int:
    """Return the width of the terminal, or 160 where there is none."""
    return get_terminal_size((160, 0)).columns


def number(value: float) -> str:
    """Return a number as text for people: four significant digits.

    >>> number(0.0123456)
    '0.01235'
    """
    return f"{value:.4g}"


def counted(count: int, thing: str) -> str:
    """Return a count with its noun.

    >>> counted(1, "seed"), counted(2000, "trial")
    ('1 seed', '2,000 trials')
    """
    return f"{count:,} {thing}{'s' * (count != 1)}"


def alike(texts: Sequence[str]) -> dict[str, list[int]]:
    """The places of texts that differ in numbers alone, by their common text, with … for a number that differs.

    >>> alike(["it diverged in step 7 of 90", "too short", "it diverged in step 12 of 90"])
    {'it diverged in step … of 90': [0, 2], 'too short': [1]}
    """
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, text in enumerate(texts):
        groups.setdefault(tuple(NUMBER.split(text)), []).append(place)
    found = {}
    for between, places in groups.items():
        columns = zip(*[NUMBER.findall(texts[place]) for place in places], strict=True)
        numbers = [column[0] if len(set(column)) == 1 else "…" for column in columns]
        found["".join(part for pair in zip(between, [*numbers, ""], strict=True) for part in pair)] = places
    return found


def duration(seconds: float) -> str:
    """A time for people, in the unit that fits.

    >>> duration(7.2), duration(200), duration(9000)
    ('7 s', '3 min', '2.5 h')
    """
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def better(task: Any) -> str:
    """Return the direction of a task's metric, in words."""
    return "higher is better" if task.higher_is_better else "lower is better"


MARK = "†"
"""Stands beside a score that is worse than the baseline's."""


def is_worse(task: Any, score: float | None, baseline: float) -> bool:
    """Return whether a score of a task is worse than the baseline's, or no number; a missing one is not."""
    return score is not None and not (score >= baseline if task.higher_is_better else score <= baseline)


def baseline_name(task: Any) -> str:
    """Return the name of a task's baseline: its `baseline_name`, if it has one."""
    return str(getattr(task, "baseline_name", "trivial baseline"))


def mark_note(task: Any, marked: bool) -> list[str]:
    """Return the line that explains the mark, where there is one."""
    return [f"{MARK} worse than the baseline ({baseline_name(task)})."] * marked


def as_json(value: Any) -> Any:
    """Turn a value into plain data for `json`: arrays into lists, infinite numbers and NaN into None, others into their repr."""
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [as_json(item) for item in value]
    if isinstance(value, np.generic):
        return as_json(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, int, bool, type(None))) else repr(value)


def csv_cells(row: Mapping[str, Any], columns: Sequence[str]) -> list[Any]:
    """Return the cells of a row for a CSV file: numbers in full, lists and mappings as JSON, None for no value."""
    plain = as_json(row)
    cells = [row[key] if isinstance(row[key], float) else plain[key] for key in columns]
    return [json.dumps(cell) if isinstance(cell, (dict, list)) else cell for cell in cells]


def table_text(table: Table, width: int) -> str:
    """Return a table as text at most `width` wide, numbers right-aligned, with its notes beneath it.

    Lines break between words. Columns that do not fit beside the others follow below, beside the first column again.
    """
    title, columns, rows, notes = table
    lines = textwrap.wrap(title, width, break_long_words=False, break_on_hyphens=False)
    if not rows:
        return "\n".join([*lines, "", *notes])
    texts = list(zip(columns, *rows, strict=True))
    least = [_least_width(index, column) for index, column in enumerate(texts)]
    gap = next((gap for gap in GAPS if _total(least, gap) <= width), GAPS[-1])
    parts = [[0]]
    for index in range(1, len(columns)):
        if len(parts[-1]) > 1 and _total([least[i] for i in (*parts[-1], index)], gap) > width:
            parts.append([0])
        parts[-1].append(index)
    for part in parts:
        lines += ["", *_grid_lines([texts[i] for i in part], [least[i] for i in part], gap, width)]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def _is_numeric(column: Sequence[str]) -> bool:
    """Return whether the cells below the head of a column are numbers."""
    return all(cell.lstrip("-.")[:1].isdigit() or cell in NO_NUMBERS for cell in column[1:])


def _least_width(index: int, column: Sequence[str]) -> int:
    """Return the width that a column needs: its numbers, its names of up to 30 letters and the words of its head stay whole."""
    longest = max(map(len, column[1:]))
    whole = _is_numeric(column) if index else longest <= 30
    return max(longest if whole else min(longest, 10), *map(len, column[0].split() or [""]))


def _total(widths: Sequence[int], gap: int) -> int:
    """Return the width of a line of columns, which begins with a space."""
    return 1 + sum(widths) + gap * (len(widths) - 1)


def _grid_lines(columns: Sequence[Sequence[str]], least: Sequence[int], gap: int, width: int) -> list[str]:
    """Return the lines of a grid of columns, each with its head; the widest columns give way until it fits into `width`."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Grid

    widths = [max(map(len, column)) for column in columns]
    while _total(widths, gap) > width:
        spare = [w if w > minimum else 0 for w, minimum in zip(widths, least, strict=True)]
        if not any(spare):
            break
        widths[spare.index(max(spare))] -= 1
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, gap - 2))
    for index, (column, its_width) in enumerate(zip(columns, widths, strict=True)):
        numeric = index > 0 and _is_numeric(column)
        grid.add_column(column[0], justify="right" if numeric else "left", overflow="fold", width=its_width)
    for row in zip(*[column[1:] for column in columns], strict=True):
        grid.add_row(*row)
    console = Console(width=_total(widths, gap) + 1, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(grid)
    return [line.rstrip() for line in captured.get().split("\n") if line.strip()]
