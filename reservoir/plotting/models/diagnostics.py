"""Pictures of diagnostics: a reservoir before anything is trained; gradients on their way back through trained networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from reservoir.base.tables import counted, number
from reservoir.plotting import style
from reservoir.plotting.tasks.memory import memory_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLED = ("spectral_radius", "lyapunov_exponent", "echo_state_index", "kernel_rank", "generalization_rank")
"""The measures beneath the title."""
MOST_EIGENVALUES = 2000
CELLS = 200
LAGS = "steps before the end of the sequence (line: a loss at the last step alone; dashed: the loss that is trained)"
FLOOR = 1e-30
"""Norms below it are drawn at it."""
LEAST_VALUE = 1e-6
"""Singular values below it are drawn at it: in those directions nothing is left after a step."""
MOST_DOTS = 24
"""The most singular values that are marked with dots; more are drawn as a line alone."""
LEAST_SHARE = 5e-4
"""Where no share of saturated activations reaches it, they all read 0.0%, and their panel is left out."""
ROW = 0.17
"""Height of a bar, in inches."""


@style.house_style()
def inspect_figure(report: Any) -> Figure:
    """Draw the eigenvalues of W (up to 2,000 units), the memory curve, and W itself with a histogram of its weights.

    Of a `diagnostics.reservoirs.ReservoirReport`. Raises `ParameterError` when matplotlib is missing.
    """
    csr, units, curve = report.weights, report.weights.shape[0], report.memory_curve
    found = {style.words(name): report.measures[name] for name in TITLED if name in report.measures}
    about = ", ".join([counted(units, "unit"), *[f"{name} {number(value)}" for name, value in found.items()]])
    title = f"The reservoir remembers {number(curve.sum())} steps of its input\n{about}"
    small = units <= MOST_EIGENVALUES
    figure = style.new_figure(title, height=7.0 if small else 5.0)
    if small:
        axes = figure.subplot_mosaic("EP;MW", height_ratios=(2.2, 1.0))
        _eigenvalues(axes["E"], np.linalg.eigvals(csr.toarray()))
    else:
        axes = figure.subplot_mosaic("PM;PW")
        axes["P"].set_anchor("N")
    _pattern(axes["P"], csr)
    weights = csr.data[csr.data != 0.0]
    memory_curve(axes["M"], curve, units)
    left = np.flatnonzero(curve > 0.01)  # at most of the later lags nothing is left to see
    axes["M"].set_xlim(0.0, max(min(len(curve), max(1.5 * left[-1], 10.0) if left.size else np.inf), units) + 1.0)
    axes["W"].hist(weights, bins=30, color=style.ERROR, alpha=0.75)
    axes["W"].set(xlabel="weight", ylabel="connections", title=counted(len(weights), "connection"))
    return style.finished(figure)


def _eigenvalues(axes: Axes, values: np.ndarray) -> None:
    """Draw eigenvalues in the complex plane, with the circles of radius one and of the spectral radius."""
    radius = float(np.abs(values).max())
    angle = np.linspace(0.0, 2.0 * np.pi, 361)
    for size, color, line, label in (
        (1.0, style.TRUTH, "-", "unit circle"),
        (radius, style.MODEL, "--", f"spectral radius {radius:.4g}"),
    ):
        axes.plot(size * np.cos(angle), size * np.sin(angle), color=color, linestyle=line, linewidth=1.1, label=label)
    axes.plot(values.real, values.imag, **style.DOTS, markersize=3.0, color=style.ERROR, alpha=0.6)
    reach = 1.06 * max(radius, 1.0)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", ylabel="imaginary part")
    axes.set_xlabel("real part of the eigenvalues of W")
    style.legend_on_top(axes)


def _pattern(axes: Axes, csr: sp.csr_array) -> None:
    """Draw the matrix as an image; each cell of a large one shows its largest weight."""
    units = csr.shape[0]
    side = min(units, CELLS)
    rows, columns = (index * side // units for index in csr.tocoo().coords)
    image = np.zeros((side, side))
    order = np.argsort(np.abs(csr.data), kind="stable")  # of several values for one cell, the last stays
    image[rows[order], columns[order]] = csr.data[order]
    most = float(np.abs(csr.data).max(initial=0.0)) or 1.0
    ends = (0.5, units + 0.5, units + 0.5, 0.5)
    drawn = axes.imshow(image, cmap=style.DIVERGING, vmin=-most, vmax=most, extent=ends)
    axes.set(xlabel="from unit", ylabel="to unit", title="W: the recurrent weights")
    figure = axes.figure
    assert figure is not None  # for the type checker
    figure.colorbar(drawn, ax=axes, pad=0.02, shrink=0.6, label="weight")
    axes.grid(False)
    axes.spines[:].set_visible(True)


@style.house_style()
def gradient_figure(report: Any) -> Figure:
    """Draw the gradient from the end of a sequence back, the singular values of a step, and the saturated shares.

    Of a `diagnostics.gradients.GradientReport`. Raises `ParameterError` when matplotlib is missing.
    """
    from matplotlib.ticker import MaxNLocator

    found = report.measured
    bars = [bar for label, measured in found.items() for bar in _bars(label, measured)]
    bars = bars if any(share >= LEAST_SHARE for bar in bars for share in bar[2:]) else []
    beneath = max(2.6, 0.9 + ROW * len(bars))
    changes = [f"{label} {number(one['growth'])}" for label, one in found.items() if np.isfinite(one["growth"])]
    finding = f"per step back in time the gradient changes by the factor: {', '.join(changes)}" if changes else "no gradient"
    about = f"below 1 it vanishes, above 1 it explodes; seed {report.seed}; training data"
    about += "" if bars else "; no activation is saturated"
    figure = style.new_figure(f"{report.task}: {finding}\n{about}", height=3.8 + beneath)
    axes = figure.subplot_mosaic("NN;VS" if bars else "NN;VV", height_ratios=(3.2, beneath))
    color = {label: look.color for label, look in style.looks(found).items()}
    for label, measured in found.items():
        _norms(axes["N"], measured, color[label], style.plain(label))
        _values(axes["V"], measured, color[label])
    style.legend_on_top(axes["N"])
    axes["N"].set(yscale="log", xlabel=LAGS, ylabel="size of the gradient (largest = 1)")
    axes["N"].invert_xaxis()
    axes["N"].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes["V"].axhline(1.0, color=style.QUIET, linewidth=1.1, linestyle="--", zorder=1)
    axes["V"].set(xlabel="share of the directions that are stretched more", ylabel="singular value", yscale="log")
    axes["V"].set_title("how much one step stretches a change of the state\n(diamond: spectral radius)")
    if bars:
        _saturation(axes["S"], bars, color)
    return style.finished(figure)


def _norms(axes: Axes, measured: Mapping[str, Any], color: str, label: str) -> None:
    """Draw the gradient of a loss at the last step alone, and, dashed, that of the whole loss."""
    span = measured["growth_range"]
    text = label if span is None else f"{label} ({measured['growth']:.3g} over steps {span[0]} to {span[1]})"
    for name, line, width, entry in (("last_norms", "-", 1.7, text), ("loss_norms", "--", 1.0, None)):
        norms = np.asarray(measured[name])
        shown = np.maximum(norms / (norms.max() or 1.0), FLOOR)
        marker = "o" if len(norms) < 3 else None
        axes.plot(np.arange(len(norms)), shown, line, color=color, linewidth=width, label=entry, marker=marker)


def _values(axes: Axes, measured: Mapping[str, Any], color: str) -> None:
    """Draw the singular values of the lowest layer, in falling order."""
    values = np.maximum(np.asarray(measured["singular_values"])[0], LEAST_VALUE)
    marker = "o" if len(values) <= MOST_DOTS else None
    axes.plot((np.arange(len(values)) + 0.5) / len(values), values, color=color, marker=marker, markersize=2.5)
    radius = np.asarray(measured["spectral_radius"])[:1]
    axes.plot([0.0], radius, color=color, marker="D", markersize=6.0, markeredgecolor="white", clip_on=False, zorder=4)


def _bars(label: str, measured: Mapping[str, Any]) -> list[tuple[str, str, float, float]]:
    """Model, gate or unit, and the shares that are saturated at the lower and the upper end, means over the layers."""
    bars = [(label, name, *np.mean(shares, axis=0).tolist()) for name, shares in measured["saturated"].items()]
    return bars + ([(label, "dead", float(np.mean(measured["dead"])), 0.0)] if "dead" in measured else [])


def _saturation(axes: Axes, bars: list[tuple[str, str, float, float]], color: Mapping[str, str]) -> None:
    """Draw a bar to the left for the share at the lower end, or dead, and one to the right for the share at the upper end."""
    for place, (label, _, low, high) in enumerate(bars):
        axes.barh(place, -low, height=0.75, color=color[label], alpha=0.45)
        axes.barh(place, high, height=0.75, color=color[label])
        for edge, share, side in ((-0.97, low, "left"), (0.97, high, "right")):
            axes.text(edge, place, f"{share:.1%}", ha=side, va="center", fontsize=8.0)
    axes.axvline(0.0, color=style.TRUTH, linewidth=0.8)
    axes.set_yticks(range(len(bars)), [style.plain(f"{label}: {name}") for label, name, _, _ in bars])
    for text, (label, *_) in zip(axes.get_yticklabels(), bars, strict=True):
        text.set_color(color[label])
    axes.set(xlim=(-1.0, 1.0), ylim=(len(bars) - 0.4, -0.6), xlabel="at the lower end, or dead   |   at the upper end")
    axes.set_xticks([-1.0, -0.5, 0.0, 0.5, 1.0], ["1", "0.5", "0", "0.5", "1"])
    axes.set_title("share of the activations that are saturated:\nthere they pass no gradient on")
    axes.grid(axis="y", visible=False)
