"""One model on one task with one seed: the unit of a command-line run, of a comparison, and of a sweep.

A task is any object with the methods of `tasks.Task`; nothing here imports that package.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reservoir import __version__
from reservoir.estimator import Estimator
from reservoir.models import model_class
from reservoir.validation import DivergenceError, Subset


@dataclass(frozen=True)
class Result:
    """What came of it: the row to report, and the objects behind it."""

    row: dict[str, Any]
    model: Any
    data: Any
    predictions: Any


def make_model(name: str, parameters: Mapping[str, Any], seed: int) -> Any:
    """An unfitted model with parameters set, nested ones as `readout__ridge`; a readout may be given by its class's name.

    A single name will do where a list of names is asked for. Raises `ParameterError` for an unknown model, readout or
    parameter, with the nearest names.
    """
    model = model_class(name)(random_state=seed)
    lists = [key for key, constraint in model.constraints.items() if isinstance(constraint, Subset)]
    parameters = {key: [value] if key in lists and isinstance(value, str) else value for key, value in parameters.items()}
    plain = {key: value for key, value in parameters.items() if "__" not in key}
    nested = {key: value for key, value in parameters.items() if "__" in key}
    if isinstance(plain.get("readout"), str):
        from reservoir.echo.readouts import readout_named

        plain["readout"] = readout_named(plain["readout"])
    model.set_params(**plain).check()
    model.set_params(**nested).check()
    for part in model.get_params(deep=False).values():
        if isinstance(part, Estimator):
            part.check()
    return model


def overlaid(settings: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`settings` with `parameters` over them. The parts that are set of a parameter which is replaced go with it.

    >>> overlaid({"units": 50, "readout__ridge": 1e-6}, {"readout": "LeastMeanSquares"})
    {'units': 50, 'readout': 'LeastMeanSquares'}
    """
    kept = {key: value for key, value in settings.items() if key.partition("__")[0] not in parameters}
    return {**kept, **parameters}


def described(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON can hold them: a readout by its class's name, anything else odd by its repr."""
    plain = (str, int, float, bool, list, tuple, dict, type(None))
    return {
        name: value if isinstance(value, plain) else type(value).__name__ if hasattr(value, "get_params") else repr(value)
        for name, value in parameters.items()
    }


def evaluate(task: Any, name: str, parameters: Mapping[str, Any], seed: int) -> Result:
    """Generate the task's data, fit a model, and score it on the test split.

    `parameters` go over the task's own settings for that model; both go over the model's defaults. The seed serves the
    data and the model. Raises what the task and the model raise, ParameterError, DataError and DivergenceError; the last
    names the seed.
    """
    model = make_model(name, overlaid(task.settings(name), parameters), seed)
    data = task.generate(seed)
    started = time.perf_counter()
    try:
        model.fit(data.train.inputs, data.train.targets)
        fitted = time.perf_counter()
        predictions = task.predict(model, data.test)
        predicted = time.perf_counter()
    except DivergenceError as error:
        raise DivergenceError(f"Seed {seed}: {error}") from None
    row = {
        "task": task.name,
        "task_options": task.options(),
        "model": name,
        "params": described(model.get_params()),
        "seed": seed,
        "metric": task.metric,
        "score": task.score(predictions, data),
        "scores": task.scores(predictions, data),
        "baseline": task.baseline(data),
        "n_parameters": model.n_parameters_,
        "fit_seconds": fitted - started,
        "predict_seconds": predicted - fitted,
        "version": __version__,
    }
    return Result(row, model, data, predictions)
