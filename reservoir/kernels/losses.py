"""Losses of weighted rows and their gradients with respect to the outputs, in one pass.

All arrays are of one type and contiguous: outputs, targets and gradient (N, O), weights (N,). They are read flat, because a
slice takes as long as a short row. Rows of weight 0 are not read, so that NaN in them does no harm. The sum over rows runs in
float64 for each output, so that the loop over outputs is vectorized and the order of the sum is fixed.
"""

import math

import numpy as np

from reservoir.kernels.jit import jit


@jit
def squared_error(outputs, targets, weights, gradient):
    """Return the loss; 2 w (y - d) goes to `gradient`."""
    y, d, g = outputs.reshape(-1), targets.reshape(-1), gradient.reshape(-1)
    width = np.uint64(outputs.shape[1])
    sums = np.zeros(width)
    for n in range(np.uint64(weights.size)):
        weight, start = weights[n], n * width
        if weight == 0.0:
            for o in range(width):
                g[start + o] = 0.0
        else:
            for o in range(width):
                error = y[start + o] - d[start + o]
                part = weight * error
                g[start + o] = part + part
                sums[o] += np.float64(part) * np.float64(error)
    return sums.sum()


@jit
def _largest(y, start, stop):
    """Return the largest of y[start:stop], compared in four independent chains."""
    a = b = c = d = y[start]
    quads = (stop - start) // np.uint64(4)
    for k in range(quads):
        o = start + np.uint64(4) * k
        a = y[o] if y[o] > a else a
        b = y[o + np.uint64(1)] if y[o + np.uint64(1)] > b else b
        c = y[o + np.uint64(2)] if y[o + np.uint64(2)] > c else c
        d = y[o + np.uint64(3)] if y[o + np.uint64(3)] > d else d
    for o in range(start + np.uint64(4) * quads, stop):
        a = y[o] if y[o] > a else a
    a, c = b if b > a else a, d if d > c else c
    return c if c > a else a


@jit
def _total(x, start, stop):
    """Return the sum of x[start:stop] in float64, in four independent chains."""
    a = b = c = d = 0.0
    quads = (stop - start) // np.uint64(4)
    for k in range(quads):
        o = start + np.uint64(4) * k
        a += np.float64(x[o])
        b += np.float64(x[o + np.uint64(1)])
        c += np.float64(x[o + np.uint64(2)])
        d += np.float64(x[o + np.uint64(3)])
    for o in range(start + np.uint64(4) * quads, stop):
        a += np.float64(x[o])
    return (a + b) + (c + d)


@jit
def below_largest(outputs, largest, shifted):
    """Write the largest output of each row into `largest` (N,) and outputs - largest, none above 0, into `shifted`."""
    y, out = outputs.reshape(-1), shifted.reshape(-1)
    width = np.uint64(outputs.shape[1])
    for n in range(np.uint64(largest.size)):
        start = n * width
        top = _largest(y, start, start + width)
        largest[n] = top
        for o in range(width):
            out[start + o] = y[start + o] - top


@jit
def cross_entropy(outputs, targets, weights, largest, gradient):
    """Return the loss; `gradient` holds exp(outputs - largest), and gets w (softmax(y) sum(d) - d)."""
    y, d, g = outputs.reshape(-1), targets.reshape(-1), gradient.reshape(-1)
    width = np.uint64(outputs.shape[1])
    sums = np.zeros(width)
    for n in range(np.uint64(weights.size)):
        weight, start = weights[n], n * width
        if weight == 0.0:
            for o in range(width):
                g[start + o] = 0.0
        else:
            total = _total(g, start, start + width)
            top, log_total = np.float64(largest[n]), math.log(total)
            for o in range(width):
                information = (np.float64(y[start + o]) - top) - log_total
                # 0 log 0 is 0
                sums[o] -= np.float64(weight * d[start + o]) * information if d[start + o] != 0.0 else 0.0
            scale = g.dtype.type(weight * _total(d, start, start + width) / total)
            for o in range(width):
                g[start + o] = scale * g[start + o] - weight * d[start + o]
    return sums.sum()
