"""`reservoir results`: what a sweep found."""

from __future__ import annotations

import click

from reservoir.base.values import parse_name
from reservoir.commands.console import drawing, print_json, print_table
from reservoir.commands.options import OUTPUT, Names, at_least, json_of


@click.command(short_help="Show what a sweep found.")
@click.argument("store", type=click.Path())
@click.option("--top", type=at_least(1), default=10, show_default=True, help="How many trials to show, best first.")
@click.option("--csv", "csv_file", type=OUTPUT, help="Write every run to this file.")
@click.option("--plot", type=OUTPUT, help="Draw the scores to this file: a line, a heat map or parallel coordinates.")
@click.option("--names", type=Names(), help="The parameters to draw; each point is the best over all other parameters.")
@json_of("one JSON object")
def results(store: str, top: int, csv_file: str | None, plot: str | None, names: list[str] | None, as_json: bool) -> None:
    """Show what the sweep in STORE found: the best trials, which parameters mattered. The sweep may still be running.

    \b
    reservoir results narma10-esn.db --top 20 --plot sweep.png
    reservoir results narma10-esn.db --plot rates.png --names leak_rate
    reservoir results narma10-esn.db --csv runs.csv
    """  # noqa: D301
    from reservoir.base.tables import table_width
    from reservoir.files.writing import check_outputs, writing
    from reservoir.sweeps.report import read_sweep

    check_outputs(csv_file, plot, sources=[store])
    draw = drawing(plot)
    report = read_sweep(store)
    if csv_file is not None:
        report.to_csv(csv_file)
    if as_json:
        for record in report.records(top):
            print_json(record)
    else:
        print_table(report.table(top, table_width()))
        mattered = report.importance_table()
        if mattered:
            click.echo()
            print_table(mattered)
        if command := report.best_command():
            click.echo(f"\nThe best on the test split, with new seeds:\n{command}")
    if plot is not None:
        figure = report.plot(names=[parse_name(name) for name in names] if names else None)
        with writing(plot):
            draw.save(figure, plot)
