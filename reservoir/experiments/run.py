"""Fits one model to one task with several seeds, and reports the results."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.base.tables import MARK, Table, baseline_name, better, csv_cells, is_worse, mark_note, number
from reservoir.base.values import shown_name, shown_seeds
from reservoir.experiments.evaluation import Result, described, evaluate
from reservoir.files.writing import write_csv
from reservoir.tasks import as_task
from reservoir.validation import DivergenceError, ParameterError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Report = Callable[[int, tuple[dict[str, Any], int]], None]


@dataclass(frozen=True)
class RunReport:
    """The results of a model on a task: the row of each finished seed, at least one, and the whole result of the first."""

    task: Any
    rows: Sequence[Mapping[str, Any]]
    first: Result

    def records(self) -> list[Mapping[str, Any]]:
        """The rows as plain data."""
        return list(self.rows)

    def table(self) -> Table:
        """A row per seed, and where there are several their mean and standard deviation (divisor n - 1)."""
        first, several = self.rows[0], len(self.rows) > 1
        scores = [first["metric"], *[name for name in first["scores"] if name != first["metric"]]]
        numbers = np.array([[*[row["scores"][name] for name in scores], row["baseline"]] for row in self.rows])
        seconds = np.array([[row["fit_seconds"], row["predict_seconds"]] for row in self.rows])
        labels = [str(row["seed"]) for row in self.rows]
        weights = ["–" if row["n_parameters"] is None else str(row["n_parameters"]) for row in self.rows]
        if several:
            labels, weights = [*labels, "mean"], [*weights, weights[0]]
            numbers, seconds = (np.vstack([values, values.mean(axis=0)]) for values in (numbers, seconds))
        worse = [is_worse(self.task, scored[0], scored[-1]) for scored in numbers]
        body = [
            [label, number(scored[0]) + f" {MARK}" * bad, *map(number, scored[1:]), weight, *[f"{time:.3f}" for time in times]]
            for label, scored, weight, times, bad in zip(labels, numbers, weights, seconds, worse, strict=True)
        ]
        if several:
            body.append(["std", *[f"{value:.2g}" for value in numbers[:-1].std(axis=0, ddof=1)], "", "", ""])
        seeds = shown_seeds([row["seed"] for row in self.rows])
        title = f"{first['task']}, {first['model']}: {first['metric']}, {better(self.task)}; {seeds}"
        columns = ["seed", *scores, "baseline", "weights", "fit s", "predict s"]
        published, compiling = self.task.published, sum(row["first_use_seconds"] for row in self.rows)
        notes = [f"The baseline is {baseline_name(self.task)}.", *mark_note(self.task, any(worse))]
        notes += [f"Published: {published}"] * bool(published)
        notes += [f"The seconds leave out {compiling:.1f} s of compiling or loading kernels."] * (compiling > 0.05)
        return Table(title, columns, body, notes)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a row per seed, numbers in full; what has parts as JSON."""
        columns = list(self.rows[0])
        write_csv(path, columns, (csv_cells(row, columns) for row in self.rows))

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw the predictions of the first seed; also to a file (png, svg or pdf), if one is given.

        Raises `ParameterError` when matplotlib is missing or the file is of another kind.
        """
        from reservoir.plotting import kept, task_figure
        from reservoir.plotting.style import words

        row, model = self.first.row, self.first.made
        title = f"{row['task']}: {row['model']} has {words(row['metric'])} {number(row['score'])}, the baseline "
        title += f"({baseline_name(self.task)}) {number(row['baseline'])}; {better(self.task)}\ntest split of seed {row['seed']}"
        defaults = {**described(type(model)().get_params()), "random_state": row["seed"]}
        for name, value in row["params"].items():
            title += f", {shown_name(name)} {value}" if value != defaults.get(name) else ""
        units = row["params"].get("units")
        return kept(task_figure(self.task, self.first.data, self.first.predictions, title, units), path)


def run(
    task: Any,
    model: Any = "esn",
    settings: Mapping[str, Any] | None = None,
    seeds: Sequence[int] = (0,),
    report: Report = lambda seed, epoch: None,
) -> RunReport:
    """Fit a model to a task and score it on the test split, once per seed; `reservoir run` does the same.

    Parameters
    ----------
    task : a name, or an object with the methods of `reservoir.tasks.Task`
    model : the model, as "esn" or "lstm", "package.module:Class", or a class of your own
    settings : parameters over the task's own settings for the model, nested ones as `readout__ridge`
    seeds : of the data and of the model
    report : called after each epoch of training with the seed and (entry of `history_`, epochs)

    Returns
    -------
    The report: `table()` has a row per seed with scores, weights and seconds, `to_csv(path)` writes everything, `plot()` draws
    the predictions of the first seed; `first.model` is its fitted model. A seed with which the model diverges is left out
    with a RuntimeWarning.

    Raises
    ------
    ParameterError
        An unknown task, model or parameter; a value out of range; no seeds.
    DataError
        The data cannot be used.
    DivergenceError
        The model diverges with every seed.

    Examples
    --------
    >>> from reservoir import run
    >>> report = run("narma10", "esn", {"units": 50}, seeds=[0, 1])
    >>> [row["score"] < row["baseline"] for row in report.rows]
    [True, True]
    >>> report.table().columns
    ['seed', 'nmse', 'nrmse', 'baseline', 'weights', 'fit s', 'predict s']
    """
    chosen = as_task(task)
    if not len(seeds):
        raise ParameterError("The 'seeds' parameter of run must hold at least one seed. Got none; give one, as seeds=[0].")
    found = list(results(chosen, model, settings or {}, seeds, report))
    finished = [result for result in found if isinstance(result, Result)]
    diverged = [result for result in found if isinstance(result, DivergenceError)]
    if not finished:
        raise diverged[0]
    for error in diverged:
        warnings.warn(f"{error} The report leaves this seed out.", RuntimeWarning, stacklevel=2)
    return RunReport(chosen, [result.row for result in finished], finished[0])


def results(
    task: Any, model: str | type, settings: Mapping[str, Any], seeds: Sequence[int], report: Report
) -> Iterator[Result | DivergenceError]:
    """Yield the result of each seed, or the error where the model diverges; the arguments are those of `run`."""
    for seed in seeds:
        try:
            result = evaluate(task, model, settings, seed, progress=lambda *epoch, seed=seed: report(seed, epoch))
        except DivergenceError as error:
            yield error
        else:
            yield result
