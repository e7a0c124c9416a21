"""What pictures of a sweep show: its trials in the order of their rank, and words about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.base.tables import counted
from reservoir.base.values import shown_name
from reservoir.plotting.style import words
from reservoir.plotting.sweeps.scales import Axis, axis_of, short
from reservoir.validation import DataError, ParameterError, unknown

SEARCHES = ("random", "sobol", "tpe", "cmaes")


@dataclass(frozen=True)
class Shown:
    """A sweep with something to draw: a `sweeps.report.SweepReport`, and its `trials` that have any runs, by their places.

    `order` holds the places of the trials with a finite mean, the best first; `without` those of the others, which failed, were
    pruned, or have infinite scores.
    """

    report: Any
    trials: Any
    higher_is_better: bool
    order: np.ndarray
    without: np.ndarray

    @property
    def metric(self) -> str:
        """The name of the metric, as people read it."""
        return words(str(self.report.runs.about["metric"]))

    @property
    def label(self) -> str:
        """The label of an axis of scores."""
        return f"{self.metric} ({'higher' if self.higher_is_better else 'lower'} is better)"

    @property
    def is_search(self) -> bool:
        """Whether a search ordered the trials, so that their order says something."""
        return self.report.runs.about["strategy"] in SEARCHES

    def axis(self, name: str) -> Axis:
        """The values of a parameter over the trials."""
        values = [self.report.runs.trials[index].get(name) for index in self.trials.trial.tolist()]
        return axis_of(values, shown_name(name), name in self.report.runs.about.get("log", ()))

    def best_of_each(self, codes: np.ndarray) -> np.ndarray:
        """The place of the best trial of each code, for the codes (M,) with a finite mean."""
        return np.asarray(self.order[np.unique(codes[self.order], return_index=True)[1]])

    def has_failures(self, places: np.ndarray) -> np.ndarray:
        """Whether some runs of these trials failed or were pruned, though not all."""
        return np.asarray(self.trials.with_failures[places])

    def seeds(self, places: np.ndarray) -> str:
        """Words for the number of seeds behind the means of these trials."""
        least, most = int(self.trials.done[places].min()), int(self.trials.done[places].max())
        if most == 1:
            return "one seed each"
        return f"mean of {most} seeds" if least == most else f"mean of {least} to {most} seeds"

    def best(self, names: list[str]) -> str:
        """The best score, and the values of some parameters there."""
        place = self.order[0]
        given = self.report.runs.trials[int(self.trials.trial[place])]
        values = ", ".join(f"{shown_name(name)} {short(given.get(name))}" for name in names)
        return f"best {self.metric}, {short(float(self.trials.mean[place]))}, at {values}"

    def title(self, names: list[str]) -> str:
        """The title: the best score and where it is; then the metric, the split, the trials and seeds, and the failed runs."""
        about, trials = self.report.runs.about, self.trials
        runs, failed, pruned = len(self.report.runs.trial), int(trials.failed.sum()), int(trials.pruned.sum())
        seeds = len(np.unique(self.report.runs.seed))
        text = f"{about['task']}: {about['model']} has its {self.best(names)}\n{self.label}, on the {about['split']} split; "
        text += f"{counted(len(trials.trial), 'trial')} ({about['strategy']}), {counted(seeds, 'seed')}"
        missing = [f"{count:,} {what}" for count, what in ((failed, "failed"), (pruned, "pruned")) if count]
        return text + (f"; of {runs:,} runs {' and '.join(missing)}" if missing else "")


def shown(report: Any) -> Shown:
    """Prepare a sweep for its pictures. Raises `DataError` if no run has a finite score."""
    trials, about = report.trials, report.runs.about
    higher = bool(about["higher_is_better"])
    order = trials.order(higher)
    finite = np.isfinite(trials.mean[order])
    if not finite.any():
        raise DataError(f"There is nothing to draw: {_why(report.runs, trials)}")
    return Shown(report, trials, higher, order[finite], np.sort(order[~finite]))


def _why(runs: Any, trials: Any) -> str:
    if not len(runs.trial):
        return "no run has ended."
    if trials.done.any():
        return "all scores are infinite."
    text = f"of {counted(len(runs.trial), 'run')} {trials.failed.sum()} failed and {trials.pruned.sum()} were pruned."
    first = next((error for error in runs.error if error), None)
    return text + (f" The first error: {' '.join(first.split())}" if first else "")


def chosen_names(runs: Any, names: Any) -> list[str]:
    """The parameters to draw: all that vary, or the named ones, as `readout.ridge` or `readout__ridge`.

    Raises `ParameterError` for a name that occurs twice, that does not vary, or that the sweep does not have;
    `DataError` where nothing varies.
    """
    varied = runs.varied()
    if not varied:
        raise DataError("There is nothing to draw: no parameter has more than one value.")
    if names is None:
        return varied
    chosen = [name.replace(".", "__") for name in ([names] if isinstance(names, str) else names)]
    for name in chosen:
        if name not in varied:
            if any(name in trial for trial in runs.trials):
                raise ParameterError(f"The parameter '{shown_name(name)}' has one value in all trials; draw one that varies.")
            raise unknown("varied parameter", shown_name(name), map(shown_name, varied))
    if not chosen or len(set(chosen)) < len(chosen):
        raise ParameterError(f"Name at least one parameter to draw, none twice. Got {names!r} instead.")
    return chosen
