"""Small data and networks for the tests of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from reservoir import Elman, Training
from reservoir.gradient.recurrent import RecurrentEstimator

RNG = np.random.default_rng(0)
INPUTS = [RNG.normal(size=(int(n), 2)) for n in RNG.integers(4, 12, 20)]
TARGETS = [np.roll(u[:, :1], 1, axis=0) - 0.5 * u[:, 1:] for u in INPUTS]
SERIES = np.sin(0.4 * np.arange(60)) + 0.1 * RNG.normal(size=60)


def network(kind: type[RecurrentEstimator] = Elman, training: Mapping[str, Any] | None = None, **parameters: Any) -> Any:
    settings = Training(**{"epochs": 8, "batch_size": 8, "learning_rate": 0.02, **(training or {})})
    return kind(**{"units": 5, "random_state": 0, "training": settings, "dtype": "float64", **parameters})


def curve(model: Any, name: str = "loss") -> list[Any]:
    return [record[name] for record in model.history_]


def spoilt(arrays: list[np.ndarray], index: int, steps: slice = slice(None)) -> list[np.ndarray]:
    changed = [array.copy() for array in arrays]
    changed[index][steps] += 3.0
    return changed
