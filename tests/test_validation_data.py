"""What data are read as, and which are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from messages import mentions

from reservoir.validation import (
    DataError,
    as_matrix,
    as_sequences,
    check_finite,
    check_lengths,
    is_many,
)

NAN, INF = float("nan"), float("inf")


class Frame:  # what NumPy can read as an array, as a table of pandas is
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array([[1, 2], [3, 4]], dtype)


@pytest.mark.parametrize(
    ("array", "ref"),
    [
        ([1, 2], [[1], [2]]),
        ((1.5, 2), [[1.5], [2.0]]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        (np.array([True, False]), [[True], [False]]),
        (np.array([[1, 2.5]], dtype=object), [[1.0, 2.5]]),
        (np.array(["1", "2.5"]), [[1.0], [2.5]]),
        (np.empty((3, 0)), [[], [], []]),
        (np.ma.array([1.0, 2.0], mask=[False, False]), [[1.0], [2.0]]),
        (Frame(), [[1, 2], [3, 4]]),
    ],
)
def test_as_matrix(array: Any, ref: list[list[float]]) -> None:
    comp = as_matrix(array, "x")
    np.testing.assert_array_equal(comp, ref)
    assert type(comp) is np.ndarray and comp.dtype == np.array(ref).dtype
    assert as_matrix(array, "x", np.float32).dtype == np.float32


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16, np.int64, np.uint8, bool])
def test_as_matrix_neither_copies_nor_converts(kind: type) -> None:
    array = np.ones((3, 2), kind)
    assert as_matrix(array, "x") is array
    assert np.shares_memory(as_matrix(array[:, 0], "x"), array)
    assert as_matrix(array, "x", kind) is array


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (5.0, "x (T,) (T, n_features 0"),
        (None, "0 dimensions"),
        (np.ones((1, 2, 3)), "3 dimensions"),
        ([[1], [1, 2]], "x (T,) (T, n_features"),
        (["a"], "convert string"),
        (np.array([1, {}], dtype=object), "'dict'"),
        ([10**400], "could large"),
        (np.array([1, 2j]), "x supported"),
        (np.array([1, 2j], dtype=object), "'complex'"),
        (np.array(["2000-01-01"], "M8[D]"), "x (datetime64[D]) numbers"),
        (np.array([3], "m8[s]"), "(timedelta64[s]) dates"),
        (
            np.ma.array([1.0, 2.0], mask=[False, True]),
            "x interpolate",
        ),
        (sp.csr_array((3, 2)), "x .toarray() required"),
        (sp.coo_matrix((3, 2)), "sparse matrix"),
    ],
)
@pytest.mark.parametrize("dtype", [None, np.float64])
def test_as_matrix_refuses(array: Any, message: str, dtype: Any) -> None:
    with pytest.raises(DataError, match=mentions(message)):
        as_matrix(array, "x", dtype)


@pytest.mark.parametrize("rows_at_once", [1, 2, 3, 7, 65536])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 2), (3, 1), (6, 2)])
@pytest.mark.parametrize(("value", "what"), [(NAN, "NaN"), (INF, "infinity (inf)"), (-INF, "infinity (inf)")])
@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_check_finite_names_the_first(dtype: type, value: float, what: str, row: int, column: int, rows_at_once: int) -> None:
    matrix = np.zeros((7, 3), dtype)
    check_finite(matrix, "x", rows_at_once)
    matrix[row, column] = value
    matrix[row:, column + 1 :] = matrix[row + 1 :] = -value  # further ones, later
    with pytest.raises(DataError) as caught:
        check_finite(matrix, "x", rows_at_once)
    assert str(caught.value) == (f"x: Input contains {what} at row {row}, column {column}; interpolate such values first.")


ONE, TWO = np.zeros((3, 2)), np.ones((5, 2))


@pytest.mark.parametrize(
    ("data", "many", "shapes"),
    [
        (ONE, False, [(3, 2)]),
        (ONE[:, 0], False, [(3, 1)]),
        (ONE.tolist(), False, [(3, 2)]),  # nested lists are one sequence
        ([1.0, 2.0], False, [(2, 1)]),
        ([np.float64(1.0), np.float64(2.0)], False, [(2, 1)]),
        ([np.array(1.0), np.array(2.0)], False, [(2, 1)]),
        ([ONE, TWO], True, [(3, 2), (5, 2)]),
        ((ONE, TWO), True, [(3, 2), (5, 2)]),
        ([ONE], True, [(3, 2)]),
        ([ONE[:, 0], TWO[:, 0]], True, [(3, 1), (5, 1)]),
        ([ONE, TWO.tolist()], True, [(3, 2), (5, 2)]),
        (np.zeros((4, 3, 2)), True, [(3, 2)] * 4),
        (np.zeros((4, 3, 0)), True, [(3, 0)] * 4),
    ],
)
def test_as_sequences(data: Any, many: bool, shapes: list[tuple[int, int]]) -> None:
    assert is_many(data) is many
    comp = as_sequences(data)
    assert [u.shape for u in comp] == shapes
    for u, item in zip(comp, data if many else [data], strict=True):
        np.testing.assert_array_equal(u, np.reshape(item, u.shape))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "history 0 (shape=(0, 1)) 1"),
        (np.empty((0, 3)), "0 (shape=(0, 3))"),
        (np.empty((0, 3, 2)), "history 0 (shape=(0, 3 2))"),
        (np.empty((2, 0, 2)), "history 0 sample"),
        ([ONE, np.empty((0, 2))], "history 1 empty"),
        ([ONE, TWO[:, :1]], "history 1 0 2"),
        ([ONE, TWO * NAN], "history 1 NaN 0"),
        ([ONE, ["a"]], "history 1 numbers"),
        ([np.zeros((1, 2, 3))], "history 0 3"),
        (np.zeros((1, 2, 3, 4)), "history 4 dimensions"),
        ([[0.0, 1.0], [2.0, INF]], "history (inf) 1"),
        ([1.0, None], "history NaN 1 0"),
        ([ONE, sp.csr_array(TWO)], "history 1 sparse"),
        ({"a": 1}, "history numbers"),
    ],
)
def test_as_sequences_says_where(data: Any, message: str) -> None:
    with pytest.raises(DataError, match=mentions(message)):
        as_sequences(data, "history")


def test_check_lengths() -> None:
    check_lengths([ONE, TWO], [ONE, TWO])
    with pytest.raises(DataError, match=mentions("targets 1 3 inputs 5")):
        check_lengths([ONE, TWO], [ONE, ONE])
    with pytest.raises(DataError, match=mentions("targets 1 inputs 2")):
        check_lengths([ONE, TWO], [ONE])
