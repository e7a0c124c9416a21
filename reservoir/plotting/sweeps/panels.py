"""Panels of pictures of sweeps: scores over the values of one parameter, and over the trials of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.style import ERROR, MODEL, QUIET, plain
from reservoir.plotting.sweeps.axes import LOG_AXIS, Axis, Span, parameter_axis, score_axis, short, span_of
from reservoir.plotting.sweeps.data import Shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LEVELS = 60
"""Values of a parameter that are drawn as a line, or as rows of a map."""
MOST_FOUND = 20
"""Values of a line in a search, which take any place."""
MOST_VECTORS = 2000
"""Marks that a file holds one by one; more are an image in it."""
DOTS: dict[str, Any] = {"marker": "o", "markeredgewidth": 0.0, "linestyle": ""}
BEST = {
    **DOTS,
    "marker": "*",
    "markersize": 15.0,
    "color": MODEL,
    "markeredgecolor": "white",
    "markeredgewidth": 1.0,
    "zorder": 6,
}
LOST = {**DOTS, "marker": "x", "markeredgewidth": 1.0, "markersize": 5.0, "color": QUIET, "zorder": 4}
LOST_LABEL = "no finite score"
PARTLY_LABEL = "some runs failed or pruned: ranked last"
LINE = 125
"""Characters of a legend beside each other."""


def legend_on_top(axes: Axes, line: int = LINE) -> None:
    """A legend above the left end of the axes, in as few lines as there is room for."""
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        columns = max(count for count in range(1, len(labels) + 1) if count == 1 or _width(labels, count) <= line)
        axes.legend(handles, labels, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns)


def _width(labels: list[str], columns: int) -> int:
    """The characters in a line of a legend, which is filled column by column."""
    parts = np.array_split([len(label) for label in labels], columns)
    return int(sum(part.max() + 5 for part in parts))


def outside(axes: Axes, x: np.ndarray, scores: np.ndarray, span: Span) -> None:
    """Marks at the edge for scores that are beyond it."""
    beyond = span.outside(scores)
    if beyond.any():
        edge = axes.get_ylim()[0 if span.higher_is_better else 1]
        label = f"beyond the axis, as far as {short(float(scores.min() if span.higher_is_better else scores.max()))}"
        look = {**DOTS, "marker": "v" if span.higher_is_better else "^", "color": QUIET, "zorder": 4}
        axes.plot(x[beyond], np.full(beyond.sum(), edge), **look, markersize=5.0, clip_on=False, label=label)


def lost(axes: Axes, x: np.ndarray) -> None:
    """Marks at the bottom for what has no score."""
    if len(x):
        axes.plot(x, np.full(len(x), 0.015), transform=axes.get_xaxis_transform(), **LOST, label=LOST_LABEL)


def one_parameter(axes: Axes, shown: Shown, name: str, rest: list[str]) -> None:
    """Scores over a parameter: for each value the best trial over the other parameters, the mean and the range of its seeds.

    Of a parameter with very many values: all trials.
    """
    axis, trials = shown.axis(name), shown.trials
    dense = len(axis.positions) > (MOST_FOUND if shown.is_search else MOST_LEVELS)
    chosen = shown.order if dense else shown.best_of_each(axis.code)
    others = shown.order if rest and not dense else chosen
    ranged = [] if dense and rest else [trials.low[chosen], trials.high[chosen]]
    span = span_of(np.concatenate([trials.mean[others], *ranged]), shown.higher_is_better, LOG_AXIS)
    score_axis(axes, span, shown.label)
    parameter_axis(axes, "x", axis, room=8.2)
    if len(others) > len(chosen):
        axes.plot(axis.places[others], trials.mean[others], **DOTS, markersize=3.0, color=QUIET, alpha=0.45, label="all trials",
                  rasterized=len(others) > MOST_VECTORS)  # fmt: skip
    label = f"trial, {shown.seeds(chosen)}" if dense else of_each(shown, chosen, "value", rest)
    _means(axes, shown, axis, chosen, label, joined=not (dense or axis.categorical), ranged=bool(ranged))
    outside(axes, axis.places[others], trials.mean[others], span)
    lost(axes, np.setdiff1d(axis.positions, axis.places[shown.order]))
    place = shown.order[0]
    axes.plot([axis.places[place]], [trials.mean[place]], **BEST, label=plain(shown.best([name])))
    legend_on_top(axes)


def of_each(shown: Shown, chosen: np.ndarray, what: str, rest: list[str]) -> str:
    """What is shown for each value or cell."""
    seeds = shown.seeds(chosen)
    if rest:
        return f"best trial of each {what}, {seeds}"
    return seeds if len(chosen) == len(shown.order) else f"best of the trials with the same values, {seeds}"


def _means(axes: Axes, shown: Shown, axis: Axis, chosen: np.ndarray, label: str, joined: bool, ranged: bool) -> None:
    """Means of trials, joined or not, and the range of their seeds."""
    trials, x = shown.trials, axis.places[chosen]
    low, mean, high = trials.low[chosen], trials.mean[chosen], trials.high[chosen]
    if ranged and (trials.done[chosen] > 1).any():
        look: dict[str, Any] = {"color": ERROR, "label": "lowest to highest seed"}
        if joined:
            axes.fill_between(x, low, high, **look, alpha=0.18, linewidth=0.0)
        else:
            axes.vlines(x, low, high, **look, alpha=0.3, linewidth=5.0 if len(x) <= MOST_FOUND else 1.2)
    size = 4.5 if len(x) <= MOST_LEVELS else 3.0
    axes.plot(x, mean, **{**DOTS, "linestyle": "-" if joined else ""}, markersize=size, color=ERROR, label=label, zorder=3,
              alpha=1.0 if len(x) <= MOST_LEVELS else 0.55, rasterized=len(x) > MOST_VECTORS)  # fmt: skip
    partly = shown.has_failures(chosen)
    if partly.any():
        look = {**DOTS, "markeredgewidth": 1.3, "markerfacecolor": "white", "color": ERROR, "zorder": 3.5}
        axes.plot(x[partly], mean[partly], **look, markersize=size + 2.0, label=PARTLY_LABEL)


def history(axes: Axes, shown: Shown) -> None:
    """Scores in the order of the trials, and the best so far."""
    from matplotlib.ticker import MaxNLocator

    trials, progress = shown.trials, shown.report.progress
    mean = trials.mean[shown.order]
    span = span_of(mean, shown.higher_is_better, LOG_AXIS)
    score_axis(axes, span, shown.metric)
    number, partly = trials.trial + 1, shown.has_failures(shown.order)
    look: dict[str, Any] = {**DOTS, "markersize": 3.0 if len(mean) <= 500 else 1.8, "rasterized": len(mean) > MOST_VECTORS}
    axes.plot(number[shown.order][~partly], mean[~partly], **look, color=ERROR, alpha=0.55, label="trial")
    if partly.any():
        axes.plot(number[shown.order][partly], mean[partly], **look, color=QUIET, alpha=0.8, label=PARTLY_LABEL)
    axes.step(progress.trial + 1, progress.best, where="post", color=MODEL, linewidth=1.8, label="best so far", zorder=3)
    outside(axes, number[shown.order], mean, span)
    lost(axes, number[shown.without])
    axes.set_xlabel("trial, in the order of the search")
    axes.xaxis.set_major_locator(MaxNLocator(9, integer=True, steps=[1, 2, 5, 10]))
    edge = 0.015 * (number[-1] - number[0]) or 0.5
    axes.set_xlim(number[0] - edge, number[-1] + edge)
    legend_on_top(axes)
