"""From sequences to batches: validation split, windows, order, padding, and the weight of each row in the loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from reservoir.gradient.losses import loss_weights
from reservoir.gradient.network import Batch
from reservoir.gradient.scaling import Scaling
from reservoir.validation import DataError

CHUNK = 16
"""Sequences that run together. Fixed, so that results do not depend on how many threads share a batch."""


@dataclass(frozen=True)
class Examples:
    """Sequences to learn from.

    Attributes
    ----------
    inputs : (T_i, n_inputs) arrays
    targets : (T_i, n_outputs) arrays, or (n_outputs,) vectors
    washout : the number of leading steps of each sequence that are not scored
    per_step : whether there is a target for every step
    """

    inputs: list[np.ndarray]
    targets: list[np.ndarray]
    washout: int
    per_step: bool

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, indices: np.ndarray) -> Examples:
        """Some of the sequences."""
        return replace(self, inputs=[self.inputs[i] for i in indices], targets=[self.targets[i] for i in indices])

    def scaled(self, inward: Scaling, outward: Scaling, dtype: Any) -> Examples:
        """Return the same sequences, scaled and in the type of the network."""
        targets = [outward.apply(y, dtype) for y in self.targets]
        return replace(self, inputs=[inward.apply(u, dtype) for u in self.inputs], targets=targets)


def held_out(examples: Examples, fraction: float, generator: Generator) -> tuple[Examples, Examples | None]:
    """Split examples into training and validation: a share of the sequences, or the end of the only one after its washout.

    Raises `DataError` where one of the two has no scored step.
    """
    if fraction == 0.0:
        return examples, None
    if len(examples) > 1:
        order = generator.permutation(len(examples))
        count = max(1, round(fraction * len(examples)))
        if count >= len(examples):
            raise DataError(f"inputs: {len(examples)} sequences are too few to hold out validation_fraction={fraction} of them.")
        return examples.take(np.sort(order[count:])), examples.take(np.sort(order[:count]))
    u, y = examples.inputs[0], examples.targets[0]
    border = len(u) - max(1, round(fraction * len(u)))
    if not examples.per_step or border <= examples.washout:
        raise DataError(f"inputs: one sequence of {len(u)} steps is too short to hold out validation_fraction={fraction} of it.")
    start = border - examples.washout
    training = replace(examples, inputs=[u[:border]], targets=[y[:border]])
    return training, replace(examples, inputs=[u[start:]], targets=[y[start:]])


def windows(examples: Examples, length: int | None) -> Examples:
    """Cut sequences with targets per step into windows of `length` steps that overlap by the washout.

    The last window of a sequence starts early enough to be full; the steps that it shares with the window before count twice.
    Raises `DataError` where the washout covers a whole window.
    """
    if length is None or not examples.per_step:
        return examples
    if length <= examples.washout:
        raise DataError(f"window={length} must be more than washout={examples.washout}, whose steps are not scored.")
    inputs, targets = [], []
    for u, y in zip(examples.inputs, examples.targets, strict=True):
        starts = list(range(0, max(len(u) - length, 0) + 1, length - examples.washout))
        if len(u) > length and starts[-1] + length < len(u):
            starts.append(len(u) - length)
        inputs += [u[s : s + length] for s in starts]
        targets += [y[s : s + length] for s in starts]
    return replace(examples, inputs=inputs, targets=targets)


def batches(examples: Examples, size: int, generator: Generator | None) -> Iterator[np.ndarray]:
    """Indices of the sequences of each batch, the longest first; batches hold like lengths, in random order if shuffled."""
    lengths = np.array([len(u) for u in examples.inputs])
    order = np.arange(len(lengths)) if generator is None else generator.permutation(len(lengths))
    order = order[np.argsort(-lengths[order], kind="stable")]
    groups = [order[start : start + size] for start in range(0, len(order), size)]
    for group in range(len(groups)) if generator is None else generator.permutation(len(groups)):
        yield groups[group]


def assemble(examples: Examples, indices: np.ndarray, loss: str, reduction: str) -> list[Batch]:
    """Return the sequences at `indices`, longest first, as padded batches of CHUNK; together they are weighted as one batch."""
    lengths = np.array([len(examples.inputs[i]) for i in indices])
    n_outputs = examples.targets[0].shape[-1] if loss == "squared_error" else 1
    options: Any = {"per_step": examples.per_step, "washout": examples.washout, "reduction": reduction, "n_outputs": n_outputs}
    weights = loss_weights(lengths, **options).astype(examples.targets[0].dtype)
    chunks = []
    for start in range(0, len(indices), CHUNK):
        chunk = slice(start, start + CHUNK)
        part = examples.take(indices[chunk])
        rows = np.ascontiguousarray(weights[: lengths[start], chunk]) if part.per_step else weights[chunk]
        targets = padded(part.targets) if part.per_step else np.stack(part.targets)
        chunks.append(Batch(padded(part.inputs), lengths[chunk], targets, rows, part.washout))
    return chunks


def padded(sequences: list[np.ndarray]) -> np.ndarray:
    """(T, B, features) of (T_i, features) arrays, the first of which is the longest; zeros where they have ended."""
    out = np.zeros((len(sequences[0]), len(sequences), sequences[0].shape[1]), sequences[0].dtype)
    for b, sequence in enumerate(sequences):
        out[: len(sequence), b] = sequence
    return out
