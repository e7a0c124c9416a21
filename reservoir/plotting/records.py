"""The picture of a record's forecast: its test on the end of the record, and the forecast past the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from reservoir.plotting.style import MODEL, OTHERS, SOFT, TRUTH, bounded, finished, house_style, limits, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHADES = ("#eef4f8", "#fdf3ea")


class Piece(NamedTuple):
    """A forecast with its band over rows of the record, all joined to the record's value at the first row."""

    rows: np.ndarray
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray


def _piece(record: np.ndarray, end: int, forecast: Any) -> Piece:
    """The first column of a forecast from row `end` (counted from 1) on, cut off far beyond the record's range."""
    values, low, high = (
        np.concatenate([record[end - 1 : end], bounded(part[:, 0], record)])
        for part in (forecast.median, forecast.low, forecast.high)
    )
    return Piece(np.arange(end, end + len(values)), values, low, high)


@house_style()
def forecast_figure(report: Any, title: str, labels: Sequence[str] | None = None) -> Figure:
    """Draw the end of a record, the forecast of its hold-out, and the forecast past its end; beneath, a close-up.

    Parameters
    ----------
    report : a `forecasting.report.ForecastReport`, whose first column is drawn; a band as narrow as its median is not
    title : above the figure
    labels : the names of the record's rows, such as dates; without them rows are numbered from 1

    Raises `ParameterError` when matplotlib is missing.
    """
    record = report.series[:, 0]
    tested = len(record) - report.holdout
    seen, coming = _piece(record, tested, report.held_out), _piece(record, len(record), report.future)
    others = {name: bounded(values[:, 0], record) for name, values in report.baselines.items()}
    span = report.holdout + len(coming.values) - 1
    first, close = (max(tested - kept, 0) for kept in (max(3 * span, 100), max(span // 3, 10)))
    figure = new_figure(title, height=6.0)
    above, beneath = figure.subplots(2, 1, height_ratios=(1.0, 1.6))
    _panel(above, record, first, (seen, coming), {})
    _panel(beneath, record, close, (seen, coming), others)
    for axes in (above, beneath):
        axes.set_ylabel(plain(report.names[0]))
        _name_rows(axes, labels, len(record))
    for piece, name in ((seen, "hold-out"), (coming, "forecast")):
        beneath.annotate(name, (float(piece.rows.mean()), 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2),
                         textcoords="offset points", ha="center", va="bottom", fontsize=8.5, color=SOFT)  # fmt: skip
    handles, names = beneath.get_legend_handles_labels()
    entries = dict(zip(names, handles, strict=True))  # hold-out and future share theirs
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=min(len(entries), 5))
    return finished(figure)


def _panel(axes: Axes, record: np.ndarray, first: int, pieces: tuple[Piece, Piece], others: Mapping[str, np.ndarray]) -> None:
    """Draw record and forecasts from row index `first` on, with the stretches of hold-out and future shaded."""
    rows = np.arange(first + 1, len(record) + 1)
    axes.plot(rows, record[first:], color=TRUTH, linewidth=1.2, label="record")
    for piece, shade in zip(pieces, SHADES, strict=True):
        axes.axvspan(piece.rows[0] + 0.5, piece.rows[-1] + 0.5, color=shade, zorder=0, linewidth=0.0)
        axes.axvline(piece.rows[0] + 0.5, color="#b0b0b0", linewidth=0.8)
        axes.plot(piece.rows, piece.values, color=MODEL, linewidth=1.5, label="forecast")
        if np.any(piece.high > piece.low):
            axes.fill_between(piece.rows, piece.low, piece.high, color=MODEL, alpha=0.25, linewidth=0.0, label="band")
    for k, (name, values) in enumerate(others.items()):
        joined = np.concatenate([pieces[0].values[:1], values])
        rows = pieces[0].rows[0] + np.arange(len(joined))
        axes.plot(rows, joined, color=OTHERS[k % len(OTHERS)], linewidth=0.9, linestyle="--", label=plain(name), zorder=1.9)
    drawn = [part for piece in pieces for part in (piece.values, piece.low, piece.high)]
    axes.set_ylim(limits(record[first:], *drawn, *others.values()))
    axes.set_xlim(first + 0.5, pieces[1].rows[-1] + 0.5)


def _name_rows(axes: Axes, labels: Sequence[str] | None, count: int) -> None:
    """Put the ticks on whole rows, with their labels; rows past the labels are counted from the end of the record."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    longest = max(map(len, labels), default=1) if labels else 6
    axes.xaxis.set_major_locator(MaxNLocator(nbins=max(2, min(9, 90 // (longest + 3))), integer=True, min_n_ticks=1))
    if labels is None:
        axes.set_xlabel("row")
        return

    def name(place: float, _: int | None = None) -> str:
        row = round(place)
        return "" if row < 1 else plain(labels[row - 1]) if row <= len(labels) else f"+{row - count}"

    axes.xaxis.set_major_formatter(FuncFormatter(name))
