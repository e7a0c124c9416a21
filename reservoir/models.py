"""The table of the models, for the public names, `load` and the command line; and how a model is read from its file.

Importing this module costs next to nothing: the module of a model is imported when the model is first used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
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
        "reservoir.gradient.cells.clockwork", "ClockworkRNN", "Clockwork RNN: modules of units that run at different periods"
    ),
}
"""The models by the names that the command line uses."""
NAMES = {(model.module, model.class_name): name for name, model in MODELS.items()}

PARTS = {
    "Ridge": "reservoir.echo.readouts.ridge",
    "RidgeClassifier": "reservoir.echo.readouts.ridge",
    "Logistic": "reservoir.echo.readouts.logistic",
    "RecursiveLeastSquares": "reservoir.echo.readouts.online",
    "LeastMeanSquares": "reservoir.echo.readouts.online",
    "Training": "reservoir.gradient.training",
}
"""The modules of the classes that are parameters of models: readouts, and the settings of training."""


LANGUAGE_MODELS = {"LanguageModel": "reservoir.language.recurrent", "EchoLanguageModel": "reservoir.language.echo"}
"""The classes of the models of text that can be saved, and their modules."""

FORECASTERS = {"Forecaster": "reservoir.forecasting.forecaster", "Forecasters": "reservoir.forecasting.saved"}
"""The classes of forecasts that are saved, and their modules."""


def model_class(model: str | type) -> Any:
    """The estimator class of a model, given its name, "package.module:Class", or the class itself.

    A name is that of the table in any case of letters. Raises `ParameterError` for an unknown name, with the nearest ones, and
    for what is not a class derived from `Estimator`.
    """
    if isinstance(model, str) and model.lower() in MODELS:
        entry = MODELS[model.lower()]
        return getattr(import_module(entry.module), entry.class_name)
    from reservoir.base.classes import check_class, import_class
    from reservoir.base.estimator import Estimator
    from reservoir.validation import unknown

    if not isinstance(model, str):
        return check_class("model", model, Estimator)
    if ":" not in model:
        classes = {entry.class_name.lower(): name for name, entry in MODELS.items()}
        raise unknown("model", model, MODELS, classes.get(model.lower(), model.lower()))
    return import_class("model", model, Estimator)


def known_model(model: str | type) -> str | type:
    """The name of a model in the table, or the class of any other. Raises what `model_class` raises."""
    if isinstance(model, str) and model.lower() in MODELS:
        return model.lower()
    kind = model_class(model)
    return NAMES.get((kind.__module__, kind.__qualname__), kind)


def model_name(model: str | type) -> str:
    """The name of a model in the table, or "package.module:Class"."""
    from reservoir.base.classes import class_path

    return model if isinstance(model, str) else class_path(model)


def model_summary(model: str | type) -> str:
    """What a model is, in one line."""
    return MODELS[model].summary if isinstance(model, str) else (model.__doc__ or "").strip().partition("\n")[0]


def settings_name(model: str | type) -> str | None:
    """The name by which a task's settings for a model are found.

    A user's class gets the settings of the library's model that it is derived from, or those for "gradient" if it is another
    network trained by gradient; any other class gets none.
    """
    if isinstance(model, str):
        return model
    names = {**NAMES, ("reservoir.gradient.recurrent", "RecurrentEstimator"): "gradient"}
    return next((names[key] for base in model.__mro__ if (key := (base.__module__, base.__qualname__)) in names), None)


def load(path: str | os.PathLike[str], classes: Sequence[type] = ()) -> Any:
    """Read what `save` wrote to a file, a fitted estimator. Reading never imports a module or runs code that the file names.

    Parameters
    ----------
    path : the file
    classes : your own classes that the file names, such as a readout: `load(path, classes=[MyReadout])`. They are found by
        their name, whatever module they are in now

    Raises `ModelFileError` if the file is damaged, of another kind, or from a newer version, or if it names a class that is
    not in `classes`; `ParameterError` if `classes` is not a list of classes of estimators; OSError if the file cannot be read.
    """
    from reservoir.base.estimator import Estimator
    from reservoir.base.model_file import read_model
    from reservoir.validation import ModelFileError, brief, refused

    if not isinstance(classes, (list, tuple)) or not all(isinstance(c, type) and issubclass(c, Estimator) for c in classes):
        raise refused("classes", "load", "a list of classes of estimators", brief(classes))

    def find(label: str, modules: Mapping[str, str]) -> Any:
        name = label.rpartition(":")[2]
        if label in modules:
            return getattr(import_module(modules[label]), label)
        for own in classes:
            if name != label and own.__name__ == name:
                return own
        remedy = f"; if it is yours, give it: load(path, classes=[{name}])" if name != label else ""
        raise ModelFileError(f"{path}: holds an object of class {label!r}, which this release does not know{remedy}.")

    models = {model.class_name: model.module for model in MODELS.values()}
    label, parameters, arrays, state = read_model(path, lambda label: find(label, {**PARTS, **models, **FORECASTERS}))
    model = find(label, {**models, **LANGUAGE_MODELS, **FORECASTERS})
    try:
        return model.restored(parameters, arrays, state)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{path}: is damaged, its parts do not fit together ({error}).") from None
