"""Pictures of free runs: how long a forecast that feeds on itself stays with the truth, and whether it keeps its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.style import (
    DIVERGING,
    ERROR,
    MODEL,
    QUIET,
    TRUTH,
    Look,
    legend_above,
    limits,
    new_figure,
    plain,
    thinned,
)
from reservoir.plotting.tasks.free_run_data import THRESHOLD, FreeRun
from reservoir.plotting.tasks.overlay import Overlay, maps, stacked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

MOST_STARTS = 60


def draw_free_run(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """The middle start's forecast continuing its history, column by column; the errors of all; a phase portrait."""
    run = FreeRun.of(task, data, predictions)
    portrait = (run.columns == 3 and run.valid is not None) or run.lag is not None
    figure = new_figure(title, height=5.5 if run.columns < 3 else 6.5)
    grid = figure.add_gridspec(1, 2 if portrait else 1, width_ratios=(2.5, 1.0) if portrait else None)
    heights = [2.2 if run.columns == 1 else 1.0] * run.columns + [1.3]
    rows = grid[0].subgridspec(len(heights), 1, height_ratios=heights)
    panels = [figure.add_subplot(rows[0])]
    panels += [figure.add_subplot(rows[k], sharex=panels[0]) for k in range(1, len(heights))]
    for column, axes in enumerate(panels[:-1]):
        _continuation(axes, run, column)
    legend_above(panels[0])
    panels[0].set_title(run.which)
    _errors(panels[-1], run)
    for axes in panels[:-1]:
        axes.tick_params(labelbottom=False)
    if portrait:
        (_attractors if run.columns == 3 else _returns)(figure, grid[1], run)
    return figure


def _continuation(axes: Axes, run: FreeRun, column: int) -> None:
    """The end of the history, then truth and forecast, which both go on from its last value."""
    history, truth, forecast = (part[run.middle][:, column] for part in (run.histories, run.truths, run.forecasts))
    before = history[-max(len(truth) // (1 if run.valid is None else 3), 10) :]
    past = np.arange(1 - len(before), 1) * run.time_unit
    time = np.concatenate([past[-1:], run.time])
    axes.axvline(0.0, color=QUIET, linewidth=0.9)
    axes.plot(np.concatenate([past, run.time]), np.concatenate([before, truth]), color=TRUTH, linewidth=1.8, label="truth")
    axes.plot(time, np.concatenate([before[-1:], forecast]), color=MODEL, linewidth=1.0, label="forecast")
    _mark_valid(axes, run)
    axes.set_ylim(limits(np.concatenate([before, truth]), forecast))
    name = run.names[column]
    axes.set_ylabel(name, rotation=0 if len(name) <= 2 else 90)  # a lying z reads as N
    axes.margins(x=0.01)


def _mark_valid(axes: Axes, run: FreeRun, label: bool = False) -> None:
    if run.valid is not None:
        reached = run.valid[run.middle]
        axes.axvline(reached, color=ERROR, linewidth=1.1, linestyle="--", label=f"valid until {reached:.3g}" if label else None)


def _errors(axes: Axes, run: FreeRun) -> None:
    """The errors of all starts over forecast time; the median is bold, dashes mark where the single ones cross the threshold."""
    bottom, top = _error_limits(run)
    shown = np.maximum(run.errors, bottom * 1e-3)
    several = len(shown) > 1
    if several:
        others = axes.plot(run.time, shown[thinned(len(shown), MOST_STARTS)].T, color=QUIET, linewidth=0.5, alpha=0.45,
                           rasterized=True)  # fmt: skip
        others[0].set_label("each start")
        axes.plot(run.time, np.median(shown, axis=0), color=TRUTH, linewidth=1.9, label="median")
    axes.plot(run.time, shown[run.middle], color=MODEL, linewidth=1.0, label="start above" if several else "error")
    if run.valid is not None:
        axes.axhline(THRESHOLD, color=ERROR, linewidth=0.9, linestyle=":", label=f"threshold {THRESHOLD}")
        axes.plot(run.valid, np.full(len(run.valid), THRESHOLD), color=ERROR, linestyle="", marker="|", markersize=6.0)
    if run.scored_step is not None and run.scored_step <= len(run.time):
        scored = np.sqrt(np.mean(shown[:, run.scored_step - 1] ** 2))
        axes.plot([run.time[run.scored_step - 1]], [scored], color=ERROR, marker="D", markersize=6.0, linestyle="", zorder=4,
                  label=f"root mean square at step {run.scored_step}: {scored:.3g}")  # fmt: skip
    axes.axvline(0.0, color=QUIET, linewidth=0.9)
    _mark_valid(axes, run, label=True)
    axes.set(yscale="log" if run.logarithmic else "linear", ylim=(bottom, top))
    axes.set(ylabel=run.error_name, xlabel=f"forecast time ({run.time_name})")
    if several or run.valid is not None:
        legend_above(axes)


def _error_limits(run: FreeRun) -> tuple[float, float]:
    """An axis for the errors: decades, without the few points that happen to be almost 0, or from 0; not up to where
    diverged forecasts went.
    """
    most = float(run.errors.max())
    if not run.logarithmic:
        return 0.0, min(1.05 * most, 2.0 * float(np.quantile(run.errors, 0.99)), 8.0 * run.size) or 1.0
    if most == 0.0:
        return 1e-16, 1.0
    low = np.log10(np.quantile(run.errors[run.errors > 0.0], 0.02))
    high = np.log10(min(most, 1000.0 * run.size))
    return float(10.0 ** np.floor(min(low, high - 1.0))), float(10.0 ** np.ceil(high + 0.05))


def _returns(figure: Figure, where: SubplotSpec, run: FreeRun) -> None:
    """x(t + lag) over x(t), for the truth and for the forecasts of all starts."""
    assert run.lag is not None
    low, high = limits(np.concatenate(run.truths), margin=0.12)
    dots = {"linestyle": "", "marker": "o", "markersize": 1.3, "markeredgewidth": 0.0}
    style: dict[str, Any] = dots if run.lag == 1 else {"linewidth": 0.6, "alpha": 0.7}
    grid = where.subgridspec(2, 1)
    for row, (name, series, color) in enumerate((("truth", run.truths, TRUTH), ("forecast", run.forecasts, MODEL))):
        axes = figure.add_subplot(grid[row])
        for history, s in zip(run.histories, series, strict=True):
            x = np.concatenate([history[-run.lag :], s])[:, 0]
            x = np.where((x < low) | (x > high), np.nan, x)
            axes.plot(x[: -run.lag], x[run.lag :], color=color, rasterized=True, **style)
        axes.set(xlim=(low, high), ylim=(low, high), ylabel=f"{run.names[0]}(t + {run.lag})", title=name, aspect="equal")
        axes.tick_params(labelbottom=row == 1)
    axes.set_xlabel(f"{run.names[0]}(t)")


def _attractors(figure: Figure, where: SubplotSpec, run: FreeRun) -> None:
    """The true and the forecast trajectory of the middle start in space."""
    truth, forecast = run.truths[run.middle], run.forecasts[run.middle]
    everything = np.concatenate(run.truths)
    grid = where.subgridspec(2, 1)
    for row, (name, series, color) in enumerate((("truth", truth, TRUTH), ("forecast", forecast, MODEL))):
        axes: Any = figure.add_subplot(grid[row], projection="3d")
        box = [limits(everything[:, k], margin=0.05) for k in range(3)]
        outside = np.any([(series[:, k] < box[k][0]) | (series[:, k] > box[k][1]) for k in range(3)], axis=0)
        axes.plot(*np.where(outside[:, None], np.nan, series).T, color=color, linewidth=0.6)
        axes.set(xlim=box[0], ylim=box[1], zlim=box[2], xticks=[], yticks=[], zticks=[], title=name)
        axes.set_box_aspect((1.0, 1.0, 1.0), zoom=1.05)
        axes.set_xlabel(run.names[0], labelpad=-14)
        axes.set_ylabel(run.names[1], labelpad=-14)
        axes.zaxis.set_rotate_label(False)
        axes.set_zlabel(run.names[2], labelpad=-14)


def draw_field(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """Truth, forecast and difference of the middle start as maps of column over time, and the errors of all starts."""
    run = FreeRun.of(task, data, predictions)
    figure = new_figure(title, height=6.8)
    truth, forecast = run.truths[run.middle], run.forecasts[run.middle]
    grid = figure.add_gridspec(4, 1, height_ratios=(1.0, 1.0, 1.0, 1.0))
    panels = [figure.add_subplot(grid[0])]
    panels += [figure.add_subplot(grid[k], sharex=panels[0]) for k in range(1, 4)]
    bottom, top = float(truth.min()), float(truth.max())
    if bottom < 0.0 < top:
        top = max(-bottom, top)
        bottom = -top
    reach = (top - bottom) / 2.0 or 1.0
    end = (0.5 + len(truth)) * run.time_unit
    maps = (
        (", ".join(filter(None, ("truth", run.which))), truth, bottom, top),
        ("forecast", forecast, bottom, top),
        ("forecast − truth", forecast - truth, -reach, reach),
    )
    for axes, (name, field, low, high) in zip(panels, maps, strict=False):
        image = axes.imshow(field.T, aspect="auto", origin="lower", cmap=DIVERGING, vmin=low, vmax=high, interpolation="nearest",
                            extent=(0.5 * run.time_unit, end, 0.5, run.columns + 0.5))  # fmt: skip
        axes.set(title=name, ylabel="column")
        axes.grid(False)
        axes.tick_params(labelbottom=False)
        figure.colorbar(image, ax=axes, pad=0.01, aspect=9, extend="both")
        if run.valid is not None:
            axes.axvline(run.valid[run.middle], color=TRUTH, linewidth=1.2, linestyle="--")
    _errors(panels[3], run)
    panels[3].set_xlim(0.0, end)
    return figure


def overlay_free_run(shown: Overlay) -> Figure:
    """The forecasts of every model from the start in the middle of the ranking, and their median errors over time."""
    found, start, title = _same_start(shown)
    run = next(iter(found.values()))
    figure, axes = stacked(found, title, beneath=1.7)
    before = run.histories[start][-max(len(run.truths[start]) // 4, 1) :, 0]
    past = np.arange(1 - len(before), 1) * run.time_unit
    truth = np.concatenate([before, run.truths[start][:, 0]])
    ends = limits(truth, *[r.forecasts[start][:, 0] for r in found.values()], reach=0.3)
    for one, (label, r) in zip(axes, found.items(), strict=False):
        one.axvline(0.0, color=QUIET, linewidth=0.9)
        one.plot(np.concatenate([past, r.time]), truth, color=TRUTH, linewidth=1.8)
        forecast = np.concatenate([before[-1:], r.forecasts[start][:, 0]])
        one.plot(np.concatenate([past[-1:], r.time]), forecast, color=shown.looks[label].color, linewidth=1.0)
        one.set_ylim(ends)
        one.margins(x=0.01)
        one.set_ylabel(r.names[0], rotation=0 if len(r.names[0]) <= 2 else 90)
        one.set_title(plain(shown.captions[label]), color=shown.looks[label].color, fontweight="bold")
    _median_errors(axes[-1], found, shown.looks)
    return figure


def overlay_field(shown: Overlay) -> Figure:
    """Truth and forecasts of every model from the start in the middle of the ranking, as maps."""
    found, start, title = _same_start(shown)
    truth = next(iter(found.values())).truths[start]
    return maps(truth, {label: r.forecasts[start] for label, r in found.items()}, shown.captions, "forecast step", title)


def _same_start(shown: Overlay) -> tuple[dict[str, FreeRun], int, str]:
    """The free runs of every model, the start in the middle of the ranking by all their errors, and the title with it."""
    found = {label: FreeRun.of(shown.task, shown.data, shown.predictions[label]) for label in shown.looks}
    ranking = np.argsort(sum(np.log(r.errors.mean(axis=1) + 1e-300) for r in found.values()), kind="stable")
    start = int(ranking[len(ranking) // 2])
    return found, start, shown.title + (f", start {start + 1} of {len(ranking)}" if len(ranking) > 1 else "")


def _median_errors(axes: Axes, found: Mapping[str, FreeRun], looks: Mapping[str, Look]) -> None:
    """The median error over all starts, for each model."""
    run = next(iter(found.values()))
    logarithmic = any(r.logarithmic for r in found.values())
    for label, r in found.items():
        middle = np.median(r.errors, axis=0)
        axes.plot(r.time, np.where(middle > 0.0, middle, np.nan) if logarithmic else middle, color=looks[label].color,
                  linestyle=looks[label].line, linewidth=1.4, marker="o" if len(middle) < 3 else None)  # fmt: skip
    if logarithmic:
        axes.set_yscale("log")
    most = max(float(np.median(r.errors, axis=0).max()) for r in found.values())
    axes.set_ylim(top=min(1.1 * most, 8.0 * run.size) or 1.0)
    axes.axvline(0.0, color=QUIET, linewidth=0.9)
    many = "median of all starts" if len(run.truths) > 1 else ""
    axes.set(xlabel=f"forecast time ({run.time_name})", ylabel=run.error_name, title=many)
