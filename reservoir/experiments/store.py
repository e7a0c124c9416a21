"""The store of a sweep or a comparison: one SQLite file, a row per run, which others may read while it is written to.

    runs           key (hash of what defines the run), trial, seed, status, score, times, error, ...
    trials         the subject and the parameters of each trial, as JSON
    subjects       what trials are of: a task with its options and a model; a sweep has one, a comparison several
    environments   versions of what computed the runs
    data           the hash of each seed's data and the score of the trivial predictor
    about          what all runs have in common
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
from typing import Any, Self

import numpy as np

from reservoir.base.values import canonical
from reservoir.experiments import database
from reservoir.experiments.database import explained, understood
from reservoir.experiments.rows import RECORD, KeptRun, Outcome, Row, losses, row_of, values
from reservoir.validation import StoreError


class Store:
    """An open store: `Store.writing` for what adds runs, `Store.reading` for anybody.

    Raises `StoreError` for a file of another kind, damaged, or from a newer version; OSError where it cannot be opened or
    written to, the disk is full, or another program keeps it locked.
    """

    def __init__(self, path: str | os.PathLike[str], connection: sqlite3.Connection) -> None:
        self.path = Path(path)
        self._connection = connection

    @classmethod
    @contextmanager
    def writing(cls, path: str | os.PathLike[str], about: Mapping[str, Any]) -> Iterator[Self]:
        """Open the store at `path`, made if it is not there. Raises `StoreError` also where it holds runs of something else.

        `about` says what all its runs have in common; the first subject is `about` itself. A store at ":memory:" is not kept.
        """
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
        """Open the store at `path`, as it is at this moment; others may still write to it."""
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
            connection.execute("INSERT INTO subjects VALUES (1, ?)", (canonical(about),))
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

    def add_subject(self, facts: str) -> int:
        """Add a subject with these facts, as canonical JSON, unless it is there; return its number."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO subjects (facts) VALUES (?)", (facts,))
            [number] = connection.execute("SELECT id FROM subjects WHERE facts = ?", (facts,)).fetchone()
            return int(number)

    def add_trials(self, texts: Sequence[str], subject: int = 1) -> list[int]:
        """Add trials of a subject with these parameters, as canonical JSON, unless they are there; return their numbers."""
        pairs = [(subject, text) for text in texts]
        with self._transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO trials (subject, parameters) VALUES (?, ?)", pairs)
            find = "SELECT id FROM trials WHERE subject = ? AND parameters = ?"
            return [connection.execute(find, pair).fetchone()[0] for pair in pairs]

    def record(self, rows: Iterable[Row], versions: Mapping[str, str]) -> None:
        """Commit the results of some runs, see `RECORD`."""
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        with self._transaction() as connection:
            text = json.dumps(versions, sort_keys=True)
            connection.execute("INSERT OR IGNORE INTO environments (versions) VALUES (?)", (text,))
            [environment] = connection.execute("SELECT id FROM environments WHERE versions = ?", (text,)).fetchone()
            connection.executemany(RECORD, ((*values(row), finished, environment) for row in rows))

    def check_data(self, seed: int, hashed: str, baseline: float, subject: int = 1) -> None:
        """Keep the hash of a seed's data. Raises `StoreError` where earlier runs of that seed had other data."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO data VALUES (?, ?, ?, ?)", (subject, seed, hashed, baseline))
            find = "SELECT hash FROM data WHERE subject = ? AND seed = ?"
            [known] = connection.execute(find, (subject, seed)).fetchone()
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
        curves = [losses(curve) for _, status, _, curve in rows if status == "pruned"]
        return Outcome(None, [float(np.mean(losses)) for losses in zip(*curves, strict=False)])

    def curves(self, seed: int, trials: Container[int]) -> list[list[float]]:
        """Return the losses by epoch of the finished runs of some trials with a seed."""
        select = "SELECT trial, curve FROM runs WHERE seed = ? AND status = 'done' AND curve IS NOT NULL ORDER BY trial"
        return [losses(curve) for trial, curve in self._read(select, seed) if trial in trials]

    def kept(self) -> Iterator[KeptRun]:
        """Yield every run with its history and predictions."""
        names = ", ".join(f"runs.{name}" for name in Row._fields)
        joined = "runs JOIN trials ON trials.id = runs.trial LEFT JOIN environments ON environments.id = runs.environment"
        data = "LEFT JOIN data ON data.subject = trials.subject AND data.seed = runs.seed"
        with understood(self.path):
            for *fields, baseline, versions in self._read(f"SELECT {names}, baseline, versions FROM {joined} {data}"):
                yield KeptRun(row_of(fields), math.nan if baseline is None else baseline, json.loads(versions))

    def table(self) -> dict[str, Any]:
        """Return all runs as the fields of a `sweeps.summary.RunTable`."""
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
            columns = {"score": np.array(score, np.float64), "status": np.array(status, "U6"), "error": error}
            return {"about": about, "trials": parameters, "trial": numbers[0], "seed": numbers[1], **columns}

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


def _different(one: Any, other: Any) -> tuple[str, str]:
    """Return two values as texts; of two dicts only the items that differ."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return str(one), str(other)
    names = [name for name in {**one, **other} if canonical(one.get(name)) != canonical(other.get(name))]
    holds, wanted = (", ".join(f"{name}={values[name]}" for name in names if name in values) for values in (one, other))
    return holds, wanted
