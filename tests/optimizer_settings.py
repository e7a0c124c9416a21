"""Random arrays and settings for optimizers."""

from __future__ import annotations

import numpy as np

DTYPES = (np.float64, np.float32)
SIZES = (0, 1, 7, 33, 65)


def random(shape: int | tuple[int, ...], dtype: type, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, shape).astype(dtype)
