"""Every model on every task with every seed, side by side, all models on the very same data.

    rows = compare([get_task("narma10")], ["esn", "wide=esn"], seeds=range(5), settings={"wide__units": 500})
    for line in summarize(rows):
        print(line["task"], line["model"], line["median"], line["std"])

A model that fails on a seed is recorded with its reason, and the rest goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.base.threads import one_blas_thread, warnings_as_texts
from reservoir.comparison.plan import Cell, Plan, entrants, plan
from reservoir.experiments.evaluation import FAILURES, evaluate, make_model, overlaid, reason, report_row
from reservoir.experiments.workers import Report, run_all


@dataclass(frozen=True)
class Run:
    """What came of a cell.

    Attributes
    ----------
    row : what `evaluate` gives, with `label`, `error`: the reason where it failed, its score then being None, and `warnings`
    curve : an entry per epoch, as in `history_`, also where the training failed; empty for models without epochs
    predictions : of the first seed's test split, else None
    """

    row: dict[str, Any]
    curve: list[dict[str, Any]]
    predictions: Any


def compare(
    tasks: Sequence[Any],
    models: Sequence[str],
    seeds: Sequence[int] = range(5),
    settings: Mapping[str, Any] | None = None,
    budget: int | None = None,
    jobs: int = 1,
    report: Callable[[Cell, Any], None] = lambda cell, message: None,
) -> list[dict[str, Any]]:
    """Run every model on every task with every seed.

    Parameters
    ----------
    tasks : objects with the methods of `reservoir.tasks.Task`, of different names
    models : names of models; "wide=esn" enters one under a label of its own, so that it can be there twice
    seeds : of the data and of the models
    settings : parameters over each task's own settings for a model, nested ones as `readout__ridge`; with a label before
        it, as `esn__units`, for one model, otherwise for all
    budget : number of trained weights to which every model is sized, by its number of units
    jobs : number of processes; results do not depend on it
    report : called at the start of a run with its cell and None, and after epochs with (entry of `history_`, epochs)

    Returns
    -------
    rows : a dict per run, in the order of tasks, seeds, models; those of `evaluate`, with `label`, `error` and `warnings`

    Raises
    ------
    ParameterError
        An unknown model or parameter, a value out of range, a name that is there twice. Before any work.
    """
    planned = plan(tasks, entrants(models, settings or {}), seeds, budget)
    found = dict(runs(planned, jobs, lambda index, told: report(planned.cells[index], told)))
    return [found[index].row for index in range(len(planned.cells))]


def runs(planned: Plan, jobs: int = 1, report: Callable[[int, Any], None] = lambda *_: None) -> Iterator[tuple[int, Run]]:
    """Do the work of a plan: yield each cell's position and its `Run` as it is finished.

    Arguments are those of `compare`, but that `report` gets a cell's position.
    """
    yield from run_all(run_cell, _calls(planned), min(jobs, len(planned.cells)), report)


def _calls(planned: Plan) -> Iterator[tuple[Cell, Any, bool]]:
    """The arguments of `run_cell`: every task's data are generated once per seed, when their turn comes."""
    for start in range(0, len(planned.cells), len(planned.entrants)):
        task, seed = planned.cells[start].task, planned.cells[start].seed
        first = seed == planned.seeds[0]
        with one_blas_thread():
            data = planned.data[task.name] if first else task.generate(seed)
        for cell in planned.cells[start : start + len(planned.entrants)]:
            yield cell, data, first


def run_cell(cell: Cell, data: Any, keep: bool, report: Report) -> Run:
    """Evaluate a cell on its data; with `keep`, the predictions are kept."""
    curve: list[dict[str, Any]] = []

    def progress(record: dict[str, Any], epochs: int) -> None:
        curve.append(dict(record))
        report((record, epochs))

    report(None)
    with warnings_as_texts() as warned:
        try:
            result = evaluate(cell.task, cell.entrant.name, cell.parameters, cell.seed, data, progress)
            row, predictions, error = result.row, result.predictions, None
        except FAILURES as failure:
            row, predictions, error = failed_row(cell, data), None, reason(failure, cell.seed)
    return Run({**row, "label": cell.entrant.label, "error": error, "warnings": warned}, curve, predictions if keep else None)


def failed_row(cell: Cell, data: Any) -> dict[str, Any]:
    """The row of a run that came to nothing: the keys are those of `evaluate`."""
    task, name = cell.task, cell.entrant.name
    model = make_model(name, overlaid(task.settings(name), cell.parameters), cell.seed)
    solved = None if task.solved(math.nan) is None else False
    nothing: dict[str, Any] = dict.fromkeys(("score", "n_parameters", "fit_seconds", "predict_seconds"))
    return report_row(task, name, model, cell.seed, data, **nothing, scores={}, solved=solved)


def summarize(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One dict for each task and model, over the seeds, in the order of the rows.

    `runs` and `failed` count; `median`, `mean` and `std` (divisor n - 1; 0 of a single one) are of the scores of the runs
    that did not fail, None where all did; `solved` is the fraction of all runs that met the task's criterion, None where it
    has none; `n_parameters`, `fit_seconds`, `predict_seconds` and `baseline` are medians; `errors` and `warnings` hold
    (seed, text).

    >>> row = {"task": "t", "label": "m", "metric": "nmse", "solved": None, "error": None, "warnings": [],
    ...        "n_parameters": 9, "fit_seconds": 1.0, "predict_seconds": 0.1, "baseline": 1.0}
    >>> [line] = summarize([{**row, "seed": seed, "score": seed / 2.0} for seed in range(3)])
    >>> line["median"], line["std"], line["failed"]
    (0.5, 0.5, 0)
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["task"], row["label"]), []).append(row)
    return [_summary(group) for group in groups.values()]


def _summary(group: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    finished = [row for row in group if row["error"] is None]
    scores = np.array([row["score"] for row in finished])
    solved = None if group[0]["solved"] is None else sum(row["solved"] for row in group) / len(group)
    with np.errstate(invalid="ignore"):  # scores may be infinite
        spread = float(scores.std(ddof=1)) if len(scores) > 1 else 0.0
    return {
        "task": group[0]["task"],
        "model": group[0]["label"],
        "metric": group[0]["metric"],
        "runs": len(group),
        "failed": len(group) - len(finished),
        "median": float(np.median(scores)) if finished else None,
        "mean": float(scores.mean()) if finished else None,
        "std": spread if finished else None,
        "solved": solved,
        **{key: _median(finished, key) for key in ("n_parameters", "fit_seconds", "predict_seconds")},
        "baseline": _median(group, "baseline"),
        "errors": [(row["seed"], row["error"]) for row in group if row["error"] is not None],
        "warnings": [(row["seed"], text) for row in group for text in row["warnings"]],
    }


def _median(rows: Sequence[Mapping[str, Any]], key: str) -> float | None:
    return float(np.median([row[key] for row in rows])) if rows else None
