"""Learning rates over training: pure functions of the epoch, so that a resumed training goes on as if never stopped.

A schedule gives the factor on the first learning rate for an epoch, 0 ... epochs - 1. Two settings serve all of them,
`decay` and `every`; each schedule says what it reads.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from reservoir.validation import Number, check_parameters, unknown


def constant(epoch: int, epochs: int, decay: float, every: int) -> float:
    """1 throughout."""
    return 1.0


def step(epoch: int, epochs: int, decay: float, every: int) -> float:
    """Times `decay` after every `every` epochs."""
    return float(decay) ** (epoch // every)


def exponential(epoch: int, epochs: int, decay: float, every: int) -> float:
    """Times `decay` after each epoch."""
    return float(decay) ** epoch


def cosine(epoch: int, epochs: int, decay: float, every: int) -> float:
    """(1 + cos(pi epoch / epochs)) / 2: from 1 down, to be 0 after the last epoch (Loshchilov & Hutter 2017, eq. 5)."""
    return 0.5 * (1.0 + math.cos(math.pi * epoch / epochs))


def inverse(epoch: int, epochs: int, decay: float, every: int) -> float:
    """1 / (1 + decay epoch)."""
    return 1.0 / (1.0 + decay * epoch)


SCHEDULES: dict[str, Callable[[int, int, float, int], float]] = {
    f.__name__: f for f in (constant, step, exponential, cosine, inverse)
}

FACTOR = Number(low=0, high=1, open_low=True)
DECAYS = {"step": FACTOR, "exponential": FACTOR, "inverse": Number(low=0)}
"""What `decay` may be, for the schedules that read it."""


def learning_rate(schedule: str, base: float, epoch: int, epochs: int, decay: float = 0.5, every: int = 10) -> float:
    """The learning rate of an epoch.

    Parameters
    ----------
    schedule : a name of `SCHEDULES`
    base : the learning rate of the first epoch
    epoch, epochs : the number of this epoch, from 0, and of all
    decay : step, exponential: the factor, in (0, 1]; inverse: of the epoch in the denominator, >= 0
    every : step: after how many epochs the factor is applied

    Raises `ParameterError` for an unknown schedule, and a `decay` or `every` that the schedule cannot take.

    >>> [round(learning_rate("cosine", 0.1, epoch, 4), 4) for epoch in range(4)]
    [0.1, 0.0854, 0.05, 0.0146]
    >>> [learning_rate("step", 0.1, epoch, 4, decay=0.5, every=2) for epoch in range(4)]
    [0.1, 0.1, 0.05, 0.05]
    >>> [learning_rate("inverse", 1.0, epoch, 4, decay=1.0) for epoch in (0, 1, 3)]
    [1.0, 0.5, 0.25]
    """
    if schedule not in SCHEDULES:
        raise unknown("schedule", schedule, SCHEDULES)
    if schedule in DECAYS:
        constraints = {"decay": DECAYS[schedule], "every": Number(low=1, integer=True)}
        check_parameters(f"schedule {schedule}", constraints, {"decay": decay, "every": every})
    return base * SCHEDULES[schedule](epoch, epochs, decay, every)
