"""Closed loop: a linear readout computes an output at every step, and the reservoir reads it at the next."""

from typing import NamedTuple

import numpy as np

from reservoir.kernels.drive import advance
from reservoir.kernels.jit import uncounted


class ReadoutWeights(NamedTuple):
    """Output weights for O outputs, by what they read. A part that is not read has no columns."""

    bias: np.ndarray  # (O, 1) or (O, 0)
    inputs: np.ndarray  # (O, I) or (O, 0)
    state: np.ndarray  # (O, N) or (O, 0)
    squares: np.ndarray  # (O, N) or (O, 0)
    output: np.ndarray  # (O, O) or (O, 0)


@uncounted
def fold(values, count):
    """Sum of the first `count` values, which it overwrites: halves added on halves, vectorized and in a fixed order."""
    while count > 1:
        half = (count + 1) // 2
        low, high = values[:half], values[half:count]
        for i in range(count - half):
            low[i] += high[i]
        count = half
    return values[0]


@uncounted
def read(readout, v, x, squares, y, work, out):
    """out (O,) = the outputs for the input v[:I], the state x (N,), its squares and the last output y (O,).

    A part that the readout does not read may be anything; work (N,) is scratch.
    """
    n = work.size
    for o in range(out.size):
        for i in range(n):
            work[i] = 0.0
        if readout.state.shape[1] > 0:
            weights = readout.state[o]
            for i in range(n):
                work[i] = weights[i] * x[i]
        if readout.squares.shape[1] > 0:
            weights = readout.squares[o]
            for i in range(n):
                work[i] += weights[i] * squares[i]
        total = fold(work, n)
        for i in range(readout.bias.shape[1]):
            total += readout.bias[o, i]
        for i in range(readout.inputs.shape[1]):
            total += readout.inputs[o, i] * v[i]
        for i in range(readout.output.shape[1]):
            total += readout.output[o, i] * y[i]
        out[o] = total


@uncounted
def read_rows(readout, starts, rows, work, outputs):
    """outputs (R, O) = those for feature rows (R, F); input, last output, squares and state begin at `starts` (4,) of a row."""
    for r in range(rows.shape[0]):
        row = rows[r]
        read(readout, row[starts[0] :], row[starts[3] :], row[starts[2] :], row[starts[1] :], work, outputs[r])


@uncounted
def freerun(weights, readout, n_inputs, inputs, states, last, limit, outputs, completed, scratch):
    """Run S networks with their own outputs fed back, in place.

    Parameters
    ----------
    n_inputs : how many of the V stacked inputs are the input u(t); the others are the output feedback
    inputs : (S, T, I) given inputs, or (S, 0, I): then u(t) is the output y(t-1)
    states : (S, N) states, overwritten with the final ones
    last : (S, O) outputs before the first step, overwritten with the final ones
    limit : an output beyond ± limit, or NaN, ends the run of its sequence
    outputs : (S, T, O), written
    completed : (S,), written: the number of steps each sequence completed; less than T where it left the limit
    """
    n = weights.leak.size
    v, silent = scratch.stacked, scratch.stacked[:0]
    old, new, sums, squares = scratch.old, scratch.new, scratch.sums, scratch.row
    for s in range(states.shape[0]):
        for i in range(n):
            old[i] = states[s, i]
            old[n + i] = states[s, i]
        y, completed[s] = last[s], outputs.shape[1]
        for t in range(outputs.shape[1]):
            for i in range(n_inputs):
                v[i] = inputs[s, t, i] if inputs.shape[1] > 0 else y[i]
            for i in range(v.size - n_inputs):
                v[n_inputs + i] = y[i]
            advance(weights, v, silent, old, new, sums, scratch.row, 0, n)
            old, new = new, old
            if readout.squares.shape[1] > 0:
                for i in range(n):
                    squares[i] = old[i] * old[i]
            read(readout, v, old[:n], squares, y, sums[:n], outputs[s, t])
            inside = True
            for o in range(y.size):
                y[o] = outputs[s, t, o]
                inside = inside and abs(y[o]) <= limit
            if not inside:
                completed[s] = t
                break
        for i in range(n):
            states[s, i] = old[i]
