"""The files that a command is to write: checked before the work, named in the errors of the system."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reservoir.validation import ParameterError


def check_outputs(*paths: str | None, source: str | None = None) -> None:
    """Fail before the work rather than after it if a file cannot be written, or would replace another or the `source`.

    Raises
    ------
    ParameterError
        Two of the paths are one file, or one is the `source`.
    OSError
        A folder is missing or cannot be written to, or the path is a folder or a device.
    """
    taken = set() if source is None else {Path(source).resolve()}
    for target in [Path(path) for path in paths if path is not None]:
        if target.resolve() in taken:
            raise ParameterError(f"{target}: is the input or another output, which it would replace; give another name.")
        taken.add(target.resolve())
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
        if not target.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "no such folder", str(target.parent))
        if target.exists() and not target.is_file():
            raise OSError(errno.EINVAL, "is not a file, and one would replace it", str(target))
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
        with writing(str(target)), tempfile.TemporaryFile(dir=target.parent):
            pass


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name the file in a system's error from the block, which names none or a temporary one."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise
