"""Language models that are recurrent networks, trained to predict the next symbol of a text."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from reservoir.base.estimator import Estimator, clone, not_fitted, seed_sequence
from reservoir.base.model_file import check_shapes, save_model
from reservoir.base.threads import one_blas_thread
from reservoir.files.reading import PathLike
from reservoir.gradient.batches import CHUNK, padded
from reservoir.gradient.cells.gru import GRU
from reservoir.gradient.checkpoint import fingerprint
from reservoir.gradient.initial_weights import initial_weights
from reservoir.gradient.network import Batch, Network, Weights, forward
from reservoir.gradient.recurrent import RecurrentEstimator, TrainedWeights
from reservoir.gradient.trainer import Progress, Trainer
from reservoir.gradient.training import Training
from reservoir.language.batches import blocks, examples, pieces, streams
from reservoir.language.readers import NetworkReader
from reservoir.text.scoring import log_softmax_at
from reservoir.text.vocabulary import Vocabulary
from reservoir.validation import Choice, Constraint, DivergenceError, ParameterError

LONGEST = 1024
"""The most symbols along which the state is carried in training. A network that reads the zero state at few places has not
learned to start anywhere: from some symbols, an LSTM predicted badly for thousands of steps."""
WATCHED = 512
"""Symbols of the pieces in which the validation text is read after each epoch, each of them from the zero state."""
BLOCK = 128
"""Steps that are run at once where a text is scored."""
NOTHING = np.empty(0)
DEFAULT_TRAINING = Training(epochs=16, learning_rate=4e-3, schedule="cosine", truncation=(50, 50), patience=4)
DEFAULT_NETWORK = GRU(units=256, dropout=0.2, training=DEFAULT_TRAINING)


@dataclass(eq=False, repr=False)
class LanguageModel(TrainedWeights, Estimator):
    """A recurrent network that predicts the next symbol of a text: any cell, stacked or bidirectional.

    Parameters
    ----------
    network : an estimator trained by gradient, such as `GRU(units=256, training=Training(truncation=(35, 35)))`. Its
        symbols are "one-hot" unless they are "learned", vectors of `symbol_size`; its loss is the cross-entropy; what is
        for numbers or for whole sequences (pooling, washout, standardize) has no meaning here. Its training says how a
        text is cut into mini-batches. truncation=(k, k): contiguous ones, the text in streams of at most 1,024 symbols,
        `batch_size` of them side by side, whose state is carried on from each k symbols to the next; window=k: pieces of k
        symbols in random order, each from the zero state
    tied : whether the vectors of the symbols are the head's weights too (Press & Wolf 2017); they are "learned" then and
        as long as the output of the last layer

    Attributes
    ----------
    vocabulary_ : the vocabulary
    history_ : a record for each epoch, as of the network; the losses are mean natural logarithms, so that the perplexity is
        their exponential
    weights_, n_parameters_ : the weights by name, and their number

    Examples
    --------
    >>> from reservoir.gradient.cells.gru import GRU
    >>> text = "to be or not to be; " * 50
    >>> training = Training(epochs=40, batch_size=4, learning_rate=0.02, truncation=(20, 20))
    >>> model = LanguageModel(GRU(units=16, training=training, random_state=0)).fit(text, Vocabulary.from_text(text))
    >>> [logs] = model.log_probabilities(model.vocabulary_.documents_of("to be or not to be"))
    >>> bool(np.exp(-logs[1:].mean()) < 1.1)  # the perplexity
    True
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "network": Choice((), (RecurrentEstimator,), "an estimator trained by gradient, such as LSTM()"),
        "tied": Choice((True, False)),
    }

    network: RecurrentEstimator = DEFAULT_NETWORK
    tied: bool = False

    def check(self) -> None:
        """Raise `ParameterError` for the first parameter out of its constraint, of the network's and the training's too."""
        super().check()
        self._estimator().check()
        training, bidirectional = self.network.training, self.network.bidirectional
        if training.algorithm != "bptt":
            raise ParameterError(
                f"The 'algorithm' parameter of Training must be 'bptt' for text. Got {training.algorithm!r} instead."
            )
        if training.validation_fraction > 0.0:
            raise ParameterError(
                "The 'validation_fraction' parameter of Training must be 0 for text; give fit a validation text instead."
            )
        if training.window is None and (bidirectional or training.truncation is None):
            none = "and truncation to None: a bidirectional network carries no state on"
            other = none if bidirectional else "or set truncation, such as (35, 35)"
            raise ParameterError(f"The 'window' parameter of Training must be set for text, such as 35 symbols, {other}.")
        width = self.network.units * (1 + bidirectional)
        if self.tied and (self.network.symbols != "learned" or self.network.symbol_size != width):
            raise ParameterError(
                f"The 'tied' parameter of LanguageModel needs a network with symbols='learned' and symbol_size={width}, the"
                f" size of its output. Got symbols={self.network.symbols!r} and symbol_size={self.network.symbol_size} instead."
            )

    def fit(
        self,
        text: str,
        vocabulary: Vocabulary,
        validation: str = "",
        progress: Progress | None = None,
        watch: Callable[[Self], None] | None = None,
    ) -> Self:
        """Draw the weights and train them.

        Parameters
        ----------
        text : the text to learn
        vocabulary : the symbols of the model, and how a text is cut into them
        validation : a text that is only watched after each epoch; the weights of the epoch that is best on it are kept
        progress : called after each epoch with its record and the number of epochs
        watch : called after each epoch with a model that has the weights of that time, and its record in `history_`

        Raises
        ------
        ParameterError, DataError
            A parameter out of its constraint; a text that is empty or shorter than a batch.
        DivergenceError
            The loss is not finite in the first epoch. In a later one the best weights so far are kept, with a warning.
        """
        self.check()
        estimator, training = self._estimator(), self.network.training
        contiguous = training.window is None
        training.check_use(estimator.bidirectional, True, estimator.random_state is not None)
        network = self._network(estimator, len(vocabulary))
        _warn_of_answers(network)
        documents = vocabulary.documents_of(text)
        learned = examples(streams(documents, *(training.batch_size, LONGEST) if contiguous else (1,)), estimator.dtype)
        watched = examples(pieces(vocabulary.documents_of(validation), WATCHED), estimator.dtype) if validation else None
        seed = seed_sequence(estimator.random_state)
        drawn, trained = (np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, k)) for k in range(2))
        inits = (estimator.input_init, estimator.recurrent_init, estimator.bias_init, estimator.init_scale)
        vector = initial_weights(network, estimator.dtype, np.random.default_rng(drawn), *inits)
        mark = "" if training.checkpoint is None else fingerprint(estimator, seed, [np.array(self.tied), *documents])

        def told(record: Mapping[str, Any], epochs: int) -> None:
            if progress is not None:
                progress(record, epochs)
            if watch is not None:
                watch(copy.copy(self)._fitted(vocabulary, network, vector, [record]))

        trainer = Trainer(network, training, "symbol_cross_entropy", trained, mark, told)
        return self._fitted(vocabulary, network, vector, trainer.train(vector, learned, watched).history)

    def _fitted(self, vocabulary: Vocabulary, network: Network, vector: np.ndarray, history: Sequence[Any]) -> Self:
        """Become the model with these weights."""
        self.vocabulary_, self.network_, self._vector, self.history_ = vocabulary, network, vector, history
        return self

    @property
    def epochs(self) -> int:
        """The most epochs of a training."""
        return self.network.training.epochs

    def _estimator(self) -> RecurrentEstimator:
        """The network's estimator with what is the same for all texts."""
        estimator: RecurrentEstimator = clone(self.network)
        return estimator.set_params(symbols=self.network.symbols or "one-hot", loss="cross_entropy")

    def _network(self, estimator: RecurrentEstimator, n_symbols: int) -> Network:
        return replace(estimator._network(1, n_symbols, True, n_symbols), tied=self.tied)

    def log_probabilities(self, documents: list[np.ndarray]) -> list[np.ndarray]:
        """Give the natural logarithm of the probability of every symbol of documents (T,) but the first: (T - 1,) each.

        The state is carried on through a document, but a bidirectional network reads pieces of 128 symbols apart. Raises
        `DivergenceError` where outputs are not finite.
        """
        self._check_fitted()
        _warn_of_answers(self.network_)
        apart = pieces(documents, BLOCK) if self.network_.bidirectional else documents
        order = sorted(range(len(apart)), key=lambda index: -len(apart[index]))
        found = [NOTHING] * len(apart)
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):  # the logarithms show it
            for start in range(0, len(order), CHUNK):
                group = order[start : start + CHUNK]
                for index, logs in zip(group, self._score([apart[i] for i in group]), strict=True):
                    found[index] = logs
        joined = np.concatenate(found)
        if not np.isfinite(joined).all():
            raise DivergenceError(
                f"The network's outputs are not finite from symbol {int(np.argmin(np.isfinite(joined)))} of the text on;"
                " train it with a lower learning rate, or with truncation instead of window."
            )
        return np.split(joined, np.cumsum([len(document) - 1 for document in documents])[:-1])

    def _score(self, documents: list[np.ndarray]) -> list[np.ndarray]:
        """The logarithms of a few documents, the longest first, which run side by side."""
        weights, state, kind = Weights(self.network_, self._vector), None, self._vector.dtype
        lengths = np.array([len(document) - 1 for document in documents])
        found: list[list[np.ndarray]] = [[NOTHING] for _ in documents]
        for start, parts in blocks(documents, BLOCK):
            inputs = padded([part[:-1, None].astype(kind) for part in parts])
            targets = padded([part[1:, None] for part in parts])[:, :, 0]
            batch = Batch(inputs, np.array([len(part) - 1 for part in parts]), NOTHING, NOTHING)
            run = forward(self.network_, weights, batch, state, start)
            logs = log_softmax_at(run.outputs, targets)
            for b, part in enumerate(parts):
                found[b].append(logs[: len(part) - 1, b])
            state = run.state_after(len(inputs), int((lengths > start + BLOCK).sum()))
        return [np.concatenate(logs) for logs in found]

    def reader(self, count: int) -> NetworkReader:
        """Start to read `count` texts side by side, symbol by symbol."""
        self._check_fitted()
        _warn_of_answers(self.network_)
        return NetworkReader(self.network_, self._vector, count)

    def _check_fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise not_fitted(self)

    def save(self, path: PathLike) -> None:
        """Write the fitted model with its vocabulary to a file, for `reservoir.load`. Raises OSError where that fails."""
        self._check_fitted()
        state = {"vocabulary": self.vocabulary_.to_record(), "history": self.history_}
        save_model(path, self, {"weights": self._vector}, state)

    @classmethod
    def restored(cls, parameters: Mapping[str, Any], arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> Self:
        """The model whose `save` wrote these. Raises KeyError, TypeError or ValueError where they do not fit together."""
        model = cls(**parameters)
        model.check()
        vocabulary = Vocabulary.from_record(state["vocabulary"])
        network = model._network(model._estimator(), len(vocabulary))
        check_shapes(arrays, weights=(network.n_weights,))
        if arrays["weights"].dtype != model.network.dtype:
            raise ValueError(f"weights of {arrays['weights'].dtype}, not {model.network.dtype}")
        return model._fitted(vocabulary, network, arrays["weights"], state["history"])


def _warn_of_answers(network: Network) -> None:
    """Warn where a network sees the answer, from one line of the source, so that a program says it once."""
    if network.bidirectional:
        warnings.warn(
            "A bidirectional language model reads the symbols that it is to predict: its perplexity is near 1, and what it writes"
            " is nonsense.",
            RuntimeWarning,
            stacklevel=1,
        )
