"""Scales of pictures of sweeps: the values of a parameter, and scores, which may lie orders of magnitude apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.base.values import comparable
from reservoir.plotting.style import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as DrawnAxis
    from matplotlib.colors import Colormap, Normalize

LOG_RATIO = 4.0
"""Values of a parameter, and colors of scores, that lie within this factor have a linear scale."""
LOG_AXIS = 10.0
"""Scores that span a larger factor have a logarithmic axis."""
OUTLIERS, TAIL = 0.1, 3.0
"""This share of the scores, the worst, lies outside an axis if it extends this many times farther than the others."""
EXTREME = 1e100
"""Scores beyond it lie outside any axis, so that the axis stays finite."""
LONGEST = 22
"""The most characters of a label."""


@dataclass(frozen=True)
class Axis:
    """The values of a parameter over trials.

    Attributes
    ----------
    name : as people read it
    labels : L texts, of the distinct values, numbers in rising order before all others
    positions : (L,) where these are drawn: at their values if all are numbers, else at 0, 1, 2, ...
    code : (M,) integers, the value of each trial, an index into the labels
    categorical : whether some are not numbers
    log : whether they were varied on a logarithmic scale, or are spread more evenly on one
    """

    name: str
    labels: Sequence[str]
    positions: np.ndarray
    code: np.ndarray
    categorical: bool
    log: bool

    @property
    def places(self) -> np.ndarray:
        """The places (M,) at which the trials are drawn."""
        return np.asarray(self.positions[self.code])


def axis_of(values: Sequence[Any], name: str, log: bool = False) -> Axis:
    """Build the axis for the values of M trials; `log` says that they were varied on a logarithmic scale."""
    keys = [comparable(value) for value in values]
    levels: dict[Any, Any] = {}
    for key, value in zip(keys, values, strict=True):
        levels.setdefault(key, value)
    levels = dict(sorted(levels.items(), key=lambda level: (not is_number(level[1]), level[1] if is_number(level[1]) else 0)))
    rank = {key: place for place, key in enumerate(levels)}
    categorical = not all(map(is_number, levels.values()))
    positions = np.array(range(len(levels)) if categorical else list(levels.values()), dtype=float)
    code = np.array([rank[key] for key in keys], dtype=int)
    log = not categorical and ((log and positions[0] > 0.0) or is_logarithmic(positions))
    return Axis(name, texts(list(levels.values())), positions, code, categorical, log)


def is_number(value: Any) -> bool:
    """Whether a value of a parameter is a number; True and False are not."""
    return type(value) in (int, float)


def is_logarithmic(values: np.ndarray) -> bool:
    """Whether rising values are spread more evenly on a logarithmic axis, by their largest distance from a uniform spread."""
    if values[0] <= 0.0 or values[-1] < LOG_RATIO * values[0]:
        return False
    even = np.linspace(0.0, 1.0, len(values))
    linear, logarithmic = (np.abs(unit(values, log) - even).max() for log in (False, True))
    return bool(logarithmic < linear - 1e-9)


def unit(values: np.ndarray, log: bool) -> np.ndarray:
    """Move and scale values to the range from 0 to 1, or to .5 if they are all the same."""
    scaled = np.log(values) if log else values
    low, high = scaled.min(), scaled.max()
    return (scaled - low) / (high - low) if high > low else np.full(len(values), 0.5)


def scatter(count: int) -> np.ndarray:
    """Return (count,) evenly spread offsets in [-.5, .5), in an order without pattern, that separate marks at one place."""
    golden = 0.6180339887498949
    return np.asarray((np.arange(count) * golden) % 1.0 - 0.5)


def short(value: Any, digits: int = 3) -> str:
    """Write a value of a parameter, or a score, in few characters.

    >>> [short(value) for value in (0.1 + 0.2, 1e-8, 1500.0, 3.16e6, None, True, [1, 2])]
    ['0.3', '1e-8', '1500', '3.16e6', 'none', 'true', '[1, 2]']
    """
    if not is_number(value):
        text = " ".join((str(value).lower() if value is None or isinstance(value, bool) else str(value)).split())
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"


def wrapped(name: str, width: int = 16) -> str:
    """Break a name after underscores and dots into lines of about so many characters."""
    lines = [""]
    for part in re.findall(r"[^._]*[._]?", name):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def texts(values: Sequence[Any]) -> list[str]:
    """Write different values as short texts, with as many digits as make them different."""
    for digits in range(3, 9):
        found = [short(value, digits) for value in values]
        if len(set(found)) == len(found):
            break
    return found


@dataclass(frozen=True)
class Span:
    """The range of scores that is drawn.

    Attributes
    ----------
    low, high : its ends
    log : whether the axis is logarithmic
    higher_is_better : which end is the better one
    cut : whether a few scores, much worse than all others, lie outside
    """

    low: float
    high: float
    log: bool
    higher_is_better: bool
    cut: bool

    def outside(self, scores: np.ndarray) -> np.ndarray:
        """Which scores lie beyond the worse end."""
        return np.asarray(scores < self.low if self.higher_is_better else scores > self.high)

    @property
    def norm(self) -> Normalize:
        """The scale from 0 at the low end to 1 at the high one; scores outside have the value of the end."""
        from matplotlib.colors import LogNorm, Normalize

        return (LogNorm if self.log else Normalize)(self.low, self.high, clip=True)

    @property
    def cmap(self) -> Colormap:
        """The colors of the scale: dark is better."""
        import matplotlib

        return matplotlib.colormaps["viridis_r" if self.higher_is_better else "viridis"]


def span_of(scores: np.ndarray, higher_is_better: bool, log_ratio: float) -> Span:
    """Return the range of finite scores; if the worst tenth would fill most of it, only twice that of the others.

    It is logarithmic for errors that are all positive and span a larger factor than `log_ratio`.
    """
    ordered = np.sort(np.clip(scores, -EXTREME, EXTREME))[:: -1 if higher_is_better else 1]
    best, usual, worst = (float(ordered[int(share * (len(ordered) - 1))]) for share in (0.0, 1.0 - OUTLIERS, 1.0))
    positive = not higher_is_better and best > 1.0 / EXTREME

    def distance(a: float, b: float) -> float:
        return float(abs(np.log10(a) - np.log10(b)) if positive else abs(a - b))

    cut = distance(best, worst) > TAIL * distance(best, usual) > 0.0
    if cut:
        worst = next(float(score) for score in ordered[::-1] if distance(best, float(score)) <= 2.0 * distance(best, usual))
    low, high = sorted((best, worst))
    log = positive and high > log_ratio * low
    if high - low <= 1e-12 * abs(high):
        edge = 0.05 * abs(high) or 1.0
        low, high = low - edge, high + edge
    return Span(low, high, log, higher_is_better, cut)


def logarithmic_ticks(axis: DrawnAxis, low: float, high: float) -> None:
    """Put the ticks of a logarithmic axis at powers of ten, and between them where those are few."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1.0,) if high > 1000.0 * low else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(lambda value, _: short(float(value)))
    axis.set_minor_locator(NullLocator())


def score_axis(axes: Axes, span: Span, label: str) -> None:
    """Make the vertical axis one of scores, with room beyond the ends."""
    if span.log:
        edge = (span.high / span.low) ** 0.06
        axes.set(yscale="log", ylim=(span.low / edge, span.high * edge))
        logarithmic_ticks(axes.yaxis, span.low, span.high)
    else:
        edge = 0.06 * (span.high - span.low)
        axes.set_ylim(span.low - edge, span.high + edge)
    axes.set_ylabel(plain(label))


def parameter_axis(axes: Axes, which: str, axis: Axis, room: float) -> None:
    """Make the axis "x" or "y" one of a parameter, `room` inches long."""
    axes.set(**{f"{which}label": plain(axis.name)})
    if axis.categorical:
        named_ticks(axes, which, axis, room)
        axes.set(**{f"{which}lim": (-0.5, len(axis.positions) - 0.5)})
    elif axis.log:
        low, high = axis.positions[0], axis.positions[-1]
        edge = (high / low) ** 0.04
        axes.set(**{f"{which}scale": "log", f"{which}lim": (low / edge, high * edge)})
        logarithmic_ticks(getattr(axes, f"{which}axis"), low, high)


def named_ticks(axes: Axes, which: str, axis: Axis, room: float) -> None:
    """Put a tick at each value 0, 1, 2, ..., or at every second, third, ... if not all have room."""
    count, longest = len(axis.labels), max(map(len, axis.labels))
    wide = 0.08 * longest + 0.12
    turned = which == "x" and axis.categorical and wide * count > room
    each = 0.26 if turned else 0.2 if which == "y" else wide
    step = int(np.ceil(each * count / room))
    ticks = range(0, count, step)
    look: dict[str, Any] = {"rotation": 40 if turned else 0, "ha": "right" if turned else "center"} if which == "x" else {}
    getattr(axes, f"{which}axis").set_ticks(ticks, [plain(axis.labels[k]) for k in ticks], **look)
