"""Linear regression with a ridge penalty as a readout, and as a classifier on one-hot targets."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from reservoir.echo.readouts import least_squares
from reservoir.echo.readouts.base import Readout
from reservoir.echo.readouts.least_squares import Block, Blocks, Centered, Gram, Triangle
from reservoir.validation import Choice, Constraint, Number, ParameterError


class Ridge(Readout):
    """Linear regression with a ridge penalty: minimize |Y - X B|^2 + ridge |B|^2, the bias not penalized.

    Parameters
    ----------
    ridge : the penalty, >= 0, added to the sums (not to the means) of squares; or a list of penalties, of which the one with
        the least leave-one-out error is chosen, in closed form from one decomposition
    solver : how the least-squares problem is solved
        "cholesky" on the Gram matrix X^T X: fastest, but squares the condition number
        "qr" folds each block into a triangular factor: condition number not squared, about 3 times slower
        "svd" of that factor: also for linearly dependent features, among which it divides the weight
        "auto" is cholesky if the (smallest) ridge is at least 10 eps trace(X^T X), so that it outweighs the rounding errors
        of the Gram matrix; otherwise qr, or svd if the ridge is 0. With fewer rows than features it is the dual problem
        by the same rule, otherwise svd. `partial_fit`, which reads the data once, uses qr.

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

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "ridge": Number(low=0, array=True),
        "solver": Choice(("auto", "cholesky", "qr", "svd")),
    }

    sums_: Gram | Triangle | Block | None = None  # what partial_fit adds to: the sums, or the rows that were too few to sum up

    def __init__(self, ridge: float | Sequence[float] = 1e-8, solver: str = "auto") -> None:
        self.ridge = ridge
        self.solver = solver

    def fit(self, blocks: Blocks) -> Self:
        """Fit to all blocks. They are read once, or twice if a list of ridges or "auto" needs it."""
        self.check()
        self.sums_ = None
        wide = self._is_wide(blocks.rows, blocks.n_features)
        self.coefficients_ = self._fit_wide(blocks) if wide else self._fit_tall(blocks)
        return self

    def memory(self, rows: int, n_features: int, n_outputs: int) -> dict[str, float]:
        """The least bytes that `fit` takes: the sums and their centered copy, or the rows, their copy and their products."""
        if self._is_wide(rows, n_features):
            return {"features": 16.0 * rows * n_features, "products of rows": 16.0 * rows**2}
        copies = 3 if self.solver in ("qr", "svd") else 2
        return {"triangular factor" if copies == 3 else "Gram matrix": 8.0 * copies * n_features**2}

    def _is_wide(self, rows: int, n_features: int) -> bool:
        return rows < n_features and self.solver in ("auto", "cholesky")

    def fit_arrays(self, features: np.ndarray, targets: np.ndarray, bias: bool) -> Self:
        """Fit to features (T, F) and targets (T, O) in memory; `bias` says that the first feature is the constant one."""
        return self.fit(Blocks.of(features, targets, bias))

    def partial_fit(self, blocks: Blocks) -> Self:
        """Fit to these blocks and all earlier ones, in constant memory. Raises `ParameterError` for a list of ridges."""
        self.check()
        if np.size(self.ridge) > 1:
            raise ParameterError(
                f"The 'ridge' parameter of {type(self).__name__} must be one number for partial_fit. Got {self.ridge!r} instead."
            )
        sums = self.sums_
        if sums is None and "coefficients_" in vars(self):
            raise ParameterError("partial_fit cannot go on: a model file holds the weights, not the sums behind them; use fit.")
        if not isinstance(sums, (Gram, Triangle)):
            kept, kind = sums, Gram if self.solver == "cholesky" else Triangle
            sums = kind(blocks.n_features, blocks.n_outputs, blocks.bias)
            if kept is not None:
                sums.add(*kept)
        self.sums_ = blocks.added_to(sums)
        vars(self).pop("coefficients_", None)
        return self

    @functools.cached_property
    def coefficients_(self) -> np.ndarray:  # type: ignore[override]
        """(n_outputs, n_features); after `partial_fit` they are computed when they are first read."""
        if not isinstance(self.sums_, (Gram, Triangle)):
            raise AttributeError("the readout is not fitted")
        solver = "cholesky" if isinstance(self.sums_, Gram) else "svd" if self.solver == "svd" else "qr"
        return self._solve(solver, self.sums_.centered())

    def _fit_tall(self, blocks: Blocks) -> np.ndarray:
        """Coefficients (O, F) from the sums of the blocks."""
        solver, smallest = self.solver, float(np.min(self.ridge))
        if solver in ("auto", "cholesky"):
            gram = self.sums_ = blocks.summed(Gram)
            if solver == "cholesky" or _covers(smallest, np.trace(gram.xx)):
                return self._solve("cholesky", gram.centered(), blocks)
            solver = "qr" if smallest > 0.0 else "svd"
        self.sums_ = triangle = blocks.summed(Triangle)
        return self._solve(solver, triangle.centered(), blocks)

    def _fit_wide(self, blocks: Blocks) -> np.ndarray:
        """Coefficients (O, F) from fewer rows than features: the dual problem, of as many unknowns as rows."""
        features, targets = self.sums_ = blocks.in_memory()
        first = int(blocks.bias)
        means, target_means = features[:, first:].mean(axis=0) * first, targets.mean(axis=0) * first
        rows = Centered(features[:, first:] - means, targets - target_means, means, target_means, blocks.bias)
        covered = self.solver == "cholesky" or _covers(float(np.min(self.ridge)), np.square(rows.matrix).sum())
        return self._solve("dual" if covered and np.size(self.ridge) == 1 else "svd", rows, blocks)

    def _solve(self, solver: str, centered: Centered, blocks: Blocks | None = None) -> np.ndarray:
        """Coefficients (O, F) by a solver; of several ridges that of the least leave-one-out error, the larger on a tie."""
        self.solver_, self.ridge_ = solver, float(np.min(self.ridge))
        if blocks is None or np.size(self.ridge) == 1:
            return least_squares.with_bias(least_squares.SOLVERS[solver](centered, self.ridge_), centered).T
        spectrum = least_squares.decompose(centered, gram=solver == "cholesky")
        ridges = np.asarray(self.ridge, dtype=np.float64)
        self.leave_one_out_ = least_squares.leave_one_out(blocks, centered, spectrum, ridges)
        self.ridge_ = float(ridges[self.leave_one_out_ == self.leave_one_out_.min()].max())
        return least_squares.with_bias(spectrum.solve(self.ridge_), centered).T


def _covers(ridge: float, trace: float) -> bool:
    """Whether a ridge outweighs the rounding errors of a Gram matrix of this trace."""
    return bool(ridge > 0.0 and ridge >= 10.0 * np.finfo(float).eps * trace)


class RidgeClassifier(Ridge):
    """`Ridge` on one-hot targets: the class of the largest output wins. Parameters and attributes are those of `Ridge`."""

    classifier = True
