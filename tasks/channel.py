"""Equalization of a nonlinear communication channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir import metrics
from reservoir.tasks.base import LAG, LENGTHS, Data, Split, Task, scored_rows
from reservoir.tasks.memory import lagged_regression
from reservoir.tasks.settings import FAST, FILTER, given
from reservoir.validation import Number

ALPHABET = (-3.0, -1.0, 1.0, 3.0)
# q(n) = sum over k of IMPULSE[k] d(n + 2 - k): from d(n+2), which the channel lets through early, down to d(n-7).
IMPULSE = (0.08, -0.12, 1.0, 0.18, -0.1, 0.091, -0.05, 0.04, 0.03, 0.01)
DELAY = 2
PAST = 7
TAPS = 46


def distort(q: np.ndarray) -> np.ndarray:
    """The channel's nonlinearity without memory: q + .036 q² - .011 q³."""
    return q + 0.036 * q**2 - 0.011 * q**3


@dataclass(frozen=True)
class ChannelEqualization(Task):
    """Recover the symbols sent through a channel with echoes, distortion and noise.

    The symbols d(n) are -3, -1, 1 or 3 with equal chance. The channel mixes and distorts them:

        q(n) = .08 d(n+2) - .12 d(n+1) + d(n) + .18 d(n-1) - .1 d(n-2) + .091 d(n-3)
               - .05 d(n-4) + .04 d(n-5) + .03 d(n-6) + .01 d(n-7)
        c(n) = q(n) + .036 q(n)² - .011 q(n)³
        u(n) = c(n) + noise,   noise Gaussian of mean 0 and variance var(c) / 10^(snr / 10)

    where var(c) is the variance of that split's own noise-free record, washout included, and `snr` is in decibels (12 to 32 in
    the paper). The input at row n is u(n), as it is, without offset; the target is d(n-2). The same seed sends the same symbols
    at every snr.

    Metric: `ser`, the fraction of test rows whose nearest symbol to the output is not d(n-2); `scores` adds the nmse.
    Source: H. Jaeger & H. Haas, Science 304, 2004; the channel is that of V. J. Mathews & J. Lee, 1994.
    Baseline: a linear equalizer, least squares on u(n), u(n-1), ..., u(n-45) and a constant (46 taps; the two newest are the
    future of the symbol asked for), fit on train.
    """

    name = "channel-equalization"
    picture = "symbols"
    kind = "filter"
    metric = "ser"
    baseline_name = "linear equalizer of 46 taps"
    published = "ser two orders of magnitude below earlier equalizers at high SNR (Jaeger & Haas 2004, abstract)"
    constraints = LENGTHS | given(washout=LAG, snr=Number(low=-50.0, high=200.0))
    tuned = given(
        esn=given(units=46, density=0.22, spectral_radius=0.34, input_scaling=0.1, bias_scaling=0.03,
                  readout_from=["bias", "input", "state", "square"], readout__ridge=1e-7),
        gradient=FILTER, clockwork=FAST,
        indrnn=given(units=64, layers=3, training__weight_decay=0.1, training__learning_rate=1e-2),
    )  # fmt: skip

    train_length: int = 5000
    validation_length: int = 5000
    test_length: int = 10000
    washout: int = 200
    snr: float = 20.0

    def facts(self) -> dict[str, Any]:
        """The ratio of signal to noise, in dB."""
        return {"snr": self.snr}

    def draw(self, generator: np.random.Generator, size: int) -> Split:
        """One record: inputs u(n) and targets d(n-2), both (washout + size, 1)."""
        length = self.washout + size
        # Entry j is d(j - 7): the symbols before row 0 and after the last row exist, so every row follows the equation.
        symbols = generator.choice(ALPHABET, size=length + len(IMPULSE) - 1)
        clean = distort(np.convolve(symbols, IMPULSE, mode="valid"))
        deviation = np.sqrt(np.var(clean) / 10.0 ** (self.snr / 10.0))
        received = clean + generator.normal(0.0, deviation, size=length)
        wanted = symbols[PAST - DELAY :][:length]
        return Split([received[:, None]], [wanted[:, None]], washout=self.washout)

    def score(self, predictions: list[np.ndarray], data: Data) -> float:
        """Symbol error rate of real-valued outputs, one (T, 1) array per sequence of the test split."""
        return metrics.symbol_error_rate(*scored_rows(predictions, data.test), ALPHABET)

    def scores(self, predictions: list[np.ndarray], data: Data) -> dict[str, float]:
        """The symbol error rate, and the normalized error of the outputs before the nearest symbol is taken."""
        return {"ser": self.score(predictions, data), "nmse": metrics.nmse(*scored_rows(predictions, data.test))}

    def baseline(self, data: Data) -> float:
        """Symbol error rate of the linear equalizer with 46 taps."""
        return self.score(lagged_regression(data, range(TAPS)), data)
