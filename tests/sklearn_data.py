"""A noisy wave to be delayed, and its sign to be told."""

from __future__ import annotations

from typing import Any

import numpy as np

from reservoir import (
    ESN,
    Elman,
    Training,
)

RNG = np.random.default_rng(0)
INPUTS = np.stack([np.sin(0.3 * np.arange(240)), 0.5 + 0.2 * RNG.normal(size=240)], axis=1)
TARGETS = np.roll(INPUTS[:, 0], 3) + 0.3 * np.roll(INPUTS[:, 1], 1)
LABELS = np.where(np.roll(INPUTS[:, 0], 2) > 0.0, "up", "down")


def small(**parameters: Any) -> ESN:
    return ESN(**{"units": 30, "washout": 10, "random_state": 0, "density": 0.1, **parameters})


def trained(kind: Any = Elman, **parameters: Any) -> Any:
    settings = Training(epochs=40, learning_rate=0.03)
    return kind(**{"units": 8, "washout": 3, "random_state": 0, "training": settings, **parameters})
