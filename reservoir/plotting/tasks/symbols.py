"""Pictures of outputs that stand for symbols: each number is a symbol, or each symbol has an output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.style import CLOUD, ERROR, MODEL, QUIET, TRUTH, bounded, legend_above, limits, new_figure, thinned
from reservoir.plotting.tasks.series import MOST_POINTS, Overlay, both_scored, overlaid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LAST = 100
MOST_STRINGS = 3
MOST_SYMBOLS = 12
"""The most symbols that each have a tick."""


def draw_symbols(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """Draw the last outputs over time, and all outputs by the symbol sent."""
    truth, guess = (values[:, 0] for values in both_scored(data.test, predictions))
    symbols, sent = np.unique(truth, return_inverse=True)
    guess = bounded(guess, truth)
    borders = (symbols[1:] + symbols[:-1]) / 2.0
    wrong = np.searchsorted(borders, guess) != sent
    figure = new_figure(title)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2.1, 1.0))
    for axes in (left, right):
        axes.grid(False)
        for border in borders:
            axes.axhline(border, color=QUIET, linewidth=0.8, linestyle=":")
    _symbols_in_time(left, truth, guess, wrong, data.test.washout)
    _symbols_by_sent(right, symbols, sent, guess, wrong)
    left.set(yticks=symbols, ylim=limits(truth, guess, margin=0.1))
    return figure


def _symbols_in_time(axes: Axes, truth: np.ndarray, guess: np.ndarray, wrong: np.ndarray, first: int) -> None:
    start = max(len(truth) - LAST, 0)
    time = first + np.arange(start, len(truth))
    y, p, bad = truth[start:], guess[start:], wrong[start:]
    axes.vlines(time, y, p, color=QUIET, linewidth=0.7)
    axes.plot(time, y, color=TRUTH, linestyle="", marker="_", markersize=5.5, markeredgewidth=1.4, label="symbol asked for")
    axes.plot(time, p, color=ERROR, linestyle="", marker="o", markersize=3.0, label="output")
    if wrong.any():
        axes.plot(time[bad], p[bad], color=MODEL, linestyle="", marker="X", markersize=6.0, label="output nearer to another")
    axes.set(xlabel="time step", ylabel="output", title=f"the last {len(time)} steps")
    axes.margins(x=0.01)
    legend_above(axes)


def _symbols_by_sent(axes: Axes, symbols: np.ndarray, sent: np.ndarray, guess: np.ndarray, wrong: np.ndarray) -> None:
    """Draw a strip of dots for each symbol: all mistakes, and the others thinned."""
    aside = np.random.default_rng(0).uniform(-0.32, 0.32, len(sent))
    right, bad = np.flatnonzero(~wrong), np.flatnonzero(wrong)
    for chosen, color, size, alpha in ((right[thinned(len(right), MOST_POINTS)], ERROR, 2.0, 0.35), (bad, MODEL, 3.5, 0.9)):
        look = {**CLOUD, "markersize": size, "alpha": alpha, "color": color}
        axes.plot(sent[chosen] + aside[chosen], guess[chosen], **look)
    axes.hlines(symbols, np.arange(len(symbols)) - 0.4, np.arange(len(symbols)) + 0.4, color=TRUTH, linewidth=1.4)
    axes.set_xticks(range(len(symbols)), [f"{symbol:g}".replace("-", "\N{MINUS SIGN}") for symbol in symbols])
    axes.set(xlabel="symbol asked for", title=f"{len(bad):,} of {len(sent):,} nearer to another symbol")


def overlay_symbols(shown: Overlay) -> Figure:
    """Draw the last outputs of every model as marks, over the symbols asked for."""
    marks = {"linestyle": "", "marker": "o", "markersize": 2.4, "markeredgewidth": 0.0}
    figure = overlaid(shown, {**marks, "marker": "_", "markersize": 4.0, "markeredgewidth": 1.4}, marks)
    symbols = np.unique(shown.scored()[0][:, 0])
    for axes in figure.axes if len(symbols) <= MOST_SYMBOLS else ():
        axes.set_yticks(symbols)
    return figure


def draw_legal_symbols(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """Draw outputs (T_i, n_symbols) with the legal symbols marked, and the margins of all steps.

    Shown are the first strings with a wrong step, or just the first strings. The task has `symbols` (their names),
    `legal(inputs)` (boolean, of the shape of the outputs) and `right(predictions, data)` (boolean (T_i,) for each string).
    """
    symbols, inputs = task.symbols, data.test.inputs
    legal, right = task.legal(inputs), task.right(predictions, data)
    outputs = [bounded(np.asarray(output, dtype=float), np.array([0.0, 1.0])) for output in predictions]
    wrong = [index for index, steps in enumerate(right) if not steps.all()]
    figure = new_figure(title, height=7.0)
    chosen = (wrong or list(range(len(outputs))))[:MOST_STRINGS]
    grid = figure.add_gridspec(len(chosen), 2, width_ratios=(1.7, 1.0))
    for place, index in enumerate(chosen):
        axes = figure.add_subplot(grid[place, 0])
        _outputs(axes, symbols, inputs[index], outputs[index], legal[index], right[index])
        axes.set_title(f"string {index + 1}" + (": a step is wrong where its symbol is orange" if wrong and not place else ""))
    axes.set_xlabel("symbol read; dots: symbols that may come next")
    figure.colorbar(axes.images[0], ax=figure.axes, location="bottom", pad=0.02, aspect=50, label="output")
    axes = figure.add_subplot(grid[:, 1])
    _margins(axes, np.concatenate(outputs), np.concatenate(legal), np.concatenate(right))
    axes.set_title(f"{len(outputs) - len(wrong):,} of {len(outputs):,} strings right")
    return figure


def _outputs(axes: Axes, symbols: str, string: np.ndarray, output: np.ndarray, legal: np.ndarray, right: np.ndarray) -> None:
    axes.imshow(output.T, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    axes.plot(*np.argwhere(legal).T, linestyle="", marker="o", markersize=4.0, markerfacecolor="white", color=TRUTH)
    axes.grid(False)
    axes.set_xticks(range(len(string)), [symbols[code] for code in string.argmax(axis=1)])
    axes.set_yticks(range(len(symbols)), list(symbols))
    for tick, well in zip(axes.get_xticklabels(), right, strict=True):
        if not well:
            tick.set(color=MODEL, fontweight="bold")
    axes.set_ylabel("symbol")


def _margins(axes: Axes, outputs: np.ndarray, legal: np.ndarray, right: np.ndarray) -> None:
    """Count the margins at right steps and at wrong ones; those beyond the axis count in its last bins."""
    margins = np.where(legal, outputs, np.inf).min(axis=1) - np.where(legal, -np.inf, outputs).max(axis=1)
    bins = np.linspace(-1.0, 1.0, 41).tolist()
    for steps, color, name in ((right, ERROR, "right step"), (~right, MODEL, "wrong step")):
        axes.hist(np.clip(margins[steps], -1.0, 1.0), bins=bins, color=color, alpha=0.7, label=name)
    axes.legend(loc="upper left")
    axes.axvline(0.0, color=QUIET, linewidth=0.8)
    axes.set_yscale("symlog", linthresh=10.0)
    axes.set(xlabel="least legal output \N{MINUS SIGN} largest illegal", ylabel="steps", xlim=(-1.05, 1.05))
