"""Recurrent matrices: what every topology promises, the structure of each, and a user's own matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from topologies import DENSITY, matrix

from reservoir import ESN, ParameterError
from reservoir.echo.topology import TOPOLOGIES, topology_options


class Promise(NamedTuple):
    """How many connections there are, by number of units and density; the least number of units that works."""

    connections: Callable[[int, float], int]
    drawn: bool = True  # whether the seed matters
    least: int = 1
    nilpotent: bool = False


def grid(units: int) -> tuple[int, int]:
    """Height and width of the most nearly square grid."""
    return max((h, units // h) for h in range(1, units + 1) if units % h == 0 and h * h <= units)


def lattice_links(units: int, _density: float) -> int:
    height, width = grid(units)
    return 2 * (height * (width - 1) + width * (height - 1))


PROMISES = {
    "diagonals": Promise(lambda n, d: n * max(round(d * n), 1)),
    "random": Promise(lambda n, d: max(round(d * n * n), 1)),
    "cycle": Promise(lambda n, d: n, drawn=False),
    "cycle_jumps": Promise(lambda n, d: n + 2 * (n // 5), drawn=False),
    "delay_line": Promise(lambda n, d: n - 1, drawn=False, least=2, nilpotent=True),
    "feedback_delay_line": Promise(lambda n, d: 2 * (n - 1), drawn=False, least=3),
    "orthogonal": Promise(lambda n, d: n * n),
    "permutation": Promise(lambda n, d: n),
    "small_world": Promise(lambda n, d: n * min(max(round(d * n), 1), n - 1), least=2),
    "lattice": Promise(lattice_links, least=2),
    "blocks": Promise(lambda n, d: max(round(d * n * n), 1), least=4),
    "dense": Promise(lambda n, d: n * n),
}
EVERY = pytest.mark.parametrize("topology", list(PROMISES))
FREE = pytest.mark.parametrize("topology", ["diagonals", "random", "small_world", "blocks"])
WEIGHTED = [name for name in PROMISES if "weights" in topology_options(name)]


def test_the_table_is_complete() -> None:
    assert list(PROMISES) == list(TOPOLOGIES)


@EVERY
@pytest.mark.parametrize("units", [4, 7, 33, 100])
def test_shape_and_number_of_connections(topology: str, units: int) -> None:
    comp = matrix(topology, units)
    assert comp.shape == (units, units) and comp.dtype == np.float64
    assert np.count_nonzero(comp) == PROMISES[topology].connections(units, DENSITY)


@FREE
@pytest.mark.parametrize("density", [0.001, 0.05, 0.25, 0.5, 0.99, 1.0])
def test_density_is_met(topology: str, density: float) -> None:
    assert np.count_nonzero(matrix(topology, 24, density=density)) == PROMISES[topology].connections(24, density)


@EVERY
@pytest.mark.parametrize("units", [7, 33, 100, 200])
def test_radius_is_the_one_asked_for(topology: str, units: int) -> None:
    comp = matrix(topology, units, radius=0.9)
    if PROMISES[topology].nilpotent:
        assert np.abs(comp).max() == pytest.approx(0.9, rel=1e-12)
    elif topology == "feedback_delay_line":  # too far from normal for LAPACK: 2 sqrt(b c) cos(pi / (N + 1)) is exact
        b, c = comp[1, 0], comp[0, 1]
        assert 2.0 * np.sqrt(b * c) * np.cos(np.pi / (units + 1)) == pytest.approx(0.9, rel=1e-9)
    else:
        assert naive.spectral_radius(comp) == pytest.approx(0.9, rel=1e-6)


@pytest.mark.parametrize("topology", ["diagonals", "random"])
def test_radius_at_600_units(topology: str) -> None:
    assert naive.spectral_radius(matrix(topology, 600, radius=1.3, density=0.02)) == pytest.approx(1.3, rel=1e-6)


@EVERY
def test_another_radius_is_another_scale_of_the_same_matrix(topology: str) -> None:
    np.testing.assert_allclose(matrix(topology, 33, radius=0.3), 0.3 * matrix(topology, 33, radius=1.0), rtol=1e-15)
    np.testing.assert_array_equal(matrix(topology, 33, radius=0.0), np.zeros((33, 33)))


@EVERY
def test_seed_decides(topology: str) -> None:
    first = matrix(topology, 33, seed=4)
    np.testing.assert_array_equal(first, matrix(topology, 33, seed=4))
    assert (first != matrix(topology, 33, seed=5)).any() == PROMISES[topology].drawn


@EVERY
def test_writing_into_the_weights_of_one_network_leaves_the_next_as_it_was(topology: str) -> None:
    ref = matrix(topology, 12).copy()
    esn = ESN(12, None, DENSITY, topology=topology, random_state=0).build(1)
    weights = esn.recurrent_weights_
    (weights.data if sp.issparse(weights) else weights)[...] = 5.0
    np.testing.assert_array_equal(matrix(topology, 12), ref)


@EVERY
@pytest.mark.parametrize("units", [1, 2, 3])
def test_few_units(topology: str, units: int) -> None:
    if units >= PROMISES[topology].least:
        assert matrix(topology, units, radius=0.9, density=1.0).shape == (units, units)
    else:
        with pytest.raises(ParameterError, match=r"has no weights|'units' parameter|'blocks' topology option"):
            matrix(topology, units, radius=0.9, density=1.0)


@pytest.mark.parametrize("topology", WEIGHTED)
def test_distributions_of_weights(topology: str) -> None:
    uniform, normal, sign = (
        w[w != 0.0] for w in (matrix(topology, 100, density=0.3, weights=w) for w in ("uniform", "normal", "sign"))
    )
    assert np.abs(uniform).max() <= 1.0 and abs(np.std(uniform) - np.sqrt(1 / 3)) < 0.06
    assert np.abs(normal).max() > 2.0 and abs(np.std(normal) - 1.0) < 0.12
    assert set(sign) == {-1.0, 1.0}
    for values in (uniform, normal, sign):
        assert abs(np.mean(values)) < 0.2


# The structure of each


@pytest.mark.parametrize(("units", "density"), [(20, 0.2), (33, 0.5), (7, 1.0), (50, 0.001)])
def test_diagonals_have_as_many_connections_into_as_out_of_every_unit(units: int, density: float) -> None:
    comp = matrix("diagonals", units, density=density) != 0.0
    count = max(round(density * units), 1)
    assert (comp.sum(axis=0) == count).all() and (comp.sum(axis=1) == count).all()
    for i in range(units):  # cyclic: the pattern of row i is that of row 0 moved i to the right
        np.testing.assert_array_equal(comp[i], np.roll(comp[0], i))


def test_cycle() -> None:
    comp = matrix("cycle", 4)
    np.testing.assert_array_equal(comp, [[0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])


@pytest.mark.parametrize(
    ("units", "jump", "pairs"),
    [
        (15, 5, [(0, 5), (5, 10), (10, 0)]),  # divides: the last jump returns to 0
        (18, 5, [(0, 5), (5, 10), (10, 15)]),  # does not: no jump beyond the last unit
        (14, 5, [(0, 5), (5, 10)]),
        (10, 5, [(0, 5)]),  # there and back again is the same pair, once
        (5, 5, []),  # a jump from 0 to 0 is none
        (4, 5, []),
        (9, 2, [(0, 2), (2, 4), (4, 6), (6, 8)]),
    ],
)
def test_cycle_jumps(units: int, jump: int, pairs: list[tuple[int, int]]) -> None:
    ref = matrix("cycle", units)
    for a, b in pairs:
        ref[a, b] = ref[b, a] = 0.25
    np.testing.assert_array_equal(matrix("cycle_jumps", units, jump=jump, jump_weight=0.25), ref)


def test_delay_line() -> None:
    np.testing.assert_array_equal(matrix("delay_line", 4, radius=0.7), np.diag([0.7] * 3, -1))


def test_feedback_delay_line() -> None:
    ref = np.diag([1.0] * 4, -1) + np.diag([0.3] * 4, 1)
    np.testing.assert_array_equal(matrix("feedback_delay_line", 5, feedback_weight=0.3), ref)


@pytest.mark.parametrize("units", [1, 2, 33])
def test_orthogonal(units: int) -> None:
    comp = matrix("orthogonal", units, radius=0.8)
    np.testing.assert_allclose(comp @ comp.T, 0.64 * np.eye(units), atol=1e-13)


def test_orthogonal_is_uniform_over_the_group() -> None:
    # of one unit the group is {+1, -1}; a plain QR factorization would always give the same sign
    signs = [matrix("orthogonal", 1, seed=seed)[0, 0] for seed in range(60)]
    assert 15 <= sum(sign > 0.0 for sign in signs) <= 45


def test_permutation() -> None:
    comp = matrix("permutation", 33)
    assert set(comp.ravel()) == {0.0, 1.0}
    assert (comp.sum(axis=0) == 1.0).all() and (comp.sum(axis=1) == 1.0).all()


@pytest.mark.parametrize(("units", "count"), [(9, 4), (10, 3), (7, 6), (8, 7)])
def test_small_world_without_rewiring_is_a_ring(units: int, count: int) -> None:
    comp = matrix("small_world", units, density=count / units, rewiring=0.0) != 0.0
    for i in range(units):
        distances = sorted(min((i - j) % units, (j - i) % units) for j in np.flatnonzero(comp[i]))
        assert distances == [k // 2 + 1 for k in range(count)]


@pytest.mark.parametrize("rewiring", [0.1, 0.5, 1.0])
def test_small_world_has_no_self_links_and_no_double_links(rewiring: float) -> None:
    comp = matrix("small_world", 60, density=0.2, rewiring=rewiring) != 0.0
    assert not comp.diagonal().any()
    assert (comp.sum(axis=1) == 12).all()  # a doubled link would leave fewer


def test_small_world_rewires_the_fraction_asked_for() -> None:
    ring = matrix("small_world", 200, density=0.1, rewiring=0.0) != 0.0
    comp = matrix("small_world", 200, density=0.1, rewiring=0.3) != 0.0
    assert np.mean(~ring[comp]) == pytest.approx(0.3, abs=0.04)  # 4,000 links: a standard deviation of .007


@pytest.mark.parametrize("units", [2, 7, 12, 36])
def test_lattice_neighbors(units: int) -> None:
    height, width = grid(units)
    comp = matrix("lattice", units) != 0.0
    for a in range(units):
        for b in range(units):
            apart = abs(a // width - b // width) + abs(a % width - b % width)
            assert comp[a, b] == (apart == 1)
    assert height <= width


@pytest.mark.parametrize(
    ("blocks", "inside", "density", "within", "between"),
    [
        (4, 0.9, 0.1, 144, 16),  # 40 units: 1,600 positions, 400 of them inside
        (4, 1.0, 0.1, 160, 0),
        (4, 0.0, 0.1, 0, 160),
        (1, 0.9, 0.1, 160, 0),  # there is no outside
        (8, 0.9, 0.5, 200, 600),  # only 200 positions inside: the others go outside
        (4, 0.1, 0.9, 240, 1200),  # only 1,200 outside
        (40, 0.5, 0.05, 40, 40),
    ],
)
def test_blocks(blocks: int, inside: float, density: float, within: int, between: int) -> None:
    comp = matrix("blocks", 40, density=density, blocks=blocks, inside=inside) != 0.0
    cluster = np.repeat(np.arange(blocks), 40 // blocks)
    same = cluster[:, None] == cluster[None, :]
    assert (comp[same].sum(), comp[~same].sum()) == (within, between)
