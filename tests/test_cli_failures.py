"""Failures at run time: what was finished is kept, the error takes a line."""

from __future__ import annotations

import errno
import io
import json
import os
import pkgutil
import re
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import NO_NETWORK, QUICK, SHORT, SMALL, SUNSPOTS, Command, csv_file
from messages import mentions

from reservoir import DivergenceError
from reservoir.base import model_file
from reservoir.comparison.work import ABOUT
from reservoir.experiments import run
from reservoir.experiments.evaluation import evaluate
from reservoir.experiments.store import Store


def test_an_unstable_network_says_so_and_names_the_step(command: Command) -> None:
    unstable = ("--set", "activation=relu", "--set", "spectral_radius=1e9")
    status, out, err = command("run", *QUICK, *unstable, "--seeds", "3:5")
    assert (status, out) == (1, "")
    told = r"Error: Seed {}: The reservoir diverged: .* step \d+; lower spectral_radius.*\n"
    assert re.fullmatch(told.format(3) + told.format(4), err)


def stopping(
    after: int, how: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, where: str = "reservoir.experiments.run.evaluate"
) -> None:
    """Let `evaluate`, or another function, end the program in its way once some seeds are done."""
    original = pkgutil.resolve_name(where)
    done: list[int] = []

    def stopped(*args: Any, **options: Any) -> Any:
        if len(done) == after:
            how()
        done.append(1)
        return original(*args, **options)

    monkeypatch.setattr(where, stopped)


def no_memory() -> None:
    raise MemoryError("Unable to allocate 373. GiB")


ENDS = {
    "ctrl-c": (lambda: signal.raise_signal(signal.SIGINT), 130, "Interrupted; 2 of 50 seeds were finished.\n"),
    "memory": (
        no_memory,
        1,
        "Error: not enough memory (Unable to allocate 373. GiB); use fewer units or a shorter series.\n",
    ),
}


@pytest.mark.parametrize("end", list(ENDS))
def test_what_was_finished_is_printed(command: Command, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    how, code, line = ENDS[end]
    whole = command("run", *QUICK, "--seeds", "0:2").out
    stopping(2, how, monkeypatch)
    status, out, err = command("run", *QUICK, "--seeds", "0:50")
    assert (status, err.lstrip()) == (code, line)  # click begins a new line after ^C
    # Times differ from run to run.
    assert re.sub(r"\d\.\d{3}\b", "", out) == re.sub(r"\d\.\d{3}\b", "", whole)


@pytest.mark.parametrize("end", list(ENDS))
def test_what_was_finished_is_printed_as_json(command: Command, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    how, code, line = ENDS[end]
    stopping(2, how, monkeypatch)
    status, out, err = command("run", *QUICK, "--seeds", "0:50", "--json")
    assert (status, err.lstrip()) == (code, line)  # click begins a new line after ^C
    assert [json.loads(row)["seed"] for row in out.splitlines()] == [0, 1]


def test_a_seed_that_diverges_is_told_and_the_rest_goes_on(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverging(task: Any, model: str, settings: Any, seed: int, **options: Any) -> Any:
        if seed in (0, 2):
            raise DivergenceError(f"Seed {seed}: The reservoir diverged at step 7.")
        return evaluate(task, model, settings, seed, **options)

    monkeypatch.setattr(run, "evaluate", diverging)
    status, out, err = command("run", *QUICK, "--seeds", "0:4", "--json")
    assert status == 1
    errors = "".join(f"Error: Seed {seed}: The reservoir diverged at step 7.\n" for seed in (0, 2))
    assert err == errors
    assert [json.loads(row)["seed"] for row in out.splitlines()] == [1, 3]
    status, out, _ = command("run", *QUICK, "--seeds", "0:4")
    assert status == 1
    assert [line.split()[0] for line in out.splitlines() if re.match(r" \d", line)] == ["1", "3"]


def test_ctrl_c_before_anything_is_finished(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping(0, ENDS["ctrl-c"][0], monkeypatch)
    status, out, err = command("run", *QUICK)
    assert (status, out, err.strip()) == (130, "", "Interrupted before any seed was finished.")


WRITERS = {
    "model": ("train", *QUICK, "--save", "kept.svg"),
    "picture of a run": ("run", *QUICK, "--plot", "kept.svg"),
    "forecast": ("forecast", "data.csv", *NO_NETWORK, "--out", "kept.svg", "--plot", "p.png"),
    "picture of a forecast": ("forecast", "data.csv", *NO_NETWORK, "--plot", "kept.svg", "--out", "f.csv"),
    "errors of a backtest": ("backtest", "data.csv", *NO_NETWORK, "--origins", "1", "--out", "kept.svg"),
    "picture of a backtest": ("backtest", "data.csv", *NO_NETWORK, "--origins", "1", "--plot", "kept.svg"),
    "report": ("compare", "narma10", "--models", "esn", *SMALL, *SHORT, "--seeds", "0:2", "--out", "."),
    "picture of a reservoir": ("inspect", "--set", "units=10", "--plot", "kept.svg"),
}


@pytest.mark.parametrize("writer", list(WRITERS))
def test_a_full_disk_leaves_the_old_file_and_prints_the_results(
    command: Command, monkeypatch: pytest.MonkeyPatch, writer: str
) -> None:
    csv_file()
    kept = "report.html" if writer == "report" else "kept.svg"
    Path(kept).write_text("old")
    if writer == "report":
        with Store.writing("runs.db", ABOUT):  # of the comparison that wrote it
            pass

    def replace(source: Path, target: Path) -> None:
        if Path(target).name == kept:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source))
        Path(source).rename(target)

    monkeypatch.setattr(model_file.os, "replace", replace)
    status, out, err = command(*WRITERS[writer])
    assert (status, err) == (1, f"Error: {kept}: No space left on device\n")
    assert "nmse" in out or "seasonal naive" in out or "echo state" in out
    assert Path(kept).read_text() == "old"
    assert [name for name in os.listdir() if name.startswith(".")] == []


def test_an_error_of_ours_keeps_its_traceback(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def how() -> None:
        raise ValueError("a bug")

    stopping(0, how, monkeypatch)
    with pytest.raises(ValueError, match=mentions("bug")):
        command("run", *QUICK)


def test_warnings_take_a_line(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warnings, "showwarning", None)  # put back afterwards
    command("--version")
    warnings.showwarning(UserWarning("two runs disagree"), UserWarning, "spectral.py", 1)
    assert command("--version").err == "Warning: two runs disagree\n"


def test_characters_that_the_terminal_lacks(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reservoir.commands.pages.task_page", lambda task: "\u00f6 \u017b")
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    assert command("tasks", "rossler").status == 0
    assert written.getvalue() == b"\xf6 ?\n"


def test_ctrl_c_keeps_what_was_compared(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping(2, ENDS["ctrl-c"][0], monkeypatch, "reservoir.experiments.work.measured")
    args = ("compare", "narma10", "sunspots", "--models", "esn", "--seeds", "0:2", *SMALL, *SHORT, *SUNSPOTS)
    status, out, err = command(*args)
    told = "Interrupted; comparison keeps the 3 runs that were finished. The same command continues from there.\n"
    assert (status, err.lstrip()) == (130, told)
    assert "narma10: nmse, lower is better; seeds 0,1\n" in out and "sunspots: nrmse, lower is better; seed 0\n" in out
    assert len(Path("comparison/runs.csv").read_text().splitlines()) == 4
    assert "3 of 4 runs were finished" in Path("comparison/report.html").read_text()


def test_ctrl_c_before_any_run_writes_nothing(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice() -> None:  # the second one drops the run under way
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    stopping(0, twice, monkeypatch, "reservoir.experiments.work.measured")
    status, out, err = command("compare", "narma10", "--models", "esn", *SMALL, *SHORT)
    assert (status, out, err.strip()) == (130, "", "Interrupted before any run was finished.")
    assert os.listdir("comparison") == ["runs.db"]
