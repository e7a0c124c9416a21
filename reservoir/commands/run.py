"""`reservoir run`: one model on one task."""

from __future__ import annotations

from typing import Any

import click

from reservoir.commands.console import drawing, explanation, print_json, print_table, progress
from reservoir.commands.options import DATA, MODEL, OUTPUT, SET, START, TASK_SET, json_of, seeds_from, tasks_with


@click.command(short_help="Fit a model to a task and score it.")
@click.argument("task")
@MODEL
@SET
@TASK_SET
@seeds_from("0")
@DATA
@START
@json_of("one JSON object per seed, a line each")
@click.option("--save", type=OUTPUT, help="Write the fitted model of the first seed to this file.")
@click.option("--plot", type=OUTPUT, help="Draw the first seed's predictions to this file (png, svg or pdf).")
def run(
    task: str,
    model: str,
    settings: dict[str, Any],
    task_settings: dict[str, Any],
    seeds: list[int],
    data: str | None,
    start: float | None,
    as_json: bool,
    save: str | None,
    plot: str | None,
) -> int:
    """Fit a model to TASK and score it, once per seed. TASK may also be one of your own, as package.module:Class.

    The task's own settings for the model apply where --set says nothing; `reservoir tasks NAME` shows them. If the
    model diverges with a seed, the command reports it, leaves the seed out, and ends with exit status 1.

    \b
    reservoir run narma10 --seeds 0:5
    reservoir run lorenz --set units=800 --plot lorenz.png
    reservoir run channel-equalization --task-set snr=24 --json
    reservoir run csv --data data.csv --task-set horizon=50
    """  # noqa: D301
    from reservoir.experiments.evaluation import evaluate
    from reservoir.experiments.report import RunReport
    from reservoir.files.writing import check_outputs
    from reservoir.validation import DivergenceError

    [chosen] = tasks_with([task], task_settings, data, start)
    check_outputs(save, plot, sources=[data])
    drawing(plot)  # a picture that cannot be drawn is refused before the work
    rows: list[dict[str, Any]] = []
    first: Any = None
    try:
        with progress(task, len(seeds), as_json) as bar:
            for place, seed in enumerate(seeds):
                try:
                    result = evaluate(chosen, model, settings, seed, progress=bar.epochs(f"seed {seed}", place))
                except DivergenceError as error:
                    click.echo(explanation(error)[0], err=True)
                else:
                    rows.append(result.row)
                    if as_json:
                        print_json(result.row)
                    if first is None:
                        first = result
                        keep(RunReport(chosen, rows, first), save, plot)
                bar.step(place)
    finally:  # what was finished counts, also after Ctrl-C
        if rows and not as_json:
            print_table(RunReport(chosen, rows, first).table())
    return int(len(rows) < len(seeds))


def keep(report: Any, save: str | None, plot: str | None) -> None:
    """Writes the model of the first seed and the picture of its predictions to the files that are given."""
    from reservoir.files.writing import writing

    if save is not None:
        with writing(save):
            report.first.model.save(save)
    if plot is not None:
        with writing(plot):
            report.plot(plot)
