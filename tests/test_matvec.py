"""Products of the recurrent weights with a state, in every storage."""

from __future__ import annotations

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from kernel_arrays import DTYPES, SIZES, STORAGES, close, random, recurrent, sparse

from reservoir.echo.topology import Diagonals, as_csr, storage
from reservoir.kernels import matvec
from reservoir.kernels.emitters import width


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("units", SIZES)
@pytest.mark.parametrize("rows", [0, 1, 3, 4, 5, 9])
def test_add_rows(rows: int, units: int, dtype: type) -> None:
    weights, factors, start = random((rows, units + 3), dtype), random(rows, dtype, 1), random(units, dtype, 2)
    factors[1::3] = 0.0
    ref = start + naive.dense_product(weights[:, 2 : 2 + units].T, factors)
    comp = start.copy()
    matvec.add_rows(weights, factors, 2, comp)
    close(comp, ref)


@pytest.mark.parametrize("only", range(6))
def test_add_rows_of_one_factor_that_is_not_zero(only: int) -> None:
    weights, factors = random((6, 7), np.float64), np.zeros(6)
    factors[only] = 0.5
    comp = np.zeros(7)
    matvec.add_rows(weights, factors, 0, comp)
    np.testing.assert_array_equal(comp, 0.5 * weights[only])


def test_add_rows_keeps_nan_beside_zeros() -> None:
    comp = np.zeros(3)
    matvec.add_rows(np.ones((5, 3)), np.array([0.0, 0.0, 0.0, 0.0, np.nan]), 0, comp)
    assert np.isnan(comp).all()


def product(matrix: matvec.Storage, x: np.ndarray, start: np.ndarray) -> np.ndarray:
    """start + W x, as the kernels compute it block by block; what lies beyond the vectors is not used."""
    units, lanes = len(x), width(x.itemsize)
    twice = np.concatenate([x, x, np.full(lanes, np.nan, x.dtype)])
    sums = np.concatenate([start, np.full(2 * lanes, np.nan, x.dtype)])
    for first in range(0, units, matvec.BLOCK):
        matvec.add_product(matrix, twice, first, min(first + matvec.BLOCK, units), sums)
    return sums[:units]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("units", [*SIZES, 520])
@pytest.mark.parametrize("kind", STORAGES)
def test_add_product(kind: str, units: int, dtype: type) -> None:
    matrix, w = recurrent(kind, units, dtype)
    x, start = random(units, dtype, 3), random(units, dtype, 2)
    close(product(matrix, x, start), start + w.astype(float) @ x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("count", "units"), [(k, n) for k in (1, 2, 4, 5, 6, 7, 10, 13) for n in SIZES if k <= n])
def test_add_diagonals(count: int, units: int, dtype: type) -> None:
    values, x, start = random((count, units), dtype), random(units, dtype, 1), random(units, dtype, 2)
    shifts = np.random.default_rng(3).permutation(units)[:count]  # 0 and units - 1 among them at small sizes
    ref = start + naive.diagonals_product(values, shifts, x)
    close(product(storage(Diagonals(shifts, values), dtype), x, start), ref)
    close(naive.diagonals_matrix(values, shifts) @ x, ref - start)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("units", SIZES)
def test_sparse_slices(units: int, dtype: type) -> None:
    matrix, x, start = sp.csr_array(sparse(units, dtype)), random(units, dtype, 3), random(units, dtype, 2)
    ref = start + naive.csr_product(matrix.data, matrix.indices, matrix.indptr, x)
    close(product(storage(matrix, dtype), x, start), ref)


@pytest.mark.parametrize("units", SIZES)
def test_storages_of_one_matrix_agree(units: int) -> None:
    shifts = np.random.default_rng(3).permutation(units)[: min(6, units)]
    diagonals = Diagonals(shifts, random((len(shifts), units), np.float64))
    x, start = random(units, np.float64, 1), np.zeros(units)
    matrices = (diagonals, as_csr(diagonals), as_csr(diagonals).toarray())
    results = [product(storage(matrix, np.float64), x, start) for matrix in matrices]
    close(results[1], results[0])
    close(results[2], results[0])
