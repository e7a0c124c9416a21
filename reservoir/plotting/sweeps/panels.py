"""Panels of pictures of sweeps: scores over one parameter, over two, and over the trials of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.style import DOTS, ERROR, MODEL, QUIET, TRUTH, Look, looks, plain
from reservoir.plotting.sweeps import scales
from reservoir.plotting.sweeps.data import Shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

MOST_LEVELS = 60
"""The most values of a parameter on a line, or as rows of a map."""
MOST_FOUND = 20
"""The most values on the line of a search, whose values lie anywhere."""
MOST_VECTORS = 2000
"""The most marks that a file holds one by one; more become an image in it."""
STAR: dict[str, Any] = {"marker": "*", "markersize": 15.0, "markeredgecolor": "white", "markeredgewidth": 1.0}
BEST: dict[str, Any] = {**DOTS, **STAR, "color": MODEL, "zorder": 6}
LOST = {**DOTS, "marker": "x", "markeredgewidth": 1.0, "markersize": 5.0, "color": QUIET, "zorder": 4}
BEST_LABEL = "the best"
LOST_LABEL = "no finite score"
PARTLY_LABEL = "some runs failed or pruned: ranked last"
MOST_LINES = 12
"""The most categories that have a line each."""
MOST_TEXTS, LEAST_LETTERS = 200, 5.0
"""The cells of a map that have their number in them, and the least size of its letters in points."""
GRID = 0.6
"""The share of all pairs of values that a map needs."""
ROOM = (7.0, 4.2)
"""The size of a map, in inches."""
LINE, NARROW = 125, 95
"""The characters of a legend on one line, and beside a color bar."""
HATCHED: dict[str, Any] = {"hatch": "////", "edgecolor": "#9c9c9c", "linewidth": 0.0}


def legend_on_top(axes: Axes, line: int = LINE) -> None:
    """Put a legend above the left end of the axes, on as few lines as have room for it."""
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        columns = max(count for count in range(1, len(labels) + 1) if count == 1 or _width(labels, count) <= line)
        axes.legend(handles, labels, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns)


def _width(labels: list[str], columns: int) -> int:
    """The characters in a line of a legend, which is filled column by column."""
    parts = np.array_split([len(label) for label in labels], columns)
    return int(sum(part.max() + 5 for part in parts))


def outside(axes: Axes, x: np.ndarray, scores: np.ndarray, span: scales.Span) -> None:
    """Mark scores beyond the edge of the axes at the edge."""
    beyond = span.outside(scores)
    if beyond.any():
        edge = axes.get_ylim()[0 if span.higher_is_better else 1]
        label = f"beyond the axis, as far as {scales.short(float(scores.min() if span.higher_is_better else scores.max()))}"
        look = {**DOTS, "marker": "v" if span.higher_is_better else "^", "color": QUIET, "zorder": 4}
        axes.plot(x[beyond], np.full(beyond.sum(), edge), **look, markersize=5.0, clip_on=False, label=label)


def lost(axes: Axes, x: np.ndarray) -> None:
    """Mark trials without a score at the bottom."""
    if len(x):
        axes.plot(x, np.full(len(x), 0.015), transform=axes.get_xaxis_transform(), **LOST, label=LOST_LABEL)


def one_parameter(axes: Axes, shown: Shown, name: str, rest: list[str]) -> None:
    """Draw scores over a parameter: for each value the best trial over the others, as the mean and range of its seeds.

    Of a parameter with very many values: all trials.
    """
    axis, trials = shown.axis(name), shown.trials
    dense = len(axis.positions) > (MOST_FOUND if shown.is_search else MOST_LEVELS)
    chosen = shown.order if dense else shown.best_of_each(axis.code)
    others = shown.order if rest and not dense else chosen
    ranged = [] if dense and rest else [trials.low[chosen], trials.high[chosen]]
    span = scales.span_of(np.concatenate([trials.mean[others], *ranged]), shown.higher_is_better, scales.LOG_AXIS)
    scales.score_axis(axes, span, shown.label)
    scales.parameter_axis(axes, "x", axis, room=8.2)
    if len(others) > len(chosen):
        axes.plot(axis.places[others], trials.mean[others], **DOTS, markersize=3.0, color=QUIET, alpha=0.45, label="all trials",
                  rasterized=len(others) > MOST_VECTORS)  # fmt: skip
    label = f"trial, {shown.seeds(chosen)}" if dense else of_each(shown, chosen, "value", rest)
    _means(axes, shown, axis, chosen, label, joined=not (dense or axis.categorical), ranged=bool(ranged))
    outside(axes, axis.places[others], trials.mean[others], span)
    lost(axes, np.setdiff1d(axis.positions, axis.places[shown.order]))
    place = shown.order[0]
    axes.plot([axis.places[place]], [trials.mean[place]], **BEST, label=BEST_LABEL)
    legend_on_top(axes)


def of_each(shown: Shown, chosen: np.ndarray, what: str, rest: list[str]) -> str:
    """Words for the score that each value or cell shows."""
    seeds = shown.seeds(chosen)
    if rest:
        return f"best trial of each {what}, {seeds}"
    return seeds if len(chosen) == len(shown.order) else f"best of the trials with the same values, {seeds}"


def _means(
    axes: Axes, shown: Shown, axis: scales.Axis, chosen: np.ndarray, label: str, joined: bool, ranged: bool,
    look: Look | None = None,
) -> None:  # fmt: skip
    """Draw the means of trials, joined or not, and the range of their seeds, which the legend names if there is no `look`."""
    color, marker, line = look or Look(ERROR, "o", "-")
    trials, x = shown.trials, axis.places[chosen]
    low, mean, high = trials.low[chosen], trials.mean[chosen], trials.high[chosen]
    if ranged and (trials.done[chosen] > 1).any():
        name = "lowest to highest seed" if look is None else ""
        if joined:
            axes.fill_between(x, low, high, color=color, label=name, alpha=0.18, linewidth=0.0)
        else:
            axes.vlines(x, low, high, color=color, label=name, alpha=0.3, linewidth=5.0 if len(x) <= MOST_FOUND else 1.2)
    size = 4.5 if len(x) <= MOST_LEVELS else 3.0
    style = {**DOTS, "marker": marker, "linestyle": line if joined else ""}
    axes.plot(x, mean, **style, markersize=size, color=color, label=label, zorder=3,
              alpha=1.0 if len(x) <= MOST_LEVELS else 0.55, rasterized=len(x) > MOST_VECTORS)  # fmt: skip
    partly = shown.has_failures(chosen)
    if partly.any():
        hollow = {**DOTS, "markeredgewidth": 1.3, "markerfacecolor": "white", "color": color, "zorder": 3.5}
        axes.plot(x[partly], mean[partly], **hollow, markersize=size + 2.0, label=PARTLY_LABEL)


def history(axes: Axes, shown: Shown) -> None:
    """Draw scores in the order of the trials, and the best so far."""
    from matplotlib.ticker import MaxNLocator

    trials, progress = shown.trials, shown.report.progress
    mean = trials.mean[shown.order]
    span = scales.span_of(mean, shown.higher_is_better, scales.LOG_AXIS)
    scales.score_axis(axes, span, shown.metric)
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


def two_parameters(axes: Axes, shown: Shown, names: list[str], rest: list[str]) -> None:
    """Draw scores over two parameters; of several trials in a cell of a map, the best."""
    first, second = (shown.axis(name) for name in names)
    columns, rows = len(first.positions), len(second.positions)
    pairs = len(np.unique(first.code * rows + second.code))
    if max(columns, rows) <= MOST_LEVELS and pairs >= GRID * columns * rows:
        number, category = (second, first) if first.categorical else (first, second)
        if category.categorical and not number.categorical and len(category.labels) <= MOST_LINES and len(number.labels) > 2:
            _lines(axes, shown, number, category, rest)
            return
        _map(axes, shown, first, second, rest)
    else:
        _scatter(axes, shown, first, second)
    legend_on_top(axes, NARROW)


def _lines(axes: Axes, shown: Shown, number: scales.Axis, category: scales.Axis, rest: list[str]) -> None:
    """Draw a line over a number for each category: the best trial of each pair of values, as the mean and range of its seeds."""
    trials, count = shown.trials, len(number.positions)
    chosen = shown.best_of_each(category.code * count + number.code)
    scores = np.concatenate([trials.mean[chosen], trials.low[chosen], trials.high[chosen]])
    span = scales.span_of(scores, shown.higher_is_better, scales.LOG_AXIS)
    scales.score_axis(axes, span, f"{shown.label}\n{of_each(shown, chosen, 'mark', rest)}")
    scales.parameter_axis(axes, "x", number, room=8.2)
    for code, (label, look) in enumerate(looks(category.labels).items()):
        places = chosen[category.code[chosen] == code]
        _means(axes, shown, number, places, plain(f"{category.name} {label}"), joined=True, ranged=True, look=look)
    outside(axes, number.places[chosen], trials.mean[chosen], span)
    without = [place for place in shown.without if place not in set(chosen)]
    lost(axes, number.places[without])
    place = shown.order[0]
    axes.plot([number.places[place]], [trials.mean[place]], **{**BEST, "color": TRUTH}, label=BEST_LABEL)
    legend_on_top(axes)


def color_bar(axes: Axes, mappable: ScalarMappable, span: scales.Span, label: str) -> None:
    """Draw the scale of the colors, with an arrow where worse scores share the last color."""
    extend = ("min" if span.higher_is_better else "max") if span.cut else "neither"
    figure = axes.figure
    assert figure is not None  # for the type checker
    bar = figure.colorbar(mappable, ax=axes, extend=extend, pad=0.015, aspect=28)
    if span.log:
        scales.logarithmic_ticks(bar.ax.yaxis, span.low, span.high)
    bar.set_label(plain(label))
    bar.outline.set_visible(False)


def _map(axes: Axes, shown: Shown, first: scales.Axis, second: scales.Axis, rest: list[str]) -> None:
    """Draw a cell for each pair of values, all of one size whatever the values are."""
    columns, rows = len(first.positions), len(second.positions)
    chosen = shown.best_of_each(first.code * rows + second.code)
    x, y, scores = first.code[chosen], second.code[chosen], shown.trials.mean[chosen]
    image = np.full((rows, columns), np.nan)
    image[y, x] = scores
    span = scales.span_of(scores, shown.higher_is_better, scales.LOG_RATIO)
    edges = (np.arange(count + 1) - 0.5 for count in (columns, rows))
    width = 0.3 if image.size <= MOST_TEXTS else 0.0
    mesh = axes.pcolormesh(
        *edges, np.ma.masked_invalid(image), norm=span.norm, cmap=span.cmap, edgecolors="white", linewidth=width
    )
    color_bar(axes, mesh, span, f"{shown.label}\n{of_each(shown, chosen, 'cell', rest)}")
    without = [place for place in shown.without if np.isnan(image[second.code[place], first.code[place]])]
    _cells(axes, first.code[without], second.code[without], LOST_LABEL, facecolor="#dcdcdc", **HATCHED)
    absent = np.setdiff1d(np.arange(columns * rows), first.code * rows + second.code)
    _cells(axes, absent // rows, absent % rows, "not run", facecolor="white", edgecolor="#cccccc", linewidth=0.4)
    _numbers(axes, x, y, scores, span, (columns, rows))
    partly = shown.has_failures(chosen)
    if partly.any():
        look = {**DOTS, "marker": "X", "markersize": 5.5, "color": "white", "markeredgecolor": "#1a1a1a", "markeredgewidth": 0.6}
        axes.plot(x[partly] + 0.36, y[partly] + 0.32, **look, label=PARTLY_LABEL)
    winner = shown.order[:1]
    _cells(
        axes,
        first.code[winner],
        second.code[winner],
        BEST_LABEL,
        facecolor="none",
        edgecolor=MODEL,
        linewidth=2.4,
        zorder=5,
        clip_on=False,
    )
    scales.named_ticks(axes, "x", first, ROOM[0])
    scales.named_ticks(axes, "y", second, ROOM[1])
    axes.set(xlabel=plain(first.name), ylabel=plain(second.name))
    axes.grid(False)
    axes.spines[:].set_visible(False)


def _cells(axes: Axes, columns: np.ndarray, rows: np.ndarray, label: str, **look: Any) -> None:
    """Draw the same look over some cells."""
    from matplotlib.patches import Rectangle

    for number, (column, row) in enumerate(sorted(set(zip(columns.tolist(), rows.tolist(), strict=True)))):
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1.0, 1.0, **look, label=label if number == 0 else ""))


def _numbers(axes: Axes, x: np.ndarray, y: np.ndarray, scores: np.ndarray, span: scales.Span, shape: tuple[int, int]) -> None:
    """Write the scores into their cells, if they fit."""
    labels = [scales.short(float(score), 2) for score in scores]
    if len(set(labels)) < len(set(scores.tolist())):  # two digits hide a difference
        longer = [scales.short(float(score), 3) for score in scores]
        labels = longer if _letters(longer, shape) >= LEAST_LETTERS else labels
    size = _letters(labels, shape)
    if len(labels) > MOST_TEXTS or size < LEAST_LETTERS:
        return
    darkness = np.asarray(span.norm(scores))
    for column, row, text, dark in zip(x, y, labels, darkness if span.higher_is_better else 1.0 - darkness, strict=True):
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color="white" if dark > 0.35 else "#1a1a1a")


def _letters(labels: list[str], shape: tuple[int, int]) -> float:
    """The size of letters, in points, at which the labels fit into the cells of a map of (columns, rows)."""
    wide = 72.0 * ROOM[0] / shape[0] / (0.62 * max(map(len, labels)) + 0.8)
    return float(min(8.0, wide, 72.0 * ROOM[1] / shape[1] / 1.6))


def _scatter(axes: Axes, shown: Shown, first: scales.Axis, second: scales.Axis) -> None:
    """Draw a mark for each trial, the better ones over the others."""
    places = shown.order[::-1]
    # Trials of one category lie beside each other.
    x, y = (a.places + 0.5 * scales.scatter(len(a.code)) if a.categorical else a.places for a in (first, second))
    scores = shown.trials.mean[places]
    span = scales.span_of(scores, shown.higher_is_better, scales.LOG_RATIO)
    size = float(np.clip(12_000.0 / len(places), 8.0, 42.0))
    marks = axes.scatter(x[places], y[places], c=scores, s=size, norm=span.norm, cmap=span.cmap, edgecolors="#ffffff",
                         linewidths=0.3, rasterized=len(places) > MOST_VECTORS)  # fmt: skip
    color_bar(axes, marks, span, f"{shown.label}\nall trials, {shown.seeds(places)}")
    if len(shown.without):
        axes.plot(x[shown.without], y[shown.without], **LOST, label=LOST_LABEL)
    axes.plot([x[places[-1]]], [y[places[-1]]], **BEST, label=BEST_LABEL)
    scales.parameter_axis(axes, "x", first, ROOM[0])
    scales.parameter_axis(axes, "y", second, ROOM[1])
