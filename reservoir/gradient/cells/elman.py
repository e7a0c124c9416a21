"""The simple recurrent network of Elman (Cognitive Science 14, 1990), with tanh or rectified linear units.

h(t) = f(x(t) W + h(t-1) U + b)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from reservoir.base.estimator import parameter
from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.dense import dense_gradients, input_product, transpose_first
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.kernels.activations import activate, scale_by_derivative
from reservoir.kernels.blas import gemm
from reservoir.kernels.jit import uncounted
from reservoir.kernels.sequence import KERNELS, Kernels
from reservoir.validation import Choice


class ElmanWeights(NamedTuple):
    """W (n_inputs, H), U (H, H), b (H,), room for the transpose of U, and the code of f."""

    input_weights: np.ndarray
    recurrent_weights: np.ndarray
    bias: np.ndarray
    transposed: np.ndarray
    activation: int


@uncounted
def _forward_step(weights, tape, t, n):
    gates, new = tape.gates[t], tape.states[0, t + 1, :n]
    for b in range(n):
        for j in range(new.shape[1]):
            new[b, j] = gates[b, j]
    gemm(tape.states[0, t, :n], weights.recurrent_weights, True, new)
    activate(weights.activation, new.reshape(-1))


@uncounted
def _backward_step(weights, tape, t, n, state_gradient):
    transpose_first(weights, tape, t)
    gates, gradient, new = tape.gates[t, :n], state_gradient[0, :n], tape.states[0, t + 1]
    for b in range(n):
        for j in range(new.shape[1]):
            gates[b, j] = new[b, j]
        scale_by_derivative(weights.activation, gates[b], gradient[b])
    gemm(gates, weights.transposed, False, gradient)


KERNELS[ElmanWeights] = Kernels(input_product, _forward_step, _backward_step, dense_gradients)


@dataclass(frozen=True)
class ElmanCell(Cell):
    """The weights of a layer: `input_weights`, `recurrent_weights`, `bias`."""

    weights: ClassVar[Any] = ElmanWeights

    activation: str = "tanh"


@dataclass(eq=False, repr=False)
class Elman(RecurrentEstimator):
    """Simple recurrent network (Elman 1990): h(t) = f(x(t) W + h(t-1) U + b).

    activation : f: "tanh" or "relu"
    """

    cell_class: ClassVar[type[Cell]] = ElmanCell

    activation: str = parameter("tanh", Choice(("tanh", "relu")))
