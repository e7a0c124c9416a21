"""Pictures of labels, one per sequence or one per step: which was taken for which, and where the mistakes are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from reservoir.plotting.style import ERROR, MODEL, TRUTH, legend_on_top, new_figure, plain, thinned
from reservoir.plotting.tasks.series import Overlay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

MOST_COUNTED, MOST_NAMED, MOST_LETTERS = 20, 25, 60
"""The most classes whose counts are written, classes that are all named, and letters of names that lie side by side."""
MOST_LINES, MOST_SEQUENCES, LAST = 3, 40, 60
"""The most features drawn as lines, and the sequences and last steps drawn as cells."""


def draw_labels(task: Any, data: Any, predictions: Any, title: str, images: bool = False) -> Figure:
    """Draw the confusion matrix of a label per sequence, and some sequences whose label is wrong.

    A sequence is drawn as a square image (`images`), as lines, or as a map where features are many.
    """
    inputs, truth, guess = data.test.inputs, np.asarray(data.test.targets), np.ravel(predictions)
    names = data.info.get("classes", ())
    figure = new_figure(title)
    left, right = cast("Sequence[SubFigure]", figure.subfigures(1, 2, width_ratios=(1.35, 1.0)))
    confusion_matrix(left.add_subplot(), truth, guess, names)
    wrong = np.flatnonzero(truth != guess)
    across, down = (3, 3) if images else (1, 4)
    chosen = (wrong if len(wrong) else np.arange(len(truth)))[: across * down]
    heading = f"{len(wrong)} of {len(truth)} wrong" if len(wrong) else f"all {len(truth)} right"
    first = f"; the first {len(chosen)}" if len(chosen) < (len(wrong) or len(truth)) else ""
    right.suptitle(heading + first, fontsize=9.5, fontweight="normal")
    grid = right.add_gridspec(down, across)
    drawn = [np.asarray(inputs[index]) for index in chosen]
    ends = (min(float(one.min()) for one in drawn), max(float(one.max()) for one in drawn))
    for place, index in enumerate(chosen):
        axes = right.add_subplot(grid[place // across, place % across])
        _sequence(axes, drawn[place], images, ends)
        asked, given = (named(label, names) for label in (truth[index], guess[index]))
        name = f"{asked}, taken for {given}" if len(wrong) else f"label {asked}"
        axes.set_title(plain(name), fontsize=8.5)
        if not images and place == len(chosen) - 1:
            axes.set_xlabel("time step")
    if axes.images and not images:
        right.colorbar(axes.images[0], ax=right.axes, location="right", pad=0.01, aspect=50, label="input")
    return figure


draw_images = partial(draw_labels, images=True)


def named(label: Any, names: Sequence[str]) -> str:
    """The name of a label, where it has one."""
    return names[int(label)] if isinstance(label, np.integer) and 0 <= label < len(names) else str(label)


def confusion_matrix(axes: Axes, truth: np.ndarray, guess: np.ndarray, names: Sequence[str] = ()) -> None:
    """Draw the counts of (true, predicted) pairs with the accuracy of each row; the color is their share of the row."""
    classes = np.unique(np.concatenate([truth, guess]))
    count = len(classes)
    counts = np.zeros((count, count), dtype=int)
    np.add.at(counts, (np.searchsorted(classes, truth), np.searchsorted(classes, guess)), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    _shades(axes, np.where(np.eye(count, dtype=bool), shares, -shares))
    if count <= MOST_COUNTED:
        _counts(axes, counts, shares)
    marked = np.arange(count) if count <= MOST_NAMED else thinned(count, MOST_COUNTED)
    texts = [plain(named(label, names)) for label in classes[marked]]
    long = sum(map(len, texts)) > MOST_LETTERS
    axes.set_xticks(marked, texts, rotation=90.0 if long else 0.0)
    axes.set_yticks(marked, texts)
    axes.set(xlabel="predicted label", ylabel="true label")
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(np.arange(count - 1) + 0.5, minor=True)
    axes.grid(which="minor")
    axes.tick_params(which="minor", length=0)


def _shades(axes: Axes, shares: np.ndarray) -> None:
    """Draw shares of a row, mistakes as negative ones: right ones blue, mistakes orange, both on the scale of one color bar.

    The scale is that of the square root, so that a few mistakes among many are seen.
    """
    from matplotlib.colors import FuncNorm, LinearSegmentedColormap

    root = FuncNorm((lambda x: np.sign(x) * np.sqrt(np.abs(x)), lambda y: np.sign(y) * y**2), -1.0, 1.0)
    colors = LinearSegmentedColormap.from_list("wrong or right", [MODEL, "white", ERROR])
    image = axes.imshow(np.ma.masked_equal(shares, 0.0), cmap=colors, norm=root, aspect="auto")
    figure = axes.figure
    assert figure is not None  # for the type checker
    ends = (-1.0, -0.5, -0.1, 0.0, 0.1, 0.5, 1.0)
    bar = figure.colorbar(image, ax=axes, location="bottom", pad=0.02, aspect=40, ticks=ends)
    bar.ax.set_xticklabels([f"{abs(end):.0%}" for end in ends])
    bar.set_label("wrong   \N{LEFTWARDS ARROW}   share of the true label   \N{RIGHTWARDS ARROW}   right")
    bar.outline.set_visible(False)


def _counts(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    """Write the counts into their cells, and beside each row the share of it that is right."""
    for row, column in np.argwhere(counts > 0):
        color = "white" if shares[row, column] > 0.4 else TRUTH
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=8.5, color=color)
    edge = len(counts) - 0.4
    for row, total in enumerate(counts.sum(axis=1)):
        share = f"{shares[row, row]:.0%}" if total else "none"
        axes.text(edge, row, share, ha="left", va="center", fontsize=8.5, color=ERROR)
    axes.annotate("right", (edge, -0.5), xytext=(0, 4), textcoords="offset points", fontsize=8.5, color=ERROR,
                  annotation_clip=False)  # fmt: skip


def _sequence(axes: Axes, sequence: np.ndarray, image: bool, ends: tuple[float, float]) -> None:
    """Draw a sequence as an image, as a map with the ends of its scale, or as lines."""
    side = int(np.sqrt(sequence.size))
    if image and side * side == sequence.size:
        axes.imshow(sequence.reshape(side, side), cmap="gray_r")
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
        axes.spines[:].set_visible(True)
    elif sequence.shape[-1] > MOST_LINES:
        axes.imshow(sequence.T, cmap="gray_r", vmin=ends[0], vmax=ends[1], aspect="auto", origin="lower", interpolation="nearest")
        axes.set(yticks=[], ylabel="feature")
        axes.grid(False)
    else:
        axes.plot(sequence, linewidth=1.1, color=ERROR if sequence.shape[-1] == 1 else None)
        axes.margins(x=0.01)


def draw_step_labels(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """Draw the confusion matrix, the share of right labels at each step, and which steps of which sequences are right.

    Of long sequences the last steps are shown.
    """
    first = data.test.washout
    truths, guesses = ([np.ravel(s)[first:] for s in part] for part in (data.test.targets, predictions))
    figure = new_figure(title)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.2, 1.0))
    names = data.info.get("classes", ())
    confusion_matrix(figure.add_subplot(grid[:, 0]), np.concatenate(truths), np.concatenate(guesses), names)
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
    """Draw a row per sequence and a cell per step: right ones blue, mistakes orange, none after the end of the sequence."""
    from matplotlib.colors import ListedColormap

    extent = (steps[0] - 0.5, steps[-1] + 0.5, len(right) - 0.5, -0.5)
    axes.imshow(np.ma.masked_invalid(right), cmap=ListedColormap([MODEL, ERROR]), vmin=0.0, vmax=1.0, alpha=0.75,
                aspect="auto", interpolation="nearest", extent=extent)  # fmt: skip
    axes.grid(False)
    axes.locator_params(integer=True)
    axes.set(xlabel="time step", ylabel="sequence", title=f"the first {len(right)}: blue right, orange wrong")


def overlay_labels(shown: Overlay) -> Figure:
    """Draw the share of each class that every model labels right."""
    truth = np.asarray(shown.data.test.targets)
    classes, names = np.unique(truth), shown.data.info.get("classes", ())
    figure = new_figure(shown.title, height=3.6)
    axes = figure.add_subplot()
    places = np.arange(len(classes))
    for k, (label, look) in enumerate(shown.looks.items()):
        right = np.ravel(shown.predictions[label]) == truth
        shares = [float(right[truth == one].mean()) for one in classes]
        offset = 0.5 * ((k + 0.5) / len(shown.looks) - 0.5)
        axes.plot(places + offset, shares, color=look.color, linestyle="", marker=look.marker, markersize=6.0, clip_on=False,
                  label=plain(shown.captions[label]))  # fmt: skip
    marked = thinned(len(classes), 30)
    texts = [plain(named(classes[k], names)) for k in marked]
    axes.set_xticks(marked, texts, rotation=90.0 if sum(map(len, texts)) > 2 * MOST_LETTERS else 0.0)
    axes.set(xlabel="true label", ylabel="share that is right", ylim=(-0.03, 1.03), xlim=(-0.6, len(classes) - 0.4))
    axes.grid(axis="x", visible=False)
    legend_on_top(axes)
    return figure
