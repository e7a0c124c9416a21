"""The report of a reservoir before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from reservoir.base.tables import Table, number
from reservoir.echo.reservoir import Reservoir
from reservoir.echo.topology import as_csr

MEANINGS = {
    "density": "fraction of weights that are not zero",
    "in_degree": "least, mean, most connections into a unit",
    "out_degree": "least, mean, most connections out of a unit",
    "spectral_radius": "largest absolute eigenvalue of W",
    "largest_singular_value": "below 1, without leak: echo state property for every input",
    "leaky_bound": "below 1: echo state property for every input (Yildiz, Jaeger & Kiebel 2012)",
    "echo_state_index": "different responses to one input from 20 starts; 1 is the echo state property",
    "lyapunov_exponent": "growth of a perturbation per step, along the input; negative: it is forgotten",
    "kernel_rank": "how many dimensions different inputs lead to",
    "generalization_rank": "how many of them are left when the last 10 inputs agree",
    "memory_capacity": "sum of the squared correlations with past inputs; at most the units",
}


@dataclass(frozen=True)
class ReservoirReport:
    """The measures of a reservoir, by name, as `diagnostics.inspect` gives them."""

    reservoir: Reservoir
    measures: Mapping[str, Any]

    @property
    def weights(self) -> sp.csr_array:
        """The recurrent weights W (units, units)."""
        return as_csr(self.reservoir.matrix)

    @property
    def memory_curve(self) -> np.ndarray:
        """Squared correlations (lags,) with the input 1, 2, ... steps ago."""
        return np.asarray(self.measures["memory_curve"])

    def records(self) -> list[Mapping[str, Any]]:
        """All measures as plain data, in a list of one."""
        return [self.measures]

    def table(self) -> Table:
        """A row for each measure but the memory curve, with its meaning."""
        rows = []
        for name, value in self.measures.items():
            if name != "memory_curve":
                values = value if isinstance(value, tuple) else (value,)
                text = ", ".join(number(v) if isinstance(v, float) else str(v) for v in values)
                rows.append([name.replace("_", " "), text, MEANINGS.get(name, "")])
        return Table("Reservoir", ["measure", "value", "meaning"], rows, [])
