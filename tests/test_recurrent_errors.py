"""What the estimators trained by gradient refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from messages import mentions
from networks import spoilt
from trained_models import UNEQUAL, WAVE, T, labels, model

from reservoir import LSTM, DataError, DivergenceError, Elman, ParameterError, Ridge
from reservoir.gradient.parameters import DEFAULT_TRAINING


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (spoilt(WAVE, np.nan, 17, 1), WAVE, "inputs NaN 17 1"),
        (WAVE, spoilt(WAVE, np.inf, 3, 0), "targets (inf) 3 0"),
        (np.empty((0, 2)), np.empty((0, 2)), "inputs empty"),
        ([], [], "inputs empty"),
        (WAVE, WAVE[:59], "targets 0 59 inputs 60"),
        (UNEQUAL, [1.0, 2.0], "targets (2,) 4"),
        (UNEQUAL, 3.0, "targets neither"),
        (UNEQUAL, UNEQUAL[:3], "targets 3 inputs 4"),
        ([WAVE, WAVE[:, :1]], [WAVE, WAVE], "inputs 1 0 2"),
        (WAVE[:5], WAVE[:5], "inputs 0 5 1 6"),
        ([WAVE, WAVE[:2]], [WAVE, WAVE[:2]], "inputs 1 2"),
        (WAVE, ["a"] * 60, "targets numbers"),
        (WAVE[:1], None, "inputs 0 1 2"),
        (spoilt(WAVE, 1e200, 0, 0), WAVE, "1e+200 standardize"),
    ],
)
def test_data_are_checked(inputs: Any, targets: Any, message: str) -> None:
    with pytest.raises(DataError, match=mentions(message)) as caught:
        model("gru", washout=5).fit(inputs, targets)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "inputs", "targets", "error", "message"),
    [
        ({"loss": "cross_entropy"}, WAVE, WAVE[:, 0], DataError, "targets continuous"),
        (
            {"loss": "cross_entropy"},
            WAVE,
            WAVE > 0.0,
            DataError,
            "(60, 2) label",
        ),
        ({"symbols": "one-hot"}, WAVE, WAVE, DataError, "0 1 2"),
        ({"symbols": "learned"}, WAVE[:, 0], WAVE, DataError, "symbols [0, 1048575]"),
        ({"symbols": "one-hot"}, -T, WAVE, DataError, "[0, 1048575] -1"),
        ({"symbols": "one-hot"}, T * 10**9, WAVE, DataError, "[0, 1048575] 1e+09"),
        ({"pooling": "mean", "washout": 9}, UNEQUAL, [1.0, 2.0, 3.0, 4.0], DataError, "1"),
    ],
)
def test_data_are_checked_against_the_parameters(
    parameters: dict[str, Any], inputs: Any, targets: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=mentions(message)):
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
        ("plain", lambda m: m.predict(WAVE[:, 0]), DataError, "1 LSTM 2"),
        ("plain", lambda m: m.states(WAVE[:, 0]), DataError, "1 LSTM 2"),
        ("plain", lambda m: m.predict(spoilt(WAVE, np.nan, 1, 1)), DataError, "inputs NaN 1"),
        ("plain", lambda m: m.forecast(WAVE, 5), DataError, "2 inputs 1"),
        ("labels", lambda m: m.forecast(WAVE, 5), DataError, "fit"),
        ("values", lambda m: m.forecast(WAVE, 5), DataError, "fit"),
        (
            "next",
            lambda m: m.forecast(WAVE, 0),
            ParameterError,
            "'steps' forecast [1, inf)",
        ),
        ("next", lambda m: m.forecast(WAVE[:0], 5), DataError, "history empty"),
        ("both", lambda m: m.forecast(WAVE, 5), ParameterError, "'bidirectional' False"),
        ("symbols", lambda m: m.forecast(T % 3, 5), ParameterError, "'symbols' None"),
    ],
)
def test_use_is_checked(name: str, call: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=mentions(message)):
        call(FITTED[name])


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("elman", {"units": 0}, "'units' Elman [1, inf) 0"),
        ("elman", {"units": 4.0}, "'units'"),
        ("elman", {"units": "4"}, "'units'"),
        ("elman", {"layers": 0}, "'layers'"),
        ("elman", {"bidirectional": 1}, "'bidirectional' Elman True False 1"),
        ("elman", {"loss": "mse"}, "'loss' Elman squared_error cross_entropy"),
        ("elman", {"pooling": "max"}, "'pooling'"),
        ("elman", {"washout": -1}, "'washout'"),
        ("elman", {"dropout": 1.0}, "'dropout' [0, 1)"),
        ("elman", {"dropout_mask": "steps"}, "'dropout_mask' step"),
        ("elman", {"layer_norm": "yes"}, "'layer_norm'"),
        ("elman", {"symbols": True}, "'symbols'"),
        ("elman", {"symbol_size": 0}, "'symbol_size'"),
        ("elman", {"input_init": "orthogonal"}, "'input_init'"),
        ("elman", {"recurrent_init": None}, "'recurrent_init'"),
        ("elman", {"init_scale": 0}, "'init_scale'"),
        ("elman", {"bias_init": "uniform"}, "'bias_init'"),
        ("elman", {"standardize": None}, "'standardize'"),
        ("elman", {"training": {"epochs": 3}}, "'training' Elman Training {'epochs' 3}"),
        ("elman", {"training": Ridge()}, "'training' Elman Training"),
        ("elman", {"training__epochs": -3}, "'epochs' Training"),
        ("elman", {"dtype": "float16"}, "'dtype'"),
        ("elman", {"dtype": np.float32}, "'dtype'"),
        ("elman", {"random_state": "seed"}, "'random_state'"),
        ("elman", {"random_state": -1}, "'random_state'"),
        ("elman", {"activation": "sigmoid"}, "'activation' Elman"),
        ("lstm", {"peepholes": 2}, "'peepholes'"),
        ("lstm", {"forget_bias": None}, "'forget_bias' LSTM"),
        ("gru", {"reset_gate": "never"}, "'reset_gate'"),
        ("indrnn", {"activation": "linear"}, "'activation'"),
        ("indrnn", {"recurrent_bound": 0.0}, "'recurrent_bound'"),
        ("clockwork", {"activation": "swish"}, "'activation'"),
        (
            "clockwork",
            {"periods": (0, 1)},
            "'periods' ClockworkRNN [1,",
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
            "'periods' ClockworkRNN (1, 4 2)",
        ),
        ("clockwork", {"periods": (1, 2, 2)}, "ascend twice"),
        (
            "clockwork",
            {"periods": (1, 2, 3, 4, 5)},
            "5 (4) modules",
        ),
    ],
)
def test_parameters_are_checked(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=mentions(message)) as caught:
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
    with pytest.raises(DivergenceError, match=mentions("1 12 forecast")):
        network.forecast([np.zeros(3), np.ones(3)], 50)
    network._vector[:] = [1.0, 10.0, 0.0, 1e3, 0.0]
    with pytest.raises(DivergenceError, match=mentions("prediction sequence 0")):
        network.predict(np.ones(50))
    per_sequence = model("elman", activation="relu", units=1, standardize=False, training__epochs=0).fit(
        [series, series], [1.0, 2.0]
    )
    per_sequence._vector[:] = [1.0, 10.0, 0.0, 1e3, 0.0]
    with pytest.raises(DivergenceError, match=mentions("1 prediction")):
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
    with pytest.raises(DataError, match=mentions("loss='cross_entropy'")):
        Elman(units=3).fit([np.ones(5), np.zeros(5)], ["slow", "fast"])
