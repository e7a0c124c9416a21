"""Small tasks of free runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from reservoir.tasks import get_task

SIMULATED = {
    "mackey-glass": {"train_length": 300, "washout": 50, "history": 40, "starts": 3},
    "lorenz": {"train_length": 300, "washout": 50, "history": 40, "steps": 30, "starts": 3},
    "rossler": {"train_length": 300, "washout": 50, "history": 40, "steps": 30, "starts": 3},
    "kuramoto-sivashinsky": {"train_length": 60, "washout": 5, "history": 40, "steps": 30, "starts": 3},
    "henon": {"train_length": 300, "washout": 50, "history": 40, "steps": 30, "starts": 3},
    "mso": {"train_length": 300, "washout": 50, "history": 40, "steps": 30, "starts": 3},
    "sine": {"train_length": 300, "washout": 50, "history": 40, "steps": 30, "starts": 3},
}

"""Every simulated system with small lengths."""
CHAOTIC = ["lorenz", "rossler", "kuramoto-sivashinsky", "henon"]


def small(name: str, **options: int) -> Any:
    return get_task(name, **{**SIMULATED[name], **options})


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)
