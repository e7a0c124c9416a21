"""A training on disk, between epochs: everything that resuming it needs, to the bit."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

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
    """How far a training is: all that a checkpoint must hold."""

    weights: np.ndarray
    state: np.ndarray
    best: np.ndarray
    best_loss: float = math.inf
    best_epoch: int = -1
    updates: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)


def fingerprint(estimator: Estimator, seed: np.random.SeedSequence, data: Sequence[np.ndarray]) -> str:
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
    """Put the training into a safetensors file, whole or not at all. Raises OSError where that cannot be written."""
    progress = json.dumps({name: getattr(now, name) for name in NUMBERS})
    metadata = {"fingerprint": fingerprint, "progress": progress}
    write_tensors(path, CHECKPOINT, {name: getattr(now, name) for name in ARRAYS}, metadata)


def start_from_checkpoint(path: str, now: Progression, fingerprint: str) -> None:
    """Take up the training in a file; if there is none, write one, so that a path that cannot be used is told at once.

    Raises
    ------
    ParameterError
        The file is of a training with other data or settings; it cannot be written.
    ModelFileError
        It is damaged, no checkpoint, or of another version.
    """
    try:
        if not Path(path).exists():
            write_checkpoint(path, now, fingerprint)
            return
    except OSError as error:
        raise ParameterError(
            f"The 'checkpoint' parameter of Training names {path!r}, which cannot be written: {error.strerror}."
        ) from None
    arrays, metadata = read_tensors(path, CHECKPOINT)
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
