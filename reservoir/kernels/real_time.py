"""Sensitivities of a layer's states to the weights, carried forward in time (Williams & Zipser 1989), for every cell.

The Jacobian of a step comes from the cell's own `backward_step` and `weight_gradients`: one copy of the step for each state
variable, whose gradient with respect to the new state is a unit vector.
"""

from typing import NamedTuple

import numpy as np

from reservoir.kernels.blas import gemm
from reservoir.kernels.jit import jit
from reservoir.kernels.sequence import Tape, backward_step, weight_gradients


class Room(NamedTuple):
    """Work space of a layer for one step of one sequence: N = n_states * H state variables, P_l weights of the layer."""

    inputs: np.ndarray  # (1, 1, n_inputs), or (1, 1, 1) of a symbol
    state: np.ndarray  # (n_states, 2, 1, H): before and after the step
    states: np.ndarray  # (n_states, 2, N, H): the same, N times
    gates: np.ndarray  # (N, 1, 1, gates per unit * H): of d(new variable i), with respect to the gates
    extra: np.ndarray  # (N, 1, 1, extra per unit * H)
    jacobian: np.ndarray  # (n_states, N, H): [s, i, j] = d(new variable i) / d(old variable j of kind s)
    by_input: np.ndarray  # (N, n_inputs): d(new variable i) / d(input)
    direct: np.ndarray  # (P_l,): d(new variable) / d(weights of the layer), at the old state given
    product: np.ndarray  # (N, P)


@jit
def step_jacobian(weights, tape, t, b, room):
    """`room.jacobian`, and `room.gates`, `room.extra` for `weight_gradients`, of step t of sequence b."""
    kinds, _, rows, units = room.states.shape
    room.inputs[0, 0] = tape.inputs[t, b]
    for s in range(kinds):
        for after in range(2):
            room.state[s, after, 0] = tape.states[s, t + after, b]
            for i in range(rows):
                room.states[s, after, i] = tape.states[s, t + after, b]
    room.jacobian[:] = 0
    for i in range(rows):
        room.gates[i, 0, 0] = tape.gates[t, b]
        room.extra[i, 0, 0] = tape.extra[t, b]
        room.jacobian[i // units, i, i % units] = 1
    gates, extra = room.gates.reshape(1, rows, room.gates.shape[3]), room.extra.reshape(1, rows, room.extra.shape[3])
    backward_step(weights, Tape(room.inputs, gates, extra, room.states, tape.first + t), 0, rows, room.jacobian)


@jit
def forward_sensitivities(weights, tape, t, n, room, gradients, start, below, sensitivities):
    """Write the sensitivities after step t of the first n sequences, from those before it, in place.

    gradients : of the class of `weights`, its arrays the parts of `room.direct`
    start : the first weight of the layer
    below (B, n_inputs, P'), of the inputs to the first P' weights; none where the inputs depend on no weights
    sensitivities (B, N, P), of the states to the first P weights
    """
    kinds, rows, units = room.jacobian.shape
    zero = room.direct.dtype.type(0.0)
    tiny = room.direct.dtype.type(1e-25 if room.direct.itemsize == 4 else 1e-250)
    stop = start + room.direct.size
    for b in range(n):
        step_jacobian(weights, tape, t, b, room)
        old = sensitivities[b]
        for s in range(kinds):
            gemm(room.jacobian[s], old[s * units : (s + 1) * units], s > 0, room.product)
        if below.shape[2] > 0:
            gates = room.gates.reshape(rows, room.gates.shape[3])
            gemm(gates, weights.input_weights, False, room.by_input, False, True)
            gemm(room.by_input, below[b], True, room.product[:, : below.shape[2]])
        for i in range(rows):
            weight_gradients(weights, Tape(room.inputs, room.gates[i], room.extra[i], room.state, tape.first + t), gradients)
            row, new = room.product[i], old[i]
            part = row[start:stop]
            for j in range(part.size):
                part[j] += room.direct[j]
            for j in range(row.size):  # denormal numbers are many times slower
                new[j] = row[j] if abs(row[j]) > tiny else zero
