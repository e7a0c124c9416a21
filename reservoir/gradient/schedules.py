"""Learning rates over training: pure functions of the epoch, so that a resumed training continues as if it never stopped."""

from __future__ import annotations

import math
from collections.abc import Callable

from reservoir.validation import Number

SCHEDULES: dict[str, Callable[[int, int, float, int], float]] = {
    "constant": lambda epoch, epochs, decay, every: 1.0,
    "step": lambda epoch, epochs, decay, every: float(decay) ** (epoch // every),
    "exponential": lambda epoch, epochs, decay, every: float(decay) ** epoch,
    "cosine": lambda epoch, epochs, decay, every: 0.5 * (1.0 + math.cos(math.pi * epoch / epochs)),
    "inverse": lambda epoch, epochs, decay, every: 1.0 / (1.0 + decay * epoch),
}
"""The factor on the first learning rate for an epoch, 0 ... epochs - 1 (cosine: Loshchilov & Hutter 2017, eq. 5)."""

FACTOR = Number(low=0, high=1, open_low=True)
DECAYS = {"step": FACTOR, "exponential": FACTOR, "inverse": Number(low=0)}
"""The constraint of `decay` for each schedule that reads it."""


def learning_rate(schedule: str, base: float, epoch: int, epochs: int, decay: float = 0.5, every: int = 10) -> float:
    """Return the learning rate of an epoch from 0; `base` is that of the first, `decay` and `every` are as in `Training`.

    >>> [round(learning_rate("cosine", 0.1, epoch, 4), 4) for epoch in range(4)]
    [0.1, 0.0854, 0.05, 0.0146]
    >>> [learning_rate("step", 0.1, epoch, 4, decay=0.5, every=2) for epoch in range(4)]
    [0.1, 0.1, 0.05, 0.05]
    >>> [learning_rate("inverse", 1.0, epoch, 4, decay=1.0) for epoch in (0, 1, 3)]
    [1.0, 0.5, 0.25]
    """
    return base * SCHEDULES[schedule](epoch, epochs, decay, every)
