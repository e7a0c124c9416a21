"""`reservoir results`: what a sweep found."""

from __future__ import annotations

import click

from reservoir.base.values import parse_name
from reservoir.commands.console import can_draw, draw, print_json, say, wrote
from reservoir.commands.options import CSV_OUTPUT, NAMES, OUTPUT, QUIET, at_least, json_of, no_two_on_stdout


@click.command(short_help="Show what a sweep found.")
@click.argument("store", type=click.Path())
@click.option("--top", type=at_least(1), default=10, show_default=True, help="How many trials to show, best first.")
@click.option("--csv", "csv_file", type=CSV_OUTPUT, help="Write every run to this CSV file; - is standard output.")
@click.option("--plot", type=OUTPUT, help="Draw the scores to this file: a line, a heat map or parallel coordinates.")
@click.option("--names", type=NAMES, help="The parameters to draw; each point is the best over all other parameters.")
@json_of("one JSON object")
@QUIET
def results(store: str, top: int, csv_file: str | None, plot: str | None, names: list[str] | None, as_json: bool) -> None:
    """Show what the sweep in STORE found: the best trials, which parameters mattered. The sweep may still be running.

    \b
    reservoir results narma10-esn.db --top 20 --plot sweep.png
    reservoir results narma10-esn.db --plot rates.png --names leak_rate
    reservoir results narma10-esn.db --csv runs.csv
    """  # noqa: D301
    from reservoir.base.tables import table_width
    from reservoir.files.writing import STDOUT, check_outputs
    from reservoir.sweeps.report import read_sweep

    no_two_on_stdout(as_json, csv_file == STDOUT)
    check_outputs(csv_file, plot, sources=[store])
    can_draw(plot)
    report = read_sweep(store)
    if csv_file is not None:
        report.to_csv(csv_file)
    if as_json:
        print_json(report.records(top)[0])
    elif csv_file != STDOUT:
        say(report.table(top, table_width()))
        if mattered := report.importance_table():
            say(f"\n{mattered}")
        if command := report.best_command():
            say(f"\nThe best on the test split, with new seeds:\n{command}")
    draw(report, plot, names and list(map(parse_name, names)))
    wrote(as_json, runs=csv_file, picture=plot)
