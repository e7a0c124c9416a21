"""Random arrays that reservoirs and trained networks draw their weights from."""

from __future__ import annotations

import numpy as np


def draw(generator: np.random.Generator, shape: int | tuple[int, ...], weights: str) -> np.ndarray:
    """Weights of unit scale by distribution: uniform in [-1, 1], standard normal, or signs."""
    if weights == "uniform":
        return generator.uniform(-1.0, 1.0, shape)
    if weights == "normal":
        return generator.standard_normal(shape)
    return generator.integers(0, 2, shape) * 2.0 - 1.0


def random_orthogonal(units: int, generator: np.random.Generator) -> np.ndarray:
    """Return a random orthogonal matrix (units, units), uniform over the group (Mezzadri 2007)."""
    q, r = np.linalg.qr(generator.standard_normal((units, units)))
    return q * np.sign(np.diag(r))
