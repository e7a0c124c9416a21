"""Real-time recurrent learning: the gradients of back-propagation through time, found forward in time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from messages import mentions
from recurrent import CELLS, POOL, SlowElman, batch, vector

from reservoir import LSTM, Elman, IndRNN
from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.indrnn import IndRNNCell
from reservoir.gradient.cells.lstm import LSTMCell
from reservoir.gradient.learners import Learner
from reservoir.gradient.network import Batch, Network, Weights, forward
from reservoir.gradient.real_time import learner as real_time
from reservoir.gradient.real_time import sensitivities as module
from reservoir.gradient.real_time.learner import RealTimeLearner
from reservoir.gradient.real_time.sensitivities import DiagonalSensitivities, FullSensitivities, sensitivities
from reservoir.gradient.symbols import Symbols
from reservoir.gradient.training import Training
from reservoir.validation import ParameterError

LENGTHS = [9, 6, 6, 2]


def gradient(kind: type[Learner], network: Network, data: Batch, loss: str = "squared_error") -> tuple[float, np.ndarray]:
    learner = kind(network, vector(network), Training(), loss, POOL)
    value, _ = learner.gradient([data], [None], 0, [None])
    return value, learner.rooms[0][1].vector


def compare(network: Network, data: Batch, loss: str = "squared_error") -> None:
    (ref_loss, ref), (comp_loss, comp) = (gradient(kind, network, data, loss) for kind in (Learner, RealTimeLearner))
    assert comp_loss == ref_loss
    assert np.abs(ref).min() < np.abs(ref).max()
    np.testing.assert_allclose(comp, ref, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("washout", [0, 3])
def test_gradients_are_those_of_backpropagation(cell: Cell, washout: int) -> None:
    network = Network((cell,), 2, 3)
    compare(network, batch(network, LENGTHS, washout))


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_two_layers(cell: Cell) -> None:
    network = Network((cell, cell), 2, 3)
    compare(network, batch(network, LENGTHS, 1))


@pytest.mark.parametrize("reading", ["last", "mean"])
@pytest.mark.parametrize("cells", [("lstm",), ("elman", "elman"), ("indrnn",)])
def test_one_output_per_sequence(cells: tuple[str, ...], reading: str) -> None:
    network = Network(tuple(CELLS[name] for name in cells), 2, 3, reading=reading)
    compare(network, batch(network, LENGTHS, 1))
    compare(network, batch(network, LENGTHS, 1, loss="cross_entropy"), "cross_entropy")


@pytest.mark.parametrize("cells", [("elman",), ("lstm", "lstm"), ("indrnn",)])
@pytest.mark.parametrize("extra", [{"layer_norm": True}, {"symbols": Symbols(4, 3)}, {"symbols": Symbols(4, None)},
                                   {"symbols": Symbols(4, 3), "layer_norm": True}, {"residual": True},
                                   {"symbols": Symbols(4, 3), "layer_norm": True, "residual": True}], ids=str)  # fmt: skip
def test_symbols_and_normalization(cells: tuple[str, ...], extra: dict[str, Any]) -> None:
    network = Network(tuple(CELLS[name] for name in cells), 1 if "symbols" in extra else 2, 3, **extra)
    compare(network, batch(network, LENGTHS, 1))


@pytest.mark.parametrize("lengths", [[1], [1, 1, 1], [7, 1], [33]])
@pytest.mark.parametrize(("n_inputs", "units", "n_outputs"), [(1, 1, 1), (0, 3, 2), (3, 7, 1)])
def test_odd_sizes(lengths: list[int], n_inputs: int, units: int, n_outputs: int) -> None:
    for cell in (ElmanCell(units), LSTMCell(units), IndRNNCell(units, "tanh")):
        network = Network((cell,), n_inputs, n_outputs)
        compare(network, batch(network, lengths))


def test_single_precision() -> None:
    network = Network((CELLS["elman"],), 2, 3)
    data = batch(network, LENGTHS)
    single = Batch(*(a.astype(np.float32) if isinstance(a, np.ndarray) and a.dtype == float else a for a in data))
    learner = RealTimeLearner(network, vector(network, dtype="float32"), Training(), "squared_error", POOL)
    learner.gradient([single], [None], 0, [None])
    assert learner.rooms[0][1].vector.dtype == np.float32
    np.testing.assert_allclose(learner.rooms[0][1].vector, gradient(Learner, network, data)[1], rtol=1e-4, atol=1e-4)


def test_sensitivities_of_the_simple_network() -> None:
    network = Network((ElmanCell(4),), 2, 3)
    data, weights = batch(network, [6]), Weights(network, vector(network))
    slow, run = SlowElman(network, weights.vector), forward(network, weights, data)
    comp = sensitivities(network, weights, 1)
    assert isinstance(comp, FullSensitivities)
    for t in range(6):
        outputs, _ = slow.step(data.inputs[t, 0])
        comp.forward_step(run, t)
        np.testing.assert_allclose(run.outputs[t, 0], outputs, rtol=1e-12)
        for k in range(4):
            found = comp.along(np.eye(4)[k : k + 1])
            np.testing.assert_allclose(found[0], slow.sensitivities[k, : found.size], rtol=1e-11, atol=1e-14)


def test_sensitivities_go_on_through_updates() -> None:
    """Gradient descent with an update every 3 steps of 8, the last piece being short; nothing starts anew."""
    network = Network((ElmanCell(4),), 2, 3)
    data, weights, rate = batch(network, [8], 1), vector(network), 0.05
    slow = SlowElman(network, weights.copy())
    total, scored = np.zeros(network.n_weights), 0
    for t in range(8):
        outputs, jacobian = slow.step(data.inputs[t, 0])
        if t >= 1:
            total += 2 * 0.3 * (outputs - data.targets[t, 0]) @ jacobian
            scored += 1
        if t in (2, 5, 7):
            slow.weights -= rate * total * 7 / scored  # the mean over the steps of the piece, of 7 in all
            total, scored = np.zeros(network.n_weights), 0
    settings = Training(optimizer="sgd", clip_norm=None, truncation=(3, 5))
    learner = RealTimeLearner(network, weights, settings, "squared_error", POOL)
    found = learner.batch([data], 0, rate, None, None)
    assert found.updates == 3
    np.testing.assert_allclose(weights, slow.weights, rtol=1e-11)


def test_what_is_forgotten_is_zero_and_not_a_denormal_number() -> None:
    """A state that falls tenfold at each step after the only input: .1^40 is below what is normal in float32."""
    network = Network((ElmanCell(2, "relu"),), 1, 1)
    weights = Weights(network, np.zeros(network.n_weights, np.float32))
    weights.arrays["layer0.forward.input_weights"][:] = 1.0
    weights.arrays["layer0.forward.recurrent_weights"][:] = 0.1 * np.eye(2)
    inputs = np.zeros((45, 1, 1), np.float32)
    inputs[0] = 1.0
    run = forward(network, weights, Batch(inputs, np.array([45]), np.empty(0), np.empty(0)))
    comp = sensitivities(network, weights, 1)
    for t in range(45):
        comp.forward_step(run, t)
        found = np.abs(comp.along(np.ones((1, 2), np.float32)))
        assert found.max() > 0.0
        assert found[found > 0.0].min() > 1e-37


def test_units_that_do_not_see_each_other_need_no_more_than_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    cell, norm = IndRNNCell(5, "tanh"), {"layer_norm": True}
    for cells, extra, diagonal in [
        ((cell,), {}, True), ((cell,), {"symbols": Symbols(4, None)}, True), ((cell, cell), {}, False), ((cell,), norm, False),
        ((cell,), {"symbols": Symbols(4, 2)}, False), ((ElmanCell(5),), {}, False),
    ]:  # fmt: skip
        network = Network(cells, 1, 3, **extra)
        comp = sensitivities(network, Weights(network, vector(network)), 2)
        assert isinstance(comp, DiagonalSensitivities if diagonal else FullSensitivities)
    network = Network((cell,), 2, 3)
    data = batch(network, LENGTHS, 1)
    comp = gradient(RealTimeLearner, network, data)[1].copy()
    monkeypatch.setattr(module, "is_diagonal", lambda network: False)
    np.testing.assert_allclose(comp, gradient(RealTimeLearner, network, data)[1], rtol=1e-11)


@pytest.mark.parametrize("kind", [Elman, LSTM, IndRNN])
def test_trains_as_backpropagation_does(kind: Any) -> None:
    """20 sequences of unequal lengths run as two chunks on two threads, in batches of 18 and 2."""
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal((n, 2)) for n in rng.integers(3, 9, 20)]
    targets = [np.cumsum(u, axis=0) for u in inputs]
    found = []
    for algorithm in ("bptt", "rtrl"):
        settings = Training(epochs=3, batch_size=18, algorithm=algorithm)
        model = kind(units=4, washout=1, training=settings, dtype="float64", random_state=0)
        found.append(model.fit(inputs, targets))
    ref, comp = found
    for a, b in zip(ref.history_, comp.history_, strict=True):
        assert b["loss"] == pytest.approx(a["loss"], rel=1e-9)
    np.testing.assert_allclose(comp.predict(inputs[0]), ref.predict(inputs[0]), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("algorithm", ["rtrl", "ekf", "ekf_decoupled"])
@pytest.mark.parametrize(("parameters", "words"), [
    ({"bidirectional": True}, "'bidirectional' False"),
    ({"dropout": 0.1}, "'dropout' 0"),
    ({"pooling": "attention"}, "'pooling' 'last' 'mean'"),
])  # fmt: skip
def test_what_it_cannot_do_is_refused(algorithm: str, parameters: dict[str, Any], words: str) -> None:
    model = Elman(**{"units": 3, **parameters}, training=Training(epochs=1, algorithm=algorithm))
    with pytest.raises(ParameterError, match=mentions(words)) as error:
        model.fit([np.ones((4, 1)), np.zeros((4, 1))], np.array([0.0, 1.0]))
    assert f"training.algorithm='{algorithm}'" in str(error.value)


@pytest.mark.parametrize(("kind", "algorithm", "numbers", "what"), [
    (Elman, "rtrl", 16 * 4 * 24, "sensitivities"),  # of 16 sequences, of 4 units to the 4 + 16 + 4 weights below the head
    (IndRNN, "ekf", 17 * 17, "covariance"),  # of 4 + 4 + 4 weights and 4 + 1 of the head, whose sensitivities are few
    (IndRNN, "ekf_decoupled", 4 * 3 * 3 + 5 * 5, "covariance"),
])  # fmt: skip
def test_what_takes_too_much_memory_is_refused(
    monkeypatch: pytest.MonkeyPatch, kind: Any, algorithm: str, numbers: int, what: str
) -> None:
    series = np.sin(np.arange(12.0))
    model = kind(units=4, training=Training(epochs=1, algorithm=algorithm), random_state=0)
    monkeypatch.setattr(real_time, "MOST_BYTES", 8 * numbers)
    model.fit(series)
    monkeypatch.setattr(real_time, "MOST_BYTES", 8 * numbers - 1)
    with pytest.raises(ParameterError, match=mentions(f"'units' {algorithm} {what}")):
        model.fit(series)


def test_attention_is_refused_only_where_it_is_read() -> None:
    series = np.sin(np.arange(12.0))
    Elman(units=2, pooling="attention", training=Training(epochs=1, algorithm="rtrl"), random_state=0).fit(series)
