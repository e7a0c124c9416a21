"""Runs of single layers of cells, forward and backward, for the tests of the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import naive_cells
import numpy as np

from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.clockwork import ClockworkCell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.gru import GRUCell
from reservoir.gradient.cells.indrnn import IndRNNCell
from reservoir.gradient.cells.lstm import LSTMCell
from reservoir.gradient.cells.mgu import MGUCell
from reservoir.kernels.sequence import Tape, run_backward, run_forward

Arrays = dict[str, np.ndarray]


class Kind(NamedTuple):
    """A cell with options, and its twin."""

    cell: type[Cell]
    options: dict[str, Any]
    naive: naive_cells.Step

    def of(self, units: int) -> Any:
        return self.cell(units, **self.options)


def clockwork(periods: tuple[int, ...], activation: str = "tanh") -> Kind:
    options = {"periods": periods, "activation": activation}
    return Kind(ClockworkCell, options, naive_cells.clockwork(periods, activation))


KINDS = {
    "elman tanh": Kind(ElmanCell, {"activation": "tanh"}, naive_cells.elman("tanh")),
    "elman relu": Kind(ElmanCell, {"activation": "relu"}, naive_cells.elman("relu")),
    "lstm": Kind(LSTMCell, {"peepholes": False}, naive_cells.lstm(False)),
    "lstm peepholes": Kind(LSTMCell, {"peepholes": True}, naive_cells.lstm(True)),
    "gru before": Kind(GRUCell, {"reset_gate": "before"}, naive_cells.gru("before")),
    "gru after": Kind(GRUCell, {"reset_gate": "after"}, naive_cells.gru("after")),
    "mgu": Kind(MGUCell, {}, naive_cells.mgu()),
    "indrnn relu": Kind(IndRNNCell, {"activation": "relu"}, naive_cells.indrnn("relu")),
    "indrnn tanh": Kind(IndRNNCell, {"activation": "tanh"}, naive_cells.indrnn("tanh")),
    "clockwork 1": clockwork((1,)),
    "clockwork 1 2 4": clockwork((1, 2, 4)),
    "clockwork 1 3 5": clockwork((1, 3, 5)),
    "clockwork 2 3": clockwork((2, 3), "relu"),
}
"""Every cell with every option, by name."""


def fitting(kind: Kind, units: int) -> Kind:
    """The same with no more modules than units."""
    if kind.cell is not ClockworkCell:
        return kind
    return clockwork(kind.options["periods"][:units], kind.options["activation"])


def random(shape: int | tuple[int, ...], seed: int, dtype: Any = np.float64) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def draw(cell: Cell, n_inputs: int, seed: int = 0, dtype: Any = np.float64, scale: float = 0.5) -> Arrays:
    """Random weights."""
    generator = np.random.default_rng(seed)
    return {name: (scale * generator.normal(size=shape)).astype(dtype) for name, shape in cell.shapes(n_inputs).items()}


def active(lengths: Sequence[int], steps: int) -> np.ndarray:
    """How many sequences, sorted by length, still run at each step."""
    return np.array([sum(length > t for length in lengths) for t in range(steps)])


@dataclass
class Case:
    """A batch for a layer, and the gradients with respect to its outputs and final states."""

    cell: Any
    arrays: Arrays
    inputs: np.ndarray  # (T, B, n_inputs)
    initial: np.ndarray  # (n_states, B, H)
    lengths: Sequence[int]
    output_gradient: np.ndarray  # (T, B, H)
    state_gradient: np.ndarray  # (n_states, B, H)
    first: int = 0


def case(cell: Any, steps: int, lengths: Sequence[int], n_inputs: int, dtype: Any = np.float64, first: int = 0) -> Case:
    """Random numbers throughout."""
    states = (cell.states, len(lengths), cell.units)
    return Case(
        cell,
        draw(cell, n_inputs, 0, dtype),
        random((steps, len(lengths), n_inputs), 1, dtype),
        random(states, 2, dtype),
        lengths,
        random((steps, *states[1:]), 3, dtype),
        random(states, 4, dtype),
        first,
    )


def forward(case: Case) -> Tape:
    """The tape of a run. What is not given starts as NaN, to spoil whatever reads it."""
    cell, dtype = case.cell, case.inputs.dtype
    steps, batch, _ = case.inputs.shape
    gates = np.full((steps, batch, cell.gates * cell.units), np.nan, dtype)
    extra = np.full((steps, batch, cell.extra * cell.units), np.nan, dtype)
    states = np.full((cell.states, steps + 1, batch, cell.units), np.nan, dtype)
    states[:, 0] = case.initial
    tape = Tape(case.inputs, gates, extra, states, case.first)
    run_forward(cell.bind(case.arrays), tape, active(case.lengths, steps))
    return tape


class Gradients(NamedTuple):
    weights: Arrays
    inputs: np.ndarray
    initial: np.ndarray
    norms: np.ndarray


def backward(case: Case) -> Gradients:
    """Gradients of the weights, the inputs and the initial states, and the norms over time."""
    cell, tape = case.cell, forward(case)
    steps = len(case.inputs)
    weights = {name: np.full_like(array, np.nan) for name, array in case.arrays.items()}
    initial, norms = case.state_gradient.copy(), np.full(steps, np.nan, case.inputs.dtype)
    run = active(case.lengths, steps)
    run_backward(cell.bind(case.arrays), tape, run, case.output_gradient, initial, cell.bind(weights), norms)
    return Gradients(weights, tape.gates @ case.arrays["input_weights"].T, initial, norms)


def objective(case: Case) -> float:
    """The number whose gradients `backward` gives."""
    states = forward(case).states
    return float(np.sum(states[0, 1:] * case.output_gradient) + np.sum(states[:, -1] * case.state_gradient))


def differences(case: Case, array: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """The gradient of the objective with respect to an array of the case, by central differences."""
    slopes = np.empty(array.size)
    for i in range(array.size):
        value = array.flat[i]
        array.flat[i] = value + step
        above = objective(case)
        array.flat[i] = value - step
        below = objective(case)
        array.flat[i] = value
        slopes[i] = (above - below) / (2 * step)
    return slopes.reshape(array.shape)


def apart(comp: np.ndarray, ref: np.ndarray) -> float:
    """The norm of the difference, relative to that of the reference."""
    return float(np.linalg.norm(comp - ref) / max(np.linalg.norm(ref), np.finfo(ref.dtype).tiny))
