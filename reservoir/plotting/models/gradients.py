"""The picture of what becomes of gradients on their way back through recurrent networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.style import QUIET, TRUTH, colors, finished, house_style, legend_on_top, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LAGS = "steps before the end of the sequence (in brackets: the factor per step back; dashed: the loss that is trained)"
FLOOR = 1e-30
"""Smaller norms are drawn here."""
MOST_DOTS = 24
"""Singular values; more are drawn as a line alone."""
ROW = 0.17
"""Height of a bar, in inches."""


def gradient_figure(report: Any) -> Figure:
    """How the gradient changes from the end of a sequence back, the singular values of a step, and what is saturated.

    Parameters
    ----------
    report : a `diagnostics.gradients.GradientReport`

    Raises `ParameterError` when matplotlib is missing.
    """
    found = report.measured
    bars = [bar for label, measured in found.items() for bar in _bars(label, measured)]
    with house_style():
        figure = new_figure(f"{report.task}: gradients on their way back", height=3.6 + max(2.6, 0.9 + ROW * len(bars)))
        axes = figure.subplot_mosaic("NN;VS", height_ratios=(3.2, max(2.6, 0.9 + ROW * len(bars))))
        for (label, color), measured in zip(colors(list(found)).items(), found.values(), strict=True):
            _norms(axes["N"], measured, color, plain(label))
            _values(axes["V"], measured, color)
        legend_on_top(axes["N"])
        axes["N"].set(yscale="log", xlabel=LAGS, ylabel="|dL/dh|, the largest = 1")
        axes["N"].invert_xaxis()
        axes["V"].axhline(1.0, color=QUIET, linewidth=1.1, linestyle="--", zorder=1)
        axes["V"].set(xlabel="share of the values that are larger", yscale="log")
        axes["V"].set_title("singular values of one step (diamond: spectral radius)")
        _saturation(axes["S"], bars, colors(list(found)))
        return finished(figure)


def _norms(axes: Axes, measured: Mapping[str, Any], color: str, label: str) -> None:
    """The gradient of a loss at the last step, and, dashed, of the loss itself."""
    growth = measured["growth"]
    text = label if np.isnan(growth) else f"{label} ({growth:.3g})"
    for name, style, width in (("last_norms", "-", 1.7), ("loss_norms", "--", 1.0)):
        norms = np.asarray(measured[name])
        most = norms.max() or 1.0
        lags, shown = np.arange(len(norms)), np.maximum(norms / most, FLOOR)
        axes.plot(lags, shown, style, color=color, linewidth=width, label=text if style == "-" else None,
                  marker="o" if len(norms) < 3 else None)  # fmt: skip


def _values(axes: Axes, measured: Mapping[str, Any], color: str) -> None:
    """Those of the lowest layer, in falling order."""
    values = np.maximum(np.asarray(measured["singular_values"])[0], FLOOR)
    marker = "o" if len(values) <= MOST_DOTS else None
    axes.plot((np.arange(len(values)) + 0.5) / len(values), values, color=color, marker=marker, markersize=2.5)
    radius = np.asarray(measured["spectral_radius"])[:1]
    axes.plot([0.0], radius, color=color, marker="D", markersize=6.0, markeredgecolor="white", clip_on=False, zorder=4)


def _bars(label: str, measured: Mapping[str, Any]) -> list[tuple[str, str, float, float]]:
    """Model, what it is, and the shares at the lower and at the upper end, means over the layers."""
    bars = [(label, name, *np.mean(shares, axis=0).tolist()) for name, shares in measured["saturated"].items()]
    return bars + ([(label, "dead", float(np.mean(measured["dead"])), 0.0)] if "dead" in measured else [])


def _saturation(axes: Axes, bars: list[tuple[str, str, float, float]], color: Mapping[str, str]) -> None:
    """A bar to the left for what is saturated at the lower end, or dead, and one to the right for the upper end."""
    for place, (label, _, low, high) in enumerate(bars):
        axes.barh(place, -low, height=0.75, color=color[label], alpha=0.45)
        axes.barh(place, high, height=0.75, color=color[label])
        for edge, share, side in ((-0.97, low, "left"), (0.97, high, "right")):
            axes.text(edge, place, f"{share:.1%}", ha=side, va="center", fontsize=8.0)
    axes.axvline(0.0, color=TRUTH, linewidth=0.8)
    axes.set_yticks(range(len(bars)), [plain(f"{label}: {name}") for label, name, _, _ in bars])
    for text, (label, *_) in zip(axes.get_yticklabels(), bars, strict=True):
        text.set_color(color[label])
    axes.set(xlim=(-1.0, 1.0), ylim=(len(bars) - 0.4, -0.6), xlabel="at the lower end, or dead | at the upper end")
    axes.set_xticks([-1.0, -0.5, 0.0, 0.5, 1.0], ["1", "0.5", "0", "0.5", "1"])
    axes.set_title("share that is saturated")
    axes.grid(axis="y", visible=False)
