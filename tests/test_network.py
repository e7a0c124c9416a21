"""Networks over any cell: every gradient against central differences, padding, and the parts against slow twins."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from network_runs import CELLS, OUTPUTS, READINGS, Case, close, table

from reservoir.gradient.layers import Steps
from reservoir.gradient.losses import LOSSES
from reservoir.gradient.network import Batch, ForwardPass, Network, Weights, backward, forward, loss_and_gradient

FIRST = 3  # steps before those of the batch: a state is carried over
TOLERANCE = 1e-6
TABLE = table()


class Problem:
    """A loss of everything that there is a gradient for: weights, inputs and initial state, and of the final state too."""

    def __init__(self, case: Case, seed: int) -> None:
        generator = np.random.default_rng(seed)
        self.case, self.network, self.batch = case, case.network(), case.batch(generator)
        self.weights = Weights(self.network, generator.normal(0.0, 0.7, self.network.n_weights))
        shapes = [part.shape for part in self.network.initial_state(len(self.batch.lengths), np.float64)]
        self.state, self.ends = ([generator.normal(0.0, 0.5, shape) for shape in shapes] for _ in range(2))
        self.arrays = {**self.weights.arrays, "inputs": self.batch.inputs, **numbered("state", self.state)}

    def run(self) -> ForwardPass:
        return forward(self.network, self.weights, self.batch, self.state, FIRST, np.random.default_rng(5))

    def output_loss(self, run: ForwardPass) -> tuple[float, np.ndarray]:
        rows = run.outputs.reshape(-1, OUTPUTS)
        weights = self.batch.loss_weights.reshape(-1)
        return LOSSES[self.case.loss](rows, self.batch.targets.reshape(rows.shape), weights)

    def loss(self) -> float:
        run = self.run()
        final = run.state_after(*self.batch.inputs.shape[:2])
        return self.output_loss(run)[0] + sum(float((a * b).sum()) for a, b in zip(self.ends, final, strict=True))

    def gradients(self) -> dict[str, np.ndarray]:
        """By the names of `arrays`."""
        run, found, state = self.run(), Weights(self.network, np.full(self.network.n_weights, np.nan)), copied(self.ends)
        outputs = self.output_loss(run)[1].reshape(run.outputs.shape)
        inputs = backward(self.network, self.weights, found, run, outputs, state, to_inputs=True)
        return {**found.arrays, **numbered("state", state), **({} if self.network.symbols else {"inputs": inputs})}

    def slope(self, name: str, direction: np.ndarray, order: int) -> float:
        """The derivative of the loss along a direction of an array, by central differences."""
        array = self.arrays[name]
        before, h, losses = array.copy(), 1e-5, []
        for factor in (1, -1, 2, -2)[:order]:
            array[:] = before + factor * h * direction
            losses.append(self.loss())
        array[:] = before
        one, two = losses[0] - losses[1], losses[-2] - losses[-1]
        return one / (2.0 * h) if order == 2 else (8.0 * one - two) / (12.0 * h)


def copied(arrays: list[np.ndarray]) -> list[np.ndarray]:
    return [array.copy() for array in arrays]


def numbered(name: str, arrays: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{name}{index}": array for index, array in enumerate(arrays)}


def numerical_error(problem: Problem, name: str, gradient: np.ndarray, generator: np.random.Generator) -> float:
    """The norm of a gradient's error relative to the gradient, estimated along a direction half its own and half random."""
    assert np.isfinite(gradient).all()
    size, random = float(np.linalg.norm(gradient)), generator.normal(size=gradient.shape)
    direction = gradient / max(size, 1e-300) + random / max(float(np.linalg.norm(random)), 1e-300)
    along = float((gradient * direction).sum())
    for order in (2, 4):  # the second is seldom needed
        error = math.sqrt(gradient.size) * abs(problem.slope(name, direction, order) - along) / max(size, 1e-3)
        if error <= TOLERANCE:
            break
    return error


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("reading", READINGS)
def test_gradients_against_central_differences(cell: str, reading: str) -> None:
    generator = np.random.default_rng(1)
    for index, case in enumerate(TABLE):
        if (case.cell, case.reading) == (cell, reading):
            problem = Problem(case, index)
            for name, gradient in problem.gradients().items():
                error = numerical_error(problem, name, gradient, generator)
                assert error <= TOLERANCE, f"{case}: {name} is off by {error:.1e}"


@pytest.mark.parametrize("cell", list(CELLS))
def test_loss_and_gradient(cell: str) -> None:
    for index, case in enumerate(TABLE):
        if case.cell == cell and case.layers == 2:
            problem = Problem(case, index)
            problem.state[:], problem.ends[:] = ([0.0 * part for part in parts] for parts in (problem.state, problem.ends))
            found = Weights(problem.network, np.full(problem.network.n_weights, np.nan))
            masks = np.random.default_rng(5)
            value, _ = loss_and_gradient(problem.network, problem.weights, found, problem.batch, case.loss, None, FIRST, masks)
            assert value == problem.loss()
            for name, gradient in problem.gradients().items():
                if name in found.arrays:
                    np.testing.assert_array_equal(found.arrays[name], gradient)


# Padding, order and pieces


def found_by(network: Network, weights: Weights, batch: Batch, loss: str) -> tuple[np.ndarray, float, np.ndarray]:
    """Outputs where there are any, the loss and its gradient."""
    gradients = Weights(network, np.full(network.n_weights, np.nan))
    value, run = loss_and_gradient(network, weights, gradients, batch, loss)
    outputs = run.outputs[run.steps.valid] if network.reading == "step" else run.outputs
    return outputs.copy(), value, gradients.vector


def without_dropout(cell: str) -> list[tuple[Case, Network, Weights, Batch]]:
    cases = [replace(case, dropout="") for case in TABLE if case.cell == cell and case.layers != 2]
    problems = [Problem(case, index) for index, case in enumerate(cases)]
    return [(p.case, p.network, p.weights, p.batch) for p in problems]


@pytest.mark.parametrize("cell", list(CELLS))
def test_padding_further_changes_nothing(cell: str) -> None:
    for case, network, weights, batch in without_dropout(cell):
        outputs, loss, gradient = found_by(network, weights, batch, case.loss)
        more = np.full((4, *batch.inputs.shape[1:]), 3.0)  # what is there must not matter
        inputs = np.concatenate([batch.inputs, more])
        inputs[~Steps(batch.lengths, len(inputs)).valid] = 3.0
        targets, rows = batch.targets, batch.loss_weights
        if network.reading == "step":
            targets = np.concatenate([targets, np.full((4, *targets.shape[1:]), np.nan)])
            rows = np.concatenate([rows, np.zeros((4, rows.shape[1]))])
        comp = found_by(network, weights, batch._replace(inputs=inputs, targets=targets, loss_weights=rows), case.loss)
        close(comp[0], outputs)
        close(comp[1], loss)
        close(comp[2], gradient)


@pytest.mark.parametrize("cell", list(CELLS))
def test_a_sequence_alone_is_what_it_is_in_a_batch(cell: str) -> None:
    for case, network, weights, batch in without_dropout(cell):
        outputs, loss, gradient = found_by(network, weights, batch, case.loss)
        parts = []
        for b, length in enumerate(batch.lengths):
            cut = np.s_[:length, b : b + 1] if network.reading == "step" else np.s_[b : b + 1]
            inputs, targets, rows = batch.inputs[:length, b : b + 1], batch.targets[cut], batch.loss_weights[cut]
            alone = Batch(np.ascontiguousarray(inputs), batch.lengths[b : b + 1], targets, rows, batch.washout)
            parts.append(found_by(network, weights, alone, case.loss))
        close(sum(part[1] for part in parts), loss)
        close(sum(part[2] for part in parts), gradient)
        alone_outputs = np.concatenate([part[0] for part in parts])
        if network.reading == "step":
            found = np.zeros((*batch.inputs.shape[:2], OUTPUTS))
            found[Steps(batch.lengths, len(found)).valid] = outputs
            outputs = np.concatenate([found[:length, b] for b, length in enumerate(batch.lengths)])
        close(alone_outputs, outputs)


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("border", [1, 2, 4])
def test_a_run_in_pieces_is_the_whole_run(cell: str, border: int) -> None:
    for _, network, weights, batch in without_dropout(cell):
        if network.reading == "step" and not network.bidirectional:
            ref = forward(network, weights, batch)
            whole, final = ref.outputs.copy(), copied(ref.state_after(5, 3))
            left = int((batch.lengths > border).sum())
            one = forward(network, weights, Batch(batch.inputs[:border], np.minimum(batch.lengths, border), *[np.empty(0)] * 2))
            close(one.outputs, whole[:border])
            second = Batch(batch.inputs[border:, :left], batch.lengths[:left] - border, *[np.empty(0)] * 2)
            two = forward(network, weights, second, one.state_after(border, left), border)
            close(two.outputs, whole[border:, :left])
            for comp, state in zip(two.state_after(5 - border, left), final, strict=True):
                close(comp, state[:, :, :left])


def test_steps() -> None:
    steps = Steps(np.array([3, 2, 2]), 4)
    np.testing.assert_array_equal(steps.active, [3, 3, 1, 0])
    np.testing.assert_array_equal(steps.valid[:, 1], [True, True, False, False])
    x = np.arange(12).reshape(4, 3, 1)  # in columns 0 3 6 9, 1 4 7 10, 2 5 8 11
    np.testing.assert_array_equal(steps.reverse(x)[:, :, 0].T, [[6, 3, 0, 9], [4, 1, 7, 10], [5, 2, 8, 11]])
    np.testing.assert_array_equal(Steps(np.array([4, 4]), 4).active, [2, 2, 2, 2])
