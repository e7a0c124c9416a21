"""The picture of gates: what the units of a network do along an input, as heat maps beneath it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.base.tables import number
from reservoir.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNITS = 8
"""The units of a heat map."""
SYMBOLS = 60
"""The symbols of a text beneath which the heat maps are."""
LINE, LINES = 90, 6
"""The characters of a line, and the most lines, of a text that is colored by a unit."""
COLORED = 2
"""The units by which a text is colored."""
MOST_INPUTS = 6
SHOWN = {"\n": "¶", " ": "·", "<begin>": "⊢", "<end>": "⊣", "<unknown>": "?"}
"""How characters that cannot be seen are written."""
ROLES = {
    "input gate": "how much of the candidate goes into the cell",
    "forget gate": "how much of itself the cell keeps",
    "output gate": "how much of the cell is let out",
    "update gate": "how much of itself the output keeps",
    "reset gate": "how much of the old output the candidate reads",
    "candidate": "what could be stored",
    "cell": "what is remembered, squashed by tanh",
    "output": "what the next step and the next layer read",
    "state": "of the reservoir",
}


@style.house_style()
def gates_figure(*reports: Any, layer: int = -1) -> Figure:
    """Draw the most readable units of a layer of each network, side by side, beneath their inputs.

    Of `diagnostics.gates.GatesReport`s, which read the same input. Raises `ParameterError` when matplotlib is missing or there
    is no such layer.
    """
    columns = [report.layer(layer) for report in reports]
    lengths = [len(report.inputs) if report.symbols is None else min(len(report.inputs), SYMBOLS) for report in reports]
    texts = [_lines(report) for report in reports]
    panels = max(len(parts) for parts in columns) + 0.8
    height = 1.2 + 1.12 * panels + max(0.22 * COLORED * len(lines) + 0.5 for lines in texts) * any(texts)
    names = " and ".join(dict.fromkeys(report.model for report in reports))
    leading = " or ".join(dict.fromkeys(report.described(parts) for report, parts in zip(reports, columns, strict=True)))
    shown = min(UNITS, max(parts[0].values.shape[1] for parts in columns))
    about = f"the {shown} units whose {leading} varies most and lasts longest, from the top"
    figure = style.new_figure(f"{names}: gates, cells and outputs along the input\n{about}", max(9.0, 6.5 * len(reports)), height)
    parts = figure.subfigures(1, len(reports), squeeze=False)[0]
    for place, (report, found, length, lines) in enumerate(zip(reports, columns, lengths, texts, strict=True)):
        _column(parts[place], report, found, length, lines)
    return style.finished(figure)


def _column(figure: Any, report: Any, parts: Sequence[Any], length: int, lines: Sequence[str]) -> None:
    """Draw one network: the input, a heat map for each part, and the text colored by units."""
    colored = COLORED * bool(lines)
    narrow = report.symbols is not None and max(map(len, _shown(report))) == 1
    ratios = [0.25 if narrow else 0.8, *[1.0] * len(parts), *[0.22 * len(lines)] * colored]
    axes = figure.subplots(len(ratios), 1, height_ratios=ratios)
    axes[0].set_title(style.plain(report.model), fontweight="bold")
    _input(axes[0], report, length)
    order = report.readable(parts)[:UNITS]
    for panel, part in zip(axes[1:], parts, strict=False):
        _heat_map(panel, part, order, length)
    for panel in axes[1 : len(parts)]:
        panel.set_xticklabels([])
    axes[len(parts)].set_xlabel("time step")
    for panel, unit in zip(axes[len(parts) + 1 :], order, strict=False):
        _text(panel, lines, report.leading(parts), report.described(parts), unit)


def _input(axes: Axes, report: Any, length: int) -> None:
    """Draw the input: symbols as letters, numbers as lines."""
    axes.set_xlim(-0.5, length - 0.5)
    if report.symbols is not None:
        axes.axis("off")
        size, turned = 8.5 if length <= SYMBOLS // 2 else 7.0, 90.0 * (max(map(len, _shown(report))) > 1)
        for step, text in enumerate(_shown(report)[:length]):
            axes.text(step, 0.0, style.plain(text), ha="center", va="bottom", fontsize=size, rotation=turned, family="monospace")
        return
    axes.set_ylabel("input")
    axes.plot(np.arange(length), report.inputs[:length, :MOST_INPUTS])
    axes.set_xticklabels([])


def _heat_map(axes: Axes, part: Any, order: np.ndarray, length: int) -> None:
    """Draw the values of some units over time: from shut to open, or on both sides of 0."""
    values = part.shown[:length, order].T
    if part.function == "sigmoid":
        colors, low, high = "viridis", 0.0, 1.0
    else:
        high = float(np.abs(values).max()) or 1.0
        colors, low = style.DIVERGING, -high
    drawn = axes.imshow(values, cmap=colors, vmin=low, vmax=high, aspect="auto", interpolation="nearest")
    figure = axes.figure
    assert figure is not None  # for the type checker
    figure.colorbar(drawn, ax=axes, pad=0.01, aspect=8)
    ends = "" if part.saturated is None else "; saturated {:.0%} low, {:.0%} high".format(*part.saturated)
    role = ROLES.get(part.name)
    axes.set_title(f"{part.name}{f': {role}' if role else ''}{ends}", fontsize=8.5)
    axes.set_yticks(range(len(order)), [str(unit) for unit in order], fontsize=6.5)
    axes.set_ylabel("unit", fontsize=8.0)
    axes.grid(False)


def _lines(report: Any) -> list[str]:
    """The beginning of a text of characters in lines; none for words, whose lengths differ, and for numbers."""
    if report.symbols is None or len(report.symbols) <= SYMBOLS:
        return []
    if max(map(len, _shown(report))) > 1:
        return []
    text = "".join(_shown(report))[: LINE * LINES]
    return [text[start : start + LINE] for start in range(0, len(text), LINE)]


def _shown(report: Any) -> list[str]:
    """The symbols as they are written in the picture."""
    return [SHOWN.get(symbol, symbol) for symbol in report.symbols]


def _text(axes: Axes, lines: Sequence[str], part: Any, name: str, unit: int) -> None:
    """Draw the characters of a text on the color of a unit's value after it read them."""
    count = sum(map(len, lines))
    values = part.shown[:count, unit]
    image = np.full(len(lines) * LINE, np.nan)
    image[:count] = values
    most = float(np.abs(values).max()) or 1.0
    axes.imshow(image.reshape(len(lines), LINE), cmap=style.DIVERGING, vmin=-most, vmax=most, aspect="auto", alpha=0.6)
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            axes.text(column, row, style.plain(character), ha="center", va="center", fontsize=6.5, family="monospace")
    about = f"red above 0, blue below; the strongest color is {number(most)}"
    axes.set_title(f"{name} of unit {unit} after each character ({about})", fontsize=8.5)
    axes.axis("off")
