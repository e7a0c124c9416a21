"""`reservoir train`: one model on one task, kept in a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from reservoir.commands.console import Bar, progress, show, wrote
from reservoir.commands.options import MODEL, OUTPUT, QUIET, SET, TASK, Values, json_of, seed_of, task_options, tasks_with

SAMPLES = 5
"""Texts that are shown during a training, evenly spaced."""
SAMPLE_LENGTH = 200


@click.command(short_help="Fit a model to a task and keep it in a file.")
@TASK
@MODEL
@SET
@task_options
@seed_of("the data and of the model")
@click.option("--save", type=OUTPUT, required=True, help="Write the fitted model to this file.")
@json_of("one JSON object on the last line")
@QUIET
def train(task: str, model: str, settings: Values, given: Values, seed: int, save: str, as_json: bool) -> int | None:
    """Fit a model to TASK, score it, and keep it in a file. TASK may also be one of your own, as package.module:Class.

    The task text learns a text, of a file or of Python's own help. It shows samples during the training, and keeps the
    training after every epoch: the same command continues where Ctrl-C stopped it. `reservoir generate` writes with the
    model, `reservoir score` scores the lines of a file. The models of all other tasks are for `reservoir predict`: the
    file also keeps the columns and units of the data, and the state after the last row of your own.

    \b
    reservoir train text --data book.txt --model gru --save book.model
    reservoir train text --data book.txt --task-set tokens=words --save w.model
    reservoir train text --data book.txt --task-set test=0 --save book.model
    reservoir train csv --data sales.csv --save sales.safetensors
    """  # noqa: D301
    from reservoir.base.sequence_estimator import SequenceEstimator
    from reservoir.experiments.evaluation import evaluate
    from reservoir.experiments.run import RunReport
    from reservoir.experiments.train_text import train_text
    from reservoir.files.writing import check_outputs, writing
    from reservoir.forecasting.contract import contract_of, to_plain

    [chosen] = tasks_with([task], **given)
    checkpoint = f"{save}.checkpoint"
    check_outputs(save, *[checkpoint] * (chosen.kind == "text"), sources=[given["data"]])
    try:
        with progress(task, 1, as_json) as bar:
            if chosen.kind == "text":
                report: Any = train_text(chosen, model, settings, seed, checkpoint, _epochs(bar), _samples(bar))
                fitted = report.model
            else:
                tell = bar.epochs({seed: f"seed {seed}"})
                result = evaluate(chosen, model, settings, seed, progress=lambda *epoch: tell(seed, epoch))
                report, fitted = RunReport(chosen, [result.row], result), result.model
                if isinstance(fitted, SequenceEstimator):
                    path = chosen.path if chosen.name == "csv" else None
                    fitted.contract_ = to_plain(contract_of(chosen, result.data, fitted, path))
    except KeyboardInterrupt:
        remedy = f"; {checkpoint} keeps the epochs that were finished. The same command continues from there."
        click.echo(f"Interrupted{remedy if chosen.kind == 'text' else '.'}", err=True)
        return 130
    show(report, as_json)
    with writing(save):
        fitted.save(save)
    if chosen.kind == "text" and settings.get("training__checkpoint") is None:
        Path(checkpoint).unlink(missing_ok=True)
    wrote(as_json, model=save)
    return None


def _epochs(bar: Bar) -> Callable[[Mapping[str, Any], int], None]:
    """Returns a function that shows the record of an epoch of a language model."""

    def report(record: Mapping[str, Any], epochs: int) -> None:
        text = f"perplexity {math.exp(min(record['loss'], 700.0)):.4g}"
        if record["validation_loss"] is not None:
            text += f", validation {math.exp(min(record['validation_loss'], 700.0)):.4g}"
        bar.within(f"{text}, {record['steps_per_second']:,.0f} symbols/s", 0, record["epoch"] + 1, epochs)

    return report


def _samples(bar: Bar) -> Callable[[Any], None]:
    """Returns a function that shows what a model writes, after every fifth of its epochs."""
    from reservoir.language.generation import generate

    def watch(model: Any) -> None:
        epoch, epochs = model.history_[-1]["epoch"] + 1, model.epochs
        if bar.is_shown and epoch % max(epochs // SAMPLES, 1) == 0:
            text = "".join(generate(model, length=SAMPLE_LENGTH, temperature=0.8, seed=epoch))
            bar.note(f"After {epoch} of {epochs} epochs it writes at temperature 0.8:\n{text}\n")

    return watch
