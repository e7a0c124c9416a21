"""Least squares on a stream of blocks: its sums, and its solvers.

The problem is to minimize |Y - X B|^2 + ridge |B|^2 over B (F, O), where the penalty leaves out the first feature if it is
the bias. The solvers get features and targets less their means, which is the same problem without the bias.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
import scipy.linalg
from scipy.linalg import blas, lapack

from reservoir.validation import DataError, DivergenceError

Block = tuple[np.ndarray, np.ndarray]
S = TypeVar("S", bound="Gram | Triangle")
PANEL = 32  # columns that LAPACK's tpqrt takes at a time
COLUMNS = 128  # of a triangle that are copied at a time


@dataclass
class Blocks:
    """A stream of (features (R, F), targets (R, O)) blocks that can be iterated again; `rows` is the sum of R."""

    make: Callable[[], Iterator[Block]]
    rows: int
    n_features: int
    n_outputs: int
    bias: bool
    """Whether the first feature is the constant one."""
    last_state: np.ndarray | None = None
    """The reservoir's state (N,) after the last row; None until the blocks are read, or where there is no such state."""
    sums: dict[type, Any] | None = None
    """The sums that are kept for the next readout, by their class; None keeps none."""

    @classmethod
    def of(cls, features: np.ndarray, targets: np.ndarray, bias: bool) -> Blocks:
        """One block, from arrays in memory."""
        return cls(lambda: iter([(features, targets)]), len(features), features.shape[1], targets.shape[1], bias)

    def __iter__(self) -> Iterator[Block]:
        return self.make()

    def held(self, most_bytes: int) -> Self:
        """Keep the sums for several readouts, and the features in memory, up to `most_bytes`; larger ones are made anew."""
        if 8 * self.rows * self.n_features <= most_bytes:
            kept = list(self)
            self.make = lambda: iter(kept)
        self.sums = {}
        return self

    def summed(self, kind: type[S]) -> S:
        """The sums over all blocks; a copy of those that are kept, to which the caller may add."""
        sums = None if self.sums is None else self.sums.get(kind)
        if sums is None:
            sums = self.added_to(kind(self.n_features, self.n_outputs, self.bias))
            if self.sums is None:
                return sums
            self.sums[kind] = sums
        return copy.deepcopy(sums)

    def added_to(self, sums: S) -> S:
        """Add every block to `sums`, and return them."""
        for features, targets in self:
            sums.add(features, targets)
        return sums

    def in_memory(self) -> Block:
        """All features and targets, as float64 copies."""
        features, targets = np.empty((self.rows, self.n_features)), np.empty((self.rows, self.n_outputs))
        row = 0
        for some_features, some_targets in self:
            features[row : row + len(some_features)] = some_features
            targets[row : row + len(some_features)] = some_targets
            row += len(some_features)
        return features, targets


class Centered(NamedTuple):
    """The sums for features and targets less their means: F' = F - 1 with a bias; without, F' = F and the means are 0."""

    matrix: np.ndarray  # (F', F'): X^T X, or the triangular factor of X
    right: np.ndarray  # (F', O): X^T Y, or Q^T Y
    feature_means: np.ndarray  # (F',)
    target_means: np.ndarray  # (O,)
    bias: bool


def upper_triangle(matrix: np.ndarray) -> np.ndarray:
    """A copy of the upper triangle of a matrix, with zeros below, or what `matrix` has there near the diagonal.

    Half of a large matrix takes less than half the time: pages of zeros that nobody writes are never made.
    """
    copy = np.zeros(matrix.shape, order="F")
    for start in range(0, len(matrix), COLUMNS):
        stop = start + COLUMNS
        copy[:stop, start:stop] = matrix[:stop, start:stop]
    return copy


class Gram:
    """X^T X (upper triangle) and X^T Y of all blocks added."""

    def __init__(self, n_features: int, n_outputs: int, bias: bool) -> None:
        self.xx = np.zeros((n_features, n_features), order="F")
        self.xy = np.zeros((n_features, n_outputs), order="F")
        self.bias, self.rows = bias, 0

    def add(self, features: np.ndarray, targets: np.ndarray) -> None:
        """Add a block."""
        features = np.ascontiguousarray(features, dtype=np.float64)
        self.xx = blas.dsyrk(1.0, features.T, beta=1.0, c=self.xx, overwrite_c=1)
        targets = np.ascontiguousarray(targets, dtype=np.float64)
        # By SciPy's BLAS as well: NumPy brings its own, whose threads would still be spinning at the next dsyrk.
        self.xy = blas.dgemm(1.0, features.T, targets.T, beta=1.0, c=self.xy, trans_b=1, overwrite_c=1)
        self.rows += len(features)

    def centered(self) -> Centered:
        """The sums of the centered features and targets; of the matrix the upper triangle."""
        first = int(self.bias)
        matrix = upper_triangle(self.xx[first:, first:])
        if not self.bias:
            return Centered(matrix, self.xy, np.zeros(len(matrix)), np.zeros(self.xy.shape[1]), False)
        sums, means = self.xx[0, 1:], self.xx[0, 1:] / self.rows
        if len(matrix):  # a bias alone leaves nothing, which BLAS's wrapper refuses
            matrix = blas.dsyr(-1.0 / self.rows, sums, a=matrix, overwrite_a=1)
        return Centered(matrix, self.xy[1:] - means[:, None] * self.xy[0], means, self.xy[0] / self.rows, True)


class Triangle:
    """The upper-triangular factor of (X, Y), every block folded in by Householder reflections (LAPACK tpqrt)."""

    def __init__(self, n_features: int, n_outputs: int, bias: bool) -> None:
        self.r = np.zeros((n_features + n_outputs, n_features + n_outputs), order="F")
        self.n_features, self.bias = n_features, bias

    def add(self, features: np.ndarray, targets: np.ndarray) -> None:
        """Fold in a block."""
        block = np.empty((len(features), len(self.r)), order="F")
        block[:, : self.n_features], block[:, self.n_features :] = features, targets
        self.r, *_ = lapack.dtpqrt(0, min(PANEL, len(self.r)), self.r, block, overwrite_a=1, overwrite_b=1)

    def centered(self) -> Centered:
        """The factor of the centered features: taking out the bias is the first step of the factorization."""
        f, first = self.n_features, int(self.bias)
        means = self.r[0] / self.r[0, 0] if self.bias else np.zeros(len(self.r))
        return Centered(np.triu(self.r[first:f, first:f]), self.r[first:f, f:], means[first:f], means[f:], self.bias)


def with_bias(coefficients: np.ndarray, centered: Centered) -> np.ndarray:
    """The coefficients (F, O): those of the centered problem, (F', O), below the row of the bias, where there is one.

    They are contiguous by rows, as a model file keeps them: BLAS rounds a product otherwise if they lie in another order.
    """
    if not centered.bias:
        return np.ascontiguousarray(coefficients)
    constant = centered.target_means - centered.feature_means @ coefficients
    return np.ascontiguousarray(np.concatenate([constant[None, :], coefficients]))


def solve_cholesky(matrix: np.ndarray, right: np.ndarray, ridge: float) -> np.ndarray:
    """(matrix + ridge I)^-1 right, from the upper triangle of the matrix, which it overwrites.

    Raises `DataError` when the sum is not positive definite.
    """
    if not len(matrix):  # nothing but a bias, which LAPACK's wrapper refuses
        return right
    np.einsum("ii->i", matrix)[:] += ridge
    factor, info = lapack.dpotrf(matrix, lower=0, clean=0, overwrite_a=1)
    if info:
        raise DataError(
            "readout: the features are too nearly dependent for solver 'cholesky'; raise ridge, or use 'qr' or 'svd'."
        )
    return lapack.dpotrs(factor, right, lower=0)[0]


def solve_qr(triangle: np.ndarray, right: np.ndarray, ridge: float) -> np.ndarray:
    """Minimize |right - triangle B|^2 + ridge |B|^2 by one more factorization.

    Raises `DataError` for linearly dependent features without a ridge, `DivergenceError` where a ridge does not help.
    """
    size, n_outputs = right.shape
    rest = right
    if ridge > 0.0:  # sqrt(ridge) I is one more block of rows, itself triangular, with targets of 0
        joined = np.zeros((size + n_outputs, size + n_outputs), order="F")
        joined[:size, :size], joined[:size, size:] = triangle, right
        penalty = np.zeros((size, size + n_outputs), order="F")
        np.fill_diagonal(penalty, np.sqrt(ridge))
        joined, *_ = lapack.dtpqrt(size, min(PANEL, size + n_outputs), joined, penalty, overwrite_a=1, overwrite_b=1)
        triangle, rest = np.triu(joined[:size, :size]), joined[:size, size:]
    diagonal = np.abs(np.diag(triangle))
    if size and diagonal.min() <= np.finfo(float).eps * diagonal.max():
        if ridge > 0.0:
            raise DivergenceError(
                "The states differ in size by more than double precision holds; lower spectral_radius or the scalings."
            )
        raise DataError("readout: the features are linearly dependent; give a ridge above 0, or use solver 'svd'.")
    return np.asarray(scipy.linalg.solve_triangular(triangle, rest, check_finite=False))


class Spectrum(NamedTuple):
    """X^T X = V diag(squares) V^T and V^T X^T Y, which give the solution for any ridge at the cost of a product."""

    vectors: np.ndarray  # (F', r)
    squares: np.ndarray  # (r,)
    projected: np.ndarray  # (r, O)

    def solve(self, ridge: float) -> np.ndarray:
        """The coefficients (F', O); directions in which the data do not vary get none."""
        return self.vectors @ (self.projected * self.inverse(ridge)[:, None])

    def inverse(self, ridge: float) -> np.ndarray:
        """The inverse (r,) of squares + ridge; 0 for a direction whose singular value is rounding error.

        Dependent features leave singular values of a few eps (4.4 at 400 features). Below eps sqrt(F') of the largest they
        count as 0: dividing by them would blow up the coefficients, and a border of eps F' would throw away what a linear
        reservoir remembers.
        """
        floor = np.square(np.finfo(float).eps) * len(self.vectors) * self.squares.max(initial=0.0)
        return np.where(self.squares > floor, 1.0 / np.maximum(self.squares + ridge, floor or 1.0), 0.0)


def decompose(centered: Centered, gram: bool) -> Spectrum:
    """The spectrum of a Gram matrix X^T X, or of any factor A of it, X^T X = A^T A (the triangle, or the features themselves)."""
    if gram:
        squares, vectors = scipy.linalg.eigh(centered.matrix, lower=False, check_finite=False)
        return Spectrum(vectors, np.maximum(squares, 0.0), vectors.T @ centered.right)  # eigenvalues below 0 are rounding errors
    u, s, vt = scipy.linalg.svd(centered.matrix, full_matrices=False, check_finite=False)
    return Spectrum(vt.T, np.square(s), s[:, None] * (u.T @ centered.right))


SOLVERS: dict[str, Callable[[Centered, float], np.ndarray]] = {
    "cholesky": lambda sums, ridge: solve_cholesky(sums.matrix, sums.right, ridge),
    "qr": lambda sums, ridge: solve_qr(sums.matrix, sums.right, ridge),
    "svd": lambda sums, ridge: decompose(sums, gram=False).solve(ridge),
    "dual": lambda rows, ridge: rows.matrix.T @ solve_cholesky(rows.matrix @ rows.matrix.T, rows.right, ridge),
}
"""From the centered sums, or from the centered rows themselves ("dual", or "svd"), to coefficients (F', O)."""


def leave_one_out(blocks: Blocks, centered: Centered, spectrum: Spectrum, ridges: np.ndarray) -> np.ndarray:
    """The mean squared leave-one-out error of each ridge, (K,), in closed form: the mean of (e / (1 - h))^2.

    h is the leverage of a row (Allen 1974; Golub, Heath & Wahba 1979). One pass over the blocks serves all ridges.
    """
    errors = np.zeros(len(ridges))
    first = int(blocks.bias)
    for features, targets in blocks:
        z = (features[:, first:] - centered.feature_means) @ spectrum.vectors
        squares = np.square(z)
        for k, ridge in enumerate(ridges):
            inverse = spectrum.inverse(ridge)
            residuals = targets - centered.target_means - z @ (spectrum.projected * inverse[:, None])
            leverage = squares @ inverse + first / blocks.rows
            errors[k] += np.square(residuals / np.maximum(1.0 - leverage, 1e-12)[:, None]).sum()
    return errors / (blocks.rows * blocks.n_outputs)
