"""Model files that are damaged, foreign or made up: each is refused in one line, and nothing in it is run."""

from __future__ import annotations

import json
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from safetensors import safe_open
from safetensors.numpy import save_file

from reservoir import ESN, Logistic, ModelFileError, RecursiveLeastSquares, load
from reservoir.base.tensor_file import checksum

INPUTS = np.random.default_rng(0).normal(size=(60, 2))
N = 16


def saved(folder: Path, **parameters: Any) -> Path:
    esn = ESN(**{"units": N, "density": 0.2, "washout": 5, "random_state": 0, **parameters})
    labels = (INPUTS[:, 0] > 0.0).astype(int)
    esn.fit(INPUTS, labels if esn.readout.classifier else INPUTS).save(folder / "model")
    return folder / "model"


def refused(path: Path, match: str) -> None:
    """One line that begins with the path."""
    with pytest.raises(ModelFileError, match=match) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file that holds every kind of tensor but other storages of W."""
    folder = tmp_path_factory.mktemp("model")
    return saved(folder, readout=RecursiveLeastSquares(), feedback_scaling=0.1, leak_rate=np.full(N, 0.5)).read_bytes()


def header_length(content: bytes) -> int:
    return 8 + int.from_bytes(content[:8], "little")


DAMAGED = "is damaged or not a model file"
CHECKSUM = "is damaged, its content does not match its checksum"


def test_truncated_or_too_long(content: bytes, tmp_path: Path) -> None:
    path, header = tmp_path / "cut", header_length(content)
    for length in [*range(20), 100, header - 1, header, header + 1, *range(header + 2, len(content), 311), len(content) - 1]:
        path.write_bytes(content[:length])
        refused(path, DAMAGED)
    path.write_bytes(content + b"\0")
    refused(path, DAMAGED)


def test_flipped_bytes_in_the_header(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "flipped"
    for position in range(header_length(content)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0x80]) + content[position + 1 :])
        refused(path, DAMAGED)  # no longer ASCII
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        refused(path, "is damaged|is a safetensors file, but not|has format version")  # also where a digit has become another


def test_flipped_bits_in_the_tensors(content: bytes, tmp_path: Path) -> None:
    path, header = tmp_path / "flipped", header_length(content)
    for position in range(header, len(content)):
        bit = 1 << position % 8
        path.write_bytes(content[:position] + bytes([content[position] ^ bit]) + content[position + 1 :])
        refused(path, CHECKSUM)


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes(seed: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(seed).bytes(50 * seed)
    for prefix in (b"", len(noise).to_bytes(8, "little"), (2).to_bytes(8, "little") + b"{}"):
        (tmp_path / "noise").write_bytes(prefix + noise)
        refused(tmp_path / "noise", "is damaged or not a model file|is a safetensors file, but not a model")


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    (tmp_path / "model").write_bytes(pickle.dumps(Bomb()))
    refused(tmp_path / "model", DAMAGED)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(("make", "error"), [(Path.mkdir, IsADirectoryError), (lambda path: None, FileNotFoundError)])
def test_no_file(make: Callable[[Path], Any], error: type[OSError], tmp_path: Path) -> None:
    make(tmp_path / "model")
    with pytest.raises(error, match=re.escape(str(tmp_path / "model"))):
        load(tmp_path / "model")


# Files of another make


Change = Callable[[dict[str, Any], dict[str, str]], Any]


def parts(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The tensors and the metadata of a file."""
    with safe_open(path, "numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def rewritten(path: Path, change: Change) -> Path:
    """The file with its tensors and metadata changed, and a checksum that fits them."""
    tensors, metadata = parts(path)
    change(tensors, metadata)
    tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    save_file(tensors, path, {**metadata, "checksum": checksum(tensors, metadata)})
    return path


def whole(content: bytes, folder: Path) -> Path:
    (folder / "model").write_bytes(content)
    return folder / "model"


def test_rewriting_alone_changes_nothing(content: bytes, tmp_path: Path) -> None:
    assert isinstance(load(rewritten(whole(content, tmp_path), lambda tensors, metadata: None)), ESN)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}])
def test_foreign_safetensors(metadata: dict[str, str] | None, tmp_path: Path) -> None:
    save_file({"weights": np.ones(3)}, tmp_path / "model", metadata)
    refused(tmp_path / "model", "is a safetensors file, but not a model file of this library")


VERSION = "this release reads 1; upgrade clockwork-reservoir"
DESCRIPTION = "is damaged, its description cannot be read"
MISFIT = "is damaged, its parts do not fit together"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        *[("version", version, VERSION) for version in ("2", "0", "", "-1", "1.0", "one", "\u00b2", "9" * 5000)],
        ("model", "RNN", "holds an object of class 'RNN', which this release does not know.$"),
        *[("description", text, DESCRIPTION) for text in ("", "{", "[]", "3", "null", "{}", '{"parameters": 3}', "[" * 10**5)],
        ("description", '{"parameters": {}}', DESCRIPTION),
        ("description", '{"parameters": {}, "state": {}}', MISFIT),
        ("description", '{"parameters": {}, "state": 3}', MISFIT),
        ("format", "clockwork", "is a safetensors file, but not a model"),
        ("format", None, "is a safetensors file, but not a model"),
        ("version", None, VERSION),
        ("model", None, DESCRIPTION),
        ("description", None, DESCRIPTION),
    ],
    ids=lambda value: str(value)[:20],
)
def test_metadata(name: str, value: str | None, message: str, content: bytes, tmp_path: Path) -> None:
    def change(_: Any, metadata: dict[str, str]) -> None:
        metadata.pop(name)
        metadata.update({} if value is None else {name: value})

    refused(rewritten(whole(content, tmp_path), change), message)


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors, metadata: tensors.update(extra=np.zeros(1)),
        lambda tensors, metadata: tensors.update(bias=tensors["leak"], leak=tensors["bias"]),
        lambda tensors, metadata: tensors.update(coefficients=tensors["coefficients"].reshape(2, -1)),
        lambda tensors, metadata: tensors.update(shifts=tensors["shifts"].view(np.uint64)),
        lambda tensors, metadata: metadata.update(description=metadata["description"].replace('"washout": 5', '"washout": 6')),
        lambda tensors, metadata: metadata.update(extra=""),
    ],
    ids=["one more tensor", "tensors swapped", "shape", "type", "a parameter", "one more entry"],
)
def test_what_the_checksum_covers(change: Change, content: bytes, tmp_path: Path) -> None:
    path = whole(content, tmp_path)
    tensors, metadata = parts(path)
    change(tensors, metadata)
    save_file(tensors, path, metadata)
    refused(path, CHECKSUM)


READOUT = {"estimator": "RecursiveLeastSquares", "parameters": {}}


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("parameters.unit", 3, MISFIT),
        ("parameters.units", N + 1, MISFIT),
        ("parameters.units", "many", MISFIT),
        ("parameters.activation", "tan", r"\(The 'activation' parameter of ESN must be .* Got 'tan' instead"),
        ("parameters.readout", 3.0, "The 'readout' parameter"),
        (
            "parameters.readout",
            {**READOUT, "estimator": "ESN"},
            r"its parts do not fit together \(The 'readout' parameter of ESN must be a readout: ",
        ),
        ("parameters.readout", {**READOUT, "estimator": ["Ridge"]}, DESCRIPTION),
        ("parameters.readout", {**READOUT, "parameters": {"ridges": 1.0}}, DESCRIPTION),
        ("parameters.readout", {**READOUT, "parameters": 3}, DESCRIPTION),
        ("parameters.readout", {**READOUT, "parameters": {"ridge": -1.0}}, "The 'ridge' parameter of RecursiveLeastSquares"),
        ("parameters.readout_from", ["input", "state"], MISFIT),
        ("parameters.leak_rate", {"array": "nowhere"}, DESCRIPTION),
        ("parameters.leak_rate", {"arrays": "parameter.leak_rate"}, DESCRIPTION),
        ("parameters.topology", {"sparse": "nowhere", "shape": [N, N]}, DESCRIPTION),
        ("parameters", [], DESCRIPTION),
        ("state", [], MISFIT),
        ("state.n_inputs", 3, MISFIT),
        ("state.n_inputs", "2", MISFIT),
        ("state.n_outputs", 1, MISFIT),
        ("state.per_step", ..., MISFIT),
        ("state.noise_seed", 3, MISFIT),
        ("state.noise_seed", ["seed", [], 0], MISFIT),
        ("state.noise_seed", ["1", [-1], 0], MISFIT),
    ],
    ids=str,
)
def test_description(where: str, value: Any, message: str, content: bytes, tmp_path: Path) -> None:
    def change(_: Any, metadata: dict[str, str]) -> None:
        description = json.loads(metadata["description"])
        *outer, last = where.split(".")
        part = description[outer[0]] if outer else description
        part.pop(last, None)
        part.update({} if value is ... else {last: value})
        metadata["description"] = json.dumps(description)

    refused(rewritten(whole(content, tmp_path), change), message)


# Tensors that do not fit


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "row less": lambda a: a[:-1],
    "row more": lambda a: np.concatenate([a, a[:1]]),
    "column less": lambda a: a[..., :-1],
    "column more": lambda a: np.concatenate([a, a[..., :1]], axis=-1),
    "axis more": lambda a: a[..., None],
    "flat": lambda a: a.ravel() if a.ndim > 1 else a[:, None],
    "scalar": lambda a: np.array(1.0),
    "empty": lambda a: a[:0],
}
TENSORS = {
    "diagonals": ["shifts", "values", "bias", "leak", "initial_state", "input_weights", "feedback_weights"],
    "random": ["data", "indices", "indptr"],
    "dense": ["matrix", "coefficients", "inverse", "classes"],
}
EVERY = [(topology, name) for topology, names in TENSORS.items() for name in names]


def with_tensors(folder: Path, topology: str, name: str) -> Path:
    readout = Logistic() if name == "classes" else RecursiveLeastSquares()
    return saved(folder, topology=topology, readout=readout, feedback_scaling=0.1)


@pytest.mark.parametrize("change", list(CHANGES))
@pytest.mark.parametrize(("topology", "name"), EVERY)
def test_shape_of_a_tensor(topology: str, name: str, change: str, tmp_path: Path) -> None:
    path = with_tensors(tmp_path, topology, name)
    refused(rewritten(path, lambda tensors, _: tensors.update({name: CHANGES[change](tensors[name])})), MISFIT)


@pytest.mark.parametrize(("topology", "name"), EVERY)
def test_missing_tensor(topology: str, name: str, tmp_path: Path) -> None:
    refused(rewritten(with_tensors(tmp_path, topology, name), lambda tensors, _: tensors.pop(name)), MISFIT)


@pytest.mark.parametrize(("topology", "name"), [("diagonals", "shifts"), ("random", "indices"), ("random", "indptr")])
@pytest.mark.parametrize("value", [N, -1, 10**6])
def test_indices_out_of_range(topology: str, name: str, value: int, tmp_path: Path) -> None:
    def change(tensors: dict[str, Any], _: Any) -> None:
        tensors[name][0] = value

    refused(rewritten(saved(tmp_path, topology=topology), change), MISFIT)


def test_own_sparse_matrix_with_an_index_out_of_range(tmp_path: Path) -> None:
    path = saved(tmp_path, topology=sp.csr_array(np.eye(N)))
    refused(rewritten(path, lambda tensors, _: tensors["parameter.topology.indices"].__setitem__(3, N)), DESCRIPTION)
