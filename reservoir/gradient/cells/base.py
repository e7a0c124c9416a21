"""The base of every cell: its sizes, its arrays, and how they are packed for the kernels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from reservoir.gradient.initializers import initialize
from reservoir.kernels.activations import CODES

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Cell:
    """The base of every cell, a frozen dataclass of its options. A subclass states its sizes and its arrays."""

    weights: ClassVar[Any]
    """The NamedTuple of its arrays, for whose class the kernels are registered."""
    gate_functions: ClassVar[Mapping[str, str]] = {}
    """For each gate, in the order of its columns in the weights, the function of its pre-activation: "sigmoid" or "tanh"."""
    states: ClassVar[int] = 1
    """State variables per unit; the first is the output."""
    extra: ClassVar[int] = 0
    """Further numbers per unit and step that the backward pass needs."""
    diagonal: ClassVar[bool] = False
    """Whether the output of a unit depends on its own weights alone."""
    output_function: ClassVar[str] = "tanh"
    """The function whose values the outputs are, which says where they saturate; a field `activation` goes over it."""

    units: int

    @property
    def gates(self) -> int:
        """Pre-activations per unit: one for each gate, or the unit's own."""
        return max(len(self.gate_functions), 1)

    def shapes(self, n_inputs: int) -> dict[str, Shape]:
        """Names and shapes of the weights, in the order of the flat parameter vector: those of gates that read all units."""
        width = self.gates * self.units
        return {"input_weights": (n_inputs, width), "recurrent_weights": (self.units, width), "bias": (width,)}

    def bind(self, arrays: Mapping[str, np.ndarray]) -> Any:
        """Return the arrays as the kernels take them; of gradients too."""
        return self.weights(**arrays, **self.auxiliary(arrays))

    def auxiliary(self, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Return the fields of `weights` that are not weights: room for the transpose of U, and the code of the activation."""
        recurrent = arrays["recurrent_weights"]
        known: dict[str, Any] = {"transposed": np.empty(recurrent.shape[::-1], recurrent.dtype)}
        if hasattr(self, "activation"):
            known["activation"] = CODES[self.activation]
        return {name: value for name, value in known.items() if name in self.weights._fields}

    def readable(self, name: str, array: np.ndarray) -> np.ndarray:
        """Return an array of the weights as users read it: a matrix as (to, from), which is stored as (from, to)."""
        return array.T

    def draw_recurrent(self, kind: str, scale: float, generator: Generator) -> np.ndarray:
        """Initial `recurrent_weights`, drawn as `initialize` says."""
        return initialize(kind, (self.units, self.gates * self.units), generator, scale)

    def units_fed(self, name: str, n_inputs: int) -> np.ndarray:
        """For each weight of an array, flat, the unit that it leads to."""
        shape = self.shapes(n_inputs)[name]
        return np.broadcast_to(np.arange(shape[-1]) % self.units, shape).ravel()  # gates lie side by side

    def adjust_bias(self, bias: np.ndarray) -> None:
        """Shift an initial `bias` where the cell wants it."""
