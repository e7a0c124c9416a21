"""The picture of a reservoir before anything is trained: its eigenvalues, its memory, its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reservoir.echo.reservoir import Reservoir
from reservoir.echo.topology import as_csr
from reservoir.plotting.filters import memory_curve
from reservoir.plotting.style import DIVERGING, ERROR, MODEL, QUIET, TRUTH, finished, house_style, legend_above, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_EIGENVALUES = 2000
CELLS = 200


def inspect_figure(reservoir: Reservoir, curve: np.ndarray, title: str) -> Figure:
    """The eigenvalues of W (up to 2,000 units), the memory curve, and W itself with a histogram of its weights.

    Parameters
    ----------
    reservoir : what `ESN(...).build(n_inputs).reservoir_` gives
    curve : (lags,) squared correlations at lags 1, 2, ..., as `diagnostics.memory_curve` gives them
    title : above the figure

    Raises `ParameterError` when matplotlib is missing.
    """
    csr = as_csr(reservoir.matrix)
    with house_style():
        figure = new_figure(title, height=6.0)
        small = reservoir.units <= MOST_EIGENVALUES
        grid = figure.add_gridspec(1, 2 if small else 1, width_ratios=(1.15, 1.0) if small else None)
        if small:
            _eigenvalues(figure.add_subplot(grid[0]), np.linalg.eigvals(csr.toarray()))
        rows = grid[-1].subgridspec(2, 1, height_ratios=(1.0, 1.0))
        memory_curve(figure.add_subplot(rows[0]), np.asarray(curve))
        lower = rows[1].subgridspec(1, 2)
        rows_, columns = csr.tocoo().coords
        _pattern(figure.add_subplot(lower[0]), rows_, columns, csr.data, reservoir.units)
        _histogram(figure.add_subplot(lower[1]), csr.data, reservoir.units)
        return finished(figure)
