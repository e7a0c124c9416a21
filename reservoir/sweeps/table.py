"""All runs of a sweep as one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.base.values import comparable


@dataclass(frozen=True)
class RunTable:
    """All runs of a sweep, a row each, in the order of trials and seeds.

    A trial is one set of parameters; a run is a trial with one seed.

    Attributes
    ----------
    about : task, model, metric, higher_is_better (bool), split ("validation" or "test"), strategy ("grid", "random", "sobol",
        "tpe", "cmaes")
    trials : the parameters of each trial by name, nested ones as `readout__ridge`; plain JSON values (numbers, strings, bools,
        None, lists)
    trial : (R,) integers, the trial of each run, an index into `trials`
    seed : (R,) integers
    score : (R,) float64, NaN where the run failed or was pruned
    status : (R,) strings "done", "failed", "pruned"
    error : R texts or None
    """

    about: Mapping[str, Any]
    trials: Sequence[Mapping[str, Any]]
    trial: np.ndarray
    seed: np.ndarray
    score: np.ndarray
    status: np.ndarray
    error: Sequence[str | None]

    def varied(self) -> list[str]:
        """Names whose value is not the same in all trials, None where a trial lacks one; in the order they were varied in."""
        names = dict.fromkeys([*self.about.get("varied", ()), *(name for trial in self.trials for name in trial)])
        return [name for name in names if self._varies(name)]

    def _varies(self, name: str) -> bool:
        if not self.trials:
            return False
        first = comparable(self.trials[0].get(name))
        return any(comparable(trial.get(name)) != first for trial in self.trials)
