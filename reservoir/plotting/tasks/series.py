"""The picture of outputs at every step of an input, against the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.style import (
    ERROR,
    MODEL,
    QUIET,
    TRUTH,
    bounded,
    legend_above,
    limits,
    new_figure,
    plain,
    thinned,
)
from reservoir.plotting.tasks.overlay import Overlay, maps, scored_rows, stacked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LAST = 200
WHOLE = 320
LAST_OF_MANY = 80
MOST_COLUMNS = 4
"""Drawn as lines; more are drawn as a map."""
MOST_POINTS = 4000


def draw_series(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """The last steps with the error beneath, and all outputs over their targets. A short record is shown as a whole."""
    truth, guess, first = *both_scored(data.test, predictions), data.test.washout
    columns = range(min(truth.shape[1], 3))
    figure = new_figure(title, height=2.5 + 3.0 * len(columns))
    grid = figure.add_gridspec(2 * len(columns), 2, width_ratios=(2.1, 1.0), height_ratios=(2.8, 1.0) * len(columns))
    for column in columns:
        y, p = truth[:, column], bounded(guess[:, column], truth[:, column])
        name = "output" if truth.shape[1] == 1 else f"output {column + 1} of {truth.shape[1]}"
        above = figure.add_subplot(grid[2 * column, 0])
        beneath = figure.add_subplot(grid[2 * column + 1, 0], sharex=above)
        _trace(above, beneath, y, p, first, name)
        beneath.set_xlabel("time step")
        over_targets(figure.add_subplot(grid[2 * column, 1]), y, p, "time step")
        _error_histogram(figure.add_subplot(grid[2 * column + 1, 1], sharey=beneath), p - y, beneath.get_ylim())
    return figure


def _trace(above: Axes, beneath: Axes, y: np.ndarray, p: np.ndarray, first: int, name: str) -> None:
    """Target and prediction over the last steps, and their difference on its own scale."""
    start = len(y) - LAST if len(y) > WHOLE else 0
    time = first + np.arange(start, len(y))
    y, p = y[start:], p[start:]
    above.plot(time, y, color=TRUTH, label="target", linewidth=2.0, marker="o" if len(y) < 3 else None)
    above.plot(time, p, color=MODEL, label="prediction", linewidth=1.0, marker="o" if len(y) < 3 else None)
    above.set_ylim(limits(y, p))
    above.set_ylabel(name)
    above.tick_params(labelbottom=False)
    above.margins(x=0.01)
    legend_above(above)
    beneath.axhline(0.0, color=QUIET, linewidth=0.8)
    error = p - y
    beneath.fill_between(time, 0.0, error, color=ERROR, alpha=0.25, linewidth=0.0)
    beneath.plot(time, error, color=ERROR, linewidth=0.9)
    size = error_size(y, error)
    beneath.set_ylim(-size, size)
    beneath.set_ylabel("error")


def both_scored(split: Any, predictions: Any) -> tuple[np.ndarray, np.ndarray]:
    """The scored rows of the targets and of the predictions, (n, n_outputs) each."""
    return scored_rows(split.targets, split.washout), scored_rows(predictions, split.washout)


def error_size(y: np.ndarray, error: np.ndarray) -> float:
    """Half the height of an axis for errors: it holds all, but of large ones no more than twice the range of the targets."""
    span = float(np.ptp(y)) or 1.0
    return 1.1 * min(float(np.abs(error).max()), 2.0 * span) or 1e-16


def over_targets(axes: Axes, y: np.ndarray, p: np.ndarray, unit: str) -> None:
    """Predictions over targets, around the diagonal."""
    chosen = thinned(len(y), MOST_POINTS)
    ends = limits(y, p)
    axes.plot(ends, ends, color=TRUTH, linewidth=0.9)
    axes.plot(y[chosen], p[chosen], linestyle="", marker="o", markersize=2.2, markeredgewidth=0.0, color=MODEL, alpha=0.4,
              rasterized=True)  # fmt: skip
    axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="target", ylabel="prediction")
    axes.set_title(f"{len(y):,} {unit}s" if len(chosen) == len(y) else f"{len(chosen):,} of {len(y):,} {unit}s")


def _error_histogram(axes: Axes, errors: np.ndarray, ends: tuple[float, float]) -> None:
    """How often which error occurred, on the axis of the errors in time; those beyond it count in the last bins."""
    axes.hist(np.clip(errors, *ends), bins=np.linspace(*ends, 41).tolist(), orientation="horizontal", color=ERROR, alpha=0.6)
    axes.axhline(0.0, color=QUIET, linewidth=0.8)
    axes.tick_params(labelleft=False)
    axes.set_xlabel("count")


def overlay_series(shown: Overlay) -> Figure:
    """The last steps of every model over the target; many outputs as maps."""
    return overlaid(shown, marks=False)


def overlaid(shown: Overlay, marks: bool) -> Figure:
    """The last steps of every model over the target, as lines or as `marks`; many outputs as maps."""
    split = shown.data.test
    truth = scored_rows(split.targets, split.washout)
    guesses = {label: bounded(scored_rows(p, split.washout), truth) for label, p in shown.predictions.items()}
    if truth.shape[1] > MOST_COLUMNS:
        last = {label: guess[-LAST_OF_MANY:] for label, guess in guesses.items()}
        return maps(truth[-LAST_OF_MANY:], last, shown.captions, "step", shown.title)
    first = split.washout + max(len(truth) - WHOLE, 0)
    time = first + np.arange(min(len(truth), WHOLE))
    panels = {label: guess[-WHOLE:, 0] for label, guess in guesses.items()}
    figure, axes = stacked(panels, shown.title)
    ends = limits(truth[-WHOLE:, 0], *panels.values(), reach=0.3, margin=0.08)
    for one, (label, look) in zip(axes, shown.looks.items(), strict=True):
        _overlaid_trace(one, time, truth[-WHOLE:, 0], panels[label], look.color, marks)
        one.set_ylim(ends)
        one.set_title(plain(shown.captions[label]), color=look.color, fontweight="bold")
        one.set_ylabel("output" if truth.shape[1] == 1 else f"output 1 of {truth.shape[1]}")
    axes[-1].set_xlabel("time step" if len(split.targets) == 1 else "step, sequences one after the other")
    return figure


def _overlaid_trace(axes: Axes, time: np.ndarray, truth: np.ndarray, guess: np.ndarray, color: str, marks: bool) -> None:
    """The target in black and the prediction in the model's color; lines, or marks."""
    if marks:
        axes.plot(time, truth, color=TRUTH, linestyle="", marker="_", markersize=4.0, markeredgewidth=1.4)
        axes.plot(time, guess, color=color, linestyle="", marker="o", markersize=2.4, markeredgewidth=0.0)
    else:
        axes.plot(time, truth, color=TRUTH, linewidth=1.8, marker="o" if len(time) < 3 else None)
        axes.plot(time, guess, color=color, linewidth=1.0, marker="o" if len(time) < 3 else None)
    axes.margins(x=0.01)
