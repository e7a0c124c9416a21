"""The record of a sweep: one SQLite file, a row per run, which others may read while a sweep writes to it.

    runs           key (hash of what defines the run), trial, seed, status, score, times, error, ...
    trials         the parameters of each trial, as JSON
    environments   versions of what computed the runs
    data           the hash of each seed's data and the score of the trivial predictor
    about          what all runs have in common, and the version of this layout
    everything     a view that joins them, for any tool that reads SQLite

Rows are committed as they come, in write-ahead mode: a process that is killed loses none that was committed, and a power
cut at most the last few.
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

from reservoir.base.values import canonical
from reservoir.sweeps.database import (
    APPLICATION,
    SCHEMA,
    VERSION,
    check_file,
    connected,
    explained,
    reading_connection,
    size_of,
    understood,
)
from reservoir.sweeps.strategies import Outcome
from reservoir.sweeps.table import RunTable
from reservoir.validation import StoreError


class Row(NamedTuple):
    """What came of a run."""

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


class Store:
    """A store that is open, for a sweep to write to (`Store.writing`) or for reading (`Store.reading`).

    Raises
    ------
    StoreError
        A file of another kind, damaged, or from a newer version.
    OSError
        It cannot be opened or written to, the disk is full, or another program keeps it locked.
    """

    def __init__(self, path: str | os.PathLike[str], connection: sqlite3.Connection) -> None:
        self.path = Path(path)
        self._connection = connection

    @classmethod
    @contextmanager
    def writing(cls, path: str | os.PathLike[str], about: Mapping[str, Any]) -> Iterator[Self]:
        """The store at `path`, made if it is not there. Raises `StoreError` also where it holds runs of something else."""
        with explained(path):
            if size_of(path):
                with closing(reading_connection(path)) as looking:  # one that could write would tidy up even a damaged file
                    check_file(looking, path, new=True)
            connection = connected(path, "mode=rwc")
        try:
            with explained(path):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
            store = cls(path, connection)
            store._create(about)
            store._check_about(about)
            yield store
        finally:
            connection.close()

    @classmethod
    @contextmanager
    def reading(cls, path: str | os.PathLike[str]) -> Iterator[Self]:
        """The store at `path`, as it is at this moment; a sweep may go on writing to it."""
        if not Path(path).is_file():
            raise FileNotFoundError(errno.ENOENT, "there is no such store", str(path))
        with explained(path):
            size_of(path)
            connection = reading_connection(path)
        try:
            with explained(path):
                check_file(connection, path, new=False)
            yield cls(path, connection)
        finally:
            connection.close()

    # -- writing ------------------------------------------------------------------------------------------------------

    def _create(self, about: Mapping[str, Any]) -> None:
        """Make the tables, unless they are there."""
        with self._transaction() as connection:
            if connection.execute("PRAGMA application_id").fetchone()[0]:
                return
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            rows = [(name, json.dumps(value)) for name, value in about.items()]
            connection.executemany("INSERT INTO about VALUES (?, ?)", rows)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute(f"PRAGMA application_id = {APPLICATION}")

    def _check_about(self, about: Mapping[str, Any]) -> None:
        """Raise `StoreError` where the store's runs are of another task, or of anything else than `about`."""
        known = self.about()
        for name, value in about.items():
            if canonical(known.get(name)) != canonical(value):
                holds, wanted = _different(known.get(name), value)
                raise StoreError(
                    f"{self.path}: holds runs of {name.replace('_', ' ')} {holds}, not {wanted}; give another store."
                )

    def note(self, **facts: Any) -> None:
        """Keep facts about the latest sweep, over those of an earlier one."""
        with self._transaction() as connection:
            rows = [(name, json.dumps(value)) for name, value in facts.items()]
            connection.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", rows)

    def add_trials(self, texts: Sequence[str]) -> list[int]:
        """The numbers of trials with these parameters, as canonical JSON, in the order given; new ones are added."""
        with self._transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO trials (parameters) VALUES (?)", ((text,) for text in texts))
            find = "SELECT id FROM trials WHERE parameters = ?"
            return [connection.execute(find, (text,)).fetchone()[0] for text in texts]

    def record(self, rows: Iterable[Row], versions: Mapping[str, str]) -> None:
        """Commit what came of some runs. A run that is done stays as it is, a failed or a pruned one is replaced."""
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        with self._transaction() as connection:
            text = json.dumps(versions, sort_keys=True)
            connection.execute("INSERT OR IGNORE INTO environments (versions) VALUES (?)", (text,))
            [environment] = connection.execute("SELECT id FROM environments WHERE versions = ?", (text,)).fetchone()
            connection.executemany(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
                " status = excluded.status, score = excluded.score, scores = excluded.scores, error = excluded.error,"
                " warnings = excluded.warnings, curve = excluded.curve, n_parameters = excluded.n_parameters,"
                " fit_seconds = excluded.fit_seconds, predict_seconds = excluded.predict_seconds,"
                " attempts = excluded.attempts, finished = excluded.finished, environment = excluded.environment"
                " WHERE runs.status != 'done'",
                (
                    (
                        row.key, row.trial, row.seed, row.status, row.score, _json(row.scores), _text(row.error),
                        _json(row.warnings), _json(row.curve), row.n_parameters, row.fit_seconds, row.predict_seconds,
                        row.attempts, finished, environment,
                    )
                    for row in rows
                ),
            )  # fmt: skip

    def check_data(self, seed: int, hashed: str, baseline: float) -> None:
        """Keep the hash of a seed's data. Raises `StoreError` where earlier runs of that seed had other data."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO data VALUES (?, ?, ?)", (seed, hashed, baseline))
            [known] = connection.execute("SELECT hash FROM data WHERE seed = ?", (seed,)).fetchone()
        if known != hashed:
            raise StoreError(
                f"{self.path}: its runs with seed {seed} had other data than there are now; the file or the task changed."
                " Give another store."
            )

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

    # -- reading ------------------------------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """What all runs have in common, and what was noted."""
        with explained(self.path), understood(self.path):
            return {name: json.loads(value) for name, value in self._connection.execute("SELECT * FROM about")}

    def statuses(self) -> dict[bytes, str]:
        """The status of every run that there is, by its key."""
        with explained(self.path):
            return dict(self._connection.execute("SELECT key, status FROM runs"))

    def outcome(self, trial: int, seeds: Sequence[int]) -> Outcome:
        """What came of a trial over some seeds: the mean of its scores, or of the curves of a trial that was pruned."""
        with explained(self.path):
            found = self._connection.execute(
                "SELECT seed, status, score, curve FROM runs WHERE trial = ? ORDER BY seed", (trial,)
            )
            rows = [row for row in found if row[0] in seeds]
        if all(status == "done" for _, status, _, _ in rows):
            return Outcome(float(np.mean([score for _, _, score, _ in rows])))
        if any(status == "failed" for _, status, _, _ in rows):
            return Outcome(None)
        curves = [_losses(curve) for _, status, _, curve in rows if status == "pruned"]
        return Outcome(None, [float(np.mean(losses)) for losses in zip(*curves, strict=False)])

    def curves(self, seed: int, trials: Container[int]) -> list[list[float]]:
        """The losses by epoch of those of some trials' runs with a seed that went to their end."""
        select = "SELECT trial, curve FROM runs WHERE seed = ? AND status = 'done' AND curve IS NOT NULL ORDER BY trial"
        with explained(self.path):
            found = [curve for trial, curve in self._connection.execute(select, (seed,)) if trial in trials]
        return list(map(_losses, found))

    def table(self) -> RunTable:
        """All runs."""
        about = self.about()
        with explained(self.path):
            used = "SELECT versions FROM environments WHERE id IN (SELECT environment FROM runs) ORDER BY id"
            about["environments"] = [json.loads(versions) for (versions,) in self._connection.execute(used)]
            trials = self._connection.execute("SELECT id, parameters FROM trials ORDER BY id").fetchall()
            runs = self._connection.execute("SELECT trial, seed, score, status, error FROM runs ORDER BY trial, seed").fetchall()
        position = {number: index for index, (number, _) in enumerate(trials)}
        trial, seed, score, status, error = zip(*runs, strict=True) if runs else ((),) * 5
        with understood(self.path):
            parameters = json.loads(f"[{','.join(text for _, text in trials)}]")  # at once: names are kept once, not per trial
            if len(parameters) != len(trials):
                raise ValueError("parameters that are not JSON")
            return RunTable(
                about=about,
                trials=parameters,
                trial=np.array([position[number] for number in trial], dtype=np.int64),
                seed=np.array(seed, dtype=np.int64),
                score=np.array(score, dtype=np.float64),
                status=np.array(status, dtype="U6"),
                error=error,
            )

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every run with all that is known of it, in the order of trials and seeds; parameters and versions as they are."""
        with explained(self.path):
            cursor = self._connection.execute("SELECT * FROM everything")
            names = [column[0] for column in cursor.description]
            for values in cursor:
                row = dict(zip(names, values, strict=True))
                with understood(self.path):
                    for name in ("parameters", "scores", "warnings", "curve", "versions"):
                        row[name] = None if row[name] is None else json.loads(row[name])
                yield row


def _losses(text: str) -> list[float]:
    return [math.nan if loss is None else loss for loss in json.loads(text)]


def _json(value: Mapping[str, Any] | Sequence[Any] | None) -> str | None:
    """As JSON that any reader takes: null for numbers that are not finite."""
    if not value:
        return None
    plain = {name: _finite(part) for name, part in value.items()} if isinstance(value, Mapping) else list(map(_finite, value))
    return json.dumps(plain)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(value: str | None) -> str | None:
    """A text as UTF-8 can hold it, which names of files need not be."""
    return None if value is None else value.encode("utf-8", "replace").decode()


def _different(one: Any, other: Any) -> tuple[str, str]:
    """Two values as texts; of two dicts what differs."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return str(one), str(other)
    names = [name for name in {**one, **other} if canonical(one.get(name)) != canonical(other.get(name))]
    return tuple(", ".join(f"{name}={values.get(name)}" for name in names if name in values) for values in (one, other))  # type: ignore[return-value]
