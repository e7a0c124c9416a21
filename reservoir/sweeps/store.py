"""The store of a sweep: one SQLite file, a row per run, which others may read while a sweep writes to it.

    runs           key (hash of what defines the run), trial, seed, status, score, times, error, ...
    trials         the parameters of each trial, as JSON
    environments   versions of what computed the runs
    data           the hash of each seed's data and the score of the trivial predictor
    about          what all runs have in common, and the version of this layout
    everything     a view that joins them, for any tool that reads SQLite

Rows are committed as they come, in write-ahead mode: a killed process loses none of them, a power cut at most the last few.
"""

from __future__ import annotations

import errno
import json
import math
import os
import sqlite3
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from reservoir.base.tables import as_json
from reservoir.base.values import canonical
from reservoir.sweeps import database
from reservoir.sweeps.database import explained, understood
from reservoir.sweeps.strategies import Outcome
from reservoir.sweeps.summary import RunTable
from reservoir.validation import StoreError


class Row(NamedTuple):
    """The result of a run."""

    key: bytes
    trial: int
    seed: int
    status: str  # "done", "failed" or "pruned"
    score: float | None = None
    scores: Mapping[str, float] | None = None
    error: str | None = None
    warnings: Sequence[str] = ()
    curve: Sequence[float] | None = None
    n_parameters: int | None = None
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    attempts: int = 1


COLUMNS = (*Row._fields, "finished", "environment")
RECORD = (
    f"INSERT INTO runs VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT (key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[3:])
    + " WHERE runs.status != 'done'"
)
"""The statement that adds a run. A run that is done stays as it is, a failed or a pruned one is replaced."""


class Store:
    """An open store: `Store.writing` for a sweep, `Store.reading` for anybody.

    Raises `StoreError` for a file of another kind, damaged, or from a newer version; OSError where it cannot be opened or
    written to, the disk is full, or another program keeps it locked.
    """

    def __init__(self, path: str | os.PathLike[str], connection: sqlite3.Connection) -> None:
        self.path = Path(path)
        self._connection = connection

    @classmethod
    @contextmanager
    def writing(cls, path: str | os.PathLike[str], about: Mapping[str, Any]) -> Iterator[Self]:
        """Open the store at `path`, made if it is not there. Raises `StoreError` also where it holds runs of something else."""
        with explained(path):
            if database.size_of(path):
                with closing(database.reading_connection(path)) as looking:  # a writer would change even a damaged file
                    database.check_file(looking, path, new=True)
            connection = database.connected(path, "mode=rwc")
        with closing(connection):
            with explained(path):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
            store = cls(path, connection)
            store._create(about)
            store._check_about(about)
            yield store

    @classmethod
    @contextmanager
    def reading(cls, path: str | os.PathLike[str]) -> Iterator[Self]:
        """Open the store at `path`, as it is at this moment; a sweep may still write to it."""
        if not Path(path).is_file():
            raise FileNotFoundError(errno.ENOENT, "there is no such store", str(path))
        with explained(path):
            database.size_of(path)
            connection = database.reading_connection(path)
        with closing(connection):
            with explained(path):
                database.check_file(connection, path, new=False)
            yield cls(path, connection)

    def _create(self, about: Mapping[str, Any]) -> None:
        """Make the tables, unless they are there."""
        with self._transaction() as connection:
            if connection.execute("PRAGMA application_id").fetchone()[0]:
                return
            for statement in database.SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {database.VERSION}")
            connection.execute(f"PRAGMA application_id = {database.APPLICATION}")
            _note(connection, about)

    def _check_about(self, about: Mapping[str, Any]) -> None:
        """Raise `StoreError` where the store's runs are of another task, or of anything else than `about`."""
        known = self.about()
        for name, value in about.items():
            if canonical(known.get(name)) != canonical(value):
                holds, wanted = _different(known.get(name), value)
                what = name.replace("_", " ")
                raise StoreError(f"{self.path}: holds runs of {what} {holds}, not {wanted}; give another store.")

    def note(self, **facts: Any) -> None:
        """Keep facts about the latest sweep; they replace those of an earlier one."""
        with self._transaction() as connection:
            _note(connection, facts)

    def add_trials(self, texts: Sequence[str]) -> list[int]:
        """Add trials with these parameters, as canonical JSON, unless they are there; return their numbers."""
        with self._transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO trials (parameters) VALUES (?)", ((text,) for text in texts))
            find = "SELECT id FROM trials WHERE parameters = ?"
            return [connection.execute(find, (text,)).fetchone()[0] for text in texts]

    def record(self, rows: Iterable[Row], versions: Mapping[str, str]) -> None:
        """Commit the results of some runs, see `RECORD`."""
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        with self._transaction() as connection:
            text = json.dumps(versions, sort_keys=True)
            connection.execute("INSERT OR IGNORE INTO environments (versions) VALUES (?)", (text,))
            [environment] = connection.execute("SELECT id FROM environments WHERE versions = ?", (text,)).fetchone()
            connection.executemany(RECORD, ((*map(_sql, row), finished, environment) for row in rows))

    def check_data(self, seed: int, hashed: str, baseline: float) -> None:
        """Keep the hash of a seed's data. Raises `StoreError` where earlier runs of that seed had other data."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO data VALUES (?, ?, ?)", (seed, hashed, baseline))
            [known] = connection.execute("SELECT hash FROM data WHERE seed = ?", (seed,)).fetchone()
        if known != hashed:
            text = f"its runs with seed {seed} had other data than there are now; the file or the task changed."
            raise StoreError(f"{self.path}: {text} Give another store.")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _read(self, select: str, *values: Any) -> list[tuple[Any, ...]]:
        with explained(self.path):
            return self._connection.execute(select, values).fetchall()

    def about(self) -> dict[str, Any]:
        """Return what all runs have in common, and the facts that were noted."""
        with understood(self.path):
            return {name: json.loads(value) for name, value in self._read("SELECT * FROM about")}

    def statuses(self) -> dict[bytes, str]:
        """Return the status of every run, by its key."""
        return dict(self._read("SELECT key, status FROM runs"))

    def outcome(self, trial: int, seeds: Sequence[int]) -> Outcome:
        """Return the outcome of a trial over some seeds: the mean of its scores, or of its curves where runs were pruned."""
        rows = self._read("SELECT seed, status, score, curve FROM runs WHERE trial = ? ORDER BY seed", trial)
        rows = [row for row in rows if row[0] in seeds]
        if all(status == "done" for _, status, _, _ in rows):
            return Outcome(float(np.mean([score for _, _, score, _ in rows])))
        if any(status == "failed" for _, status, _, _ in rows):
            return Outcome(None)
        curves = [_losses(curve) for _, status, _, curve in rows if status == "pruned"]
        return Outcome(None, [float(np.mean(losses)) for losses in zip(*curves, strict=False)])

    def curves(self, seed: int, trials: Container[int]) -> list[list[float]]:
        """Return the losses by epoch of the finished runs of some trials with a seed."""
        select = "SELECT trial, curve FROM runs WHERE seed = ? AND status = 'done' AND curve IS NOT NULL ORDER BY trial"
        return [_losses(curve) for trial, curve in self._read(select, seed) if trial in trials]

    def table(self) -> RunTable:
        """Return all runs as a table."""
        about = self.about()
        used = self._read("SELECT versions FROM environments WHERE id IN (SELECT environment FROM runs) ORDER BY id")
        trials = self._read("SELECT id, parameters FROM trials ORDER BY id")
        runs = self._read("SELECT trial, seed, score, status, error FROM runs ORDER BY trial, seed")
        position = {number: index for index, (number, _) in enumerate(trials)}
        trial, seed, score, status, error = zip(*runs, strict=True) if runs else ((),) * 5
        with understood(self.path):
            about["environments"] = [json.loads(versions) for (versions,) in used]
            parameters = json.loads(f"[{','.join(text for _, text in trials)}]")  # at once: names are kept once, not per trial
            if len(parameters) != len(trials):
                raise ValueError("parameters that are not JSON")
            numbers = np.array([position[number] for number in trial], np.int64), np.array(seed, np.int64)
            return RunTable(about, parameters, *numbers, np.array(score, np.float64), np.array(status, "U6"), error)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield every run with all that is known of it, in the order of trials and seeds."""
        with understood(self.path):
            cursor = self._connection.execute("SELECT * FROM everything")
            names = [column[0] for column in cursor.description]
            for values in cursor:
                row = dict(zip(names, values, strict=True))
                for name in ("parameters", "scores", "warnings", "curve", "versions"):
                    row[name] = None if row[name] is None else json.loads(row[name])
                yield row


def _note(connection: sqlite3.Connection, facts: Mapping[str, Any]) -> None:
    rows = [(name, json.dumps(value)) for name, value in facts.items()]
    connection.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", rows)


def _losses(text: str) -> list[float]:
    return [math.nan if loss is None else loss for loss in json.loads(text)]


def _sql(value: Any) -> Any:
    """Convert a field of a row for SQLite: a text to one that UTF-8 can hold, a list or dict to JSON, an empty one to null."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return (json.dumps(as_json(value)) if value else None) if isinstance(value, (Mapping, list, tuple)) else value


def _different(one: Any, other: Any) -> tuple[str, str]:
    """Return two values as texts; of two dicts only the items that differ."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return str(one), str(other)
    names = [name for name in {**one, **other} if canonical(one.get(name)) != canonical(other.get(name))]
    holds, wanted = (", ".join(f"{name}={values[name]}" for name in names if name in values) for values in (one, other))
    return holds, wanted
