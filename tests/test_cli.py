"""The command line as its users meet it: what it prints and writes, what it says of bad input, what it keeps."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command

import reservoir
from reservoir import DivergenceError, load
from reservoir.base import model_file
from reservoir.commands import console, options
from reservoir.commands.main import cli
from reservoir.echo.readouts.table import READOUTS
from reservoir.experiments import evaluation
from reservoir.experiments.evaluation import evaluate
from reservoir.experiments.tables import table_text
from reservoir.models import MODELS
from reservoir.tasks import get_task, list_tasks

ROOT = Path(__file__).parent.parent
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
ONE_CANDIDATE = (
    "--set", "units=60", "--set", "density=0.1", "--set", "leak_rate=0.3", "--set", "spectral_radius=0.9",
    "--set", "input_scaling=0.3", "--set", "readout.ridge=1e-3", "--seeds", "0:2",
)  # fmt: skip


def wave(length: int = 300) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=length)
    return np.sin(2 * np.pi * np.arange(length) / 20) + 0.05 * noise


def csv_file(name: str = "data.csv", **columns: Any) -> str:
    columns = columns or {"load": wave()}
    rows = zip(*columns.values(), strict=True)
    Path(name).write_text("\n".join([",".join(columns), *[",".join(map(str, row)) for row in rows]]) + "\n")
    return name


# Help and lists


def test_alone_it_shows_its_help(command: Command) -> None:
    assert command() == command("--help") == command("-h")
    status, out, err = command()
    assert (status, err) == (0, "")
    for name in cli.commands:
        assert re.search(rf"^  {name} .*\.$", out, re.MULTILINE)  # a whole sentence, not one cut short
    assert command("--version") == (0, f"{reservoir.__version__}\n", "")


def examples(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip().startswith("reservoir ")]


@pytest.mark.parametrize("name", ["", *cli.commands])
def test_help_keeps_its_examples_on_lines_of_their_own(command: Command, name: str) -> None:
    status, out, err = command(*name.split(), "--help")
    assert (status, err) == (0, "")
    assert "\b" not in out and r"\b" not in out
    assert max(map(len, out.splitlines())) <= 80
    assert examples(out) == examples((cli.commands[name] if name else cli).help)


@pytest.mark.parametrize("example", [line for c in (cli, *cli.commands.values()) for line in examples(c.help)])
def test_examples_in_the_help_can_be_parsed(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sweep.toml").write_text('task = "narma10"', encoding="utf-8")
    name, *args = shlex.split(example.partition("   ")[0])[1:]
    cli.commands[name].make_context(name, args)


@pytest.mark.parametrize("columns", [80, 160])
def test_lists_fit_the_width(command: Command, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for args in (("tasks",), ("models",), ("run", *QUICK, "--seeds", "0:2"), ("inspect", "--set", "units=12")):
        status, out, err = command(*args)
        assert (status, err) == (0, "")
        assert max(map(len, out.splitlines())) <= columns
        assert all(line == line.rstrip() for line in out.splitlines())


def test_tasks_are_listed_by_their_whole_names(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    first = [line.split()[0] for line in command("tasks").out.splitlines() if re.match(r" \w", line)]
    assert first == ["name", *list_tasks()]


@pytest.mark.parametrize("name", ["a column of a users file " * 6, "unbroken" * 20])
def test_a_long_name_leaves_room_for_the_other_columns(name: str) -> None:
    text = table_text("T", ["column", "forecast", "rmse / best naive"], [[name, "naive", "0.125"], ["b", "", "7"]], ["Note."], 60)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 60
    assert "naive" in text and "0.125" in text
    assert "".join(line[:28] for line in lines[4:-3]).replace(" ", "").startswith(name.replace(" ", "")[:40])
    assert lines[-2:] == ["", "Note."]


def test_the_page_of_each_task(command: Command) -> None:
    facts = {fact["name"]: fact for fact in map(json.loads, command("tasks", "--json").out.splitlines())}
    assert list(facts) == list_tasks()
    for name, fact in facts.items():
        status, page, err = command("tasks", name)
        assert (status, err) == (0, "")
        assert fact["definition"] in page and fact["metric"] in page
        options = get_task(name, path="x").options() if name == "csv" else get_task(name).options()
        assert list(fact["options"]) == list(options)
        for option in options:
            assert re.search(rf"^  {option} = .*: \S", page, re.MULTILINE)
        for parameter, value in fact["settings"]["esn"].items():
            assert f"  {parameter.replace('__', '.')} = {value!r}\n" in page + "\n"
        assert " object at 0x" not in page + json.dumps(fact)
    assert json.loads(command("tasks", "lorenz", "--json").out) == facts["lorenz"]


def test_the_page_of_a_model(command: Command) -> None:
    page = command("models", "esn").out
    for name, constraint in reservoir.ESN.constraints.items():
        assert re.search(rf"^  {name} = .*: {re.escape(str(constraint))}$", page, re.MULTILINE)
    assert "cycle_jumps: " in page and "jump=5" in page and "RidgeClassifier: " in page
    assert ">>>" not in page  # the rest of the docstring is for Python
    fact = json.loads(command("models", "esn", "--json").out)
    assert fact["parameters"]["units"] == {"default": 500, "constraint": "an integer in [1, inf)"}
    assert fact["parts"]["readout"]["LeastMeanSquares"]["normalized"] == {"default": True, "constraint": "one of True, False"}
    for name, readout in READOUTS.items():
        assert f"\n{name} (--set readout={name}, --set readout.NAME=VALUE)\n" in page
        for parameter, constraint in readout.constraints.items():
            assert re.search(rf"^  {parameter} = .*: {re.escape(str(constraint))}$", page, re.MULTILINE)
    assert [json.loads(line)["name"] for line in command("models", "--json").out.splitlines()] == list(MODELS)


# run


def test_run_prints_a_row_per_seed_with_mean_and_standard_deviation(command: Command) -> None:
    status, out, err = command("run", *QUICK, "--seeds", "0:3")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "narma10, esn: nmse, lower is better"
    cells = {line.split()[0]: line.split()[1:] for line in lines[1:] if line}
    assert cells["seed"] == ["nmse", "nrmse", "baseline", "weights", "fit", "s", "predict", "s"]
    scores = np.array([float(cells[str(seed)][0]) for seed in range(3)])
    assert float(cells["mean"][0]) == pytest.approx(scores.mean(), rel=1e-3)
    assert float(cells["std"][0]) == pytest.approx(scores.std(ddof=1), rel=0.1)
    assert cells["0"][3] == "12"
    assert "mean" not in command("run", *QUICK).out


def test_run_json_holds_the_numbers_in_full(command: Command) -> None:
    status, out, err = command("run", *QUICK, "--seeds", "4,2", "--json")
    assert (status, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["seed"] for row in rows] == [4, 2]
    task = get_task("narma10", train_length=300, test_length=100)
    ref = evaluate(task, "esn", {"units": 10, "density": 0.3}, 2).row
    assert rows[1]["score"] == ref["score"]
    assert rows[1]["scores"] == ref["scores"]
    assert rows[1]["task_options"]["train_length"] == 300
    assert set(rows[1]) == {
        "task", "task_options", "model", "params", "seed", "metric", "score", "scores", "solved", "baseline",
        "n_parameters", "fit_seconds", "predict_seconds", "version",
    }  # fmt: skip


def test_save_keeps_the_model_of_the_first_seed(command: Command) -> None:
    row = json.loads(command("run", *QUICK, "--seeds", "3:5", "--json", "--save", "model").out.splitlines()[0])
    task = get_task("narma10", **row["task_options"])
    data = task.generate(3)
    assert task.score(load("model").predict(data.test.inputs), data) == row["score"]
    assert os.listdir() == ["model"]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_plot_writes_a_picture(command: Command, suffix: str) -> None:
    assert command("run", *QUICK, "--plot", f"picture.{suffix}").status == 0
    start = Path(f"picture.{suffix}").read_bytes()[:5]
    assert start.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix])


def test_numbers_that_are_not_finite_are_null_in_json(command: Command) -> None:
    args = ("inspect", "--set", "units=10", "--set", "spectral_radius=0", "--json")
    assert json.loads(command(*args, "--steps", "200").out)["lyapunov_exponent"] is None


def test_a_setting_names_a_list_by_commas_or_by_one_word(command: Command) -> None:
    for given, kept in (("state", ["state"]), ("bias,square", ["bias", "square"]), ("['state']", ["state"])):
        row = json.loads(command("run", *QUICK, "--json", "--set", f"readout_from={given}").out)
        assert row["params"]["readout_from"] == kept


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5), ("1e-6", 1e-6), ("true", True), ("None", None), ("cycle", "cycle"), ("a,b", ["a", "b"]), ("1,2", [1, 2]),
        ("a,1,none", ["a", 1, None]), ("{'jump': 7}", {"jump": 7}), ("data/my file.csv", "data/my file.csv"), ("", ""),
        ("{[]:1}", "{[]:1}"), ("(" * 500, "(" * 500), ("'5'", "5"),
    ],
)  # fmt: skip
def test_values(text: str, value: Any) -> None:
    assert options.parse_value(text) == value
    assert type(options.parse_value(text)) is type(value)


@pytest.mark.parametrize(("text", "seeds"), [("3", [3]), ("0:3", [0, 1, 2]), ("4,0:2,9", [4, 0, 1, 9])])
def test_seeds(text: str, seeds: list[int]) -> None:
    assert options.Seeds().convert(text, None, None) == seeds


def test_a_file_of_ones_own_in_short(command: Command) -> None:
    settings = ("--set", "units=10", "--set", "density=0.3", "--set", "washout=10", "--task-set", "washout=10")
    in_short = json.loads(command("run", "csv", "--data", csv_file(), *settings, "--json").out)
    in_full = json.loads(command("run", "csv", "--task-set", "path=data.csv", *settings, "--json").out)
    assert in_short["task_options"] == in_full["task_options"]
    assert in_short["score"] == in_full["score"]


# compare

SMALL = ("--set", "units=10", "--set", "density=0.3", "--set", "washout=50", "--jobs", "1")
SEED = ("--seeds", "0", "--jobs", "1")
SHORT = ("--task-set", "narma10.train_length=300", "--task-set", "narma10.test_length=100")
SUNSPOTS = ("--task-set", "sunspots.starts=2", "--task-set", "sunspots.horizon=20")
UNSTABLE = ("--set", "bad.activation=relu", "--set", "bad.spectral_radius=1e9")


def table_rows(text: str, title: str) -> dict[str, list[str]]:
    """The rows of the table of that title, by their first word."""
    lines = text.partition(f"{title}\n\n")[2].partition("\n\n")[0].splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines if "─" not in line}


def test_compare_prints_a_table_per_task_and_writes_the_report(command: Command) -> None:
    args = ("compare", "narma10", "sunspots", "--models", "esn,wide=esn", "--set", "wide.leak_rate=0.5", "--seeds", "0:2")
    status, out, err = command(*args, *SMALL, *SHORT, *SUNSPOTS)
    assert (status, err) == (0, "")
    assert out.endswith("Report written to comparison/report.html.\n")
    narma = table_rows(out, "narma10: nmse, lower is better; 2 seeds")
    sunspots = table_rows(out, "sunspots: nrmse, lower is better; 2 seeds")
    assert list(narma) == ["model", "esn", "wide", "trivial"] == list(sunspots)
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


def test_ctrl_c_keeps_what_was_compared(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reservoir.comparison.work.evaluate", evaluate)
    stopping(3, ENDS["ctrl-c"][0], monkeypatch, "reservoir.comparison.work.evaluate")
    args = ("compare", "narma10", "sunspots", "--models", "esn", "--seeds", "0:2", *SMALL, *SHORT, *SUNSPOTS)
    status, out, err = command(*args)
    assert (status, err.lstrip()) == (130, "Interrupted; what was finished is kept.\n")
    assert "narma10: nmse, lower is better; 2 seeds" in out and "sunspots: nrmse, lower is better; 1 seed\n" in out
    assert len(Path("comparison/runs.csv").read_text().splitlines()) == 4
    assert "3 of 4 runs were finished" in Path("comparison/report.html").read_text()


def test_ctrl_c_before_any_run_writes_nothing(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping(0, ENDS["ctrl-c"][0], monkeypatch, "reservoir.comparison.work.evaluate")
    status, out, err = command("compare", "narma10", "--models", "esn", *SMALL, *SHORT)
    assert (status, out, err.strip()) == (130, "", "Interrupted; what was finished is kept.")
    assert os.listdir() == []


# predict


def test_a_saved_model_forecasts_a_file(command: Command) -> None:
    esn = reservoir.ESN(units=60, density=0.1, leak_rate=0.3, washout=20, random_state=0).fit(wave())
    esn.save("model")
    status, out, err = command("predict", "model", csv_file(), "--steps", "5", "--out", "p.csv")
    assert (status, out, err) == (0, "5 rows written to p.csv.\n", "")
    header, *lines = Path("p.csv").read_text().splitlines()
    assert header == "row,load"
    assert [int(line.split(",")[0]) for line in lines] == [301, 302, 303, 304, 305]
    assert [float(line.split(",")[1]) for line in lines] == esn.forecast(wave(), 5).tolist()


def test_a_saved_model_reads_the_rows_of_a_file(command: Command) -> None:
    inputs, targets = np.stack([wave(), wave()[::-1]], axis=1), np.stack([wave() + 1.0, wave() - 1.0, wave()], axis=1)
    esn = reservoir.ESN(units=20, density=0.3, washout=20, random_state=0).fit(inputs, targets)
    esn.save("model")
    name = csv_file(b=wave()[::-1], day=["mon"] * 300, a=wave())
    status, out, err = command("predict", "model", name, "--column", "a,b")
    assert (status, out, err) == (0, "300 rows written to predictions.csv.\n", "")
    header, *lines = Path("predictions.csv").read_text().splitlines()
    assert header == "row,output 1,output 2,output 3"
    found = np.array([[float(cell) for cell in line.split(",")] for line in lines])
    np.testing.assert_array_equal(found[:, 0], np.arange(1, 301))
    np.testing.assert_array_equal(found[:, 1:], esn.predict(inputs))


def test_a_saved_classifier_gives_labels(command: Command) -> None:
    labels = np.where(wave() > 0.0, "up", "down")
    steps = reservoir.ESN(units=20, density=0.3, readout=reservoir.RidgeClassifier(), washout=20, random_state=0)
    steps.fit(wave(), labels).save("steps")
    assert command("predict", "steps", csv_file()).status == 0
    assert Path("predictions.csv").read_text().splitlines()[:2] == ["row,output", f"1,{steps.predict(wave())[0]}"]
    whole = reservoir.ESN(units=20, density=0.3, readout=reservoir.RidgeClassifier(), random_state=0)
    whole.fit([wave(), -wave(), wave() + 1.0], np.array(["a", "b", "a"])).save("whole")
    assert command("predict", "whole", "data.csv").out == "1 row written to predictions.csv.\n"
    assert Path("predictions.csv").read_text().splitlines() == ["row,output", "1,a"]


def test_a_model_of_a_standardized_record_is_given_one(command: Command) -> None:
    far = 1000.0 + 50.0 * wave()
    scaled = (far - far.mean()) / far.std()
    esn = reservoir.ESN(units=60, density=0.1, leak_rate=0.3, washout=20, random_state=0).fit(scaled)
    esn.save("model")
    assert command("predict", "model", csv_file(load=far), "--steps", "5", "--standardize").status == 0
    found = [float(line.split(",")[1]) for line in Path("predictions.csv").read_text().splitlines()[1:]]
    np.testing.assert_allclose(found, esn.forecast(scaled, 5) * far.std() + far.mean(), rtol=1e-9)


# forecast


def test_forecast_writes_the_steps_past_the_end(command: Command) -> None:
    status, out, err = command("forecast", csv_file(), "--horizon", "30", *ONE_CANDIDATE)
    assert (status, err) == (0, "")
    assert sorted(os.listdir()) == ["data.csv", "forecast.csv", "forecast.png"]
    assert out.endswith("Forecast written to forecast.csv, picture to forecast.png.\n")
    header, *lines = Path("forecast.csv").read_text().splitlines()
    assert header == "row,load,load_low,load_high"
    rows = np.array([[float(cell) for cell in line.split(",")] for line in lines])
    assert rows[:, 0].tolist() == list(range(301, 331))
    truth = np.sin(2 * np.pi * np.arange(300, 330) / 20)
    assert np.abs(rows[:, 1] - truth).max() < 0.3
    assert (rows[:, 2] < rows[:, 1]).all() and (rows[:, 1] < rows[:, 3]).all()
    assert "Seasonal period: 20. Rows: 300, held out: 30." in out
    errors = {line.split("  ")[2].strip(): line.split()[-1] for line in out.splitlines() if line.startswith(" load")}
    assert list(errors) == ["echo state network", "naive", "seasonal naive"]
    assert float(errors["echo state network"]) < 1.0 == float(errors["seasonal naive"]) < float(errors["naive"])
    assert "prefer it" not in out


def test_forecast_json_agrees_with_the_file(command: Command) -> None:
    status, out, err = command("forecast", csv_file(), "--json", *ONE_CANDIDATE, "--out", "f.csv", "--plot", "p.svg")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert (found["columns"], found["rows"], found["horizon"], found["holdout"], found["period"]) == (["load"], 300, 30, 30, 20)
    assert found["settings"]["readout__ridge"] == 1e-3
    assert list(found["rmse"]) == ["echo state network", "naive", "seasonal naive"]
    lines = [line.split(",") for line in Path("f.csv").read_text().splitlines()[1:]]
    assert [[float(line[1])] for line in lines] == found["forecast"]
    assert [[float(line[2])] for line in lines] == found["low"]
    assert Path("p.svg").read_text().startswith("<?xml")


def test_forecast_says_when_a_trivial_forecast_is_better(command: Command) -> None:
    steps = np.where(np.arange(300) % 100 < 50, 0.0, 1.0) + 1e-9 * wave()  # constant for the whole hold-out
    status, out, _ = command("forecast", csv_file(load=steps), *ONE_CANDIDATE, "--horizon", "20")
    assert status == 0
    assert "The naive forecast of load is no worse than the network's; prefer it." in out


def test_forecast_of_a_record_that_ends_constant(command: Command) -> None:
    flat = wave()
    flat[-31:] = flat[-31]
    status, out, err = command("forecast", csv_file(load=flat), *ONE_CANDIDATE, "--json", "--horizon", "30")
    assert (status, err) == (0, "")
    assert json.loads(out)["rmse"]["naive"] == [0.0]
    status, out, _ = command("forecast", "data.csv", *ONE_CANDIDATE, "--horizon", "30", "--out", "b.csv")
    assert status == 0
    assert "The naive forecast of load" in out and "nan" not in out


def test_forecast_without_matplotlib_leaves_the_picture_out(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "find_spec", lambda name: None)
    status, out, _ = command("forecast", csv_file(), *ONE_CANDIDATE)
    assert status == 0
    assert out.endswith("Forecast written to forecast.csv, no picture: matplotlib is not installed.\n")
    assert sorted(os.listdir()) == ["data.csv", "forecast.csv"]


def test_columns_are_named_by_commas_and_in_quotes(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "find_spec", lambda name: None)
    name = csv_file(**{'"price, net"': wave(), "b": wave()[::-1], "c": wave()})
    for column, names in (('"price, net"', ["price, net"]), ('c, "price, net"', ["c", "price, net"]), ("b", ["b"])):
        assert json.loads(command("forecast", name, "--json", "--column", column, *ONE_CANDIDATE).out)["columns"] == names


def test_diverged_networks_are_counted_in_the_notes(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "find_spec", lambda name: None)

    def make(name: str, parameters: Any, seed: int) -> Any:
        model = evaluation.make_model(name, parameters, seed)
        if seed == 1:
            model.forecast = lambda *_: (_ for _ in ()).throw(DivergenceError("diverged at step 3"))
        return model

    monkeypatch.setattr("reservoir.forecasting.ensemble.make_model", make)
    assert "\n2 of 4 networks diverged and were left out.\n" in command("forecast", csv_file(), *ONE_CANDIDATE).out


# inspect


def test_inspect_measures_and_draws(command: Command) -> None:
    status, out, err = command("inspect", "--set", "units=12", "--set", "spectral_radius=0.7", "--plot", "r.png")
    assert (status, err) == (0, "")
    assert re.search(r"^ spectral radius +0\.7 ", out, re.MULTILINE)
    assert Path("r.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(command("inspect", "--set", "units=12", "--set", "spectral_radius=0.7", "--json").out)
    for name in found.keys() - {"memory_curve"}:
        assert f" {name.replace('_', ' ')} " in out
    assert len(found["memory_curve"]) == 24


def test_inspect_with_a_file_and_with_several_inputs(command: Command) -> None:
    args = ("inspect", "--set", "units=12", "--json")
    noise, three = json.loads(command(*args).out), json.loads(command(*args, "--inputs", "3").out)
    driven = json.loads(command(*args, "--file", csv_file(a=wave(), b=wave() * 2), "--column", "b").out)
    assert len({found["lyapunov_exponent"] for found in (noise, three, driven)}) == 3
    assert noise["memory_capacity"] == driven["memory_capacity"] != three["memory_capacity"]
    same = json.loads(command(*args, "--file", csv_file(b=wave())).out)
    assert same["lyapunov_exponent"] == pytest.approx(driven["lyapunov_exponent"])  # standardized


SMALL_ADDING = (
    "gradients", "adding", "--task-set", "length=12", "--task-set", "train_sequences=40", "--set", "units=5",
    "--set", "training.epochs=1",
)  # fmt: skip


def test_gradients_are_measured_and_drawn(command: Command) -> None:
    status, out, err = command(*SMALL_ADDING, "--models", "elman,lstm", "--set", "lstm.units=7", "--plot", "g.png")
    assert (status, err) == (0, "")
    assert re.search(r"^ growth +[\d.]+ +[\d.]+ ", out, re.MULTILINE)
    assert "saturated: forget gate" in out
    assert Path("g.png").read_bytes().startswith(b"\x89PNG")
    lines = [json.loads(line) for line in command(*SMALL_ADDING, "--models", "elman,lstm", "--json").out.splitlines()]
    assert [line["model"] for line in lines] == ["elman", "lstm"]
    assert [np.shape(line["singular_values"]) for line in lines] == [(1, 5), (1, 10)]  # an LSTM's state has two parts


def test_gradients_of_a_reservoir_are_refused(refused: Callable[..., str]) -> None:
    assert "reservoir inspect" in refused("gradients", "adding", "--models", "esn,lstm")


# Bad input


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ("run narma11", ["no task 'narma11'", "Did you mean narma10", "lorenz"]),
        ("tasks narma11", ["no task 'narma11'", "Did you mean narma10"]),
        ("models esm", ["no model 'esm'", "Did you mean esn"]),
        ("run narma10 --model esm", ["no model 'esm'", "Did you mean esn"]),
        ("run narma10 --set unit=5", ["'unit'", "Did you mean units", "spectral_radius"]),
        ("run narma10 --set units=5.5", ["'units'", "integer in [1, inf)", "Got 5.5"]),
        ("run narma10 --set units=abc", ["'units'", "Got 'abc'"]),
        ("run narma10 --set units=0", ["'units'", "Got 0"]),
        ("run narma10 --set units=", ["'units'", "Got ''"]),
        ("run narma10 --set units", ["'--set'", "NAME=VALUE", "Got 'units'"]),
        ("run narma10 --set =5", ["'--set'", "NAME=VALUE"]),
        ("run narma10 --set spectral_radius=nan", ["'spectral_radius'", "Got 'nan'"]),
        ("run narma10 --set spectral_radius=1e400", ["'spectral_radius'", "Got inf"]),
        ("run narma10 --set leak_rate=0.1,0.2", ["'leak_rate'", "200 of them", "Got 2"]),
        ("run narma10 --set readout.rigde=1", ["'rigde'", "Did you mean ridge?"]),
        ("run narma10 --set readout.ridge=-1", ["'ridge'", "[0, inf)", "Got -1"]),
        ("run narma10 --set readout=Rigde", ["no readout 'Rigde'", "Did you mean Ridge"]),
        ("run narma10 --set readout=RidgeClassifier", ["classifier needs labels"]),
        ("run narma10 --set topology=cylce", ["'topology'", "Did you mean cycle"]),
        ("run narma10 --set topology_options.jmp=3", ["'jmp'", "weights"]),
        ("run narma10 --set units.foo=3", ["'units'", "no parts"]),
        ("run narma10 --set washout=5000", ["washout + 1 = 5001", "lower washout"]),
        ("run narma10 --task-set tset_length=3", ["'tset_length'", "Did you mean test_length"]),
        ("run narma10 --task-set test_length=a", ["'test_length'", "integer in [2, inf)", "Got 'a'"]),
        ("run narma10 --seeds 0,0", ["'--seeds'", "none twice", "'0,0'"]),
        ("run narma10 --seeds 0:3,2", ["'--seeds'", "none twice"]),
        ("run narma10 --seeds 5:3", ["'--seeds'"]),
        ("run narma10 --seeds=-1", ["'--seeds'", "[0, inf)"]),
        ("run narma10 --seeds a", ["'--seeds'"]),
        ("run narma10 --sedes 3", ["'--sedes'", "--seeds", "run --help."]),
        ("run", ["'TASK'", "run --help."]),
        ("run narma10 more", ["(more)"]),
        ("ran narma10", ["'ran'", " --help."]),
        ("run csv", ["'path'", "name of a CSV file"]),
        ("run csv --task-set path=absent.csv", ["absent.csv", "no such file"]),
        ("run csv --task-set path=data.csv", ["data.csv", "300 rows", "need at least 302"]),
        ("run csv --task-set path=data.csv --task-set horizon=0", ["'horizon'", "[1, inf)", "Got 0"]),
        ("run csv --task-set path=data.csv --task-set column=laod", ["'laod'", "Did you mean load?"]),
        ("run narma10 --save absent/model", ["absent: no such folder"]),
        ("run narma10 --save folder", ["folder: Is a directory"]),
        ("run narma10 --save pipe", ["pipe: is not a file"]),
        ("run narma10 --save a.png --plot ./a.png", ["a.png", "another output"]),
        ("run narma10 --plot picture.bmp", [".png, .svg or .pdf", "'picture.bmp'"]),
        ("run narma10 --plot absent/picture.png", ["absent: no such folder"]),
        ("forecast", ["'FILE'", "forecast --help."]),
        ("forecast absent.csv", ["absent.csv", "no such file"]),
        ("forecast folder", ["folder", "directory"]),
        ("forecast data.csv --column laod", ["'laod'", "Did you mean load?", "Columns: load"]),
        ("forecast data.csv --horizon 0", ["'--horizon'", "x>=1"]),
        ("forecast data.csv --horizon ten", ["'--horizon'", "'ten' is not a valid integer"]),
        ("forecast data.csv --holdout -3", ["'--holdout'", "-3"]),
        ("forecast data.csv --period -3", ["'--period'", "-3"]),
        ("forecast data.csv --period 271", ["'period'", "at most 270", "Got 271"]),
        ("forecast data.csv --horizon 150", ["300 rows", "need at least 450"]),
        ("forecast data.csv --set unit=3", ["'unit'", "Did you mean units"]),
        ("forecast data.csv --set washout=900", ["washout + 1 = 901"]),
        ("forecast data.csv --seeds 1,1", ["'--seeds'", "none twice"]),
        ("forecast data.csv --out absent/f.csv", ["absent: no such folder"]),
        ("forecast data.csv --out data.csv", ["data.csv", "is the input"]),
        ("forecast data.csv --out folder/../data.csv", ["is the input"]),
        ("forecast data.csv --out link.csv", ["is the input"]),
        ("forecast data.csv --out f.png", ["f.png", "another output"]),
        ("forecast data.csv --plot picture.bmp", [".png, .svg or .pdf"]),
        ("compare", ["'TASK...'", "compare --help."]),
        ("compare narma11", ["no task 'narma11'", "Did you mean narma10"]),
        ("compare narma10 narma10", ["'narma10' is there twice"]),
        ("compare narma10 --models esm", ["no model 'esm'", "Did you mean esn"]),
        ("compare narma10 --models esn,", ["'--models'", "separated by commas"]),
        ("compare narma10 --models ''", ["'--models'"]),
        ("compare narma10 --models esn,esn", ["'esn' is there twice", "other=esn"]),
        ("compare narma10 --models esn --seeds ''", ["'--seeds'", "Got ''"]),
        ("compare narma10 --models esn --seeds 0:0", ["'--seeds'"]),
        ("compare narma10 --models esn --jobs 0", ["'--jobs'", "x>=1"]),
        ("compare narma10 --models esn --budget-parameters 0", ["'--budget-parameters'", "x>=1"]),
        ("compare narma10 --models esn --budget-parameters 9 --set units=9", ["budget", "'esn'"]),
        ("compare narma10 --models esn --set unit=3", ["'unit'", "Did you mean units"]),
        ("compare narma10 --models esn --set esn.unit=3", ["'unit'", "Did you mean units"]),
        ("compare narma10 --models esn --set lstm.units=3", ["'lstm'"]),
        ("compare narma10 --models esn --set units=0", ["'units'", "Got 0"]),
        ("compare narma10 --models esn --task-set tset_length=3", ["'tset_length'", "Did you mean test_length"]),
        ("compare narma10 --models esn --task-set narma10.tset_length=3", ["'tset_length'", "Did you mean test_length"]),
        ("compare narma10 sunspots --models esn --task-set starts=3", ["no narma10 option 'starts'"]),
        ("compare narma10 --models esn --out data.csv", ["data.csv: Not a directory"]),
        ("compare narma10 --models esn --out absent/folder", ["absent: no such folder"]),
        ("compare narma10 --models esn --data data.csv", ["--data", "'path'", "narma10"]),
        ("compare narma10 csv --models esn --data absent.csv", ["absent.csv", "no such file"]),
        ("compare csv --models esn --data data.csv --start 1", ["--start", "'start'", "csv"]),
        ("run narma10 --data data.csv", ["--data", "'path'"]),
        ("run csv --data data.csv --save data.csv", ["data.csv", "is the input"]),
        ("predict", ["'MODEL'", "predict --help."]),
        ("predict absent data.csv", ["absent", "No such file"]),
        ("predict data.csv data.csv", ["data.csv", "not a model file"]),
        ("predict data.csv absent.csv", ["absent.csv", "no such file"]),
        ("predict wave data.csv --column laod", ["'laod'", "Did you mean load?"]),
        ("predict wave data.csv --steps 0", ["'--steps'", "x>=1"]),
        ("predict wave data.csv --out data.csv", ["data.csv", "is the input"]),
        ("predict wave data.csv --out wave", ["wave", "is the input"]),
        ("predict wave two.csv --column a,b", ["2 features", "1 features"]),
        ("predict wave two.csv --column a,b --steps 3", ["2 features", "1"]),
        ("predict wave two.csv --column flat --standardize", ["Column 'flat' is constant"]),
        ("predict doubled data.csv --standardize", ["standardize needs", "it has 2"]),
        ("inspect --set unit=3", ["'unit'", "Did you mean units"]),
        ("inspect --set readout.ridge=-1", ["'ridge'", "Got -1"]),
        ("inspect --inputs 0", ["'--inputs'", "x>=1"]),
        ("inspect --steps 1", ["'--steps'", "x>=2"]),
        ("inspect --seed -1", ["'--seed'", "x>=0"]),
        ("inspect --column load", ["--column", "--file"]),
        ("inspect --file absent.csv", ["absent.csv", "no such file"]),
        ("inspect --file data.csv --steps 50", ["--steps", "--file"]),
        ("inspect --file data.csv --inputs 2", ["--inputs", "--file"]),
        ("inspect --plot picture.bmp", [".png, .svg or .pdf"]),
    ],
)
def test_bad_input(refused: Callable[..., str], args: str, parts: list[str]) -> None:
    csv_file()
    csv_file("two.csv", a=wave(), b=wave(), flat=np.ones(300))
    for name, targets in (("wave", wave()), ("doubled", np.stack([wave(), wave()], axis=1))):
        reservoir.ESN(units=5, density=0.5, random_state=0).fit(wave(), targets).save(name)
    Path("folder").mkdir()
    Path("link.csv").symlink_to("data.csv")
    os.mkfifo("pipe")
    err = refused(*shlex.split(args))
    for part in parts:
        assert part in err


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ["is empty"]),
        (b"load\n" + b"1\n2\n" * 50 + b"nan\n", ["line 102, column 'load'", "NaN"]),
        (b"load\n" + b"1\n2\n" * 50 + b"-inf\n", ["line 102, column 'load'", "infinity"]),
        (b"load\n" + b"1\n2\n" * 50 + b"three\n", ["line 102, column 'load'", "'three' is not a number"]),
        (b"day,load\n" + b"mon,high\n" * 50, ["no column holds numbers", "Columns: day, load"]),
        (b"day,load\n" + b"1,2\n" * 50, ["2 columns hold numbers", "Columns: day, load"]),
        (b"load\n" + b"4.5\n" * 100, ["Column 'load' is constant (4.5)"]),
        (b"load\n" + b"1\n2\n" * 10, ["20 rows", "need at least 32"]),
        (b"load\n1\n2\n", ["2 rows"]),
        (b"load\n" + b"1e300\n-1e300\n" * 50, ["Column 'load' lies between -1e+300 and 1e+300"]),
        (b"\x00\x01\x02\xff" * 40, ["not a CSV file"]),
        (b"\x89PNG\r\n\x1a\n\x00\x00", ["not a CSV file"]),
    ],
)
@pytest.mark.parametrize("verb", [["forecast"], ["inspect", "--file"]])
def test_bad_files(refused: Callable[..., str], command: Command, verb: list[str], content: bytes, parts: list[str]) -> None:
    Path("own.csv").write_bytes(content)
    if "rows" in parts[0] and verb[0] == "inspect":  # which needs no many rows
        assert command(*verb, "own.csv", "--set", "units=5").status == 0
        return
    err = refused(*verb, "own.csv")
    for part in parts:
        assert part in err


def test_a_file_that_cannot_be_read(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == "data.csv" and not path.is_absolute():
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return reads(path)

    csv_file()
    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    assert "data.csv: no permission to read the file." in refused("forecast", "data.csv")


def test_a_folder_that_cannot_be_written_to(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> Any:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/some/temporary/name")

    csv_file()
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    for args in (("run", *QUICK, "--save", "m"), ("run", *QUICK, "--plot", "m.png"), ("forecast", "data.csv", "--out", "m")):
        err = refused(*args)
        assert "Permission denied" in err
        assert "Error: m" in err


def test_a_file_that_cannot_be_written_to(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    Path("m").write_text("mine")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "m")
    assert refused("run", *QUICK, "--save", "m") == "Error: m: Permission denied\n"


def test_the_work_does_not_begin_before_the_outputs_are_checked(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: Any) -> None:
        raise AssertionError("worked first")

    csv_file()
    monkeypatch.setattr(evaluation, "evaluate", work)
    monkeypatch.setattr("reservoir.forecasting.ensemble.forecast_record", work)
    refused("run", *QUICK, "--save", "absent/m")
    refused("run", *QUICK, "--plot", "m.bmp")
    refused("forecast", "data.csv", "--out", "absent/m")


# Failures at run time


def test_an_unstable_network_says_so_and_names_the_step(command: Command) -> None:
    unstable = ("--set", "activation=relu", "--set", "spectral_radius=1e9")
    status, out, err = command("run", *QUICK, *unstable, "--seeds", "3:5")
    assert (status, out) == (1, "")
    told = r"Error: Seed {}: The reservoir diverged: .* step \d+; lower spectral_radius.*\n"
    assert re.fullmatch(told.format(3) + told.format(4), err)
    status, out, err = command("forecast", csv_file(), "--set", "units=20", "--set", "density=0.2", *unstable)
    assert (status, out) == (1, "")
    assert re.fullmatch(r"Error: No setting tried stays finite on this series\. .* step \d+.*\n", err)
    assert os.listdir() == ["data.csv"]


def stopping(
    after: int, how: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, where: str = "reservoir.experiments.evaluation.evaluate"
) -> None:
    """Let `evaluate` end the program in its way once some seeds are done."""
    done: list[int] = []

    def stopped(*args: Any, **options: Any) -> Any:
        if len(done) == after:
            how()
        done.append(1)
        return evaluate(*args, **options)

    monkeypatch.setattr(where, stopped)


def no_memory() -> None:
    raise MemoryError("Unable to allocate 373. GiB")


ENDS = {
    "ctrl-c": (lambda: signal.raise_signal(signal.SIGINT), 130, "Interrupted; what was finished is kept.\n"),
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
    status, out, err = command("run", *QUICK, "--seeds", "0:50", "--json", "--save", "model")
    assert (status, err.lstrip()) == (code, line)  # click begins a new line after ^C
    assert [json.loads(row)["seed"] for row in out.splitlines()] == [0, 1]
    assert load("model").units == 10


def test_a_seed_that_diverges_is_told_and_the_rest_goes_on(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverging(task: Any, model: str, settings: Any, seed: int, **options: Any) -> Any:
        if seed in (0, 2):
            raise DivergenceError(f"Seed {seed}: The reservoir diverged at step 7.")
        return evaluate(task, model, settings, seed, **options)

    monkeypatch.setattr(evaluation, "evaluate", diverging)
    status, out, err = command("run", *QUICK, "--seeds", "0:4", "--json", "--save", "model")
    assert status == 1
    assert err == "".join(f"Error: Seed {seed}: The reservoir diverged at step 7.\n" for seed in (0, 2))
    assert [json.loads(row)["seed"] for row in out.splitlines()] == [1, 3]
    assert load("model").random_state == 1  # of the first seed that did not fail
    status, out, _ = command("run", *QUICK, "--seeds", "0:4")
    assert status == 1
    assert [line.split()[0] for line in out.splitlines() if re.match(r" \d", line)] == ["1", "3"]


def test_ctrl_c_before_anything_is_finished(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping(0, ENDS["ctrl-c"][0], monkeypatch)
    status, out, err = command("run", *QUICK)
    assert (status, out, err.strip()) == (130, "", "Interrupted; what was finished is kept.")


WRITERS = {
    "model": ("run", *QUICK, "--save", "kept.svg"),
    "picture of a run": ("run", *QUICK, "--plot", "kept.svg"),
    "forecast": ("forecast", "data.csv", *ONE_CANDIDATE, "--out", "kept.svg", "--plot", "p.png"),
    "picture of a forecast": ("forecast", "data.csv", *ONE_CANDIDATE, "--plot", "kept.svg", "--out", "f.csv"),
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

    def replace(source: Path, target: Path) -> None:
        if Path(target).name == kept:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source))
        Path(source).rename(target)

    monkeypatch.setattr(model_file.os, "replace", replace)
    status, out, err = command(*WRITERS[writer])
    assert (status, err) == (1, f"Error: {kept}: No space left on device\n")
    assert "nmse" in out or "echo state" in out
    assert Path(kept).read_text() == "old"
    assert [name for name in os.listdir() if name.startswith(".")] == []


def test_an_error_of_ours_keeps_its_traceback(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def how() -> None:
        raise ValueError("a bug")

    stopping(0, how, monkeypatch)
    with pytest.raises(ValueError, match="a bug"):
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


# As a program


def ask(
    *args: str, code: str = "from reservoir.commands.main import main; main()", **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run the program, or some code, as a process of its own."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", **{k: options.pop(k) for k in list(options) if k.isupper()}}
    options = {"capture_output": True, **options}
    return subprocess.run([sys.executable, "-c", code, *args], cwd=ROOT, env=environment, check=False, **options)


IMPORTED = "print(*sorted({{name.partition('.')[0] for name in sys.modules}} & {names!r}), file=sys.stderr)"


def test_the_help_imports_nothing_heavy_and_a_run_only_what_it_uses() -> None:
    heavy = {"numba", "scipy", "numpy", "sklearn", "matplotlib", "rich", "safetensors"}
    found = ask("--help", code="import sys; from reservoir.commands.main import main; main(); " + IMPORTED.format(names=heavy))
    assert (found.returncode, found.stderr) == (0, b"\n")
    unused = {"sklearn", "matplotlib", "pandas", "optuna"}
    found = ask(
        "run", *QUICK, code="import sys; from reservoir.commands.main import main; main(); " + IMPORTED.format(names=unused)
    )
    assert (found.returncode, found.stderr) == (0, b"\n")


INTERRUPTED = """
import sys
class Finder:
    def find_spec(name, *_):
        if name == {name!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder)
from reservoir.commands.main import main
main()
"""


@pytest.mark.parametrize("name", ["click", "numpy", "numba"])
def test_ctrl_c_during_the_imports(name: str) -> None:
    found = ask("run", *QUICK, code=INTERRUPTED.format(name=name))
    assert found.returncode == 130
    assert b"Traceback" not in found.stderr
    assert found.stderr.strip().count(b"\n") == 0


def of_group(group: int) -> list[str]:
    """The processes of a group that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()  # state, parent, group, ...
            found += [path.parent.name] if fields[0] != "Z" and int(fields[2]) == group else []
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("later", [False, True])
def test_ctrl_c_at_the_keyboard_ends_all_processes_of_a_comparison(tmp_path: Path, later: bool) -> None:
    args = ["compare", "narma10", "lorenz", "--models", "esn", "--seeds", "0:60", *SHORT, "--set", "units=100", "--jobs", "2"]
    program = subprocess.Popen(
        [sys.executable, ROOT / "cli.py", *args, "--task-set", "lorenz.starts=1"], cwd=tmp_path, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    # Either while the processes begin, or once the first task is finished.
    while not ((tmp_path / "comparison" / "report.html").exists() if later else len(of_group(program.pid)) >= 3):
        assert program.poll() is None
        time.sleep(0.01)
    time.sleep(0.3)
    os.killpg(program.pid, signal.SIGINT)  # as a terminal does
    out, err = program.communicate()
    assert (program.returncode, err.strip()) == (130, b"Interrupted; what was finished is kept.")
    assert (b"narma10: nmse, lower is better; 60 seeds" in out) is later
    for _ in range(600):  # the last one to go is Python's own helper
        if not of_group(program.pid):
            break
        time.sleep(0.05)
    assert of_group(program.pid) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output() -> None:
    with open("/dev/full", "wb") as full:
        found = ask("tasks", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert (found.returncode, found.stderr) == (1, b"Error: No space left on device\n")


def test_a_reader_that_goes_away_and_a_closed_output_are_no_errors_to_speak_of() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        found = ask("tasks", "--json", capture_output=False, stdout=pipe, stderr=subprocess.PIPE)
    assert (found.returncode, found.stderr) == (1, b"")
    shell = subprocess.run(
        ["sh", "-c", f"{shlex.quote(sys.executable)} cli.py tasks >&-"], cwd=ROOT, capture_output=True, check=False
    )
    assert (shell.returncode, shell.stderr) == (0, b"")
