"""`reservoir sweep`: many parameters of one model on one task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from reservoir.commands.console import print_table, progress, table_width
from reservoir.commands.options import (
    DATA,
    OUTPUT,
    SET_HELP,
    START,
    TASK_SETTINGS,
    Assignment,
    Assignments,
    Seeds,
    Variation,
    at_least,
    tasks_with,
)


def sweep_file(context: click.Context, _: click.Parameter, path: str | None) -> dict[str, Any]:
    """The tables of a sweep's file; its other options become the defaults of the command's."""
    if path is None:
        return {}
    from reservoir.sweeps.file import TABLES, read_sweep_file

    own = ("file", "vary", "settings", "task_settings")
    given = read_sweep_file(path, [str(option.name) for option in context.command.params if option.name not in own])
    context.default_map = {name: value for name, value in given.items() if name not in TABLES}
    return {name: given[name] for name in TABLES}


def over_file(file: Mapping[str, Any], vary: Assignments, settings: Assignments) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is varied and what is set: what the command line names, in either way, goes over the file."""
    varied, fixed = dict(vary), dict(settings)
    if len(varied) < len(vary):
        raise click.UsageError("--vary names a parameter twice; give all its values at once, as washout=100,200.")
    named = {**varied, **fixed}
    rest = [{name: value for name, value in file.get(table, {}).items() if name not in named} for table in ("vary", "set")]
    return {**varied, **rest[0]}, {**fixed, **rest[1]}


@click.command(short_help="Try many parameters of a model on a task.")
@click.argument("task", required=False)
@click.option("--model", default="esn", show_default=True, help="The model; see `reservoir models`.")
@click.option(
    "--vary", type=Variation(), multiple=True, help="NAME=0.1:1.5:15, NAME=log:1e-9:1e-3:7, NAME=a,b,c; may be repeated."
)
@click.option("--set", "settings", type=Assignment(), multiple=True, help=SET_HELP)
@TASK_SETTINGS
@click.option("--seeds", type=Seeds(), default="0", show_default=True, help="0:5 for 0 to 4, or 0,3,7; each trial with each.")
@click.option("--strategy", default="grid", show_default=True, help="grid, random, sobol, tpe or cmaes.")
@click.option("--trials", type=at_least(1), help="How many sets of parameters to try, but for a grid.")
@click.option("--store", type=OUTPUT, help="The record, gone on with if it is there.  [default: TASK-MODEL.db]")
@click.option("--jobs", type=at_least(1), help="Processes to run side by side.  [default: the number of cores]")
@click.option("--scheduler", help="A Dask scheduler, as tcp://host:8786, whose workers do the work instead.")
@click.option(
    "--split", type=click.Choice(["validation", "test"]), default="validation", show_default=True, help="What to score on."
)
@click.option("--search-seed", type=at_least(0), default=0, show_default=True, help="Of random, sobol, tpe and cmaes.")
@click.option("--batch", type=at_least(1), help="Trials that tpe and cmaes propose at a time.  [default: 8]")
@click.option("--prune", is_flag=True, help="With tpe and cmaes, stop training what is worse than the median.")
@click.option("--retry", is_flag=True, help="Try again what failed.")
@DATA
@START
@click.option(
    "--file", type=click.Path(), is_eager=True, callback=sweep_file, help="All of this as a TOML file; see docs/sweeps.md."
)
def sweep(
    task: str | None,
    model: str,
    vary: Assignments,
    settings: Assignments,
    task_settings: Assignments,
    seeds: list[int],
    strategy: str,
    trials: int | None,
    store: str | None,
    jobs: int | None,
    scheduler: str | None,
    split: str,
    search_seed: int,
    batch: int | None,
    prune: bool,
    retry: bool,
    data: str | None,
    start: float | None,
    file: dict[str, Any],
) -> int:
    """Try many parameters of a model on TASK, each with every seed, and keep what comes in a store.

    The same command again does what is missing, a larger one what is new. Runs are scored on the validation split, so that
    the test split stays unseen while choosing. `reservoir results` shows more of what is in the store.

    \b
    reservoir sweep narma10 --vary leak_rate=0.1:1:10 --seeds 0:3
    reservoir sweep narma10 --vary readout.ridge=log:1e-9:1e-3:7 --jobs 2
    reservoir sweep narma10 --vary topology=cycle,dense --vary units=50,100
    reservoir sweep lorenz --vary leak_rate=0.1:1 --strategy tpe --trials 50
    reservoir sweep --file sweep.toml
    """  # noqa: D301
    from reservoir.sweeps import plan, run
    from reservoir.sweeps.report import best_command, counted, progress_text, ranking_table

    if task is None:
        raise click.UsageError("Missing argument 'TASK'.")
    store = store or f"{task}-{model}.db"
    [chosen] = tasks_with([task], (*file.get("task_set", {}).items(), *task_settings), data, start)
    varied, fixed = over_file(file, vary, settings)
    planned = plan(chosen, model, varied, fixed, seeds, strategy, trials, split, search_seed, batch, prune)
    counts = {"new": 0, "before": 0}
    try:
        with progress(task, planned.runs, False) as bar:

            def report(state: Any) -> None:
                counts.update(new=state.finished, before=state.kept)
                bar.at(state.kept + state.finished, progress_text(state), state.kept)

            table = run(planned, store, jobs=jobs, scheduler=scheduler, retry=retry, report=report)
    except KeyboardInterrupt:
        click.echo(f"Interrupted; the same command again goes on from what is in {store}.", err=True)
        return 130
    print_table(*ranking_table(table, 5, table_width()))
    told = f"{counted(counts['new'], 'new run')}, {counts['before']:,} from before"
    click.echo(f"\n{told}; `reservoir results {store}` shows more.")
    command = best_command(table)
    click.echo(f"The best on the test split, with new seeds:\n{command}" if command else "Every run failed.")
    return int(not (table.status == "done").any())
