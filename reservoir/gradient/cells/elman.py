"""The simple recurrent network of Elman (Cognitive Science 14, 1990), with tanh or rectified linear units.

h(t) = f(x(t) W + h(t-1) U + b)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from reservoir.gradient.cells.base import Cell, Shape
from reservoir.gradient.cells.dense import dense_gradients, input_product
from reservoir.kernels.activations import CODES, activate, scale_by_derivative
from reservoir.kernels.blas import gemm
from reservoir.kernels.jit import jit
from reservoir.kernels.sequence import KERNELS, Kernels


class ElmanWeights(NamedTuple):
    """W (n_inputs, H), U (H, H), b (H,), and the code of f."""

    input_weights: np.ndarray
    recurrent_weights: np.ndarray
    bias: np.ndarray
    activation: int


@jit
def _advance(weights, tape, t, n):
    gates = tape.gates[t, :n]
    gemm(tape.states[0, t, :n], weights.recurrent_weights, True, gates)
    for b in range(n):
        activate(weights.activation, gates[b])
        tape.states[0, t + 1, b] = gates[b]


@jit
def _retreat(weights, tape, t, n, state_gradient):
    gates = tape.gates[t, :n]
    for b in range(n):
        scale_by_derivative(weights.activation, gates[b], state_gradient[0, b])
    gemm(gates, weights.recurrent_weights, False, state_gradient[0, :n], False, True)


KERNELS[ElmanWeights] = Kernels(input_product, _advance, _retreat, dense_gradients)


@dataclass(frozen=True)
class ElmanCell(Cell):
    """The weights of a layer: `input_weights`, `recurrent_weights`, `bias`."""

    activation: str = "tanh"

    def shapes(self, n_inputs: int) -> dict[str, Shape]:
        """The arrays of the weights."""
        return {"input_weights": (n_inputs, self.units), "recurrent_weights": (self.units, self.units), "bias": (self.units,)}

    def bind(self, arrays: Mapping[str, np.ndarray]) -> Any:
        """The arrays as the kernels take them."""
        return ElmanWeights(**arrays, activation=CODES[self.activation])
