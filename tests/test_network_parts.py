"""The parts of a network against slow twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from messages import mentions
from network_runs import READINGS, close

from reservoir import DataError
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.lstm import LSTMCell
from reservoir.gradient.layers import Attention, Normalization, Steps, dropout_mask
from reservoir.gradient.network import Batch, ForwardPass, Network, Weights, forward
from reservoir.gradient.symbols import Symbols

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


@pytest.mark.parametrize("layer_norm", [False, True])
def test_a_residual_network_adds_what_each_layer_reads_to_its_output(layer_norm: bool) -> None:
    network = Network((ElmanCell(3),) * 3, 2, 2, layer_norm=layer_norm, residual=True)
    weights = Weights(network, RNG.normal(0.0, 0.7, network.n_weights))
    arrays, inputs = weights.arrays, RNG.normal(size=(6, 1, 2))
    comp, x = forward(network, weights, Batch(inputs, np.array([6]), np.empty(0), np.empty(0))), inputs[:, 0]
    for layer in range(3):
        output = naive_elman(x, arrays, f"layer{layer}.forward")
        if layer_norm:
            output = naive_norm(output, arrays[f"norm{layer}.gain"], arrays[f"norm{layer}.shift"])
        x = output + (x if layer > 0 else 0.0)  # the input of the network has another width
    close(comp.top[:, 0], x)
    close(comp.outputs[:, 0], x @ arrays["head.weights"] + arrays["head.bias"])


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
    with pytest.raises(DataError, match=mentions(f"symbols [0, 3] {value:g}")):
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
