"""One update of a flat weight vector, in one pass over memory, and the sum of squares that clipping needs.

Settings arrive as float64 and are rounded once to the type of the weights. A running mean below `_least` counts as zero, and
so does a gradient that is squared. Such a number moves no weight, but its square or its decay becomes a denormal number, where
processors are slow, and stays one: .9 times a few of the smallest steps rounds to the same number again.
"""

import numpy as np

from reservoir.kernels.freerun import fold
from reservoir.kernels.jit import inline, jit

LANES = 64
LEAST_64 = 1e-150
LEAST_32 = np.float32(1e-18)


@inline
def _least(x):
    return LEAST_64 if x.itemsize == 8 else LEAST_32


@inline
def _flushed(x, least):
    """Zero for |x| < least. A NaN stays."""
    return x - x if abs(x) < least else x


@jit
def sum_of_squares(x):
    """Return the sum of x[i]^2 in float64, as LANES independent sums that are added up in a fixed order."""
    lanes = np.zeros(LANES)
    for start in range(0, x.size, LANES):
        block = x[start : start + LANES]
        for j in range(block.size):
            value = np.float64(block[j])
            lanes[j] += value * value
    return fold(lanes, LANES)


@jit
def sgd(weights, gradient, rate, weight_decay):
    kind = weights.dtype.type
    rate, weight_decay = kind(rate), kind(weight_decay)
    for i in range(weights.size):
        weights[i] -= rate * (gradient[i] + weight_decay * weights[i])


@jit
def momentum(weights, gradient, velocity, rate, momentum, weight_decay, ahead):
    """`ahead` is 1 for Nesterov's form, else 0."""
    kind = weights.dtype.type
    rate, momentum, weight_decay = kind(rate), kind(momentum), kind(weight_decay)
    least = kind(_least(weights))
    for i in range(weights.size):
        g = gradient[i] + weight_decay * weights[i]
        v = _flushed(momentum * velocity[i] + g, least)
        velocity[i] = v
        weights[i] -= rate * (g + momentum * v if ahead else v)


@jit
def rmsprop(weights, gradient, squares, rate, decay, correction, epsilon, weight_decay):
    """`correction` is 1 / sqrt(1 - decay^step)."""
    kind = weights.dtype.type
    rate, correction, epsilon, weight_decay = kind(rate), kind(correction), kind(epsilon), kind(weight_decay)
    decay, new = kind(decay), kind(1.0 - decay)
    least = kind(_least(weights))
    for i in range(weights.size):
        g = _flushed(gradient[i] + weight_decay * weights[i], least)
        s = _flushed(decay * squares[i] + new * (g * g), least * least)
        squares[i] = s
        weights[i] -= rate * g / (np.sqrt(s) * correction + epsilon)


@jit
def adam(weights, gradient, means, squares, rate, beta1, beta2, correction, epsilon, weight_decay, shrinkage):
    """`rate` is divided by 1 - beta1^step, `correction` is 1 / sqrt(1 - beta2^step); weights shrink by `shrinkage` besides."""
    kind = weights.dtype.type
    rate, correction, epsilon, weight_decay = kind(rate), kind(correction), kind(epsilon), kind(weight_decay)
    beta1, new_mean, beta2, new_square = kind(beta1), kind(1.0 - beta1), kind(beta2), kind(1.0 - beta2)
    shrinkage = kind(shrinkage)
    least = kind(_least(weights))
    for i in range(weights.size):
        w = weights[i]
        g = _flushed(gradient[i] + weight_decay * w, least)
        m = _flushed(beta1 * means[i] + new_mean * g, least)
        s = _flushed(beta2 * squares[i] + new_square * (g * g), least * least)
        means[i] = m
        squares[i] = s
        weights[i] = w - (rate * m / (np.sqrt(s) * correction + epsilon) + shrinkage * w)
