"""Diagnostics of reservoirs against closed forms and slow computations of their own."""

from __future__ import annotations

from typing import Any

import naive
import numpy as np
import pytest
from messages import mentions
from reservoirs import built, dense, noise, own, slow

from reservoir import ESN, DataError
from reservoir.echo import diagnostics
from reservoir.echo.reservoir import Reservoir

# Norms and bounds


@pytest.mark.parametrize("topology", ["diagonals", "random", "dense", "cycle_jumps", "delay_line", "orthogonal"])
@pytest.mark.parametrize("limit", [1000, 10])
def test_largest_singular_value(monkeypatch: pytest.MonkeyPatch, topology: str, limit: int) -> None:
    monkeypatch.setattr(diagnostics, "DENSE_LIMIT", limit)
    reservoir = built(units=33, topology=topology)
    ref = np.linalg.svd(dense(reservoir), compute_uv=False)[0]
    assert diagnostics.largest_singular_value(reservoir) == pytest.approx(ref, rel=1e-9)


def test_largest_singular_value_above_the_dense_limit() -> None:
    reservoir = built(units=diagnostics.DENSE_LIMIT + 7, density=0.005)
    ref = np.linalg.norm(dense(reservoir), 2)
    assert diagnostics.largest_singular_value(reservoir) == pytest.approx(ref, rel=1e-9)


@pytest.mark.parametrize("leak", [1.0, 0.3, "per unit"])
def test_leaky_bound(leak: Any) -> None:
    leak = np.linspace(0.1, 1.0, 12).tolist() if leak == "per unit" else leak
    reservoir = built(leak_rate=leak, spectral_radius=1.7)
    a = np.diag(reservoir.leak)
    ref = np.abs(np.linalg.eigvals(np.eye(12) - a + a @ np.abs(dense(reservoir)))).max()
    assert diagnostics.leaky_bound(reservoir) == pytest.approx(ref, rel=1e-9)
    signed = np.abs(np.linalg.eigvals(np.eye(12) - a + a @ dense(reservoir))).max()
    assert abs(ref - signed) > 0.01  # so that the absolute values matter


# Echo state index


def index(reservoir: Reservoir, inputs: np.ndarray, starts: int = 20) -> int:
    return diagnostics.echo_state_index(reservoir, inputs, np.random.default_rng(0), starts)


def test_a_contracting_reservoir_has_echo_state_index_one() -> None:
    reservoir = built(spectral_radius=0.5)
    assert index(reservoir, noise(300)) == 1
    assert index(reservoir, noise(2)) == 20  # nothing has washed out yet


def test_echo_state_index_tells_states_apart_down_to_its_tolerance() -> None:
    # x(t) = x(t-1) / 2: the distance of two starts is d / 2^t after t steps.
    reservoir = own(np.array([[0.5]]), activation="identity", input_scaling=0.0)
    first, second = np.random.default_rng(0).uniform(-1.0, 1.0, 2)
    steps = int(np.ceil(np.log2(abs(first - second) / 1e-6)))
    assert index(reservoir, noise(steps - 1), starts=2) == 2
    assert index(reservoir, noise(steps), starts=2) == 1


def test_echo_state_index_counts_the_fixed_points() -> None:
    # x(t) = tanh(2 x(t-1)) has one stable fixed point on either side of 0; two such units have four pairs of them.
    assert index(own(np.array([[2.0]]), input_scaling=0.0), noise(300)) == 2
    assert index(own(np.diag([2.0, 2.0]), input_scaling=0.0), noise(300)) == 4


def test_a_chaotic_reservoir_ends_everywhere() -> None:
    reservoir = built(units=100, density=0.1, spectral_radius=3.0, input_scaling=0.0, bias_scaling=0.0)
    assert index(reservoir, noise(500), starts=11) == 11


def test_a_strong_input_restores_the_echo_state_property() -> None:
    matrix = np.array([[1.2]])
    assert index(own(matrix, input_scaling=0.01), noise(500)) == 2
    assert index(own(matrix, input_scaling=5.0), noise(500)) == 1


# Ranks


def test_final_states_in_batches_and_from_given_states() -> None:
    reservoir = built(2)
    inputs, starts = np.random.default_rng(4).normal(size=(5, 1500, 2)), np.random.default_rng(5).uniform(size=(5, 12))
    ref = [naive.drive(slow(reservoir)._replace(start=start), u)[-1] for u, start in zip(inputs, starts, strict=True)]
    # 1,500 steps: two sequences a batch, the last batch has one; 5,000 steps go in two parts.
    long = np.random.default_rng(6).normal(size=(1, 5000, 2))
    np.testing.assert_allclose(
        diagnostics.final_states(reservoir, long)[0], naive.drive(slow(reservoir), long[0])[-1], atol=1e-12
    )
    np.testing.assert_allclose(diagnostics.final_states(reservoir, inputs, starts.copy()), ref, atol=1e-12)
    ref = [naive.drive(slow(reservoir), u)[-1] for u in inputs[:1]]
    np.testing.assert_allclose(diagnostics.final_states(reservoir, inputs[:1]), ref, atol=1e-12)


def test_numerical_rank() -> None:
    assert diagnostics.numerical_rank(np.diag([1.0, 0.02, 0.005])) == 2
    assert diagnostics.numerical_rank(np.diag([100.0, 2.0, 0.5])) == 2  # relative to the largest
    assert diagnostics.numerical_rank(np.diag([1.0, 0.02, 0.005]), tolerance=0.1) == 1
    assert diagnostics.numerical_rank(np.zeros((3, 3))) == 0
    assert diagnostics.numerical_rank(np.zeros((0, 3))) == 0


def delay_line(units: int) -> Reservoir:
    """Unit i holds the input of i steps ago."""
    return own(np.eye(units, k=-1), activation="identity", input_weights=np.eye(units)[0].tolist())


@pytest.mark.parametrize("steps", [50, 3])
def test_kernel_rank_against_its_definition(steps: int) -> None:
    reservoir = built(2, units=7)
    generator = np.random.default_rng(6)
    ends = []
    for u in generator.uniform(-1.0, 1.0, (7, steps, 2)):
        ends.append(naive.drive(slow(reservoir), u)[-1])
    values = np.sqrt(np.linalg.eigvalsh(np.transpose(ends) @ np.array(ends)))
    ref = sum(values > 0.01 * values.max())
    assert diagnostics.kernel_rank(reservoir, np.random.default_rng(6), steps) == ref


def test_ranks_of_a_delay_line() -> None:
    reservoir = delay_line(8)
    # Eight different inputs of the last eight steps; of the first three steps alone, five units still hold 0.
    assert diagnostics.kernel_rank(reservoir, np.random.default_rng(0), steps=20) == 8
    assert diagnostics.kernel_rank(reservoir, np.random.default_rng(0), steps=3) == 3
    # The last three inputs agree: one direction for all of them, and five that differ.
    assert diagnostics.generalization_rank(reservoir, np.random.default_rng(0), steps=20, same=3) == 6
    assert diagnostics.generalization_rank(reservoir, np.random.default_rng(0), steps=20, same=8) == 1


def test_generalization_rank_falls_as_more_steps_agree() -> None:
    reservoir = built(units=50, density=0.1, spectral_radius=0.9)
    ranks = [diagnostics.generalization_rank(reservoir, np.random.default_rng(0), same=same) for same in (1, 3, 40)]
    assert diagnostics.kernel_rank(reservoir, np.random.default_rng(0)) >= ranks[0] > ranks[1] > ranks[2] == 1


# Memory


def test_memory_curve_of_a_delay_line() -> None:
    # The line holds u(t), ..., u(t - 7), and u(t) is in the readout's reach anyway: lags 1 to 7 come back, no other.
    curve = diagnostics.memory_curve(delay_line(8), np.random.default_rng(0), lags=12, rows=4000)
    np.testing.assert_allclose(curve[:7], 1.0, atol=1e-9)
    assert curve[7:].max() < 0.01


def test_the_linear_memory_capacity_of_an_orthogonal_reservoir_is_its_units() -> None:
    reservoir = built(units=20, topology="orthogonal", activation="identity", bias_scaling=0.0, spectral_radius=0.8)
    curve = diagnostics.memory_curve(reservoir, np.random.default_rng(0))
    assert curve.shape == (40,)
    assert curve.sum() == pytest.approx(20.0, abs=0.1)


def test_memory_curve_against_least_squares() -> None:
    reservoir = built(2, units=5, density=0.6)
    lags, train, test = 6, 300, 300
    washout = lags + 100
    inputs = np.random.default_rng(7).uniform(-0.8, 0.8, washout + train + test)
    fed = np.stack([inputs, np.zeros_like(inputs)], axis=1)  # the memory of the first channel
    states = naive.drive(slow(reservoir), fed)
    rows = np.column_stack([np.ones(len(inputs)), inputs, states])[washout:]
    ref = []
    for lag in range(1, lags + 1):
        target = inputs[washout - lag : len(inputs) - lag]
        weights = np.linalg.lstsq(rows[:train], target[:train], rcond=None)[0]
        ref.append(np.corrcoef(rows[train:] @ weights, target[train:])[0, 1] ** 2)
    comp = diagnostics.memory_curve(reservoir, np.random.default_rng(7), lags, rows=train)
    np.testing.assert_allclose(comp, ref, rtol=1e-6)


# Connections, and all at once


def test_degrees() -> None:
    matrix = np.array([[0.5, 0.0, 0.0, 1.0], [2.0, 0.0, 3.0, -1.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.1]])
    found = diagnostics.degrees(own(matrix))
    assert found == {
        "connections": 6,
        "density": 6 / 16,
        "self_connections": 2,
        "in_degree": (0, 1.5, 3),  # rows: 2, 3, 0, 1
        "out_degree": (0, 1.5, 3),  # columns: 2, 0, 1, 3
    }
    lopsided = diagnostics.degrees(own(np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])))
    assert lopsided["in_degree"] == lopsided["out_degree"] == (1, 5 / 3, 3)
    assert lopsided["self_connections"] == 1
    assert diagnostics.degrees(own(np.diag([-1.0, 0.0, 0.5, -2.0])))["self_connections"] == 3
    fan = diagnostics.degrees(own(np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])))
    assert fan["in_degree"] == (0, 2 / 3, 2)
    assert fan["out_degree"] == (0, 2 / 3, 1)


def test_diagonals_have_the_same_degree_everywhere() -> None:
    found = diagnostics.degrees(built(units=30, density=0.1))
    assert found["in_degree"] == found["out_degree"] == (3, 3.0, 3)
    assert found["connections"] == 90


def test_inspect_reports_each_diagnostic_and_repeats() -> None:
    reservoir = built(spectral_radius=0.8)
    found = diagnostics.measure_reservoir(reservoir, seed=3, steps=500)
    assert found["units"] == 12
    assert found["spectral_radius"] == pytest.approx(0.8, rel=1e-9)
    assert found["largest_singular_value"] == diagnostics.largest_singular_value(reservoir)
    assert found["leaky_bound"] == diagnostics.leaky_bound(reservoir)
    assert found["echo_state_index"] == 1
    assert found["memory_capacity"] == pytest.approx(found["memory_curve"].sum())
    assert found["memory_curve"].shape == (24,)
    assert found["connections"] == diagnostics.degrees(reservoir)["connections"]
    assert 0 < found["generalization_rank"] < found["kernel_rank"] <= 12
    again, other = (diagnostics.measure_reservoir(reservoir, seed=seed, steps=500) for seed in (3, 4))
    assert again["lyapunov_exponent"] == found["lyapunov_exponent"] != other["lyapunov_exponent"]
    np.testing.assert_array_equal(again["memory_curve"], found["memory_curve"])


def test_inspect_drives_the_reservoir_with_what_it_is_given() -> None:
    reservoir, wave = built(), np.sin(0.3 * np.arange(400))
    found = diagnostics.measure_reservoir(reservoir, inputs=wave)
    assert found["lyapunov_exponent"] == diagnostics.lyapunov_exponent(reservoir, wave[:, None], washout=100).exponent
    with pytest.raises(DataError, match=mentions("NaN 5")):
        diagnostics.measure_reservoir(reservoir, inputs=np.where(np.arange(400) == 5, np.nan, wave))


def test_feedback_channels_are_silent() -> None:
    plain, fed_back = (ESN(units=20, density=0.2, feedback_scaling=f, random_state=0).build(1).reservoir_ for f in (0.0, 0.7))
    inputs = noise(300)
    ref, comp = (diagnostics.measure_reservoir(reservoir, 0, inputs=inputs) for reservoir in (plain, fed_back))
    for name in ("echo_state_index", "lyapunov_exponent", "memory_capacity"):
        assert comp[name] == pytest.approx(ref[name], rel=1e-9)


def test_singular_value_of_a_large_empty_matrix() -> None:
    assert diagnostics.largest_singular_value(ESN(units=1001, spectral_radius=0.0, random_state=0).build(1).reservoir_) == 0.0


@pytest.mark.parametrize("topology", ["cycle", "delay_line", "permutation", "orthogonal"])
def test_largest_singular_value_of_large_matrices_without_a_largest_one(topology: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "DENSE_LIMIT", 10)
    reservoir = ESN(units=60, topology=topology, spectral_radius=0.7, random_state=0).build(1).reservoir_
    matrix = reservoir.recurrent_weights()
    dense = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
    assert diagnostics.largest_singular_value(reservoir) == pytest.approx(np.linalg.norm(dense, 2), rel=1e-9)
