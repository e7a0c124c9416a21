"""Saving and loading: nothing is lost on the way, and a file is written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import numbers
import os
import struct
from collections.abc import Callable
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from safetensors import safe_open
from safetensors.numpy import save_file

from reservoir import (
    ESN,
    GRU,
    LSTM,
    MGU,
    ClockworkRNN,
    DataError,
    Elman,
    IndRNN,
    LeastMeanSquares,
    Logistic,
    ModelFileError,
    ParameterError,
    RecursiveLeastSquares,
    Ridge,
    RidgeClassifier,
    Training,
    load,
)
from reservoir.base.tensor_file import checksum
from reservoir.echo.readouts.table import READOUTS
from reservoir.models import PARTS

RNG = np.random.default_rng(0)
T = np.arange(160)
INPUTS = np.stack([np.sin(0.3 * T), np.cos(0.21 * T)], axis=1) + 0.05 * RNG.normal(size=(160, 2))
N = 16


def network(**parameters: Any) -> ESN:
    return ESN(**{"units": N, "density": 0.2, "washout": 20, "readout": Ridge(1e-2), "random_state": 3, **parameters})


def through_file(esn: ESN, folder: Path) -> ESN:
    esn.save(folder / "model.safetensors")
    return load(folder / "model.safetensors")


# Nothing is lost


class Readable:
    """What NumPy can read as an array, as a table of pandas is."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype)


W = RNG.normal(size=(N, N)) * (RNG.random((N, N)) < 0.3)
PARAMETERS: dict[str, dict[str, Any]] = {
    "diagonals": {},
    "csr": {"topology": "random", "topology_options": {"weights": "normal"}},
    "dense": {"topology": "dense", "spectral_radius": None},
    "options": {"topology": "cycle_jumps", "topology_options": {"jump": 7, "jump_weight": 0.3}},
    "float32": {"dtype": "float32", "feedback_scaling": 0.2},
    "float32 dense": {"dtype": "float32", "topology": "orthogonal", "initial_state": "random"},
    "own array": {"topology": W},
    "own array, not contiguous": {"topology": W[::-1].T, "input_weights": RNG.normal(size=(2, N)).T},
    "own list": {"topology": W.tolist()},
    "own csr": {"topology": sp.csr_array(W)},
    "own coo": {"topology": sp.coo_array(W), "spectral_radius": None},
    "lists": {
        "leak_rate": [0.1, 0.9] * 8,
        "input_scaling": [0.5, 2.0],
        "bias_scaling": tuple(range(N)),
        "readout_from": ["state"],
    },
    "arrays": {"leak_rate": np.linspace(0.1, 1, N), "input_scaling": np.array([1, 2]), "initial_state": RNG.normal(size=N)},
    "list of arrays": {"input_weights": list(RNG.normal(size=(N, 2)))},
    "NumPy's numbers": {"units": np.int64(N), "leak_rate": np.float32(0.3), "washout": np.uint8(9), "random_state": np.int64(4)},
    "other numbers": {"leak_rate": np.longdouble(0.5), "spectral_radius": Fraction(1, 2), "input_scaling": [Fraction(1, 4), 2]},
    "other arrays": {"topology": Readable(W), "input_weights": RNG.normal(size=(N, 2)).astype(np.longdouble)},
    "objects": {"topology": W.astype(object), "leak_rate": np.full(N, 0.3, ">f4")},
    "feedback": {"feedback_scaling": [0.3, 0.1], "readout_from": ("state", "output", "bias")},
    "squares": {"readout_from": ("square", "state"), "activation": "sigmoid", "input_weights": "pi"},
    "noise": {"noise": 0.01, "random_state": 2**100 + 1},
    "no seed": {"random_state": None, "readout": Ridge(100.0)},  # so that no network that may be drawn diverges
    "Generator": {"random_state": np.random.default_rng(5)},
    "RandomState": {"random_state": np.random.RandomState(5), "noise": 0.1},
    "SeedSequence": {"random_state": np.random.SeedSequence([1, 2, 3], spawn_key=(4,)), "noise": 0.1},
    "list of ridges": {"readout": Ridge([1e-4, 1e-2, 1.0])},
    "array of ridges": {"readout": Ridge(np.array([1e-4, 1e-2]), solver="svd")},
    "qr": {"readout": Ridge(1e-3, solver="qr")},
    "recursive": {"readout": RecursiveLeastSquares(0.999, 1e-3), "noise": 0.01},
    "least mean squares": {"readout": LeastMeanSquares(0.1, normalized=False), "readout_from": ("output", "state")},
}


def assert_same(comp: Any, ref: Any) -> None:
    """Parameters: a tuple comes back as a list, another sparse format as CSR, and a source of seeds not at all."""
    if sp.issparse(ref):
        assert comp.format == "csr" and (comp != ref).nnz == 0
    elif isinstance(ref, (np.random.Generator, np.random.RandomState, np.random.SeedSequence)):
        assert comp is None
    elif isinstance(ref, (np.ndarray, Readable)):
        assert type(comp) is np.ndarray
        np.testing.assert_array_equal(comp, np.asarray(ref, dtype=comp.dtype))
    elif isinstance(ref, (list, tuple)):
        np.testing.assert_array_equal(comp, ref)
    elif isinstance(ref, numbers.Real) and not isinstance(ref, (int, np.integer)):
        assert type(comp) is float and comp == ref
    else:
        assert repr(comp) == repr(ref.item() if isinstance(ref, np.generic) else ref)


@pytest.mark.parametrize("name", list(PARAMETERS))
def test_round_trip(name: str, tmp_path: Path) -> None:
    ref = network(**PARAMETERS[name]).fit(INPUTS)
    comp = through_file(ref, tmp_path)
    for parameter, value in ref.get_params(deep=False).items():
        assert_same(getattr(comp, parameter), value)
    np.testing.assert_array_equal(comp.predict(INPUTS), ref.predict(INPUTS))
    np.testing.assert_array_equal(comp.forecast(INPUTS, 30), ref.forecast(INPUTS, 30))
    np.testing.assert_array_equal(comp.states(INPUTS, INPUTS), ref.states(INPUTS, INPUTS))
    assert comp.score(INPUTS[:-1], INPUTS[1:]) == ref.score(INPUTS[:-1], INPUTS[1:])
    for weights in ("recurrent_weights_", "input_weights_", "feedback_weights_", "bias_", "output_weights_"):
        a, b = (getattr(esn, weights) for esn in (comp, ref))
        np.testing.assert_array_equal(*(w.toarray() if sp.issparse(w) else w for w in (a, b)))
    assert (comp.n_features_in_, comp.n_outputs_, comp.n_parameters_) == (2, 2, ref.n_parameters_)
    if isinstance(ref.random_state, (int, np.integer)):  # fitted anew it is the same again, so that no parameter was lost
        np.testing.assert_array_equal(comp.fit(INPUTS).predict(INPUTS), ref.predict(INPUTS))


LABELS = (INPUTS[:, 0] > 0.0).astype(int) + (INPUTS[:, 0] > 0.7)


@pytest.mark.parametrize(
    "names",
    [
        np.array([-3, 5, 70000]),
        np.array([0, 1, 255], np.uint8),
        np.array([1.0, 2.0, 4.0]),
        np.array(["no", "mäßig", '\U0001f40d "yes" \\']),
        np.array([False, True, True]),
        np.array(["a", "b", "c"], dtype=object),
    ],
    ids=["int", "uint8", "float", "str", "bool", "object"],
)
@pytest.mark.parametrize("readout", [RidgeClassifier(1e-2), Logistic()], ids=repr)
def test_classes(readout: Any, names: np.ndarray, tmp_path: Path) -> None:
    ref = network(readout=readout).fit(INPUTS, names[LABELS])
    comp = through_file(ref, tmp_path)
    np.testing.assert_array_equal(comp.predict(INPUTS), ref.predict(INPUTS))
    np.testing.assert_array_equal(comp.classes_, np.unique(names))
    assert comp.classes_.dtype == names.dtype or names.dtype == object  # which come back as strings
    if isinstance(readout, Logistic):
        np.testing.assert_array_equal(comp.predict_proba(INPUTS), ref.predict_proba(INPUTS))


@pytest.mark.parametrize("pooling", ["last", "mean", "every"])
@pytest.mark.parametrize("targets", [[1.0, 2.0, 3.0, 4.0], RNG.normal(size=(4, 3)), np.array(["a", "b", "b", "a"])])
def test_values_per_sequence(targets: Any, pooling: str, tmp_path: Path) -> None:
    sequences = np.split(INPUTS, 4)
    readout = RidgeClassifier(1e-2) if isinstance(targets[0], str) else Ridge(1e-2)
    ref = network(readout=readout, pooling=pooling).fit(sequences, targets)
    np.testing.assert_array_equal(through_file(ref, tmp_path).predict(sequences), ref.predict(sequences))


@pytest.mark.parametrize("targets", [INPUTS[:, 0], INPUTS[:, :1]])
def test_output_axis(targets: np.ndarray, tmp_path: Path) -> None:
    ref = network().fit(INPUTS, targets)
    comp = through_file(ref, tmp_path).predict(INPUTS)
    assert comp.shape == targets.shape
    np.testing.assert_array_equal(comp, ref.predict(INPUTS))


# Going on


@pytest.mark.parametrize("parameters", [{}, {"noise": 0.02}, {"feedback_scaling": 0.3}], ids=str)
@pytest.mark.parametrize("readout", [RecursiveLeastSquares(0.99), LeastMeanSquares(0.3)], ids=repr)
def test_online_readouts_go_on(readout: Any, parameters: dict[str, Any], tmp_path: Path) -> None:
    ref = network(readout=readout, **parameters).fit(INPUTS)
    for _ in range(2):  # at each call there is further noise
        comp = through_file(ref, tmp_path)
        for esn in (ref, comp):
            esn.partial_fit(INPUTS[40:])
        np.testing.assert_array_equal(comp.predict(INPUTS), ref.predict(INPUTS))


@pytest.mark.parametrize("readout", [Ridge(1e-2), RidgeClassifier(1e-2)], ids=repr)
def test_batch_readouts_do_not_go_on(readout: Any, tmp_path: Path) -> None:
    targets = LABELS if readout.classifier else INPUTS
    comp = through_file(network(readout=readout).partial_fit(INPUTS, targets), tmp_path)
    with pytest.raises(ParameterError, match="partial_fit cannot go on: a model file holds the weights, not the sums"):
        comp.partial_fit(INPUTS, targets)


def test_nothing_to_continue_after_loading(tmp_path: Path) -> None:
    comp = through_file(network(readout=LeastMeanSquares()).fit(INPUTS), tmp_path)
    with pytest.raises(DataError, match="there is nothing to continue"):
        comp.partial_fit(INPUTS, continued=True)


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
    with pytest.raises(DataError, match=r"symbols must be integers in \[0, 5\]"):
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
    with pytest.raises(ParameterError, match="changed after fit"):
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
    with pytest.raises(ModelFileError, match=f"^{path}: is damaged, its parts do not fit together") as caught:
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


# Writing


def fitted(seed: int = 0) -> ESN:
    return network(random_state=seed).fit(INPUTS)


def test_overwriting(tmp_path: Path) -> None:
    through_file(fitted(1), tmp_path)
    np.testing.assert_array_equal(through_file(fitted(2), tmp_path).predict(INPUTS), fitted(2).predict(INPUTS))
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("kind", [str, Path])
def test_kinds_of_path(kind: Callable[[Path], Any], tmp_path: Path) -> None:
    fitted().save(kind(tmp_path / "a b.ü"))
    np.testing.assert_array_equal(load(kind(tmp_path / "a b.ü")).predict(INPUTS), fitted().predict(INPUTS))


def test_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fitted().save("model")
    assert isinstance(load("model"), ESN)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_mode_follows_the_umask(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        fitted().save(tmp_path / "model")
        assert os.umask(umask) == umask  # as it was
    finally:
        os.umask(before)
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize(
    ("target", "error"),
    [("missing/model", FileNotFoundError), ("file/model", NotADirectoryError), ("folder", IsADirectoryError)],
)
def test_where_no_file_can_be_written(target: str, error: type[OSError], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(error):
        fitted().save(tmp_path / target)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("where", [(Path, "write_bytes"), (os, "replace"), (os, "chmod")], ids=["write", "replace", "chmod"])
def test_failure_half_way_leaves_the_old_file(
    where: tuple[Any, str], error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    through_file(fitted(1), tmp_path)
    before = (tmp_path / "model.safetensors").read_bytes()

    def fail(*args: Any) -> None:
        if where[1] == "write_bytes":
            with open(args[0], "wb") as file:
                file.write(args[1][:100])
        raise error

    monkeypatch.setattr(*where, fail)
    with pytest.raises(type(error)):
        fitted(2).save(tmp_path / "model.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_parameters_changed_after_fit_are_not_saved(tmp_path: Path) -> None:
    wave = np.sin(np.arange(50.0))
    esn = ESN(units=10, washout=0, random_state=0).fit(wave)
    ref = esn.predict(wave)
    for changed in ({"units": 11}, {"units": 10, "readout_from": ["state"]}, {"readout_from": ["bias", "input", "square"]}):
        with pytest.raises(ParameterError, match="changed after fit"):
            esn.set_params(**changed).save(tmp_path / "model.safetensors")
        np.testing.assert_array_equal(esn.predict(wave), ref)
    assert list(tmp_path.iterdir()) == []


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    ESN(units=10, washout=0, random_state=0).fit(np.sin(np.arange(50.0))).save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").is_file()
