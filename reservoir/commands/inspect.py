"""`reservoir inspect`: a reservoir before training."""

from __future__ import annotations

from typing import Any

import click

from reservoir.commands.console import drawing, print_json, print_table
from reservoir.commands.options import COLUMN, OUTPUT, SET, at_least, json_of, read_columns


@click.command(short_help="Measure a reservoir before training.")
@SET
@click.option("--inputs", type=at_least(1), help="The number of input channels, without --data.  [default: 1]")
@click.option("--data", type=click.Path(), help="A CSV file; its standardized columns drive the reservoir instead of noise.")
@COLUMN
@click.option("--steps", type=at_least(2), help="The steps of white noise that drive it, without --data.  [default: 2000]")
@click.option("--seed", type=at_least(0), default=0, show_default=True, help="The seed of the weights and of the noise.")
@json_of("one JSON object")
@click.option("--plot", type=OUTPUT, help="Draw eigenvalues, memory curve and weights to this file.")
def inspect(
    settings: dict[str, Any],
    inputs: int | None,
    data: str | None,
    columns: tuple[str, ...],
    steps: int | None,
    seed: int,
    as_json: bool,
    plot: str | None,
) -> None:
    """Measure a reservoir before training: spectral radius, echo state index, Lyapunov exponent, ranks, memory.

    \b
    reservoir inspect --set units=200 --set spectral_radius=1.2
    reservoir inspect --set topology=cycle_jumps --set topology_options.jump=7
    reservoir inspect --set units=100 --data laser.csv --plot reservoir.png
    """  # noqa: D301
    from reservoir.diagnostics.reservoirs import inspect as measure
    from reservoir.experiments.evaluation import make_model
    from reservoir.files.writing import check_outputs, writing
    from reservoir.forecasting.ensemble import standardized

    if data is None and columns:
        raise click.UsageError("--column names a column of the file given with --data, which is missing.")
    for option, value in (("--inputs", inputs), ("--steps", steps)):
        if data is not None and value is not None:
            raise click.UsageError(f"{option} is for noise; with --data, the file's columns drive the reservoir.")
    check_outputs(plot, sources=[data])
    drawing(plot)  # a picture that cannot be drawn is refused before the work
    series = None if data is None else standardized(*read_columns(data, columns))[0]
    report = measure(make_model("esn", settings, seed), series, n_inputs=inputs or 1, steps=steps or 2000, seed=seed)
    if as_json:
        print_json(report.measures)
    else:
        print_table(report.table())
    if plot is not None:
        with writing(plot):
            report.plot(plot)
