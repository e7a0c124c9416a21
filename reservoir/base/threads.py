"""The number of threads of the library's kernels, running them side by side, and what the threads of a process share.

`RESERVOIR_NUM_THREADS` sets the number; the default is the number of cores that the process may use. Results do not depend on
it: a thread works on whole sequences, and kernels release the GIL. BLAS and LAPACK have threads of their own.
"""

from __future__ import annotations

import functools
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from reservoir.validation import ParameterError


def thread_count() -> int:
    """Return the number of threads to use. Raises `ParameterError` when the environment variable is not a positive integer."""
    text = os.environ.get("RESERVOIR_NUM_THREADS", "")
    if text:
        if not text.isdigit() or int(text) < 1:
            raise ParameterError(f"RESERVOIR_NUM_THREADS must be an integer in [1, inf). Got {text!r} instead.")
        return int(text)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def split_work(work: Callable[[int, int], None], items: int) -> None:
    """Call `work(first, last)` on contiguous ranges that cover `items`, one per thread, and wait for all."""
    threads = min(thread_count(), items)
    if threads <= 1:
        work(0, items)
        return
    borders = [items * k // threads for k in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, borders[:-1], borders[1:]))


class _Shared:
    """A block of which a process has only one: overlapping blocks of several threads enter it once and leave it once."""

    def __init__(self, block: Callable[[], AbstractContextManager[Any]]) -> None:
        self.block, self.lock, self.users = block, threading.Lock(), 0

    def __enter__(self) -> None:
        with self.lock:
            if not self.users:
                self.entered = self.block()
                self.entered.__enter__()
            self.users += 1

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.users -= 1
            if not self.users:
                self.entered.__exit__(None, None, None)


@functools.cache
def _blas() -> Any:
    import scipy.linalg.blas  # noqa: F401 - its BLAS must be loaded to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def _take_control() -> None:
    """Let this thread set limits: since 3.8, threadpoolctl silently ignores every thread but the first that set one."""
    for library in _blas().lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


@contextmanager
def _limited_blas() -> Iterator[None]:
    _take_control()
    limit = _blas().limit(limits=1)
    try:
        yield
    finally:
        _take_control()
        limit.restore_original_limits()
        _take_control()  # so that the next thread finds no owner


_one_blas_thread = _Shared(_limited_blas)


def one_blas_thread() -> AbstractContextManager[None]:
    """Run a block with BLAS on one thread, where the parallel work is divided into larger parts than products.

    Blocks of several threads may overlap: BLAS has its threads back when the last of them ends.
    """
    return _one_blas_thread


_texts = threading.local()


@contextmanager
def _sorted_warnings() -> Iterator[None]:
    """Show no warning of a thread that collects them as texts."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def sort_out(message: Warning | str, *arguments: Any, **named: Any) -> None:
            texts = getattr(_texts, "now", None)
            if texts is None:
                show(message, *arguments, **named)
            elif str(message) not in texts:
                texts.append(str(message))

        warnings.simplefilter("always")
        warnings.showwarning = sort_out
        yield


_warnings = _Shared(_sorted_warnings)


@contextmanager
def warnings_as_texts() -> Iterator[list[str]]:
    """Collect the warnings of this thread while the block lasts, each text once; warnings of other threads are shown.

    Blocks of several threads may overlap, unlike those of `warnings.catch_warnings`.
    """
    texts: list[str] = []
    with _warnings:
        before = getattr(_texts, "now", None)
        _texts.now = texts
        try:
            yield texts
        finally:
            _texts.now = before
