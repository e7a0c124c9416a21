"""The checks of parameters and data: what passes, and the one line for what does not."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from reservoir.validation import (
    Choice,
    Constraint,
    DataError,
    DivergenceError,
    ModelFileError,
    Number,
    ParameterError,
    Subset,
    as_matrix,
    as_sequences,
    brief,
    check_finite,
    check_lengths,
    check_parameters,
    is_many,
    nearest,
    unknown,
)

NAN, INF = float("nan"), float("inf")

# Constraints


UNIT = Number(low=0, high=1)
OPEN = Number(low=0, high=1, open_low=True, open_high=True)
LIST = Number(low=0, array=True)
COUNT = Number(low=1, integer=True)
NAMES = Choice(("tanh", "relu"))
MIXED = Choice(("auto", None), (dict, np.ndarray), "a dict")
FLAG = Choice((True, False))
PARTS = Subset(("bias", "input", "state"))

ACCEPTED: list[tuple[Constraint, list[Any]]] = [
    (Number(), [0, -1.5, 1e308, np.float32(2.5), np.int8(-3), Fraction(1, 3)]),
    (UNIT, [0, 1, 0.5, 0.0, -0.0, np.float64(1.0), np.uint8(1)]),
    (OPEN, [0.5, 5e-324, np.nextafter(1.0, 0.0)]),
    (COUNT, [1, 2, 10**30, np.int64(7), np.uint8(7)]),
    (Number(optional=True), [None, 1.0]),
    (LIST, [2.0, [2.0], (0, 1), np.ones(3), np.arange(3), [np.float32(0.5)]]),
    (Number(low=0, integer=True, array=True), [2, [2, 0], np.arange(3)]),
    (NAMES, ["tanh", "relu", np.str_("relu")]),
    (MIXED, ["auto", None, {}, {"a": 1}, np.ones(2)]),
    (FLAG, [True, False, np.True_, np.False_]),
    (PARTS, [["bias"], ("state", "bias"), ["input", "state", "bias"], [np.str_("bias")]]),
]
REFUSED: list[tuple[Constraint, list[Any]]] = [
    (Number(), [NAN, INF, -INF, np.float32(INF), 10**400, -(10**400)]),
    (Number(), [True, np.True_, None, "1", 1j, [1.0], np.array(1.0), np.ones(1)]),
    (UNIT, [-1e-300, 1.0000001, 2, -1]),
    (OPEN, [0, 1, 0.0, 1.0, np.float32(1.0)]),
    (COUNT, [0, 1.0, 1.5, np.float64(1.0), "1", True, 10**400]),
    (Number(optional=True), ["None", NAN]),
    (LIST, [[], (), np.empty(0), np.array(1.0), [-1.0], [[1.0]], np.ones((2, 2)), [1.0, NAN], [True], {1.0}, None]),
    (Number(low=0, integer=True, array=True), [[1.0], np.ones(2), 1.0]),
    (NAMES, ["Tanh", "tan", "", None, 0, ["tanh"], b"tanh"]),
    (MIXED, ["Auto", 0, True, [], 3.5, b"auto"]),
    (FLAG, [1, 0, "True", None, np.int64(1), 1.0]),
    (PARTS, [[], (), "bias", ["bias", "bias"], ["bias", "output"], [1], {"bias"}, None, [["bias"]]]),
]


def each(table: list[tuple[Constraint, list[Any]]]) -> list[Any]:
    return [pytest.param(rule, value, id=f"{rule}: {value!r:.30}") for rule, values in table for value in values]


@pytest.mark.parametrize(("constraint", "value"), each(ACCEPTED))
def test_accepted(constraint: Constraint, value: Any) -> None:
    assert constraint.accepts(value) is True
    check_parameters("ESN", {"it": constraint}, {"it": value})


@pytest.mark.parametrize(("constraint", "value"), each(REFUSED))
def test_refused(constraint: Constraint, value: Any) -> None:
    assert constraint.accepts(value) is False
    with pytest.raises(ParameterError) as caught:
        check_parameters("ESN", {"it": constraint}, {"it": value})
    text = str(caught.value)
    assert text.startswith(f"The 'it' parameter of ESN must be {constraint}. Got ") and "\n" not in text and len(text) < 300


@pytest.mark.parametrize(
    ("constraint", "text"),
    [
        (Number(), "a number in (-inf, inf)"),
        (UNIT, "a number in [0, 1]"),
        (OPEN, "a number in (0, 1)"),
        (COUNT, "an integer in [1, inf)"),
        (Number(low=0.5, high=2.25, open_high=True), "a number in [0.5, 2.25)"),
        (LIST, "a number in [0, inf), or a list of them"),
        (Number(low=0, optional=True), "a number in [0, inf), or None"),
        (Number(high=0, array=True, optional=True), "a number in (-inf, 0], or a list of them, or None"),
        (NAMES, "one of tanh, relu"),
        (MIXED, "one of auto, None or a dict"),
        (Choice((), (dict,), "a readout"), "a readout"),
        (FLAG, "one of True, False"),
        (PARTS, "a list of some of bias, input, state"),
    ],
)
def test_constraints_in_words(constraint: Constraint, text: str) -> None:
    assert str(constraint) == text


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"a": 2, "b": "tanh"}, "The 'a' parameter of Net must be a number in [0, 1]. Got 2 instead."),
        ({"a": 1, "b": "tahn"}, "The 'b' parameter of Net must be one of tanh, relu. Got 'tahn' instead. Did you mean tanh?"),
        ({"a": 1, "b": "xyz"}, "The 'b' parameter of Net must be one of tanh, relu. Got 'xyz' instead."),
        ({"a": 2, "b": "xyz"}, "The 'a' parameter of Net must be a number in [0, 1]. Got 2 instead."),  # the first
        (
            {"a": np.eye(2), "b": "tanh"},
            "The 'a' parameter of Net must be a number in [0, 1]. Got array([[1., 0.], [0., 1.]]) instead.",
        ),
    ],
)
def test_check_parameters(parameters: dict[str, Any], text: str) -> None:
    with pytest.raises(ParameterError) as caught:
        check_parameters("Net", {"a": UNIT, "b": NAMES}, {"c": 3, **parameters})
    assert str(caught.value) == text


def test_brief() -> None:
    assert brief("x" * 98) == repr("x" * 98) and brief([1, 2]) == "[1, 2]"
    assert brief("x" * 99) == "'" + "x" * 96 + "..." and len(brief("x" * 99)) == 100


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("leak_rat", " Did you mean leak_rate?"),
        ("scaling", " Did you mean bias_scaling or input_scaling?"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_nearest(name: str, text: str) -> None:
    assert nearest(name, iter(["leak_rate", "input_scaling", "bias_scaling", "units"])) == text


def test_unknown() -> None:
    error = unknown("task", "narma", ["narma10", "lorenz"])
    assert isinstance(error, ParameterError)
    assert str(error) == "There is no task 'narma'. Did you mean narma10? Known: lorenz, narma10."


def test_kinds_of_errors() -> None:
    assert all(issubclass(error, ValueError) for error in (ParameterError, DataError, ModelFileError))
    assert DivergenceError.__mro__[1] is RuntimeError


# Data


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
        (5.0, r"^x: must be \(T,\) or \(T, n_features\). Got an array of 0 dimensions instead.$"),
        (None, "Got an array of 0 dimensions"),
        (np.ones((1, 2, 3)), "Got an array of 3 dimensions instead"),
        ([[1], [1, 2]], r"^x: must be numbers, \(T,\) or \(T, n_features\); could not read them: .*inhomogeneous"),
        (["a"], "could not read them: could not convert string to float"),
        (np.array([1, {}], dtype=object), "could not read them: .* not 'dict'"),
        ([10**400], "could not read them: .* too large"),
        (np.array([1, 2j]), "^x: Complex data not supported; pass real numbers.$"),
        (np.array([1, 2j], dtype=object), "could not read them: .* not 'complex'"),
        (np.array(["2000-01-01"], "M8[D]"), r"^x: must be numbers. Got dates or times \(datetime64\[D\]\) instead.$"),
        (np.array([3], "m8[s]"), r"Got dates or times \(timedelta64\[s\]\)"),
        (
            np.ma.array([1.0, 2.0], mask=[False, True]),
            "^x: holds masked values; interpolate them first.$",
        ),
        (sp.csr_array((3, 2)), r"^x: a sparse matrix was passed, dense data is required; use .toarray\(\).$"),
        (sp.coo_matrix((3, 2)), "a sparse matrix was passed"),
    ],
)
@pytest.mark.parametrize("dtype", [None, np.float64])
def test_as_matrix_refuses(array: Any, message: str, dtype: Any) -> None:
    with pytest.raises(DataError, match=message):
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
        ([], r"^history: is empty. Found array with 0 sample\(s\) \(shape=\(0, 1\)\), a minimum of 1 is required.$"),
        (np.empty((0, 3)), r"Found array with 0 sample\(s\) \(shape=\(0, 3\)\)"),
        (np.empty((0, 3, 2)), r"^history: is empty. Found array with 0 sequence\(s\) \(shape=\(0, 3, 2\)\)"),
        (np.empty((2, 0, 2)), r"^history, sequence 0: is empty. Found array with 0 sample\(s\)"),
        ([ONE, np.empty((0, 2))], "^history, sequence 1: is empty"),
        ([ONE, TWO[:, :1]], "^history, sequence 1: has 1 features, sequence 0 has 2; they must agree.$"),
        ([ONE, TWO * NAN], "^history, sequence 1: Input contains NaN at row 0, column 0"),
        ([ONE, ["a"]], "^history, sequence 1: must be numbers"),
        ([np.zeros((1, 2, 3))], "^history, sequence 0: must be .* Got an array of 3 dimensions"),
        (np.zeros((1, 2, 3, 4)), "^history: must be .* Got an array of 4 dimensions"),
        ([[0.0, 1.0], [2.0, INF]], r"^history: Input contains infinity \(inf\) at row 1, column 1"),
        ([1.0, None], "^history: Input contains NaN at row 1, column 0"),
        ([ONE, sp.csr_array(TWO)], "^history, sequence 1: a sparse matrix was passed"),
        ({"a": 1}, "^history: must be numbers"),
    ],
)
def test_as_sequences_says_where(data: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_sequences(data, "history")


def test_check_lengths() -> None:
    check_lengths([ONE, TWO], [ONE, TWO])
    with pytest.raises(DataError, match=r"^targets, sequence 1: has 3 rows, its inputs have 5; they must agree.$"):
        check_lengths([ONE, TWO], [ONE, ONE])
    with pytest.raises(DataError, match=r"^targets: has 1 sequences, the inputs have 2; they must agree.$"):
        check_lengths([ONE, TWO], [ONE])
