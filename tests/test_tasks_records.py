"""Records from a user's file, and the options of tasks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from free_runs import rng
from messages import mentions

from reservoir.metrics import nmse
from reservoir.tasks import get_task, list_tasks
from reservoir.tasks.registry import TASKS, task_class
from reservoir.validation import DataError, ParameterError

# Records


def test_sunspots_are_cut_by_years() -> None:
    task = get_task("sunspots")
    data = task.generate(0)
    mean, deviation = data.info["mean"], data.info["std"]
    months = np.concatenate([data.train.inputs[0], data.train.targets[0][-1:]]) * deviation + mean
    assert len(months) == 1920  # 1749 to 1908
    assert months[:3, 0] == pytest.approx([58.0, 62.6, 70.0])
    assert mean[0] == pytest.approx(months.mean())
    assert data.test.targets[-1][-1, 0] * deviation + mean == pytest.approx(0.8)  # December 2008
    assert [len(history) for history in data.test.inputs] == [2400 + 84 * k for k in range(8)]
    assert {target.shape for target in data.test.targets} == {(132, 1)}
    assert len(data.validation.inputs[0]) == 1920
    assert len(data.validation.inputs[-1]) + 132 == 2400
    np.testing.assert_array_equal(data.train.targets[0], task.generate(9).train.targets[0])


def test_sunspots_train_on_the_latest_months() -> None:
    full, short = get_task("sunspots").generate(0), get_task("sunspots", train_length=500).generate(0)
    np.testing.assert_array_equal(short.train.targets[0], full.train.targets[0][-500:])
    np.testing.assert_array_equal(short.test.inputs[0], full.test.inputs[0])


def test_sunspots_baseline_is_the_better_of_two() -> None:
    task = get_task("sunspots")
    data = task.generate(0)
    truth = np.concatenate(list(data.test.targets))
    last = np.concatenate([np.repeat(history[-1:], 132, axis=0) for history in data.test.inputs])
    cycle = np.concatenate([history[-132:] for history in data.test.inputs])
    errors = [float(np.sqrt(nmse(guess, truth))) for guess in (last, cycle)]
    assert errors[1] < errors[0]
    assert task.baseline(data) == pytest.approx(errors[1])
    assert task.scores(list(data.test.targets), data) == {"nrmse": 0.0, "nmse": 0.0}


def write_csv(path: Path, rows: np.ndarray, names: str) -> str:
    np.savetxt(path, rows, delimiter=",", header=names, comments="", fmt="%.17g")
    return str(path)


def test_csv_task_cuts_the_end_off(tmp_path: Path) -> None:
    rows = np.column_stack([np.arange(200.0), 5.0 + 3.0 * rng(0).normal(size=200), rng(1).normal(size=200)])
    path = write_csv(tmp_path / "own.csv", rows, "day,price,volume")
    task = get_task("csv", path=path, column="price, volume", horizon=10, starts=3, holdout=40, washout=7)
    data = task.generate(0)
    back = [target * data.info["std"] + data.info["mean"] for target in data.test.targets]
    # The last 40 rows hold starts at 160, 175 and 190; 40 rows before them hold the validation; 0 to 119 train.
    for start, target in zip((160, 175, 190), back, strict=True):
        np.testing.assert_allclose(target, rows[start : start + 10, 1:])
    assert [len(history) for history in data.test.inputs] == [160, 175, 190]
    assert [len(history) for history in data.validation.inputs] == [120, 135, 150]
    assert data.train.inputs[0].shape == (119, 2)
    assert data.train.washout == 7
    assert data.info["columns"] == ["price", "volume"]
    np.testing.assert_allclose(data.info["mean"], rows[:120, 1:].mean(axis=0))


def test_csv_task_takes_numbers_and_lists_for_the_text_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "2020", rng(3).normal(size=(90, 3)), "1,0.5,volume")
    sizes = {"horizon": 10, "starts": 1, "washout": 5}
    for column, names in ((1, ["1"]), (0.5, ["0.5"]), ([0.5, 1], ["0.5", "1"]), (["volume", 1], ["volume", "1"])):
        task = get_task("csv", path=2020, column=column, **sizes)
        assert isinstance(task.options()["path"], str) and isinstance(task.options()["column"], str)
        assert task.generate(0).info["columns"] == names
    assert task.options()["path"] == "2020"
    assert get_task("csv", path=tmp_path / "2020", column="1", **sizes).generate(0).info["columns"] == ["1"]


def test_csv_task_finds_the_season_of_its_baseline(tmp_path: Path) -> None:
    time = np.arange(400)
    path = write_csv(tmp_path / "own.csv", np.sin(2 * np.pi * time / 12)[:, None], "tide")
    task = get_task("csv", path=path, horizon=24)
    data = task.generate(0)
    assert data.info["period"] == 12
    assert task.baseline(data) == pytest.approx(0.0, abs=1e-9)


def test_csv_task_without_a_season_repeats_the_last_value(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "own.csv", rng(0).normal(size=(400, 1)), "noise")
    task = get_task("csv", path=path, horizon=50)
    data = task.generate(0)
    assert data.info["period"] is None
    assert task.baseline(data) == task.score([np.repeat(data.test.inputs[0][-1:], 50, axis=0)], data)


def test_csv_task_refuses_what_cannot_be_learned(tmp_path: Path) -> None:
    flat = write_csv(tmp_path / "flat.csv", np.full((400, 1), 5.5), "level")
    with pytest.raises(DataError, match=mentions("'level' (5.5)")):
        get_task("csv", path=flat).generate(0)
    short = write_csv(tmp_path / "short.csv", rng(0).normal(size=(50, 1)), "level")
    with pytest.raises(DataError, match=mentions("short.csv 50 302")):
        get_task("csv", path=short).generate(0)
    get_task("csv", path=short, horizon=10, washout=28).generate(0)
    with pytest.raises(DataError, match=mentions("51")):
        get_task("csv", path=short, horizon=10, washout=29).generate(0)


# Options and the registry


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mackey-glass", {"tau": 4}),
        ("mackey-glass", {"steps": 83}),
        ("mackey-glass", {"train_length": 1000}),
        ("lorenz", {"starts": 0}),
        ("lorenz", {"train_length": 1.5}),
        ("rossler", {"history": 0}),
        ("kuramoto-sivashinsky", {"washout": -1}),
        ("henon", {"washout": 2000}),
        ("mso", {"sines": 9}),
        ("sine", {"steps": "many"}),
        ("sunspots", {"horizon": 481}),
        ("sunspots", {"train_length": 100}),
        ("csv", {}),
        ("csv", {"path": "a.csv", "horizon": 0}),
        ("csv", {"path": "a.csv", "column": True}),
        ("csv", {"path": "a.csv", "column": ["price", None]}),
        ("csv", {"path": "a.csv", "column": []}),
        ("csv", {"path": None}),
        ("csv", {"path": "a.csv", "horizon": 50, "holdout": 49}),
    ],
)
def test_bad_options_are_refused_in_one_line(name: str, options: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=mentions(f"{name} task")) as caught:
        get_task(name, **options)
    assert "\n" not in str(caught.value)


def test_every_option_has_a_constraint() -> None:
    for name in list_tasks():
        task = task_class(name)(**({"path": "a.csv"} if name == "csv" else {}))
        assert set(task.constraints) == set(task.options())


def test_the_registry_names_its_classes() -> None:
    assert [*list_tasks(), "inspect"] == list(TASKS)
    for name in TASKS:
        assert task_class(name).name == name
        assert (task_class(name).__doc__ or "").splitlines()[0].endswith(".")


def test_unknown_names_bring_the_nearest() -> None:
    with pytest.raises(ParameterError, match=mentions("'lorentz' lorenz narma10")):
        get_task("lorentz")
    with pytest.raises(ParameterError, match=mentions("'start' starts")):
        get_task("lorenz", start=3)


def test_listing_imports_no_task() -> None:
    heavy = "('reservoir.tasks.flows', 'scipy')"
    code = f"import sys; from reservoir import tasks; tasks.list_tasks(); sys.exit(any(m in sys.modules for m in {heavy}))"
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_an_option_may_be_called_name() -> None:
    with pytest.raises(ParameterError, match=mentions("'name'")):
        get_task("sine", name="foo")
