"""The Clockwork RNN (Koutnik, Greff, Gomez & Schmidhuber, ICML 2014): modules of units that run at different periods.

    h_i(t) = f(x(t) W_i + sum over j >= i of h_j(t-1) U_ji + b_i)     where t mod T_i = 0
    h_i(t) = h_i(t-1)                                                 otherwise

Modules i = 1 ... g are in the order of their periods T_i, so that fast ones read slow ones and never the reverse. Time
counts from t = 0, when every module runs. Only the blocks of the modules that run are computed, forward and backward.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from reservoir.gradient.cells.base import Cell, Shape
from reservoir.kernels.activations import CODES, activate_range, scale_by_derivative
from reservoir.kernels.blas import gemm
from reservoir.kernels.jit import jit
from reservoir.kernels.sequence import KERNELS, Kernels


class ClockworkWeights(NamedTuple):
    """W (n_inputs, H), b (H,); U packed: for each module its rows (units from its first on) times its columns, flat.

    Module i has the units starts[i] to starts[i + 1], its part of U starts at offsets[i]. `transposed` is room for the
    same parts transposed, with which the way back is faster.
    """

    input_weights: np.ndarray
    recurrent_weights: np.ndarray
    bias: np.ndarray
    transposed: np.ndarray
    activation: int
    periods: np.ndarray
    starts: np.ndarray
    offsets: np.ndarray


@jit
def _runs(weights, tape, t, module):
    """Whether a module runs at a step."""
    return (tape.first + t) % weights.periods[module] == 0


@jit
def _block(packed, weights, module):
    """The weights into a module, (units from its first on, its units)."""
    start, stop = weights.starts[module], weights.starts[module + 1]
    part = packed[weights.offsets[module] : weights.offsets[module + 1]]
    return part.reshape(weights.starts[-1] - start, stop - start)


@jit
def _prepare(weights, tape):
    tape.gates[:] = 0
    for module in range(len(weights.periods)):
        block = _block(weights.recurrent_weights, weights, module)
        rows, columns = block.shape
        transposed = weights.transposed[weights.offsets[module] : weights.offsets[module + 1]]
        for i in range(columns):
            for j in range(rows):
                transposed[i * rows + j] = block[j, i]


@jit
def _advance(weights, tape, t, n):
    old, new = tape.states[0, t, :n], tape.states[0, t + 1, :n]
    flat_old, flat_new = tape.states[0, t].reshape(-1), tape.states[0, t + 1].reshape(-1)
    units = np.uint64(old.shape[1])
    for k in range(np.uint64(n) * units):
        flat_new[k] = flat_old[k]
    for module in range(len(weights.periods)):
        if _runs(weights, tape, t, module):
            start, stop = weights.starts[module], weights.starts[module + 1]
            for b in range(n):
                for j in range(start, stop):
                    new[b, j] = weights.bias[j]
            gemm(tape.inputs[t, :n], weights.input_weights[:, start:stop], True, new[:, start:stop])
            gemm(old[:, start:], _block(weights.recurrent_weights, weights, module), True, new[:, start:stop])
            for b in range(np.uint64(n)):
                activate_range(weights.activation, flat_new, b * units + np.uint64(start), b * units + np.uint64(stop))


@jit
def _retreat(weights, tape, t, n, state_gradient):
    gates, gradient = tape.gates[t, :n], state_gradient[0, :n]
    for module in range(len(weights.periods)):
        if _runs(weights, tape, t, module):
            start, stop = weights.starts[module], weights.starts[module + 1]
            for b in range(n):
                part, unit_gradient = gates[b, start:stop], gradient[b, start:stop]
                part[:] = tape.states[0, t + 1, b, start:stop]
                scale_by_derivative(weights.activation, part, unit_gradient)
                unit_gradient[:] = 0
    for module in range(len(weights.periods)):
        if _runs(weights, tape, t, module):
            start, stop = weights.starts[module], weights.starts[module + 1]
            part = weights.transposed[weights.offsets[module] : weights.offsets[module + 1]]
            gemm(gates[:, start:stop], part.reshape(stop - start, -1), True, gradient[:, start:])


@jit
def _gather(weights, tape, gradients):
    gradients.input_weights[:] = 0
    gradients.recurrent_weights[:] = 0
    gradients.bias[:] = 0
    for module in range(len(weights.periods)):
        start, stop = weights.starts[module], weights.starts[module + 1]
        block = _block(gradients.recurrent_weights, weights, module)
        for t in range((-tape.first) % weights.periods[module], tape.gates.shape[0], weights.periods[module]):
            part = tape.gates[t, :, start:stop]
            gemm(tape.inputs[t], part, True, gradients.input_weights[:, start:stop], True)
            gemm(tape.states[0, t, :, start:], part, True, block, True)
            for b in range(len(part)):
                for j in range(stop - start):
                    gradients.bias[start + j] += part[b, j]


KERNELS[ClockworkWeights] = Kernels(_prepare, _advance, _retreat, _gather)


@dataclass(frozen=True)
class ClockworkCell(Cell):
    """The weights of a layer: `input_weights`, `recurrent_weights` (the blocks of the triangle, flat), `bias`.

    Units that do not divide evenly among the modules go to the faster ones.
    """

    periods: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256)
    activation: str = "tanh"

    @property
    def starts(self) -> np.ndarray:
        """The first unit of each module, and H: (g + 1,)."""
        modules = len(self.periods)
        sizes = [self.units // modules + (i < self.units % modules) for i in range(modules)]
        return np.concatenate([[0], np.cumsum(sizes)])

    @property
    def offsets(self) -> np.ndarray:
        """Where each module's part of the packed recurrent weights starts, and their number: (g + 1,)."""
        return np.concatenate([[0], np.cumsum((self.units - self.starts[:-1]) * np.diff(self.starts))])

    def shapes(self, n_inputs: int) -> dict[str, Shape]:
        """The arrays of the weights."""
        return {
            "input_weights": (n_inputs, self.units),
            "recurrent_weights": (int(self.offsets[-1]),),
            "bias": (self.units,),
        }

    def bind(self, arrays: Mapping[str, np.ndarray]) -> Any:
        """The arrays as the kernels take them."""
        transposed = np.empty_like(arrays["recurrent_weights"])
        return ClockworkWeights(
            **arrays,
            transposed=transposed,
            activation=CODES[self.activation],
            periods=np.array(self.periods),
            starts=self.starts,
            offsets=self.offsets,
        )

    def pack(self, matrix: np.ndarray) -> np.ndarray:
        """The blocks of the triangle of an (H, H) matrix, row from, column to, as the flat `recurrent_weights`."""
        return np.concatenate([matrix[i:, i:j].ravel() for i, j in pairwise(self.starts)])

    def unpack(self, packed: np.ndarray) -> np.ndarray:
        """The (H, H) matrix, zero outside the triangle: of `recurrent_weights`, row from, column to."""
        matrix = np.zeros((self.units, self.units), packed.dtype)
        for i, j, part in zip(self.starts[:-1], self.starts[1:], np.split(packed, self.offsets[1:-1]), strict=True):
            matrix[i:, i:j] = part.reshape(self.units - i, j - i)
        return matrix

    def multiply_adds(self, t: int) -> int:
        """Multiplications of the recurrent product at step t of one sequence."""
        sizes = np.diff(self.starts)
        return int(sum((self.units - s) * k for s, k, T in zip(self.starts, sizes, self.periods, strict=False) if t % T == 0))

    def draw_recurrent(self, kind: str, scale: float, generator: np.random.Generator) -> np.ndarray:
        """The triangle of a whole matrix that is drawn as `initialize` says."""
        return self.pack(super().draw_recurrent(kind, scale, generator))
