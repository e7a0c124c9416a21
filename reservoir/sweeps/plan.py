"""The plan of a sweep, checked before it starts, and the keys that identify its runs."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.base.classes import check_importable
from reservoir.base.estimator import Estimator
from reservoir.base.values import MOST_SEEDS, canonical, shown_name
from reservoir.experiments.evaluation import make_model, overlaid, settings_for
from reservoir.experiments.rows import facts_of, run_key
from reservoir.models import known_model, model_class
from reservoir.sweeps.space import Dimension, Point, read_dimension, without_numpy
from reservoir.sweeps.strategies import BATCH, Search
from reservoir.validation import Choice, Constraint, Number, ParameterError, brief, check_parameters

SEED = Number(low=0, high=2**63 - 1, integer=True)
CONSTRAINTS: Mapping[str, Constraint] = {
    "split": Choice(("validation", "test")),
    "trials": Number(low=1, high=1_000_000_000, integer=True, optional=True),
    "batch": Number(low=1, high=10_000, integer=True, optional=True),
    "search_seed": Number(low=0, high=2**32 - 1, integer=True),
}


@dataclass(frozen=True)
class Sweep:
    """A checked sweep, see `plan_sweep`. `settings` are those over the task's own; `search` says how points are chosen."""

    task: Any
    model: str | type
    dimensions: Sequence[Dimension]
    settings: Mapping[str, Any]
    seeds: Sequence[int]
    split: str
    search: Search
    prune: bool

    @property
    def trials(self) -> int:
        """The number of trials."""
        return self.search.size(self.dimensions)

    @property
    def runs(self) -> int:
        """The number of runs: every trial with every seed."""
        return self.trials * len(self.seeds)

    def parameters(self, point: Point) -> dict[str, Any]:
        """Return all parameters that are set at a point, by the task or by the user; the model's defaults hold for the others."""
        return settings_for(self.task, self.model, {**self.settings, **point})

    def key(self, parameters: str, seed: int) -> bytes:
        """Return the key of a run, whose parameters are given as canonical text."""
        return run_key(self._about, parameters, seed)

    @functools.cached_property
    def _about(self) -> str:
        return canonical(self.about())

    def about(self) -> dict[str, Any]:
        """Return what all runs of a store have in common. A task of your own is named "package.module:Class"."""
        return facts_of(self.task, self.model, self.split)

    def facts(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a store notes of its sweeps: the latest strategy, options of the task, names after those in `known`."""
        defaults = {f.name: f.default for f in dataclasses.fields(self.task)} if dataclasses.is_dataclass(self.task) else {}
        options = {name: value for name, value in self.about()["task_options"].items() if value != defaults.get(name)}
        varied = [dimension.name for dimension in self.dimensions]
        log = [dimension.name for dimension in self.dimensions if dimension.log]
        names = {"varied": varied, "log": log, "given": [*varied, *self.settings]}
        every = {what: list(dict.fromkeys([*known.get(what, ()), *latest])) for what, latest in names.items()}
        return {"strategy": self.search.strategy, **every, "task_set": options}


def plan_sweep(
    task: Any,
    model: str | type,
    vary: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
    seeds: Sequence[int] = (0,),
    strategy: str = "grid",
    trials: int | None = None,
    split: str = "validation",
    search_seed: int = 0,
    batch: int | None = None,
    prune: bool = False,
) -> Sweep:
    """Check the arguments of `sweep` that say what is run; raise `ParameterError` as it does."""
    model = known_model(model)
    check_importable("model", model_class(model))
    check_importable(f"task '{task.name}'", type(task))
    fixed = {name: without_numpy(value) for name, value in (settings or {}).items()}
    _check_names(vary, fixed)
    given = {"split": split, "trials": trials, "batch": batch, "search_seed": search_seed}
    check_parameters("sweep", CONSTRAINTS, given)
    search = Search(strategy, trials, search_seed, batch or BATCH)
    sweep = Sweep(task, model, _dimensions(task, model, vary, fixed), fixed, _checked_seeds(seeds), split, search, prune)
    _check_values(sweep)
    search.size(sweep.dimensions)
    if batch is not None and not search.listens:
        raise ParameterError(f"A batch is for the strategies tpe and cmaes; {strategy} does not wait for scores.")
    if prune and not search.listens:
        raise ParameterError(f"Pruning compares with earlier trials, which tpe and cmaes do, {strategy} does not.")
    if prune and "progress" not in inspect.signature(model_class(model).fit).parameters:
        raise ParameterError("Pruning is for models trained in epochs; an echo state network is fitted at once.")
    return sweep


def _check_names(vary: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
    """Raise `ParameterError` where nothing is varied, and for names that a sweep cannot vary or set, or not both."""
    if not vary:
        raise ParameterError("There is nothing to vary; name a parameter and its values, as spectral_radius=0.1:1.5:15.")
    for name in (*vary, *fixed):
        if not all(name.split("__")):
            raise ParameterError(f"There is no parameter '{shown_name(name)}'; parts are named as readout.ridge.")
        if name in vary and name in fixed:
            raise ParameterError(f"The parameter '{shown_name(name)}' is both varied and set; do either.")
        if name == "random_state":
            raise ParameterError("'random_state' cannot be varied or set; seeds have an option of their own.")
    if "training__checkpoint" in vary or fixed.get("training__checkpoint") is not None:
        raise ParameterError("'training.checkpoint' is for a single training; the store of a sweep keeps what is finished.")


def _checked_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    if isinstance(seeds, (Sequence, np.ndarray)) and 0 < len(seeds) <= MOST_SEEDS:
        plain = tuple(without_numpy(seeds))
        if all(SEED.accepts(seed) for seed in plain) and len(set(plain)) == len(plain):
            return plain
    wanted = f"integers in [0, 2^63), at least one, at most {MOST_SEEDS:,}, none twice"
    raise ParameterError(f"Seeds must be {wanted}. Got {brief(seeds)} instead.")


def _dimensions(task: Any, model: str | type, vary: Mapping[str, Any], fixed: Mapping[str, Any]) -> list[Dimension]:
    """Read what is varied, in the order given. A parameter is read before its parts: its first value decides what they are."""
    settings, read = dict(fixed), dict[str, Dimension]()
    for name in sorted(vary, key=lambda name: "__" in name):
        whole = takes_integers(model, settings_for(task, model, settings), name)
        read[name] = read_dimension(name, vary[name], whole)
        settings = overlaid(settings, {name: read[name].samples()[0]}) if "__" not in name else settings
    return [read[name] for name in vary]


def takes_integers(model: str | type, settings: Mapping[str, Any], name: str) -> bool | None:
    """Return whether a parameter takes integers only; None where that is not known, also for an unknown name."""
    from reservoir.echo.topology import OPTION_CONSTRAINTS

    whole, _, part = name.partition("__")
    owner: Any = make_model(model, settings, 0)
    owner = owner.get_params(deep=False).get(whole) if part else owner
    constraint = owner.constraints.get(part or whole) if isinstance(owner, Estimator) else None
    constraint = OPTION_CONSTRAINTS.get(part) if whole == "topology_options" else constraint
    return constraint.integer if isinstance(constraint, Number) else None


def _check_values(sweep: Sweep) -> None:
    """Make a model with every value that is varied, the others at their first; raise `ParameterError` where that fails."""
    from reservoir.echo.topology import TOPOLOGIES, check_options

    first = {dimension.name: dimension.samples()[0] for dimension in sweep.dimensions}
    for dimension in sweep.dimensions:
        for value in dimension.samples():
            model = make_model(sweep.model, sweep.parameters({**first, dimension.name: value}), sweep.seeds[0])
            if not isinstance(model, model_class("esn")):
                continue
            if not isinstance(model.topology, str):  # a matrix is no plain data
                known = ", ".join(TOPOLOGIES)
                raise ParameterError(f"The 'topology' of a sweep must be one of {known}. Got {brief(model.topology)}.")
            check_options(model.topology, model.topology_options or {})
    try:
        canonical(sweep.settings)
    except TypeError:
        kinds = "numbers, texts, true, false, none, or lists of these"
        raise ParameterError(f"Settings of a sweep must be {kinds}; set a part by its own name, as readout__ridge.") from None
