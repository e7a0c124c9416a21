"""Language models that are echo state networks: a fixed reservoir reads the symbols, a softmax readout is trained as it goes."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from reservoir.base.estimator import Estimator, not_fitted, seed_sequence
from reservoir.base.model_file import check_shapes, save_model
from reservoir.base.threads import one_blas_thread
from reservoir.echo.esn import ESN
from reservoir.echo.reservoir import Reservoir, build
from reservoir.files.reading import PathLike
from reservoir.gradient.checkpoint import Progression, fingerprint, start_from_checkpoint, write_checkpoint
from reservoir.gradient.optimizers import OPTIMIZERS, Step, clip_by_norm
from reservoir.gradient.schedules import learning_rate
from reservoir.gradient.trainer import Progress
from reservoir.gradient.training import Training
from reservoir.kernels.symbols import softmax_cross_entropy
from reservoir.language.batches import blocks, streams
from reservoir.text.reader import Reader
from reservoir.text.scoring import log_softmax_at
from reservoir.text.vocabulary import Vocabulary
from reservoir.validation import Choice, Constraint, DivergenceError, ParameterError

BLOCK = 128
"""Steps that are run at once where a text is scored."""
DEFAULT_ESN = ESN(units=1000, spectral_radius=1.2, density=0.01, input_scaling=3.0, bias_scaling=0.2, dtype="float32")
DEFAULT_TRAINING = Training(epochs=10, batch_size=32, learning_rate=1e-2, schedule="cosine", truncation=(35, 35))


@dataclass(eq=False, repr=False)
class EchoLanguageModel(Estimator):
    """An echo state network that predicts the next symbol of a text, by a softmax of its state and a constant.

    The readout is a logistic regression, trained by the gradient of one mini-batch after the other while the reservoir reads
    the text, in memory that does not grow with it.

    Parameters
    ----------
    esn : an `ESN` that gives the reservoir, its precision and the seed; its readout, feedback, noise and washout have no
        meaning here. A symbol goes in by a column of the input weights
    training : how the readout is trained: `epochs`, `batch_size` (streams of text side by side), `truncation` (k, k) for
        an update every k symbols, `optimizer` and its settings, `schedule`, `clip_norm`, `checkpoint`

    Attributes
    ----------
    vocabulary_ : the vocabulary
    n_parameters_ : the number of trained weights, (units + 1) times symbols
    n_fixed_ : the number of weights of the reservoir that are not 0: input, recurrent and bias
    history_ : a record for each epoch: epoch, loss and validation_loss (mean natural logarithms), gradient_norm, seconds,
        steps_per_second
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "esn": Choice((), (ESN,), "an ESN"),
        "training": Choice((), (Training,), "a Training"),
    }

    esn: ESN = DEFAULT_ESN
    training: Training = DEFAULT_TRAINING

    def check(self) -> None:
        """Raise `ParameterError` for the first parameter out of its constraint, of the ESN's and the training's too."""
        super().check()
        self.esn.check()
        self.training.check()
        if self.training.truncation is None:
            raise ParameterError(
                "The 'truncation' parameter of Training must be set for text, such as (35, 35) for an update every 35 symbols."
            )

    def fit(
        self,
        text: str,
        vocabulary: Vocabulary,
        validation: str = "",
        progress: Progress | None = None,
        watch: Callable[[Self], None] | None = None,
    ) -> Self:
        """Draw the reservoir and train the readout; parameters and errors as of `LanguageModel.fit`."""
        self.check()
        training = self.training
        documents = vocabulary.documents_of(text)
        sequences = streams(documents, training.batch_size)
        sequences.sort(key=len, reverse=True)
        reservoir = build(self.esn, len(vocabulary), 0, seed_sequence(self.esn.random_state))
        readout = np.zeros((reservoir.units + 1, len(vocabulary)), reservoir.dtype)
        learner = _Learner(reservoir, readout, training)
        watched = vocabulary.documents_of(validation) if validation else []
        now, mark = Progression(readout, learner.state, readout.copy()), ""
        if training.checkpoint is not None:
            mark = fingerprint(self, seed_sequence(self.esn.random_state), documents)
            start_from_checkpoint(training.checkpoint, now, mark)
        started = time.perf_counter() - (now.history[-1]["seconds"] if now.history else 0.0)
        with one_blas_thread():
            for epoch in range(len(now.history), training.epochs):
                learner.updates = now.updates
                record = learner.epoch(sequences, epoch)
                now.updates = learner.updates
                if watched:
                    logs = _log_probabilities(reservoir, readout, watched)
                    record["validation_loss"] = -float(np.concatenate(logs).mean())
                    if record["validation_loss"] < now.best_loss:
                        now.best[:], now.best_loss, now.best_epoch = readout, record["validation_loss"], epoch
                now.history.append({**record, "seconds": time.perf_counter() - started})
                if training.checkpoint is not None:
                    write_checkpoint(training.checkpoint, now, mark)
                if progress is not None:
                    progress(now.history[-1], training.epochs)
                if watch is not None:
                    watch(copy.copy(self)._fitted(vocabulary, reservoir, readout, now.history[-1:]))
        return self._fitted(vocabulary, reservoir, now.best if watched else readout, now.history)

    def _fitted(self, vocabulary: Vocabulary, reservoir: Reservoir, readout: np.ndarray, history: Sequence[Any]) -> Self:
        """Become the model with these weights."""
        self.vocabulary_, self.reservoir_, self.readout_, self.history_ = vocabulary, reservoir, readout, history
        return self

    @property
    def epochs(self) -> int:
        """The epochs of a training."""
        return self.training.epochs

    def log_probabilities(self, documents: list[np.ndarray]) -> list[np.ndarray]:
        """Give the natural logarithm of the probability of every symbol of documents (T,) but the first: (T - 1,) each."""
        self._check_fitted()
        with one_blas_thread():
            return _log_probabilities(self.reservoir_, self.readout_, documents)

    def reader(self, count: int) -> EchoReader:
        """Start to read `count` texts side by side, symbol by symbol."""
        self._check_fitted()
        return EchoReader(self.reservoir_, self.readout_, count)

    def states(self, symbols: np.ndarray) -> np.ndarray:
        """Give the states of the reservoir (T, units) along symbols (T,), from the start of a text."""
        self._check_fitted()
        return _features(self.reservoir_, [symbols], _start(self.reservoir_, 1))[:, 1:]

    @property
    def n_parameters_(self) -> int:
        """The number of trained weights."""
        self._check_fitted()
        return int(self.readout_.size)

    @property
    def n_fixed_(self) -> int:
        """The number of weights of the reservoir that are not 0."""
        self._check_fitted()
        reservoir = self.reservoir_
        parts = (reservoir.input_weights, reservoir.recurrent_weights(), reservoir.bias)
        return int(sum(part.nnz if hasattr(part, "nnz") else np.count_nonzero(part) for part in parts))

    def _check_fitted(self) -> None:
        if not hasattr(self, "readout_"):
            raise not_fitted(self)

    def save(self, path: PathLike) -> None:
        """Write the fitted model with its vocabulary to a file, for `reservoir.load`. Raises OSError where that fails."""
        self._check_fitted()
        state = {"vocabulary": self.vocabulary_.to_record(), "history": self.history_}
        save_model(path, self, {**self.reservoir_.to_arrays(), "readout": self.readout_}, state)

    @classmethod
    def restored(cls, parameters: Mapping[str, Any], arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> Self:
        """The model whose `save` wrote these. Raises KeyError, TypeError or ValueError where they do not fit together."""
        model = cls(**parameters)
        model.check()
        vocabulary = Vocabulary.from_record(state["vocabulary"])
        reservoir = Reservoir.from_arrays(arrays, model.esn.activation, model.esn.dtype)
        check_shapes(
            arrays, readout=(reservoir.units + 1, len(vocabulary)), input_weights=(reservoir.units, len(vocabulary)),
            feedback_weights=(reservoir.units, 0),
        )  # fmt: skip
        return model._fitted(vocabulary, reservoir, arrays["readout"].astype(reservoir.dtype), state["history"])


class EchoReader(Reader):
    """A reservoir that reads B texts."""

    def __init__(self, reservoir: Reservoir, readout: np.ndarray, count: int) -> None:
        self.reservoir, self.readout, self.states = reservoir, readout, _start(reservoir, count)

    def read(self, symbols: np.ndarray) -> np.ndarray:
        """See `Reader`."""
        self.scores = _features(self.reservoir, list(symbols[:, None]), self.states) @ self.readout
        return self.scores

    def select(self, texts: np.ndarray) -> None:
        """See `Reader`."""
        self.states = self.states[texts]


class _Learner:
    """The readout in training: its weights, the optimizer's state, and the number of updates so far."""

    def __init__(self, reservoir: Reservoir, readout: np.ndarray, training: Training) -> None:
        self.reservoir, self.readout, self.training = reservoir, readout, training
        self.optimizer = OPTIMIZERS[training.optimizer]
        self.state, self.updates = np.zeros((self.optimizer.n_states, readout.size), readout.dtype), 0

    def epoch(self, sequences: list[np.ndarray], epoch: int) -> dict[str, Any]:
        """Go once through all streams, the longest first; the record of the epoch. Raises `DivergenceError`."""
        settings, started = self.training, time.perf_counter()
        rate = learning_rate(
            settings.schedule, settings.learning_rate, epoch, settings.epochs, settings.schedule_decay, settings.schedule_every
        )
        loss = norms = 0.0
        updates, every = self.updates, (settings.truncation or (35,))[0]
        for first in range(0, len(sequences), settings.batch_size):
            group = sequences[first : first + settings.batch_size]
            states = _start(self.reservoir, len(group))
            for _, parts in blocks(group, every):
                part_loss, norm = self._update(parts, states, rate)
                loss += part_loss
                norms += norm
        steps = sum(len(sequence) - 1 for sequence in sequences)
        if not (np.isfinite(loss) and np.isfinite(self.readout).all()):
            raise DivergenceError(f"The training loss became {loss} in epoch {epoch}; lower training.learning_rate.")
        return {
            "epoch": epoch, "loss": loss / steps, "validation_loss": None, "gradient_norm": norms / (self.updates - updates),
            "steps_per_second": steps / (time.perf_counter() - started),
        }  # fmt: skip

    def _update(self, parts: list[np.ndarray], states: np.ndarray, rate: float) -> tuple[float, float]:
        """One update from the next symbols of the streams: the sum of their losses, and the gradient's norm."""
        settings = self.training
        features = _features(self.reservoir, [part[:-1] for part in parts], states)
        outputs, rows = features @ self.readout, len(features)
        weights = np.full(rows, 1.0 / rows, outputs.dtype)
        loss = softmax_cross_entropy(outputs, np.concatenate([part[1:] for part in parts]), weights)
        gradient = (features.T @ outputs).reshape(-1)
        norm = clip_by_norm(gradient, settings.clip_norm)
        self.updates += 1
        read = {name: getattr(settings, name) for name in self.optimizer.settings}
        self.optimizer.update(self.readout.reshape(-1), gradient, self.state, Step(self.updates, rate, **read))
        return loss * rows, norm


def _start(reservoir: Reservoir, count: int) -> np.ndarray:
    """The initial states of `count` texts, (count, N)."""
    return np.tile(reservoir.initial_state, (count, 1))


def _features(reservoir: Reservoir, sequences: list[np.ndarray], states: np.ndarray) -> np.ndarray:
    """What the readout sees along sequences of symbols (T_i,), end to end: (sum of T_i, N + 1), the constant first.

    The first of `states` (S, N) are where the sequences start, and become where they end.
    """
    lengths = [len(sequence) for sequence in sequences]
    features = np.ones((sum(lengths), reservoir.units + 1), reservoir.dtype)
    inputs = np.concatenate(sequences)[:, None]
    segments = [(s, 0, length) for s, length in enumerate(lengths)]
    reservoir.run(inputs, segments, states[: len(sequences)], features, column=1, symbols=True)
    return features


def _log_probabilities(reservoir: Reservoir, readout: np.ndarray, documents: list[np.ndarray]) -> list[np.ndarray]:
    """See `EchoLanguageModel.log_probabilities`."""
    order = sorted(range(len(documents)), key=lambda index: -len(documents[index]))
    found: list[list[np.ndarray]] = [[np.empty(0)] for _ in documents]
    states = _start(reservoir, len(documents))
    for _, parts in blocks([documents[index] for index in order], BLOCK):
        features = _features(reservoir, [part[:-1] for part in parts], states)
        logs = log_softmax_at(features @ readout, np.concatenate([part[1:] for part in parts]))
        borders = np.cumsum([len(part) - 1 for part in parts])
        for index, piece in zip(order, np.split(logs, borders[:-1]), strict=False):
            found[index].append(piece)
    return [np.concatenate(pieces) for pieces in found]
