"""What a target means: a value per step or one per sequence, numbers or class labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from reservoir.validation import Choice, DataError, as_matrix, brief, check_finite, check_lengths, check_parameters

Target = Literal["step", "sequence"] | None
"""What targets belong to: every step of a sequence, or the sequence; None leaves it to their shape."""


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


def is_per_step(targets: Any, lengths: list[int], many: bool, classify: bool) -> bool:
    """Whether the shape of `targets` says that they hold a row per step rather than a value per sequence.

    Raises `DataError` where it leaves that open: S sequences of T steps each, with S vectors of T numbers.
    """
    if not many:
        return True
    if isinstance(targets, (list, tuple)) and all(map(_sequence, targets)):
        rows = [len(y) for y in targets]
        per_step = rows == lengths or len(set(rows)) > 1  # vectors, one per sequence, would all be of one length
        vectors = all(_as_array(y).ndim == 1 for y in targets)
    else:
        array = _as_array(targets)
        per_step = array.ndim == 3 or (array.ndim == 2 and [array.shape[1]] * len(array) == lengths)
        vectors = array.ndim == 2
    one_length = len(set(lengths)) == 1
    if per_step and vectors and one_length and not (classify and lengths[0] > 1):  # a label per sequence is one number
        shape = (len(lengths), lengths[0])
        raise DataError(
            f"targets: shape {shape} for {shape[0]} sequences of {shape[1]} steps may be a number per step or {shape[1]} outputs"
            " per sequence; say which with the 'target' parameter of fit: target='step' or target='sequence'."
        )
    return per_step


def read_targets(
    targets: Any, lengths: list[int], many: bool, classes: np.ndarray | None, classify: bool, target: Target = None
) -> Targets:
    """Check targets against the lengths of their input sequences and bring them into the form `Targets`.

    `classes` are the labels known already; None with `classify` collects them. `target` says what the targets belong to,
    where it is not None. Raises `DataError` for a shape that fits neither per-step nor per-sequence targets, or both
    without `target`, for labels outside `classes`, and for NaN or infinity.
    """
    check_parameters("fit", {"target": Choice(("step", "sequence", None))}, {"target": target})
    if target == "sequence" and not many:
        raise DataError("targets: target='sequence' needs many sequences; give a list of them, or one array (S, T, features).")
    per_step = is_per_step(targets, lengths, many, classify) if target is None else target == "step"
    if per_step:
        if many and not (_sequence(targets) and len(targets) and all(map(_sequence, targets))):
            raise DataError(f"targets: need a row per step, for each of {len(lengths)} sequences. Got {brief(targets)} instead.")
        arrays = [_as_array(y) for y in (targets if many else [targets])]
        flat = arrays[0].ndim == 1
    else:
        arrays = [_as_array(targets)]
        flat = arrays[0].ndim == 1
        if arrays[0].ndim not in (1, 2) or len(arrays[0]) != len(lengths):
            misfit = "is not" if target else "fits neither a row per step nor"
            raise DataError(f"targets: shape {arrays[0].shape} {misfit} a value for each of {len(lengths)} sequences.")
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


def _sequence(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or np.ndim(value) > 0


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
