"""Prints what the commands show: the progress bar, tables, JSON and errors."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from reservoir.base.tables import Table

AT_RUN_TIME = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EBUSY)
"""Errors of the system that no other input would fix."""


class Bar:
    """A progress bar that counts parts, and may show how far it is within those that are under way.

    Without a `display` every call does nothing; `shown` tells whether there is one.
    """

    def __init__(self, display: Any, label: str, total: int) -> None:
        self.shown = display is not None
        self._display, self._label, self._total = display, label, total
        self._finished, self._under_way = 0, dict[int, float]()
        if self.shown:
            self._task = display.add_task(label, total=total, visible=total > 1)

    def step(self, part: int = 0) -> None:
        """Counts a part as finished."""
        self._under_way.pop(part, None)
        self._finished += 1
        if self._total > 1:
            self._update()

    def within(self, text: str, part: int = 0, done: int = 0, of: int = 1) -> None:
        """Shows that a part has done `done` of `of` steps; `text` describes it. A bar of a single part counts its steps."""
        self._under_way[part] = done / of
        single = {"completed": done, "total": of, "visible": True} if self._total == 1 else {}
        self._update(description=f"{self._label} {text}".strip(), **single)

    def epochs(self, text: str, part: int = 0) -> Callable[[Mapping[str, Any], int], None]:
        """Returns what training calls after every epoch, with its record and the number of epochs; `text` names the part."""

        def report(record: Mapping[str, Any], epochs: int) -> None:
            self.within(f"{text}: {epoch_text(record)}", part, record["epoch"] + 1, epochs)

        return report

    def parts(self, texts: Sequence[str]) -> Callable[[int, tuple[Mapping[str, Any], int] | None], None]:
        """Returns what parallel work calls with a part's index: and None at its start, or the record and number of epochs."""

        def report(part: int, epoch: tuple[Mapping[str, Any], int] | None) -> None:
            if epoch is None:
                self.within(texts[part], part)
            else:
                self.epochs(texts[part], part)(*epoch)

        return report

    def at(self, finished: int, text: str, before: int = 0) -> None:
        """Sets the number of finished parts, `before` of them from before the start; `text` describes the rest."""
        if self.shown and before and not self._finished:
            self._display.reset(self._task, completed=before)  # they do not count for the speed
        self._finished = finished
        self._update(description=f"{self._label}: {text}".removesuffix(": "))

    def _update(self, **fields: Any) -> None:
        if self.shown:
            self._display.update(self._task, **{"completed": self._finished + sum(self._under_way.values()), **fields})


@contextmanager
def progress(label: str, total: int, as_json: bool) -> Iterator[Bar]:
    """Shows a progress bar on stderr, if that is a terminal and no JSON goes there too."""
    if not sys.stderr.isatty() or (as_json and sys.stdout.isatty()):
        yield Bar(None, label, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    text = TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"))
    columns = (BarColumn(12), MofNCompleteColumn(), TimeRemainingColumn(), text)
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, expand=True) as display:
        yield Bar(display, label, total)


def epoch_text(record: Mapping[str, Any]) -> str:
    """Describes an epoch of training for a progress bar."""
    return f"loss {record['loss']:.4g}, gradient {record['gradient_norm']:.2g}, {record['steps_per_second']:,.0f} steps/s"


def print_table(table: Table) -> None:
    """A table on stdout and lines beneath it."""
    click.echo(str(table))


def print_json(value: Any) -> None:
    """One line of JSON, at once; arrays as lists, numbers that are not finite as null."""
    from reservoir.base.tables import as_json

    click.echo(json.dumps(as_json(value)))
    sys.stdout.flush()


def drawing(path: str | None, optional: bool = False) -> Any:
    """Returns the plotting module, after a check that it can draw to the path; None without a path.

    It is also None where a picture is `optional` and matplotlib is missing.
    """
    if path is None or (optional and find_spec("matplotlib") is None):
        return None
    from reservoir import plotting

    plotting.check(path)
    return plotting


def explanation(error: BaseException) -> tuple[str, int]:
    """Returns the line that explains an error, and the exit status: 2 for bad input, 1 at run time, 130 for Ctrl-C.

    An unforeseen error is raised again.
    """
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return "Interrupted; what was finished is kept.", 130
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        return f"Error: {error.format_message()}" + (f" See {context.command_path} --help." if context else ""), 2
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"Error: {where}{error.strerror or error}", 1 if error.errno in AT_RUN_TIME else 2
    if isinstance(error, MemoryError):
        return f"Error: not enough memory ({error}); use fewer units or a shorter series.", 1
    from reservoir.experiments.workers import WorkerError
    from reservoir.validation import DataError, DivergenceError, ModelFileError, ParameterError, StoreError

    if isinstance(error, (ParameterError, DataError, ModelFileError, StoreError)):
        return f"Error: {' '.join(str(error).split())}", 2
    if isinstance(error, (DivergenceError, WorkerError)):
        return f"Error: {error}", 1
    raise error
