"""One writer at a time: a lock beside a file, which the system takes back from a process that ends, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reservoir.files.writing import writing
from reservoir.validation import ModelFileError

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(path: str | os.PathLike[str]) -> Iterator[None]:
    """Hold the lock of a file, PATH.lock, while the block runs; the lock of a process that died counts as free.

    The lock is a file with the number of the process that holds it (`flock`), and is removed at the end. Raises `ModelFileError`
    where another process holds it, and OSError where it cannot be made.
    """
    if fcntl is None:
        yield
        return
    lock = Path(f"{Path(path).resolve()}.lock")
    while True:
        with writing(lock):
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(handle, 20).decode() or "another"
            os.close(handle)
            raise ModelFileError(f"{path}: is being updated by process {owner}; run again when that one is done.") from None
        if _is(handle, lock):
            break
        os.close(handle)  # the one before removed it meanwhile
    try:
        os.truncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _is(handle: int, path: Path) -> bool:
    """Whether an open file is the one at a path."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(handle), found)
