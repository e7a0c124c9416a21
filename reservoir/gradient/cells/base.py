"""What a cell is to the rest: its sizes, its arrays, and how they are packed for the kernels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from reservoir.gradient.initializers import initialize

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Cell:
    """Base of every cell, a frozen dataclass of its options. A subclass states its sizes and its arrays."""

    gates: ClassVar[int] = 1
    """Pre-activations per unit."""
    states: ClassVar[int] = 1
    """State variables per unit; the first is the output."""
    extra: ClassVar[int] = 0
    """Further numbers per unit and step that the way back needs."""

    units: int

    def shapes(self, n_inputs: int) -> dict[str, Shape]:
        """Names and shapes of the weights, in the order of the flat parameter vector."""
        raise NotImplementedError

    def bind(self, arrays: Mapping[str, np.ndarray]) -> Any:
        """The arrays as the NamedTuple whose class the kernels are registered for; of gradients too."""
        raise NotImplementedError

    def draw_recurrent(self, kind: str, scale: float, generator: np.random.Generator) -> np.ndarray:
        """Initial `recurrent_weights`, drawn as `initialize` says."""
        return initialize(kind, (self.units, self.gates * self.units), generator, scale)

    def adjust_bias(self, bias: np.ndarray) -> None:
        """Shift an initial `bias` where the cell wants it."""
