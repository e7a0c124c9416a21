"""How far long work is, for whoever watches it: the steps of sequences that a reservoir has run through, and notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Watcher = Callable[[int, int], None]
"""Called with the steps done and the steps of the work under way."""
_watcher: ContextVar[tuple[Watcher, Callable[[str], None]] | None] = ContextVar("watcher", default=None)


@contextmanager
def watching(report: Watcher, tell: Callable[[str], None]) -> Iterator[None]:
    """Call `report` with how far the work within the block is, and `tell` with what else the watcher should know."""
    token = _watcher.set((report, tell))
    try:
        yield
    finally:
        _watcher.reset(token)


def advance(done: int, total: int) -> None:
    """Report how far the work is, if anyone watches."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher[0](done, total)


def listener() -> Callable[[str], None]:
    """Return the function that takes notices for whoever watches now; other threads may call it."""
    watcher = _watcher.get()
    return (lambda text: None) if watcher is None else watcher[1]
