"""The spectral radius where it is hard to compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from messages import mentions
from scipy.optimize import brentq

from reservoir import ESN, ParameterError, spectral_radius
from reservoir.echo import reservoir as drawing
from reservoir.echo.spectral import circular_law_radius, to_unit_radius
from reservoir.echo.topology import Diagonals, as_csr, diagonals, random


def normal(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def shuffled(matrix: np.ndarray, seed: int = 5) -> np.ndarray:
    order = np.random.default_rng(seed).permutation(len(matrix))
    return matrix[np.ix_(order, order)]


@pytest.mark.parametrize("units", [1, 2, 7, 33, 120])
@pytest.mark.parametrize("kind", [np.array, sp.csr_array, sp.csc_array, sp.coo_array])
def test_random_matrices(kind: Callable[[np.ndarray], Any], units: int) -> None:
    matrix = normal((units, units)) * (np.random.default_rng(1).random((units, units)) < 0.3)
    assert spectral_radius(kind(matrix)) == pytest.approx(naive.spectral_radius(matrix), rel=1e-9, abs=1e-300)


def test_cyclic_diagonals() -> None:
    values, shifts = normal((3, 20)), np.array([0, 3, 11])
    ref = naive.spectral_radius(naive.diagonals_matrix(values, shifts))
    assert spectral_radius(Diagonals(shifts, values)) == pytest.approx(ref, rel=1e-10)


def test_symmetric() -> None:
    matrix = normal((50, 50)) + normal((50, 50)).T
    assert spectral_radius(matrix) == pytest.approx(np.abs(np.linalg.eigvalsh(matrix)).max(), rel=1e-12)


@pytest.mark.parametrize("units", [2, 60, 300])
def test_nilpotent_is_exactly_zero(units: int) -> None:
    assert spectral_radius(shuffled(np.triu(normal((units, units)), 1))) == 0.0


def test_zeros() -> None:
    assert spectral_radius(np.zeros((3, 3))) == 0.0


def test_weighted_permutation_has_the_geometric_mean_of_its_heaviest_cycle() -> None:
    # cycles (0 1 2) of weights 2, 4, 8 and (3 4) of weights -9, 4: the means are 4 and 6
    matrix = np.zeros((6, 6))
    for i, j, weight in [(0, 1, 2.0), (1, 2, 4.0), (2, 0, 8.0), (3, 4, -9.0), (4, 3, 4.0), (5, 5, 1.0)]:
        matrix[i, j] = weight
    assert spectral_radius(matrix) == pytest.approx(6.0, rel=1e-14)
    assert spectral_radius(matrix[:3, :3]) == pytest.approx(4.0, rel=1e-14)


def test_long_cycle_with_one_weak_link() -> None:
    values = np.ones((1, 400))
    values[0, 7] = 1e-200
    assert spectral_radius(Diagonals(np.array([399]), values)) == pytest.approx(10.0**-0.5, rel=1e-12)


def test_block_triangular_with_heavy_coupling() -> None:
    parts = [normal((n, n), n) for n in (3, 10, 20)]
    matrix = 1e8 * np.triu(np.ones((33, 33)))
    start = 0
    for part in parts:
        matrix[start : start + len(part), start : start + len(part)] = part
        start += len(part)
    ref = max(naive.spectral_radius(part) for part in parts)
    assert spectral_radius(shuffled(matrix)) == pytest.approx(ref, rel=1e-9)


@pytest.mark.parametrize("units", [3, 100, 600, 2500])
@pytest.mark.parametrize("back", [0.2, 1e-3, -0.2, -1.0])
def test_lopsided_tridiagonal(back: float, units: int) -> None:
    matrix = sp.diags_array([np.ones(units - 1), np.full(units - 1, back)], offsets=[-1, 1])
    ref = 2.0 * np.sqrt(abs(back)) * np.cos(np.pi / (units + 1))  # imaginary eigenvalues where `back` is negative
    assert spectral_radius(matrix) == pytest.approx(ref, rel=1e-9)


@pytest.mark.parametrize("units", [30, 600])
def test_lopsided_tridiagonal_with_a_diagonal(units: int) -> None:
    matrix = sp.diags_array([np.ones(units - 1), np.full(units, -0.5), np.full(units - 1, 0.1)], offsets=[-1, 0, 1])
    ref = 0.5 + 2.0 * np.sqrt(0.1) * np.cos(np.pi / (units + 1))
    assert spectral_radius(matrix) == pytest.approx(ref, rel=1e-9)


def test_nearly_defective() -> None:
    # lambda = .9 +- sqrt(1e-10); and a Jordan block, whose eigenvalue LAPACK alone would miss by 1e-4
    assert spectral_radius(np.array([[0.9, 1.0], [1e-10, 0.9]])) == pytest.approx(0.9 + 1e-5, rel=1e-9)
    assert spectral_radius(0.9 * np.eye(4) + np.eye(4, k=1)) == pytest.approx(0.9, rel=1e-15)


def jumping_cycle(units: int, jump: int, weight: float) -> tuple[sp.csr_array, float]:
    """A cycle with jumps both ways: the Perron vector repeats every `jump` units, so l^jump = 2 weight l^(jump-1) + 1."""
    i, at = np.arange(units), np.arange(0, units, jump)
    rows, columns = np.r_[i, at, at], np.r_[(i - 1) % units, (at - jump) % units, (at + jump) % units]
    values = np.r_[np.ones(units), np.full(2 * len(at), weight)]
    matrix = sp.csr_array((values, (rows, columns)), shape=(units, units))
    return matrix, brentq(lambda z: z**jump - 2.0 * weight * z ** (jump - 1) - 1.0, 1.0, 3.0, xtol=1e-15)


@pytest.mark.parametrize("units", [200, 2500])
def test_perron_root_of_a_jumping_cycle(units: int) -> None:
    matrix, ref = jumping_cycle(units, 5, 0.5)
    assert spectral_radius(matrix) == pytest.approx(ref, rel=1e-9 if units < 2000 else 1e-4)


def test_above_the_dense_limit() -> None:
    # the eigenvalues of a Kronecker product are the products of the factors' eigenvalues
    a, b = (normal((50, 50), k) * (np.random.default_rng(k + 2).random((50, 50)) < 0.2) for k in (0, 1))
    ref = naive.spectral_radius(a) * naive.spectral_radius(b)
    assert spectral_radius(sp.kron(sp.csr_array(a), sp.csr_array(b), format="csr")) == pytest.approx(ref, rel=1e-4)


def test_large_parts_are_computed_apart() -> None:
    # 2,100 units in parts of 150: LAPACK for each of them, nothing iterative
    parts = [normal((150, 150), seed) * (np.random.default_rng(seed).random((150, 150)) < 0.1) for seed in range(14)]
    ref = max(naive.spectral_radius(part) for part in parts)
    assert spectral_radius(sp.block_diag(parts, format="csr")) == pytest.approx(ref, rel=1e-9)


def test_argument_is_not_written_to() -> None:
    matrix = sp.csr_array((np.array([1.0, 0.0, 2.0]), np.array([1, 0, 1]), np.array([0, 1, 3])), shape=(2, 2))
    kept = [part.copy() for part in (matrix.data, matrix.indices, matrix.indptr)]
    assert spectral_radius(matrix) == 2.0
    for part, ref in zip((matrix.data, matrix.indices, matrix.indptr), kept, strict=True):
        np.testing.assert_array_equal(part, ref)


def test_duplicate_entries_are_summed() -> None:
    matrix = sp.csr_array((np.array([1.0, 2.0, 4.0]), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 2))
    assert spectral_radius(matrix) == pytest.approx(np.sqrt(12.0), rel=1e-12)


def test_unit_radius() -> None:
    comp = to_unit_radius(normal((20, 20)))
    assert naive.spectral_radius(comp) == pytest.approx(1.0, rel=1e-9)
    with pytest.raises(ParameterError, match=mentions("weights")):
        to_unit_radius(np.zeros((3, 3)))


@pytest.mark.parametrize(("draw", "weights"), [(diagonals, "uniform"), (random, "normal"), (random, "sign")])
def test_circular_law(draw: Callable[..., Any], weights: str) -> None:
    # At 250 units the law is 2 % low, and the radius scatters by 1.7 %, so that the mean of 6 seeds scatters by 0.7 %.
    ratios = []
    for seed in range(6):
        matrix = draw(250, 20 / 250, np.random.default_rng(seed), weights=weights)
        ratios.append(circular_law_radius(matrix) / spectral_radius(matrix))
    assert np.mean(ratios) == pytest.approx(0.98, abs=0.02)


def test_circular_law_by_hand() -> None:
    # s = sqrt(2^2 + 1^2) = 2.236068; g = log(1000 / 2 pi) - 2 log log 1000 = 5.069878 - 2 * 1.932645 = 1.204588;
    # s (1 + sqrt(g / 4000)) = 2.236068 * 1.0173536 = 2.274872
    matrix = Diagonals(np.array([3, 70]), np.stack([np.full(1000, 2.0), np.full(1000, -1.0)]))
    assert circular_law_radius(matrix) == pytest.approx(2.274872, rel=1e-6)
    assert circular_law_radius(as_csr(matrix)) == pytest.approx(2.274872, rel=1e-6)


@pytest.mark.parametrize(
    ("units", "kept", "topology", "by_law"),
    [(301, 10, "diagonals", True), (301, 10, "random", True), (301, 9, "random", False), (301, 10, "blocks", False),
     (300, 10, "random", False)],
)  # fmt: skip
def test_large_matrices_are_scaled_by_the_circular_law(
    monkeypatch: pytest.MonkeyPatch, units: int, kept: int, topology: str, by_law: bool
) -> None:
    monkeypatch.setattr(drawing, "LARGE", 300)
    drawing._drawn_matrix.cache_clear()
    esn = ESN(units=units, density=kept / units, topology=topology, spectral_radius=0.5, random_state=3).build(1)
    drawing._drawn_matrix.cache_clear()
    exact = spectral_radius(esn.recurrent_weights_) == pytest.approx(0.5, rel=1e-9)
    assert exact is not by_law
    assert spectral_radius(esn.recurrent_weights_) == pytest.approx(0.5, rel=0.06)
