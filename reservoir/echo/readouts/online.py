"""Readouts that learn step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from reservoir.base.model_file import check_shapes
from reservoir.echo.readouts.base import Readout
from reservoir.echo.readouts.least_squares import Blocks
from reservoir.kernels import online
from reservoir.validation import Choice, Constraint, DivergenceError, Number


class OnlineReadout(Readout):
    """The base of the readouts that update their weights after each row: `fit` forgets, `partial_fit` learns on."""

    remedy: ClassVar[str]
    """What to do when the weights diverge, for the error text."""

    def fit(self, blocks: Blocks) -> Self:
        """Forget, then learn from all rows once."""
        vars(self).pop("coefficients_", None)
        return self.partial_fit(blocks)

    def _start(self, n_features: int, n_outputs: int) -> None:
        self.coefficients_ = np.zeros((n_features, n_outputs)).T

    def _update(self, features: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> None:
        raise NotImplementedError

    def partial_fit(self, blocks: Blocks) -> Self:
        """Learn on from all rows once."""
        self.check()
        if not hasattr(self, "coefficients_"):
            self._start(blocks.n_features, blocks.n_outputs)
        weights = np.array(self.coefficients_, order="C")  # a copy: what was read before stays as it is
        for features, targets in blocks:
            self._update(np.ascontiguousarray(features, np.float64), np.ascontiguousarray(targets, np.float64), weights)
        if not np.isfinite(weights).all():
            raise DivergenceError(f"{type(self).__name__} diverged: the output weights are no longer finite; {self.remedy}.")
        self.coefficients_ = np.ascontiguousarray(weights.T).T  # as a model file keeps them
        return self


class RecursiveLeastSquares(OnlineReadout):
    """Recursive least squares: after every row the exact minimizer of the squared errors, of which older ones count less.

    With `forgetting` 1 the result is that of `Ridge` with the bias penalized too. O(F^2) operations per row.

    Parameters
    ----------
    forgetting : weight of the past per step, in (0, 1]; 0.999 remembers about 1,000 steps
    ridge : > 0, the penalty at the start; P begins as the identity over it

    Attributes
    ----------
    coefficients_ : (n_outputs, n_features)
    inverse_ : P, (n_features, n_features), the inverse of the weighted X^T X
    """

    remedy = "raise forgetting or ridge"
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "forgetting": Number(low=0, high=1, open_low=True),
        "ridge": Number(low=0, open_low=True),
    }

    def __init__(self, forgetting: float = 1.0, ridge: float = 1e-6) -> None:
        self.forgetting = forgetting
        self.ridge = ridge

    def _start(self, n_features: int, n_outputs: int) -> None:
        super()._start(n_features, n_outputs)
        self.inverse_ = np.eye(n_features) / self.ridge

    def memory(self, rows: int, n_features: int, n_outputs: int) -> dict[str, float]:
        """The bytes of P, and of the identity that it starts from."""
        return {"inverse": 16.0 * n_features**2}

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What a model file keeps of a fitted readout: with P, it can learn on."""
        return {**super().to_arrays(), "inverse": self.inverse_}

    def restore(self, arrays: Mapping[str, np.ndarray], n_features: int, n_outputs: int) -> None:
        """Take over what `to_arrays` gave; raises as `Readout.restore` does."""
        super().restore(arrays, n_features, n_outputs)
        check_shapes(arrays, inverse=(n_features, n_features))
        self.inverse_ = arrays["inverse"]

    def _update(self, features: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> None:
        online.rls(features, targets, float(self.forgetting), self.inverse_, weights)


class LeastMeanSquares(OnlineReadout):
    """Least mean squares (Widrow & Hoff 1960): a step along the gradient of each row's squared error. O(F) per row.

    Parameters
    ----------
    learning_rate : > 0; below 2 when normalized
    normalized : divide the rate by |z|^2, the squared length of the row's features
    """

    remedy = "lower learning_rate, or set normalized"
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "learning_rate": Number(low=0, open_low=True),
        "normalized": Choice((True, False)),
    }

    def __init__(self, learning_rate: float = 0.5, normalized: bool = True) -> None:
        self.learning_rate = learning_rate
        self.normalized = normalized

    def _update(self, features: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> None:
        online.lms(features, targets, float(self.learning_rate), bool(self.normalized), weights)
