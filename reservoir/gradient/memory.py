"""How much memory a training takes at least, and its refusal where there is less."""

from __future__ import annotations

import math
from collections.abc import Callable

from reservoir.base.memory import check_memory
from reservoir.gradient.batches import CHUNK, Examples, windows
from reservoir.gradient.network import Network
from reservoir.gradient.optimizers import OPTIMIZERS
from reservoir.gradient.training import Training


def check_training_memory(
    name: str, network: Callable[[int], Network], units: int, settings: Training, examples: Examples, itemsize: int
) -> None:
    """Raise `MemoryError` where the training of a network of so many units on these examples needs more memory than there is.

    `network(units)` gives the structure; `name` is that of the estimator, `itemsize` the bytes of a weight.
    """
    pieces = windows(examples, settings.window)
    n_sequences, steps = min(len(pieces), settings.batch_size), max(len(u) for u in pieces.inputs)
    if settings.truncation is not None:
        steps = min(steps, settings.truncation[1])

    def needs(size: int) -> dict[str, float]:
        parts = training_memory(network(size), settings, n_sequences, steps)
        return {part: float(itemsize) * count for part, count in parts.items()}

    check_memory(f"Training {name} with {units:,} units", needs, units, "units")


def training_memory(network: Network, settings: Training, n_sequences: int, steps: int) -> dict[str, int]:
    """Count the numbers that a training keeps at once, by what they are; a batch has so many sequences of so many steps.

    The weights are kept now, before the update and at their best, with a gradient for each group of sequences and the state of
    the optimizer; back-propagation keeps the gates and states of all steps, real-time recurrent learning the derivatives of
    the states by the weights of their layer, a Kalman filter the covariance of all weights.
    """
    n_weights, states = network.n_weights, [layer.cell.states * layer.n_outputs for layer in network.layers]
    vectors = 3 + -(-n_sequences // CHUNK) + OPTIMIZERS[settings.optimizer].n_states
    found = {"weights and gradients": n_weights * vectors}
    if settings.algorithm == "bptt":
        kept = sum((layer.cell.gates + layer.cell.extra) * layer.n_outputs for layer in network.layers) + sum(states)
        found["gates and states of a batch"] = n_sequences * steps * kept
    elif settings.algorithm == "rtrl" and not any(layer.cell.diagonal for layer in network.layers):
        own = [sum(math.prod(shape) for shape in layer.shapes().values()) for layer in network.layers]
        found["sensitivities"] = n_sequences * sum(count * size for count, size in zip(states, own, strict=True))
    elif settings.algorithm == "ekf":
        found["covariance of the weights"] = n_weights**2
    return found
