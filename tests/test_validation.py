"""The checks of parameters and data: what passes, and the one line for what does not."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from reservoir.validation import (
    Choice,
    Constraint,
    DataError,
    DivergenceError,
    ModelFileError,
    Number,
    ParameterError,
    Subset,
    brief,
    check_parameters,
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
