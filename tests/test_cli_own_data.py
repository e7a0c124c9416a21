"""`reservoir predict`, `inspect` and `gradients`: what they print and write."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import Command, csv_file, wave

import reservoir
from reservoir import DataError
from reservoir.commands.options import tasks_with
from reservoir.forecasting.scaling import standardized


def test_a_saved_model_forecasts_a_file(command: Command) -> None:
    esn = reservoir.ESN(units=60, density=0.1, leak_rate=0.3, washout=20, random_state=0).fit(wave())
    esn.save("model")
    status, out, err = command("predict", "model", csv_file(), "--horizon", "5", "--out", "p.csv")
    assert (status, out, err) == (0, "300 new rows read; outputs for rows 301 to 305.\nOutputs written to p.csv.\n", "")
    header, *lines = Path("p.csv").read_text().splitlines()
    assert header == "row,load"
    assert [int(line.split(",")[0]) for line in lines] == [301, 302, 303, 304, 305]
    np.testing.assert_allclose([float(line.split(",")[1]) for line in lines], esn.forecast(wave(), 5), rtol=1e-12)


def test_a_saved_model_reads_the_rows_of_a_file(command: Command) -> None:
    inputs, targets = np.stack([wave(), wave()[::-1]], axis=1), np.stack([wave() + 1.0, wave() - 1.0, wave()], axis=1)
    esn = reservoir.ESN(units=20, density=0.3, washout=20, random_state=0).fit(inputs, targets)
    esn.save("model")
    name = csv_file(b=wave()[::-1], day=["mon"] * 300, a=wave())
    status, out, err = command("predict", "model", name, "--column", "a,b")
    assert (status, out, err) == (0, "300 new rows read; outputs for rows 21 to 300.\nOutputs written to predictions.csv.\n", "")
    header, *lines = Path("predictions.csv").read_text().splitlines()
    assert header == "row,output 1,output 2,output 3"
    found = np.array([[float(cell) for cell in line.split(",")] for line in lines])
    np.testing.assert_array_equal(found[:, 0], np.arange(21, 301))
    np.testing.assert_array_equal(found[:, 1:], esn.predict(inputs)[20:])


def test_a_saved_classifier_gives_labels(command: Command) -> None:
    labels = np.where(wave() > 0.0, "up", "down")
    steps = reservoir.ESN(units=20, density=0.3, readout=reservoir.RidgeClassifier(), washout=20, random_state=0)
    steps.fit(wave(), labels).save("steps")
    assert command("predict", "steps", csv_file()).status == 0
    assert Path("predictions.csv").read_text().splitlines()[:2] == ["row,output", f"21,{steps.predict(wave())[20]}"]
    whole = reservoir.ESN(units=20, density=0.3, readout=reservoir.RidgeClassifier(), random_state=0)
    whole.fit([wave(), -wave(), wave() + 1.0], np.array(["a", "b", "a"])).save("whole")
    assert "outputs for row 1.\n" in command("predict", "whole", "data.csv").out
    assert Path("predictions.csv").read_text().splitlines() == ["row,output", "1,a"]


def test_inspect_measures_and_draws(command: Command) -> None:
    status, out, err = command("inspect", "--set", "units=12", "--set", "spectral_radius=0.7", "--plot", "r.png")
    assert (status, err) == (0, "")
    assert re.search(r"^ spectral radius +0\.7 ", out, re.MULTILINE)
    assert Path("r.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(command("inspect", "--set", "units=12", "--set", "spectral_radius=0.7", "--json").out)
    for name in found.keys() - {"memory_curve", "lyapunov_error", "lyapunov_steps", "lyapunov_verdict"}:
        assert f" {name.replace('_', ' ')} " in out
    assert re.search(rf"^ lyapunov exponent +-[\d.]+ ± [\d.e-]+, {found['lyapunov_verdict']} ", out, re.MULTILINE)
    assert len(found["memory_curve"]) == 24


def test_inspect_with_a_file_and_with_several_inputs(command: Command) -> None:
    args = ("inspect", "--set", "units=12", "--json")
    noise, three = json.loads(command(*args).out), json.loads(command(*args, "--inputs", "3").out)
    driven = json.loads(command(*args, "--data", csv_file(a=wave(), b=wave() * 2), "--column", "b").out)
    assert len({found["lyapunov_exponent"] for found in (noise, three, driven)}) == 3
    assert noise["memory_capacity"] == driven["memory_capacity"] != three["memory_capacity"]
    same = json.loads(command(*args, "--data", csv_file(b=wave())).out)
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


@pytest.mark.parametrize("columns", [("--column", "a", "--column", "b"), ("--column", "a,b")])
def test_a_repeated_column_means_all_of_them(command: Command, columns: tuple[str, ...]) -> None:
    args = ("inspect", "--set", "units=10", "--json", "--data")
    found = json.loads(command(*args, csv_file(a=wave(), unused=wave(), b=np.roll(wave(), 3)), *columns).out)
    both = csv_file("both.csv", a=wave(), b=np.roll(wave(), 3))
    assert found == json.loads(command(*args, both, "--column", "a,b").out)


@pytest.mark.parametrize("reverse", [False, True])
def test_an_option_of_one_task_goes_over_that_of_all(reverse: bool) -> None:
    pairs = [("test_length", 50), ("narma10__test_length", 60)]
    chosen = tasks_with(["narma10", "narma20"], dict(pairs[::-1] if reverse else pairs), None, None)
    assert [task.options()["test_length"] for task in chosen] == [60, 50]


def test_standardized() -> None:
    series = np.array([[1.0, -5.0], [3.0, 5.0]])
    scaled, mean, spread = standardized(series)
    np.testing.assert_array_equal(scaled, [[-1.0, -1.0], [1.0, 1.0]])
    np.testing.assert_array_equal(mean, [2.0, 0.0])
    np.testing.assert_array_equal(spread, [1.0, 5.0])


@pytest.mark.parametrize(
    ("second", "names", "message"),
    [
        (np.full(50, 3.0), ["a", "b"], r"Column 'b' is constant \(3\)"),
        (np.zeros(50), None, r"Column 1 of the series is constant \(0\)"),
        (np.linspace(-1e300, 1e300, 50), ["a", "b"], "'b' lies between -1e.300 and 1e.300, too far"),
        (np.linspace(-1e-300, 1e-300, 50), ["a", "b"], "'b' lies between .* too close .* scale it"),
        (1e16 + np.arange(50) % 2 * 2.0, ["a", "b"], "'b' lies between 1e.16 and 1e.16"),
    ],
)
def test_columns_that_cannot_be_scaled(second: np.ndarray, names: list[str] | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        standardized(np.column_stack([np.arange(50.0), second]), names)
