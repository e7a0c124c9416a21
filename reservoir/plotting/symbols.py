"""Pictures of symbols at every step: labels that are right or wrong, and outputs for all that may come next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reservoir.plotting.labels import confusion_matrix
from reservoir.plotting.style import ERROR, MODEL, QUIET, TRUTH, bounded, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_SEQUENCES = 40
LAST = 60
SHOWN = 3


def step_label_picture(truths: list[np.ndarray], guesses: list[np.ndarray], title: str, first: int = 0) -> Figure:
    """Labels (T_i,) per step: confusion matrix, share of right ones at each step, and which steps of which sequences are.

    Row 0 is step `first`; of long sequences the last steps are shown.
    """
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


def legal_picture(
    symbols: Sequence[str],
    inputs: list[np.ndarray],
    outputs: list[np.ndarray],
    legal: list[np.ndarray],
    right: list[np.ndarray],
    title: str,
) -> Figure:
    """Outputs (T_i, n_symbols) for the symbols that may come next, with the legal ones marked, and the margins of all steps.

    Shown are the first strings with a wrong step, or just the first strings; `inputs` are one-hot, `legal` boolean, both of
    the shape of the outputs; `right` (T_i,) says which steps are.
    """
    outputs = [bounded(output, np.array([0.0, 1.0])) for output in outputs]
    wrong = [index for index, steps in enumerate(right) if not steps.all()]
    figure = new_figure(title, height=7.0)
    chosen = (wrong or list(range(len(outputs))))[:SHOWN]
    grid = figure.add_gridspec(len(chosen), 2, width_ratios=(1.7, 1.0))
    for place, index in enumerate(chosen):
        axes = figure.add_subplot(grid[place, 0])
        _outputs(axes, symbols, inputs[index], outputs[index], legal[index], right[index])
        axes.set_title(f"string {index + 1}" + (": a step is wrong where its symbol is orange" if wrong and not place else ""))
    axes.set_xlabel("symbol read; dots: symbols that may come next")
    axes = figure.add_subplot(grid[:, 1])
    _margins(axes, np.concatenate(outputs), np.concatenate(legal), np.concatenate(right))
    axes.set_title(f"{len(outputs) - len(wrong):,} of {len(outputs):,} strings right")
    return figure


def _outputs(
    axes: Axes, symbols: Sequence[str], string: np.ndarray, output: np.ndarray, legal: np.ndarray, right: np.ndarray
) -> None:
    axes.imshow(output.T, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    axes.plot(*np.argwhere(legal).T, linestyle="", marker="o", markersize=4.0, markerfacecolor="white", color=TRUTH)
    axes.grid(False)
    axes.set_xticks(range(len(string)), [symbols[code] for code in string.argmax(axis=1)])
    axes.set_yticks(range(len(symbols)), list(symbols))
    for tick, well in zip(axes.get_xticklabels(), right, strict=True):
        if not well:
            tick.set(color=MODEL, fontweight="bold")
    axes.set_ylabel("output")


def _margins(axes: Axes, outputs: np.ndarray, legal: np.ndarray, right: np.ndarray) -> None:
    """How often which margin occurred, at right steps and at wrong ones; those beyond the axis count in its last bins."""
    margins = np.where(legal, outputs, np.inf).min(axis=1) - np.where(legal, -np.inf, outputs).max(axis=1)
    bins = np.linspace(-1.0, 1.0, 41).tolist()
    for steps, color in ((right, ERROR), (~right, MODEL)):
        axes.hist(np.clip(margins[steps], -1.0, 1.0), bins=bins, color=color, alpha=0.7)
    axes.axvline(0.0, color=QUIET, linewidth=0.8)
    axes.set_yscale("symlog", linthresh=10.0)
    axes.set(xlabel="least legal output \N{MINUS SIGN} largest illegal", ylabel="steps", xlim=(-1.05, 1.05))
