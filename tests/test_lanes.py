"""Kernels that compute many sequences or units at once: the same bits as one after the other."""

from __future__ import annotations

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from kernel_arrays import DTYPES, SIZES, close, network, random

from reservoir import ESN, Ridge
from reservoir.echo import features, running
from reservoir.kernels import emitters
from reservoir.kernels.activations import CODES
from reservoir.kernels.drive import ReservoirWeights, drive, scratch_for
from reservoir.kernels.jit import COMPILES, uncounted
from reservoir.kernels.lanes import LaneWeights, dense_panels, drive_lanes, lane_scratch, sparse_rows
from reservoir.kernels.matvec import BLOCK

PANEL, TILE = emitters.PANEL, emitters.TILE
of_networks = pytest.mark.skipif(not COMPILES, reason="a whole network takes long without the JIT")


# Emitted loops, each against the plain sum


@uncounted
def row_of(values, columns, start, stop, x, out):
    emitters.add_row(values, columns, start, stop, x, out)


@uncounted
def panel_of(panel, count, x, out):
    emitters.add_panel(panel, count, x, out)


@uncounted
def diagonals_of(values, shifts, x, out):
    emitters.add_diagonals(values, shifts, x, out)


@uncounted
def slice_of(values, columns, start, stop, x, out):
    emitters.add_slice(values, columns, start, stop, x, out)


@uncounted
def tile_of(x, row, lane, out, rows, column):
    emitters.write_tile(x, row, lane, out, rows, column)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 1), (2, 5), (0, 9)])
def test_add_row(start: int, stop: int, dtype: type) -> None:
    lanes = emitters.width(np.dtype(dtype).itemsize)
    values, x, comp = random(9, dtype), random((4, lanes), dtype, 1), random(lanes, dtype, 2)
    columns = np.array([3, 0, 1, 2, 2, 1, 0, 3, 3], np.uint32)
    ref = comp + naive.dense_product(x[columns[start:stop]].T, values[start:stop])
    row_of(values, columns, start, stop, x, comp)
    close(comp, ref)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 1, 7])
def test_add_panel(count: int, dtype: type) -> None:
    lanes = emitters.width(np.dtype(dtype).itemsize)
    panel, x, comp = random((7, PANEL), dtype), random((7, lanes), dtype, 1), random((PANEL, lanes), dtype, 2)
    ref = comp + np.stack([naive.dense_product(x[:count].T, panel[:count, i]) for i in range(PANEL)])
    panel_of(panel, count, x, comp)
    close(comp, ref)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 1, 7])
def test_add_diagonals(count: int, dtype: type) -> None:
    lanes = emitters.width(np.dtype(dtype).itemsize)
    values, x, comp = random((count, lanes), dtype), random(lanes + 7, dtype, 1), random(lanes, dtype, 2)
    shifts = np.random.default_rng(0).permutation(8)[:count].astype(np.uint32)
    ref = [comp[m] + sum(float(values[k, m]) * float(x[m + int(shifts[k])]) for k in range(count)) for m in range(lanes)]
    diagonals_of(values, shifts, x, comp)
    close(comp, np.array(ref))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("start", "stop"), [(0, 0), (1, 2), (0, 5)])
def test_add_slice(start: int, stop: int, dtype: type) -> None:
    lanes = emitters.width(np.dtype(dtype).itemsize)
    values, x, comp = random((5, lanes), dtype), random(11, dtype, 1), random(lanes, dtype, 2)
    columns = np.random.default_rng(0).integers(0, 11, (5, lanes)).astype(np.uint32)
    ref = comp + [sum(float(values[k, m]) * float(x[columns[k, m]]) for k in range(start, stop)) for m in range(lanes)]
    slice_of(values, columns, start, stop, x, comp)
    close(comp, ref)


@pytest.mark.parametrize("dtype", DTYPES)
def test_write_tile_turns_rows_into_columns(dtype: type) -> None:
    x, out, rows = random((TILE + 3, 3 * TILE), dtype), np.zeros((40, TILE + 5), dtype), np.random.default_rng(0).permutation(40)
    tile_of(x, 2, TILE, out, rows[: 3 * TILE], 4)
    ref = np.zeros_like(out)
    for k in range(TILE):
        for m in range(TILE):
            ref[rows[TILE + k], 4 + m] = x[2 + m, TILE + k]
    np.testing.assert_array_equal(out, ref)


# Many sequences side by side


def lanes_of(weights: ReservoirWeights, matrix: np.ndarray, kind: str) -> LaneWeights:
    if kind == "dense":
        return dense_panels(weights.drive_weights, matrix)
    rows = sp.csr_array(matrix)
    return sparse_rows(weights.drive_weights, rows.data, rows.indices, rows.indptr)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("units", SIZES)
@pytest.mark.parametrize("kind", ["csr", "dense"])
@pytest.mark.parametrize("shaken", [False, True])
def test_lanes_give_the_bits_of_one_sequence_after_the_other(shaken: bool, kind: str, units: int, dtype: type) -> None:
    fast, slow = network(kind, units, (2, 1), dtype)
    lengths = np.random.default_rng(1).permutation([*range(9), *[3] * 60, 0, 0, 14, 1])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    inputs, starts = random((int(offsets[-1]), 3), dtype, 11), random((len(lengths), units), dtype, 13)
    noise = random((len(inputs), units), dtype, 12) if shaken else np.empty((1, 0), dtype)
    results = []
    for rows in (None, lanes_of(fast, slow.recurrent.astype(dtype), kind)):
        states, out = starts.copy(), np.full((len(inputs), units + 3), 77.0, dtype)
        given = (inputs, noise, offsets, states, out, 2)
        if rows is None:
            drive(fast, *given, scratch_for(fast))
        else:
            drive_lanes(fast, rows, *given, lane_scratch(fast, 3))
        results.append((states, out))
    np.testing.assert_array_equal(results[1][1], results[0][1])
    np.testing.assert_array_equal(results[1][0], results[0][0])


@pytest.mark.parametrize("activation", list(CODES))
@pytest.mark.parametrize("inputs", [0, 1, 5])
def test_lanes_of_every_activation_and_number_of_inputs(inputs: int, activation: str) -> None:
    fast, slow = network("csr", 33, (inputs, 0), np.float64, activation, 0.3)
    fed = random((40, inputs), np.float64, 11)
    offsets, out, ref = np.arange(0, 41, 4), np.empty((40, 33)), np.empty((40, 33))
    rows = lanes_of(fast, slow.recurrent, "csr")
    drive_lanes(fast, rows, fed, np.empty((1, 0)), offsets, np.zeros((10, 33)), out, 0, lane_scratch(fast, inputs))
    drive(fast, fed, np.empty((1, 0)), offsets, np.zeros((10, 33)), ref, 0, scratch_for(fast))
    np.testing.assert_array_equal(out, ref)


@pytest.mark.parametrize("kind", ["csr", "dense"])
def test_lanes_of_symbols(kind: str) -> None:
    fast, slow = network(kind, 33, (5, 0), np.float64)
    symbols, offsets = np.random.default_rng(0).integers(0, 5, (90, 1)), np.arange(0, 91, 3)
    out, ref = np.empty((90, 33)), np.empty((90, 33))
    whole = lanes_of(fast._replace(drive_weights=fast.drive_weights[:0]), slow.recurrent, kind)
    drive_lanes(fast, whole, symbols, np.empty((1, 0)), offsets, np.zeros((30, 33)), out, 0, lane_scratch(fast, 0))
    drive(fast, symbols, np.empty((1, 0)), offsets, np.zeros((30, 33)), ref, 0, scratch_for(fast))
    np.testing.assert_array_equal(out, ref)


@of_networks
@pytest.mark.parametrize("topology", ["diagonals", "random", "dense"])
@pytest.mark.parametrize("threads", ["1", "2", "7"])
def test_states_of_many_sequences_are_those_of_each_alone(topology: str, threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESERVOIR_NUM_THREADS", threads)
    esn = ESN(units=50, density=0.1, topology=topology, leak_rate=0.7, random_state=0).build(2)
    sequences = [np.random.default_rng(k).normal(size=(3 + k % 7, 2)) for k in range(70)]
    for states, sequence in zip(esn.states(sequences), sequences, strict=True):
        np.testing.assert_array_equal(states, esn.states(sequence))


@of_networks
@pytest.mark.parametrize("pooling", ["step", "last", "mean", "every"])
def test_many_sequences_are_fitted_as_their_features_say(pooling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "SIDE_BY_SIDE", 16)
    monkeypatch.setattr(features, "FEWEST", 4)  # blocks of at most 64 rows: 16 sequences, 4 steps
    monkeypatch.setattr(features, "block_rows", lambda width: 8)
    generator = np.random.default_rng(0)
    sequences = [generator.normal(size=(3 + 5 * (k % 4), 2)) for k in range(45)]
    targets = [generator.normal(size=(len(u), 1) if pooling == "step" else 1) for u in sequences]
    options = {} if pooling == "step" else {"pooling": pooling}
    esn = ESN(units=20, density=0.2, washout=2, random_state=0, readout=Ridge(1e-6), **options)
    esn.fit(sequences, targets, target="step" if pooling == "step" else "sequence")
    rows = [np.concatenate([np.ones((len(u), 1)), u, x], axis=1) for u, x in zip(sequences, esn.states(sequences), strict=True)]
    if pooling in ("step", "every"):
        wanted = [np.broadcast_to(y, (len(u), 1))[2:] for y, u in zip(targets, sequences, strict=True)]
        seen, y = np.concatenate([z[2:] for z in rows]), np.concatenate(wanted)
    else:
        seen = np.stack([z[-1] if pooling == "last" else z[2:].mean(axis=0) for z in rows])
        y = np.stack(targets)
    ref = naive.ridge(seen, y, 1e-6, bias=True)
    np.testing.assert_allclose(esn.output_weights_, ref.T, rtol=1e-6, atol=1e-9)
    for u, prediction in zip(sequences, esn.predict(sequences), strict=True):
        np.testing.assert_allclose(prediction, esn.predict([u])[0], rtol=1e-12, atol=1e-14)


def test_the_last_of_many_sequences_is_continued_from_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "SIDE_BY_SIDE", 16)
    sequences = [random((9 if k < 39 else 5, 1), np.float64, k) for k in range(40)]  # the last ends before the others
    more, esn = random((6, 1), np.float64, 99), ESN(units=10, density=0.3, washout=1, random_state=0)
    esn.partial_fit(sequences, sequences, target="step")
    np.testing.assert_array_equal(esn.end_[0], esn.states(sequences)[-1][-1])
    assert esn.partial_fit(more, more, continued=True)


# One sequence shared by threads


@pytest.mark.skipif(not COMPILES, reason="threads cannot wait for each other without the JIT")
@pytest.mark.parametrize("topology", ["diagonals", "random", "dense"])
@pytest.mark.parametrize("steps", [1, 6, 7])
def test_a_shared_sequence_has_the_same_bits(topology: str, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SHARED_UNITS", BLOCK)
    units = 2 * BLOCK + 100
    esn = ESN(units=units, density=0.01, spectral_radius=None, topology=topology, noise=0.1, random_state=0).build(1)
    inputs, noise = random((steps, 1), np.float64), random((steps, units), np.float64, 1)
    results = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("RESERVOIR_NUM_THREADS", threads)
        states, out = random((1, units), np.float64, 2), np.empty((steps, units))
        esn.reservoir_.run(inputs, [(0, 0, steps)], states, out, noise=noise)
        results.append((states, out))
    for states, out in results[1:]:
        np.testing.assert_array_equal(out, results[0][1])
        np.testing.assert_array_equal(states, results[0][0])
        np.testing.assert_array_equal(states[0], out[-1])
