"""The measures of a reservoir before training as the score of a task, so that a sweep shows how they depend on parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from reservoir.diagnostics.reservoirs import ReservoirReport, inspect
from reservoir.plotting import Picture, inspect_figure
from reservoir.plotting.tasks.memory import overlay_curves
from reservoir.tasks.base import Data, Split, Task
from reservoir.validation import Choice, Constraint, Number

HIGHER_IS_BETTER = {
    "memory_capacity": True, "kernel_rank": True, "generalization_rank": False, "lyapunov_exponent": False,
    "echo_state_index": False, "spectral_radius": False, "largest_singular_value": False, "leaky_bound": False,
}  # fmt: skip
"""The measures that are one number, and whether a sweep ranks the larger one first."""


@dataclass(frozen=True)
class Inspect(Task):
    """Measure a reservoir before it is trained, as `reservoir inspect` does with the same seed.

    The score is the measure that the option `measure` names; `scores` holds all that are one number. White noise, uniform in
    +-1, drives the reservoir for `steps` steps. For echo state networks only.

    Metric: the measure itself. More memory and more kernel rank are better; of the others, less is. Baseline: 0.
    """

    name: ClassVar[str] = "inspect"
    kind = "filter"
    metric = "memory_capacity"
    higher_is_better = True
    picture = Picture(
        lambda task, data, report, title: inspect_figure(report),
        lambda shown: overlay_curves(shown, {label: report.memory_curve for label, report in shown.predictions.items()}),
    )
    constraints: ClassVar[dict[str, Constraint]] = {
        "measure": Choice(tuple(HIGHER_IS_BETTER)),
        "steps": Number(low=2, integer=True),
    }

    measure: str = "memory_capacity"
    steps: int = 2000

    def __post_init__(self) -> None:
        super().__post_init__()
        for fact, value in (("metric", self.measure), ("higher_is_better", HIGHER_IS_BETTER[self.measure])):
            object.__setattr__(self, fact, value)  # the way round a frozen dataclass

    def generate(self, seed: int) -> Data:
        """A wave, the same for every seed, to which a readout is fitted; neither of them has a part in the measures."""
        wave = np.sin(np.arange(1000.0))[:, None]
        split = Split([wave], [wave])
        return Data(split, split, split)

    def predict(self, model: Any, split: Split) -> ReservoirReport:
        """The measures of the model's reservoir. Raises `ParameterError` for a model that has none."""
        return inspect(model, steps=self.steps, seed=getattr(model, "random_state", None) or 0)

    def score(self, predictions: ReservoirReport, data: Data) -> float:
        """The measure."""
        return float(predictions.measures[self.measure])

    def scores(self, predictions: ReservoirReport, data: Data) -> dict[str, float]:
        """All measures that are one number, the chosen one first."""
        return {name: float(predictions.measures[name]) for name in (self.measure, *HIGHER_IS_BETTER)}

    def baseline(self, data: Data) -> float:
        """No reservoir: 0."""
        return 0.0
