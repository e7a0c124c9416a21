"""Drawing symbols, and a recurrent network that reads what it draws, without a step of Python in between."""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numba.extending import overload

from reservoir.kernels.blas import gemm
from reservoir.kernels.jit import jit
from reservoir.kernels.sequence import Tape, run_forward


@jit
def draw_symbol(scores, never, temperature, top, uniform):
    """The symbol at which the sum of the probabilities passes `uniform`; these are proportional to exp(scores / temperature).

    scores (V,) stay as they are; symbols of `never` (n,) have probability 0, and so do those below the `top` largest scores,
    unless top is 0.
    """
    work = np.empty(scores.size)
    for j in range(work.size):
        work[j] = scores[j] / temperature
    for symbol in never:
        work[symbol] = -np.inf
    if 0 < top < work.size:
        least = np.partition(work, work.size - top)[work.size - top]
        for j in range(work.size):
            work[j] = work[j] if work[j] >= least else -np.inf
    largest, total, last = work.max(), 0.0, 0
    for j in range(work.size):
        work[j] = math.exp(work[j] - largest)
        total += work[j]
    passed = 0.0
    for j in range(work.size):
        if work[j] > 0.0:
            last = j
            passed += work[j]
            if passed > uniform * total:
                break
    return last


def put_symbol(inputs, table, symbol):
    """Give a layer a symbol to read, (1, 1, 1), or its vector, a row of the table, (1, 1, size)."""
    inputs[0, 0] = symbol if inputs.dtype.kind == "i" else table[symbol]


@overload(put_symbol)
def _put_symbol(inputs, table, symbol):
    def number(inputs, table, symbol):
        inputs[0, 0, 0] = symbol

    def vector(inputs, table, symbol):
        for j in range(table.shape[1]):
            inputs[0, 0, j] = table[symbol, j]

    return number if isinstance(inputs.dtype, types.Integer) else vector


def advance(layers, active, time):
    """Run one step of layers, a tuple of pairs (weights, tape), each tape from where it ended; the next reads its states."""
    for weights, tape in layers:
        tape.states[:, 0] = tape.states[:, 1]
        run_forward(weights, tape._replace(first=time), active)


@overload(advance)
def _advance(layers, active, time):
    if len(layers) == 0:
        return lambda layers, active, time: None

    def implementation(layers, active, time):
        weights, tape = layers[0]
        for s in range(tape.states.shape[0]):
            for j in range(tape.states.shape[3]):
                tape.states[s, 0, 0, j] = tape.states[s, 1, 0, j]
        run_forward(weights, Tape(tape.inputs, tape.gates, tape.extra, tape.states, time), active)
        advance(layers[1:], active, time)

    return implementation


@jit
def write_symbols(layers, table, head, bias, active, time, scores, never, temperature, top, uniforms, written):
    """Draw a symbol for each of `uniforms` (n,) into `written` (n,), and read it.

    layers : as for `advance`, for one text; time : the steps that were read before
    table (V, size) or (0, 0), head (H, V), bias (V,)
    scores (1, V) : what the network expects first, and in the end
    """
    for n in range(uniforms.size):
        symbol = draw_symbol(scores[0], never, temperature, top, uniforms[n])
        written[n] = symbol
        put_symbol(layers[0][1].inputs, table, symbol)
        advance(layers, active, time + n)
        for j in range(bias.size):
            scores[0, j] = bias[j]
        gemm(layers[-1][1].states[0, 1], head, True, scores)
