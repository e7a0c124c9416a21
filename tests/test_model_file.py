"""Saving and loading: nothing is lost on the way, and a file is written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from messages import mentions
from model_files import INPUTS, RNG, Readable, assert_same, through_file

from reservoir import (
    ESN,
    DataError,
    LeastMeanSquares,
    Logistic,
    ParameterError,
    RecursiveLeastSquares,
    Ridge,
    RidgeClassifier,
    load,
)

N = 16


def network(**parameters: Any) -> ESN:
    return ESN(**{"units": N, "density": 0.2, "washout": 20, "readout": Ridge(1e-2), "random_state": 3, **parameters})


# Nothing is lost


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
    with pytest.raises(ParameterError, match=mentions("partial_fit")):
        comp.partial_fit(INPUTS, targets)


def test_nothing_to_continue_after_loading(tmp_path: Path) -> None:
    comp = through_file(network(readout=LeastMeanSquares()).fit(INPUTS), tmp_path)
    with pytest.raises(DataError, match=mentions("continue nothing")):
        comp.partial_fit(INPUTS, continued=True)


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
        with pytest.raises(ParameterError, match=mentions("changed after")):
            esn.set_params(**changed).save(tmp_path / "model.safetensors")
        np.testing.assert_array_equal(esn.predict(wave), ref)
    assert list(tmp_path.iterdir()) == []


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    ESN(units=10, washout=0, random_state=0).fit(np.sin(np.arange(50.0))).save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").is_file()
