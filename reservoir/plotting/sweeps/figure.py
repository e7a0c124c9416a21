"""The picture of a parameter sweep: scores over the parameters that vary, and, of a search, over its trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.style import MODEL, QUIET, SOFT, finished, house_style, new_figure, plain, thinned
from reservoir.plotting.sweeps.data import Shown, chosen_names, shown
from reservoir.plotting.sweeps.panels import (
    BEST_LABEL,
    LOST_LABEL,
    NARROW,
    color_bar,
    history,
    legend_on_top,
    one_parameter,
    two_parameters,
)
from reservoir.plotting.sweeps.scales import LOG_RATIO, Axis, scatter, span_of, texts, unit, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BEST, MOST_OTHERS, MOST_LOST = 300, 700, 100
"""The most lines: of the best trials, of the others, evenly by rank, and of those without a score."""
TOP, FEW = 10, 20
"""The lines that are bold; the most values between which an axis has room."""
MOST_NAMES, CLOSE = 16, 0.045
"""The most labels of an axis; labels that lie nearer to each other overlap."""


@house_style()
def sweep_figure(report: Any, names: Sequence[str] | str | None = None) -> Figure:
    """Draw the scores of a sweep: lines or a map over one or two parameters, parallel axes for more; below, a search's progress.

    Over a number and a category there is a line for each category, over two numbers a map.

    A trial is drawn at the mean over its seeds. Where other parameters vary than those drawn, a point of a line or a cell of a
    map is the best trial there, in the order of `ranking`: the score that the value can reach, not its average over settings
    that nobody would choose. An axis is logarithmic where its values are spread more evenly so; dark is better.

    Parameters
    ----------
    report : a `sweeps.report.SweepReport`
    names : the parameters to draw, `readout.ridge` or `readout__ridge`; all that vary, if none are named

    Raises
    ------
    DataError
        No run has a finite score, or no parameter varies.
    ParameterError
        A name that does not vary; matplotlib is missing.
    """
    chosen = chosen_names(report.runs, names)
    rest = [name for name in report.runs.varied() if name not in chosen]
    sweep = shown(report)
    width = max(9.0, 1.5 * (len(chosen) + 1)) if len(chosen) > 2 else 9.0
    figure = new_figure(sweep.title(chosen), width=width, height=5.5 + (2.3 if sweep.is_search else 0.0))
    if sweep.is_search:
        main, beneath = figure.subplots(2, 1, height_ratios=(2.3, 1.0))
        history(beneath, sweep)
    else:
        main = figure.add_subplot()
    if len(chosen) > 2:
        many_parameters(main, sweep, chosen)
    elif len(chosen) == 2:
        two_parameters(main, sweep, chosen, rest)
    else:
        one_parameter(main, sweep, chosen[0], rest)
    return finished(figure)


def many_parameters(axes: Axes, shown: Shown, names: list[str]) -> None:
    """Draw parallel axes, the last for the score; the lines of the best ten trials are bold."""
    from matplotlib.cm import ScalarMappable

    parameters = [shown.axis(name) for name in names]
    mean = shown.trials.mean
    span = span_of(mean[shown.order], shown.higher_is_better, LOG_RATIO)
    norm, cmap = span.norm, span.cmap
    heights = np.column_stack([_heights(axis) for axis in parameters])
    best, others = shown.order[:MOST_BEST], shown.order[MOST_BEST:]
    drawn = np.concatenate([best, others[thinned(len(others), MOST_OTHERS)]])[::-1]
    points = np.column_stack([heights[drawn], norm(mean[drawn])])
    color = cmap(norm(mean[drawn]))
    top = min(TOP, max(1, len(drawn) // 4))
    faint = float(np.clip(20.0 / len(drawn), 0.12, 0.4))
    _lines(axes, points[:-top], colors=color[:-top], linewidths=0.7, alpha=faint, zorder=2)
    _lines(axes, points[-top:], colors=color[-top:], linewidths=2.2, zorder=3)
    _lines(axes, points[-1:], colors=[MODEL], linewidths=2.8, zorder=4)
    lost = shown.without[thinned(len(shown.without), MOST_LOST)]
    _lines(axes, heights[lost], colors=[QUIET], linewidths=0.7, linestyles=":", alpha=0.6, zorder=1.5)
    axes.plot([], [], color=MODEL, linewidth=2.8, label=BEST_LABEL)
    if top > 1:
        axes.plot([], [], color=cmap(0.0 if not span.higher_is_better else 1.0), linewidth=2.2, label=f"best {top}")
    if len(drawn) < len(shown.order):
        label = f"best {len(best):,}, and {len(drawn) - len(best):,} of the other {len(others):,} trials"
        axes.plot([], [], color=cmap(0.5), linewidth=0.8, label=label)
    if len(lost):
        axes.plot([], [], color=QUIET, linewidth=0.7, linestyle=":", label=LOST_LABEL)
    for place, axis in enumerate(parameters):
        _ruler(axes, place, *_ticks(axis))
    _ruler(axes, len(parameters), *_round_ticks(span.low, span.high, span.log))
    titles = [plain(wrapped(name)) for name in (*(axis.name for axis in parameters), shown.metric)]
    axes.set_xticks(range(len(titles)), titles, fontweight="bold")
    axes.set(xlim=(-0.35, len(parameters) + 0.2), ylim=(-0.04, 1.04), yticks=[])
    axes.tick_params(axis="x", length=0, pad=8)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    color_bar(axes, ScalarMappable(norm, cmap), span, f"{shown.label}\n{shown.seeds(shown.order)}")
    legend_on_top(axes, NARROW)


def _heights(axis: Axis) -> np.ndarray:
    """The heights (M,) at which the lines of the trials cross the axis; few values spread their lines a little."""
    levels = unit(axis.positions, axis.log)
    if len(levels) > FEW or len(levels) == len(axis.code):
        return np.asarray(levels[axis.code])
    width = 0.3 * min(0.15, np.diff(levels).min(initial=1.0))
    return np.asarray(levels[axis.code] + width * scatter(len(axis.code)))


def _lines(axes: Axes, points: np.ndarray, **look: Any) -> None:
    """Draw a line for each row of heights (n, axes)."""
    from matplotlib.collections import LineCollection

    if len(points):
        across = np.broadcast_to(np.arange(points.shape[1], dtype=float), points.shape)
        axes.add_collection(LineCollection(list(np.stack([across, points], axis=2)), **look), autolim=False)


def _ruler(axes: Axes, place: int, heights: np.ndarray, labels: list[str]) -> None:
    """Draw a vertical axis with its ticks, readable over the lines."""
    axes.plot([place, place], [0.0, 1.0], color=SOFT, linewidth=1.0, zorder=5)
    for height, label in zip(heights, labels, strict=True):
        axes.plot([place], [height], marker="_", color=SOFT, markersize=6.0, zorder=5)
        axes.annotate(plain(label), (place, height), xytext=(-5, 0), textcoords="offset points", ha="right", va="center",
                      fontsize=7.5, zorder=6,
                      bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "alpha": 0.8, "linewidth": 0.0})  # fmt: skip


def _ticks(axis: Axis) -> tuple[np.ndarray, list[str]]:
    """Heights and labels: of categories, and of numbers with room between them; else round numbers."""
    heights = unit(axis.positions, axis.log)
    if axis.categorical or np.diff(heights).min() > CLOSE:
        chosen = thinned(len(heights), MOST_NAMES)
        return heights[chosen], [axis.labels[k] for k in chosen]
    return _round_ticks(float(axis.positions[0]), float(axis.positions[-1]), axis.log)


def _round_ticks(low: float, high: float, log: bool) -> tuple[np.ndarray, list[str]]:
    """Round numbers within the range, and where they are drawn."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    subs = (1.0,) if high > 1000.0 * low else (1.0, 2.0, 5.0)
    locator = LogLocator(subs=subs, numticks=9) if log else MaxNLocator(8, steps=[1, 2, 2.5, 5, 10])
    values = np.array([value for value in locator.tick_values(low, high) if low <= value <= high])
    return unit(np.array([low, *values, high]), log)[1:-1], texts([float(value) for value in values])
