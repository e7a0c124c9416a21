"""`reservoir predict`: a saved model on a user's own file."""

from __future__ import annotations

import click

from reservoir.commands.options import OUTPUT, at_least, read_columns


@click.command(short_help="Use a saved model on your own CSV file.")
@click.argument("model", type=click.Path())
@click.argument("file", type=click.Path())
@click.option("--column", help="The column, or several separated by commas; the only numeric one if not given.")
@click.option("--steps", type=at_least(1), help="Forecast so many steps past the end; without it, an output for every row.")
@click.option("--standardize", is_flag=True, help="Scale columns to mean 0 and deviation 1, and outputs back.")
@click.option("--out", type=OUTPUT, default="predictions.csv", show_default=True, help="The outputs, as CSV.")
def predict(model: str, file: str, column: str | None, steps: int | None, standardize: bool, out: str) -> None:
    """Use a MODEL that `reservoir run --save` wrote on columns of a CSV FILE.

    Models of the tasks csv and sunspots know standardized columns: for them give --standardize.

    \b
    reservoir predict wave.safetensors wave.csv --steps 100
    reservoir predict sales.safetensors sales.csv --steps 30 --standardize
    """  # noqa: D301
    from reservoir import load
    from reservoir.experiments.tables import write_rows
    from reservoir.files.writing import check_outputs, writing
    from reservoir.forecasting.saved import apply_model

    series, names = read_columns(file, column)
    check_outputs(out, sources=[file, model])
    outputs, columns = apply_model(load(model), series, names, steps, standardize)
    with writing(out):
        write_rows(out, columns, outputs, 1 if steps is None else len(series) + 1)
    click.echo(f"{len(outputs)} row{'s' * (len(outputs) > 1)} written to {out}.")
