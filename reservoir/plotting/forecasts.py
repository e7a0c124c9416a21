"""Pictures of forecasts past the end of series, and of those from earlier origins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from reservoir.base.tables import counted
from reservoir.plotting.style import (
    ERROR,
    MODEL,
    OTHERS,
    QUIET,
    SOFT,
    TRUTH,
    bounded,
    finished,
    house_style,
    legend_on_top,
    limits,
    new_figure,
    plain,
)  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS, MOST_TESTED = 12, 6
"""The series that are drawn; of a backtest, which has three panels for each."""
FEWEST_ROWS = 40
MOST_BLOCKS = 8
"""The blocks of leads over which errors and coverage are averaged."""
METHODS = {
    "naive": (QUIET, ":"), "seasonal naive": (TRUTH, "--"), "seasonal naive with drift": (OTHERS[0], "-."),
    "linear regression": (ERROR, "-"), "forecast": (MODEL, "-"),
}  # fmt: skip
SHADES = (0.15, 0.3)
"""How dark the wider bands are, and the narrowest."""


class Piece(NamedTuple):
    """A forecast (h,) of one series at its places in time, with the lower and upper borders (n_levels, h) of its bands."""

    places: np.ndarray
    values: np.ndarray
    levels: tuple[float, ...]
    lower: np.ndarray
    upper: np.ndarray


@house_style()
def forecast_figure(report: Any, title: str | None = None) -> Figure:
    """Draw the end of every series with its forecast and bands, a panel for each, at most twelve.

    Parameters
    ----------
    report : a `forecasting.report.ForecastReport`
    title : of the figure, such as the name of the file, before what was found

    Raises `ParameterError` when matplotlib is missing.
    """
    by_series = {(record["group"], record["column"]): record for record in report.records()}
    ranked = report.ranked()
    records = [by_series[one.group, one.forecast.names[k]] for one, k in ranked]
    panels = ranked[:MOST_PANELS]
    figure, grid = panel_grid(_heading(records, len(panels), title), len(panels))
    for axes, (one, k), record in zip(grid, panels, records, strict=False):
        forecast, (places, series, coming) = one.forecast, one.places()
        history = series[:, k]
        piece = Piece(coming, forecast.values[:, k], forecast.levels, forecast.lower[..., k], forecast.upper[..., k])
        there = np.flatnonzero(~np.isnan(history))
        kept = max(2 * record["horizon"], min(3 * record["season"], 12 * record["horizon"]), FEWEST_ROWS)
        first = max(min(len(history) - kept, there[-1] - 1), there[0])
        _record(axes, places[first:], history[first:])
        _forecast(axes, piece, history[there], (places[there[-1]], history[there[-1]]))
        seen = history[first:][~np.isnan(history[first:])]
        axes.set_ylim(limits(seen, *_bounded(piece, history[there]), reach=1.0))
        axes.axvline(_middle(places[-1], coming[0]), color=SOFT, linewidth=0.8, linestyle=":")
        axes.annotate("forecast", (_middle(places[-1], coming[0]), 1.0), xycoords=("data", "axes fraction"), xytext=(3, -2),
                      textcoords="offset points", va="top", fontsize=8.0, color=SOFT)  # fmt: skip
        dated(axes, places)
        axes.set_ylabel(plain(forecast.names[k]))
        if len(panels) > 1:
            ratio = f", {record['verdict'].partition(' of ')[0]}" if record["verdict"] else ""
            axes.set_title(plain(f"{one.label(forecast.names[k])}{ratio}"))
    legend_beneath(figure, grid[0])
    return finished(figure)


def panel_grid(heading: str, count: int) -> tuple[Figure, np.ndarray]:
    """Return a figure of so many small panels, in up to three columns, and its panels; those beyond the count are empty."""
    across = 1 if count <= 3 else 2 if count <= 8 else 3
    down = -(-count // across)
    figure = new_figure(heading, max(9.0, 4.5 * across), 2.4 + (3.0 if down == 1 else 2.2 * down))
    grid = figure.subplots(down, across, squeeze=False).ravel()
    for axes in grid[count:]:
        axes.set_axis_off()
    return figure, grid


def _heading(records: list[dict[str, Any]], drawn: int, title: str | None) -> str:
    """The finding, how far forecasts were off in the past, and what is drawn."""
    first = records[0]
    ratios = [r["rmse"]["forecast"] / r["rmse"]["seasonal naive"] for r in records if r["verdict"]]
    found = first["verdict"] or "a forecast"
    if len(records) > 1 and ratios:
        found = f"{min(ratios):.2f} to {max(ratios):.2f} times the error of the seasonal naive forecast in the past"
    name = title or first["column"]
    about = [counted(first["horizon"], "step") + (f", one per {first['step']}" if first["step"] else "")]
    if len(records) == 1:
        name = first["column"] if title is None else f"{title}, {first['column']}"
        about.append(f"errors from {counted(first['origins'], 'earlier origin')}")
    if drawn < len(records):
        which = "first" if first["group"] is None else "worst"
        about.append(f"the {which} {drawn} of {len(records)} series")
    return f"{name}: {found}\n{'; '.join(about)}"


def _record(axes: Axes, places: np.ndarray, values: np.ndarray, above: bool = False) -> None:
    """Draw a record, `above` the forecasts or beneath."""
    axes.plot(places, values, color=TRUTH, linewidth=0.8 if above else 1.1, zorder=2.5 if above else 2.0, label="record")
    axes.margins(x=0.01)


def _forecast(axes: Axes, piece: Piece, history: np.ndarray, start: tuple[Any, float]) -> None:
    """Draw a forecast and its bands, which begin at the last value of the history."""
    values, lower, upper = _bounded(piece, history)
    places = np.concatenate([[start[0]], piece.places])
    widest_first = np.argsort(piece.levels)[::-1]
    for i in widest_first:
        low, high = (np.concatenate([[start[1]], side[i]]) for side in (lower, upper))
        shade = SHADES[int(i == widest_first[-1])]
        axes.fill_between(places, low, high, color=MODEL, alpha=shade, linewidth=0.0, label=f"{piece.levels[i]:g} % band")
    axes.plot(places, np.concatenate([[start[1]], values]), color=MODEL, linewidth=1.5, label="forecast")


def _bounded(piece: Piece, history: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values and borders, cut off far beyond the range of the history (n,), which has no gaps."""
    return bounded(piece.values, history), bounded(piece.lower, history), bounded(piece.upper, history)


def _middle(before: Any, after: Any) -> Any:
    """What lies between two rows or two dates."""
    return before + (after - before) / 2


def dated(axes: Axes, places: np.ndarray) -> None:
    """Write dates in full where the axis has some; number rows otherwise."""
    if places.dtype.kind != "M":
        axes.set_xlabel("row")
        return
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def legend_beneath(figure: Figure, *panels: Axes) -> None:
    """Put one legend beneath the panels, for what is in any of them."""
    entries: dict[str, Any] = {}
    for axes in panels:
        handles, names = axes.get_legend_handles_labels()
        entries.update({name: handle for name, handle in zip(names, handles, strict=True) if name not in entries})
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=min(len(entries), 5))


@house_style()
def backtest_figure(report: Any, title: str | None = None) -> Figure:
    """Draw the forecasts from every origin over the record, and errors and coverage against the lead, for at most six series.

    Parameters
    ----------
    report : a `forecasting.report.BacktestReport`
    title : of the figure, such as the name of the file, before what was found

    Raises `ParameterError` when matplotlib is missing.
    """
    panels = [(one, k) for one in report.groups for k in range(len(one.names))]
    shown = panels[:MOST_TESTED]
    ours = [record for record in report.records() if record["method"] == "forecast"]
    figure = new_figure(_tested(ours, len(shown), title), 11.0, 1.3 + 3.6 * len(shown))
    grid = figure.add_gridspec(len(shown), 2, width_ratios=(2.0, 1.0))
    for row, (one, k) in enumerate(shown):
        over = figure.add_subplot(grid[row, 0])
        beside: Any = grid[row, 1].subgridspec(2, 1, height_ratios=(1.3, 1.0)).subplots(sharex=True)
        errors, held = beside
        _over_record(over, one, k)
        blocks = np.array_split(np.arange(one.horizon), min(one.horizon, MOST_BLOCKS))
        leads = np.array([block.mean() + 1.0 for block in blocks])
        _errors(errors, one, k, blocks, leads)
        _coverage(held, one, k, blocks, leads)
        if len(panels) > 1:
            over.set_title(plain(one.names[k] if one.group is None else f"{one.group}: {one.names[k]}"))
        if row == 0:
            legend_beneath(figure, over, errors)
    return finished(figure)


def _tested(records: list[dict[str, Any]], drawn: int, title: str | None) -> str:
    """The finding of a backtest and what was tested, from the records of the combination."""
    first = records[0]
    name = first["column"] if title is None else title if len(records) > 1 else f"{title}, {first['column']}"
    verdicts = [record["verdict"] for record in records if record["verdict"]]
    found = verdicts[0] if verdicts else "a backtest"
    if len(verdicts) > 1:
        ratios = sorted(verdicts, key=lambda text: float(text.split()[0]))
        found = f"{ratios[0].split()[0]} to {ratios[-1].split()[0]} times the error of the seasonal naive forecast"
    about = f"{counted(first['origins'], 'origin')}, {counted(first['horizon'], 'step')} each"
    if first["coverage"]:
        shares = {level: np.mean([record["coverage"][level] for record in records]) for level in first["coverage"]}
        about += "".join(f"; the {level} % band held {share:.0%} of the rows" for level, share in shares.items())
    few = f"; the first {drawn} of {len(records)} series" if drawn < len(records) else ""
    return f"{name}: {found}\n{about}{few}"


def _over_record(axes: Axes, one: Any, k: int) -> None:
    """Draw the forecasts of series k from every origin, with their bands, over the record."""
    series, h = one.series[:, k], one.horizon
    places = np.arange(1, len(series) + 1) if one.times is None else one.times
    first = max(int(one.origins[0]) - max(h, min(2 * int(one.seasons[0, k]), 6 * h), FEWEST_ROWS // 2), 0)
    _record(axes, places[first:], series[first:], above=True)
    drawn = []
    for i, origin in enumerate(one.origins.tolist()):
        known = series[:origin][~np.isnan(series[:origin])]
        last = int(np.flatnonzero(~np.isnan(series[:origin]))[-1])
        piece = Piece(places[origin : origin + h], one.forecasts["forecast"][i, :, k], one.levels, one.lower[:, i, :, k],
                      one.upper[:, i, :, k])  # fmt: skip
        _forecast(axes, piece, known, (places[last], series[last]))
        axes.axvline(places[last], color=SOFT, linewidth=0.7, linestyle=":", zorder=0.9)
        drawn += list(_bounded(piece, known))
    seen = series[first:]
    axes.set_ylim(limits(seen[~np.isnan(seen)], *drawn))
    axes.set_ylabel(plain(one.names[k]))
    dated(axes, places)


def _errors(axes: Axes, one: Any, k: int, blocks: list[np.ndarray], leads: np.ndarray) -> None:
    """Draw the root mean squared errors of the combination and the references against the lead."""
    truth = one.truth[:, :, k]
    for method, (color, line) in METHODS.items():
        errors = np.square(one.forecasts[method][:, :, k] - truth)
        means = [_mean(errors[:, block]) for block in blocks]
        wide = 1.9 if method == "forecast" else 1.1
        axes.plot(leads, np.sqrt(means), color=color, linestyle=line, linewidth=wide, marker="o", markersize=2.5, label=method)
    axes.set(ylabel="rmse", ylim=(0.0, None))
    axes.set_title("error against the lead")


def _coverage(axes: Axes, one: Any, k: int, blocks: list[np.ndarray], leads: np.ndarray) -> None:
    """Draw the share of rows that each band held against the lead, and the share that it is meant to hold."""
    truth = one.truth[:, :, k]
    for i, level in enumerate(one.levels):
        inside = (one.lower[i, :, :, k] <= truth) & (truth <= one.upper[i, :, :, k])
        shares = [100.0 * _mean(np.where(np.isnan(truth), np.nan, inside)[:, block]) for block in blocks]
        color = (MODEL, ERROR, *OTHERS)[i % 6]
        axes.axhline(level, color=color, linewidth=0.9, linestyle="--")
        axes.plot(leads, shares, color=color, linewidth=1.2, marker="o", markersize=2.5, label=f"{level:g} %")
    axes.set(ylabel="% of rows held", ylim=(0.0, 104.0), xlabel="steps ahead")
    if one.levels:
        legend_on_top(axes)


def _mean(values: np.ndarray) -> float:
    """The mean of what is no NaN; NaN where there is nothing."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if there.size else float("nan")
