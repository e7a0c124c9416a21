"""What the pictures of several models on one task have in common: panels one above the other, and maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from reservoir.plotting.style import DIVERGING, Look, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Overlay(NamedTuple):
    """What several models predicted on the test split of a task.

    Attributes
    ----------
    task, data : the task and what its `generate` gave
    predictions : for each model that did not fail, by its label
    captions, looks : for each of these, what to write above its panel, and how it is drawn
    title : above the figure
    """

    task: Any
    data: Any
    predictions: Mapping[str, Any]
    captions: Mapping[str, str]
    looks: Mapping[str, Look]
    title: str


def scored_rows(sequences: Any, washout: int) -> np.ndarray:
    """The scored rows (n, n_outputs) of all sequences, one after the other."""
    return np.concatenate([np.asarray(s, dtype=float).reshape(len(s), -1)[washout:] for s in sequences])


def stacked(panels: Mapping[str, Any], title: str, beneath: float = 0.0) -> tuple[Figure, list[Axes]]:
    """A panel for each model, one above the other on one time axis; with `beneath`, one more of that height in inches."""
    figure = new_figure(title, height=0.9 + 1.35 * len(panels) + beneath)
    heights = [1.35] * len(panels) + [beneath] * (beneath > 0.0)
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    axes = [figure.add_subplot(grid[0])]
    axes += [figure.add_subplot(grid[k], sharex=axes[0]) for k in range(1, len(heights))]
    for one in axes[:-1]:
        one.tick_params(labelbottom=False)
    return figure, axes


def maps(truth: np.ndarray, guesses: Mapping[str, np.ndarray], captions: Mapping[str, str], unit: str, title: str) -> Figure:
    """Outputs (T, n_outputs) as maps of output over time: those asked for, then each model's."""
    panels = {"asked for": truth, **{captions[label]: guess for label, guess in guesses.items()}}
    figure, axes = stacked(panels, title)
    low, high = float(truth.min()), float(truth.max())
    if low < 0.0 < high:
        high = max(-low, high)
        low = -high
    for one, (name, values) in zip(axes, panels.items(), strict=True):
        image = one.imshow(values.T, aspect="auto", cmap=DIVERGING if low < 0.0 else "Greys", vmin=low, vmax=high,
                           interpolation="nearest", origin="lower")  # fmt: skip
        one.set(title=plain(name), ylabel="output")
        one.grid(False)
    figure.colorbar(image, ax=axes, pad=0.01, aspect=40)
    axes[-1].set_xlabel(unit)
    return figure
