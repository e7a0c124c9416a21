"""What is printed of a sweep."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reservoir.experiments.driver import Progress
from reservoir.sweeps.report import SweepReport, given_text, value_text
from reservoir.sweeps.summary import RunTable

ABOUT = {
    "task": "narma10", "task_options": {"test_length": 500}, "task_set": {"test_length": 500}, "model": "esn", "metric": "nmse",
    "higher_is_better": False, "split": "validation", "strategy": "grid", "varied": ["readout__ridge", "topology"],
    "given": ["readout__ridge", "topology", "units"],
}  # fmt: skip


def report(scores: Any, statuses: Any = None, errors: Any = None, **about: Any) -> SweepReport:
    """Trials of two ridges, the first with two topologies; rows of `scores` are trials, columns seeds 3, 4, ..."""
    scores = np.array(scores, dtype=float)
    trials = [
        {"readout__ridge": ridge, "topology": topology, "units": 50, "washout": 10}
        for ridge, topology in ((1e-9, "cycle"), (1e-9, "two words"), (1e-3, "cycle"))
    ]
    trial, seed = (part.ravel() for part in np.indices(scores.shape))
    flat = scores.ravel()
    status = np.where(np.isnan(flat), "failed", "done") if statuses is None else np.array(statuses)
    reasons = [None] * flat.size if errors is None else errors
    runs = RunTable({**ABOUT, **about}, trials[: len(scores)], trial, seed + 3, flat, status, reasons)
    return SweepReport(runs, Path("sweep.db"))


def test_the_ranking_has_the_varied_parameters_and_the_spread_over_seeds() -> None:
    title, columns, rows, notes = report([[0.5, 0.7], [0.2, 0.4], [0.9, 0.9]]).table(top=2)
    assert title == "narma10, esn: nmse on the validation split, lower is better; seeds 3,4"
    assert columns == ["trial", "readout.ridge", "topology", "mean", "std", "min", "max", "runs"]
    assert rows == [
        ["2", "1e-09", "two words", "0.3", "0.1414", "0.2", "0.4", "2"],
        ["1", "1e-09", "cycle", "0.6", "0.1414", "0.5", "0.7", "2"],
    ]
    assert notes == ["3 trials, 2 seeds: 6 done."]


def test_one_seed_has_no_spread_and_higher_may_be_better() -> None:
    title, columns, rows, notes = report([[0.5], [0.2]], higher_is_better=True).table(top=5)
    assert title.endswith("higher is better; seed 3")
    assert columns == ["trial", "topology", "score"]
    assert [row[-1] for row in rows] == ["0.5", "0.2"]
    assert notes == ["2 trials, 1 seed: 2 done."]


def test_failures_are_counted_with_their_reasons() -> None:
    statuses = ["failed", "done", "pruned", "done", "done", "failed"]
    errors = ["it diverged", None, None, None, None, "it diverged"]
    nan = np.nan
    _, columns, rows, notes = report([[nan, 0.7], [nan, 0.4], [0.9, nan]], statuses, errors).table(top=3)
    assert columns[-3:] == ["runs", "failed", "pruned"]
    assert [row[-3:] for row in rows] == [["1", "0", "1"], ["1", "1", "0"], ["1", "1", "0"]]
    assert notes == ["3 trials, 2 seeds: 3 done, 2 failed, 1 pruned.", "Failed 2 times: it diverged"]


def test_different_versions_are_told() -> None:
    one, other = {"reservoir": "0.1.0", "numpy": "2.4"}, {"reservoir": "0.2.0", "numpy": "2.4"}
    assert len(report([[0.5]], environments=[one]).table(top=1)[3]) == 1
    _, _, _, notes = report([[0.5]], environments=[one, other]).table(top=1)
    assert notes[1:] == ["Computed by different versions: reservoir 0.1.0, numpy 2.4; reservoir 0.2.0, numpy 2.4."]


def test_only_the_most_frequent_reasons_are_told() -> None:
    nan = np.nan
    _, _, _, notes = report([[nan, nan], [nan, nan], [0.1, nan]], errors=["a", "b", "c", "d", None, "d"]).table(top=3)
    assert notes[0] == "3 trials, 2 seeds: 1 done, 5 failed."
    assert notes[1:] == [
        "Failed 2 times: d",
        "Failed 1 time: a",
        "Failed 1 time: b",
        "... and for 1 other reason; --csv writes them all.",
    ]


def test_the_best_trial_comes_as_a_command_with_what_was_given_and_new_seeds() -> None:
    command = report([[0.5, 0.7], [0.2, 0.4], [0.9, 0.9]]).best_command()
    assert command is not None
    assert shlex.split(command) == [
        "reservoir", "run", "narma10", "--model", "esn", "--task-set", "test_length=500", "--set", "readout.ridge=1e-09",
        "--set", "topology=two words", "--set", "units=50", "--seeds", "5:10",
    ]  # fmt: skip
    assert report([[np.nan, np.nan]]).best_command() is None


def test_importance_names_what_varies() -> None:
    generator = np.random.default_rng(0)
    scores = np.exp([[0.0], [0.0], [4.0]] + 0.01 * generator.standard_normal((3, 20)))
    found = report(scores).importance_table()
    assert found is not None
    _, columns, rows, notes = found
    assert columns == ["parameter", "variance explained", "levels"]
    assert rows[0][0] == "readout.ridge"
    assert rows[0][1].startswith(("99.", "100."))
    assert rows[-1][0] == "interactions and noise"
    assert notes == ["Share of the variance of the log10 of the score that each explains alone, over 60 runs."]
    assert report([[0.5]]).importance_table() is None


def test_json_has_all_parameters_of_the_best() -> None:
    [found] = report([[0.5, np.nan], [0.2, 0.4]]).records(top=1)
    assert (found["trials"], found["done"], found["failed"], found["task"]) == (2, 3, 1, "narma10")
    [best] = found["best"]
    assert best["trial"] == 2
    assert best["parameters"] == {"readout__ridge": 1e-9, "topology": "two words", "units": 50, "washout": 10}
    assert best["mean"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1 + 0.2, "0.3"), (3, "3"), ("cycle", "cycle"), (True, "true"), (None, "none"), (["bias", "state"], "bias,state")],
)
def test_values_are_shown_as_they_are_given(value: Any, text: str) -> None:
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["bias", "input", "state"], "bias,input,state"), (["state"], "state"), ([1, 2.5], "1,2.5"), (0.1 + 0.2, repr(0.1 + 0.2)),
        (["1", "x"], "['1', 'x']"), ([["a"], ["b"]], "[['a'], ['b']]"), ([], "[]"), ([5], "[5]"), (None, "None"),
        ("cycle", "cycle"),
    ],
)  # fmt: skip
def test_values_in_full_are_read_as_they_were(value: Any, text: str) -> None:
    assert given_text(value) == text


def test_a_report_of_a_sweep_has_its_own_runs_alone() -> None:
    whole = report([[0.5, 0.7], [0.2, 0.4], [0.9, 0.9]])
    own = SweepReport(whole.runs, whole.store, np.array([True, True, False, False, True, False]))
    assert [row[0] for row in own.latest.table().rows] == ["1", "3"]  # the numbers that they have in the store
    assert own.latest.table().columns == ["trial", "readout.ridge", "mean", "std", "min", "max", "runs"]
    assert own.latest.table().notes == ["2 trials, 2 seeds: 3 done."]
    command = own.best_command()
    assert command is not None and "topology=cycle" in command and command.endswith("--seeds 5:10")
    assert whole.latest is whole


def test_progress_tells_failures_the_best_the_rate_and_the_end() -> None:
    assert Progress(total=10).text() == ""
    state = Progress(total=5000, kept=5, done=1995, failed=4, pruned=1, best=0.031234, seconds=8.0, finishing=True)
    assert state.text() == (
        "waiting for the runs under way (Ctrl-C again drops them), 4 failed, 1 pruned, best run 0.03123, 250 runs/s"
    )
