"""The base of every readout, of the library's and of a user's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from reservoir.base.estimator import Estimator
from reservoir.base.model_file import check_shapes
from reservoir.echo.readouts.least_squares import Blocks


class Readout(Estimator):
    """A readout maps features z to outputs y. A subclass works as the `readout` of an `ESN`.

    The constructor stores its parameters under their names, and does no more; `constraints` may say which values
    `self.check()` accepts. A subclass must have `fit`, which sets `coefficients_`. It may have

    - `partial_fit(blocks)`, like `fit`, which learns on from more data: `ESN.partial_fit` needs it
    - `classifier = True`: the targets are one-hot rows, and the class of the largest output wins
    - `probabilities(outputs)`, which turns outputs (..., n_classes) into probabilities: `ESN.predict_proba` needs it
    - `memory(rows, n_features, n_outputs)`: the bytes that `fit` takes, by what takes them, so that `ESN.fit` can refuse in time
    - `to_arrays` and `restore`, if a model file must hold more than `coefficients_`
    - `linear = False` and `outputs(features)`, if the outputs are not linear in the features: then `fit` need not set
      `coefficients_`, `save` needs `to_arrays` and `restore`, and closed loops run step by step in Python

    Attributes
    ----------
    coefficients_ : (n_outputs, n_features): y = coefficients_ @ z
    """

    classifier: ClassVar[bool] = False
    linear: ClassVar[bool] = True
    coefficients_: np.ndarray

    def fit(self, blocks: Blocks) -> Self:
        """Fit to a stream of (features (R, F), targets (R, O)) blocks, which can be iterated again.

        `blocks` has the sums `rows`, `n_features`, `n_outputs`, and `bias`: whether the first feature is the constant one.
        `blocks.in_memory()` gives all of them as two arrays.
        """
        raise NotImplementedError

    def memory(self, rows: int, n_features: int, n_outputs: int) -> dict[str, float]:
        """The least bytes that `fit` takes for features (rows, n_features), by the name of what takes them."""
        return {"coefficients": 8.0 * n_features * n_outputs}

    def outputs(self, features: np.ndarray) -> np.ndarray:
        """Outputs (R, O) for features (R, F)."""
        outputs: np.ndarray = features @ self.coefficients_.T
        return outputs

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name that a model file keeps of a fitted readout."""
        return {"coefficients": self.coefficients_.T}

    def restore(self, arrays: Mapping[str, np.ndarray], n_features: int, n_outputs: int) -> None:
        """Take over the arrays of `to_arrays`, which `arrays` holds beside those of the network.

        Raises `ParameterError` for a parameter out of range, KeyError or ValueError for arrays that do not fit.
        """
        self.check()
        check_shapes(arrays, coefficients=(n_features, n_outputs))
        self.coefficients_ = arrays["coefficients"].T
