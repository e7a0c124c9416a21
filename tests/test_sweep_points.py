"""The points of a dimension, and plain data as text."""

from __future__ import annotations

import itertools
import math
import pickle
from typing import Any

import numpy as np
import pytest
from messages import mentions

from reservoir.base.values import canonical, parse_name, parse_value, shown_name
from reservoir.sweeps.space import Dimension, grid, grid_size, point_at, read_dimension, without_numpy
from reservoir.validation import ParameterError


def same(one: Any, other: Any) -> bool:
    """Equal and of the same types throughout."""
    return pickle.dumps(one) == pickle.dumps(other)


# Points


def lattice(dimension: Dimension, n: int) -> list[Any]:
    """The values at the n midpoints of a lattice on [0, 1)."""
    return [dimension.at((k + 0.5) / n) for k in range(n)]


@pytest.mark.parametrize(
    "dimension",
    [
        read_dimension("a", "-3:3", True),
        read_dimension("a", "0:6", True),
        read_dimension("a", "1:7:7", False),
        read_dimension("a", "p,q,r,s,t,u,v", None),
    ],
)
def test_values_are_equally_likely(dimension: Dimension) -> None:
    drawn = lattice(dimension, 700)
    assert sorted({drawn.count(value) for value in drawn}) == [100]
    assert len(set(drawn)) == 7
    if dimension.integer:
        assert set(drawn) == set(range(int(dimension.low), int(dimension.high) + 1))


def test_integers_on_a_logarithmic_scale() -> None:
    """k has the share log((k + 1) / k) / log(9) of [0, 1), which a lattice of n points meets to a point."""
    drawn = lattice(read_dimension("a", "log:1:8", True), 10_000)
    for k in range(1, 9):
        assert abs(drawn.count(k) - 10_000 * math.log((k + 1) / k, 9)) <= 1
    assert {type(value) for value in drawn} == {int}


def test_numbers_are_even() -> None:
    assert lattice(read_dimension("a", "-1:3", False), 4) == [-0.5, 0.5, 1.5, 2.5]
    assert lattice(read_dimension("a", "log:1e-4:1e4", False), 4) == pytest.approx([1e-3, 1e-1, 1e1, 1e3])


@pytest.mark.parametrize("ends", [*itertools.product(range(1, 60), [60]), (1, 10**14), (-5, -1)])
def test_both_ends_can_be_reached_and_nothing_beyond(ends: tuple[int, int]) -> None:
    low, high = ends
    for log in ("", "log:")[: 1 + (low > 0)]:
        for integer in (True, False):
            dimension = read_dimension("a", f"{log}{low}:{high}", integer)
            first, last = dimension.at(0.0), dimension.at(math.nextafter(1.0, 0.0))
            assert low <= first <= last <= high
            assert (first, last) == ((low, high) if integer else pytest.approx((low, high), rel=1e-12))
            assert dimension.samples() == (low, high)
    for count in (2, 3, 7):
        dimension = read_dimension("a", f"{low}:{high}:{count}", False)
        assert (dimension.at(0.0), dimension.at(math.nextafter(1.0, 0.0))) == (low, high)
        assert dimension.samples() == (low, high)


def test_a_grid_is_every_value_with_every_other_the_last_fastest() -> None:
    dimensions = [read_dimension("b", "2,1", None), read_dimension("a", "0:1:3", False), read_dimension("c", "x", None)]
    points = list(grid(dimensions))
    assert points == [{"b": b, "a": a, "c": "x"} for b in (2, 1) for a in (0.0, 0.5, 1.0)]
    assert list(points[0]) == ["b", "a", "c"]
    assert grid_size(dimensions) == len(points) == 6


def test_a_grid_needs_counts() -> None:
    with pytest.raises(ParameterError, match=mentions("readout.ridge 0.1:1.5:10 number")):
        grid_size([read_dimension("a", "1,2", None), read_dimension("readout__ridge", "0.1:1.5", False)])


def test_a_point_of_the_unit_cube() -> None:
    dimensions = [read_dimension("b", "0:10", True), read_dimension("a", "0:1", False), read_dimension("c", "x,y", None)]
    assert same(point_at(dimensions, np.array([0.5, 0.25, 0.75])), {"b": 5, "a": 0.25, "c": "y"})


# Plain data as text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0), (0, -0.0), (-3, -3.0), ([1, (2.0,)], [1.0, [2]]), ({"b": 1, "a": 2.0}, {"a": 2, "b": 1.0}),
        (np.float64(0.1), 0.1), (1e15, 10**15),
    ],
)  # fmt: skip
def test_equal_values_have_one_text(one: Any, other: Any) -> None:
    assert canonical(one) == canonical(other)


def test_different_values_have_different_texts() -> None:
    different = [
        1,
        True,
        "1",
        [1],
        None,
        "none",
        0,
        False,
        0.1,
        0.1 + 2**-54,
        1e-9,
        2**53 + 1,
        2**53 + 2,
        {"a": 1},
        [[1]],
        "é",
        "",
    ]
    assert len({canonical(value) for value in different}) == len(different)
    with pytest.raises(TypeError):
        canonical({"a": object()})


def test_text_keeps_every_digit() -> None:
    assert canonical([0.1, 1 / 3, 1e-9, 123456789.123456789, 5.0]) == "[0.1,0.3333333333333333,1e-09,123456789.12345679,5]"
    assert canonical([1e300, -(2.0**53)]) == "[1e+300,-9007199254740992.0]"  # past where floats hold every integer


def test_names_of_parts() -> None:
    assert parse_name(" readout.ridge ") == "readout__ridge"
    assert shown_name("readout__ridge") == "readout.ridge"


@pytest.mark.parametrize("text", ["0x" + "f" * 5000, "1" * 5000, "[0x" + "f" * 5000 + "]", "[" * 5000, "-" * 5000 + "1"])
def test_numbers_without_end_stay_texts(text: str) -> None:
    assert parse_value(text) == text


def test_numpy_is_taken_out_of_plain_data() -> None:
    given = {"a": np.float64(0.5), "b": (np.int8(1), [np.array([[1.5]])]), "c": "x", "d": range(2)}
    assert same(without_numpy(given), {"a": 0.5, "b": [1, [[[1.5]]]], "c": "x", "d": [0, 1]})
