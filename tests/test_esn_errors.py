"""What cannot be used is refused in one line that says what, where, and what to do."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from networks import INPUTS, TARGETS, WAVE, small, spoilt
from sklearn.exceptions import NotFittedError

from reservoir import (
    ESN,
    DataError,
    DivergenceError,
    LeastMeanSquares,
    Logistic,
    ParameterError,
    RecursiveLeastSquares,
    Ridge,
    RidgeClassifier,
    load,
)
from reservoir.echo import features

PAIR = [INPUTS[:30], INPUTS[30:42]]
ENDS = [TARGETS[:30], TARGETS[30:42]]
LABELS = np.where(INPUTS[:, 0] > 0.0, "up", "down")


# Data


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (spoilt(INPUTS, np.nan, 17, 2), TARGETS, "inputs: Input contains NaN at row 17, column 2"),
        (spoilt(INPUTS[:, 0], -np.inf, 5), TARGETS, r"inputs: Input contains infinity \(inf\) at row 5, column 0"),
        (
            [PAIR[0], spoilt(PAIR[1], np.inf, 3, 1)],
            ENDS,
            r"inputs, sequence 1: Input contains infinity \(inf\) at row 3, column 1",
        ),
        (spoilt(np.zeros(70000), np.nan, 69999), np.zeros(70000), "inputs: Input contains NaN at row 69999, column 0"),
        (INPUTS, spoilt(TARGETS, np.nan, 5, 1), "targets: Input contains NaN at row 5, column 1"),
        (PAIR, [ENDS[0], spoilt(ENDS[1], np.nan, 7, 0)], "targets, sequence 1: Input contains NaN at row 7, column 0"),
        (
            PAIR,
            ["slow", "fast"],
            r"^targets: must be numbers, .* readout=RidgeClassifier\(\) or readout=Logistic\(\)\.$",
        ),
        (PAIR, np.array(["slow", "fast"], dtype=object), "RidgeClassifier"),
        (INPUTS, LABELS, "RidgeClassifier"),
        (PAIR, [LABELS[:30], LABELS[30:42]], "RidgeClassifier"),
        (PAIR, [1.0, np.nan], "targets: Input contains NaN at row 1, column 0"),
        (np.empty((0, 3)), np.empty((0, 2)), r"inputs: is empty. Found array with 0 sample\(s\) \(shape=\(0, 3\)\)"),
        ([], [], "inputs: is empty"),
        ([PAIR[0], PAIR[1][:0]], [ENDS[0], ENDS[1][:0]], "inputs, sequence 1: is empty"),
        ([PAIR[0], PAIR[1][:, :2]], ENDS, "inputs, sequence 1: has 2 features, sequence 0 has 3; they must agree"),
        (INPUTS[None, None], TARGETS, r"inputs: must be \(T,\) or \(T, n_features\). Got an array of 4 dimensions instead"),
        (None, TARGETS, "Got an array of 0 dimensions"),
        (3.0, TARGETS, "Got an array of 0 dimensions"),
        ([["a", "b"]] * 60, TARGETS, r"inputs: must be numbers, \(T,\) or \(T, n_features\); could not read them"),
        ([[1.0], [1.0, 2.0]], TARGETS[:2], "inputs: must be numbers"),
        (INPUTS * 1j, TARGETS, "inputs: Complex data not supported; pass real numbers"),
        (sp.csr_array(INPUTS), TARGETS, "inputs: a sparse matrix was passed, dense data is required; use .toarray()"),
        (INPUTS, TARGETS[:59], "targets, sequence 0: has 59 rows, its inputs have 60; they must agree"),
        (PAIR, [ENDS[0], ENDS[1][:11]], "targets, sequence 1: has 11 rows, its inputs have 12; they must agree"),
        (
            PAIR,
            [ENDS[0].tolist(), ENDS[1][:11].tolist()],
            "targets, sequence 1: has 11 rows, its inputs have 12; they must agree",
        ),
        (INPUTS.reshape(2, 30, 3), TARGETS[:58].reshape(2, 29, 2), "targets, sequence 0: has 29 rows, its inputs have 30"),
        (PAIR, [*ENDS, TARGETS[:5]], "targets: has 3 sequences, the inputs have 2; they must agree"),
        (PAIR, [1.0, 2.0, 3.0], r"targets: shape \(3,\) fits neither a row per step nor a value for each of 2 sequences"),
        (PAIR, 3.0, r"targets: shape \(\) fits neither"),
        (PAIR, [ENDS[0], ENDS[1][:, 0]], "targets, sequence 1: has 1 outputs, sequence 0 has 2; they must agree"),
        (PAIR, [[1.0, [2.0]], [1.0, [2.0]]], "targets: must be a row per step or a value per sequence; .* different shapes"),
        (INPUTS, [[1.0], [1.0, 2.0]], "targets: must be a row per step or a value per sequence; .* different shapes"),
        (INPUTS, ["a"] * 60, "targets: must be numbers"),
        (
            INPUTS[:4],
            TARGETS[:4],
            r"inputs: sequence 0 has 4 steps .* a minimum of washout \+ 1 = 5 is required; give longer data",
        ),
        ([INPUTS, INPUTS[:3]], [TARGETS, TARGETS[:3]], "inputs: sequence 1 has 3 steps"),
        (
            INPUTS[:, :0],
            TARGETS,
            r"inputs: Found array with 0 feature\(s\) \(shape=\(60, 0\)\) .* Without inputs, set feedback_scaling",
        ),
        (INPUTS[:1], None, r"inputs: sequence 0 has 1 step\(s\); a minimum of 2 is required"),
        ([INPUTS, INPUTS[:1]], None, r"inputs: sequence 1 has 1 step\(s\)"),
    ],
)
def test_data_is_checked(inputs: Any, targets: Any, message: str) -> None:
    for method in ("fit", "partial_fit"):
        with pytest.raises(DataError, match=message):
            getattr(small(), method)(inputs, targets)


@pytest.mark.parametrize(
    ("parameters", "inputs", "targets", "message"),
    [
        ({"feedback_scaling": 0.5}, PAIR, [1.0, 2.0], "targets: one value per sequence cannot be fed back"),
        ({"pooling": "mean"}, [INPUTS, INPUTS[:3]], [1.0, 2.0], "inputs: sequence 1 has 3 steps"),
        ({"pooling": "every"}, [INPUTS, INPUTS[:3]], [1.0, 2.0], "inputs: sequence 1 has 3 steps"),
        ({"readout": RidgeClassifier()}, INPUTS, TARGETS[:, 0], "targets: Unknown label type: continuous"),
        ({"readout": RidgeClassifier()}, INPUTS, np.full(60, np.nan), "targets: Input contains NaN at row 0"),
        (
            {"readout": Logistic()},
            INPUTS,
            TARGETS,
            r"needs one label per step or sequence. Got an array of shape \(60, 2\) instead",
        ),
        ({"readout": Logistic()}, INPUTS, np.ones(60), r"at least two classes. Got one class"),
        ({"readout": Logistic()}, INPUTS, [7] * 4 + [1, 2] * 28, r"only 2 of 3 classes .* lower washout"),
    ],
)
def test_data_is_checked_against_the_settings(parameters: dict[str, Any], inputs: Any, targets: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        small(**parameters).fit(inputs, targets)


FITTED = {
    "plain": small().fit(INPUTS, TARGETS),
    "wave": small().fit(WAVE),
    "fed back": small(feedback_scaling=0.1).fit(WAVE),
    "labels": small(readout=RidgeClassifier()).fit(INPUTS, LABELS),
    "per sequence": small().fit([WAVE[:30], WAVE[30:]], WAVE[:2]),
    "per sequence, mean": small(pooling="mean").fit([WAVE[:30], WAVE[30:]], WAVE[:2]),
}


@pytest.mark.parametrize(
    ("name", "call", "error", "message"),
    [
        ("plain", lambda e: e.predict(INPUTS[:, :2]), DataError, "X has 2 features, but ESN is expecting 3 features as input"),
        ("plain", lambda e: e.predict(spoilt(INPUTS, np.nan, 1, 1)), DataError, "inputs: Input contains NaN at row 1, column 1"),
        ("plain", lambda e: e.states(INPUTS[:, :2]), DataError, "X has 2 features, but ESN is expecting 3"),
        ("plain", lambda e: e.forecast(INPUTS, 5), DataError, "3 inputs and 2 outputs do not fit"),
        ("plain", lambda e: e.score(INPUTS[:4], TARGETS[:4]), DataError, r"sequence 0 has 4 steps .* washout \+ 1 = 5"),
        ("plain", lambda e: e.score(INPUTS, TARGETS[:50]), DataError, r"predictions have shape \(56, 2\), targets \(46, 2\)"),
        ("labels", lambda e: e.forecast(INPUTS, 5), DataError, "do not fit"),
        ("per sequence", lambda e: e.forecast(WAVE, 5), DataError, "do not fit"),
        ("per sequence, mean", lambda e: e.predict([WAVE, WAVE[:4]]), DataError, "sequence 1 has 4 steps"),
        ("wave", lambda e: e.forecast(WAVE[:, 0], 5), DataError, "history: has 1 features, the network was fitted to 2"),
        ("wave", lambda e: e.forecast([WAVE, WAVE[:0]], 5), DataError, "history, sequence 1: is empty"),
        (
            "wave",
            lambda e: e.forecast(WAVE, 0),
            ParameterError,
            r"'steps' parameter of forecast must be an integer in \[1, inf\)",
        ),
        ("wave", lambda e: e.forecast(WAVE, 1.5), ParameterError, r"Got 1.5 instead"),
        ("wave", lambda e: e.forecast(WAVE, True), ParameterError, r"Got True instead"),
        ("fed back", lambda e: e.states(WAVE), DataError, "states: the network has output feedback; give the targets"),
        ("fed back", lambda e: e.states(WAVE, WAVE[:9]), DataError, "has 9 rows, its inputs have 60"),
        (
            "plain",
            lambda e: e.partial_fit(INPUTS, TARGETS[:, 0]),
            DataError,
            "1 outputs per step do not continue a fit of 2 per step",
        ),
        (
            "plain",
            lambda e: e.partial_fit(PAIR, [1.0, 2.0]),
            DataError,
            "need a row per step, for each of 2 sequences",
        ),
        ("plain", lambda e: e.partial_fit(INPUTS[:, :2], TARGETS), DataError, "X has 2 features"),
        ("plain", lambda e: e.partial_fit(PAIR, ENDS, continued=True), DataError, "nothing to continue; give one sequence"),
        ("per sequence", lambda e: e.partial_fit(WAVE, WAVE, continued=True), DataError, "nothing to continue"),
        (
            "labels",
            lambda e: e.partial_fit(INPUTS, ["left"] * 60),
            DataError,
            r"label .*left.* is not among the classes \['down', 'up'\]",
        ),
    ],
)
def test_use_is_checked(name: str, call: Callable[[ESN], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(FITTED[name])


def test_nothing_to_continue_at_the_first_call() -> None:
    with pytest.raises(DataError, match="nothing to continue"):
        small().partial_fit(INPUTS, TARGETS, continued=True)


def test_a_readout_that_cannot_learn_on() -> None:
    with pytest.raises(ParameterError, match="'readout' parameter of ESN must be one that can learn on, for partial_fit"):
        small(readout=Logistic()).partial_fit(INPUTS, LABELS)


# Divergence


@pytest.mark.parametrize(
    ("radius", "lengths"), [(10.0, [400]), (3.0, [700]), (10.0, [600, 400]), (3.0, [100, 700]), (3.0, [511, 1, 700])], ids=str
)
@pytest.mark.parametrize("activation", ["identity", "relu"])
def test_a_diverging_reservoir_names_the_step_and_which_of_many_sequences(
    activation: str, radius: float, lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "block_rows", lambda width: 512)
    own = np.abs(np.random.default_rng(0).normal(size=(4, 4)))
    settings = {
        "units": 4,
        "topology": own,
        "spectral_radius": radius,
        "bias_scaling": 0.0,
        "input_weights": [1.0] * 4,
        "washout": 0,
    }
    esn = small(**settings, activation=activation, leak_rate=1.0).build(1)
    sequences = [np.zeros(length) for length in lengths[:-1]] + [np.ones(lengths[-1])]  # only the last one is driven
    states = naive.drive(naive.network_of(esn), sequences[-1][:, None])
    for call, limit, what in (
        (esn.states, np.finfo(float).max, "no longer finite"),
        (lambda u: esn.fit(u, u, target="step"), 1e12, r"beyond 1e\+12, 1e\+12 times the largest drive,"),
    ):
        ref = int(np.argmax(~(np.abs(states) <= limit).all(axis=1)))
        assert 0 < ref < lengths[-1]
        where = f"step {ref} of sequence {len(lengths) - 1}" if len(lengths) > 1 else f"step {ref}"
        with pytest.raises(DivergenceError, match=f"its state is {what} at {where}; lower spectral_radius, or use tanh units"):
            call(sequences)


def test_a_diverging_forecast_names_the_step_and_the_sequence() -> None:
    # y(t) = 1.5 y(t-1) from 20 values 1.5^t: the limit is 1e6 * 1.5^19, forecast i is 1.5^(20 + i), and 1.5^35 is the
    # first power above 1e6: forecast 34
    series = 1.5 ** np.arange(20)
    esn = small(washout=0, readout_from=("input",), readout=Ridge(0.0)).fit(series)
    np.testing.assert_allclose(esn.forecast(series, 34), 1.5 ** np.arange(20, 54), rtol=1e-9)
    with pytest.raises(DivergenceError, match=r"closed loop diverged at step 34 of sequence 0: its output left \+-2.22e\+09"):
        esn.forecast(series, 60)
    with pytest.raises(DivergenceError, match="diverged at step 34 of sequence 1"):
        esn.forecast([np.zeros(5), series], 60)


def test_a_diverging_prediction_names_the_step_and_the_sequence() -> None:
    # y(t) = 1.5 y(t-1) + 1 is 2 (1.5^(t+1) - 1): 20 values end at 6648.5, and 1.5^55 is the first above 3324.3e6
    series = 2.0 * (1.5 ** np.arange(1, 21) - 1.0)
    esn = small(washout=0, readout_from=("bias", "output"), readout=Ridge(0.0)).fit(INPUTS[:20], series)
    np.testing.assert_allclose(esn.predict(INPUTS[:54]), 2.0 * (1.5 ** np.arange(1, 55) - 1.0), rtol=1e-6)
    with pytest.raises(DivergenceError, match="diverged at step 54 of sequence 0"):
        esn.predict(INPUTS)
    with pytest.raises(DivergenceError, match="diverged at step 54 of sequence 1"):
        esn.predict([INPUTS[:30], INPUTS])


# Parameters


ARRAY = r"a number in \(-inf, inf\), or a list of them"
PARAMETERS = [
    ("units", [0, -1, 2.5, "8", None, True, np.nan], r"an integer in \[1, inf\)"),
    ("spectral_radius", [-0.1, np.inf, "big", True, [0.9]], r"a number in \[0, inf\), or None"),
    ("density", [0.0, -0.1, 1.01, None], r"a number in \(0, 1\]"),
    (
        "leak_rate",
        [0.0, 1.01, [0.5, 0.0], [], np.array(0.5), np.ones((2, 2)), "1", None],
        r"a number in \(0, 1\], or a list of them",
    ),
    ("input_scaling", [None, "1", np.nan, [1.0, None]], ARRAY),
    ("bias_scaling", [None, "1", np.inf, np.array([np.nan])], ARRAY),
    ("feedback_scaling", [None, "1", np.nan, []], ARRAY),
    ("topology", ["diagonal", None, 3], "one of diagonals, random, "),
    ("topology_options", ["jump", 3, ["jump"]], "one of None or a dict"),
    ("activation", ["tahn", None, np.tanh], "one of identity, tanh, sigmoid, relu"),
    ("input_weights", ["unform", None, 1.0], "one of uniform, normal, sign, alternating, pi"),
    ("input_density", [0.0, 1.1, None], r"a number in \(0, 1\]"),
    ("noise", [-0.1, None, [0.1]], r"a number in \[0, inf\)"),
    ("washout", [-1, 2.5, None, True], r"an integer in \[0, inf\)"),
    ("readout", [None, "Ridge", Ridge, 1e-8], "a readout: Ridge, RidgeClassifier, "),
    (
        "readout_from",
        [(), "state", ("stat",), ("state", "state"), None, (1,)],
        "a list of some of bias, input, output, square, state",
    ),
    ("pooling", ["first", None, 1], "one of last, mean, every"),
    ("initial_state", ["zeros", None, 0.0], "one of zero, random or N numbers"),
    ("dtype", ["float16", np.float32, None], "one of float64, float32"),
]


def test_every_constraint_is_in_the_table() -> None:
    assert [name for name, *_ in PARAMETERS] == list(ESN.constraints)
    assert set(ESN.parameter_names()) - set(ESN.constraints) == {"random_state"}


@pytest.mark.parametrize(
    ("name", "value", "text"), [(name, value, text) for name, values, text in PARAMETERS for value in values]
)
def test_parameters_are_checked(name: str, value: Any, text: str) -> None:
    with pytest.raises(ParameterError, match=f"The '{name}' parameter of ESN must be {text}.* Got .* instead") as error:
        small(**{name: value}).fit(INPUTS, TARGETS)
    assert "\n" not in str(error.value)
    with pytest.raises(ParameterError, match=f"'{name}'"):
        small(**{name: value}).build(3)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"activation": "tahn"}, "Got 'tahn' instead. Did you mean tanh"),
        ({"readout": Ridge(-1.0)}, "'ridge' parameter of Ridge must be"),
        ({"leak_rate": [0.5] * 7}, "'leak_rate' parameter of ESN must be a number or 8 of them. Got 7 instead"),
        ({"initial_state": [0.5] * 7}, "'initial_state' parameter of ESN must be a number or 8 of them. Got 7 instead"),
        ({"initial_state": [np.nan] * 8}, "'initial_state' parameter of ESN must be finite numbers"),
        ({"initial_state": ["a"] * 8}, "'initial_state' parameter of ESN must be finite numbers"),
        ({"input_scaling": [1.0] * 4}, "'input_scaling' parameter of ESN must be a number or 3 of them. Got 4 instead"),
        ({"random_state": -1}, r"'random_state' parameter must be an integer in \[0, inf\), a NumPy Generator"),
        ({"random_state": "0"}, "'random_state' parameter"),
        ({"random_state": 1.5}, "'random_state' parameter"),
    ],
)
def test_values_that_do_not_fit(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        small(**parameters).fit(INPUTS, TARGETS)


@pytest.mark.parametrize(
    "parameters",
    [
        {"units": np.int64(8)},
        {"spectral_radius": None},
        {"spectral_radius": 0},
        {"leak_rate": (1,) * 8},
        {"leak_rate": np.float32(0.5)},
        {"density": 1},
        {"readout_from": ["state"]},
        {"topology_options": {}},
        {"readout": LeastMeanSquares()},
        {"readout": RecursiveLeastSquares()},
    ],
    ids=str,
)
def test_values_at_the_border_are_taken(parameters: dict[str, Any]) -> None:
    assert small(**parameters).fit(INPUTS, TARGETS).predict(INPUTS).shape == (60, 2)


def test_long_values_are_cut_in_the_message() -> None:
    with pytest.raises(ParameterError, match=r"Got \[1.0, 1.0, .*\.\.\. instead") as error:
        small(leak_rate=[1.0] * 500 + [2.0]).fit(INPUTS, TARGETS)
    assert len(str(error.value)) < 250


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_an_exploding_reservoir_that_stays_finite_has_diverged(scale: float) -> None:
    inputs = scale * INPUTS[:, :1].repeat(8, axis=1).reshape(-1, 1)
    settings = {"units": 20, "activation": "identity", "topology": "orthogonal", "leak_rate": 1.0, "bias_scaling": 0.0}
    for radius in (1.1, 0.9):  # 1.1^480 is 7e19
        esn = small(**settings, spectral_radius=radius)
        assert np.isfinite(esn.build(1).states(inputs)).all()
        if radius < 1.0:
            esn.fit(inputs, inputs[:, 0])
            continue
        with pytest.raises(DivergenceError, match="times the largest drive, at step"):
            esn.fit(inputs, inputs[:, 0])


def test_a_silent_reservoir_that_forgets_its_start_has_not_diverged() -> None:
    silence = np.zeros(300)
    for start in ("zero", "random"):
        esn = small(activation="identity", spectral_radius=0.5, bias_scaling=0.0, initial_state=start)
        assert not esn.fit(silence, silence).predict(silence).any()


def test_an_unknown_parameter_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"^ESN has no parameter 'size'. Known: units, "):
        ESN(size=8)


def test_a_first_forecast_out_of_range_is_step_zero() -> None:
    series = np.sin(0.2 * np.arange(300.0))
    esn = ESN(units=30, activation="identity", random_state=0, washout=10).fit(series)
    esn.readout_.coefficients_ = 1e9 * esn.readout_.coefficients_
    with pytest.raises(DivergenceError, match="diverged at step 0 of sequence 0"):
        esn.forecast(series, 1)


EXPLODING = {"activation": "identity", "spectral_radius": 1e200}
FAILING: dict[str, tuple[dict[str, Any], Any, type[Exception]]] = {
    "reservoir": (EXPLODING, TARGETS, DivergenceError),
    "targets": ({}, np.where(np.arange(60)[:, None] == 50, np.nan, TARGETS), DataError),
    "readout": ({"readout": LeastMeanSquares(learning_rate=1e9, normalized=False)}, 1e100 * TARGETS, DivergenceError),
    "matrix": ({"topology": np.zeros((8, 8)), "spectral_radius": 1.0}, TARGETS, ParameterError),
}


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("name", FAILING)
def test_a_fit_that_fails_does_not_say_fitted(name: str, method: str) -> None:
    parameters, targets, error = FAILING[name]
    esn = small(**{"readout": RecursiveLeastSquares(), **parameters})
    with pytest.raises(error):
        getattr(esn, method)(INPUTS, targets)
    assert not esn.__sklearn_is_fitted__() and vars(esn) == esn.get_params(deep=False)
    with pytest.raises(NotFittedError):
        esn.predict(INPUTS)


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("name", ["targets", "readout", "inputs"])
def test_a_fit_that_fails_leaves_the_earlier_one(name: str, method: str, tmp_path: Path) -> None:
    readout = LeastMeanSquares(learning_rate=1e-3, normalized=False) if name == "readout" else RecursiveLeastSquares()
    esn = small(readout=readout, noise=0.01).fit(INPUTS, TARGETS)
    predictions, attributes = esn.predict(INPUTS), set(vars(esn))
    twin = copy.deepcopy(esn)
    targets = FAILING["targets"][1] if name == "targets" else TARGETS
    inputs = INPUTS[:, :2] if name == "inputs" and method == "partial_fit" else INPUTS[:5] if name == "inputs" else INPUTS
    for part in (esn.readout, esn.readout_) if name == "readout" else ():
        part.learning_rate = 1e100
    with pytest.raises((DataError, DivergenceError)):
        getattr(esn, method)(inputs, targets)
    for part in (esn.readout, esn.readout_) if name == "readout" else ():
        part.learning_rate = 1e-3
    assert set(vars(esn)) == attributes
    np.testing.assert_array_equal(esn.predict(INPUTS), predictions)
    esn.save(tmp_path / "esn")
    np.testing.assert_array_equal(load(tmp_path / "esn").predict(INPUTS), predictions)
    esn.partial_fit(INPUTS, TARGETS), twin.partial_fit(INPUTS, TARGETS)  # the same noise, the same sums
    np.testing.assert_array_equal(esn.predict(INPUTS), twin.predict(INPUTS))


def test_build_forgets_a_fit() -> None:
    esn = small().fit(INPUTS, TARGETS).build(2)
    assert esn.input_weights_.shape == (8, 2) and not esn.__sklearn_is_fitted__()
