"""From a batch to an update of the weights: back-propagation through time, whole or truncated, and the optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, NamedTuple

import numpy as np

from reservoir.base.threads import thread_count
from reservoir.gradient.network import Batch, ForwardPass, Network, Weights, loss_and_gradient
from reservoir.gradient.optimizers import OPTIMIZERS, Step, add_noise, clip_by_norm
from reservoir.gradient.training import Training

State = list[np.ndarray]


class BatchResult(NamedTuple):
    """The result of a batch: the loss (before the updates), the sum of the gradient norms, updates, steps of sequences."""

    loss: float
    norm: float
    updates: int
    steps: int


class Piece(NamedTuple):
    """Steps start ... stop - 1 of a batch, of which those from `scored` on count."""

    start: int
    scored: int
    stop: int


def pieces(n_steps: int, truncation: Sequence[int] | None) -> Iterator[Piece]:
    """The pieces of a batch of `n_steps` steps between which there are updates (Williams & Peng 1990, BPTT(k2; k1)).

    >>> [tuple(piece) for piece in pieces(5, (2, 3))]
    [(0, 0, 2), (1, 2, 4), (2, 4, 5)]
    """
    if truncation is None:
        yield Piece(0, 0, n_steps)
        return
    every, through = truncation
    for scored in range(0, n_steps, every):
        stop = min(scored + every, n_steps)
        yield Piece(max(stop - through, 0), scored, stop)


def cut(batch: Batch, piece: Piece) -> Batch:
    """The piece of a batch, without the sequences that ended before it."""
    left = int((batch.lengths > piece.start).sum())
    weights = batch.loss_weights[piece.start : piece.stop, :left].copy()
    weights[: piece.scored - piece.start] = 0
    return Batch(
        np.ascontiguousarray(batch.inputs[piece.start : piece.stop, :left]),
        np.minimum(batch.lengths[:left] - piece.start, piece.stop - piece.start),
        batch.targets[piece.start : piece.stop, :left],
        weights,
    )


def _weight(batches: list[Batch]) -> float:
    """The sum of the weights of all their rows."""
    return sum(float(batch.loss_weights.sum()) for batch in batches)


class Learner:
    """Weights, those before the last update, the optimizer's state, and room for the gradient of each chunk of a batch."""

    remedy: ClassVar[str] = "lower training.learning_rate or training.clip_norm"
    """What to do when training diverges."""

    def __init__(self, network: Network, vector: np.ndarray, settings: Training, loss: str, pool: ThreadPoolExecutor) -> None:
        self.network, self.settings, self.loss, self.pool = network, settings, loss, pool
        self.weights = Weights(network, vector)
        self.optimizer = OPTIMIZERS[settings.optimizer]
        self.state = np.zeros((self.optimizer.n_states, vector.size), vector.dtype)
        self.before = vector.copy()
        self.rooms: list[tuple[Weights, Weights]] = []

    @classmethod
    def check(cls, network: Network, settings: Training) -> None:
        """Raise `ParameterError` for a network that cannot be trained so."""

    def batch(
        self,
        chunks: list[Batch],
        updates: int,
        rate: float,
        noise: np.random.Generator | None,
        masks: np.random.SeedSequence | None,
    ) -> BatchResult:
        """Learn from one batch, in as many updates as it has pieces; `updates` were made before.

        noise, masks : sources of the gradient noise and of the dropout masks, where there are any
        """
        seeds = [None] * len(chunks) if masks is None else masks.spawn(len(chunks))
        states: list[State | None] = [None] * len(chunks)
        planned = self.update_pieces(len(chunks[0].inputs))
        total = _weight(chunks) if len(planned) > 1 else 1.0
        loss = norm = 0.0
        done = 0
        for piece, after in zip(planned, [*planned[1:], None], strict=True):
            parts, share = chunks, 1.0
            if len(planned) > 1:
                parts = [cut(chunk, piece) for chunk in chunks if chunk.lengths[0] > piece.start]
                share = _weight(parts) / total
            if self.settings.reduction == "mean" and 0.0 < share < 1.0:
                parts = [part._replace(loss_weights=part.loss_weights / part.loss_weights.dtype.type(share)) for part in parts]
            value, runs = self.gradient(parts, states, piece.start, [self.source(seed, piece) for seed in seeds])
            if after is not None:
                left = [int((chunk.lengths > after.start).sum()) for chunk in chunks]
                states = [run.state_after(after.start - piece.start, n) for run, n in zip(runs, left, strict=False)]
            loss += value * (share if self.settings.reduction == "mean" else 1.0)
            if share > 0.0:
                done += 1
                self.before[:] = self.weights.vector
                norm += self.update(updates + done, rate, noise)
        return BatchResult(loss, norm, done, sum(int(chunk.lengths.sum()) for chunk in chunks))

    def update_pieces(self, n_steps: int) -> list[Piece]:
        """The pieces of a batch of so many steps, after each of which the weights are updated."""
        return list(pieces(n_steps, self.settings.truncation))

    def source(self, seed: np.random.SeedSequence | None, piece: Piece) -> np.random.Generator | None:
        """Where the dropout masks of a chunk come from, the same for all its pieces if they are to be the same."""
        if seed is None:
            return None
        key = () if self.network.dropout_mask == "sequence" else (piece.start,)
        return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *key)))

    def gradient(
        self, parts: list[Batch], states: list[State | None], first: int, generators: Sequence[np.random.Generator | None]
    ) -> tuple[float, list[ForwardPass]]:
        """The loss of the parts; its gradient goes to the first room."""
        self.make_rooms(len(parts))

        def work(index: int) -> tuple[float, ForwardPass]:
            with np.errstate(over="ignore", invalid="ignore"):  # the loss will tell
                return self.part(index, parts[index], states[index], first, generators[index])

        alone = len(parts) == 1 or thread_count() == 1
        found = list((map if alone else self.pool.map)(work, range(len(parts))))
        gradient = self.rooms[0][1].vector
        for _, room in self.rooms[1 : len(parts)]:
            gradient += room.vector
        return sum(value for value, _ in found), [run for _, run in found]

    def make_rooms(self, count: int) -> None:
        """Have `count` pairs of weights, all of them these, and room for their gradient."""
        while len(self.rooms) < count:
            room = Weights(self.network, np.empty_like(self.weights.vector))
            self.rooms.append((Weights(self.network, self.weights.vector), room))

    def part(
        self, index: int, part: Batch, state: State | None, first: int, generator: np.random.Generator | None
    ) -> tuple[float, ForwardPass]:
        """The loss of one part; its gradient goes to its room."""
        weights, room = self.rooms[index]
        return loss_and_gradient(self.network, weights, room, part, self.loss, state, first, generator)

    def update(self, step: int, rate: float, noise: np.random.Generator | None) -> float:
        """One step of the optimizer; the norm of the gradient before it was clipped."""
        gradient = self.rooms[0][1].vector
        if noise is not None:
            add_noise(gradient, step, self.settings.gradient_noise, noise)
        norm = clip_by_norm(gradient, self.settings.clip_norm)
        read = {name: getattr(self.settings, name) for name in self.optimizer.settings}
        self.optimizer.update(self.weights.vector, gradient, self.state, Step(step, rate, **read))
        return norm
