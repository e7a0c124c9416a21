"""A store that is damaged, cut off, or left by a program that crashed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from messages import mentions
from stores import ABOUT, fill, folder_of, openings

from reservoir.experiments.store import Store
from reservoir.sweeps.report import read_sweep
from reservoir.validation import StoreError


@pytest.mark.parametrize("left", [100, 4096, 5000, "half", "last page off"])
def test_a_store_cut_off_is_told_and_left_as_it_is(left: int | str, tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    fill(path, 1000)
    size = path.stat().st_size
    os.truncate(path, {"half": size // 2, "last page off": size - 4096}.get(left, left))  # type: ignore[call-overload]
    before = folder_of(path)
    for opening in openings(path):
        with pytest.raises(StoreError, match=mentions("sweep.db damaged")):
            opening()
    assert folder_of(path) == before


CRASH = """
import os, sys
from pathlib import Path
import stores as t
from reservoir.experiments.store import Store
path = Path(sys.argv[1])
with Store.writing(path, t.ABOUT) as store:
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
            with pytest.raises(StoreError, match=mentions("sweep.db-wal")):
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
        with pytest.raises(StoreError, match=mentions("store runs")):
            read_sweep(path)
    else:  # the trials came with one transaction, the runs with the next
        table = read_sweep(path).runs
        assert len(table.trials) == 300 and len(table.score) == 0


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    path.touch()
    with pytest.raises(StoreError, match=mentions("store runs")):
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
