"""`reservoir predict`: a saved model on a user's own file."""

from __future__ import annotations

import click

from reservoir.commands.console import say
from reservoir.commands.options import COLUMN, CSV_OUTPUT, QUIET, at_least, read_columns

OUT_HELP = "Write the outputs to this CSV file; - is standard output."


@click.command(short_help="Use a saved model on your own CSV file.")
@click.argument("model", type=click.Path())
@click.argument("file", type=click.Path())
@COLUMN
@click.option("--horizon", type=at_least(1), help="The steps to forecast past the end. Without it, every row gets an output.")
@click.option("--standardize", is_flag=True, help="Scale columns to mean 0 and deviation 1, and outputs back.")
@click.option("--out", type=CSV_OUTPUT, default="predictions.csv", show_default=True, help=OUT_HELP)
@QUIET
def predict(model: str, file: str, columns: tuple[str, ...], horizon: int | None, standardize: bool, out: str) -> None:
    """Apply a MODEL that `reservoir run --save` wrote to columns of a CSV FILE.

    Models of the tasks csv and sunspots were fitted on standardized columns: give --standardize for them.

    \b
    reservoir predict wave.safetensors wave.csv --horizon 100
    reservoir predict sales.safetensors sales.csv --horizon 30 --standardize
    """  # noqa: D301
    from reservoir import load
    from reservoir.files.writing import STDOUT, check_outputs, write_rows
    from reservoir.forecasting.scaling import apply_model

    series, names = read_columns(file, columns)
    check_outputs(out, sources=[file, model])
    outputs, header = apply_model(load(model), series, names, horizon, standardize)
    write_rows(out, header, outputs, 1 if horizon is None else len(series) + 1)
    if out != STDOUT:
        say(f"{len(outputs)} row{'s' * (len(outputs) > 1)} written to {out}.")
