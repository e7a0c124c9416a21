"""Sensitivities dh/dw of a network's states to its weights, computed forward in time beside the states.

    ds(t)/dw = J(t) ds(t-1)/dw + D(t),   J = ds(t)/ds(t-1),  D = the derivative of the step's own use of w

s(t) holds the states of all layers, w the weights. N state variables and P weights cost N^2 P operations per step. J and D come
from the cell's backward step. In one layer of a diagonal cell, such as an IndRNN's, a unit depends on its own weights alone:
P numbers and O(P) operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reservoir.gradient.cells.base import Shape
from reservoir.gradient.layers import RecurrentLayer
from reservoir.gradient.network import ForwardPass, Network, Weights, parts_of
from reservoir.kernels.activations import CODES, derivative
from reservoir.kernels.real_time import Room, forward_sensitivities


class FullSensitivities:
    """Sensitivities of any cells and layers; `states[l]` is (B, n_states * H, P_l), P_l the weights up to layer l."""

    def __init__(self, network: Network, weights: Weights, batch: int) -> None:
        self.network, self.weights = network, weights
        kind = weights.vector.dtype
        below = n_below(network)
        starts, reach = offsets(network), below
        self.starts, self.states, self.rooms = [], [], []
        for layer in network.layers:
            self.starts.append(starts[next(iter(layer.shapes()))])
            if not network.layer_norm:  # whose weights come after those of all layers
                reach = self.starts[-1] + _size(layer)
            self.states.append(np.zeros((batch, layer.cell.states * layer.cell.units, reach), kind))
            self.rooms.append(make_room(layer, reach, kind))
        units = network.layers[-1].cell.units
        self.apart = network.layer_norm or network.residual  # whether the head reads other than the last layer's states
        self.top = np.zeros((batch, units, below), kind) if self.apart else self.states[-1][:, :units]

    def forward_step(self, run: ForwardPass, t: int) -> None:
        """Go through step t of a run, which must have used the weights as they are."""
        network, n = self.network, int(run.steps.active[t])
        below = self._of_symbols(run, t, n)
        for index, layer in enumerate(network.layers):
            room, gradients = self.rooms[index]
            bound, tape = self.weights.bound[index][0], run.tapes[index][0]
            forward_sensitivities(bound, tape, t, n, room, gradients, self.starts[index], below, self.states[index])
            read, below = below, self.states[index][:n, : layer.cell.units]
            if network.layer_norm:
                below = self._normalized(below, index, run, t)
            if network.residual and index > 0:
                below = below.copy()
                below[:, :, : read.shape[2]] += read
        if self.apart:
            self.top[:n] = below

    def along(self, vectors: np.ndarray) -> np.ndarray:
        """For vectors v (n, H), one for each of the first n sequences: (n, P) sums over units, v dh/dw, P below the head."""
        return np.matmul(vectors[:, None], self.top[: len(vectors)])[:, 0]

    def _of_symbols(self, run: ForwardPass, t: int, n: int) -> np.ndarray:
        """Return the sensitivities of the inputs to the table of symbols, its first weights: (n, n_inputs, size of the table)."""
        symbols = self.network.symbols
        if symbols is None or symbols.size is None:
            return np.empty((n, 0, 0), self.weights.vector.dtype)
        found = np.zeros((n, symbols.size, symbols.count, symbols.size), self.weights.vector.dtype)
        column = np.arange(symbols.size)
        found[np.arange(n)[:, None], column, run.codes[t, :n, None], column] = 1
        return found.reshape(n, symbols.size, -1)

    def _normalized(self, outputs: np.ndarray, index: int, run: ForwardPass, t: int) -> np.ndarray:
        """Return the sensitivities after `Normalization` of outputs with the sensitivities (n, H, P)."""
        name, n = self.network.norms[index].name, len(outputs)
        normal, scale = (part[t, :n, :, None] for part in run.normal[index])
        centered = outputs - outputs.mean(axis=1, keepdims=True)
        found = scale * (centered - normal * (normal * centered).mean(axis=1, keepdims=True))
        found *= self.weights.arrays[f"{name}.gain"][:, None]
        unit = np.arange(outputs.shape[1])
        starts = offsets(self.network)
        found[:, unit, starts[f"{name}.gain"] + unit] += normal[:, :, 0]
        found[:, unit, starts[f"{name}.shift"] + unit] += 1
        return np.asarray(found)


class DiagonalSensitivities:
    """Sensitivities of one layer of a diagonal cell: `own` (B, n_inputs + 2, H), of each unit to its own W, u and b."""

    def __init__(self, network: Network, weights: Weights, batch: int) -> None:
        layer = network.layers[0]
        self.cell: Any = layer.cell
        self.reads_symbols = layer.reads_symbols
        self.u = weights.arrays[f"{layer.name}.forward.recurrent_weights"]
        self.own = np.zeros((batch, layer.n_inputs + 2, self.cell.units), weights.vector.dtype)

    def forward_step(self, run: ForwardPass, t: int) -> None:
        """dh(t)/dw = f' (u dh(t-1)/dw + (x(t), h(t-1), 1))."""
        n, tape = int(run.steps.active[t]), run.tapes[0][0]
        own = self.own[:n]
        own *= self.u
        if self.reads_symbols:
            own[np.arange(n), tape.inputs[t, :n, 0]] += 1
        else:
            own[:, :-2] += tape.inputs[t, :n, :, None]
        own[:, -2] += tape.states[0, t, :n]
        own[:, -1] += 1
        slope = np.empty((n, own.shape[2]), own.dtype)
        derivative(CODES[self.cell.activation], tape.states[0, t + 1, :n].ravel(), slope.reshape(-1))
        own *= slope[:, None]

    def along(self, vectors: np.ndarray) -> np.ndarray:
        """See `FullSensitivities`."""
        return (vectors[:, None] * self.own[: len(vectors)]).reshape(len(vectors), -1)


Sensitivities = FullSensitivities | DiagonalSensitivities


def sensitivities(network: Network, weights: Weights, batch: int) -> Sensitivities:
    """Return the sensitivities of `batch` sequences in the zero state, in the cheapest form."""
    return (DiagonalSensitivities if is_diagonal(network) else FullSensitivities)(network, weights, batch)


def is_diagonal(network: Network) -> bool:
    """Return whether the output of a unit depends on its own weights alone."""
    learned = network.symbols is not None and network.symbols.size is not None
    return network.cells[0].diagonal and len(network.cells) == 1 and not network.layer_norm and not learned


def offsets(network: Network) -> dict[str, int]:
    """Where each array of the weights starts in the vector."""
    ends = np.cumsum([0, *(np.prod(shape) for shape in network.shapes.values())])
    return {name: int(start) for name, start in zip(network.shapes, ends, strict=False)}


def n_below(network: Network) -> int:
    """Return the number of weights below the head."""
    return offsets(network)["head.weights"]


def _size(layer: RecurrentLayer) -> int:
    """Return the number of weights of a layer."""
    return int(sum(np.prod(shape) for shape in layer.shapes().values()))


def make_room(layer: RecurrentLayer, reach: int, kind: np.dtype) -> tuple[Room, Any]:
    """Work space for a layer and sensitivities to `reach` weights, and its part `direct` as the cell's kernels take it."""
    cell, n_inputs, units, states = layer.cell, layer.n_inputs, layer.cell.units, layer.cell.states
    rows = states * units
    shapes: dict[str, Shape] = {
        "inputs": (1, 1, n_inputs), "state": (states, 2, 1, units), "states": (states, 2, rows, units),
        "gates": (rows, 1, 1, cell.gates * units), "extra": (rows, 1, 1, cell.extra * units), "jacobian": (states, rows, units),
        "by_input": (rows, n_inputs), "direct": (_size(layer),), "product": (rows, reach),
    }  # fmt: skip
    arrays = {name: np.empty(shape, kind) for name, shape in shapes.items()}
    room = Room(**(arrays | ({"inputs": np.empty((1, 1, 1), np.int64)} if layer.reads_symbols else {})))
    return room, cell.bind(parts_of(room.direct, cell.shapes(n_inputs)))
