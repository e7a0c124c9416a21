"""`reservoir forecast`: the columns of a user's own file past its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reservoir.commands import options
from reservoir.commands.console import can_draw, progress, wrote
from reservoir.commands.options import OUTPUT, json_of
from reservoir.commands.series import deliver, picture_of, series_options, warn_left_out

OUT_HELP = "Write the forecast to this CSV file; - is standard output."
JOBS_HELP = "Processes among which groups are shared.  [default: the number of cores from 50 groups on, else 1]"
MANY_GROUPS = 50
SAVE_HELP = "Keep the forecaster in this file, for `reservoir predict`."
FUTURE_HELP = "A second file with the --known columns of the rows to come.  [default: the rows of FILE without targets]"


@click.command(short_help="Forecast columns of your own CSV file.")
@series_options
@click.option("--future", type=click.Path(), help=FUTURE_HELP)
@click.option("--jobs", type=options.at_least(1), help=JOBS_HELP)
@click.option("--save", type=OUTPUT, help=SAVE_HELP)
@click.option("--out", type=options.CSV_OUTPUT, default="forecast.csv", show_default=True, help=OUT_HELP)
@click.option("--plot", type=OUTPUT, help="Draw the forecast to this file.  [default: the name of --out, ending in .png]")
@options.NO_PLOT
@json_of("one JSON object per group and column, a line each")
@options.QUIET
def forecast(
    file: str, source: dict[str, Any], settings: dict[str, Any], future: str | None, jobs: int | None, save: str | None,
    out: str, plot: str | None, no_plot: bool, as_json: bool,
) -> None:  # fmt: skip
    """Forecast columns of a CSV FILE past its end, with bands.

    Reference forecasts, direct readouts of small reservoirs and a regression on what is known ahead are compared on the
    record's own past, and combined by their errors there. Prints what was chosen, and how the errors compare with those of
    the seasonal naive forecast (the last season, repeated).

    If a group has too few rows, a warning on stderr says so, and the other groups are forecast; the exit status is 0 if
    at least one group was.

    \b
    reservoir forecast sales.csv --column units --horizon 30
    reservoir forecast demand.csv --column demand --group store --known holiday
    reservoir forecast load.csv --season 24,168 --known heat --future next.csv
    reservoir forecast sales.csv --column units --horizon 30 --save sales.model
    """  # noqa: D301
    from reservoir.base.threads import thread_count
    from reservoir.files.writing import STDOUT, check_outputs, writing
    from reservoir.forecasting.forecaster import Forecaster
    from reservoir.forecasting.saved import Forecasters
    from reservoir.forecasting.source import Source
    from reservoir.forecasting.work import forecast_tables

    if future is not None and source["known"] is None:
        raise click.UsageError("--future holds the columns that --known names, which is missing.")
    options.no_two_on_stdout(as_json, out == STDOUT)
    picture = picture_of(plot, no_plot, out)
    check_outputs(out, picture, save, sources=[file, future])
    draws = can_draw(picture, optional=plot is None)
    asked, forecaster = Source(file, **source, future=future), Forecaster(**settings)
    tables = asked.tables()
    with progress("fitting", len(tables), as_json) as bar:
        processes = jobs or (thread_count() if len(tables) >= MANY_GROUPS else 1)
        result = forecast_tables(asked, tables, forecaster, bar.step, processes)
    warn_left_out(result.left_out)
    deliver(result, "forecast", out, picture, draws, Path(file).name, as_json)
    if save is not None:
        with writing(save):
            Forecasters.of(result, asked, tables[0], forecaster).save(save)
        wrote(as_json or out == STDOUT, model=save)
