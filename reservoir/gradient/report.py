"""The report of how gradients pass through several networks on one task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.base.tables import Table, number

MEANINGS = {
    "growth": "factor of |dL/dh| per step back in time; below 1 gradients vanish",
    "spectral_radius": "of the Jacobian of a step, mean over steps",
    "largest_singular_value": "of the same",
    "median_singular_value": "of the same",
    "smallest_singular_value": "of the same",
    "dead": "share of rectified linear units that are always 0",
}


@dataclass(frozen=True)
class GradientReport:
    """How gradients pass through networks.

    Attributes
    ----------
    task : the name of the task that the networks learn
    measured : for each network, by its label, the dict of `gradient_diagnostics`
    seed : of the data and of the networks
    """

    task: str
    measured: Mapping[str, Mapping[str, Any]]
    seed: int = 0

    def records(self) -> list[Mapping[str, Any]]:
        """The measures of each network as plain data."""
        return [{"model": label, "task": self.task, "seed": self.seed, **found} for label, found in self.measured.items()]

    def table(self) -> Table:
        """A row per measure, a column per network; values of several layers, from the input up, are separated by commas."""
        rows = []
        for name, meaning in MEANINGS.items():
            values = [found.get(name) for found in self.measured.values()]
            if any(value is not None for value in values):
                rows.append([name.replace("_", " "), *_texts(values, number), meaning])
        for gate in dict.fromkeys(gate for found in self.measured.values() for gate in found["saturated"]):
            shares = [found["saturated"].get(gate) for found in self.measured.values()]
            rows.append([f"saturated: {gate}", *_texts(shares, _ends), "share at the lower / upper end"])
        notes = ["Values of several layers, from the input up, are separated by commas."]
        return Table(f"{self.task}: gradients", ["measure", *self.measured, "meaning"], rows, notes)


def _texts(values: list[Any], form: Callable[[Any], str]) -> list[str]:
    """The values of each network as text, layer by layer; nothing for a network without them."""
    return ["" if value is None else ", ".join(map(form, np.atleast_1d(value))) for value in values]


def _ends(shares: Any) -> str:
    low, high = shares
    return f"{low:.1%} / {high:.1%}"
