"""Networks in files: `reservoir predict` knows their columns, units, lead, washout and last state."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, csv_file, wave

import reservoir
from reservoir import ESN, LSTM, RecursiveLeastSquares, Ridge, Training
from reservoir.experiments.evaluation import evaluate
from reservoir.forecasting.contract import contract_of, to_plain
from reservoir.forecasting.networks import NetworkOnRows
from reservoir.tasks import get_task

FAR = 1000.0 + 50.0 * wave(460)
OTHER_WAVE = 3.0 - np.cos(0.3 * np.arange(460))
SEEN = 400
SETTINGS: dict[str, dict[str, Any]] = {
    "esn": {"units": 30, "density": 0.2, "leak_rate": 0.5, "readout__ridge": 1e-4, "washout": 30},
    "lstm": {"units": 4, "training__epochs": 1, "washout": 20},
    "clockwork": {"units": 8, "periods": [1, 2, 4, 8], "training__epochs": 1, "washout": 20},
}


def rows_file(name: str, start: int, stop: int, **more: Any) -> str:
    return csv_file(name, day=range(start, stop), load=FAR[start:stop], flow=OTHER_WAVE[start:stop], **more)


def train(model: str = "esn", path: str = "m", task: Any = None, **settings: Any) -> Any:
    """Fit a model to a task, by default to two columns of a file, and keep it."""
    if task is None:
        name = rows_file("old.csv", 0, SEEN)
        task = get_task("csv", path=name, column="load,flow", horizon=20, washout=30)
    result = evaluate(task, model, {**SETTINGS.get(model, {}), **settings}, 0)
    result.model.contract_ = to_plain(contract_of(task, result.data, result.model))
    result.model.save(path)
    return result


def output(command: Command, *args: str) -> np.ndarray:
    """The rows of the file that predict wrote."""
    status, _, err = command("predict", *args, "--out", "p.csv")
    assert (status, err) == (0, "")
    return np.array([[float(cell) for cell in line.split(",")] for line in Path("p.csv").read_text().splitlines()[1:]])


# The outputs that were wrong


def test_outputs_are_in_the_units_of_the_file_whatever_it_holds(command: Command) -> None:
    """The scale is that of the training: one row alone gives what it gives after all others, and no option is needed."""
    train()
    long = output(command, "m", rows_file("long.csv", 0, 450), "--horizon", "5")
    short = output(command, "m", rows_file("short.csv", SEEN, 450), "--horizon", "5")
    np.testing.assert_array_equal(long, short)
    assert long[:, 0].tolist() == [451, 452, 453, 454, 455]
    assert np.abs(long[:, 1:] - np.stack([FAR, OTHER_WAVE], 1)[450:455]).max(axis=0).tolist() < [25.0, 0.5]


def test_outputs_of_a_model_of_the_next_row_are_one_row_later(command: Command) -> None:
    train()
    found = output(command, "m", rows_file("new.csv", SEEN, 450))
    assert found[:, 0].tolist() == list(range(401, 452))  # the state of row 400 gives row 401
    assert Path("p.csv").read_text().startswith("row,load,flow\n")
    assert np.abs(found[:, 1] - FAR[400:451]).max() < 20.0
    errors = [np.abs(found[:-1, 2] - OTHER_WAVE[400 + k : 450 + k]).max() for k in (-1, 0, 1)]
    assert errors[1] < 0.1 < min(errors[0], errors[2])


def test_washout_rows_are_not_written(command: Command) -> None:
    task = get_task("narma10", train_length=300, test_length=100)
    result = train(task=task, units=20)
    washout = max(result.data.test.washout, result.model.washout)
    inputs = result.data.test.inputs[0][:, 0]
    found = output(command, "m", csv_file(u=inputs))
    assert found[:, 0].tolist() == list(range(washout + 1, len(inputs) + 1))
    np.testing.assert_array_equal(found[:, 1], result.predictions[0][washout:, 0])
    status, _, err = command("predict", "m", csv_file("few.csv", u=inputs[:washout]))
    assert status == 2 and f"none past the washout of {washout}" in err
    series = ESN(units=20, density=0.3, washout=20, random_state=0).fit(wave())
    series.save("s")
    assert output(command, "s", csv_file())[0, 0] == 22
    assert command("predict", "s", csv_file("few.csv", load=wave(20)), "--horizon", "2").status == 2


def test_outputs_that_are_no_inputs_are_not_fed_back(command: Command) -> None:
    train(task=get_task("narma10", train_length=300, test_length=100), units=20)
    status, _, err = command("predict", "m", csv_file(), "--horizon", "3")
    assert status == 2 and "the outputs of task narma10 are not its inputs" in err
    ESN(units=20, density=0.3, random_state=0).fit(wave(), wave() ** 2).save("m")
    assert "the outputs of this model are not its inputs" in command("predict", "m", "data.csv", "--horizon", "3").err


# Going on


OTHER = """
import sys
from reservoir.commands.main import main
for model in ("esn", "lstm", "clockwork"):
    for args in ((), ("--horizon", "4")):
        sys.argv = ["reservoir", "predict", model, "new.csv", "--out", f"{model}{len(args)}.csv", "--quiet", *args]
        main()
"""


def test_another_process_continues_with_the_same_bits_as_memory(command: Command) -> None:
    results = {name: train(name, name) for name in ("esn", "lstm", "clockwork")}
    rows_file("new.csv", SEEN, 450)
    path = os.pathsep.join(sys.path)
    subprocess.run([sys.executable, "-c", OTHER], env={**os.environ, "PYTHONPATH": path}, check=True)
    for name, result in results.items():
        for horizon, args in ((None, 0), (4, 2)):
            ref = NetworkOnRows(result.model, "new.csv", []).predict(horizon)
            comp = np.loadtxt(f"{name}{args}.csv", delimiter=",", skiprows=1)
            np.testing.assert_array_equal(comp[:, 1:], ref.values)
            assert comp[0, 0] == ref.first == (401 if horizon is None else 451)


def test_parts_are_as_the_whole(command: Command) -> None:
    """The bits of an echo state network; trained networks to rounding."""
    for model, tolerance in (("esn", 0.0), ("lstm", 1e-6)):
        train(model)
        whole = output(command, "m", rows_file("new.csv", SEEN, 450))
        for start, stop in ((SEEN, 401), (401, 430)):
            assert command("predict", "m", rows_file("part.csv", start, stop), "--remember", "--quiet").status == 0
        rest = output(command, "m", rows_file("part.csv", 430, 450))
        np.testing.assert_allclose(rest, whole[30:], rtol=tolerance)
        grown = output(command, "m", rows_file("grown.csv", 0, 450))
        np.testing.assert_array_equal(grown, rest)
        assert len(output(command, "m", rows_file("overlap.csv", 410, 450))) == 21


def test_a_filter_continues_from_remembered_rows(command: Command) -> None:
    result = train(task=get_task("narma10", train_length=300, test_length=100), units=20)
    inputs = result.data.test.inputs[0][:, 0]
    whole = output(command, "m", csv_file("u.csv", u=inputs))
    assert command("predict", "m", csv_file("a.csv", u=inputs[:250]), "--remember", "--quiet").status == 0
    np.testing.assert_array_equal(output(command, "m", csv_file("b.csv", u=inputs[250:])), whole[-len(inputs) + 250 :])


def test_an_update_has_the_weights_of_a_fit_of_everything(command: Command) -> None:
    few = {"units": 500, "density": 0.02}  # more units than rows
    for readout, settings in (
        (Ridge(1e-2), {}), (Ridge(1e-2, solver="cholesky"), {}), (RecursiveLeastSquares(ridge=1e-2), {}), (Ridge(1e-2), few),
    ):  # fmt: skip
        result = train(readout=readout, readout__ridge=1e-2, **settings)
        for start, stop in ((SEEN, 430), (430, 450)):
            assert command("predict", "m", rows_file("part.csv", start, stop), "--update", "--quiet").status == 0
        info = result.data.info
        scaled = (np.stack([FAR, OTHER_WAVE], 1)[:450] - info["mean"]) / info["std"]
        ref = reservoir.base.estimator.clone(result.model).fit(scaled[:-1], scaled[1:])
        np.testing.assert_allclose(reservoir.load("m").output_weights_, ref.output_weights_, rtol=0, atol=1e-8)
        assert np.abs(result.model.output_weights_ - ref.output_weights_).max() > 1e-5


def test_anomalies_lie_outside_the_band_of_past_errors(command: Command) -> None:
    train()
    load = FAR[SEEN:450].copy()
    load[20] += 400.0
    csv_file("new.csv", day=range(50), load=load, flow=OTHER_WAVE[SEEN:450])
    status, out, err = command("predict", "m", "new.csv", "--anomalies", "--json", "--plot", "a.png")
    assert (status, err) == (0, "")
    first, second = (json.loads(line) for line in out.splitlines())
    assert 421 in [row["row"] for row in first["anomalies"]] and first["rows"] == second["rows"] == 50
    assert first["expected_share"] == pytest.approx(0.05)
    calm = FAR[SEEN:450].copy()
    csv_file("calm.csv", load=calm, flow=OTHER_WAVE[SEEN:450])
    out = command("predict", "m", "calm.csv", "--anomalies", "--json", "--no-plot").out
    assert first["outside"] <= json.loads(out.splitlines()[0])["outside"] + 3  # a spike has no echoes
    csv_file("shifted.csv", load=calm + np.where(np.arange(50) < 20, 0.0, 30.0), flow=OTHER_WAVE[SEEN:450])
    out = command("predict", "m", "shifted.csv", "--anomalies", "--json", "--no-plot").out
    shifted = [row["row"] for row in json.loads(out.splitlines()[0])["anomalies"]]
    assert set(range(421, 425)) <= set(shifted)  # a change that lasts is no spike
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")
    train(task=get_task("narma10", train_length=300, test_length=100), units=20)
    assert "--anomalies needs a model with past errors" in command("predict", "m", csv_file(), "--anomalies").err


@pytest.mark.filterwarnings("default")
def test_values_in_other_units_are_warned_of(command: Command) -> None:
    train()
    csv_file("new.csv", load=FAR[SEEN:450] * 1000.0, flow=OTHER_WAVE[SEEN:450])
    status, _, err = command("predict", "m", "new.csv", "--quiet")
    assert status == 0 and "Warning: Column 'load': " in err and "other units?" in err


# Bad input


@pytest.mark.parametrize("flag", [(), ("--update",), ("--anomalies",)])
@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ("m old.csv --column load", ["--column is not needed", "reads load, flow"]),
        ("m one.csv", ["no column 'flow'"]),
        ("m changed.csv", ["row 391 is not the row that the model has seen"]),
        ("m before.csv", ["the first ", "rows are not those that the model has seen"]),
        ("m early.csv", ["ends with row 350, before row 400"]),
        ("m blank.csv", ["line 4, column 'load'", "blank"]),
        ("m new.csv --future old.csv", ["--future is for forecasters"]),
        ("m new.csv --fill last", ["--fill is for forecasters"]),
        ("m new.csv --horizon 0", ["'--horizon'", "x>=1"]),
        ("cut new.csv", ["cut", "damaged"]),
    ],
)
def test_bad_input(refused: Callable[..., str], kept_model: bytes, flag: tuple[str, ...], args: str, parts: list[str]) -> None:
    Path("m").write_bytes(kept_model)
    Path("cut").write_bytes(kept_model[:-9])
    rows_file("old.csv", 0, SEEN)
    rows_file("new.csv", SEEN, 450)
    csv_file("one.csv", load=FAR[SEEN:450])
    changed = FAR[:450].copy()
    changed[390] = 0.0
    csv_file("changed.csv", load=changed, flow=OTHER_WAVE[:450])
    changed[390], changed[10] = FAR[390], 0.0
    csv_file("before.csv", load=changed, flow=OTHER_WAVE[:450])
    rows_file("early.csv", 0, 350)
    csv_file("blank.csv", load=[*FAR[SEEN:402], "", *FAR[403:450]], flow=OTHER_WAVE[SEEN:450])
    err = refused("predict", *shlex.split(args), *flag)
    for part in parts:
        assert part in err


@pytest.fixture(scope="module")
def kept_model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("kept")
    task = get_task("csv", path=rows_file(str(folder / "old.csv"), 0, SEEN), column="load,flow", horizon=20, washout=30)
    model = train(path=str(folder / "m"), task=task).model
    model.contract_["tail"] = model.contract_["tail"][-100:]  # as of a longer file
    model.save(folder / "m")
    return (folder / "m").read_bytes()


def test_networks_that_cannot_learn_on_or_continue_say_so(refused: Callable[..., str], command: Command) -> None:
    train("lstm")
    rows_file("new.csv", SEEN, 450)
    err = refused("predict", "m", "new.csv", "--update")
    assert "whose readout learns on: Ridge and RidgeClassifier with one ridge, RecursiveLeastSquares" in err and "Got LSTM" in err
    train("esn", feedback_scaling=0.1)
    assert "--remember needs a model that continues from a state" in refused("predict", "m", "new.csv", "--remember")
    grown = output(command, "m", rows_file("grown.csv", 0, 450))
    assert grown[0, 0] == 32 and grown[-1, 0] == 451
    LSTM(3, bidirectional=True, training=Training(epochs=1), random_state=0).fit(wave(), wave()).save("b")
    assert "--remember needs" in refused("predict", "b", csv_file(), "--remember")
    assert len(output(command, "b", "data.csv")) == 300


def test_a_model_that_was_saved_from_python_is_known_by_what_it_learned(command: Command) -> None:
    assert ESN(units=5, density=0.5, random_state=0).fit(wave()).next_step_
    assert ESN(units=5, density=0.5, random_state=0).fit(wave()[:-1], wave()[1:]).next_step_
    assert not ESN(units=5, density=0.5, random_state=0).fit(wave()[:-1], wave()[:-1]).next_step_
    esn = ESN(units=20, density=0.3, washout=20, readout=Ridge(1e-4), random_state=0).fit(wave())
    esn.save("m")
    assert reservoir.load("m").next_step_
    comp = output(command, "m", csv_file(), "--horizon", "5")[:, 1]
    np.testing.assert_allclose(comp, esn.forecast(wave(), 5), rtol=1e-9)


# Rows with times, by the command


DAYS = (np.datetime64("2024-01-01", "D") + np.arange(460)).astype(str).tolist()


def dated(name: str, start: int, stop: int, **more: Any) -> str:
    return csv_file(name, **{"day": DAYS[start:stop], "load": FAR[start:stop], **more})


@pytest.fixture(scope="module")
def dated_model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    from click.testing import CliRunner

    from reservoir.commands.main import cli

    folder = tmp_path_factory.mktemp("dated")
    old = dated(str(folder / "old.csv"), 0, SEEN)
    options = ("--task-set", "column=load", "--task-set", "horizon=20", "--set", "units=20", "--set", "density=0.3")
    ran = CliRunner().invoke(cli, ["train", "csv", "--data", old, *options, "--save", str(folder / "m"), "--quiet"])
    assert ran.exit_code == 0, ran.output
    return (folder / "m").read_bytes()


def test_outputs_have_the_times_of_the_rows_that_they_belong_to(command: Command, dated_model: bytes) -> None:
    Path("m").write_bytes(dated_model)
    status, out, _ = command("predict", "m", dated("new.csv", SEEN, 410), "--horizon", "3", "--json")
    whole = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and [row["time"] for row in whole] == DAYS[410:413]
    assert command("predict", "m", dated("part.csv", 390, 405), "--remember", "--quiet").status == 0
    status, out, _ = command("predict", "m", dated("rest.csv", 405, 410), "--horizon", "3", "--json")
    assert [json.loads(line) for line in out.splitlines()] == whole
    assert command("predict", "m", "rest.csv", "--out", "p.csv").status == 0
    assert [line[:10] for line in Path("p.csv").read_text().splitlines()[1:]] == DAYS[405:411]
    spike = FAR[405:410] + np.array([0.0, 0.0, 900.0, 0.0, 0.0])
    out = command("predict", "m", dated("spike.csv", 405, 410, load=spike), "--anomalies", "--json", "--no-plot").out
    assert DAYS[407] in [row["time"] for row in json.loads(out)["anomalies"]]


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ("m late.csv", [f"5 rows missing before {DAYS[405]}", f"at {DAYS[399]}", "give them"]),
        ("m gap.csv", [f"2 rows missing before {DAYS[405]}"]),
        ("m early.csv", [f"ends at {DAYS[349]}, before the last row that the model has seen, at {DAYS[399]}"]),
        ("m changed.csv", [f"the row at {DAYS[395]} is not the one that the model has seen"]),
        ("m weeks.csv", ["another frequency", "one row per day"]),
        ("m hours.csv", ["another frequency"]),
        ("m grew.csv", ["grew.csv: has the column 'extra'"]),
        ("m untimed.csv", ["no column 'day'"]),
        ("m odd.csv", ["row 2, column 'day'", "'soon'"]),
    ],
)
def test_bad_times(refused: Callable[..., str], dated_model: bytes, args: str, parts: list[str]) -> None:
    Path("m").write_bytes(dated_model)
    dated("late.csv", 405, 410)
    csv_file("gap.csv", day=[*DAYS[400:403], *DAYS[405:410]], load=FAR[400:408])
    dated("early.csv", 0, 350)
    dated("changed.csv", 395, 410, load=np.where(np.arange(15) == 0, 1.0, FAR[395:410]))
    csv_file("weeks.csv", day=DAYS[400:450:7], load=FAR[400:408])
    csv_file("hours.csv", day=[f"{DAYS[400]} {k:02}:00" for k in range(8)], load=FAR[400:408])
    dated("grew.csv", SEEN, 410, extra=FAR[SEEN:410])
    csv_file("untimed.csv", load=FAR[SEEN:410])
    dated("odd.csv", SEEN, 403, day=[DAYS[400], "soon", DAYS[402]])
    for flag in ((), ("--update",)):
        err = refused("predict", *shlex.split(args), *flag)
        for part in parts:
            assert part in err
