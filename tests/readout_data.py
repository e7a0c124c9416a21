"""Two waves, their labels, and small networks for readouts of other classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from reservoir import ESN, Readout
from reservoir.echo.readouts.least_squares import Blocks

T = np.arange(120)
WAVES = np.stack([np.sin(0.3 * T), np.cos(0.21 * T)], axis=1)
NEXT = np.stack([np.sin(0.3 * T + 0.3), np.cos(0.21 * T + 0.21)], axis=1)


def small(**parameters: Any) -> ESN:
    return ESN(**{"units": 12, "density": 0.3, "washout": 10, "random_state": 3, **parameters})


class Means(Readout):
    """Each output is its own mean, whatever the features; learns on; keeps the number of rows in a file."""

    def __init__(self, scale: float = 1.0, offsets: Any = 0.0) -> None:
        self.scale = scale
        self.offsets = offsets

    def fit(self, blocks: Blocks) -> Self:
        self.rows_, self.sums_ = 0, np.zeros(blocks.n_outputs)
        return self.partial_fit(blocks)

    def partial_fit(self, blocks: Blocks) -> Self:
        for _, targets in blocks:
            self.rows_, self.sums_ = self.rows_ + len(targets), self.sums_ + targets.sum(axis=0)
        self.coefficients_ = np.zeros((blocks.n_outputs, blocks.n_features))
        self.coefficients_[:, 0] = self.scale * self.sums_ / self.rows_ + self.offsets
        return self

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {**super().to_arrays(), "rows": np.array(self.rows_), "sums": self.sums_}

    def restore(self, arrays: Mapping[str, np.ndarray], n_features: int, n_outputs: int) -> None:
        super().restore(arrays, n_features, n_outputs)
        self.rows_, self.sums_ = int(arrays["rows"]), arrays["sums"]
