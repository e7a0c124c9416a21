"""Pictures of what several models predicted on the test split of one task, each beside what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.metrics import squared_correlations
from reservoir.plotting.comparison import Look, legend_on_top, looks
from reservoir.plotting.free_run_data import MOST_COLUMNS, FreeRun
from reservoir.plotting.style import DIVERGING, QUIET, TRUTH, bounded, finished, house_style, limits, new_figure, plain, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LAST = 320
LAST_OF_MANY = 80
MOST_SYMBOLS = 10
MOST_POINTS = 2000


def overlay_figure(
    task: Any, data: Any, predictions: Mapping[str, Any], captions: Mapping[str, str], labels: Sequence[str], title: str
) -> Figure:
    """The predictions of several models, one panel each, over the same part of the test split.

    Filters: the last steps; many outputs as maps; many lags as memory curves. Free runs: the forecast from the start in the
    middle of the ranking, and the median error of all starts over time. Labels: the share that is right of each class, or
    numbers over the ones asked for.

    Parameters
    ----------
    task : an object with the attributes of `reservoir.tasks.Task`
    data : what `task.generate` gave
    predictions : by model, what `task.predict` gave for `data.test`; none of a model that failed
    captions : by model, what to write above its panel
    labels : of all models, in the order of the comparison
    title : above the figure

    Raises `ParameterError` when matplotlib is missing.
    """
    chosen = {label: look for label, look in looks(labels).items() if label in predictions}
    with house_style():
        draw = {"filter": _filter, "free run": _free_run, "label": _label}[task.kind]
        figure: Figure = draw(task, data, predictions, captions, chosen, title)
        return finished(figure)


def _filter(task: Any, data: Any, predictions: Any, captions: Any, chosen: Mapping[str, Look], title: str) -> Figure:
    split = data.test
    truth = _rows(split.targets, split.washout)
    guesses = {label: bounded(_rows(predictions[label], split.washout), truth) for label in chosen}
    if "lags" in task.options():
        return _memory_curves(truth, guesses, captions, chosen, title)
    if truth.shape[1] > MOST_COLUMNS:
        shown = {label: guess[-LAST_OF_MANY:] for label, guess in guesses.items()}
        return _maps(truth[-LAST_OF_MANY:], shown, captions, "step", title)
    first = split.washout + max(len(truth) - LAST, 0)
    time = first + np.arange(min(len(truth), LAST))
    panels = {label: guess[-LAST:, 0] for label, guess in guesses.items()}
    figure, axes = _stack(panels, title)
    symbols = len(np.unique(truth[:, 0])) <= MOST_SYMBOLS
    ends = limits(truth[-LAST:, 0], *panels.values(), reach=0.3, margin=0.08)
    for one, (label, look) in zip(axes, chosen.items(), strict=True):
        _trace(one, time, truth[-LAST:, 0], panels[label], look.color, symbols)
        one.set_ylim(ends)
        one.set_title(plain(captions[label]), color=look.color, fontweight="bold")
        one.set_ylabel("output" if truth.shape[1] == 1 else f"output 1 of {truth.shape[1]}")
    axes[-1].set_xlabel("time step" if len(split.targets) == 1 else "step, sequences one after the other")
    return figure


def _rows(sequences: Any, washout: int) -> np.ndarray:
    """The scored rows (n, n_outputs) of all sequences, one after the other."""
    return np.concatenate([np.asarray(s, dtype=float).reshape(len(s), -1)[washout:] for s in sequences])


def _stack(panels: Mapping[str, Any], title: str, beneath: float = 0.0) -> tuple[Figure, list[Axes]]:
    """A panel for each model, one above the other on one time axis; with `beneath`, one more of that height in inches."""
    figure = new_figure(title, height=0.9 + 1.35 * len(panels) + beneath)
    heights = [1.35] * len(panels) + [beneath] * (beneath > 0.0)
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    axes = [figure.add_subplot(grid[0])]
    axes += [figure.add_subplot(grid[k], sharex=axes[0]) for k in range(1, len(heights))]
    for one in axes[:-1]:
        one.tick_params(labelbottom=False)
    return figure, axes


def _trace(axes: Axes, time: np.ndarray, truth: np.ndarray, guess: np.ndarray, color: str, symbols: bool) -> None:
    """The target in black and the prediction in the model's color; symbols as marks rather than lines."""
    if symbols:
        axes.plot(time, truth, color=TRUTH, linestyle="", marker="_", markersize=4.0, markeredgewidth=1.4)
        axes.plot(time, guess, color=color, linestyle="", marker="o", markersize=2.4, markeredgewidth=0.0)
    else:
        axes.plot(time, truth, color=TRUTH, linewidth=1.8, marker="o" if len(time) < 3 else None)
        axes.plot(time, guess, color=color, linewidth=1.0, marker="o" if len(time) < 3 else None)
    axes.margins(x=0.01)


def _memory_curves(truth: np.ndarray, guesses: Any, captions: Any, chosen: Mapping[str, Look], title: str) -> Figure:
    """Squared correlations over the lag, column k being lag k + 1."""
    figure = new_figure(title, height=4.0)
    axes = figure.add_subplot()
    lags = np.arange(1, truth.shape[1] + 1)
    for label, look in chosen.items():
        guess = np.stack([bounded(p, y) for p, y in zip(guesses[label].T, truth.T, strict=True)], axis=1)
        axes.plot(
            lags,
            squared_correlations(guess, truth),
            color=look.color,
            linestyle=look.line,
            linewidth=1.6,
            label=plain(captions[label]),
        )
    axes.set(xlabel="lag (steps)", ylabel="squared correlation", ylim=(0.0, 1.03), xlim=(0.0, len(lags) + 1.0))
    legend_on_top(axes)
    return figure


def _maps(truth: np.ndarray, guesses: Mapping[str, np.ndarray], captions: Any, unit: str, title: str) -> Figure:
    """Outputs (T, n_outputs) as maps of output over time: those asked for, then each model's."""
    panels = {"asked for": truth, **{captions[label]: guess for label, guess in guesses.items()}}
    figure, axes = _stack(panels, title)
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


def _free_run(task: Any, data: Any, predictions: Any, captions: Any, chosen: Mapping[str, Look], title: str) -> Figure:
    found = {label: FreeRun.of(task, data, predictions[label]) for label in chosen}
    run = next(iter(found.values()))
    ranking = np.argsort(sum(np.log(r.errors.mean(axis=1) + 1e-300) for r in found.values()), kind="stable")
    start = int(ranking[len(ranking) // 2])
    title += f", start {start + 1} of {len(ranking)}" if len(ranking) > 1 else ""
    if run.columns > MOST_COLUMNS:
        return _maps(
            run.truths[start], {label: r.forecasts[start] for label, r in found.items()}, captions, "forecast step", title
        )
    figure, axes = _stack(found, title, beneath=1.7)
    before = run.histories[start][-max(len(run.truths[start]) // 4, 1) :, 0]
    past = np.arange(1 - len(before), 1) * run.time_unit
    truth = np.concatenate([before, run.truths[start][:, 0]])
    ends = limits(truth, *[r.forecasts[start][:, 0] for r in found.values()], reach=0.3)
    for one, (label, r) in zip(axes, found.items(), strict=False):
        one.axvline(0.0, color=QUIET, linewidth=0.9)
        one.plot(np.concatenate([past, r.time]), truth, color=TRUTH, linewidth=1.8)
        forecast = np.concatenate([before[-1:], r.forecasts[start][:, 0]])
        one.plot(np.concatenate([past[-1:], r.time]), forecast, color=chosen[label].color, linewidth=1.0)
        one.set_ylim(ends)
        one.margins(x=0.01)
        one.set_ylabel(r.names[0], rotation=0 if len(r.names[0]) <= 2 else 90)
        one.set_title(plain(captions[label]), color=chosen[label].color, fontweight="bold")
    _errors(axes[-1], found, chosen)
    return figure


def _errors(axes: Axes, found: Mapping[str, FreeRun], chosen: Mapping[str, Look]) -> None:
    """The median error over all starts, for each model."""
    run = next(iter(found.values()))
    logarithmic = any(r.logarithmic for r in found.values())
    for label, r in found.items():
        middle = np.median(r.errors, axis=0)
        axes.plot(r.time, np.where(middle > 0.0, middle, np.nan) if logarithmic else middle, color=chosen[label].color,
                  linestyle=chosen[label].line, linewidth=1.4, marker="o" if len(middle) < 3 else None)  # fmt: skip
    if logarithmic:
        axes.set_yscale("log")
    most = max(float(np.median(r.errors, axis=0).max()) for r in found.values())
    axes.set_ylim(top=min(1.1 * most, 8.0 * run.size) or 1.0)
    axes.axvline(0.0, color=QUIET, linewidth=0.9)
    many = "median of all starts" if len(run.truths) > 1 else ""
    axes.set(xlabel=f"forecast time ({run.time_name})", ylabel=run.error_name, title=many)


def _label(task: Any, data: Any, predictions: Any, captions: Any, chosen: Mapping[str, Look], title: str) -> Figure:
    truth = np.asarray(data.test.targets)
    if truth.dtype.kind == "f":
        return _scatters(truth, predictions, captions, chosen, title)
    classes = np.unique(truth)
    figure = new_figure(title, height=3.6)
    axes = figure.add_subplot()
    places = np.arange(len(classes))
    for k, (label, look) in enumerate(chosen.items()):
        right = np.ravel(predictions[label]) == truth
        shares = [float(right[truth == one].mean()) for one in classes]
        offset = 0.5 * ((k + 0.5) / len(chosen) - 0.5)
        axes.plot(places + offset, shares, color=look.color, linestyle="", marker=look.marker, markersize=6.0, clip_on=False,
                  label=plain(captions[label]))  # fmt: skip
    named = thinned(len(classes), 30)
    axes.set_xticks(named, [plain(str(classes[k])) for k in named])
    axes.set(xlabel="true label", ylabel="share that is right", xlim=(-0.6, len(classes) - 0.4))
    axes.grid(axis="x", visible=False)
    legend_on_top(axes)
    return figure


def _scatters(truth: np.ndarray, predictions: Any, captions: Any, chosen: Mapping[str, Look], title: str) -> Figure:
    """Predicted numbers over the ones asked for, around the diagonal; of vectors, the first entry."""
    asked = truth.reshape(len(truth), -1)[:, 0]
    across = min(len(chosen), 4)
    down = -(-len(chosen) // across)
    figure = new_figure(title, height=0.6 + 2.5 * down)
    shown = thinned(len(asked), MOST_POINTS)
    for place, (label, look) in enumerate(chosen.items()):
        guess = bounded(np.asarray(predictions[label], dtype=float).reshape(len(truth), -1)[:, 0], asked)
        axes = figure.add_subplot(down, across, place + 1)
        ends = limits(asked)
        axes.plot(ends, ends, color=TRUTH, linewidth=0.9)
        axes.plot(asked[shown], guess[shown], linestyle="", marker="o", markersize=2.2, markeredgewidth=0.0, color=look.color,
                  alpha=0.4, rasterized=True)  # fmt: skip
        axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="asked for")
        axes.set_title(plain(captions[label]), color=look.color, fontweight="bold")
        if place % across == 0:
            axes.set_ylabel("predicted")
    return figure
