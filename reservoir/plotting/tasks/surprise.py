"""Pictures of the predictions of a text: each symbol, colored by the bits that the model needs for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting import style
from reservoir.plotting.tasks.series import Overlay, stacked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 64
"""The letters in a line."""
LINES, LINES_OF_SEVERAL = 10, 3
MOST_BITS = {"characters": 8.0, "words": 16.0}
"""More bits have the color of this number."""
MARKS = {"\n": "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}", "\t": "\N{RIGHTWARDS ARROW}", "<unknown>": "?", "<end>": "|"}
FONT = "DejaVu Sans Mono"


def draw_surprise(task: Any, data: Any, predictions: Any, title: str) -> Figure:
    """Draw the first lines of the test text."""
    figure = style.new_figure(title)
    axes = figure.subplots()
    _draw(axes, data, predictions, LINES)
    axes.set_title("the beginning of the test split, line by line; dark: symbols that the model did not expect")
    _scale(figure)
    return figure


def overlay_surprise(shown: Overlay) -> Figure:
    """Draw the first lines of the test text once for every model."""
    figure, axes = stacked(len(shown.looks), f"{shown.title}; dark: symbols that the model did not expect")
    for one, (label, look) in zip(axes, shown.looks.items(), strict=True):
        _draw(one, shown.data, shown.predictions[label], LINES_OF_SEVERAL)
        style.headed(one, shown.captions[label], look.color)
    _scale(figure)
    return figure


def _draw(axes: Axes, data: Any, predictions: Any, lines: int) -> None:
    """Draw the cells of the first symbols and write these into them."""
    symbols, most = data.info["vocabulary"].symbols, MOST_BITS[data.info["vocabulary"].tokens]
    codes = np.concatenate([np.ravel(target) for target in data.test.targets])[: WIDTH * lines]
    logs = np.concatenate([np.asarray(part, dtype=float).ravel() for part in predictions])[: len(codes)]
    bits = np.clip(np.nan_to_num(-logs / math.log(2.0), nan=most), 0.0, most)
    texts = [_drawable(MARKS.get(symbols[code], symbols[code])) for code in codes]
    cells = np.full((lines, WIDTH), np.nan)
    place, gap = 0, int(any(len(text) > 1 for text in texts))  # a space between words
    for text, value in zip(texts, bits, strict=True):
        width = min(len(text), WIDTH)
        if place % WIDTH + width > WIDTH:
            place += WIDTH - place % WIDTH
        row, column = divmod(place, WIDTH)
        if row >= lines:
            break
        cells[row, column : column + width] = value
        look: dict[str, Any] = {"color": "white" if value > 0.6 * most else style.TRUTH, "fontfamily": FONT, "fontsize": 8.0}
        for offset, letter in enumerate(text[:width]):
            axes.text(column + offset, row, letter, ha="center", va="center", parse_math=False, **look)
        place += width + gap
    used = min(-(-place // WIDTH), lines)
    axes.imshow(cells[:used], cmap="Blues", vmin=0.0, vmax=most, aspect="auto", interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)


def _scale(figure: Figure) -> None:
    image = figure.axes[0].images[0]
    bar = figure.colorbar(image, ax=figure.axes, location="bottom", pad=0.02, aspect=60, extend="max")
    bar.set_label("bits that the model needs for the symbol")


def _drawable(text: str) -> str:
    """Replace letters that the font lacks by a square."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont(FONT))
    return "".join(letter if font.get_char_index(ord(letter)) else "\N{WHITE SQUARE}" for letter in text)
