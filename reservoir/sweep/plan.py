"""What a sweep is to do, checked before any work, and the keys by which its runs are known.

A trial is one set of parameters; a run is a trial with one seed.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reservoir.estimator import Estimator
from reservoir.evaluation import make_model, overlaid
from reservoir.literals import canonical, shown_name
from reservoir.sweep.space import Dimension, Point, read_dimension
from reservoir.sweep.strategies import Search
from reservoir.validation import Number, ParameterError

SPLITS = ("validation", "test")


@dataclass(frozen=True)
class Sweep:
    """A checked sweep: what `plan` gives.

    Attributes
    ----------
    task : an object with the methods of `tasks.Task`
    model : name of the model
    dimensions : what is varied
    settings : parameters of every trial, over the task's own settings for the model
    seeds : of the data and of the models; every trial is run with each
    split : what the runs are scored on, "validation" or "test"
    search : how points are chosen
    prune : whether runs that fall behind are stopped early
    """

    task: Any
    model: str
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
        """All that is set at a point, the task's own settings included; the model's defaults hold for the rest."""
        return overlaid(overlaid(self.task.settings(self.model), self.settings), point)

    def key(self, parameters: str, seed: int) -> bytes:
        """What defines a run, as a hash of 16 bytes: what the store is about, the parameters as canonical text, the seed."""
        return hashlib.sha256(f"{self._about}{parameters}{seed}".encode()).digest()[:16]

    @functools.cached_property
    def _about(self) -> str:
        return canonical(self.about())

    def about(self) -> dict[str, Any]:
        """What all runs of a store have in common."""
        return {
            "task": self.task.name,
            "task_options": {name: _plain_option(value) for name, value in self.task.options().items()},
            "model": self.model,
            "metric": self.task.metric,
            "higher_is_better": self.task.higher_is_better,
            "split": self.split,
        }

    def facts(self) -> dict[str, Any]:
        """What a store notes of its latest sweep: the strategy, names in the order given, options of the task that were set."""
        known = {f.name: f.default for f in dataclasses.fields(self.task)} if dataclasses.is_dataclass(self.task) else {}
        options = {name: value for name, value in self.about()["task_options"].items() if value != known.get(name)}
        varied = [dimension.name for dimension in self.dimensions]
        return {"strategy": self.search.strategy, "varied": varied, "given": [*varied, *self.settings], "task_set": options}


def plan(
    task: Any,
    model: str,
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
    """Read and check a sweep.

    Parameters
    ----------
    task : an object with the methods of `tasks.Task`
    model : name of a model
    vary : for each parameter the values it may take, as `reservoir.sweep.space` reads them; nested ones as `readout__ridge`
    settings : parameters of every trial, over the task's own settings for the model; plain values
    seeds : of the data and of the models
    strategy, trials, search_seed, batch : how points are chosen, see `Search`
    split : "validation", so that the test data stay unseen while choosing, or "test"
    prune : stop runs of models trained in epochs whose loss is worse than the median of earlier ones; for tpe and cmaes

    Raises
    ------
    ParameterError
        Nothing to vary, an unknown name (with the nearest), a value out of range, a strategy that does not fit.
    """
    fixed = dict(settings or {})
    if not vary:
        raise ParameterError("There is nothing to vary; name a parameter and its values, as spectral_radius=0.1:1.5:15.")
    for name in vary:
        if name in fixed:
            raise ParameterError(f"The parameter '{shown_name(name)}' is both varied and set; do either.")
    _check_seeds(seeds)
    if split not in SPLITS:
        raise ParameterError(f"The split must be one of {', '.join(SPLITS)}. Got {split!r} instead.")
    counts = {"trials": trials, "batch": batch, "search_seed": search_seed}
    for name, count in counts.items():
        if not Number(low=0 if name == "search_seed" else 1, integer=True, optional=True).accepts(count):
            raise ParameterError(f"'{name}' must be an integer in [{int(name != 'search_seed')}, inf). Got {count!r} instead.")
    base = overlaid(task.settings(model), fixed)
    dimensions = [read_dimension(name, given, takes_integers(model, base, name)) for name, given in vary.items()]
    search = Search(strategy, trials, search_seed) if batch is None else Search(strategy, trials, search_seed, batch)
    sweep = Sweep(task, model, dimensions, fixed, tuple(seeds), split, search, prune)
    _check_values(sweep)
    search.size(dimensions)
    if batch is not None and not search.listens:
        raise ParameterError(f"A batch is for the strategies tpe and cmaes; {strategy} does not wait for scores.")
    if prune and not search.listens:
        raise ParameterError(f"Pruning compares with earlier trials, which tpe and cmaes do, {strategy} does not.")
    if prune and model == "esn":
        raise ParameterError("Pruning is for models trained in epochs; an echo state network is fitted at once.")
    return sweep


def _check_seeds(seeds: Sequence[int]) -> None:
    if not seeds or not all(Number(low=0, integer=True).accepts(seed) for seed in seeds) or len(set(seeds)) < len(seeds):
        raise ParameterError(f"Seeds must be integers in [0, inf), at least one, none twice. Got {list(seeds)!r} instead.")


def takes_integers(model: str, settings: Mapping[str, Any], name: str) -> bool | None:
    """Whether a parameter takes integers only; None where nothing is known of it. Unknown names are told later."""
    whole, _, part = name.partition("__")
    owner: Any = make_model(model, settings, 0)
    if part:
        owner = owner.get_params(deep=False).get(whole)
    if not isinstance(owner, Estimator):
        return None
    constraint = owner.constraints.get(part or whole)
    return constraint.integer if isinstance(constraint, Number) else None


def _check_values(sweep: Sweep) -> None:
    """Make a model with every value that is varied, the others at their first; raise what that raises."""
    first = {dimension.name: dimension.samples()[0] for dimension in sweep.dimensions}
    for dimension in sweep.dimensions:
        for value in dimension.samples():
            make_model(sweep.model, sweep.parameters({**first, dimension.name: value}), sweep.seeds[0])
            if dimension.name in ("random_state", "training__checkpoint"):
                raise ParameterError(f"'{shown_name(dimension.name)}' cannot be varied; seeds have an option of their own.")
    try:
        canonical(sweep.settings)
    except TypeError:
        raise ParameterError(
            "Settings of a sweep must be numbers, texts, true, false, none, or lists of these; set a part by its own name,"
            " as readout__ridge."
        ) from None


def _plain_option(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, list, tuple, type(None))) else str(value)
