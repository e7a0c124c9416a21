"""The checks of parameters and data, and the texts of their errors.

An estimator lists a constraint for each parameter. The checks of data turn what a user passes (an array, a list of
arrays) into a list of two-dimensional arrays, or raise an error that says where the data are wrong.
"""

from __future__ import annotations

import difflib
import math
import numbers
import sys
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


class ParameterError(ValueError):
    """A parameter is unknown, of the wrong type, or out of its range."""


class DataError(ValueError):
    """The data cannot be used: wrong shape, missing values, too short."""


class ModelFileError(ValueError):
    """A model file is damaged, of another kind, or from a newer version."""


class StoreError(ValueError):
    """The store of a sweep is damaged, of another kind or another sweep, or from a newer version."""


class DivergenceError(RuntimeError):
    """A network left the range of finite numbers; the message names the step."""


@dataclass(frozen=True)
class Number:
    """A number in an interval; with `array`, also a list or array of such numbers; with `optional`, also None."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    integer: bool = False
    array: bool = False
    optional: bool = False

    def accepts(self, value: Any) -> bool:
        """Whether `value` meets the constraint."""
        value = value.item() if isinstance(value, np.generic) else value
        if value is None or isinstance(value, bool):
            return value is None and self.optional
        kinds: Any = (int, numbers.Integral) if self.integer else (int, float, numbers.Real)
        if isinstance(value, kinds):  # Python's own types first: an abstract one takes longer
            above = self.low < value if self.open_low else self.low <= value
            below = value < self.high if self.open_high else value <= self.high
            return bool(above and below and abs(value) <= sys.float_info.max)  # which an integer may exceed
        if self.array and isinstance(value, (list, tuple, np.ndarray)) and getattr(value, "ndim", 1) > 0 and len(value) > 0:
            return all(replace(self, array=False, optional=False).accepts(v) for v in value)
        return False

    def __str__(self) -> str:
        left = "(" if self.open_low or self.low == -math.inf else "["
        right = ")" if self.open_high or self.high == math.inf else "]"
        text = f"{'an integer' if self.integer else 'a number'} in {left}{self.low:.10g}, {self.high:.10g}{right}"
        return text + ", or a list of them" * self.array + ", or None" * self.optional


@dataclass(frozen=True)
class Choice:
    """One of some names, or an instance of one of some types."""

    names: tuple[Any, ...]
    types: tuple[type, ...] = ()
    described: str = ""

    def accepts(self, value: Any) -> bool:
        """Whether `value` meets the constraint."""
        value = value.item() if isinstance(value, np.generic) else value
        if isinstance(value, (str, int, type(None))):
            return type(value) in self.types or any(type(value) is type(name) and value == name for name in self.names)
        return isinstance(value, self.types)

    def __str__(self) -> str:
        text = f"one of {', '.join(map(str, self.names))}" if self.names else ""
        return " or ".join(filter(None, (text, self.described)))


@dataclass(frozen=True)
class Subset:
    """A non-empty list of some names, none twice."""

    names: tuple[str, ...]

    def accepts(self, value: Any) -> bool:
        """Whether `value` meets the constraint."""
        named = isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
        return named and 0 < len(value) == len(set(value)) and set(value) <= set(self.names)

    def __str__(self) -> str:
        return "a list of some of " + ", ".join(self.names)


Constraint = Number | Choice | Subset


def check_parameters(owner: str, constraints: Mapping[str, Constraint], parameters: Mapping[str, Any]) -> None:
    """Raise `ParameterError` for the first parameter that breaks its constraint."""
    for name, constraint in constraints.items():
        value = parameters[name]
        if not constraint.accepts(value):
            names = constraint.names if isinstance(value, str) and isinstance(constraint, Choice) else ()
            raise refused(name, owner, constraint, brief(value), nearest(str(value), [n for n in names if isinstance(n, str)]))


def refused(name: str, owner: str, wanted: Any, got: Any, hint: str = "") -> ParameterError:
    """The error for a parameter that is not as it must be; `got` says what it is instead."""
    return ParameterError(f"The '{name}' parameter of {owner} must be {wanted}. Got {got} instead.{hint}")


def brief(value: Any) -> str:
    """The repr of a value on one line, cut where it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


def nearest(name: str, known: Iterable[str]) -> str:
    """The sentence " Did you mean …?" with the known names nearest to `name`, or "" when none is near."""
    known = list(known)
    found = [name] if name in known else difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(found)}?" if found else ""


def unknown(kind: str, name: str, known: Iterable[str], meant: str = "") -> ParameterError:
    """The error for a name that is not among the known ones: the names nearest to it, or to what is `meant`, and all of them."""
    known = sorted(known)
    return ParameterError(f"There is no {kind} '{name}'.{nearest(meant or name, known)} Known: {', '.join(known)}.")


def as_matrix(array: Any, name: str, dtype: Any = None) -> np.ndarray:
    """`array` as (T, n_features) floats; one dimension is read as one feature. Copies only when it must."""
    if hasattr(array, "toarray") and hasattr(array, "nnz"):
        raise DataError(f"{name}: a sparse matrix was passed, dense data is required; use .toarray().")
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise DataError(f"{name}: holds masked values; interpolate them first.")
    try:
        matrix = np.asarray(array)
        if np.iscomplexobj(matrix):
            raise DataError(f"{name}: Complex data not supported; pass real numbers.")
        if matrix.dtype.kind in "mM":
            raise DataError(f"{name}: must be numbers. Got dates or times ({matrix.dtype}) instead.")
        if matrix.dtype.kind not in "fiub" or dtype is not None:
            matrix = matrix.astype(dtype or np.float64, copy=False)
    except DataError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{name}: must be numbers, (T,) or (T, n_features); could not read them: {error}.") from None
    if matrix.ndim == 1:
        matrix = matrix[:, None]
    if matrix.ndim != 2:
        raise DataError(f"{name}: must be (T,) or (T, n_features). Got an array of {matrix.ndim} dimensions instead.")
    return matrix


def check_finite(matrix: np.ndarray, name: str, rows_at_once: int = 65536) -> None:
    """Raise `DataError` naming the first row and column that holds NaN or infinity. A block at a time: no big copies."""
    if matrix.dtype.kind != "f":
        return
    for start in range(0, len(matrix), rows_at_once):
        block = matrix[start : start + rows_at_once]
        if not np.isfinite(block).all():
            row, column = np.argwhere(~np.isfinite(block))[0].tolist()
            what = "NaN" if np.isnan(block[row, column]) else "infinity (inf)"
            raise DataError(
                f"{name}: Input contains {what} at row {start + row}, column {column}; interpolate such values first."
            )


def is_many(data: Any) -> bool:
    """Whether `data` means many sequences: an array of three dimensions, or a list or tuple of arrays."""
    if isinstance(data, (list, tuple)):
        return len(data) > 0 and isinstance(data[0], np.ndarray) and data[0].ndim > 0
    return isinstance(data, np.ndarray) and data.ndim == 3


def as_sequences(data: Any, name: str = "inputs") -> list[np.ndarray]:
    """One or many sequences as a list of finite (T, n_features) arrays with as many features each.

    `data` is an array (T,), (T, n_features) or (n_sequences, T, n_features), or a list of arrays (T_i,) or (T_i, n_features).
    Raises `DataError`, which says where, if it is not numbers, has no rows, different numbers of features, NaN or infinity.
    """
    many = is_many(data)
    if many and len(data) == 0:
        raise DataError(f"{name}: is empty. Found array with 0 sequence(s) (shape={np.shape(data)}), a minimum of 1 is required.")
    sequences: list[np.ndarray] = []
    for index, item in enumerate(data if many else [data]):
        label = f"{name}, sequence {index}" if many else name
        matrix = as_matrix(item, label)
        if len(matrix) == 0:
            raise DataError(
                f"{label}: is empty. Found array with 0 sample(s) (shape={matrix.shape}), a minimum of 1 is required."
            )
        if sequences and matrix.shape[1] != sequences[0].shape[1]:
            raise DataError(f"{label}: has {matrix.shape[1]} features, sequence 0 has {sequences[0].shape[1]}; they must agree.")
        check_finite(matrix, label)
        sequences.append(matrix)
    return sequences


def check_lengths(inputs: Sequence[Sized], targets: Sequence[Sized]) -> None:
    """Raise `DataError` unless there is a target sequence for every input sequence, with as many rows."""
    if len(inputs) != len(targets):
        raise DataError(f"targets: has {len(targets)} sequences, the inputs have {len(inputs)}; they must agree.")
    for index, (u, y) in enumerate(zip(inputs, targets, strict=True)):
        if len(u) != len(y):
            raise DataError(f"targets, sequence {index}: has {len(y)} rows, its inputs have {len(u)}; they must agree.")
