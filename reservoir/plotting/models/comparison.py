"""Pictures of several models on one task: their scores, the time they took, how they learned.

A model has the same color, marks and lines in all of them, by its place among the models.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.base.tables import baseline_name, better, counted, number
from reservoir.plotting.style import (
    DOTS,
    QUIET,
    Look,
    best_of,
    finished,
    house_style,
    legend_on_top,
    looks,
    new_figure,
    plain,
    thinned,
    words,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 400
BASELINE_WIDTH = 14
"""The characters of a line of the baseline's name."""


@house_style()
def score_figure(report: Any) -> Figure:
    """Draw the scores of all seeds by model, with their median; and over the seconds that fitting took.

    Of a `comparison.report.TaskComparison`, whose failed runs are not drawn. Raises `ParameterError` when matplotlib is missing.
    """
    task, rows, labels = report.task, report.rows, report.labels
    scores = {label: _finite(rows, label) for label in labels}
    medians = {label: float(np.median(points[:, 1])) if len(points) else np.nan for label, points in scores.items()}
    seeds = counted(len({row["seed"] for row in rows}), "seed")
    title = f"{best_of(task, medians, 'median ')}\ntest split, {seeds}, {better(task)}; bars and large marks are medians"
    figure = new_figure(title, height=3.8)
    left, right = figure.subplots(1, 2, sharey=True)
    missing = ", ".join(label for label, points in scores.items() if not len(points))
    baseline = float(np.nanmedian([row["baseline"] for row in rows]))
    for place, (label, look) in enumerate(looks(labels).items()):
        _strip(left, place, scores[label][:, 1], look)
        _times(right, scores[label], look)
    for axes in (left, right):
        axes.axhline(baseline, color=QUIET, linewidth=1.1, linestyle="--", zorder=1)
    name = textwrap.fill(baseline_name(task), BASELINE_WIDTH)
    right.annotate(name, (1.0, baseline), xycoords=("axes fraction", "data"), xytext=(4, 0),
                   textcoords="offset points", va="center", fontsize=8.5, color=QUIET, annotation_clip=False)  # fmt: skip
    left.set_xticks(range(len(labels)), [plain(label) for label in labels], rotation=0 if len(labels) <= 6 else 30)
    for text, look in zip(left.get_xticklabels(), looks(labels).values(), strict=True):
        text.set(color=look.color, fontweight="bold", ha="center" if len(labels) <= 6 else "right")
    left.set(
        xlim=(-0.6, len(labels) - 0.4),
        ylabel=words(task.metric),
        title=plain(f"no score: {missing}") if missing else "",
    )
    left.grid(axis="x", visible=False)
    right.set(xlabel="seconds to fit")
    everything = np.concatenate([*scores.values(), [[np.nan, baseline]]])
    scale(right, "x", everything[:-1, 0])
    if not task.higher_is_better:
        scale(left, "y", everything[:, 1])
    return finished(figure)


def scale(axes: Axes, which: str, values: np.ndarray) -> None:
    """Make the axis "x" or "y" logarithmic, with plain numbers, where positive values differ by a factor over ten."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    if not values.size or values.min() <= 0.0 or values.max() <= 10.0 * values.min():
        axis.set_major_locator(MaxNLocator(6))
        return
    axes.set(**{f"{which}scale": "log"})
    axis.set_major_locator(LogLocator(subs=(1.0,) if values.max() > 1000.0 * values.min() else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def _finite(rows: Sequence[Mapping[str, Any]], label: str) -> np.ndarray:
    """The seconds and scores (n, 2) of a model's runs that have a finite score."""
    found = [(row["fit_seconds"], row["score"]) for row in rows if row["label"] == label and row["error"] is None]
    points = np.array(found, dtype=float).reshape(-1, 2)
    return points[np.isfinite(points[:, 1])]


def _strip(axes: Axes, place: int, scores: np.ndarray, look: Look) -> None:
    """Draw scores as dots beside each other, and their median as a bar."""
    if scores.size:
        offsets = 0.25 * np.linspace(-1.0, 1.0, len(scores)) if len(scores) > 1 else np.zeros(1)
        style = {**DOTS, "marker": look.marker, "color": look.color}
        axes.plot(place + offsets, scores, **style, markersize=4.5, alpha=0.75)
        axes.plot([place - 0.35, place + 0.35], [np.median(scores)] * 2, color=look.color, linewidth=2.2, linestyle=look.line)


def _times(axes: Axes, points: np.ndarray, look: Look) -> None:
    """Draw scores over seconds as small marks, and their medians as a large one."""
    if points.size:
        style: dict[str, Any] = {"linestyle": "", "marker": look.marker, "color": look.color}
        axes.plot(*points.T, **style, markersize=4.0, alpha=0.5, markeredgewidth=0.0)
        axes.plot(*np.median(points, axis=0), **style, markersize=9.5, markeredgecolor="white")


@house_style()
def learning_figure(report: Any) -> Figure:
    """Draw the training loss over epochs and over seconds; the run in the middle bold, its validation loss dashed.

    Of a `comparison.report.TaskComparison`, without the models that have no epochs. Seconds count from the end of the first
    epoch, which may have had to wait for code to be compiled. Raises `ParameterError` when matplotlib is missing.
    """
    from matplotlib.ticker import MaxNLocator

    ends = {label: [_value(run[-1]["loss"]) for run in report.curves[label]] for label in report.labels}
    reached = {label: float(np.median(losses)) for label, losses in ends.items() if losses}
    least = min(reached, key=reached.__getitem__)
    title = f"{report.task.name}: {least} reaches the lowest training loss, {number(reached[least])} (median at the last epoch)"
    figure = new_figure(f"{title}\nbold: the seed in the middle; dashed: its validation loss; pale: the other seeds", height=3.9)
    left, right = figure.subplots(1, 2, sharey=True)
    losses = []
    for label, look in looks(report.labels).items():
        runs = report.curves[label]
        ranking = sorted(range(len(runs)), key=lambda k: _value(runs[k][-1]["loss"]))
        for rank, k in enumerate(ranking):
            middle = rank == len(ranking) // 2
            losses += [entry["loss"] for entry in runs[k] if np.isfinite(_value(entry["loss"]))]
            for axes, x in ((left, "epoch"), (right, "seconds")):
                _curve(axes, runs[k], x, "loss", look, plain(label) if middle else None)
                if middle and any(entry["validation_loss"] is not None for entry in runs[k]):
                    _curve(axes, runs[k], x, "validation_loss", look._replace(line="--"), "")
    scale(left, "y", np.array(losses))
    left.set(xlabel="epoch", ylabel="training loss (dashed: validation)")
    left.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    right.set(xlabel="seconds since the first epoch")
    right.xaxis.set_major_locator(MaxNLocator(6, min_n_ticks=1))
    legend_on_top(left, columns=4)
    return finished(figure)


def _value(number: float | None) -> float:
    """The number, or infinity if it is missing or not finite, so that such runs come last in the ranking."""
    return np.inf if number is None or not np.isfinite(number) else float(number)


def _curve(axes: Axes, run: Sequence[Mapping[str, Any]], x: str, y: str, look: Look, label: str | None) -> None:
    """Draw a run, with gaps where the loss is missing or not finite; in bold if it has a label."""
    chosen = [run[k] for k in thinned(len(run), MOST_POINTS)]
    values = np.array([_value(entry[y]) for entry in chosen])
    values[~np.isfinite(values)] = np.nan
    bold: dict[str, Any] = {"alpha": 0.35, "linewidth": 0.8} if label is None else {"linewidth": 1.7, "zorder": 3}
    style: dict[str, Any] = {**bold, "color": look.color, "linestyle": look.line, "marker": "o" if len(chosen) < 3 else None}
    start = run[0][x] if x == "seconds" else 0
    axes.plot([entry[x] - start for entry in chosen], values, label=label or None, **style)
