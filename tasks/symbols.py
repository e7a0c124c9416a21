"""Long sequences of which a few steps are to be remembered: adding two numbers, copying symbols, the order of marked ones."""

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
from reservoir.tasks.settings import ADAM, DEEP, DELAY_LINES, epochs, given
from reservoir.validation import Choice, Number

ALPHABET = 8
BLANK, DELIMITER = 8, 9
RECALLED = 10
LENGTHS = (100, 110)
MARKS = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}
GATES_APART = given(bias_init="normal", init_scale=1.0)
"""Gates that begin with different biases remember for different times, some of them long enough."""
CLOSE = 0.04


@dataclass(frozen=True)
class Adding(Task):
    """Add the two marked numbers of a long sequence.

    A sequence has `length` steps, no more and no fewer, of two features. The first is uniform on (0, 1), drawn anew at each step.
    The second is 0, and 1 at two steps: one uniform over the first length // 2 steps, one uniform over the others. The target,
    one per sequence, is the sum of the two numbers so marked.

    Metric: `mse` over the test sequences; `scores` adds `close`, the share of them with an error below .04.
    Solved: an mse of at most .002, about a hundredth of the baseline.
    Source: experiment 4 of S. Hochreiter & J. Schmidhuber, Long short-term memory, Neural Computation 9, 1997, in the form of M.
    Arjovsky, A. Shah & Y. Bengio, Unitary evolution recurrent neural networks, ICML 2016. The original has numbers on (-1, 1),
    lengths that vary by a tenth, marks of -1 at both ends, and another scale.
    Baseline: always 1, the mean of the sum; 1/6, its variance.
    """

    name = "adding"
    slow = ("esn", "gradient")
    kind = "label"
    metric = "mse"
    baseline_name = "always 1"
    published = "LSTM solves lengths up to 400, tanh units without gates stay at 1/6 (Arjovsky, Shah & Bengio 2016)"
    solved_at = 0.002
    constraints = SEQUENCES | given(length=Number(low=2, integer=True))
    tuned = given(
        esn=DELAY_LINES | given(readout__ridge=1e-5),
        gradient=ADAM | given(units=32) | epochs(6),
        # The network as it is published, from small random weights. From orthogonal ones its error is .07 with some seeds.
        elman=given(recurrent_init="glorot"),
        indrnn=DEEP | given(training__learning_rate=2e-3),
    )

    train_sequences: int = 20000
    validation_sequences: int = 1000
    test_sequences: int = 10000
    length: int = 200

    def draw(self, generator: np.random.Generator, size: int) -> Split:
        """Inputs (length, 2), targets (n_sequences,)."""
        values = generator.random((size, self.length))
        inputs = np.zeros((size, self.length, 2))
        inputs[:, :, 0] = values
        each, half = np.arange(size), self.length // 2
        targets = np.zeros(size)
        for low, high in ((0, half), (half, self.length)):
            marked = generator.integers(low, high, size=size)
            inputs[each, marked, 1] = 1.0
            targets += values[each, marked]
        return Split(list(inputs), targets)

    def score(self, predictions: ArrayLike, data: Data) -> float:
        """Mean squared error over the test sequences; `predictions` is (n_sequences,)."""
        return metrics.mse(predictions, np.asarray(data.test.targets))

    def scores(self, predictions: ArrayLike, data: Data) -> dict[str, float]:
        """The mean squared error, and the share of sequences with an error below .04."""
        errors = np.abs(np.ravel(predictions) - np.asarray(data.test.targets))
        return {"mse": self.score(predictions, data), "close": float(np.mean(errors < CLOSE))}

    def baseline(self, data: Data) -> float:
        """The mean squared error of always 1."""
        return self.score(np.ones(len(data.test.targets)), data)


@dataclass(frozen=True)
class Copy(Task):
    """Read ten symbols, wait, and say them again in order.

    A sequence has `blanks` + 20 steps, each one of ten symbols, one-hot: ten symbols of 0 ... 7 with equal chance, then `blanks`
    - 1 blanks (8), a delimiter (9), and ten blanks. The label of a step is 8 until the delimiter has been read, with it, and then
    the ten symbols in their order, one at each of the last ten steps. So a label is one of nine.

    Metric: `accuracy` of the labels of the last ten steps; `scores` adds `all_steps`, that of every step, and `sequences`, the
    share of sequences whose ten symbols are all right.
    Solved: an accuracy of at least .99.
    Source: after S. Hochreiter & J. Schmidhuber, Neural Computation 9, 1997, in the form of M. Arjovsky, A. Shah & Y. Bengio,
    Unitary evolution recurrent neural networks, ICML 2016.
    Baseline: always the commonest symbol of the last ten steps in train; about 1/8. The cross-entropy per step of a model without
    memory, 10 ln 8 / (blanks + 20), with which papers compare, is in `info`.
    Published: LSTM and plain tanh units stay at that cross-entropy for many blanks; no accuracies.
    """

    name = "copy"
    slow = ("esn", "gradient")
    picture = "step labels"
    kind = "filter"
    metric = "accuracy"
    baseline_name = "the commonest symbol"
    higher_is_better = True
    solved_at = 0.99
    constraints = SEQUENCES | given(blanks=COUNT)
    tuned = given(
        esn=DELAY_LINES | given(readout="RidgeClassifier", readout__ridge=1e-5),
        gradient=ADAM | given(loss="cross_entropy", units=64) | epochs(5),
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

    A sequence has 100 to 110 steps, each one of eight symbols, one-hot, in the order E, B, a, b, c, d, X, Y. It begins with E and
    ends with B. Between them a, b, c, d come with equal chance, but at `marked` steps X or Y does, with equal chance: for two at
    a step from 10 to 20 and one from 50 to 60, for three from 10 to 20, 33 to 43 and 66 to 76, counted from 0, ends included,
    each step alike. The label counts in binary, X as 0 and Y as 1, the first mark as the highest digit: XX 0, XY 1, YX 2, YY 3;
    XXX 0 to YYY 7. `Data.info` holds their names.

    Metric: `accuracy` on the test sequences.
    Solved: an accuracy of at least .99.
    Source: experiments 6a and 6b of S. Hochreiter & J. Schmidhuber, Long short-term memory, Neural Computation 9, 1997, where a
    run ends once the last 2,000 training sequences were classified rightly, with all errors below .3.
    Baseline: always the commonest train label; about 1/4 or 1/8.
    """

    name = "temporal-order"
    published = "LSTM: 1 of 2,560 wrong after 31,390 sequences; 3 marks: 2 after 571,100 (Hochreiter & Schmidhuber 1997)"
    solved_at = 0.99
    symbols = "EBabcdXY"
    constraints = SEQUENCES | given(marked=Choice((2, 3)))
    tuned = given(
        esn=given(units=200, density=0.05, spectral_radius=0.8, leak_rate=0.06, input_scaling=0.1, bias_scaling=0.5,
                  readout="RidgeClassifier", readout__ridge=1e-6, washout=0),
        gradient=ADAM | given(loss="cross_entropy", units=32) | epochs(8),
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
