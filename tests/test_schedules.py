"""Learning rates against their formulas."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from reservoir.gradient.schedules import SCHEDULES, learning_rate

# schedule, settings, epoch of 8, factor
EXAMPLES: list[tuple[str, dict[str, Any], int, float]] = [
    ("constant", {}, 0, 1.0),
    ("constant", {"decay": 0.1}, 7, 1.0),
    ("step", {"decay": 0.5, "every": 3}, 2, 1.0),
    ("step", {"decay": 0.5, "every": 3}, 3, 0.5),
    ("step", {"decay": 0.5, "every": 3}, 5, 0.5),
    ("step", {"decay": 0.5, "every": 3}, 6, 0.25),
    ("exponential", {"decay": 0.9}, 3, 0.729),
    ("exponential", {"decay": 1}, 3, 1.0),
    ("cosine", {}, 2, 0.5 + math.sqrt(2) / 4),  # cos(pi / 4) = sqrt(2) / 2
    ("cosine", {}, 4, 0.5),
    ("cosine", {}, 8, 0.0),
    ("inverse", {"decay": 0.5}, 4, 1 / 3),
    ("inverse", {"decay": 3.0}, 1, 0.25),
    ("inverse", {"decay": 0}, 5, 1.0),
]


@pytest.mark.parametrize(("schedule", "settings", "epoch", "factor"), EXAMPLES)
def test_examples(schedule: str, settings: dict[str, Any], epoch: int, factor: float) -> None:
    assert learning_rate(schedule, 0.02, epoch, 8, **settings) == pytest.approx(0.02 * factor, rel=1e-14, abs=1e-18)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_from_the_first_rate_down(schedule: str) -> None:
    rates = [learning_rate(schedule, 0.3, epoch, 50) for epoch in range(50)]
    assert rates[0] == 0.3
    assert all(0.0 < late <= early for early, late in itertools.pairwise(rates))
    assert (rates[-1] == 0.3) == (schedule == "constant")


def test_every_schedule_has_an_example() -> None:
    assert {schedule for schedule, *_ in EXAMPLES} == set(SCHEDULES)


@pytest.mark.parametrize("epochs", [1, 10_000])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_few_and_many_epochs(schedule: str, epochs: int) -> None:
    assert 0.0 <= learning_rate(schedule, 0.3, epochs - 1, epochs) <= 0.3
