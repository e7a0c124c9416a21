"""The measures of a reservoir before anything is trained, and their report."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from reservoir.base.estimator import clone
from reservoir.base.tables import Table, csv_cells, number
from reservoir.echo.diagnostics import measure_reservoir
from reservoir.echo.esn import ESN
from reservoir.echo.reservoir import Reservoir
from reservoir.echo.topology import as_csr
from reservoir.files.writing import write_csv
from reservoir.validation import Number, as_matrix, brief, check_parameters, refused

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEANINGS = {
    "density": "fraction of weights that are not zero",
    "in_degree": "least, mean, most connections into a unit",
    "out_degree": "least, mean, most connections out of a unit",
    "spectral_radius": "largest absolute eigenvalue of W",
    "largest_singular_value": "below 1, without leak: echo state property for every input",
    "leaky_bound": "below 1: echo state property for every input (Yildiz, Jaeger & Kiebel 2012)",
    "echo_state_index": "different responses to one input from 20 starts; 1 is the echo state property",
    "lyapunov_exponent": "growth of a perturbation per step, along the input, ± its standard error; negative: it is forgotten",
    "kernel_rank": "dimensions of the states that different inputs lead to",
    "generalization_rank": "dimensions of the states when the last 10 inputs agree",
    "memory_capacity": "sum of the squared correlations with past inputs; at most the units",
}


APART = ("memory_curve", "lyapunov_error", "lyapunov_steps", "lyapunov_verdict")
"""Measures without a row of their own."""


@dataclass(frozen=True)
class ReservoirReport:
    """A reservoir and its measures by name, from `echo.diagnostics.measure_reservoir`."""

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
        """A row for each measure but the memory curve, with its meaning; the Lyapunov exponent with its error and its verdict."""
        rows = []
        for name, value in self.measures.items():
            if name not in APART:
                values = value if isinstance(value, tuple) else (value,)
                text = ", ".join(number(v) if isinstance(v, float) else str(v) for v in values)
                if name == "lyapunov_exponent":
                    text = f"{text} ± {self.measures['lyapunov_error']:.1g}, {self.measures['lyapunov_verdict']}"
                rows.append([name.replace("_", " "), text, MEANINGS.get(name, "")])
        return Table("Reservoir", ["measure", "value", "meaning"], rows, [])

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a row for each measure, numbers in full; what has parts as JSON."""
        write_csv(path, ["measure", "value"], ([name, *csv_cells(self.measures, [name])] for name in self.measures))

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw the eigenvalues, the memory curve and the weights; also to a file (png, svg or pdf), if one is given.

        Raises `ParameterError` when matplotlib is missing or the file is of another kind.
        """
        from reservoir.plotting import inspect_figure, kept

        return kept(inspect_figure(self), path)


COUNTS = {"n_inputs": Number(low=1, integer=True), "steps": Number(low=2, integer=True), "seed": Number(low=0, integer=True)}


def inspect(esn: Any = "esn", data: Any = None, *, n_inputs: int = 1, steps: int = 2000, seed: int = 0) -> ReservoirReport:
    """Measure the reservoir of an echo state network before it is trained, as `reservoir inspect` does.

    Parameters
    ----------
    esn : an `ESN` or an object of your own class derived from it, which stays as it is and whose `random_state` draws the
        weights; or "esn", with default parameters and this seed
    data : array (T,) or (T, n_inputs) that drives the reservoir; white noise, uniform in +-1, unless given
    n_inputs : the number of input channels, without `data`
    steps : the steps of white noise, without `data`
    seed : the seed of the white noise, and of the inputs with which the ranks and the memory are measured

    Returns
    -------
    The report: `measures` by name (spectral radius, echo state index, Lyapunov exponent, ranks, memory capacity), `table()`
    with their meanings, `to_csv(path)`, and `plot()`, which draws eigenvalues, memory curve and weights.

    Raises
    ------
    ParameterError
        No echo state network, or a parameter out of range.
    DataError
        Data that are no finite numbers, or too few steps.

    Examples
    --------
    >>> from reservoir import ESN, inspect
    >>> report = inspect(ESN(units=20, spectral_radius=0.5, random_state=0))
    >>> round(report.measures["spectral_radius"], 6), report.measures["echo_state_index"]
    (0.5, 1)
    >>> report.table().columns
    ['measure', 'value', 'meaning']
    """
    check_parameters("inspect", COUNTS, {"n_inputs": n_inputs, "steps": steps, "seed": seed})
    if isinstance(esn, str) and esn == "esn":
        esn = ESN(random_state=seed)
    if not isinstance(esn, ESN):
        raise refused("esn", "inspect", "an ESN, or 'esn'", brief(esn))
    inputs = None if data is None else as_matrix(data, "data")
    reservoir = clone(esn).build(n_inputs if inputs is None else inputs.shape[1]).reservoir_
    return ReservoirReport(reservoir, measure_reservoir(reservoir, seed, steps, inputs))
