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

from reservoir.base.tables import number
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
SOFT = "#444444"
METRICS = {"vpt": "valid prediction time", "ser": "symbol error rate", "lyapunov_exponent": "Lyapunov exponent"}
"""Metrics whose names say little."""
DIVERGING = "RdBu_r"
PALETTE = (ERROR, MODEL, *OTHERS)

STYLE: dict[Any, Any] = {
    "figure.constrained_layout.h_pad": 0.06, "figure.constrained_layout.w_pad": 0.06, "figure.dpi": 150, "savefig.dpi": 150,
    "figure.titlesize": 11, "figure.titleweight": "bold", "font.size": 9, "axes.labelsize": 9, "axes.titlesize": 9,
    "axes.titlelocation": "left", "xtick.labelsize": 8.5, "ytick.labelsize": 8.5, "xtick.color": SOFT,
    "ytick.color": SOFT, "axes.edgecolor": SOFT, "axes.linewidth": 0.8, "axes.axisbelow": True,
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
    """Make an empty figure with a title, sized in inches: its first line, the finding, is bold, the others are small."""
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

    figure = Figure(figsize=(width, height), layout="constrained")
    finding, _, about = title.partition("\n")
    finding = textwrap.fill(plain(finding), int(11 * width))
    lines = textwrap.wrap(plain(about), int(16 * width), max_lines=3, placeholder=" …")
    heading = figure.suptitle(finding + "\n" * len(lines), x=0.012, horizontalalignment="left")
    if lines:  # in the empty lines beneath the finding
        figure.add_artist(Annotation("\n".join(lines), (0.0, 0.0), xycoords=heading, va="bottom", fontsize=8.5, color=SOFT))
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


def words(metric: str) -> str:
    """Return the name of a metric as people read it."""
    return METRICS.get(metric, metric.replace("_", " "))


def best_of(task: Any, scores: Mapping[str, float], what: str = "") -> str:
    """Return the finding of a comparison in words: the model with the best score, or the only one; with no score, the task."""
    known = {label: score for label, score in scores.items() if np.isfinite(score)}
    if not known:
        return f"{task.name}: no model has a score"
    label = (max if task.higher_is_better else min)(known, key=known.__getitem__)
    metric = f"the best {what}{words(task.metric)}," if len(scores) > 1 else f"{what}{words(task.metric)}"
    return f"{task.name}: {label} has {metric} {number(known[label])}"


def plain(text: str) -> str:
    """Keep matplotlib from reading a user's text as mathematics."""
    return text.replace("$", r"\$")


def legend_above(axes: Axes) -> None:
    """Put a legend in one line above the right end of the axes, where it covers no data."""
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles, labels, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(labels))


def legend_within(axes: Axes) -> None:
    """Put a small legend into the upper left corner of the axes, which dots around the diagonal leave empty."""
    axes.legend(loc="upper left", fontsize=8.0)


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
