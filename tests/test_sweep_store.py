"""The store of a sweep: what is committed is kept whatever happens, and each mishap has a line of its own."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from messages import mentions
from stores import ABOUT, VERSIONS, done, fill, folder_of, key, openings

from reservoir.base.values import canonical
from reservoir.experiments import database
from reservoir.experiments.rows import Outcome, Row
from reservoir.experiments.store import Store
from reservoir.sweeps.report import read_sweep
from reservoir.validation import StoreError

# what is written


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


# stores that do not fit


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
        with pytest.raises(StoreError, match=mentions("sweep.db 0 changed")):
            store.check_data(0, "abd", 1.0)


def test_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    fill(path, 3)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {database.VERSION + 1}")
    before = folder_of(path)
    for opening in openings(path):
        with pytest.raises(StoreError, match=mentions("sweep.db software")):
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
        with pytest.raises(StoreError, match=mentions("sweep.db store")):
            opening()
    assert folder_of(path) == before


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=mentions("store")):
        read_sweep(tmp_path / "none.db")
    with pytest.raises(FileNotFoundError, match=mentions("folder")), Store.writing(tmp_path / "no" / "a.db", ABOUT):
        pass
    with pytest.raises(IsADirectoryError, match=mentions("folder")), Store.writing(tmp_path, ABOUT):
        pass
    assert list(tmp_path.iterdir()) == []
