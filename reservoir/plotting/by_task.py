"""Which picture suits a task: by what its data is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.filters import filter_picture, memory_picture, number_picture, symbol_picture
from reservoir.plotting.free_run_data import MOST_COLUMNS, FreeRun
from reservoir.plotting.free_runs import field_picture, free_run_picture
from reservoir.plotting.labels import label_picture
from reservoir.plotting.style import finished, house_style
from reservoir.plotting.symbols import legal_picture, step_label_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SYMBOLS = 8


def task_figure(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """What a model predicted on the test split of a task, beside what was asked for.

    Filters: the last steps with the error, and all steps against the target; symbols with the wrong ones marked; many lags
    as the memory curve; labels as their confusion matrix; the symbols that may come next as a map. Free runs: the forecast
    of the start in the middle of the ranking, the errors of all, and a phase portrait of what is chaotic; many columns as
    maps. Labels: the confusion matrix and some mistakes; numbers over their targets.

    Parameters
    ----------
    task : an object with the attributes of `reservoir.tasks.Task`: `kind`, `options()`, for chaotic systems `time_step`,
        `lyapunov`, and for grammars `symbols`, `legal(inputs)`, `right(predictions, data)`
    data : what `task.generate` gave
    predictions : what `task.predict` gave for `data.test`
    title : above the figure

    Raises `ParameterError` when matplotlib is missing.
    """
    with house_style():
        draw = {"filter": _filter, "free run": _free_run, "label": _label}[task.kind]
        return finished(draw(task, data, predictions, title))


def _filter(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    split = data.test
    if hasattr(task, "legal"):
        outputs = [np.asarray(output, dtype=float) for output in predictions]
        legal, right = task.legal(split.inputs), task.right(predictions, data)
        return legal_picture(task.symbols, split.inputs, outputs, legal, right, title)
    if not any(np.asarray(part[0]).dtype.kind == "f" for part in (split.targets, predictions)):
        asked, given = [[np.ravel(s)[split.washout :] for s in part] for part in (split.targets, predictions)]
        return step_label_picture(asked, given, title, split.washout)
    truths, guesses = [
        [np.asarray(s, dtype=float).reshape(len(s), -1)[split.washout :] for s in part] for part in (split.targets, predictions)
    ]
    truth, guess = np.concatenate(truths), np.concatenate(guesses)
    if "lags" in task.options():
        return memory_picture(truth, guess, title)
    if truth.shape[1] == 1 and len(np.unique(truth)) <= MOST_SYMBOLS and _whole(truth):
        return symbol_picture(truth[:, 0], guess[:, 0], title, split.washout)
    return filter_picture(truth, guess, title, split.washout)


def _free_run(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    run = FreeRun.of(task, data, predictions)
    return (free_run_picture if run.columns <= MOST_COLUMNS else field_picture)(run, title)


def _label(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    labels, given = np.asarray(data.test.targets), np.asarray(predictions)
    if labels.ndim > 1 or not all(part.dtype.kind != "f" or _whole(part) for part in (labels, given)):
        truth, guess = (part.astype(float).reshape(len(labels), -1) for part in (labels, given))
        return number_picture(truth, guess, title)
    return label_picture(
        data.test.inputs, labels, np.ravel(given), "order" in task.options(), title, data.info.get("classes", ())
    )


def _whole(values: np.ndarray) -> bool:
    return bool((values == np.round(values)).all())
