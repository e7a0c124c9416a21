"""Sequences of symbols to be remembered: copying ten of them, and the order of a few marked ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reservoir import metrics
from reservoir.tasks.base import COUNT, SEQUENCES, Data, Split, Task, scored
from reservoir.tasks.labels import Labeled
from reservoir.tasks.settings import ADAM, DEEP, DELAY_LINES, given
from reservoir.validation import Choice

ALPHABET = 8
BLANK, DELIMITER = 8, 9
RECALLED = 10
LENGTHS = (100, 110)
MARKS = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}
GATES_APART = given(bias_init="normal", init_scale=1.0)
"""Gates that begin with different biases remember for different times, some of them long enough."""


@dataclass(frozen=True)
class Copy(Task):
    """Read ten symbols, wait, and say them again in order.

    A sequence has `blanks` + 20 steps, each one of ten symbols, one-hot: ten symbols of 0 ... 7 with equal chance, then
    `blanks` - 1 blanks (8), a delimiter (9), and ten blanks. The label of a step is 8 until the delimiter has been read,
    with it, and then the ten symbols in their order, one at each of the last ten steps. So a label is one of nine.

    Metric: `accuracy` of the labels of the last ten steps; `scores` adds `all_steps`, that of every step, and `sequences`,
    the share of sequences whose ten symbols are all right.
    Solved: an accuracy of at least .99.
    Source: after S. Hochreiter & J. Schmidhuber, Neural Computation 9, 1997, in the form of M. Arjovsky, A. Shah & Y.
    Bengio, Unitary evolution recurrent neural networks, ICML 2016.
    Baseline: always the commonest symbol of the last ten steps in train; about 1/8. The cross-entropy per step of a model
    without memory, 10 ln 8 / (blanks + 20), with which papers compare, is in `info`.
    Published: LSTM and plain tanh units stay at that cross-entropy for many blanks; no accuracies.
    """

    name = "copy"
    picture = "step labels"
    kind = "filter"
    metric = "accuracy"
    higher_is_better = True
    solved_at = 0.99
    constraints = SEQUENCES | given(blanks=COUNT)
    tuned = given(
        esn=DELAY_LINES | given(readout="RidgeClassifier", readout__ridge=1e-5),
        gradient=ADAM | given(loss="cross_entropy", units=64, training__epochs=5),
        indrnn=given(layers=2),
    )

    train_sequences: int = 10000
    validation_sequences: int = 500
    test_sequences: int = 1000
    blanks: int = 100

    def facts(self) -> dict[str, Any]:
        """The cross entropy of a model that waits for the delimiter and then guesses."""
        entropy = RECALLED * math.log(ALPHABET) / (self.blanks + 2 * RECALLED)
        return {"cross_entropy_without_memory": entropy}

    def draw(self, generator: np.random.Generator, size: int) -> Split:
        """Inputs (blanks + 20, 10) and integer labels (blanks + 20,); all steps but the last ten are washout."""
        read, labels = np.full((2, size, self.blanks + 2 * RECALLED), BLANK)
        read[:, :RECALLED] = labels[:, -RECALLED:] = generator.integers(0, ALPHABET, size=(size, RECALLED))
        read[:, -RECALLED - 1] = DELIMITER
        return Split(list(np.eye(ALPHABET + 2)[read]), list(labels), washout=self.blanks + RECALLED)

    def score(self, predictions: Sequence[ArrayLike], data: Data) -> float:
        """Share of right labels in the last ten steps; `predictions` are (blanks + 20,) labels for each test sequence."""
        return metrics.accuracy(_recalled(predictions, data), scored(data.test, data.test.targets))

    def scores(self, predictions: Sequence[ArrayLike], data: Data) -> dict[str, float]:
        """The accuracy of the last ten steps, of all steps, and the share of sequences without a mistake in the last ten."""
        right = _recalled(predictions, data) == scored(data.test, data.test.targets)
        everywhere = metrics.accuracy(np.concatenate([np.ravel(p) for p in predictions]), np.concatenate(list(data.test.targets)))
        whole = right.reshape(-1, RECALLED).all(axis=1)
        return {"accuracy": self.score(predictions, data), "all_steps": everywhere, "sequences": float(whole.mean())}

    def baseline(self, data: Data) -> float:
        """The accuracy of the commonest train symbol (the lowest on a tie), always."""
        commonest = np.bincount(scored(data.train, data.train.targets)).argmax()
        return self.score([np.full(len(y), commonest) for y in data.test.targets], data)


def _recalled(predictions: Sequence[ArrayLike], data: Data) -> np.ndarray:
    return scored(data.test, [np.ravel(p) for p in predictions])


@dataclass(frozen=True)
class TemporalOrder(Labeled):
    """Say in which order two or three marked symbols came, among others that mean nothing.

    A sequence has 100 to 110 steps, each one of eight symbols, one-hot, in the order E, B, a, b, c, d, X, Y. It begins with
    E and ends with B. Between them a, b, c, d come with equal chance, but at `marked` steps X or Y does, with equal
    chance: for two at a step from 10 to 20 and one from 50 to 60, for three from 10 to 20, 33 to 43 and 66 to 76, counted
    from 0, ends included, each step alike. The label counts in binary, X as 0 and Y as 1, the first mark as the highest
    digit: XX 0, XY 1, YX 2, YY 3; XXX 0 to YYY 7. `Data.info` holds their names.

    Metric: `accuracy` on the test sequences.
    Solved: an accuracy of at least .99.
    Source: experiments 6a and 6b of S. Hochreiter & J. Schmidhuber, Long short-term memory, Neural Computation 9, 1997,
    where a run ends once the last 2,000 training sequences were classified rightly, with all errors below .3.
    Baseline: always the commonest train label; about 1/4 or 1/8.
    Published: LSTM, 1 of 2,560 wrong after 31,390 sequences (two marks), 2 of 2,560 after 571,100 (three).
    """

    name = "temporal-order"
    published = "LSTM: 1 of 2,560 wrong after 31,390 sequences; 3 marks: 2 after 571,100 (Hochreiter & Schmidhuber 1997)"
    solved_at = 0.99
    symbols = "EBabcdXY"
    constraints = SEQUENCES | given(marked=Choice((2, 3)))
    tuned = given(
        esn=given(units=200, density=0.05, spectral_radius=0.8, leak_rate=0.06, input_scaling=0.1, bias_scaling=0.5,
                  readout="RidgeClassifier", readout__ridge=1e-6, washout=0),
        gradient=ADAM | given(loss="cross_entropy", units=32, training__epochs=8),
        gru=GATES_APART, mgu=GATES_APART, indrnn=DEEP | given(training__learning_rate=2e-3),
    )  # fmt: skip

    train_sequences: int = 10000
    validation_sequences: int = 1000
    test_sequences: int = 2560
    marked: int = 2

    def facts(self) -> dict[str, Any]:
        """The names of the classes, in the order of their labels."""
        return {"classes": ["".join(name) for name in product("XY", repeat=self.marked)]}

    def draw(self, generator: np.random.Generator, size: int) -> Split:
        """Inputs (T_i, 8) of unequal lengths, labels (n_sequences,) of 0 to 3, or 0 to 7 for three marks."""
        shortest, longest = LENGTHS
        lengths = generator.integers(shortest, longest, size=size, endpoint=True)
        read = generator.integers(self.symbols.index("a"), self.symbols.index("X"), size=(size, longest))
        labels, each = np.zeros(size, np.int64), np.arange(size)
        for low, high in MARKS[self.marked]:
            bits = generator.integers(0, 2, size=size)
            read[each, generator.integers(low, high, size=size, endpoint=True)] = self.symbols.index("X") + bits
            labels = 2 * labels + bits
        read[:, 0] = self.symbols.index("E")
        read[each, lengths - 1] = self.symbols.index("B")
        inside = np.arange(longest) < lengths[:, None]
        return Split(split_up(np.eye(len(self.symbols))[read[inside]], lengths), labels)


def split_up(rows: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Rows that stand end to end, as a sequence each."""
    return np.split(rows, np.cumsum(lengths)[:-1])
