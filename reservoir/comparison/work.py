"""Every model on every task with every seed, side by side, all models on the very same data.

    report = compare("narma10", ["esn", "wide=esn"], seeds=range(5), settings={"wide__units": 500})
    for line in report.summary():
        print(line["task"], line["model"], line["median"], line["std"])

A model that fails on a seed is recorded with its reason, and the rest goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    models : names of models, or classes of your own, all named ones unless given; "wide=esn" enters one under a label of its
        own, so that it can be there twice. The label of a class is its name, and "own=package.module:Class" labels it
        otherwise
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
        that their processes cannot import. Before any work.
    DataError
        A user's file that cannot be used. Before any work.
    WorkerError
        A process was killed.

    Examples
    --------
    >>> from reservoir import compare
    >>> report = compare("narma10", ["esn", "small=esn"], seeds=[0, 1], settings={"small__units": 10})
    >>> [row[0] for row in report.table().rows]
    ['esn', 'small', 'trivial baseline']
    >>> esn, small = report.summary()
    >>> esn["median"] < small["median"]
    True
    """
    several = list(tasks) if isinstance(tasks, (list, tuple)) else [tasks]
    named = [models] if isinstance(models, (str, type)) else models
    planned = plan_comparison([as_task(task) for task in several], entrants(named, settings or {}), seeds, budget)
    found = dict(run_comparison(planned, jobs, lambda index, told: report(planned.runs[index], told)))
    return ComparisonReport(planned, found)


def run_comparison(
    planned: ComparisonPlan, jobs: int = 1, report: Callable[[int, Any], None] = lambda *_: None
) -> Iterator[tuple[int, FinishedRun]]:
    """Do the runs of a plan: yield the position of each as it is finished, and its result.

    Arguments are those of `compare`, but that `report` gets the position of a run.
    """
    jobs = min(jobs, len(planned.runs))
    if jobs > 1:
        _check_importable(planned)
    yield from run_all(finish, _calls(planned), jobs, report)


def _check_importable(planned: ComparisonPlan) -> None:
    for task in planned.tasks:
        check_importable(f"task '{task.name}'", type(task))
    for entrant in planned.entrants:
        check_importable(f"model '{entrant.label}'", model_class(entrant.model))


def _calls(planned: ComparisonPlan) -> Iterator[tuple[PlannedRun, Any, bool]]:
    """The arguments of `finish`: every task's data are generated once per seed, when their turn comes."""
    for start in range(0, len(planned.runs), len(planned.entrants)):
        task, seed = planned.runs[start].task, planned.runs[start].seed
        first = seed == planned.seeds[0]
        with one_blas_thread():
            data = planned.data[task.name] if first else task.generate(seed)
        for run in planned.runs[start : start + len(planned.entrants)]:
            yield run, data, first


def finish(run: PlannedRun, data: Any, keep: bool, report: Report) -> FinishedRun:
    """Do a run on its data; with `keep`, the predictions are kept."""
    curve: list[dict[str, Any]] = []

    def progress(record: dict[str, Any], epochs: int) -> None:
        curve.append(dict(record))
        report((record, epochs))

    report(None)
    with warnings_as_texts() as warned:
        try:
            result = evaluate(run.task, run.entrant.model, run.parameters, run.seed, data, progress)
            row, predictions, error = result.row, result.predictions, None
        except FAILURES as failure:
            row, predictions, error = failed_row(run, data), None, reason(failure, run.seed)
    told = {"label": run.entrant.label, "error": error, "warnings": warned}
    return FinishedRun({**row, **told}, curve, predictions if keep else None)


def failed_row(run: PlannedRun, data: Any) -> dict[str, Any]:
    """The row of a run that came to nothing: the keys are those of `evaluate`."""
    task, model = run.task, run.entrant.model
    made = make_model(model, settings_for(task, model, run.parameters), run.seed)
    solved = None if task.solved(math.nan) is None else False
    nothing: dict[str, Any] = dict.fromkeys(("score", "n_parameters", "fit_seconds", "predict_seconds"))
    return report_row(task, model, made, run.seed, data, **nothing, scores={}, solved=solved)
