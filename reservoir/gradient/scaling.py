"""Shift and scale of data, so that a network sees mean 0 and variance 1 whatever the units of measurement."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np


class Scaling(NamedTuple):
    """x -> (x - shift) / scale, both (n_features,)."""

    shift: np.ndarray
    scale: np.ndarray

    @classmethod
    def none(cls, n_features: int) -> Self:
        """Leaves values as they are."""
        return cls(np.zeros(n_features), np.ones(n_features))

    @classmethod
    def of(cls, arrays: list[np.ndarray]) -> Self:
        """Mean and standard deviation of all rows of (T_i, n_features) arrays; a constant feature is only shifted."""
        rows = sum(len(a) for a in arrays)
        shift = np.asarray(sum(a.sum(axis=0) for a in arrays) / rows, dtype=np.float64)
        variance = sum(np.square(a - shift).sum(axis=0) for a in arrays) / rows
        constant = np.ptp(np.concatenate([[a.min(axis=0), a.max(axis=0)] for a in arrays]), axis=0) == 0.0
        return cls(shift, np.where(constant | (variance == 0.0), 1.0, np.sqrt(variance)))

    def apply(self, x: np.ndarray, dtype: str) -> np.ndarray:
        """Scaled values in another type."""
        return np.ascontiguousarray((x - self.shift) / self.scale, dtype=dtype)

    def undo(self, x: np.ndarray) -> np.ndarray:
        """Values in the data's own units, float64."""
        return np.asarray(x * self.scale + self.shift)
