"""Tables of results as text, numbers for people, and plain data for JSON and CSV."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from shutil import get_terminal_size
from typing import Any, NamedTuple

import numpy as np

NO_NUMBERS = ("", "–", "inf", "-inf", "nan", "failed")
"""Texts that may stand among the numbers of a column that is aligned to the right."""


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
    """Return a table as text at most `width` wide, numbers right-aligned, with its notes beneath it."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Grid

    title, columns, rows, notes = table
    if not rows:
        return "\n".join([title, "", *notes])
    grid = Grid(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = index > 0 and all(row[index].lstrip("-.")[:1].isdigit() or row[index] in NO_NUMBERS for row in rows)
        short = index == 0 and max(len(row[0]) for row in rows) <= 30  # names that can stay whole
        least = max(len(row[index]) for row in rows) if numeric else None  # numbers stay whole
        grid.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=short, min_width=least)
    for row in rows:
        grid.add_row(*row)
    console = Console(width=width, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(grid)
    lines = [line.rstrip() for line in captured.get().rstrip().split("\n")]
    return "\n".join([*lines, *([""] if notes else []), *notes])
