"""Networks over any cell: every gradient against central differences, padding, and the parts against slow twins."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from reservoir import DataError
from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.clockwork import ClockworkCell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.gru import GRUCell
from reservoir.gradient.cells.indrnn import IndRNNCell
from reservoir.gradient.cells.lstm import LSTMCell
from reservoir.gradient.cells.mgu import MGUCell
from reservoir.gradient.layers import Attention, Normalization, Steps, dropout_mask
from reservoir.gradient.losses import LOSSES, loss_weights
from reservoir.gradient.network import Batch, ForwardPass, Network, Weights, backward, forward, loss_and_gradient
from reservoir.gradient.symbols import Symbols

CELLS: dict[str, Cell] = {
    "elman": ElmanCell(3),
    "elman relu": ElmanCell(3, "relu"),
    "lstm": LSTMCell(3),
    "lstm peepholes": LSTMCell(3, peepholes=True),
    "gru before": GRUCell(3, "before"),
    "gru after": GRUCell(3, "after"),
    "mgu": MGUCell(3),
    "indrnn": IndRNNCell(3, "relu", 1.0),
    "indrnn tanh": IndRNNCell(3, "tanh", 1.0),
    "clockwork": ClockworkCell(4, (1, 2, 3)),
    "clockwork sigmoid": ClockworkCell(3, (2, 3), "sigmoid"),
}
READINGS = ("step", "last", "mean", "attention")
LENGTHS = {"equal": [5, 5, 5], "unequal": [5, 3, 1]}
FIRST = 3  # steps before those of the batch: a state is carried over
OUTPUTS = 2
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Case:
    """A network, a batch, and what its loss is made of."""

    cell: str
    layers: int
    bidirectional: bool
    lengths: str
    reading: str
    loss: str
    layer_norm: bool
    symbols: str
    dropout: str
    washout: int

    def network(self) -> Network:
        symbols = {"numbers": None, "one-hot": Symbols(4, None), "learned": Symbols(4, 3)}[self.symbols]
        return Network(
            (CELLS[self.cell],) * self.layers, 1 if symbols else 2, OUTPUTS, self.bidirectional, self.reading, symbols,
            self.layer_norm, 0.3 if self.dropout else 0.0, self.dropout or "step",
        )  # fmt: skip

    def batch(self, generator: np.random.Generator) -> Batch:
        lengths = np.array(LENGTHS[self.lengths])
        shape = (lengths[0], len(lengths))
        washout = 0 if self.lengths == "unequal" and self.reading in ("mean", "attention") else self.washout
        inputs = generator.normal(size=(*shape, 2)) if self.symbols == "numbers" else generator.integers(0, 4, (*shape, 1)) * 1.0
        inputs[~Steps(lengths, shape[0]).valid] = 0.0
        per_step = self.reading == "step"
        targets = generator.normal(size=((*shape, OUTPUTS) if per_step else (shape[1], OUTPUTS)))
        if self.loss == "cross_entropy":
            targets = np.eye(OUTPUTS)[targets[..., 0].astype(int) % OUTPUTS]
        return Batch(inputs, lengths, targets, loss_weights(lengths, per_step=per_step, washout=washout), washout)


def table() -> list[Case]:
    """Every cell with every number of layers, direction, length and reading; the rest in random combination."""
    generator = np.random.default_rng(0)
    every = itertools.product(CELLS, (1, 2, 3), (False, True), LENGTHS, READINGS)
    rest: list[tuple[Any, ...]] = [
        ("squared_error", "cross_entropy"),
        (False, True),
        ("numbers", "one-hot", "learned"),
        ("", "step", "sequence"),
        (0, 2),
    ]
    return [Case(*case, *(options[generator.integers(len(options))] for options in rest)) for case in every]


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


def close(comp: Any, ref: Any) -> None:
    np.testing.assert_allclose(comp, ref, rtol=1e-12, atol=1e-12)


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


# Parts against slow twins


RNG = np.random.default_rng(0)


def naive_norm(x: np.ndarray, gain: np.ndarray, shift: np.ndarray) -> np.ndarray:
    out = np.empty_like(x)
    for where in np.ndindex(x.shape[:-1]):
        row = [float(value) for value in x[where]]
        mean = sum(row) / len(row)
        variance = sum((value - mean) ** 2 for value in row) / len(row)
        for j, value in enumerate(row):
            out[(*where, j)] = (value - mean) / math.sqrt(variance + 1e-5) * gain[j] + shift[j]
    return out


def naive_attention(x: np.ndarray, scored: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """(B, H): of each sequence the mean of its scored steps, weighted by exp(v tanh(x W + b))."""
    rows = []
    for b in range(x.shape[1]):
        steps = [x[t, b] for t in range(len(x)) if scored[t, b]]
        hidden = [np.tanh(arrays["attention.weights"].T @ h + arrays["attention.bias"]) for h in steps]
        shares = [math.exp(float(arrays["attention.score"] @ h)) for h in hidden]
        rows.append(sum(share * h for share, h in zip(shares, steps, strict=True)) / sum(shares))
    return np.array(rows)


def naive_elman(x: np.ndarray, arrays: dict[str, np.ndarray], prefix: str) -> np.ndarray:
    """The states (T, H) of a sequence (T, I)."""
    h, states = np.zeros(arrays[f"{prefix}.bias"].shape), []
    for u in x:
        h = np.tanh(u @ arrays[f"{prefix}.input_weights"] + h @ arrays[f"{prefix}.recurrent_weights"] + arrays[f"{prefix}.bias"])
        states.append(h)
    return np.array(states)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("symbols", [None, Symbols(5, None), Symbols(5, 3)])
def test_a_network_of_elman_cells(reading: str, bidirectional: bool, layer_norm: bool, symbols: Symbols | None) -> None:
    network = Network((ElmanCell(3), ElmanCell(4)), 1 if symbols else 2, 2, bidirectional, reading, symbols, layer_norm)
    weights = Weights(network, RNG.normal(0.0, 0.7, network.n_weights))
    arrays, lengths, washout = weights.arrays, np.array([6, 4, 3]), 2
    inputs = RNG.integers(0, 5, (6, 3, 1)) * 1.0 if symbols else RNG.normal(size=(6, 3, 2))
    comp = forward(network, weights, Batch(inputs, lengths, np.empty(0), np.empty(0), washout)).outputs
    for b, length in enumerate(lengths):
        x = inputs[:length, b]
        if symbols:
            table = np.eye(5) if symbols.size is None else arrays["symbols"]
            x = np.array([table[int(value)] for value in x[:, 0]])
        for layer in ("0", "1"):
            parts = [naive_elman(x, arrays, f"layer{layer}.forward")]
            if bidirectional:
                parts.append(naive_elman(x[::-1], arrays, f"layer{layer}.backward")[::-1])
            last = np.concatenate([parts[0][-1], *(part[0] for part in parts[1:])])
            x = np.concatenate(parts, axis=1)
            if layer_norm:  # at the ends of both directions the whole row is normalized
                x = naive_norm(x, arrays[f"norm{layer}.gain"], arrays[f"norm{layer}.shift"])
                last = np.concatenate([x[-1, : len(parts[0][0])], *(x[0, len(parts[0][0]) :] for _ in parts[1:])])
        if reading == "attention":
            read = naive_attention(x[:, None], np.arange(length)[:, None] >= washout, arrays)[0]
        else:
            read = {"step": x, "last": last, "mean": x[washout:].mean(axis=0)}[reading]
        ref = read @ arrays["head.weights"] + arrays["head.bias"]
        close(comp[:length, b] if reading == "step" else comp[b], ref)


def test_normalization() -> None:
    part, x = Normalization("norm", 4), RNG.normal(3.0, 2.0, (5, 2, 4))
    arrays = {"norm.gain": RNG.normal(size=4), "norm.shift": RNG.normal(size=4)}
    comp, _ = part.forward(arrays, x)
    close(comp, naive_norm(x, arrays["norm.gain"], arrays["norm.shift"]))
    # mean 2, variance 2/3: 1 / sqrt(2/3) = 1.22474487, less by 1e-5 / (2 * 2/3) of it
    plain = {"norm.gain": np.ones(3), "norm.shift": np.zeros(3)}
    comp, _ = Normalization("norm", 3).forward(plain, np.array([[[1.0, 2.0, 3.0]]]))
    np.testing.assert_allclose(comp, [[[-1.22474487 * (1 - 7.5e-6), 0.0, 1.22474487 * (1 - 7.5e-6)]]], rtol=1e-8)
    comp, _ = Normalization("norm", 3).forward(plain, np.full((1, 1, 3), 7.0))
    np.testing.assert_array_equal(comp, np.zeros((1, 1, 3)))  # nothing to tell apart


def test_attention_weights_sum_to_one() -> None:
    part, x = Attention(3), RNG.normal(size=(6, 4, 3))
    arrays = {name: 5.0 * RNG.normal(size=shape) for name, shape in part.shapes().items()}
    scored = Steps(np.array([6, 5, 3, 1]), 6).valid
    comp, (_, _, share) = part.forward(arrays, x, scored)
    close(share.sum(axis=0), np.ones(4))
    assert (share[~scored] == 0.0).all() and (share[scored] > 0.0).all()
    close(comp, naive_attention(x, scored, arrays))
    # a score far beyond what exp can take
    comp, (_, _, share) = part.forward({**arrays, "attention.score": np.full(3, 1e4)}, x, scored)
    close(share.sum(axis=0), np.ones(4))
    assert np.isfinite(comp).all()


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("same", [False, True])
def test_dropout_masks(rate: float, same: bool) -> None:
    mask = dropout_mask((50, 40, 100), rate, same, np.random.default_rng(0), np.dtype(np.float64))
    assert mask.shape == ((1 if same else 50), 40, 100)
    kept = 1.0 / (1.0 - rate)
    assert set(np.unique(mask)) == {0.0, kept}
    assert (mask > 0.0).mean() == pytest.approx(1.0 - rate, abs=4.0 * math.sqrt(rate * (1.0 - rate) / mask.size))
    across = np.corrcoef(mask.reshape(-1, 100)[:, :20].T)[np.triu_indices(20, 1)]
    assert np.abs(across).max() < 5.0 / math.sqrt(mask.size / 100)  # units are independent


def masked_run(network: Network, batch: Batch, seed: int) -> ForwardPass:
    weights = Weights(network, np.random.default_rng(1).normal(0.0, 0.5, network.n_weights))
    return forward(network, weights, batch, generator=np.random.default_rng(seed))


@pytest.mark.parametrize("same", ["step", "sequence"])
def test_dropout_in_a_network(same: str) -> None:
    network = Network((ElmanCell(30), ElmanCell(200)), 1, 1, dropout=0.4, dropout_mask=same)
    batch = Batch(np.ones((25, 4, 1)), np.full(4, 25), np.empty(0), np.empty(0))
    run = masked_run(network, batch, 3)
    assert [mask.shape[1:] for mask in run.masks] == [(4, 30), (4, 200)]
    zeros = run.top == 0.0
    assert zeros.mean() == pytest.approx(0.4, abs=0.07)
    assert (zeros == zeros[0]).all() == (same == "sequence")
    for seed, equal in ((3, True), (4, False)):
        comp = masked_run(network, batch, seed).outputs
        assert (comp == run.outputs).all() == equal
    # fewer sequences have the masks that they had among more, in every layer
    fewer = masked_run(network, batch._replace(inputs=batch.inputs[:, :2], lengths=batch.lengths[:2]), 3)
    for comp, ref in zip(fewer.masks, run.masks, strict=True):
        np.testing.assert_array_equal(comp[:1], ref[:1, :2])
    plain = forward(network, Weights(network, np.zeros(network.n_weights)), batch)
    assert not plain.masks  # none where there is no source: in prediction


def test_weights_that_may_only_be_read_are_copied() -> None:
    network = Network((ElmanCell(3),), 1, 1)
    vector = np.random.default_rng(1).normal(size=network.n_weights)
    assert Weights(network, vector).vector is vector
    ref = vector.copy()
    vector.flags.writeable = False
    comp = Weights(network, vector)
    np.testing.assert_array_equal(comp.vector, ref)
    for array in (comp.vector, *comp.arrays.values(), comp.bound[0][0].recurrent_weights):
        assert array.flags.writeable and not np.shares_memory(array, vector)


@pytest.mark.parametrize("value", [-1.0, 4.0, 0.5, 1e30])
@pytest.mark.parametrize("size", [None, 3])
def test_unknown_symbols(value: float, size: int | None) -> None:
    symbols, x = Symbols(4, size), np.array([[[1.0]], [[value]]])
    with pytest.raises(DataError, match=re.escape(f"symbols must be integers in [0, 3]. Got {value:g} instead")):
        symbols.forward({"symbols": np.zeros((4, 3))}, x)


def test_names_and_sizes() -> None:
    network = Network((LSTMCell(5, peepholes=True), LSTMCell(4)), 3, 2, True, "attention", None, True)
    layers = {"layer0": 2 * (3 * 20 + 5 * 20 + 20 + 15), "layer1": 2 * (10 * 16 + 4 * 16 + 16)}
    sizes = {**layers, "norm0": 20, "norm1": 16, "attention": 8 * 8 + 8 + 8, "head": 8 * 2 + 2}
    vector = np.arange(network.n_weights)
    views = network.views(vector)
    for prefix, size in sizes.items():
        assert sum(array.size for name, array in views.items() if name.partition(".")[0] == prefix) == size
    assert network.n_weights == sum(sizes.values())
    np.testing.assert_array_equal(np.concatenate([array.ravel() for array in views.values()]), vector)
    assert all(np.shares_memory(array, vector) for array in views.values() if array.size)
