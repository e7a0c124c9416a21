"""Shift and scale of data, so that the inputs of a network have mean 0 and variance 1 in any unit of measurement."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np

from reservoir.validation import DataError


class Scaling(NamedTuple):
    """x -> (x - shift) / scale, both (n_features,)."""

    shift: np.ndarray
    scale: np.ndarray

    @classmethod
    def none(cls, n_features: int) -> Self:
        """Return the scaling that changes nothing."""
        return cls(np.zeros(n_features), np.ones(n_features))

    @classmethod
    def of(cls, arrays: list[np.ndarray]) -> Self:
        """Return mean and standard deviation of all rows of (T_i, n_features) arrays; a constant feature is only shifted.

        Raises `DataError` for values whose squares are beyond float64.
        """
        rows = sum(len(a) for a in arrays)
        extremes = np.concatenate([[a.min(axis=0), a.max(axis=0)] for a in arrays])
        low, high = extremes.min(axis=0), extremes.max(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.asarray(sum(a.sum(axis=0, dtype=np.float64) for a in arrays) / rows)
            shift = np.where(low == high, low, mean)
            scale = np.sqrt(sum(np.square(a - shift).sum(axis=0) for a in arrays) / rows)
        if not np.isfinite(scale).all():
            raise DataError(f"the data: values up to {np.abs(extremes).max():g} are too large to standardize; rescale them.")
        return cls(shift, np.where(scale == 0.0, 1.0, scale))

    def apply(self, x: np.ndarray, dtype: Any) -> np.ndarray:
        """Scale values and convert their type. Raises `DataError` for values that the type cannot hold."""
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = np.ascontiguousarray((x - self.shift) / self.scale, dtype=dtype)
        if not np.isfinite(scaled).all():
            raise DataError(f"the data: values up to {np.abs(x).max():g} are too large for {np.dtype(dtype)}; rescale them.")
        return scaled

    def undo(self, x: np.ndarray) -> np.ndarray:
        """Return values in the units of the data, float64."""
        return np.asarray(x * self.scale + self.shift)
