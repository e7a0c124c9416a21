"""`reservoir backtest`: forecasts from earlier origins of a user's own file, compared with what came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reservoir.commands import options
from reservoir.commands.console import can_draw, draw, progress, show, wrote
from reservoir.commands.options import OUTPUT, at_least, json_of
from reservoir.commands.series import series_options, warn_left_out

PLOT_HELP = "Draw the forecasts from every origin, and error and coverage against the lead, to this file."


@click.command(short_help="Forecast from earlier moments of your own CSV file, and compare.")
@series_options
@click.option("--origins", type=at_least(1), default=8, show_default=True, help="The moments from which forecasts are made.")
@click.option("--every", type=at_least(1), help="The rows between two of them.  [default: the horizon]")
@click.option("--out", type=options.CSV_OUTPUT, help="Write the errors to this CSV file; - is standard output.")
@click.option("--plot", type=OUTPUT, help=PLOT_HELP)
@json_of("one JSON object per group, column and method, a line each")
@options.QUIET
def backtest(
    file: str, source: dict[str, Any], settings: dict[str, Any], origins: int, every: int | None, out: str | None,
    plot: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Forecast columns of a CSV FILE from earlier moments, each time from the rows before it alone, and compare.

    Prints the errors of the combined forecast, of the naive and the seasonal naive forecast, without and with drift, of a
    linear regression on the last values and the known columns, and of each part of the combination; and how many rows the
    bands held. Known columns have their actual values, which is optimistic where they are forecasts in real life.

    If a group has too few rows, a warning on stderr says so, and the others are tested; the exit status is 0 if at least
    one group was.

    \b
    reservoir backtest sales.csv --column units --horizon 30
    reservoir backtest demand.csv --column demand --group store --every 28
    reservoir backtest airline.csv --horizon 24 --origins 4 --season 12 --json
    """  # noqa: D301
    from reservoir.files.writing import STDOUT, check_outputs, writing
    from reservoir.forecasting.forecaster import Forecaster
    from reservoir.forecasting.source import Source
    from reservoir.forecasting.work import backtest_tables

    options.no_two_on_stdout(as_json, out == STDOUT)
    check_outputs(out, plot, sources=[file])
    can_draw(plot)
    asked = Source(file, **source)
    tables = asked.tables()
    with progress("fitting", len(tables) * origins, as_json) as bar:
        result = backtest_tables(asked, tables, Forecaster(**settings), origins, every, bar.step)
    warn_left_out(result.left_out)
    try:
        if out is not None:
            with writing(out):
                result.to_csv(out)
        draw(result, plot, Path(file).name)
    finally:  # the errors count, also where a file cannot be written
        if out != STDOUT:
            show(result, as_json)
    if out != STDOUT:
        wrote(as_json, errors=out, picture=plot)
