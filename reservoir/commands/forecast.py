"""`reservoir forecast`: the columns of a user's own file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from reservoir.commands import options
from reservoir.commands.console import can_draw, draw, progress, say, show
from reservoir.commands.options import COLUMN, OUTPUT, SET_HELP, Values, assigned, at_least, json_of, read_columns, seeds_from

OUT_HELP = "Write the forecast to this CSV file; - is standard output."
HORIZON_HELP = "The steps to forecast past the end.  [default: a tenth of the rows, at most 100]"


@click.command(short_help="Forecast columns of your own CSV file.")
@click.argument("file", type=click.Path())
@COLUMN
@click.option("--horizon", type=at_least(1), help=HORIZON_HELP)
@click.option("--holdout", type=at_least(1), help="The rows at the end to test on.  [default: the horizon]")
@click.option("--period", type=at_least(1), help="The period of the seasonal-naive forecast, in rows.  [default: estimated]")
@assigned("--set", "settings", SET_HELP + " The command chooses the other parameters on the data.")
@seeds_from("0:10", "The ensemble has one network per seed.")
@click.option("--out", type=options.CSV_OUTPUT, default="forecast.csv", show_default=True, help=OUT_HELP)
@click.option("--plot", type=OUTPUT, help="Draw the forecast to this file.  [default: the name of --out, ending in .png]")
@options.NO_PLOT
@json_of("the errors and the settings as one JSON object")
@options.QUIET
def forecast(
    file: str,
    columns: Sequence[str],
    settings: Values,
    seeds: list[int],
    out: str,
    plot: str | None,
    no_plot: bool,
    as_json: bool,
    **rest: Any,
) -> None:
    """Forecast columns of a CSV FILE with an ensemble of echo state networks.

    Holds out the end of the record, chooses settings on what comes before, reports the error on the hold-out beside the
    naive forecast (the last value) and the seasonal-naive one (the last period), then forecasts past the end. The band
    holds the middle 80 % of the networks' forecasts, shifted by the errors they made in the past.

    \b
    reservoir forecast sales.csv --column units --horizon 30
    reservoir forecast laser.csv --horizon 100 --plot laser.png
    """  # noqa: D301
    from reservoir.files.writing import STDOUT, check_outputs, writing
    from reservoir.forecasting.ensemble import candidates
    from reservoir.forecasting.work import forecast as forecast_series

    if plot is not None and no_plot:
        raise click.UsageError("--plot and --no-plot exclude each other; give one of them.")
    options.no_two_on_stdout(as_json, out == STDOUT)
    series, names = read_columns(file, columns)
    picture = plot or (None if no_plot or out == STDOUT else os.path.splitext(out)[0] + ".png")
    check_outputs(out, picture, sources=[file])
    draws = can_draw(picture, optional=plot is None)
    with progress("choosing settings, fitting", len(candidates(settings)) + 2 * len(seeds), as_json) as bar:
        result = forecast_series(series, columns=names, settings=settings, seeds=seeds, report=bar.step, **rest)
    try:
        with writing(out):
            result.to_csv(out)
        draw(result, picture if draws else None, Path(file).name)
    finally:  # the errors count, also where a file cannot be written
        if out != STDOUT:
            show(result, as_json)
    if not as_json and out != STDOUT:
        missing = "." if picture is None else ", no picture: matplotlib is not installed."
        say(f"Forecast written to {out}{f', picture to {picture}.' if draws else missing}")
