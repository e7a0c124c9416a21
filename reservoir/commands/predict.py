"""`reservoir predict`: a saved model on new rows of a user's own file."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from reservoir.commands.console import can_draw, wrote
from reservoir.commands.options import (
    COLUMN,
    CSV_OUTPUT,
    NO_PLOT,
    OUTPUT,
    QUIET,
    at_least,
    column_names,
    json_of,
    no_two_on_stdout,
)
from reservoir.commands.series import FILLS, deliver, picture_of, warn_left_out

OUT_HELP = "Write the outputs to this CSV file; - is standard output."
HORIZON_HELP = "Of a network: the steps to forecast past the end. Without it, every new row gets an output."
FUTURE_HELP = "A second file with the known columns of the rows to come.  [default: the rows of FILE without targets]"
FILL_HELP = "Of a forecaster: how missing values are filled.  [default: as when it was fitted]"
UPDATE_HELP = (
    "Learn from the new rows, and keep that in MODEL: forecasters are fitted anew to all rows; echo state networks with Ridge,"
    " RecursiveLeastSquares or LeastMeanSquares add to the sums in the file. Other networks cannot."
)
REMEMBER_HELP = "Keep the new rows as seen in MODEL, without learning from them."
PLOT_HELP = "Draw forecasts or anomalies to this file.  [default: the name of --out, ending in .png]"


@click.command(short_help="Use a saved model on new rows of your own CSV file.")
@click.argument("model", type=click.Path())
@click.argument("file", type=click.Path())
@COLUMN
@click.option("--horizon", type=at_least(1), help=HORIZON_HELP)
@click.option("--future", type=click.Path(), help=FUTURE_HELP)
@click.option("--fill", type=click.Choice(FILLS), help=FILL_HELP)
@click.option("--anomalies", is_flag=True, help="Mark the new rows outside the band expected for them, instead of a forecast.")
@click.option("--update", is_flag=True, help=UPDATE_HELP)
@click.option("--remember", is_flag=True, help=REMEMBER_HELP)
@click.option("--out", type=CSV_OUTPUT, default="predictions.csv", show_default=True, help=OUT_HELP)
@click.option("--plot", type=OUTPUT, help=PLOT_HELP)
@NO_PLOT
@json_of("one JSON object per series or output, a line each")
@QUIET
def predict(model: str, file: str, out: str, plot: str | None, no_plot: bool, as_json: bool, **given: Any) -> None:
    """Apply a MODEL to the new rows of a CSV FILE, in the units of the file.

    MODEL is what `reservoir forecast --save` or `reservoir train --save` wrote. It continues where it stopped: FILE holds new
    rows alone, or after rows that it has seen, which are recognized. A row that has changed and a gap are refused. MODEL
    stays as it is, unless --update or --remember is given; then it is replaced when all went well.

    \b
    reservoir predict sales.model sales.csv
    reservoir predict sales.model today.csv --update --json --no-plot
    reservoir predict sales.model sales.csv --anomalies
    reservoir predict wave.safetensors wave.csv --horizon 100
    """  # noqa: D301
    from reservoir.files.locking import locked
    from reservoir.files.writing import STDOUT, check_outputs

    no_two_on_stdout(as_json, out == STDOUT)
    keeps = given["update"] or given["remember"]
    picture = picture_of(plot, no_plot, out)
    check_outputs(out, picture, sources=[file, model, given["future"]])
    if keeps:
        open(model, "rb").close()
        check_outputs(model)
    draws = can_draw(picture, optional=plot is None)
    with locked(model) if keeps else nullcontext():
        loaded = _loaded(model)
        work = _forecasters if hasattr(loaded, "members_") else _network
        report, what, kept = work(loaded, file, plot is not None, **given)
        pictured = hasattr(report, "plot")
        deliver(report, what, out, picture if pictured else None, draws and pictured, Path(file).name, as_json)
        if keeps:
            kept.save(model)
    wrote(as_json or out == STDOUT, model=model if keeps else None)


def _loaded(path: str) -> Any:
    """Returns the model of a file. Refuses a model of text."""
    from reservoir import load
    from reservoir.validation import ModelFileError

    loaded = load(path)
    if hasattr(loaded, "vocabulary_"):
        raise ModelFileError(f"{path}: holds a model of text; `reservoir score` and `reservoir generate` use it.")
    return loaded


def _forecasters(
    loaded: Any, file: str, plots: bool, columns: tuple[str, ...], horizon: int | None, future: str | None, fill: str | None,
    anomalies: bool, update: bool, remember: bool,
) -> tuple[Any, str, Any]:  # fmt: skip
    """Returns what saved forecasters find in a file, what that is, and the forecasters after it."""
    for flag, value in (("--column", columns), ("--horizon", horizon)):
        if value:
            raise click.UsageError(f"{flag} is for networks; a forecaster has its own. `reservoir forecast {flag}` sets it.")
    report = loaded.predict(file, future=future, fill=fill)
    kept = loaded.updated(report, learn=update, fill=fill) if update or remember else loaded
    if anomalies:
        report = loaded.anomalies(file, future=future, fill=fill)
    elif update:
        report = kept.predicted(report)
    warn_left_out(report.left_out)
    return report, "anomalies" if anomalies else "forecast", kept


def _network(
    loaded: Any, file: str, plots: bool, columns: tuple[str, ...], horizon: int | None, future: str | None, fill: str | None,
    anomalies: bool, update: bool, remember: bool,
) -> tuple[Any, str, Any]:  # fmt: skip
    """Returns what a saved network finds in a file, what that is, and the network after it."""
    from reservoir.forecasting.networks import NetworkOnRows

    for flag, value in (("--future", future), ("--fill", fill), ("--plot", plots and not anomalies)):
        if value:
            raise click.UsageError(f"{flag} is for forecasters, which `reservoir forecast --save` keeps; leave it out.")
    network = NetworkOnRows(loaded, file, column_names("--column", columns))
    report: Any = network.anomalies() if anomalies else None
    if update:
        network.learn()
    report = report or network.predict(horizon)
    if update or remember:
        network.remember()
    return report, "anomalies" if anomalies else "outputs", loaded
