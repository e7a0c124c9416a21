"""The picture of a reservoir before anything is trained: its eigenvalues, its memory, its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from reservoir.plotting.style import DIVERGING, ERROR, MODEL, TRUTH, finished, house_style, legend_above, new_figure
from reservoir.plotting.tasks.memory import memory_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_EIGENVALUES = 2000
CELLS = 200


def inspect_figure(report: Any) -> Figure:
    """The eigenvalues of W (up to 2,000 units), the memory curve, and W itself with a histogram of its weights.

    Parameters
    ----------
    report : an `diagnostics.reservoirs.ReservoirReport`

    Raises `ParameterError` when matplotlib is missing.
    """
    csr, units = report.weights, report.weights.shape[0]
    with house_style():
        small = units <= MOST_EIGENVALUES
        figure = new_figure(f"Reservoir of {units} units", height=6.8 if small else 4.8)
        if small:
            axes = figure.subplot_mosaic("EP;MW", height_ratios=(2.2, 1.0))
            _eigenvalues(axes["E"], np.linalg.eigvals(csr.toarray()))
        else:
            axes = figure.subplot_mosaic("PM;PW")
            axes["P"].set_anchor("N")
        _pattern(axes["P"], csr)
        _memory(axes["M"], report.memory_curve)
        _histogram(axes["W"], csr)
        return finished(figure)


def _memory(axes: Axes, curve: np.ndarray) -> None:
    """The memory curve, without most of the lags at which nothing is left."""
    memory_curve(axes, curve)
    left = np.flatnonzero(curve > 0.01)
    axes.set_xlim(0.0, min(len(curve), max(1.5 * left[-1], 10.0) if left.size else np.inf) + 1.0)


def _eigenvalues(axes: Axes, values: np.ndarray) -> None:
    """Eigenvalues in the complex plane, in the circles of radius one and of the spectral radius."""
    radius = float(np.abs(values).max())
    angle = np.linspace(0.0, 2.0 * np.pi, 361)
    for size, color, style, label in ((1.0, TRUTH, "-", "unit circle"), (radius, MODEL, "--", f"spectral radius {radius:.4g}")):
        axes.plot(size * np.cos(angle), size * np.sin(angle), color=color, linestyle=style, linewidth=1.1, label=label)
    axes.plot(values.real, values.imag, linestyle="", marker="o", markersize=3.0, markeredgewidth=0.0, color=ERROR, alpha=0.6)
    reach = 1.06 * max(radius, 1.0)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="real part", ylabel="imaginary part")
    axes.set_title("eigenvalues")
    legend_above(axes)


def _pattern(axes: Axes, csr: sp.csr_array) -> None:
    """The matrix as an image; of a large one, each cell shows its largest weight."""
    units = csr.shape[0]
    side = min(units, CELLS)
    rows, columns = (index * side // units for index in csr.tocoo().coords)
    image = np.zeros((side, side))
    order = np.argsort(np.abs(csr.data), kind="stable")  # of several values for one cell, the last stays
    image[rows[order], columns[order]] = csr.data[order]
    most = float(np.abs(csr.data).max(initial=0.0)) or 1.0
    ends = (0.5, units + 0.5, units + 0.5, 0.5)
    axes.imshow(image, cmap=DIVERGING, vmin=-most, vmax=most, extent=ends)
    axes.set(xlabel="from unit", ylabel="to unit", title="W: the recurrent weights")
    axes.grid(False)
    axes.spines[:].set_visible(True)


def _histogram(axes: Axes, csr: sp.csr_array) -> None:
    """How the weights that are not zero are distributed."""
    weights = csr.data[csr.data != 0.0]
    axes.hist(weights, bins=30, color=ERROR, alpha=0.75)
    axes.set(xlabel="weight", ylabel="connections", title=f"{len(weights):,} connections")
