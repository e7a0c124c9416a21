"""Strategies: which points of a space are tried, and in what order.

A strategy is a generator: it yields a batch of points, is sent what came of each, and yields the next. It decides by that
alone, so that a sweep which starts again over what is stored goes the same way, and the batch, not the number of workers,
says what is known when a point is proposed.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from reservoir.base.values import shown_name
from reservoir.sweeps.space import Dimension, Point, grid, grid_size, point_at
from reservoir.validation import ParameterError, unknown

BATCH = 8


@dataclass(frozen=True)
class Outcome:
    """What came of a point over its seeds.

    Attributes
    ----------
    score : the mean of the scores; None where a run failed or was stopped
    curve : the mean losses by epoch, where runs were stopped early; otherwise None
    """

    score: float | None
    curve: Sequence[float] | None = None


Proposals = Generator[list[Point], Sequence[Outcome], None]


@dataclass(frozen=True)
class Search:
    """How a space is searched.

    Attributes
    ----------
    strategy : "grid", "random", "sobol" (quasi-random, Sobol 1967, scrambled), "tpe" (tree-structured Parzen estimator,
        Bergstra et al. 2011) or "cmaes" (covariance matrix adaptation, Hansen & Ostermeier 2001)
    trials : number of points to try; the grid tries all
    seed : of the strategy's own random numbers
    batch : number of points that tpe and cmaes propose before they hear how these scored
    """

    strategy: str = "grid"
    trials: int | None = None
    seed: int = 0
    batch: int = BATCH

    @property
    def listens(self) -> bool:
        """Whether what is proposed depends on the scores."""
        return self.strategy in LISTENING

    def size(self, dimensions: Sequence[Dimension]) -> int:
        """The number of points that are tried. Raises `ParameterError` where the strategy and the space do not fit."""
        if not isinstance(self.strategy, str) or self.strategy not in STRATEGIES:
            raise unknown("strategy", str(self.strategy), STRATEGIES)
        if self.strategy == "grid":
            if self.trials is not None:
                raise ParameterError("A grid tries every point; the number of trials is for random, sobol, tpe and cmaes.")
            return grid_size(dimensions)
        if self.trials is None:
            raise ParameterError(f"The strategy {self.strategy} needs the number of trials, --trials.")
        needed = {"tpe": ("optuna",), "cmaes": ("optuna", "cmaes")}.get(self.strategy, ())
        if any(find_spec(package) is None for package in needed):
            raise ParameterError(
                f"The strategy {self.strategy} needs {' and '.join(needed)}: pip install 'clockwork-reservoir[sweep]';"
                " or use random or sobol."
            )
        choices = [shown_name(d.name) for d in dimensions if not d.ordered]
        if self.strategy == "cmaes" and (choices or sum(len(d.values) != 1 for d in dimensions) < 2):
            raise ParameterError(
                "The strategy cmaes needs two or more ranges, start:stop, and no lists of values; use tpe."
                + (f" Lists: {', '.join(choices)}." if choices else "")
            )
        return self.trials

    def proposals(self, dimensions: Sequence[Dimension], higher_is_better: bool, at_once: int) -> Proposals:
        """The points, batch by batch; `at_once` points where the strategy does not listen."""
        if self.listens:
            return _optuna(self, dimensions, higher_is_better)
        return _in_turn(POINTS[self.strategy](self, dimensions), at_once)


def _in_turn(points: Iterable[Point], at_once: int) -> Proposals:
    """Points whose choice depends on no score."""
    iterator = iter(points)
    while batch := list(itertools.islice(iterator, at_once)):
        yield batch


def _random(search: Search, dimensions: Sequence[Dimension]) -> Iterator[Point]:
    generator = np.random.default_rng(search.seed)
    return (point_at(dimensions, generator.random(len(dimensions))) for _ in range(search.trials or 0))


def _sobol(search: Search, dimensions: Sequence[Dimension]) -> Iterator[Point]:
    from scipy.stats import qmc

    # In blocks of a power of two, as the sequence is made: more trials go on where fewer ended.
    sequence, block = qmc.Sobol(len(dimensions), seed=np.random.default_rng(search.seed)), 64
    blocks = (sequence.random(block) for _ in range(math.ceil((search.trials or 0) / block)))
    places = itertools.islice(itertools.chain.from_iterable(blocks), search.trials)
    return (point_at(dimensions, place) for place in places)


def quiet_optuna() -> ModuleType:
    """Optuna, saying nothing."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _distribution(optuna: ModuleType, dimension: Dimension) -> Any:
    """What Optuna draws a dimension from: the position among its values, or the number itself."""
    kinds = optuna.distributions
    last = len(dimension.values) - 1
    if dimension.values:
        return kinds.IntDistribution(0, last) if dimension.ordered else kinds.CategoricalDistribution(tuple(range(last + 1)))
    kind = kinds.IntDistribution if dimension.integer else kinds.FloatDistribution
    return kind(dimension.low, dimension.high, log=dimension.log)


def _optuna(search: Search, dimensions: Sequence[Dimension], higher_is_better: bool) -> Proposals:
    """Ask Optuna for a batch, tell it the scores, and so on. A failed point is told as the worst there can be."""
    optuna = quiet_optuna()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if search.strategy == "tpe":
            sampler = optuna.samplers.TPESampler(seed=search.seed, multivariate=True, constant_liar=True)
        else:
            sampler = optuna.samplers.CmaEsSampler(seed=search.seed)
    study = optuna.create_study(sampler=sampler, direction="maximize" if higher_is_better else "minimize")
    space = {dimension.name: _distribution(optuna, dimension) for dimension in dimensions}
    values = {dimension.name: dimension.values for dimension in dimensions}
    worst = -math.inf if higher_is_better else math.inf
    left = search.trials or 0
    while left > 0:
        trials = [study.ask(space) for _ in range(min(search.batch, left))]
        left -= len(trials)
        drawn = ({name: (values[name][x] if values[name] else x) for name, x in trial.params.items()} for trial in trials)
        outcomes = yield [{dimension.name: point[dimension.name] for dimension in dimensions} for point in drawn]
        for trial, outcome in zip(trials, outcomes, strict=True):
            if outcome.curve:
                for epoch, loss in enumerate(outcome.curve):
                    trial.report(-loss if higher_is_better else loss, epoch)
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            else:
                study.tell(trial, worst if outcome.score is None else outcome.score)


POINTS: Mapping[str, Callable[[Search, Sequence[Dimension]], Iterator[Point]]] = {
    "grid": lambda search, dimensions: grid(dimensions),
    "random": _random,
    "sobol": _sobol,
}
LISTENING = ("tpe", "cmaes")
STRATEGIES = (*POINTS, *LISTENING)
