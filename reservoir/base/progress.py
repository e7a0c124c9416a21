"""How far long work is, for whoever watches it: the steps of sequences that a reservoir has run through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Watcher = Callable[[int, int], None]
"""Called with the steps done and the steps of the work under way."""
_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watching(report: Watcher) -> Iterator[None]:
    """Call `report` with how far the work within the block is."""
    token = _watcher.set(report)
    try:
        yield
    finally:
        _watcher.reset(token)


def advance(done: int, total: int) -> None:
    """Report how far the work is, if anyone watches."""
    report = _watcher.get()
    if report is not None:
        report(done, total)
