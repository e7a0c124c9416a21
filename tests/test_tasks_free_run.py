"""Free runs: the systems against slow twins and other methods, splits, scores, baselines, records, the registry."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import naive_flows as slow
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from reservoir.base import baselines
from reservoir.metrics import nmse, valid_prediction_time
from reservoir.tasks import flows, forecasts, get_task, list_tasks, maps
from reservoir.tasks.registry import TASKS, task_class
from reservoir.validation import DataError, ParameterError

SIMULATED = {
    "mackey-glass": {"train_length": 300, "washout": 50, "history": 40, "starts": 3},
    "lorenz": {"train_length": 300, "washout": 50, "history": 40, "steps": 30, "starts": 3},
    "rossler": {"train_length": 300, "washout": 50, "history": 40, "steps": 30, "starts": 3},
    "kuramoto-sivashinsky": {"train_length": 60, "washout": 5, "history": 40, "steps": 30, "starts": 3},
    "henon": {"train_length": 300, "washout": 50, "history": 40, "steps": 30, "starts": 3},
    "mso": {"train_length": 300, "washout": 50, "history": 40, "steps": 30, "starts": 3},
    "sine": {"train_length": 300, "washout": 50, "history": 40, "steps": 30, "starts": 3},
}
"""Every simulated system with small lengths."""

CHAOTIC = ["lorenz", "rossler", "kuramoto-sivashinsky", "henon"]


def small(name: str, **options: int) -> Any:
    return get_task(name, **{**SIMULATED[name], **options})


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# The systems


@pytest.mark.parametrize("tau", [17, 30])
def test_mackey_glass_is_the_literal_euler_recurrence(tau: int) -> None:
    past = 1.2 + rng(3).uniform(-0.1, 0.1, 10 * tau + 1)
    ref = slow.mackey_glass(tau, past, 120)
    comp = flows.mackey_glass(tau, 100, rng(3), transient=20)
    np.testing.assert_allclose(comp, ref[20:], rtol=1e-12)


def test_mackey_glass_record_is_squashed() -> None:
    comp = flows.MackeyGlass().record(50, rng(1))
    np.testing.assert_array_equal(comp[:, 0], np.tanh(flows.mackey_glass(17, 50, rng(1)) - 1.0))
    assert comp.shape == (50, 1)


def test_mackey_glass_spread_and_dominant_period() -> None:
    # Published records of tau = 17 spread over .22 to 1.31 and swing with a period near 50.
    series = flows.mackey_glass(17, 20_000, rng(1))
    assert 0.2 < series.min() < 0.45
    assert 1.25 < series.max() < 1.4
    assert 45 <= int(baselines.estimate_period(series) or 0) <= 55
    assert flows.mackey_glass_variance(17) == pytest.approx(np.var(np.tanh(series - 1.0)), rel=0.02)


@pytest.mark.parametrize(
    ("fast", "flow", "start"),
    [(flows._lorenz, slow.lorenz, (1.0, 2.0, 20.0)), (flows._rossler, slow.rossler, (-4.0, 1.0, 0.02))],
)
def test_rk4_equals_its_twin_and_converges_with_order_four(
    fast: flows.Flow, flow: Callable[..., np.ndarray], start: tuple[float, float, float]
) -> None:
    np.testing.assert_allclose(flows.rk4(fast, start, 0.01, 33), slow.rk4(flow, np.array(start), 0.01, 33), rtol=1e-12)
    exact = solve_ivp(flow, (0.0, 0.5), start, method="DOP853", rtol=1e-13, atol=1e-13).y[:, -1]
    coarse, fine = (np.abs(flows.rk4(fast, start, 0.5 / n, n)[-1] - exact).max() for n in (40, 80))
    assert coarse < 1e-3
    assert 12.0 < coarse / fine < 20.0


@pytest.mark.parametrize(("points", "order"), [(12, 4), (64, 3)])
def test_etdrk4_agrees_with_an_implicit_adaptive_method(points: int, order: int) -> None:
    # The method's order is 4 where time_step * (highest wave number)^4 is small and 3 where it is large.
    place = 2 * np.pi * np.arange(points) / points
    field = np.cos(2 * place) + 0.5 * np.sin(3 * place + 1.0)
    exact = slow.kuramoto_sivashinsky(field, 22.0, 2.0)
    assert np.abs(exact - field).max() > 0.5
    coarse, fine = (np.abs(flows.etdrk4(field, 22.0, 2.0 / n, n)[-1] - exact).max() for n in (8, 16))
    assert coarse < 1e-4
    assert 0.8 < coarse / fine / 2**order < 1.25


def test_kuramoto_sivashinsky_keeps_the_mean_and_obeys_the_energy_balance() -> None:
    # d/dt of the mean of u^2 / 2 is mean(u_x^2) - mean(u_xx^2): the nonlinear term moves energy and makes none.
    field = flows.KuramotoSivashinsky().record(200, rng(2))
    assert np.abs(field.mean(axis=1)).max() < 1e-12
    short = flows.etdrk4(field[-1], 22.0, 0.005, 400)
    energy = np.mean(np.square(short), axis=1) / 2
    change = np.gradient(energy, 0.005)[1:-1]
    balance = [
        np.mean(slow.spectral_derivative(u, 22.0, 1) ** 2) - np.mean(slow.spectral_derivative(u, 22.0, 2) ** 2)
        for u in short[1:-1]
    ]
    assert np.ptp(change) > 0.01
    np.testing.assert_allclose(change, balance, atol=2e-4)


def test_etdrk4_steps_many_fields_as_it_steps_one() -> None:
    fields = rng(0).normal(size=(3, 64))
    many = flows.etdrk4(fields, 22.0, 0.25, 5)
    for index in range(3):
        np.testing.assert_allclose(many[:, index], flows.etdrk4(fields[index], 22.0, 0.25, 5), atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_henon_is_the_map_of_two_variables(seed: int) -> None:
    comp = maps.Henon().record(500, rng(seed))[:, 0]
    # Rounding grows by exp(.419) a step, five hundredfold over 15 steps.
    ref = slow.henon(comp[1], 0.3 * comp[0], 15)
    np.testing.assert_allclose(comp[2:17], ref, atol=1e-11)
    assert -1.3 < comp.min() < -1.2
    assert 1.2 < comp.max() < 1.3


@pytest.mark.parametrize("name", CHAOTIC)
def test_spread_is_that_of_a_long_record(name: str) -> None:
    task: Any = task_class(name)()
    if isinstance(task, flows.KuramotoSivashinsky):
        spread = task.fields(24, 2000, rng(7)).std()
    else:
        spread = task.record(200_000, rng(7)).std(axis=0)
    np.testing.assert_allclose(task.spread, spread, rtol=0.015)


@pytest.mark.parametrize(
    ("name", "fast", "seconds", "tolerance"),
    [("lorenz", flows._lorenz, 0.1, 0.05), ("rossler", flows._rossler, 1.0, 0.01)],
)
def test_lyapunov_exponents_of_flows(name: str, fast: flows.Flow, seconds: float, tolerance: float) -> None:
    task: Any = task_class(name)()
    steps = round(seconds / task.time_step)
    start = task.record(1, rng(0))[0]
    comp = slow.lyapunov(lambda s: flows.rk4(fast, tuple(s), task.time_step, steps)[-1], start, seconds, 10_000)
    assert comp == pytest.approx(task.lyapunov, abs=tolerance)


def test_lyapunov_exponent_of_henon() -> None:
    record = maps.Henon().record(20_000, rng(0))[:, 0]
    tangent, total = np.array([1.0, 0.0]), 0.0
    for x in record:
        tangent = np.array([-2.8 * x * tangent[0] + 0.3 * tangent[1], tangent[0]])
        size = float(np.linalg.norm(tangent))
        tangent, total = tangent / size, total + np.log(size)
    assert total / len(record) == pytest.approx(maps.Henon.lyapunov, abs=0.01)


def test_mso_is_one_signal_from_some_start() -> None:
    data = get_task("mso").generate(5)
    series = np.concatenate([data.train.inputs[0], data.train.targets[0][-1:], data.validation.targets[0], data.test.targets[0]])
    frequencies = [0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85, 0.97]
    start = int(get_task("mso").streams(5, 1)[0].integers(100_000))
    ref = [sum(np.sin(a * (start + t)) for a in frequencies) for t in range(len(series))]
    np.testing.assert_allclose(series[:, 0], ref, atol=1e-9)
    assert len(series) == 401 + 2 * 300


def test_mso_of_two_sines_obeys_their_linear_recurrence() -> None:
    # Each sine is annihilated by 1 - 2 cos(a) B + B^2, B the backward shift; so their sum is by the product.
    series = get_task("mso", sines=2).generate(0).train.inputs[0][:, 0]
    filters = np.convolve([1, -2 * np.cos(0.2), 1], [1, -2 * np.cos(0.311), 1])
    np.testing.assert_allclose(np.convolve(series, filters, mode="valid"), 0.0, atol=1e-9)


def test_sine_without_input() -> None:
    data = get_task("sine").generate(2)
    assert data.train.inputs[0].shape == (300, 0)
    series = data.train.targets[0][:, 0]
    assert series.shape == (300,)
    np.testing.assert_allclose(series[2:], 2 * np.cos(0.25) * series[1:-1] - series[:-2], atol=1e-12)
    assert np.abs(series).max() == pytest.approx(0.5, abs=0.01)
    # The validation's history ends with the value after the last training target.
    history = data.validation.inputs[0][:, 0]
    np.testing.assert_array_equal(history[:-1], series[-99:])
    joined = np.concatenate([history, data.validation.targets[0][:, 0]])
    np.testing.assert_allclose(joined[2:], 2 * np.cos(0.25) * joined[1:-1] - joined[:-2], atol=1e-12)


# The splits


@pytest.mark.parametrize("name", SIMULATED)
def test_splits_have_the_shapes_of_the_contract(name: str) -> None:
    task = small(name)
    data = task.generate(0)
    options = task.options()
    width = data.train.targets[0].shape[1]
    assert task.kind == "free run"
    assert data.train.inputs[0].shape == (options["train_length"], 0 if name == "sine" else width)
    assert data.train.targets[0].shape == (options["train_length"], width)
    assert data.train.washout == options["washout"]
    if name != "sine":
        np.testing.assert_array_equal(data.train.inputs[0][1:], data.train.targets[0][:-1])
    for split in (data.validation, data.test):
        assert {history.shape for history in split.inputs} == {(40, width)}
        assert {target.shape for target in split.targets} == {(options["steps"], width)}
        assert len(split.inputs) == len(split.targets)
    assert len(data.test.inputs) == 3


@pytest.mark.parametrize("name", SIMULATED)
def test_a_seed_gives_the_same_bits_and_another_gives_others(name: str) -> None:
    one, same, other = small(name).generate(0), small(name).generate(0), small(name).generate(1)
    for split in ("train", "validation", "test"):
        for part in ("inputs", "targets"):
            for first, second in zip(getattr(getattr(one, split), part), getattr(getattr(same, split), part), strict=True):
                np.testing.assert_array_equal(first, second)
        assert not np.allclose(getattr(one, split).targets[0], getattr(other, split).targets[0])


@pytest.mark.parametrize("name", SIMULATED)
def test_options_of_the_test_split_leave_the_training_data_alone(name: str) -> None:
    one, other = small(name).generate(0), small(name, starts=5, history=20, steps=90).generate(0)
    np.testing.assert_array_equal(one.train.inputs[0], other.train.inputs[0])
    np.testing.assert_array_equal(one.train.targets[0], other.train.targets[0])
    assert len(other.test.inputs) == 5


@pytest.mark.parametrize("name", [name for name in SIMULATED if name not in ("mso", "sine")])
def test_splits_are_independent_records(name: str) -> None:
    short, long = small(name).generate(0), small(name, train_length=400, washout=10).generate(0)
    np.testing.assert_array_equal(short.test.targets[0], long.test.targets[0])
    np.testing.assert_array_equal(short.train.inputs[0], long.train.inputs[0][: len(short.train.inputs[0])])
    assert not np.allclose(short.validation.inputs[0], short.test.inputs[0])


def one_more_step(name: str, history: np.ndarray) -> Any:
    """The value after a history, from the equations."""
    if name == "henon":
        return 1 - 1.4 * history[-1] ** 2 + 0.3 * history[-2]
    if name == "kuramoto-sivashinsky":
        return flows.etdrk4(history[-1], 22.0, 0.25, 1)[0]
    flow, step = {"lorenz": (slow.lorenz, 0.01), "rossler": (slow.rossler, 0.1)}[name]
    return slow.rk4(flow, history[-1], step, 1)[0]


@pytest.mark.parametrize("name", CHAOTIC)
def test_continuations_follow_their_histories(name: str) -> None:
    data = small(name).generate(3)
    for split in (data.validation, data.test):
        for history, target in zip(split.inputs, split.targets, strict=True):
            np.testing.assert_allclose(target[0], one_more_step(name, history), rtol=1e-9, atol=1e-9)


def test_rolling_origins_are_even_and_stay_inside() -> None:
    record = np.arange(100.0)[:, None]
    split = forecasts.rolling_origins(record, 40, 100, 10, 20, 3)
    # Starts at 40, 60 and 80: the last continuation ends with the record.
    assert [target[0, 0] for target in split.targets] == [40.0, 60.0, 80.0]
    assert [target[-1, 0] for target in split.targets] == [59.0, 79.0, 99.0]
    assert [(history[0, 0], history[-1, 0]) for history in split.inputs] == [(30.0, 39.0), (50.0, 59.0), (70.0, 79.0)]
    whole = forecasts.rolling_origins(record, 40, 100, None, 20, 1)
    assert len(whole.inputs[0]) == 40
    assert whole.targets[0][0, 0] == 40.0


# Scores and baselines


@pytest.mark.parametrize("name", CHAOTIC)
def test_vpt_of_perfect_and_late_failing_forecasts(name: str) -> None:
    task = small(name)
    data = task.generate(0)
    unit = task.time_step * task.lyapunov
    perfect = [target.copy() for target in data.test.targets]
    assert task.score(perfect, data) == pytest.approx(30 * unit)
    perfect[1][12] += 100.0
    # Two starts reach their 30 steps, one fails at step 12.
    assert task.score(perfect, data) == pytest.approx((30 + 12 + 30) / 3 * unit)
    scores = task.scores(perfect, data)
    assert next(iter(scores)) == task.metric == "vpt"
    assert scores["vpt_median"] == pytest.approx(30 * unit)
    assert scores["vpt_min"] == pytest.approx(12 * unit)
    assert task.higher_is_better


def test_vpt_counts_a_diverged_forecast() -> None:
    task = small("lorenz")
    data = task.generate(0)
    assert task.score([np.full((30, 3), np.nan)] * 3, data) == 0.0


def test_predictions_of_the_wrong_number_or_shape_are_refused() -> None:
    task = small("lorenz")
    data = task.generate(0)
    with pytest.raises(DataError, match="2 predictions for 3 starts"):
        task.score(list(data.test.targets)[:2], data)
    with pytest.raises(DataError, match="must agree"):
        task.score([target[:10] for target in data.test.targets], data)


def test_henon_reports_the_first_step() -> None:
    task = small("henon")
    data = task.generate(0)
    wrong = [target.copy() for target in data.test.targets]
    for target in wrong:
        target[0] += 0.1
    assert task.scores(wrong, data)["one_step_nmse"] == pytest.approx(0.01 / 0.721**2)


def test_mackey_glass_scores_the_84th_step() -> None:
    task = small("mackey-glass")
    data = task.generate(0)
    wrong = [target.copy() for target in data.test.targets]
    wrong[0][83] += 0.3
    wrong[2][82] += 5.0  # another step: not scored
    variance = data.info["variance"]
    expected = np.sqrt(0.3**2 / (3 * variance))
    assert task.score(wrong, data) == pytest.approx(expected)
    assert task.scores(wrong, data) == pytest.approx({"nrmse84": expected, "log10_nrmse84": np.log10(expected)})
    assert task.score(data.test.targets, data) == 0.0
    assert variance == pytest.approx(0.0467, rel=0.01)


@pytest.mark.parametrize("name", CHAOTIC)
def test_baseline_of_chaos_is_persistence(name: str) -> None:
    task = small(name)
    data = task.generate(0)
    times = []
    for history, target in zip(data.test.inputs, data.test.targets, strict=True):
        still = np.repeat(history[-1:], len(target), axis=0)
        times.append(valid_prediction_time(still, target, task.spread, task.time_step, task.lyapunov))
    assert task.baseline(data) == pytest.approx(np.mean(times))


@pytest.mark.parametrize("name", ["mackey-glass", "mso", "sine"])
def test_baseline_of_the_others_is_the_mean(name: str) -> None:
    task = get_task(name)
    data = task.generate(0)
    mean = data.train.targets[0].mean(axis=0)
    guess = [np.tile(mean, (len(target), 1)) for target in data.test.targets]
    assert task.baseline(data) == pytest.approx(task.score(guess, data))
    assert task.baseline(data) == pytest.approx(1.0, abs=0.1)
    assert not task.higher_is_better


def test_a_free_run_asks_the_model_for_a_forecast() -> None:
    class Persistence:
        def forecast(self, histories: list[np.ndarray], steps: int) -> list[np.ndarray]:
            return [baselines.naive(history, steps) for history in histories]

    task = small("lorenz")
    data = task.generate(0)
    assert task.score(task.predict(Persistence(), data.test), data) == task.baseline(data)


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
    with pytest.raises(DataError, match=r"column 'level' is constant \(5.5\)"):
        get_task("csv", path=flat).generate(0)
    short = write_csv(tmp_path / "short.csv", rng(0).normal(size=(50, 1)), "level")
    with pytest.raises(DataError, match=r"short.csv: has 50 rows; .* need at least 302\."):
        get_task("csv", path=short).generate(0)
    get_task("csv", path=short, horizon=10, washout=28).generate(0)
    with pytest.raises(DataError, match="at least 51"):
        get_task("csv", path=short, horizon=10, washout=29).generate(0)


# Trivial forecasts and periods


def test_naive_forecasts() -> None:
    history = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    np.testing.assert_array_equal(baselines.naive(history, 2), [[3.0, 30.0], [3.0, 30.0]])
    np.testing.assert_array_equal(baselines.seasonal_naive(history[:, 0], 5, 2), [2.0, 3.0, 2.0, 3.0, 2.0])
    with pytest.raises(DataError, match="last 4 rows"):
        baselines.seasonal_naive(history, 2, 4)


@pytest.mark.parametrize("period", [2, 7, 12, 24, 130])
def test_periods_are_found_in_noise_on_a_trend(period: int) -> None:
    time = np.arange(1000)
    wave = np.sin(2 * np.pi * time / period + 0.5) if period > 2 else (-1.0) ** time
    series = 50.0 + 0.02 * time + wave + 0.3 * rng(period).normal(size=1000)
    found = baselines.estimate_period(series)
    assert found is not None
    assert abs(found - period) <= period // 24
    pulses = 3.0 * (time % period == 0) + 0.1 * rng(period).normal(size=1000)
    assert baselines.estimate_period(pulses) == period


def test_a_multiple_does_not_replace_the_period() -> None:
    time = np.arange(400)
    found = [baselines.estimate_period(np.sin(2 * np.pi * time / 12) + rng(seed).normal(size=400)) for seed in range(50)]
    assert sum(period in (11, 12, 13) for period in found) >= 45


def test_a_period_is_worth_a_seasonal_forecast() -> None:
    # Noise through a low pass peaks by chance: none of these 100 records passes, 10 without a check of the forecast.
    found = []
    for seed in range(100):
        values = [0.0]
        for noise in rng(seed).normal(size=400):
            values.append(0.9 * values[-1] + noise)
        found.append(baselines.estimate_period(values))
    assert sum(period is not None for period in found) <= 3


def seasons(weights: dict[int, float], length: int = 260) -> np.ndarray:
    """Cosines of some periods and weights, each with a phase of its own."""
    return sum(weight * np.cos(2 * np.pi * np.arange(length) / period + period) for period, weight in weights.items())


@pytest.mark.parametrize("seed", range(5))
def test_a_harmonic_does_not_replace_the_period(seed: int) -> None:
    noise = 0.2 * rng(seed).normal(size=260)
    # Months of a year whose quarters stand out, on the swings of trade: the autocorrelation is nearly as high at 3.
    assert baselines.estimate_period(seasons({3: 1.0, 4: 0.5, 12: 0.5, 70: 1.0}) + noise) == 12
    assert baselines.estimate_period(seasons({24: 1.0, 12: 0.5}) + noise) == 24
    assert baselines.estimate_period(seasons({24: 0.5, 12: 1.0}) + noise) == 24


@pytest.mark.parametrize("trend", ["square", "cube", "growth"])
def test_a_period_on_a_curved_trend(trend: str) -> None:
    time = np.linspace(0.0, 1.0, 260)
    curve = {"square": 100 * time**2, "cube": -100 * time**3, "growth": 5 * np.exp(3 * time)}[trend]
    scale = curve / 5 if trend == "growth" else 1.0  # seasons grow with the level
    assert baselines.estimate_period(curve + scale * (seasons({12: 1.0}) + 0.3 * rng(0).normal(size=260))) == 12
    assert baselines.estimate_period(curve) is None


def test_a_period_is_an_autocorrelation_peak() -> None:
    series = np.sin(np.arange(150) * 2 * np.pi / 17) + 0.2 * rng(0).normal(size=150)
    found = baselines.estimate_period(series)
    assert found == max(range(9, 26), key=lambda lag: slow.autocorrelation(series, lag))


def test_no_period_where_there_is_none() -> None:
    time = np.arange(400.0)
    plain = [np.ones(400), 0.1 * time, time**2, np.array([1.0, 2.0]), np.array([])]
    assert [baselines.estimate_period(series) for series in plain] == [None] * len(plain)
    noises = [rng(seed).normal(size=400) for seed in range(20)]
    walks = [noise.cumsum() for noise in noises]
    assert sum(baselines.estimate_period(series) is not None for series in noises + walks) <= 2


def test_the_period_of_several_columns() -> None:
    time = np.arange(300)
    columns = np.column_stack([np.sin(2 * np.pi * time / 20), np.full(300, 7.0), 1e6 * np.cos(2 * np.pi * time / 20)])
    assert baselines.estimate_period(columns) == 20


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
    with pytest.raises(ParameterError, match=f"of task {name} must be .*Got .* instead") as caught:
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
    with pytest.raises(ParameterError, match=r"There is no task 'lorentz'\. Did you mean lorenz\? Known: .*narma10"):
        get_task("lorentz")
    with pytest.raises(ParameterError, match=r"There is no lorenz option 'start'\. Did you mean starts"):
        get_task("lorenz", start=3)


def test_listing_imports_no_task() -> None:
    heavy = "('reservoir.tasks.flows', 'scipy')"
    code = f"import sys; from reservoir import tasks; tasks.list_tasks(); sys.exit(any(m in sys.modules for m in {heavy}))"
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_an_option_may_be_called_name() -> None:
    with pytest.raises(ParameterError, match="option 'name'"):
        get_task("sine", name="foo")
