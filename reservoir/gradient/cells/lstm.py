"""Long short-term memory with a forget gate (Hochreiter & Schmidhuber, Neural Computation 9, 1997; Gers et al. 2000).

    i(t) = s(x(t) W_i + h(t-1) U_i + p_i c(t-1) + b_i)      input gate
    f(t) = s(x(t) W_f + h(t-1) U_f + p_f c(t-1) + b_f)      forget gate
    g(t) = tanh(x(t) W_g + h(t-1) U_g + b_g)                candidate
    c(t) = f(t) c(t-1) + i(t) g(t)                          cell
    o(t) = s(x(t) W_o + h(t-1) U_o + p_o c(t) + b_o)        output gate
    h(t) = o(t) tanh(c(t))

s is the logistic sigmoid, products of vectors go element by element. Without peepholes (Gers & Schmidhuber 2000) the p are
zero. Columns of W, U and b lie in the order i, f, o, g.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from reservoir.base.estimator import parameter
from reservoir.gradient.cells.base import Cell, Shape
from reservoir.gradient.cells.dense import activate_columns, dense_gradients, input_product, multiply_add, transpose_first
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.kernels.activations import SIGMOID, TANH
from reservoir.kernels.blas import gemm
from reservoir.kernels.jit import uncounted
from reservoir.kernels.sequence import KERNELS, Kernels
from reservoir.validation import Choice, Number


class LSTMWeights(NamedTuple):
    """W (n_inputs, 4 H), U (H, 4 H), b (4 H,), and p (3, H) of the gates i, f, o, or (0, H); room for the transpose of U."""

    input_weights: np.ndarray
    recurrent_weights: np.ndarray
    bias: np.ndarray
    peepholes: np.ndarray
    transposed: np.ndarray


@uncounted
def _to_gates(peepholes, cell, gates, first, last):
    """gates += p * cell, of the gates in range(first, last)."""
    units = cell.shape[1]
    for b in range(len(gates)):
        for gate in range(first, last):
            multiply_add(peepholes[gate], cell[b], gates[b, gate * units : (gate + 1) * units])


@uncounted
def _from_gates(peepholes, gates, cell_gradient, first, last):
    """Add the adjoint of `_to_gates`: cell_gradient += p * gates."""
    units = cell_gradient.shape[1]
    for b in range(len(gates)):
        for gate in range(first, last):
            multiply_add(peepholes[gate], gates[b, gate * units : (gate + 1) * units], cell_gradient[b])


@uncounted
def _forward_step(weights, tape, t, n):
    zero, units, rows = np.uint64(0), np.uint64(tape.states.shape[3]), np.uint64(n)
    double, triple, width = np.uint64(2) * units, np.uint64(3) * units, np.uint64(4) * units
    gates, squashed, output = tape.gates[t, :n], tape.extra[t], tape.states[0, t + 1]
    old, cell = tape.states[1, t], tape.states[1, t + 1]
    gemm(tape.states[0, t, :n], weights.recurrent_weights, True, gates)
    peepholes = len(weights.peepholes) > 0
    if peepholes:
        _to_gates(weights.peepholes, old, gates, 0, 2)
    activate_columns(SIGMOID, gates, rows, zero, double if peepholes else triple)
    activate_columns(TANH, gates, rows, triple, width)
    for b in range(rows):
        for j in range(units):
            cell[b, j] = gates[b, units + j] * old[b, j] + gates[b, j] * gates[b, triple + j]
        for j in range(units):
            squashed[b, j] = cell[b, j]
    if peepholes:
        _to_gates(weights.peepholes, cell, gates, 2, 3)
        activate_columns(SIGMOID, gates, rows, double, triple)
    activate_columns(TANH, squashed, rows, zero, units)
    for b in range(rows):
        for j in range(units):
            output[b, j] = gates[b, double + j] * squashed[b, j]


@uncounted
def _backward_output(gates, squashed, output_gradient, cell_gradient):
    """Write the gradients of the output gate and, through the output, of the cell."""
    units = squashed.shape[1]
    one = gates.dtype.type(1.0)
    for b in range(len(gates)):
        o, q, dh, dc = gates[b, 2 * units : 3 * units], squashed[b], output_gradient[b], cell_gradient[b]
        for j in range(units):
            dc[j] += dh[j] * (o[j] * (one - q[j] * q[j]))
        for j in range(units):
            o[j] = dh[j] * q[j] * (o[j] * (one - o[j]))


@uncounted
def _backward_cell(gates, old, cell_gradient):
    """Write the gradients of the other gates and of the cell before."""
    units = old.shape[1]
    one = gates.dtype.type(1.0)
    for b in range(len(gates)):
        row, c, dc = gates[b], old[b], cell_gradient[b]
        i, f, g = row[:units], row[units : 2 * units], row[3 * units :]
        for j in range(units):  # the gradients of i and g need the old values of each other
            dg = dc[j] * i[j] * (one - g[j] * g[j])
            i[j] = dc[j] * g[j] * (i[j] * (one - i[j]))
            g[j] = dg
        for j in range(units):
            df = dc[j] * c[j] * (f[j] * (one - f[j]))
            dc[j] *= f[j]
            f[j] = df


@uncounted
def _backward_step(weights, tape, t, n, state_gradient):
    transpose_first(weights, tape, t)
    gates, peepholes = tape.gates[t, :n], len(weights.peepholes) > 0
    _backward_output(gates, tape.extra[t], state_gradient[0], state_gradient[1])
    if peepholes:
        _from_gates(weights.peepholes, gates, state_gradient[1], 2, 3)
    _backward_cell(gates, tape.states[1, t], state_gradient[1])
    if peepholes:
        _from_gates(weights.peepholes, gates, state_gradient[1], 0, 2)
    gemm(gates, weights.transposed, False, state_gradient[0, :n])


@uncounted
def _weight_gradients(weights, tape, gradients):
    dense_gradients(weights, tape, gradients)
    gradients.peepholes[:] = 0
    if len(weights.peepholes) > 0:
        steps, batch, units = tape.extra.shape
        for t in range(steps):
            for b in range(batch):
                row = tape.gates[t, b]
                for gate in range(3):  # the output gate reads the new state of the cell
                    cell = tape.states[1, t + gate // 2, b]
                    multiply_add(row[gate * units : (gate + 1) * units], cell, gradients.peepholes[gate])


KERNELS[LSTMWeights] = Kernels(input_product, _forward_step, _backward_step, _weight_gradients)


@dataclass(frozen=True)
class LSTMCell(Cell):
    """The weights of a layer: `input_weights`, `recurrent_weights`, `bias`, and `peepholes` if it has them."""

    weights: ClassVar[Any] = LSTMWeights
    gate_functions: ClassVar[Mapping[str, str]] = {
        "input gate": "sigmoid",
        "forget gate": "sigmoid",
        "output gate": "sigmoid",
        "candidate": "tanh",
    }
    states: ClassVar[int] = 2
    extra: ClassVar[int] = 1

    peepholes: bool = False
    forget_bias: float = 1.0

    def shapes(self, n_inputs: int) -> dict[str, Shape]:
        """Return the arrays of the weights."""
        return {**super().shapes(n_inputs), "peepholes": (3 * self.peepholes, self.units)}

    def readable(self, name: str, array: np.ndarray) -> np.ndarray:
        """Return an array of the weights as users read it; peepholes, from a unit to itself, have a row for each gate."""
        return array if name == "peepholes" else super().readable(name, array)

    def adjust_bias(self, bias: np.ndarray) -> None:
        """Open the forget gates (Gers, Schmidhuber & Cummins 2000)."""
        bias[self.units : 2 * self.units] += self.forget_bias


@dataclass(eq=False, repr=False)
class LSTM(RecurrentEstimator):
    """Long short-term memory with forget gates (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000).

    peepholes : whether the gates see the cell (Gers & Schmidhuber 2000)
    forget_bias : added to the initial bias of the forget gates
    """

    cell_class: ClassVar[type[Cell]] = LSTMCell

    peepholes: bool = parameter(False, Choice((True, False)))
    forget_bias: float = parameter(1.0, Number())
