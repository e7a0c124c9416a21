"""The base of the estimators trained by gradient: it makes the network, trains it, and computes its outputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.random import SeedSequence

from reservoir.base.estimator import clone, seed_sequence
from reservoir.base.known import Known
from reservoir.base.state import State
from reservoir.base.targets import Target
from reservoir.gradient.batches import Examples, held_out
from reservoir.gradient.checkpoint import fingerprint
from reservoir.gradient.closed_loop import Fitted, closed_loop, joined
from reservoir.gradient.initial_weights import initial_weights
from reservoir.gradient.memory import check_training_memory
from reservoir.gradient.network import Network
from reservoir.gradient.parameters import RecurrentParameters
from reservoir.gradient.prediction import outputs, outputs_after, top_states
from reservoir.gradient.scaling import Scaling
from reservoir.gradient.symbols import count_symbols
from reservoir.gradient.trainer import Progress, Trainer
from reservoir.gradient.watched import validation_examples
from reservoir.validation import DataError, DivergenceError, ParameterError, as_sequences, is_many

ARRAYS = ("weights", "input_shift", "input_scale", "output_shift", "output_scale", "first_output")
"""The names of a network's arrays in a model file."""


class TrainedWeights:
    """What a fitted network says of its weights; for estimators that keep the network and the vector of its weights."""

    network_: Network
    _vector: np.ndarray
    _check_fitted: Callable[[], None]

    @property
    def weights_(self) -> dict[str, np.ndarray]:
        """The weights by name, such as "layer0.forward.input_weights"; copies."""
        self._check_fitted()
        return self.network_.readable(self._vector)

    @property
    def n_parameters_(self) -> int:
        """The number of trained weights."""
        self._check_fitted()
        return self.network_.n_weights


@dataclass(eq=False, repr=False)
class RecurrentEstimator(TrainedWeights, RecurrentParameters):
    """A recurrent network trained by gradient, but for its cell, which a subclass names as `cell_class`.

    Parameters
    ----------
    units : units of each layer
    layers : recurrent layers, each reading the one below
    bidirectional : whether each layer reads the sequences from both ends, the outputs of both directions side by side
    feedback : whether the last output y(t-1) is joined to the inputs: the targets in training, from their mean on, else the
        network's own outputs; `forecast` then takes inputs that are known ahead
    loss : "squared_error", or "cross_entropy" for class labels, per step or per sequence
    pooling : what one output per sequence reads: the "last" step, the "mean" of the steps, or "attention" over them
    washout : how many leading steps of each sequence are neither trained nor scored
    dropout : probability with which the output of a layer is zeroed while training
    dropout_mask : "step" for a new mask at every step, "sequence" for one along the whole sequence
    layer_norm : whether the output of each layer is normalized
    residual : whether each layer but the first adds what it reads to its output, so that many layers can be trained
    symbols : "one-hot" or "learned" where inputs are symbols 0, 1, ... in one column, read as vectors; None for numbers
    symbol_size : length of the learned vectors
    input_init, recurrent_init : how weights are drawn: "glorot", "normal" (standard deviation init_scale), "uniform"
        (within +-init_scale), "zeros"; recurrent ones also "orthogonal" or "identity" (times init_scale)
    init_scale : the scale of drawn weights, as `input_init` and `bias_init` use it
    bias_init : "zeros", or "normal" with standard deviation init_scale, which rectified linear units need without inputs
    standardize : whether inputs and targets that are numbers are shifted and scaled to mean 0 and variance 1
    training : how it is trained, a `Training`
    dtype : "float32" or "float64"
    random_state : seed: an integer, a NumPy Generator, RandomState or SeedSequence, or None for a fresh one

    Attributes
    ----------
    weights_ : all weights by name; matrices are (to, from), such as input weights (units, n_inputs), those of several gates
        below each other, recurrent weights (units, units), and head weights (n_outputs, units)
    history_ : a record for each epoch: epoch, loss, validation_loss, gradient_norm (its mean before clipping), seconds
        since the start, steps_per_second
    n_parameters_ : the number of weights
    classes_ : the class labels, with cross-entropy
    n_features_in_, n_outputs_ : numbers of inputs and outputs
    """

    def __init_subclass__(cls) -> None:
        """Add the parameters that all have to the docstring of each."""
        super().__init_subclass__()
        common = (inspect.getdoc(RecurrentEstimator) or "").partition("\n\n")[2]
        cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\n{common}"

    def fit(
        self,
        inputs: Any,
        targets: Any = None,
        progress: Progress | None = None,
        *,
        target: Target = None,
        validation: tuple[Any, Any] | None = None,
    ) -> Self:
        """Draw the weights and train them.

        Parameters
        ----------
        inputs : one or many sequences; (T, 0) for a network without input
        targets : per step or per sequence; None to learn the next step of the inputs themselves
        progress : called after each epoch with its record (see `history_`) and the number of epochs
        target : "step" or "sequence": what the targets belong to, where their shape leaves it open
        validation : (inputs, targets) on which the loss is watched after each epoch, and which are never trained; in windows,
            where `training` has any. Sequences with a label or symbol that the training data do not have are left out. None to
            hold out `training.validation_fraction` of the data

        Raises
        ------
        ParameterError, DataError
            A parameter out of its constraint, `validation` together with a `validation_fraction`; data that cannot be used. One
            line that says what and where.
        DivergenceError
            The loss is not finite in the first epoch. In a later one the best weights so far are kept, with a warning.
        """
        if self.feedback and targets is None:
            raise DataError("targets: are missing; with feedback, give the targets that are fed back, or set feedback to False.")
        sequences, read = self._read(inputs, targets, None, self.washout, target)
        n_features = sequences[0].shape[1]
        first = np.concatenate(read.values).mean(axis=0) if self.feedback else np.empty(0)
        if self.feedback:
            sequences = joined(sequences, read.values, first)
        self.training.check_use(self.bidirectional, read.per_step, self.random_state is not None)
        alphabet = 0 if self.symbols is None else count_symbols(sequences)
        network = self._network(n_features, read.n_outputs, read.per_step, alphabet)
        seed = seed_sequence(self.random_state)
        drawn, split, trained = (SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, k)) for k in range(3))
        inits = (self.input_init, self.recurrent_init, self.bias_init, self.init_scale)
        examples = Examples(sequences, read.values, self.washout, read.per_step)
        training, watched = held_out(examples, self.training.validation_fraction, np.random.default_rng(split))
        watched = watched if validation is None else validation_examples(self, network, n_features, first, read, *validation)
        self._check_memory(network, training)
        inward, outward = self._scalings(training)
        arrays = [array for part in (training, watched) if part for array in (*part.inputs, *part.targets)]
        training, watched = training.scaled(inward, outward, self.dtype), watched and watched.scaled(inward, outward, self.dtype)
        vector = initial_weights(network, self.dtype, np.random.default_rng(drawn), *inits)
        mark = "" if self.training.checkpoint is None else fingerprint(self, seed, arrays)
        trainer = Trainer(network, self.training, self.loss, trained, mark, progress)
        history = trainer.train(vector, training, watched).history
        # all attributes at the end, so that a training that fails leaves an earlier one as it was
        self.network_, self._vector, self.history_ = network, vector, history
        self._input_scaling, self._output_scaling, self._first_output = inward, outward, first
        self.n_features_in_, self.n_outputs_ = n_features, network.n_outputs
        self._remember(inputs, read)
        return self

    def _check_memory(self, network: Network, training: Examples) -> None:
        """Raise `MemoryError` where the training needs more memory than there is."""

        def sized(units: int) -> Network:
            return replace(network, cells=(clone(self).set_params(units=units)._cell(),) * self.layers)

        itemsize = np.dtype(self.dtype).itemsize
        check_training_memory(type(self).__name__, sized, int(self.units), self.training, training, itemsize)

    def _scalings(self, training: Examples) -> tuple[Scaling, Scaling]:
        """Return the scalings of inputs and of targets, from the training examples alone."""
        inward, outward = (Scaling.none(part[0].shape[-1]) for part in (training.inputs, training.targets))
        if self.standardize and self.symbols is None and len(inward.shift) > 0:
            inward = Scaling.of(training.inputs)
        if self.standardize and not self._classifies:
            outward = Scaling.of(training.targets if training.per_step else [np.stack(training.targets)])
        return inward, outward

    @property
    def predict_proba(self) -> Callable[[Any], Any]:
        """`predict_proba(inputs)`: class probabilities (..., n_classes), per step or per sequence; with cross-entropy."""
        if not self._classifies:
            raise AttributeError(f"predict_proba needs loss='cross_entropy'. Got {self.loss!r} instead.")
        return self._predict_proba()

    def _scaled(self, sequences: list[np.ndarray]) -> list[np.ndarray]:
        return [self._input_scaling.apply(u, self._vector.dtype) for u in sequences]

    def _run(self, sequences: list[np.ndarray]) -> list[np.ndarray]:
        if self.feedback:
            starts = [np.concatenate([u[:1], self._first_output[None]], axis=1) for u in sequences]
            return self._undone(closed_loop(self._fitted, starts, [*map(len, sequences)], Known([], sequences)), "prediction")
        found = outputs(self.network_, self._vector, self._scaled(sequences), self.washout)
        return self._undone(found if self._per_step else [np.stack(found)], "prediction")

    @property
    def _fitted(self) -> Fitted:
        n_known = self.n_features_in_ * self.feedback
        return Fitted(self.network_, self._vector, self._input_scaling, self._output_scaling, n_known)

    def _continue(self, histories: list[np.ndarray], steps: int, known: Known | None) -> list[np.ndarray]:
        if self.bidirectional:
            raise ParameterError("The 'bidirectional' parameter must be False for forecast: future steps cannot be read.")
        if self.symbols is not None:
            raise ParameterError("The 'symbols' parameter must be None for forecast: outputs are numbers, no symbols to read.")
        rows = [y[:, : self.n_features_in_] for y in histories]
        if self.feedback:
            if known is None:
                if self.n_features_in_ > 0:
                    raise DataError("inputs: are missing; a forecast needs the known inputs of the history and of its steps.")
                known = Known([y[:, :0] for y in histories], [np.empty((steps, 0))] * len(histories))
            ahead = [np.concatenate([known.row(s, 0, y[-1]), y[-1]])[None] for s, y in enumerate(histories)]
            rows = [*map(np.concatenate, zip(joined(known.past, histories, self._first_output), ahead, strict=True))]
        return self._undone(closed_loop(self._fitted, rows, [steps] * len(rows), known), "forecast")

    @property
    def _fed_back(self) -> bool:
        return self.feedback

    def _begin(self) -> State:
        if self.bidirectional:
            raise ParameterError("The 'bidirectional' parameter must be False for step: future steps cannot be read.")
        output = self._first_output if self.feedback else np.zeros(self.n_outputs_)
        return State(self.network_.initial_state(1, self._vector.dtype), output[None])

    def _advance(self, inputs: np.ndarray, state: State) -> np.ndarray:
        if self.feedback:
            start = np.concatenate([inputs[:1], state.output], axis=1)
            [found] = closed_loop(self._fitted, [start], [len(inputs)], Known([], [inputs]), state)
        else:
            found = outputs_after(state, self.network_, self._vector, self._scaled([inputs])[0])
        [found] = self._undone([found], "prediction")
        state.output = found[-1:]
        return found

    def _undone(self, results: list[np.ndarray], what: str) -> list[np.ndarray]:
        """Return the outputs in the units of the data. Raises `DivergenceError` where one is not finite."""
        for index, y in enumerate(results):
            wrong = ~np.isfinite(y).all(axis=1)
            if wrong.any():
                where = f"of sequence {index} is not finite from step" if self._per_step else "is not finite for sequence"
                raise DivergenceError(f"The {what} {where} {int(np.argmax(wrong))} on; train with a lower learning rate.")
        return [self._output_scaling.undo(y) for y in results]

    def states(self, inputs: Any, targets: Any = None) -> Any:
        """Outputs of the last layer (T, units) along inputs; a list for many sequences. Both directions side by side.

        A network with feedback needs the `targets` (T, n_outputs), which it is fed.
        """
        sequences = self._as_read(inputs, targets)
        found = top_states(self.network_, self._vector, sequences)
        return found if is_many(inputs) else found[0]

    def _as_read(self, inputs: Any, targets: Any) -> list[np.ndarray]:
        """Return the sequences as the network reads them: checked, with what is fed back, scaled."""
        self._check_fitted()
        sequences = as_sequences(inputs)
        self._check_features(inputs, sequences)
        if self.feedback:
            sequences = joined(sequences, self._read_fed_back(inputs, targets, sequences), self._first_output)
        return self._scaled(sequences)

    def _record(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        count = 0 if self.network_.symbols is None else self.network_.symbols.count
        now = self._network(self.n_features_in_, self.n_outputs_, self._per_step, count)
        if now != self.network_ or self._vector.dtype != self.dtype:
            raise ParameterError("The network's parameters were changed after fit, it is of another kind; fit it again.")
        arrays, state = super()._record()
        parts = (self._vector, *self._input_scaling, *self._output_scaling, self._first_output)
        return {**arrays, **dict(zip(ARRAYS, parts, strict=True))}, {**state, "alphabet": count, "history": self.history_}

    def _restore(self, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
        super()._restore(arrays, state)
        self.network_ = self._network(self.n_features_in_, self.n_outputs_, self._per_step, state["alphabet"])
        self._vector, *scalings, self._first_output = (arrays[name] for name in ARRAYS)
        self._input_scaling, self._output_scaling = Scaling(*scalings[:2]), Scaling(*scalings[2:])
        self.history_ = state["history"]
        first = self.n_outputs_ * self.feedback
        sizes = (self.network_.n_weights, *[self.network_.n_inputs] * 2, *[self.n_outputs_] * 2, first)
        for name, size, kind in zip(ARRAYS, sizes, (self.dtype, *["float64"] * 5), strict=True):
            if arrays[name].shape != (size,) or arrays[name].dtype != kind:
                raise ValueError(f"{name} of shape {arrays[name].shape} and {arrays[name].dtype}, not ({size},) and {kind}")
