"""`reservoir inspect`: a reservoir before training."""

from __future__ import annotations

import click

from reservoir.commands.console import can_draw, draw, show, wrote
from reservoir.commands.options import COLUMN, OUTPUT, QUIET, SET, Values, at_least, json_of, read_columns, seed_of


@click.command(short_help="Measure a reservoir before training.")
@click.option("--model", default="esn", show_default=True, help="esn, or package.module:Class of your own derived from ESN.")
@SET
@click.option("--inputs", type=at_least(1), help="The number of input channels, without --data.  [default: 1]")
@click.option("--data", type=click.Path(), help="A CSV file; its standardized columns drive the reservoir instead of noise.")
@COLUMN
@click.option("--steps", type=at_least(2), help="The steps of white noise that drive it, without --data.  [default: 2000]")
@seed_of("the weights and of the noise")
@json_of("one JSON object")
@click.option("--plot", type=OUTPUT, help="Draw eigenvalues, memory curve and weights to this file.")
@QUIET
def inspect(
    model: str, settings: Values, data: str | None, columns: tuple[str, ...], seed: int, as_json: bool, plot: str | None,
    **noise: int | None,
) -> None:  # fmt: skip
    """Measure a reservoir before training: spectral radius, echo state index, Lyapunov exponent, ranks, memory.

    \b
    reservoir inspect --set units=200 --set spectral_radius=1.2
    reservoir inspect --set topology=cycle_jumps --set topology_options.jump=7
    reservoir inspect --set units=100 --data laser.csv --plot reservoir.png
    """  # noqa: D301
    from reservoir.diagnostics.reservoirs import inspect as measure
    from reservoir.experiments.evaluation import make_model
    from reservoir.files.writing import check_outputs
    from reservoir.forecasting.scaling import standardized
    from reservoir.models import model_class

    if not issubclass(model_class(model), model_class("esn")):
        instead = f"`reservoir gradients TASK --models {model}` measures a network trained by gradient"
        raise click.UsageError(f"inspect measures the reservoir of an echo state network, which {model} is not; {instead}.")
    if data is None and columns:
        raise click.UsageError("--column names a column of the file given with --data, which is missing.")
    for option, value in noise.items():
        if data is not None and value is not None:
            raise click.UsageError(f"--{option} is for noise; with --data, the file's columns drive the reservoir.")
    check_outputs(plot, sources=[data])
    can_draw(plot)
    series = None if data is None else standardized(*read_columns(data, columns))[0]
    esn, n_inputs, steps = make_model(model, settings, seed), noise["inputs"] or 1, noise["steps"] or 2000
    report = measure(esn, series, n_inputs=n_inputs, steps=steps, seed=seed)
    show(report, as_json)
    draw(report, plot)
    wrote(as_json, picture=plot)
