"""Matrix products inside kernels: BLAS gemm on row-major arrays whose rows may lie apart, in blocks that suit the cache.

Numba's own `np.dot` takes contiguous arrays only and cannot add to its output. It calls SciPy's BLAS through a symbol that
its runtime exports; `gemm` calls the same symbol with strides, and can add.

OpenBLAS multiplies without copying its operands first only up to m n k = 100^3 (on AVX-512). Above that a product with
16 to 32 rows, which a mini-batch has, spends half its time on the copies: so larger products are cut into blocks below
that limit. (32, 128) (128, 512) in float32 then runs at 114 GFlop/s on one core, not at 73.
"""

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload
from numba.np.linalg import ensure_blas

from reservoir.kernels.jit import jit

WORK = 1_000_000  # multiply-adds of a block
AREA = 1024  # of the block of c, where b is transposed: the limit is lower there
ROWS, DEPTH = 32, 256  # of a block
LARGE = 2**18  # bytes of b, beyond which gemv is up to 1.7 times faster for a row: gemm reads b in strides that collide


def multiply(a, b, add, c, transpose_a, transpose_b):
    """One call of BLAS; arguments as for `gemm`, nothing empty."""
    product = (a.T if transpose_a else a) @ (b.T if transpose_b else b)
    c[...] = c + product if add else product


def _external(real: Any) -> Any:
    pointer, integer, char = types.CPointer(real), types.intp, types.char
    matrix = (pointer, integer)
    signature = types.intc(char, char, char, integer, integer, integer, pointer, *matrix, *matrix, pointer, *matrix)
    return types.ExternalFunction("numba_xxgemm", signature)


def multiply_row(a, b, add, c):
    """The same for one row (1, k) and b (k, n), by BLAS gemv."""
    multiply(a, b, add, c, False, False)


def _external_row(real: Any) -> Any:
    pointer, integer, char = types.CPointer(real), types.intp, types.char
    signature = types.intc(char, char, integer, integer, pointer, pointer, integer, pointer, pointer, pointer)
    return types.ExternalFunction("numba_xxgemv", signature)


XXGEMV32, XXGEMV64 = _external_row(types.float32), _external_row(types.float64)
XXGEMM32, XXGEMM64 = _external(types.float32), _external(types.float64)
FACTORS32, FACTORS64 = np.array([0, 1], np.float32), np.array([0, 1], np.float64)


@overload(multiply)
def _multiply(a, b, add, c, transpose_a, transpose_b):
    ensure_blas()
    single = c.dtype == types.float32
    kind = ord("s") if single else ord("d")
    xxgemm, factors = (XXGEMM32, FACTORS32) if single else (XXGEMM64, FACTORS64)
    plain, transposed = ord("n"), ord("t")

    def implementation(a, b, add, c, transpose_a, transpose_b):
        m, n = c.shape
        k = a.shape[0] if transpose_a else a.shape[1]
        size = c.itemsize
        beta = factors[1:] if add else factors[:1]
        xxgemm(  # row-major arrays are the transposes of what BLAS sees: c' = op(b)' op(a)'
            kind,
            transposed if transpose_b else plain,
            transposed if transpose_a else plain,
            n,
            m,
            k,
            factors[1:].ctypes,
            b.ctypes,
            max(b.strides[0] // size, b.shape[1]),
            a.ctypes,
            max(a.strides[0] // size, a.shape[1]),
            beta.ctypes,
            c.ctypes,
            max(c.strides[0] // size, n),
        )

    return implementation


@overload(multiply_row)
def _multiply_row(a, b, add, c):
    ensure_blas()
    single = c.dtype == types.float32
    kind, plain = ord("s") if single else ord("d"), ord("n")
    xxgemv, factors = (XXGEMV32, FACTORS32) if single else (XXGEMV64, FACTORS64)

    def implementation(a, b, add, c):
        beta = factors[1:] if add else factors[:1]
        apart = max(b.strides[0] // b.itemsize, b.shape[1])
        one = factors[1:].ctypes
        xxgemv(kind, plain, b.shape[1], b.shape[0], one, b.ctypes, apart, a.ctypes, beta.ctypes, c.ctypes)

    return implementation


@jit
def gemm(a, b, add, c, transpose_a=False, transpose_b=False):
    """c = op(a) op(b), or c += op(a) op(b) if `add`. Two-dimensional arrays of one type whose rows are contiguous."""
    m, n = c.shape
    k = a.shape[0] if transpose_a else a.shape[1]
    if m == 0 or n == 0:
        return
    if k == 0:
        if not add:
            c[:, :] = 0
        return
    if m == 1 and not (transpose_a or transpose_b) and k * n * c.itemsize > LARGE:
        multiply_row(a, b, add, c)
        return
    if m * n * k <= WORK and not (transpose_b and m * n > AREA):
        multiply(a, b, add, c, transpose_a, transpose_b)
        return
    rows, depth = min(m, ROWS), min(k, DEPTH)
    columns = AREA // rows if transpose_b else max(WORK // (rows * depth) // 64 * 64, 64)
    for j in range(0, n, columns):
        for p in range(0, k, depth):
            part_b = b[j : j + columns, p : p + depth] if transpose_b else b[p : p + depth, j : j + columns]
            for i in range(0, m, rows):  # innermost, so that the block of b, the largest, stays in the cache
                part_a = a[p : p + depth, i : i + rows] if transpose_a else a[i : i + rows, p : p + depth]
                multiply(part_a, part_b, add or p > 0, c[i : i + rows, j : j + columns], transpose_a, transpose_b)
