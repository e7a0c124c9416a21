"""`reservoir sweep`: many parameters of one model on one task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from reservoir.commands.console import print_table, progress
from reservoir.commands.options import (
    DATA,
    JOBS,
    MODEL,
    OUTPUT,
    SET,
    START,
    TASK_SET,
    Variation,
    assigned,
    at_least,
    seeds_from,
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


def over_file(
    file: Mapping[str, Any], vary: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is varied and what is set. A name on the command line replaces the file's, whichever of the two it does."""
    named = {**vary, **settings}
    rest = [{name: value for name, value in file.get(table, {}).items() if name not in named} for table in ("vary", "set")]
    return {**vary, **rest[0]}, {**settings, **rest[1]}


@click.command(short_help="Try many parameters of a model on a task.")
@click.argument("task", required=False)
@MODEL
@assigned("--vary", "vary", "Vary a parameter: NAME=0.1:1.5:15, NAME=log:1e-9:1e-3:7, NAME=a,b,c; may be repeated.", Variation())
@SET
@TASK_SET
@seeds_from("0", "Every trial runs with every seed.")
@click.option("--strategy", default="grid", show_default=True, help="The search strategy: grid, random, sobol, tpe or cmaes.")
@click.option("--trials", type=at_least(1), help="How many sets of parameters the strategy tries. A grid tries all.")
@click.option(
    "--store",
    type=OUTPUT,
    help="An SQLite file of all runs. If it exists, the sweep continues where it stopped.  [default: TASK-MODEL.db]",
)
@JOBS
@click.option("--scheduler", help="The address of a Dask scheduler, as tcp://host:8786; its workers do the runs.")
@click.option(
    "--split",
    type=click.Choice(["validation", "test"]),
    default="validation",
    show_default=True,
    help="The split on which runs are scored.",
)
@click.option(
    "--search-seed",
    type=at_least(0),
    default=0,
    show_default=True,
    help="The seed of the strategy's own random numbers (random, sobol, tpe, cmaes).",
)
@click.option("--batch", type=at_least(1), help="How many trials tpe and cmaes propose at a time.  [default: 8]")
@click.option("--prune", is_flag=True, help="Stop the training of runs worse than the median of earlier runs (tpe, cmaes).")
@click.option("--retry", is_flag=True, help="Repeat the runs that failed.")
@DATA
@START
@click.option(
    "--file",
    type=click.Path(),
    is_eager=True,
    callback=sweep_file,
    help="A TOML file that holds these options; see docs/sweeps.md.",
)
def sweep(
    task: str | None,
    model: str,
    vary: dict[str, Any],
    settings: dict[str, Any],
    task_settings: dict[str, Any],
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
    """Try many parameters of a model on TASK, each with every seed, and keep every run in a store.

    The same command, given again, does the runs that are missing; a larger one does the new runs. Runs are scored on
    the validation split, so that the test split stays unseen while you choose. `reservoir results` shows more of the
    store.

    \b
    reservoir sweep narma10 --vary leak_rate=0.1:1:10 --seeds 0:3
    reservoir sweep narma10 --vary readout.ridge=log:1e-9:1e-3:7 --jobs 2
    reservoir sweep narma10 --vary topology=cycle,dense --vary units=50,100
    reservoir sweep lorenz --vary leak_rate=0.1:1 --strategy tpe --trials 50
    reservoir sweep --file sweep.toml
    """  # noqa: D301
    from reservoir.base.tables import counted, table_width
    from reservoir.sweeps import plan_sweep, run_sweep

    if task is None:
        raise click.UsageError("Missing argument 'TASK'.")
    [chosen] = tasks_with([task], {**file.get("task_set", {}), **task_settings}, data, start)
    store = store or f"{chosen.name}-{model.rpartition(':')[2]}.db"
    varied, fixed = over_file(file, vary, settings)
    planned = plan_sweep(chosen, model, varied, fixed, seeds, strategy, trials, split, search_seed, batch, prune)
    counts = {"new": 0, "before": 0}
    try:
        with progress(task, planned.runs, False) as bar:

            def report(state: Any) -> None:
                counts.update(new=state.finished, before=state.kept)
                bar.at(state.kept + state.finished, state.text(), state.kept)

            found = run_sweep(planned, store, jobs=jobs, scheduler=scheduler, retry=retry, report=report)
    except KeyboardInterrupt:
        click.echo(f"Interrupted; the same command continues from what is in {store}.", err=True)
        return 130
    print_table(found.table(5, table_width()))
    told = f"{counted(counts['new'], 'new run')}, {counts['before']:,} from before"
    click.echo(f"\n{told}; `reservoir results {store}` shows more.")
    command = found.best_command()
    click.echo(f"The best on the test split, with new seeds:\n{command}" if command else "Every run failed.")
    return int(not (found.runs.status == "done").any())
