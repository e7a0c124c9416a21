"""N-grams: interpolated modified Kneser-Ney (Chen & Goodman, Computer Speech and Language 13, 1999).

    p(w | h) = max(c(h w) - D(c(h w)), 0) / c(h) + g(h) p(w | h')     c(h) = sum over w of c(h w)
    g(h)     = (D_1 N_1(h) + D_2 N_2(h) + D_3+ N_3+(h)) / c(h)        N_k(h): how many w have c(h w) = k

h' is the context h without its first symbol; below the empty one every symbol is as likely. c counts how often an n-gram of
the highest order occurs, and of a lower order before how many different symbols, or, if it begins a document, how often. A
context that was never seen has the probabilities of the next shorter one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np

from reservoir.base.estimator import Estimator
from reservoir.text.reader import Reader
from reservoir.text.vocabulary import BEGIN, Vocabulary
from reservoir.validation import Constraint, Number

FALLBACK = (0.5, 1.0, 1.5)
"""Discounts where a text has too few n-grams for the estimate."""


class Level(NamedTuple):
    """The n-grams of one order, numbered from 0 in the order of their keys."""

    keys: np.ndarray  # (n,): number of the n-gram without its last symbol, times the number of symbols, plus the last symbol
    shares: np.ndarray  # (n,): (c - D(c)) / c(h)
    passed: np.ndarray  # for each n-gram one shorter, as a context: g(h), what goes to the lower order


def discounts(counts: np.ndarray) -> np.ndarray:
    """Give D(0) = 0, D_1, D_2 and D_3+ for the counts of all n-grams of an order.

    D_k = k - (k + 1) Y n_(k+1) / n_k, Y = n_1 / (n_1 + 2 n_2); n_k is how many n-grams have the count k. An
    estimate that does not exist or is not in [0, k] is .5, 1 or 1.5.

    >>> discounts(np.array([1, 1, 1, 1, 2, 2, 3, 3, 4])).tolist()  # n_k = 4, 2, 2, 1: Y = .5
    [0.0, 0.5, 0.5, 2.0]
    """
    n = np.bincount(counts, minlength=5)
    found = [0.0]
    for k in (1, 2, 3):
        d = k - (k + 1) * n[1] / (n[1] + 2 * n[2]) * n[k + 1] / n[k] if n[1] and n[k] else -1.0
        found.append(d if 0.0 <= d <= k else FALLBACK[k - 1])
    return np.array(found)


@dataclass(eq=False, repr=False)
class NGram(Estimator):
    """An n-gram language model, smoothed by interpolated modified Kneser-Ney.

    Parameters
    ----------
    order : n, the symbols of an n-gram, in [1, 6]

    Attributes
    ----------
    vocabulary_ : the vocabulary
    n_parameters_ : the number of n-grams of all orders that were counted

    Examples
    --------
    >>> text = "to be or not to be"
    >>> model = NGram(3).fit(text, Vocabulary.from_text(text))
    >>> probabilities = model.distribution(model.vocabulary_.encode("not t"))
    >>> model.vocabulary_.symbols[probabilities.argmax()], round(float(probabilities.sum()), 12)
    ('o', 1.0)
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {"order": Number(low=1, high=6, integer=True)}

    order: int = 5

    def fit(self, text: str, vocabulary: Vocabulary) -> Self:
        """Count the n-grams of a text. Raises `ParameterError` for an order out of its range, `DataError` for an empty text."""
        self.check()
        symbols, left = _joined(vocabulary.documents_of(text))
        numbers, counted = np.zeros(len(symbols), np.int64), []
        for order in range(1, self.order + 1):
            starts = np.flatnonzero(left >= order)
            keys, first, inverse, counts = np.unique(
                numbers[starts] * len(vocabulary) + symbols[starts + order - 1],
                return_index=True, return_inverse=True, return_counts=True,
            )  # fmt: skip
            numbers = np.full(len(symbols), -1)
            numbers[starts] = inverse
            counted.append((keys, starts[first], counts, numbers))
        self.vocabulary_, self.levels_ = vocabulary, []
        n_contexts = 1
        for order, (keys, first, counts, numbers) in enumerate(counted, 1):
            if order < self.order:
                before = np.bincount(numbers[counted[order][1] + 1], minlength=len(keys))  # n-grams that are one longer
                counts = np.where(symbols[first] == BEGIN, counts, before)
            counts = np.where((symbols[first] == BEGIN) & (order == 1), 0, counts)  # which is never predicted
            self.levels_.append(_level(keys, counts, n_contexts, len(vocabulary)))
            n_contexts = len(keys)
        self.n_parameters_ = sum(len(level.keys) for level in self.levels_)
        return self

    def log_probabilities(self, documents: list[np.ndarray]) -> list[np.ndarray]:
        """Give the natural logarithm of the probability of every symbol of documents (T,) but the first: (T - 1,) each."""
        symbols, left = _joined(documents)
        numbers = np.zeros(len(symbols), np.int64)
        probabilities = np.full(len(symbols), 1.0 / (len(self.vocabulary_) - 1))
        for order, level in enumerate(self.levels_, 1):
            starts = np.flatnonzero((left >= order) & (numbers >= 0))
            ends, contexts = starts + order - 1, numbers[starts]
            found = self._find(level, contexts, symbols[ends])
            probabilities[ends] *= level.passed[contexts]
            probabilities[ends] += np.where(found >= 0, level.shares[found], 0.0)
            numbers = np.full(len(symbols), -1)
            numbers[starts] = found
        logs, ends = np.log(probabilities), np.cumsum([len(document) for document in documents])
        return [logs[end - len(document) + 1 : end] for document, end in zip(documents, ends, strict=True)]

    def distribution(self, context: np.ndarray) -> np.ndarray:
        """Give the probability of each symbol (V,) after a context (T,), of which the last n - 1 symbols count."""
        count = len(self.vocabulary_)
        probabilities = np.full(count, 1.0 / (count - 1))
        probabilities[BEGIN] = 0.0
        for order, level in enumerate(self.levels_[: len(context) + 1], 1):
            number = 0
            for shorter, symbol in zip(self.levels_, context[len(context) - order + 1 :], strict=False):
                number = int(self._find(shorter, np.array([number]), np.array([symbol]))[0])
                if number < 0:
                    return probabilities
            first, last = np.searchsorted(level.keys, [number * count, (number + 1) * count])
            probabilities *= level.passed[number]
            probabilities[level.keys[first:last] % count] += level.shares[first:last]
        return probabilities

    def reader(self, count: int) -> NGramReader:
        """Start to read `count` texts side by side, symbol by symbol."""
        return NGramReader(self, count)

    def _find(self, level: Level, contexts: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """The numbers of the n-grams that are contexts with a symbol after them, -1 for those never seen."""
        keys = contexts * len(self.vocabulary_) + symbols
        found = np.minimum(np.searchsorted(level.keys, keys), len(level.keys) - 1)
        return np.where(level.keys[found] == keys, found, -1)


class NGramReader(Reader):
    """An n-gram model that reads texts: it keeps the last symbols of each."""

    def __init__(self, model: NGram, count: int) -> None:
        self.model, self.texts = model, np.empty((count, 0), np.int64)

    def read(self, symbols: np.ndarray) -> np.ndarray:
        """See `Reader`."""
        self.texts = np.concatenate([self.texts, symbols[:, None]], axis=1)[:, -5:]
        with np.errstate(divide="ignore"):  # a document does not begin within another
            self.scores = np.log([self.model.distribution(text) for text in self.texts])
        return self.scores

    def select(self, texts: np.ndarray) -> None:
        """See `Reader`."""
        self.texts = self.texts[texts]


def _joined(documents: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Documents end to end, and for every symbol how many there are from it to the end of its document."""
    return np.concatenate(documents), np.concatenate([np.arange(len(document), 0, -1) for document in documents])


def _level(keys: np.ndarray, counts: np.ndarray, n_contexts: int, n_symbols: int) -> Level:
    """The shares of n-grams with such counts, and what their contexts pass to the lower order."""
    discount = discounts(counts)[np.minimum(counts, 3)]
    contexts = keys // n_symbols
    totals = np.bincount(contexts, counts, n_contexts)
    removed = np.bincount(contexts, discount, n_contexts)
    seen = totals > 0.0
    passed = np.where(seen, removed / np.where(seen, totals, 1.0), 1.0)
    return Level(keys, (counts - discount) / np.where(seen, totals, 1.0)[contexts], passed)
