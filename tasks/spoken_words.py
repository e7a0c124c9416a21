"""Synthetic spoken words: which of 25 was said, where five at a time end alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reservoir.tasks.base import SEQUENCES, Data, Split
from reservoir.tasks.labels import NOISE, Labeled
from reservoir.tasks.settings import CLASSES, DEEP, epochs, given

# Three formants in Hz, loudness, and mean duration in frames. Round figures for the vowels and sonorants of English;
# hisses and bursts are given as if they had formants too.
VOWELS: Mapping[str, tuple[float, float, float]] = {
    "iy": (270, 2290, 3010), "ih": (390, 1990, 2550), "eh": (530, 1840, 2480), "ae": (660, 1720, 2410),
    "aa": (730, 1090, 2440), "ao": (570, 840, 2410), "uw": (300, 870, 2240),
    "ah": (640, 1190, 2390), "er": (490, 1350, 1690), "ey": (450, 2100, 2600), "ay": (600, 1500, 2500),
    "ow": (480, 950, 2400),
}  # fmt: skip
SONORANTS: Mapping[str, tuple[float, float, float]] = {
    "m": (270, 1000, 2200), "n": (270, 1500, 2500), "ng": (270, 2200, 2700), "l": (340, 1100, 2700),
    "r": (320, 1150, 1500), "w": (290, 650, 2200), "y": (260, 2100, 3000),
}  # fmt: skip
OTHERS: Mapping[str, tuple[float, float, float]] = {
    "s": (3800, 4500, 5200), "z": (250, 4300, 5000), "sh": (2300, 2900, 3600),
    "v": (250, 1300, 4500), "hh": (700, 1500, 2500), "p": (400, 900, 2200), "b": (250, 850, 2200),
    "t": (1800, 3400, 4400), "d": (280, 1800, 3600), "k": (900, 1800, 2600), "g": (280, 1900, 2400),
}  # fmt: skip
PHONES: Mapping[str, tuple[float, float, float, float, float]] = {
    **{phone: (*formants, 1.0, 9.0) for phone, formants in VOWELS.items()},
    **{phone: (*formants, 0.5, 6.0) for phone, formants in SONORANTS.items()},
    **{phone: (*formants, 0.25, 5.0) for phone, formants in OTHERS.items()},
}
WORDS: Mapping[str, Mapping[str, str]] = {
    "ih ng": {"making": "m ey k", "walking": "w ao k", "reading": "r iy d", "turning": "t er n", "losing": "l uw z"},
    "ih k ah l": {"typical": "t ih p", "radical": "r ae d", "lexical": "l eh k s", "musical": "m y uw z", "optical": "aa p t"},
    "ih sh ah n": {"addition": "ae d", "nutrition": "n uw t r", "position": "p ah z", "ignition": "ih g n", "tuition": "t uw"},
    "ey sh ah n z": {"orations": "ao r", "locations": "l ow k", "vacations": "v ae k", "stations": "s t", "donations": "d ow n"},
    "w ey": {"runway": "r ah n", "subway": "s ah b", "highway": "hh ay", "gateway": "g ey t", "leeway": "l iy"},
}
"""Suffix -> word -> stem, as phones: a word is its stem and then its suffix."""
GROUP = 5
FEATURES = 13
QUIET = 0.05


def mel(frequency: np.ndarray | float) -> np.ndarray:
    """Pitch as the ear spaces it, from Hz."""
    return np.asarray(1127.0 * np.log1p(np.asarray(frequency) / 700.0))


CENTERS = np.linspace(mel(200.0), mel(5000.0), FEATURES)
BANDWIDTH = 1.2 * float(CENTERS[1] - CENTERS[0])


@lru_cache(maxsize=1)
def lexicon() -> tuple[tuple[str, ...], tuple[np.ndarray, ...]]:
    """The 25 words, and for each its phones as (n_phones, 5) rows of `PHONES`."""
    words = {word: f"{stem} {suffix}" for suffix, group in WORDS.items() for word, stem in group.items()}
    return tuple(words), tuple(np.array([PHONES[phone] for phone in phones.split()]) for phones in words.values())


def spectra(formants: np.ndarray, loudness: np.ndarray) -> np.ndarray:
    """Log energies (T, 13) in bands spaced by pitch, from three formants (T, 3) in Hz and the loudness (T,)."""
    distance = (mel(formants)[:, :, None] - CENTERS) / BANDWIDTH
    energy = np.exp(-0.5 * distance**2) * np.array([1.0, 0.6, 0.35])[:, None]
    return np.log(QUIET + loudness[:, None] * energy.sum(axis=1))


def utter(phones: np.ndarray, durations: np.ndarray, silence: tuple[int, int], stretch: float = 1.0) -> np.ndarray:
    """The log energies of phones (n, 5) that last `durations` frames each, with silent frames before and after.

    Formants and loudness glide from the middle of each phone to that of the next; `stretch` scales the formants.
    """
    ends = silence[0] + np.cumsum(durations)
    times = np.concatenate([[silence[0]], ends - durations / 2.0, [ends[-1]]])
    length = math.ceil(ends[-1]) + silence[1]
    frames = np.arange(length) + 0.5
    loudness = np.interp(frames, times, np.concatenate([[0.0], phones[:, 3], [0.0]]))
    formants = np.stack([np.exp(np.interp(frames, times[1:-1], np.log(column))) for column in phones[:, :3].T], axis=1)
    return spectra(stretch * formants, loudness)


@lru_cache(maxsize=1)
def scale() -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (13,) of the log energies over all words, said without any variation."""
    rows = np.concatenate([utter(phones, phones[:, 4], (3, 3)) for phones in lexicon()[1]])
    return rows.mean(axis=0), rows.std(axis=0)


@dataclass(frozen=True)
class SpokenWords(Labeled):
    """Name the word that was said, among 25, of which five at a time end alike. Synthetic: no speech was recorded.

    Five groups share a suffix: -ing, -ical, -ition, -ations, -way. The words differ in what comes before it, so that the stem has
    to be remembered. Each is a row of phones, with three formants, a loudness and a mean duration; between their middles formants
    (on a logarithmic scale) and loudness glide. Every utterance has, drawn anew: a tempo and a factor for each phone's duration
    (log-normal, .15 and .25), a factor for all formants (the vocal tract; .12) and one for each phone's (.1), a factor for each
    phone's loudness (.3), and 2 to 8 silent frames at either end. The 13 features are the logarithms of the energy in bands
    spaced by mel from 200 to 5,000 Hz, standardized by fixed numbers; to them are added an offset and a tilt over the bands, the
    same at all frames (the recording; Gaussian, .3 at the outermost bands), and Gaussian noise of standard deviation `noise` at
    each. Lengths are 57 frames on average, from about 30 to 120. The words come equally often, as far as the number of sequences
    allows, in random order; the label is the word's number, the group's times five plus its place.

    Metric: `accuracy` on the test sequences; `scores` adds `error`, which is 1 - accuracy, and `group`, the share of sequences
    for which the group is right.
    Source: the shape of task 2 of J. Koutník, K. Greff, F. Gomez & J. Schmidhuber, A Clockwork RNN, ICML 2014: there 175
    recordings of 25 words of TIMIT in five groups by suffix, with 13 features.
    Baseline: always the commonest train label; .04. The suffix alone gives .2.
    """

    name = "spoken-words"
    published = "error on recorded speech, not this: .668 Elman, .342 LSTM, .168 clockwork (Koutník et al. 2014)"
    constraints = SEQUENCES | given(noise=NOISE)
    tuned = given(
        esn=given(units=400, topology="orthogonal", spectral_radius=0.92, leak_rate=0.4, input_scaling=0.08, bias_scaling=0.3,
                  pooling="mean", readout="RidgeClassifier", readout__ridge=0.03, readout_from=["bias", "state", "square"],
                  washout=0),
        gradient=CLASSES | given(pooling="attention") | epochs(30), clockwork=given(periods=[1, 2]), indrnn=DEEP,
    )  # fmt: skip

    train_sequences: int = 500
    validation_sequences: int = 250
    test_sequences: int = 500
    noise: float = 0.6

    def facts(self) -> dict[str, Any]:
        """The words, in the order of their labels."""
        return {"classes": list(lexicon()[0])}

    def draw(self, generator: np.random.Generator, size: int) -> Split:
        """Inputs (T_i, 13) of unequal lengths, labels (n_sequences,) of 0 to 24."""
        labels = generator.permutation(size) % len(lexicon()[0])
        return Split([self._say(generator, lexicon()[1][label]) for label in labels], labels)

    def _say(self, generator: np.random.Generator, phones: np.ndarray) -> np.ndarray:
        tempo, tract = np.exp(generator.normal(0.0, [0.15, 0.12]))
        duration, formants, loudness = np.exp(generator.normal(0.0, [[0.25], [0.1], [0.3]], size=(3, len(phones))))
        varied = phones * np.column_stack([formants, formants, formants, loudness, duration])
        before, after = generator.integers(2, 8, size=2, endpoint=True).tolist()
        mean, deviation = scale()
        clean = (utter(varied, tempo * varied[:, 4], (before, after), tract) - mean) / deviation
        offset, tilt = generator.normal(0.0, 0.3, size=2)
        recorded = clean + offset + tilt * np.linspace(-1.0, 1.0, FEATURES)
        return np.asarray(recorded + self.noise * generator.standard_normal(clean.shape))

    def scores(self, predictions: ArrayLike, data: Data) -> dict[str, float]:
        """Accuracy, error rate, and the share of sequences whose group is right."""
        accuracy = self.score(predictions, data)
        groups = np.ravel(predictions) // GROUP == np.asarray(data.test.targets) // GROUP
        return {"accuracy": accuracy, "error": 1.0 - accuracy, "group": float(np.mean(groups))}
