"""The embedded Reber grammar: predict which symbols may come next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import ArrayLike

from reservoir.tasks.base import SEQUENCES, Data, Split, Task
from reservoir.tasks.settings import ADAM, epochs, given
from reservoir.tasks.symbols import split_up
from reservoir.validation import DataError

SYMBOLS = "BTPSXVE"
INNER: Sequence[Mapping[str, int]] = (
    {"B": 1}, {"T": 2, "P": 3}, {"S": 2, "X": 4}, {"T": 3, "V": 5}, {"X": 3, "S": 6}, {"P": 4, "V": 6}, {"E": 7},
)  # fmt: skip
"""Reber's grammar: for each state, symbol that may come -> state after it; at 7 the string is over."""


def embedded() -> tuple[np.ndarray, int]:
    """The embedded grammar as (n_states, 7) next states, -1 where a symbol is not legal, and the state of the end.

    State 0 is the start. The inner grammar occurs twice, once for each outer symbol; only that symbol may follow it.
    """
    copy = len(INNER) + 2  # states of one copy: those of the inner grammar, 7 before the outer symbol, 8 before the last E
    end = 2 + 2 * copy
    states: list[dict[str, int]] = [{"B": 1}, {"T": 2, "P": 2 + copy}]
    for outer, first in (("T", 2), ("P", 2 + copy)):
        states += [{symbol: first + after for symbol, after in ways.items()} for ways in INNER]
        states += [{outer: first + copy - 1}, {"E": end}]
    table = np.full((end + 1, len(SYMBOLS)), -1)
    for state, ways in enumerate(states):
        for symbol, after in ways.items():
            table[state, SYMBOLS.index(symbol)] = after
    return table, end


TABLE, END = embedded()


@dataclass(frozen=True)
class Reber(Task):
    """Predict which symbols may come next in a string of the embedded Reber grammar.

    A string is B, an outer T or P, a string of Reber's grammar, the outer symbol once more, E. Reber's grammar is

        0: B 1     1: T 2 or P 3     2: S 2 or X 4     3: T 3 or V 5     4: X 3 or S end     5: P 4 or V end

    where "T 2" is the symbol T and then state 2, and "end" brings an E; where there are two ways both have a chance of 1/2.
    Inputs are the symbols B, T, P, S, X, V, E, one-hot, without the last of the string; the target of a step is the next symbol,
    one-hot, so that least squares learns its probability. The outer symbol has to be remembered over the whole inner string, of 5
    symbols or more. Short strings come often: many test strings are in train too.

    Metric: `accuracy`, the share of test strings that are right. One is when at every step every symbol that may come next has a
    larger output than every one that may not. `scores` adds `steps`, the share of single steps that are right in that sense, and
    `outer`, that of strings whose outer symbol is right where it comes again.
    Solved: all test strings right, as in the paper (which asks it of the 256 training strings too).
    Source: experiment 1 of S. Hochreiter & J. Schmidhuber, Long short-term memory, Neural Computation 9, 1997; the grammar is
    from A. S. Reber, Journal of Verbal Learning and Verbal Behavior 6, 1967.
    Baseline: the grammar without a memory of the outer symbol: at its return always the one that is commoner in train, all other
    steps right; about .5.
    """

    name = "reber"
    picture = "legal symbols"
    kind = "filter"
    metric = "accuracy"
    baseline_name = "the grammar without memory"
    higher_is_better = True
    published = "LSTM: 97 to 100 % of runs solved, after 8,440 to 39,740 strings (Hochreiter & Schmidhuber 1997)"
    solved_at = 1.0
    symbols = SYMBOLS
    constraints = SEQUENCES
    tuned = given(
        esn=given(units=200, topology="cycle", spectral_radius=0.9, leak_rate=0.1, input_scaling=0.1, bias_scaling=0.7,
                  readout__ridge=2e-7, readout_from=["bias", "state", "square"], washout=0),
        gradient=ADAM | given(units=24, training__learning_rate=1e-2) | epochs(40),
        clockwork=given(units=48, periods=[1, 2]) | epochs(80),
        indrnn=given(units=48, layers=2, training__learning_rate=5e-3),
    )  # fmt: skip

    train_sequences: int = 1000
    validation_sequences: int = 256
    test_sequences: int = 256

    def draw(self, generator: np.random.Generator, size: int) -> Split:
        """Inputs and targets (T_i, 7), T_i being one less than the number of symbols of a string."""
        strings, lengths = draw_strings(generator, size)
        read = np.arange(strings.shape[1] - 1) < lengths[:, None] - 1
        codes = np.eye(len(SYMBOLS))
        inputs, targets = codes[strings[:, :-1][read]], codes[strings[:, 1:][read]]
        return Split(split_up(inputs, lengths - 1), split_up(targets, lengths - 1))

    @staticmethod
    def legal(inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return which symbols may come next after each step of one-hot strings (T_i, 7): boolean (T_i, 7) each."""
        found = []
        for string in inputs:
            symbols = np.asarray(string).argmax(axis=1).tolist()
            states = list(accumulate(symbols, lambda state, symbol: int(TABLE[state, symbol]), initial=0))
            found.append(TABLE[states[1:]] >= 0)
        return found

    def right(self, predictions: Sequence[ArrayLike], data: Data) -> list[np.ndarray]:
        """Whether all legal outputs exceed all illegal ones at each step: boolean (T_i,) for each test string; false for NaN."""
        found, strings = [], data.test.inputs
        if len(predictions) != len(strings):
            raise DataError(f"There are {len(predictions)} predictions for {len(strings)} strings; they must agree.")
        for prediction, legal in zip(predictions, self.legal(strings), strict=True):
            outputs = np.asarray(prediction)
            if outputs.shape != legal.shape:
                raise DataError(f"predictions have shape {outputs.shape}, the steps and symbols {legal.shape}; they must agree.")
            found.append(np.where(legal, outputs, np.inf).min(axis=1) > np.where(legal, -np.inf, outputs).max(axis=1))
        return found

    def score(self, predictions: Sequence[ArrayLike], data: Data) -> float:
        """Share of right strings; `predictions` are (T_i, 7) outputs for each test string."""
        return float(np.mean([steps.all() for steps in self.right(predictions, data)]))

    def scores(self, predictions: Sequence[ArrayLike], data: Data) -> dict[str, float]:
        """Shares of right strings, of right steps, and of strings that are right where the outer symbol returns."""
        right = self.right(predictions, data)
        strings, outer = np.mean([steps.all() for steps in right]), np.mean([steps[-2] for steps in right])
        return {"accuracy": float(strings), "steps": float(np.mean(np.concatenate(right))), "outer": float(outer)}

    def baseline(self, data: Data) -> float:
        """Share of test strings whose outer symbol is the commoner one of train (T on a tie)."""
        train, test = (np.array([u[1].argmax() for u in split.inputs]) for split in (data.train, data.test))
        return float(np.mean(test == np.bincount(train).argmax()))


def draw_strings(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Random strings as codes (count, longest), filled up with E, and their lengths (count,)."""
    first, second = (TABLE >= 0).argmax(axis=1), len(SYMBOLS) - 1 - (TABLE[:, ::-1] >= 0).argmax(axis=1)
    states, columns = np.zeros(count, int), []
    lengths = np.zeros(count, int)
    while (going := states != END).any():
        symbols = np.where(generator.integers(0, 2, size=count), second[states], first[states])
        columns.append(np.where(going, symbols, SYMBOLS.index("E")))
        lengths += going
        states = np.where(going, TABLE[states, symbols], END)
    return np.stack(columns, axis=1), lengths
