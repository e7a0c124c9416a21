"""W @ x for each way a recurrent matrix is stored.

A matrix reaches the kernels as one `Storage`, whatever its kind, so that every kernel has one signature. The units are
divided into slices of `width` units, 32 in float64, the last one filled up with zeros:

diagonals   W[i, (i + s_k) mod N] = v[k, i]: `values` (slices, K, width), `indices` (1, K) the shifts
slices      a sparse W: `values` (1, J, width) and `indices` (J, width), the columns; slice s has the rows j from
            `pointers[s]` to `pointers[s + 1]`, one column of `values` per unit, in the order of W's columns, and zeros
            after the last. `order` (slices * width) names the units: within a block of `BLOCK` units those with many
            connections come first, so that the units of a slice have nearly the same number.
dense       `values` (1, N, N), the transpose of W: the innermost loop then runs down a column of W, over the outputs

The vector x is kept twice in a row, (2N,), so that a cyclic diagonal is one contiguous stretch of it: no index, no
remainder; `width` numbers follow it, which the last slice reads and does not use.
"""

from typing import NamedTuple

import numpy as np

from reservoir.kernels.emitters import add_diagonals, add_slice, wide_vectors, width
from reservoir.kernels.jit import uncounted, woven

DIAGONALS, SLICES, DENSE = 0, 1, 2
BLOCK = 512
"""Units whose sums stay in the fastest cache while they are computed; whole slices in both precisions."""
LINE = 64  # bytes of a line of the cache


class Storage(NamedTuple):
    """A recurrent matrix as the kernels read it."""

    kind: int
    values: np.ndarray
    indices: np.ndarray
    pointers: np.ndarray
    order: np.ndarray


def aligned(array: np.ndarray) -> np.ndarray:
    """Return a contiguous copy that starts where a line of the cache does: vectors across two lines take up to twice the time."""
    memory = np.empty(array.nbytes + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def padded(array: np.ndarray, multiple: int) -> np.ndarray:
    """Fill the last axis up with zeros to a multiple of a length."""
    missing = -array.shape[-1] % multiple
    return np.concatenate([array, np.zeros((*array.shape[:-1], missing), array.dtype)], axis=-1)


def diagonals(values: np.ndarray, shifts: np.ndarray) -> Storage:
    """Store cyclic diagonals `values` (K, N)."""
    lanes = width(values.itemsize)
    slices = padded(values, lanes).reshape(len(values), -1, lanes).transpose(1, 0, 2)
    none = np.empty(0, np.int64)
    return Storage(DIAGONALS, aligned(slices), shifts.astype(np.uint32)[None], none, none)


def dense(matrix: np.ndarray) -> Storage:
    """Store a dense matrix (N, N)."""
    none = np.empty(0, np.int64)
    return Storage(DENSE, aligned(matrix.T[None]), np.empty((1, 0), np.uint32), none, none)


def slices(data: np.ndarray, columns: np.ndarray, pointers: np.ndarray) -> Storage:
    """Store compressed sparse rows."""
    lanes, units = width(data.itemsize), len(pointers) - 1
    count = -(-units // lanes)
    degree = np.zeros(count * lanes, np.int64)
    degree[:units] = np.diff(pointers)
    order = np.lexsort([-degree, np.arange(len(degree)) // BLOCK])  # stable
    longest = degree[order].reshape(count, lanes).max(axis=1)
    starts = np.concatenate([[0], np.cumsum(longest)])
    values, indices = np.zeros((1, starts[-1], lanes), data.dtype), np.zeros((starts[-1], lanes), np.uint32)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    unit = np.repeat(np.arange(units), degree[:units])
    row = starts[place[unit] // lanes] + np.arange(len(data)) - np.asarray(pointers, np.int64)[unit]
    values[0, row, place[unit] % lanes] = data
    indices[row, place[unit] % lanes] = columns
    return Storage(SLICES, aligned(values), aligned(indices), starts, order)


@uncounted
def add_rows(weights, factors, first, out):
    """out += factors @ weights[:, first : first + n], for factors (K,), out (n,); four rows at a time, zeros skipped."""
    wide_vectors()
    n = out.size
    k = 0
    while k + 4 <= factors.size:
        f0, f1, f2, f3 = factors[k], factors[k + 1], factors[k + 2], factors[k + 3]
        if f0 != 0.0 or f1 != 0.0 or f2 != 0.0 or f3 != 0.0:
            w0, w1 = weights[k, first : first + n], weights[k + 1, first : first + n]
            w2, w3 = weights[k + 2, first : first + n], weights[k + 3, first : first + n]
            for i in range(n):
                out[i] = (((out[i] + w0[i] * f0) + w1[i] * f1) + w2[i] * f2) + w3[i] * f3
        k += 4
    while k < factors.size:
        f0 = factors[k]
        if f0 != 0.0:
            w0 = weights[k, first : first + n]
            for i in range(n):
                out[i] += w0[i] * f0
        k += 1


@woven
def add_product(matrix, x, first, stop, sums):
    """sums[first:stop] += (W x)[first:stop] for x (2N + width,) and sums (N + 2 width,); `first` is a multiple of `BLOCK`."""
    wide_vectors()
    if matrix.kind == DENSE:
        add_rows(matrix.values[0], x[: matrix.values.shape[1]], first, sums[first:stop])
        return
    lanes = matrix.values.shape[2]
    for s in range(first // lanes, (stop + lanes - 1) // lanes):
        if matrix.kind == DIAGONALS:
            add_diagonals(matrix.values[s], matrix.indices[0], x[s * lanes :], sums[s * lanes : (s + 1) * lanes])
        else:
            units, own = matrix.order[s * lanes : (s + 1) * lanes], sums[sums.size - lanes :]
            for m in range(lanes):
                own[m] = sums[units[m]]
            add_slice(matrix.values[0], matrix.indices, matrix.pointers[s], matrix.pointers[s + 1], x, own)
            for m in range(lanes):
                sums[units[m]] = own[m]
