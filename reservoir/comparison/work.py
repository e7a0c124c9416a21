"""Runs every model on every task with every seed, all models on the very same data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from reservoir.base.classes import check_importable
from reservoir.base.threads import one_blas_thread, warnings_as_texts
from reservoir.comparison.plan import ComparisonPlan, PlannedRun, entrants, plan_comparison
from reservoir.comparison.report import ComparisonReport, FinishedRun
from reservoir.experiments.evaluation import FAILURES, evaluate, make_model, reason, report_row, settings_for
from reservoir.experiments.workers import Report, run_all
from reservoir.models import MODELS, model_class
from reservoir.tasks import as_task


def compare(
    tasks: Any,
    models: Sequence[str | type] | str | type = tuple(MODELS),
    seeds: Sequence[int] = range(5),
    settings: Mapping[str, Any] | None = None,
    budget: int | None = None,
    jobs: int = 1,
    report: Callable[[PlannedRun, Any], None] = lambda run, message: None,
) -> ComparisonReport:
    """Run every model on every task with every seed, all on the same data; `reservoir compare` does the same.

    A model that fails with a seed is recorded with its reason, and the other runs continue.

    Parameters
    ----------
    tasks : a task or several, of different names: a name, or an object with the methods of `reservoir.tasks.Task`
    models : names of models, or classes of your own; all named ones unless given. "wide=esn" enters one once more, with a label
        of its own. The label of a class is its name; "own=package.module:Class" gives it another one
    seeds : of the data and of the models
    settings : parameters over each task's own settings for a model, nested ones as `readout__ridge`; with a label before
        it, as `esn__units`, for one model, otherwise for all
    budget : number of trained weights to which every model is sized, by its number of units
    jobs : number of processes; results do not depend on it
    report : called at the start of a run with it and None, and after epochs with (entry of `history_`, epochs)

    Returns
    -------
    The report: `table(task)` has a row per model, `to_csv(path)` writes a row per run, `plot(path, task, what)` draws scores,
    learning curves or predictions of a task. With one task it need not be named.

    Raises
    ------
    ParameterError
        An unknown task, model or parameter, a value out of range, a name that is there twice; with several jobs, a class
        that their processes cannot import. This is checked before the work.
    DataError
        A user's file that cannot be used.
    WorkerError
        A process was killed.

    Examples
    --------
    >>> from reservoir import compare
    >>> report = compare("narma10", ["esn", "small=esn"], seeds=[0, 1], settings={"small__units": 10})
    >>> [row[0] for row in report.table().rows]
    ['esn', 'small', 'linear regression on 30 inputs']
    >>> esn, small = report.summary()
    >>> esn["median"] < small["median"]
    True
    """
    several = list(tasks) if isinstance(tasks, (list, tuple)) else [tasks]
    named = [models] if isinstance(models, (str, type)) else models
    planned = plan_comparison([as_task(task) for task in several], entrants(named, settings or {}), seeds, budget)
    found = dict(run_comparison(planned, jobs, lambda index, epoch: report(planned.runs[index], epoch)))
    return ComparisonReport(planned, found)


def run_comparison(
    planned: ComparisonPlan, jobs: int = 1, report: Callable[[int, Any], None] = lambda *_: None
) -> Iterator[tuple[int, FinishedRun]]:
    """Do the runs of a plan: yield the position of each as it is finished, and its result. `report` gets the position."""
    jobs = min(jobs, len(planned.runs))
    if jobs > 1:
        for task in planned.tasks:
            check_importable(f"task '{task.name}'", type(task))
        for entrant in planned.entrants:
            check_importable(f"model '{entrant.label}'", model_class(entrant.model))
    yield from run_all(finish, _calls(planned), jobs, report)


def _calls(planned: ComparisonPlan) -> Iterator[tuple[PlannedRun, Any, bool]]:
    """Yield the arguments of `finish`; a task's data are generated once per seed, when its first run is due."""
    for (name, seed), group in groupby(planned.runs, key=lambda run: (run.task.name, run.seed)):
        runs, first = list(group), seed == planned.seeds[0]
        with one_blas_thread():
            data = planned.data[name] if first else runs[0].task.generate(seed)
        for run in runs:
            yield run, data, first


def finish(run: PlannedRun, data: Any, keep: bool, report: Report) -> FinishedRun:
    """Do a run on its data; with `keep`, the predictions are kept."""
    curve: list[dict[str, Any]] = []

    def progress(record: dict[str, Any], epochs: int) -> None:
        curve.append(dict(record))
        report((record, epochs))

    report(None)
    task, model, predictions, error = run.task, run.entrant.model, None, None
    with warnings_as_texts() as warned:
        try:
            result = evaluate(task, model, run.parameters, run.seed, data, progress)
            row, predictions = result.row, result.predictions
        except FAILURES as failure:
            made = make_model(model, settings_for(task, model, run.parameters), run.seed)
            solved = None if task.solved(math.nan) is None else False
            nothing: dict[str, Any] = dict.fromkeys(
                ("score", "n_parameters", "fit_seconds", "predict_seconds", "first_use_seconds")
            )
            row = report_row(task, model, made, run.seed, data, **nothing, scores={}, solved=solved)
            error = reason(failure, run.seed)
    about = {"label": run.entrant.label, "error": error, "warnings": warned}
    return FinishedRun({**row, **about}, curve, predictions if keep else None)
