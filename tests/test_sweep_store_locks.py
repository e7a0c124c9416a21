"""A store that another program holds, on a full disk, or without permission."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from messages import mentions
from stores import ABOUT, VERSIONS, done, fill, openings

from reservoir.experiments import database
from reservoir.experiments.store import Store
from reservoir.sweeps.report import read_sweep


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.05)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[tuple[Path, sqlite3.Connection]]:
    """A store with 100 runs, and a connection of another program."""
    path = tmp_path / "sweep.db"
    fill(path, 100)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        yield path, other


@pytest.mark.usefixtures("impatient")
def test_another_writer(filled: tuple[Path, sqlite3.Connection]) -> None:
    path, other = filled
    read, write = openings(path)
    with Store.writing(path, ABOUT) as store:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OSError, match=mentions("another program")):
            store.record([done(1)], VERSIONS)
        read()  # goes on
        with pytest.raises(OSError, match=mentions("another program")):
            write()
        other.execute("ROLLBACK")
        [number] = store.add_trials(["101"])
        store.record([done(number)], VERSIONS)
    assert len(read_sweep(path).runs.score) == 101


@pytest.mark.usefixtures("impatient")
def test_two_that_make_the_store_at_once(tmp_path: Path) -> None:
    """The second one to come finds the tables made."""
    path = tmp_path / "sweep.db"
    with Store.writing(path, ABOUT) as one, Store.writing(path, ABOUT) as two:
        two._create({"task": "other"})  # as if it had looked before the first had made them
        assert one.add_trials(["{}"]) == two.add_trials(["{}"]) == [1]
        one.record([done(1, score=1.0)], VERSIONS)
        two.record([done(1, score=2.0)], VERSIONS)
    assert read_sweep(path).runs.score.tolist() == [1.0] and read_sweep(path).runs.about == {**ABOUT, "environments": [VERSIONS]}


def test_a_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    with Store.writing(path, ABOUT) as store:
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 12}")
        committed = [0]

        def write_on() -> None:
            for first in range(1, 100_000, 20):
                numbers = store.add_trials([f'["{first + k} {"x" * 50}"]' for k in range(20)])
                store.record([done(number) for number in numbers], VERSIONS)
                committed.append(committed[-1] + 20)

        with pytest.raises(OSError, match=mentions("committed written")):
            write_on()
        kept = committed[-1]
        assert kept > 20
        assert len(store.statuses()) == kept
        assert not store._connection.in_transaction
    assert len(read_sweep(path).runs.score) == kept


def test_reading_while_a_writer_is_in_the_middle(tmp_path: Path) -> None:
    """A reader sees one moment, whatever is added while it reads, and never half a transaction."""
    path = tmp_path / "sweep.db"
    with Store.writing(path, ABOUT) as store:
        store.record([done(number) for number in store.add_trials(["1", "2"])], VERSIONS)
        with Store.reading(path) as reader, store._transaction() as connection:
            connection.execute("INSERT INTO trials (subject, parameters) VALUES (1, '3')")
            connection.execute("INSERT INTO runs SELECT x'01', 3, 0, status, score, scores, error, warnings, curve, n_parameters,"
                               " fit_seconds, predict_seconds, attempts, finished, environment, NULL, NULL FROM runs"
                               " LIMIT 1")  # fmt: skip
            assert len(read_sweep(path).runs.score) == len(reader.table()["score"]) == 2
        with Store.reading(path) as reader:
            rows = reader.rows()
            next(rows)
            store.record([done(number) for number in store.add_trials(["4"])], VERSIONS)
            assert len(list(rows)) == 2 and len(reader.table()["score"]) == 3
        assert len(read_sweep(path).runs.score) == 4


def unprivileged(function: Callable[[], None]) -> None:
    """Call a function as a user that permissions hold for; in a process of its own where this one may do everything."""
    if os.geteuid() != 0:
        function()
        return
    child = os.fork()
    if child == 0:
        try:
            os.setuid(65534)
            function()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs the permissions of POSIX")
def test_files_and_folders_that_are_read_only() -> None:
    folder = Path(tempfile.mkdtemp())  # not in pytest's, which others may not enter
    try:
        path = folder / "sweep.db"
        fill(path, 5)
        path.chmod(0o444)
        folder.chmod(0o555)

        def look() -> None:
            assert len(read_sweep(path).runs.score) == 5
            with pytest.raises(PermissionError, match=mentions("opened")):
                openings(path)[1]()

        unprivileged(look)
        assert [file.name for file in folder.iterdir()] == ["sweep.db"]
        assert len(read_sweep(path).runs.score) == 5
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs the permissions of POSIX")
def test_reading_a_running_sweep_of_somebody_else() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        path = folder / "sweep.db"
        with Store.writing(path, ABOUT) as store:
            store.record([done(number) for number in store.add_trials(["1", "2"])], VERSIONS)

            def look() -> None:
                assert len(read_sweep(path).runs.score) == 2

            unprivileged(look)
    finally:
        shutil.rmtree(folder)
