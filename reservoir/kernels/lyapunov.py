"""The growth of a small perturbation along a driven trajectory."""

import numpy as np

from reservoir.kernels.activations import derivative
from reservoir.kernels.drive import step
from reservoir.kernels.jit import jit
from reservoir.kernels.matvec import add_product


@jit
def tangent_growth(weights, inputs, state, tangent, growth):
    """log |J(t) d| at every step, d being the perturbation, renewed to length one after each.

    J(t) = (1 - a) I + a diag(f') W is the Jacobian of one step. `inputs` (T, V); `state` and `tangent` (N,) are
    overwritten with the final ones, `growth` (T,) with the logarithms (-inf from where the perturbation vanishes).
    """
    n = weights.leak.size
    x, d = np.empty(2 * n, dtype=weights.leak.dtype), np.empty(2 * n, dtype=weights.leak.dtype)
    work, slope, product = np.empty_like(weights.leak), np.empty_like(weights.leak), np.empty_like(weights.leak)
    x[:n], x[n:] = state, state
    d[:n], d[n:] = tangent, tangent
    for t in range(inputs.shape[0]):
        step(weights, inputs[t], x, work)
        derivative(weights.activation, work, slope)
        product[:] = 0.0
        add_product(weights.matrix, d, product)
        total = 0.0
        for i in range(n):
            value = (1.0 - weights.leak[i]) * d[i] + weights.leak[i] * slope[i] * product[i]
            d[i] = value
            total += value * value
        length = np.sqrt(total)
        if length == 0.0:
            growth[t:] = -np.inf
            break
        growth[t] = np.log(length)
        for i in range(n):
            d[i] /= length
            d[n + i] = d[i]
    state[:], tangent[:] = x[:n], d[:n]
