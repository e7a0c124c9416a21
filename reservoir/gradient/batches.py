"""From sequences to batches: what is held out, windows, order, padding, and the weight of each row in the loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

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
    washout : leading steps of each that are not scored; beginnings that hold none of those already scored elsewhere
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
        inputs, targets = [self.inputs[i] for i in indices], [self.targets[i] for i in indices]
        return Examples(inputs, targets, self.washout, self.per_step)

    def scaled(self, inward: Scaling, outward: Scaling, dtype: Any) -> Examples:
        """The same, scaled and in the type of the network."""
        inputs, targets = [inward.apply(u, dtype) for u in self.inputs], [outward.apply(y, dtype) for y in self.targets]
        return Examples(inputs, targets, self.washout, self.per_step)


def held_out(examples: Examples, fraction: float, generator: np.random.Generator) -> tuple[Examples, Examples | None]:
    """Training and validation examples: a share of the sequences, or the end of the only one, its run-up not scored.

    Raises `DataError` where one of the two would be left without a scored step.
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
    return (
        Examples([u[:border]], [y[:border]], examples.washout, True),
        Examples([u[start:]], [y[start:]], examples.washout, True),
    )


def windows(examples: Examples, length: int | None) -> Examples:
    """Sequences with targets per step cut into pieces of `length` steps that overlap by the washout.

    What is left at the end of a sequence becomes a piece that starts earlier, so that all pieces are full; the steps it
    shares with the one before count twice. Raises `DataError` where the washout leaves nothing of a window.
    """
    if length is None or not examples.per_step:
        return examples
    if length <= examples.washout:
        raise DataError(f"window={length} must be more than washout={examples.washout}, of which nothing is scored.")
    inputs, targets = [], []
    for u, y in zip(examples.inputs, examples.targets, strict=True):
        starts = list(range(0, max(len(u) - length, 0) + 1, length - examples.washout))
        if len(u) > length and starts[-1] + length < len(u):
            starts.append(len(u) - length)
        inputs += [u[s : s + length] for s in starts]
        targets += [y[s : s + length] for s in starts]
    return Examples(inputs, targets, examples.washout, True)


def batches(examples: Examples, size: int, generator: np.random.Generator | None) -> Iterator[np.ndarray]:
    """Indices of the sequences of each batch, longest first: of like lengths together, in random order if shuffled."""
    lengths = np.array([len(u) for u in examples.inputs])
    order = np.arange(len(lengths)) if generator is None else generator.permutation(len(lengths))
    order = order[np.argsort(-lengths[order], kind="stable")]
    groups = [order[start : start + size] for start in range(0, len(order), size)]
    for group in range(len(groups)) if generator is None else generator.permutation(len(groups)):
        yield groups[group]


def assemble(examples: Examples, indices: np.ndarray, loss: str, reduction: str) -> list[Batch]:
    """The sequences at `indices`, longest first, as padded batches of CHUNK; together they are weighted as one batch."""
    lengths = np.array([len(examples.inputs[i]) for i in indices])
    n_outputs = examples.targets[0].shape[-1] if loss == "squared_error" else 1
    weights = loss_weights(
        lengths, per_step=examples.per_step, washout=examples.washout, reduction=reduction, n_outputs=n_outputs
    ).astype(examples.targets[0].dtype)
    chunks = []
    for start in range(0, len(indices), CHUNK):
        part, stop = indices[start : start + CHUNK], start + CHUNK
        inputs, targets = [examples.inputs[i] for i in part], [examples.targets[i] for i in part]
        if examples.per_step:
            rows = np.ascontiguousarray(weights[: lengths[start], start:stop])
            chunks.append(Batch(padded(inputs), lengths[start:stop], padded(targets), rows, examples.washout))
        else:
            chunks.append(Batch(padded(inputs), lengths[start:stop], np.stack(targets), weights[start:stop], examples.washout))
    return chunks


def padded(sequences: list[np.ndarray]) -> np.ndarray:
    """(T, B, features) of (T_i, features) arrays, the first of which is the longest; zeros where they have ended."""
    if all(len(s) == len(sequences[0]) for s in sequences):
        return np.ascontiguousarray(np.stack(sequences, axis=1))
    out = np.zeros((len(sequences[0]), len(sequences), sequences[0].shape[1]), sequences[0].dtype)
    for b, sequence in enumerate(sequences):
        out[: len(sequence), b] = sequence
    return out
