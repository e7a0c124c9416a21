"""The files in which Numba keeps compiled kernels: valid after any change of a kernel, and safe for several processes.

Numba names the files of a kernel by its line and checks the source of the kernel's own module only. But the machine code also
contains the kernels that it calls. So the file names carry a digest of all sources of kernels and one of Numba's settings.

Kernels of a user's own file, and the library's kernels compiled for weights of a user's own class, are in separate files, whose
names also carry a digest of the user's sources. Other processes, which may not have the user's module, never read them.
"""

import hashlib
import linecache
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
USERS_SOURCES: set[tuple[str, str]] = set()
"""The module and the digest of the source of every kernel that is not of the library."""


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


def note_source(module: str, file: str | None) -> None:
    """Add the source of a module to `USERS_SOURCES`, unless it is one of the library's; also a cell of a notebook."""
    if file is not None and not is_ours(module):
        linecache.checkcache(file)
        text = "".join(linecache.getlines(file))
        USERS_SOURCES.add((module, hashlib.sha256(text.encode()).hexdigest()))


def is_ours(module: str) -> bool:
    """Return whether a module is one of the library's."""
    return module.partition(".")[0] == __name__.partition(".")[0]


def modules_of(types: Any) -> Iterator[str]:
    """Return the modules of all NamedTuple classes in a signature's types."""
    for part in types if isinstance(types, tuple) else ():
        if kind := getattr(part, "instance_class", None):
            yield kind.__module__
        yield from modules_of(getattr(part, "types", None))


def users_digest(module: str, types: Any) -> str:
    """Return a hyphen and 8 digits that change with the user's sources, for a kernel of a module and a signature.

    The text is empty where neither the kernel nor a class in the signature is the user's.
    """
    modules = sorted({name for name in (module, *modules_of(types)) if not is_ours(name)})
    for name in modules:
        note_source(name, getattr(sys.modules.get(name), "__file__", None))
    return "-" + hashlib.sha256(repr((modules, sorted(USERS_SOURCES))).encode()).hexdigest()[:8] if modules else ""


def keep_apart(compiled: Any) -> Any:
    """Share the compiled code of a kernel only with processes of the same digest, one of which writes at a time.

    Numba numbers the files in an index, which it reads, writes back, and then follows with the code. Without a lock, two
    processes that compile a kernel for different types at once may take one number for both, and a third one may find the new
    index before the new code: the wrong code would run. Writing removes the files of other sources.
    """
    numbas: Any = getattr(compiled, "_cache", None)
    if not hasattr(numbas, "_cache_file"):  # none without the JIT
        return compiled
    module, new = compiled.py_func.__module__, type(numbas._cache_file)
    name = f"{numbas._impl.filename_base}{MARK}{digest()}-{settings_digest()}"
    note_source(module, compiled.py_func.__code__.co_filename)

    @cache
    def files_of(users: str) -> Any:
        return guarded(new(numbas.cache_path, name + users, numbas._impl.locator.get_source_stamp()))

    files = files_of("")
    load, save = files.load, files.save

    def load_there(key: Any) -> Any:
        users = users_digest(module, key[0])
        return (files_of(users).load if users else load)(key)

    def save_there(key: Any, code: Any) -> None:
        users = users_digest(module, key[0])
        (files_of(users).save if users else save)(key, code)

    files.load, files.save = load_there, save_there
    numbas._cache_file = files
    return compiled


def guarded(files: Any) -> Any:
    """Let the files of a kernel be read and written under a lock, and remove superseded ones when they are written."""
    read, write = files.load, files.save

    def load(*arguments: Any) -> Any:
        with locked(files._cache_path, "LOCK_SH"):
            return read(*arguments)

    def save(*arguments: Any) -> None:
        with locked(files._cache_path, "LOCK_EX"), suppress(OSError):  # a full disk, another user's files
            write(*arguments)
            remove_superseded(Path(files._cache_path))

    files.load, files.save = load, save
    return files


@contextmanager
def locked(folder: str, kind: str) -> Iterator[None]:
    """Run a block under a lock of a folder, where the folder exists and the system has locks."""
    if fcntl is None or not os.path.isdir(folder):
        yield
        return
    lock = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(lock, getattr(fcntl, kind))
        yield
    finally:
        os.close(lock)


def remove_superseded(folder: Path) -> None:
    """Delete the compiled kernels of this library in `folder` whose sources have another digest; other files stay."""
    for path in folder.glob(f"*{MARK}*.nb[ic]"):
        if f"{MARK}{digest()}-" not in path.name:
            with suppress(OSError):  # in use elsewhere (Windows), or another process was faster
                path.unlink()
