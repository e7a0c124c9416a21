"""Real-time recurrent learning (Williams & Zipser, Neural Computation 1, 1989): exact gradients, forward in time.

dL/dw is the sum over t of dL/dh(t) dh(t)/dw; the sensitivities dh/dw are computed beside the states. Memory does not grow with
time, and weights may change at any step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reservoir.gradient.batches import CHUNK
from reservoir.gradient.learners import Learner, Piece, pieces
from reservoir.gradient.network import Batch, ForwardPass, Network, State, forward, head_gradients, loss_of
from reservoir.gradient.real_time.sensitivities import Sensitivities, is_diagonal, n_below, sensitivities
from reservoir.gradient.training import Training
from reservoir.validation import ParameterError

MOST_BYTES = 2**32


def shares(network: Network, run: ForwardPass) -> np.ndarray:
    """Return the share of each step of a sequence in what the head reads, (T, B), for one output per sequence."""
    if network.reading == "last":
        return np.asarray(np.arange(run.steps.n_steps)[:, None] == run.steps.lengths - 1, dtype=run.top.dtype)
    return run.steps.shares(run.top.dtype)


def refuse_more(size: int, network: Network, settings: Training, what: str) -> None:
    """Raise `ParameterError` where an algorithm for small networks would need more than `MOST_BYTES` bytes."""
    if size > MOST_BYTES:
        raise ParameterError(
            f"The 'units' parameter must be smaller for training.algorithm={settings.algorithm!r}: {what} {network.n_weights}"
            f" weights would take {size / 2**30:.1f} GiB, more than {MOST_BYTES / 2**30:.0f}."
        )


class RealTimeLearner(Learner):
    """Gradients by real-time recurrent learning; the optimizer makes an update every k1 steps, or at the end of the sequences.

    Sensitivities continue after an update, so that gradients reach back to the start of the sequences, although the weights
    have changed a little since.
    """

    carried: list[Sensitivities]

    @classmethod
    def check(cls, network: Network, settings: Training) -> None:
        """See `Learner`."""
        used = f"for training.algorithm={settings.algorithm!r}"
        for name, there, value, reason in (
            ("bidirectional", network.bidirectional, "False", "later steps of a sequence are not known at a step"),
            ("pooling", network.reading == "attention", "'last' or 'mean'", "attention weighs all steps at the end"),
            ("dropout", network.dropout > 0.0, "0", "the sensitivities do not account for masks"),
        ):
            if there:
                raise ParameterError(f"The '{name}' parameter must be {value} {used}: {reason}.")
        if not is_diagonal(network):
            numbers = sum(layer.cell.states * layer.cell.units for layer in network.layers) * n_below(network)
            refuse_more(8 * CHUNK * numbers, network, settings, "the sensitivities of its states to")

    def update_pieces(self, n_steps: int) -> list[Piece]:
        """See `Learner`; pieces do not overlap."""
        every, _ = self.settings.truncation or (self.default_every(n_steps), 0)
        return [piece._replace(start=piece.scored) for piece in pieces(n_steps, (every, every))]

    def default_every(self, n_steps: int) -> int:
        """Return the steps between updates where `truncation` is None."""
        return n_steps

    def prepare(self, parts: list[Batch], first: int) -> None:
        """See `Learner`; sensitivities start anew where sequences do."""
        super().prepare(parts, first)
        if first == 0:
            rooms = zip(parts, self.rooms, strict=False)
            self.carried = [sensitivities(self.network, weights, len(part.lengths)) for part, (weights, _) in rooms]

    def part(self, index: int, part: Batch, state: State | None, first: int, generator: Any) -> tuple[float, ForwardPass]:
        """See `Learner`."""
        network, (weights, room), along = self.network, self.rooms[index], self.carried[index]
        run = forward(network, weights, part, state, first)
        value, gradient = loss_of(run.outputs, part, self.loss)
        room.vector[:] = 0
        rows = head_gradients(network, room, run, gradient)
        back = (rows @ weights.arrays["head.weights"].T).reshape(run.read.shape)
        if network.reading != "step":
            back = shares(network, run)[:, :, None] * back
        total = room.vector[: n_below(network)]
        for t, n in enumerate(run.steps.active):
            along.forward_step(run, t)
            if back[t].any():
                total += along.along(back[t, :n]).sum(axis=0)
        return value, run
