"""The picture of numbers or vectors, one per sequence, over their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.style import CLOUD, ERROR, QUIET, TRUTH, bounded, headed, limits, new_figure, thinned
from reservoir.plotting.tasks.series import MOST_POINTS, Overlay, error_histogram, error_size, over_targets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_OF_SEVERAL = 2000
"""Points of each of several models."""


def draw_numbers(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """Outputs over their targets, and the errors over the targets and by their size."""
    truth, guess = (np.asarray(part, dtype=float).reshape(len(part), -1) for part in (data.test.targets, predictions))
    columns = range(min(truth.shape[1], 3))
    figure = new_figure(title, height=1.0 + 4.5 * len(columns))
    grid = figure.add_gridspec(2 * len(columns), 2, width_ratios=(1.25, 1.0))
    for column in columns:
        y, p = truth[:, column], bounded(guess[:, column], truth[:, column])
        left = figure.add_subplot(grid[2 * column : 2 * column + 2, 0])
        over_targets(left, y, p, "sequence")
        if truth.shape[1] > 1:
            left.set_ylabel(f"prediction, output {column + 1} of {truth.shape[1]}")
        above, beneath = (figure.add_subplot(grid[2 * column + row, 1]) for row in (0, 1))
        chosen = thinned(len(y), MOST_POINTS)
        size = error_size(y, p - y)
        above.axhline(0.0, color=QUIET, linewidth=0.8)
        above.plot(y[chosen], (p - y)[chosen], **CLOUD, color=ERROR)
        above.set(xlabel="target", ylabel="error", ylim=(-size, size))
        error_histogram(beneath, p - y, (-size, size), "vertical")
        beneath.set(xlabel="error", ylabel="sequences")
    return figure


def overlay_numbers(shown: Overlay) -> Figure:
    """The predicted numbers of every model over the ones asked for, around the diagonal; of vectors, the first entry."""
    truth = np.asarray(shown.data.test.targets, dtype=float)
    asked = truth.reshape(len(truth), -1)[:, 0]
    across = min(len(shown.looks), 4)
    down = -(-len(shown.looks) // across)
    figure = new_figure(shown.title, height=0.6 + 2.5 * down)
    drawn = thinned(len(asked), MOST_OF_SEVERAL)
    for place, (label, look) in enumerate(shown.looks.items()):
        guess = bounded(np.asarray(shown.predictions[label], dtype=float).reshape(len(truth), -1)[:, 0], asked)
        axes = figure.add_subplot(down, across, place + 1)
        ends = limits(asked)
        axes.plot(ends, ends, color=TRUTH, linewidth=0.9)
        axes.plot(asked[drawn], guess[drawn], **CLOUD, color=look.color)
        axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="asked for")
        headed(axes, shown.captions[label], look.color)
        if place % across == 0:
            axes.set_ylabel("predicted")
    return figure
