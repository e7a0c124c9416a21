"""Where a network is in a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.validation import DataError, brief


@dataclass
class State:
    """Where a network is in a sequence: `step` and `predict(..., state=)` start from it, and leave in it where they end.

    `copy.deepcopy` and pickle keep one.

    Attributes
    ----------
    values : the state of the units: (1, N) of an `ESN`, a list of the layers' arrays of a network trained by gradient
    output : (1, n_outputs), the last output, which networks with feedback read
    time : the number of steps since the start of the sequence
    """

    values: Any
    output: np.ndarray
    time: int = 0

    def fits(self, other: Any) -> bool:
        """Return whether another state is one of the same network."""
        return isinstance(other, State) and other._shapes() == self._shapes()

    def _shapes(self) -> list[tuple[int, ...]]:
        return [np.shape(array) for array in (*self.values, *self.output)]


def as_row(row: Any, n_inputs: int) -> np.ndarray:
    """Return the inputs of one step as (1, n_inputs). Raises `DataError` for what is not so many finite numbers."""
    try:
        values = np.asarray(row, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"row: must be {n_inputs} numbers, the inputs of one step. Got {brief(row)} instead.") from None
    if values.size != n_inputs or values.ndim > 1:
        raise DataError(f"row: must be {n_inputs} numbers, the inputs of one step. Got an array of shape {values.shape} instead.")
    if not np.isfinite(values).all():
        raise DataError(f"row: must be finite. Got {values.tolist()} instead.")
    return values.reshape(1, n_inputs)
