"""Truncated back-propagation through time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from messages import mentions

from reservoir import ParameterError, Training
from reservoir.gradient.cells.clockwork import ClockworkCell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.lstm import LSTMCell
from reservoir.gradient.learners import Learner, pieces
from reservoir.gradient.losses import loss_weights
from reservoir.gradient.network import Batch, Network, Weights, forward, loss_and_gradient

RNG = np.random.default_rng(0)

CELLS = {"elman": ElmanCell(3), "lstm": LSTMCell(2), "clockwork": ClockworkCell(4, (1, 2, 3))}
LENGTHS = np.array([7, 7, 6, 4, 1])


class Recorder(Learner):
    """Keeps the gradients of the updates and makes none of them."""

    def update(self, step: int, rate: float, noise: np.random.Generator | None) -> float:
        self.seen = [*getattr(self, "seen", []), self.rooms[0][1].vector.copy()]
        return 1.0


def problem(cell: str, layers: int, reduction: str, washout: int) -> tuple[Network, np.ndarray, list[Batch]]:
    network = Network((CELLS[cell],) * layers, 2, 2)
    rows = loss_weights(LENGTHS, washout=washout, reduction=reduction, n_outputs=2)
    inputs, targets = RNG.normal(size=(7, 5, 2)), RNG.normal(size=(7, 5, 2))
    whole = Batch(inputs, LENGTHS, targets, rows)
    cut = [np.s_[:, :2], np.s_[:6, 2:3], np.s_[:4, 3:]]  # the last one ends within pieces
    chunks = [Batch(*(part.copy() for part in (inputs[s], LENGTHS[s[1]], targets[s], rows[s]))) for s in cut]
    assert sum(len(chunk.lengths) for chunk in chunks) == len(whole.lengths)
    return network, RNG.normal(0.0, 0.6, network.n_weights), chunks


def recorded(network: Network, vector: np.ndarray, chunks: list[Batch], **settings: Any) -> tuple[Any, list[np.ndarray]]:
    with ThreadPoolExecutor(2) as pool:
        learner = Recorder(network, vector, Training(**settings), "squared_error", pool)
        return learner.batch(chunks, 0, 0.1, None, None), learner.seen


def loss_of_steps(
    network: Network, vector: np.ndarray, fixed: np.ndarray, chunks: list[Batch], piece: tuple[int, int, int]
) -> float:
    """The weighted error of steps scored ... stop - 1, from the states that the weights `fixed` lead to at `start`."""
    start, scored, stop = piece
    total = 0.0
    for chunk in chunks:
        for b, length in enumerate(chunk.lengths):
            if length > scored:
                alone = Batch(chunk.inputs[:length, b : b + 1].copy(), np.array([length]), np.empty(0), np.empty(0))
                state = forward(network, Weights(network, fixed), alone).state_after(start, 1)
                last = min(stop, length)
                part = alone._replace(inputs=alone.inputs[start:last], lengths=np.array([last - start]))
                outputs = forward(network, Weights(network, vector), part, state, start).outputs[scored - start :, 0]
                errors = np.square(outputs - chunk.targets[scored:last, b]).sum(axis=1)
                total += float(chunk.loss_weights[scored:last, b] @ errors)
    return total


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("truncation", [(1, 1), (2, 2), (3, 3), (2, 3), (1, 4), (3, 5), (7, 7), (5, 50)], ids=str)
def test_truncated_gradients(cell: str, truncation: tuple[int, int]) -> None:
    layers, reduction = (2, "sum") if sum(truncation) % 2 else (1, "mean")
    network, vector, chunks = problem(cell, layers, reduction, washout=1)
    found, seen = recorded(network, vector, chunks, truncation=truncation, reduction=reduction)
    every, through = truncation
    expected, loss = [], 0.0
    weight = sum(float(chunk.loss_weights.sum()) for chunk in chunks)
    for scored in range(0, 7, every):
        stop = min(scored + every, 7)
        piece = (max(stop - through, 0), scored, stop)
        share = sum(float(chunk.loss_weights[scored:stop].sum()) for chunk in chunks) / weight
        if share > 0.0:  # with the mean, over the steps of the piece
            factor = 1.0 / share if reduction == "mean" else 1.0
            gradient = np.empty_like(vector)
            for j in range(len(vector)):
                bump = np.zeros_like(vector)
                bump[j] = 1e-5
                high, low = (loss_of_steps(network, vector + sign * bump, vector, chunks, piece) for sign in (1, -1))
                gradient[j] = factor * (high - low) / 2e-5
            expected.append(gradient)
            loss += loss_of_steps(network, vector, vector, chunks, piece)
    assert (found.updates, len(seen)) == (len(expected), len(expected))
    for comp, ref in zip(seen, expected, strict=True):
        np.testing.assert_allclose(comp, ref, rtol=0.0, atol=1e-7 * np.abs(ref).max())
    assert found.loss == pytest.approx(loss, rel=1e-9)
    assert (found.norm, found.steps) == (len(expected), LENGTHS.sum())


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("truncation", [(7, 7), (9, 20)], ids=str)
def test_pieces_longer_than_the_sequences(cell: str, reduction: str, truncation: tuple[int, int]) -> None:
    network, vector, chunks = problem(cell, 2, reduction, washout=2)
    comp, ref = (recorded(network, vector, chunks, truncation=each, reduction=reduction) for each in (truncation, None))
    assert comp[0] == ref[0]
    np.testing.assert_array_equal(comp[1], ref[1])
    gradients, total = Weights(network, np.empty_like(vector)), 0.0
    expected = np.zeros_like(vector)
    for chunk in chunks:
        total += loss_and_gradient(network, Weights(network, vector), gradients, chunk, "squared_error")[0]
        expected += gradients.vector
    np.testing.assert_allclose(ref[1][0], expected, rtol=1e-12)
    assert ref[0].loss == pytest.approx(total, rel=1e-12)


def test_pieces_cover_every_step_once() -> None:
    for n_steps in (1, 5, 12):
        for every in (1, 3, 12, 20):
            for through in range(every, every + 8):
                found = list(pieces(n_steps, (every, through)))
                assert [t for piece in found for t in range(piece.scored, piece.stop)] == list(range(n_steps))
                assert all(piece.start == max(piece.stop - through, 0) <= piece.scored for piece in found)
    assert list(pieces(5, None)) == [(0, 0, 5)]


@pytest.mark.parametrize("same", ["step", "sequence"])
def test_dropout_along_pieces(same: str) -> None:
    network = Network((ElmanCell(6), ElmanCell(5)), 2, 2, dropout=0.5, dropout_mask=same)
    _, _, chunks = problem("elman", 1, "sum", washout=0)
    masks: list[list[np.ndarray]] = []

    class Watcher(Recorder):
        def part(self, index: int, *arguments: Any) -> Any:
            found = super().part(index, *arguments)
            masks.append(found[1].masks)
            return found

    vector = RNG.normal(size=network.n_weights)
    learner = Watcher(network, vector, Training(truncation=(2, 2)), "squared_error", ThreadPoolExecutor(1))
    for seed in (5, 5, 6):
        learner.batch(chunks[:1], 0, 0.1, None, np.random.SeedSequence(seed))
    first, second, third = (masks[start : start + 4] for start in (0, 4, 8))
    for layer in range(2):
        if same == "sequence":
            for piece in first[1:]:
                np.testing.assert_array_equal(piece[layer], first[0][layer])
        else:
            assert len({piece[layer][:1].tobytes() for piece in first}) == 4
        for one, again, other in zip(first, second, third, strict=True):
            np.testing.assert_array_equal(one[layer], again[layer])
            assert (one[layer] != other[layer]).any()


@pytest.mark.parametrize(
    "truncation", [(0, 1), (2, 1), (1,), (1, 2, 3), (1.0, 2), (True, 2), "ab", 3, [1, None], [-1, 5]], ids=repr
)
def test_malformed_truncation(truncation: Any) -> None:
    with pytest.raises(ParameterError, match=mentions("'truncation' Training k1 k2")):
        Training(truncation=truncation).check()
    Training(truncation=[2, np.int64(3)]).check()
