"""`reservoir results`: what a sweep found."""

from __future__ import annotations

import click

from reservoir.base.values import parse_name
from reservoir.commands.console import can_draw, draw, print_json, wrote
from reservoir.commands.options import NAMES, OUTPUT, at_least, json_of


@click.command(short_help="Show what a sweep found.")
@click.argument("store", type=click.Path())
@click.option("--top", type=at_least(1), default=10, show_default=True, help="How many trials to show, best first.")
@click.option("--csv", "csv_file", type=OUTPUT, help="Write every run to this file.")
@click.option("--plot", type=OUTPUT, help="Draw the scores to this file: a line, a heat map or parallel coordinates.")
@click.option("--names", type=NAMES, help="The parameters to draw; each point is the best over all other parameters.")
@json_of("one JSON object")
def results(store: str, top: int, csv_file: str | None, plot: str | None, names: list[str] | None, as_json: bool) -> None:
    """Show what the sweep in STORE found: the best trials, which parameters mattered. The sweep may still be running.

    \b
    reservoir results narma10-esn.db --top 20 --plot sweep.png
    reservoir results narma10-esn.db --plot rates.png --names leak_rate
    reservoir results narma10-esn.db --csv runs.csv
    """  # noqa: D301
    from reservoir.base.tables import table_width
    from reservoir.files.writing import check_outputs
    from reservoir.sweeps.report import read_sweep

    check_outputs(csv_file, plot, sources=[store])
    can_draw(plot)
    report = read_sweep(store)
    if csv_file is not None:
        report.to_csv(csv_file)
    if as_json:
        print_json(report.records(top)[0])
    else:
        click.echo(report.table(top, table_width()))
        if mattered := report.importance_table():
            click.echo(f"\n{mattered}")
        if command := report.best_command():
            click.echo(f"\nThe best on the test split, with new seeds:\n{command}")
    draw(report, plot, names and list(map(parse_name, names)))
    wrote(as_json, runs=csv_file, picture=plot)
