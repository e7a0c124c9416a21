"""From a batch to an update of the weights: back-propagation through time, whole or truncated, and the optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.random import Generator, SeedSequence

from reservoir.base.threads import thread_count
from reservoir.gradient.network import Batch, ForwardPass, Network, State, Weights, loss_and_gradient
from reservoir.gradient.optimizers import OPTIMIZERS, Step, add_noise, clip_by_norm
from reservoir.gradient.training import Training


class BatchResult(NamedTuple):
    """The loss of a batch before its updates, the sum of the gradient norms, and the numbers of updates and of steps."""

    loss: float
    norm: float
    updates: int
    steps: int


class Piece(NamedTuple):
    """Steps start ... stop - 1 of a batch; the loss counts the steps from `scored` on."""

    start: int
    scored: int
    stop: int


def pieces(n_steps: int, truncation: Sequence[int] | None) -> list[Piece]:
    """Return the pieces of a batch of `n_steps` steps between which there are updates (Williams & Peng 1990, BPTT(k2; k1)).

    >>> [tuple(piece) for piece in pieces(5, (2, 3))]
    [(0, 0, 2), (1, 2, 4), (2, 4, 5)]
    """
    every, through = truncation or (n_steps, n_steps)
    stops = [min(scored + every, n_steps) for scored in range(0, n_steps, every)]
    return [Piece(max(stop - through, 0), index * every, stop) for index, stop in enumerate(stops)]


def cut(batch: Batch, piece: Piece) -> Batch:
    """Return the piece of a batch, without the sequences that ended before it."""
    left, steps = int((batch.lengths > piece.start).sum()), slice(piece.start, piece.stop)
    weights = batch.loss_weights[steps, :left].copy()
    weights[: piece.scored - piece.start] = 0
    lengths = np.minimum(batch.lengths[:left], piece.stop) - piece.start
    return Batch(np.ascontiguousarray(batch.inputs[steps, :left]), lengths, batch.targets[steps, :left], weights)


def _weight(batches: list[Batch]) -> float:
    """Return the sum of the weights of all rows."""
    return sum(float(batch.loss_weights.sum()) for batch in batches)


class Learner:
    """Training by back-propagation through time: the weights, also before the last update, and the optimizer's state."""

    remedy: ClassVar[str] = "lower training.learning_rate or training.clip_norm"
    """The advice where training diverges."""

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
        self, chunks: list[Batch], updates: int, rate: float, noise: Generator | None, masks: SeedSequence | None
    ) -> BatchResult:
        """Learn from one batch, with an update after each of its pieces; `updates` were made before.

        noise, masks : sources of the gradient noise and of the dropout masks, where there are any
        """
        seeds = [None] * len(chunks) if masks is None else masks.spawn(len(chunks))
        states: list[State | None] = [None] * len(chunks)
        planned = self.update_pieces(len(chunks[0].inputs))
        total, loss, norm, done = _weight(chunks), 0.0, 0.0, 0
        for piece, after in zip(planned, [*planned[1:], None], strict=True):
            parts, share = (chunks, 1.0) if len(planned) == 1 else self._cut(chunks, piece, total)
            value, runs = self.gradient(parts, states, piece.start, [self._source(seed, piece) for seed in seeds])
            if after is not None:
                states = [_state_at(run, chunk, piece, after) for run, chunk in zip(runs, chunks, strict=False)]
            loss += value * (share if self.settings.reduction == "mean" else 1.0)
            if share > 0.0:
                done += 1
                self.before[:] = self.weights.vector
                norm += self.update(updates + done, rate, noise)
        return BatchResult(loss, norm, done, sum(int(chunk.lengths.sum()) for chunk in chunks))

    def _cut(self, chunks: list[Batch], piece: Piece, total: float) -> tuple[list[Batch], float]:
        """Return the piece of each chunk that lasts until it, and its share of the `total` weight."""
        parts = [cut(chunk, piece) for chunk in chunks if chunk.lengths[0] > piece.start]
        share = _weight(parts) / total
        if self.settings.reduction == "mean" and 0.0 < share < 1.0:
            parts = [part._replace(loss_weights=part.loss_weights / part.loss_weights.dtype.type(share)) for part in parts]
        return parts, share

    def update_pieces(self, n_steps: int) -> list[Piece]:
        """Return the pieces of a batch of so many steps, after each of which the weights are updated."""
        return pieces(n_steps, self.settings.truncation)

    def _source(self, seed: SeedSequence | None, piece: Piece) -> Generator | None:
        """Return the source of a chunk's dropout masks for a piece; masks along a sequence are the same in all pieces."""
        if seed is None:
            return None
        key = () if self.network.dropout_mask == "sequence" else (piece.start,)
        return np.random.default_rng(SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *key)))

    def gradient(
        self, parts: list[Batch], states: list[State | None], first: int, generators: Sequence[Generator | None]
    ) -> tuple[float, list[ForwardPass]]:
        """Return the loss of the parts, and their forward passes; the gradient goes to the first room."""
        self.prepare(parts, first)

        def work(index: int) -> tuple[float, ForwardPass]:
            with np.errstate(over="ignore", invalid="ignore"):  # the loss shows it
                return self.part(index, parts[index], states[index], first, generators[index])

        alone = len(parts) == 1 or thread_count() == 1
        found = list((map if alone else self.pool.map)(work, range(len(parts))))
        gradient = self.rooms[0][1].vector
        for _, room in self.rooms[1 : len(parts)]:
            gradient += room.vector
        return sum(value for value, _ in found), [run for _, run in found]

    def prepare(self, parts: list[Batch], first: int) -> None:
        """Make a room for each part: the weights, and a vector for their gradient. The parts start at step `first`."""
        while len(self.rooms) < len(parts):
            room = Weights(self.network, np.empty_like(self.weights.vector))
            self.rooms.append((Weights(self.network, self.weights.vector), room))

    def part(self, index: int, part: Batch, state: State | None, first: int, generator: Any) -> tuple[float, ForwardPass]:
        """Return the loss of one part; its gradient goes to its room."""
        return loss_and_gradient(self.network, *self.rooms[index], part, self.loss, state, first, generator)

    def update(self, step: int, rate: float, noise: Generator | None) -> float:
        """Make one step of the optimizer; return the norm of the gradient before clipping."""
        gradient = self.rooms[0][1].vector
        if noise is not None:
            add_noise(gradient, step, self.settings.gradient_noise, noise)
        norm = clip_by_norm(gradient, self.settings.clip_norm)
        read = {name: getattr(self.settings, name) for name in self.optimizer.settings}
        self.optimizer.update(self.weights.vector, gradient, self.state, Step(step, rate, **read))
        return norm


def _state_at(run: ForwardPass, chunk: Batch, piece: Piece, after: Piece) -> State | None:
    """Return the state in which the sequences of a chunk start the next piece; None where none of them lasts until it."""
    left = int((chunk.lengths > after.start).sum())
    return run.state_after(after.start - piece.start, left) if left else None
