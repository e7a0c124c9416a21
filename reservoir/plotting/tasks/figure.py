"""The pictures of predictions: one model in detail, or several side by side. A task names its picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from reservoir.base.tables import better, number
from reservoir.plotting.style import best_of, finished, house_style, looks, words
from reservoir.plotting.tasks.free_run import draw_field, draw_free_run, overlay_field, overlay_free_run
from reservoir.plotting.tasks.labels import draw_images, draw_labels, draw_step_labels, overlay_labels
from reservoir.plotting.tasks.memory import draw_memory, overlay_memory
from reservoir.plotting.tasks.series import MOST_COLUMNS, Overlay, draw_numbers, draw_series, overlay_numbers, overlay_series
from reservoir.plotting.tasks.surprise import draw_surprise, overlay_surprise
from reservoir.plotting.tasks.symbols import draw_legal_symbols, draw_symbols, overlay_symbols
from reservoir.validation import unknown

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Picture(NamedTuple):
    """How the predictions for a task are drawn.

    Attributes
    ----------
    draw : draw(task, data, predictions, title) of one model
    overlay : overlay(shown) of several models, an `Overlay`
    """

    draw: Callable[[Any, Any, Any, str], Figure]
    overlay: Callable[[Overlay], Figure]


PICTURES: Mapping[str, Picture] = {
    "series": Picture(draw_series, overlay_series),
    "memory curve": Picture(draw_memory, overlay_memory),
    "symbols": Picture(draw_symbols, overlay_symbols),
    "step labels": Picture(draw_step_labels, overlay_symbols),
    "legal symbols": Picture(draw_legal_symbols, overlay_series),
    "free run": Picture(draw_free_run, overlay_free_run),
    "field": Picture(draw_field, overlay_field),
    "labels": Picture(draw_labels, overlay_labels),
    "images": Picture(draw_images, overlay_labels),
    "numbers": Picture(draw_numbers, overlay_numbers),
    "surprise": Picture(draw_surprise, overlay_surprise),
}
"""The pictures that a task may name as its `picture`."""

ANSWERED_WITH_NUMBERS = {"step labels": "symbols", "labels": "numbers", "images": "numbers"}
"""The picture that replaces one of labels when a model predicts numbers."""


@house_style()
def task_figure(task: Any, data: Any, predictions: Any, title: str, units: Any = None) -> Figure:
    """Draw what a model predicted on the test split of a task, beside the targets.

    Parameters
    ----------
    task : an object with the attributes of `reservoir.tasks.Task`; its `picture` says how it is drawn
    data : what `task.generate` gave
    predictions : what `task.predict` gave for `data.test`
    title : above the figure: the finding on the first line, in bold, then the settings
    units : of the model, at which a memory curve has a line, because a memory capacity is at most that

    Raises `ParameterError` when matplotlib is missing, or there is no picture of that name.
    """
    name = task.picture or default_picture(task, data)
    if name in ANSWERED_WITH_NUMBERS and any(map(_holds_numbers, (predictions if task.kind == "filter" else [predictions]))):
        name = ANSWERED_WITH_NUMBERS[name]
    draw = partial(draw_memory, units=units) if name == "memory curve" else picture(name).draw
    return finished(draw(task, data, predictions, title))


@house_style()
def overlay_figure(report: Any) -> Figure:
    """Draw the predictions of several models, a panel each, over the same part of the test split.

    Of a `comparison.report.TaskComparison`, the runs with its first seed. Raises `ParameterError` when matplotlib is missing, or
    there is no picture of the task's `picture`.
    """
    task = report.task
    chosen = {label: look for label, look in looks(report.labels).items() if label in report.first}
    scores = {label: report.first[label].row["score"] for label in chosen}
    captions = {label: f"{label}: {words(task.metric)} = {number(score)}" for label, score in scores.items()}
    predictions = {label: report.first[label].predictions for label in chosen}
    params = {label: report.first[label].row["params"] for label in chosen}
    units = {label: found["units"] for label, found in params.items() if isinstance(found.get("units"), int)}
    title = f"{best_of(task, scores)} with seed {report.seed}\npredictions for the test split; {better(task)}"
    found = picture(task.picture or default_picture(task, report.data))
    return finished(found.overlay(Overlay(task, report.data, predictions, captions, chosen, title, units)))


def picture(chosen: str | Picture) -> Picture:
    """Return the picture of that name, or the user's own `Picture` as it is. Raises `ParameterError` for an unknown name."""
    if isinstance(chosen, Picture):
        return chosen
    if chosen not in PICTURES:
        raise unknown("picture", chosen, PICTURES)
    return PICTURES[chosen]


def default_picture(task: Any, data: Any) -> str:
    """The picture of a task that names none: by its kind, and by whether its targets are numbers or labels."""
    targets = data.test.targets
    if task.kind == "free run":
        return "free run" if np.asarray(targets[0]).reshape(len(targets[0]), -1).shape[1] <= MOST_COLUMNS else "field"
    if task.kind == "filter":
        return "series" if np.asarray(targets[0]).dtype.kind == "f" else "step labels"
    return "numbers" if np.ndim(targets) > 1 or _holds_numbers(targets) else "labels"


def _holds_numbers(values: Any) -> bool:
    """Whether some values are not labels: floating-point numbers that are not whole."""
    values = np.asarray(values)
    return values.dtype.kind == "f" and not bool((values == np.round(values)).all())
