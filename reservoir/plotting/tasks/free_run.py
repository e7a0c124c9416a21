"""Pictures of free runs: how long a forecast that feeds on itself stays with the truth, and whether it keeps its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.style import DOTS, ERROR, MODEL, QUIET, TRUTH, headed, legend_above, limits, new_figure, thinned
from reservoir.plotting.tasks.free_run_data import THRESHOLD, FreeRun
from reservoir.plotting.tasks.series import ERROR_NAME, Overlay, balanced, draw_map, maps, stacked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

MOST_STARTS = 60
VALID: dict[str, Any] = {"color": ERROR, "linewidth": 1.1, "linestyle": "--"}
POINTS: dict[str, Any] = {**DOTS, "markersize": 4.5}
"""The look of a map, between whose steps there is nothing."""


def draw_free_run(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """Draw the forecast of a start in the middle after its history; the errors of all starts; a phase portrait."""
    run = FreeRun.of(task, data, predictions)
    portrait = (run.columns == 3 and run.valid is not None) or run.lag is not None
    figure = new_figure(title, height=5.5 if run.columns < 3 else 6.5)
    grid = figure.add_gridspec(1, 1 + portrait, width_ratios=(2.5, 1.0)[: 1 + portrait])
    heights = [2.2 if run.columns == 1 else 1.0] * run.columns + [1.3]
    panels = grid[0].subgridspec(len(heights), 1, height_ratios=heights).subplots(sharex=True, squeeze=False)[:, 0]
    kept = max(len(run.truths[run.middle]) // (1 if run.valid is None else 3), 10)
    for column, axes in enumerate(panels[:-1]):
        truth, forecast = _continuation(axes, run, run.middle, column, kept, MODEL)
        if run.valid is not None:
            axes.axvline(run.valid[run.middle], **VALID)
        axes.set_ylim(limits(truth, forecast))
    legend_above(panels[0])
    panels[0].set_title(run.which)
    _errors(panels[-1], run)
    if portrait:
        _portraits(figure, grid[1], run)
    return figure


def _continuation(axes: Axes, run: FreeRun, start: int, column: int, kept: int, color: str) -> tuple[np.ndarray, np.ndarray]:
    """Draw the last `kept` values of a history, then truth and forecast, which both continue its last value; return the two."""
    history, truth, forecast = (part[start][:, column] for part in (run.histories, run.truths, run.forecasts))
    before = history[-kept:]
    past = np.arange(1 - len(before), 1) * run.time_unit
    truth = np.concatenate([before, truth])
    axes.axvline(0.0, color=QUIET, linewidth=0.9)
    thick, thin = (POINTS, {**POINTS, "markersize": 2.6}) if run.lag == 1 else ({"linewidth": 1.8}, {"linewidth": 1.0})
    axes.plot(np.concatenate([past, run.time]), truth, color=TRUTH, label="truth", **thick)
    joined = np.concatenate([before[-1:], forecast])
    axes.plot(np.concatenate([past[-1:], run.time]), joined, color=color, label="forecast", **thin)
    name = run.names[column]
    axes.set_ylabel(name, rotation=0 if len(name) <= 2 else 90)  # a lying z reads as N
    axes.margins(x=0.01)
    return truth, forecast


def _errors(axes: Axes, run: FreeRun) -> None:
    """Draw the errors of all starts over forecast time, the median in bold; ticks mark where each crosses the threshold."""
    bottom, top = _error_limits(run)
    shown = np.maximum(run.errors, bottom * 1e-3)
    several = len(shown) > 1
    if several:
        few = shown[thinned(len(shown), MOST_STARTS)].T
        axes.plot(run.time, few, color=QUIET, linewidth=0.5, alpha=0.45, rasterized=True)[0].set_label("each start")
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
    if run.valid is not None:
        mean = run.valid.mean()
        axes.axvline(mean, **VALID, label=f"{'mean valid time' if several else 'valid until'} {mean:.4g}")
    axes.set(yscale="log" if run.logarithmic else "linear", ylim=(bottom, top))
    axes.set(ylabel=ERROR_NAME, xlabel=f"forecast time ({run.time_name})")
    if several or run.valid is not None:
        legend_above(axes)


def _error_limits(run: FreeRun) -> tuple[float, float]:
    """The ends of the axis of errors, without diverged ones: decades without the few errors that are almost 0, or from 0 up."""
    most = float(run.errors.max())
    if not run.logarithmic:
        return 0.0, min(1.05 * most, 2.0 * float(np.quantile(run.errors, 0.99)), 8.0 * run.size) or 1.0
    if most == 0.0:
        return 1e-16, 1.0
    low = np.log10(np.quantile(run.errors[run.errors > 0.0], 0.02))
    high = np.log10(min(most, 1000.0 * run.size))
    return float(10.0 ** np.floor(min(low, high - 1.0))), float(10.0 ** np.ceil(high + 0.05))


def _portraits(figure: Figure, where: SubplotSpec, run: FreeRun) -> None:
    """Draw the truth, and beneath it the forecast: in space, or one column over its own past."""
    space = run.lag is None
    grid = where.subgridspec(2, 1)
    for row, (name, series, color) in enumerate((("truth", run.truths, TRUTH), ("forecast", run.forecasts, MODEL))):
        axes: Any = figure.add_subplot(grid[row], projection="3d" if space else None)
        axes.set_title(name)
        (_attractor if space else _returns)(axes, run, series, color)
        if not space:
            axes.set_xlabel(f"{run.names[0]}(t)" if row else "")
            axes.tick_params(labelbottom=bool(row))


def _returns(axes: Axes, run: FreeRun, series: list[np.ndarray], color: str) -> None:
    """Draw x(t + lag) over x(t) for all starts."""
    assert run.lag is not None
    low, high = limits(np.concatenate(run.truths), margin=0.12)
    style: dict[str, Any] = {**DOTS, "markersize": 1.3} if run.lag == 1 else {"linewidth": 0.6, "alpha": 0.7}
    for history, s in zip(run.histories, series, strict=True):
        x = np.concatenate([history[-run.lag :], s])[:, 0]
        x = np.where((x < low) | (x > high), np.nan, x)
        axes.plot(x[: -run.lag], x[run.lag :], color=color, rasterized=True, **style)
    axes.set(xlim=(low, high), ylim=(low, high), ylabel=f"{run.names[0]}(t + {run.lag})", aspect="equal")


def _attractor(axes: Any, run: FreeRun, series: list[np.ndarray], color: str) -> None:
    """Draw the trajectory of the middle start in space, without what lies outside the box of the truth."""
    points, everything = series[run.middle], np.concatenate(run.truths)
    box = [limits(everything[:, k], margin=0.05) for k in range(3)]
    low, high = np.transpose(box)
    outside = np.any((points < low) | (points > high), axis=1)
    axes.plot(*np.where(outside[:, None], np.nan, points).T, color=color, linewidth=0.6)
    axes.set(xlim=box[0], ylim=box[1], zlim=box[2], xticks=[], yticks=[], zticks=[])
    axes.set_box_aspect((1.0, 1.0, 1.0), zoom=1.05)
    for axis, name in zip((axes.xaxis, axes.yaxis, axes.zaxis), run.names, strict=True):
        axis.set_label_text(name)
        axis.labelpad = -14
    axes.zaxis.set_rotate_label(False)


def draw_field(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """Draw truth, forecast and error of a start in the middle as maps of column over time, and the errors of all starts."""
    run = FreeRun.of(task, data, predictions)
    figure = new_figure(title, height=6.8)
    panels = figure.subplots(4, 1, sharex=True)
    truth, forecast = run.truths[run.middle], run.forecasts[run.middle]
    ends = balanced(truth)
    reach = (ends[1] - ends[0]) / 2.0 / float(np.mean(run.scale)) or 1.0
    end = (0.5 + len(truth)) * run.time_unit
    extent = (0.5 * run.time_unit, end, 0.5, run.columns + 0.5)
    fields = (
        (", ".join(filter(None, ("truth", run.which))), truth, ends),
        ("forecast", forecast, ends),
        (ERROR_NAME, (forecast - truth) / run.scale, (-reach, reach)),
    )
    for axes, (name, field, scale) in zip(panels, fields, strict=False):
        image = draw_map(axes, field, name, "column", scale, extent=extent)
        figure.colorbar(image, ax=axes, pad=0.01, aspect=9, extend="both")
        if run.valid is not None:
            axes.axvline(run.valid[run.middle], color=TRUTH, linewidth=1.2, linestyle="--")
    _errors(panels[3], run)
    panels[3].set_xlim(0.0, end)
    return figure


def overlay_free_run(shown: Overlay) -> Figure:
    """Draw the forecasts of every model from one start, the median by their errors, and the median errors over time."""
    found, start, title = _same_start(shown)
    figure, axes = stacked(len(found), f"{title}; black: the truth", beneath=1.7)
    drawn = []
    for one, (label, run) in zip(axes, found.items(), strict=False):
        kept = max(len(run.truths[start]) // 4, 1)
        drawn.append(_continuation(one, run, start, 0, kept, shown.looks[label].color))
        headed(one, shown.captions[label], shown.looks[label].color)
    ends = limits(drawn[0][0], *(forecast for _, forecast in drawn), reach=0.3)
    for one in axes[:-1]:
        one.set_ylim(ends)
    _median_errors(axes[-1], found, shown)
    return figure


def overlay_field(shown: Overlay) -> Figure:
    """Draw the truth and every model's forecast from one start, the median by their errors, as maps."""
    found, start, title = _same_start(shown)
    truth = next(iter(found.values())).truths[start]
    return maps(truth, {label: r.forecasts[start] for label, r in found.items()}, shown.captions, "forecast step", title)


def _same_start(shown: Overlay) -> tuple[dict[str, FreeRun], int, str]:
    """Return the free runs of every model, the start that is the median by all their errors, and the title that names it."""
    found = {label: FreeRun.of(shown.task, shown.data, shown.predictions[label]) for label in shown.looks}
    ranking = np.argsort(sum(np.log(r.errors.mean(axis=1) + 1e-300) for r in found.values()), kind="stable")
    start = int(ranking[len(ranking) // 2])
    return found, start, shown.title + (f", start {start + 1} of {len(ranking)}" if len(ranking) > 1 else "")


def _median_errors(axes: Axes, found: Mapping[str, FreeRun], shown: Overlay) -> None:
    """Draw the median error over all starts, for each model."""
    run = next(iter(found.values()))
    logarithmic = any(r.logarithmic for r in found.values())
    medians = {label: np.median(r.errors, axis=0) for label, r in found.items()}
    for label, median in medians.items():
        look, marker = shown.looks[label], "o" if len(median) < 3 else None
        drawn = np.where(median > 0.0, median, np.nan) if logarithmic else median
        axes.plot(run.time, drawn, color=look.color, linestyle=look.line, linewidth=1.4, marker=marker)
    if logarithmic:
        axes.set_yscale("log")
    most = float(max(median.max() for median in medians.values()))
    axes.set_ylim(top=min(1.1 * most, 8.0 * run.size) or 1.0)
    axes.axvline(0.0, color=QUIET, linewidth=0.9)
    many = "median of all starts" if len(run.truths) > 1 else ""
    axes.set(xlabel=f"forecast time ({run.time_name})", ylabel=ERROR_NAME, title=many)
