"""Least squares on a stream of blocks: what is summed up, and how it is solved.

The problem is always to minimize |Y - X B|^2 + ridge |B|^2 over B (F, O), the first feature left out of the penalty
when it is the bias. Taking the means away first leaves the same problem without the bias, which is how it is solved.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Self, TypeVar

import numpy as np
import scipy.linalg
from scipy.linalg import blas, lapack

from reservoir.validation import DataError, DivergenceError

Block = tuple[np.ndarray, np.ndarray]
S = TypeVar("S", bound="Statistics")
PANEL = 32  # columns that LAPACK's tpqrt takes at a time


@dataclass(frozen=True)
class Blocks:
    """A stream of (features (R, F), targets (R, O)) blocks that can be run through again; `rows` is the sum of R."""

    make: Callable[[], Iterator[Block]]
    rows: int
    n_features: int
    n_outputs: int
    bias: bool
    """Whether the first feature is the constant one."""

    @classmethod
    def of(cls, features: np.ndarray, targets: np.ndarray, bias: bool) -> Blocks:
        """One block, from arrays in memory."""
        return cls(lambda: iter([(features, targets)]), len(features), features.shape[1], targets.shape[1], bias)

    def __iter__(self) -> Iterator[Block]:
        return self.make()

    def statistics(self, kind: type[S]) -> S:
        """What the blocks sum up to."""
        return kind(self.n_features, self.n_outputs).add_all(self)

    def in_memory(self) -> Block:
        """All features and targets, as float64 copies."""
        features, targets = np.empty((self.rows, self.n_features)), np.empty((self.rows, self.n_outputs))
        row = 0
        for some_features, some_targets in self:
            features[row : row + len(some_features)] = some_features
            targets[row : row + len(some_features)] = some_targets
            row += len(some_features)
        return features, targets


@dataclass(frozen=True)
class HeldBlocks(Blocks):
    """Blocks that are kept in memory, with what they sum up to, for several readouts."""

    known: dict[type, Statistics] = field(default_factory=dict)

    @classmethod
    def holding(cls, blocks: Blocks, most_bytes: int) -> HeldBlocks:
        """These blocks; more than `most_bytes` of features are not kept but made again when they are read."""
        make = blocks.make
        if 8 * blocks.rows * blocks.n_features <= most_bytes:
            kept = [(features.copy(), targets) for features, targets in blocks]
            make = lambda: iter(kept)  # noqa: E731
        return cls(make, blocks.rows, blocks.n_features, blocks.n_outputs, blocks.bias)

    def statistics(self, kind: type[S]) -> S:
        """A copy of what the blocks sum up to: a readout may go on adding to it."""
        if kind not in self.known:
            self.known[kind] = super().statistics(kind)
        found: S = copy.deepcopy(self.known[kind])  # type: ignore[assignment]
        return found


class Centered(NamedTuple):
    """What is left of the sums when means are taken away: F' = F - 1 with a bias, else F and means of zero."""

    matrix: np.ndarray  # (F', F'): X^T X, or the triangular factor of X
    right: np.ndarray  # (F', O): X^T Y, or Q^T Y
    feature_means: np.ndarray  # (F',)
    target_means: np.ndarray  # (O,)


class Statistics:
    """What is summed up over blocks."""

    rows: int

    def __init__(self, n_features: int, n_outputs: int) -> None:
        raise NotImplementedError

    def add(self, features: np.ndarray, targets: np.ndarray) -> None:
        """Add a block."""
        raise NotImplementedError

    def add_all(self, blocks: Blocks) -> Self:
        """Add every block of a stream."""
        for features, targets in blocks:
            self.add(features, targets)
        return self

    def centered(self, bias: bool) -> Centered:
        """The sums for features and targets with their means taken away, or as they are without a bias."""
        raise NotImplementedError


class Gram(Statistics):
    """X^T X (upper triangle) and X^T Y of all blocks added."""

    def __init__(self, n_features: int, n_outputs: int) -> None:
        self.xx = np.zeros((n_features, n_features), order="F")
        self.xy = np.zeros((n_features, n_outputs), order="F")
        self.rows = 0

    def add(self, features: np.ndarray, targets: np.ndarray) -> None:
        """Add a block."""
        features = np.ascontiguousarray(features, dtype=np.float64)
        self.xx = blas.dsyrk(1.0, features.T, beta=1.0, c=self.xx, overwrite_c=1)
        targets = np.ascontiguousarray(targets, dtype=np.float64)
        # By SciPy's BLAS as well: NumPy brings its own, whose threads would still be spinning at the next dsyrk.
        self.xy = blas.dgemm(1.0, features.T, targets.T, beta=1.0, c=self.xy, trans_b=1, overwrite_c=1)
        self.rows += len(features)

    def centered(self, bias: bool) -> Centered:
        """The sums of the centered features and targets; of the matrix the upper triangle."""
        first = int(bias)
        matrix = self.xx[first:, first:].copy(order="F")
        if not bias:
            return Centered(matrix, self.xy, np.zeros(len(matrix)), np.zeros(self.xy.shape[1]))
        sums, means = self.xx[0, 1:], self.xx[0, 1:] / self.rows
        if len(matrix):  # a bias alone leaves nothing, which BLAS's wrapper refuses
            matrix = blas.dsyr(-1.0 / self.rows, sums, a=matrix, overwrite_a=1)
        return Centered(matrix, self.xy[1:] - means[:, None] * self.xy[0], means, self.xy[0] / self.rows)


class Triangle(Statistics):
    """The upper-triangular factor of (X, Y), every block folded in by Householder reflections (LAPACK tpqrt)."""

    def __init__(self, n_features: int, n_outputs: int) -> None:
        self.r = np.zeros((n_features + n_outputs, n_features + n_outputs), order="F")
        self.n_features = n_features
        self.rows = 0

    def add(self, features: np.ndarray, targets: np.ndarray) -> None:
        """Fold in a block."""
        block = np.empty((len(features), len(self.r)), order="F")
        block[:, : self.n_features] = features
        block[:, self.n_features :] = targets
        self.r, *_ = lapack.dtpqrt(0, min(PANEL, len(self.r)), self.r, block, overwrite_a=1, overwrite_b=1)
        self.rows += len(block)

    def centered(self, bias: bool) -> Centered:
        """The factor of the centered features: taking out the bias is the first step of the factorization."""
        f, first = self.n_features, int(bias)
        means = self.r[0] / self.r[0, 0] if bias else np.zeros(len(self.r))
        return Centered(np.triu(self.r[first:f, first:f]), self.r[first:f, f:], means[first:f], means[f:])


def with_bias(coefficients: np.ndarray, centered: Centered, bias: bool) -> np.ndarray:
    """(F, O): the coefficients of the centered problem with the row of the bias put first.

    Contiguous by rows, as a model file keeps them: BLAS rounds a product with another order of the same numbers otherwise.
    """
    if not bias:
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
    factor, info = lapack.dpotrf(matrix, lower=0, overwrite_a=1)
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
    """X^T X = V diag(squares) V^T and V^T X^T Y, from which every ridge has its solution at the cost of a product."""

    vectors: np.ndarray  # (F', r)
    squares: np.ndarray  # (r,)
    projected: np.ndarray  # (r, O)

    def solve(self, ridge: float) -> np.ndarray:
        """(F', O) coefficients; directions without weight in the data are left out."""
        return self.vectors @ (self.projected * self.inverse(ridge)[:, None])

    def inverse(self, ridge: float) -> np.ndarray:
        """(r,) the inverse of squares + ridge; 0 for a direction whose singular value is rounding error.

        Dependent features leave singular values of a few eps (4.4 at 400 features), where eps sqrt(F') is the border:
        dividing by those would blow up the coefficients, and eps F' would throw away what a linear reservoir remembers.
        """
        floor = np.square(np.finfo(float).eps) * len(self.vectors) * self.squares.max(initial=0.0)
        return np.where(self.squares > floor, 1.0 / np.maximum(self.squares + ridge, floor or 1.0), 0.0)


def spectrum_of_gram(centered: Centered) -> Spectrum:
    """By the eigenvectors of X^T X, negative eigenvalues (rounding errors) taken as 0."""
    squares, vectors = scipy.linalg.eigh(centered.matrix, lower=False, check_finite=False)
    return Spectrum(vectors, np.maximum(squares, 0.0), vectors.T @ centered.right)


def spectrum_of_factor(centered: Centered) -> Spectrum:
    """By the singular values of any factor A of X^T X = A^T A (the triangle, or the features themselves)."""
    u, s, vt = scipy.linalg.svd(centered.matrix, full_matrices=False, check_finite=False)
    return Spectrum(vt.T, np.square(s), s[:, None] * (u.T @ centered.right))


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
