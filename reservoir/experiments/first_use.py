"""The time that a process spends on compiling kernels, or on loading compiled ones, when it first uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numba.core.event import Event, Listener, TimingListener, install_listener

from reservoir.base.progress import listener

NOTICE = "Compiling kernels, which takes some seconds; they are kept for later commands."


class _Notice(Listener):
    """Tells whoever watches, once, that kernels are being compiled."""

    def __init__(self) -> None:
        self.tell, self.told = listener(), False

    def on_start(self, event: Event) -> None:
        if not self.told:
            self.told = True
            self.tell(NOTICE)

    def on_end(self, event: Event) -> None:
        pass


@contextmanager
def first_use() -> Iterator[Callable[[], float]]:
    """Measure within a block; yield a function that returns the seconds of compiling and loading so far.

    Numba holds one lock while it does either; seconds of several threads that overlap count once.
    """
    with install_listener("numba:compiler_lock", TimingListener()) as lock:
        yield lambda: float(lock.duration) if lock.done else 0.0


@contextmanager
def announced() -> Iterator[None]:
    """Tell whoever watches when kernels are compiled within a block."""
    with install_listener("numba:compile", _Notice()):
        yield
