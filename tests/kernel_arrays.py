"""Random arrays and matrices for the kernels of reservoirs."""

from __future__ import annotations

import naive
import numpy as np
import scipy.sparse as sp

from reservoir.echo.topology import Diagonals, storage
from reservoir.kernels import matvec
from reservoir.kernels.activations import CODES
from reservoir.kernels.drive import ReservoirWeights
from reservoir.kernels.jit import COMPILES

DTYPES = (np.float64, np.float32)
SIZES = (1, 7, 33, 64) if COMPILES else (1, 7, 33)
STORAGES = ("diagonals", "csr", "dense")


def close(comp: np.ndarray, ref: np.ndarray) -> None:
    """Equal up to rounding in the precision of `comp`."""
    comp = np.asarray(comp)
    tolerance = 1e-12 if comp.dtype == np.float64 else 2e-5
    np.testing.assert_allclose(comp, ref, rtol=tolerance, atol=tolerance)


def random(shape: int | tuple[int, ...], dtype: type, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, shape).astype(dtype)


def sparse(units: int, dtype: type, seed: int = 0) -> np.ndarray:
    """A matrix with many zeros, an empty row and an empty column."""
    matrix = random((units, units), dtype, seed) * (random((units, units), dtype, seed + 1) > 0.4)
    matrix[units // 2] = matrix[:, units // 3] = 0.0
    return matrix


def recurrent(kind: str, units: int, dtype: type, count: int = 7, seed: int = 0) -> tuple[matvec.Storage, np.ndarray]:
    """A random matrix as the kernels read it, and as an array."""
    if kind == "diagonals":
        count = min(count, units)
        shifts = np.random.default_rng(seed).permutation(units)[:count]
        values = random((count, units), dtype, seed) / np.sqrt(count)
        return storage(Diagonals(shifts, values), dtype), naive.diagonals_matrix(values, shifts)
    matrix = (sparse if kind == "csr" else random)((units, units) if kind == "dense" else units, dtype, seed)
    matrix /= dtype(np.sqrt(units))
    return storage(sp.csr_array(matrix) if kind == "csr" else matrix, dtype), matrix


def network(
    kind: str, units: int, stacked: tuple[int, int], dtype: type, activation: str = "tanh", leak: float | None = None
) -> tuple[ReservoirWeights, naive.Network]:
    """A random network of I inputs and O fed-back outputs as the kernel reads it, and in the symbols of the equations."""
    matrix, w = recurrent(kind, units, dtype)
    into, back, bias = (random(shape, dtype, k) for k, shape in enumerate([(units, stacked[0]), (units, stacked[1]), units], 5))
    rates = random(units, dtype, 9) ** 2 / 2 + dtype(0.5) if leak is None else np.full(units, leak, dtype)
    stack = np.ascontiguousarray(np.concatenate([into, back], axis=1).T)
    fast = ReservoirWeights(matrix, stack, bias, rates, CODES[activation])
    return fast, naive.Network(w, into, back, bias, rates, activation, np.zeros(units))
