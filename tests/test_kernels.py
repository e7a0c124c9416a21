"""Every kernel against its slow twin, at odd sizes, in both precisions and all storages."""

from __future__ import annotations

import math

import naive
import numpy as np
import pytest
from kernel_arrays import DTYPES, SIZES, STORAGES, close, network, random

from reservoir.echo.topology import storage
from reservoir.kernels import online, smoothing
from reservoir.kernels.activations import CODES
from reservoir.kernels.drive import ReservoirWeights, drive, scratch_for
from reservoir.kernels.freerun import ReadoutWeights, fold, freerun, read, read_rows

# Open loop


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("units", SIZES)
@pytest.mark.parametrize("kind", STORAGES)
def test_drive_many_sequences(kind: str, units: int, dtype: type) -> None:
    fast, slow = network(kind, units, (2, 1), dtype)
    lengths = [9, 1, 0, 4]
    offsets = np.array([0, 9, 10, 10, 14])
    inputs, noise, starts = random((14, 3), dtype, 11), random((14, units), dtype, 12), random((4, units), dtype, 13)
    ref = [
        naive.drive(
            slow._replace(
                inputs=np.concatenate([slow.inputs, slow.feedback], axis=1), feedback=np.zeros((units, 0)), start=starts[s]
            ),
            inputs[offsets[s] : offsets[s + 1]],
            noise=noise[offsets[s] : offsets[s + 1]],
        )
        for s in range(4)
    ]
    states, out = starts.copy(), np.full((14, units + 5), 77.0, dtype)
    drive(fast, inputs, noise, offsets, states, out, 2, scratch_for(fast))
    close(out[:, 2 : 2 + units], np.concatenate(ref))
    assert (out[:, :2] == 77.0).all() and (out[:, 2 + units :] == 77.0).all()
    for s, length in enumerate(lengths):
        np.testing.assert_array_equal(states[s], out[offsets[s + 1] - 1, 2 : 2 + units] if length else starts[s])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", list(CODES))
@pytest.mark.parametrize("leak", [1.0, 0.3, None])
def test_drive_activations_and_leaks(leak: float | None, activation: str, dtype: type) -> None:
    fast, slow = network("diagonals", 33, (1, 0), dtype, activation, leak)
    inputs = random((12, 1), dtype, 11)
    ref = naive.drive(slow, inputs)
    states, comp = np.zeros((1, 33), dtype), np.empty((12, 33), dtype)
    drive(fast, inputs, np.empty((1, 0), dtype), np.array([0, 12]), states, comp, 0, scratch_for(fast))
    close(comp, ref)


@pytest.mark.parametrize("stacked", [0, 1, 4, 5])
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_drive_numbers_of_inputs_and_steps(steps: int, stacked: int) -> None:
    fast, slow = network("csr", 7, (stacked, 0), np.float64)
    inputs = random((steps, stacked), np.float64, 11)
    ref = naive.drive(slow, inputs)
    states, comp = np.zeros((1, 7)), np.empty((steps, 7))
    drive(fast, inputs, np.empty((1, 0)), np.array([0, steps]), states, comp, 0, scratch_for(fast))
    close(comp, ref)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", STORAGES)
def test_drive_by_symbols(kind: str, dtype: type) -> None:
    fast, slow = network(kind, 7, (5, 0), dtype)
    symbols, noise = np.array([4, 0, 0, 2, 1, 4]), np.empty((1, 0), dtype)
    states, out = np.zeros((1, 7), dtype), np.empty((6, 7), dtype)
    drive(fast, symbols[:, None], noise, np.array([0, 6]), states, out, 0, scratch_for(fast))
    close(out, naive.drive(slow, np.eye(5)[symbols]))


def test_drive_of_no_sequences() -> None:
    fast, _ = network("dense", 7, (1, 0), np.float64)
    drive(fast, np.empty((0, 1)), np.empty((1, 0)), np.array([0]), np.empty((0, 7)), np.empty((0, 7)), 0, scratch_for(fast))


# Closed loop


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 33, 64])
def test_fold(count: int, dtype: type) -> None:
    values = random(count + 3, dtype)
    ref = math.fsum(float(value) for value in values[:count])
    beyond = values[count:].copy()
    comp = fold(values, count)
    assert comp == pytest.approx(ref, rel=1e-5 if dtype == np.float32 else 1e-13, abs=1e-6 if dtype == np.float32 else 1e-14)
    np.testing.assert_array_equal(values[count:], beyond)


def output_weights(
    parts: tuple[str, ...], units: int, inputs: int, outputs: int, dtype: type
) -> tuple[ReadoutWeights, np.ndarray]:
    """Random output weights as the kernel reads them, and (O, F) in the order of the feature rows."""
    widths = {"bias": 1, "input": inputs, "output": outputs, "square": units, "state": units}
    blocks = {
        part: random((outputs, widths[part] if part in parts else 0), dtype, 20 + k) / dtype(2 * np.sqrt(units))
        for k, part in enumerate(naive.PARTS)
    }
    fast = ReadoutWeights(*(blocks[part] for part in ("bias", "input", "state", "square", "output")))
    return fast, np.concatenate([blocks[part] for part in naive.PARTS], axis=1)


PART_SETS = [("state",), ("bias",), ("bias", "input", "state"), naive.PARTS, ("output", "square"), ("input",)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("units", SIZES)
@pytest.mark.parametrize("parts", PART_SETS)
def test_read(parts: tuple[str, ...], units: int, dtype: type) -> None:
    fast, weights = output_weights(parts, units, 2, 3, dtype)
    v, x, y = random(5, dtype, 1), random(units, dtype, 2), random(3, dtype, 3)
    ref = weights.astype(float) @ naive.features(parts, v[:2], y, x)
    comp = np.full(3, np.nan, dtype)
    read(fast, v, x, x * x, y, np.empty(units, dtype), comp)
    close(comp, ref)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("parts", PART_SETS)
def test_rows_of_features_are_read_one_by_one(parts: tuple[str, ...], dtype: type) -> None:
    units, sizes = 33, {"bias": 1, "input": 2, "output": 3, "square": 33, "state": 33}
    fast, weights = output_weights(parts, units, 2, 3, np.float64)
    rows = random((5, sum(sizes[part] for part in parts)), dtype, 1)
    rows[:, : "bias" in parts] = 1.0
    starts = np.array([sum(sizes[q] for q in naive.PARTS[: naive.PARTS.index(p)] if q in parts) for p in naive.PARTS[1:]])
    comp = np.full((5, 3), np.nan)
    read_rows(fast, starts, rows, np.empty(units), comp)
    close(comp, rows.astype(float) @ weights.T)
    for r in range(5):
        alone = np.full((1, 3), np.nan)
        read_rows(fast, starts, rows[r : r + 1], np.empty(units), alone)
        np.testing.assert_array_equal(alone[0], comp[r])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("units", SIZES)
@pytest.mark.parametrize("kind", STORAGES)
@pytest.mark.parametrize("case", ["own inputs", "own inputs and feedback", "given inputs and feedback", "feedback only"])
def test_freerun(case: str, kind: str, units: int, dtype: type) -> None:
    given, feedback, n_inputs = case.startswith("given"), "feedback" in case, 0 if case == "feedback only" else 2
    fast, slow = network(kind, units, (n_inputs, 2 * feedback), dtype)
    readout, weights = output_weights(naive.PARTS, units, n_inputs, 2, dtype)
    starts, last = random((3, units), dtype, 13), random((3, 2), dtype, 14)
    inputs = random((3, 8 if given else 0, n_inputs), dtype, 15)
    ref = [
        naive.free_run(slow, naive.PARTS, weights.astype(float), naive.Final(starts[s], last[s]), 8, inputs[s] if given else None)
        for s in range(3)
    ]
    states, outputs_before, comp = starts.copy(), last.copy(), np.full((3, 8, 2), np.nan, dtype)
    completed = np.zeros(3, int)
    freerun(fast, readout, n_inputs, inputs, states, outputs_before, 1e6, comp, completed, scratch_for(fast))
    np.testing.assert_array_equal(completed, [8, 8, 8])
    close(comp, np.array([outputs for outputs, _ in ref]))
    close(states, np.array([end.x for _, end in ref]))
    np.testing.assert_array_equal(outputs_before, comp[:, -1])


def test_freerun_of_no_steps_leaves_everything() -> None:
    fast, _ = network("dense", 7, (1, 1), np.float64)
    readout, _ = output_weights(("state",), 7, 1, 1, np.float64)
    states, last = random((2, 7), np.float64), random((2, 1), np.float64)
    kept, outputs = states.copy(), np.empty((2, 0, 1))
    completed = np.full(2, 9)
    freerun(fast, readout, 1, np.empty((2, 0, 1)), states, last, 1.0, outputs, completed, scratch_for(fast))
    np.testing.assert_array_equal(completed, [0, 0])
    np.testing.assert_array_equal(states, kept)


def test_freerun_stops_at_the_limit_and_the_others_go_on() -> None:
    # one identity unit that reads nothing, y(t) = 2 y(t-1): from 1, 2, 4, 8, 16 the limit 10 is passed at step 3
    silent = ReservoirWeights(storage(np.zeros((1, 1)), np.float64), np.zeros((1, 1)), np.zeros(1), np.ones(1), CODES["identity"])
    none = np.empty((1, 0))
    readout = ReadoutWeights(none, np.full((1, 1), 2.0), none, none, none)
    states, last, comp = np.zeros((4, 1)), np.array([[0.1], [1.0], [np.nan], [-2.0]]), np.zeros((4, 5, 1))
    completed = np.zeros(4, int)
    freerun(silent, readout, 1, np.empty((4, 0, 1)), states, last, 10.0, comp, completed, scratch_for(silent))
    np.testing.assert_array_equal(completed, [5, 3, 0, 2])
    np.testing.assert_allclose(comp[0, :, 0], [0.2, 0.4, 0.8, 1.6, 3.2])
    np.testing.assert_array_equal(comp[1, :3, 0], [2.0, 4.0, 8.0])


# Online learning


@pytest.mark.parametrize("size", [1, 7, 33])
@pytest.mark.parametrize("forgetting", [1.0, 0.9])
@pytest.mark.parametrize("rows", [0, 1, 9])
def test_rls(rows: int, forgetting: float, size: int) -> None:
    features, targets = random((rows, size), np.float64, 1), random((rows, 2), np.float64, 2)
    ref, inverse = naive.recursive_least_squares(features, targets, forgetting, 0.5)
    comp, p = np.zeros((2, size)), np.eye(size) / 0.5
    online.rls(features, targets, forgetting, p, comp)
    close(comp, ref.T)
    close(p, inverse)


@pytest.mark.parametrize("size", [1, 7, 33])
@pytest.mark.parametrize("normalized", [True, False])
@pytest.mark.parametrize("rows", [0, 1, 9])
def test_lms(rows: int, normalized: bool, size: int) -> None:
    features, targets = random((rows, size), np.float64, 1), random((rows, 2), np.float64, 2)
    ref = naive.least_mean_squares(features, targets, 0.1, normalized)
    comp = np.zeros((2, size))
    online.lms(features, targets, 0.1, normalized, comp)
    close(comp, ref.T)


def test_normalized_lms_learns_from_tiny_features_and_nothing_from_zeros() -> None:
    # from w = 0, rate .5, z = (1e-9, 0), y = 3: e = 3, w = .5 * 3 / 1e-18 * 1e-9 = 1.5e9
    comp = np.zeros((1, 2))
    online.lms(np.array([[0.0, 0.0], [1e-9, 0.0]]), np.array([[7.0], [3.0]]), 0.5, True, comp)
    np.testing.assert_allclose(comp, [[1.5e9, 0.0]], rtol=1e-12)


# Smoothing


@pytest.mark.parametrize("length", [1, 2, 9])
def test_smooth_levels(length: int) -> None:
    series, rates = random(length, np.float64), np.array([0.0, 0.3, 1.0])
    levels, errors = np.full(3, np.nan), np.full(3, np.nan)
    smoothing.smooth_levels(series, 0.25, rates, levels, errors)
    for k, rate in enumerate(rates):
        level, squares = series[0], 0.0
        for value in series[1:]:
            squares += (value - (level + 0.25)) ** 2
            level = (level + 0.25) + rate * (value - (level + 0.25))
        close(levels[k], level)
        close(errors[k], squares)


def test_smoothing_with_rate_one_follows_the_series() -> None:
    # from 1 with drift 1: 2 forecast, 4 seen, error 2; then 5 forecast, 3 seen, error -2; the level is what was seen last
    levels, errors = np.empty(1), np.empty(1)
    smoothing.smooth_levels(np.array([1.0, 4.0, 3.0]), 1.0, np.ones(1), levels, errors)
    np.testing.assert_array_equal([levels[0], errors[0]], [3.0, 8.0])
