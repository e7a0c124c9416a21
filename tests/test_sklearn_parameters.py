"""Parameters and frames by scikit-learn's conventions."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.base
from messages import mentions
from sklearn_data import INPUTS, LABELS, RNG, TARGETS, small, trained

import reservoir
from reservoir import (
    ESN,
    LSTM,
    DataError,
    LeastMeanSquares,
    Logistic,
    ParameterError,
    RecursiveLeastSquares,
    Ridge,
    Training,
)
from reservoir.echo.parameters import DEFAULT_READOUT

# Parameters


FANCY: dict[str, Any] = {
    "leak_rate": np.linspace(0.1, 1.0, 30),
    "topology": "cycle_jumps",
    "topology_options": {"jump": 7},
    "input_weights": RNG.normal(size=(30, 2)),
    "readout": Ridge([1e-4, 1e-2], solver="svd"),
    "readout_from": ["state"],
    "initial_state": [0.5] * 30,
    "random_state": np.random.default_rng(5),
}


def test_clone() -> None:
    esn = small(**FANCY)
    comp = sklearn.base.clone(esn)
    for name in FANCY:
        assert getattr(comp, name) is not FANCY[name] or name == "topology"
    np.testing.assert_equal(comp.get_params()["leak_rate"], FANCY["leak_rate"])
    ref = esn.fit(INPUTS, TARGETS).predict(INPUTS)  # it advances its own Generator, not that of the clone
    np.testing.assert_array_equal(comp.fit(INPUTS, TARGETS).predict(INPUTS), ref)
    assert not {name for name in vars(sklearn.base.clone(esn)) if name.endswith("_") or name.startswith("_")}


def test_get_params_are_the_arguments() -> None:
    esn = small(**FANCY)
    for name, value in FANCY.items():
        assert getattr(esn, name) is value and esn.get_params()[name] is value
    deep = set(esn.get_params()) - set(esn.get_params(deep=False))
    assert deep == {"readout__ridge", "readout__solver", "topology_options__jump"}
    assert esn.get_params()["topology_options__jump"] == 7 and esn.get_params()["readout__solver"] == "svd"


def test_set_params() -> None:
    esn = small()
    assert esn.set_params(units=12, readout=RecursiveLeastSquares(), readout__forgetting=0.9, topology_options__jump=3) is esn
    assert (esn.units, repr(esn.readout), esn.topology_options) == (12, "RecursiveLeastSquares(forgetting=0.9)", {"jump": 3})
    esn.set_params(topology_options__jump_weight=0.1)
    assert esn.topology_options == {"jump": 3, "jump_weight": 0.1}


def test_set_params_on_one_leaves_the_other() -> None:
    readout, options = Ridge(1e-3), {"jump": 7}
    for parameters in ({}, {"readout": readout, "topology_options": options}):
        first, second = small(**parameters), small(**parameters)
        before = repr(second)
        first.set_params(readout__ridge=5.0, readout__solver="qr", topology_options__jump=9)
        assert repr(first.readout) == "Ridge(ridge=5.0, solver='qr')" and first.topology_options == {"jump": 9}
        assert repr(second) == before
    assert (repr(readout), options, repr(DEFAULT_READOUT)) == ("Ridge(ridge=0.001)", {"jump": 7}, "Ridge()")
    assert repr(ESN().readout) == "Ridge()"


def test_fitting_leaves_the_shared_readout_unfitted() -> None:
    first, second = small().fit(INPUTS, TARGETS), small(units=20).partial_fit(INPUTS, TARGETS)
    assert first.readout is second.readout is DEFAULT_READOUT
    assert set(vars(DEFAULT_READOUT)) == {"ridge", "solver"}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"unit": 3}, "'unit' ESN units spectral_radius"),
        ({"readout__rigde": 3}, "'rigde' Ridge ridge"),
        ({"ridge": 3}, "'ridge' ESN readout.ridge readout__ridge"),
        ({"jump": 3}, "topology_options.jump"),
        ({"raedout__ridge": 3}, "'raedout' readout"),
        ({"units__ridge": 3}, "'units' ESN 30"),
    ],
)
def test_set_params_checks_names(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=mentions(message)):
        small().set_params(**parameters)


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        (LSTM, "epochs", "training=Training(epochs=...)"),
        (ESN, "ridge", "readout=Ridge(ridge=...)"),
        (ESN, "jump", "topology_options={'jump': ...}"),
        (ESN, "unit", "units or density"),
        (Training, "epoch", "epochs"),
    ],
)
def test_constructors_check_names(kind: Any, name: str, near: str) -> None:
    with pytest.raises(TypeError) as error:
        kind(**{name: 3})
    assert str(error.value).startswith(f"{kind.__name__} has no parameter '{name}'. Did you mean {near}? Known: ")


def test_estimators_without_parameters_take_none() -> None:
    class Plain(reservoir.Readout):
        pass

    assert (repr(Plain()), Plain.parameter_names()) == ("Plain()", ())
    with pytest.raises(TypeError, match=mentions("1 positional")):
        Plain(3)  # type: ignore[call-arg]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda esn: pickle.loads(pickle.dumps(esn))])
@pytest.mark.parametrize("readout", [Ridge(1e-4), RecursiveLeastSquares(0.99), Logistic()], ids=repr)
def test_pickle(copied: Any, readout: Any) -> None:
    targets = LABELS if readout.classifier else TARGETS
    esn = small(readout=readout, noise=0.01).fit(INPUTS[:150], targets[:150])
    esn.predict(INPUTS)  # a network in use holds more than one just fitted
    comp = copied(esn)
    assert repr(comp) == repr(esn)
    np.testing.assert_array_equal(comp.predict(INPUTS), esn.predict(INPUTS))
    if not readout.classifier:
        for each in (comp, esn):
            each.partial_fit(INPUTS[150:], targets[150:])
        np.testing.assert_array_equal(comp.predict(INPUTS), esn.predict(INPUTS))


@pytest.mark.parametrize(
    ("estimator", "text"),
    [
        (ESN(), "ESN(readout=Ridge())"),
        (ESN(units=500, leak_rate=0.5, random_state=3), "ESN(leak_rate=0.5, readout=Ridge(), random_state=3)"),
        (ESN(spectral_radius=None, readout=Ridge([1.0, 2.0])), "ESN(spectral_radius=None, readout=Ridge(ridge=[1.0, 2.0]))"),
        (ESN(7, topology=np.eye(7)), "ESN(units=7, topology=<array (7, 7)>, readout=Ridge())"),
        (ESN(topology_options={"jump": 7}), "ESN(topology_options={'jump': 7}, readout=Ridge())"),
        (LeastMeanSquares(normalized=False), "LeastMeanSquares(normalized=False)"),
        (Ridge(), "Ridge()"),
    ],
)
def test_repr(estimator: Any, text: str) -> None:
    assert repr(estimator) == text
    if "<" not in text:
        assert repr(eval(text, vars(reservoir) | {name: getattr(reservoir, name) for name in reservoir.__all__})) == text


# Frames


class Frame:
    """What pandas' and polars' frames have in common."""

    def __init__(self, **columns: np.ndarray) -> None:
        self.columns, self._values = list(columns), np.stack(list(columns.values()), axis=1)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._values, dtype)


FRAME = Frame(wave=INPUTS[:, 0], noise=INPUTS[:, 1])
SWAPPED = Frame(noise=INPUTS[:, 1], wave=INPUTS[:, 0])


@pytest.mark.parametrize("model", [small(), trained(training=Training(epochs=1))], ids=lambda model: type(model).__name__)
def test_columns_in_another_order_are_refused(model: Any, tmp_path: Path) -> None:
    model = sklearn.base.clone(model).fit(FRAME)
    assert model.feature_names_in_.tolist() == ["wave", "noise"]
    model.save(tmp_path / "model")
    for network in (model, reservoir.load(tmp_path / "model")):
        for call in (network.predict, network.states, lambda u, network=network: network.forecast(u, 3)):
            with pytest.raises(DataError, match=r"wave, noise.* noise, wave"):
                call(SWAPPED)
            np.testing.assert_array_equal(call(FRAME), call(INPUTS))  # an array says nothing of its columns
    with pytest.raises(DataError, match=mentions("history feature")):
        model.forecast(Frame(wave=INPUTS[:, 0], nois=INPUTS[:, 1]), 3)
    assert not hasattr(model.fit(INPUTS), "feature_names_in_")


def test_more_data_in_another_order_are_refused() -> None:
    esn = small().partial_fit(FRAME, TARGETS)
    with pytest.raises(DataError, match=mentions("order noise")):
        esn.partial_fit(SWAPPED, TARGETS)
    assert not hasattr(esn.build(2), "feature_names_in_")
