"""Made-up tables of runs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reservoir.sweeps.summary import RunTable


def table(trials: list[dict[str, Any]], runs: list[tuple[int, int, float | str]], higher: bool = False) -> RunTable:
    """From (trial, seed, score), or a status in the place of the score."""
    status = ["done" if isinstance(score, float) else score for *_, score in runs]
    return RunTable(
        about={"higher_is_better": higher},
        trials=trials,
        trial=np.array([trial for trial, *_ in runs], dtype=int),
        seed=np.array([seed for _, seed, _ in runs], dtype=int),
        score=np.array([score if isinstance(score, float) else math.nan for *_, score in runs]),
        status=np.array(status),
        error=[None if text == "done" else text for text in status],
    )


def random_table(seed: int, n: int = 300) -> RunTable:
    rng = np.random.default_rng(seed)
    trials: list[dict[str, Any]] = [
        {"a": float(rng.random()), "b": int(rng.integers(4)), "c": [None, True, "x", [1, 2]][rng.integers(4)]} for _ in range(60)
    ]
    runs: list[Any] = []
    for trial, parameters in enumerate(trials):
        for seed in range(rng.integers(1, 7)):
            error = 10.0 ** (2.0 * parameters["a"] - parameters["b"] + 0.3 * rng.normal() + 0.2 * seed)
            runs.append((trial, seed, ["failed", "pruned"][rng.integers(2)] if rng.random() < 0.05 else float(error)))
    return table(trials, [runs[k] for k in rng.permutation(len(runs))][:n], higher=bool(rng.integers(2)))
