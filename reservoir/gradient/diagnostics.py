"""How gradients get through a recurrent network: whether they vanish or explode on the way back, and where units saturate.

    dL/dh(t) = dL/dh(T) J(T) ... J(t + 1) + what enters on the way,   J(t) = ds(t)/ds(t-1)

with h the output of the lowest layer, s its whole state (an LSTM's with the cell). Gradients that shrink or grow by a
factor at each step do so exponentially with the steps (Hochreiter 1991; Bengio, Simard & Frasconi 1994; Pascanu, Mikolov &
Bengio 2013).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from reservoir.gradient.batches import Examples, assemble
from reservoir.gradient.layers import RecurrentLayer
from reservoir.gradient.network import Batch, ForwardPass, Network, Weights, backward, forward, loss_of
from reservoir.gradient.real_time.sensitivities import make_room
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.kernels.real_time import step_jacobian
from reservoir.kernels.sequence import Tape

RANGES: Mapping[str, tuple[float, float]] = {"sigmoid": (0.05, 0.95), "tanh": (-0.95, 0.95)}
"""Below the first and above the second, an activation is saturated."""


def measure_gradients(estimator: RecurrentEstimator, inputs: Any, targets: Any = None, samples: int = 64) -> dict[str, Any]:
    """What becomes of gradients in a network, fitted, or only drawn (fitted with `Training(epochs=0)`).

    Parameters
    ----------
    estimator : a network trained by gradient, also of a cell of your own; of bidirectional layers the forward direction is seen
    inputs, targets : as for its `fit`; each sequence is looked at alone
    samples : how many steps, at random of all, the Jacobians are averaged over

    Returns
    -------
    "loss_norms" (T,) : |dL/dh| of the lowest layer k steps before the end of a sequence, k = 0 ... T - 1, for the loss that is
        trained; the median over the sequences of more than k steps
    "last_norms" (T,) : the same for a loss at the last step alone, as if only that one had a target, and divided by |dL/dh|
        at the last step
    "growth" : the factor by which that changes per step back, the geometric mean along a sequence down to where it is zero,
        and the median over sequences; below 1 gradients vanish. NaN where it is zero from the start
    "spectral_radius" (layers,) : mean over the sampled steps of the spectral radius of J, for each layer
    "singular_values" (layers, N) : of J, in falling order, the mean over the sampled steps of each
    "largest_singular_value", "median_singular_value", "smallest_singular_value" (layers,) : of these
    "saturated" : by name of a gate, or "unit" for the outputs of the cells, an array (layers, 2): shares of the activations
        that are saturated at the lower and at the upper end (sigmoid: below .05, above .95; tanh: beyond -.95 and .95)
    "dead" (layers,) : share of rectified linear units that are 0 at all steps of all sequences; only where there are such

    All is computed in float64. Raises `DataError` for data that do not continue the fit.
    """
    estimator._check_fitted()
    known: Any = getattr(estimator, "classes_", None)
    sequences, read = estimator._read(inputs, targets, known, estimator.washout, "step" if estimator._per_step else "sequence")
    estimator._check_again(sequences, read)
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
        last_norms.append(gradient_norms(last_network, last_weights, last, estimator.loss))
    return {
        "loss_norms": _from_the_end(loss_norms),
        "last_norms": _from_the_end([norms / (norms[-1] or 1.0) for norms in last_norms]),
        "growth": float(np.median([_growth(norms[::-1]) for norms in last_norms])),
        **seen.found(),
    }


def with_loss_at_last(network: Network, vector: np.ndarray) -> tuple[Network, np.ndarray]:
    """The network whose head reads the last step alone, and its weights."""
    last = replace(network, reading="last")
    arrays = network.views(vector)
    return last, np.concatenate([arrays[name].ravel() for name in last.shapes])


def gradient_norms(network: Network, weights: Weights, batch: Batch, loss: str, run: ForwardPass | None = None) -> np.ndarray:
    """|dL/dh(t)| of the lowest layer after each step, (T,), over all sequences of a batch; `run` is its run, if there is one."""
    run = forward(network, weights, batch) if run is None else run
    _, gradient = loss_of(run.outputs, batch, loss)
    norms = np.empty(len(batch.inputs))
    unused = Weights(network, np.empty_like(weights.vector))
    backward(network, weights, unused, run, gradient, norms=norms)
    return norms


def step_jacobians(layer: RecurrentLayer, bound: Any, tape: Tape, steps: np.ndarray, sequence: int = 0) -> np.ndarray:
    """J (len(steps), N, N) of a layer's whole state: [k, i, j] = ds_i(t)/ds_j(t-1), t = steps[k]; s is the output, then the rest.

    bound, tape : of one direction of the layer, the tape as `forward` left it
    """
    room, _ = make_room(layer, 0, tape.inputs.dtype)
    size = layer.cell.states * layer.cell.units
    found = np.empty((len(steps), size, size), tape.inputs.dtype)
    for k, t in enumerate(steps):
        step_jacobian(bound, tape, t, sequence, room)
        found[k] = room.jacobian.transpose(1, 0, 2).reshape(size, size)
    return found


def _from_the_end(norms: list[np.ndarray]) -> np.ndarray:
    """The median over sequences, by steps before the end of each."""
    table = np.full((len(norms), max(len(row) for row in norms)), np.nan)
    for row, values in zip(table, norms, strict=True):
        row[: len(values)] = values[::-1]
    return np.asarray(np.nanmedian(table, axis=0))


def _growth(norms: np.ndarray) -> float:
    """The mean factor from each to the next, up to the last that is not zero; NaN where there are no two."""
    last = int(np.flatnonzero(norms).max(initial=0))
    return float((norms[last] / norms[0]) ** (1 / last)) if last > 0 and norms[0] > 0.0 else np.nan


class _Seen:
    """What is to be seen of single steps, gathered over runs of one sequence each."""

    def __init__(self, network: Network, samples: int, lengths: list[int]) -> None:
        self.layers = network.layers
        chosen = np.random.default_rng(0).choice(sum(lengths), min(samples, sum(lengths)), replace=False)
        borders = np.cumsum([0, *lengths])
        self.steps = [np.sort(chosen[(chosen >= a) & (chosen < b)]) - a for a, b in pairwise(borders)]
        self.radii: list[list[float]] = [[] for _ in self.layers]
        self.values: list[list[np.ndarray]] = [[] for _ in self.layers]
        cell = self.layers[0].cell
        self.gates = cell.gate_functions
        self.activation = getattr(cell, "activation", cell.output_function)
        self.saturated = {name: np.zeros((len(self.layers), 2)) for name, kind in self.gates.items() if kind in RANGES}
        if self.activation in RANGES:
            self.saturated["unit"] = np.zeros((len(self.layers), 2))
        self.alive = np.zeros((len(self.layers), cell.units), bool)
        self.n_steps = sum(lengths)

    def look_at(self, run: ForwardPass, weights: Weights) -> None:
        """Take in the next sequence."""
        steps = self.steps.pop(0)
        for index, layer in enumerate(self.layers):
            tape, units = run.tapes[index][0], layer.cell.units
            for jacobian in step_jacobians(layer, weights.bound[index][0], tape, steps):
                self.radii[index].append(float(np.abs(np.linalg.eigvals(jacobian)).max()))
                self.values[index].append(np.linalg.svd(jacobian, compute_uv=False))
            for place, (name, kind) in enumerate(self.gates.items()):
                if kind in RANGES:
                    self._count(name, index, kind, tape.gates[:, 0, place * units : (place + 1) * units])
            outputs = tape.states[0, 1:, 0]
            if self.activation in RANGES:
                self._count("unit", index, self.activation, outputs)
            self.alive[index] |= (outputs > 0.0).any(axis=0)

    def _count(self, name: str, index: int, kind: str, values: np.ndarray) -> None:
        low, high = RANGES[kind]
        share = self.alive.shape[1] * self.n_steps
        self.saturated[name][index] += np.array([(values < low).sum(), (values > high).sum()]) / share

    def found(self) -> dict[str, Any]:
        """The part of the diagnostics that this is about."""
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
