"""Symbols: rows of a matrix instead of products with one-hot vectors, and the cross-entropy whose targets are symbols.

Symbols are integers that pick a row. They are added up in their order, so that results do not depend on threads.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numba.extending import overload

from reservoir.kernels.activations import exponential32, exponential64
from reservoir.kernels.blas import gemm
from reservoir.kernels.freerun import fold
from reservoir.kernels.jit import jit, uncounted

LANES = 32


@uncounted
def add_rows_of(weights, symbols, total):
    """total[n] += weights[symbols[n, 0]] for every n."""
    for n in range(symbols.shape[0]):
        row, out = weights[symbols[n, 0]], total[n]
        for j in range(out.size):
            out[j] += row[j]


@uncounted
def add_to_rows(rows, symbols, total):
    """total[symbols[n, 0]] += rows[n] for every n, in this order."""
    for n in range(symbols.shape[0]):
        row, out = rows[n], total[symbols[n, 0]]
        for j in range(out.size):
            out[j] += row[j]


def add_input_product(inputs, weights, total):
    """total += inputs weights, for inputs (N, I), or symbols (N, 1), which are integers."""
    if inputs.dtype.kind == "i":
        add_rows_of(weights, inputs, total)
    else:
        gemm(inputs, weights, True, total)


def input_weight_gradient(inputs, gradient, add, total):
    """total = inputs' gradient, or total += inputs' gradient if `add`; inputs as for `add_input_product`."""
    if inputs.dtype.kind == "i":
        if not add:
            total[:] = 0
        add_to_rows(gradient, inputs, total)
    else:
        gemm(inputs, gradient, add, total, True)


@overload(add_input_product)
def _add_input_product(inputs, weights, total):
    if isinstance(inputs.dtype, types.Integer):
        return lambda inputs, weights, total: add_rows_of(weights, inputs, total)
    return lambda inputs, weights, total: gemm(inputs, weights, True, total)


@overload(input_weight_gradient)
def _input_weight_gradient(inputs, gradient, add, total):
    if not isinstance(inputs.dtype, types.Integer):
        return lambda inputs, gradient, add, total: gemm(inputs, gradient, add, total, True)

    def implementation(inputs, gradient, add, total):
        if not add:
            total[:, :] = 0
        add_to_rows(gradient, inputs, total)

    return implementation


@jit
def softmax_cross_entropy(outputs, symbols, weights):
    """The sum over rows n of -w_n log softmax(y_n)[s_n], in float64; `outputs` are overwritten with its gradient.

    outputs (N, V), contiguous; symbols (N,); weights (N,). The gradient is w (softmax(y) - 1 at s); probabilities below
    e^-60 (float32) or e^-600 of the largest count as zero, because denormal numbers are slow. Rows of weight 0 are not
    looked at.
    """
    width, rows = np.uint64(outputs.shape[1]), np.uint64(outputs.shape[0])
    lanes, tops, few = np.empty(LANES), np.empty(LANES, outputs.dtype), np.uint64(LANES)
    y = outputs.reshape(-1)
    loss = 0.0
    for n in range(rows):
        start, weight = n * width, weights[n]
        stop = start + width
        if weight == 0.0:
            for o in range(start, stop):
                y[o] = 0.0
            continue
        tops[:] = y[start]
        for block in range(start, stop, few):
            for lane in range(min(few, stop - block)):
                value = y[block + lane]
                tops[lane] = value if value > tops[lane] else tops[lane]
        top = tops.max()
        target = start + np.uint64(symbols[n])
        information = np.float64(y[target]) - np.float64(top)
        if y.itemsize == 8:
            for o in range(start, stop):
                y[o] = exponential64(np.float64(y[o] - top))
        else:
            for o in range(start, stop):
                y[o] = exponential32(np.float32(y[o] - top))
        lanes[:] = 0.0
        for block in range(start, stop, few):
            for lane in range(min(few, stop - block)):
                lanes[lane] += np.float64(y[block + lane])
        total = fold(lanes, LANES)
        loss -= np.float64(weight) * (information - math.log(total))
        scale = y.dtype.type(np.float64(weight) / total)
        for o in range(start, stop):
            y[o] *= scale
        y[target] -= weight
    return loss
