"""The parts of a network, each with a forward and a backward pass: recurrent layers, and what goes between and above them.

A part is a frozen dataclass. `shapes` names its weights; `forward(arrays, x, ...)` returns its output and what
`backward` needs; `backward(arrays, kept, gradient, gradients)` writes the gradients of the weights and returns that of the input.
Values are (T, B, features), T steps of B sequences sorted by length, the longest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.random import Generator

from reservoir.gradient.cells.base import Cell, Shape
from reservoir.kernels.blas import gemm
from reservoir.kernels.sequence import Tape, run_backward, run_forward

Arrays = Mapping[str, np.ndarray]
NO_NORMS = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}


def fresh(name: str, shape: Shape, dtype: np.dtype) -> np.ndarray:
    """Return a new array; its name does not matter."""
    return np.empty(shape, dtype)


@dataclass(frozen=True)
class Steps:
    """The steps of B sequences of `lengths` (B,), the longest first, in arrays of `n_steps` T steps."""

    lengths: np.ndarray
    n_steps: int
    washout: int = 0

    @cached_property
    def active(self) -> np.ndarray:
        """How many sequences still run at each step, (T,)."""
        if self.lengths[-1] == self.n_steps:
            return np.full(self.n_steps, len(self.lengths))
        ends = np.searchsorted(self.lengths[::-1], np.arange(self.n_steps), side="right")
        return np.asarray(len(self.lengths) - ends, dtype=np.int64)

    @cached_property
    def valid(self) -> np.ndarray:
        """Whether a step belongs to a sequence, (T, B)."""
        return np.asarray(np.arange(self.n_steps)[:, None] < self.lengths)

    @cached_property
    def scored(self) -> np.ndarray:
        """Whether a step belongs to a sequence and comes after the washout, (T, B)."""
        return self.valid & (np.arange(self.n_steps)[:, None] >= self.washout)

    def shares(self, dtype: Any) -> np.ndarray:
        """Return the share of each step in the mean over the scored steps of its sequence, (T, B)."""
        return np.asarray(self.scored / self.scored.sum(axis=0), dtype=dtype)

    @cached_property
    def backwards(self) -> np.ndarray:
        """For each step of each sequence the step that takes its place when the sequence is read from its end, (T, B)."""
        steps = np.arange(self.n_steps)[:, None]
        return np.where(self.valid, self.lengths - 1 - steps, steps)

    def reverse(self, x: np.ndarray) -> np.ndarray:
        """Reverse every sequence of x (T, B, features) in time."""
        return x[self.backwards, np.arange(len(self.lengths))]


@dataclass(frozen=True)
class RecurrentLayer:
    """A layer of cells, forwards in time or in both directions with the outputs side by side."""

    name: str
    cell: Cell
    n_inputs: int
    bidirectional: bool = False
    reads_symbols: bool = False
    """Whether the inputs are symbols (T, B, 1), integers below n_inputs, that stand for one-hot vectors."""

    @property
    def directions(self) -> tuple[str, ...]:
        """The names of the directions in which the layer reads."""
        return ("forward", "backward")[: 1 + self.bidirectional]

    @property
    def n_outputs(self) -> int:
        """Features of the output."""
        return len(self.directions) * self.cell.units

    def shapes(self) -> dict[str, Shape]:
        """Names and shapes of the weights."""
        parts = self.cell.shapes(self.n_inputs)
        return {f"{self.name}.{direction}.{part}": shape for direction in self.directions for part, shape in parts.items()}

    def bind(self, arrays: Arrays) -> list[Any]:
        """Return the weights of each direction as the kernels take them."""
        parts = self.cell.shapes(self.n_inputs)
        return [self.cell.bind({part: arrays[f"{self.name}.{d}.{part}"] for part in parts}) for d in self.directions]

    def readable(self, arrays: Arrays) -> dict[str, np.ndarray]:
        """Return the weights as users read them, by name."""
        return {name: self.cell.readable(name.rpartition(".")[2], arrays[name]) for name in self.shapes()}

    def state(self, batch: int, dtype: Any) -> np.ndarray:
        """Return the initial state, zeros: (directions, n_states, B, H)."""
        return np.zeros((len(self.directions), self.cell.states, batch, self.cell.units), dtype)

    def forward(
        self, bound: list[Any], x: np.ndarray, steps: Steps, state: np.ndarray, first: int = 0, empty: Any = fresh
    ) -> tuple[np.ndarray, list[Tape]]:
        """Outputs (T, B, directions * H), and a tape for each direction.

        `first` steps led to the `state` (directions, n_states, B, H). `empty(name, shape, dtype)` gives the arrays of a tape.
        """
        tapes, cell = [], self.cell
        rows, kind = x.shape[:2], state.dtype
        for direction, weights in enumerate(bound):
            own = f"{self.name}.{direction}"
            inputs = np.ascontiguousarray(steps.reverse(x) if direction else x)
            gates = empty(f"{own}.gates", (*rows, cell.gates * cell.units), kind)
            extra = empty(f"{own}.extra", (*rows, cell.extra * cell.units), kind)
            states = empty(f"{own}.states", (cell.states, rows[0] + 1, rows[1], cell.units), kind)
            states[:, 0] = state[direction]
            tapes.append(Tape(inputs, gates, extra, states, first))
            run_forward(weights, tapes[-1], steps.active)
        outputs = tapes[0].states[0, 1:]
        if self.bidirectional:
            outputs = np.concatenate([outputs, steps.reverse(tapes[1].states[0, 1:])], axis=2)
        return outputs, tapes

    def backward(
        self,
        bound: list[Any],
        gradients: list[Any],
        tapes: list[Tape],
        steps: Steps,
        gradient: np.ndarray,
        state_gradient: np.ndarray | None = None,
        norms: np.ndarray | None = None,
        wanted: bool = True,
    ) -> np.ndarray | None:
        """Return the gradient with respect to the inputs, where `wanted`; that of the weights goes to `gradients`.

        `state_gradient` (directions, n_states, B, H), with respect to the final states, becomes that with respect to the
        initial ones. norms (T,) receives the norm of the gradient with respect to the state after each step, of the
        forward direction.
        """
        units, total = self.cell.units, None
        ends = self.state(gradient.shape[1], gradient.dtype) if state_gradient is None else state_gradient
        for direction, (weights, tape) in enumerate(zip(bound, tapes, strict=True)):
            part = gradient[:, :, direction * units : (direction + 1) * units]
            part = np.ascontiguousarray(steps.reverse(part) if direction else part)
            sizes = NO_NORMS[part.dtype] if norms is None or direction else norms
            run_backward(weights, tape, steps.active, part, ends[direction], gradients[direction], sizes)
            if wanted:
                back = np.empty_like(tape.inputs)
                rows = tape.gates.reshape(-1, tape.gates.shape[2])
                gemm(rows, weights.input_weights, False, back.reshape(len(rows), -1), False, True)
                total = back if total is None else total + steps.reverse(back)
        return total


def final_outputs(layer: RecurrentLayer, outputs: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the output of each direction when it has read the whole sequence, (B, directions * H)."""
    units = layer.cell.units
    last = outputs[lengths - 1, np.arange(len(lengths))]
    return np.concatenate([last[:, :units], outputs[0, :, units:]], axis=1) if layer.bidirectional else last


def final_gradient(layer: RecurrentLayer, gradient: np.ndarray, steps: Steps) -> np.ndarray:
    """Return the adjoint of `final_outputs`: (T, B, directions * H)."""
    units = layer.cell.units
    total = np.zeros((steps.n_steps, *gradient.shape), gradient.dtype)
    total[steps.lengths - 1, np.arange(len(gradient)), :units] = gradient[:, :units]
    if layer.bidirectional:
        total[0, :, units:] = gradient[:, units:]
    return total


@dataclass(frozen=True)
class Normalization:
    """Layer normalization (Ba, Kiros & Hinton 2016) of a layer's output: (x - mean) / sqrt(variance + 1e-5) * gain + shift."""

    name: str
    size: int

    def shapes(self) -> dict[str, Shape]:
        """Names and shapes of the weights."""
        return {f"{self.name}.gain": (self.size,), f"{self.name}.shift": (self.size,)}

    def forward(self, arrays: Arrays, x: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """Return the normalized values."""
        centered = x - x.mean(axis=-1, keepdims=True)
        scale = 1 / np.sqrt(np.square(centered).mean(axis=-1, keepdims=True) + x.dtype.type(1e-5))
        centered *= scale
        return centered * arrays[f"{self.name}.gain"] + arrays[f"{self.name}.shift"], (centered, scale)

    def backward(self, arrays: Arrays, kept: tuple[np.ndarray, ...], gradient: np.ndarray, gradients: Arrays) -> np.ndarray:
        """Return the gradient with respect to the input."""
        normal, scale = kept
        axes = tuple(range(gradient.ndim - 1))
        gradients[f"{self.name}.gain"][:] = (gradient * normal).sum(axis=axes)
        gradients[f"{self.name}.shift"][:] = gradient.sum(axis=axes)
        inner = gradient * arrays[f"{self.name}.gain"]
        along = (inner * normal).mean(axis=-1, keepdims=True)
        return np.asarray(scale * (inner - inner.mean(axis=-1, keepdims=True) - normal * along))


def dropout_mask(shape: Shape, rate: float, same: bool, generator: Generator, dtype: Any) -> np.ndarray:
    """Zeros with probability `rate`, else 1 / (1 - rate): (T, B, features), or (1, B, features) for the `same` at every step."""
    kept = generator.random((1 if same else shape[0], *shape[1:]), dtype=np.float32) >= rate
    return np.asarray(kept.astype(dtype) / dtype.type(1.0 - rate))


@dataclass(frozen=True)
class Attention:
    """Additive attention over steps (Bahdanau, Cho & Bengio 2015): sum_t a_t h_t, a = softmax_t(v tanh(h_t W + b))."""

    size: int

    def shapes(self) -> dict[str, Shape]:
        """Names and shapes of the weights: W (H, H), b (H,), v (H,)."""
        return {"attention.weights": (self.size, self.size), "attention.bias": (self.size,), "attention.score": (self.size,)}

    def forward(self, arrays: Arrays, x: np.ndarray, scored: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """(B, H) from (T, B, H), reading the steps where `scored` (T, B) is true."""
        hidden = np.tanh(x @ arrays["attention.weights"] + arrays["attention.bias"])
        energy = np.where(scored, hidden @ arrays["attention.score"], -np.inf)
        share = np.exp(energy - energy.max(axis=0))
        share /= share.sum(axis=0)
        return np.einsum("tb,tbh->bh", share, x), (x, hidden, share)

    def backward(self, arrays: Arrays, kept: tuple[np.ndarray, ...], gradient: np.ndarray, gradients: Arrays) -> np.ndarray:
        """Return the gradient with respect to x."""
        x, hidden, share = kept
        by_share = np.einsum("bh,tbh->tb", gradient, x)
        by_energy = share * (by_share - (share * by_share).sum(axis=0))
        gradients["attention.score"][:] = np.einsum("tb,tbh->h", by_energy, hidden)
        by_hidden = by_energy[:, :, None] * arrays["attention.score"] * (1 - np.square(hidden))
        gradients["attention.weights"][:] = x.reshape(-1, self.size).T @ by_hidden.reshape(-1, self.size)
        gradients["attention.bias"][:] = by_hidden.sum(axis=(0, 1))
        return np.asarray(share[:, :, None] * gradient + by_hidden @ arrays["attention.weights"].T)
