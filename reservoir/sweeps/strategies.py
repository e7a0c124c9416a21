"""Proposes the points of a space that a sweep tries.

A strategy yields batches of points. It depends on the outcomes of earlier batches alone, so that a sweep which starts again
over what is stored tries the same points; and the batch, not the number of workers, decides what is known for a proposal.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from reservoir.base.values import shown_name
from reservoir.experiments.rows import Outcome
from reservoir.experiments.work import quiet_optuna
from reservoir.sweeps.space import Dimension, Point, grid, grid_size, point_at
from reservoir.validation import ParameterError, unknown

BATCH = 8
LISTENING = ("tpe", "cmaes")
"""The strategies that depend on the scores."""
STRATEGIES = ("grid", "random", "sobol", *LISTENING)


@dataclass(frozen=True)
class Search:
    """How a space is searched.

    Sobol points are quasi-random and scrambled (Sobol 1967), tpe is the tree-structured Parzen estimator (Bergstra et al.
    2011), cmaes is covariance matrix adaptation (Hansen & Ostermeier 2001).
    """

    strategy: str = "grid"
    trials: int | None = None  # number of points to try; None for a grid, which tries all
    seed: int = 0  # of the strategy's own random numbers
    batch: int = BATCH  # number of points that tpe and cmaes propose before they learn the scores of these

    @property
    def listens(self) -> bool:
        """Whether the strategy depends on the scores."""
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
            remedy = "pip install 'clockwork-reservoir[sweep]'; or use random or sobol"
            raise ParameterError(f"The strategy {self.strategy} needs {' and '.join(needed)}: {remedy}.")
        choices = [shown_name(d.name) for d in dimensions if not d.ordered]
        if self.strategy == "cmaes" and (choices or sum(len(d.values) != 1 for d in dimensions) < 2):
            lists = f" Lists: {', '.join(choices)}." if choices else ""
            raise ParameterError(
                f"The strategy cmaes needs two or more ranges, start:stop, and no lists of values; use tpe.{lists}"
            )
        return self.trials

    def proposals(
        self, dimensions: Sequence[Dimension], higher_is_better: bool, at_once: int, outcomes: Sequence[Outcome] = ()
    ) -> Iterator[list[Point]]:
        """Yield the points, batch by batch, of `at_once` points where the strategy does not depend on the scores.

        Otherwise `outcomes` must hold those of a batch, point by point, before the next one is taken.
        """
        if self.listens:
            yield from self._by_optuna(dimensions, higher_is_better, outcomes)
            return
        points = (
            grid(dimensions) if self.strategy == "grid" else (point_at(dimensions, place) for place in self._places(dimensions))
        )
        while batch := list(itertools.islice(points, at_once)):
            yield batch

    def _places(self, dimensions: Sequence[Dimension]) -> Iterator[np.ndarray]:
        """Yield random or quasi-random places (D,) in the unit cube."""
        generator, trials = np.random.default_rng(self.seed), self.trials or 0
        if self.strategy == "random":
            return (generator.random(len(dimensions)) for _ in range(trials))
        from scipy.stats import qmc

        # In blocks of a power of two, as the sequence is made, so that more trials begin with the same points as fewer.
        sequence, block = qmc.Sobol(len(dimensions), seed=generator), 64
        blocks = (sequence.random(block) for _ in range(math.ceil(trials / block)))
        return itertools.islice(itertools.chain.from_iterable(blocks), trials)

    def _by_optuna(
        self, dimensions: Sequence[Dimension], higher_is_better: bool, outcomes: Sequence[Outcome]
    ) -> Iterator[list[Point]]:
        """Ask Optuna for a batch, and tell it the scores. A failed point gets the worst score that there is."""
        optuna = quiet_optuna()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            if self.strategy == "tpe":
                sampler = optuna.samplers.TPESampler(seed=self.seed, multivariate=True, constant_liar=True)
            else:
                sampler = optuna.samplers.CmaEsSampler(seed=self.seed)
        study = optuna.create_study(sampler=sampler, direction="maximize" if higher_is_better else "minimize")
        space = {dimension.name: _distribution(optuna, dimension) for dimension in dimensions}
        sign, left = -1.0 if higher_is_better else 1.0, self.trials or 0
        while left > 0:
            trials = [study.ask(space) for _ in range(min(self.batch, left))]
            left -= len(trials)
            yield [{d.name: d.values[t.params[d.name]] if d.values else t.params[d.name] for d in dimensions} for t in trials]
            for trial, outcome in zip(trials, outcomes, strict=True):
                if outcome.curve:
                    for epoch, loss in enumerate(outcome.curve):
                        trial.report(sign * loss, epoch)
                    study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                else:
                    study.tell(trial, sign * math.inf if outcome.score is None else outcome.score)


def _distribution(optuna: ModuleType, dimension: Dimension) -> Any:
    """Return what Optuna draws for a dimension: a position among its values, or the number itself."""
    kinds = optuna.distributions
    last = len(dimension.values) - 1
    if dimension.values:
        return kinds.IntDistribution(0, last) if dimension.ordered else kinds.CategoricalDistribution(tuple(range(last + 1)))
    kind = kinds.IntDistribution if dimension.integer else kinds.FloatDistribution
    return kind(dimension.low, dimension.high, log=dimension.log)
