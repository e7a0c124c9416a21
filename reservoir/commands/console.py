"""Prints what the commands show: the progress bar, results and errors."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import click

AT_RUN_TIME = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EBUSY)
"""Errors of the system that no other input would fix."""


QUIET_KEY = "reservoir.quiet"


def is_quiet() -> bool:
    """Returns whether the command that runs was given --quiet."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(QUIET_KEY))


def say(text: object, err: bool = False) -> None:
    """Prints what people read, on stderr if `err`, unless the command is quiet."""
    if not is_quiet():
        click.echo(text, err=err)


def announce(text: str) -> None:
    """Prints what a command is about to do on stderr, if that is a terminal and the command is not quiet."""
    if sys.stderr.isatty() and not is_quiet():
        click.echo(text, err=True)


def interrupted(store: str, runs: int) -> str:
    """Says after Ctrl-C how many runs a store keeps."""
    if not runs:
        return "Interrupted before any run was finished."
    kept = "the run that was" if runs == 1 else f"the {runs:,} runs that were"
    return f"Interrupted; {store} keeps {kept} finished. The same command continues from there."


class Bar:
    """A progress bar that counts parts, and shows how far it is within those under way. Without a `display` it shows nothing."""

    state: Any = None
    """The latest state of a sweep."""

    def __init__(self, display: Any, label: str, total: int) -> None:
        self._display, self._label, self._total = display, label, total
        self._finished, self._under_way = 0, dict[Hashable, float]()
        self._text, self._note, self._steps = "", "", dict[str, Any]()
        self._task = display.add_task(label, total=total, visible=total > 1) if display else None

    @property
    def is_shown(self) -> bool:
        """Whether anyone sees the bar."""
        return self._display is not None

    def note(self, text: str) -> None:
        """Prints a text above the bar."""
        if self._display:
            self._display.console.print(text, markup=False, highlight=False)

    def step(self, part: Hashable = 0) -> None:
        """Counts a part as finished."""
        self._under_way.pop(part, None)
        self._finished += 1
        if self._total > 1:
            self._update()

    def within(self, text: str, part: Hashable = 0, done: int = 0, of: int = 1) -> None:
        """Shows that a part has done `done` of `of` steps; `text` describes it. A bar of a single part counts its steps."""
        self._under_way[part], self._text = done / of, text
        self._steps = {"completed": done, "total": of, "visible": True} if self._total == 1 else {}
        self._update()

    def tell(self, text: str) -> None:
        """Prints a line above the bar."""
        if self._display:
            self._display.console.print(text, markup=False, highlight=False)

    def epochs(self, texts: Mapping[Any, str]) -> Callable[[Any, tuple[Mapping[str, Any], int] | None], None]:
        """Returns a function that work calls with a part and None when it starts, or (record of an epoch, number of epochs)."""

        def report(part: Any, epoch: tuple[Mapping[str, Any], int] | None) -> None:
            if epoch is None:
                self.within(texts[part], part)
                return
            record, epochs = epoch
            text = f"loss {record['loss']:.4g}, gradient {record['gradient_norm']:.2g}, {record['steps_per_second']:,.0f} steps/s"
            self.within(f"{texts[part]}: {text}", part, record["epoch"] + 1, epochs)

        return report

    def steps(self, texts: Mapping[Any, str]) -> Callable[[int, int], None]:
        """Returns a function that parts, done in the order of `texts`, call with the steps they have done and all their steps."""

        def report(done: int, total: int) -> None:
            part = list(texts)[self._finished]
            self.within(f"{texts[part]}: {done:,} of {total:,} steps", part, done, total)

        return report

    def sweep(self, state: Any, ended: Iterable[Hashable] = ()) -> None:
        """Shows the `Progress` of a sweep or a comparison; `ended` are the parts that are no longer under way.

        The runs that the store had before do not count for the speed.
        """
        for part in ended:
            self._under_way.pop(part, None)
        if self._display and self.state is None:
            self._display.reset(self._task, total=state.total, completed=state.kept, visible=state.total > 1)
        self.state, self._finished, self._note = state, state.kept + state.finished, state.text()
        self._update()

    def _update(self) -> None:
        work = f"{self._label} {self._text}".strip()
        shown = f"{self._note}; {work}" if self._note and self._text else f"{work}: {self._note}" if self._note else work
        if self._display:
            completed = self._finished + sum(self._under_way.values())
            self._display.update(self._task, **{"completed": completed, "description": shown, **self._steps})


@contextmanager
def progress(label: str, total: int, as_json: bool = False) -> Iterator[Bar]:
    """Shows a progress bar on stderr, if that is a terminal and no JSON goes there too."""
    if not sys.stderr.isatty() or is_quiet() or (as_json and sys.stdout.isatty()):
        yield Bar(None, label, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    text = TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"))
    columns = (BarColumn(12), MofNCompleteColumn(), TimeRemainingColumn(), text)
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, expand=True) as display:
        yield Bar(display, label, total)


def show(report: Any, as_json: bool) -> None:
    """Prints the table of a report, or its records, one JSON object a line."""
    if not as_json:
        say(report.table())
        return
    for record in report.records():
        print_json(record)


def print_json(value: Any) -> None:
    """Prints one line of JSON, at once; arrays as lists, numbers that are not finite as null."""
    import json

    from reservoir.base.tables import as_json

    click.echo(json.dumps(as_json(value)))
    sys.stdout.flush()


def can_draw(path: str | None, optional: bool = False) -> bool:
    """Returns whether there is a path to draw to; for an `optional` picture also whether matplotlib is installed.

    Raises `ParameterError` where the picture cannot be drawn; commands call this before the work.
    """
    if path is None or (optional and find_spec("matplotlib") is None):
        return False
    from reservoir import plotting

    plotting.check(path)
    return True


def draw(report: Any, path: str | None, *arguments: Any) -> None:
    """Draws a report to a file, if a path is given."""
    from reservoir.files.writing import writing

    if path is not None:
        with writing(path):
            report.plot(path, *arguments)


def wrote(as_json: bool, **files: str | None) -> None:
    """Says which files were written, by what each holds, on stderr where stdout is JSON; None was not asked for."""
    from reservoir.files.writing import STDOUT

    for what, path in files.items():
        if path not in (None, STDOUT):
            say(f"{what.capitalize()} written to {path}.", err=as_json)


def explanation(error: BaseException) -> tuple[str, int]:
    """Returns the line that explains an error, and the exit status: 2 for bad input, 1 at run time, 130 for Ctrl-C.

    Raises an unforeseen error again.
    """
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return "Interrupted.", 130
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
