"""Compiled kernels on the disk, written by two processes at once."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from reservoir.kernels.matvec import add_rows

ENTRIES = 300


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
