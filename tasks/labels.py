"""Tasks with one label per sequence: the period of a noisy sine, and handwritten digits read as sequences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from reservoir import metrics
from reservoir.tasks.base import COUNT, SEQUENCES, Data, Split, Task
from reservoir.tasks.settings import CLASSES, DEEP, FAST, epochs, given
from reservoir.validation import Choice, Number, ParameterError

# Out of the band means at least GAP and at most REACH times beyond its border, so that the question has an answer.
GAP = 1.25
REACH = 2.5
PERIOD = Number(low=2.0 * REACH, high=1e9, open_low=True)
NOISE = Number(low=0.0, high=math.inf, open_high=True)
N_DIGITS = 1797


@dataclass(frozen=True)
class Labeled(Task):
    """Base of the tasks with a label per sequence: accuracy as metric, the commonest train label as baseline."""

    kind = "label"
    metric = "accuracy"
    baseline_name = "the commonest label"
    higher_is_better = True

    def score(self, predictions: ArrayLike, data: Data) -> float:
        """Fraction of the test sequences whose label is right; `predictions` is (n_sequences,)."""
        return metrics.accuracy(predictions, np.asarray(data.test.targets))

    def baseline(self, data: Data) -> float:
        """Accuracy of the commonest train label (the lowest on a tie), always."""
        commonest = np.bincount(np.asarray(data.train.targets)).argmax()
        return self.score(np.full(len(data.test.targets), commonest), data)


@dataclass(frozen=True)
class FrequencyDiscrimination(Labeled):
    """Tell whether the period of a noisy sine lies in a band.

    A sequence is x(t) = sin(2 pi t / P + phase) + noise e(t), t = 0 ... T-1, with e standard normal, the phase uniform on (0, 2
    pi) and T uniform on min_length ... max_length; all are drawn anew for each sequence. The label is 1 or 0 with equal chance.
    For 1 the period P, in steps, is log-uniform on (band_low, band_high); for 0 it is log-uniform, with equal chance, on
    (band_low / 2.5, band_low / 1.25) or (1.25 band_high, 2.5 band_high).

    Metric: `accuracy` on the test sequences.
    Source: after D. Neil, M. Pfeiffer & S.-C. Liu, Phased LSTM, NIPS 2016; here sampled at every step, with noise, a gap on both
    sides of the band, and no period under two steps.
    Baseline: always the commonest train label; about .5.
    Published: none comparable.
    """

    name = "frequency-discrimination"
    constraints = SEQUENCES | given(min_length=COUNT, max_length=COUNT, band_low=PERIOD, band_high=PERIOD, noise=NOISE)
    tuned = given(
        esn=given(units=200, density=0.05, spectral_radius=0.95, leak_rate=0.5, input_scaling=1.0, pooling="mean",
                  readout="RidgeClassifier", readout__ridge=0.1, readout_from=["bias", "state", "square"], washout=10),
        gradient=CLASSES | given(units=32, dropout=0.3) | epochs(40),
        clockwork=FAST, indrnn=given(layers=2),
    )  # fmt: skip

    train_sequences: int = 500
    validation_sequences: int = 250
    test_sequences: int = 500
    min_length: int = 40
    max_length: int = 80
    band_low: float = 10.0
    band_high: float = 20.0
    noise: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        for low, high, relation in (("min_length", "max_length", "at least"), ("band_low", "band_high", "above")):
            least, most = getattr(self, low), getattr(self, high)
            if most < least or (relation == "above" and most == least):
                raise ParameterError(
                    f"The '{high}' parameter of task {self.name} must be {relation} {low}, {least}. Got {most} instead."
                )

    def draw(self, generator: np.random.Generator, size: int) -> Split:
        """Inputs (T_i, 1) of unequal lengths, labels (n_sequences,) of 0 and 1."""
        labels = generator.integers(0, 2, size=size)
        return Split([self._sequence(generator, bool(label)) for label in labels], labels)

    def _sequence(self, generator: np.random.Generator, inside: bool) -> np.ndarray:
        low, high = self.band_low, self.band_high
        if not inside:
            below = generator.random() < 0.5
            low, high = (low / REACH, low / GAP) if below else (GAP * high, REACH * high)
        period = math.exp(generator.uniform(math.log(low), math.log(high)))
        phase = generator.uniform(0.0, 2.0 * math.pi)
        length = int(generator.integers(self.min_length, self.max_length, endpoint=True))
        wave: np.ndarray = np.sin(2.0 * math.pi * np.arange(length) / period + phase)
        wave += self.noise * generator.standard_normal(length)
        return wave[:, None]


@lru_cache(maxsize=1)
def _load_digits() -> tuple[np.ndarray, np.ndarray]:
    """Images (1797, 8, 8) scaled to [0, 1] and labels (1797,)."""
    # Here, because importing scikit-learn takes seconds, and only this task needs it.
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.images / 16.0, digits.target.astype(np.int64)


@dataclass(frozen=True)
class Digits(Labeled):
    """Read a small handwritten digit row by row, or pixel by pixel, and name it.

    scikit-learn's 1,797 images of 8 x 8 pixels, the values 0...16 divided by 16. With order="rows" a sequence is (8, 8): step t
    is row t from the top. With order="pixels" it is (64, 1): the rows one after the other. The seed shuffles the images; the
    first train_sequences, then validation_sequences, then test_sequences are the splits.

    Metric: `accuracy` on the test sequences.
    Source: E. Alpaydin & C. Kaynak, Optical recognition of handwritten digits, UCI repository, 1998, the test part, as
    `sklearn.datasets.load_digits` ships it. A writer's digits can be in several splits.
    Baseline: always the commonest train label; about .1.
    Published: none comparable.
    """

    name = "digits"
    picture = "images"
    constraints = SEQUENCES | given(order=Choice(("rows", "pixels")))
    tuned = given(
        esn=given(units=500, spectral_radius=0.99, leak_rate=0.3, input_scaling=2.0, bias_scaling=0.5, pooling="mean",
                  readout="RidgeClassifier", readout__ridge=[1e-4, 1e-2, 1.0], readout_from=["bias", "state", "square"],
                  washout=0),
        gradient=CLASSES | epochs(60), clockwork=given(periods=[1, 2, 4]), indrnn=DEEP,
    )  # fmt: skip

    train_sequences: int = 1000
    validation_sequences: int = 297
    test_sequences: int = 500
    order: str = "rows"

    def __post_init__(self) -> None:
        super().__post_init__()
        left = N_DIGITS - self.train_sequences - self.validation_sequences
        if self.test_sequences > left:
            raise ParameterError(
                f"The 'test_sequences' parameter of task {self.name} must be at most {left}, what train and validation "
                f"leave of the {N_DIGITS} images. Got {self.test_sequences} instead."
            )

    def generate(self, seed: int) -> Data:
        """Inputs (8, 8) or (64, 1), labels (n_sequences,) of 0...9; no image is in two splits."""
        images, labels = _load_digits()
        shuffled = self.streams(seed, 1)[0].permutation(N_DIGITS)
        shape = (8, 8) if self.order == "rows" else (64, 1)
        parts = np.split(shuffled, np.cumsum(self.sizes()))[:-1]
        # Fancy indexing copies: a caller who changes the data leaves the cached images alone.
        train, validation, test = (Split(list(images[part].reshape(-1, *shape)), labels[part]) for part in parts)
        return Data(train, validation, test)
