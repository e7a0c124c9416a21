"""The store of a sweep: what is committed is kept whatever happens, and each mishap has a line of its own."""

from __future__ import annotations

import json
import math
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reservoir.base.values import canonical
from reservoir.experiments import database
from reservoir.experiments.rows import Outcome, Row
from reservoir.experiments.store import Store
from reservoir.sweeps.report import read_sweep
from reservoir.validation import StoreError

ABOUT = {
    "task": "toy", "task_options": {"snr": 24}, "model": "esn", "metric": "nmse", "higher_is_better": False,
    "split": "validation",
}  # fmt: skip
VERSIONS = {"reservoir": "1", "numpy": "2"}


def key(trial: int, seed: int = 0) -> bytes:
    return bytes([trial // 256, trial % 256, seed]) + bytes(13)


def done(trial: int, seed: int = 0, score: float = 0.5, **rest: Any) -> Row:
    return Row(key(trial, seed), trial, seed, "done", score, {"nmse": score}, **rest)


def fill(path: Path, runs: int) -> None:
    """A store with this many trials, a run each."""
    with Store.writing(path, ABOUT) as store:
        for first in range(0, runs, 100):
            numbers = store.add_trials([json.dumps({"a": k, "text": "x" * 50}) for k in range(first, min(first + 100, runs))])
            store.record([done(number, score=number / 8) for number in numbers], VERSIONS)


def folder_of(path: Path) -> dict[str, bytes]:
    """Every file there, but for the index of the log, which is no data."""
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}


# -- what is written ---------------------------------------------------------------------------------------------------


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "sweep ?#%é.db"  # not to be taken for parts of an address
    score = 0.1 + 0.2
    with Store.writing(path, ABOUT) as store:
        first, second = store.add_trials(['{"a":1}', '{"a":[0.5,null]}'])
        store.check_data(3, "abc", 1.25)
        rows = [
            Row(
                b"k" * 16,
                first,
                3,
                "done",
                score,
                {"nmse": score, "r2": math.nan},
                None,
                ["hm"],
                [2.0, math.inf],
                7,
                0.25,
                0.5,
                2,
            ),
            Row(b"l" * 16, second, 3, "failed", error="odd \udcff name"),
            Row(b"m" * 16, second, 4, "pruned", curve=[3.0]),
        ]
        store.record(rows, VERSIONS)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    with Store.reading(path) as store:
        one, two, three = store.rows()
        assert store.about() == ABOUT
        assert store.statuses() == {b"k" * 16: "done", b"l" * 16: "failed", b"m" * 16: "pruned"}
        assert math.isnan(store.curves(3, {first})[0][1]) and store.curves(3, {second}) == store.curves(4, {second}) == []
    assert one.pop("finished").endswith("+00:00")
    assert one == {
        "trial": 1, "parameters": {"a": 1}, "seed": 3, "status": "done", "score": score, "scores": {"nmse": score, "r2": None},
        "error": None, "warnings": ["hm"], "curve": [2.0, None], "n_parameters": 7, "baseline": 1.25, "data_hash": "abc",
        "fit_seconds": 0.25, "predict_seconds": 0.5, "attempts": 2, "versions": VERSIONS, "key": "6b" * 16,
        "subject": canonical(ABOUT),
    }  # fmt: skip
    assert two["error"] == "odd ? name" and two["score"] is None and two["parameters"] == {"a": [0.5, None]}
    assert (three["status"], three["curve"], three["baseline"], three["attempts"]) == ("pruned", [3.0], None, 1)
    table = read_sweep(path).runs
    assert table.trial.tolist() == [0, 1, 1] and table.seed.tolist() == [3, 3, 4]
    assert table.status.tolist() == ["done", "failed", "pruned"] and table.score[0] == score and np.isnan(table.score[1:]).all()
    assert list(table.error) == [None, "odd ? name", None] and table.trials == [{"a": 1}, {"a": [0.5, None]}]


def test_any_program_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    fill(path, 3)
    with closing(sqlite3.connect(path)) as connection:
        read = "SELECT json_extract(parameters, '$.a'), seed, score, json_extract(scores, '$.nmse') FROM everything"
        assert connection.execute(read).fetchall() == [(k, 0, (k + 1) / 8, (k + 1) / 8) for k in range(3)]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_run_that_is_done_stays_and_others_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    with Store.writing(path, ABOUT) as store:
        [one, two, three] = store.add_trials(["1", "2", "3"])
        store.record([done(one), Row(key(two), two, 0, "failed", error="no"), Row(key(three), three, 0, "pruned")], VERSIONS)
        later = [done(one, score=9.0), done(two, score=2.0, attempts=3), Row(key(three), three, 0, "failed", error="no")]
        store.record(later, {"reservoir": "2"})
        rows = list(store.rows())
    assert [(row["score"], row["status"], row["error"], row["attempts"]) for row in rows] == [
        (0.5, "done", None, 1), (2.0, "done", None, 3), (None, "failed", "no", 1)
    ]  # fmt: skip
    assert [row["versions"]["reservoir"] for row in rows] == ["1", "2", "2"]


def test_trials_have_one_number_each(tmp_path: Path) -> None:
    with Store.writing(tmp_path / "sweep.db", ABOUT) as store:
        assert store.add_trials(["a", "b", "a"]) == [1, 2, 1]
        assert store.add_trials(["c", "b"]) == [3, 2]


def test_what_came_of_a_trial(tmp_path: Path) -> None:
    with Store.writing(tmp_path / "sweep.db", ABOUT) as store:
        [one] = store.add_trials(["1"])
        store.record([done(one, 0, 1.0), done(one, 1, 2.0), done(one, 7, 50.0)], VERSIONS)
        store.record([Row(key(one, 2), one, 2, "pruned", curve=[4.0, 6.0, 9.0])], VERSIONS)
        store.record([Row(key(one, 3), one, 3, "pruned", curve=[2.0, 2.0]), Row(key(one, 4), one, 4, "failed")], VERSIONS)
        assert store.outcome(one, [0, 1]) == Outcome(1.5)
        assert store.outcome(one, [0, 1, 2, 3]) == Outcome(None, [3.0, 4.0])  # as far as both went
        assert store.outcome(one, [0, 2, 4]) == Outcome(None)


# -- stores that do not fit --------------------------------------------------------------------------------------------


def test_runs_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    fill(path, 3)
    before = folder_of(path)
    for change, told in (
        ({"task": "narma10"}, "holds runs of task toy, not narma10; give another store."),
        ({"task_options": {"snr": 30, "b": 1}}, "holds runs of task options snr=24, not snr=30, b=1; give another store."),
        ({"split": "test"}, "holds runs of split validation, not test; give another store."),
    ):
        with pytest.raises(StoreError) as caught, Store.writing(path, {**ABOUT, **change}):
            pass
        assert str(caught.value) == f"{path}: {told}"
    assert folder_of(path) == before


def test_other_data(tmp_path: Path) -> None:
    with Store.writing(tmp_path / "sweep.db", ABOUT) as store:
        store.check_data(0, "abc", 1.0)
        store.check_data(1, "xyz", 1.0)
        store.check_data(0, "abc", 1.0)
        with pytest.raises(StoreError, match=r"sweep.db: its runs with seed 0 had other data .* changed\. Give another store\.$"):
            store.check_data(0, "abd", 1.0)


def test_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    fill(path, 3)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {database.VERSION + 1}")
    before = folder_of(path)
    for opening in openings(path):
        with pytest.raises(StoreError, match=r"sweep.db: was written by a newer version of this software; use that one\.$"):
            opening()
    assert folder_of(path) == before


def foreign_text(path: Path) -> None:
    path.write_text("trial,score\n1,0.5\n" * 100)


def foreign_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE photos (name)")
        connection.commit()


def foreign_application(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 77")


@pytest.mark.parametrize("make", [foreign_text, foreign_database, foreign_application])
def test_files_of_other_programs_stay_as_they_are(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    make(path)
    before = folder_of(path)
    for opening in openings(path):
        with pytest.raises(StoreError, match=r"sweep.db: is not a store of runs"):
            opening()
    assert folder_of(path) == before


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such store"):
        read_sweep(tmp_path / "none.db")
    with pytest.raises(FileNotFoundError, match="there is no such folder"), Store.writing(tmp_path / "no" / "a.db", ABOUT):
        pass
    with pytest.raises(IsADirectoryError, match="is a folder"), Store.writing(tmp_path, ABOUT):
        pass
    assert list(tmp_path.iterdir()) == []


def openings(path: Path) -> list[Callable[[], None]]:
    """Opening for either purpose, and using what was opened."""

    def read() -> None:
        with Store.reading(path) as store:
            store.table()
            list(store.rows())

    def write() -> None:
        with Store.writing(path, ABOUT) as store:
            store.table()
            store.record([done(number) for number in store.add_trials(["new"])], VERSIONS)

    return [read, write]


# -- damage ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [100, 4096, 5000, "half", "last page off"])
def test_a_store_cut_off_is_told_and_left_as_it_is(left: int | str, tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    fill(path, 1000)
    size = path.stat().st_size
    os.truncate(path, {"half": size // 2, "last page off": size - 4096}.get(left, left))  # type: ignore[call-overload]
    before = folder_of(path)
    for opening in openings(path):
        with pytest.raises(StoreError, match=r"sweep.db: is damaged or cut off \(.*\); it is left as it is, .* another store\.$"):
            opening()
    assert folder_of(path) == before


CRASH = """
import os, sys
from pathlib import Path
import test_sweep_store as t
path = Path(sys.argv[1])
with t.Store.writing(path, t.ABOUT) as store:
    numbers = store.add_trials([str(k) for k in range(300)])
    store.record([t.done(number) for number in numbers], t.VERSIONS)
    store._connection.execute("BEGIN IMMEDIATE")
    store._connection.execute("DELETE FROM runs")
    os._exit(9)
"""


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store whose writer died: all of its 300 runs are in the log."""
    folder = tmp_path_factory.mktemp("crashed")
    places = f"{Path(__file__).parent}:{Path(__file__).parent.parent}"
    environment = {**os.environ, "PYTHONPATH": places}
    assert subprocess.run([sys.executable, "-c", CRASH, str(folder / "sweep.db")], env=environment).returncode == 9
    assert (folder / "sweep.db-wal").stat().st_size > 0
    return folder


def copied(crashed: Path, tmp_path: Path) -> Path:
    shutil.copytree(crashed, tmp_path, dirs_exist_ok=True)
    return tmp_path / "sweep.db"


def test_a_writer_that_died_loses_nothing(crashed: Path, tmp_path: Path) -> None:
    path = copied(crashed, tmp_path)
    assert len(read_sweep(path).runs.score) == 300
    with Store.writing(path, ABOUT) as store:
        assert len(store.statuses()) == 300
    assert [file.name for file in tmp_path.iterdir()] == ["sweep.db"]  # and the log is put away


@pytest.mark.parametrize("left", [0, 100, 4000])
def test_a_store_cut_off_with_its_log_beside_it(left: int, crashed: Path, tmp_path: Path) -> None:
    """Of an empty file SQLite would throw the log away. A longer one it mends from there."""
    path = copied(crashed, tmp_path)
    os.truncate(path, left)
    before = folder_of(path)
    if left == 0:
        for opening in openings(path):
            with pytest.raises(StoreError, match=r"sweep.db: is empty, but the log .*sweep.db-wal beside it is not"):
                opening()
        assert folder_of(path) == before
    else:
        assert len(read_sweep(path).runs.score) == 300
        with Store.writing(path, ABOUT) as store:
            assert len(store.statuses()) == 300


@pytest.mark.parametrize("part", [0.05, 0.7, 0.99])
def test_a_log_cut_off_leaves_whole_transactions(part: float, crashed: Path, tmp_path: Path) -> None:
    path = copied(crashed, tmp_path)
    log = tmp_path / "sweep.db-wal"
    os.truncate(log, int(part * log.stat().st_size))
    if part < 0.2:  # not even the tables were there
        with pytest.raises(StoreError, match="is not a store of runs"):
            read_sweep(path)
    else:  # the trials came with one transaction, the runs with the next
        table = read_sweep(path).runs
        assert len(table.trials) == 300 and len(table.score) == 0


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    path.touch()
    with pytest.raises(StoreError, match="is not a store of runs"):
        read_sweep(path)
    fill(path, 3)
    assert len(read_sweep(path).runs.score) == 3


def test_bytes_that_are_flipped_never_show_as_anything_but_damage(tmp_path: Path) -> None:
    """Whatever byte is another one: either it is not noticed, as in a score, or there is one line that tells of damage."""
    path = tmp_path / "sweep.db"
    fill(path, 40)
    content = path.read_bytes()
    told = 0
    for place in np.random.default_rng(0).integers(0, len(content), 50):
        broken = bytearray(content)
        broken[place] ^= 0xFF
        for opening in openings(path):
            path.write_bytes(broken)
            try:
                opening()
            except StoreError:
                told += 1
    assert 10 < told < 100


# -- locks, full disks, permissions --------------------------------------------------------------------------------------


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
        with pytest.raises(OSError, match=r"is locked by another program that writes to it; wait for that to end; what was com"):
            store.record([done(1)], VERSIONS)
        read()  # goes on
        with pytest.raises(OSError, match="is locked by another program"):
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

        with pytest.raises(OSError, match=r"cannot be written to, the disk is full .*; make room; what was committed is kept"):
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
            with pytest.raises(PermissionError, match="cannot be opened for this"):
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
