"""`reservoir run`: one model on one task."""

from __future__ import annotations

import click

from reservoir.commands.console import can_draw, draw, explanation, print_json, progress, say, wrote
from reservoir.commands.options import MODEL, OUTPUT, QUIET, SET, TASK, Values, json_of, seeds_from, task_options, tasks_with


@click.command(short_help="Fit a model to a task and score it.")
@TASK
@MODEL
@SET
@task_options
@seeds_from("0")
@json_of("one JSON object per seed, a line each")
@click.option("--plot", type=OUTPUT, help="Draw the first seed's predictions to this file (png, svg or pdf).")
@QUIET
def run(task: str, model: str, settings: Values, given: Values, seeds: list[int], as_json: bool, plot: str | None) -> int:
    """Fit a model to TASK and score it, once per seed. TASK may also be one of your own, as package.module:Class.

    The task's own settings for the model apply where --set says nothing; `reservoir tasks NAME` shows them. If the
    model diverges with a seed, the command reports it, leaves the seed out, and ends with exit status 1.
    `reservoir train` keeps a model in a file.

    \b
    reservoir run narma10 --seeds 0:5
    reservoir run lorenz --set units=800 --plot lorenz.png
    reservoir run channel-equalization --task-set snr=24 --json
    reservoir run csv --data data.csv --task-set horizon=50
    """  # noqa: D301
    from reservoir.base.progress import watching
    from reservoir.base.tables import counted
    from reservoir.experiments.run import RunReport, results
    from reservoir.files.writing import check_outputs
    from reservoir.validation import DivergenceError

    [chosen] = tasks_with([task], **given)
    check_outputs(plot, sources=[given["data"]])
    can_draw(plot)
    rows: list[Values] = []
    finished, written = None, dict[str, str | None]()
    try:
        texts = {seed: f"seed {seed}" for seed in seeds}
        with progress(task, len(seeds), as_json) as bar, watching(bar.steps(texts), bar.tell):
            report = bar.epochs(texts)
            for seed, result in zip(seeds, results(chosen, model, settings, seeds, report), strict=True):
                if isinstance(result, DivergenceError):
                    click.echo(explanation(result)[0], err=True)
                else:
                    rows.append(result.row)
                    if as_json:
                        print_json(result.row)
                    if finished is None:
                        finished = RunReport(chosen, rows, result)
                        draw(finished, plot)
                        written["picture"] = plot
                bar.step(seed)
    except KeyboardInterrupt:
        done = f"; {len(rows)} of {counted(len(seeds), 'seed')}" if rows else " before any seed"
        click.echo(f"Interrupted{done} {'were' if len(rows) > 1 else 'was'} finished.", err=True)
        return 130
    finally:  # what was finished counts, also after Ctrl-C
        if finished is not None and not as_json:
            say(finished.table())
        wrote(as_json, **written)
    return int(len(rows) < len(seeds))
