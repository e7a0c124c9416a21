"""The estimators trained by gradient: every form of data in and out, forecasts, sizes, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
from messages import mentions
from trained_models import EVERY, MODELS, RNG, UNEQUAL, WAVE, close, labels, model

from reservoir import ClockworkRNN, DataError, Training
from reservoir.gradient import prediction

# Every form of data


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
    with pytest.raises(AttributeError, match=mentions("predict_proba loss='cross_entropy' 'squared_error'")):
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
    with pytest.raises(DataError, match=mentions("inputs [0, 4] 5")):
        network.predict([1, 5, 2])
    dtype = "float64" if kind == "one-hot" else "float32"  # language models are the one-hot ones in single precision
    assert model(name, symbols=kind, dtype=dtype).fit([codes[:10], codes[10:]], [0.0, 1.0]).predict([codes[:5]]).shape == (1,)


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
