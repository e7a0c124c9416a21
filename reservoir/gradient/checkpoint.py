"""Checkpoints: a training in a file between epochs, with all that resuming it to the same bits needs."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import SeedSequence

from reservoir.base.estimator import Estimator
from reservoir.base.tensor_file import FileKind, read_tensors, write_tensors
from reservoir.base.version import __version__
from reservoir.validation import ParameterError

CHECKPOINT = FileKind("clockwork-reservoir training", "1", "checkpoint of a training")
ARRAYS = ("weights", "state", "best")
UNBOUND = ("epochs", "patience", "checkpoint", "checkpoint_every")
"""Settings of a training that may change when it is resumed."""
NUMBERS = ("best_loss", "best_epoch", "updates", "history")


@dataclass
class Progression:
    """The progress of a training: all that a checkpoint holds."""

    weights: np.ndarray
    state: np.ndarray
    best: np.ndarray
    best_loss: float = math.inf
    best_epoch: int = -1
    updates: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)


def fingerprint(estimator: Estimator, seed: SeedSequence, data: Sequence[np.ndarray]) -> str:
    """Return a digest of version, parameters, seed and data, without the settings that a resumed training may change."""
    free = {"training", "random_state", *(f"training__{name}" for name in UNBOUND)}
    if estimator.get_params()["training__schedule"] == "cosine":
        free.remove("training__epochs")
    parameters = {name: value for name, value in estimator.get_params().items() if name not in free}
    digest = hashlib.sha256(repr((__version__, type(estimator).__name__, sorted(parameters.items()), seed)).encode())
    for array in data:
        digest.update(repr(array.shape).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def write_checkpoint(path: str, now: Progression, fingerprint: str) -> None:
    """Write the training to a safetensors file, whole or not at all. Raises OSError where that cannot be done."""
    metadata = {"fingerprint": fingerprint, "progress": json.dumps({name: getattr(now, name) for name in NUMBERS})}
    write_tensors(path, CHECKPOINT, {name: getattr(now, name) for name in ARRAYS}, metadata)


def start_from_checkpoint(path: str, now: Progression, fingerprint: str) -> None:
    """Resume the training in a file; without a file, write one, so that a path that cannot be written is reported at once.

    Raises `ParameterError` for a path that cannot be written and for a file of a training with other data or settings, and
    `ModelFileError` for a file that is damaged, no checkpoint, or of another version.
    """
    named = f"The 'checkpoint' parameter of Training names {path!r},"
    try:
        if not Path(path).exists():
            write_checkpoint(path, now, fingerprint)
            return
    except OSError as error:
        raise ParameterError(f"{named} which cannot be written: {error.strerror}.") from None
    arrays, metadata = read_tensors(path, CHECKPOINT)
    if metadata.get("fingerprint") != fingerprint:
        reason = "of a training with other data or parameters, or by another version; remove it or name another file"
        raise ParameterError(f"{named} {reason}.")
    progress = json.loads(metadata["progress"])
    for name in ARRAYS:
        getattr(now, name)[...] = arrays[name]
    for name in NUMBERS:
        setattr(now, name, progress[name])
