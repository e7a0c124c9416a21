"""Audio files written byte by byte."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

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
