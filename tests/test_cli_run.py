"""`reservoir run`: what it prints and writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from commands import QUICK, Command, csv_file

from reservoir.commands import options
from reservoir.experiments.evaluation import evaluate
from reservoir.tasks import get_task


def test_run_prints_a_row_per_seed_with_mean_and_standard_deviation(command: Command) -> None:
    status, out, err = command("run", *QUICK, "--seeds", "0:3")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "narma10, esn: nmse, lower is better; seeds 0:3"
    assert "The baseline is linear regression on 30 inputs." in lines
    assert "† worse than the baseline (linear regression on 30 inputs)." in lines and "†" in lines[4]
    cells = {line.split()[0]: line.replace("†", "").split()[1:] for line in lines[1:] if line}
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
        "n_parameters", "fit_seconds", "predict_seconds", "first_use_seconds", "version",
    }  # fmt: skip


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


@pytest.mark.parametrize("name", ["W.npy", "one.npz", "sparse.npz"])
def test_a_matrix_from_a_file(command: Command, name: str) -> None:
    matrix = np.random.default_rng(0).normal(size=(8, 8))
    np.save("W.npy", matrix)
    np.savez("one.npz", recurrent=matrix)
    sp.save_npz("sparse.npz", sp.csr_array(matrix))
    shared = ("run", "narma10", "--task-set", "train_length=300", "--task-set", "test_length=100", "--set", "units=8", "--json")
    row = json.loads(command(*shared, "--set", f"topology=@{name}").out)
    task = get_task("narma10", train_length=300, test_length=100)
    own = sp.csr_array(matrix) if name == "sparse.npz" else matrix
    assert row["score"] == evaluate(task, "esn", {"units": 8, "topology": own}, 0).row["score"]
    assert row["score"] != evaluate(task, "esn", {"units": 8}, 0).row["score"]


@pytest.mark.parametrize(("text", "seeds"), [("3", [3]), ("0:3", [0, 1, 2]), ("4,0:2,9", [4, 0, 1, 9])])
def test_seeds(text: str, seeds: list[int]) -> None:
    assert options.SEEDS.convert(text, None, None) == seeds


def test_a_file_of_ones_own_in_short(command: Command) -> None:
    settings = ("--set", "units=10", "--set", "density=0.3", "--set", "washout=10", "--task-set", "washout=10")
    in_short = json.loads(command("run", "csv", "--data", csv_file(), *settings, "--json").out)
    in_full = json.loads(command("run", "csv", "--task-set", "path=data.csv", *settings, "--json").out)
    assert in_short["task_options"] == in_full["task_options"]
    assert in_short["score"] == in_full["score"]


@pytest.mark.parametrize("as_json", [False, True])
def test_files_written_are_named(command: Command, as_json: bool) -> None:
    json_option = ("--json",) if as_json else ()
    trained = command("train", *QUICK, "--save", "model", *json_option)
    run = command("run", *QUICK, "--plot", "run.svg", *json_option)
    inspected = command("inspect", "--set", "units=10", "--plot", "inspect.svg", *json_option)
    for (status, out, err), names in (
        (trained, ["Model written to model."]),
        (run, ["Picture written to run.svg."]),
        (inspected, ["Picture written to inspect.svg."]),
    ):
        said, result = (err, out) if as_json else (out, err)
        assert status == 0
        assert said.splitlines()[-len(names) :] == names
        assert "written" not in result
    assert "written" not in command("run", *QUICK).out
