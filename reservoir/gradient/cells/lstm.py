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

from reservoir.gradient.cells.base import Cell, Shape
from reservoir.gradient.cells.dense import dense_gradients, input_product
from reservoir.kernels.activations import SIGMOID, TANH, activate_range
from reservoir.kernels.blas import gemm
from reservoir.kernels.jit import jit
from reservoir.kernels.sequence import KERNELS, Kernels


class LSTMWeights(NamedTuple):
    """W (n_inputs, 4 H), U (H, 4 H), b (4 H,), and p (3, H) of the gates i, f, o, or (0, H)."""

    input_weights: np.ndarray
    recurrent_weights: np.ndarray
    bias: np.ndarray
    peepholes: np.ndarray


@jit
def _add_peepholes(weights, states, gates, first, last, n):
    """gates[first:last] += p * states, of rows of gates and states one after the other."""
    units = np.uint64(weights.peepholes.shape[1])
    for b in range(n):
        for gate in range(first, last):
            start = (np.uint64(4) * b + gate) * units
            for j in range(units):
                gates[start + j] += weights.peepholes[gate, j] * states[b * units + j]


@jit
def _advance(weights, tape, t, n):
    units, n = np.uint64(tape.states.shape[3]), np.uint64(n)
    double, triple, width = np.uint64(2) * units, np.uint64(3) * units, np.uint64(4) * units
    gemm(tape.states[0, t, :n], weights.recurrent_weights, True, tape.gates[t, :n])
    gates, squashed = tape.gates[t].reshape(-1), tape.extra[t].reshape(-1)
    old, cell, output = tape.states[1, t].reshape(-1), tape.states[1, t + 1].reshape(-1), tape.states[0, t + 1].reshape(-1)
    peepholes = len(weights.peepholes) > 0
    if peepholes:
        _add_peepholes(weights, old, gates, 0, 2, n)
    for b in range(n):
        i, k = b * width, b * units  # where the row of the gates starts, and that of a state
        activate_range(SIGMOID, gates, i, i + (double if peepholes else triple))
        activate_range(TANH, gates, i + triple, i + width)
        for j in range(units):
            cell[k + j] = gates[i + units + j] * old[k + j] + gates[i + j] * gates[i + triple + j]
    if peepholes:
        _add_peepholes(weights, cell, gates, 2, 3, n)
        for b in range(n):
            activate_range(SIGMOID, gates, b * width + double, b * width + triple)
    for k in range(n * units):
        squashed[k] = cell[k]
    activate_range(TANH, squashed, np.uint64(0), n * units)
    for b in range(n):
        i, k = b * width + double, b * units
        for j in range(units):
            output[k + j] = gates[i + j] * squashed[k + j]


@jit
def _multiply_add(a, b, total):
    for j in range(total.size):
        total[j] += a[j] * b[j]


@jit
def _retreat(weights, tape, t, n, state_gradient):
    units = tape.states.shape[3]
    gates = tape.gates[t, :n]
    one = gates.dtype.type(1.0)
    peepholes = len(weights.peepholes) > 0
    for b in range(n):
        row, old, squashed = gates[b], tape.states[1, t, b], tape.extra[t, b]
        i, f, o, g = row[:units], row[units : 2 * units], row[2 * units : 3 * units], row[3 * units :]
        dh, dc = state_gradient[0, b], state_gradient[1, b]
        for j in range(units):
            dc[j] += dh[j] * (o[j] * (one - squashed[j] * squashed[j]))
        for j in range(units):
            o[j] = dh[j] * squashed[j] * (o[j] * (one - o[j]))
        if peepholes:
            _multiply_add(weights.peepholes[2], o, dc)
        for j in range(units):  # the gradients of i and g need the old values of each other
            dg = dc[j] * i[j] * (one - g[j] * g[j])
            i[j] = dc[j] * g[j] * (i[j] * (one - i[j]))
            g[j] = dg
        for j in range(units):
            df = dc[j] * old[j] * (f[j] * (one - f[j]))
            dc[j] *= f[j]
            f[j] = df
        if peepholes:
            _multiply_add(weights.peepholes[0], i, dc)
            _multiply_add(weights.peepholes[1], f, dc)
    gemm(gates, weights.recurrent_weights, False, state_gradient[0, :n], False, True)


@jit
def _gather(weights, tape, gradients):
    dense_gradients(weights, tape, gradients)
    gradients.peepholes[:] = 0
    if len(weights.peepholes) > 0:
        steps, batch, units = tape.extra.shape
        for t in range(steps):
            for b in range(batch):
                row, old, new = tape.gates[t, b], tape.states[1, t, b], tape.states[1, t + 1, b]
                _multiply_add(row[:units], old, gradients.peepholes[0])
                _multiply_add(row[units : 2 * units], old, gradients.peepholes[1])
                _multiply_add(row[2 * units : 3 * units], new, gradients.peepholes[2])


KERNELS[LSTMWeights] = Kernels(input_product, _advance, _retreat, _gather)


@dataclass(frozen=True)
class LSTMCell(Cell):
    """The weights of a layer: `input_weights`, `recurrent_weights`, `bias`, and `peepholes` if it has them."""

    gates: ClassVar[int] = 4
    states: ClassVar[int] = 2
    extra: ClassVar[int] = 1

    peepholes: bool = False
    forget_bias: float = 1.0

    def shapes(self, n_inputs: int) -> dict[str, Shape]:
        """The arrays of the weights."""
        width = 4 * self.units
        return {
            "input_weights": (n_inputs, width),
            "recurrent_weights": (self.units, width),
            "bias": (width,),
            "peepholes": (3 * self.peepholes, self.units),
        }

    def bind(self, arrays: Mapping[str, np.ndarray]) -> Any:
        """The arrays as the kernels take them."""
        return LSTMWeights(**arrays)

    def adjust_bias(self, bias: np.ndarray) -> None:
        """Open the forget gates (Gers, Schmidhuber & Cummins 2000)."""
        bias[self.units : 2 * self.units] += self.forget_bias
