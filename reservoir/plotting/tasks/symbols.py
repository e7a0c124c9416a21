"""The picture of outputs at every step that stand for one of a few symbols, which are numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.style import ERROR, MODEL, QUIET, TRUTH, bounded, legend_above, limits, new_figure, thinned
from reservoir.plotting.tasks.overlay import Overlay
from reservoir.plotting.tasks.series import MOST_POINTS, both_scored, overlaid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LAST = 100


def draw_symbols(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """The last outputs in time, and all of them by the symbol sent."""
    truth, guess = (values[:, 0] for values in both_scored(data.test, predictions))
    first = data.test.washout
    symbols, sent = np.unique(truth, return_inverse=True)
    guess = bounded(guess, truth)
    borders = (symbols[1:] + symbols[:-1]) / 2.0
    wrong = np.searchsorted(borders, guess) != sent
    figure = new_figure(title)
    grid = figure.add_gridspec(1, 2, width_ratios=(2.1, 1.0))
    left = figure.add_subplot(grid[0])
    right = figure.add_subplot(grid[1], sharey=left)
    for axes in (left, right):
        axes.grid(False)
        for border in borders:
            axes.axhline(border, color=QUIET, linewidth=0.8, linestyle=":")
    _symbols_in_time(left, truth, guess, wrong, first)
    _symbols_by_sent(right, symbols, sent, guess, wrong)
    left.set_yticks(symbols)
    left.set_ylim(limits(truth, guess, margin=0.1))
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
    """A strip of dots for each symbol; the mistakes all drawn, the rest thinned."""
    aside = np.random.default_rng(0).uniform(-0.32, 0.32, len(sent))
    right, bad = np.flatnonzero(~wrong), np.flatnonzero(wrong)
    shown = right[thinned(len(right), MOST_POINTS)] if len(right) else right
    for chosen, color, size, alpha in ((shown, ERROR, 2.0, 0.35), (bad, MODEL, 3.5, 0.9)):
        axes.plot(sent[chosen] + aside[chosen], guess[chosen], linestyle="", marker="o", markersize=size, markeredgewidth=0.0,
                  color=color, alpha=alpha, rasterized=True)  # fmt: skip
    axes.hlines(symbols, np.arange(len(symbols)) - 0.4, np.arange(len(symbols)) + 0.4, color=TRUTH, linewidth=1.4)
    axes.set_xticks(range(len(symbols)), [f"{symbol:g}".replace("-", "\N{MINUS SIGN}") for symbol in symbols])
    axes.tick_params(labelleft=False)
    axes.set(xlabel="symbol asked for", title=f"{len(bad):,} of {len(sent):,} nearer to another symbol")


def overlay_symbols(shown: Overlay) -> Figure:
    """The last outputs of every model as marks, over the symbols asked for."""
    return overlaid(shown, marks=True)
