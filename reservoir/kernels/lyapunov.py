"""The growth of a small perturbation along a driven trajectory."""

import numpy as np

from reservoir.kernels.activations import IDENTITY, activate, derivative
from reservoir.kernels.drive import add_up, update
from reservoir.kernels.emitters import wide_vectors
from reservoir.kernels.jit import uncounted
from reservoir.kernels.matvec import BLOCK, add_product


@uncounted
def tangent_growth(weights, inputs, state, tangent, growth, scratch, perturbed):
    """log |J(t) d| at every step, d being the perturbation, renewed to length one after each.

    J(t) = (1 - a) I + a diag(f') W is the Jacobian of one step. `inputs` (T, V); `state` and `tangent` (N,) are
    overwritten with the final ones, `growth` (T,) with the logarithms (-inf from where the perturbation vanishes).
    `scratch` is for the states, `perturbed` for the perturbation.
    """
    wide_vectors()
    n = weights.leak.size
    old, new, sums, activated = scratch.old, scratch.new, scratch.sums, scratch.sums[:n]
    d, products, slope = perturbed.old, perturbed.sums, perturbed.new[:n]
    for i in range(n):
        old[i] = old[n + i] = state[i]
        d[i] = d[n + i] = tangent[i]
    for t in range(inputs.shape[0]):
        for first in range(0, n, BLOCK):
            add_up(weights, inputs[t], old, first, min(first + BLOCK, n), sums)
        activate(weights.activation, activated)
        derivative(weights.activation, activated, slope)
        update(IDENTITY, activated, old[:n], weights.leak, new[:n], new[n : 2 * n], scratch.row)
        old, new = new, old
        for i in range(n):
            products[i] = 0.0
        for first in range(0, n, BLOCK):
            add_product(weights.matrix, d, first, min(first + BLOCK, n), products)
        total = 0.0
        for i in range(n):
            value = (1.0 - weights.leak[i]) * d[i] + weights.leak[i] * slope[i] * products[i]
            d[i] = value
            total += value * value
        length = np.sqrt(total)
        growth[t] = np.log(length) if length > 0.0 else -np.inf
        for i in range(n):
            d[i] = d[i] / length if length > 0.0 else 0.0
            d[n + i] = d[i]
    for i in range(n):
        state[i], tangent[i] = old[i], d[i]
