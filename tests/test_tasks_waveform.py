"""The waveform task, its tones, and reading WAV files: what is understood, and one line for everything else."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from messages import mentions
from wav_files import RATE, ramp, wav, write

from reservoir import ESN
from reservoir.tasks import get_task
from reservoir.tasks.waveform import tone
from reservoir.validation import DataError, ParameterError

# Tones


def test_tones_span_the_range_and_differ() -> None:
    waves = [get_task("waveform", tone=number).generate(0).train.targets[0] for number in range(1, 6)]
    for wave in waves:
        assert wave.shape == (320, 1) and (wave.min(), wave.max()) == (-1.0, 1.0)
        # Audible partials take more than a handful of samples: neighbors are near, the whole goes up and down often.
        assert np.abs(np.diff(wave[:, 0])).max() < 0.25
        assert 2 <= np.count_nonzero(np.diff(np.sign(wave[:, 0] - wave.mean()))) <= 40
    for one, other in itertools.combinations(waves, 2):
        assert abs(np.corrcoef(one[:, 0], other[:, 0])[0, 1]) < 0.8


def test_a_tone_is_two_notes_of_decaying_partials() -> None:
    # A long stretch: the partials die out, and its spectrum peaks at the pitch of the first note, in the band of its number.
    for number in range(1, 6):
        wave = tone(number, 44100)
        assert np.abs(wave[-1000:]).max() < 1e-6 * np.abs(wave[:1000]).max()
        np.testing.assert_array_equal(wave[:320], tone(number, 320))
        assert tone(number, 320).std() > 0.1
        lowest = 220.0 * 2.0 ** ((number - 1) / 4.0)
        spectrum = np.abs(np.fft.rfft(wave))
        below = spectrum[: int(0.8 * lowest)].max()
        assert spectrum[int(lowest) : int(lowest * 2**0.25) + 2].max() > 2.0 * below


@pytest.mark.parametrize("length", [2, 100, 1000])
def test_a_longer_tone_goes_on(length: int) -> None:
    data = get_task("waveform", tone=3, length=length).generate(0)
    assert data.test.inputs[0].shape == (length, 0) and data.test.targets[0].shape == (length, 1)
    assert (data.test.targets[0].min(), data.test.targets[0].max()) == (-1.0, 1.0)


# The task


def test_all_splits_of_all_seeds_are_one_sequence() -> None:
    first, other = get_task("waveform", tone=2).generate(0), get_task("waveform", tone=2).generate(9)
    for split in (first.validation, first.test, other.train):
        assert split.washout == 0 and split.inputs[0].shape == (320, 0)
        np.testing.assert_array_equal(split.targets[0], first.train.targets[0])
    assert first.info == {"source": "tone 2", "rate": 44100, "variance": pytest.approx(first.test.targets[0].var())}


def test_waveform_scores_and_baseline() -> None:
    task = get_task("waveform")
    data = task.generate(0)
    target = data.test.targets[0]
    # A constant error of .1 has the square .01.
    expected = 0.01 / np.mean((target - target.mean()) ** 2)
    assert task.scores([target + 0.1], data) == pytest.approx({"nmse": expected, "nrmse": expected**0.5})
    assert task.score([target], data) == 0.0 and task.baseline(data) == pytest.approx(1.0)
    assert task.solved(0.0) is None
    with pytest.raises(DataError):
        task.score([target[:-1]], data)


def test_an_excerpt_is_scaled_and_described(tmp_path: Path) -> None:
    path = write(tmp_path, wav(ramp(RATE, factor=4)))
    task = get_task("waveform", path=str(path), start=0.5, length=100)
    data = task.generate(0)
    np.testing.assert_allclose(data.train.targets[0][:, 0], np.linspace(-1.0, 1.0, 100), atol=1e-12)
    assert (data.info["source"], data.info["rate"]) == (str(path), RATE)
    assert get_task("waveform", path=path, start=0.5, length=100).generate(0).info["source"] == str(path)


def test_numbers_of_the_command_line_are_a_path_and_a_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "2020").write_bytes(wav(ramp(4 * RATE, "<i4"), bits=32))
    task = get_task("waveform", path=2020, start=3, length=10)
    assert task.options() == {"tone": 1, "path": "2020", "start": 3, "length": 10}
    assert task.generate(0).info["source"] == "2020"


@pytest.mark.parametrize(
    "options",
    [{"tone": 0}, {"tone": 6}, {"tone": 1.5}, {"start": -0.1, "path": "a.wav"}, {"start": np.nan, "path": "a.wav"},
     {"length": 1}, {"path": True}, {"path": None}, {"path": []}, {"start": 1.0}],
)  # fmt: skip
def test_bad_options_are_refused_in_one_line(options: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=mentions("task waveform")) as caught:
        get_task("waveform", **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("level", [0, 77])
def test_silence_is_refused(tmp_path: Path, level: int) -> None:
    path = write(tmp_path, wav(ramp(100) + np.full(100, level, "<i2").tobytes() + ramp(100)))
    with pytest.raises(DataError, match=mentions("own.wav 0.0125 constant")):
        get_task("waveform", path=str(path), start=100 / RATE, length=100).generate(0)
    get_task("waveform", path=str(path), start=100 / RATE, length=102).generate(0)


def test_the_largest_and_the_least_numbers_are_scaled(tmp_path: Path) -> None:
    for size in (1.7e308, 5e-324):
        path = write(tmp_path, wav(np.array([-size, 0.0, size]).tobytes(), code=3, bits=64))
        target = get_task("waveform", path=str(path), length=3).generate(0).test.targets[0]
        np.testing.assert_array_equal(target[:, 0], [-1.0, 0.0, 1.0])


def test_an_echo_state_network_needs_feedback_and_then_reproduces_a_tone() -> None:
    task = get_task("waveform", length=60)
    data = task.generate(0)
    settings: dict[str, Any] = {"units": 80, "density": 0.1, "spectral_radius": 1.6, "leak_rate": 0.2, "washout": 0}
    with pytest.raises(DataError, match=mentions("inputs feedback_scaling")):
        ESN(**settings).fit(data.train.inputs, data.train.targets)
    esn = ESN(**settings, feedback_scaling=1e-3, random_state=0).fit(data.train.inputs, data.train.targets)
    predictions = task.predict(esn, data.test)
    assert predictions[0].shape == (60, 1) and task.score(predictions, data) < 0.1 * task.baseline(data)
