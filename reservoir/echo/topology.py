"""Recurrent matrices: a function for each topology, f(units, density, generator, **options) -> Matrix.

W[i, j] is the weight from unit j to unit i. `density` is the fraction of the N^2 entries that are not zero: diagonals,
random, small_world and blocks round it to whole connections, the other topologies have a density of their own and ignore
it. `weights` says how the entries are drawn: "uniform" in [-1, 1], standard "normal", or random "sign"s. The scale is
arbitrary: `reservoir.echo.spectral` brings every matrix to the spectral radius that is asked for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import scipy.sparse as sp

from reservoir.base.random_matrices import draw, random_orthogonal
from reservoir.kernels import matvec
from reservoir.kernels.matvec import Storage
from reservoir.validation import Choice, Constraint, DataError, Number, ParameterError, brief, check_parameters, refused, unknown


class Diagonals(NamedTuple):
    """Cyclic diagonals: W[i, (i + shifts[k]) mod N] = values[k, i]."""

    shifts: np.ndarray  # (K,), distinct, in [0, N)
    values: np.ndarray  # (K, N)


Matrix: TypeAlias = Diagonals | sp.csr_array | np.ndarray
Random: TypeAlias = np.random.Generator

FULL = ("dense", "orthogonal")
"""The topologies without zeros."""
BY_DENSITY = ("diagonals", "random", "small_world", "blocks")
"""The topologies with as many connections as the density says; those that are in neither list have a few per unit."""
OPTION_CONSTRAINTS: dict[str, Constraint] = {
    "weights": Choice(("uniform", "normal", "sign")),
    "jump": Number(low=2, integer=True),
    "jump_weight": Number(),
    "feedback_weight": Number(),
    "rewiring": Number(low=0, high=1),
    "blocks": Number(low=1, integer=True),
    "inside": Number(low=0, high=1),
}


def from_positions(units: int, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> sp.csr_array:
    """A CSR matrix with values at distinct positions, its columns sorted."""
    matrix = sp.csr_array((values, (rows, columns)), shape=(units, units))
    matrix.sort_indices()
    return matrix


def connections(units: int, density: float) -> int:
    """The number of connections per unit that a density means: at least one, at most all."""
    return min(max(round(density * units), 1), units)


def diagonals(units: int, density: float, generator: Random, *, weights: str = "uniform") -> Diagonals:
    """K = density * N random cyclic diagonals: exactly K connections into and out of every unit."""
    count = connections(units, density)
    shifts = np.sort(generator.choice(units, count, replace=False))
    return Diagonals(shifts, draw(generator, (count, units), weights))


def random(units: int, density: float, generator: Random, *, weights: str = "uniform") -> sp.csr_array:
    """density * N^2 connections at independent positions, all distinct."""
    count = max(round(density * units * units), 1)
    positions = np.sort(generator.choice(units * units, count, replace=False, shuffle=False))
    return from_positions(units, positions // units, positions % units, draw(generator, count, weights))


def cycle(units: int, density: float, generator: Random) -> Diagonals:
    """Simple cycle reservoir: unit i reads unit i - 1, all weights equal (Rodan & Tino 2011)."""
    return Diagonals(np.array([units - 1]), np.ones((1, units)))


def cycle_jumps(units: int, density: float, generator: Random, *, jump: int = 5, jump_weight: float = 0.5) -> sp.csr_array:
    """Cycle with regular jumps: the cycle, and connections both ways between units 0, jump, 2 jump, ... (Rodan & Tino 2012).

    `jump_weight` is relative to the weight of the cycle. The last jump returns to unit 0 when `jump` divides N.
    """
    here = np.arange(0, units - jump + 1, jump)
    if units in (jump, 2 * jump):  # the last jump would go from unit 0 to itself, or once more between the same two
        here = here[:-1]
    there = (here + jump) % units
    matrix = as_csr(cycle(units, density, generator))
    jumps = from_positions(units, np.r_[here, there], np.r_[there, here], np.full(2 * len(here), float(jump_weight)))
    return sp.csr_array(matrix + jumps)


def delay_line(units: int, density: float, generator: Random) -> Diagonals:
    """Delay line: unit i reads unit i - 1, unit 0 reads none (Rodan & Tino 2011).

    Its spectral radius is 0 whatever the weights; the radius asked for becomes the weight of the line.
    """
    return Diagonals(np.array([units - 1]), (np.arange(units) > 0).astype(float)[None])


def feedback_delay_line(units: int, density: float, generator: Random, *, feedback_weight: float = 0.2) -> Diagonals:
    """Delay line with backward connections from unit i + 1 of relative weight `feedback_weight` (Rodan & Tino 2011)."""
    if units < 3:
        raise refused("units", "feedback_delay_line", "an integer in [3, inf)", units)
    values = np.stack([np.full(units, float(feedback_weight)), np.ones(units)])
    values[0, -1] = values[1, 0] = 0.0
    return Diagonals(np.array([1, units - 1]), values)


def orthogonal(units: int, density: float, generator: Random) -> np.ndarray:
    """A random orthogonal matrix, uniform over the group (Mezzadri 2007)."""
    return random_orthogonal(units, generator)


def permutation(units: int, density: float, generator: Random) -> sp.csr_array:
    """A random permutation: every unit reads exactly one other, a sparse orthogonal matrix."""
    return from_positions(units, np.arange(units), generator.permutation(units), np.ones(units))


def small_world(
    units: int, density: float, generator: Random, *, rewiring: float = 0.1, weights: str = "uniform"
) -> sp.csr_array:
    """Watts & Strogatz 1998, directed: each unit reads its nearest neighbors on a ring, each link rewired at random.

    `density` gives the number of neighbors, `rewiring` the probability that a link comes from a random unit instead;
    no link is doubled and no unit reads itself.
    """
    count = min(connections(units, density), units - 1)
    reach = np.arange(1, count // 2 + 2)
    offsets = np.stack([reach, -reach], axis=1).ravel()[:count]
    columns = (np.arange(units)[:, None] + offsets) % units
    for i, k in np.argwhere(generator.random((units, count)) < rewiring):
        free = np.setdiff1d(np.arange(units), np.append(columns[i], i))
        if free.size:
            columns[i, k] = generator.choice(free)
    rows = np.repeat(np.arange(units), count)
    return from_positions(units, rows, columns.ravel(), draw(generator, units * count, weights))


def lattice(units: int, density: float, generator: Random, *, weights: str = "uniform") -> sp.csr_array:
    """A two-dimensional grid: each unit reads its neighbors above, below, left and right.

    The grid is the most nearly square one of N units (a line when N is prime), without wrap-around.
    """
    height = next(h for h in range(int(np.sqrt(units)), 0, -1) if units % h == 0)
    grid = np.arange(units).reshape(height, -1)
    left, right, above, below = (part.ravel() for part in (grid[:, :-1], grid[:, 1:], grid[:-1], grid[1:]))
    rows, columns = np.r_[left, above, right, below], np.r_[right, below, left, above]
    return from_positions(units, rows, columns, draw(generator, rows.size, weights))


def blocks(
    units: int, density: float, generator: Random, *, blocks: int = 4, inside: float = 0.9, weights: str = "uniform"
) -> sp.csr_array:
    """Clusters of equal size: density * N^2 connections, the share `inside` of them within clusters."""
    if blocks > units:
        raise ParameterError(f"The 'blocks' topology option must be an integer in [1, units = {units}]. Got {blocks} instead.")
    cluster = np.arange(units) * blocks // units
    same = cluster[:, None] == cluster[None, :]
    total = max(round(density * units * units), 1)
    within = min(max(round(inside * total), total - int((~same).sum())), int(same.sum()))
    positions = generator.choice(np.flatnonzero(same), within, replace=False)
    if total > within:
        positions = np.append(positions, generator.choice(np.flatnonzero(~same), total - within, replace=False))
    return from_positions(units, positions // units, positions % units, draw(generator, total, weights))


def dense(units: int, density: float, generator: Random, *, weights: str = "normal") -> np.ndarray:
    """Every unit reads every unit."""
    return draw(generator, (units, units), weights)


TOPOLOGIES: dict[str, Callable[..., Matrix]] = {
    "diagonals": diagonals, "random": random, "cycle": cycle, "cycle_jumps": cycle_jumps, "delay_line": delay_line,
    "feedback_delay_line": feedback_delay_line, "orthogonal": orthogonal, "permutation": permutation,
    "small_world": small_world, "lattice": lattice, "blocks": blocks, "dense": dense,
}  # fmt: skip


def topology_options(topology: str) -> dict[str, Any]:
    """The options of a topology, with their defaults."""
    parameters = inspect.signature(TOPOLOGIES[topology]).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def check_options(topology: str, options: Mapping[str, Any]) -> None:
    """Raise `ParameterError` for an option that the topology does not have, or a value it cannot take."""
    known = topology_options(topology)
    for name in options:
        if name not in known:
            raise unknown(f"option of topology {topology} called", name, known)
    check_parameters(f"topology {topology}", {name: OPTION_CONSTRAINTS[name] for name in options}, options)


def own_matrix(matrix: Any, units: int) -> Matrix:
    """A user's matrix, array or SciPy sparse, as a checked float64 copy."""
    try:
        if np.iscomplexobj(matrix):
            raise TypeError
        if sp.issparse(matrix):
            matrix = sp.csr_array(matrix, dtype=np.float64, copy=True)
            matrix.sum_duplicates()
        else:
            matrix = np.array(matrix, dtype=np.float64)
    except (TypeError, ValueError):
        raise refused("topology", "ESN", f"a ({units}, {units}) matrix of real numbers", brief(matrix)) from None
    if matrix.shape != (units, units):
        raise refused("topology", "ESN", f"a ({units}, {units}) matrix", f"shape {matrix.shape}")
    if not np.isfinite(matrix.data if sp.issparse(matrix) else matrix).all():
        raise DataError("topology: the matrix contains NaN or infinity.")
    return matrix


def stored_bytes(topology: Any, units: int, density: float) -> float:
    """The bytes of a matrix of a named topology or of the user's own, with its positions."""
    if isinstance(topology, str):
        return 8.0 * units**2 if topology in FULL else 12.0 * units * connections(units, density) * (topology in BY_DENSITY)
    return 12.0 * topology.nnz if sp.issparse(topology) else 8.0 * units**2


def scaled(matrix: Matrix, factor: float) -> Matrix:
    """factor * W, stored as W is."""
    return Diagonals(matrix.shifts, matrix.values * factor) if isinstance(matrix, Diagonals) else matrix * factor


def as_csr(matrix: Matrix) -> sp.csr_array:
    """A copy of the matrix as SciPy CSR; entries that are given twice are summed, explicit zeros are dropped."""
    if isinstance(matrix, Diagonals):
        count, units = matrix.values.shape
        rows = np.tile(np.arange(units), count)
        columns = (np.arange(units) + matrix.shifts[:, None]).ravel() % units
        matrix = from_positions(units, rows, columns, matrix.values.ravel())
    result = sp.csr_array(matrix, copy=True)
    result.sum_duplicates()
    result.eliminate_zeros()
    return result


def storage(matrix: Matrix, dtype: Any) -> Storage:
    """The matrix as the kernels read it."""
    if isinstance(matrix, Diagonals):
        return matvec.diagonals(matrix.values.astype(dtype), matrix.shifts)
    if isinstance(matrix, np.ndarray):
        return matvec.dense(matrix.astype(dtype))
    return matvec.slices(matrix.data.astype(dtype), matrix.indices, matrix.indptr)
