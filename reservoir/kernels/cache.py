"""The files in which Numba keeps compiled kernels: right after any change of a kernel, and where several processes use them.

Numba names the files of a kernel by its line and checks the source of its own module only. But the machine code also
holds what the kernel calls. So the file names carry a digest of all sources that hold kernels, and one of Numba's settings.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PACKAGE = Path(__file__).parent.parent
FOLDERS = (PACKAGE / "kernels", PACKAGE / "gradient" / "cells")  # no other module holds kernels
SETTINGS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "USING_SVML")
"""Settings of Numba that change machine code; Numba's own index knows its version, the CPU and the types alone."""
MARK = ".reservoir-"


@cache
def digest() -> str:
    """Return 16 hexadecimal digits that change with any source of a kernel."""
    found = hashlib.sha256()
    for source in sorted(path for folder in FOLDERS for path in folder.glob("*.py")):
        found.update(source.relative_to(PACKAGE).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def settings_digest() -> str:
    """Return 8 hexadecimal digits that change with any of `SETTINGS` and with the version of LLVM's bindings."""
    settings = [llvmlite.__version__, *(getattr(numba.config, name) for name in SETTINGS)]
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:8]


def keep_apart(compiled: Any) -> Any:
    """Let a kernel share its compiled code with processes of the same digest only, one of which writes at a time.

    Numba numbers the files by an index, which it reads, writes back, and then follows with the code itself. Without a lock, two
    processes that compile a kernel for different types at once may take one number for both, and a third one would find the
    new index before the new code; either way the wrong code would run. Whoever writes removes the files of other sources: a
    process that still runs older sources finds none of its own and compiles anew. Where nothing can be written, the code
    is compiled in every process.
    """
    numbas: Any = getattr(compiled, "_cache", None)
    if not hasattr(numbas, "_cache_file"):  # none without the JIT
        return compiled
    files = type(numbas._cache_file)(
        numbas.cache_path,
        f"{numbas._impl.filename_base}{MARK}{digest()}-{settings_digest()}",
        numbas._impl.locator.get_source_stamp(),
    )

    def save(*arguments: Any) -> None:
        with suppress(OSError):  # a full disk, another user's files
            write(*arguments)
            remove_superseded(Path(files._cache_path))

    write = files.save
    if fcntl is None:
        files.save = save
    else:
        files.save, files.load = locked(files, save, fcntl.LOCK_EX), locked(files, files.load, fcntl.LOCK_SH)
    numbas._cache_file = files
    return compiled


def locked(files: Any, method: Callable[..., Any], kind: int) -> Callable[..., Any]:
    """Return `method`, run under a lock of the folder of `files`."""

    def run(*arguments: Any) -> Any:
        if not os.path.isdir(files._cache_path):
            return method(*arguments)
        lock = os.open(files._cache_path, os.O_RDONLY)
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(lock, kind)
            return method(*arguments)
        finally:
            os.close(lock)

    return run


def remove_superseded(folder: Path) -> None:
    """Delete the compiled kernels of this library in `folder` whose sources have another digest; other files stay."""
    for path in folder.glob(f"*{MARK}*.nb[ic]"):
        if f"{MARK}{digest()}-" not in path.name:
            with suppress(OSError):  # in use elsewhere (Windows), or another process was faster
                path.unlink()
