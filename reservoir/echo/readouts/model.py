"""Any object with `fit` and `predict` as a readout, such as a regressor or a classifier of scikit-learn."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from reservoir.base.estimator import Estimator
from reservoir.echo.readouts.base import Readout
from reservoir.echo.readouts.least_squares import Blocks
from reservoir.validation import DataError, ParameterError, brief


class AnyReadout(abc.ABC):  # noqa: B024 - only isinstance and issubclass ask it
    """What an `ESN` takes as its readout: a `Readout`, or an object of another library with `fit` and `predict`."""

    @classmethod
    def __subclasshook__(cls, kind: type) -> bool:
        if issubclass(kind, Estimator):
            return issubclass(kind, Readout)
        return hasattr(kind, "fit") and hasattr(kind, "predict")


def as_readout(value: Any) -> Readout:
    """`value` if it is a readout, else a readout made of it."""
    return value if isinstance(value, Readout) else ModelReadout(value)


class ModelReadout(Readout):
    """A readout made of a model with `fit(X, y)` and `predict(X)`, which gets all features in memory, in float64.

    A regressor gets the targets, (R,) where there is one output. A classifier gets the positions of the labels in the
    network's `classes_`; its outputs are its probabilities, if it has any, else 1 for the class that `predict` names and 0
    for the others.

    Parameters
    ----------
    model : the object; `fit` changes it
    """

    linear = False

    def __init__(self, model: Any) -> None:
        self.model = model

    @property
    def classifier(self) -> bool:  # type: ignore[override]
        """What scikit-learn's tags say; without tags, whether the model has probabilities or scores of classes."""
        scores = hasattr(self.model, "predict_proba") or hasattr(self.model, "decision_function")
        return scores if self._kind() is None else self._kind() == "classifier"

    @property
    def probabilities(self) -> Callable[[np.ndarray], np.ndarray]:
        """The outputs themselves, of a model that gives probabilities."""
        if not hasattr(self.model, "predict_proba"):
            raise AttributeError(f"{brief(self.model)} has no predict_proba")
        return lambda outputs: outputs

    def fit(self, blocks: Blocks) -> Self:
        """Fit the model to all rows. Raises `DataError` with the model's own words if it refuses them."""
        if self._kind() not in (None, "classifier", "regressor"):
            raise ParameterError(f"The 'readout' parameter of ESN must be a regressor or a classifier. Got {brief(self.model)}.")
        self._n_outputs = blocks.n_outputs
        features, targets = blocks.in_memory()
        if self.classifier:
            targets = targets.argmax(axis=1)
        elif blocks.n_outputs == 1:
            targets = targets[:, 0]
        try:
            self.model.fit(features, targets)
        except ValueError as error:
            remedy = "; sklearn.multioutput.MultiOutputRegressor fits one model per output" if targets.ndim == 2 else ""
            reason = " ".join(str(error).split())
            raise DataError(f"targets: the readout {brief(self.model)} refuses the data{remedy}: {reason}") from error
        return self

    def memory(self, rows: int, n_features: int, n_outputs: int) -> dict[str, float]:
        """The bytes of the features, which are held in memory."""
        return {"features": 8.0 * rows * n_features}

    def outputs(self, features: np.ndarray) -> np.ndarray:
        """Outputs (R, O) for features (R, F)."""
        features = np.asarray(features, np.float64)
        if not self.classifier:
            return np.asarray(self.model.predict(features), np.float64).reshape(len(features), self._n_outputs)
        outputs = np.zeros((len(features), self._n_outputs))  # a class that was not in the rows of the fit stays at 0
        if hasattr(self.model, "predict_proba"):
            outputs[:, getattr(self.model, "classes_", slice(None))] = self.model.predict_proba(features)
        else:
            outputs[np.arange(len(features)), self.model.predict(features)] = 1.0
        return outputs

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Raise `ParameterError`: a model file cannot hold what another library's model has learned."""
        raise ParameterError(
            "The 'readout' parameter of ESN must be a readout of this library or a subclass of Readout for save, because a"
            f" model file holds no pickle. Got {brief(self.model)} instead; keep this network with pickle or joblib.dump."
        )

    def _kind(self) -> str | None:
        tags = getattr(self.model, "__sklearn_tags__", None)
        return None if tags is None else str(tags().estimator_type)
