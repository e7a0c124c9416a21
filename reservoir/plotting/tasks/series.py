"""Pictures of numbers against their targets, one per step or one per sequence; and the parts that all overlays share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from reservoir.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

LAST, WHOLE, LAST_OF_MANY = 200, 320, 80
"""The last steps of a long record, the longest record that is drawn as a whole, and the last steps of many outputs."""
MOST_COLUMNS = 4
"""The outputs that are drawn as lines; more are drawn as a map."""
ERROR_NAME = "error / std"
"""The name of every error that is drawn: output - target, or its root mean square, by the standard deviation of the target."""
MOST_POINTS, MOST_OF_SEVERAL = 4000, 2000
"""The points of one model, and of each of several."""


class Overlay(NamedTuple):
    """What several models predicted on the test split of a task.

    Attributes
    ----------
    task, data : the task and what its `generate` gave
    predictions : for each model that did not fail, by its label
    captions, looks : for each of these, what to write above its panel, and how it is drawn
    title : above the figure
    units : for each model that has so many
    """

    task: Any
    data: Any
    predictions: Mapping[str, Any]
    captions: Mapping[str, str]
    looks: Mapping[str, style.Look]
    title: str
    units: Mapping[str, int]

    def scored(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The scored rows of the targets and, within bounds, of each model's predictions, (n, n_outputs) each."""
        split = self.data.test
        truth = scored_rows(split.targets, split.washout)
        return truth, {label: style.bounded(scored_rows(p, split.washout), truth) for label, p in self.predictions.items()}


def scored_rows(sequences: Any, washout: int) -> np.ndarray:
    """The scored rows (n, n_outputs) of all sequences, one after the other."""
    return np.concatenate([np.asarray(s, dtype=float).reshape(len(s), -1)[washout:] for s in sequences])


def both_scored(split: Any, predictions: Any) -> tuple[np.ndarray, np.ndarray]:
    """The scored rows of the targets and of the predictions, (n, n_outputs) each."""
    return scored_rows(split.targets, split.washout), scored_rows(predictions, split.washout)


def draw_series(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """Draw the last steps with the error beneath, and all outputs over their targets. A short record is drawn as a whole."""
    truth, guess, first = *both_scored(data.test, predictions), data.test.washout
    columns = range(min(truth.shape[1], 3))
    figure = style.new_figure(title, height=2.5 + 3.0 * len(columns))
    grid = figure.add_gridspec(2 * len(columns), 2, width_ratios=(2.1, 1.0), height_ratios=(2.8, 1.0) * len(columns))
    for column in columns:
        y, p = truth[:, column], style.bounded(guess[:, column], truth[:, column])
        spread = float(y.std()) or 1.0
        above = figure.add_subplot(grid[2 * column, 0])
        beneath = figure.add_subplot(grid[2 * column + 1, 0], sharex=above)
        start = len(y) - LAST if len(y) > WHOLE else 0
        _trace(above, beneath, first + np.arange(start, len(y)), y[start:], p[start:], spread)
        above.set_ylabel("output" if truth.shape[1] == 1 else f"output {column + 1} of {truth.shape[1]}")
        over_targets(figure.add_subplot(grid[2 * column, 1]), y, p, "time step")
        histogram = figure.add_subplot(grid[2 * column + 1, 1], sharey=beneath)
        error_histogram(histogram, (p - y) / spread, beneath.get_ylim(), "horizontal")
        histogram.tick_params(labelleft=False)
        histogram.set_xlabel("count")
    return figure


def _trace(above: Axes, beneath: Axes, time: np.ndarray, y: np.ndarray, p: np.ndarray, spread: float) -> None:
    """Draw target and prediction over the last steps, and their difference, in standard deviations, on its own scale."""
    marker = "o" if len(time) < 3 else None
    above.plot(time, y, color=style.TRUTH, label="target", linewidth=2.0, marker=marker)
    above.plot(time, p, color=style.MODEL, label="prediction", linewidth=1.0, marker=marker)
    above.set_ylim(style.limits(y, p))
    above.tick_params(labelbottom=False)
    above.margins(x=0.01)
    style.legend_above(above)
    error = (p - y) / spread
    size = error_size(y / spread, error)
    beneath.axhline(0.0, color=style.QUIET, linewidth=0.8)
    beneath.fill_between(time, 0.0, error, color=style.ERROR, alpha=0.25, linewidth=0.0)
    beneath.plot(time, error, color=style.ERROR, linewidth=0.9)
    beneath.set(ylim=(-size, size), ylabel=ERROR_NAME, xlabel="time step")


def error_size(y: np.ndarray, error: np.ndarray) -> float:
    """Half the height of an axis for errors: it holds all errors, but at most twice the range of the targets."""
    span = float(np.ptp(y)) or 1.0
    return 1.1 * min(float(np.abs(error).max()), 2.0 * span) or 1e-16


def over_targets(axes: Axes, y: np.ndarray, p: np.ndarray, unit: str) -> None:
    """Draw predictions over targets, around the diagonal."""
    chosen = style.thinned(len(y), MOST_POINTS)
    ends = style.limits(y, p)
    axes.plot(ends, ends, color=style.TRUTH, linewidth=0.9, label="no error")
    axes.plot(y[chosen], p[chosen], **style.CLOUD, color=style.MODEL)
    axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="target", ylabel="prediction")
    axes.set_title(f"{len(y):,} {unit}s" if len(chosen) == len(y) else f"{len(chosen):,} of {len(y):,} {unit}s")
    style.legend_within(axes)


def error_histogram(axes: Axes, errors: np.ndarray, ends: tuple[float, float], orientation: Any) -> None:
    """Count the errors between two ends; those beyond them count in the last bins."""
    axes.hist(np.clip(errors, *ends), bins=np.linspace(*ends, 41).tolist(), orientation=orientation, color=style.ERROR, alpha=0.6)
    (axes.axhline if orientation == "horizontal" else axes.axvline)(0.0, color=style.QUIET, linewidth=0.8)


def stacked(count: int, title: str, beneath: float = 0.0) -> tuple[Figure, list[Axes]]:
    """Make a panel for each model, one above the other on one time axis; with `beneath`, one more of that height in inches."""
    figure = style.new_figure(title, height=0.9 + 1.35 * count + beneath)
    heights = [1.35] * count + [beneath] * (beneath > 0.0)
    return figure, list(figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0])


def balanced(values: np.ndarray) -> tuple[float, float]:
    """The ends of a scale of colors: the least and the largest value, made symmetric where they lie on both sides of 0."""
    low, high = float(values.min()), float(values.max())
    most = max(-low, high)
    return (-most, most) if low < 0.0 < high else (low, high)


def draw_map(axes: Axes, values: np.ndarray, name: str, unit: str, ends: tuple[float, float], **look: Any) -> AxesImage:
    """Draw values (T, n_outputs) as a map of output over time."""
    axes.set(title=style.plain(name), ylabel=unit)
    axes.grid(False)
    look = {"cmap": style.DIVERGING, "aspect": "auto", "origin": "lower", "interpolation": "nearest", **look}
    return axes.imshow(values.T, vmin=ends[0], vmax=ends[1], **look)


def maps(truth: np.ndarray, guesses: Mapping[str, np.ndarray], captions: Mapping[str, str], unit: str, title: str) -> Figure:
    """Draw outputs (T, n_outputs) as maps of output over time: the targets, then each model's."""
    panels = {"target": truth, **{captions[label]: guess for label, guess in guesses.items()}}
    figure, axes = stacked(len(panels), title)
    ends = balanced(truth)
    for one, (name, values) in zip(axes, panels.items(), strict=True):
        image = draw_map(one, values, name, "output", ends, cmap=style.DIVERGING if ends[0] < 0.0 else "Greys")
    figure.colorbar(image, ax=axes, pad=0.01, aspect=40)
    axes[-1].set_xlabel(unit)
    return figure


def overlay_series(shown: Overlay) -> Figure:
    """Draw the last steps of every model over the target; many outputs as maps."""
    return overlaid(shown, {"linewidth": 1.8}, {"linewidth": 1.0})


def overlaid(shown: Overlay, target: Mapping[str, Any], output: Mapping[str, Any]) -> Figure:
    """Draw the last steps of every model over the target, in these looks; many outputs as maps."""
    truth, guesses = shown.scored()
    if truth.shape[1] > MOST_COLUMNS:
        last = {label: guess[-LAST_OF_MANY:] for label, guess in guesses.items()}
        return maps(truth[-LAST_OF_MANY:], last, shown.captions, "step", shown.title)
    split, start = shown.data.test, max(len(truth) - WHOLE, 0)
    time, wanted = split.washout + np.arange(start, len(truth)), truth[start:, 0]
    panels = {label: guess[start:, 0] for label, guess in guesses.items()}
    figure, axes = stacked(len(panels), f"{shown.title}; black: the target")
    ends = style.limits(wanted, *panels.values(), reach=0.3, margin=0.08)
    few = {"marker": "o"} if len(time) < 3 else {}
    for one, (label, look) in zip(axes, shown.looks.items(), strict=True):
        one.plot(time, wanted, color=style.TRUTH, **{**few, **target})
        one.plot(time, panels[label], color=look.color, **{**few, **output})
        one.margins(x=0.01)
        one.set(ylim=ends, ylabel="output" if truth.shape[1] == 1 else f"output 1 of {truth.shape[1]}")
        style.headed(one, shown.captions[label], look.color)
    axes[-1].set_xlabel("time step" if len(split.targets) == 1 else "step, sequences one after the other")
    return figure


def draw_numbers(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """Draw outputs over their targets, and the errors over the targets and by their size."""
    truth, guess = (np.asarray(part, dtype=float).reshape(len(part), -1) for part in (data.test.targets, predictions))
    columns = range(min(truth.shape[1], 3))
    figure = style.new_figure(title, height=1.0 + 4.5 * len(columns))
    grid = figure.add_gridspec(2 * len(columns), 2, width_ratios=(1.25, 1.0))
    for column in columns:
        y, p = truth[:, column], style.bounded(guess[:, column], truth[:, column])
        left = figure.add_subplot(grid[2 * column : 2 * column + 2, 0])
        over_targets(left, y, p, "sequence")
        if truth.shape[1] > 1:
            left.set_ylabel(f"prediction, output {column + 1} of {truth.shape[1]}")
        above, beneath = (figure.add_subplot(grid[2 * column + row, 1]) for row in (0, 1))
        chosen, spread = style.thinned(len(y), MOST_POINTS), float(y.std()) or 1.0
        error = (p - y) / spread
        size = error_size(y / spread, error)
        above.axhline(0.0, color=style.QUIET, linewidth=0.8)
        above.plot(y[chosen], error[chosen], **style.CLOUD, color=style.ERROR)
        above.set(xlabel="target", ylabel=ERROR_NAME, ylim=(-size, size))
        error_histogram(beneath, error, (-size, size), "vertical")
        beneath.set(xlabel=ERROR_NAME, ylabel="sequences")
    return figure


def overlay_numbers(shown: Overlay) -> Figure:
    """Draw every model's predictions over the targets, around the diagonal; of vectors, the first entry."""
    truth = np.asarray(shown.data.test.targets, dtype=float)
    asked = truth.reshape(len(truth), -1)[:, 0]
    across = min(len(shown.looks), 4)
    down = -(-len(shown.looks) // across)
    figure = style.new_figure(f"{shown.title}; black: no error", height=0.6 + 2.5 * down)
    drawn = style.thinned(len(asked), MOST_OF_SEVERAL)
    for place, (label, look) in enumerate(shown.looks.items()):
        guess = style.bounded(np.asarray(shown.predictions[label], dtype=float).reshape(len(truth), -1)[:, 0], asked)
        axes = figure.add_subplot(down, across, place + 1)
        ends = style.limits(asked)
        axes.plot(ends, ends, color=style.TRUTH, linewidth=0.9)
        axes.plot(asked[drawn], guess[drawn], **style.CLOUD, color=look.color)
        axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="target")
        style.headed(axes, shown.captions[label], look.color)
        if place % across == 0:
            axes.set_ylabel("prediction")
    return figure
