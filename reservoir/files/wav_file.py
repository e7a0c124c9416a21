"""Reading users' WAV files: an excerpt of the samples, or one line that says what is wrong."""

from __future__ import annotations

import os
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from reservoir.files.reading import PathLike, reading
from reservoir.validation import DataError

PCM, FLOAT, EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
WIDTHS = {PCM: (1, 2, 3, 4), FLOAT: (4, 8)}
"""Bytes per sample that can be read."""
UNKNOWN = 0xFFFFFFFF
"""The size of the samples that programs write into a pipe, where they cannot go back to fill it in."""


@dataclass(frozen=True)
class Layout:
    """How the samples of a file are stored."""

    code: int
    channels: int
    rate: int
    width: int

    @property
    def frame(self) -> int:
        """Bytes per step of time: a sample of each channel."""
        return self.channels * self.width


def read_wav(path: PathLike, start: float, length: int) -> tuple[np.ndarray, int]:
    """An excerpt of a WAV file, and its sampling rate; no more of the file is read than that.

    Integers of 8, 16, 24 or 32 bits are scaled to [-1, 1), floats of 32 or 64 bits are as they are. Several channels are
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
        The file cannot be read, is empty, is not a WAV file, or cut off; its samples are compressed or not finite; the
        excerpt begins or ends past its end.
    """
    with reading(path, "WAV file"), open(path, "rb") as file:
        layout, begin, frames = _find_samples(file, path)
        end = f"the end is at {frames / layout.rate:.6g} s"
        first = round(start * layout.rate)
        if first >= frames:
            raise DataError(f"{path}: a start of {start:g} s is past its end; {end}.")
        if first + length > frames:
            raise DataError(
                f"{path}: has {frames - first} samples from {start:g} s on, {length} are asked for; lower start or length: {end}."
            )
        file.seek(begin + first * layout.frame)
        samples = _decode(file.read(length * layout.frame), layout)
    if not np.isfinite(samples).all():
        row = first + int(np.argmin(np.isfinite(samples).all(axis=1)))
        raise DataError(f"{path}: the sample at {row / layout.rate:.6g} s is not finite; choose another start.")
    if layout.channels > 1:
        warnings.warn(f"{path}: its {layout.channels} channels are mixed down to their mean.", stacklevel=2)
    # Divided before they are added, so that the largest floats stay finite.
    return (samples / layout.channels).sum(axis=1), layout.rate


def _find_samples(file: BinaryIO, path: PathLike) -> tuple[Layout, int, int]:
    """The layout of the samples, the position of the first, and the number of frames."""
    total = os.fstat(file.fileno()).st_size
    if total == 0:
        raise DataError(f"{path}: the file is empty; it needs samples.")
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise DataError(f"{path}: is not a WAV file, it does not begin as one; convert it to WAV first.")
    layout = None
    for name, size, position in _chunks(file):
        if name == b"fmt ":
            layout = _read_layout(file.read(min(size, 40)), path)
        if name == b"data" and layout is not None:
            there = total - position
            if size > there and size != UNKNOWN:
                raise DataError(f"{path}: is cut off, it has {there} of the {size} bytes of samples it should; copy it again.")
            frames = min(size, there) // layout.frame
            if frames == 0:
                raise DataError(f"{path}: has a header and no samples.")
            return layout, position, frames
    raise DataError(f"{path}: is cut off or damaged, there are no samples after its header; copy it again.")


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Name, size and position of each part of the file; parts begin at even positions."""
    while len(header := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", header)
        position = file.tell()
        yield name, size, position
        file.seek(position + size + size % 2)


def _read_layout(content: bytes, path: PathLike) -> Layout:
    """The layout from the content of the format part."""
    if len(content) < 16:
        raise DataError(f"{path}: is cut off or damaged, its header is too short; copy it again.")
    code, channels, rate, _, frame, bits = struct.unpack("<HHIIHH", content[:16])
    if code == EXTENSIBLE and len(content) >= 26:
        (code,) = struct.unpack("<H", content[24:26])
    if channels == 0 or rate == 0 or frame == 0:
        raise DataError(f"{path}: its header is damaged: {channels} channels, {rate} samples per second.")
    # The width is that of the place a sample takes; samples of fewer bits fill it from the top.
    width = frame // channels
    if width not in WIDTHS.get(code, ()) or frame % channels or bits > 8 * width:
        raise DataError(
            f"{path}: its samples are of {bits} bits in the format 0x{code:04x}, which cannot be read; convert them to plain PCM"
            " of 8, 16, 24 or 32 bits, or to floats."
        )
    return Layout(code, channels, rate, width)


def _decode(content: bytes, layout: Layout) -> np.ndarray:
    """The samples (T, channels) in float64."""
    if layout.code == FLOAT:
        return np.frombuffer(content, f"<f{layout.width}").reshape(-1, layout.channels).astype(np.float64)
    stored = np.frombuffer(content, np.uint8).reshape(-1, layout.width)
    widened = np.zeros((len(stored), 4), np.uint8)
    widened[:, 4 - layout.width :] = stored
    if layout.width == 1:
        widened[:, 3] ^= 0x80  # only 8 bits are stored without a sign
    return widened.view("<i4").reshape(-1, layout.channels) / 2.0**31
