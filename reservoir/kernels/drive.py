"""Open loop: the states of a leaky reservoir along given inputs.

    x(t) = (1 - a) x(t-1) + a f(W x(t-1) + V v(t) + b) + noise(t)

v(t) stacks the input u(t) and, with output feedback, the output y(t-1); V stacks their weights (Jaeger, Lukosevicius,
Popovici & Siewert 2007, eq. 4, with the leak per unit; b and the noise as in Jaeger 2002).
"""

from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from reservoir.kernels.activations import TANH, activate_unlike_tanh, tanh
from reservoir.kernels.emitters import wide_vectors, width
from reservoir.kernels.jit import inline, uncounted, woven
from reservoir.kernels.matvec import BLOCK, Storage, add_product, add_rows, aligned


class ReservoirWeights(NamedTuple):
    """The fixed part of an echo state network as the kernels read it, for N units and V stacked inputs."""

    matrix: Storage
    drive_weights: np.ndarray  # (V, N)
    bias: np.ndarray  # (N,)
    leak: np.ndarray  # (N,)
    activation: int


def add_drive(weights, v, first, total):
    """total += v weights[:, first : first + n], for v (V,), or (1,) of one symbol, which is an integer; `total` is (n,)."""
    if v.dtype.kind == "i":
        total += weights[v[0], first : first + len(total)]
    else:
        add_rows(weights, v, first, total)


@overload(add_drive)
def _add_drive(weights, v, first, total):
    if not isinstance(v.dtype, types.Integer):
        return lambda weights, v, first, total: add_rows(weights, v, first, total)

    def implementation(weights, v, first, total):
        row = weights[v[0], first : first + total.size]
        for i in range(total.size):
            total[i] += row[i]

    return implementation


@inline
def leaky(activated, old, leak):
    """The rule of a unit: its new state, from f of its sum, its old state and its leak rate."""
    return old + leak * (activated - old)


@woven
def add_up(weights, v, old, first, stop, sums):
    """sums[first:stop] = (W x + V v + b)[first:stop], for x twice in a row in `old` and `first` a multiple of `BLOCK`."""
    wide_vectors()
    block, bias = sums[first:stop], weights.bias[first:stop]
    for i in range(block.size):
        block[i] = bias[i]
    add_drive(weights.drive_weights, v, first, block)
    add_product(weights.matrix, old, first, stop, sums)


@uncounted
def update(activation, sums, old, leak, new, again, row):
    """new, again, row = the new states of some units, all (n,); `sums` may be overwritten with f of it."""
    wide_vectors()
    if activation != TANH:
        activate_unlike_tanh(activation, sums, np.uint64(0), np.uint64(sums.size))
        for i in range(sums.size):
            value = leaky(sums[i], old[i], leak[i])
            new[i] = value
            again[i] = value
            row[i] = value
    else:  # the usual case, in one loop
        for i in range(sums.size):
            value = leaky(tanh(sums[i]), old[i], leak[i])
            new[i] = value
            again[i] = value
            row[i] = value


@woven
def add_noise(noise, first, new, again, row):
    """Add the noise (N,), or none (0,), of the units from `first` on to their new states."""
    if noise.size > 0:
        for i in range(row.size):
            value = new[i] + noise[first + i]
            new[i] = value
            again[i] = value
            row[i] = value


@woven
def advance(weights, v, noise, old, new, sums, row, first, stop):
    """new, row = the states after `old` of the units from `first`, a multiple of `BLOCK`, to `stop`, block by block.

    `old` and `new` are (2N + width,), twice in a row; `row` is (N,), `noise` (N,), or (0,) for none; `sums` is scratch.
    """
    n = weights.leak.size
    for i in range(first, stop, BLOCK):
        k = i + BLOCK if i + BLOCK < stop else stop
        add_up(weights, v, old, i, k, sums)
        update(weights.activation, sums[i:k], old[i:k], weights.leak[i:k], new[i:k], new[n + i : n + k], row[i:k])
        add_noise(noise, i, new[i:k], new[n + i : n + k], row[i:k])


class Scratch(NamedTuple):
    """What a kernel writes to while it runs, beside its results."""

    old: np.ndarray  # (2N + width,)
    new: np.ndarray  # (2N + width,)
    sums: np.ndarray  # (N + 2 width,)
    stacked: np.ndarray  # (V,)
    row: np.ndarray  # (N,), for states that nobody asked for: loops are compiled for arrays that do not overlap


def scratch_for(weights: ReservoirWeights) -> Scratch:
    """Return the scratch of a kernel that runs one state at a time, zeros."""
    bias = weights.bias
    lanes = width(bias.itemsize)
    state = np.zeros(2 * bias.size + lanes, bias.dtype)
    sums, stacked = np.zeros(bias.size + 2 * lanes, bias.dtype), np.zeros(len(weights.drive_weights), bias.dtype)
    return Scratch(aligned(state), aligned(state), aligned(sums), stacked, aligned(bias))


@uncounted
def drive(weights, inputs, noise, offsets, states, out, column, scratch):
    """Run sequences one after the other, writing every state.

    `inputs` (T, V), or (T, 1) of symbols, which are integers, holds the sequences end to end, `offsets` (S + 1,) where each
    starts; `noise` is (T, N), or (1, 0) for none; `states` (S, N) holds the initial states and receives the final ones; the
    state after step t goes to `out[t, column : column + N]`.
    """
    n = weights.leak.size
    old, new, sums = scratch.old, scratch.new, scratch.sums
    for s in range(states.shape[0]):
        for i in range(n):
            old[i] = states[s, i]
            old[n + i] = states[s, i]
        for t in range(offsets[s], offsets[s + 1]):
            shaken = noise[t if noise.size > 0 else 0]
            advance(weights, inputs[t], shaken, old, new, sums, out[t, column : column + n], 0, n)
            old, new = new, old
        for i in range(n):
            states[s, i] = old[i]
