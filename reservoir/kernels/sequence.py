"""The loop over time, forward and backward, once for every cell.

A cell's file gives four kernels. The class of the cell's weights, a NamedTuple, tells Numba which ones to compile in:

    prepare(weights, tape)                               what can be computed for all steps at once, before the loop
    forward_step(weights, tape, t, n)                    states[:, t + 1, :n] from states[:, t, :n]
    backward_step(weights, tape, t, n, state_gradient)   the adjoint of `forward_step`: turns the gradient with respect to
                                                         the new state into that with respect to the old, in place, and
                                                         leaves that with respect to the gates in `gates`
    weight_gradients(weights, tape, gradients)           gradients of the weights, after the loop

Sequences of a batch are sorted by length, the longest first, so that at step t the first n = active[t] still run. The
others keep their state, and gradients pass through them unchanged.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba.extending import overload

from reservoir.kernels.jit import uncounted


class Tape(NamedTuple):
    """The arrays of one run of a layer over a batch: T steps, B sequences, H units.

    `gates` holds the pre-activations, then the activations, and in the backward pass their gradients, all in place.
    """

    inputs: np.ndarray  # (T, B, n_inputs), or (T, B, 1) of symbols, which are integers
    gates: np.ndarray  # (T, B, gates per unit * H)
    extra: np.ndarray  # (T, B, extra per unit * H): what else the backward pass needs
    states: np.ndarray  # (n_states, T + 1, B, H): the output of the cell first, from the initial state on
    first: int  # the time of the first step: 0 unless an earlier run is continued


class Kernels(NamedTuple):
    """The four kernels of a cell."""

    prepare: Callable[..., None]
    forward_step: Callable[..., None]
    backward_step: Callable[..., None]
    weight_gradients: Callable[..., None]


KERNELS: dict[type, Kernels] = {}
"""The kernels of a cell by the class of its weights; a cell's file enters them."""


def _of_cell(name):
    """Return a function that calls the kernel of that name of the cell whose weights it gets; Numba compiles that kernel in."""

    def call(weights, *arguments):
        getattr(KERNELS[type(weights)], name)(weights, *arguments)

    @overload(call)
    def compiled(weights, *arguments):
        kernel = getattr(KERNELS[weights.instance_class], name)
        return lambda weights, *arguments: kernel(weights, *arguments)

    return call


prepare, forward_step, backward_step, weight_gradients = map(_of_cell, Kernels._fields)


@uncounted
def run_forward(weights, tape, active):
    """Fill `tape.states[:, 1:]` and `tape.gates` from `tape.inputs` and `tape.states[:, 0]`."""
    prepare(weights, tape)
    states = tape.states
    for t in range(len(active)):
        n = active[t]
        forward_step(weights, tape, t, n)
        for s in range(states.shape[0]):
            for b in range(n, states.shape[2]):
                for j in range(states.shape[3]):
                    states[s, t + 1, b, j] = states[s, t, b, j]


@uncounted
def run_backward(weights, tape, active, output_gradient, state_gradient, gradients, norms):
    """Turn gradients with respect to outputs and final states into those of weights, gates and initial states.

    output_gradient (T, B, H), with respect to the outputs; state_gradient (n_states, B, H), with respect to the final
    states, is left as that with respect to the initial ones; `gradients`, of the class of `weights`, is overwritten;
    norms (T,), or empty, receives the norm of the whole gradient with respect to all states after each step.
    """
    gates = tape.gates
    tiny = gates.dtype.type(1e-25 if gates.itemsize == 4 else 1e-250)
    zero = gates.dtype.type(0.0)
    for t in range(len(active) - 1, -1, -1):
        n = active[t]
        add_flushed(output_gradient[t], state_gradient[0], tiny)
        if len(norms) > 0:
            square = zero
            for value in state_gradient.flat:
                square += value * value
            norms[t] = np.sqrt(square)
        backward_step(weights, tape, t, n, state_gradient)
        for b in range(n, gates.shape[1]):
            gates[t, b] = zero
    weight_gradients(weights, tape, gradients)


@uncounted
def add_flushed(increment, total, tiny):
    """total += increment; sums below `tiny` become zero, because denormal numbers are many times slower."""
    for b in range(total.shape[0]):
        row, more = total[b], increment[b]
        for j in range(len(row)):
            value = row[j] + more[j]
            row[j] = value if abs(value) > tiny else value * 0
