"""The minimal gated unit (Zhou et al., Int. J. of Automation and Computing 13, 2016): one gate that forgets and resets.

    f(t) = s(x(t) W_f + h(t-1) U_f + b_f)                            gate
    c(t) = tanh(x(t) W_c + (f(t) h(t-1)) U_c + b_c)                  candidate
    h(t) = (1 - f(t)) h(t-1) + f(t) c(t)

s is the logistic sigmoid, products of vectors go element by element. Columns of W, U and b lie in the order f, c.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.dense import activate_columns, input_gradients, input_product, transpose_first
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.kernels.activations import SIGMOID, TANH
from reservoir.kernels.blas import gemm
from reservoir.kernels.jit import uncounted
from reservoir.kernels.sequence import KERNELS, Kernels


class MGUWeights(NamedTuple):
    """W (n_inputs, 2 H), U (H, 2 H), b (2 H,); room for the transpose of U."""

    input_weights: np.ndarray
    recurrent_weights: np.ndarray
    bias: np.ndarray
    transposed: np.ndarray


# `extra` holds f h, which U_c reads, and, in the backward pass, part of the gradient of f.


@uncounted
def _forward_step(weights, tape, t, n):
    first, rows = tape.states.shape[3], np.uint64(n)  # the first column of the candidate
    units, width = np.uint64(first), np.uint64(2 * first)
    gates, extra, old, new = tape.gates[t, :n], tape.extra[t, :n], tape.states[0, t, :n], tape.states[0, t + 1]
    gemm(old, weights.recurrent_weights[:, :first], True, gates[:, :first])
    activate_columns(SIGMOID, gates, rows, np.uint64(0), units)
    for b in range(rows):
        for j in range(units):
            extra[b, j] = gates[b, j] * old[b, j]
    gemm(extra[:, :first], weights.recurrent_weights[:, first:], True, gates[:, first:])
    activate_columns(TANH, gates, rows, units, width)
    for b in range(rows):
        for j in range(units):
            new[b, j] = old[b, j] + gates[b, j] * (gates[b, units + j] - old[b, j])


@uncounted
def _backward_output(gates, extra, old, gradient):
    """Write the gradients of the candidate and, without the candidate, of the gate and of h(t-1)."""
    units = old.shape[1]
    one = gates.dtype.type(1.0)
    for b in range(len(gates)):
        f, c, df, h, dh = gates[b, :units], gates[b, units:], extra[b, units:], old[b], gradient[b]
        for j in range(units):
            df[j] = dh[j] * (c[j] - h[j])
        for j in range(units):
            c[j] = dh[j] * f[j] * (one - c[j] * c[j])
            dh[j] *= one - f[j]


@uncounted
def _backward_reset(gates, extra, old, gradient):
    """Write the gradient of the gate and the rest of that of h(t-1), from that of f h, which is then f h again."""
    units = old.shape[1]
    one = gates.dtype.type(1.0)
    for b in range(len(gates)):
        f, u, df, h, dh = gates[b, :units], extra[b, :units], extra[b, units:], old[b], gradient[b]
        for j in range(units):
            dh[j] += u[j] * f[j]
            df[j] += u[j] * h[j]
        for j in range(units):
            u[j] = f[j] * h[j]
            f[j] = df[j] * (f[j] * (one - f[j]))


@uncounted
def _backward_step(weights, tape, t, n, state_gradient):
    transpose_first(weights, tape, t)
    units = tape.states.shape[3]
    gates, extra, old, gradient = tape.gates[t, :n], tape.extra[t, :n], tape.states[0, t], state_gradient[0, :n]
    _backward_output(gates, extra, old, gradient)
    gemm(gates[:, units:], weights.transposed[units:], False, extra[:, :units])
    _backward_reset(gates, extra, old, gradient)
    gemm(gates[:, :units], weights.transposed[:units], True, gradient)
    tape.extra[t, n:] = 0


@uncounted
def _weight_gradients(weights, tape, gradients):
    steps, batch, width = tape.gates.shape
    units, rows = width // 2, steps * batch
    input_gradients(tape, gradients)
    gates, extra = tape.gates.reshape(rows, width), tape.extra.reshape(rows, width)
    states = tape.states[0, :steps].reshape(rows, units)
    gemm(states, gates[:, :units], False, gradients.recurrent_weights[:, :units], True)
    gemm(extra[:, :units], gates[:, units:], False, gradients.recurrent_weights[:, units:], True)


KERNELS[MGUWeights] = Kernels(input_product, _forward_step, _backward_step, _weight_gradients)


@dataclass(frozen=True)
class MGUCell(Cell):
    """The weights of a layer: `input_weights`, `recurrent_weights`, `bias`."""

    weights: ClassVar[Any] = MGUWeights
    gate_functions: ClassVar[Mapping[str, str]] = {"forget gate": "sigmoid", "candidate": "tanh"}
    extra: ClassVar[int] = 2


@dataclass(eq=False, repr=False)
class MGU(RecurrentEstimator):
    """Minimal gated unit (Zhou, Wu, Zhang & Zhou 2016): one gate that forgets and resets."""

    cell_class: ClassVar[type[Cell]] = MGUCell
