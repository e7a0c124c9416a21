"""Kernels that cells share: sums, transposes, and products of the gates with whole inputs and states."""

from __future__ import annotations

from reservoir.kernels.activations import activate_range
from reservoir.kernels.blas import gemm
from reservoir.kernels.jit import uncounted
from reservoir.kernels.symbols import add_input_product, input_weight_gradient

TILE = 16


@uncounted
def fill_rows(row, rows):
    """rows[r] = row for every r."""
    for r in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            rows[r, j] = row[j]


@uncounted
def sum_rows(rows, total):
    """total = the sum of rows[r] over r."""
    total[:] = 0
    for r in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            total[j] += rows[r, j]


@uncounted
def multiply_add(a, b, total):
    """total += a * b, for vectors."""
    for j in range(total.size):
        total[j] += a[j] * b[j]


@uncounted
def activate_columns(code, rows, n, start, stop):
    """Overwrite rows[:n, start:stop] with f of it, bounds unsigned."""
    for b in range(n):
        activate_range(code, rows[b], start, stop)


@uncounted
def transpose(matrix, out):
    """out = matrix', tile by tile, so that both stay in the cache."""
    rows, columns = matrix.shape
    for i in range(0, rows, TILE):
        for j in range(0, columns, TILE):
            for r in range(i, min(i + TILE, rows)):
                for k in range(j, min(j + TILE, columns)):
                    out[k, r] = matrix[r, k]


@uncounted
def transpose_first(weights, tape, t):
    """Fill `weights.transposed` at the first step backward: products with it are faster than those that BLAS transposes."""
    if t == tape.gates.shape[0] - 1:
        transpose(weights.recurrent_weights, weights.transposed)


@uncounted
def input_product(weights, tape):
    """gates = inputs W + b, for all steps in one product."""
    steps, batch, width = tape.gates.shape
    gates = tape.gates.reshape(steps * batch, width)
    fill_rows(weights.bias, gates)
    add_input_product(tape.inputs.reshape(steps * batch, tape.inputs.shape[2]), weights.input_weights, gates)


@uncounted
def input_gradients(tape, gradients):
    """Gradients of W and b from those of the gates."""
    steps, batch, width = tape.gates.shape
    gates = tape.gates.reshape(steps * batch, width)
    input_weight_gradient(tape.inputs.reshape(steps * batch, tape.inputs.shape[2]), gates, False, gradients.input_weights)
    sum_rows(gates, gradients.bias)


@uncounted
def dense_gradients(weights, tape, gradients):
    """Gradients of W, U and b, where all gates read U h(t-1)."""
    steps, batch, width = tape.gates.shape
    input_gradients(tape, gradients)
    states = tape.states[0, :steps].reshape(steps * batch, tape.states.shape[3])
    gemm(states, tape.gates.reshape(steps * batch, width), False, gradients.recurrent_weights, True)
