"""Parameters of echo state networks that are refused, and fits that fail."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from messages import mentions
from networks import INPUTS, TARGETS, small
from sklearn.exceptions import NotFittedError

from reservoir import (
    ESN,
    DataError,
    DivergenceError,
    LeastMeanSquares,
    ParameterError,
    RecursiveLeastSquares,
    Ridge,
    load,
)

ARRAY = "(-inf, inf)"
PARAMETERS = [
    ("units", [0, -1, 2.5, "8", None, True, np.nan], "integer [1, inf)"),
    ("spectral_radius", [-0.1, np.inf, "big", True, [0.9]], "[0, inf) None"),
    ("density", [0.0, -0.1, 1.01, None], "(0, 1]"),
    (
        "leak_rate",
        [0.0, 1.01, [0.5, 0.0], [], np.array(0.5), np.ones((2, 2)), "1", None],
        "(0, 1]",
    ),
    ("input_scaling", [None, "1", np.nan, [1.0, None]], ARRAY),
    ("bias_scaling", [None, "1", np.inf, np.array([np.nan])], ARRAY),
    ("feedback_scaling", [None, "1", np.nan, []], ARRAY),
    ("topology", ["diagonal", None, 3], "diagonals random"),
    ("topology_options", ["jump", 3, ["jump"]], "None dict"),
    ("activation", ["tahn", None, np.tanh], "identity tanh sigmoid relu"),
    ("input_weights", ["unform", None, 1.0], "uniform normal sign alternating pi"),
    ("input_density", [0.0, 1.1, None], "(0, 1]"),
    ("noise", [-0.1, None, [0.1]], "[0, inf)"),
    ("washout", [-1, 2.5, None, True], "integer [0, inf)"),
    ("readout", [None, "Ridge", Ridge, 1e-8], "Ridge RidgeClassifier"),
    (
        "readout_from",
        [(), "state", ("stat",), ("state", "state"), None, (1,)],
        "bias input output square state",
    ),
    ("pooling", ["first", None, 1], "last mean every"),
    ("initial_state", ["zeros", None, 0.0], "zero random"),
    ("dtype", ["float16", np.float32, None], "float64 float32"),
]


def test_every_constraint_is_in_the_table() -> None:
    assert [name for name, *_ in PARAMETERS] == list(ESN.constraints)
    assert set(ESN.parameter_names()) - set(ESN.constraints) == {"random_state"}


@pytest.mark.parametrize(
    ("name", "value", "text"), [(name, value, text) for name, values, text in PARAMETERS for value in values]
)
def test_parameters_are_checked(name: str, value: Any, text: str) -> None:
    with pytest.raises(ParameterError, match=mentions(f"'{name}' ESN {text}")) as error:
        small(**{name: value}).fit(INPUTS, TARGETS)
    assert "\n" not in str(error.value)
    with pytest.raises(ParameterError, match=mentions(f"'{name}'")):
        small(**{name: value}).build(3)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"activation": "tahn"}, "'tahn' tanh"),
        ({"readout": Ridge(-1.0)}, "'ridge' Ridge"),
        ({"leak_rate": [0.5] * 7}, "'leak_rate' ESN 8 7"),
        ({"initial_state": [0.5] * 7}, "'initial_state' ESN 8 7"),
        ({"initial_state": [np.nan] * 8}, "'initial_state' ESN"),
        ({"initial_state": ["a"] * 8}, "'initial_state' ESN"),
        ({"input_scaling": [1.0] * 4}, "'input_scaling' ESN 3 4"),
        ({"random_state": -1}, "'random_state' [0, inf) NumPy"),
        ({"random_state": "0"}, "'random_state'"),
        ({"random_state": 1.5}, "'random_state'"),
    ],
)
def test_values_that_do_not_fit(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=mentions(message)):
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
    with pytest.raises(ParameterError, match=mentions("[1.0, 1.0")) as error:
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
        with pytest.raises(DivergenceError, match=mentions("largest times")):
            esn.fit(inputs, inputs[:, 0])


def test_a_silent_reservoir_that_forgets_its_start_has_not_diverged() -> None:
    silence = np.zeros(300)
    for start in ("zero", "random"):
        esn = small(activation="identity", spectral_radius=0.5, bias_scaling=0.0, initial_state=start)
        assert not esn.fit(silence, silence).predict(silence).any()


def test_an_unknown_parameter_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=mentions("ESN 'size'")):
        ESN(size=8)


def test_a_first_forecast_out_of_range_is_step_zero() -> None:
    series = np.sin(0.2 * np.arange(300.0))
    esn = ESN(units=30, activation="identity", random_state=0, washout=10).fit(series)
    esn.readout_.coefficients_ = 1e9 * esn.readout_.coefficients_
    with pytest.raises(DivergenceError, match=mentions("0 diverged")):
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
