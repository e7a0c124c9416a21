"""Model files of networks trained by gradient, and of nested estimators."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from messages import mentions
from model_files import INPUTS, RNG, assert_same, through_file
from safetensors import safe_open
from safetensors.numpy import save_file

from reservoir import (
    GRU,
    LSTM,
    MGU,
    ClockworkRNN,
    DataError,
    Elman,
    IndRNN,
    ModelFileError,
    ParameterError,
    Training,
    load,
)
from reservoir.base.tensor_file import checksum
from reservoir.echo.readouts.table import READOUTS
from reservoir.models import PARTS

# Networks trained by gradient


FEW = Training(epochs=2, validation_fraction=0.2, truncation=[2, 3], clip_norm=None)
TRAINED: dict[str, Any] = {
    "elman": Elman(activation="relu", layers=2, layer_norm=True, training=FEW),
    "lstm": LSTM(peepholes=True, forget_bias=2.0, training=FEW, dtype="float64"),
    "gru": GRU(reset_gate="before", dropout=0.2, dropout_mask="sequence", training=FEW),
    "mgu": MGU(bias_init="normal", init_scale=np.float32(0.3), standardize=False, training=FEW),
    "indrnn": IndRNN(recurrent_bound=0.9, input_init="normal", training=FEW),
    "clockwork": ClockworkRNN(periods=np.array([1, 3]), activation="sigmoid", training=FEW),
    "bidirectional": LSTM(bidirectional=True, training=Training(epochs=2, algorithm="bptt", patience=3)),
}


def trained(name: str) -> Any:
    return TRAINED[name].set_params(units=5, random_state=3)


def assert_same_network(comp: Any, ref: Any) -> None:
    for parameter, value in ref.get_params().items():
        if parameter != "training":
            assert_same(comp.get_params()[parameter], value)
    assert comp.history_ == ref.history_ and list(comp.weights_) == list(ref.weights_)
    for name, array in ref.weights_.items():
        assert comp.weights_[name].dtype == array.dtype
        np.testing.assert_array_equal(comp.weights_[name], array)
    assert (comp.n_features_in_, comp.n_outputs_, comp.n_parameters_) == (ref.n_features_in_, ref.n_outputs_, ref.n_parameters_)


@pytest.mark.parametrize("name", list(TRAINED))
def test_trained_networks(name: str, tmp_path: Path) -> None:
    ref = trained(name).fit(INPUTS)
    comp = through_file(ref, tmp_path)
    assert_same_network(comp, ref)
    np.testing.assert_array_equal(comp.predict(INPUTS), ref.predict(INPUTS))
    np.testing.assert_array_equal(comp.states(INPUTS), ref.states(INPUTS))
    if name != "bidirectional":
        np.testing.assert_array_equal(comp.forecast(INPUTS, 30), ref.forecast(INPUTS, 30))
    np.testing.assert_array_equal(comp.fit(INPUTS).predict(INPUTS), ref.predict(INPUTS))
    assert_same_network(through_file(comp, tmp_path), comp)


@pytest.mark.parametrize("pooling", ["last", "mean", "attention"])
@pytest.mark.parametrize("targets", [[1.0, 2.0, 3.0, 4.0], RNG.normal(size=(4, 3)), np.array(["a", "b", "b", "a"])])
def test_values_per_sequence_of_trained_networks(targets: Any, pooling: str, tmp_path: Path) -> None:
    sequences, loss = np.split(INPUTS, 4), "cross_entropy" if isinstance(targets[0], str) else "squared_error"
    ref = LSTM(4, pooling=pooling, loss=loss, random_state=0, training=Training(epochs=2)).fit(sequences, targets)
    comp = through_file(ref, tmp_path)
    assert_same_network(comp, ref)
    np.testing.assert_array_equal(comp.predict(sequences), ref.predict(sequences))
    if loss == "cross_entropy":
        np.testing.assert_array_equal(comp.predict_proba(sequences), ref.predict_proba(sequences))


@pytest.mark.parametrize("kind", ["one-hot", "learned"])
def test_symbols_of_trained_networks(kind: str, tmp_path: Path) -> None:
    codes = RNG.integers(0, 6, 50)
    ref = GRU(4, symbols=kind, symbol_size=3, random_state=0, training=Training(epochs=2)).fit(codes, codes * 1.0)
    comp = through_file(ref, tmp_path)
    assert_same_network(comp, ref)
    np.testing.assert_array_equal(comp.predict(codes), ref.predict(codes))
    with pytest.raises(DataError, match=mentions("[0, 5] integers")):
        comp.predict([6])


def test_a_network_without_inputs(tmp_path: Path) -> None:
    ref = LSTM(4, bias_init="normal", random_state=0, training=Training(epochs=2)).fit(np.empty((160, 0)), INPUTS)
    np.testing.assert_array_equal(through_file(ref, tmp_path).forecast(INPUTS, 9), ref.forecast(INPUTS, 9))


@pytest.mark.parametrize(
    "changed",
    [{"units": 6}, {"layers": 2}, {"dtype": "float64"}, {"bidirectional": True}, {"layer_norm": True}, {"activation": "relu"}],
    ids=str,
)
def test_parameters_changed_after_training_are_not_saved(changed: dict[str, Any], tmp_path: Path) -> None:
    model = Elman(5, training=Training(epochs=1), random_state=0).fit(INPUTS)
    with pytest.raises(ParameterError, match=mentions("changed after")):
        model.set_params(**changed).save(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


MISFITS: dict[str, Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], Any]] = {
    "fewer weights": lambda tensors, parameters, state: tensors.update(weights=tensors["weights"][:-1]),
    "more weights": lambda tensors, parameters, state: tensors.update(weights=np.append(tensors["weights"], np.float32(0))),
    "a matrix": lambda tensors, parameters, state: tensors.update(weights=tensors["weights"][None]),
    "another type": lambda tensors, parameters, state: tensors.update(weights=tensors["weights"].astype(np.float64)),
    "no weights": lambda tensors, parameters, state: tensors.pop("weights"),
    "no scale": lambda tensors, parameters, state: tensors.pop("input_scale"),
    "a scale more": lambda tensors, parameters, state: tensors.update(input_scale=np.ones(3)),
    "a shift less": lambda tensors, parameters, state: tensors.update(output_shift=np.ones(1)),
    "a shift of another type": lambda tensors, parameters, state: tensors.update(output_shift=np.ones(2, np.int64)),
    "more units": lambda tensors, parameters, state: parameters.update(units=6),
    "another activation": lambda tensors, parameters, state: parameters.update(activation="exp"),
    "no such parameter": lambda tensors, parameters, state: parameters.update(gates=3),
    "training": lambda tensors, parameters, state: parameters["training"]["parameters"].update(epochs=-1),
    "more inputs": lambda tensors, parameters, state: state.update(n_inputs=3),
    "inputs as text": lambda tensors, parameters, state: state.update(n_inputs="2"),
    "more outputs": lambda tensors, parameters, state: state.update(n_outputs=3),
    "no history": lambda tensors, parameters, state: state.pop("history"),
    "no alphabet": lambda tensors, parameters, state: state.pop("alphabet"),
    "another class": lambda tensors, parameters, state: parameters.update(loss="cross_entropy"),
}


@pytest.mark.parametrize("name", list(MISFITS))
def test_parts_of_a_trained_network_that_do_not_fit(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    Elman(5, training=Training(epochs=1), random_state=0).fit(INPUTS).save(path)
    with safe_open(path, "numpy") as file:
        tensors, metadata = {key: file.get_tensor(key) for key in file.keys()}, file.metadata()  # noqa: SIM118
    description = json.loads(metadata["description"])
    MISFITS[name](tensors, description["parameters"], description["state"])
    metadata["description"] = json.dumps(description)
    save_file(tensors, path, {**metadata, "checksum": checksum(tensors, metadata)})
    with pytest.raises(ModelFileError, match=mentions(f"{path} together")) as caught:
        load(path)
    assert "\n" not in str(caught.value)


# Nested estimators and the checksum


@pytest.mark.parametrize("name", list(READOUTS))
def test_every_readout_is_found(name: str) -> None:
    assert getattr(import_module(PARTS[name]), name) is READOUTS[name]


def test_the_checksum_is_of_every_part_with_its_length() -> None:
    tensors = {"b": np.array([[1.0, -2.0]]), "a": np.array([3, 4], ">i4"), "c": np.empty((0, 2)), "d": np.array(True)}
    metadata = {"model": "ESN", "format": "ö", "checksum": "left out"}
    # In the order of the names, little-endian
    parts = [b"format", "ö".encode(), b"model", b"ESN"]
    parts += [b"a <i4 (2,)", struct.pack("<2i", 3, 4), b"b <f8 (1, 2)", struct.pack("<2d", 1.0, -2.0)]
    parts += [b"c <f8 (0, 2)", b"", b"d |b1 ()", b"\1"]
    ref = hashlib.sha256(b"".join(struct.pack("<Q", len(part)) + part for part in parts)).hexdigest()
    assert checksum(tensors, metadata) == ref
