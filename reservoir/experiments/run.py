"""Fits of one model on one task, with several seeds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reservoir.experiments.evaluation import Result, evaluate
from reservoir.experiments.report import RunReport
from reservoir.tasks import as_task
from reservoir.validation import DivergenceError, ParameterError


def run(
    task: Any,
    model: Any = "esn",
    settings: Mapping[str, Any] | None = None,
    seeds: Sequence[int] = (0,),
    report: Callable[[int, tuple[dict[str, Any], int]], None] = lambda seed, told: None,
) -> RunReport:
    """Fit a model to a task and score it on the test split, once per seed; `reservoir run` does the same.

    Parameters
    ----------
    task : a name, or an object with the methods of `reservoir.tasks.Task`
    model : the model, as "esn" or "lstm"
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
    rows: list[dict[str, Any]] = []
    first: Result | None = None
    diverged: list[DivergenceError] = []
    for seed in seeds:
        try:
            result = evaluate(chosen, model, settings or {}, seed, progress=_epochs(report, seed))
        except DivergenceError as failure:
            diverged.append(failure)
        else:
            first = first or result
            rows.append(result.row)
    if first is None:
        raise diverged[0]
    for error in diverged:
        warnings.warn(f"{error} The report leaves this seed out.", RuntimeWarning, stacklevel=2)
    return RunReport(chosen, rows, first)


def _epochs(report: Callable[[int, Any], None], seed: int) -> Callable[[dict[str, Any], int], None]:
    """What a fit calls after each epoch."""
    return lambda record, epochs: report(seed, (record, epochs))
