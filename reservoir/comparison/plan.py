"""The plan of a comparison: which models with which parameters, on which tasks and data; checked before it starts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.base.threads import one_blas_thread
from reservoir.experiments.evaluation import make_model, settings_for
from reservoir.models import known_model, model_class
from reservoir.validation import ParameterError, nearest


@dataclass(frozen=True)
class Entrant:
    """A model that takes part: its label, its name or class, and the parameters over each task's own settings for it."""

    label: str
    model: str | type
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class PlannedRun:
    """One entrant on one task with one seed; `parameters` go over the task's settings for the model."""

    task: Any
    entrant: Entrant
    seed: int
    parameters: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.task.name}, {self.entrant.label}, seed {self.seed}"


@dataclass(frozen=True)
class ComparisonPlan:
    """A checked comparison: `data` are the first seed's of every task, by its name; `runs` in order of tasks, seeds, entrants."""

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
    """Return the models of a comparison; each gets the parameters that are for all, and its own, as `compare` takes both.

    >>> entrants(["esn", "wide=esn"], {"leak_rate": 0.5, "wide__units": 900})[1]
    Entrant(label='wide', model='esn', parameters={'leak_rate': 0.5, 'units': 900})
    """
    entered: dict[str, str | type] = {}
    for given in models:
        label, _, model = given.rpartition("=") if isinstance(given, str) else ("", "", given)
        name = (model if isinstance(model, str) else model.__name__).rpartition(":")[2]
        if label and not re.fullmatch(r"[A-Za-z0-9-]+", label):
            raise ParameterError(f"The label of a model must be of letters, digits and hyphens. Got '{label}' instead.")
        label = label or name
        if label in entered:
            remedy = f"give one a label of its own, as in --models {name},other={given}"
            raise ParameterError(f"The model '{label}' is there twice; {remedy}.")
        entered[label] = model
    for_all: dict[str, Any] = {}
    for_one: dict[str, dict[str, Any]] = {label: {} for label in entered}
    for key, value in settings.items():
        label, _, parameter = key.partition("__")
        if parameter and label in entered:
            for_one[label][parameter] = value
        else:
            for_all[key] = value
    found = [Entrant(label, known_model(model), {**for_all, **for_one[label]}) for label, model in entered.items()]
    _check_owned([parameter.partition("__")[0] for parameter in for_all], found)
    return found


def _check_owned(parameters: Iterable[str], entered: Sequence[Entrant]) -> None:
    """Raise `ParameterError` unless all models have the parameters that are set for all."""
    kinds = {entrant.label: model_class(entrant.model) for entrant in entered}
    known = {label: kind.parameter_names() for label, kind in kinds.items()}
    for parameter in parameters:
        having = [label for label, names in known.items() if parameter in names]
        lacking = [label for label in known if label not in having]
        if not having:
            meant = {kind: kind.meant(parameter, kind.defaults()) for kind in kinds.values()}
            exact = [kind for kind in meant if parameter in kind.part_owners(kind.defaults())]
            near = "" if exact else nearest(parameter, set().union(*known.values(), known))
            close = near or next(filter(None, (meant[kind] for kind in exact or meant)), "")
            raise ParameterError(f"No model here has a parameter '{parameter}'.{close} Models: {', '.join(known)}.")
        if lacking:
            remedy = f"say which one it is for, as in {having[0]}.{parameter}=VALUE"
            raise ParameterError(f"The model '{lacking[0]}' has no parameter '{parameter}'; {remedy}.")


def plan_comparison(
    tasks: Sequence[Any], entered: Sequence[Entrant], seeds: Sequence[int], budget: int | None = None
) -> ComparisonPlan:
    """Check all that can be checked before the work, and generate each task's data of the first seed; raise as `compare` does."""
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
    """Return the parameters over a task's settings for a model: its own, and with a budget the units that meet it."""
    if budget is None:
        return dict(entrant.parameters)
    model = make_model(entrant.model, settings_for(task, entrant.model, entrant.parameters), 0)
    rest = {key: value for key, value in model.get_params(deep=False).items() if key != "units"}
    return {**entrant.parameters, "units": type(model).sized(budget, *sizes(data), **rest)}


def sizes(data: Any) -> tuple[int, int]:
    """Return the numbers of inputs and outputs that a task's data need; labels (integers, words) need an output per class.

    A symbol of a text counts as many inputs as there are symbols, and needs an output for each.
    """
    if "vocabulary" in getattr(data, "info", {}):
        return (len(data.info["vocabulary"]),) * 2
    inputs, targets = data.train.inputs[0].shape[1], data.train.targets
    values = targets if isinstance(targets, np.ndarray) else np.concatenate([np.asarray(y) for y in targets])
    if values.dtype.kind != "f":
        return inputs, len(np.unique(values))
    return inputs, values.shape[1] if values.ndim > 1 else 1
