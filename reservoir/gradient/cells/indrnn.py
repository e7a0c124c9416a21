"""The independently recurrent network (Li, Li, Cook, Zhu & Gao, CVPR 2018): each unit reads itself alone.

    h(t) = f(x(t) W + u h(t-1) + b)

u is a vector, and its product with h goes element by element; f is the rectifier or tanh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.random import Generator

from reservoir.base.estimator import parameter
from reservoir.gradient.cells.base import Cell, Shape
from reservoir.gradient.cells.dense import input_gradients, input_product, multiply_add
from reservoir.gradient.initializers import initialize
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.kernels.activations import activate, scale_by_derivative
from reservoir.kernels.jit import uncounted
from reservoir.kernels.sequence import KERNELS, Kernels
from reservoir.validation import Choice, Number


class IndRNNWeights(NamedTuple):
    """W (n_inputs, H), u (H,), b (H,), and the code of f."""

    input_weights: np.ndarray
    recurrent_weights: np.ndarray
    bias: np.ndarray
    activation: int


@uncounted
def _forward_step(weights, tape, t, n):
    gates, new = tape.gates[t, :n], tape.states[0, t + 1]
    for b in range(n):
        multiply_add(weights.recurrent_weights, tape.states[0, t, b], gates[b])
        for j in range(gates.shape[1]):
            new[b, j] = gates[b, j]
    activate(weights.activation, new[:n].reshape(-1))


@uncounted
def _backward_step(weights, tape, t, n, state_gradient):
    gates, gradient, new = tape.gates[t, :n], state_gradient[0], tape.states[0, t + 1]
    for b in range(n):
        row, passed = gates[b], gradient[b]
        for j in range(len(row)):
            row[j] = new[b, j]
        scale_by_derivative(weights.activation, row, passed)
        for j in range(len(row)):
            passed[j] = row[j] * weights.recurrent_weights[j]


@uncounted
def _weight_gradients(weights, tape, gradients):
    input_gradients(tape, gradients)
    gradients.recurrent_weights[:] = 0
    for t in range(tape.gates.shape[0]):
        for b in range(tape.gates.shape[1]):
            multiply_add(tape.gates[t, b], tape.states[0, t, b], gradients.recurrent_weights)


KERNELS[IndRNNWeights] = Kernels(input_product, _forward_step, _backward_step, _weight_gradients)


@dataclass(frozen=True)
class IndRNNCell(Cell):
    """The weights of a layer: `input_weights`, `recurrent_weights`, one for each unit, `bias`."""

    weights: ClassVar[Any] = IndRNNWeights
    diagonal: ClassVar[bool] = True

    activation: str = "relu"
    recurrent_bound: float = 1.0

    def shapes(self, n_inputs: int) -> dict[str, Shape]:
        """Return the arrays of the weights."""
        return {**super().shapes(n_inputs), "recurrent_weights": (self.units,)}

    def draw_recurrent(self, kind: str, scale: float, generator: Generator) -> np.ndarray:
        """Draw uniformly from 0 to `recurrent_bound`; `kind` and `scale` are ignored."""
        return initialize("indrnn", (self.units,), generator, self.recurrent_bound)


@dataclass(eq=False, repr=False)
class IndRNN(RecurrentEstimator):
    """Independently recurrent network (Li et al. 2018): each unit reads itself alone, h(t) = f(x(t) W + u h(t-1) + b).

    activation : f: "relu" or "tanh"
    recurrent_bound : u is drawn uniformly from 0 to this; `recurrent_init` is not used
    """

    cell_class: ClassVar[type[Cell]] = IndRNNCell

    activation: str = parameter("relu", Choice(("relu", "tanh")))
    recurrent_bound: float = parameter(1.0, Number(low=0, open_low=True))
