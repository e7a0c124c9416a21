"""What cells share whose gates read the whole input and the whole state through dense matrices."""

from __future__ import annotations

from reservoir.kernels.blas import gemm
from reservoir.kernels.jit import jit


@jit
def fill_rows(row, rows):
    """rows[r] = row for every r."""
    for r in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            rows[r, j] = row[j]


@jit
def sum_rows(rows, total):
    """total = the sum of rows[r] over r."""
    total[:] = 0
    for r in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            total[j] += rows[r, j]


@jit
def input_product(weights, tape):
    """gates = inputs W + b, for all steps in one product."""
    steps, batch, width = tape.gates.shape
    gates = tape.gates.reshape(steps * batch, width)
    fill_rows(weights.bias, gates)
    gemm(tape.inputs.reshape(steps * batch, tape.inputs.shape[2]), weights.input_weights, True, gates)


@jit
def input_gradients(tape, gradients):
    """Gradients of W and b from those of the gates."""
    steps, batch, width = tape.gates.shape
    gates = tape.gates.reshape(steps * batch, width)
    gemm(tape.inputs.reshape(steps * batch, tape.inputs.shape[2]), gates, False, gradients.input_weights, True)
    sum_rows(gates, gradients.bias)


@jit
def dense_gradients(weights, tape, gradients):
    """Gradients of W, U and b, where all gates read U h(t-1)."""
    steps, batch, width = tape.gates.shape
    input_gradients(tape, gradients)
    states = tape.states[0, :steps].reshape(steps * batch, tape.states.shape[3])
    gemm(states, tape.gates.reshape(steps * batch, width), False, gradients.recurrent_weights, True)
