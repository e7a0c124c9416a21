"""The weights of the estimators trained by gradient, and their number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
from trained_models import EVERY, MODELS, UNEQUAL, WAVE, close, model

PARAMETERS: dict[str, Callable[[int, int], int]] = {  # of inputs and units, without the head
    "elman": lambda i, h: h * (i + h + 1),
    "lstm": lambda i, h: 4 * h * (i + h + 1) + 3 * h,
    "gru": lambda i, h: 3 * h * (i + h + 1) + h,  # the reset after the product has a bias of its own
    "mgu": lambda i, h: 2 * h * (i + h + 1),
    "indrnn": lambda i, h: h * (i + 2),
}


@EVERY
@pytest.mark.parametrize(
    "parameters", [{}, {"layers": 2}, {"bidirectional": True}, {"layers": 3, "bidirectional": True}], ids=str
)
def test_number_of_parameters(name: str, parameters: dict[str, Any]) -> None:
    network = model(name, training__epochs=0, **parameters).fit(WAVE, WAVE[:, :1])
    directions, width, count = 1 + network.bidirectional, 2, 0
    for _ in range(network.layers):
        # the clockwork has modules of 2, 1 and 1 units, which read 4, 2 and 1
        own = PARAMETERS[name](width, 4) if name != "clockwork" else 4 * width + (2 * 4 + 2 + 1) + 4
        count, width = count + directions * own, 4 * directions
    assert network.n_parameters_ == count + width + 1
    weights = network.weights_  # where a clockwork has none, its matrix is zero
    assert network.n_parameters_ == sum(np.count_nonzero(w) if "recurrent_w" in n else w.size for n, w in weights.items())


def test_weights_are_copies_by_name() -> None:
    network = model("elman", layers=2, layer_norm=True, pooling="attention", training__epochs=0).fit(UNEQUAL, np.arange(4.0))
    names = [f"layer{i}.forward.{part}" for i in (0, 1) for part in ("input_weights", "recurrent_weights", "bias")]
    names += ["norm0.gain", "norm0.shift", "norm1.gain", "norm1.shift", "attention.weights", "attention.bias", "attention.score"]
    assert list(network.weights_) == [*names, "head.weights", "head.bias"]
    before = network.predict(UNEQUAL)
    network.weights_["head.bias"][:] = 99.0
    np.testing.assert_array_equal(network.predict(UNEQUAL), before)


def test_a_residual_layer_whose_weights_are_zero_passes_on_what_it_reads() -> None:
    network = model("lstm", layers=2, residual=True, training__epochs=0).fit(UNEQUAL, np.arange(4.0))
    one = model("lstm", training__epochs=0).fit(UNEQUAL, np.arange(4.0))
    views, known = network.network_.views(network._vector), one.network_.views(one._vector)
    for name, array in views.items():
        array[:] = 0.0 if name.startswith("layer1") else known[name]
    for comp, ref in zip(network.states(UNEQUAL), one.states(UNEQUAL), strict=True):
        np.testing.assert_array_equal(comp, ref)


@EVERY
def test_weights_are_read_as_to_from(name: str) -> None:
    parameters = {"bidirectional": True, "pooling": "attention", "symbols": "learned", "symbol_size": 3, "training__epochs": 0}
    shapes = {
        key: w.shape for key, w in model(name, **parameters).fit([np.array([0, 1, 6])] * 2, np.ones((2, 2))).weights_.items()
    }
    rows = 4 * {"lstm": 4, "gru": 3, "mgu": 2}.get(name, 1)
    for direction in ("forward", "backward"):
        assert shapes[f"layer0.{direction}.input_weights"] == (rows, 3)
        assert shapes[f"layer0.{direction}.recurrent_weights"] == ((4,) if name == "indrnn" else (rows, 4))
        assert shapes[f"layer0.{direction}.bias"] == (rows,)
    assert shapes["symbols"] == (3, 7) and shapes["head.weights"] == (2, 8) and shapes["attention.weights"] == (8, 8)
    if name == "lstm":
        assert shapes["layer0.forward.peepholes"] == (3, 4)


@pytest.mark.parametrize(("name", "periods"), [("elman", (1, 1, 1)), ("clockwork", (1, 2, 4))])
def test_the_states_are_those_of_the_weights_that_are_read(name: str, periods: tuple[int, ...]) -> None:
    network = model(name, activation="tanh", standardize=False, dtype="float64").fit(WAVE)
    w, u, b = (network.weights_[f"layer0.forward.{part}"] for part in ("input_weights", "recurrent_weights", "bias"))
    state = np.zeros(4)
    for t, (x, comp) in enumerate(zip(WAVE, network.states(WAVE), strict=True)):
        runs = np.repeat([t % period == 0 for period in periods], [2, 1, 1])
        state = np.where(runs, np.tanh(w @ x + u @ state + b), state)
        close(comp, state)


@EVERY
@pytest.mark.parametrize("parameters", [{}, {"layers": 2, "bidirectional": True, "layer_norm": True}], ids=str)
def test_sized(name: str, parameters: dict[str, Any]) -> None:
    least = 3 if name == "clockwork" else 1
    own = {**parameters, **({"periods": (1, 2, 4)} if name == "clockwork" else {})}
    kind = type(MODELS[name])
    counts = {}
    for units in range(least, 30):
        network = model(name, units=units, peepholes=False) if name == "lstm" else model(name, units=units)
        counts[units] = network.set_params(training__epochs=0, **parameters).fit(WAVE, WAVE[:, 0]).n_parameters_
    between = (counts[5] + counts[6]) // 2
    for budget in (1, 10, counts[least], counts[5] - 1, counts[5], between, between + 1, counts[20] + 2):
        comp = kind.sized(budget, 2, 1, **own)
        nearest = min(abs(count - budget) for count in counts.values())
        assert comp == min(units for units, count in counts.items() if abs(count - budget) == nearest)


def test_initial_weights() -> None:
    def drawn(**parameters: Any) -> dict[str, np.ndarray]:
        return model("lstm", units=30, training__epochs=0, dtype="float64", **parameters).fit(WAVE).weights_

    names = (
        "layer0.forward.input_weights",
        "layer0.forward.recurrent_weights",
        "layer0.forward.bias",
        "head.weights",
        "head.bias",
    )
    w, u, b, head, bias = (drawn()[name] for name in names)
    for array in (w, head):  # glorot: uniform, to the root of 6 / (rows + columns)
        limit = math.sqrt(6.0 / sum(array.shape))
        assert np.abs(array).max() <= limit and array.std() == pytest.approx(limit / math.sqrt(3.0), rel=0.15)
    for gate in np.split(u, 4):
        close(gate.T @ gate, np.eye(30))
    np.testing.assert_array_equal(b, np.repeat([0.0, 1.0, 0.0, 0.0], 30))  # the forget gate is open
    assert (bias == 0.0).all()
    w, u, b, head, _ = (drawn(input_init="normal", recurrent_init="normal", bias_init="normal", init_scale=0.3)[n] for n in names)
    for array in (w, u, b - np.repeat([0.0, 1.0, 0.0, 0.0], 30), head):
        assert array.std() == pytest.approx(0.3, rel=0.15) and abs(array.mean()) < 0.08
        assert scipy.stats.kstest(array.ravel() / 0.3, "norm").pvalue > 1e-3
    w, u, *_ = (drawn(input_init="uniform", recurrent_init="identity", init_scale=0.5)[name] for name in names)
    assert 0.45 < np.abs(w).max() <= 0.5
    np.testing.assert_array_equal(u, np.tile(0.5 * np.eye(30), (4, 1)))
    assert (drawn(input_init="zeros", recurrent_init="zeros")[names[0]] == 0.0).all()
    other = drawn(layer_norm=True, bias_init="normal", forget_bias=5.0)
    assert (other["norm0.gain"] == 1.0).all() and (other["norm0.shift"] == 0.0).all()
    assert other[names[2]][30:60].mean() == pytest.approx(5.0, abs=0.1)
    own = (
        model("indrnn", units=200, recurrent_bound=0.7, training__epochs=0).fit(WAVE).weights_["layer0.forward.recurrent_weights"]
    )
    assert 0.0 <= own.min() < 0.05 and 0.65 < own.max() <= 0.7
