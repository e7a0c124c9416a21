"""How audio files are read."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from messages import mentions
from scipy.io import wavfile
from wav_files import RATE, ramp, wav, write

from reservoir.files.wav_file import read_wav
from reservoir.tasks import get_task
from reservoir.validation import DataError


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
    with pytest.raises(DataError, match=mentions("own.wav damaged")):
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
    with pytest.warns(UserWarning, match=mentions("own.wav 2 channels")):
        samples, _ = read_wav(path, 2 / RATE, 5)
    np.testing.assert_allclose(samples * 32768, [500.0 - row for row in range(2, 7)], rtol=1e-12)
    with pytest.warns(UserWarning, match=mentions("mixed down")):
        get_task("waveform", path=str(path), length=10).generate(0)
    loud = write(tmp_path, wav(np.full((3, 2), 1.7e308).tobytes(), 3, channels=2, bits=64))
    with pytest.warns(UserWarning, match=mentions("mixed down")):
        np.testing.assert_allclose(read_wav(loud, 0.0, 3)[0], 1.7e308)


WHOLE = wav(ramp(50))
BAD: list[tuple[str, Callable[[], bytes], str]] = [
    ("empty", lambda: b"", "empty"),
    ("text", lambda: b"date,price\n2000,1\n2001,2\n", "not a WAV"),
    ("a short text", lambda: b"RIFF", "not a WAV"),
    ("another RIFF", lambda: WHOLE.replace(b"WAVE", b"AVI "), "not a WAV"),
    ("big-endian", lambda: WHOLE.replace(b"RIFF", b"RIFX"), "not a WAV"),
    ("no samples", lambda: wav(b""), "8000 0 samples"),
    ("half a sample", lambda: wav(b"\1"), "8000 0 samples"),
    ("no more than a header", lambda: WHOLE[:36], "36 144 bytes"),
    ("no more than a name", lambda: WHOLE[:12], "12 144 bytes"),
    ("samples before the format", lambda: WHOLE[:12] + WHOLE[36:] + WHOLE[12:36], "damaged fmt"),
    ("half a header", lambda: WHOLE[:30], "30 144 bytes"),
    ("cut off", lambda: WHOLE[:-2], "142 144 bytes"),
    ("no size", lambda: WHOLE[:4] + bytes(4) + WHOLE[8:], "damaged"),
    ("no channels", lambda: wav(ramp(50), channels=0), "damaged"),
    ("no rate", lambda: wav(ramp(50), rate=0), "0 50 samples"),
    ("compressed", lambda: wav(ramp(50), code=2, bits=4, channels=2), "read ADPCM PCM"),
    ("A-law", lambda: wav(ramp(50), code=6, bits=8), "read ALAW PCM"),
    ("A-law, extensible", lambda: wav(ramp(50), 0xFFFE, bits=8, subformat=b"\6\0"), "read ALAW"),
    ("another extension", lambda: wav(ramp(50), 0xFFFE, tail=bytes(14)), "read EXTENSIBLE"),
    ("half floats", lambda: wav(ramp(50), code=3, bits=16), "read 16-bit"),
    ("uneven", lambda: WHOLE[:22] + b"\3\0" + WHOLE[24:32] + b"\4\0\x08\0" + WHOLE[36:], "damaged"),
    ("not finite", lambda: wav(np.array([0.0, 1.0, np.nan] + [0.0] * 47).tobytes(), 3, bits=64), "0.00025 finite"),
    ("infinite", lambda: wav(np.array([0.0, -np.inf] + [0.0] * 48).tobytes(), 3, bits=64), "0.000125 finite"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_files_are_told_in_one_line(tmp_path: Path, content: Callable[[], bytes], message: str) -> None:
    path = write(tmp_path, content())
    with pytest.raises(DataError, match=mentions(message)) as caught:
        get_task("waveform", path=str(path), length=50).generate(0)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("start", "length", "message"),
    [
        (0.00625, 2, "0.00625 start"),
        (99.0, 2, "99 0.00625 start"),
        (1e300, 2, "1e+300 start"),
        (0.0, 51, "50 0 51 0.00625"),
        (0.005, 11, "10 0.005 11"),
    ],
)
def test_excerpts_beyond_the_end(tmp_path: Path, start: float, length: int, message: str) -> None:
    path = write(tmp_path, WHOLE)
    with pytest.raises(DataError, match=mentions(message)):
        get_task("waveform", path=str(path), start=start, length=length).generate(0)
    assert len(read_wav(path, 0.005, 10)[0]) == 10 and len(read_wav(path, 0.0, 50)[0]) == 50


def test_what_is_not_finite_is_found_in_the_excerpt(tmp_path: Path) -> None:
    values = np.zeros(50)
    values[[3, 30]] = np.nan
    path = write(tmp_path, wav(values.tobytes(), 3, bits=64))
    assert len(read_wav(path, 4 / RATE, 26)[0]) == 26
    with pytest.raises(DataError, match=mentions("0.00375 sample")):  # 30 / 8000
        read_wav(path, 4 / RATE, 27)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "absent.wav", "absent.wav file"),
        (tmp_path, "directory"),
        ("a\0b.wav", "read"),
    ):
        with pytest.raises(DataError, match=mentions(message)):
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
