"""Optimizers against the recurrences of their papers, a number at a time; the gradient's norm, clipping and noise."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from kernel_arrays import DTYPES, random

from reservoir.gradient.optimizers import OPTIMIZERS, Step
from reservoir.gradient.training import Training

SIZES = (0, 1, 7, 33, 65)

TINY = {np.float64: 9e-151, np.float32: 9e-19}

"""Just below the least gradient that counts."""
SMALL = {np.float64: 1e-148, np.float32: 1e-16}

"""Gradients whose squares count."""


def settings(name: str, momentum: float = 0.9, decay: float = 0.999, **others: float) -> dict[str, float]:
    """The settings that an optimizer reads; `momentum` is Adam's beta1 too, and `decay` its beta2."""
    values = {"momentum": momentum, "decay": decay, "beta1": momentum, "beta2": decay, **others}
    return {key: values[key] for key in (*OPTIMIZERS[name].settings, "epsilon") if key in values}


def fresh(name: str, size: int, dtype: type) -> np.ndarray:
    return np.zeros((OPTIMIZERS[name].n_states, size), dtype)


# The recurrences, of one weight in Python's floats: (w, state), g, step, rate, momentum or beta1, decay or beta2, weight decay,
# epsilon
State = list[float]
Slow = Callable[[float, State, float, int, float, float, float, float, float], tuple[float, State]]


def slow_sgd(w, state, g, step, rate, mu, beta, decay, eps):
    return w - rate * (g + decay * w), []


def slow_momentum(w, state, g, step, rate, mu, beta, decay, eps):
    v = mu * state[0] + g + decay * w
    return w - rate * v, [v]


def slow_nesterov(w, state, g, step, rate, mu, beta, decay, eps):
    g = g + decay * w
    v = mu * state[0] + g
    return w - rate * (g + mu * v), [v]


def slow_rmsprop(w, state, g, step, rate, mu, beta, decay, eps):
    g = g + decay * w
    s = beta * state[0] + (1 - beta) * g**2
    return w - rate * g / (math.sqrt(s / (1 - beta**step)) + eps), [s]


def slow_adam(w, state, g, step, rate, mu, beta, decay, eps):
    g = g + decay * w
    m = mu * state[0] + (1 - mu) * g
    s = beta * state[1] + (1 - beta) * g**2
    return w - rate * (m / (1 - mu**step)) / (math.sqrt(s / (1 - beta**step)) + eps), [m, s]


def slow_adamw(w, state, g, step, rate, mu, beta, decay, eps):
    new, state = slow_adam(w, state, g, step, rate, mu, beta, 0.0, eps)
    return new - rate * decay * w, state


SLOW: dict[str, Slow] = {
    "sgd": slow_sgd,
    "momentum": slow_momentum,
    "nesterov": slow_nesterov,
    "rmsprop": slow_rmsprop,
    "adam": slow_adam,
    "adamw": slow_adamw,
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_recurrence(name: str, size: int, dtype: type) -> None:
    numbers = (0.03, 0.8, 0.95, 0.2, 1e-3)  # rate, momentum, decay, weight decay, epsilon
    read = settings(name, 0.8, 0.95, weight_decay=0.2, epsilon=1e-3)
    weights, state = random(size, dtype), fresh(name, size, dtype)
    ref = weights.astype(np.float64)
    ref_states: list[State] = [[0.0] * len(state) for _ in range(size)]
    for step in range(1, 6):
        gradient = random(size, dtype, step)
        for i in range(size):
            ref[i], ref_states[i] = SLOW[name](float(ref[i]), ref_states[i], float(gradient[i]), step, *numbers)
        OPTIMIZERS[name].update(weights, gradient, state, Step(step, 0.03, **read))
        np.testing.assert_array_equal(gradient, random(size, dtype, step))  # only read
    tolerance = 1e-13 if dtype == np.float64 else 2e-6
    assert weights.dtype == state.dtype == dtype
    np.testing.assert_allclose(weights, ref, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(state, np.array(ref_states).reshape(size, len(state)).T, rtol=tolerance, atol=tolerance)


# From w = 1 with gradients 1 and -.5, rate .1, momentum .5, decay .75, weight decay 0, and the smallest epsilon
EXAMPLES = {
    "sgd": (0.9, 0.95),
    "momentum": (0.9, 0.9),  # v = 1, then .5 - .5 = 0
    "nesterov": (0.85, 0.9),  # steps 1 + .5 * 1, and -.5 + .5 * 0
    # s = .25, then .75 * .25 + .25 * .25 = .25; means .25 / .25 = 1, .25 / (1 - .5625) = 4/7; second step -.5 / sqrt(4/7)
    "rmsprop": (0.9, 0.9 + 0.05 * math.sqrt(7 / 4)),
    # m = .5, then .25 - .25 = 0
    "adam": (0.9, 0.9),
    "adamw": (0.9, 0.9),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_worked_examples(name: str, dtype: type) -> None:
    weights, state = np.ones(1, dtype), fresh(name, 1, dtype)
    for step, gradient in enumerate((1.0, -0.5), 1):
        read = settings(name, 0.5, 0.75, epsilon=1e-30)
        OPTIMIZERS[name].update(weights, np.array([gradient], dtype), state, Step(step, 0.1, **read))
        assert weights[0] == pytest.approx(EXAMPLES[name][step - 1], rel=1e-14 if dtype == np.float64 else 1e-6)


def test_all_are_in_the_tables() -> None:
    assert set(SLOW) == set(EXAMPLES) == set(OPTIMIZERS)
    assert {name for optimizer in OPTIMIZERS.values() for name in optimizer.settings} == set(Step._fields[2:-1])
    assert all(default == getattr(Training(), name, default) for name, default in Step._field_defaults.items())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_settings_are_those_that_the_numbers_depend_on(name: str) -> None:
    step = Step(2, 0.1, weight_decay=0.2)
    changed = {
        key
        for key in Step._fields[2:-1]
        if OPTIMIZERS[name].numbers(step._replace(**{key: 0.5})) != OPTIMIZERS[name].numbers(step)
    }
    assert changed == set(OPTIMIZERS[name].settings)


def test_weight_decay_is_in_the_gradient_but_for_adamw() -> None:
    # Weights 2 and 4, g = 0, weight decay .5, rate .1: gradients 1 and 2. sgd: 2 - .1 and 4 - .2; rmsprop, adam: the first
    # step is .1 for any gradient; adamw: w (1 - .05)
    for name, expected in [("sgd", [1.9, 3.8]), ("rmsprop", [1.9, 3.9]), ("adam", [1.9, 3.9]), ("adamw", [1.9, 3.8])]:
        weights = np.array([2.0, 4.0])
        OPTIMIZERS[name].update(weights, np.zeros(2), fresh(name, 2, np.float64), Step(1, 0.1, weight_decay=0.5))
        np.testing.assert_allclose(weights, expected, rtol=1e-7)


# The papers' own forms, on f(w) = sum of c w^2 / 2


CURVATURES = np.array([1.0, 3.0, 10.0])


def test_momentum_is_the_heavy_ball() -> None:
    """Polyak: w(t+1) = w(t) - rate g(w(t)) + mu (w(t) - w(t-1))."""
    weights, state = np.ones(3), np.zeros((1, 3))
    old, now = np.ones(3), np.ones(3)
    for step in range(1, 30):
        OPTIMIZERS["momentum"].update(weights, CURVATURES * weights, state, Step(step, 0.02, momentum=0.7))
        old, now = now, now - 0.02 * CURVATURES * now + 0.7 * (now - old)
        np.testing.assert_allclose(weights, now, rtol=1e-12, atol=1e-14)


def test_nesterov_is_the_papers_at_the_point_ahead() -> None:
    """Sutskever et al. (3), (4): v = mu v - rate g(theta + mu v); theta += v. The weights are theta + mu v."""
    weights, state = np.ones(3), np.zeros((1, 3))
    theta, v = np.ones(3), np.zeros(3)
    for step in range(1, 30):
        OPTIMIZERS["nesterov"].update(weights, CURVATURES * weights, state, Step(step, 0.02, momentum=0.7))
        v = 0.7 * v - 0.02 * CURVATURES * (theta + 0.7 * v)
        theta = theta + v
        np.testing.assert_allclose(weights, theta + 0.7 * v, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(weights + 0.02 * 0.7 * state[0], theta, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["rmsprop", "adam", "adamw"])
def test_steps_as_long_as_the_rate_for_a_constant_gradient(name: str) -> None:
    """Kingma & Ba, section 2.1 and 3: corrected for their start, the means of a constant are the constant, at any scale."""
    weights, state = np.zeros(3), fresh(name, 3, np.float64)
    for step in range(1, 20):
        OPTIMIZERS[name].update(weights, np.array([1e-3, -1.0, 1e5]), state, Step(step, 0.01, epsilon=1e-12))
        np.testing.assert_allclose(weights, 0.01 * step * np.array([-1.0, 1.0, -1.0]), rtol=1e-8)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_converges_on_a_quadratic(name: str, dtype: type) -> None:
    curvatures = CURVATURES.astype(dtype)
    weights, state = np.array([1.0, -2.0, 0.5], dtype), fresh(name, 3, dtype)
    for step in range(1, 401):
        OPTIMIZERS[name].update(weights, curvatures * weights, state, Step(step, 0.05 * 0.985**step, **settings(name, 0.7, 0.9)))
    assert np.abs(weights).max() < 5e-2
    assert float(np.sum(curvatures * weights**2)) < 1e-3 * (1 + 3 * 4 + 10 * 0.25)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_restarted_from_its_state_is_bit_identical(name: str, dtype: type) -> None:
    def run(weights: np.ndarray, state: np.ndarray, first: int, last: int) -> None:
        for step in range(first, last):
            OPTIMIZERS[name].update(
                weights, random(67, dtype, step), state, Step(step, 0.01, **settings(name, 0.9, 0.99, weight_decay=0.1))
            )

    weights, state = random(67, dtype), fresh(name, 67, dtype)
    run(weights, state, 1, 5)
    saved, saved_state = weights.copy(), state.copy()
    run(weights, state, 5, 9)
    run(saved, saved_state, 5, 9)
    assert saved.tobytes() == weights.tobytes() and saved_state.tobytes() == state.tobytes()
    assert not np.array_equal(weights, random(67, dtype))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_nan_reaches_its_weight_and_no_other(name: str) -> None:
    weights, state = np.ones(3), fresh(name, 3, np.float64)
    OPTIMIZERS[name].update(weights, np.array([1.0, np.nan, 1.0]), state, Step(1, 0.1))
    assert np.isnan(weights).tolist() == [False, True, False]
    assert np.isnan(state).tolist() == [[False, True, False]] * len(state)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if OPTIMIZERS[name].n_states])
def test_no_denormal_numbers_stay_in_the_state(name: str, dtype: type) -> None:
    smallest = np.finfo(dtype).smallest_subnormal
    weights, state = np.ones(3, dtype), fresh(name, 3, dtype)
    state[:] = np.array([3, 4, 5], dtype) * smallest  # where a factor of .9 rounds to the same number again
    OPTIMIZERS[name].update(weights, np.zeros(3, dtype), state, Step(1, 0.1))
    np.testing.assert_array_equal(state, 0.0)
    np.testing.assert_array_equal(weights, 1.0)
    OPTIMIZERS[name].update(weights, np.full(3, TINY[dtype], dtype), state, Step(1, 0.1))
    np.testing.assert_array_equal(state, 0.0)
    np.testing.assert_array_equal(weights, 1.0)
    OPTIMIZERS[name].update(weights, np.full(3, SMALL[dtype], dtype), state, Step(1, 0.1))
    assert (state >= np.finfo(dtype).tiny).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["rmsprop", "adam", "adamw"])
def test_a_gradient_whose_square_vanishes_counts_as_zero(name: str, dtype: type) -> None:
    results = []
    for gradient in (0.0, TINY[dtype]):
        weights, state = np.zeros(3, dtype), fresh(name, 3, dtype)
        state[:] = 3 * TINY[dtype]
        OPTIMIZERS[name].update(weights, np.full(3, gradient, dtype), state, Step(1, 0.1))
        results.append(weights.tobytes() + state.tobytes())
    assert results[0] == results[1]
