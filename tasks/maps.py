"""Free runs of maps and of sums of sines: Henon, multiple superimposed oscillators, a sine without input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.metrics import nmse
from reservoir.tasks.base import Data, Regression, Split
from reservoir.tasks.forecasts import Chaos, FreeRun, one_step, rolling_origins, training_mean
from reservoir.tasks.settings import ADAM, DEEP_TANH, FAST, FLOW, epochs, given
from reservoir.validation import Number


@dataclass(frozen=True)
class Henon(Chaos):
    """Continue the Henon map, seen in its first variable.

    x(t+1) = 1 - 1.4 x(t)^2 + .3 x(t-1), the map of Henon 1976 with y(t) = .3 x(t-1): two values determine the next.

    Metric: vpt, the mean valid prediction time of the starts in Lyapunov times (exponent .419 per step, Sprott 2003); `scores`
    adds the NMSE of the first step. Baseline: persistence, the last value of each history. The longest score is 41.9.
    """

    starts: int = 50

    name = "henon"
    lyapunov = 0.419
    spread = (0.721,)
    tuned = given(
        esn=given(units=300, density=0.033, spectral_radius=0.2, leak_rate=0.93, input_scaling=1.2, bias_scaling=0.37,
                  readout__ridge=3e-12),
        gradient=FLOW | epochs(2000), clockwork=FAST, indrnn=DEEP_TANH,
    )  # fmt: skip

    def record(self, length: int, generator: np.random.Generator) -> np.ndarray:
        """A record (length, 1) of x, 100 steps after a random start in the basin of the attractor."""
        previous, x = generator.uniform(-0.1, 0.1, 2).tolist()
        values = []
        for _ in range(100 + length):
            previous, x = x, 1.0 - 1.4 * x * x + 0.3 * previous
            values.append(x)
        return np.array(values[100:])[:, None]

    def scores(self, predictions: Any, data: Data) -> dict[str, float]:
        """Valid prediction times, and the NMSE of the first step over the starts."""
        first = [np.asarray(prediction)[0] for prediction in predictions]
        variance = self.spread[0] ** 2
        one_step_error = nmse(np.stack(first), np.stack([target[0] for target in data.test.targets]), variance)
        return {**super().scores(predictions, data), "one_step_nmse": one_step_error}


@dataclass(frozen=True)
class Oscillation(Regression, FreeRun):
    """Base of the free runs that continue the very record they were trained on.

    One record: `train_length` training steps, then the continuation of the validation split, then that of the test split. A
    history is the `history` values before its continuation, so that those of the test end in the validation's values.
    """

    starts: int = 1

    baseline_name = "the mean of the training data"

    def generate(self, seed: int) -> Data:
        """The data of one seed; the same seed gives the same bits."""
        begin = self.train_length + 1
        (generator,) = self.streams(seed, 1)
        record = self.record(begin + 2 * self.starts * self.steps, generator)
        middle = begin + self.starts * self.steps
        spans = ((begin, middle), (middle, len(record)))
        validation, test = (rolling_origins(record, *span, self.history, self.steps, self.starts) for span in spans)
        return Data(self.training(record[:begin]), validation, test)

    def training(self, record: np.ndarray) -> Split:
        """The training split of the first `train_length` + 1 values."""
        return one_step(record, self.washout)

    def baseline(self, data: Data) -> float:
        """The score of the mean of the training targets."""
        return self.score(training_mean(data), data)


@dataclass(frozen=True)
class MultipleSines(Oscillation):
    """Continue a sum of up to eight sines (MSO, multiple superimposed oscillators).

    y(t) = sum of sin(a_i t) over the first `sines` of a = .2, .311, .42, .51, .63, .74, .85, .97. The papers start at t = 0; here
    the seed draws the start, a whole number below 100,000: seeds show other stretches of one signal.
    Source: Xue, Yang & Haykin 2007, Neural Networks 20 (two sines); Koryakin, Lohmann & Butz 2012, Neural Networks 36 (eight).

    Metric: nmse over the continuation. Baseline: the mean of the training series.
    """

    train_length: int = 400
    steps: int = 300
    sines: int = 8

    name = "mso"
    constraints = FreeRun.constraints | given(sines=Number(low=1, high=8, integer=True))
    tuned = given(
        esn=given(units=100, topology="orthogonal", activation="identity", spectral_radius=0.84, input_scaling=0.02,
                  bias_scaling=0.0, readout__ridge=5e-14),
        gradient=FLOW | given(units=64, training__window=120) | epochs(5000),
        clockwork=given(periods=[1, 2], activation="identity"), indrnn=given(layers=2, activation="tanh"),
    )  # fmt: skip

    def record(self, length: int, generator: np.random.Generator) -> np.ndarray:
        """A record (length, 1) from a random start."""
        frequencies = np.array([0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85, 0.97])[: self.sines]
        time = int(generator.integers(100_000)) + np.arange(length)
        total: np.ndarray = np.sin(np.outer(time, frequencies)).sum(axis=1, keepdims=True)
        return total


@dataclass(frozen=True)
class Sine(Oscillation):
    """Generate a sine without any input: only the output feeds the network back.

    y(t) = 1/2 sin(t / 4 + phase), the phase drawn from the seed. Source: Jaeger 2002, GMD report 159 (a tutorial), whose phase is
    0. The training inputs are (T, 0), its targets the series from its first value on; histories are those of the OUTPUT, to be
    forced upon the network before it runs on its own.

    Metric: nmse over the continuation. Baseline: the mean of the training targets.
    """

    train_length: int = 300
    steps: int = 300

    name = "sine"
    tuned = given(
        esn=given(units=100, density=0.1, spectral_radius=0.8, leak_rate=0.45, feedback_scaling=1.8,
                  readout_from=["bias", "state"], readout__ridge=1e-11),
        gradient=ADAM | given(units=16, bias_init="normal", init_scale=1.0, training__epochs=1000),
    )  # fmt: skip

    def record(self, length: int, generator: np.random.Generator) -> np.ndarray:
        """A record (length, 1) from a random phase."""
        return 0.5 * np.sin(np.arange(length) / 4.0 + generator.uniform(0.0, 2.0 * np.pi))[:, None]

    def training(self, record: np.ndarray) -> Split:
        """No input, and the record as the target."""
        return Split(inputs=[np.empty((len(record) - 1, 0))], targets=[record[:-1]], washout=self.washout)
