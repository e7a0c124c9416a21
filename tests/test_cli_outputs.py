"""Where the commands write: standard output for CSV, no pictures, no tables, and paths that make no sense."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from commands import NO_NETWORK, QUICK, SHORT, SMALL, SWEEP, Command, Refused, csv_file

from reservoir.base.tables import alike

SWEPT = ("sweep", "narma10", *SWEEP, "--vary", "leak_rate=0.2:0.8:3")


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("path", ["", "-"])
@pytest.mark.parametrize(
    "command_line",
    [
        ("run", *QUICK, "--plot"),
        ("train", *QUICK, "--save"),
        ("compare", "narma10", *SMALL, *SHORT, "--out"),
        ("inspect", "--set", "units=10", "--plot"),
        ("gradients", "adding", "--plot"),
        ("results", "sweep.db", "--plot"),
        (*SWEPT, "--store"),
        ("forecast", "data.csv", "--plot"),
        ("backtest", "data.csv", "--plot"),
    ],
)
def test_paths_that_make_no_sense(refused: Refused, command_line: tuple[str, ...], path: str) -> None:
    text = refused(*command_line, path)
    assert f"must be a path. Got '{path}' instead; " in text and command_line[-1] in text
    assert ("--no-plot draws nothing" in text) == (path == "" and command_line[0] in ("forecast", "compare"))


def test_csv_goes_to_standard_output(command: Command) -> None:
    csv_file()
    status, out, err = command("forecast", "data.csv", *NO_NETWORK, "--horizon", "5", "--out", "-")
    assert (status, err, os.listdir()) == (0, "", ["data.csv"])
    command("forecast", "data.csv", *NO_NETWORK, "--horizon", "5", "--no-plot")
    assert sorted(os.listdir()) == ["data.csv", "forecast.csv"]
    assert rows(out) == rows(Path("forecast.csv").read_text())
    command(*SWEPT)
    command("results", "narma10-esn.db", "--csv", "runs.csv")
    out = command("results", "narma10-esn.db", "--csv", "-").out
    assert rows(out) == rows(Path("runs.csv").read_text()) and len(rows(out)) == 4
    assert not Path("-").exists()


def test_a_model_s_outputs_go_to_standard_output(command: Command) -> None:
    csv_file()
    command("train", "csv", "--data", "data.csv", "--set", "units=10", "--task-set", "horizon=10", "--save", "model")
    status, out, err = command("predict", "model", "data.csv", "--horizon", "3", "--out", "-")
    assert (status, err) == (0, "") and len(rows(out)) == 4 and not Path("-").exists()


def test_what_excludes_each_other(refused: Refused) -> None:
    csv_file()
    assert "--plot and --no-plot exclude each other" in refused("forecast", "data.csv", "--plot", "a.png", "--no-plot")
    for args in (
        ("forecast", "data.csv", "--out", "-"),
        ("backtest", "data.csv", "--out", "-"),
        ("results", "sweep.db", "--csv", "-"),
    ):
        assert "both go to standard output; give one of them" in refused(*args, "--json")


def test_quiet_commands_print_nothing(command: Command) -> None:
    csv_file()
    for args in (
        ("train", *QUICK, "--save", "model"),
        ("forecast", "data.csv", *NO_NETWORK, "--horizon", "5", "--no-plot"),
        ("backtest", "data.csv", *NO_NETWORK, "--horizon", "5", "--origins", "1", "--out", "errors.csv"),
        SWEPT,
        ("results", "narma10-esn.db", "--csv", "runs.csv"),
        ("inspect", "--set", "units=10"),
        ("train", "csv", "--data", "data.csv", "--set", "units=10", "--task-set", "horizon=10", "--save", "own"),
        ("predict", "own", "data.csv", "--horizon", "3"),
    ):
        assert command(*args, "--quiet") == (0, "", "")
    names = {"model", "forecast.csv", "errors.csv", "runs.csv", "own", "predictions.csv"}
    assert names <= set(os.listdir())
    assert command("run", *QUICK, "--set", "units=0", "--quiet").err.startswith("Error: ")
    assert command("run", *QUICK, "--quiet", "--json").out.count("\n") == 1


def test_seeds_are_named_in_the_head(command: Command) -> None:
    assert command("run", *QUICK, "--seeds", "5").out.startswith("narma10, esn: nmse, lower is better; seed 5\n")
    assert (
        command(*SWEPT, "--seeds", "0:3")
        .out.replace("\n", " ")
        .startswith("narma10, esn: nmse on the validation split, lower is better; seeds 0:3 ")
    )


def test_texts_that_differ_in_numbers_are_one() -> None:
    texts = ["left 1e12 in step 7", "left 1e12 in step 83", "left 1e13 at once", "3"]
    assert alike(texts) == {"left 1e12 in step …": [0, 1], "left 1e13 at once": [2], "3": [3]}
    assert alike([]) == {}


def test_a_failure_with_other_numbers_is_listed_once(command: Command) -> None:
    out = command(*SWEPT[:-1], "spectral_radius=1e6,1e8,1e9", "--set", "activation=relu", "--seeds", "0:2").out
    assert out.count("Failed ") == 1 and "Failed 6 times: " in out and "step …" in out


def test_what_mattered_is_left_out_where_it_cannot_be_said(command: Command) -> None:
    command(*SWEPT)
    assert "mattered" not in command("results", "narma10-esn.db").out
    command(*SWEPT, "--seeds", "0:3")
    assert "Which parameters mattered" in command("results", "narma10-esn.db").out
