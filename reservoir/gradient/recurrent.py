"""The base of the estimators trained by gradient: it makes the network, trains it, and computes its outputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.random import SeedSequence

from reservoir.base.estimator import clone, parameter, seed_sequence
from reservoir.base.sequence_estimator import SequenceEstimator
from reservoir.base.targets import Target
from reservoir.gradient.batches import Examples, held_out
from reservoir.gradient.cells.base import Cell
from reservoir.gradient.checkpoint import fingerprint
from reservoir.gradient.initial_weights import initial_weights
from reservoir.gradient.initializers import MATRIX_INITIALIZERS, RECURRENT_INITIALIZERS
from reservoir.gradient.memory import check_training_memory
from reservoir.gradient.network import Network
from reservoir.gradient.prediction import continuations, outputs, top_states
from reservoir.gradient.scaling import Scaling
from reservoir.gradient.symbols import Symbols, count_symbols
from reservoir.gradient.trainer import Progress, Trainer
from reservoir.gradient.training import Training
from reservoir.gradient.watched import validation_examples
from reservoir.validation import Choice, DivergenceError, Number, ParameterError, as_sequences, is_many

DEFAULT_TRAINING = Training()
ARRAYS = ("weights", "input_shift", "input_scale", "output_shift", "output_scale")
"""The names of a network's arrays in a model file."""


@dataclass(eq=False, repr=False)
class RecurrentEstimator(SequenceEstimator):
    """A recurrent network trained by gradient, but for its cell, which a subclass names as `cell_class`.

    Parameters
    ----------
    units : units of each layer
    layers : recurrent layers, each reading the one below
    bidirectional : whether each layer reads the sequences from both ends, the outputs of both directions side by side
    loss : "squared_error", or "cross_entropy" for class labels, per step or per sequence
    pooling : what one output per sequence reads: the "last" step, the "mean" of the steps, or "attention" over them
    washout : how many leading steps of each sequence are neither trained nor scored
    dropout : probability with which the output of a layer is zeroed while training
    dropout_mask : "step" for a new mask at every step, "sequence" for one along the whole sequence
    layer_norm : whether the output of each layer is normalized
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

    cell_class: ClassVar[type[Cell]]
    for_labels: ClassVar[str] = "loss='cross_entropy'"

    units: int = parameter(32, Number(low=1, integer=True))
    layers: int = parameter(1, Number(low=1, integer=True))
    bidirectional: bool = parameter(False, Choice((True, False)))
    loss: str = parameter("squared_error", Choice(("squared_error", "cross_entropy")))
    pooling: str = parameter("last", Choice(("last", "mean", "attention")))
    washout: int = parameter(0, Number(low=0, integer=True))
    dropout: float = parameter(0.0, Number(low=0, high=1, open_high=True))
    dropout_mask: str = parameter("step", Choice(("step", "sequence")))
    layer_norm: bool = parameter(False, Choice((True, False)))
    symbols: str | None = parameter(None, Choice((None, "one-hot", "learned")))
    symbol_size: int = parameter(16, Number(low=1, integer=True))
    input_init: str = parameter("glorot", MATRIX_INITIALIZERS)
    recurrent_init: str = parameter("orthogonal", RECURRENT_INITIALIZERS)
    init_scale: float = parameter(0.1, Number(low=0, open_low=True))
    bias_init: str = parameter("zeros", Choice(("zeros", "normal")))
    standardize: bool = parameter(True, Choice((True, False)))
    training: Training = parameter(DEFAULT_TRAINING, Choice((), (Training,), "a Training"))  # noqa: RUF009
    dtype: str = parameter("float32", Choice(("float32", "float64")))
    random_state: Any = None

    def __init_subclass__(cls) -> None:
        """Add the parameters that all have to the docstring of each."""
        super().__init_subclass__()
        common = (inspect.getdoc(RecurrentEstimator) or "").partition("\n\n")[2]
        cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\n{common}"

    def check(self) -> None:
        """Raise `ParameterError` for the first parameter out of its constraint, of the training's too."""
        super().check()
        self.training.check()

    def _cell(self) -> Cell:
        """Return the cell of a layer: its fields are parameters of the same names."""
        return self.cell_class(**{field.name: getattr(self, field.name) for field in fields(self.cell_class)})

    @staticmethod
    def catalog() -> dict[str, dict[str, str]]:
        """Return the names that parameters accept beyond their constraints: none."""
        return {}

    @classmethod
    def sized(cls, budget: int, n_inputs: int, n_outputs: int, **parameters: Any) -> int:
        """Return the number of units with which a network has the number of weights nearest to `budget`, the smaller on a tie."""

        def weights(units: int) -> int:
            model = cls(**{**parameters, "units": units})
            model.check()
            return model._network(n_inputs, n_outputs, True, 1).n_weights

        units = int(cls._least_units(**parameters))
        while weights(units + 1) <= budget:
            units += 1
        return units if budget - weights(units) <= weights(units + 1) - budget else units + 1

    @classmethod
    def _least_units(cls, **parameters: Any) -> int:
        return 1

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
        sequences, read = self._read(inputs, targets, None, self.washout, target)
        self.training.check_use(self.bidirectional, read.per_step, self.random_state is not None)
        alphabet = 0 if self.symbols is None else count_symbols(sequences)
        network = self._network(sequences[0].shape[1], read.n_outputs, read.per_step, alphabet)
        seed = seed_sequence(self.random_state)
        drawn, split, trained = (SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, k)) for k in range(3))
        inits = (self.input_init, self.recurrent_init, self.bias_init, self.init_scale)
        examples = Examples(sequences, read.values, self.washout, read.per_step)
        training, watched = held_out(examples, self.training.validation_fraction, np.random.default_rng(split))
        watched = watched if validation is None else validation_examples(self, self.training, network, read, *validation)
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
        self._input_scaling, self._output_scaling = inward, outward
        self.n_features_in_, self.n_outputs_ = network.n_inputs, network.n_outputs
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

    def _network(self, n_inputs: int, n_outputs: int, per_step: bool, alphabet: int) -> Network:
        size = self.symbol_size if self.symbols == "learned" else None
        symbols = None if self.symbols is None else Symbols(alphabet, size)
        reading, dropout = "step" if per_step else self.pooling, (self.dropout, self.dropout_mask)
        cells = (self._cell(),) * self.layers
        return Network(cells, n_inputs, n_outputs, self.bidirectional, reading, symbols, self.layer_norm, *dropout)

    @property
    def _classifies(self) -> bool:
        return self.loss == "cross_entropy"

    @property
    def predict_proba(self) -> Callable[[Any], Any]:
        """`predict_proba(inputs)`: class probabilities (..., n_classes), per step or per sequence; with cross-entropy."""
        if not self._classifies:
            raise AttributeError(f"predict_proba needs loss='cross_entropy'. Got {self.loss!r} instead.")
        return self._predict_proba()

    def _scaled(self, sequences: list[np.ndarray]) -> list[np.ndarray]:
        return [self._input_scaling.apply(u, self._vector.dtype) for u in sequences]

    def _run(self, sequences: list[np.ndarray]) -> list[np.ndarray]:
        found = outputs(self.network_, self._vector, self._scaled(sequences), self.washout)
        return self._undone(found if self._per_step else [np.stack(found)], "prediction")

    def _continue(self, histories: list[np.ndarray], steps: int) -> list[np.ndarray]:
        if self.bidirectional:
            raise ParameterError("The 'bidirectional' parameter must be False for forecast: future steps cannot be read.")
        if self.symbols is not None:
            raise ParameterError("The 'symbols' parameter must be None for forecast: outputs are numbers, no symbols to read.")
        scaled = self._scaled([u[:, : self.n_features_in_] for u in histories])
        inward, outward = self._input_scaling, self._output_scaling
        factor, shift = np.ones(0, self._vector.dtype), np.zeros(0, self._vector.dtype)
        if self.n_features_in_ > 0:
            factor = (outward.scale / inward.scale).astype(factor.dtype)
            shift = ((outward.shift - inward.shift) / inward.scale).astype(factor.dtype)
        return self._undone(continuations(self.network_, self._vector, scaled, steps, (factor, shift)), "forecast")

    def _undone(self, results: list[np.ndarray], what: str) -> list[np.ndarray]:
        """Return the outputs in the units of the data. Raises `DivergenceError` where one is not finite."""
        for index, y in enumerate(results):
            wrong = ~np.isfinite(y).all(axis=1)
            if wrong.any():
                where = f"of sequence {index} is not finite from step" if self._per_step else "is not finite for sequence"
                raise DivergenceError(f"The {what} {where} {int(np.argmax(wrong))} on; train with a lower learning rate.")
        return [self._output_scaling.undo(y) for y in results]

    def states(self, inputs: Any) -> Any:
        """Outputs of the last layer (T, units) along inputs; a list for many sequences. Both directions side by side."""
        self._check_fitted()
        sequences = as_sequences(inputs)
        self._check_features(inputs, sequences)
        found = top_states(self.network_, self._vector, self._scaled(sequences))
        return found if is_many(inputs) else found[0]

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

    def _record(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        count = 0 if self.network_.symbols is None else self.network_.symbols.count
        now = self._network(self.n_features_in_, self.n_outputs_, self._per_step, count)
        if now != self.network_ or self._vector.dtype != self.dtype:
            raise ParameterError("The network's parameters were changed after fit, it is of another kind; fit it again.")
        arrays, state = super()._record()
        parts = (self._vector, *self._input_scaling, *self._output_scaling)
        return {**arrays, **dict(zip(ARRAYS, parts, strict=True))}, {**state, "alphabet": count, "history": self.history_}

    def _restore(self, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
        super()._restore(arrays, state)
        self.network_ = self._network(self.n_features_in_, self.n_outputs_, self._per_step, state["alphabet"])
        self._vector, *scalings = (arrays[name] for name in ARRAYS)
        self._input_scaling, self._output_scaling = Scaling(*scalings[:2]), Scaling(*scalings[2:])
        self.history_ = state["history"]
        sizes = (self.network_.n_weights, *[self.n_features_in_] * 2, *[self.n_outputs_] * 2)
        for name, size, kind in zip(ARRAYS, sizes, (self.dtype, *["float64"] * 4), strict=True):
            if arrays[name].shape != (size,) or arrays[name].dtype != kind:
                raise ValueError(f"{name} of shape {arrays[name].shape} and {arrays[name].dtype}, not ({size},) and {kind}")
