"""`reservoir predict`, `forecast` and `inspect`, `gradients`: what they print and write."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import ONE_CANDIDATE, Command, csv_file, wave

import reservoir
from reservoir import DivergenceError
from reservoir.commands import console
from reservoir.commands.options import tasks_with
from reservoir.experiments import evaluation


def test_a_saved_model_forecasts_a_file(command: Command) -> None:
    esn = reservoir.ESN(units=60, density=0.1, leak_rate=0.3, washout=20, random_state=0).fit(wave())
    esn.save("model")
    status, out, err = command("predict", "model", csv_file(), "--horizon", "5", "--out", "p.csv")
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
    assert command("predict", "model", csv_file(load=far), "--horizon", "5", "--standardize").status == 0
    found = [float(line.split(",")[1]) for line in Path("predictions.csv").read_text().splitlines()[1:]]
    np.testing.assert_allclose(found, esn.forecast(scaled, 5) * far.std() + far.mean(), rtol=1e-9)


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
@pytest.mark.parametrize("verb", [("forecast", *ONE_CANDIDATE, "--json"), ("inspect", "--set", "units=10", "--json")])
def test_a_repeated_column_means_all_of_them(command: Command, verb: tuple[str, ...], columns: tuple[str, ...]) -> None:
    file = csv_file(a=wave(), unused=wave(), b=np.roll(wave(), 3))
    name, *rest = verb
    source = (file,) if name == "forecast" else ("--data", file)
    found = json.loads(command(name, *source, *columns, *rest).out)
    both = csv_file("both.csv", a=wave(), b=np.roll(wave(), 3))
    source = (both,) if name == "forecast" else ("--data", both)
    assert found == json.loads(command(name, *source, "--column", "a,b", *rest).out)
    assert found.get("columns", ["a", "b"]) == ["a", "b"]


@pytest.mark.parametrize("reverse", [False, True])
def test_an_option_of_one_task_goes_over_that_of_all(reverse: bool) -> None:
    pairs = [("test_length", 50), ("narma10__test_length", 60)]
    chosen = tasks_with(["narma10", "narma20"], dict(pairs[::-1] if reverse else pairs), None, None)
    assert [task.options()["test_length"] for task in chosen] == [60, 50]
