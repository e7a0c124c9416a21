"""Rows for a store, and folders to compare."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reservoir.experiments.rows import Row
from reservoir.experiments.store import Store

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
