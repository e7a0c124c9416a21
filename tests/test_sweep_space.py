"""What is read as a dimension of a sweep, the points it holds, and what is refused."""

from __future__ import annotations

import math
import pickle
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from messages import mentions

from reservoir.base.values import canonical
from reservoir.sweeps.space import Dimension, read_dimension
from reservoir.validation import ParameterError


def same(one: Any, other: Any) -> bool:
    """Equal and of the same types throughout."""
    return pickle.dumps(one) == pickle.dumps(other)


def values(given: Any, integer: bool | None = False) -> tuple[Any, ...]:
    return read_dimension("a", given, integer).values


# Ranges with a count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1:0.5:5", (0.1, 0.2, 0.3, 0.4, 0.5)),
        ("-0.3:0.3:7", (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)),
        ("-3:-1:3", (-3.0, -2.0, -1.0)),
        ("0:1:2", (0.0, 1.0)),
        ("0.25:0.25:1", (0.25,)),
        ("0:1:1", (0.0,)),
        ("1e-9:3e-9:3", (1e-9, 2e-9, 3e-9)),
        ("log:1e-9:1e-3:7", (1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)),
        ("log:0.5:2:3", (0.5, 1.0, 2.0)),
        (" log: 1 : 100 : 3 ", (1.0, 10.0, 100.0)),
        ("-1e308:7e307:3", (-1e308, -1.5e307, 7e307)),
        ("1:1.000000000000001:2", (1.0, 1.000000000000001)),
    ],
)
def test_ranges_of_numbers(text: str, expected: tuple[float, ...]) -> None:
    dimension = read_dimension("a", text, False)
    assert same(dimension.values, expected)
    assert dimension.ordered


@pytest.mark.parametrize(("start", "stop", "count"), [("0.1", "1.5", 15), ("-1", "1", 2001), ("-2.7", "1e-3", 2702)])
def test_even_spacing_is_exact(start: str, stop: str, count: int) -> None:
    step = (Decimal(stop) - Decimal(start)) / (count - 1)
    assert values(f"{start}:{stop}:{count}") == tuple(float(Decimal(start) + k * step) for k in range(count))


@pytest.mark.parametrize(
    ("small", "large", "shared"),
    [
        ("0.1:1.5:15", "0.1:1.5:29", 15),
        ("0.1:1.5:15", "0.1:2.9:29", 15),
        ("0.1:1.5:15", "-0.5:1.5:21", 15),
        ("0:1:4", "0:2:7", 4),
        ("-0.7:0.7:15", "-0.1:0.2:4", 4),
        ("log:1e-9:1e-3:7", "log:1e-9:1e-3:13", 7),
        ("log:0.01:1:10", "log:0.01:1:19", 10),
        ("log:1e-3:7:5", "log:1e-3:7:9", 5),
        ("log:0.01:1:3", "0:1:11", 2),
    ],
)
def test_grids_that_meet_share_values(small: str, large: str, shared: int) -> None:
    texts = [{canonical(value) for value in values(text)} for text in (small, large)]
    assert len(texts[0] & texts[1]) == shared


@pytest.mark.parametrize(
    ("text", "integer", "expected"),
    [
        ("50:60:3", True, (50, 55, 60)),
        ("0:10:4", True, (0, 3, 7, 10)),
        ("50:60:21", True, tuple(range(50, 61))),  # numbers that round to the same one count once
        ("log:1:1000:4", True, (1, 10, 100, 1000)),
        ("log:1:8:100", True, tuple(range(1, 9))),
        ("1.0:3.0:3", True, (1, 2, 3)),
        ("-2:2:5", True, (-2, -1, 0, 1, 2)),
        ("7:7:1", True, (7,)),
        ("1:10:4", None, (1, 4, 7, 10)),
        ("1:10:3", None, (1.0, 5.5, 10.0)),
        ("1.0:3:3", None, (1.0, 2.0, 3.0)),
    ],
)
def test_ranges_of_integers(text: str, integer: bool | None, expected: tuple[Any, ...]) -> None:
    assert same(values(text, integer), expected)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("0.1:1.5:15", {"start": 0.1, "stop": 1.5, "count": 15}),
        ("log:0.01:1:10", {"start": np.float64(0.01), "stop": np.int64(1), "count": np.int32(10), "log": np.True_}),
        ("log:50:800", {"start": 50, "stop": 800, "log": True}),
        ("0.1:2", {"stop": 2, "start": 0.1, "log": None, "count": None}),
    ],
)
@pytest.mark.parametrize("integer", [False, None])
def test_a_range_as_data_is_that_of_the_text(text: str, given: dict[str, Any], integer: bool | None) -> None:
    assert same(read_dimension("a", text, integer), read_dimension("a", given, integer))


# Ranges without a count


@pytest.mark.parametrize(
    ("text", "integer", "expected"),
    [
        ("0.1:1.5", False, Dimension("a", low=0.1, high=1.5, ordered=True)),
        ("1:5", False, Dimension("a", low=1.0, high=5.0, ordered=True)),
        ("1:5", True, Dimension("a", low=1, high=5, integer=True, ordered=True)),
        ("1.0:5.0", True, Dimension("a", low=1, high=5, integer=True, ordered=True)),
        ("1:5", None, Dimension("a", low=1, high=5, integer=True, ordered=True)),
        ("1:5.0", None, Dimension("a", low=1.0, high=5.0, ordered=True)),
        ("log:50:800", True, Dimension("a", low=50, high=800, log=True, integer=True, ordered=True)),
        ("log:1e-9:1", False, Dimension("a", low=1e-9, high=1.0, log=True, ordered=True)),
    ],
)
def test_ranges_without_a_count(text: str, integer: bool | None, expected: Dimension) -> None:
    assert same(read_dimension("a", text, integer), expected)


# Choices


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("tanh,relu", ("tanh", "relu")),
        ("tanh", ("tanh",)),
        ("0.5", (0.5,)),
        ("1,2.5,-3,1e-9", (1, 2.5, -3, 1e-9)),
        ("true, none ,False", (True, None, False)),
        ("[1,2],[3]", ([1, 2], [3])),
        ("[[1,2],[3]]", ([1, 2], [3])),
        ("(1,2)", (1, 2)),
        ("'1',1", ("1", 1)),
        ("1,True", (1, True)),
        ("'0.1:0.5'", ("0.1:0.5",)),
        ("['a:b','c']", ("a:b", "c")),
        ("a:b:c:d", ("a:b:c:d",)),
        ("π,ρ", ("π", "ρ")),
        (0.3, (0.3,)),
        (None, (None,)),
        (["1,2", "0.1:0.5:3"], ("1,2", "0.1:0.5:3")),
        ((1, (2, (3,))), (1, [2, [3]])),
        (range(10, 40, 10), (10, 20, 30)),
        (np.array([0.1, 0.2]), (0.1, 0.2)),
        (np.float32(0.5), (0.5,)),
        ([np.int64(3), np.bool_(True), np.str_("x"), np.array([1, 2])], (3, True, "x", [1, 2])),
        ([Fraction(1, 4)], (0.25,)),
    ],
)
def test_choices(given: Any, expected: tuple[Any, ...]) -> None:
    for integer in (True, False, None):
        dimension = read_dimension("a", given, integer)
        assert same(dimension.values, expected)
        assert not dimension.ordered
        assert dimension.samples() == expected


# What is refused


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        (":", ["'start' must be a finite number", "Got ''"]),
        ("1:", ["'stop' must be a finite number", "Got ''"]),
        ("1:2:", ["'count' must be an integer in [1, 100000]", "Got ''"]),
        ("log:1", ["'start'", "Got 'log'"]),
        ("a:b", ["'start'", "Got 'a'"]),
        ("nan:1:3", ["'start' must be a finite number", "Got 'nan'"]),
        ("0:1e400", ["'stop' must be a finite number", "Got inf"]),
        ("true:2", ["'start'", "Got True"]),
        ("1:2:0", ["'count'", "[1, 100000]", "Got 0"]),
        ("1:2:-3", ["'count'", "Got -3"]),
        ("1:2:2.5", ["'count'", "Got 2.5"]),
        ("1:2:true", ["'count'", "Got True"]),
        ("0:1:100001", ["'count'", "Got 100001"]),
        ("0:1:1000000000000000000000", ["'count'", "Got 1000000000000000000000"]),
        ("2:1:3", ["the range must rise", "Got 2 to 1"]),
        ("2:1", ["the range must rise"]),
        ("1:1:2", ["the range must rise"]),
        ("1:1", ["the range must rise"]),
        ("1.00000001:1:3", ["the range must rise", "Got 1.00000001 to 1"]),
        ("log:0:1:3", ["a log range must lie above 0", "Got 0 to 1"]),
        ("log:-1:1", ["a log range must lie above 0"]),
        ("-1e308:1e308:3", ["too wide"]),
        ("-1e308:1e308", ["too wide"]),
        ("1:1.000000000000001:9", ["too narrow for 9 values"]),
        ("log:1:1.0000000000001:5", ["too narrow for 5 values"]),
        ("0:5e-324:3", ["too narrow for 3 values"]),
        ({"start": 1, "stop": 2, "cuont": 3}, ["no 'cuont'", "Did you mean count?", "start, stop, count, log"]),
        ({"start": 1, "stop": 2, 3: 3}, ["no '3'"]),
        ({"stop": 2}, ["'start'", "Got None"]),
        ({}, ["'start'", "Got None"]),
        ({"start": 1, "stop": 2, "log": "yes"}, ["'log' must be true or false", "Got 'yes'"]),
        ({"start": "1", "stop": 2}, ["'start'", "Got '1'"]),
        ([], ["no values to choose from"]),
        ("[]", ["no values to choose from"]),
        (np.array([]), ["no values to choose from"]),
        ([1, 2, 1], ["the value 1 is there twice"]),
        ([1, 1.0], ["the value 1.0 is there twice"]),
        ([0.0, -0.0], ["is there twice"]),
        ([[1, 2], (1.0, 2)], ["is there twice"]),
        (",", ["the value '' is there twice"]),
        ([math.nan], ["must be numbers, texts", "Got nan"]),
        ([math.inf, 1], ["Got inf"]),
        ("{'a':1}", ["a part is varied by its own name", "{'a': 1}"]),
        ("1+2j", ["Got (1+2j)"]),
        ([object], ["must be numbers, texts"]),
        ([[1, [b"x"]]], ["Got b'x'"]),
    ],
)  # fmt: skip
def test_what_is_refused(given: Any, parts: list[str]) -> None:
    with pytest.raises(ParameterError) as caught:
        read_dimension("readout__ridge", given, False)
    for part in ["vary readout.ridge: ", *parts]:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["0.5:10:3", "1:10.5", "log:1:2.5:3"])
def test_ends_of_a_range_of_integers_are_integers(text: str) -> None:
    with pytest.raises(ParameterError, match=mentions("integers takes")):
        read_dimension("units", text, True)
