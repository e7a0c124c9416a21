"""Running the command line within the process of a test."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from reservoir.commands.main import main


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
