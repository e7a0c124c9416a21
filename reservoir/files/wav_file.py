"""Reading users' WAV files: an excerpt of the samples, or one line that says what is wrong."""

from __future__ import annotations

import io
import os
import struct
import warnings
from pathlib import Path

import numpy as np

from reservoir.files.reading import PathLike, reading
from reservoir.validation import DataError

UNKNOWN = 0xFFFFFFFF
"""The size that programs write into the header of a pipe, where they cannot go back to fill it in."""


def read_wav(path: PathLike, start: float, length: int) -> tuple[np.ndarray, int]:
    """Read an excerpt of a WAV file, and its sampling rate; of most files no more than that is read.

    Integers of 8, 16, 24, 32 or 64 bits are scaled to [-1, 1), floats of 32 or 64 bits are as they are. Several channels are
    mixed down to their mean, with a warning.

    Parameters
    ----------
    path : the file
    start : where the excerpt begins, in seconds; the nearest sample counts
    length : how many samples

    Returns
    -------
    samples : (length,) float64
    rate : samples per second

    Raises
    ------
    DataError
        The file cannot be read, is empty, is not a WAV file, or cut off; its samples are compressed, not finite, or of bits
        that do not fit their bytes; the excerpt begins or ends past its end.
    """
    with reading(path, "WAV file"):
        rate, stored = _stored(path)
    if rate == 0 or len(stored) == 0:
        raise DataError(f"{path}: has a header with {rate} samples per second, and {len(stored)} samples; give another file.")
    end = f"the end is at {len(stored) / rate:.6g} s"
    first = round(start * rate)
    if first >= len(stored):
        raise DataError(f"{path}: a start of {start:g} s is past its end; {end}.")
    if first + length > len(stored):
        raise DataError(
            f"{path}: has {len(stored) - first} samples from {start:g} s on, {length} are wanted; lower start or length: {end}."
        )
    samples = _scaled(stored[first : first + length].reshape(length, -1))
    if not np.isfinite(samples).all():
        row = first + int(np.argmin(np.isfinite(samples).all(axis=1)))
        raise DataError(f"{path}: the sample at {row / rate:.6g} s is not finite; choose another start.")
    channels = samples.shape[1]
    if channels > 1:
        warnings.warn(f"{path}: its {channels} channels are mixed down to their mean.", stacklevel=2)
    # Divided before they are added, so that the largest floats stay finite.
    return (samples / channels).sum(axis=1), rate


def _stored(path: PathLike) -> tuple[int, np.ndarray]:
    """The sampling rate and the samples as they are stored, which stay in the file where their width allows it."""
    from scipy.io import wavfile  # here, because scipy.io takes long to import

    with open(path, "rb") as file:
        head = file.read(12)
    if not head:
        raise DataError(f"{path}: the file is empty; it needs samples.")
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise DataError(f"{path}: is not a WAV file, it does not begin as one; convert it to WAV first.")
    size, declared = os.path.getsize(path), int.from_bytes(head[4:8], "little")
    if declared != UNKNOWN and size < declared + 8:
        raise DataError(f"{path}: is cut off, it has {size} of the {declared + 8} bytes it should; copy it again.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)
            try:
                rate, stored = wavfile.read(path, mmap=True)
            except ValueError:  # samples of 24 bits, and those from a pipe, have to be read as a whole
                rate, stored = wavfile.read(io.BytesIO(Path(path).read_bytes()))
        _check_width(path, stored.dtype.kind)
    except (ValueError, TypeError, NameError, ZeroDivisionError, struct.error) as error:
        raise DataError(
            f"{path}: is damaged, or its samples cannot be read ({error}); copy it again, or convert them to plain PCM of 8, 16, "
            "24 or 32 bits, or to floats."
        ) from None
    return rate, stored


def _check_width(path: PathLike, kind: str) -> None:
    """Raise `ValueError` where the bits of a sample do not fit its bytes, which SciPy reads as other numbers without a word.

    Signed integers may have more bytes than their bits need: their low bits are 0.
    """
    with open(path, "rb") as file:
        file.seek(12)
        while (chunk := file.read(8))[:4] not in (b"fmt ", b""):
            size = int.from_bytes(chunk[4:], "little")
            file.seek(size + size % 2, os.SEEK_CUR)
        _, channels, _, _, step, bits = struct.unpack("<HHIIHH", file.read(16))
    fits = 8 * step >= bits * channels if kind == "i" else step == channels * -(-bits // 8)
    if step % channels or not fits:
        raise ValueError(f"its header declares {bits} bits a sample, and {step} bytes for a step of {channels} channels")


def _scaled(stored: np.ndarray) -> np.ndarray:
    """The samples in float64."""
    if stored.dtype.kind == "u":  # only 8 bits are stored without a sign
        return (stored - 128.0) / 128.0
    return stored.astype(np.float64) / (1.0 if stored.dtype.kind == "f" else 2.0 ** (8 * stored.itemsize - 1))
