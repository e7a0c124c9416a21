"""The estimators trained by gradient: every form of data in and out, forecasts, sizes, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats

from reservoir import GRU, LSTM, MGU, ClockworkRNN, DataError, DivergenceError, Elman, IndRNN, ParameterError, Ridge, Training
from reservoir.base.estimator import clone
from reservoir.gradient import prediction
from reservoir.gradient.parameters import DEFAULT_TRAINING
from reservoir.gradient.recurrent import RecurrentEstimator

RNG = np.random.default_rng(0)
T = np.arange(60)
WAVE = np.stack([np.sin(0.3 * T), 5.0 + np.cos(0.21 * T)], axis=1) + 0.02 * RNG.normal(size=(60, 2))
UNEQUAL = [WAVE[:20], WAVE[20:21], WAVE[21:51], WAVE[51:]]
SHORT = Training(epochs=3, batch_size=2)
MODELS: dict[str, RecurrentEstimator] = {
    "elman": Elman(4, training=SHORT, random_state=0),
    "lstm": LSTM(4, training=SHORT, random_state=0, peepholes=True),
    "gru": GRU(4, training=SHORT, random_state=0),
    "mgu": MGU(4, training=SHORT, random_state=0),
    "indrnn": IndRNN(4, training=SHORT, random_state=0),
    "clockwork": ClockworkRNN(4, training=SHORT, random_state=0, periods=(1, 2, 4)),
}
EVERY = pytest.mark.parametrize("name", list(MODELS))


def model(name: str, **parameters: Any) -> Any:
    return clone(MODELS[name]).set_params(**parameters)


def close(comp: Any, ref: Any, tolerance: float = 1e-10) -> None:
    np.testing.assert_allclose(comp, ref, rtol=tolerance, atol=tolerance)


# Every form of data


def labels(u: np.ndarray) -> np.ndarray:
    return np.where(u[:, 0] > 0.0, "up", "down")


FORMS: dict[str, tuple[Any, Any, Any]] = {  # inputs, targets, shape of the predictions
    "flat": (WAVE[:, 0], WAVE[:, 1], (60,)),
    "flat list": (WAVE[:, 0].tolist(), WAVE[:, 1].tolist(), (60,)),
    "one column": (WAVE[:, :1], WAVE[:, 1:], (60, 1)),
    "two columns": (WAVE, WAVE[:, ::-1], (60, 2)),
    "one step": (WAVE[:1], WAVE[:1], (1, 2)),
    "no input": (np.empty((60, 0)), WAVE, (60, 2)),
    "many": (UNEQUAL, [u[:, :1] for u in UNEQUAL], [(20, 1), (1, 1), (30, 1), (9, 1)]),
    "many flat": ([u[:, 0] for u in UNEQUAL], [u[:, 1] for u in UNEQUAL], [(20,), (1,), (30,), (9,)]),
    "array": (WAVE.reshape(4, 15, 2), WAVE.reshape(4, 15, 2), [(15, 2)] * 4),
    "next step": (WAVE, None, (60, 2)),
    "values": (UNEQUAL, [1.0, 2.0, 0.5, 3.0], (4,)),
    "vectors": (UNEQUAL, RNG.normal(size=(4, 3)), (4, 3)),
    "values of an array": (WAVE.reshape(4, 15, 2), np.arange(4.0), (4,)),
    "one value": ([WAVE], [3.0], (1,)),
    "integers": (np.arange(60) % 7, np.arange(60) % 5, (60,)),
    "booleans": (WAVE[:, 0] > 0.0, WAVE[:, 1] > 5.0, (60,)),
}


@EVERY
@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers(name: str, form: str, dtype: str) -> None:
    inputs, targets, shape = FORMS[form]
    network = model(name, dtype=dtype)
    assert network.fit(inputs, targets) is network
    predictions = network.predict(inputs)
    shapes = [y.shape for y in predictions] if isinstance(predictions, list) else predictions.shape
    assert shapes == shape
    assert all(np.isfinite(y).all() and y.dtype == np.float64 for y in predictions)
    assert network.weights_["head.weights"].dtype == dtype
    assert [record["epoch"] for record in network.history_] == [0, 1, 2]
    if targets is not None:
        assert network.score(inputs, targets) <= 1.0 or form in ("one step", "one value")


@EVERY
@pytest.mark.parametrize("pooling", ["last", "mean", "attention"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_labels_of_sequences(name: str, pooling: str, bidirectional: bool) -> None:
    targets = ["b", "a", "b", "c"]
    network = model(name, loss="cross_entropy", pooling=pooling, bidirectional=bidirectional).fit(UNEQUAL, targets)
    assert network.classes_.tolist() == ["a", "b", "c"] and network.n_outputs_ == 3
    comp, shares = network.predict(UNEQUAL), network.predict_proba(UNEQUAL)
    assert comp.shape == (4,) and set(comp) <= {"a", "b", "c"} and shares.shape == (4, 3)
    close(shares.sum(axis=1), 1.0)
    np.testing.assert_array_equal(network.classes_[shares.argmax(axis=1)], comp)
    assert network.score(UNEQUAL, targets) == np.mean(comp == np.array(targets))
    for index, u in enumerate(UNEQUAL):  # in the user's order, each as if it were alone
        close(network.predict_proba([u])[0], shares[index], 1e-5)


@EVERY
def test_labels_of_steps(name: str) -> None:
    network = model(name, loss="cross_entropy", washout=2).fit(WAVE, labels(WAVE))
    comp, shares = network.predict(WAVE), network.predict_proba(WAVE)
    assert comp.shape == (60,) and comp.dtype.kind == "U" and shares.shape == (60, 2)
    assert network.score(WAVE, labels(WAVE)) == np.mean((comp == labels(WAVE))[2:])
    many = [WAVE[:20], WAVE[20:]]
    network.fit(many, [labels(u) for u in many])
    assert [y.shape for y in network.predict_proba(many)] == [(20, 2), (40, 2)]


def test_probabilities_are_those_of_the_weights() -> None:
    network = model("elman", loss="cross_entropy", dtype="float64").fit(WAVE, labels(WAVE))
    logits = network.states(WAVE) @ network.weights_["head.weights"].T + network.weights_["head.bias"]
    close(network.predict_proba(WAVE), scipy.special.softmax(logits, axis=1))
    for loss in ("squared_error", "cross_entropy"):
        assert hasattr(model("elman", loss=loss), "predict_proba") == (loss == "cross_entropy")
    with pytest.raises(AttributeError, match=r"predict_proba needs loss='cross_entropy'. Got 'squared_error' instead"):
        _ = model("elman").predict_proba


@EVERY
def test_score(name: str) -> None:
    network = model(name, washout=4).fit(WAVE, WAVE[:, 0])
    error = np.square(network.predict(WAVE) - WAVE[:, 0])[4:].mean()
    assert network.score(WAVE, WAVE[:, 0]) == pytest.approx(1.0 - error / WAVE[4:, 0].var(), rel=1e-9)
    network.fit(UNEQUAL, [1.0, 2.0, 0.5, 3.0])
    error = np.square(network.predict(UNEQUAL) - [1.0, 2.0, 0.5, 3.0]).mean()
    assert network.score(UNEQUAL, [1.0, 2.0, 0.5, 3.0]) == pytest.approx(1.0 - error / np.var([1.0, 2.0, 0.5, 3.0]), rel=1e-9)


@EVERY
@pytest.mark.parametrize("kind", ["one-hot", "learned"])
def test_symbols(name: str, kind: str) -> None:
    codes = RNG.integers(0, 5, 50)
    codes[7] = 4
    network = model(name, symbols=kind, symbol_size=3, loss="cross_entropy", dtype="float64").fit(codes[:-1], codes[1:])
    assert network.predict(codes).shape == (50,)
    assert ("symbols" in network.weights_) == (kind == "learned")
    assert network.weights_["layer0.forward.input_weights"].shape[1] == (5 if kind == "one-hot" else 3)
    with pytest.raises(DataError, match=r"inputs: symbols must be integers in \[0, 4\]. Got 5 instead"):
        network.predict([1, 5, 2])
    assert model(name, symbols=kind).fit([codes[:10], codes[10:]], [0.0, 1.0]).predict([codes[:5]]).shape == (1,)


def test_one_hot_symbols_are_vectors() -> None:
    codes = RNG.integers(0, 4, 40)
    parameters = {"dtype": "float64", "standardize": False}
    ref = model("lstm", **parameters).fit(np.eye(4)[codes], WAVE[:40])
    comp = model("lstm", symbols="one-hot", **parameters).fit(codes, WAVE[:40])
    close(comp.predict(codes), ref.predict(np.eye(4)[codes]))


# What the scaling does


@EVERY
def test_units_of_measurement_do_not_matter(name: str) -> None:
    ref = model(name, dtype="float64").fit(WAVE)
    comp = model(name, dtype="float64").fit(1e6 * WAVE - 3e7)
    close(comp.predict(1e6 * WAVE - 3e7), 1e6 * ref.predict(WAVE) - 3e7, 1e-7)
    close(comp.forecast(1e6 * WAVE - 3e7, 5), 1e6 * ref.forecast(WAVE, 5) - 3e7, 1e-7)
    plain = model(name, dtype="float64", standardize=False).fit(WAVE)
    assert not np.allclose(plain.predict(WAVE), ref.predict(WAVE))


@pytest.mark.parametrize("value", [0.0, 7.0, -1e30])
def test_constant_columns(value: float) -> None:
    inputs, targets = WAVE.copy(), WAVE.copy()
    inputs[:, 0] = targets[:, 1] = value
    network = model("gru").fit(inputs, targets)
    assert np.isfinite(network.predict(inputs)).all()
    assert network.predict(inputs)[:, 1] == pytest.approx(value, abs=0.5, rel=1e-6)
    model("gru").fit(np.ones((9, 1)), np.ones(9))


def test_what_is_held_out_has_no_part_in_the_scaling() -> None:
    training = Training(epochs=2, validation_fraction=0.5)
    spoilt = WAVE.copy()
    spoilt[40:] *= 100.0
    ref, comp = (model("elman", training=training).fit(series[:-1], series[1:, 0]) for series in (WAVE, spoilt))
    assert [r["loss"] for r in comp.history_] == [r["loss"] for r in ref.history_]


# Weights and sizes


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


# Along time


@EVERY
@pytest.mark.parametrize("parameters", [{}, {"bidirectional": True}, {"layers": 2, "layer_norm": True}], ids=str)
def test_states_are_what_the_head_reads(name: str, parameters: dict[str, Any]) -> None:
    network = model(name, dtype="float64", standardize=False, **parameters).fit(UNEQUAL, UNEQUAL)
    states = network.states(UNEQUAL)
    for x, y in zip(states, network.predict(UNEQUAL), strict=True):
        assert x.shape == (len(y), 8 if network.bidirectional else 4)
        close(x @ network.weights_["head.weights"].T + network.weights_["head.bias"], y)
    close(network.states(UNEQUAL[0]), states[0])


@EVERY
@pytest.mark.parametrize("parameters", [{}, {"layers": 2, "layer_norm": True}, {"bidirectional": True}], ids=str)
def test_long_sequences_run_in_blocks(name: str, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    network = model(name, dtype="float64", **parameters).fit(WAVE)
    ref, forward = network.predict(UNEQUAL), None if network.bidirectional else network.forecast(WAVE, 9)
    for block in (1, 7, 10, 20):
        monkeypatch.setattr(prediction, "BLOCK", block)
        for y, d in zip(network.predict(UNEQUAL), ref, strict=True):
            close(y, d)
        if forward is not None:
            close(network.forecast(WAVE, 9), forward)


def test_many_sequences_come_back_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    network = model("lstm", dtype="float64").fit(WAVE)
    many = [WAVE[RNG.integers(0, 30) :][: RNG.integers(1, 30)] for _ in range(45)]  # several groups
    for threads in ("1", "2"):
        monkeypatch.setenv("RESERVOIR_NUM_THREADS", threads)
        for u, y in zip(many, network.predict(many), strict=True):
            close(y, network.predict(u))


@EVERY
@pytest.mark.parametrize(
    "parameters",
    [{}, {"layers": 2}, {"standardize": False, "layer_norm": True}, {"dropout": 0.4, "washout": 5}],
    ids=str,
)
def test_a_forecast_feeds_outputs_back(name: str, parameters: dict[str, Any]) -> None:
    network = model(name, dtype="float64", **parameters).fit(WAVE)
    for history in (WAVE[:33], WAVE[7:8]):
        grown = history
        for _ in range(11):
            grown = np.concatenate([grown, network.predict(grown)[-1:]])
        close(network.forecast(history, 11), grown[len(history) :])
    flat = model(name).fit(WAVE[:, 0])
    assert flat.forecast(WAVE[:, 0], 4).shape == (4,) and flat.forecast(WAVE[:, :1], 4).shape == (4, 1)


@EVERY
def test_forecasts_of_many_histories(name: str) -> None:
    network = model(name, dtype="float64").fit(WAVE)
    histories = [WAVE[:20], WAVE[5:13], WAVE[30:50], WAVE[3:4]]
    for comp, history in zip(network.forecast(histories, 6), histories, strict=True):
        close(comp, network.forecast(history, 6))


@EVERY
def test_a_network_without_inputs_goes_on(name: str) -> None:
    network = model(name, dtype="float64", bias_init="normal").fit(np.empty((60, 0)), WAVE)
    close(network.forecast(WAVE[:37], 12), network.predict(np.empty((49, 0)))[37:])
    assert len(np.unique(network.predict(np.empty((49, 0)))[:, 0])) > 9


@pytest.mark.parametrize("name", ["elman", "lstm", "gru", "mgu", "indrnn"])
def test_the_defaults_learn_to_continue_a_wave(name: str) -> None:
    t = np.arange(1100)
    series = np.sin(0.2 * t)
    network = type(MODELS[name])(random_state=0).fit(series[:1000])
    assert np.square(network.forecast(series[:1000], 100) - series[1000:]).mean() < 0.01 * series.var()


def test_a_clockwork_rnn_remembers_without_inputs() -> None:
    series = np.sin(0.1 * np.arange(320)) + 0.5 * np.sin(0.23 * np.arange(320))
    assert ClockworkRNN(random_state=0).fit(np.empty((320, 0)), series).score(np.empty((320, 0)), series) > 0.95


# What is refused


def spoilt(array: np.ndarray, value: float, *index: int) -> np.ndarray:
    array = array.copy()
    array[index] = value
    return array


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (spoilt(WAVE, np.nan, 17, 1), WAVE, "inputs: Input contains NaN at row 17, column 1"),
        (WAVE, spoilt(WAVE, np.inf, 3, 0), r"targets: Input contains infinity \(inf\) at row 3, column 0"),
        (np.empty((0, 2)), np.empty((0, 2)), "inputs: is empty"),
        ([], [], "inputs: is empty"),
        (WAVE, WAVE[:59], "targets, sequence 0: has 59 rows, its inputs have 60"),
        (UNEQUAL, [1.0, 2.0], r"targets: shape \(2,\) fits neither a row per step nor a value for each of 4 sequences"),
        (UNEQUAL, 3.0, r"targets: shape \(\) fits neither"),
        (UNEQUAL, UNEQUAL[:3], "targets: has 3 sequences, the inputs have 4"),
        ([WAVE, WAVE[:, :1]], [WAVE, WAVE], "inputs, sequence 1: has 1 features, sequence 0 has 2"),
        (WAVE[:5], WAVE[:5], r"inputs: sequence 0 has 5 steps .* a minimum of washout \+ 1 = 6 is required"),
        ([WAVE, WAVE[:2]], [WAVE, WAVE[:2]], "inputs: sequence 1 has 2 steps"),
        (WAVE, ["a"] * 60, "targets: must be numbers"),
        (WAVE[:1], None, r"inputs: sequence 0 has 1 step\(s\); a minimum of 2 is required"),
        (spoilt(WAVE, 1e200, 0, 0), WAVE, r"values up to 1e\+200 are too large to standardize"),
    ],
)
def test_data_are_checked(inputs: Any, targets: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        model("gru", washout=5).fit(inputs, targets)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "inputs", "targets", "error", "message"),
    [
        ({"loss": "cross_entropy"}, WAVE, WAVE[:, 0], DataError, "targets: Unknown label type: continuous"),
        (
            {"loss": "cross_entropy"},
            WAVE,
            WAVE > 0.0,
            DataError,
            r"needs one label per step or sequence. Got an array of shape \(60, 2\)",
        ),
        ({"symbols": "one-hot"}, WAVE, WAVE, DataError, "symbols are one column of numbers 0, 1, ...; 2 columns were given"),
        ({"symbols": "learned"}, WAVE[:, 0], WAVE, DataError, r"symbols must be integers in \[0, 1048575\]. Got 0.0"),
        ({"symbols": "one-hot"}, -T, WAVE, DataError, r"symbols must be integers in \[0, 1048575\]. Got -1 instead"),
        ({"symbols": "one-hot"}, T * 10**9, WAVE, DataError, r"symbols must be integers in \[0, 1048575\]. Got 1e\+09 instead"),
        ({"pooling": "mean", "washout": 9}, UNEQUAL, [1.0, 2.0, 3.0, 4.0], DataError, r"sequence 1 has 1 steps"),
    ],
)
def test_data_are_checked_against_the_parameters(
    parameters: dict[str, Any], inputs: Any, targets: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        model("gru", **parameters).fit(inputs, targets)


FITTED: dict[str, Any] = {
    "plain": model("lstm").fit(WAVE, WAVE[:, 0]),
    "next": model("lstm").fit(WAVE),
    "both": model("lstm", bidirectional=True).fit(WAVE),
    "symbols": model("lstm", symbols="one-hot").fit(T % 3, T % 3),
    "labels": model("lstm", loss="cross_entropy").fit(WAVE, labels(WAVE)),
    "values": model("lstm").fit(UNEQUAL, np.ones((4, 2))),
}


@pytest.mark.parametrize(
    ("name", "call", "error", "message"),
    [
        ("plain", lambda m: m.predict(WAVE[:, 0]), DataError, "X has 1 features, but LSTM is expecting 2 features as input"),
        ("plain", lambda m: m.states(WAVE[:, 0]), DataError, "X has 1 features, but LSTM is expecting 2"),
        ("plain", lambda m: m.predict(spoilt(WAVE, np.nan, 1, 1)), DataError, "inputs: Input contains NaN at row 1, column 1"),
        ("plain", lambda m: m.forecast(WAVE, 5), DataError, "2 inputs and 1 outputs do not fit"),
        ("labels", lambda m: m.forecast(WAVE, 5), DataError, "do not fit"),
        ("values", lambda m: m.forecast(WAVE, 5), DataError, "do not fit"),
        (
            "next",
            lambda m: m.forecast(WAVE, 0),
            ParameterError,
            r"'steps' parameter of forecast must be an integer in \[1, inf\)",
        ),
        ("next", lambda m: m.forecast(WAVE[:0], 5), DataError, "history: is empty"),
        ("both", lambda m: m.forecast(WAVE, 5), ParameterError, "'bidirectional' parameter must be False for forecast"),
        ("symbols", lambda m: m.forecast(T % 3, 5), ParameterError, "'symbols' parameter must be None for forecast"),
    ],
)
def test_use_is_checked(name: str, call: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(FITTED[name])


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("elman", {"units": 0}, r"The 'units' parameter of Elman must be an integer in \[1, inf\). Got 0 instead"),
        ("elman", {"units": 4.0}, "'units'"),
        ("elman", {"units": "4"}, "'units'"),
        ("elman", {"layers": 0}, "'layers'"),
        ("elman", {"bidirectional": 1}, "'bidirectional' parameter of Elman must be one of True, False. Got 1 instead"),
        ("elman", {"loss": "mse"}, "'loss' parameter of Elman must be one of squared_error, cross_entropy"),
        ("elman", {"pooling": "max"}, "'pooling'"),
        ("elman", {"washout": -1}, "'washout'"),
        ("elman", {"dropout": 1.0}, r"'dropout' .* must be a number in \[0, 1\)"),
        ("elman", {"dropout_mask": "steps"}, "'dropout_mask' .* Did you mean step"),
        ("elman", {"layer_norm": "yes"}, "'layer_norm'"),
        ("elman", {"symbols": True}, "'symbols'"),
        ("elman", {"symbol_size": 0}, "'symbol_size'"),
        ("elman", {"input_init": "orthogonal"}, "'input_init'"),
        ("elman", {"recurrent_init": None}, "'recurrent_init'"),
        ("elman", {"init_scale": 0}, "'init_scale'"),
        ("elman", {"bias_init": "uniform"}, "'bias_init'"),
        ("elman", {"standardize": None}, "'standardize'"),
        ("elman", {"training": {"epochs": 3}}, r"'training' parameter of Elman must be a Training. Got \{'epochs': 3\} instead"),
        ("elman", {"training": Ridge()}, "'training' parameter of Elman must be a Training"),
        ("elman", {"training__epochs": -3}, "'epochs' parameter of Training"),
        ("elman", {"dtype": "float16"}, "'dtype'"),
        ("elman", {"dtype": np.float32}, "'dtype'"),
        ("elman", {"random_state": "seed"}, "'random_state' parameter must be an integer"),
        ("elman", {"random_state": -1}, "'random_state'"),
        ("elman", {"activation": "sigmoid"}, "'activation' parameter of Elman must be one of tanh, relu"),
        ("lstm", {"peepholes": 2}, "'peepholes'"),
        ("lstm", {"forget_bias": None}, "'forget_bias' parameter of LSTM must be a number"),
        ("gru", {"reset_gate": "never"}, "'reset_gate'"),
        ("indrnn", {"activation": "linear"}, "'activation'"),
        ("indrnn", {"recurrent_bound": 0.0}, "'recurrent_bound'"),
        ("clockwork", {"activation": "swish"}, "'activation'"),
        (
            "clockwork",
            {"periods": (0, 1)},
            r"'periods' parameter of ClockworkRNN must be an integer in \[1, .* or a list of them",
        ),
        ("clockwork", {"periods": (1, -2)}, "'periods'"),
        ("clockwork", {"periods": (1, 2.5)}, "'periods'"),
        ("clockwork", {"periods": ()}, "'periods'"),
        ("clockwork", {"periods": "1,2"}, "'periods'"),
        ("clockwork", {"periods": None}, "'periods'"),
        ("clockwork", {"periods": (1, 10**30)}, "'periods'"),
        ("clockwork", {"periods": [[1, 2], [3, 4]]}, "'periods'"),
        (
            "clockwork",
            {"periods": (1, 4, 2)},
            r"'periods' parameter of ClockworkRNN must ascend, none twice. Got \(1, 4, 2\) instead",
        ),
        ("clockwork", {"periods": (1, 2, 2)}, "must ascend, none twice"),
        (
            "clockwork",
            {"periods": (1, 2, 3, 4, 5)},
            r"names 5 modules, more than there are units \(4\); give fewer periods or more units",
        ),
    ],
)
def test_parameters_are_checked(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message) as caught:
        model(name, **parameters).fit(WAVE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "periods", [3, np.int64(3), [1, 2], np.array([1, 2]), (1, 2**31 - 1), np.array([2, 3], np.uint8)], ids=repr
)
def test_forms_of_periods(periods: Any) -> None:
    network = model("clockwork", periods=periods).fit(WAVE)
    assert network.network_.cells[0].periods == tuple(np.atleast_1d(periods).tolist())


def test_a_forecast_that_leaves_the_finite_numbers() -> None:
    series = 1.5 ** np.arange(30.0)
    network = model("elman", activation="relu", units=1, standardize=False, training__epochs=0).fit(series)
    network._vector[:] = [1.0, 0.0, 0.0, 1e3, 0.0]  # y(t) = 1000 y(t-1)
    with pytest.raises(DivergenceError, match="The forecast of sequence 1 is not finite from step 12 on"):
        network.forecast([np.zeros(3), np.ones(3)], 50)
    network._vector[:] = [1.0, 10.0, 0.0, 1e3, 0.0]
    with pytest.raises(DivergenceError, match=r"The prediction of sequence 0 is not finite from step 3\d on"):
        network.predict(np.ones(50))
    per_sequence = model("elman", activation="relu", units=1, standardize=False, training__epochs=0).fit(
        [series, series], [1.0, 2.0]
    )
    per_sequence._vector[:] = [1.0, 10.0, 0.0, 1e3, 0.0]
    with pytest.raises(DivergenceError, match="The prediction is not finite for sequence 1"):
        per_sequence.predict([np.ones(3), np.ones(50)])


def test_parameters_set_after_the_fit_do_not_break_it() -> None:
    network = model("elman").fit(WAVE)
    ref = network.predict(WAVE), network.forecast(WAVE, 3)
    network.set_params(units=9, layers=3, dtype="float64")
    np.testing.assert_array_equal(network.predict(WAVE), ref[0])
    np.testing.assert_array_equal(network.forecast(WAVE, 3), ref[1])


def test_the_default_training_is_shared_and_left_alone() -> None:
    first, second = Elman(), Elman()
    first.set_params(training__epochs=7)
    assert (first.training.epochs, second.training.epochs) == (7, DEFAULT_TRAINING.epochs)
    assert first.get_params()["training__epochs"] == 7 and repr(DEFAULT_TRAINING) == "Training()"
    assert repr(first) == "Elman(training=Training(epochs=7))"
    assert "units of each layer" in str(LSTM.__doc__) and "peepholes" in str(LSTM.__doc__)


def test_labels_name_the_loss_that_learns_them() -> None:
    with pytest.raises(DataError, match=r"must be numbers, and are labels; to learn labels, set loss='cross_entropy'\.$"):
        Elman(units=3).fit([np.ones(5), np.zeros(5)], ["slow", "fast"])
