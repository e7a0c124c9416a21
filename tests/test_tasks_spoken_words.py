"""The task of spoken words."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from reservoir.tasks import get_task, spoken_words


def test_words_are_balanced_named_and_share_their_suffixes():
    task = get_task("spoken-words", train_sequences=101, validation_sequences=50)
    data = task.generate(0)
    assert sorted(Counter(data.train.targets.tolist()).values()) == [4] * 24 + [5]
    assert set(Counter(data.validation.targets.tolist()).values()) == {2}
    assert task.baseline(data) == 0.04
    words, phones = spoken_words.lexicon()
    assert data.info["classes"] == list(words) and len(set(words)) == 25
    ends = [min(len(phones[label]) for label in range(5 * group, 5 * group + 5)) for group in range(5)]
    for group, suffix in enumerate(spoken_words.WORDS):
        length = len(suffix.split())
        members = phones[5 * group : 5 * group + 5]
        assert ends[group] > length
        assert all(np.array_equal(member[-length:], members[0][-length:]) for member in members)
        stems = {member[:-length].tobytes() for member in members}
        assert len(stems) == 5
    scores = task.scores((data.test.targets + 1) % 5 + data.test.targets // 5 * 5, data)
    assert scores == {"accuracy": 0.0, "error": 1.0, "group": 1.0}


def naive_spectrum(formants, loudness):
    """The 13 log energies of one frame, written out."""

    def mel(frequency):
        return 1127.0 * math.log(1.0 + frequency / 700.0)

    low, high = mel(200.0), mel(5000.0)
    step = (high - low) / 12
    found = []
    for band in range(13):
        energy = 0.0
        for formant, strength in zip(formants, (1.0, 0.6, 0.35), strict=True):
            energy += strength * math.exp(-0.5 * ((mel(formant) - low - band * step) / (1.2 * step)) ** 2)
        found.append(math.log(0.05 + loudness * energy))
    return found


def test_an_utterance_glides_from_phone_to_phone():
    first, second = spoken_words.PHONES["iy"], spoken_words.PHONES["w"]
    rows = spoken_words.utter(np.array([first, second]), np.array([6.0, 4.0]), (2, 3), stretch=1.1)
    # Frames 0 to 14: two silent ones, six of the first phone, whose middle is at 5, four of the second, middle at 10, three
    # silent ones. Frame k is at k + 1/2.
    assert rows.shape == (2 + 10 + 3, 13)
    np.testing.assert_allclose(rows[[0, 1, 12, 14]], math.log(0.05), rtol=1e-12)
    for frame in range(5, 9):
        share = (frame + 0.5 - 5.0) / 5.0
        formants = [
            1.1 * math.exp((1 - share) * math.log(f) + share * math.log(g)) for f, g in zip(first[:3], second[:3], strict=True)
        ]
        loudness = (1 - share) * first[3] + share * second[3]
        np.testing.assert_allclose(rows[frame], naive_spectrum(formants, loudness), rtol=1e-12)
    # Frame 3 is half way up to the middle of the first phone, in loudness: (3.5 - 2) / 3.
    np.testing.assert_allclose(rows[3], naive_spectrum([1.1 * f for f in first[:3]], 0.5 * first[3]), rtol=1e-12)


def test_words_vary_in_length_and_are_standardized():
    data = get_task("spoken-words", noise=0.0).generate(1)
    lengths = np.array([len(u) for u in data.train.inputs])
    assert 25 <= lengths.min() < 40 and 80 < lengths.max() < 160 and 50 < lengths.mean() < 65
    rows = np.concatenate(data.train.inputs)
    assert abs(rows.mean(axis=0)).max() < 0.3
    np.testing.assert_allclose(rows.std(axis=0), 1.0, atol=0.3)
    same_word = [len(u) for u, label in zip(data.train.inputs, data.train.targets, strict=True) if label == 0]
    assert len(set(same_word)) > 8


def test_utterances_differ_in_tempo_and_recording():
    data = get_task("spoken-words", noise=0.0, train_sequences=1000).generate(4)
    _, phones = spoken_words.lexicon()
    usual = np.array([phones[label][:, 4].sum() for label in data.train.targets])
    lengths = np.array([len(u) for u in data.train.inputs])
    # Ten silent frames on average; a tempo of .15 and some 7 phones of .25 each make .15² + .25² / 7 = .177².
    assert np.log((lengths - 10.0) / usual).std() == pytest.approx(0.177, abs=0.02)
    # The last two frames are silent: all that they hold is the recording, a straight line over the bands.
    mean, deviation = spoken_words.scale()
    lines = np.array([u[-1] - (math.log(0.05) - mean) / deviation for u in data.train.inputs])
    np.testing.assert_allclose(np.diff(lines, 2, axis=1), 0.0, atol=1e-12)
    offset, tilt = lines[:, 6], lines[:, 12] - lines[:, 6]
    assert offset.std() == pytest.approx(0.3, rel=0.1) and tilt.std() == pytest.approx(0.3, rel=0.1)
    assert abs(np.corrcoef(offset, tilt)[0, 1]) < 0.13 and abs(offset.mean()) < 0.04 and abs(tilt.mean()) < 0.04


def test_the_noise_is_added_and_nothing_else_changes():
    task = get_task("spoken-words", train_sequences=60)
    quiet, loud = replace(task, noise=0.0).generate(2), task.generate(2)
    noise = np.concatenate(loud.train.inputs) - np.concatenate(quiet.train.inputs)
    assert noise.std() == pytest.approx(0.6, rel=0.02) and abs(noise.mean()) < 0.01
    assert abs(np.corrcoef(noise.T) - np.eye(13)).max() < 0.1
    assert [len(u) for u in loud.test.inputs] == [len(u) for u in quiet.test.inputs]


def test_the_end_of_a_word_tells_its_group_only():
    """Nearest mean of the last frames: the group is found, the word among its five is not much better than guessed."""
    data = get_task("spoken-words", noise=0.0, train_sequences=1000).generate(3)

    def last(split):
        return np.array([u[-16:-8].ravel() for u in split.inputs])

    train, test = last(data.train), last(data.test)
    means = np.stack([train[data.train.targets == label].mean(axis=0) for label in range(25)])
    guess = np.square(test[:, None] - means).sum(axis=2).argmin(axis=1)
    right_group = guess // 5 == data.test.targets // 5
    assert right_group.mean() > 0.7
    assert np.mean(guess[right_group] == data.test.targets[right_group]) < 0.5
