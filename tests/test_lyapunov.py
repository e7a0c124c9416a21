"""The Lyapunov exponent of a driven reservoir."""

from __future__ import annotations

from typing import Any

import naive
import numpy as np
import pytest
from messages import mentions
from reservoirs import built, noise, own, slow

from reservoir import DataError
from reservoir.echo import diagnostics
from reservoir.kernels.activations import CODES
from reservoir.kernels.drive import scratch_for
from reservoir.kernels.lyapunov import tangent_growth


def random_matrix(units: int, seed: int, symmetric: bool = False) -> np.ndarray:
    matrix = np.random.default_rng(seed).normal(size=(units, units)) / np.sqrt(units)
    return (matrix + matrix.T) / 2.0 if symmetric else matrix


@pytest.mark.parametrize("leak", [1.0, 0.25, "per unit"])
def test_lyapunov_exponent_of_a_linear_reservoir_is_the_log_of_its_radius(leak: Any) -> None:
    leak = np.linspace(0.5, 1.0, 9).tolist() if leak == "per unit" else leak
    matrix = random_matrix(9, 3, symmetric=True)
    matrix *= 0.8 / np.abs(np.linalg.eigvalsh(matrix)).max()
    reservoir = own(matrix, activation="identity", leak_rate=leak)
    a = np.diag(reservoir.leak)
    ref = np.log(np.abs(np.linalg.eigvals(np.eye(9) - a + a @ matrix)).max())
    # Real eigenvalues: once the washout has left the leading direction alone, every step grows alike.
    assert diagnostics.lyapunov_exponent(reservoir, noise(2000), washout=1000).exponent == pytest.approx(ref, rel=1e-9)


def test_lyapunov_exponent_with_complex_eigenvalues() -> None:
    reservoir = built(activation="identity", spectral_radius=0.9, units=30, bias_scaling=0.0)
    assert diagnostics.lyapunov_exponent(reservoir, noise(20_000)).exponent == pytest.approx(np.log(0.9), abs=1e-3)


def test_lyapunov_exponent_of_a_reservoir_without_memory_is_minus_infinity() -> None:
    found = diagnostics.lyapunov_exponent(built(spectral_radius=0.0), noise(200))
    assert (found.exponent, found.error, found.verdict) == (-np.inf, 0.0, "forgets")


@pytest.mark.parametrize("activation", list(CODES))
def test_tangent_against_finite_differences(activation: str) -> None:
    reservoir = built(2, units=6, density=0.5, activation=activation, leak_rate=np.linspace(0.3, 1.0, 6).tolist())
    network, inputs = slow(reservoir), noise(7, channels=2)
    state = np.random.default_rng(2).uniform(-0.5, 0.5, 6)
    ref = tangent = np.random.default_rng(3).normal(size=6)
    x, h, logs = state, 1e-6, []
    for u in inputs:
        jacobian = np.empty((6, 6))
        for k in range(6):
            shift = h * np.eye(6)[k]
            ahead, behind = (naive.step(network, start, u, np.zeros(0)) for start in (x + shift, x - shift))
            jacobian[:, k] = (ahead - behind) / (2 * h)
        x = naive.step(network, x, u, np.zeros(0))
        before = np.linalg.norm(ref)
        ref = jacobian @ ref
        logs.append(np.log(np.linalg.norm(ref) / before))
    comp_state, comp, growth = state.copy(), tangent / np.linalg.norm(tangent), np.empty(7)
    tangent_growth(
        reservoir.weights, inputs, comp_state, comp, growth, scratch_for(reservoir.weights), scratch_for(reservoir.weights)
    )
    np.testing.assert_allclose(comp_state, x, rtol=1e-12)
    np.testing.assert_allclose(growth, logs, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(comp, ref / np.linalg.norm(ref), rtol=1e-6, atol=1e-8)


def test_lyapunov_exponent_leaves_out_the_washout_and_needs_steps_after_it() -> None:
    reservoir, inputs = built(), noise(60)
    growth = np.empty(60)
    tangent = np.random.default_rng(0).standard_normal(12)
    start, scratch = reservoir.initial_state.copy(), [scratch_for(reservoir.weights) for _ in range(2)]
    tangent_growth(reservoir.weights, inputs, start, tangent / np.linalg.norm(tangent), growth, *scratch)
    assert diagnostics.lyapunov_exponent(reservoir, inputs, washout=40).exponent == pytest.approx(growth[40:].mean(), rel=1e-12)
    error = growth[40:].reshape(10, 2).mean(axis=1).std(ddof=1) / np.sqrt(10)  # parts of two steps at least
    assert diagnostics.lyapunov_exponent(reservoir, inputs, washout=40).error == pytest.approx(error, rel=1e-9)
    assert diagnostics.lyapunov_exponent(reservoir, inputs, washout=57).error == np.inf
    with pytest.raises(DataError, match=mentions("60 washout")):
        diagnostics.lyapunov_exponent(reservoir, inputs, washout=60)


def test_lyapunov_exponent_changes_sign_where_the_echo_state_property_is_lost() -> None:
    quiet = {"units": 100, "density": 0.1, "input_scaling": 0.0, "bias_scaling": 0.0, "initial_state": "random"}
    calm, wild = (built(**quiet, spectral_radius=radius) for radius in (0.8, 3.0))
    forgets, chaotic = (diagnostics.lyapunov_exponent(reservoir, noise(1000)) for reservoir in (calm, wild))
    assert (forgets.exponent < -0.1, forgets.verdict) == (True, "forgets")
    assert (chaotic.exponent > 0.1, chaotic.verdict) == (True, "chaotic")


def test_a_standard_error_is_the_scatter_over_records() -> None:
    reservoir = built(units=30, density=0.2, spectral_radius=1.2)
    found = [
        diagnostics.lyapunov_exponent(reservoir, np.random.default_rng(seed).uniform(-1, 1, (1000, 1))) for seed in range(40)
    ]
    assert np.std([one.exponent for one in found]) == pytest.approx(np.mean([one.error for one in found]), rel=0.4)


def test_an_exponent_near_zero_is_measured_for_longer_or_undecided() -> None:
    """x(t) = exp(-.001) x(t-1) forgets by e^-2 in 2,000 steps, so that 20 starts still differ; a radius of 1 never does."""
    slow_unit = own(np.array([[np.exp(-0.001)]]), activation="identity", input_scaling=0.0)
    found = diagnostics.measure_reservoir(slow_unit)
    assert found["lyapunov_exponent"] == pytest.approx(-0.001, rel=1e-6)
    assert (found["lyapunov_verdict"], found["echo_state_index"]) == ("forgets", 1)
    assert found["lyapunov_steps"] == 16_000 - 100  # e^-10 takes 10,000
    short = diagnostics.lyapunov_exponent(slow_unit, noise(2000))
    assert (short.exponent, short.verdict) == (pytest.approx(-0.001, rel=1e-6), "undecided")
    edge = own(np.array([[1.0]]), activation="identity", input_scaling=0.0)
    with np.errstate(all="ignore"):
        found = diagnostics.measure_reservoir(edge)
    assert (found["lyapunov_verdict"], found["echo_state_index"]) == ("undecided", 20)
    assert found["lyapunov_steps"] >= 2**16 - 100
    given = diagnostics.measure_reservoir(slow_unit, inputs=noise(2000))
    assert (given["lyapunov_verdict"], given["lyapunov_steps"]) == ("undecided", 1900)
