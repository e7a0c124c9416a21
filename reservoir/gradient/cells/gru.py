"""The gated recurrent unit (Cho et al., EMNLP 2014), with the reset gate before or after the recurrent product.

    z(t) = s(x(t) W_z + h(t-1) U_z + b_z)                            update gate
    r(t) = s(x(t) W_r + h(t-1) U_r + b_r)                            reset gate
    n(t) = tanh(x(t) W_n + (r(t) h(t-1)) U_n + b_n)                  candidate, reset before
    n(t) = tanh(x(t) W_n + r(t) (h(t-1) U_n + c_n) + b_n)            candidate, reset after
    h(t) = (1 - z(t)) n(t) + z(t) h(t-1)

s is the logistic sigmoid, products of vectors go element by element. The paper resets before; after is the form of cuDNN,
with one product fewer in a row and a second bias c. Columns of W, U and b lie in the order z, r, n.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from reservoir.base.estimator import parameter
from reservoir.gradient.cells.base import Cell, Shape
from reservoir.gradient.cells.dense import activate_columns, fill_rows, input_gradients, input_product, sum_rows, transpose_first
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.kernels.activations import SIGMOID, TANH
from reservoir.kernels.blas import gemm
from reservoir.kernels.jit import uncounted
from reservoir.kernels.sequence import KERNELS, Kernels
from reservoir.validation import Choice


class GRUWeights(NamedTuple):
    """W (n_inputs, 3 H), U (H, 3 H), b (3 H,), c (H,), or (0,) where the reset comes before; room for the transpose of U."""

    input_weights: np.ndarray
    recurrent_weights: np.ndarray
    bias: np.ndarray
    recurrent_bias: np.ndarray
    transposed: np.ndarray


# `extra` holds h U_n + c_n and then its gradient, where the reset comes after; r h, which U_n reads, where it comes before.


@uncounted
def _forward_step(weights, tape, t, n):
    first, rows = 2 * tape.states.shape[3], np.uint64(n)  # the first column of the candidate
    units, double, width = np.uint64(first // 2), np.uint64(first), np.uint64(3 * first // 2)
    gates, product, old, new = tape.gates[t, :n], tape.extra[t, :n], tape.states[0, t, :n], tape.states[0, t + 1]
    recurrent = weights.recurrent_weights
    gemm(old, recurrent[:, :first], True, gates[:, :first])
    activate_columns(SIGMOID, gates, rows, np.uint64(0), double)
    if len(weights.recurrent_bias) > 0:
        fill_rows(weights.recurrent_bias, product)
        gemm(old, recurrent[:, first:], True, product)
        for b in range(rows):
            for j in range(units):
                gates[b, double + j] += gates[b, units + j] * product[b, j]
    else:
        for b in range(rows):
            for j in range(units):
                product[b, j] = gates[b, units + j] * old[b, j]
        gemm(product, recurrent[:, first:], True, gates[:, first:])
    activate_columns(TANH, gates, rows, double, width)
    for b in range(rows):
        for j in range(units):
            new[b, j] = gates[b, double + j] + gates[b, j] * (old[b, j] - gates[b, double + j])


@uncounted
def _backward_output(gates, old, gradient):
    """Write the gradients of the update gate, of the candidate and, without the gates, of h(t-1)."""
    units = old.shape[1]
    one = gates.dtype.type(1.0)
    for b in range(len(gates)):
        z, n, h, dh = gates[b, :units], gates[b, 2 * units :], old[b], gradient[b]
        for j in range(units):
            dn = dh[j] * (one - z[j]) * (one - n[j] * n[j])
            dz = dh[j] * (h[j] - n[j]) * (z[j] * (one - z[j]))
            dh[j] *= z[j]
            z[j] = dz
            n[j] = dn


@uncounted
def _backward_reset_after(gates, product):
    """Write the gradients of the reset gate and of the recurrent product."""
    units = product.shape[1]
    one = gates.dtype.type(1.0)
    for b in range(len(gates)):
        r, dn, u = gates[b, units : 2 * units], gates[b, 2 * units :], product[b]
        for j in range(units):
            dr = dn[j] * u[j] * (r[j] * (one - r[j]))
            u[j] = dn[j] * r[j]
            r[j] = dr


@uncounted
def _backward_reset_before(gates, old, product, gradient):
    """Write the gradients of the reset gate and of h(t-1) from that of r h, which is then r h again."""
    units = product.shape[1]
    one = gates.dtype.type(1.0)
    for b in range(len(gates)):
        r, h, dh, u = gates[b, units : 2 * units], old[b], gradient[b], product[b]
        for j in range(units):
            dh[j] += u[j] * r[j]
        for j in range(units):
            dr = u[j] * h[j] * (r[j] * (one - r[j]))
            u[j] = r[j] * h[j]
            r[j] = dr


@uncounted
def _backward_step(weights, tape, t, n, state_gradient):
    transpose_first(weights, tape, t)
    units = tape.states.shape[3]
    gates, product, old, gradient = tape.gates[t, :n], tape.extra[t, :n], tape.states[0, t], state_gradient[0, :n]
    to_gates, to_candidate = weights.transposed[: 2 * units], weights.transposed[2 * units :]
    _backward_output(gates, old, gradient)
    if len(weights.recurrent_bias) > 0:
        _backward_reset_after(gates, product)
        gemm(product, to_candidate, True, gradient)
    else:
        gemm(gates[:, 2 * units :], to_candidate, False, product)
        _backward_reset_before(gates, old, product, gradient)
    gemm(gates[:, : 2 * units], to_gates, True, gradient)
    tape.extra[t, n:] = 0


@uncounted
def _weight_gradients(weights, tape, gradients):
    steps, batch, width = tape.gates.shape
    units, rows = width // 3, steps * batch
    input_gradients(tape, gradients)
    gates, product = tape.gates.reshape(rows, width), tape.extra.reshape(rows, units)
    states = tape.states[0, :steps].reshape(rows, units)
    gemm(states, gates[:, : 2 * units], False, gradients.recurrent_weights[:, : 2 * units], True)
    into_candidate = gradients.recurrent_weights[:, 2 * units :]
    if len(weights.recurrent_bias) > 0:
        gemm(states, product, False, into_candidate, True)
        sum_rows(product, gradients.recurrent_bias)
    else:
        gemm(product, gates[:, 2 * units :], False, into_candidate, True)


KERNELS[GRUWeights] = Kernels(input_product, _forward_step, _backward_step, _weight_gradients)


@dataclass(frozen=True)
class GRUCell(Cell):
    """The weights of a layer: `input_weights`, `recurrent_weights`, `bias`, and `recurrent_bias` where the reset comes after."""

    weights: ClassVar[Any] = GRUWeights
    gate_functions: ClassVar[Mapping[str, str]] = {"update gate": "sigmoid", "reset gate": "sigmoid", "candidate": "tanh"}
    extra: ClassVar[int] = 1

    reset_gate: str = "after"

    def shapes(self, n_inputs: int) -> dict[str, Shape]:
        """Return the arrays of the weights."""
        return {**super().shapes(n_inputs), "recurrent_bias": (self.units if self.reset_gate == "after" else 0,)}


@dataclass(eq=False, repr=False)
class GRU(RecurrentEstimator):
    """Gated recurrent unit (Cho et al. 2014).

    reset_gate : where it acts, "before" the recurrent product of the candidate or "after" it
    """

    cell_class: ClassVar[type[Cell]] = GRUCell

    reset_gate: str = parameter("after", Choice(("before", "after")))
