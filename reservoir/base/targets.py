"""What a target means: a value per step or one per sequence, numbers or class labels; its shape decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.validation import DataError, as_matrix, check_finite, check_lengths


@dataclass(frozen=True)
class Targets:
    """Targets in the form that fitting needs.

    Attributes
    ----------
    values : per step, a (T, O) array for each sequence; otherwise an (O,) vector for each
    per_step : which of the two
    flat : whether they came without an output axis, so that predictions go out without one
    classes : the sorted class labels whose one-hot codes the values are; None for numbers
    """

    values: list[np.ndarray]
    per_step: bool
    flat: bool
    classes: np.ndarray | None = None

    @property
    def n_outputs(self) -> int:
        """O."""
        return self.values[0].shape[-1]


def largest(targets: Targets) -> float:
    """The largest absolute value."""
    return max(float(max(y.max(), -y.min())) for y in targets.values)


def is_per_step(targets: Any, lengths: list[int], many: bool) -> bool:
    """Whether `targets` hold a row per step rather than a value per sequence."""
    if not many:
        return True
    if isinstance(targets, (list, tuple)) and all(isinstance(y, (list, tuple)) or np.ndim(y) > 0 for y in targets):
        rows = [len(y) for y in targets]
        return rows == lengths or len(set(rows)) > 1  # vectors, one per sequence, would all be of one length
    array = _as_array(targets)
    return array.ndim == 3 or (array.ndim == 2 and [array.shape[1]] * len(array) == lengths)


def read_targets(targets: Any, lengths: list[int], many: bool, classes: np.ndarray | None, classify: bool) -> Targets:
    """Check targets against the lengths of their input sequences and bring them into the form `Targets`.

    `classes` are the labels known already; None with `classify` collects them. Raises `DataError` for a shape that fits
    neither per-step nor per-sequence targets, for labels outside `classes`, and for NaN or infinity.
    """
    per_step = is_per_step(targets, lengths, many)
    if per_step:
        arrays = [_as_array(y) for y in (targets if many else [targets])]
        flat = arrays[0].ndim == 1
    else:
        arrays = [_as_array(targets)]
        flat = arrays[0].ndim == 1
        if arrays[0].ndim not in (1, 2) or len(arrays[0]) != len(lengths):
            raise DataError(
                f"targets: shape {arrays[0].shape} fits neither a row per step nor a value for each of {len(lengths)} sequences."
            )
    if classify:
        arrays, classes = _encode(arrays, classes)
    names = [f"targets, sequence {i}" if many and per_step else "targets" for i in range(len(arrays))]
    values = [as_matrix(y, name, np.float64) for y, name in zip(arrays, names, strict=True)]
    for y, name in zip(values, names, strict=True):
        check_finite(y, name)
        if y.shape[1] != values[0].shape[1]:
            raise DataError(f"{name}: has {y.shape[1]} outputs, sequence 0 has {values[0].shape[1]}; they must agree.")
    if per_step:
        check_lengths([range(n) for n in lengths], values)
    return Targets(values if per_step else list(values[0]), per_step, flat, classes)


def _as_array(targets: Any) -> np.ndarray:
    try:
        return np.asarray(targets)
    except ValueError:
        raise DataError("targets: must be a row per step or a value per sequence; their parts are of different shapes.") from None


def _encode(arrays: list[np.ndarray], classes: np.ndarray | None) -> tuple[list[np.ndarray], np.ndarray]:
    """Labels as one-hot rows, and the sorted classes."""
    labels = []
    for array in arrays:
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1:
            raise DataError(
                f"targets: a classifier needs one label per step or sequence. Got an array of shape {array.shape} instead."
            )
        if array.dtype.kind == "f":
            check_finite(array[:, None], "targets")
            if (array != np.round(array)).any():
                raise DataError("targets: Unknown label type: continuous. A classifier needs labels, not real numbers.")
        labels.append(array)
    found = np.unique(np.concatenate(labels))
    if classes is None:
        classes = found
    outside = np.setdiff1d(found, classes)
    if outside.size:
        raise DataError(f"targets: label {outside[0]!r} is not among the classes {classes.tolist()}.")
    return [np.eye(len(classes))[np.searchsorted(classes, label)] for label in labels], classes
