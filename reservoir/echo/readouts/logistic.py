"""A classifier readout that models probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from reservoir.base.sequence_estimator import softmax
from reservoir.echo.readouts.base import Readout
from reservoir.echo.readouts.least_squares import Blocks
from reservoir.validation import Constraint, DataError, Number


class Logistic(Readout):
    """Multinomial logistic regression with a ridge penalty, by scikit-learn's L-BFGS, on standardized features.

    It minimizes the summed cross-entropy plus ridge / 2 |B|^2, where B are the coefficients of features of variance one; for
    two classes, of which only the difference of the outputs counts, B is that one column. It holds all features in memory;
    `coefficients_` (n_classes, n_features) are those of the features as they are.

    Parameters
    ----------
    ridge : the penalty, > 0
    max_iter : the largest number of L-BFGS iterations
    """

    classifier = True
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "ridge": Number(low=0, open_low=True),
        "max_iter": Number(low=1, integer=True),
    }

    def __init__(self, ridge: float = 1.0, max_iter: int = 500) -> None:
        self.ridge = ridge
        self.max_iter = max_iter

    def fit(self, blocks: Blocks) -> Self:
        """Fit to all blocks, whose targets are one-hot. Raises `DataError` for one class alone, and when a class has no row."""
        from sklearn.linear_model import LogisticRegression

        self.check()
        features, targets = blocks.in_memory()
        labels = targets.argmax(axis=1)
        found = len(np.unique(labels))
        if found < 2:
            raise DataError("targets: a logistic readout needs at least two classes. Got one class.")
        if found < targets.shape[1]:
            raise DataError(
                f"targets: only {found} of {targets.shape[1]} classes are in the rows that a logistic readout is fitted to;"
                " lower washout, or leave the others out."
            )
        first = int(blocks.bias)
        means, spread = features[:, first:].mean(axis=0), features[:, first:].std(axis=0)
        spread[spread == 0.0] = 1.0
        model = LogisticRegression(C=1.0 / self.ridge, max_iter=self.max_iter, fit_intercept=bool(first))
        model.fit((features[:, first:] - means * first) / spread, labels)
        weights, intercept = model.coef_.T / spread[:, None], model.intercept_
        if weights.shape[1] == 1:  # two classes: scikit-learn keeps the difference of their outputs
            weights, intercept = np.concatenate([0.0 * weights, weights], axis=1), np.r_[0.0, intercept]
        intercept = (intercept - means @ weights)[None, :]
        self.coefficients_ = np.ascontiguousarray(np.concatenate([intercept, weights]) if first else weights).T
        return self

    def memory(self, rows: int, n_features: int, n_outputs: int) -> dict[str, float]:
        """The bytes of the features, which are held in memory, and of their standardized copy."""
        return {"features": 16.0 * rows * n_features}

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """The softmax of outputs (..., n_classes)."""
        return softmax(outputs)
