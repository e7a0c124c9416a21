"""How many threads our own kernels use, and running them side by side. Kernels release the GIL; plain threads do.

`RESERVOIR_NUM_THREADS` sets the number, the cores this process may use are the default. Results do not depend on it: a
thread works on whole sequences. BLAS and LAPACK have threads of their own (`threadpoolctl` limits them).
"""

from __future__ import annotations

import functools
import os
import threading
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


_limited = threading.Lock()
_limits: list[Any] = []  # one for each block that is under way, the first of which set the limit


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Run a block with BLAS on one thread, where the parallel work is divided into larger parts than products.

    Blocks may overlap in several threads: BLAS has its threads back when the last of them ends.
    """
    import scipy.linalg.blas  # noqa: F401 - its BLAS must be loaded to be found

    with _limited:
        _limits.append(_limits[0] if _limits else _blas().limit(limits=1))
    try:
        yield
    finally:
        with _limited:
            limit = _limits.pop()
            if not _limits:
                limit.restore_original_limits()
