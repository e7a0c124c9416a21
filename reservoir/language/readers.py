"""Recurrent networks that read texts symbol by symbol."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from reservoir.gradient.network import Network, Weights
from reservoir.kernels.sequence import Tape, run_forward
from reservoir.kernels.writing import write_symbols
from reservoir.text.reader import Reader


def aligned(vector: np.ndarray) -> np.ndarray:
    """Copy a vector to memory that begins at a multiple of 64 bytes: products with one row are a third faster there."""
    room = np.empty(vector.size + 64 // vector.itemsize, vector.dtype)
    start = -room.ctypes.data % 64 // vector.itemsize
    copy = room[start : start + vector.size]
    copy[:] = vector
    return copy


class NetworkReader(Reader):
    """A recurrent network that reads B texts, with memory that is used again at every symbol.

    Of a bidirectional network the backward direction starts at each symbol anew, since it does not know what follows.
    """

    def __init__(self, network: Network, vector: np.ndarray, count: int) -> None:
        self.network, self.weights, self.steps = network, Weights(network, aligned(vector)), 0
        self.active, kind = np.array([count]), vector.dtype
        self.plain = not (network.bidirectional or network.layer_norm or network.residual)
        self.tapes: list[list[Tape]] = []
        for layer in network.layers:
            cell, units = layer.cell, layer.cell.units
            inputs = np.empty((1, count, 1), np.int64) if layer.reads_symbols else np.empty((1, count, layer.n_inputs), kind)
            if self.plain and self.tapes:
                inputs = self.tapes[-1][0].states[0, 1:]  # which then need not be copied
            gates, extra = (np.empty((1, count, size * units), kind) for size in (cell.gates, cell.extra))
            states = [np.zeros((cell.states, 2, count, units), kind) for _ in range(1 + network.bidirectional)]
            self.tapes.append([Tape(inputs, gates, extra, state, 0) for state in states])
        self.scores = np.empty((count, network.n_outputs), kind)
        self.head = np.ascontiguousarray(network.head_weights(self._arrays))

    @property
    def _arrays(self) -> dict[str, np.ndarray]:
        return self.weights.arrays

    def read(self, symbols: np.ndarray) -> np.ndarray:
        """See `Reader`."""
        network, arrays = self.network, self._arrays
        x = symbols[:, None] if network.layers[0].reads_symbols else arrays["symbols"][symbols]
        for index, layer in enumerate(network.layers):
            found = []
            for direction, (bound, tape) in enumerate(zip(self.weights.bound[index], self.tapes[index], strict=True)):
                tape.inputs[0] = x
                tape.states[:, 0] = 0 if direction else tape.states[:, 1]
                run_forward(bound, tape._replace(first=self.steps), self.active)
                found.append(tape.states[0, 1])
            below, x = x, np.concatenate(found, axis=1) if layer.bidirectional else found[0]
            if network.layer_norm:
                x, _ = network.norms[index].forward(arrays, x)
            if network.residual and index > 0:
                x = x + below
        self.steps += 1
        np.dot(x, self.head, out=self.scores)
        self.scores += arrays["head.bias"]
        return self.scores

    def select(self, texts: np.ndarray) -> None:
        """See `Reader`."""
        for tapes in self.tapes:
            for tape in tapes:
                tape.states[:, 1] = tape.states[:, 1, texts]

    def write(self, uniforms: np.ndarray, temperature: float, top: int, never: np.ndarray) -> np.ndarray:
        """See `Reader`."""
        if not self.plain:
            return super().write(uniforms, temperature, top, never)
        written = np.empty(len(uniforms), np.int64)
        write_symbols(
            self._layers, self._table, self.head, self._arrays["head.bias"], self.active, self.steps, self.scores,
            never, temperature, top, uniforms, written,
        )  # fmt: skip
        self.steps += len(uniforms)
        return written

    @cached_property
    def _layers(self) -> tuple[Any, ...]:
        """Weights and tape of each layer of a plain network."""
        return tuple((bound[0], tapes[0]) for bound, tapes in zip(self.weights.bound, self.tapes, strict=True))

    @cached_property
    def _table(self) -> np.ndarray:
        """The learned vectors of the symbols, (V, size), or nothing (0, 0)."""
        return self._arrays.get("symbols", np.empty((0, 0), self.scores.dtype))
