"""Writing files: outputs are checked before the work, errors name the file, and a new file replaces an old one when complete."""

from __future__ import annotations

import csv
import errno
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reservoir.validation import ParameterError

STDOUT = "-"
"""The path that stands for standard output."""


def check_outputs(*paths: str | None, sources: Iterable[str | None] = ()) -> None:
    """Fail before the work rather than after it if a file cannot be written, or would replace another or a source.

    Raises
    ------
    ParameterError
        Two of the paths are one file, or one is a source.
    OSError
        A folder is missing or cannot be written to, or the path is a folder or a device.
    """
    taken = {Path(source).resolve() for source in sources if source is not None}
    for target in [Path(path) for path in paths if path not in (None, STDOUT)]:
        if target.resolve() in taken:
            raise ParameterError(f"{target}: is the input or another output, which it would replace; give another name.")
        taken.add(target.resolve())
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
        if target.exists() and not target.is_file():
            raise OSError(errno.EINVAL, "is not a file, and one would replace it", str(target))
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
        _try_writing(target, target.parent)


def check_folder(path: str) -> None:
    """Fail before the work rather than after it if files cannot be written into a folder, which need not exist yet.

    Raises OSError if its parent is missing, if it is a file, or if it cannot be written to.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
    _try_writing(target, target if target.is_dir() else target.parent)


def _try_writing(target: Path, folder: Path) -> None:
    """Write a file without a name into a folder; an error names the target, or the folder that is missing."""
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(folder))
    with writing(target), tempfile.TemporaryFile(dir=folder):
        pass


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put the name of the file into an error of the system, which names none or a temporary one."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise


@contextmanager
def replaced(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`: it is moved into place when the block succeeds, and removed when it fails."""
    target = Path(path).resolve()  # through a symbolic link, which stays
    handle, name = tempfile.mkstemp(dir=target.parent or ".", prefix=f".{target.name}.")
    os.close(handle)
    try:
        yield Path(name)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_csv(path: str | os.PathLike[str], header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a header and rows as CSV, numbers in full; an older file is replaced once the new one is complete.

    The path "-" is standard output.
    """
    if path == STDOUT:
        csv.writer(sys.stdout, lineterminator="\n").writerows([header, *rows])
        return
    with writing(path), replaced(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
