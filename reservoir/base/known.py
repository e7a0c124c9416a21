"""Inputs that are known ahead of a forecast: a calendar, a control, a weather forecast, or what a user's own model computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.validation import DataError, as_sequences

Ahead = list[np.ndarray] | Callable[[np.ndarray], Any]
"""(steps, I) after each history, or a function from the last output (O,) to the input (I,) of the step after it."""


@dataclass(frozen=True)
class Known:
    """The inputs along the histories of a forecast, and along the steps that follow them.

    The row of `future` that belongs to the step from t to t + 1 is u(t + 1): its first row follows the last row of the history.
    """

    past: list[np.ndarray]  # (T, I) for each history
    future: Ahead

    def row(self, sequence: int, step: int, last: np.ndarray) -> np.ndarray:
        """Return the input (I,) of a step after a history, whose output before is `last` (O,)."""
        if isinstance(self.future, list):
            return self.future[sequence][step]
        row, n_inputs = np.atleast_1d(np.asarray(self.future(last.copy()), np.float64)), self.past[0].shape[1]
        if row.shape != (n_inputs,) or not np.isfinite(row).all():
            raise DataError(
                f"future: the function must return {n_inputs} finite numbers, the inputs of a step. Got {row.tolist()} instead"
                f" at step {step}."
            )
        return row


def read_known(past: list[np.ndarray], future: Any, histories: list[np.ndarray], steps: int) -> Known:
    """Check that known inputs fit the histories and the steps ahead. Raises `DataError`, which says where they do not."""
    if len(past) != len(histories):
        raise DataError(f"inputs: has {len(past)} sequences, the history has {len(histories)}; they must agree.")
    for index, (u, y) in enumerate(zip(past, histories, strict=True)):
        if len(u) != len(y):
            raise DataError(f"inputs, sequence {index}: has {len(u)} rows, its history has {len(y)}; they must agree.")
    if callable(future):
        return Known(past, future)
    ahead = as_sequences(future, "future")
    if len(ahead) != len(histories):
        raise DataError(f"future: has {len(ahead)} sequences, the history has {len(histories)}; they must agree.")
    for index, u in enumerate(ahead):
        if len(u) != steps:
            raise DataError(
                f"future, sequence {index}: has {len(u)} rows, a forecast of {steps} steps needs {steps}: one for each step"
                " after the history."
            )
    return Known(past, ahead)
