"""A training on disk, between epochs: everything that going on needs, to the bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from reservoir.base.model_file import checksum
from reservoir.files.writing import replaced
from reservoir.validation import ModelFileError, ParameterError

if TYPE_CHECKING:
    from reservoir.gradient.trainer import Progression

FORMAT = "clockwork-reservoir training"
ARRAYS = ("weights", "state", "best")
NUMBERS = ("best_loss", "best_epoch", "updates", "history")


def write_checkpoint(path: str, now: Progression, fingerprint: str) -> None:
    """Put the training into a safetensors file, whole or not at all. Raises OSError where that cannot be written."""
    from safetensors.numpy import save

    arrays = {name: getattr(now, name) for name in ARRAYS}
    progress = json.dumps({name: getattr(now, name) for name in NUMBERS})
    metadata = {"format": FORMAT, "fingerprint": fingerprint, "progress": progress}
    data = save(arrays, {**metadata, "checksum": checksum(arrays, metadata)})
    with replaced(path) as temporary:
        temporary.write_bytes(data)


def start_from_checkpoint(path: str, now: Progression, fingerprint: str) -> None:
    """Take up the training in a file; if there is none, write one, so that a path that cannot be used is told at once.

    Raises
    ------
    ParameterError
        The file is of a training with other data or settings; it cannot be written.
    ModelFileError
        It is damaged, or no checkpoint.
    """
    try:
        if not Path(path).exists():
            write_checkpoint(path, now, fingerprint)
            return
    except OSError as error:
        raise ParameterError(
            f"The 'checkpoint' parameter of Training names {path!r}, which cannot be written: {error.strerror}."
        ) from None
    arrays, metadata = _read(path)
    if metadata.get("fingerprint") != fingerprint:
        raise ParameterError(
            f"The 'checkpoint' parameter of Training names {path!r}, of a training with other data or parameters, or by another"
            " version; remove it or name another file."
        )
    progress = json.loads(metadata["progress"])
    for name in ARRAYS:
        getattr(now, name)[...] = arrays[name]
    for name in NUMBERS:
        setattr(now, name, progress[name])


def _read(path: str) -> tuple[dict, dict]:
    """Tensors and metadata of a checkpoint. Raises `ModelFileError` for anything else."""
    import safetensors

    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except Exception as error:
        raise ModelFileError(f"{path}: is damaged or not a checkpoint of a training ({error}).") from None
    if metadata.get("format") != FORMAT:
        raise ModelFileError(f"{path}: is a safetensors file, but not a checkpoint of a training.")
    if metadata.get("checksum") != checksum(arrays, metadata):
        raise ModelFileError(f"{path}: is damaged, its content does not match its checksum.")
    return arrays, metadata
