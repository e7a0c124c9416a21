"""`reservoir compare`: what it prints and writes."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import SHORT, SMALL, SUNSPOTS, Command

from reservoir.commands import console
from reservoir.experiments import work
from reservoir.experiments.evaluation import evaluate, make_model
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
    narma = table_rows(out, "narma10: nmse, lower is better; seeds 0,1")
    sunspots = table_rows(out, "sunspots: nrmse, lower is better; seeds 0,1")
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
    assert set(os.listdir("comparison")) == {"report.html", "runs.csv", "runs.db", *names}
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
    args = ("compare", "narma10", *SMALL, *SHORT, "--seeds", "0:2", *UNSTABLE)
    status, out, _ = command(*args, "--models", "esn,bad=esn")
    assert status == 0
    rows = table_rows(out, "narma10: nmse, lower is better; seeds 0,1")
    assert re.search(r"^ bad +failed  ", out, re.MULTILINE) and not re.search(r"^ bad {1,15}failed", out, re.MULTILINE)
    assert rows["bad"] == ["failed", "0", "of", "2"] and rows["esn"][3:6] == ["2", "of", "2"]
    # Once, though the step and the size of the state differ.
    [reason] = re.findall(r"^bad failed with (.*): The reservoir diverged: .*$", out, re.MULTILINE)
    assert reason == "seeds 0,1"
    status, out, err = command(*args, "--models", "bad=esn", "--out", "o")
    assert (status, err) == (1, "")  # nothing worked
    assert "Report written to o/report.html." in out


def test_a_model_that_cannot_do_a_task_is_told_in_the_table(command: Command) -> None:
    status, out, _ = command(
        "compare", "waveform", "--models", "esn,fed=esn", "--set", "esn.feedback_scaling=0", "--seeds", "0:2", "--jobs", "1"
    )
    assert status == 0
    assert "\nesn failed with seeds 0,1: inputs: Found array with 0 feature(s)" in out


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
    assert sorted(os.listdir("comparison")) == ["report.html", "runs.csv", "runs.db"]


# The store


def times_out(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in ("fit_seconds", "predict_seconds")} for row in rows]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int]]:
    """The leak rate and the seed of every run that is done."""
    found: list[tuple[float, int]] = []

    def counted(name: Any, parameters: dict[str, Any], seed: int) -> Any:
        found.append((parameters.get("leak_rate", 1.0), seed))
        return make_model(name, parameters, seed)

    monkeypatch.setattr(work, "make_model", counted)
    return found


BOTH = (
    "compare",
    "narma10",
    *SMALL,
    *SHORT,
    "--models",
    "esn,slow=esn",
    "--set",
    "slow.leak_rate=0.5",
    "--set",
    "esn.leak_rate=1",
)


def test_the_same_comparison_again_does_what_is_missing(command: Command, made: list[tuple[float, int]]) -> None:
    first = command(*BOTH, "--seeds", "0:2", "--json")
    before = {name: Path("comparison", name).read_bytes() for name in os.listdir("comparison") if name.endswith(("svg", "csv"))}
    assert sorted(made) == [(0.5, 0), (0.5, 1), (1, 0), (1, 1)]
    made.clear()
    again = command(*BOTH, "--seeds", "0:2", "--json")
    assert made == [] and again == first
    assert {
        name: Path("comparison", name).read_bytes() for name in before
    } == before  # predictions are drawn again from the store
    grown = command(*BOTH, "--seeds", "0:3", "--json")
    assert sorted(made) == [(0.5, 2), (1, 2)]
    assert grown.out.splitlines()[:4] == first.out.splitlines()
    fresh = command(*BOTH, "--seeds", "0:3", "--json", "--out", "fresh")
    assert times_out([json.loads(row) for row in grown.out.splitlines()]) == times_out(
        [json.loads(row) for row in fresh.out.splitlines()]
    )
    made.clear()
    command(*BOTH, "narma20", "--task-set", "narma20.train_length=300", "--seeds", "0:3")
    assert len(made) == 6  # of the new task alone
    assert {"narma10-scores.svg", "narma20-scores.svg"} <= set(os.listdir("comparison"))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (("--seeds", "0"), "a run of narma10, esn, seed 1, and this one lacks it"),
        (("--seeds", "0:2", "--set", "units=11"), "a run of narma10, esn, seed 0, and this one has it with other settings"),
        (("--seeds", "0:2", "--task-set", "washout=30"), "this one has it with other settings"),
    ],
)
def test_another_comparison_needs_another_folder(command: Command, other: tuple[str, ...], told: str) -> None:
    small = [part for pair in zip(SMALL[::2], SMALL[1::2], strict=True) if pair[1] != "units=10" for part in pair]
    units = () if "units=11" in other else ("--set", "units=10")
    command(*BOTH, "--seeds", "0:2")
    before = {path: path.read_bytes() for path in Path("comparison").iterdir()}
    args = ("compare", "narma10", *small, *units, *SHORT, *BOTH[-6:])
    status, out, err = command(*args, *other)
    assert (status, out) == (2, "") and told in err and "--out" in err and err.count("\n") == 1
    assert {path: path.read_bytes() for path in Path("comparison").iterdir()} == before


def test_a_report_without_its_store_is_not_replaced(command: Command) -> None:
    Path("comparison").mkdir()
    Path("comparison/report.html").write_text("of somebody else")
    status, out, err = command(*BOTH)
    assert (status, out) == (2, "")
    assert err == (
        "Error: comparison/report.html: is of runs that are in no store, and the new report would replace it."
        " Another folder is given with --out.\n"
    )
    assert Path("comparison/report.html").read_text() == "of somebody else"
    assert os.listdir("comparison") == ["report.html"]


def test_failed_runs_are_repeated_when_asked_to(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any, **__: Any) -> Any:
        raise MemoryError("373 GiB")

    with monkeypatch.context() as patch:
        patch.setattr(work, "measured", failing)
        assert "failed with seeds 0,1: not enough memory" in command(*BOTH, "--seeds", "0:2").out
    assert command(*BOTH, "--seeds", "0:2").status == 1
    status, out, _ = command(*BOTH, "--seeds", "0:2", "--retry")
    assert status == 0 and "failed" not in out


def test_pictures_of_an_earlier_time_do_not_stay(command: Command) -> None:
    args = (*BOTH, "--seeds", "0:2")
    command(*args)
    assert "narma10-scores.svg" in os.listdir("comparison")
    status, out, err = command(*args, "--no-plot")
    assert (status, err) == (0, "") and out.endswith("Report written to comparison/report.html.\n")
    assert sorted(os.listdir("comparison")) == ["report.html", "runs.csv", "runs.db"]


def test_what_a_comparison_is_about_to_do_and_how_long_it_takes(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("reservoir.commands.compare.announce", shown.append)
    monkeypatch.setattr(
        console.Bar, "sweep", lambda bar, state, ended: shown.append(state.text()) or setattr(bar, "state", state)
    )
    command(*BOTH, "--seeds", "0:2")
    assert shown[:2] == ["4 runs: 1 task, 2 models, 2 seeds.", ""]
    assert re.fullmatch(r"about \d+ s left", shown[2])
    shown.clear()
    command(*BOTH, "--seeds", "0:3")
    assert shown[0] == "6 runs: 1 task, 2 models, 3 seeds; comparison has 4 of them."


def test_quiet_prints_nothing_and_writes_everything(command: Command) -> None:
    assert command(*BOTH, "--seeds", "0:2", "--quiet") == (0, "", "")
    assert {"report.html", "runs.csv", "narma10-scores.svg"} <= set(os.listdir("comparison"))
    status, out, err = command(*BOTH, "--seeds", "0:2", "--quiet", "--json")
    assert (status, err) == (0, "") and len(out.splitlines()) == 4


def test_the_stores_of_a_comparison_and_of_a_sweep_are_told_apart(command: Command) -> None:
    command(*BOTH, "--seeds", "0:2")
    status, out, err = command("results", "comparison/runs.db")
    assert (status, out) == (2, "")
    assert err == "Error: comparison/runs.db: is the store of a comparison; its report is in the same folder.\n"
    _, _, err = command("sweep", "narma10", "--vary", "leak_rate=0.5", "--store", "comparison/runs.db", "--jobs", "1")
    assert err == "Error: comparison/runs.db: holds runs of task a comparison, not narma10; give another store.\n"
