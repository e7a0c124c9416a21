"""`reservoir compare`: what it prints and writes."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from commands import SHORT, SMALL, SUNSPOTS, Command

from reservoir.commands import console
from reservoir.experiments.evaluation import evaluate
from reservoir.tasks import get_task

SEED = ("--seeds", "0", "--jobs", "1")
UNSTABLE = ("--set", "bad.activation=relu", "--set", "bad.spectral_radius=1e9")


def table_rows(text: str, title: str) -> dict[str, list[str]]:
    """The rows of the table of that title, by their first word, without marks."""
    lines = text.replace("†", "").partition(f"{title}\n\n")[2].partition("\n\n")[0].splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines if "─" not in line}


def test_compare_prints_a_table_per_task_and_writes_the_report(command: Command) -> None:
    args = ("compare", "narma10", "sunspots", "--models", "esn,wide=esn", "--set", "wide.leak_rate=0.5", "--seeds", "0:2")
    status, out, err = command(*args, *SMALL, *SHORT, *SUNSPOTS)
    assert (status, err) == (0, "")
    assert out.endswith("Report written to comparison/report.html.\n")
    narma = table_rows(out, "narma10: nmse, lower is better; 2 seeds")
    sunspots = table_rows(out, "sunspots: nrmse, lower is better; 2 seeds")
    assert list(narma) == ["model", "esn", "wide", "linear"] and list(sunspots) == ["model", "esn", "wide", "last"]
    assert narma["model"] == ["median", "nmse", "mean", "std", "weights", "fit", "s", "predict", "s"]
    task = get_task("narma10", train_length=300, test_length=100)
    small = {"units": 10, "density": 0.3, "washout": 50}
    scores = [evaluate(task, "esn", {**small, "leak_rate": 0.5}, seed).row["score"] for seed in (0, 1)]
    assert [float(cell) for cell in narma["wide"][:3]] == pytest.approx(
        [np.median(scores), np.mean(scores), np.std(scores, ddof=1)], rel=0.05
    )
    assert narma["wide"][3] == "12"
    names = {f"{task}-{kind}.svg" for task in ("narma10", "sunspots") for kind in ("scores", "predictions")}
    assert set(os.listdir("comparison")) == {"report.html", "runs.csv", *names}
    assert shlex.join(["reservoir", *args, *SMALL, *SHORT, *SUNSPOTS]) in Path("comparison/report.html").read_text()


def test_compare_json_holds_a_row_per_run_in_order(command: Command) -> None:
    args = ("compare", "narma10", "--models", "esn,bad=esn", "--seeds", "3,1", *SMALL, *SHORT, *UNSTABLE, "--out", "o")
    status, out, err = command(*args, "--json")
    assert (status, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["label"], row["seed"]) for row in rows] == [("esn", 3), ("bad", 3), ("esn", 1), ("bad", 1)]
    assert [row["score"] is None for row in rows] == [False, True, False, True]
    assert "diverged" in rows[1]["error"] and rows[0]["error"] is None
    assert len(Path("o/runs.csv").read_text().splitlines()) == 5


def test_a_model_that_fails_is_told_in_the_table(command: Command) -> None:
    args = ("compare", "narma10", *SMALL, *SHORT, "--seeds", "0:2", "--out", "o", *UNSTABLE)
    status, out, _ = command(*args, "--models", "esn,bad=esn")
    assert status == 0
    rows = table_rows(out, "narma10: nmse, lower is better; 2 seeds")
    assert re.search(r"^ bad +failed  ", out, re.MULTILINE) and not re.search(r"^ bad {1,15}failed", out, re.MULTILINE)
    assert rows["bad"] == ["failed", "0", "of", "2"] and rows["esn"][3:6] == ["2", "of", "2"]
    assert re.search(r"^bad failed with seeds? .*: The reservoir diverged: .*$", out, re.MULTILINE)
    status, out, err = command(*args, "--models", "bad=esn")
    assert (status, err) == (1, "")  # nothing worked
    assert "Report written to o/report.html." in out


def test_a_model_that_cannot_do_a_task_is_told_in_the_table(command: Command) -> None:
    status, out, _ = command(
        "compare", "waveform", "--models", "esn,fed=esn", "--set", "esn.feedback_scaling=0", "--seeds", "0:2", "--jobs", "1"
    )
    assert status == 0
    assert "\nesn failed with seeds 0, 1: inputs: Found array with 0 feature(s)" in out


def test_a_budget_sizes_the_models(command: Command) -> None:
    args = ("--models", "esn,squares=esn", "--set", "squares.readout_from=state,square", *SEED)
    status, out, _ = command("compare", "narma10", *SHORT, *args, "--budget-parameters", "61", "--json")
    assert status == 0
    found = [json.loads(line) for line in out.splitlines()]
    assert [(row["n_parameters"], row["params"]["units"]) for row in found] == [(61, 59), (60, 30)]


def test_compare_without_matplotlib(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "find_spec", lambda name: None)
    status, out, _ = command("compare", "narma10", "--models", "esn", "--seeds", "0", *SMALL, *SHORT)
    assert status == 0
    assert out.endswith("Report written to comparison/report.html; no pictures: matplotlib is not installed.\n")
    assert sorted(os.listdir("comparison")) == ["report.html", "runs.csv"]
