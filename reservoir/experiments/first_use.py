"""The time that a process spends on compiling kernels, or on loading compiled ones, when it first uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numba.core.event import TimingListener, install_listener


@contextmanager
def first_use() -> Iterator[Callable[[], float]]:
    """Measure within a block; yield a function that returns the seconds of compiling and loading so far.

    Numba holds one lock while it does either; seconds of several threads that overlap count once.
    """
    with install_listener("numba:compiler_lock", TimingListener()) as lock:
        yield lambda: float(lock.duration) if lock.done else 0.0
