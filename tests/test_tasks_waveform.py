"""The waveform task, its tones, and reading WAV files: what is understood, and one line for everything else."""

from __future__ import annotations

import itertools
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import wavfile

from reservoir import ESN
from reservoir.files.wav_file import read_wav
from reservoir.tasks import get_task
from reservoir.tasks.waveform import tone
from reservoir.validation import DataError, ParameterError

RATE = 8000
TAIL = b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
"""What follows the number of a format in the identifier of an extensible one."""


def wav(
    samples: bytes, code: int = 1, channels: int = 1, bits: int = 16, rate: int = RATE, size: int | None = None,
    block: int | None = None, **parts: bytes,
) -> bytes:  # fmt: skip
    """A WAV file, byte by byte; `parts` are put before the samples, `size` is what the header says of these."""
    block = channels * bits // 8 if block is None else block
    layout = struct.pack("<HHIIHH", code, channels, rate, rate * block, block, bits)
    if code == 0xFFFE:
        layout += struct.pack("<HHI", 22, bits, 0) + parts.pop("subformat", b"\x01\x00") + parts.pop("tail", TAIL)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(layout)) + layout
    for name, content in parts.items():
        body += name.encode() + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
    body += b"data" + struct.pack("<I", len(samples) if size is None else size) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def write(folder: Path, content: bytes) -> Path:
    path = folder / "own.wav"
    path.write_bytes(content)
    return path


def ramp(count: int, dtype: str = "<i2", factor: int = 100) -> bytes:
    return (factor * np.arange(count)).astype(dtype).tobytes()


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
    with pytest.raises(ParameterError, match=r"^The '\w+' parameter of task waveform must be .* Got .* instead") as caught:
        get_task("waveform", **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("level", [0, 77])
def test_silence_is_refused(tmp_path: Path, level: int) -> None:
    path = write(tmp_path, wav(ramp(100) + np.full(100, level, "<i2").tobytes() + ramp(100)))
    with pytest.raises(DataError, match=r"own\.wav: is silent or constant from 0\.0125 s on; choose another start\.$"):
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
    with pytest.raises(DataError, match=r"Without inputs, set feedback_scaling\."):
        ESN(**settings).fit(data.train.inputs, data.train.targets)
    esn = ESN(**settings, feedback_scaling=1e-3, random_state=0).fit(data.train.inputs, data.train.targets)
    predictions = task.predict(esn, data.test)
    assert predictions[0].shape == (60, 1) and task.score(predictions, data) < 0.1 * task.baseline(data)


# Reading


@pytest.mark.parametrize(
    ("bits", "code", "stored", "expected"),
    [
        (8, 1, bytes([0, 64, 128, 255]), [-1.0, -0.5, 0.0, 127 / 128]),
        (16, 1, np.array([-32768, -1, 0, 32767], "<i2").tobytes(), [-1.0, -1 / 32768, 0.0, 32767 / 32768]),
        (24, 1, b"\x00\x00\x80\xff\xff\xff\x01\x00\x00\xff\xff\x7f", [-1.0, -(2.0**-23), 2.0**-23, 1 - 2.0**-23]),
        (32, 1, np.array([-(2**31), -1, 2**30, 2**31 - 1], "<i4").tobytes(), [-1.0, -(2.0**-31), 0.5, 1 - 2.0**-31]),
        (32, 3, np.array([-1.5, 0.25, 0.0, 3.0], "<f4").tobytes(), [-1.5, 0.25, 0.0, 3.0]),
        (64, 1, np.array([-(2**63), -(2**62), 0, 2**62], "<i8").tobytes(), [-1.0, -0.5, 0.0, 0.5]),
        (64, 3, np.array([-1.5, 0.1, 0.0, 3.0], "<f8").tobytes(), [-1.5, 0.1, 0.0, 3.0]),
    ],
)
def test_samples_of_every_width(tmp_path: Path, bits: int, code: int, stored: bytes, expected: list[float]) -> None:
    samples, rate = read_wav(write(tmp_path, wav(stored, code, bits=bits)), 0.0, 4)
    assert samples.dtype == np.float64 and rate == RATE
    np.testing.assert_array_equal(samples, expected)
    subformat = struct.pack("<H", code)
    extensible = wav(stored, 0xFFFE, bits=bits, subformat=subformat)
    np.testing.assert_array_equal(read_wav(write(tmp_path, extensible), 0.0, 4)[0], expected)


@pytest.mark.parametrize(
    ("bits", "code", "block", "channels"),
    [(8, 1, 2, 1), (16, 1, 1, 1), (32, 3, 8, 1), (64, 3, 4, 1), (32, 3, 3, 1), (16, 1, 3, 2), (8, 1, 3, 2)],
)
def test_bits_that_do_not_fit_their_bytes_are_refused(tmp_path: Path, bits: int, code: int, block: int, channels: int) -> None:
    content = wav(bytes(range(48)), code, channels, bits, block=block)
    with pytest.raises(DataError, match=r"own\.wav: is damaged, or its samples cannot be read \(.*\); copy it again, or convert"):
        read_wav(write(tmp_path, content), 0.0, 4)


@pytest.mark.filterwarnings("ignore:.*channels are mixed")
@pytest.mark.parametrize(("bits", "block", "channels"), [(24, 4, 1), (12, 2, 1), (20, 6, 2), (12, 4, 2)])
def test_integers_may_have_more_bytes_than_bits(tmp_path: Path, bits: int, block: int, channels: int) -> None:
    unit = 2 ** (8 * block // channels - 8)
    stored = b"".join(
        (k * unit).to_bytes(block // channels, "little", signed=True) for k in (-128, 0, 1, 64) for _ in range(channels)
    )
    samples, _ = read_wav(write(tmp_path, wav(stored, channels=channels, bits=bits, block=block)), 0.0, 4)
    np.testing.assert_array_equal(samples, [-1.0, 0.0, 1 / 128, 0.5])


SCIPY = [("u1", 128.0, 128.0), ("i2", 32768.0, 0.0), ("i4", 2.0**31, 0.0), ("f4", 1.0, 0.0), ("f8", 1.0, 0.0)]


@pytest.mark.parametrize(("dtype", "unit", "zero"), SCIPY)
def test_files_that_scipy_writes(tmp_path: Path, dtype: str, unit: float, zero: float) -> None:
    generator = np.random.default_rng(0)
    kind = np.dtype(dtype)
    whole = generator.normal(size=500) if kind.kind == "f" else generator.integers(0, 256, size=500) * (int(unit) // 128)
    stored = whole.astype(kind)
    wavfile.write(tmp_path / "own.wav", 11025, stored)
    samples, rate = read_wav(tmp_path / "own.wav", 0.01, 300)
    assert rate == 11025
    np.testing.assert_array_equal(samples, (stored[110:410].astype(float) - zero) / unit)  # .01 s are 110.25 samples


def test_other_parts_are_passed_over(tmp_path: Path) -> None:
    content = wav(ramp(50), LIST=b"an odd number of bytes.", fact=b"\0\0\0\0")
    np.testing.assert_array_equal(
        read_wav(write(tmp_path, content + b"LIST\4\0\0\0abcd"), 0.0, 50)[0] * 32768, 100 * np.arange(50)
    )


def test_a_file_from_a_pipe_has_the_samples_that_are_there(tmp_path: Path) -> None:
    content = wav(ramp(50), size=0xFFFFFFFF)
    for whole in (content, content[:4] + b"\xff" * 4 + content[8:]):
        path = write(tmp_path, whole)
        np.testing.assert_array_equal(read_wav(path, 0.0, 50)[0] * 32768, 100 * np.arange(50))


@pytest.mark.parametrize(("start", "first"), [(0.0, 0), (0.5, 4000), (0.50005, 4000), (0.50007, 4001), (7998 / RATE, 7998)])
def test_an_excerpt_begins_at_the_nearest_sample(tmp_path: Path, start: float, first: int) -> None:
    path = write(tmp_path, wav(ramp(RATE, factor=4)))
    np.testing.assert_array_equal(read_wav(path, start, 2)[0] * 32768 / 4, [first, first + 1])


def test_channels_are_mixed_down_and_that_is_said(tmp_path: Path) -> None:
    stereo = np.column_stack([np.arange(10), 1000 - 3 * np.arange(10)]).astype("<i2")
    path = write(tmp_path, wav(stereo.tobytes(), channels=2))
    with pytest.warns(UserWarning, match=r"own\.wav: its 2 channels are mixed down to their mean\.$"):
        samples, _ = read_wav(path, 2 / RATE, 5)
    np.testing.assert_allclose(samples * 32768, [500.0 - row for row in range(2, 7)], rtol=1e-12)
    with pytest.warns(UserWarning, match="mixed down"):
        get_task("waveform", path=str(path), length=10).generate(0)
    loud = write(tmp_path, wav(np.full((3, 2), 1.7e308).tobytes(), 3, channels=2, bits=64))
    with pytest.warns(UserWarning, match="mixed down"):
        np.testing.assert_allclose(read_wav(loud, 0.0, 3)[0], 1.7e308)


WHOLE = wav(ramp(50))
BAD: list[tuple[str, Callable[[], bytes], str]] = [
    ("empty", lambda: b"", r"the file is empty; it needs samples\."),
    ("text", lambda: b"date,price\n2000,1\n2001,2\n", r"is not a WAV file, .*; convert it to WAV first\."),
    ("a short text", lambda: b"RIFF", r"is not a WAV file"),
    ("another RIFF", lambda: WHOLE.replace(b"WAVE", b"AVI "), r"is not a WAV file"),
    ("big-endian", lambda: WHOLE.replace(b"RIFF", b"RIFX"), r"is not a WAV file"),
    ("no samples", lambda: wav(b""), r"8000 samples per second, and 0 samples; give another file\."),
    ("half a sample", lambda: wav(b"\1"), r"8000 samples per second, and 0 samples"),
    ("no more than a header", lambda: WHOLE[:36], r"is cut off, it has 36 of the 144 bytes it should; copy it again\."),
    ("no more than a name", lambda: WHOLE[:12], r"is cut off, it has 12 of the 144 bytes"),
    ("samples before the format", lambda: WHOLE[:12] + WHOLE[36:] + WHOLE[12:36], r"is damaged, .* \(No fmt chunk before data\)"),
    ("half a header", lambda: WHOLE[:30], r"is cut off, it has 30 of the 144 bytes"),
    ("cut off", lambda: WHOLE[:-2], r"is cut off, it has 142 of the 144 bytes it should; copy it again\."),
    ("no size", lambda: WHOLE[:4] + bytes(4) + WHOLE[8:], r"is damaged, .*; copy it again, or convert"),
    ("no channels", lambda: wav(ramp(50), channels=0), r"is damaged, .*; copy it again, or convert"),
    ("no rate", lambda: wav(ramp(50), rate=0), r"0 samples per second, and 50 samples; give another file\."),
    ("compressed", lambda: wav(ramp(50), code=2, bits=4, channels=2), r"samples cannot be read \(.*ADPCM.*\); .*plain PCM of"),
    ("A-law", lambda: wav(ramp(50), code=6, bits=8), r"its samples cannot be read \(.*ALAW.*\); .*plain PCM of"),
    ("A-law, extensible", lambda: wav(ramp(50), 0xFFFE, bits=8, subformat=b"\6\0"), r"samples cannot be read \(.*ALAW"),
    ("another extension", lambda: wav(ramp(50), 0xFFFE, tail=bytes(14)), r"samples cannot be read \(.*EXTENSIBLE"),
    ("half floats", lambda: wav(ramp(50), code=3, bits=16), r"its samples cannot be read \(.*16-bit floating-point"),
    ("uneven", lambda: WHOLE[:22] + b"\3\0" + WHOLE[24:32] + b"\4\0\x08\0" + WHOLE[36:], r"is damaged, .*; copy it again"),
    ("not finite", lambda: wav(np.array([0.0, 1.0, np.nan] + [0.0] * 47).tobytes(), 3, bits=64), r"at 0\.00025 s is not finite"),
    ("infinite", lambda: wav(np.array([0.0, -np.inf] + [0.0] * 48).tobytes(), 3, bits=64), r"at 0\.000125 s is not finite"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_files_are_told_in_one_line(tmp_path: Path, content: Callable[[], bytes], message: str) -> None:
    path = write(tmp_path, content())
    with pytest.raises(DataError, match=rf"own\.wav: .*{message}") as caught:
        get_task("waveform", path=str(path), length=50).generate(0)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("start", "length", "message"),
    [
        (0.00625, 2, r"a start of 0\.00625 s is past its end; the end is at 0\.00625 s\.$"),
        (99.0, 2, r"a start of 99 s is past its end; the end is at 0\.00625 s\.$"),
        (1e300, 2, r"a start of 1e\+300 s is past its end"),
        (0.0, 51, r"has 50 samples from 0 s on, 51 are wanted; lower start or length: the end is at 0\.00625 s\.$"),
        (0.005, 11, r"has 10 samples from 0\.005 s on, 11 are wanted"),
    ],
)
def test_excerpts_beyond_the_end(tmp_path: Path, start: float, length: int, message: str) -> None:
    path = write(tmp_path, WHOLE)
    with pytest.raises(DataError, match=message):
        get_task("waveform", path=str(path), start=start, length=length).generate(0)
    assert len(read_wav(path, 0.005, 10)[0]) == 10 and len(read_wav(path, 0.0, 50)[0]) == 50


def test_what_is_not_finite_is_found_in_the_excerpt(tmp_path: Path) -> None:
    values = np.zeros(50)
    values[[3, 30]] = np.nan
    path = write(tmp_path, wav(values.tobytes(), 3, bits=64))
    assert len(read_wav(path, 4 / RATE, 26)[0]) == 26
    with pytest.raises(DataError, match=r"the sample at 0\.00375 s is not finite"):  # 30 / 8000
        read_wav(path, 4 / RATE, 27)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "absent.wav", r"absent\.wav: there is no such file\.$"),
        (tmp_path, r": is a directory; name a WAV file in it\.$"),
        ("a\0b.wav", r"cannot be read: "),
    ):
        with pytest.raises(DataError, match=message):
            get_task("waveform", path=path).generate(0)


def test_only_the_excerpt_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with open(path, "wb") as file:
        file.write(wav(b"", size=40_000_000))
        file.seek(44 + 2 * RATE * 1000)
        file.write(ramp(20))
        file.truncate(44 + 40_000_000)
    tracemalloc.start()
    samples, _ = read_wav(path, 1000.0, 20)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(samples * 32768, 100 * np.arange(20))
    assert most < 100_000
