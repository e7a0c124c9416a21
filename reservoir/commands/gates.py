"""`reservoir gates`: what the gates and cells of a network do along an input."""

from __future__ import annotations

from typing import Any

import click

from reservoir.commands.console import can_draw, draw, progress, show, wrote
from reservoir.commands.options import (
    COLUMN,
    CSV_OUTPUT,
    MODEL_HELP,
    OUTPUT,
    QUIET,
    SET,
    Values,
    at_least,
    column_names,
    json_of,
    no_two_on_stdout,
    seed_of,
    task_options,
    tasks_with,
)

STEPS_HELP = "Show the first steps, up to so many."
LAYER_HELP = "The layer that is drawn, from 0.  [default: the last]"


@click.command(short_help="Show gates and cells of a network along an input.")
@click.argument("source", metavar="MODEL|TASK")
@click.argument("file", required=False)
@click.option("--model", help=f"With TASK: {MODEL_HELP}  [default: lstm]")
@SET
@task_options
@seed_of("the data and of the model, with TASK")
@COLUMN
@click.option("--steps", type=at_least(1), default=1000, show_default=True, help=STEPS_HELP)
@click.option("--layer", type=at_least(0), help=LAYER_HELP)
@json_of("one JSON object per gate, a line each")
@click.option("--csv", "table", type=CSV_OUTPUT, help="Write the values of all units to this CSV file; - is standard output.")
@click.option("--plot", type=OUTPUT, help="Draw the gates beneath the input to this file.")
@QUIET
def gates(
    source: str, file: str | None, model: str | None, settings: Values, given: Values, seed: int, columns: tuple[str, ...],
    steps: int, layer: int | None, as_json: bool, table: str | None, plot: str | None,
) -> None:  # fmt: skip
    """Show what gates, cells and outputs of a network do along an input.

    Either a MODEL that was saved reads FILE: a text for a model of text, else columns of a CSV file, on the scale that the
    model learned. Or a model is fitted to TASK, and reads the first sequence of its test split.

    \b
    reservoir gates book.model book.txt --plot gates.png
    reservoir gates wave.safetensors wave.csv --steps 300 --plot gates.png
    reservoir gates reber --model gru --plot gates.png
    """  # noqa: D301
    from reservoir.files.writing import STDOUT, check_outputs

    no_two_on_stdout(as_json, table == STDOUT)
    own = {"--model": model, "--set": settings, **{f"--{name.replace('settings', 'task-set')}": v for name, v in given.items()}}
    for option, value in own.items() if file is not None else ():
        if value:
            raise click.UsageError(f"{option} is for a task, which a model is fitted to; with FILE the saved model is used.")
    if file is None and columns:
        raise click.UsageError("--column is for columns of FILE, which is missing.")
    check_outputs(plot, table, sources=[file, given["data"]])
    can_draw(plot)
    report = _of_task(source, model or "lstm", settings, given, seed, steps, as_json) if file is None else None
    report = report or _of_file(source, str(file), columns, steps)
    report.layer(-1 if layer is None else layer)  # before anything is printed
    if table != STDOUT:
        show(report, as_json)
    if table is not None:
        report.to_csv(table)
    draw(report, plot, -1 if layer is None else layer)
    wrote(as_json, table=table, picture=plot)


def _of_file(source: str, file: str, columns: tuple[str, ...], steps: int) -> Any:
    """The report of a saved model on a file."""
    from reservoir import gates, load
    from reservoir.forecasting.networks import contract_of_file, read_rows
    from reservoir.text.documents import read_text

    fitted = load(source)
    if not hasattr(fitted, "vocabulary_"):
        contract = contract_of_file(fitted)
        rows, _ = read_rows(contract, fitted, file, column_names("--column", columns))
        return gates(fitted, contract.scaled(rows), steps=steps)
    if columns:
        raise click.UsageError("--column is for CSV files; the model is one of text.")
    return gates(fitted, read_text(file), steps=steps)


def _of_task(task: str, model: str, settings: Values, given: Values, seed: int, steps: int, as_json: bool) -> Any:
    """The report of a model that is fitted to a task."""
    from reservoir import gates
    from reservoir.experiments.evaluation import evaluate

    [chosen] = tasks_with([task], **given)
    with progress(task, 1, as_json) as bar:
        tell = bar.epochs({seed: f"seed {seed}"})
        result = evaluate(chosen, model, settings, seed, progress=lambda *epoch: tell(seed, epoch))
    split = result.data.test
    if hasattr(split, "text"):
        return gates(result.model, split.text, steps=steps)
    inputs, targets = split.inputs[0], split.targets[0]
    names = getattr(chosen, "symbols", None)
    symbols = [names[k] for k in inputs.argmax(axis=1)] if names is not None and inputs.shape[1] == len(names) else None
    return gates(result.model, inputs, targets if len(targets) == len(inputs) else None, symbols=symbols, steps=steps)
