"""What `forecast`, `backtest` and `predict` share: which columns of a file are what, how they are forecast, and their outputs."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any

import click

from reservoir.commands import options
from reservoir.commands.console import draw, say, show
from reservoir.commands.options import Read, at_least, column_names

FILLS, BANDS = ("linear", "seasonal", "last"), ("conformal", "reservoir")
COLUMN_HELP = "Forecast this column, or several separated by commas; may be repeated.  [default: the only numeric column]"
KNOWN_HELP = "A column that is known ahead, as holidays or prices, or several separated by commas; may be repeated."
PAST_HELP = "A column that is known up to now only, or several separated by commas; may be repeated."
GROUP_HELP = "The column that says which series a row belongs to; each group is forecast on its own."
TIME_HELP = "The column of the dates or times.  [default: the first that can only be times, if there is one]"
ZONE_HELP = "The time zone of local times, as Europe/Berlin, where daylight saving repeats an hour."
HORIZON_HELP = "The steps of a forecast.  [default: a tenth of the rows, at most 100]"
SEASON_HELP = "The seasons in rows, as 7,365.25; none for no season.  [default: found in the times and the series]"
FILL_HELP = "How missing values are filled.  [default: they are refused]"
WITHOUT_HELP = "Leave out a part of the forecast, as theta or reservoir; separated by commas or repeated."
HOLIDAYS_HELP = "Public holidays of a country, as DE or DE-BY, are known ahead; needs the package holidays."
BANDS_HELP = "How bands come from past errors: of all alike, or by how alike a reservoir finds their moments to today."
ROUND_HELP = "Round forecasts and bands to whole numbers."


def _numbers(text: Any, low: float, high: float) -> list[float]:
    numbers = [float(part) for part in str(text).split(",")]
    if not all(low < number < high for number in numbers):
        raise ValueError
    return numbers


def _seasons(text: Any) -> list[float]:
    return [] if text == "none" else _numbers(text, 1.0, 1e9)


def _levels(text: Any) -> list[float]:
    return _numbers(text, 0.0, 100.0)


SEASONS = Read("ROWS", "none, or numbers of rows above 1 separated by commas, as 7,365.25", _seasons)
LEVELS = Read("LEVELS", "percentages above 0 and below 100 separated by commas, as 80,95", _levels)


def _names(option: str, name: str, help: str, metavar: str = "COLUMN") -> Callable[[Any], Any]:
    """Returns an option that holds names."""
    return click.option(option, name, multiple=True, metavar=metavar, help=help)


def series_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds FILE and the options that all commands on series have.

    The command gets `file`, `source`, what a `Source` takes beside the file, and `settings`, what a `Forecaster` takes.
    """

    @click.argument("file", type=click.Path())
    @_names("--column", "columns", COLUMN_HELP)
    @click.option("--time", metavar="COLUMN", help=TIME_HELP)
    @click.option("--timezone", metavar="NAME", help=ZONE_HELP)
    @_names("--known", "known", KNOWN_HELP)
    @_names("--past", "past", PAST_HELP)
    @click.option("--group", metavar="COLUMN", help=GROUP_HELP)
    @click.option("--horizon", type=at_least(1), help=HORIZON_HELP)
    @click.option("--season", "seasons", type=SEASONS, help=SEASON_HELP)
    @click.option("--fill", type=click.Choice(FILLS), help=FILL_HELP)
    @click.option("--level", "levels", type=LEVELS, default="80,95", show_default=True, help="The per cent that bands hold.")
    @click.option("--bands", type=click.Choice(BANDS), default="conformal", show_default=True, help=BANDS_HELP)
    @click.option("--holidays", metavar="COUNTRY", help=HOLIDAYS_HELP)
    @_names("--without", "without", WITHOUT_HELP, "PART")
    @click.option("--round", "whole_numbers", is_flag=True, help=ROUND_HELP)
    @options.seed_of("the reservoirs")
    @functools.wraps(command)
    def wrapped(
        file: str, columns: tuple[str, ...], known: tuple[str, ...], past: tuple[str, ...], without: tuple[str, ...],
        time: str | None, timezone: str | None, group: str | None, seed: int, horizon: int | None, seasons: list[float] | None,
        fill: str | None, levels: list[float], bands: str, holidays: str | None, whole_numbers: bool, **rest: Any,
    ) -> Any:  # fmt: skip
        source = {
            "columns": column_names("--column", columns), "known": column_names("--known", known) or None,
            "past": column_names("--past", past) or None, "time": time, "timezone": timezone, "group": group,
        }  # fmt: skip
        settings = {
            "horizon": horizon, "seasons": seasons, "fill": fill, "levels": levels, "bands": bands,
            "holidays": holidays, "random_state": seed,
            "without": column_names("--without", without), "whole_numbers": whole_numbers,
        }  # fmt: skip
        return command(file=file, source=source, settings=settings, **rest)

    return wrapped


def warn_left_out(left_out: Mapping[str, str]) -> None:
    """Says on stderr, also in a quiet command, which groups are left out and why."""
    from reservoir.forecasting.report import group_notes

    for line in group_notes(left_out):
        click.echo(f"Warning: {line}", err=True)


def picture_of(plot: str | None, no_plot: bool, out: str) -> str | None:
    """Returns the path of the picture: that asked for, or else that of the CSV file, ending in .png."""
    if plot is not None and no_plot:
        raise click.UsageError("--plot and --no-plot exclude each other; give one of them.")
    return plot or (None if no_plot or out == "-" else os.path.splitext(out)[0] + ".png")


def deliver(report: Any, what: str, out: str, picture: str | None, draws: bool, title: str, as_json: bool) -> None:
    """Writes a report and its picture, and prints it; it is printed also where a file cannot be written."""
    from reservoir.files.writing import STDOUT, writing

    try:
        with writing(out):
            report.to_csv(out)
        draw(report, picture if draws else None, title)
    finally:
        if out != STDOUT:
            show(report, as_json)
    if not as_json and out != STDOUT:
        missing = "." if picture is None else ", no picture: matplotlib is not installed."
        say(f"{what.capitalize()} written to {out}{f', picture to {picture}.' if draws else missing}")
