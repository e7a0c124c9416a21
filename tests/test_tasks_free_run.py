"""Free runs: the systems against slow twins and other methods, splits, scores, baselines, records, the registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import naive_flows as slow
import numpy as np
import pytest
from free_runs import CHAOTIC, SIMULATED, rng, small
from scipy.integrate import solve_ivp

from reservoir.base import baselines
from reservoir.tasks import flows, forecasts, get_task, maps
from reservoir.tasks.registry import task_class

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
