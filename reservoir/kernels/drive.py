"""Open loop: the states of a leaky reservoir along given inputs.

    x(t) = (1 - a) x(t-1) + a f(W x(t-1) + V v(t) + b) + noise(t)

v(t) stacks the input u(t) and, with output feedback, the output y(t-1); V stacks their weights (Jaeger, Lukosevicius,
Popovici & Siewert 2007, eq. 4, with the leak per unit; b and the noise as in Jaeger 2002).
"""

from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from reservoir.kernels.activations import activate
from reservoir.kernels.jit import jit
from reservoir.kernels.matvec import Storage, add_product, add_rows


class ReservoirWeights(NamedTuple):
    """The fixed part of an echo state network as the kernels read it, for N units and V stacked inputs."""

    matrix: Storage
    drive_weights: np.ndarray  # (V, N)
    bias: np.ndarray  # (N,)
    leak: np.ndarray  # (N,)
    activation: int


def add_drive(weights, v, total):
    """total += v weights, for v (V,), or (1,) of one symbol, which is an integer."""
    if v.dtype.kind == "i":
        total += weights[v[0]]
    else:
        add_rows(weights, v, total)


@overload(add_drive)
def _add_drive(weights, v, total):
    if not isinstance(v.dtype, types.Integer):
        return lambda weights, v, total: add_rows(weights, v, total)

    def implementation(weights, v, total):
        row = weights[v[0]]
        for i in range(total.size):
            total[i] += row[i]

    return implementation


@jit
def step(weights, v, x, work):
    """One step in place: x (2N,) is the state, twice in a row; work (N,) is scratch."""
    leak = weights.leak
    n = leak.size
    for i in range(n):
        work[i] = weights.bias[i]
    add_drive(weights.drive_weights, v, work)
    add_product(weights.matrix, x, work)
    activate(weights.activation, work)
    first, second = x[:n], x[n:]
    for i in range(n):
        value = first[i] + leak[i] * (work[i] - first[i])
        first[i] = value
        second[i] = value


@jit
def drive(weights, inputs, noise, offsets, states, out, column):
    """Run sequences one after the other, writing every state.

    `inputs` (T, V), or (T, 1) of symbols, which are integers, holds the sequences end to end, `offsets` (S + 1,) where each
    starts; `noise` is (T, N), or (0, N) for none; `states` (S, N) holds the initial states and receives the final ones; the
    state after step t goes to `out[t, column : column + N]`.
    """
    n = weights.leak.size
    x = np.empty(2 * n, dtype=weights.leak.dtype)
    work = np.empty(n, dtype=weights.leak.dtype)
    first, second = x[:n], x[n:]
    for s in range(states.shape[0]):
        first[:] = states[s]
        second[:] = states[s]
        for t in range(offsets[s], offsets[s + 1]):
            step(weights, inputs[t], x, work)
            if noise.shape[0] > 0:
                row = noise[t]
                for i in range(n):
                    first[i] += row[i]
                    second[i] = first[i]
            target = out[t, column : column + n]
            for i in range(n):
                target[i] = first[i]
        states[s] = first
