"""Pictures of filters: an output at every step of an input, against the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reservoir.metrics import squared_correlations
from reservoir.plotting.style import ERROR, MODEL, OTHERS, QUIET, TRUTH, bounded, legend_above, limits, new_figure, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LAST = 200
WHOLE = 320
LAST_SYMBOLS = 100
MOST_POINTS = 4000


def filter_picture(truth: np.ndarray, guess: np.ndarray, title: str, first: int = 0) -> Figure:
    """The last steps with the error beneath, and all outputs over their targets; both (T, n_outputs), row 0 being `first`.

    A short record is shown as a whole.
    """
    columns = range(min(truth.shape[1], 3))
    figure = new_figure(title, height=2.5 + 3.0 * len(columns))
    grid = figure.add_gridspec(2 * len(columns), 2, width_ratios=(2.1, 1.0), height_ratios=(2.8, 1.0) * len(columns))
    for column in columns:
        y, p = truth[:, column], bounded(guess[:, column], truth[:, column])
        name = "output" if truth.shape[1] == 1 else f"output {column + 1} of {truth.shape[1]}"
        above = figure.add_subplot(grid[2 * column, 0])
        beneath = figure.add_subplot(grid[2 * column + 1, 0], sharex=above)
        _trace(above, beneath, y, p, first, name)
        beneath.set_xlabel("time step")
        _scatter(figure.add_subplot(grid[2 * column, 1]), y, p, "time step")
        _error_histogram(figure.add_subplot(grid[2 * column + 1, 1], sharey=beneath), p - y, beneath.get_ylim())
    return figure


def _trace(above: Axes, beneath: Axes, y: np.ndarray, p: np.ndarray, first: int, name: str) -> None:
    """Target and prediction over the last steps, and their difference on its own scale."""
    start = len(y) - LAST if len(y) > WHOLE else 0
    time = first + np.arange(start, len(y))
    y, p = y[start:], p[start:]
    above.plot(time, y, color=TRUTH, label="target", linewidth=2.0, marker="o" if len(y) < 3 else None)
    above.plot(time, p, color=MODEL, label="prediction", linewidth=1.0, marker="o" if len(y) < 3 else None)
    above.set_ylim(limits(y, p))
    above.set_ylabel(name)
    above.tick_params(labelbottom=False)
    above.margins(x=0.01)
    legend_above(above)
    beneath.axhline(0.0, color=QUIET, linewidth=0.8)
    error = p - y
    beneath.fill_between(time, 0.0, error, color=ERROR, alpha=0.25, linewidth=0.0)
    beneath.plot(time, error, color=ERROR, linewidth=0.9)
    size = _error_size(y, error)
    beneath.set_ylim(-size, size)
    beneath.set_ylabel("error")


def number_picture(truth: np.ndarray, guess: np.ndarray, title: str) -> Figure:
    """Outputs over their targets, and the errors over the targets and by their size; both (n_sequences, n_outputs)."""
    columns = range(min(truth.shape[1], 3))
    figure = new_figure(title, height=1.0 + 4.5 * len(columns))
    grid = figure.add_gridspec(2 * len(columns), 2, width_ratios=(1.25, 1.0))
    for column in columns:
        y, p = truth[:, column], bounded(guess[:, column], truth[:, column])
        left = figure.add_subplot(grid[2 * column : 2 * column + 2, 0])
        _scatter(left, y, p, "sequence")
        if truth.shape[1] > 1:
            left.set_ylabel(f"prediction, output {column + 1} of {truth.shape[1]}")
        above, beneath = (figure.add_subplot(grid[2 * column + row, 1]) for row in (0, 1))
        chosen = thinned(len(y), MOST_POINTS)
        size = _error_size(y, p - y)
        above.axhline(0.0, color=QUIET, linewidth=0.8)
        above.plot(y[chosen], (p - y)[chosen], linestyle="", marker="o", markersize=2.2, markeredgewidth=0.0, color=ERROR,
                   alpha=0.4, rasterized=True)  # fmt: skip
        above.set(xlabel="target", ylabel="error", ylim=(-size, size))
        beneath.hist(np.clip(p - y, -size, size), bins=np.linspace(-size, size, 41).tolist(), color=ERROR, alpha=0.6)
        beneath.axvline(0.0, color=QUIET, linewidth=0.8)
        beneath.set(xlabel="error", ylabel="sequences")
    return figure


def _error_size(y: np.ndarray, error: np.ndarray) -> float:
    """Half the height of an axis for errors: it holds all, but of large ones no more than twice the range of the targets."""
    span = float(np.ptp(y)) or 1.0
    return 1.1 * min(float(np.abs(error).max()), 2.0 * span) or 1e-16


def _scatter(axes: Axes, y: np.ndarray, p: np.ndarray, unit: str) -> None:
    """Predictions over targets, around the diagonal."""
    chosen = thinned(len(y), MOST_POINTS)
    ends = limits(y, p)
    axes.plot(ends, ends, color=TRUTH, linewidth=0.9)
    axes.plot(y[chosen], p[chosen], linestyle="", marker="o", markersize=2.2, markeredgewidth=0.0, color=MODEL, alpha=0.4,
              rasterized=True)  # fmt: skip
    axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="target", ylabel="prediction")
    axes.set_title(f"{len(y):,} {unit}s" if len(chosen) == len(y) else f"{len(chosen):,} of {len(y):,} {unit}s")


def _error_histogram(axes: Axes, errors: np.ndarray, ends: tuple[float, float]) -> None:
    """How often which error occurred, on the axis of the errors in time; those beyond it count in the last bins."""
    axes.hist(np.clip(errors, *ends), bins=np.linspace(*ends, 41).tolist(), orientation="horizontal", color=ERROR, alpha=0.6)
    axes.axhline(0.0, color=QUIET, linewidth=0.8)
    axes.tick_params(labelleft=False)
    axes.set_xlabel("count")


def symbol_picture(truth: np.ndarray, guess: np.ndarray, title: str, first: int = 0) -> Figure:
    """Outputs (T,) that stand for one of a few symbols (T,): the last ones in time, and all of them by the symbol sent."""
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
    start = max(len(truth) - LAST_SYMBOLS, 0)
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


def memory_picture(truth: np.ndarray, guess: np.ndarray, title: str) -> Figure:
    """Squared correlation over the lag, column k being lag k + 1, and three of the reconstructions; both (T, lags)."""
    guess = np.stack([bounded(p, y) for p, y in zip(guess.T, truth.T, strict=True)], axis=1)
    curve = squared_correlations(guess, truth)
    figure = new_figure(title)
    grid = figure.add_gridspec(1, 2, width_ratios=(1.6, 1.0))
    axes = figure.add_subplot(grid[0])
    memory_curve(axes, curve)
    chosen = _telling_lags(curve)
    right = grid[1].subgridspec(len(chosen), 1)
    for place, (column, color) in enumerate(zip(chosen, (OTHERS[0], OTHERS[2], OTHERS[3]), strict=False)):
        axes.plot([column + 1], [curve[column]], marker="o", markersize=7.0, color=color, zorder=4, clip_on=False)
        panel = figure.add_subplot(right[place])
        start = max(len(truth) - 60, 0)
        time = np.arange(start, len(truth))
        panel.plot(time, truth[start:, column], color=TRUTH, linewidth=1.8, label="input")
        panel.plot(time, guess[start:, column], color=color, linewidth=1.0, label="output")
        panel.set_ylim(limits(truth[start:, column], guess[start:, column], reach=0.2))
        panel.set_title(f"lag {column + 1}: {curve[column]:.3g}", color=color, fontweight="bold")
        panel.locator_params(axis="x", nbins=4)
        panel.tick_params(labelbottom=place == len(chosen) - 1)
        if place == 0:
            legend_above(panel)
    panel.set_xlabel("scored time step")
    return figure


def memory_curve(axes: Axes, curve: np.ndarray) -> None:
    """Squared correlations (lags,) over the lag, their sum in the legend."""
    lags = np.arange(1, len(curve) + 1)
    axes.fill_between(lags, 0.0, curve, color=ERROR, alpha=0.2, linewidth=0.0)
    axes.plot(lags, curve, color=ERROR, marker="o" if len(curve) < 3 else None, label=f"memory capacity (sum) {curve.sum():.4g}")
    axes.set(xlabel="lag (steps)", ylabel="squared correlation", ylim=(0.0, 1.03), xlim=(0.0, len(curve) + 1.0))
    legend_above(axes)


def _telling_lags(curve: np.ndarray) -> list[int]:
    """The first lag, the one whose correlation is nearest to a half, and the last, as columns."""
    return sorted({0, int(np.abs(curve - 0.5).argmin()), len(curve) - 1})
