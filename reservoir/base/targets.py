"""What a target means: a value per step or one per sequence, numbers or class labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from reservoir.validation import (
    Choice,
    DataError,
    as_matrix,
    as_sequences,
    brief,
    check_finite,
    check_lengths,
    check_parameters,
    is_many,
)

Target = Literal["step", "sequence"] | None
"""What targets belong to: every step of a sequence, or the sequence; None leaves it to their shape."""


@dataclass(frozen=True)
class Targets:
    """Targets in the form that fitting needs.

    Attributes
    ----------
    values : per step, a (T, O) array for each sequence; otherwise an (O,) vector for each
    per_step : whether there is a row for every step
    flat : whether they came without an output axis, so that predictions go out without one
    classes : the sorted class labels whose one-hot codes the values are; None for numbers
    """

    values: list[np.ndarray]
    per_step: bool
    flat: bool
    classes: np.ndarray | None = None

    @property
    def n_outputs(self) -> int:
        """The number of outputs."""
        return self.values[0].shape[-1]


def are_words(targets: Any) -> bool:
    """Whether targets are labels that are written as words, such as ["slow", "fast"]."""
    first = targets
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    words = np.asarray(first)
    return words.dtype.kind in "US" or (words.dtype.kind == "O" and words.size > 0 and isinstance(words.flat[0], str))


def largest(targets: Targets) -> float:
    """Return the largest absolute value."""
    return max(float(max(y.max(), -y.min())) for y in targets.values)


def is_per_step(targets: Any, lengths: list[int], many: bool, classify: bool) -> bool:
    """Return whether the shape of `targets` says that they hold a row per step rather than a value per sequence.

    Raises `DataError` where it leaves that open: S sequences of T steps each, with S vectors of T numbers.
    """
    if not many:
        return True
    if isinstance(targets, (list, tuple)) and all(map(_is_array, targets)):
        rows = [len(y) for y in targets]
        per_step = rows == lengths or len(set(rows)) > 1  # vectors, one per sequence, would all be of one length
        vectors = all(_as_array(y).ndim == 1 for y in targets)
    else:
        array = _as_array(targets)
        per_step = array.ndim == 3 or (array.ndim == 2 and [array.shape[1]] * len(array) == lengths)
        vectors = array.ndim == 2
    one_length = len(set(lengths)) == 1
    if per_step and vectors and one_length and not (classify and lengths[0] > 1):  # a label per sequence is one number
        steps = lengths[0]
        raise DataError(
            f"targets: shape {(len(lengths), steps)} for {len(lengths)} sequences of {steps} steps may be a number per step or"
            f" {steps} outputs per sequence; say which with the 'target' parameter of fit: target='step' or target='sequence'."
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
    arrays = _arrays_per_step(targets, len(lengths), many) if per_step else [_array_of_values(targets, len(lengths), target)]
    flat = arrays[0].ndim == 1
    if classify:
        arrays, classes = _encode(arrays, classes)
    values: list[np.ndarray] = []
    for i, array in enumerate(arrays):
        name = f"targets, sequence {i}" if many and per_step else "targets"
        values.append(as_matrix(array, name, np.float64))
        check_finite(values[i], name)
        if values[i].shape[1] != values[0].shape[1]:
            raise DataError(f"{name}: has {values[i].shape[1]} outputs, sequence 0 has {values[0].shape[1]}; they must agree.")
    if per_step:
        check_lengths([range(n) for n in lengths], values)
    return Targets(values if per_step else list(values[0]), per_step, flat, classes)


def _arrays_per_step(targets: Any, count: int, many: bool) -> list[np.ndarray]:
    if not many:
        return [_as_array(targets)]
    if not (_is_array(targets) and len(targets) and all(map(_is_array, targets))):
        raise DataError(f"targets: need a row per step, for each of {count} sequences. Got {brief(targets)} instead.")
    return [_as_array(y) for y in targets]


def _array_of_values(targets: Any, count: int, target: Target) -> np.ndarray:
    array = _as_array(targets)
    if array.ndim not in (1, 2) or len(array) != count:
        misfit = "is not" if target else "fits neither a row per step nor"
        raise DataError(f"targets: shape {array.shape} {misfit} a value for each of {count} sequences.")
    return array


def _is_array(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or np.ndim(value) > 0


def _as_array(targets: Any) -> np.ndarray:
    try:
        return np.asarray(targets)
    except ValueError:
        raise DataError("targets: must be a row per step or a value per sequence; their parts are of different shapes.") from None


def _encode(arrays: list[np.ndarray], classes: np.ndarray | None) -> tuple[list[np.ndarray], np.ndarray]:
    """Labels as one-hot rows, and the sorted classes."""
    labels = [array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array for array in arrays]
    for label in labels:
        if label.ndim != 1:
            raise DataError(
                f"targets: a classifier needs one label per step or sequence. Got an array of shape {label.shape} instead."
            )
        if label.dtype.kind == "f":
            check_finite(label[:, None], "targets")
            if (label != np.round(label)).any():
                raise DataError("targets: Unknown label type: continuous. A classifier needs labels, not real numbers.")
    found = np.unique(np.concatenate(labels))
    classes = found if classes is None else classes
    outside = np.setdiff1d(found, classes)
    if outside.size:
        raise DataError(f"targets: label {outside[0]!r} is not among the classes {classes.tolist()}.")
    return [np.eye(len(classes))[np.searchsorted(classes, label)] for label in labels], classes


def one_step_ahead(series: Any) -> tuple[Any, Any]:
    """Inputs and targets that make the next value of a series, or of many, the target."""
    sequences = as_sequences(series)
    for index, u in enumerate(sequences):
        if len(u) < 2:
            raise DataError(f"inputs: sequence {index} has {len(u)} step(s); a minimum of 2 is required to learn the next one.")
    if is_many(series):
        return [u[:-1] for u in sequences], [u[1:] for u in sequences]
    (u,) = sequences
    return u[:-1], u[1:, 0] if np.ndim(series) == 1 else u[1:]


def shifted(targets: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
    """y(t-1) for every t: the targets (T, O) one step later, after `before` (O,) or zeros."""
    return np.concatenate([np.zeros_like(targets[:1]) if before is None else before[None], targets[:-1]])


def check_washout(lengths: Sequence[int], washout: int) -> None:
    """Raise `DataError` for a sequence that is no longer than the washout."""
    for index, length in enumerate(lengths):
        if length <= washout:
            raise DataError(
                f"inputs: sequence {index} has {length} steps (shape=({length}, ...)), but a minimum of washout + 1 ="
                f" {washout + 1} is required; give longer data or lower washout."
            )
