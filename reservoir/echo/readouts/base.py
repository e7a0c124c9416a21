"""The base of every readout: a linear map from features to outputs, fitted on a stream of blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from reservoir.base.estimator import Estimator
from reservoir.base.model_file import check_shapes
from reservoir.echo.readouts.least_squares import Blocks


class Readout(Estimator):
    """Base of every readout: an unfitted one holds settings, a fitted one its output weights.

    A readout has `fit(blocks)`, and one that can learn on has `partial_fit(blocks)`; both leave `coefficients_`. A
    classifier gets one-hot targets, and its largest output wins.

    Attributes
    ----------
    coefficients_ : (n_outputs, n_features): y = coefficients_ @ z
    """

    classifier: ClassVar[bool] = False
    coefficients_: np.ndarray

    def fit(self, blocks: Blocks) -> Self:
        """Fit to a stream of blocks."""
        raise NotImplementedError

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What a model file keeps of a fitted readout."""
        return {"coefficients": self.coefficients_.T}

    def restore(self, arrays: Mapping[str, np.ndarray], n_features: int, n_outputs: int) -> None:
        """Take over what `to_arrays` gave.

        Raises `ParameterError` where the parameters are out of range, KeyError or ValueError where arrays do not fit.
        """
        self.check()
        check_shapes(arrays, coefficients=(n_features, n_outputs))
        self.coefficients_ = arrays["coefficients"].T
