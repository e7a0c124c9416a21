"""Models in a file: their parameters and fitted state as JSON, their weights as the tensors of a safetensors file.

The metadata holds `model`, the label of the class (see `class_label`), and `description`, JSON of the parameters and the state.
Parameters that are arrays or sparse matrices are tensors beside the weights.
"""

from __future__ import annotations

import json
import numbers
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from reservoir.base.estimator import Estimator
from reservoir.base.tensor_file import FileKind, read_tensors, write_tensors
from reservoir.validation import ModelFileError, ParameterError, brief

MODEL_FILE = FileKind("clockwork-reservoir", "1", "model file")


def save_model(
    path: str | os.PathLike[str], model: Estimator, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]
) -> None:
    """Write a model's parameters, its `arrays`, and its `state`, plain data that may hold more arrays.

    Raises OSError where the file cannot be written.
    """
    tensors = dict(arrays)
    parameters = _encode(model, "parameter", tensors)["parameters"]
    description = json.dumps({"parameters": parameters, "state": _encode(dict(state), "state", tensors)["options"]})
    write_tensors(path, MODEL_FILE, tensors, {"model": class_label(type(model)), "description": description})


def class_label(kind: type) -> str:
    """Return the name of a class in a file: its own for a class of this library, else "module:name"."""
    return kind.__name__ if kind.__module__.startswith("reservoir.") else f"{kind.__module__}:{kind.__name__}"


def read_model(
    path: str | os.PathLike[str], find: Callable[[str], type]
) -> tuple[str, dict[str, Any], dict[str, np.ndarray], dict[str, Any]]:
    """Class name, parameters, arrays and state of a model file.

    find : returns the class of a parameter that is an estimator, by its label; raises `ModelFileError` for an unknown label

    Raises
    ------
    ModelFileError
        Not a model file, damaged, or of another version; or what `find` raises.
    OSError
        No such file, or it cannot be read.
    """
    with open(path, "rb"):
        pass  # the system's own error for an unreadable file
    tensors, metadata = read_tensors(path, MODEL_FILE)
    try:
        description = json.loads(metadata["description"])
        parameters = _decode({"options": description["parameters"]}, tensors, find)
        state = description["state"]
        if isinstance(state, dict):
            state = _decode({"options": state}, tensors, find)
        return metadata["model"], parameters, tensors, state
    except ModelFileError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: is damaged, its description cannot be read ({error!r}).") from None


def _encode(value: Any, key: str, tensors: dict[str, np.ndarray]) -> Any:
    """Turn a parameter into JSON: arrays by reference, estimators by class and parameters, sources of seeds as None."""
    if isinstance(value, Estimator):
        parameters = _encode(value.get_params(deep=False), key, tensors)["options"]
        return {"estimator": class_label(type(value)), "parameters": parameters}
    if sp.issparse(value):
        csr = sp.csr_array(value)
        tensors.update({f"{key}.data": _storable(csr.data), f"{key}.indices": csr.indices, f"{key}.indptr": csr.indptr})
        return {"sparse": key, "shape": list(csr.shape)}
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, (str, int, type(None))):
        return value
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, (list, tuple)):
        return [_encode(item, f"{key}.{i}", tensors) for i, item in enumerate(value)]
    if isinstance(value, dict):
        return {"options": {name: _encode(item, f"{key}.{name}", tensors) for name, item in value.items()}}
    if isinstance(value, (np.random.Generator, np.random.RandomState, np.random.SeedSequence)):
        return None
    try:
        tensors[key] = _storable(np.asarray(value))
    except (TypeError, ValueError):
        raise ParameterError(
            f"The '{key.partition('.')[2]}' parameter must be numbers, text or an estimator of this library for save, because"
            f" a model file holds no pickle. Got {brief(value)} instead; keep this model with pickle or joblib.dump."
        ) from None
    return {"array": key}


def _storable(array: np.ndarray) -> np.ndarray:
    """Return the array, contiguous and of a type that the format has: float64 for objects and for numbers of more bits."""
    return np.asarray(array if array.dtype.kind in "fiub" and array.itemsize <= 8 else array.astype(np.float64), order="C")


def _decode(value: Any, tensors: dict[str, np.ndarray], find: Callable[[str], type]) -> Any:
    if isinstance(value, list):
        return [_decode(item, tensors, find) for item in value]
    if not isinstance(value, dict):
        return value
    if "estimator" in value:
        return find(value["estimator"])(**_decode({"options": value["parameters"]}, tensors, find))
    if "sparse" in value:
        csr = tuple(tensors.pop(f"{value['sparse']}.{part}") for part in ("data", "indices", "indptr"))
        matrix = sp.csr_array(csr, shape=tuple(value["shape"]))
        matrix.check_format()  # indices out of range would be read as they are
        return matrix
    if "array" in value:
        return tensors.pop(value["array"])
    return {name: _decode(item, tensors, find) for name, item in value["options"].items()}


def check_shapes(arrays: Mapping[str, np.ndarray], **shapes: tuple[int, ...]) -> None:
    """Raise ValueError for an array read from a file whose shape is not the given one, KeyError for a missing array."""
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} of shape {arrays[name].shape}, not {shape}")
