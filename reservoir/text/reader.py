"""What a language model answers: the probabilities of a text's symbols, and its expectation of the next one."""

from __future__ import annotations

import abc
from typing import Protocol

import numpy as np

from reservoir.kernels.writing import draw_symbol
from reservoir.text.vocabulary import Vocabulary


class Reader(abc.ABC):
    """A model in the middle of B texts.

    `scores` (B, V) are the log-probabilities of the symbols that may follow; the softmax of a row gives the probabilities.
    """

    scores: np.ndarray

    @abc.abstractmethod
    def read(self, symbols: np.ndarray) -> np.ndarray:
        """Read the next symbol of each text (B,), and return the new `scores`, which the next call may overwrite."""

    @abc.abstractmethod
    def select(self, texts: np.ndarray) -> None:
        """Go on with copies of some of the texts (B,), by their numbers, instead of all of them."""

    def write(self, uniforms: np.ndarray, temperature: float, top: int, never: np.ndarray) -> np.ndarray:
        """Draw the symbols that follow the only text, and read them, (n,).

        uniforms : random numbers in [0, 1), (n,)
        temperature, top, never : as for `kernels.writing.draw_symbol`
        """
        written = np.empty(len(uniforms), np.int64)
        for n, uniform in enumerate(uniforms):
            written[n] = draw_symbol(self.scores[0], never, temperature, top, uniform)
            self.read(written[n : n + 1])
        return written


class Predictor(Protocol):
    """What generation and scoring ask of a fitted model."""

    vocabulary_: Vocabulary

    def reader(self, count: int) -> Reader:
        """Start to read `count` texts."""

    def log_probabilities(self, documents: list[np.ndarray]) -> list[np.ndarray]:
        """Give the natural logarithm of the probability of every symbol of documents (T,) but the first: (T - 1,) each."""
