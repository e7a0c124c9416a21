"""Linear regression with a ridge penalty as a readout, and as a classifier on one-hot targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from reservoir.echo.readouts.base import Readout
from reservoir.echo.readouts.least_squares import (
    Block,
    Blocks,
    Centered,
    Gram,
    Spectrum,
    Statistics,
    Triangle,
    leave_one_out,
    solve_cholesky,
    solve_qr,
    spectrum_of_factor,
    spectrum_of_gram,
    with_bias,
)
from reservoir.validation import Choice, Constraint, Number, ParameterError

SOLVERS = ("auto", "cholesky", "qr", "svd")


class Ridge(Readout):
    """Linear regression with a ridge penalty: minimize |Y - X B|^2 + ridge |B|^2, the bias not penalized.

    Parameters
    ----------
    ridge : the penalty, >= 0, added to the sums (not to the means) of squares; or a list of penalties, from which the
        one with the least leave-one-out error is taken, computed in closed form from one decomposition
    solver : how the least-squares problem is solved
        "cholesky" on the Gram matrix X^T X: fastest, but squares the condition number
        "qr" folds each block into a triangular factor: condition number not squared, about 3 times slower
        "svd" of that factor: also for linearly dependent features, between which it shares the weight out
        "auto" takes cholesky where the (smallest) ridge is at least 10 eps trace(X^T X), so that it outweighs the rounding
        errors of the Gram matrix, otherwise qr, or svd where the ridge is 0. With fewer rows than features it solves
        the dual problem instead, by the same rule, or else by svd. `partial_fit`, which sees data once, takes qr.

    Attributes
    ----------
    coefficients_ : (n_outputs, n_features)
    ridge_ : the penalty used
    solver_ : the solver used; "dual" when there were fewer rows than features
    leave_one_out_ : (n_ridges,) mean squared leave-one-out errors, when `ridge` is a list

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])  # a bias and one feature
    >>> Ridge(ridge=0.0).fit_arrays(x, np.array([[1.0], [3.0], [5.0]]), bias=True).coefficients_.round(9)
    array([[1., 2.]])
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {"ridge": Number(low=0, array=True), "solver": Choice(SOLVERS)}

    _statistics: Statistics | None = None  # the sums so far, to which partial_fit adds
    _kept: Block | None = None  # all rows, where they were too few to sum up
    _coefficients: np.ndarray | None = None  # (F, O); None after partial_fit, until they are asked for

    def __init__(self, ridge: float | Sequence[float] = 1e-8, solver: str = "auto") -> None:
        self.ridge = ridge
        self.solver = solver

    def fit(self, blocks: Blocks) -> Self:
        """Fit to all blocks, read once, or twice where a list of ridges or "auto" needs it."""
        self.check()
        self._bias, self._statistics, self._kept = blocks.bias, None, None
        if blocks.rows < blocks.n_features and self.solver in ("auto", "cholesky"):
            return self._fit_wide(blocks)
        smallest = float(np.min(self.ridge))
        if self.solver in ("auto", "cholesky"):
            gram = blocks.statistics(Gram)
            if self.solver == "cholesky" or _covers(smallest, np.trace(gram.xx)):
                return self._solve(gram, "cholesky", blocks)
        return self._solve(
            blocks.statistics(Triangle), self.solver if self.solver != "auto" else "qr" if smallest > 0.0 else "svd", blocks
        )

    def fit_arrays(self, features: np.ndarray, targets: np.ndarray, bias: bool) -> Self:
        """Fit to features (T, F) and targets (T, O) in memory; `bias` says that the first feature is the constant one."""
        return self.fit(Blocks.of(features, targets, bias))

    def partial_fit(self, blocks: Blocks) -> Self:
        """Add blocks to what was fitted before, in constant memory. Raises `ParameterError` for a list of ridges."""
        self.check()
        if np.size(self.ridge) > 1:
            raise ParameterError(
                f"The 'ridge' parameter of {type(self).__name__} must be one number for partial_fit. Got {self.ridge!r} instead."
            )
        self._statistics = (self._statistics or self._first_statistics(blocks)).add_all(blocks)
        self._coefficients = None
        return self

    @property
    def coefficients_(self) -> np.ndarray:
        """(n_outputs, n_features); solved for when first read after `partial_fit`."""
        if self._coefficients is None:
            if self._statistics is None:
                raise AttributeError("the readout is not fitted")
            solver = "cholesky" if isinstance(self._statistics, Gram) else "svd" if self.solver == "svd" else "qr"
            self._solve(self._statistics, solver, None)
        assert self._coefficients is not None
        return self._coefficients.T

    @coefficients_.setter
    def coefficients_(self, coefficients: np.ndarray) -> None:
        self._coefficients = coefficients.T

    def _first_statistics(self, blocks: Blocks) -> Statistics:
        if self._coefficients is not None and self._kept is None:
            raise ParameterError("partial_fit cannot go on: a model file holds the weights, not the sums behind them; use fit.")
        self._bias = blocks.bias
        statistics = (Gram if self.solver == "cholesky" else Triangle)(blocks.n_features, blocks.n_outputs)
        if self._kept is not None:
            statistics.add(*self._kept)
            self._kept = None
        return statistics

    def _solve(self, statistics: Statistics, solver: str, blocks: Blocks | None) -> Self:
        self._statistics, self.solver_ = statistics, solver
        centered = statistics.centered(self._bias)
        if blocks is not None and np.size(self.ridge) > 1:
            spectrum = spectrum_of_gram(centered) if solver == "cholesky" else spectrum_of_factor(centered)
            return self._choose(blocks, centered, spectrum)
        self.ridge_ = float(np.min(self.ridge))
        if solver == "svd":
            coefficients = spectrum_of_factor(centered).solve(self.ridge_)
        else:
            solve = solve_cholesky if solver == "cholesky" else solve_qr
            coefficients = solve(centered.matrix, centered.right, self.ridge_)
        self._coefficients = with_bias(coefficients, centered, self._bias)
        return self

    def _fit_wide(self, blocks: Blocks) -> Self:
        """Fewer rows than features: everything in memory, the dual problem of as many unknowns as rows."""
        features, targets = self._kept = blocks.in_memory()
        first = int(blocks.bias)
        means, target_means = features[:, first:].mean(axis=0) * first, targets.mean(axis=0) * first
        x, y = features[:, first:] - means, targets - target_means
        centered = Centered(x, y, means, target_means)
        self.ridge_ = float(np.min(self.ridge))
        if np.size(self.ridge) > 1 or (self.solver == "auto" and not _covers(self.ridge_, np.square(x).sum())):
            self.solver_ = "svd"
            return self._choose(blocks, centered, spectrum_of_factor(centered))
        self.solver_ = "dual"
        self._coefficients = with_bias(x.T @ solve_cholesky(x @ x.T, y, self.ridge_), centered, blocks.bias)
        return self

    def _choose(self, blocks: Blocks, centered: Centered, spectrum: Spectrum) -> Self:
        """The ridge of least leave-one-out error; the larger one on a tie."""
        ridges = np.atleast_1d(np.asarray(self.ridge, dtype=np.float64))
        if len(ridges) > 1:
            self.leave_one_out_ = leave_one_out(blocks, centered, spectrum, ridges)
            self.ridge_ = float(ridges[self.leave_one_out_ == self.leave_one_out_.min()].max())
        self._coefficients = with_bias(spectrum.solve(self.ridge_), centered, blocks.bias)
        return self


def _covers(ridge: float, trace: float) -> bool:
    """Whether a ridge outweighs the rounding errors of a Gram matrix of this trace."""
    return bool(ridge > 0.0 and ridge >= 10.0 * np.finfo(float).eps * trace)


class RidgeClassifier(Ridge):
    """`Ridge` on one-hot targets: the class of the largest output wins. Parameters and attributes are those of `Ridge`."""

    classifier = True
