"""A recurrent network over any cell: layers, directions, what the head reads, and the gradient of it all.

All weights are one vector, and so are their gradients, as optimizers and files need them; `Weights` gives the parts.
This module maps weights and a batch to outputs, a loss and a gradient; except for dropout it draws no random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator

from reservoir.gradient.cells.base import Cell, Shape
from reservoir.gradient.layers import Attention, Normalization, RecurrentLayer, Steps, dropout_mask, final_gradient, final_outputs
from reservoir.gradient.losses import LOSSES
from reservoir.gradient.symbols import Symbols
from reservoir.kernels.sequence import Tape


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
    tied : whether the head's weights are the learned vectors of the symbols, which the outputs then stand for (Press & Wolf
        2017); the vectors are as long as what the head reads
    residual : whether each layer but the first adds what it reads to its output (He et al. 2016), after normalization and dropout
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
    tied: bool = False
    residual: bool = False

    @cached_property
    def layers(self) -> tuple[RecurrentLayer, ...]:
        """The recurrent layers, from the input up."""
        width, layers = self.n_inputs if self.symbols is None else self.symbols.n_outputs, []
        for index, cell in enumerate(self.cells):
            symbols = index == 0 and self.symbols is not None and self.symbols.size is None
            layers.append(RecurrentLayer(f"layer{index}", cell, width, self.bidirectional, symbols))
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
        return {**shapes, **({} if self.tied else {"head.weights": (width, self.n_outputs)}), "head.bias": (self.n_outputs,)}

    def head_weights(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """The weights of the head (H, n_outputs), of weights or of their gradients."""
        return arrays["symbols"].T if self.tied else arrays["head.weights"]

    @cached_property
    def n_weights(self) -> int:
        """The number of weights."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def views(self, vector: np.ndarray) -> dict[str, np.ndarray]:
        """Return the parts of a vector of weights, by name; they share its memory."""
        return parts_of(vector, self.shapes)

    def readable(self, vector: np.ndarray) -> dict[str, np.ndarray]:
        """Return the parts of a vector of weights as users read them, by name: copies, matrices as (to, from)."""
        found = {name: array.T for name, array in self.views(vector).items()}
        for layer in self.layers:
            found |= layer.readable(self.views(vector))
        return {name: array.copy() for name, array in found.items()}

    def initial_state(self, batch: int, dtype: Any) -> State:
        """Return the state of zeros."""
        return [layer.state(batch, dtype) for layer in self.layers]


def parts_of(vector: np.ndarray, shapes: Mapping[str, Shape]) -> dict[str, np.ndarray]:
    """Return the consecutive parts of a vector as arrays of the given shapes, by name; they share its memory."""
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
    parts = np.split(vector, ends)[:-1]  # a layer in both directions has more than its cell
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


class Weights:
    """A vector of a network's weights, or of their gradients, its parts, and memory for forward passes.

    New large arrays cost more than some products with them. So a forward pass overwrites the arrays of the one before with the
    same `Weights`, except for its outputs.
    """

    def __init__(self, network: Network, vector: np.ndarray) -> None:
        self.vector = np.require(vector, requirements="W")  # kernels are compiled anew for read-only arrays
        self.arrays = network.views(self.vector)
        self.bound = [layer.bind(self.arrays) for layer in network.layers]
        self._memory: dict[str, np.ndarray] = {}

    def empty(self, name: str, shape: Shape, dtype: Any) -> np.ndarray:
        """Return an array of any content; arrays of one name share memory."""
        size = math.prod(shape)
        memory = self._memory.get(name)
        if memory is None or memory.size < size or memory.dtype != dtype:
            memory = self._memory[name] = np.empty(size, dtype)
        return memory[:size].reshape(shape)


State = list[np.ndarray]
"""For each layer (directions, n_states, B, H)."""


class Batch(NamedTuple):
    """Sequences, the longest first, padded to T steps, with their targets and the weights of the loss.

    `targets` and `loss_weights` are (T, B, O) and (T, B) per step, or (B, O) and (B,) per sequence. Mean and attention leave out
    the first `washout` steps.
    """

    inputs: np.ndarray  # (T, B, n_inputs)
    lengths: np.ndarray  # (B,)
    targets: np.ndarray
    loss_weights: np.ndarray
    washout: int = 0


class ForwardPass(NamedTuple):
    """A forward pass: its outputs, and what the backward pass needs."""

    steps: Steps
    codes: Any  # (T, B): the symbols, or None
    tapes: list[list[Tape]]  # of each layer and direction
    normal: list[tuple[np.ndarray, ...]]  # of each layer that is normalized
    masks: list[np.ndarray]  # of each layer with dropout
    top: np.ndarray  # (T, B, H): the outputs of the last layer
    attended: Any
    read: np.ndarray  # (T, B, H) or (B, H): what the head reads
    outputs: np.ndarray  # (T, B, O) or (B, O)

    def state_after(self, steps: int, count: int) -> State:
        """Return the states of the first `count` sequences after so many steps, as `Network.initial_state` shapes them."""
        return [np.stack([tape.states[:, steps, :count] for tape in tapes]) for tapes in self.tapes]


def forward(
    network: Network,
    weights: Weights,
    batch: Batch,
    state: State | None = None,
    first: int = 0,
    generator: Generator | None = None,
) -> ForwardPass:
    """Run a batch.

    state : where the sequences start, as `initial_state` shapes it, after `first` steps; zeros if not given
    generator : source of the dropout masks while training; None for none
    """
    steps = Steps(batch.lengths, len(batch.inputs), batch.washout)
    x, codes = batch.inputs, None
    if network.symbols is not None:
        x, codes = network.symbols.forward(weights.arrays, x)
    state = network.initial_state(len(batch.lengths), weights.vector.dtype) if state is None else state
    sources = None
    if generator is not None and network.dropout > 0.0:
        # one each, so that masks of the first sequences do not depend on the batch
        sources = generator.spawn(len(network.layers))
    tapes, normal, masks = [], [], []
    for index, layer in enumerate(network.layers):
        below = x
        x, found = layer.forward(weights.bound[index], x, steps, state[index], first, weights.empty)
        tapes.append(found)
        if network.layer_norm:
            x, kept = network.norms[index].forward(weights.arrays, x)
            normal.append(kept)
        if sources is not None:
            same = network.dropout_mask == "sequence"
            masks.append(dropout_mask(x.shape, network.dropout, same, sources[index], x.dtype))
            x = x * masks[-1]
        if network.residual and index > 0:
            x = x + below
    read, attended = _read(network, weights, steps, x)
    rows = read.reshape(-1, read.shape[-1]) @ network.head_weights(weights.arrays) + weights.arrays["head.bias"]
    outputs = rows.reshape(*read.shape[:-1], network.n_outputs)
    return ForwardPass(steps, codes, tapes, normal, masks, x, attended, read, outputs)


def backward(
    network: Network,
    weights: Weights,
    gradients: Weights,
    run: ForwardPass,
    gradient: np.ndarray,
    state_gradient: State | None = None,
    norms: np.ndarray | None = None,
    to_inputs: bool = False,
) -> Any:
    """Turn the gradient with respect to the outputs into that of the weights, which overwrites `gradients`.

    Returns the gradient with respect to the inputs (T, B, n_inputs), `to_inputs`. `state_gradient`, as `initial_state` shapes
    it, is that with respect to the final states and becomes that with respect to the initial ones. norms (layers, T) receives
    the norm of the gradient with respect to the state of each layer after each step.
    """
    rows = head_gradients(network, gradients, run, gradient)
    read = weights.empty("read", run.read.shape, gradient.dtype)  # np.dot: for one output faster than @
    np.dot(rows, network.head_weights(weights.arrays).T, out=read.reshape(-1, run.read.shape[-1]))
    back: Any = _read_back(network, weights, gradients, run, read)
    for index in reversed(range(len(network.layers))):
        above = back
        if run.masks:
            back = back * run.masks[index]
        if network.layer_norm:
            back = network.norms[index].backward(weights.arrays, run.normal[index], back, gradients.arrays)
        layer, bound = network.layers[index], (weights.bound[index], gradients.bound[index])
        ends, sizes = (None if part is None else part[index] for part in (state_gradient, norms))
        wanted = index > 0 or (not layer.reads_symbols and (network.symbols is not None or to_inputs))
        back = layer.backward(*bound, run.tapes[index], run.steps, back, ends, sizes, wanted)
        if network.residual and index > 0:
            back = back + above
    if network.symbols is not None:
        network.symbols.backward(run.codes, back, gradients.arrays, add=network.tied)
    return back


def head_gradients(network: Network, gradients: Weights, run: ForwardPass, gradient: np.ndarray) -> np.ndarray:
    """Write the gradients of the head's weights; return the gradient with respect to the outputs as rows (N, O)."""
    rows, read = gradient.reshape(-1, network.n_outputs), run.read.reshape(-1, run.read.shape[-1])
    network.head_weights(gradients.arrays)[:] = read.T @ rows
    gradients.arrays["head.bias"][:] = rows.sum(axis=0)
    return rows


def loss_of(outputs: np.ndarray, batch: Batch, loss: str) -> tuple[float, np.ndarray]:
    """Return the loss of a batch with the outputs (..., O), and its gradient with respect to them, of their shape."""
    rows = outputs.reshape(-1, outputs.shape[-1])
    value, gradient = LOSSES[loss](rows, batch.targets.reshape(len(rows), -1), batch.loss_weights.reshape(-1))
    return value, gradient.reshape(outputs.shape)


def loss_and_gradient(
    network: Network, weights: Weights, gradients: Weights, batch: Batch, loss: str, *start: Any
) -> tuple[float, ForwardPass]:
    """Return the loss of a batch and, in `gradients`, its gradient with respect to the weights; `start` as for `forward`."""
    run = forward(network, weights, batch, *start)
    value, gradient = loss_of(run.outputs, batch, loss)
    backward(network, weights, gradients, run, gradient)
    return value, run


def _read(network: Network, weights: Weights, steps: Steps, top: np.ndarray) -> tuple[np.ndarray, Any]:
    """What the head reads of the last layer, (T, B, H) or (B, H), and what attention keeps."""
    if network.reading == "step":
        return top, None
    if network.reading == "last":
        return final_outputs(network.layers[-1], top, steps.lengths), None
    if network.reading == "attention":
        return network.attention.forward(weights.arrays, top, steps.scored)
    return np.asarray(np.einsum("tb,tbh->bh", steps.shares(top.dtype), top)), None


def _read_back(network: Network, weights: Weights, gradients: Weights, run: ForwardPass, gradient: np.ndarray) -> np.ndarray:
    """Return the adjoint of `_read`: the gradient with respect to the last layer, (T, B, H)."""
    if network.reading == "step":
        return gradient
    if network.reading == "last":
        return final_gradient(network.layers[-1], gradient, run.steps)
    if network.reading == "attention":
        return network.attention.backward(weights.arrays, run.attended, gradient, gradients.arrays)
    return np.asarray(run.steps.shares(run.top.dtype)[:, :, None] * gradient)
