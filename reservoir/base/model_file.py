"""Models in a file: safetensors (arrays behind a JSON header), no pickle, so that reading one cannot run code.

The header's metadata holds `format`, `version`, `model` (the class), `description`: JSON of the parameters and of whatever
else the class needs, and `checksum`, of all of these and of the tensors. Parameters that are arrays or sparse matrices are
stored as tensors beside the weights. Files of version 1 have no checksum.
"""

from __future__ import annotations

import hashlib
import json
import numbers
import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
import scipy.sparse as sp

from reservoir.base.estimator import Estimator
from reservoir.files.writing import replaced
from reservoir.validation import ModelFileError

FORMAT = "clockwork-reservoir"
VERSION = 2


def save_model(
    path: str | os.PathLike[str], model: Estimator, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]
) -> None:
    """Write a model's parameters, its `arrays`, and its JSON-able `state`. Raises OSError where that cannot be written."""
    from safetensors.numpy import save

    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    description = {"parameters": _encode(model, "parameter", tensors), "state": dict(state)}
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "model": type(model).__name__,
        "description": json.dumps(description),
    }
    metadata["checksum"] = checksum(tensors, metadata)
    data = save(tensors, metadata)
    with replaced(path) as temporary:
        temporary.write_bytes(data)


def read_model(
    path: str | os.PathLike[str], parts: Mapping[str, str]
) -> tuple[str, dict[str, Any], dict[str, np.ndarray], dict[str, Any]]:
    """Class name, parameters, arrays and state of a model file.

    parts : the modules of the estimators that can be parameters of others, by class; no other class is looked up

    Raises
    ------
    ModelFileError
        Not a model file, damaged, or from a newer version.
    OSError
        No such file, or it cannot be read.
    """
    import safetensors

    with open(path, "rb"):
        pass  # an unreadable file is the system's error, in the system's words
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except Exception as error:
        raise ModelFileError(f"{path}: is damaged or not a model file ({error}).") from None
    if metadata.get("format") != FORMAT:
        raise ModelFileError(f"{path}: is a safetensors file, but not a model saved by this library.")
    version = metadata.get("version", "")
    if version not in map(str, range(1, VERSION + 1)):
        raise ModelFileError(
            f"{path}: has format version {version!r}, this release reads up to {VERSION}; upgrade clockwork-reservoir."
        )
    if version != "1" and metadata.get("checksum") != checksum(tensors, metadata):
        raise ModelFileError(f"{path}: is damaged, its content does not match its checksum.")
    try:
        description = json.loads(metadata["description"])
        parameters = {name: _decode(value, tensors, parts) for name, value in description["parameters"].items()}
        return metadata["model"], parameters, tensors, description["state"]
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: is damaged, its description cannot be read ({error!r}).") from None


def checksum(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    """SHA-256 of tensors and metadata in the order of their names, in hexadecimal. It tells accidents, not forgeries.

    Each part goes in with its length before it, numbers as little-endian bytes; an entry "checksum" is left out.
    """
    digest = hashlib.sha256()

    def add(part: bytes | memoryview) -> None:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)

    for name in sorted(metadata.keys() - {"checksum"}):
        add(name.encode())
        add(metadata[name].encode())
    for name in sorted(tensors):
        stored = tensors[name].dtype.newbyteorder("<")
        add(f"{name} {stored.str} {tensors[name].shape}".encode())
        add(np.ascontiguousarray(tensors[name], stored).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _encode(model: Estimator, prefix: str, tensors: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: _encode_value(value, f"{prefix}.{name}", tensors) for name, value in model.get_params(deep=False).items()}


def _encode_value(value: Any, key: str, tensors: dict[str, np.ndarray]) -> Any:
    """A parameter as JSON: plain as it is, arrays by reference, estimators by class and parameters, sources of seeds as None."""
    if isinstance(value, Estimator):
        return {"estimator": type(value).__name__, "parameters": _encode(value, key, tensors)}
    if sp.issparse(value):
        csr = sp.csr_array(value)
        tensors.update({f"{key}.data": _storable(csr.data), f"{key}.indices": csr.indices, f"{key}.indptr": csr.indptr})
        return {"sparse": key, "shape": list(csr.shape)}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (str, int, type(None))):
        return value
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, (list, tuple)):
        return [_encode_value(item, f"{key}.{i}", tensors) for i, item in enumerate(value)]
    if isinstance(value, dict):
        return {"options": {name: _encode_value(item, f"{key}.{name}", tensors) for name, item in value.items()}}
    if isinstance(value, (np.random.Generator, np.random.RandomState, np.random.SeedSequence)):
        return None
    tensors[key] = _storable(np.asarray(value))
    return {"array": key}


def _storable(array: np.ndarray) -> np.ndarray:
    """The array, contiguous and of a type that the format has: float64 for objects and for numbers of more bits."""
    return np.ascontiguousarray(array if array.dtype.kind in "fiub" and array.itemsize <= 8 else array.astype(np.float64))


def _decode(value: Any, tensors: dict[str, np.ndarray], parts: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_decode(item, tensors, parts) for item in value]
    if not isinstance(value, dict):
        return value
    if "estimator" in value:
        nested = getattr(import_module(parts[value["estimator"]]), value["estimator"])
        return nested(**{name: _decode(item, tensors, parts) for name, item in value["parameters"].items()})
    if "sparse" in value:
        csr = tuple(tensors.pop(f"{value['sparse']}.{part}") for part in ("data", "indices", "indptr"))
        matrix = sp.csr_array(csr, shape=tuple(value["shape"]))
        matrix.check_format()  # indices out of range would be read as they are
        return matrix
    if "array" in value:
        return tensors.pop(value["array"])
    return {name: _decode(item, tensors, parts) for name, item in value["options"].items()}
