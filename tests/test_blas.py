"""The matrix product of the kernels against NumPy's: shapes, transposes, rows that lie apart, nothing to multiply, blocks."""

from __future__ import annotations

import numpy as np
import pytest

from reservoir.kernels.blas import AREA, DEPTH, LARGE, ROWS, WORK, gemm

DTYPES = (np.float64, np.float32)
SMALL = [(1, 1, 1), (1, 7, 3), (7, 1, 3), (5, 7, 1), (3, 16, 33), (17, 15, 8), (33, 33, 33), (1, 64, 64), (64, 1, 64)]
TRANSPOSES = [(False, False), (False, True), (True, False), (True, True)]


def random(rows: int, columns: int, seed: int, dtype: type) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(dtype)


def check(sizes: tuple[int, int, int], transposes: tuple[bool, bool], add: bool, dtype: type, margin: int) -> None:
    """One product, of matrices that are the middle columns of wider ones if there is a margin."""
    m, n, k = sizes
    transpose_a, transpose_b = transposes
    shape_a, shape_b = (k, m) if transpose_a else (m, k), (n, k) if transpose_b else (k, n)
    wide = [random(rows, columns + 2 * margin, seed, dtype) for seed, (rows, columns) in enumerate([shape_a, shape_b, (m, n)])]
    a, b, c = (array[:, margin : array.shape[1] - margin] for array in wide)
    ref = wide[2].copy()
    left, right = (a.T if transpose_a else a).astype(np.float64), (b.T if transpose_b else b).astype(np.float64)
    ref[:, margin : margin + n] = left @ right + (c if add else 0)
    if not add:
        c[:] = np.nan  # what is there must not be read
    gemm(a, b, add, c, transpose_a, transpose_b)
    tolerance = (1e-14 if dtype == np.float64 else 1e-6) * (k + 1)
    np.testing.assert_allclose(wide[2], ref, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("margin", [0, 3])
@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize("transposes", TRANSPOSES)
def test_small_products(transposes: tuple[bool, bool], add: bool, margin: int, dtype: type) -> None:
    for sizes in [
        (1, 1, 1),
        (1, 7, 3),
        (7, 1, 3),
        (5, 7, 1),
        (3, 16, 33),
        (17, 15, 8),
        (33, 33, 33),
        (1, 64, 64),
        (64, 1, 64),
        (1, 300, 250),
    ]:
        check(sizes, transposes, add, dtype, margin)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("margin", [0, 3])
@pytest.mark.parametrize("add", [False, True])
def test_a_row_times_a_large_matrix(add: bool, margin: int, dtype: type) -> None:
    assert LARGE < 4 * 300 * 250
    check((1, 300, 250), (False, False), add, dtype, margin)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("margin", [0, 3])
@pytest.mark.parametrize("transposes", TRANSPOSES)
def test_nothing_to_multiply(transposes: tuple[bool, bool], margin: int, dtype: type) -> None:
    for sizes in [(0, 3, 2), (3, 0, 2), (0, 0, 0), (3, 2, 0)]:
        for add in (False, True):
            check(sizes, transposes, add, dtype, margin)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("margin", [0, 3])
@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize("transposes", TRANSPOSES)
@pytest.mark.parametrize(
    "sizes",
    [
        (ROWS + 1, AREA // ROWS + 1, 5),
        (ROWS, AREA // ROWS, 2 * DEPTH + 3),
        (2 * ROWS + 3, 150, 150),
        (ROWS + 1, 200, 2 * DEPTH + 1),
        (1, 1100, 1000),
        (1100, 3, 400),
    ],
)
def test_products_cut_into_blocks(
    sizes: tuple[int, int, int], transposes: tuple[bool, bool], add: bool, margin: int, dtype: type
) -> None:
    check(sizes, transposes, add, dtype, margin)


def test_the_sizes_above_reach_both_limits() -> None:
    assert (2 * ROWS + 3) * 150 * 150 > WORK and (ROWS + 1) * (AREA // ROWS + 1) > AREA


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_of_three_dimensional_arrays_may_lie_apart(dtype: type) -> None:
    """The products that run over the steps of one sequence of a batch."""
    x, y = random(7, 5 * 4, 0, dtype).reshape(7, 5, 4), random(7, 5 * 3, 1, dtype).reshape(7, 5, 3)
    c = np.zeros((3, 3), dtype)
    gemm(x[1::3, 2, 1:], y[1::3, 2], False, c, True)
    np.testing.assert_allclose(c, x[1::3, 2, 1:].T @ y[1::3, 2], rtol=1e-6)
