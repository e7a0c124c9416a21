"""The base of every estimator of sequences: predictions, forecasts and single steps, in the form of its data."""

from __future__ import annotations

import abc
import os
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
import scipy.special

from reservoir import metrics
from reservoir.base.known import Known, read_known
from reservoir.base.model_file import save_model
from reservoir.base.sequence_data import SequenceData
from reservoir.base.state import State, as_row
from reservoir.base.targets import check_washout
from reservoir.validation import DataError, ParameterError, as_sequences, is_many, refused


def softmax(outputs: np.ndarray) -> np.ndarray:
    """Return the class probabilities of outputs (..., n_classes) that are unnormalized log-probabilities."""
    probabilities: np.ndarray = scipy.special.softmax(outputs, axis=-1)
    return probabilities


class SequenceEstimator(SequenceData):
    """An estimator of sequences, without the computation of its outputs.

    A subclass has the parameters `washout` and `pooling`, takes its data from `_read`, passes the targets to `_remember`, and
    computes outputs: `_run` in open loop, `_continue` in closed loop, `_advance` from a state. `_record` and `_restore` carry
    its weights to a file and back.
    """

    @abc.abstractmethod
    def _run(self, sequences: list[np.ndarray]) -> list[np.ndarray]:
        """Raw outputs: (T, O) for each sequence (T, I), or one (S, O) array for values per sequence."""

    @abc.abstractmethod
    def _continue(self, histories: list[np.ndarray], steps: int, known: Known | None) -> list[np.ndarray]:
        """Return the (steps, O) outputs that follow each history (T, O), every one fed back at the next step.

        Without `known` inputs an output is the next input of a network that has inputs.
        """

    @abc.abstractmethod
    def _begin(self) -> State:
        """Return the state before a sequence."""

    @abc.abstractmethod
    def _advance(self, inputs: np.ndarray, state: State) -> np.ndarray:
        """Raw outputs (T, O) for the inputs (T, I) after a state, which becomes that after them."""

    def predict(self, inputs: Any, state: State | None = None) -> Any:
        """Outputs for inputs, from the initial state: per step (T, n_outputs), or one value or label per sequence.

        With a `state` that `reset` returned, one sequence starts there, and the state is left where it ends: the outputs of its
        parts, one after the other, are those of the whole.

        A network with feedback reads its own outputs. Many sequences give a list, or an array when they were one
        value each; targets that were fitted without an output axis come back without. Raises `DataError` for unusable
        inputs and `DivergenceError`, which names the step, where the fed-back output leaves 1e6 times the fitted range.
        """
        outputs = self._outputs(inputs) if state is None else [self._outputs_after(state, inputs)]
        return self._shaped([self._answer(y) for y in outputs], inputs)

    def step(self, row: Any = ()) -> Any:
        """Read one row of inputs (n_features_in_,), a number for one input, and return the output that `predict` has for it.

        The next call continues from there, the first one after `fit` from the beginning of a sequence, as after `reset`. Raises
        `DataError` for a row that does not fit and `DivergenceError` as `predict` does; `reset` then starts again.
        """
        state = getattr(self, "state_", None) or self.reset()
        return self._answer(self._advance(as_row(row, self.n_features_in_), state))[0]

    def reset(self) -> State:
        """Let `step` start at the beginning of a sequence; return the state there, for `predict` too.

        Raises `DataError` for a network with one output per sequence.
        """
        self._check_fitted()
        if not self._per_step:
            raise DataError("step: the network has one output per sequence, and none per step; call predict for the whole one.")
        self.state_ = self._begin()
        return self.state_

    def _answer(self, outputs: np.ndarray) -> np.ndarray:
        """Raw outputs in the form of the targets: labels, or without an output axis."""
        if self._classifies:
            return np.asarray(self.classes_[outputs.argmax(axis=-1)])
        return outputs[..., 0] if self._flat else outputs

    def _outputs_after(self, state: State, inputs: Any) -> np.ndarray:
        """Raw outputs (T, O) for one checked sequence after a state, which becomes that after it."""
        self._check_fitted()
        sequences = as_sequences(inputs)
        self._check_features(inputs, sequences)
        if is_many(inputs) or not self._begin().fits(state):
            raise DataError("state: must be what reset of this network returned, for one sequence of inputs at a time.")
        return self._advance(sequences[0], state)

    def forecast(self, history: Any, steps: int, inputs: Any = None, future: Any = None) -> Any:
        """Continue a series: run along the history, then `steps` more with every output fed back.

        Without `inputs` the network must be fitted to predict the next step of its inputs, or have feedback and no inputs. With
        them it was fitted with feedback to inputs that are known ahead, and reads the row of each step beside its last output.

        Parameters
        ----------
        history : the targets so far, one series (T, n_outputs) or (T,), or many; they are teacher-forced
        steps : the number of steps to continue
        inputs : the known inputs along the history, (T, n_features_in_) or (T,), or many
        future : the known inputs of the steps after it, (steps, n_features_in_) or (steps,), or many; or a function from the
            last output (n_outputs,) to the inputs (n_features_in_,) of the next step, such as a model of your own

        Returns
        -------
        (steps, n_outputs), or (steps,) if the history is (T,), or a list of these for many

        Raises `ParameterError` where known inputs are given to a network without feedback, `DataError` for data that do not fit
        each other or the network, `DivergenceError` where an output leaves 1e6 times the fitted range or is not finite.
        """
        self._check_fitted()
        if not isinstance(steps, (int, np.integer)) or isinstance(steps, bool) or steps < 1:
            raise ParameterError(f"The 'steps' parameter of forecast must be an integer in [1, inf). Got {steps!r} instead.")
        plain = inputs is None and future is None
        if not self._per_step or self._classifies or (plain and self.n_features_in_ not in (0, self.n_outputs_)):
            raise DataError(
                f"forecast feeds outputs back as inputs; {self.n_features_in_} inputs and {self.n_outputs_} outputs do not fit."
                " Give inputs that are known ahead as inputs= and future=."
            )
        histories = as_sequences(history, "history")
        if histories[0].shape[1] != self.n_outputs_:
            raise DataError(f"history: has {histories[0].shape[1]} features, the network was fitted to {self.n_outputs_}.")
        if plain:
            self._check_names(history, "history")
        known = None if plain else self._known(inputs, future, histories, int(steps))
        results = self._continue(histories, int(steps), known)
        flat = np.ndim(history[0] if is_many(history) else history) == 1
        return self._shaped([y[:, 0] if flat else y for y in results], history)

    def _known(self, inputs: Any, future: Any, histories: list[np.ndarray], steps: int) -> Known:
        """Return the checked inputs that are known ahead of a forecast."""
        if not self._fed_back:
            name, wanted, _ = self.for_feedback
            wanted = f"{wanted} for a forecast with known inputs, so that the network reads its outputs"
            raise refused(name, type(self).__name__, wanted, repr(getattr(self, name)), " Fit it again with feedback.")
        for name, given in (("inputs", inputs), ("future", future)):
            if given is None:
                raise DataError(f"{name}: is missing; a forecast with known inputs needs those of the history and of its steps.")
        past = as_sequences(inputs)
        self._check_features(inputs, past)
        known = read_known(past, future, histories, steps)
        if isinstance(known.future, list):
            self._check_features(future, known.future, "future")
        return known

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
