"""The picture of a label at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.style import ERROR, MODEL, new_figure
from reservoir.plotting.tasks.labels import confusion_matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_SEQUENCES = 40
LAST = 60


def draw_step_labels(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """Confusion matrix, share of right labels at each step, and which steps of which sequences are right.

    Of long sequences the last steps are shown.
    """
    first = data.test.washout
    truths, guesses = ([np.ravel(s)[first:] for s in part] for part in (data.test.targets, predictions))
    figure = new_figure(title)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.2, 1.0))
    confusion_matrix(figure.add_subplot(grid[:, 0]), np.concatenate(truths), np.concatenate(guesses))
    right = np.full((len(truths), max(map(len, truths))), np.nan)
    for row, truth, guess in zip(right, truths, guesses, strict=True):
        row[: len(truth)] = truth == guess
    start = max(right.shape[1] - LAST, 0)
    steps = first + np.arange(start, right.shape[1])
    above = figure.add_subplot(grid[0, 1])
    above.plot(steps, np.nanmean(right[:, start:], axis=0), color=ERROR, marker="o", markersize=3.0)
    above.set(ylim=(-0.03, 1.03), ylabel="share right", title=f"all {len(truths):,} sequences")
    _right_or_wrong(figure.add_subplot(grid[1, 1], sharex=above), right[:MOST_SEQUENCES, start:], steps)
    return figure


def _right_or_wrong(axes: Axes, right: np.ndarray, steps: np.ndarray) -> None:
    """A row per sequence and a cell per step: right ones blue, mistakes orange, none where the sequence is over."""
    from matplotlib.colors import ListedColormap

    extent = (steps[0] - 0.5, steps[-1] + 0.5, len(right) - 0.5, -0.5)
    axes.imshow(np.ma.masked_invalid(right), cmap=ListedColormap([MODEL, ERROR]), vmin=0.0, vmax=1.0, alpha=0.75,
                aspect="auto", interpolation="nearest", extent=extent)  # fmt: skip
    axes.grid(False)
    axes.locator_params(integer=True)
    axes.set(xlabel="time step", ylabel="sequence", title=f"the first {len(right)}: blue right, orange wrong")
