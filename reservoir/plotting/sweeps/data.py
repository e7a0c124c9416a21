"""What pictures of a sweep show: its trials in the order of their rank, and what is said of them in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.experiments.values import shown_name
from reservoir.plotting.sweeps.axes import Axis, axis_of, short
from reservoir.sweeps.summary import WITH_FAILURES, Trials, trials_of
from reservoir.sweeps.table import Table
from reservoir.validation import DataError, ParameterError, unknown

SEARCHES = ("random", "sobol", "tpe", "cmaes")


@dataclass(frozen=True)
class Shown:
    """A sweep of which there is something to draw.

    Attributes
    ----------
    table : all runs
    trials : the statistics of the M trials that have any
    order : places in them of the trials with a finite mean, the best first
    without : places of the others: failed, pruned, or with infinite scores
    """

    table: Table
    trials: Trials
    order: np.ndarray
    without: np.ndarray

    @property
    def metric(self) -> str:
        """The name of the score."""
        return str(self.table.about["metric"])

    @property
    def higher_is_better(self) -> bool:
        """Whether it is better where it is higher."""
        return bool(self.table.about["higher_is_better"])

    @property
    def label(self) -> str:
        """Of an axis of scores."""
        return f"{self.metric} ({'higher' if self.higher_is_better else 'lower'} is better)"

    @property
    def is_search(self) -> bool:
        """Whether the order of the trials tells something."""
        return self.table.about["strategy"] in SEARCHES

    def axis(self, name: str) -> Axis:
        """A parameter over the trials."""
        values = [self.table.trials[index].get(name) for index in self.trials.trial.tolist()]
        return axis_of(values, shown_name(name), name in self.table.about.get("log", ()))

    def best_of_each(self, codes: np.ndarray) -> np.ndarray:
        """The place of the trial that ranks first, for each of the codes (M,) that has one with a finite mean."""
        return np.asarray(self.order[np.unique(codes[self.order], return_index=True)[1]])

    def has_failures(self, places: np.ndarray) -> np.ndarray:
        """Whether some runs of these trials failed or were pruned, though not all."""
        return np.asarray(self.trials.standing[places] == WITH_FAILURES)

    def seeds(self, places: np.ndarray) -> str:
        """How many seeds there are in the means of these trials."""
        least, most = int(self.trials.done[places].min()), int(self.trials.done[places].max())
        if most == 1:
            return "one seed each"
        return f"mean of {most} seeds" if least == most else f"mean of {least} to {most} seeds"

    def best(self, names: list[str]) -> str:
        """The values of some parameters in the best trial, and its score."""
        place = self.order[0]
        given = self.table.trials[int(self.trials.trial[place])]
        values = ", ".join(f"{shown_name(name)} {short(given.get(name))}" for name in names)
        return f"best: {values}: {short(float(self.trials.mean[place]))}"

    def title(self) -> str:
        """Task, model, metric, split, how many trials and seeds, how many runs failed."""
        about, trials = self.table.about, self.trials
        runs, failed, pruned = len(self.table.trial), int(trials.failed.sum()), int(trials.pruned.sum())
        seeds = len(np.unique(self.table.seed))
        text = f"{about['task']}: {about['model']}, {self.metric} on the {about['split']} split; "
        text += f"{counted(len(trials.trial), 'trial')} ({about['strategy']}), {counted(seeds, 'seed')}"
        missing = [f"{count:,} {what}" for count, what in ((failed, "failed"), (pruned, "pruned")) if count]
        return text + (f"; of {runs:,} runs {' and '.join(missing)}" if missing else "")


def counted(number: int, what: str) -> str:
    """'1 trial', '2,000 trials'."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def shown(table: Table) -> Shown:
    """The sweep as pictures have it. Raises `DataError` if no run has a finite score."""
    trials = trials_of(table)
    order = trials.order(bool(table.about["higher_is_better"]))
    finite = np.isfinite(trials.mean[order])
    if not finite.any():
        raise DataError(f"There is nothing to draw: {_why(table, trials)}")
    return Shown(table, trials, order[finite], np.sort(order[~finite]))


def _why(table: Table, trials: Trials) -> str:
    if not len(table.trial):
        return "no run has ended."
    if trials.done.any():
        return "all scores are infinite."
    text = f"of {counted(len(table.trial), 'run')} {trials.failed.sum()} failed and {trials.pruned.sum()} were pruned."
    first = next((error for error in table.error if error), None)
    return text + (f" The first error: {' '.join(first.split())}" if first else "")


def chosen_names(table: Table, names: Any) -> list[str]:
    """The parameters to draw: all that vary, or the named ones, as `readout.ridge` or `readout__ridge`.

    Raises `ParameterError` for a name that is there twice, that does not vary, or that the sweep does not have;
    `DataError` where nothing varies.
    """
    varied = table.varied()
    if not varied:
        raise DataError("There is nothing to draw: no parameter has more than one value.")
    if names is None:
        return varied
    chosen = [name.replace(".", "__") for name in ([names] if isinstance(names, str) else names)]
    for name in chosen:
        if name not in varied:
            if any(name in trial for trial in table.trials):
                raise ParameterError(f"The parameter '{shown_name(name)}' has one value in all trials; draw one that varies.")
            raise unknown("varied parameter", shown_name(name), map(shown_name, varied))
    if not chosen or len(set(chosen)) < len(chosen):
        raise ParameterError(f"Name at least one parameter to draw, none twice. Got {names!r} instead.")
    return chosen
