"""Gradients of a recurrent network: whether they vanish or explode backward in time, and which activations saturate.

    dL/ds(t) = dL/ds(T) J(T) ... J(t + 1) + terms of the losses in between,   J(t) = ds(t)/ds(t-1)

s is the whole state of the lowest layer: its output, and of an LSTM the cell, too. The gradient with respect to the output alone
would show the output gate, which acts once, and not what the cell keeps. A gradient that changes by a factor at each step
vanishes or explodes exponentially (Hochreiter 1991; Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from reservoir.gradient.batches import Examples, assemble
from reservoir.gradient.closed_loop import joined
from reservoir.gradient.layers import RecurrentLayer
from reservoir.gradient.network import Batch, ForwardPass, Network, Weights, backward, forward, loss_of
from reservoir.gradient.real_time.sensitivities import make_room
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.kernels.real_time import step_jacobian
from reservoir.kernels.sequence import Tape

RANGES: Mapping[str, tuple[float, float]] = {"sigmoid": (0.05, 0.95), "tanh": (-0.95, 0.95)}
"""The bounds beyond which an activation is saturated, by function."""


def measure_gradients(estimator: RecurrentEstimator, inputs: Any, targets: Any = None, samples: int = 64) -> dict[str, Any]:
    """Measure the gradients of a network that is fitted, or drawn only (fitted with `Training(epochs=0)`).

    Parameters
    ----------
    estimator : a network trained by gradient, also of a cell of your own; bidirectional layers are measured forward only
    inputs, targets : as for its `fit`; each sequence is measured alone
    samples : the number of steps, drawn at random, over which Jacobians are averaged

    Returns
    -------
    "loss_norms" (T,) : |dL/ds| of the lowest layer k steps before the end of a sequence, k = 0 ... T - 1, for the loss that is
        trained; the median over the sequences of more than k steps
    "last_norms" (T,) : the same for a loss at the last step alone, as if only that one had a target, and divided by |dL/ds|
        at the last step
    "growth" : the factor by which "last_norms" change per step back: exp of the slope of a straight line fitted to their
        logarithm, the median over sequences; below 1 gradients vanish. NaN where fewer than two norms are fitted
    "growth_range" : (first, last), the steps before the end of a sequence over which the line is fitted: from a tenth of
        those with a gradient, at least 1, back to the last that has one; the widest over sequences, None without any
    "layer_gradients" (layers,) : the size of dL/ds of each layer, from the input up, for the loss that is trained: the root mean
        square over all steps, divided by that of the last layer. It shrinks downward where the lower layers do not learn
    "spectral_radius" (layers,) : mean over the sampled steps of the spectral radius of J, for each layer
    "singular_values" (layers, N) : of J, in falling order, the mean over the sampled steps of each
    "largest_singular_value", "median_singular_value", "smallest_singular_value" (layers,) : of these
    "saturated" : by name of a gate, or "unit" for the outputs of the cells, an array (layers, 2): shares of the activations
        that are saturated at the lower and at the upper end (sigmoid: below .05, above .95; tanh: beyond -.95 and .95)
    "dead" (layers,) : share of rectified linear units that are 0 at all steps of all sequences; only where there are such

    All is computed in float64. Raises `DataError` for data of another shape than the fitted data.
    """
    estimator._check_fitted()
    known: Any = getattr(estimator, "classes_", None)
    sequences, read = estimator._read(inputs, targets, known, estimator.washout, "step" if estimator._per_step else "sequence")
    estimator._check_again(inputs, sequences, read)
    if estimator.feedback:
        sequences = joined(sequences, read.values, estimator._first_output)
    examples = Examples(sequences, read.values, estimator.washout, read.per_step)
    examples = examples.scaled(estimator._input_scaling, estimator._output_scaling, "float64")
    network, vector = estimator.network_, estimator._vector.astype(np.float64)
    weights, (last_network, last_vector) = Weights(network, vector), with_loss_at_last(network, vector)
    last_weights = Weights(last_network, last_vector)
    seen = _Seen(network, samples, [len(u) for u in sequences])
    loss_norms, last_norms = [], []
    for index in range(len(examples)):
        batch = assemble(examples, np.array([index]), estimator.loss, estimator.training.reduction)[0]
        run = forward(network, weights, batch)
        seen.look_at(run, weights)
        loss_norms.append(gradient_norms(network, weights, batch, estimator.loss, run))
        target = batch.targets[-1] if examples.per_step else batch.targets
        last = batch._replace(targets=target, loss_weights=np.ones(1))
        last_norms.append(gradient_norms(last_network, last_weights, last, estimator.loss)[0])
    return {
        "loss_norms": _from_the_end([norms[0] for norms in loss_norms]),
        "last_norms": _from_the_end([norms / (norms[-1] or 1.0) for norms in last_norms]),
        **_growth([norms[::-1] for norms in last_norms]),
        "layer_gradients": _relative(np.concatenate(loss_norms, axis=1)),
        **seen.found(),
    }


def with_loss_at_last(network: Network, vector: np.ndarray) -> tuple[Network, np.ndarray]:
    """Return the network whose head reads the last step alone, and its weights."""
    last = replace(network, reading="last")
    arrays = network.views(vector)
    return last, np.concatenate([arrays[name].ravel() for name in last.shapes])


def gradient_norms(network: Network, weights: Weights, batch: Batch, loss: str, run: ForwardPass | None = None) -> np.ndarray:
    """|dL/ds(t)| of each layer after each step, (layers, T), over all sequences of a batch, whose forward pass `run` may be."""
    run = forward(network, weights, batch) if run is None else run
    _, gradient = loss_of(run.outputs, batch, loss)
    norms = np.empty((len(network.layers), len(batch.inputs)))
    unused = Weights(network, np.empty_like(weights.vector))
    backward(network, weights, unused, run, gradient, norms=norms)
    return norms


def step_jacobians(layer: RecurrentLayer, bound: Any, tape: Tape, steps: np.ndarray, sequence: int = 0) -> np.ndarray:
    """J (len(steps), N, N) of a layer's whole state: [k, i, j] = ds_i(t)/ds_j(t-1), t = steps[k]; s is the output, then the rest.

    bound, tape : of one direction of the layer, the tape as `forward` left it
    """
    room, _ = make_room(layer, 0, tape.states.dtype)
    size = layer.cell.states * layer.cell.units
    found = np.empty((len(steps), size, size), tape.states.dtype)
    for k, t in enumerate(steps):
        step_jacobian(bound, tape, t, sequence, room)
        found[k] = room.jacobian.transpose(1, 0, 2).reshape(size, size)
    return found


def _relative(norms: np.ndarray) -> np.ndarray:
    """Return the root mean square over the columns of each row, divided by that of the last row; zeros where that is 0."""
    sizes = np.sqrt(np.square(norms).mean(axis=1))
    return np.asarray(sizes / (sizes[-1] or 1.0))


def _from_the_end(norms: list[np.ndarray]) -> np.ndarray:
    """Return the median over sequences, by steps before the end of each."""
    table = np.full((len(norms), max(len(row) for row in norms)), np.nan)
    for row, values in zip(table, norms, strict=True):
        row[: len(values)] = values[::-1]
    return np.asarray(np.nanmedian(table, axis=0))


def _growth(norms: list[np.ndarray]) -> dict[str, Any]:
    """Return "growth" and "growth_range" of the norms of several sequences, each by steps before its end."""
    factors, ranges = [], []
    for row in norms:
        count = len(row) if row.all() else int(np.argmin(row != 0.0))
        fitted = np.arange(max(1, count // 10), count)
        if len(fitted) > 1:
            factors.append(math.exp(np.polyfit(fitted, np.log(row[fitted]), 1)[0]))
            ranges.append((int(fitted[0]), int(fitted[-1])))
    if not factors:
        return {"growth": math.nan, "growth_range": None}
    firsts, lasts = zip(*ranges, strict=True)
    return {"growth": float(np.median(factors)), "growth_range": (min(firsts), max(lasts))}


class _Seen:
    """Measurements of single steps, gathered over forward passes of one sequence each."""

    def __init__(self, network: Network, samples: int, lengths: list[int]) -> None:
        self.layers = network.layers
        chosen = np.random.default_rng(0).choice(sum(lengths), min(samples, sum(lengths)), replace=False)
        borders = np.cumsum([0, *lengths])
        self.steps = [np.sort(chosen[(chosen >= a) & (chosen < b)]) - a for a, b in pairwise(borders)]
        self.radii: list[list[float]] = [[] for _ in self.layers]
        self.values: list[list[np.ndarray]] = [[] for _ in self.layers]
        cell = self.layers[0].cell
        self.activation = getattr(cell, "activation", cell.output_function)
        self.gates = {**cell.gate_functions, "unit": self.activation}
        self.saturated = {name: np.zeros((len(self.layers), 2)) for name, kind in self.gates.items() if kind in RANGES}
        self.alive = np.zeros((len(self.layers), cell.units), bool)
        self.n_steps = sum(lengths)

    def look_at(self, run: ForwardPass, weights: Weights) -> None:
        """Measure the next sequence."""
        steps = self.steps.pop(0)
        for index, layer in enumerate(self.layers):
            tape, units = run.tapes[index][0], layer.cell.units
            for jacobian in step_jacobians(layer, weights.bound[index][0], tape, steps):
                self.radii[index].append(float(np.abs(np.linalg.eigvals(jacobian)).max()))
                self.values[index].append(np.linalg.svd(jacobian, compute_uv=False))
            outputs = tape.states[0, 1:, 0]
            for place, (name, kind) in enumerate(self.gates.items()):
                if kind in RANGES:
                    values = outputs if name == "unit" else tape.gates[:, 0, place * units : (place + 1) * units]
                    counts = [(values < RANGES[kind][0]).sum(), (values > RANGES[kind][1]).sum()]
                    self.saturated[name][index] += np.array(counts) / (units * self.n_steps)
            self.alive[index] |= (outputs > 0.0).any(axis=0)

    def found(self) -> dict[str, Any]:
        """Return the measurements, as part of the diagnostics."""
        values = np.mean(self.values, axis=1)
        result = {
            "spectral_radius": np.mean(self.radii, axis=1),
            "singular_values": values,
            "largest_singular_value": values[:, 0],
            "median_singular_value": np.median(values, axis=1),
            "smallest_singular_value": values[:, -1],
            "saturated": self.saturated,
        }
        return result | ({"dead": 1.0 - self.alive.mean(axis=1)} if self.activation == "relu" else {})
