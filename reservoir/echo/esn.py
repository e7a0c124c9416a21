"""The echo state network: a fixed random reservoir and a trained readout, as a scikit-learn estimator."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np

from reservoir.base.estimator import clone, not_fitted, seed_sequence
from reservoir.base.known import Known
from reservoir.base.model_file import check_shapes
from reservoir.base.state import State
from reservoir.base.targets import Target, Targets, largest, shifted
from reservoir.echo.features import stream, training_blocks
from reservoir.echo.network import FittedNetwork, Many, states
from reservoir.echo.parameters import RESERVOIR, ESNParameters
from reservoir.echo.readouts.least_squares import Blocks
from reservoir.echo.readouts.model import as_readout
from reservoir.echo.reservoir import Reservoir, build
from reservoir.echo.reuse import MOST_BYTES, hashable, reused
from reservoir.echo.stepper import Stepper
from reservoir.validation import DataError, ParameterError, as_sequences, is_many, refused

FITTED = (  # what `fit` adds
    "readout_", "feature_names_in_", "classes_", "_per_step", "_flat", "end_", "_largest_output", "_stepper", "state_",
)  # fmt: skip
OUTPUT_LIMIT = 1e6  # in units of the largest target: a closed loop beyond it has diverged


class ESN(ESNParameters):
    """Echo state network (Jaeger 2001): a leaky reservoir of N units and a readout fitted by linear regression.

        x(t) = (1 - a) x(t-1) + a f(W x(t-1) + W_in u(t) + W_fb y(t-1) + b)
        y(t) = W_out z(t)

    z(t) stacks what the readout sees. One sequence is an array (T, n_features), or (T,) for one feature; many are a list
    of such arrays, of any lengths, or one array (n_sequences, T, n_features). Targets have a row per step, or one label
    or vector per sequence: the shape decides, or the `target` parameter of `fit` where the shape leaves it open.

    Parameters
    ----------
    units : number of reservoir units N
    spectral_radius : largest absolute eigenvalue of W, within 0.4 % above 20,000 units (docs/model.md); None leaves W as it is
    density : fraction of W's entries that are not zero
    leak_rate : a in (0, 1], a number or one per unit
    input_scaling, feedback_scaling : scale of W_in and W_fb: entries are uniform in +- the scaling, unless `input_weights`
        says otherwise; a number, or one per input or output. `fit` forces the targets as the feedback, if there is any.
    bias_scaling : the same for b; a number or one per unit
    topology : a name (see `reservoir models esn`), or an (N, N) matrix of your own, an array or SciPy sparse
    topology_options : options of the topology, such as {"weights": "normal"} or {"jump": 7}
    activation : f: "tanh", "sigmoid", "relu" or "identity"
    input_weights : "uniform", "normal", "sign", "alternating", "pi", or the (N, n_inputs) array itself, still scaled
    input_density : fraction of the units that an input reaches
    noise : standard deviation of the Gaussian noise added to the state at every step while fitting
    washout : the number of leading steps of each sequence that are neither fitted nor scored
    readout : `Ridge`, `RidgeClassifier`, `Logistic`, `RecursiveLeastSquares`, `LeastMeanSquares`, a `Readout` of your own,
        or a regressor or classifier of scikit-learn, such as `SVC()`
    readout_from : what the readout sees, of "bias", "input" u(t), "state" x(t), "square" x(t)^2, "output" y(t-1)
    pooling : what a target per sequence belongs to: the "last" step, the "mean" of the steps, or "every" step (averaged)
    initial_state : "zero", "random" (uniform in +-1), or N numbers: the state before each sequence
    dtype : "float64" or "float32", of the reservoir; readouts are always fitted in float64
    random_state : seed: an integer, a NumPy Generator, RandomState or SeedSequence, or None for a fresh one

    Attributes
    ----------
    recurrent_weights_ : W, (N, N), SciPy CSR or an array
    input_weights_, feedback_weights_, bias_ : W_in (N, n_inputs), W_fb (N, n_outputs or 0), b (N,)
    output_weights_ : W_out (n_outputs, n_seen), columns in the order bias, input, output, square, state; of linear readouts
    readout_ : the fitted readout
    classes_ : the class labels, with a classifier as the readout
    n_features_in_, n_outputs_ : numbers of inputs and outputs

    Examples
    --------
    >>> import numpy as np
    >>> wave = np.sin(0.2 * np.arange(600))
    >>> esn = ESN(units=50, random_state=0).fit(wave[:500])  # no targets: learn to predict the next step
    >>> continuation = esn.forecast(wave[:500], steps=100)
    >>> bool(np.abs(continuation - wave[500:]).max() < 1e-3)
    True
    """

    def fit(self, inputs: Any, targets: Any = None, *, target: Target = None) -> Self:
        """Draw the weights and fit the readout. If that fails, an earlier fit stays as it was.

        Parameters
        ----------
        inputs : one or many sequences; (T, 0) where the network has no input and lives on its feedback
        targets : per step or per sequence; None to learn the next step of the inputs themselves
        target : "step" or "sequence": what the targets belong to, where their shape leaves it open

        Raises `ParameterError` for a parameter out of its constraint, `DataError` for data that cannot be used,
        `DivergenceError` where unbounded units have too large a radius, `MemoryError` before work that needs more than there is.
        """
        sequences, read = self._read(inputs, targets, None, self.washout, target)
        trial = copy.copy(self)  # takes the fitted state; `self` gets it when everything went well
        trial._start(inputs, sequences[0].shape[1], read)
        noise = (trial.noise, trial._noise_seed.entropy, trial._noise_seed.spawn_key)
        blocks = reused(
            "training",
            (trial._layout, trial.washout, trial.pooling, trial._classifies, read.per_step, noise),
            (trial.reservoir_, inputs, targets),
            lambda: trial._blocks(sequences, read, trial._noise_seed),
            lambda made: made.held(MOST_BYTES),
        )
        trial.readout_.fit(blocks)
        return self._become(trial, blocks, read)

    def partial_fit(
        self, inputs: Any, targets: Any = None, classes: Any = None, *, continued: bool = False, target: Target = None
    ) -> Self:
        """Learn from more data, in constant memory. If that fails, the network stays as it was.

        A network that was read from a file can learn on only if its readout is an online one, and not with `continued`: the
        file holds neither the sums of a batch readout nor the state at the end of the data.

        Parameters
        ----------
        inputs, targets : as in `fit`
        classes : all labels, at the first call of a classifier; without them, the labels of the first data count
        target : as in `fit`; without it, later data are read as the first were
        continued : whether `inputs` is one sequence that continues the last one: it starts from the state and the output at
            its end, without a washout. Otherwise every sequence starts from the initial state.

        Raises the errors of `fit`, also if the readout cannot learn on, or if there is nothing to continue.
        """
        fresh = not hasattr(self, "readout_")
        if not hasattr(as_readout(self.readout) if fresh else self.readout_, "partial_fit"):
            raise refused("readout", "ESN", "one that can learn on, for partial_fit", repr(self.readout))
        known = (None if classes is None else np.unique(classes)) if fresh else getattr(self, "classes_", None)
        if continued and (is_many(inputs) or getattr(self, "end_", None) is None):
            raise DataError("inputs: there is nothing to continue; give one sequence, after a call with another.")
        if target is None and targets is not None and not fresh and is_many(inputs):
            target = "step" if self._per_step else "sequence"
        sequences, read = self._read(inputs, targets, known, 0 if continued else self.washout, target)
        trial = copy.copy(self)
        if fresh:
            trial._start(inputs, sequences[0].shape[1], read)
        else:
            self._check_again(inputs, sequences, read)
            trial.readout_, trial._noise_seed = copy.deepcopy((self.readout_, self._noise_seed))
        trial._largest_output = max(trial._largest_output, largest(read))
        blocks = trial._blocks(sequences, read, trial._noise_seed.spawn(1)[0], continued)  # new noise at every call
        trial.readout_.partial_fit(blocks)
        return self._become(trial, blocks, read)

    def build(self, n_inputs: int, n_outputs: int = 1) -> Self:
        """Draw the weights and forget an earlier fit: the weights can be read, and `states` works."""
        self.check()
        self._check_memory(n_inputs, n_outputs, 0)
        trial = copy.copy(self)
        trial._draw(n_inputs, n_outputs)
        self.__dict__ = vars(trial)
        return self

    def _draw(self, n_inputs: int, n_outputs: int) -> None:
        """Forget an earlier fit and draw the weights."""
        for name in FITTED:
            vars(self).pop(name, None)
        seed = seed_sequence(self.random_state)
        self.n_features_in_, self.n_outputs_ = n_inputs, n_outputs
        self._layout = self._layout_now()
        fed_back = n_outputs * self._fed_back
        key = *(hashable(getattr(self, name)) for name in RESERVOIR), n_inputs, fed_back, seed.entropy, seed.spawn_key
        self.reservoir_ = reused("reservoir", key, (), lambda: build(self, n_inputs, fed_back, seed))
        self._noise_seed = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, 0x6E6F6973))

    def _start(self, inputs: Any, n_inputs: int, read: Targets) -> None:
        self._draw(n_inputs, read.n_outputs)
        self.readout_: Any = as_readout(clone(self.readout))
        self._remember(inputs, read)
        self._largest_output = largest(read)

    def _become(self, trial: Self, blocks: Blocks, read: Targets) -> Self:
        """Take over what another network of the same parameters learned, and the end of the last sequence of its data."""
        vars(trial).pop("_stepper", None)
        self.__dict__ = vars(trial)
        ended = read.per_step and blocks.last_state is not None
        self.end_ = (blocks.last_state, read.values[-1][-1]) if ended else None  # the last state and output
        return self

    def _read(self, inputs: Any, targets: Any, classes: np.ndarray | None, washout: int, target: Target) -> tuple[Many, Targets]:
        sequences, read = super()._read(inputs, targets, classes, washout, target)
        if sequences[0].shape[1] == 0 and not self._fed_back:
            raise DataError(
                f"inputs: Found array with 0 feature(s) (shape=({len(sequences[0])}, 0)) while a minimum of 1 is required."
                " Without inputs, set feedback_scaling."
            )
        rows = sum(len(u) - int(washout) for u in sequences) if read.per_step or self.pooling == "every" else len(sequences)
        self._check_memory(sequences[0].shape[1], read.n_outputs, rows)
        return sequences, read

    def _blocks(self, inputs: Many, read: Targets, noise_seed: np.random.SeedSequence, continued: bool = False) -> Blocks:
        """The features and targets of sequences as a stream for the readout, the same at every pass."""
        state, output = self.end_ if continued and self.end_ is not None else (None, None)
        fed_back = [shifted(y, output) for y in read.values] if read.per_step and self._fed_back else None

        def source() -> Any:
            noise = (self.noise, np.random.default_rng(noise_seed)) if self.noise > 0.0 else None
            return stream(self.reservoir_, self._layout, inputs, fed_back, None if state is None else state[None], noise)

        return training_blocks(source, inputs, read, 0 if continued else self.washout, self.pooling, self._layout)

    @property
    def predict_proba(self) -> Callable[[Any], Any]:
        """`predict_proba(inputs)` gives class probabilities (..., n_classes), per step or sequence, if the readout has any."""
        readout = as_readout(self.readout_ if self.__sklearn_is_fitted__() else self.readout)
        if not hasattr(readout, "probabilities"):
            raise AttributeError(
                f"predict_proba needs a readout with probabilities, such as Logistic(). Got {self.readout!r} instead."
            )
        return self._predict_proba(readout.probabilities)

    def states(self, inputs: Any, targets: Any = None) -> Any:
        """Compute the states (T, N) along inputs, without noise, after `fit` or `build`; a list for many sequences.

        A network with feedback needs the `targets` (T, n_outputs), which it is fed.
        """
        reservoir = self._drawn()
        sequences = as_sequences(inputs)
        self._check_features(inputs, sequences)
        if self._fed_back:
            values = self._read_fed_back(inputs, targets, sequences)
            sequences = [np.concatenate([u, shifted(y)], axis=1) for u, y in zip(sequences, values, strict=True)]
        found = states(reservoir, sequences)
        return found if is_many(inputs) else found[0]

    recurrent_weights_ = property(lambda self: self._drawn().recurrent_weights(), doc="W (N, N), in SciPy CSR or an array.")
    input_weights_ = property(lambda self: self._drawn().input_weights, doc="W_in (N, n_inputs).")
    feedback_weights_ = property(lambda self: self._drawn().feedback_weights, doc="W_fb (N, n_outputs or 0).")
    bias_ = property(lambda self: self._drawn().bias, doc="b (N,).")

    @property
    def output_weights_(self) -> np.ndarray:
        """W_out (n_outputs, n_seen), its columns in the order bias, input, output, square, state, as far as they are seen."""
        self._check_fitted()
        if not self.readout_.linear:
            raise AttributeError(f"output_weights_ needs a linear readout. Got {self.readout!r} instead.")
        return self.readout_.coefficients_

    @property
    def n_parameters_(self) -> int | None:
        """The number of trained weights; None with a readout that is not linear, whose weights cannot be counted."""
        self._check_fitted()
        return self.readout_.coefficients_.size if self.readout_.linear else None

    def _drawn(self) -> Reservoir:
        if not hasattr(self, "reservoir_"):
            raise not_fitted(self)
        return self.reservoir_

    @property
    def _network(self) -> FittedNetwork:
        return FittedNetwork(self.reservoir_, self._layout, self.readout_, OUTPUT_LIMIT * max(self._largest_output, 1e-3))

    def _run(self, sequences: Many) -> Many:
        if self._fed_back:
            return self._network.self_fed_outputs(sequences)
        if self._per_step:
            return self._network.outputs(sequences)
        return [self._network.pooled_outputs(sequences, self.washout, self.pooling)]

    def _continue(self, histories: Many, steps: int, known: Known | None) -> Many:
        return self._network.forecast(histories, steps, known)

    def _begin(self) -> State:
        kind = self.reservoir_.dtype if self._fed_back else np.float64
        return State(self.reservoir_.initial_state[None].copy(), np.zeros((1, self.n_outputs_), kind))

    def _advance(self, inputs: np.ndarray, state: State) -> np.ndarray:
        if not hasattr(self, "_stepper"):
            self._stepper = Stepper(self._network)
        return self._stepper.run(inputs, state)

    def _record(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, state = super()._record()
        if self._layout_now() != self._layout:
            raise ParameterError("The network's parameters were changed after fit and no longer fit its weights; fit it again.")
        seed = self._noise_seed
        noise_seed = [str(seed.entropy), list(seed.spawn_key), seed.n_children_spawned]
        arrays = {**arrays, **self.reservoir_.to_arrays(), **self.readout_.to_arrays()}
        return arrays, {**state, "largest_output": self._largest_output, "noise_seed": noise_seed}

    def _restore(self, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
        super()._restore(arrays, state)
        self._largest_output = state["largest_output"]
        entropy, key, spawned = state["noise_seed"]
        self._noise_seed = np.random.SeedSequence(int(entropy), spawn_key=tuple(key), n_children_spawned=spawned)
        self.reservoir_ = Reservoir.from_arrays(arrays, self.activation, self.dtype)
        check_shapes(
            arrays,
            input_weights=(self.units, self.n_features_in_),
            feedback_weights=(self.units, self.n_outputs_ * self._fed_back),
        )
        self._layout = self._layout_now()
        self.readout_ = clone(self.readout)
        self.readout_.restore(arrays, self._layout.width, self.n_outputs_)
