"""Reading texts symbol by symbol: the state of a model in several texts side by side, and its expectation of what follows."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from reservoir.gradient.network import Network, Weights
from reservoir.kernels.sequence import Tape, run_forward
from reservoir.language.vocabulary import Vocabulary


class Reader(Protocol):
    """A model in the middle of B texts."""

    def read(self, symbols: np.ndarray) -> np.ndarray:
        """Read the next symbol of each text (B,).

        Returns the logarithms of the probabilities of the symbols that may follow, (B, V), but for a constant in each row;
        the next call may overwrite them.
        """

    def select(self, texts: np.ndarray) -> None:
        """Go on with copies of some of the texts (B,), by their numbers, instead of all of them."""


class LanguageModelLike(Protocol):
    """What generation and scoring ask of a fitted model."""

    vocabulary_: Vocabulary

    def reader(self, count: int) -> Reader:
        """Start to read `count` texts."""

    def log_probabilities(self, documents: list[np.ndarray]) -> list[np.ndarray]:
        """Give the natural logarithm of the probability of every symbol of documents (T,) but the first: (T - 1,) each."""


class NetworkReader:
    """A recurrent network that reads B texts, with memory that is used again at every symbol.

    Of a bidirectional network the backward direction starts at each symbol anew, since it does not know what follows.
    """

    def __init__(self, network: Network, vector: np.ndarray, count: int) -> None:
        self.network, self.weights, self.steps = network, Weights(network, vector), 0
        self.active, kind = np.array([count]), vector.dtype
        self.tapes: list[list[Tape]] = []
        for layer in network.layers:
            cell, units = layer.cell, layer.cell.units
            inputs = np.empty((1, count, 1), np.int64) if layer.reads_symbols else np.empty((1, count, layer.n_inputs), kind)
            self.tapes.append(
                [
                    Tape(
                        inputs,
                        np.empty((1, count, cell.gates * units), kind),
                        np.empty((1, count, cell.extra * units), kind),
                        np.zeros((cell.states, 2, count, units), kind),
                        0,
                    )
                    for _ in self.weights.bound[len(self.tapes)]
                ]
            )
        self.outputs = np.empty((count, network.n_outputs), kind)
        self.head = network.head_weights(self.weights.arrays)

    def read(self, symbols: np.ndarray) -> np.ndarray:
        """See `Reader`."""
        network, arrays = self.network, self.weights.arrays
        x = symbols[:, None] if network.layers[0].reads_symbols else arrays["symbols"][symbols]
        for index, layer in enumerate(network.layers):
            found = []
            for direction, (bound, tape) in enumerate(zip(self.weights.bound[index], self.tapes[index], strict=True)):
                tape.inputs[0] = x
                tape.states[:, 0] = 0 if direction else tape.states[:, 1]
                run_forward(bound, tape._replace(first=self.steps), self.active)
                found.append(tape.states[0, 1])
            x = np.concatenate(found, axis=1) if layer.bidirectional else found[0]
            if network.layer_norm:
                x, _ = network.norms[index].forward(arrays, x)
        self.steps += 1
        np.dot(x, self.head, out=self.outputs)
        self.outputs += arrays["head.bias"]
        return self.outputs

    def select(self, texts: np.ndarray) -> None:
        """See `Reader`."""
        for tapes in self.tapes:
            for tape in tapes:
                tape.states[:, 1] = tape.states[:, 1, texts]
