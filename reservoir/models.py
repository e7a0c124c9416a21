"""The models by the names the command line uses, and reading one back from its file."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from reservoir.base.model_file import read_model
from reservoir.validation import ModelFileError, unknown

GRADIENT = "reservoir.gradient.estimators"
MODELS = {
    "esn": ("reservoir.echo.esn", "ESN", "echo state network: fixed random reservoir, linear readout"),
    "elman": (GRADIENT, "Elman", "simple recurrent network, trained by gradient like all below"),
    "lstm": (GRADIENT, "LSTM", "long short-term memory"),
    "gru": (GRADIENT, "GRU", "gated recurrent unit"),
    "mgu": (GRADIENT, "MGU", "minimal gated unit"),
    "indrnn": (GRADIENT, "IndRNN", "independently recurrent network: each unit reads itself alone"),
    "clockwork": (GRADIENT, "ClockworkRNN", "Clockwork RNN: modules of units that run at different periods"),
}


def model_class(name: str) -> Any:
    """The estimator class of a model name. Raises `ParameterError` with the nearest names for an unknown one."""
    if name not in MODELS:
        raise unknown("model", name, MODELS)
    module, cls, _ = MODELS[name]
    return getattr(import_module(module), cls)


def load(path: str | os.PathLike[str]) -> Any:
    """The fitted estimator that `save` wrote to a file.

    Raises
    ------
    ModelFileError
        The file is damaged, of another kind, or from a newer version. Reading it never runs code from it.
    OSError
        There is no such file, or it cannot be read.
    """
    cls, parameters, arrays, state = read_model(path)
    for module, name, _ in MODELS.values():
        if name == cls:
            try:
                return getattr(import_module(module), name).restored(parameters, arrays, state)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise ModelFileError(f"{path}: is damaged, its parts do not fit together ({error}).") from None
    raise ModelFileError(f"{path}: holds a model of class {cls!r}, which this release does not know.")
