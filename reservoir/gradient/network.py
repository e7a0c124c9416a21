"""A recurrent network over any cell: layers, directions, what the head reads, and the gradient of it all.

All weights are one vector, and so are their gradients, which is what optimizers and files want; `Weights` gives its parts.
Nothing here draws random numbers, sorts or scales: it maps weights and a batch to outputs, a loss and a gradient.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from reservoir.gradient.cells.base import Cell, Shape
from reservoir.gradient.layers import (
    Attention,
    Kept,
    Normalization,
    RecurrentLayer,
    Steps,
    dropout_mask,
    final_gradient,
    final_outputs,
)
from reservoir.gradient.losses import LOSSES
from reservoir.gradient.symbols import Symbols


@dataclass(frozen=True)
class Network:
    """The structure of a network; the weights are apart.

    Attributes
    ----------
    cells : a cell for each layer, with its units
    n_inputs, n_outputs : features of a step of the input and of an output
    bidirectional : whether every layer reads the sequences in both directions
    reading : what the head reads: "step" for an output at every step, or "last", "mean", "attention" for one per sequence
    symbols : the inputs are symbols in one column, to be looked up; None for numbers
    layer_norm : whether the output of each layer is normalized
    dropout : probability with which an output of a layer is zeroed while training
    dropout_mask : "step" for a new mask at every step, "sequence" for one mask along each sequence (Gal & Ghahramani 2016)
    """

    cells: tuple[Cell, ...]
    n_inputs: int
    n_outputs: int
    bidirectional: bool = False
    reading: str = "step"
    symbols: Symbols | None = None
    layer_norm: bool = False
    dropout: float = 0.0
    dropout_mask: str = "step"

    @cached_property
    def layers(self) -> tuple[RecurrentLayer, ...]:
        """The recurrent layers, from the input up."""
        width, layers = self.n_inputs if self.symbols is None else self.symbols.n_outputs, []
        for index, cell in enumerate(self.cells):
            layers.append(RecurrentLayer(f"layer{index}", cell, width, self.bidirectional))
            width = layers[-1].n_outputs
        return tuple(layers)

    @cached_property
    def norms(self) -> tuple[Normalization, ...]:
        """The normalization above each layer, if there is any."""
        return tuple(Normalization(f"norm{i}", layer.n_outputs) for i, layer in enumerate(self.layers) if self.layer_norm)

    @cached_property
    def attention(self) -> Attention:
        """The attention over the steps of the last layer."""
        return Attention(self.layers[-1].n_outputs)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """Names and shapes of all weights, in the order of the vector."""
        parts: list[Any] = [*([self.symbols] if self.symbols else []), *self.layers, *self.norms]
        parts += [self.attention] if self.reading == "attention" else []
        shapes = {name: shape for part in parts for name, shape in part.shapes().items()}
        width = self.layers[-1].n_outputs
        return {**shapes, "head.weights": (width, self.n_outputs), "head.bias": (self.n_outputs,)}

    @cached_property
    def n_weights(self) -> int:
        """The number of weights."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def views(self, vector: np.ndarray) -> dict[str, np.ndarray]:
        """The parts of a vector of weights, by name; they share its memory."""
        arrays, start = {}, 0
        for name, shape in self.shapes.items():
            size = math.prod(shape)
            arrays[name] = vector[start : start + size].reshape(shape)
            start += size
        return arrays

    def readable(self, vector: np.ndarray) -> dict[str, np.ndarray]:
        """The parts of a vector of weights as users read them, by name: copies, matrices as (to, from)."""
        found = {name: array.T for name, array in self.views(vector).items()}
        for layer in self.layers:
            found |= layer.readable(self.views(vector))
        return {name: array.copy() for name, array in found.items()}

    def initial_state(self, batch: int, dtype: Any) -> list[np.ndarray]:
        """Zeros: for each layer (directions, n_states, B, H)."""
        return [layer.state(batch, np.dtype(dtype)) for layer in self.layers]


class Weights:
    """A vector of a network's weights, or of their gradients, and its parts; with memory for the runs of the network.

    Large arrays that are made anew at every run cost more than some of the products they are for. So what a run keeps is
    overwritten by the next one with the same `Weights`, all but its outputs.
    """

    def __init__(self, network: Network, vector: np.ndarray) -> None:
        self.vector = np.require(vector, requirements="W")  # for one that may only be read, kernels would be compiled anew
        self.arrays = network.views(self.vector)
        self.bound = [layer.bind(self.arrays) for layer in network.layers]
        self._memory: dict[str, np.ndarray] = {}

    def empty(self, name: str, shape: Shape, dtype: Any) -> np.ndarray:
        """The array of that name, of any content."""
        size = math.prod(shape)
        memory = self._memory.get(name)
        if memory is None or memory.size < size or memory.dtype != dtype:
            memory = self._memory[name] = np.empty(size, dtype)
        return memory[:size].reshape(shape)


class Batch(NamedTuple):
    """Sequences, the longest first, padded to T steps, with what a loss needs of them.

    `targets` and `loss_weights` are (T, B, O) and (T, B) per step, or (B, O) and (B,) per sequence. Steps before
    `washout` are read by no mean and no attention.
    """

    inputs: np.ndarray  # (T, B, n_inputs)
    lengths: np.ndarray  # (B,)
    targets: np.ndarray
    loss_weights: np.ndarray
    washout: int = 0


@dataclass
class ForwardPass:
    """A forward pass and what the backward pass needs of it."""

    steps: Steps
    washout: int = 0
    codes: Any = None
    kept: list[Kept] = field(default_factory=list)
    normal: list[Any] = field(default_factory=list)
    masks: list[np.ndarray] = field(default_factory=list)
    top: Any = None
    attended: Any = None
    read: Any = None
    outputs: Any = None

    @cached_property
    def scored(self) -> np.ndarray:
        """Whether a step of a sequence is there and after the washout, (T, B)."""
        return self.steps.valid & (np.arange(self.steps.n_steps)[:, None] >= self.washout)

    def state_after(self, steps: int, count: int) -> list[np.ndarray]:
        """The states of the first `count` sequences after so many steps, as `Network.initial_state` shapes them."""
        return [np.stack([tape.states[:, steps, :count] for tape in kept.tapes]) for kept in self.kept]


def forward(
    network: Network,
    weights: Weights,
    batch: Batch,
    state: list[np.ndarray] | None = None,
    first: int = 0,
    generator: np.random.Generator | None = None,
) -> ForwardPass:
    """Run a batch. The `outputs` of the result are (T, B, O) per step or (B, O) per sequence.

    state : where the sequences start, as `initial_state` shapes it, after `first` steps; zeros if not given
    generator : source of the dropout masks while training; None for none
    """
    n_steps, count, _ = batch.inputs.shape
    steps = Steps(batch.lengths, n_steps)
    run = ForwardPass(steps, batch.washout)
    x = batch.inputs
    if network.symbols is not None:
        x, run.codes = network.symbols.forward(weights.arrays, x)
    state = network.initial_state(count, x.dtype) if state is None else state
    sources = None
    if generator is not None and network.dropout > 0.0:
        sources = generator.spawn(len(network.layers))  # one each: the first sequences have the same masks in whatever batch
    for index, layer in enumerate(network.layers):
        x, kept = layer.forward(weights.bound[index], x, steps, state[index], first, weights.empty)
        run.kept.append(kept)
        if network.layer_norm:
            x, normal = network.norms[index].forward(weights.arrays, x)
            run.normal.append(normal)
        if sources is not None:
            same = network.dropout_mask == "sequence"
            run.masks.append(dropout_mask(x.shape, network.dropout, same, sources[index], x.dtype))
            x = x * run.masks[-1]
    run.top = x
    run.read = _read(network, weights, run)
    width = run.read.shape[-1]
    outputs = run.read.reshape(-1, width) @ weights.arrays["head.weights"] + weights.arrays["head.bias"]
    run.outputs = outputs.reshape(*run.read.shape[:-1], network.n_outputs)
    return run


def backward(
    network: Network,
    weights: Weights,
    gradients: Weights,
    run: ForwardPass,
    gradient: np.ndarray,
    state_gradient: list[np.ndarray] | None = None,
    norms: np.ndarray | None = None,
    to_inputs: bool = False,
) -> Any:
    """Turn the gradient with respect to the outputs into that of the weights, which overwrites `gradients`.

    Gives the gradient with respect to the inputs (T, B, n_inputs) if asked to. `state_gradient`, as `initial_state` shapes
    it, holds what is known of the gradient with respect to the final states and receives that with respect to the initial
    ones. norms (T,), if given, receives the norm of the gradient with respect to the state of the first layer after each
    step.
    """
    width = run.read.shape[-1]
    rows, flat = gradient.reshape(-1, network.n_outputs), run.read.reshape(-1, width)
    gradients.arrays["head.weights"][:] = flat.T @ rows
    gradients.arrays["head.bias"][:] = rows.sum(axis=0)
    read = weights.empty("read", run.read.shape, gradient.dtype)  # np.dot: for one output faster than @
    np.dot(rows, weights.arrays["head.weights"].T, out=read.reshape(-1, width))
    back: Any = _read_back(network, weights, gradients, run, read)
    for index in reversed(range(len(network.layers))):
        if run.masks:
            back = back * run.masks[index]
        if network.layer_norm:
            back = network.norms[index].backward(weights.arrays, run.normal[index], back, gradients.arrays)
        back = network.layers[index].backward(
            weights.bound[index],
            gradients.bound[index],
            run.kept[index],
            back,
            None if state_gradient is None else state_gradient[index],
            norms if index == 0 else None,
            wanted=index > 0 or network.symbols is not None or to_inputs,
        )
    if network.symbols is not None:
        network.symbols.backward(weights.arrays, run.codes, back, gradients.arrays)
    return back


def loss_and_gradient(
    network: Network,
    weights: Weights,
    gradients: Weights,
    batch: Batch,
    loss: str,
    state: list[np.ndarray] | None = None,
    first: int = 0,
    generator: np.random.Generator | None = None,
) -> tuple[float, ForwardPass]:
    """The loss of a batch and, in `gradients`, its gradient with respect to the weights."""
    run = forward(network, weights, batch, state, first, generator)
    rows = run.outputs.reshape(-1, network.n_outputs)
    value, gradient = LOSSES[loss](rows, batch.targets.reshape(rows.shape), batch.loss_weights.reshape(-1))
    backward(network, weights, gradients, run, gradient.reshape(run.outputs.shape))
    return value, run


def _read(network: Network, weights: Weights, run: ForwardPass) -> np.ndarray:
    """What the head reads of the last layer: (T, B, H) or (B, H)."""
    if network.reading == "step":
        return np.asarray(run.top)
    if network.reading == "last":
        return final_outputs(network.layers[-1], run.top, run.steps.lengths)
    if network.reading == "attention":
        read, run.attended = network.attention.forward(weights.arrays, run.top, run.scored)
        return read
    return np.asarray(np.einsum("tb,tbh->bh", _shares(run), run.top))


def _read_back(network: Network, weights: Weights, gradients: Weights, run: ForwardPass, gradient: np.ndarray) -> np.ndarray:
    """The adjoint of `_read`: the gradient with respect to the last layer, (T, B, H)."""
    if network.reading == "step":
        return gradient
    if network.reading == "last":
        return final_gradient(network.layers[-1], gradient, run.steps)
    if network.reading == "attention":
        return network.attention.backward(weights.arrays, run.attended, gradient, gradients.arrays)
    return np.asarray(_shares(run)[:, :, None] * gradient)


def _shares(run: ForwardPass) -> np.ndarray:
    """The share of each step in the mean over a sequence, (T, B)."""
    return np.asarray(run.scored / run.scored.sum(axis=0), dtype=run.top.dtype)
