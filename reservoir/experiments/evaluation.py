"""Fits one model to one task with one seed: the unit of `run`, of a comparison, and of a sweep."""

from __future__ import annotations

import functools
import inspect
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from reservoir.base.estimator import Estimator
from reservoir.base.version import __version__
from reservoir.experiments.first_use import announced, first_use
from reservoir.models import known_model, model_class, model_name, settings_name
from reservoir.validation import Choice, Constraint, DataError, DivergenceError, ParameterError, Subset, unknown

FAILURES = (DivergenceError, DataError, ParameterError, MemoryError)
"""The errors that a model may raise on a task with a seed; any other error is a mistake of ours."""

Progress = Callable[[dict[str, Any], int], None]
"""Called after each epoch of training with its record, as in `history_`, and the number of epochs."""


@dataclass(frozen=True)
class Result:
    """The row to report, and the objects behind it."""

    row: dict[str, Any]
    made: Any
    """The model as it was made; `model` is what learned the task: for a text, the language model that was made of it."""
    model: Any
    data: Any
    predictions: Any


def make_model(model: str | type, parameters: Mapping[str, Any], seed: int) -> Any:
    """Make an unfitted model with parameters set, nested ones as `readout__ridge`, a readout also by its class's name.

    One name stands for a list of names. Raises `ParameterError` with the nearest names for an unknown one.
    """
    made = model_class(model)(random_state=seed)
    named = {key: from_name(key, value, made.constraints.get(key)) for key, value in parameters.items()}
    for nested in (False, True):
        made.set_params(**{key: value for key, value in named.items() if ("__" in key) is nested}).check()
    for part in made.get_params(deep=False).values():
        if isinstance(part, Estimator):
            part.check()
    return made


def settings_for(task: Any, model: str | type, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task's own settings for a model (see `reservoir.models.settings_name`) with `parameters` over them."""
    name = settings_name(known_model(model))
    return overlaid({} if name is None else task.settings(name), parameters)


def from_name(key: str, value: Any, constraint: Constraint | None) -> Any:
    """Return the list or object that a name stands for, if the constraint asks for one; return any other value as it is."""
    if isinstance(value, str) and isinstance(constraint, Subset):
        return [value]
    classes = part_classes(constraint)
    if isinstance(value, str) and classes and value not in getattr(constraint, "names", ()):
        if value not in classes:
            raise unknown(key, value, classes)
        return classes[value]()
    return value


def part_classes(constraint: Constraint | None) -> dict[str, type[Estimator]]:
    """Return the classes, by name, that a constraint accepts whose objects have parameters of their own."""
    types = constraint.types if isinstance(constraint, Choice) else ()
    return {cls.__name__: cls for cls in types if issubclass(cls, Estimator)}


def overlaid(settings: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Put `parameters` over `settings`. A parameter that is replaced loses the settings of its parts, too.

    >>> overlaid({"units": 50, "readout__ridge": 1e-6}, {"readout": "LeastMeanSquares"})
    {'units': 50, 'readout': 'LeastMeanSquares'}
    """
    kept = {key: value for key, value in settings.items() if key.partition("__")[0] not in parameters}
    return {**kept, **parameters}


def described(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as JSON can hold them: a readout as its class's name, any other object as its repr."""
    plain = (str, int, float, bool, list, tuple, dict, type(None))
    texts = {name: type(value).__name__ if hasattr(value, "get_params") else repr(value) for name, value in parameters.items()}
    return {name: value if isinstance(value, plain) else texts[name] for name, value in parameters.items()}


def evaluate(
    task: Any, model: str | type, parameters: Mapping[str, Any], seed: int, data: Any = None, progress: Progress | None = None
) -> Result:
    """Fit a model to a task's data and score it on the test split.

    Parameters
    ----------
    task : an object with the methods of `reservoir.tasks.Task`
    model : a name, "package.module:Class", or a class derived from `reservoir.base.estimator.Estimator`
    parameters : over the task's own settings for that model, which are over the model's defaults
    seed : of the model, and of the data
    data : the data of `task.generate(seed)`; generated unless given
    progress : called after each epoch, by models that are trained in epochs

    Raises what the task and the model raise; a `DivergenceError` then names the seed.
    """
    made = make_model(model, settings_for(task, model, parameters), seed)
    learner = learner_for(task, made)
    data = task.generate(seed) if data is None else data
    try:
        baseline = task.baseline(data)
        with announced(), first_use() as compiling:
            predictions, outcome = measured(task, learner, data, progress)
    except DivergenceError as error:
        raise DivergenceError(f"Seed {seed}: {error}") from None
    outcome |= {"first_use_seconds": compiling(), "solved": task.solved(outcome["score"])}
    row = report_row(task, model, made, seed, baseline, **outcome)
    return Result(row, made, learner, data, predictions)


def learner_for(task: Any, model: Any) -> Any:
    """Return what learns the task in place of a model: for a text, the language model that is made of it."""
    if task.kind != "text":
        return model
    from reservoir.language.models import language_model

    return language_model(model)


def measured(task: Any, model: Any, data: Any, progress: Progress | None = None) -> tuple[Any, dict[str, Any]]:
    """Fit a model and predict the test split; return the predictions, and score, scores, n_parameters and seconds.

    The seconds are those of a process that has its kernels: compiling or loading them is not counted.
    """
    with first_use() as compiling:
        started = time.perf_counter()
        fit(task, model, data, progress)
        fitted = time.perf_counter() - compiling()
        predictions = task.predict(model, data.test)
        predicted = time.perf_counter() - compiling()
    outcome = {"score": task.score(predictions, data), "scores": task.scores(predictions, data)}
    seconds = {"fit_seconds": fitted - started, "predict_seconds": predicted - fitted}
    return predictions, {**outcome, "n_parameters": model.n_parameters_, **seconds}


def fit(task: Any, model: Any, data: Any, progress: Progress | None = None) -> None:
    """Fit a model to a task's training split, with the validation split to watch; a language model to its texts."""
    if task.kind == "text":
        model.fit(data.train.text, data.info["vocabulary"], data.validation.text, progress)
    else:
        model.fit(data.train.inputs, data.train.targets, **fit_options(task, model, data, progress))


def fit_options(task: Any, model: Any, data: Any, progress: Progress | None = None) -> dict[str, Any]:
    """Return those of target, progress and validation that the model's `fit` takes and that there are."""
    offered: dict[str, Any] = {"target": "sequence" if task.kind == "label" else "step", "progress": progress}
    taken = inspect.signature(model.fit).parameters
    if "validation" in taken:
        offered["validation"] = watched(task, model.get_params(), data)
    return {name: offered[name] for name in taken if offered.get(name) is not None}


def watched(task: Any, parameters: Mapping[str, Any], data: Any) -> tuple[list[np.ndarray], Any] | None:
    """Return the inputs and targets of the validation split, on which a model with these parameters is watched.

    A free run is watched one step ahead over the continuations, of as many starts as have no more steps than the training
    split. None where there is nothing to watch: the model holds out a `validation_fraction`, the task has no inputs, so that its
    networks learn one record by heart, or the sequences are too short for the model's washout.
    """
    split, washout = getattr(data, "validation", None), parameters.get("washout", 0)
    if split is None or parameters.get("training__validation_fraction") or not np.size(data.train.inputs[0]):
        return None
    inputs, targets = split.inputs, split.targets
    if task.kind == "free run":
        if data.train.inputs[0].shape != data.train.targets[0].shape:
            return None  # it does not learn the next step
        records = [np.concatenate([u[-washout - 1 :], y]) for u, y in zip(inputs, targets, strict=True)]
        records = records[: max(1, sum(map(len, data.train.inputs)) // max(map(len, records)))]
        inputs, targets = [record[:-1] for record in records], [record[1:] for record in records]
    return (inputs, targets) if min(map(len, inputs)) > washout else None


def reason(failure: Exception, seed: int) -> str:
    """Say in a line why a run failed; a mistake of ours also has the kind of its error."""
    if isinstance(failure, MemoryError):
        return f"not enough memory ({failure})"
    text = " ".join(str(failure).split())
    return text.removeprefix(f"Seed {seed}: ") if isinstance(failure, FAILURES) else f"{type(failure).__name__}: {text}"


def report_row(
    task: Any, model: str | type, made: Any, seed: int, baseline: float, version: str = __version__, **outcome: Any
) -> dict[str, Any]:
    """Return the row to report of a run: its definition and its outcome."""
    definition = {"task": task.name, "task_options": task.options(), "model": model_name(known_model(model))}
    definition |= {"params": described(made.get_params()), "seed": seed, "metric": task.metric, "baseline": baseline}
    return {**definition, **outcome, "version": version}


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions of what computes the runs."""
    packages = {name: version(name) for name in ("numpy", "scipy", "numba")}
    return {"reservoir": __version__, "python": platform.python_version(), **packages, "machine": platform.machine()}
