"""The base of every estimator of sequences: the data that `fit` takes, and the form of its predictions."""

from __future__ import annotations

import abc
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import scipy.special

from reservoir import metrics
from reservoir.base.estimator import Estimator, not_fitted, sklearn_tags
from reservoir.base.model_file import save_model
from reservoir.base.targets import Target, Targets, are_words, read_targets
from reservoir.validation import DataError, ParameterError, as_sequences, is_many


def softmax(outputs: np.ndarray) -> np.ndarray:
    """Return the class probabilities of outputs (..., n_classes) that are unnormalized log-probabilities."""
    probabilities: np.ndarray = scipy.special.softmax(outputs, axis=-1)
    return probabilities


class SequenceEstimator(Estimator, abc.ABC):
    """An estimator of sequences, without the computation of its outputs.

    A subclass has the parameters `washout` and `pooling`, takes its data from `_read`, passes the targets to `_remember`, and
    computes outputs: `_run` in open loop, `_continue` in closed loop. `_record` and `_restore` carry its weights to a file and
    back.

    Attributes
    ----------
    for_labels : the parameter with which the estimator learns labels, as text for an error
    washout : how many leading steps of each sequence are neither fitted nor scored
    pooling : how a value per sequence reads its steps; "last" needs no step after the washout
    n_features_in_, n_outputs_ : numbers of inputs and outputs
    feature_names_in_ : (n_features_in_,) names of the inputs, where they came as a frame whose columns have names
    classes_ : the class labels of a classifier
    """

    for_labels: ClassVar[str]
    washout: int
    pooling: str
    n_features_in_: int
    n_outputs_: int
    feature_names_in_: np.ndarray
    classes_: np.ndarray
    _per_step: bool  # whether the fitted targets had a row per step
    _flat: bool  # whether they came without an output axis

    @property
    @abc.abstractmethod
    def _classifies(self) -> bool:
        """Whether the outputs score classes."""

    @abc.abstractmethod
    def _run(self, sequences: list[np.ndarray]) -> list[np.ndarray]:
        """Raw outputs: (T, O) for each sequence (T, I), or one (S, O) array for values per sequence."""

    @abc.abstractmethod
    def _continue(self, histories: list[np.ndarray], steps: int) -> list[np.ndarray]:
        """Return the (steps, O) outputs that follow each history (T, O), every one fed back as the next input."""

    def predict(self, inputs: Any) -> Any:
        """Outputs for inputs, from the initial state: per step (T, n_outputs), or one value or label per sequence.

        A network with feedback reads its own outputs. Many sequences give a list, or an array when they were one
        value each; targets that were fitted without an output axis come back without. Raises `DataError` for unusable
        inputs and `DivergenceError`, which names the step, where the fed-back output leaves 1e6 times the fitted range.
        """
        outputs = self._outputs(inputs)
        if self._classifies:
            outputs = [self.classes_[y.argmax(axis=-1)] for y in outputs]
        elif self._flat:
            outputs = [y[..., 0] for y in outputs]
        return self._shaped(outputs, inputs)

    def forecast(self, history: Any, steps: int) -> Any:
        """Continue a series: run along the history, then `steps` more with every output fed back as the next input.

        The network must be fitted to predict the next step of its inputs, or have feedback and no inputs; then the history
        holds outputs, which are teacher-forced.

        Parameters
        ----------
        history : one series (T, n_outputs) or (T,), or many
        steps : the number of steps to continue

        Returns
        -------
        (steps, n_outputs), or (steps,) if the history is (T,), or a list of these for many
        """
        self._check_fitted()
        if not isinstance(steps, (int, np.integer)) or isinstance(steps, bool) or steps < 1:
            raise ParameterError(f"The 'steps' parameter of forecast must be an integer in [1, inf). Got {steps!r} instead.")
        if self.n_features_in_ not in (0, self.n_outputs_) or not self._per_step or self._classifies:
            raise DataError(
                f"forecast feeds outputs back as inputs; {self.n_features_in_} inputs and {self.n_outputs_} outputs do not fit."
            )
        histories = as_sequences(history, "history")
        if histories[0].shape[1] != self.n_outputs_:
            raise DataError(f"history: has {histories[0].shape[1]} features, the network was fitted to {self.n_outputs_}.")
        self._check_names(history, "history")
        results = self._continue(histories, int(steps))
        flat = np.ndim(history[0] if is_many(history) else history) == 1
        return self._shaped([y[:, 0] if flat else y for y in results], history)

    def score(self, inputs: Any, targets: Any) -> float:
        """R^2 (1 - normalized mean squared error), or the accuracy of a classifier; washout steps are not scored."""
        predictions = self.predict(inputs)
        if self._per_step:
            parts = (predictions, targets) if is_many(inputs) else ([predictions], [targets])
            check_washout([len(y) for y in parts[1]], self.washout)
            predictions, targets = (np.concatenate([np.asarray(y)[self.washout :] for y in part]) for part in parts)
        return metrics.accuracy(predictions, targets) if self._classifies else metrics.r2(predictions, targets)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted network to a safetensors file, for `reservoir.load`.

        Raises OSError where the file cannot be written, and `ParameterError` where parameters that the weights depend on were
        changed after the fit.
        """
        self._check_fitted()
        save_model(path, self, *self._record())

    @classmethod
    def restored(cls, parameters: Mapping[str, Any], arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> Self:
        """Return the network whose `save` wrote these. Raises KeyError, TypeError or ValueError where they do not fit."""
        network = cls(**parameters)
        network.check()
        network._restore(arrays, state)
        return network

    def __sklearn_tags__(self) -> Any:
        return sklearn_tags(self._classifies)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_per_step")

    def _read(
        self, inputs: Any, targets: Any, classes: np.ndarray | None, washout: int, target: Target
    ) -> tuple[list[np.ndarray], Targets]:
        """Check the parameters and the data of a fit. Without targets the next step of the inputs is learned."""
        if targets is None:
            if target == "sequence":
                raise DataError("targets: target='sequence' needs targets; without them the next step of the inputs is learned.")
            inputs, targets = one_step_ahead(inputs)
            target = "step"
        self.check()
        sequences = as_sequences(inputs)
        lengths = [len(u) for u in sequences]
        if not self._classifies and are_words(targets):
            raise DataError(f"targets: must be numbers, and are labels; to learn labels, set {self.for_labels}.")
        read = read_targets(targets, lengths, is_many(inputs), classes, self._classifies, target)
        if read.per_step or self.pooling != "last":
            check_washout(lengths, washout)
        return sequences, read

    def _remember(self, inputs: Any, read: Targets) -> None:
        """Keep the form of the targets, which predictions then have."""
        self._per_step, self._flat = read.per_step, read.flat
        self._name_features(column_names(inputs))
        if read.classes is not None:
            self.classes_ = read.classes

    def _name_features(self, names: list[str] | None) -> None:
        """Keep the names of the inputs; forget those of an earlier fit where there are none."""
        vars(self).pop("feature_names_in_", None)
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)

    def _check_again(self, inputs: Any, sequences: list[np.ndarray], read: Targets) -> None:
        """Raise `DataError` where more data do not have the shape of the fitted data."""
        self._check_features(inputs, sequences)
        if (read.n_outputs, read.per_step) != (self.n_outputs_, self._per_step):
            new, fitted = ("per step" if per_step else "per sequence" for per_step in (read.per_step, self._per_step))
            raise DataError(f"targets: {read.n_outputs} outputs {new} do not continue a fit of {self.n_outputs_} {fitted}.")

    def _check_features(self, inputs: Any, sequences: list[np.ndarray]) -> None:
        """Raise `DataError` where inputs have other columns than those that were fitted, or the same in another order."""
        if sequences[0].shape[1] != self.n_features_in_:
            raise DataError(
                f"inputs: X has {sequences[0].shape[1]} features, but {type(self).__name__} is expecting"
                f" {self.n_features_in_} features as input."
            )
        self._check_names(inputs, "inputs")

    def _check_names(self, data: Any, name: str) -> None:
        """Raise `DataError` where a frame has columns of other names than the fitted one, or in another order."""
        fitted, names = getattr(self, "feature_names_in_", None), column_names(data)
        if fitted is not None and names is not None and names != fitted.tolist():
            raise DataError(
                f"{name}: The feature names should match those that were passed during fit, in their order: {', '.join(fitted)}."
                f" Got {', '.join(names)} instead."
            )

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise not_fitted(self)

    def _outputs(self, inputs: Any) -> list[np.ndarray]:
        """Raw outputs for checked inputs, as `_run` gives them."""
        self._check_fitted()
        sequences = as_sequences(inputs)
        self._check_features(inputs, sequences)
        if not self._per_step and self.pooling != "last":
            check_washout([len(u) for u in sequences], self.washout)
        return self._run(sequences)

    def _predict_proba(self, probabilities: Callable[[np.ndarray], np.ndarray] = softmax) -> Callable[[Any], Any]:
        """Return the function `predict_proba` of a classifier; `probabilities` turns its raw outputs into probabilities."""

        def predict_proba(inputs: Any) -> Any:  # scikit-learn's scorers look for this name
            return self._shaped([probabilities(y) for y in self._outputs(inputs)], inputs)

        return predict_proba

    def _shaped(self, results: list[np.ndarray], inputs: Any) -> Any:
        """One array for one sequence or for values per sequence, else the list."""
        return results if is_many(inputs) and self._per_step else results[0]

    def _record(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the fit as arrays and JSON-able state, for a model file; a subclass adds its weights."""
        state: dict[str, Any] = {"n_inputs": self.n_features_in_, "n_outputs": self.n_outputs_, "per_step": self._per_step}
        names = getattr(self, "feature_names_in_", None)
        state |= {"flat": self._flat, "classes": None, "feature_names": None if names is None else names.tolist()}
        if self._classifies and self.classes_.dtype.kind in "USOb":  # a tensor cannot hold these
            return {}, {**state, "classes": self.classes_.tolist()}
        return {"classes": self.classes_} if self._classifies else {}, state

    def _restore(self, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
        """Restore the fit from what `_record` gave. Raises KeyError, TypeError or ValueError where it does not fit together."""
        self.n_features_in_, self.n_outputs_ = state["n_inputs"], state["n_outputs"]
        self._per_step, self._flat, names = state["per_step"], state["flat"], state["feature_names"]
        if names is not None and len(names) != self.n_features_in_:
            raise ValueError(f"{len(names)} names for {self.n_features_in_} inputs")
        self._name_features(names)
        if self._classifies:
            self.classes_ = arrays["classes"] if state["classes"] is None else np.array(state["classes"])
            if self.classes_.shape != (self.n_outputs_,):
                raise ValueError(f"{self.n_outputs_} outputs for the classes {self.classes_.tolist()}")


def column_names(data: Any) -> list[str] | None:
    """Return the names of the columns of a frame; None for other data, and where a name is not text."""
    names = list(getattr(data, "columns", ()))
    return names if names and all(isinstance(name, str) for name in names) else None


def check_washout(lengths: Sequence[int], washout: int) -> None:
    """Raise `DataError` for a sequence that is no longer than the washout."""
    for index, length in enumerate(lengths):
        if length <= washout:
            raise DataError(
                f"inputs: sequence {index} has {length} steps (shape=({length}, ...)), but a minimum of washout + 1 ="
                f" {washout + 1} is required; give longer data or lower washout."
            )


def one_step_ahead(series: Any) -> tuple[Any, Any]:
    """Inputs and targets that make the next value of a series, or of many, the target."""
    sequences = as_sequences(series)
    for index, u in enumerate(sequences):
        if len(u) < 2:
            raise DataError(f"inputs: sequence {index} has {len(u)} step(s); a minimum of 2 is required to learn the next one.")
    if is_many(series):
        return [u[:-1] for u in sequences], [u[1:] for u in sequences]
    (u,) = sequences
    return u[:-1], u[1:, 0] if np.ndim(series) == 1 else u[1:]
