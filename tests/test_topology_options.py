"""The options of topologies, and matrices of a user's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from messages import mentions
from topologies import matrix

from reservoir import ESN, DataError, ParameterError

# Options


@pytest.mark.parametrize(
    ("topology", "options", "message"),
    [
        ("cycle_jumps", {"jmp": 3}, "cycle_jumps 'jmp' jump"),
        ("cycle", {"jump": 3}, "'jump'"),
        ("cycle_jumps", {"jump": 1}, "'jump' [2, inf) 1"),
        ("cycle_jumps", {"jump": 2.5}, "'jump'"),
        ("small_world", {"rewiring": 1.5}, "'rewiring' [0, 1] 1.5"),
        ("blocks", {"inside": -0.1}, "'inside'"),
        ("blocks", {"blocks": 0}, "'blocks'"),
        ("blocks", {"blocks": 34}, "'blocks' [1, 33] 34"),
        ("dense", {"weights": "unifrom"}, "'unifrom' uniform"),
        ("feedback_delay_line", {"feedback_weight": np.nan}, "'feedback_weight'"),
    ],
)
def test_options_are_checked(topology: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=mentions(message)):
        matrix(topology, 33, radius=0.9, **options)


def test_unknown_topology_names_the_nearest() -> None:
    with pytest.raises(ParameterError, match=mentions("'topology' ESN diagonals")):
        matrix("diagonal", 33)


def test_a_random_graph_without_a_cycle_has_no_radius_to_set() -> None:
    with pytest.raises(ParameterError, match=mentions("density cycle")):  # one connection, from one unit to another
        matrix("random", 20, radius=0.9, density=1e-4)


# A matrix of one's own


OWN = naive.diagonals_matrix(np.random.default_rng(3).normal(size=(3, 9)), [1, 4, 7])


@pytest.mark.parametrize("kind", [np.array, np.ndarray.tolist, sp.csr_array, sp.csc_array, sp.coo_array, sp.csr_matrix])
def test_own_matrix(kind: Callable[[np.ndarray], Any]) -> None:
    np.testing.assert_array_equal(matrix(kind(OWN), 9), OWN)
    comp = matrix(kind(OWN), 9, radius=0.5)
    np.testing.assert_allclose(comp, OWN * (0.5 / naive.spectral_radius(OWN)), rtol=1e-12)


@pytest.mark.parametrize("radius", [None, 0.5])
def test_own_matrix_is_not_written_to(radius: float | None) -> None:
    own = sp.csr_array(OWN)
    own.data[3] = 0.0  # a stored zero
    kept = [part.copy() for part in (own.data, own.indices, own.indptr)]
    esn = ESN(9, radius, topology=own, random_state=0).build(1)
    esn.recurrent_weights_.data[:] = 7.0
    for part, ref in zip((own.data, own.indices, own.indptr), kept, strict=True):
        np.testing.assert_array_equal(part, ref)


def test_own_nilpotent_matrix_gets_its_largest_weight_from_the_radius() -> None:
    own = np.triu(OWN, 1)
    np.testing.assert_allclose(matrix(own, 9, radius=0.5), own * 0.5 / np.abs(own).max(), rtol=1e-14)


@pytest.mark.parametrize(
    ("own", "error", "message"),
    [
        (np.zeros((9, 9)), ParameterError, "weights"),
        (np.ones((9, 8)), ParameterError, "(9, 9) 8)"),
        (sp.csr_array((8, 9)), ParameterError, "(9, 9) (8,"),
        (np.full((9, 9), np.nan), DataError, "NaN infinity"),
        (sp.csr_array(np.full((9, 9), np.inf)), DataError, "NaN infinity"),
        ({"a": 1}, ParameterError, "(9, 9) matrix"),
        ([[1.0], [1.0, 2.0]], ParameterError, "(9, 9) matrix"),
        (7, ParameterError, "'topology' ESN"),
    ],
)
def test_own_matrix_is_checked(own: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=mentions(message)):
        matrix(own, 9, radius=0.9)


def test_own_matrix_takes_no_options() -> None:
    with pytest.raises(ParameterError, match=mentions("'topology_options' ESN")):
        matrix(OWN, 9, jump=5)


def test_own_matrix_of_zeros_is_fine_unscaled() -> None:
    np.testing.assert_array_equal(matrix(np.zeros((9, 9)), 9), np.zeros((9, 9)))
