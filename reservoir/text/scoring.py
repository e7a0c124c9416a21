"""How well a language model predicts a text: perplexity, bits per character, and the score of every line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reservoir.text.reader import Predictor
from reservoir.text.vocabulary import BEGIN, END
from reservoir.validation import DataError


@dataclass(frozen=True)
class Score:
    """The score of a text.

    Attributes
    ----------
    log_probability : the natural logarithm of its probability
    symbols : the number of symbols that were predicted, the ends of documents among them
    characters : the number of its characters
    """

    log_probability: float
    symbols: int
    characters: int

    @property
    def perplexity(self) -> float:
        """The inverse of the geometric mean of the symbols' probabilities; infinite beyond the range of numbers."""
        mean = -self.log_probability / self.symbols
        return math.exp(mean) if mean < 700.0 else math.inf

    @property
    def bits_per_character(self) -> float:
        """The information of the text in bits, per character whatever the symbols are, so that models compare."""
        return -self.log_probability / math.log(2.0) / self.characters


def score_text(model: Predictor, text: str) -> Score:
    """Score a text, cut into documents as the model's vocabulary says. Raises `DataError` for an empty text.

    >>> from reservoir.text.ngram import NGram
    >>> from reservoir.text.vocabulary import Vocabulary
    >>> model = NGram(1).fit("abab", Vocabulary.from_text("abab"))
    >>> round(score_text(model, "ba").perplexity, 2)
    2.67
    """
    logs = model.log_probabilities(model.vocabulary_.documents_of(text))
    return Score(float(sum(part.sum() for part in logs)), sum(map(len, logs)), len(text))


def score_lines(model: Predictor, lines: Sequence[str]) -> list[Score]:
    """Score every line as a document of its own. Raises `DataError` that names a line without tokens."""
    vocabulary = model.vocabulary_
    end = [] if vocabulary.documents is None else [END]
    documents = [np.r_[BEGIN, vocabulary.encode(line), end].astype(np.int64) for line in lines]
    for number, (line, document) in enumerate(zip(lines, documents, strict=True), 1):
        if len(document) < 2 + len(end):
            raise DataError(f"text: line {number} has no {vocabulary.tokens} to score. Got {line!r} instead; leave it out.")
    logs = model.log_probabilities(documents)
    return [Score(float(part.sum()), len(part), len(line)) for part, line in zip(logs, lines, strict=True)]


def log_softmax_at(outputs: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """The logarithms of the probabilities of symbols (...,) in float64, for outputs (..., V), which are overwritten."""
    outputs -= outputs.max(axis=-1, keepdims=True)
    found = np.take_along_axis(outputs, symbols[..., None], axis=-1)[..., 0].astype(np.float64)
    np.exp(outputs, out=outputs)
    return np.asarray(found - np.log(outputs.sum(axis=-1, dtype=np.float64)))
