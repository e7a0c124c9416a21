"""Arrays and a few strings in a safetensors file; it holds no pickle, so that reading one cannot run code.

The strings are the file's metadata: its `format`, its `version`, those of its kind, and the `checksum` of them and the arrays.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from reservoir.files.writing import replaced
from reservoir.validation import ModelFileError


class FileKind(NamedTuple):
    """The format and version in a file's metadata, and the name of its kind in errors."""

    format: str
    version: str
    name: str


def write_tensors(
    path: str | os.PathLike[str], kind: FileKind, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """Write a file, whole or not at all. Raises OSError where it cannot be written."""
    from safetensors.numpy import save

    tensors = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    metadata = {"format": kind.format, "version": kind.version, **metadata}
    data = save(tensors, {**metadata, "checksum": checksum(tensors, metadata)})
    with replaced(path) as temporary:
        temporary.write_bytes(data)


def read_tensors(path: str | os.PathLike[str], kind: FileKind) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the arrays and the metadata of a file. Raises `ModelFileError` where it is damaged, of another kind or version."""
    import safetensors

    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except Exception as error:
        raise ModelFileError(f"{path}: is damaged or not a {kind.name} ({error}).") from None
    if metadata.get("format") != kind.format:
        raise ModelFileError(f"{path}: is a safetensors file, but not a {kind.name} of this library.")
    if (version := metadata.get("version", "")) != kind.version:
        reason = f"has format version {version!r}, this release reads {kind.version}; upgrade clockwork-reservoir"
        raise ModelFileError(f"{path}: {reason}.")
    if metadata.get("checksum") != checksum(tensors, metadata):
        raise ModelFileError(f"{path}: is damaged, its content does not match its checksum.")
    return tensors, metadata


def checksum(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    """SHA-256 of tensors and metadata in the order of their names, in hexadecimal. It detects accidents, not forgeries.

    Each part follows its length, numbers as little-endian bytes; an entry "checksum" does not count.
    """
    parts: list[bytes | memoryview] = []
    for name in sorted(metadata.keys() - {"checksum"}):
        parts += [name.encode(), metadata[name].encode()]
    for name in sorted(tensors):
        stored = tensors[name].dtype.newbyteorder("<")
        parts.append(f"{name} {stored.str} {tensors[name].shape}".encode())
        parts.append(np.ascontiguousarray(tensors[name], stored).reshape(-1).view(np.uint8).data)
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()
