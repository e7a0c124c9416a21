"""How many threads our own kernels use, and running them side by side. Kernels release the GIL; plain threads do.

What a process has only one of (the threads of its BLAS, its filters of warnings) is shared by blocks that overlap.

`RESERVOIR_NUM_THREADS` sets the number, the cores this process may use are the default. Results do not depend on it: a
thread works on whole sequences. BLAS and LAPACK have threads of their own (`threadpoolctl` limits them).
"""

from __future__ import annotations

import functools
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from reservoir.validation import ParameterError


def thread_count() -> int:
    """The number of threads to use. Raises `ParameterError` when the environment variable is not a positive integer."""
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


@functools.cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def _take_control() -> None:
    """Let this thread set limits: since 3.8, threadpoolctl has all but the first that ever did fail to, without a word."""
    for library in _blas().lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


_limited = threading.Lock()
_limits: list[Any] = []  # one for each block that is under way, the first of which set the limit


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Run a block with BLAS on one thread, where the parallel work is divided into larger parts than products.

    Blocks may overlap in several threads: BLAS has its threads back when the last of them ends.
    """
    import scipy.linalg.blas  # noqa: F401 - its BLAS must be loaded to be found

    with _limited:
        if not _limits:
            _take_control()
        _limits.append(_limits[0] if _limits else _blas().limit(limits=1))
    try:
        yield
    finally:
        with _limited:
            limit = _limits.pop()
            if not _limits:
                _take_control()
                limit.restore_original_limits()
                _take_control()  # and leave it to whoever comes next


_recorded = threading.Lock()
_texts: dict[int, list[str]] = {}  # by the threads that have a block under way
_caught: list[warnings.catch_warnings[None]] = []  # by the first of these


@contextmanager
def warnings_as_texts() -> Iterator[list[str]]:
    """A list to which the warnings of this thread go while the block lasts, each text once; those of others are shown.

    Blocks may overlap in several threads, which those of `warnings.catch_warnings` may not.
    """
    thread = threading.get_ident()
    texts: list[str] = []
    with _recorded:
        if not _texts:
            _catch_all()
        before = _texts.get(thread)
        _texts[thread] = texts
    try:
        yield texts
    finally:
        with _recorded:
            _texts.pop(thread)
            if before is not None:
                _texts[thread] = before
            if not _texts:
                _caught.pop().__exit__(None, None, None)


def _catch_all() -> None:
    caught = warnings.catch_warnings()
    caught.__enter__()
    _caught.append(caught)
    show = warnings.showwarning

    def sort_out(message: Warning | str, *arguments: Any, **named: Any) -> None:
        texts = _texts.get(threading.get_ident())
        if texts is None:
            show(message, *arguments, **named)
        elif str(message) not in texts:
            texts.append(str(message))

    warnings.simplefilter("always")
    warnings.showwarning = sort_out
