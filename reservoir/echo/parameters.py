"""The parameters of an echo state network: their constraints, their defaults, and what can be named in them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from reservoir.base.memory import check_memory
from reservoir.base.sequence_estimator import SequenceEstimator
from reservoir.echo.features import PARTS, Layout, block_rows
from reservoir.echo.input_weights import PATTERNS
from reservoir.echo.readouts.model import AnyReadout, as_readout
from reservoir.echo.readouts.ridge import Ridge
from reservoir.echo.readouts.table import READOUTS
from reservoir.echo.topology import OPTION_CONSTRAINTS, TOPOLOGIES, stored_bytes, topology_options
from reservoir.kernels.activations import CODES
from reservoir.validation import Choice, Constraint, Number, Subset, refused

ARRAY = (list, tuple, np.ndarray)
DEFAULT_READOUT = Ridge(1e-8)
RESERVOIR = (
    "units", "spectral_radius", "density", "leak_rate", "input_scaling", "bias_scaling", "feedback_scaling", "topology",
    "topology_options", "activation", "input_weights", "input_density", "initial_state", "dtype",
)  # fmt: skip
"""The names of the parameters that describe the reservoir."""


@dataclass(eq=False, repr=False)
class ESNParameters(SequenceEstimator):
    """The parameters of an `ESN`, whose docstring explains them."""

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "units": Number(low=1, integer=True),
        "spectral_radius": Number(low=0, optional=True),
        "density": Number(low=0, high=1, open_low=True),
        "leak_rate": Number(low=0, high=1, open_low=True, array=True),
        "input_scaling": Number(array=True),
        "bias_scaling": Number(array=True),
        "feedback_scaling": Number(array=True),
        "topology": Choice(tuple(TOPOLOGIES), (object,), "an (N, N) matrix"),
        "topology_options": Choice((None,), (dict,), "a dict"),
        "activation": Choice(tuple(CODES)),
        "input_weights": Choice(PATTERNS, ARRAY, "an (N, n_inputs) array"),
        "input_density": Number(low=0, high=1, open_low=True),
        "noise": Number(low=0),
        "washout": Number(low=0, integer=True),
        "readout": Choice(
            (), (*READOUTS.values(), AnyReadout),
            f"a readout: {', '.join(READOUTS)}, a subclass of Readout, or an object with fit and predict"
        ),
        "readout_from": Subset(PARTS),
        "pooling": Choice(("last", "mean", "every")),
        "initial_state": Choice(("zero", "random"), ARRAY, "N numbers"),
        "dtype": Choice(("float64", "float32")),
    }  # fmt: skip
    for_feedback: ClassVar[tuple[str, str, str]] = ("feedback_scaling", "above 0", "0")
    for_labels: ClassVar[str] = "a classifier as the readout: readout=RidgeClassifier() or readout=Logistic()"
    options: ClassVar[Mapping[str, Iterable[str]]] = {"topology_options": OPTION_CONSTRAINTS}

    units: int = 500
    spectral_radius: float | None = 0.95
    density: float = 0.02
    leak_rate: float | Sequence[float] = 1.0
    input_scaling: float | Sequence[float] = 1.0
    bias_scaling: float | Sequence[float] = 0.2
    feedback_scaling: float | Sequence[float] = 0.0
    topology: Any = "diagonals"
    topology_options: Mapping[str, Any] | None = None
    activation: str = "tanh"
    input_weights: Any = "uniform"
    input_density: float = 1.0
    noise: float = 0.0
    washout: int = 100
    readout: Any = DEFAULT_READOUT
    readout_from: Sequence[str] = ("bias", "input", "state")
    pooling: str = "last"
    initial_state: Any = "zero"
    dtype: str = "float64"
    random_state: Any = None

    @staticmethod
    def catalog() -> dict[str, dict[str, str]]:
        """What can be named in the parameters, with a line each: topologies with their options, and readouts."""

        def lines(table: Mapping[str, Any]) -> dict[str, str]:
            return {name: (inspect.getdoc(entry) or "").partition("\n")[0] for name, entry in table.items()}

        topologies = lines(TOPOLOGIES)
        for name in topologies:
            if options := topology_options(name):
                topologies[name] += f" Options: {', '.join(f'{key}={value!r}' for key, value in options.items())}."
        return {"Topologies": topologies, "Readouts": lines(READOUTS)}

    @property
    def _fed_back(self) -> bool:
        return bool(np.any(self.feedback_scaling)) or "output" in self.readout_from

    def _layout_now(self) -> Layout:
        """The columns of the readout's features, by the parameters as they are now."""
        return Layout(frozenset(self.readout_from), self.n_features_in_, self.n_outputs_, self.units)

    @property
    def _classifies(self) -> bool:
        return as_readout(self.readout).classifier

    def _check_memory(self, n_inputs: int, n_outputs: int, rows: int) -> None:
        """Raise `MemoryError` where a fit to so many rows needs more memory than there is; without rows, to draw the weights."""

        def needs(units: int) -> dict[str, float]:
            width = Layout(frozenset(self.readout_from), n_inputs, n_outputs, units).width
            weights = 2.0 * stored_bytes(self.topology, units, self.density) + 16.0 * units * (n_inputs + n_outputs)
            parts = {"weights of the reservoir": weights}
            if rows:
                parts["a block of features"] = 8.0 * width * min(block_rows(width), rows)
                parts.update(as_readout(self.readout).memory(rows, width, n_outputs))
            return parts

        fitted = f" fitted to {rows:,} rows" if rows else ""
        check_memory(f"{type(self).__name__} with {self.units:,} units{fitted}", needs, int(self.units), "units")

    @classmethod
    def sized(cls, budget: int, n_inputs: int, n_outputs: int, **parameters: Any) -> int:
        """Compute the number of units with which the readout of such a network has nearest to `budget` weights.

        Raises `ParameterError` where the readout does not see the units.
        """
        parts = frozenset(parameters.get("readout_from", cls().readout_from))
        none, one = (Layout(parts, n_inputs, n_outputs, units).width * n_outputs for units in (0, 1))
        if one == none:
            raise refused("readout_from", "ESN", "a list with state or square where a budget decides the units", sorted(parts))
        return max(round((budget - none) / (one - none)), 1)
