"""The picture of an output for every symbol that may come next, at every step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.style import ERROR, MODEL, QUIET, TRUTH, bounded, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = 3


def draw_legal_symbols(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """Outputs (T_i, n_symbols) with the legal symbols marked, and the margins of all steps.

    Shown are the first strings with a wrong step, or just the first strings. The task has `symbols` (their names),
    `legal(inputs)` (boolean, of the shape of the outputs) and `right(predictions, data)` (boolean (T_i,) for each string).
    """
    symbols, inputs = task.symbols, data.test.inputs
    legal, right = task.legal(inputs), task.right(predictions, data)
    outputs = [bounded(np.asarray(output, dtype=float), np.array([0.0, 1.0])) for output in predictions]
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
