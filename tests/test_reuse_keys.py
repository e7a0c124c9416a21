"""Parameters are compared by their values, so that what networks have in common is known."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from reservoir import ESN
from reservoir.echo.parameters import RESERVOIR
from reservoir.echo.reuse import hashable


def parameters(**changed: Any) -> Hashable:
    esn = ESN(**changed)
    return tuple(hashable(getattr(esn, name)) for name in RESERVOIR)


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ({"units": 30}, {"units": 30.0}, {"units": 31}),
        ({"leak_rate": [0.1, 0.2]}, {"leak_rate": (0.1, 0.2)}, {"leak_rate": [0.2, 0.1]}),
        ({"topology": np.eye(3)}, {"topology": np.eye(3)}, {"topology": 2.0 * np.eye(3)}),
        ({"topology": np.zeros((2, 3))}, {"topology": np.zeros((2, 3))}, {"topology": np.zeros((3, 2))}),
        ({"topology": np.zeros(2)}, {"topology": np.zeros(2)}, {"topology": np.zeros(4, np.float32)}),
        ({"topology": sp.eye(4)}, {"topology": sp.eye(4).tocsr()}, {"topology": sp.eye(4, k=1)}),
        ({"topology_options": {"a": 1, "b": 2}}, {"topology_options": {"b": 2, "a": 1}}, {"topology_options": {"a": 2, "b": 1}}),
        ({"spectral_radius": None}, {"spectral_radius": None}, {"spectral_radius": 0.5}),
    ],
)
def test_parameters_are_equal_where_their_values_are(one: Any, same: Any, other: Any) -> None:
    assert parameters(**one) == parameters(**same) and hash(parameters(**one)) == hash(parameters(**same))
    assert parameters(**one) != parameters(**other)


def test_parameters_keep_the_values_that_they_had() -> None:
    matrix = np.eye(3)
    before = parameters(topology=matrix)
    matrix *= 2.0
    assert before != parameters(topology=matrix) and before == parameters(topology=np.eye(3))


class Matrix:
    """What NumPy can read as a matrix, but whose content nothing else can tell."""

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return np.eye(3)


def test_parameters_of_unknown_kinds_equal_nothing_else() -> None:
    matrix = Matrix()
    one = parameters(topology=matrix)
    assert one == one and one != parameters(topology=matrix)
    assert parameters(topology=np.array([[None]])) != parameters(topology=np.array([[None]]))
