"""Running the command line within the process of a test."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from reservoir.commands.main import main

QUICK = (
    "narma10",
    "--set",
    "units=10",
    "--set",
    "density=0.3",
    "--task-set",
    "train_length=300",
    "--task-set",
    "test_length=100",
)
SMALL = ("--set", "units=10", "--set", "density=0.3", "--set", "washout=50", "--jobs", "1")
SHORT = ("--task-set", "narma10.train_length=300", "--task-set", "narma10.test_length=100")
SUNSPOTS = ("--task-set", "sunspots.starts=2", "--task-set", "sunspots.horizon=20")
NO_NETWORK = ("--without", "reservoir,reservoir with others")
"""Of a forecast, which is fast then."""
SWEEP = (
    "--set", "units=20", "--set", "density=0.2", "--task-set", "train_length=200", "--task-set", "test_length=50", "--jobs", "1",
)  # fmt: skip


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Command = Callable[..., Outcome]
Refused = Callable[..., str]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Runs `reservoir` with some arguments, in a folder of its own, as the program does."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)

    def call(*args: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["reservoir", *args])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        return Outcome(status, *capsys.readouterr())

    return call


@pytest.fixture
def refused(command: Command) -> Refused:
    """Runs `reservoir`, which must say in one line what is wrong, end with 2, and leave no file behind."""

    def call(*args: str) -> str:
        before = {path: path.read_bytes() for path in Path.cwd().rglob("*") if path.is_file()}
        status, out, err = command(*args)
        assert (status, out) == (2, "")
        assert re.fullmatch(r"Error: .+\n", err)
        assert {path: path.read_bytes() for path in Path.cwd().rglob("*") if path.is_file()} == before
        return err

    return call


def wave(length: int = 300) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=length)
    return np.sin(2 * np.pi * np.arange(length) / 20) + 0.05 * noise


def csv_file(name: str = "data.csv", **columns: Any) -> str:
    columns = columns or {"load": wave()}
    rows = zip(*columns.values(), strict=True)
    Path(name).write_text("\n".join([",".join(columns), *[",".join(map(str, row)) for row in rows]]) + "\n")
    return name


def toml_file(text: str, name: str = "sweep.toml") -> tuple[str, str]:
    """Writes a file of a sweep's options, and returns what names it on the command line."""
    Path(name).write_text(text, encoding="utf-8")
    return "--file", name
