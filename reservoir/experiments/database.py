"""Opens the SQLite file under a store so that nothing that was committed is lost, and puts its errors into our words."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reservoir.validation import StoreError

APPLICATION = 0x52535750  # marks the file as ours
VERSION = 1
MEMORY = ":memory:"
"""The path of a store that is not kept."""
PATIENCE = 10.0
"""Seconds to wait for another program's lock."""
SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE subjects (id INTEGER PRIMARY KEY, facts TEXT NOT NULL UNIQUE);
CREATE TABLE trials (
    id INTEGER PRIMARY KEY, subject INTEGER NOT NULL REFERENCES subjects, parameters TEXT NOT NULL,
    UNIQUE (subject, parameters)
);
CREATE TABLE environments (id INTEGER PRIMARY KEY, versions TEXT NOT NULL UNIQUE);
CREATE TABLE data (
    subject INTEGER NOT NULL REFERENCES subjects, seed INTEGER NOT NULL, hash TEXT NOT NULL, baseline REAL,
    PRIMARY KEY (subject, seed)
);
CREATE TABLE runs (
    key BLOB PRIMARY KEY, trial INTEGER NOT NULL REFERENCES trials, seed INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('done', 'failed', 'pruned')),
    score REAL, scores TEXT, error TEXT, warnings TEXT, curve TEXT, n_parameters INTEGER, fit_seconds REAL, predict_seconds REAL,
    attempts INTEGER NOT NULL, finished TEXT NOT NULL, environment INTEGER REFERENCES environments,
    history TEXT, predictions BLOB, UNIQUE (trial, seed)
);
CREATE VIEW everything AS
    SELECT runs.trial, trials.parameters, runs.seed, runs.status, runs.score, runs.scores, runs.error, runs.warnings, runs.curve,
        runs.n_parameters, data.baseline, data.hash AS data_hash, runs.fit_seconds, runs.predict_seconds, runs.attempts,
        runs.finished, environments.versions, lower(hex(runs.key)) AS key, subjects.facts AS subject
    FROM runs JOIN trials ON trials.id = runs.trial JOIN subjects ON subjects.id = trials.subject
        LEFT JOIN data ON data.subject = trials.subject AND data.seed = runs.seed
        LEFT JOIN environments ON environments.id = runs.environment
    ORDER BY runs.trial, runs.seed;
"""
KEPT = "what was committed is kept; then run the same command again"
SYSTEM_ERRORS = (
    ({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}, errno.EBUSY,
     f"is locked by another program that writes to it; wait for that to end; {KEPT}"),
    ({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}, errno.ENOSPC,
     f"cannot be written to, the disk is full or broken ({{}}); make room; {KEPT}"),
    ({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}, errno.EACCES, "cannot be opened for this ({})"),
)  # fmt: skip
"""The errors of SQLite that come from the system: their number there, and a text; {} holds SQLite's own words."""


def connected(path: str | os.PathLike[str], how: str) -> sqlite3.Connection:
    """Connect without implicit transactions; `how` is an option of SQLite's, as mode=rwc."""
    if os.fspath(path) == MEMORY:
        return sqlite3.connect(MEMORY, isolation_level=None)
    return sqlite3.connect(f"{Path(path).absolute().as_uri()}?{how}", uri=True, timeout=PATIENCE, isolation_level=None)


def reading_connection(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """Connect to read the file as it is at this moment, whatever others write. The log of a dead writer stays for the next."""
    log = size_of(path, "-wal")
    try:
        return _reading(path, "mode=ro" if log else "mode=rw")  # with mode=rw, SQLite removes its index afterwards
    except sqlite3.OperationalError as error:
        if log or error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        return _reading(path, "immutable=1")  # the folder is read-only: nobody can write


def _reading(path: str | os.PathLike[str], how: str) -> sqlite3.Connection:
    connection = connected(path, how)
    try:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def size_of(path: str | os.PathLike[str], suffix: str = "") -> int:
    """Return the size of the file, or of one beside it. Raises `StoreError` for an empty one whose log SQLite would delete."""
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, "is a folder, not a file", str(path))
    beside = Path(f"{os.fspath(path)}{suffix}")
    size = beside.stat().st_size if beside.exists() else 0
    if not suffix and not size and size_of(path, "-wal"):
        text = f"is empty, but the log {path}-wal beside it is not; both are left as they are. Give another store."
        raise StoreError(f"{path}: {text}")
    return size


def check_file(connection: sqlite3.Connection, path: str | os.PathLike[str], new: bool) -> None:
    """Raise `StoreError` for a file that is no store of ours, is damaged, or is newer."""
    [[application], [version]] = [connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")]
    [objects] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION and (objects or application or not new):
        raise StoreError(f"{path}: is not a store of runs.")
    if version > VERSION:
        raise StoreError(f"{path}: was written by a newer version of this software; use that one.")
    [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise _damaged(path, found)


def _damaged(path: str | os.PathLike[str], what: object) -> StoreError:
    reason, remedy = " ".join(str(what).split()), "`sqlite3 FILE .recover` may save rows. Give another store."
    return StoreError(f"{path}: is damaged or cut off ({reason}); it is left as it is, {remedy}")


@contextmanager
def explained(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise SQLite's errors in our words."""
    try:
        yield
    except UnicodeDecodeError as error:  # SQLite names a part of the file, in broken UTF-8
        raise _damaged(path, error) from None
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.ProgrammingError):
            raise
        extended = getattr(error, "sqlite_errorcode", 0)
        code = extended & 0xFF
        if code == sqlite3.SQLITE_CANTOPEN and not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(path)) from None
        for codes, number, text in SYSTEM_ERRORS:
            if code in codes and extended != sqlite3.SQLITE_IOERR_SHORT_READ:
                raise OSError(number, text.format(error), str(path)) from None
        if code == sqlite3.SQLITE_NOTADB:
            text = "is not a store of runs, or its start is damaged; it is left as it is. Give another store."
            raise StoreError(f"{path}: {text}") from None
        raise _damaged(path, error) from None


@contextmanager
def understood(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise SQLite's errors as `explained` does; values other than those that were written mean that the file is damaged."""
    with explained(path):
        try:
            yield
        except (ValueError, TypeError, KeyError) as error:
            raise _damaged(path, error) from None
