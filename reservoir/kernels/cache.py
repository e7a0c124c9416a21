"""The files in which Numba keeps compiled kernels, where several processes use them at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def alone_with_its_files(compiled: Any) -> Any:
    """Let no process read or write a kernel's compiled code while another one writes it.

    Numba numbers the files by an index, which it reads, writes back, and then follows with the code itself. Without a lock, two
    processes that compile a kernel for different types at once may take one number for both, and a third one would find the
    new index before the new code; either way the wrong code would run.
    """
    files = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if fcntl is None or files is None:  # none without the JIT
        return compiled

    def locked(method: Callable[..., Any], kind: int) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            folder = os.path.dirname(files._index_path)
            if not os.path.isdir(folder):
                return method(*arguments)
            lock = os.open(folder, os.O_RDONLY)
            try:
                with suppress(OSError):  # a file system without locks
                    fcntl.flock(lock, kind)
                return method(*arguments)
            finally:
                os.close(lock)

        return run

    files.save, files.load = locked(files.save, fcntl.LOCK_EX), locked(files.load, fcntl.LOCK_SH)
    return compiled
