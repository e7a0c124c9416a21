"""What a fitted estimator keeps of its data: their form, the names of their columns, the classes; and its checks of more data."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from reservoir.base.estimator import Estimator, not_fitted, sklearn_tags
from reservoir.base.state import State
from reservoir.base.targets import Target, Targets, are_words, check_washout, one_step_ahead, read_targets
from reservoir.validation import DataError, as_sequences, is_many


class SequenceData(Estimator, abc.ABC):
    """The base of `SequenceEstimator`: reads the data of a fit and remembers their form.

    Attributes
    ----------
    for_labels : the parameter with which the estimator learns labels, as text for an error
    for_feedback : the parameter with which a network reads its last outputs beside its inputs, its value then, and else
    washout : how many leading steps of each sequence are neither fitted nor scored
    pooling : how a value per sequence reads its steps; "last" needs no step after the washout
    n_features_in_, n_outputs_ : numbers of inputs and outputs
    feature_names_in_ : (n_features_in_,) names of the inputs, where they came as a frame whose columns have names
    classes_ : the class labels of a classifier
    state_ : where `step` is, after `reset` or a first step
    next_step_ : whether the targets were the next rows of the inputs
    contract_ : what a file must say of the data, as `reservoir train` keeps it; missing otherwise
    """

    for_labels: ClassVar[str]
    for_feedback: ClassVar[tuple[str, str, str]]
    washout: int
    pooling: str
    n_features_in_: int
    n_outputs_: int
    feature_names_in_: np.ndarray
    classes_: np.ndarray
    state_: State
    next_step_: bool
    contract_: dict[str, Any]
    _per_step: bool  # whether the fitted targets had a row per step
    _flat: bool  # whether they came without an output axis

    @property
    @abc.abstractmethod
    def _classifies(self) -> bool:
        """Whether the outputs score classes."""

    @property
    @abc.abstractmethod
    def _fed_back(self) -> bool:
        """Whether the network reads its last outputs beside its inputs."""

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
        if not read.per_step and self._fed_back:
            name, _, without = self.for_feedback
            raise DataError(
                f"targets: one value per sequence cannot be fed back; give a row per step, or set {name} to {without}."
            )
        if read.per_step or self.pooling != "last":
            check_washout(lengths, washout)
        return sequences, read

    def _read_fed_back(self, inputs: Any, targets: Any, sequences: list[np.ndarray]) -> list[np.ndarray]:
        """Return the targets (T, O) of each sequence that a network with feedback is fed along inputs."""
        if targets is None:
            raise DataError("states: the network has output feedback; give the targets to feed back.")
        return read_targets(targets, [len(u) for u in sequences], is_many(inputs), None, False, "step").values

    def _remember(self, inputs: Any, read: Targets) -> None:
        """Keep the form of the targets, which predictions then have, and forget where `step` was."""
        for name in ("state_", "contract_"):
            vars(self).pop(name, None)
        self._per_step, self._flat = read.per_step, read.flat
        self.next_step_ = read.per_step and read.classes is None and learns_next_step(as_sequences(inputs), read.values)
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

    def _check_features(self, inputs: Any, sequences: list[np.ndarray], name: str = "inputs") -> None:
        """Raise `DataError` where inputs have other columns than those that were fitted, or the same in another order."""
        if sequences[0].shape[1] != self.n_features_in_:
            raise DataError(
                f"{name}: X has {sequences[0].shape[1]} features, but {type(self).__name__} is expecting"
                f" {self.n_features_in_} features as input."
            )
        self._check_names(inputs, name)

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

    def _record(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the fit as arrays and JSON-able state, for a model file; a subclass adds its weights."""
        state: dict[str, Any] = {"n_inputs": self.n_features_in_, "n_outputs": self.n_outputs_, "per_step": self._per_step}
        names = getattr(self, "feature_names_in_", None)
        state |= {"next_step": self.next_step_, "contract": getattr(self, "contract_", None)}
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
        self.next_step_ = state["next_step"]
        if state["contract"] is not None:
            self.contract_ = state["contract"]
        if self._classifies:
            self.classes_ = arrays["classes"] if state["classes"] is None else np.array(state["classes"])
            if self.classes_.shape != (self.n_outputs_,):
                raise ValueError(f"{self.n_outputs_} outputs for the classes {self.classes_.tolist()}")


def learns_next_step(inputs: list[np.ndarray], targets: list[np.ndarray]) -> bool:
    """Whether the targets (T, O) of every sequence are its inputs (T, I) one row on."""
    pairs = [(u[1:], y[: len(u) - 1]) for u, y in zip(inputs, targets, strict=True)]
    return all(len(u) > 0 and u.shape == y.shape and bool((u == y).all()) for u, y in pairs)


def column_names(data: Any) -> list[str] | None:
    """Return the names of the columns of a frame; None for other data, and where a name is not text."""
    names = list(getattr(data, "columns", ()))
    return names if names and all(isinstance(name, str) for name in names) else None
