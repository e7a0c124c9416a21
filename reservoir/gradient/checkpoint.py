"""A training on disk, between epochs: everything that going on needs, to the bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reservoir.model_file import replaced
from reservoir.validation import ModelFileError, ParameterError

if TYPE_CHECKING:
    from reservoir.gradient.trainer import Progression

FORMAT = "clockwork-reservoir training"


def write_checkpoint(path: str, now: Progression, fingerprint: str) -> None:
    """Put the training into a safetensors file, whole or not at all. Raises OSError where that cannot be written."""
    from safetensors.numpy import save

    progress = {
        "best_loss": now.best_loss, "best_epoch": now.best_epoch, "updates": now.updates, "history": now.history,
    }  # fmt: skip
    metadata = {"format": FORMAT, "fingerprint": fingerprint, "progress": json.dumps(progress)}
    data = save({"weights": now.weights, "state": now.state, "best": now.best}, metadata)
    with replaced(path) as temporary:
        temporary.write_bytes(data)


def read_checkpoint(path: str, now: Progression, fingerprint: str) -> None:
    """Take up the training in a file, if there is one.

    Raises
    ------
    ParameterError
        The file is of a training with other data or settings.
    ModelFileError
        It is damaged, or no checkpoint.
    """
    import safetensors

    if not Path(path).exists():
        return
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in ("weights", "state", "best")}
        if metadata.get("format") != FORMAT:
            raise ValueError("it has another format")
        progress = json.loads(metadata["progress"])
    except Exception as error:
        raise ModelFileError(f"{path}: is damaged or not a checkpoint of a training ({error}).") from None
    if metadata["fingerprint"] != fingerprint:
        raise ParameterError(
            f"The 'checkpoint' parameter of Training names {path}, of a training with other data or parameters; remove it or"
            " name another file."
        )
    for name, array in arrays.items():
        np.copyto(getattr(now, name), array)
    now.best_loss, now.best_epoch, now.updates = progress["best_loss"], progress["best_epoch"], progress["updates"]
    now.history.extend(progress["history"])
