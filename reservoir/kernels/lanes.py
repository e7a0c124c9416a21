"""Many sequences side by side: the states of a leaky reservoir, `width` sequences at a time, 32 in float64.

The equations and the bits are those of `drive`. The state is stored as (N, width), so that a weight is read once for all
sequences and multiplies vectors. A sequence occupies a lane, a column of the state; when it ends, the next takes its place.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from reservoir.kernels.activations import TANH, activate, tanh
from reservoir.kernels.drive import ReservoirWeights, leaky
from reservoir.kernels.emitters import PANEL, TILE, add_panel, add_row, wide_vectors, width, write_tile
from reservoir.kernels.jit import uncounted, woven
from reservoir.kernels.matvec import aligned


class LaneWeights(NamedTuple):
    """The rows of [V W], for N units and V stacked inputs, as sparse rows or as panels; the other one is empty."""

    values: np.ndarray  # (n_nonzero,)
    columns: np.ndarray  # (n_nonzero,)
    pointers: np.ndarray  # (N + 1,), or (0,) for panels
    panels: np.ndarray  # (ceil(N / PANEL), V + N, PANEL)


class LaneScratch(NamedTuple):
    """What the kernel writes to beside its results. A state holds the inputs of the next step in its first V rows."""

    old: np.ndarray  # (V + N, width)
    new: np.ndarray  # (V + N, width)
    sums: np.ndarray  # (ceil(N / PANEL) * PANEL, width)
    sequences: np.ndarray  # (width,), the sequence in each lane; -1 for none
    rows: np.ndarray  # (width,), the row of its next inputs


def sparse_rows(stacked: np.ndarray, data: np.ndarray, columns: np.ndarray, pointers: np.ndarray) -> LaneWeights:
    """Store V (`stacked`, (V, N)) and a W in compressed sparse rows."""
    count, units = stacked.shape
    counts = np.diff(pointers)
    starts = np.asarray(pointers[:-1] + count * np.arange(units), np.int64)
    values = np.empty(count * units + len(data), data.dtype)
    places = np.empty(len(values), np.uint32)
    ahead = starts[:, None] + np.arange(count)
    values[ahead], places[ahead] = stacked.T, np.arange(count)
    others = np.repeat(count * np.arange(1, units + 1), counts) + np.arange(len(data))
    values[others], places[others] = data, columns + count
    ends = np.append(starts, len(values)).astype(np.int64)
    return LaneWeights(aligned(values), aligned(places), ends, np.empty((0, 0, PANEL), data.dtype))


def dense_panels(stacked: np.ndarray, matrix: np.ndarray) -> LaneWeights:
    """Store V (`stacked`, (V, N)) and a dense W (N, N)."""
    whole = np.concatenate([stacked.T, matrix], axis=1)
    rows = np.concatenate([whole, np.zeros((-len(whole) % PANEL, whole.shape[1]), whole.dtype)])
    panels = rows.reshape(-1, PANEL, whole.shape[1]).transpose(0, 2, 1)
    none = np.empty(0, whole.dtype)
    return LaneWeights(none, none.astype(np.uint32), none.astype(np.int64), aligned(panels))


def lane_scratch(weights: ReservoirWeights, count: int) -> LaneScratch:
    """Return the scratch of `drive_lanes` for `count` inputs, 0 for symbols: zeros, and no sequence in any lane."""
    units, dtype = weights.bias.size, weights.bias.dtype
    lanes = width(dtype.itemsize)
    state, sums = np.zeros((count + units, lanes), dtype), np.zeros((units + -units % PANEL, lanes), dtype)
    return LaneScratch(aligned(state), aligned(state), aligned(sums), np.full(lanes, -1), np.zeros(lanes, np.int64))


def place_inputs(inputs, place, old, lane):
    """Write the inputs (T, V) of a step above the state of a lane; symbols (T, 1), which are integers, stay where they are."""
    if inputs.dtype.kind != "i":
        old[: inputs.shape[1], lane] = inputs[place]


@overload(place_inputs)
def _place_inputs(inputs, place, old, lane):
    if isinstance(inputs.dtype, types.Integer):
        return lambda inputs, place, old, lane: None

    def implementation(inputs, place, old, lane):
        for q in range(inputs.shape[1]):
            old[q, lane] = inputs[place, q]

    return implementation


def add_symbols(drive_weights, inputs, sequences, places, sums):
    """Add the row of V that belongs to the symbol of each lane; nothing for inputs that are not symbols."""
    if inputs.dtype.kind == "i":
        for b in np.flatnonzero(sequences >= 0):
            sums[: drive_weights.shape[1], b] += drive_weights[inputs[places[b], 0]]


@overload(add_symbols)
def _add_symbols(drive_weights, inputs, sequences, places, sums):
    if not isinstance(inputs.dtype, types.Integer):
        return lambda drive_weights, inputs, sequences, places, sums: None

    def implementation(drive_weights, inputs, sequences, places, sums):
        for b in range(places.size):
            if sequences[b] >= 0:
                row = drive_weights[inputs[places[b], 0]]
                for i in range(row.size):
                    sums[i, b] += row[i]

    return implementation


@woven
def add_up_lanes(weights, rows, inputs, scratch, old):
    """sums = W x + V v + b for every lane, v (unless it is a symbol) and x in `old`."""
    wide_vectors()
    sums = scratch.sums
    for i in range(weights.bias.size):
        own, bias = sums[i], weights.bias[i]
        for b in range(own.size):
            own[b] = bias
    add_symbols(weights.drive_weights, inputs, scratch.sequences, scratch.rows, sums)
    for i in range(rows.pointers.size - 1):
        add_row(rows.values, rows.columns, rows.pointers[i], rows.pointers[i + 1], old, sums[i])
    for p in range(rows.panels.shape[0]):
        add_panel(rows.panels[p], old.shape[0], old, sums[p * PANEL : (p + 1) * PANEL])


@uncounted
def update_lanes(activation, sums, old, leak, new):
    """new = the new states of a unit in every lane; `sums` may be overwritten with f of it."""
    wide_vectors()
    if activation != TANH:
        activate(activation, sums)
        for b in range(sums.size):
            new[b] = leaky(sums[b], old[b], leak)
    else:
        for b in range(sums.size):
            new[b] = leaky(tanh(sums[b]), old[b], leak)


@uncounted
def write_states(state, first, n, out, column, sequences, rows):
    """Write the states of the units from `first` on, in tiles where all lanes of a tile hold sequences."""
    wide_vectors()
    tiled = n // TILE * TILE
    for b in range(0, rows.size, TILE):
        full = True
        for k in range(TILE):
            full = full and sequences[b + k] >= 0
        if full:
            for i in range(0, tiled, TILE):
                write_tile(state, first + i, b, out, rows, column + i)
        for k in range(TILE):
            if sequences[b + k] >= 0:
                row = out[rows[b + k], column : column + n]
                for i in range(tiled if full else 0, n):
                    row[i] = state[first + i, b + k]


@uncounted
def drive_lanes(weights, rows, inputs, noise, offsets, states, out, column, scratch):
    """As `drive`, for many sequences.

    `rows` holds the matrix and the input weights of `weights` again, the latter unless the inputs are symbols.
    """
    wide_vectors()
    n, count = weights.leak.size, scratch.old.shape[0] - weights.leak.size
    old, new, sums = scratch.old, scratch.new, scratch.sums
    sequences, places = scratch.sequences, scratch.rows
    lanes, following = places.size, 0
    while True:
        running = 0
        for b in range(lanes):
            s = sequences[b]
            if s >= 0 and places[b] == offsets[s + 1]:
                for i in range(n):
                    states[s, i] = old[count + i, b]
                sequences[b] = s = -1
            while s < 0 and following < states.shape[0]:
                if offsets[following] < offsets[following + 1]:
                    sequences[b] = s = following
                    places[b] = offsets[s]
                    for i in range(n):
                        old[count + i, b] = states[s, i]
                following += 1
            if s >= 0:
                running += 1
                place_inputs(inputs, places[b], old, b)
        if running == 0:
            return
        add_up_lanes(weights, rows, inputs, scratch, old)
        for i in range(n):
            update_lanes(weights.activation, sums[i], old[count + i], weights.leak[i], new[count + i])
        if noise.size > 0:
            for b in range(lanes):
                if sequences[b] >= 0:
                    for i in range(n):
                        new[count + i, b] += noise[places[b], i]
        write_states(new, count, n, out, column, sequences, places)
        for b in range(lanes):
            places[b] += 1
        old, new = new, old
