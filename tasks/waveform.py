"""Reproducing a piece of sound without any input: built-in tones, or an excerpt of a user's WAV file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reservoir.files.reading import Text
from reservoir.files.wav_file import read_wav
from reservoir.tasks.base import Data, Regression, Split
from reservoir.tasks.settings import given
from reservoir.validation import DataError, Number, ParameterError

TONES = 5
RATE = 44100
PARTIALS = 10
# The settings of Koutnik et al. 2014, who name no limit of the gradient's norm; without one most runs diverge. Each of
# their three models has the one of 2, 5, 20, 50, 100, 300 that suits it best.
PAPER = given(units=31, input_init="normal", recurrent_init="normal", init_scale=0.1, training__optimizer="nesterov",
              training__momentum=0.95, training__learning_rate=3e-4, training__clip_norm=2.0)  # fmt: skip
# The models that the paper does not have. With its settings they stay at the mean.
OTHERS = given(input_init="glorot", recurrent_init="orthogonal", init_scale=1.0, training__optimizer="adam",
               training__learning_rate=1e-2, training__schedule="cosine", training__clip_norm=10.0)  # fmt: skip


def tone(number: int, length: int) -> np.ndarray:
    """One of the built-in tones, 1 to 5: `length` samples at 44,100 per second, not yet scaled; the same at any time.

    A note and, from a moment in the first half of 320 samples on, a second one a just interval above it.
    """
    generator = np.random.default_rng([0x746F6E65, number])
    time = np.arange(length) / RATE
    pitch = 220.0 * 2.0 ** ((number - 1 + generator.uniform(0.0, 1.0)) / 4.0)  # each in a quarter of an octave of its own
    first = _note(generator, time, pitch)
    interval = generator.choice([5 / 4, 4 / 3, 3 / 2, 5 / 3, 2.0])
    second = _note(generator, time, pitch * interval)
    since = np.maximum(time - generator.uniform(0.1, 0.5) * 320 / RATE, 0.0)
    attack = 1.0 - np.exp(-since / 0.0005)
    return np.asarray(first + generator.uniform(0.5, 1.0) * attack * second)


def _note(generator: np.random.Generator, time: np.ndarray, pitch: float) -> np.ndarray:
    """Ten partials of random strength, phase and decay, a little sharp of the harmonics as those of a stiff string are."""
    k = np.arange(1, PARTIALS + 1)
    strength = k**-1.2 * np.exp(0.5 * generator.standard_normal(PARTIALS))
    phase = generator.uniform(0.0, 2.0 * np.pi, PARTIALS)
    decay = generator.uniform(0.01, 0.04, PARTIALS) / np.sqrt(k)
    stiffness = np.exp(generator.uniform(np.log(1e-4), np.log(1e-3)))
    frequency = pitch * k * np.sqrt(1.0 + stiffness * k**2)
    waves = np.sin(2.0 * np.pi * np.outer(time, frequency) + phase) * np.exp(-np.outer(time, 1.0 / decay))
    return np.asarray(waves @ strength)


@dataclass(frozen=True)
class Waveform(Regression):
    """Reproduce a piece of sound, sample by sample, without any input.

    The target is `length` samples, scaled so that the lowest is -1 and the highest 1. Without `path`: one of five synthetic tones
    (`tone`), of 44,100 samples per second. Each is two notes, the second beginning later and a just interval higher, of ten
    decaying partials with random phases, slightly inharmonic; none is a recording. With `path`: the samples of that WAV file from
    `start` seconds on, at its own rate, several channels mixed down; `tone` does not count then.

    The inputs are (length, 0). Training, validation and test are the same sequence: the task is to hold it in the weights, not to
    generalize. Nothing is random: every seed gives the same data. A network without feedback needs biases or an initial state, or
    else its state never leaves zero; an echo state network needs feedback.

    Metric: `nmse` over the whole sequence; `scores` adds the nrmse.
    Source: task 1 of J. Koutník, K. Greff, F. Gomez & J. Schmidhuber, A Clockwork RNN, ICML 2014, where the five waveforms are of
    recorded music.
    Baseline: always the mean; 1.
    """

    name = "waveform"
    kind = "filter"
    baseline_name = "the mean"
    published = "nmse .007±.004 clockwork, .04±.01 LSTM, .46±.08 Elman, ~1,000 weights, recorded music (Koutník et al. 2014)"
    constraints = given(
        tone=Number(low=1, high=TONES, integer=True), path=Text((), described="the name of a WAV file", blank=True),
        start=Number(low=0.0), length=Number(low=2, integer=True),
    )  # fmt: skip
    tuned = given(
        esn=given(units=100, density=0.1, spectral_radius=2.1, leak_rate=0.16,
                  feedback_scaling=1e-5,  # more makes the closed loop diverge with some seeds
                  bias_scaling=0.05, readout__ridge=3e-9, readout_from=["bias", "state"], washout=0),
        gradient=given(bias_init="normal", standardize=False, training__epochs=2000, training__reduction="sum"),
        elman=PAPER,
        lstm=PAPER | given(units=15, peepholes=True, forget_bias=5.0, training__learning_rate=3e-5, training__clip_norm=300.0),
        clockwork=PAPER | given(units=40, training__clip_norm=100.0),
        gru=OTHERS | given(units=17), mgu=OTHERS | given(units=21),
        indrnn=OTHERS | given(units=28, layers=2, layer_norm=True, training__learning_rate=3e-3),
    )  # fmt: skip

    tone: int = 1
    path: str = ""
    start: float = 0.0
    length: int = 320

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start != 0.0 and self.path == "":
            raise ParameterError(
                f"The 'start' parameter of task waveform must be 0 without a path: tones have no start. Got {self.start} instead."
            )

    def generate(self, seed: int) -> Data:
        """The data, inputs (length, 0) and target (length, 1); the same for every seed. Raises `DataError` for a bad file."""
        source = str(self.path) or f"tone {self.tone}"
        samples, rate = read_wav(self.path, self.start, self.length) if self.path else (tone(self.tone, self.length), RATE)
        # First by the largest, so that the range of the largest floats stays finite.
        samples = samples / (np.abs(samples).max() or 1.0)
        low, span = samples.min(), np.ptp(samples)
        if span == 0.0:
            raise DataError(f"{source}: is silent or constant from {self.start:g} s on; choose another start.")
        target = 2.0 * ((samples - low) / span)[:, None] - 1.0
        split = Split([np.empty((self.length, 0))], [target])
        return Data(split, split, split, info={"source": source, "rate": rate, "variance": float(target.var())})

    def baseline(self, data: Data) -> float:
        """The NMSE of the mean: 1."""
        return self.score([np.full_like(y, y.mean()) for y in data.test.targets], data)
