"""The picture of a memory: how well the outputs reproduce the input of 1, 2, ... steps ago; column k is lag k + 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.metrics import squared_correlations
from reservoir.plotting.style import ERROR, OTHERS, TRUTH, bounded, headed, legend_above, legend_on_top, limits, new_figure, plain
from reservoir.plotting.tasks.series import Overlay, both_scored

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_memory(task: Any, data: Any, predictions: Any, title: str, units: int | None = None) -> Figure:
    """Draw the squared correlation over the lag, with a line at so many units, and three of the reconstructions."""
    truth, guess = both_scored(data.test, predictions)
    guess = _bounded_columns(guess, truth)
    curve = squared_correlations(guess, truth)
    figure = new_figure(title)
    grid = figure.add_gridspec(1, 2, width_ratios=(1.6, 1.0))
    axes = figure.add_subplot(grid[0])
    memory_curve(axes, curve, units)
    # The first lag, the one whose correlation is nearest to a half, and the last.
    chosen = sorted({0, int(np.abs(curve - 0.5).argmin()), len(curve) - 1})
    right = grid[1].subgridspec(len(chosen), 1)
    for place, (column, color) in enumerate(zip(chosen, (OTHERS[0], OTHERS[2], OTHERS[3]), strict=False)):
        axes.plot([column + 1], [curve[column]], marker="o", markersize=7.0, color=color, zorder=4, clip_on=False)
        panel = figure.add_subplot(right[place])
        start = max(len(truth) - 60, 0)
        time = np.arange(start, len(truth))
        panel.plot(time, truth[start:, column], color=TRUTH, linewidth=1.8, label="input")
        panel.plot(time, guess[start:, column], color=color, linewidth=1.0, label="output")
        panel.set_ylim(limits(truth[start:, column], guess[start:, column], reach=0.2))
        headed(panel, f"lag {column + 1}: {curve[column]:.3g}", color)
        panel.locator_params(axis="x", nbins=4)
        panel.tick_params(labelbottom=place == len(chosen) - 1)
        if place == 0:
            legend_above(panel)
    panel.set_xlabel("scored time step")
    return figure


def memory_curve(axes: Axes, curve: np.ndarray, units: int | None = None) -> None:
    """Draw squared correlations (lags,) over the lag, with their sum in the legend, and a line at the most that it can be."""
    lags = np.arange(1, len(curve) + 1)
    axes.fill_between(lags, 0.0, curve, color=ERROR, alpha=0.2, linewidth=0.0)
    axes.plot(lags, curve, color=ERROR, marker="o" if len(curve) < 3 else None, label=f"memory capacity (sum) {curve.sum():.4g}")
    if units is not None:
        axes.axvline(units, color=TRUTH, linewidth=1.0, linestyle="--", label=f"N = {units} units, its limit")
    axes.set(xlabel="lag (steps)", ylabel="squared correlation", ylim=(0.0, 1.03), xlim=(0.0, max(len(curve), units or 0) + 1.0))
    legend_on_top(axes, columns=1)


def overlay_memory(shown: Overlay) -> Figure:
    """Draw the squared correlations of every model over the lag, and its number of units, the most that their sum can be."""
    truth, guesses = shown.scored()
    curves = {label: squared_correlations(_bounded_columns(guess, truth), truth) for label, guess in guesses.items()}
    return overlay_curves(shown, curves)


def overlay_curves(shown: Overlay, curves: Mapping[str, np.ndarray]) -> Figure:
    """Draw the memory curve (lags,) of every model, and its number of units."""
    figure = new_figure(shown.title, height=4.0)
    axes = figure.add_subplot()
    for label, look in shown.looks.items():
        curve = curves[label]
        axes.plot(
            np.arange(1, len(curve) + 1),
            curve,
            color=look.color,
            linestyle=look.line,
            linewidth=1.6,
            label=plain(shown.captions[label]),
        )
        if label in shown.units:
            axes.axvline(shown.units[label], color=look.color, linewidth=1.0, linestyle="--")
    most = max(*map(len, curves.values()), *shown.units.values(), 0)
    axes.set(
        xlabel="lag (steps); dashed: the number of units", ylabel="squared correlation", ylim=(0.0, 1.03), xlim=(0.0, most + 1.0)
    )
    legend_on_top(axes)
    return figure


def _bounded_columns(guess: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.stack([bounded(p, y) for p, y in zip(guess.T, truth.T, strict=True)], axis=1)
