"""The panel of a sweep over two parameters: a map of scores where trials lie on a grid, else a mark for each trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.style import MODEL, plain
from reservoir.plotting.sweeps.axes import (
    LOG_RATIO,
    Axis,
    Span,
    colors,
    logarithmic_ticks,
    named_ticks,
    parameter_axis,
    scatter,
    short,
    span_of,
)
from reservoir.plotting.sweeps.data import Shown
from reservoir.plotting.sweeps.panels import (
    BEST,
    DOTS,
    LOST,
    LOST_LABEL,
    MOST_LEVELS,
    MOST_VECTORS,
    PARTLY_LABEL,
    legend_on_top,
    of_each,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

MOST_TEXTS = 200
"""Cells of a map that have their number in them."""
GRID = 0.6
"""The share of all pairs of values that must be there for a map."""
ROOM = (7.0, 4.2)
"""The size of the panel, in inches."""
NARROW = 95
"""Characters of a legend beside each other, above a panel with a color bar."""
HATCHED: dict[str, Any] = {"hatch": "////", "edgecolor": "#9c9c9c", "linewidth": 0.0}


def two_parameters(axes: Axes, shown: Shown, names: list[str], rest: list[str]) -> None:
    """Scores over two parameters; of several trials in a cell of a map, the best."""
    first, second = (shown.axis(name) for name in names)
    columns, rows = len(first.positions), len(second.positions)
    pairs = len(np.unique(first.code * rows + second.code))
    if max(columns, rows) <= MOST_LEVELS and pairs >= GRID * columns * rows:
        _map(axes, shown, first, second, rest, plain(shown.best(names)))
    else:
        _scatter(axes, shown, first, second, plain(shown.best(names)))
    legend_on_top(axes, NARROW)


def color_bar(axes: Axes, mappable: ScalarMappable, span: Span, label: str) -> None:
    """The scale of the colors, with an arrow where worse scores have the last color too."""
    extend = ("min" if span.higher_is_better else "max") if span.cut else "neither"
    figure = axes.figure
    assert figure is not None  # for the type checker
    bar = figure.colorbar(mappable, ax=axes, extend=extend, pad=0.015, aspect=28)
    if span.log:
        logarithmic_ticks(bar.ax.yaxis, span.low, span.high)
    bar.set_label(plain(label))
    bar.outline.set_visible(False)


def _map(axes: Axes, shown: Shown, first: Axis, second: Axis, rest: list[str], best: str) -> None:
    """A cell for each pair of values, all of one size whatever the values are."""
    columns, rows = len(first.positions), len(second.positions)
    chosen = shown.best_of_each(first.code * rows + second.code)
    x, y, scores = first.code[chosen], second.code[chosen], shown.trials.mean[chosen]
    image = np.full((rows, columns), np.nan)
    image[y, x] = scores
    span = span_of(scores, shown.higher_is_better, LOG_RATIO)
    norm, cmap = colors(span)
    edges = (np.arange(count + 1) - 0.5 for count in (columns, rows))
    mesh = axes.pcolormesh(*edges, np.ma.masked_invalid(image), norm=norm, cmap=cmap, edgecolors="white",
                           linewidth=0.3 if image.size <= MOST_TEXTS else 0.0)  # fmt: skip
    color_bar(axes, mesh, span, f"{shown.label}\n{of_each(shown, chosen, 'cell', rest)}")
    without = [
        (i, j) for i, j in zip(first.code[shown.without], second.code[shown.without], strict=True) if np.isnan(image[j, i])
    ]
    _cells(axes, without, LOST_LABEL, facecolor="#dcdcdc", **HATCHED)
    absent = np.setdiff1d(np.arange(columns * rows), first.code * rows + second.code)
    _cells(
        axes, zip(absent // rows, absent % rows, strict=True), "not run", facecolor="white", edgecolor="#cccccc", linewidth=0.4
    )
    _numbers(axes, x, y, scores, span, (columns, rows))
    partly = shown.has_failures(chosen)
    if partly.any():
        look = {**DOTS, "marker": "X", "markersize": 5.5, "color": "white", "markeredgecolor": "#1a1a1a", "markeredgewidth": 0.6}
        axes.plot(x[partly] + 0.36, y[partly] + 0.32, **look, label=PARTLY_LABEL)
    place = shown.order[0]
    _cells(axes, [(first.code[place], second.code[place])], best, facecolor="none", edgecolor=MODEL, linewidth=2.4, zorder=5)
    named_ticks(axes, "x", first, ROOM[0])
    named_ticks(axes, "y", second, ROOM[1])
    axes.set(xlabel=plain(first.name), ylabel=plain(second.name))
    axes.grid(False)
    axes.spines[:].set_visible(False)


def _cells(axes: Axes, cells: Any, label: str, **look: Any) -> None:
    """Draw the same look over some cells (column, row)."""
    from matplotlib.patches import Rectangle

    for number, (column, row) in enumerate(sorted(set(cells))):
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1.0, 1.0, **look, label=label if number == 0 else ""))


def _numbers(axes: Axes, x: np.ndarray, y: np.ndarray, scores: np.ndarray, span: Span, shape: tuple[int, int]) -> None:
    """The scores in their cells, if there is room for them."""
    labels = [short(float(score), 2) for score in scores]
    size = min(8.0, 72.0 * ROOM[0] / shape[0] / (0.62 * max(map(len, labels)) + 0.8), 72.0 * ROOM[1] / shape[1] / 1.6)
    if len(labels) > MOST_TEXTS or size < 5.0:
        return
    darkness = 1.0 - span.unit(scores) if not span.higher_is_better else span.unit(scores)
    for column, row, text, dark in zip(x, y, labels, darkness, strict=True):
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color="white" if dark > 0.35 else "#1a1a1a")


def _scatter(axes: Axes, shown: Shown, first: Axis, second: Axis, best: str) -> None:
    """A mark for each trial, the better ones over the others."""
    places = shown.order[::-1]
    x, y = (_spread(axis) for axis in (first, second))
    scores = shown.trials.mean[places]
    span = span_of(scores, shown.higher_is_better, LOG_RATIO)
    norm, cmap = colors(span)
    size = float(np.clip(12_000.0 / len(places), 8.0, 42.0))
    marks = axes.scatter(x[places], y[places], c=scores, s=size, norm=norm, cmap=cmap, edgecolors="#ffffff", linewidths=0.3,
                         rasterized=len(places) > MOST_VECTORS)  # fmt: skip
    color_bar(axes, marks, span, f"{shown.label}\nall trials, {shown.seeds(places)}")
    if len(shown.without):
        axes.plot(x[shown.without], y[shown.without], **LOST, label=LOST_LABEL)
    axes.plot([x[places[-1]]], [y[places[-1]]], **BEST, label=best)
    parameter_axis(axes, "x", first, ROOM[0])
    parameter_axis(axes, "y", second, ROOM[1])


def _spread(axis: Axis) -> np.ndarray:
    """(M,) places of the trials; those at a category beside each other."""
    return axis.places + 0.5 * scatter(len(axis.code)) if axis.categorical else axis.places
