"""Pictures of free runs: how long a forecast that feeds on itself stays with the truth, and whether it keeps its shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir import metrics
from reservoir.plotting.style import (
    DIVERGING,
    ERROR,
    MODEL,
    QUIET,
    TRUTH,
    bounded,
    decades,
    legend_above,
    limits,
    new_figure,
    plain,
    thinned,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

THRESHOLD = 0.3
"""Of the valid prediction time: that of `metrics.valid_prediction_time`."""
MOST_STARTS = 60


@dataclass(frozen=True)
class FreeRun:
    """The forecasts of S starts of a series of d columns, with what the pictures need to know of the task.

    Attributes
    ----------
    histories, truths, forecasts : lists of S arrays (T_i, d), (steps, d), (steps, d)
    errors : (S, steps): root mean square over the columns of the error, in units of `error_name`
    logarithmic : whether the errors want a logarithmic axis: they grow exponentially, or are too small to be seen beside the data
    valid : (S,) valid prediction times on the time axis; None where the task has none
    time_unit : time axis units in a step
    scored_step : the one step that the task scores, counted from 1; None where it scores all
    lag : of the phase portrait of a single column; None for none
    """

    histories: list[np.ndarray]
    truths: list[np.ndarray]
    forecasts: list[np.ndarray]
    names: list[str]
    errors: np.ndarray
    error_name: str
    logarithmic: bool
    valid: np.ndarray | None
    time_unit: float
    time_name: str
    scored_step: int | None
    lag: int | None

    @classmethod
    def of(cls, task: Any, data: Any, predictions: Any) -> FreeRun:
        """Read a task's test split. Records come back in their own units, one column's errors too."""
        split, info = data.test, data.info
        histories, truths = ([_matrix(s) for s in part] for part in (split.inputs, split.targets))
        everything = np.concatenate(truths)
        forecasts = [bounded(_matrix(p), everything) for p in predictions]
        columns = everything.shape[1]
        chaotic = hasattr(task, "lyapunov") and hasattr(task, "time_step")
        unit = task.lyapunov * task.time_step if chaotic else 1.0
        scale, error_name = _error_scale(info, columns)
        errors = np.stack([np.sqrt(np.mean(((p - y) / scale) ** 2, axis=1)) for p, y in zip(forecasts, truths, strict=True)])
        valid = None
        if chaotic and "spread" in info:
            times = [metrics.valid_prediction_time(p, y, info["spread"], 1.0, unit, THRESHOLD)
                     for p, y in zip(forecasts, truths, strict=True)]  # fmt: skip
            valid = np.array(times)
        usual = np.quantile(np.median(errors, axis=0), 0.25)
        logarithmic = chaotic or bool(usual < 0.03 * np.mean(everything.std(axis=0) / scale))
        if "columns" in info and "mean" in info and "std" in info:
            histories, truths, forecasts = ([s * info["std"] + info["mean"] for s in part]
                                            for part in (histories, truths, forecasts))  # fmt: skip
        return cls(
            histories, truths, forecasts, _names(info, columns), errors, error_name, logarithmic, valid, unit,
            "Lyapunov times" if chaotic else "steps", 84 if task.metric == "nrmse84" else None,
            task.options().get("tau", 1 if chaotic else None) if columns == 1 else None,
        )  # fmt: skip

    @property
    def columns(self) -> int:
        """d."""
        return self.truths[0].shape[1]

    @property
    def middle(self) -> int:
        """The start in the middle of the ranking by valid time, or by error."""
        ranking = self.errors.mean(axis=1) if self.valid is None else self.valid
        return int(np.argsort(ranking, kind="stable")[len(ranking) // 2])

    @property
    def time(self) -> np.ndarray:
        """The forecast's steps on the time axis, the last value of the history being at 0."""
        return np.arange(1, len(self.truths[0]) + 1) * self.time_unit


def _matrix(values: Any) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    return values.reshape(len(values), -1)


def _names(info: Mapping[str, Any], columns: int) -> list[str]:
    if "columns" in info:
        return [plain(str(name)) for name in info["columns"]]
    return ["x", "y", "z"][:columns] if columns <= 3 else [f"column {k + 1}" for k in range(columns)]


def _error_scale(info: Mapping[str, Any], columns: int) -> tuple[Any, str]:
    """What errors are divided by, and the name of the result. Predictions of a record are in standard deviations."""
    if "spread" in info:
        return np.asarray(info["spread"]), "error / std"
    if "variance" in info:
        return np.sqrt(info["variance"]), "error / std"
    if "std" in info:
        return (1.0 / np.asarray(info["std"]), "|error|") if columns == 1 else (1.0, "error / std")
    return 1.0, "|error|" if columns == 1 else "error"


def free_run_picture(run: FreeRun, title: str) -> Figure:
    """The middle start's forecast continuing its history, column by column; the errors of all; a phase portrait."""
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
    if len(run.truths) > 1:
        how = "error" if run.valid is None else "valid time"
        panels[0].set_title(f"start {run.middle + 1} of {len(run.truths)}, the median by {how}")
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
    axes.set_ylabel(run.names[column])
    axes.margins(x=0.01)


def _mark_valid(axes: Axes, run: FreeRun, label: bool = False) -> None:
    if run.valid is not None:
        reached = run.valid[run.middle]
        axes.axvline(reached, color=ERROR, linewidth=1.1, linestyle="--", label=f"valid until {reached:.3g}" if label else None)


def _errors(axes: Axes, run: FreeRun) -> None:
    """The errors of all starts over forecast time; the median is bold, dashes mark where the single ones cross the threshold."""
    bottom, top = decades(run.errors) if run.logarithmic else (0.0, _top(run.errors))
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


def _top(errors: np.ndarray) -> float:
    """The end of a linear axis for errors: beyond the largest, unless a few are far larger than the rest."""
    return min(1.05 * float(errors.max()), 2.0 * float(np.quantile(errors, 0.99))) or 1.0


def _returns(figure: Figure, where: SubplotSpec, run: FreeRun) -> None:
    """x(t + lag) over x(t), for the truth and for the forecasts of all starts."""
    assert run.lag is not None
    low, high = limits(np.concatenate(run.truths), margin=0.12)
    dots = {"linestyle": "", "marker": "o", "markersize": 1.3, "markeredgewidth": 0.0}
    style: dict[str, Any] = dots if run.lag == 1 else {"linewidth": 0.6, "alpha": 0.7}
    grid = where.subgridspec(2, 1)
    for row, (name, series, colour) in enumerate((("truth", run.truths, TRUTH), ("forecast", run.forecasts, MODEL))):
        axes = figure.add_subplot(grid[row])
        for history, s in zip(run.histories, series, strict=True):
            x = np.concatenate([history[-run.lag :], s])[:, 0]
            x = np.where((x < low) | (x > high), np.nan, x)
            axes.plot(x[: -run.lag], x[run.lag :], color=colour, rasterized=True, **style)
        axes.set(xlim=(low, high), ylim=(low, high), ylabel=f"{run.names[0]}(t + {run.lag})", title=name, aspect="equal")
        axes.tick_params(labelbottom=row == 1)
    axes.set_xlabel(f"{run.names[0]}(t)")


def _attractors(figure: Figure, where: SubplotSpec, run: FreeRun) -> None:
    """The true and the forecast trajectory of the middle start in space."""
    truth, forecast = run.truths[run.middle], run.forecasts[run.middle]
    everything = np.concatenate(run.truths)
    grid = where.subgridspec(2, 1)
    for row, (name, series, colour) in enumerate((("truth", truth, TRUTH), ("forecast", forecast, MODEL))):
        axes: Any = figure.add_subplot(grid[row], projection="3d")
        box = [limits(everything[:, k], margin=0.05) for k in range(3)]
        outside = np.any([(series[:, k] < box[k][0]) | (series[:, k] > box[k][1]) for k in range(3)], axis=0)
        axes.plot(*np.where(outside[:, None], np.nan, series).T, color=colour, linewidth=0.6)
        axes.set(xlim=box[0], ylim=box[1], zlim=box[2], xticks=[], yticks=[], zticks=[], title=name)
        axes.set_box_aspect((1.0, 1.0, 1.0), zoom=1.05)
        axes.set_xlabel(run.names[0], labelpad=-14)
        axes.set_ylabel(run.names[1], labelpad=-14)
        axes.set_zlabel(run.names[2], labelpad=-14)


def field_picture(run: FreeRun, title: str) -> Figure:
    """Truth, forecast and difference of the middle start as maps of column over time, and the errors of all starts."""
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
        ("truth", truth, bottom, top),
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
    if len(run.truths) > 1:
        panels[0].set_title(f"truth, start {run.middle + 1} of {len(run.truths)}, the median by valid time")
    return figure
