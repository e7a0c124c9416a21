"""The look that all pictures share, and writing them to files."""

from __future__ import annotations

import contextlib
import os
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from reservoir.files.writing import replaced
from reservoir.validation import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colors of Okabe & Ito (2008), which people with any kind of color vision can distinguish.
TRUTH = "#1a1a1a"
MODEL = "#d55e00"
ERROR = "#0072b2"
QUIET = "#8c8c8c"
OTHERS = ("#009e73", "#56b4e9", "#cc79a7", "#e69f00")
DIVERGING = "RdBu_r"
PALETTE = (ERROR, MODEL, *OTHERS)

STYLE: dict[Any, Any] = {
    "figure.constrained_layout.h_pad": 0.06, "figure.constrained_layout.w_pad": 0.06, "figure.dpi": 150, "savefig.dpi": 150,
    "figure.titlesize": 11, "figure.titleweight": "bold", "font.size": 9, "axes.labelsize": 9, "axes.titlesize": 9,
    "axes.titlelocation": "left", "xtick.labelsize": 8.5, "ytick.labelsize": 8.5, "xtick.color": "#444444",
    "ytick.color": "#444444", "axes.edgecolor": "#444444", "axes.linewidth": 0.8, "axes.axisbelow": True,
    "axes.spines.right": False, "axes.spines.top": False,
    "axes.formatter.limits": (-4, 5), "axes.formatter.useoffset": False,
    "axes.grid": True, "grid.color": "#e8e8e8", "grid.linewidth": 0.7,
    "axes.prop_cycle": f"cycler('color', {[ERROR, *OTHERS, MODEL]})", "lines.linewidth": 1.3, "lines.solid_capstyle": "round",
    "legend.borderaxespad": 0.2, "legend.columnspacing": 1.4, "legend.fontsize": 8.5, "legend.frameon": False,
    "legend.handlelength": 1.6, "svg.hashsalt": "clockwork-reservoir",
}  # fmt: skip
DOTS: dict[str, Any] = {"linestyle": "", "marker": "o", "markeredgewidth": 0.0}
CLOUD: dict[str, Any] = {**DOTS, "markersize": 2.2, "alpha": 0.4, "rasterized": True}
"""Very many dots."""
NO_DATE: Mapping[str, Mapping[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Per format, the metadata left out, so that the same picture is the same file."""


def check(path: str | os.PathLike[str]) -> str:
    """Return the format that a picture's path asks for: png, svg or pdf.

    Raises `ParameterError` for others, and without matplotlib.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in NO_DATE:
        raise ParameterError(f"The picture must be a .png, .svg or .pdf file. Got {str(path)!r} instead.")
    _require_matplotlib()
    return suffix


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a picture, in the format of the path's suffix; an older file is replaced once the new one is complete.

    Raises
    ------
    ParameterError
        The suffix is not .png, .svg or .pdf.
    OSError
        The file cannot be written.
    """
    name = check(path)
    with house_style(), replaced(path) as temporary:
        figure.savefig(temporary, format=name, metadata=dict(NO_DATE[name]))


@contextlib.contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib's defaults and `STYLE` while drawing, whatever the user's own; raises `ParameterError` without matplotlib."""
    _require_matplotlib()
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        # A user's name in a script that the font lacks is drawn as boxes, which says as much as the warning.
        warnings.filterwarnings("ignore", message="Glyph")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ParameterError("pictures need matplotlib: pip install 'clockwork-reservoir[plot]'") from None


def new_figure(title: str, width: float = 9.0, height: float = 5.5) -> Figure:
    """Make an empty figure with a title, sized in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(textwrap.fill(plain(title), int(11 * width)), x=0.012, horizontalalignment="left")
    return figure


def finished(figure: Figure) -> Figure:
    """Lay a figure out once in the house style: ticks that are made later would take the user's own."""
    figure.draw_without_rendering()
    return figure


def kept(figure: Figure, path: str | os.PathLike[str] | None) -> Figure:
    """Write a figure to `path`, if there is one, and return it."""
    if path is not None:
        save(figure, path)
    return figure


def plain(text: str) -> str:
    """Keep matplotlib from reading a user's text as mathematics."""
    return text.replace("$", r"\$")


def legend_above(axes: Axes) -> None:
    """Put a legend in one line above the right end of the axes, where it covers no data."""
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles, labels, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(labels))


def legend_on_top(axes: Axes, columns: int = 6) -> None:
    """Put a legend above the left end of the axes, with so many entries on a line."""
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles, labels, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=min(len(labels), columns))


def headed(axes: Axes, text: str, color: str) -> None:
    """Give a model's panel its title, in the model's color."""
    axes.set_title(plain(text), color=color, fontweight="bold")


def limits(truth: np.ndarray, *others: np.ndarray, reach: float = 0.5, margin: float = 0.06) -> tuple[float, float]:
    """Return axis limits that hold the truth, and those of the others' values that lie within `reach` times its range beyond."""
    low, high = float(truth.min()), float(truth.max())
    span = high - low or abs(high) or 1.0
    filled = [other for other in others if other.size]
    least = min([low, *(max(float(other.min()), low - reach * span) for other in filled)])
    most = max([high, *(min(float(other.max()), high + reach * span) for other in filled)])
    edge = margin * (most - least or span)
    return least - edge, most + edge


def bounded(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Clip values a million ranges beyond the truth's, so that squares and axes stay finite; NaN becomes the upper bound."""
    low, high = float(truth.min()), float(truth.max())
    reach = 1e6 * (high - low or abs(high) or 1.0)
    return np.clip(np.nan_to_num(values, nan=np.inf), low - reach, high + reach)


def thinned(count: int, most: int) -> np.ndarray:
    """Return at most `most` indices into `count` things, evenly spaced; none into none."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))


class Look(NamedTuple):
    """How a model is drawn."""

    color: str
    marker: str
    line: str


def looks(labels: Iterable[str]) -> dict[str, Look]:
    """Return the look of each model; the seventh has the color of the first again, with other marks and lines."""
    shapes = (("o", "-"), ("s", ":"), ("^", "-."))
    count = len(PALETTE)
    return {label: Look(PALETTE[k % count], *shapes[k // count % len(shapes)]) for k, label in enumerate(labels)}
