"""Training by the extended Kalman filter, against recursive least squares and the filter's equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
from recurrent import CELLS, POOL, SlowElman, batch, vector

from reservoir.echo.readouts.least_squares import Blocks
from reservoir.echo.readouts.online import RecursiveLeastSquares
from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.clockwork import ClockworkCell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.network import Batch, Network, Weights, backward, forward
from reservoir.gradient.real_time.kalman import Covariance, KalmanLearner, node_groups
from reservoir.gradient.symbols import Symbols
from reservoir.gradient.training import Training

RNG = np.random.default_rng(5)


def learner(network: Network, weights: np.ndarray, loss: str = "squared_error", **settings: Any) -> KalmanLearner:
    defaults = {"algorithm": "ekf", "kalman_covariance": 2.0, "kalman_process": 0.0, "learning_rate": 0.5}
    return KalmanLearner(network, weights, Training(**{**defaults, **settings}), loss, POOL)


def dense(covariance: Covariance) -> np.ndarray:
    """P as one matrix, zero between the blocks."""
    size, start = len(covariance.order), 0
    found = np.zeros((size, size))
    for a, b in zip(covariance.borders, covariance.borders[1:], strict=False):
        group = covariance.order[a:b]
        found[np.ix_(group, group)] = covariance.blocks[start : start + (b - a) ** 2].reshape(b - a, b - a)
        start += (b - a) ** 2
    return found


def output_gradients(network: Network, weights: np.ndarray, data: Batch) -> tuple[np.ndarray, np.ndarray]:
    """All outputs, flat, and their derivatives by back-propagation, one pass for each."""
    bound, room = Weights(network, weights), Weights(network, np.empty_like(weights))
    shape = forward(network, bound, data).outputs.shape
    rows = []
    for index in range(int(np.prod(shape))):
        run = forward(network, bound, data)
        one = np.zeros(shape)
        one.flat[index] = 1.0
        backward(network, bound, room, run, one)
        rows.append(room.vector.copy())
    return forward(network, bound, data).outputs.ravel(), np.array(rows)


def slow_update(weights: np.ndarray, p: np.ndarray, jacobian: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The filter's equations, with unit noise."""
    a = np.linalg.inv(np.eye(len(error)) + jacobian @ p @ jacobian.T)
    gain = p @ jacobian.T @ a
    return weights + gain @ error, p - gain @ jacobian @ p


# the covariance


@pytest.mark.parametrize("decoupled", [False, True])
def test_a_linear_model_is_recursive_least_squares(decoupled: bool) -> None:
    """Two outputs that share nothing but their features: P has a block for each, with or without zeros in between."""
    features, targets = RNG.standard_normal((40, 5)), RNG.standard_normal((40, 2))
    ref = RecursiveLeastSquares(ridge=0.01).fit(Blocks.of(features, targets, bias=False))
    groups = [np.arange(0, 10, 2), np.arange(1, 10, 2)]  # weights lie as (features, outputs)
    covariance = Covariance(groups if decoupled else [np.arange(10)], 100.0)
    weights = np.zeros(10)
    for z, d in zip(features, targets, strict=True):
        jacobian = np.kron(z, np.eye(2))
        covariance.update(weights, jacobian, d - jacobian @ weights, 0.0)
    np.testing.assert_allclose(weights.reshape(5, 2), ref.coefficients_.T, rtol=1e-10)
    for output in range(2):
        np.testing.assert_allclose(dense(covariance)[output::2, output::2], ref.inverse_, rtol=1e-8, atol=1e-14)


def test_measurements_at_once_are_measurements_one_after_the_other() -> None:
    jacobian, targets, start = RNG.standard_normal((7, 9)), RNG.standard_normal(7), RNG.standard_normal(9)
    together, single = Covariance([np.arange(9)], 3.0), Covariance([np.arange(9)], 3.0)
    comp, ref = start.copy(), start.copy()
    together.update(comp, jacobian, targets - jacobian @ start, 0.0)
    for row, target in zip(jacobian, targets, strict=True):
        single.update(ref, row[None], np.array([target - row @ ref]), 0.0)
    np.testing.assert_allclose(comp, ref, rtol=1e-11)
    np.testing.assert_allclose(together.blocks, single.blocks, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("sizes", [[6], [1, 3, 2], [1, 1, 1, 1, 1, 1]])
@pytest.mark.parametrize("rows", [1, 4, 17])
def test_an_update_is_the_equations(sizes: list[int], rows: int) -> None:
    """Of blocks too: K takes the blocks alone, A all of them."""
    groups = np.split(RNG.permutation(6), np.cumsum(sizes)[:-1])
    covariance = Covariance(groups, 0.7)
    same = np.array([[any({i, j} <= set(group) for group in groups) for j in range(6)] for i in range(6)])
    comp = RNG.standard_normal(6)
    ref, p = comp.copy(), 0.7 * np.eye(6)
    for _ in range(3):
        jacobian, error = RNG.standard_normal((rows, 6)), RNG.standard_normal(rows)
        covariance.update(comp, jacobian, error, 0.01)
        ref, p = slow_update(ref, p, jacobian, error)
        p = np.where(same, p, 0.0) + 0.01 * np.eye(6)
    np.testing.assert_allclose(comp, ref, rtol=1e-10)
    np.testing.assert_allclose(dense(covariance), p, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("variance", [1.0, 1e10])
def test_the_covariance_stays_symmetric_and_positive(variance: float) -> None:
    """Many measurements, most of them along one direction, without process noise."""
    covariance, weights = Covariance([np.arange(12), np.arange(12, 15)], variance), np.zeros(15)
    along = RNG.standard_normal(15)
    for _ in range(500):
        covariance.update(weights, along + 1e-3 * RNG.standard_normal((2, 15)), RNG.standard_normal(2), 0.0)
    found = dense(covariance)
    np.testing.assert_array_equal(found, found.T)
    assert np.linalg.eigvalsh(found).min() > 0.0


# groups


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_every_weight_has_one_node(cell: Cell) -> None:
    for extra in ({}, {"layer_norm": True, "symbols": Symbols(3, 2)}):
        network = Network((cell, cell), 1, 2, **extra)
        groups = node_groups(network)
        np.testing.assert_array_equal(np.sort(np.concatenate(groups)), np.arange(network.n_weights))
        assert len(groups) == 2 * cell.units + 2 + (3 + 2 * cell.units if extra else 0)


@pytest.mark.parametrize("name", ["elman", "lstm peepholes", "gru after", "indrnn", "clockwork"])
def test_the_weights_of_a_unit_lead_to_it(name: str) -> None:
    """One step from a random state: other weights of a unit change its own state, and all of them do so, but no other."""
    network = Network((CELLS[name],), 2, 2)
    weights, units = vector(network), CELLS[name].units
    data, state = batch(network, [1]), network.initial_state(1, "float64")
    state[0][:] = RNG.uniform(0.5, 1.0, state[0].shape)
    before = forward(network, Weights(network, weights), data, state).tapes[0][0].states[:, 1, 0].copy()
    for unit, group in enumerate(node_groups(network)[:units]):
        for index in group:
            other = weights.copy()
            other[index] += 0.3
            after = forward(network, Weights(network, other), data, state).tapes[0][0].states[:, 1, 0]
            changed = (after != before).any(axis=0)
            assert not np.delete(changed, unit).any()
            assert changed[unit] or name == "indrnn"  # whose unit may be silent
    top = forward(network, Weights(network, weights), data, state).outputs[0, 0]
    for output, group in enumerate(node_groups(network)[units:]):
        other = weights.copy()
        other[group] += 0.3
        changed = forward(network, Weights(network, other), data, state).outputs[0, 0] != top
        np.testing.assert_array_equal(changed, np.arange(2) == output)


# the learner


@pytest.mark.parametrize("algorithm", ["ekf", "ekf_decoupled"])
@pytest.mark.parametrize(("cell", "reading"), [(ElmanCell(3), "step"), (CELLS["lstm"], "step"), (CELLS["indrnn tanh"], "mean"),
                                               (ClockworkCell(4, (1, 2)), "last")])  # fmt: skip
def test_sequences_in_one_update(cell: Cell, reading: str, algorithm: str) -> None:
    """All outputs of a batch of unequal lengths together, in two chunks, so that nothing changes on the way."""
    network = Network((cell,), 2, 2, reading=reading)
    chunks = [batch(network, [6, 4, 4], 1, seed=1), batch(network, [5, 2], 1, seed=2)]
    if reading == "step":
        chunks[0].loss_weights[3, 1] = 0.0
    ref = comp = vector(network)
    model = learner(network, comp, algorithm=algorithm, truncation=None if reading != "step" else (6, 6), kalman_process=0.1)
    rows, errors = [], []
    for chunk in chunks:
        outputs, jacobian = output_gradients(network, ref, chunk)
        scored = np.repeat(chunk.loss_weights.ravel() > 0, 2)
        rows.append(jacobian[scored])
        errors.append((chunk.targets.ravel() - outputs)[scored])
    start = 2.0 * np.eye(network.n_weights)
    ref, p = slow_update(ref, start, np.concatenate(rows), np.concatenate(errors))
    gradient = -2.0 * 0.3 * np.concatenate(errors) @ np.concatenate(rows)
    found = model.batch(chunks, 0, 0.25, None, None)  # half of learning_rate, as a schedule may have it
    assert (found.updates, found.steps) == (1, 21)
    assert found.norm == pytest.approx(np.linalg.norm(gradient), rel=1e-9)
    np.testing.assert_allclose(comp, ref, rtol=1e-9, atol=1e-11)
    if algorithm == "ekf_decoupled":
        same = np.zeros_like(p, dtype=bool)
        for group in node_groups(network):
            same[np.ix_(group, group)] = True
        p = np.where(same, p, 0.0)
    np.testing.assert_allclose(dense(model.covariance), p + 0.05 * np.eye(len(p)), rtol=1e-9, atol=1e-11)


def test_an_update_at_every_step() -> None:
    """Of the simple network, the weights changing under the sensitivities; two chunks, the first step is not scored."""
    network = Network((ElmanCell(3),), 2, 2)
    chunks, comp = [batch(network, [6], 1, seed=1), batch(network, [3], 1, seed=2)], vector(network)
    ref, p = comp.copy(), 2.0 * np.eye(network.n_weights)
    slow = [SlowElman(network, ref) for _ in chunks]
    for t in range(6):
        running = [(model, data) for model, data in zip(slow, chunks, strict=True) if t < data.lengths[0]]
        found = [(*model.step(data.inputs[t, 0]), data.targets[t, 0]) for model, data in running]
        if t > 0:
            errors = np.concatenate([target - outputs for outputs, _, target in found])
            ref[:], p = slow_update(ref, p, np.concatenate([jacobian for _, jacobian, _ in found]), errors)
            p += 0.1 * np.eye(len(p))
    model = learner(network, comp, kalman_process=0.1)
    assert model.batch(chunks, 0, 0.5, None, None).updates == 5
    np.testing.assert_allclose(comp, ref, rtol=1e-10)
    np.testing.assert_allclose(dense(model.covariance), p, rtol=1e-9, atol=1e-12)


def test_an_update_every_two_steps() -> None:
    network = Network((ElmanCell(3),), 2, 2)
    data, comp = batch(network, [5]), vector(network)
    slow, p = SlowElman(network, comp.copy()), 2.0 * np.eye(network.n_weights)
    for piece in ((0, 1), (2, 3), (4,)):
        found = [slow.step(data.inputs[t, 0]) for t in piece]
        errors = np.concatenate([data.targets[t, 0] - outputs for t, (outputs, _) in zip(piece, found, strict=True)])
        slow.weights, p = slow_update(slow.weights, p, np.concatenate([jacobian for _, jacobian in found]), errors)
    learner(network, comp, truncation=(2, 4)).batch([data], 0, 0.5, None, None)
    np.testing.assert_allclose(comp, slow.weights, rtol=1e-10)


def test_cross_entropy_measures_with_the_noise_of_a_draw() -> None:
    """The information form: 1/P grows by H' (diag(p) - p p') H, and w by the new P times the gradient."""
    network = Network((ElmanCell(3),), 2, 3)
    data, comp = batch(network, [4, 3], loss="cross_entropy"), vector(network)
    logits, jacobian = output_gradients(network, comp, data)
    rows, classes = jacobian.reshape(-1, 3, network.n_weights), data.targets.reshape(-1, 3)
    information, gradient = np.eye(network.n_weights) / 2.0, np.zeros(network.n_weights)
    for h, z, d, weight in zip(rows, logits.reshape(-1, 3), classes, data.loss_weights.ravel(), strict=True):
        if weight > 0:
            share = scipy.special.softmax(z)
            information += h.T @ (np.diag(share) - np.outer(share, share)) @ h
            gradient += h.T @ (d - share)
    p = np.linalg.inv(information)
    ref = comp + p @ gradient
    model = learner(network, comp, "cross_entropy", truncation=(4, 4))
    model.batch([data], 0, 0.5, None, None)
    np.testing.assert_allclose(comp, ref, rtol=1e-9)
    np.testing.assert_allclose(dense(model.covariance), p, rtol=1e-8, atol=1e-11)


def test_certain_and_wrong_is_no_overflow() -> None:
    network = Network((ElmanCell(2),), 1, 2)
    comp = vector(network)
    network.views(comp)["head.bias"][:] = [900.0, -900.0]
    data = batch(network, [3], loss="cross_entropy")
    data.targets[:] = [0.0, 1.0]
    learner(network, comp, "cross_entropy").batch([data], 0, 0.5, None, None)
    assert np.isfinite(comp).all()
