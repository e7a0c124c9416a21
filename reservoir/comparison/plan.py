"""The plan of a comparison: which models with which parameters, on which tasks and data; checked before it starts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.base.threads import one_blas_thread
from reservoir.experiments.evaluation import make_model, settings_for
from reservoir.models import known_model, model_class, model_name
from reservoir.validation import ParameterError, nearest


@dataclass(frozen=True)
class Entrant:
    """A model that takes part: its label, its name or class, and the parameters over each task's own settings for it."""

    label: str
    model: str | type
    parameters: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of the model, or "package.module:Class"."""
        return model_name(self.model)


@dataclass(frozen=True)
class PlannedRun:
    """One entrant on one task with one seed, `parameters` being all that goes over the model's defaults."""

    task: Any
    entrant: Entrant
    seed: int
    parameters: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.task.name}, {self.entrant.label}, seed {self.seed}"


@dataclass(frozen=True)
class ComparisonPlan:
    """A checked comparison. `runs` are in the order of tasks, seeds, entrants.

    `data` holds the first seed's data of every task, by its name.
    """

    tasks: Sequence[Any]
    entrants: Sequence[Entrant]
    seeds: Sequence[int]
    budget: int | None
    data: Mapping[str, Any]
    runs: Sequence[PlannedRun]

    def of_task(self, task: Any) -> range:
        """The positions of a task's runs."""
        size = len(self.seeds) * len(self.entrants)
        start = [t.name for t in self.tasks].index(task.name) * size
        return range(start, start + size)


def entrants(models: Sequence[str | type], settings: Mapping[str, Any]) -> list[Entrant]:
    """The models, each with the parameters that are for all and those that are for it, as `compare` takes both.

    >>> entrants(["esn", "wide=esn"], {"leak_rate": 0.5, "wide__units": 900})[1]
    Entrant(label='wide', model='esn', parameters={'leak_rate': 0.5, 'units': 900})
    """
    names: dict[str, str | type] = {}
    for given in models:
        label, _, model = given.rpartition("=") if isinstance(given, str) else ("", "", given)
        name = model if isinstance(model, str) else model.__name__
        name = name.rpartition(":")[2]
        if label and not re.fullmatch(r"[A-Za-z0-9-]+", label):
            raise ParameterError(f"The label of a model must be of letters, digits and hyphens. Got '{label}' instead.")
        if (label or name) in names:
            raise ParameterError(
                f"The model '{label or name}' is there twice; give one a label of its own, as in --models {name},other={given}."
            )
        names[label or name] = model
    for_all, for_one = _addressed(names, settings)
    found = [Entrant(label, known_model(model), {**for_all, **for_one[label]}) for label, model in names.items()]
    for parameter in for_all:
        _check_owned(parameter.partition("__")[0], found)
    return found


def _addressed(names: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Parameters for all models, and those for each, which have its label before them."""
    for_all: dict[str, Any] = {}
    for_one: dict[str, dict[str, Any]] = {label: {} for label in names}
    for key, value in settings.items():
        first, _, rest = key.partition("__")
        if rest and first in names:
            for_one[first][rest] = value
        else:
            for_all[key] = value
    return for_all, for_one


def _check_owned(parameter: str, entered: Sequence[Entrant]) -> None:
    """Raise `ParameterError` unless all models have a parameter that is set for all."""
    known = {entrant.label: model_class(entrant.model).parameter_names() for entrant in entered}
    having = [label for label, names in known.items() if parameter in names]
    if not having:
        raise ParameterError(
            f"No model here has a parameter '{parameter}'.{nearest(parameter, set().union(*known.values(), known))}"
            f" Models: {', '.join(known)}."
        )
    if len(having) < len(known):
        lacking = next(label for label in known if label not in having)
        raise ParameterError(
            f"The model '{lacking}' has no parameter '{parameter}'; say which one it is for, as in {having[0]}.{parameter}=VALUE."
        )


def plan_comparison(
    tasks: Sequence[Any], entered: Sequence[Entrant], seeds: Sequence[int], budget: int | None = None
) -> ComparisonPlan:
    """Check everything that can be checked before the work, and generate each task's data of the first seed.

    Raises
    ------
    ParameterError
        A task that is there twice, nothing to compare, a parameter out of range, a budget that no units meet.
    DataError
        A user's file that cannot be used.
    """
    names = [task.name for task in tasks]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"The task '{name}' is there twice.")
    if not (tasks and entered and seeds):
        raise ParameterError("A comparison needs at least one task, one model and one seed.")
    for entrant in entered:
        if budget is not None and "units" in entrant.parameters:
            raise ParameterError(f"The budget decides the units of model '{entrant.label}'; set either of them.")
        for task in tasks:
            make_model(entrant.model, settings_for(task, entrant.model, entrant.parameters), seeds[0])
    with one_blas_thread():
        data = {task.name: task.generate(seeds[0]) for task in tasks}
    runs = []
    for task in tasks:
        chosen = [_parameters(task, entrant, data[task.name], budget) for entrant in entered]
        runs += [PlannedRun(task, e, seed, p) for seed in seeds for e, p in zip(entered, chosen, strict=True)]
    return ComparisonPlan(tasks, entered, seeds, budget, data, runs)


def _parameters(task: Any, entrant: Entrant, data: Any, budget: int | None) -> dict[str, Any]:
    """What goes over a task's settings for a model: its parameters, and with a budget the units that meet it."""
    if budget is None:
        return dict(entrant.parameters)
    model = make_model(entrant.model, settings_for(task, entrant.model, entrant.parameters), 0)
    rest = {key: value for key, value in model.get_params(deep=False).items() if key != "units"}
    return {**entrant.parameters, "units": type(model).sized(budget, *sizes(data), **rest)}


def sizes(data: Any) -> tuple[int, int]:
    """The numbers of inputs and outputs that a task's data ask for; labels (integers, words) ask for an output per class."""
    targets = data.train.targets
    per_sequence = isinstance(targets, np.ndarray)
    values = targets if per_sequence else np.concatenate([np.asarray(y) for y in targets])
    if values.dtype.kind != "f":
        return data.train.inputs[0].shape[1], len(np.unique(values))
    return data.train.inputs[0].shape[1], values.shape[1] if values.ndim > 1 else 1
