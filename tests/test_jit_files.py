"""Compiled kernels on the disk: written by two processes at once, and out of date."""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reservoir.kernels import cache
from reservoir.kernels.matvec import add_rows

ENTRIES = 300
SOURCES = [str(path.relative_to(cache.PACKAGE)) for folder in cache.FOLDERS for path in sorted(folder.glob("*.py"))]

STEPS = """
import json
import numpy as np
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.kernels.drive import ReservoirWeights, drive, scratch_for
from reservoir.kernels.matvec import diagonals
from reservoir.kernels.optimizers import sum_of_squares
from reservoir.kernels.sequence import Tape, run_forward

matrix = diagonals(np.full((1, 3), 0.3), np.array([1]))
state, fixed = np.array([[0.1, 0.2, 0.3]]), ReservoirWeights(matrix, np.ones((1, 3)), np.zeros(3), np.ones(3), 0)
inputs, silent = np.full((1, 1), 0.5), np.empty((1, 0))
drive(fixed, inputs, silent, np.array([0, 1]), state, np.zeros((1, 3)), 0, scratch_for(fixed))

weights = {"input_weights": np.ones((1, 2)), "recurrent_weights": np.eye(2), "bias": np.full(2, 0.25)}
tape = Tape(np.ones((1, 1, 1)), np.zeros((1, 1, 2)), np.zeros((1, 1, 0)), np.zeros((1, 2, 1, 2)), 0)
run_forward(ElmanCell(2).bind(weights), tape, np.array([1]))

print(json.dumps([state.tolist(), tape.states.ravel().tolist(), [sum_of_squares(np.arange(3.0))]]))
"""
CHANGES = [  # each in the file of a kernel that a kernel of another file calls
    ("kernels/matvec.py", "                out[i] += w0[i] * f0", "                out[i] -= w0[i] * f0"),
    ("kernels/emitters.py", "b.fadd(phi, b.fmul(", "b.fsub(phi, b.fmul("),
    ("kernels/emitters.py", "out += values[j] * x[shifts[j] :", "out -= values[j] * x[shifts[j] :"),  # its twin without the JIT
    ("gradient/cells/dense.py", "            rows[r, j] = row[j]", "            rows[r, j] = -row[j]"),
    ("kernels/freerun.py", "low[i] += high[i]", "low[i] -= high[i]"),
]


def save_every_second(folder: str, first: int, barrier: Any) -> None:
    files = files_in(folder)
    barrier.wait()
    for k in range(first, ENTRIES, 2):
        files.save(("types", k), ("code", k))


def files_in(folder: str) -> Any:
    files = add_rows._cache._cache_file
    files._index_path, files._cache_path = str(Path(folder, files._index_name)), folder
    return files


def test_two_processes_lose_and_mix_up_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    processes = [context.Process(target=save_every_second, args=(str(tmp_path), first, barrier)) for first in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    files = add_rows._cache._cache_file
    monkeypatch.setattr(files, "_index_path", str(tmp_path / files._index_name))
    monkeypatch.setattr(files, "_cache_path", str(tmp_path))
    assert len(list(tmp_path.glob("*.nbc"))) == ENTRIES
    assert [files.load(("types", k)) for k in range(ENTRIES)] == [("code", k) for k in range(ENTRIES)]


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("reservoir.kernels.cache.fcntl.flock", refuse)
    files = add_rows._cache._cache_file
    monkeypatch.setattr(files, "_index_path", str(tmp_path / files._index_name))
    monkeypatch.setattr(files, "_cache_path", str(tmp_path))
    files.save("types", "code")
    assert files.load("types") == "code"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the library, without compiled files."""
    return Path(shutil.copytree(cache.PACKAGE, tmp_path / "reservoir", ignore=shutil.ignore_patterns("__pycache__")))


def answer(package: Path, program: str, **environment: str) -> Any:
    """What a new process prints, as JSON, that imports the library from a copy."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment = {**inherited, "PYTHONPATH": str(package.parent), **environment}
    run = subprocess.run([sys.executable, "-c", program], env=environment, cwd=package.parent, capture_output=True, check=True)
    return json.loads(run.stdout)


def test_a_changed_sign_is_noticed_wherever_a_kernel_is_called_from(tmp_path: Path) -> None:
    copied = Path(shutil.copytree(cache.PACKAGE, tmp_path / "reservoir"))  # with the compiled files that there are
    before = answer(copied, STEPS)
    for name, old, new in CHANGES:
        text = (copied / name).read_text()
        assert text.count(old) == 1, name
        (copied / name).write_text(text.replace(old, new))
    after, interpreted = answer(copied, STEPS), answer(copied, STEPS, NUMBA_DISABLE_JIT="1")
    for old_numbers, numbers, expected in zip(before, after, interpreted, strict=True):
        np.testing.assert_allclose(numbers, expected, rtol=1e-12)
        assert not np.allclose(numbers, old_numbers, rtol=1e-3)
    for folder in ("kernels", "gradient/cells"):
        found = (copied / folder).glob(f"__pycache__/*{cache.MARK}*.nb?")
        digests = {path.name.partition(cache.MARK)[2].partition("-")[0] for path in found}
        assert len(digests) == 1, "superseded files are left"


@pytest.mark.parametrize("source", SOURCES)
def test_the_digest_covers_every_source(copied: Path, source: str) -> None:
    before = digest_of(copied)
    assert digest_of(copied) == before
    (copied / source).write_text((copied / source).read_text() + "\n")
    assert digest_of(copied) != before


def digest_of(package: Path) -> str:
    spec = importlib.util.spec_from_file_location("copied_cache", package / "kernels" / "cache.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.digest())


@pytest.mark.parametrize("name", cache.SETTINGS)
def test_settings_of_numba_have_a_digest_of_their_own(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache.settings_digest()
    monkeypatch.setattr(f"numba.config.{name}", "another")
    assert cache.settings_digest() != before


def test_kernels_are_only_where_the_digest_looks() -> None:
    compiling = re.compile(r"^\s*@(numba\.)?(n?jit|inline|uncounted|vectorize|guvectorize|overload|intrinsic)\b", re.MULTILINE)
    found = [path for path in cache.PACKAGE.rglob("*.py") if compiling.search(path.read_text())]
    assert len(found) > 10
    assert {path.parent for path in found} == set(cache.FOLDERS)


def test_only_compiled_kernels_of_other_digests_are_removed(tmp_path: Path) -> None:
    mine = f"step-1.py311.reservoir-{cache.digest()}"
    kept = {
        f"{mine}-{cache.settings_digest()}.nbi",
        f"{mine}-01234567.1.nbc",
        "users-3.py311.nbi",
        "users-3.py311.1.nbc",
        "step.cpython-311.pyc",
    }
    for name in [
        *kept,
        "step-1.py311.reservoir-0123456789abcdef-01234567.nbi",
        "old-7.py311.reservoir-0123456789abcdef-01234567.2.nbc",
    ]:
        (tmp_path / name).touch()
    cache.remove_superseded(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept


WHERE = "import json; from reservoir.kernels.matvec import add_rows as a; print(json.dumps(a._cache._cache_file._index_path))"


def test_a_folder_that_the_user_names_holds_the_compiled_kernels(copied: Path, tmp_path: Path) -> None:
    found = Path(answer(copied, WHERE, NUMBA_CACHE_DIR=str(tmp_path / "named")))
    assert found.is_relative_to(tmp_path / "named")
    assert cache.MARK in found.name


def test_an_installation_that_cannot_be_written_to(copied: Path, tmp_path: Path) -> None:
    (copied / "kernels" / "__pycache__").touch()  # no folder can be made there, not even by root
    found = Path(answer(copied, WHERE, XDG_CACHE_HOME=str(tmp_path / "users"), HOME=str(tmp_path / "users")))
    assert found.is_relative_to(tmp_path / "users")
    assert cache.MARK in found.name


def test_code_that_cannot_be_written_is_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = add_rows._cache._cache_file
    monkeypatch.setattr(files, "_index_path", str(tmp_path / "absent" / files._index_name))
    monkeypatch.setattr(files, "_cache_path", str(tmp_path / "absent"))
    files.save("types", "code")
    assert files.load("types") is None
