"""The table of the models, which the public names, `load` and the command line read, and reading a model from its file.

Importing this module costs next to nothing: a model's own module is imported when it is asked for.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, NamedTuple


class Model(NamedTuple):
    """An estimator: the module and the name of its class, and what it is, in one line."""

    module: str
    class_name: str
    summary: str


MODELS = {
    "esn": Model("reservoir.echo.esn", "ESN", "echo state network: fixed random reservoir, linear readout"),
    "elman": Model("reservoir.gradient.cells.elman", "Elman", "simple recurrent network, trained by gradient like all below"),
    "lstm": Model("reservoir.gradient.cells.lstm", "LSTM", "long short-term memory"),
    "gru": Model("reservoir.gradient.cells.gru", "GRU", "gated recurrent unit"),
    "mgu": Model("reservoir.gradient.cells.mgu", "MGU", "minimal gated unit"),
    "indrnn": Model("reservoir.gradient.cells.indrnn", "IndRNN", "independently recurrent network: each unit reads itself alone"),
    "clockwork": Model(
        "reservoir.gradient.cells.clockwork",
        "ClockworkRNN",
        "Clockwork RNN: modules of units that run at different periods",
    ),
}
"""The models by the names that the command line uses."""

PARTS = {
    "Ridge": "reservoir.echo.readouts.ridge",
    "RidgeClassifier": "reservoir.echo.readouts.ridge",
    "Logistic": "reservoir.echo.readouts.logistic",
    "RecursiveLeastSquares": "reservoir.echo.readouts.online",
    "LeastMeanSquares": "reservoir.echo.readouts.online",
    "Training": "reservoir.gradient.training",
}
"""The classes of the estimators that are parameters of models, and their modules."""


def model_class(name: str) -> Any:
    """The estimator class of a model name. Raises `ParameterError` with the nearest names for an unknown one."""
    if name not in MODELS:
        from reservoir.validation import unknown

        raise unknown("model", name, MODELS)
    return getattr(import_module(MODELS[name].module), MODELS[name].class_name)


def load(path: str | os.PathLike[str]) -> Any:
    """The fitted estimator that `save` wrote to a file.

    Raises
    ------
    ModelFileError
        The file is damaged, of another kind, or from a newer version. Reading it never runs code from it.
    OSError
        There is no such file, or it cannot be read.
    """
    from reservoir.base.model_file import read_model
    from reservoir.validation import ModelFileError

    class_name, parameters, arrays, state = read_model(path, PARTS)
    for model in MODELS.values():
        if model.class_name == class_name:
            try:
                return getattr(import_module(model.module), class_name).restored(parameters, arrays, state)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise ModelFileError(f"{path}: is damaged, its parts do not fit together ({error}).") from None
    raise ModelFileError(f"{path}: holds a model of class {class_name!r}, which this release does not know.")
