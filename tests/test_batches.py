"""From sequences to batches: what is held out, windows, order, padding and weights; and what truncation makes of a batch."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from messages import mentions

from reservoir import DataError
from reservoir.gradient.batches import CHUNK, Examples, assemble, batches, held_out, padded, windows
from reservoir.gradient.losses import loss_weights
from reservoir.gradient.scaling import Scaling

RNG = np.random.default_rng(0)


def series(*lengths: int, washout: int = 0, per_step: bool = True, outputs: int = 1) -> Examples:
    """Sequences whose values tell sequence and step: 100 i + t, and targets that are the negative."""
    inputs = [100.0 * i + np.arange(n)[:, None] for i, n in enumerate(lengths)]
    targets = [-u * np.ones(outputs) if per_step else np.full(outputs, -100.0 * i) for i, u in enumerate(inputs)]
    return Examples(inputs, targets, washout, per_step)


def source(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# What is held out


@pytest.mark.parametrize(("count", "fraction", "held"), [(10, 0.2, 2), (10, 0.25, 2), (10, 0.01, 1), (3, 0.5, 2), (2, 0.3, 1)])
@pytest.mark.parametrize("per_step", [True, False])
def test_sequences_held_out(count: int, fraction: float, held: int, per_step: bool) -> None:
    examples = series(*range(3, 3 + count), per_step=per_step)
    training, validation = held_out(examples, fraction, source())
    assert validation is not None and (len(training), len(validation)) == (count - held, held)
    parts = [[int(u[0, 0]) // 100 for u in part.inputs] for part in (training, validation)]
    assert sorted(parts[0] + parts[1]) == list(range(count)) and parts == [sorted(part) for part in parts]
    for part in (training, validation):
        for u, y in zip(part.inputs, part.targets, strict=True):
            assert -y.ravel()[0] == u[0, 0] - u[0, 0] % 100
    others = {tuple(u[0, 0] for u in held_out(examples, fraction, source(seed))[1].inputs) for seed in range(10)}
    assert len(others) > 1  # which ones is drawn


@pytest.mark.parametrize(
    ("length", "fraction", "washout", "border"), [(10, 0.3, 0, 7), (10, 0.3, 4, 7), (10, 0.01, 0, 9), (2, 0.5, 0, 1)]
)
def test_the_end_of_the_only_sequence_is_held_out(length: int, fraction: float, washout: int, border: int) -> None:
    training, validation = held_out(series(length, washout=washout), fraction, source())
    assert validation is not None
    np.testing.assert_array_equal(training.inputs[0][:, 0], np.arange(border))
    np.testing.assert_array_equal(training.targets[0][:, 0], -np.arange(border))
    # the run-up is not scored, all that is scored is new
    np.testing.assert_array_equal(validation.inputs[0][:, 0], np.arange(border - washout, length))
    np.testing.assert_array_equal(validation.targets[0], -validation.inputs[0])
    assert training.washout == validation.washout == washout and training.per_step and validation.per_step


def test_nothing_held_out() -> None:
    examples = series(5, 4)
    assert held_out(examples, 0.0, source()) == (examples, None)


@pytest.mark.parametrize(
    ("examples", "fraction", "message"),
    [
        (series(4, 4), 0.9, "2 validation_fraction=0.9"),
        (series(1), 0.5, "1 short"),
        (series(10, washout=6), 0.4, "10 validation_fraction=0.4"),
        (series(10, per_step=False), 0.2, "10 short"),
    ],
)
def test_too_little_to_hold_out(examples: Examples, fraction: float, message: str) -> None:
    with pytest.raises(DataError, match=mentions(message)):
        held_out(examples, fraction, source())


# Windows


@pytest.mark.parametrize(
    ("length", "washout", "window", "starts"),
    [
        (12, 0, 4, [0, 4, 8]),
        (10, 0, 4, [0, 4, 6]),
        (10, 2, 4, [0, 2, 4, 6]),
        (11, 2, 5, [0, 3, 6]),
        (4, 0, 4, [0]),
        (9, 3, 5, [0, 2, 4]),
    ],
)
def test_windows(length: int, washout: int, window: int, starts: list[int]) -> None:
    comp = windows(series(length, washout=washout), window)
    assert [int(u[0, 0]) for u in comp.inputs] == starts
    assert all(len(u) == window for u in comp.inputs) and comp.washout == washout
    for u, y in zip(comp.inputs, comp.targets, strict=True):
        np.testing.assert_array_equal(y, -u)
    scored = np.concatenate([u[washout:, 0] for u in comp.inputs])
    assert set(scored) == set(range(washout, length))  # every step counts


def test_short_sequences_and_values_per_sequence_stay_whole() -> None:
    comp = windows(series(3, 8, 5), 5)
    assert [(int(u[0, 0]), len(u)) for u in comp.inputs] == [(0, 3), (100, 5), (103, 5), (200, 5)]
    for examples, window in ((series(9, per_step=False), 4), (series(9), None)):
        assert windows(examples, window) is examples


@pytest.mark.parametrize(("washout", "window"), [(3, 3), (4, 2)])
def test_a_window_that_the_washout_swallows(washout: int, window: int) -> None:
    with pytest.raises(DataError, match=mentions(f"window={window} washout={washout}")):
        windows(series(9, washout=washout), window)


# Batches


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_batches_are_of_like_lengths(size: int) -> None:
    lengths = [5, 9, 2, 9, 7, 1, 7, 3, 4, 8, 6]
    examples = series(*lengths)
    drawn = []
    for seed in range(6):
        found = list(batches(examples, size, source(seed)))
        drawn.append(tuple(map(tuple, found)))
        assert sorted(np.concatenate(found)) == list(range(11))
        assert [len(part) for part in found].count(min(size, 11)) >= 11 // size
        for part in found:
            of_part = [lengths[i] for i in part]
            assert of_part == sorted(of_part, reverse=True)
        ranges = sorted((lengths[part[-1]], lengths[part[0]]) for part in found)
        assert all(below[1] <= above[0] for below, above in itertools.pairwise(ranges))
    assert len(set(drawn)) > 1  # in random order, and those of one length in random batches
    firsts = {part[0] for part in drawn}
    assert len(firsts) > 1 or size == 100


def test_batches_without_a_source_are_in_order() -> None:
    found = list(batches(series(5, 9, 2, 9, 7), 2, None))
    np.testing.assert_array_equal(np.concatenate(found), [1, 3, 4, 0, 2])


def test_batches_come_in_random_order() -> None:
    longest = [[int(part[0]) for part in batches(series(1, 2, 3, 4, 5, 6), 2, source(seed))] for seed in range(20)]
    assert all(sorted(found) == [1, 3, 5] for found in longest)  # 6 with 5, 4 with 3, 2 with 1
    assert len(set(map(tuple, longest))) == 6


def test_equal_lengths_are_shuffled() -> None:
    first = [set(next(batches(series(*[4] * 8), 3, source(seed)))) for seed in range(20)]
    assert len(set(map(frozenset, first))) > 10


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_padded(kind: Any) -> None:
    parts = [RNG.normal(size=(n, 2)).astype(kind) for n in (4, 3, 1)]
    comp = padded(parts)
    assert comp.shape == (4, 3, 2) and comp.dtype == kind and comp.flags.c_contiguous
    for b, part in enumerate(parts):
        np.testing.assert_array_equal(comp[: len(part), b], part)
        assert (comp[len(part) :, b] == 0.0).all()
    equal = padded([part[:1] for part in parts])
    np.testing.assert_array_equal(equal[0], [part[0] for part in parts])
    assert padded([np.empty((3, 0))]).shape == (3, 1, 0)


@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("per_step", [True, False])
def test_assemble(loss: str, reduction: str, per_step: bool) -> None:
    count = 2 * CHUNK + 3
    lengths = np.arange(count, 0, -1) + 1
    examples = series(*lengths, washout=1, per_step=per_step, outputs=3)
    order = np.arange(2, count)
    chunks = assemble(examples, order, loss, reduction)
    assert [len(chunk.lengths) for chunk in chunks] == [CHUNK, CHUNK, 1]
    first = 0
    for chunk in chunks:
        for b, length in enumerate(chunk.lengths):
            index = order[first + b]
            assert length == lengths[index]
            np.testing.assert_array_equal(chunk.inputs[:length, b], examples.inputs[index])
            np.testing.assert_array_equal(chunk.targets[:length, b] if per_step else chunk.targets[b], examples.targets[index])
        assert chunk.washout == 1 and len(chunk.inputs) == chunk.lengths[0]
        first += len(chunk.lengths)
    outputs = 3 if loss == "squared_error" else 1
    ref = loss_weights(lengths[2:], per_step=per_step, washout=1, reduction=reduction, n_outputs=outputs)
    total = sum(float(chunk.loss_weights.sum()) for chunk in chunks)
    assert total == pytest.approx(ref.sum(), rel=1e-12)
    assert total == pytest.approx({"mean": 1.0 / outputs, "sum": float((lengths[2:] - 1).mean()) if per_step else 1.0}[reduction])


# Scaling


def test_scaling() -> None:
    arrays = [RNG.normal([1e6, -3.0, 0.0], [1e-2, 5.0, 1e-12], (n, 3)) for n in (30, 1, 9)]
    scaling, whole = Scaling.of(arrays), np.concatenate(arrays)
    scaled = np.concatenate([scaling.apply(a, "float64") for a in arrays])
    np.testing.assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-7)
    np.testing.assert_allclose(scaled.std(axis=0), 1.0, rtol=1e-6)
    np.testing.assert_allclose(scaling.undo(scaled), whole, rtol=1e-15, atol=1e-25)
    assert scaling.apply(arrays[0], "float32").dtype == np.float32


@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, 1e300, 1e-300, -3.3])
def test_a_constant_feature_is_only_shifted(value: float) -> None:
    scaling = Scaling.of([np.full((3, 1), value), np.full((11, 1), value)])
    np.testing.assert_array_equal(scaling.scale, [1.0])
    np.testing.assert_allclose(scaling.apply(np.full((2, 1), value), "float64"), 0.0, atol=1e-15 * abs(value))
    assert Scaling.of([np.empty((3, 0))]).shift.shape == (0,)


def test_values_beyond_standardization() -> None:
    with pytest.raises(DataError, match=mentions("1e+200 standardize")):
        Scaling.of([np.array([[0.0], [1e200], [-3.0]])])
    for scaling in (Scaling.none(1), Scaling.of([np.ones((2, 1))])):
        with pytest.raises(DataError, match=mentions("data 1e+39 float32")):
            scaling.apply(np.array([[0.0], [-1e39]]), "float32")
