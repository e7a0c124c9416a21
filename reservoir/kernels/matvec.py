"""W @ x for each way a recurrent matrix is stored.

A matrix reaches the kernels as one `Storage`, whatever its kind, so that every kernel has one signature:

diagonals   W[i, (i + s_k) mod N] = v[k, i]: `values` (K, N), `indices` the K shifts
csr         `values` (1, n_nonzero), `indices` the columns, `pointers` the N + 1 row starts
dense       `values` the transpose of W, (N, N): the innermost loop then runs down a column of W, over the outputs

The vector x is kept twice in a row, (2N,), so that a cyclic diagonal is one contiguous stretch of it: no index, no
remainder. Indices are unsigned, because a signed one brings a branch for negative values into the loop.
"""

from typing import NamedTuple

import numpy as np

from reservoir.kernels.jit import jit

DIAGONALS, CSR, DENSE = 0, 1, 2


class Storage(NamedTuple):
    """A recurrent matrix as the kernels read it."""

    kind: int
    values: np.ndarray
    indices: np.ndarray
    pointers: np.ndarray


@jit
def add_rows(weights, factors, out):
    """out += factors @ weights, for weights (K, N), factors (K,), out (N,); four rows at a time, zeros skipped."""
    rows, n = weights.shape
    k = 0
    while k + 4 <= rows:
        f0, f1, f2, f3 = factors[k], factors[k + 1], factors[k + 2], factors[k + 3]
        if f0 != 0.0 or f1 != 0.0 or f2 != 0.0 or f3 != 0.0:
            w0, w1, w2, w3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
            for i in range(n):
                out[i] = (((out[i] + w0[i] * f0) + w1[i] * f1) + w2[i] * f2) + w3[i] * f3
        k += 4
    while k < rows:
        f0 = factors[k]
        if f0 != 0.0:
            w0 = weights[k]
            for i in range(n):
                out[i] += w0[i] * f0
        k += 1


@jit
def add_diagonals(values, shifts, x, out):
    """out += W x for cyclic diagonals: `values` (K, N), `shifts` (K,), `x` (2N,), `out` (N,)."""
    count, n = values.shape
    k = 0
    while k + 5 <= count:
        v0, v1, v2, v3, v4 = values[k], values[k + 1], values[k + 2], values[k + 3], values[k + 4]
        x0 = x[np.intp(shifts[k]) :]
        x1 = x[np.intp(shifts[k + 1]) :]
        x2 = x[np.intp(shifts[k + 2]) :]
        x3 = x[np.intp(shifts[k + 3]) :]
        x4 = x[np.intp(shifts[k + 4]) :]
        for i in range(n):
            total = out[i] + v0[i] * x0[i]
            total += v1[i] * x1[i]
            total += v2[i] * x2[i]
            total += v3[i] * x3[i]
            out[i] = total + v4[i] * x4[i]
        k += 5
    while k < count:
        v0 = values[k]
        x0 = x[np.intp(shifts[k]) :]
        for i in range(n):
            out[i] += v0[i] * x0[i]
        k += 1


@jit
def add_csr(values, columns, pointers, x, out):
    """out += W x for compressed sparse rows."""
    for i in range(out.size):
        total = out[i]
        for j in range(pointers[i], pointers[i + 1]):
            total += values[j] * x[columns[j]]
        out[i] = total


@jit
def add_product(matrix, x, out):
    """out += W x, with x (2N,) holding the vector twice."""
    if matrix.kind == DIAGONALS:
        add_diagonals(matrix.values, matrix.indices, x, out)
    elif matrix.kind == CSR:
        add_csr(matrix.values[0], matrix.indices, matrix.pointers, x, out)
    else:
        add_rows(matrix.values, x[: out.size], out)
