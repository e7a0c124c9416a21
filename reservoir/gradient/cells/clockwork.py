"""The Clockwork RNN (Koutnik, Greff, Gomez & Schmidhuber, ICML 2014): modules of units that run at different periods.

    h_i(t) = f(x(t) W_i + sum over j >= i of h_j(t-1) U_ji + b_i)     where t mod T_i = 0
    h_i(t) = h_i(t-1)                                                 otherwise

Modules i = 1 ... g are in the order of their periods T_i, so that fast ones read slow ones and never the reverse. Time
counts from t = 0, when every module runs. Only the blocks of the modules that run are computed, forward and backward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.random import Generator

from reservoir.base.estimator import parameter
from reservoir.gradient.cells.base import Cell, Shape
from reservoir.gradient.cells.dense import activate_columns, sum_rows, transpose
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.kernels.activations import CODES, scale_by_derivative
from reservoir.kernels.blas import gemm
from reservoir.kernels.jit import inline, uncounted
from reservoir.kernels.sequence import KERNELS, Kernels
from reservoir.kernels.symbols import add_input_product, input_weight_gradient
from reservoir.validation import Choice, Number, ParameterError

POWERS_OF_TWO = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class ClockworkWeights(NamedTuple):
    """W (n_inputs, H), b (H,); U packed: for each module its rows (units from its first on) times its columns, flat.

    Module i has the units starts[i] to starts[i + 1], its part of U starts at offsets[i]. `transposed` is room for the
    same parts transposed, which make the backward pass faster.
    """

    input_weights: np.ndarray
    recurrent_weights: np.ndarray
    bias: np.ndarray
    transposed: np.ndarray
    activation: int
    periods: np.ndarray
    starts: np.ndarray
    offsets: np.ndarray


@uncounted
def _runs(weights, tape, t, module):
    """Return whether a module runs at a step."""
    return np.uint64(tape.first + t) % np.uint64(weights.periods[module]) == np.uint64(0)


@inline
def _block(packed, weights, module):
    """Return the weights into a module: (units from its first on, its units)."""
    start, stop = weights.starts[module], weights.starts[module + 1]
    part = packed[weights.offsets[module] : weights.offsets[module + 1]]
    return part.reshape(weights.starts[-1] - start, stop - start)


@inline
def _block_transposed(weights, module):
    """Return the same transposed, (its units, units from its first on)."""
    start, stop = weights.starts[module], weights.starts[module + 1]
    part = weights.transposed[weights.offsets[module] : weights.offsets[module + 1]]
    return part.reshape(stop - start, weights.starts[-1] - start)


@uncounted
def _prepare(weights, tape):
    """Do nothing: most units idle at most steps."""


@uncounted
def _forward_step(weights, tape, t, n):
    old, new, rows = tape.states[0, t, :n], tape.states[0, t + 1, :n], np.uint64(n)
    for b in range(n):
        for j in range(old.shape[1]):
            new[b, j] = old[b, j]
    for module in range(len(weights.periods)):
        if _runs(weights, tape, t, module):
            start, stop = weights.starts[module], weights.starts[module + 1]
            first, last = np.uint64(start), np.uint64(stop)
            for b in range(rows):
                for j in range(first, last):
                    new[b, j] = weights.bias[j]
            add_input_product(tape.inputs[t, :n], weights.input_weights[:, start:stop], new[:, start:stop])
            gemm(old[:, start:], _block(weights.recurrent_weights, weights, module), True, new[:, start:stop])
            activate_columns(weights.activation, new, rows, first, last)


@uncounted
def _backward_step(weights, tape, t, n, state_gradient):
    if t == tape.gates.shape[0] - 1:
        for module in range(len(weights.periods)):
            transpose(_block(weights.recurrent_weights, weights, module), _block_transposed(weights, module))
    gates, gradient = tape.gates[t, :n], state_gradient[0, :n]
    gates[:] = 0
    for module in range(len(weights.periods) - 1, -1, -1):  # the slow ones first: the fast ones add to their gradient
        if _runs(weights, tape, t, module):
            start, stop = weights.starts[module], weights.starts[module + 1]
            for b in range(n):
                part, new, passed = gates[b, start:stop], tape.states[0, t + 1, b, start:stop], gradient[b, start:stop]
                for j in range(len(part)):
                    part[j] = new[j]
                scale_by_derivative(weights.activation, part, passed)
                passed[:] = 0
            gemm(gates[:, start:stop], _block_transposed(weights, module), True, gradient[:, start:])


@uncounted
def _weight_gradients(weights, tape, gradients):
    steps, batch, units = tape.gates.shape
    gradients.input_weights[:] = 0
    gradients.recurrent_weights[:] = 0
    sum_rows(tape.gates.reshape(steps * batch, units), gradients.bias)
    for module in range(len(weights.periods)):
        start, stop, period = weights.starts[module], weights.starts[module + 1], weights.periods[module]
        into_inputs, block = gradients.input_weights[:, start:stop], _block(gradients.recurrent_weights, weights, module)
        first = (-tape.first) % period
        if batch < 16:  # measured: of few sequences one product for each, over its steps; of more one for each step
            for b in range(batch):
                part = tape.gates[first::period, b, start:stop]
                input_weight_gradient(tape.inputs[first::period, b], part, True, into_inputs)
                gemm(tape.states[0, first:steps:period, b, start:], part, True, block, True)
        else:
            for t in range(first, steps, period):
                part = tape.gates[t, :, start:stop]
                input_weight_gradient(tape.inputs[t], part, True, into_inputs)
                gemm(tape.states[0, t, :, start:], part, True, block, True)


KERNELS[ClockworkWeights] = Kernels(_prepare, _forward_step, _backward_step, _weight_gradients)


@dataclass(frozen=True)
class ClockworkCell(Cell):
    """The weights of a layer: `input_weights`, `recurrent_weights` (the blocks of the triangle, flat), `bias`.

    Units that do not divide evenly among the modules go to the faster ones.
    """

    weights: ClassVar[Any] = ClockworkWeights

    periods: tuple[int, ...] = POWERS_OF_TWO
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
        """Return the arrays of the weights."""
        return {**super().shapes(n_inputs), "recurrent_weights": (int(self.offsets[-1]),)}

    def auxiliary(self, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Return the fields of `ClockworkWeights` that are not weights."""
        modules = {"periods": np.array(self.periods), "starts": self.starts, "offsets": self.offsets}
        return {**super().auxiliary(arrays), **modules}

    def pack(self, matrix: np.ndarray) -> np.ndarray:
        """Return the blocks of the triangle of an (H, H) matrix, row from, column to, as the flat `recurrent_weights`."""
        return np.concatenate([matrix[i:, i:j].ravel() for i, j in pairwise(self.starts)])

    def unpack(self, packed: np.ndarray) -> np.ndarray:
        """Return the (H, H) matrix, zero outside the triangle: of `recurrent_weights`, row from, column to."""
        matrix = np.zeros((self.units, self.units), packed.dtype)
        for i, j, part in zip(self.starts[:-1], self.starts[1:], np.split(packed, self.offsets[1:-1]), strict=True):
            matrix[i:, i:j] = part.reshape(self.units - i, j - i)
        return matrix

    def readable(self, name: str, array: np.ndarray) -> np.ndarray:
        """Return an array of the weights as users read it; the recurrent ones as a whole matrix, upper block triangular."""
        return (self.unpack(array) if name == "recurrent_weights" else array).T

    def units_fed(self, name: str, n_inputs: int) -> np.ndarray:
        """For each weight of an array, flat, the unit that it leads to."""
        if name == "recurrent_weights":
            return self.pack(np.tile(np.arange(self.units), (self.units, 1)))
        return super().units_fed(name, n_inputs)

    def draw_recurrent(self, kind: str, scale: float, generator: Generator) -> np.ndarray:
        """Return the triangle of a whole matrix that is drawn as `initialize` says."""
        return self.pack(super().draw_recurrent(kind, scale, generator))


@dataclass(eq=False, repr=False)
class ClockworkRNN(RecurrentEstimator):
    """Clockwork RNN (Koutnik, Greff, Gomez & Schmidhuber 2014): modules of units that run at different periods.

    Module i runs at the steps t = 0, T_i, 2 T_i, ... and keeps its state in between; it reads the modules as slow or slower.
    periods : T_i, ascending, one for each module; units that do not divide evenly go to the faster modules
    activation : f: "tanh", "sigmoid", "relu" or "identity"
    """

    cell_class: ClassVar[type[Cell]] = ClockworkCell

    periods: Sequence[int] = parameter(POWERS_OF_TWO, Number(low=1, high=2**31 - 1, integer=True, array=True))
    activation: str = parameter("tanh", Choice(tuple(CODES)))

    def check(self) -> None:
        """Raise `ParameterError` for the first parameter out of its constraint."""
        super().check()
        periods = self._periods()
        if any(a >= b for a, b in pairwise(periods)):
            raise ParameterError(
                f"The 'periods' parameter of ClockworkRNN must ascend, none twice. Got {self.periods!r} instead."
            )
        if len(periods) > self.units:
            raise ParameterError(
                f"The 'periods' parameter of ClockworkRNN names {len(periods)} modules, more than there are units"
                f" ({self.units}); give fewer periods or more units."
            )

    def _periods(self) -> tuple[int, ...]:
        return tuple(int(period) for period in np.atleast_1d(self.periods))

    @classmethod
    def _least_units(cls, **parameters: Any) -> int:
        return len(cls(**parameters)._periods())

    def _cell(self) -> Cell:
        return ClockworkCell(self.units, self._periods(), self.activation)
