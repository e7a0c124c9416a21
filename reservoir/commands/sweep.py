"""`reservoir sweep`: many parameters of one model on one task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from reservoir.base.values import parse_name, shown_name
from reservoir.commands import options
from reservoir.commands.console import interrupted, progress, say
from reservoir.commands.options import OUTPUT, Values, at_least

SPLITS = click.Choice(["validation", "test"])
VARY_HELP = "Vary a parameter: NAME=0.1:1.5:15, NAME=log:1e-9:1e-3:7, NAME=a,b,c; may be repeated."
STORE_HELP = "An SQLite file of all runs. If it exists, the sweep continues where it stopped.  [default: TASK-MODEL.db]"
SEARCH_SEED_HELP = "The seed of the strategy's own random numbers (random, sobol, tpe, cmaes)."
FILE_HELP = "A TOML file that holds these options; see docs/sweeps.md."
TABLES = ("vary", "set", "task_set")
KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(TABLES, ((dict,), "a table")),
    **dict.fromkeys(("trials", "jobs", "search_seed", "batch"), ((int,), "an integer")),
    **dict.fromkeys(("prune", "retry", "quiet"), ((bool,), "true or false")),
    "seeds": ((str, int, list), "text as 0:5, an integer, or a list of integers"),
    "start": ((int, float), "a number"),
}
"""The types of the options that are not text."""


def sweep_file(context: click.Context, _: click.Parameter, path: str | None) -> Values:
    """Returns the tables of a sweep's TOML file, by the names of parameters; its other options become the command's defaults."""
    import tomllib

    from reservoir.validation import ParameterError, brief, nearest

    if path is None:
        return {table: {} for table in TABLES}
    try:
        with open(path, "rb") as file:
            given = tomllib.load(file)
        repr(given)  # fails for tables nested a thousand deep, and for integers of thousands of digits
    except (ValueError, RecursionError) as error:
        raise ParameterError(f"{path}: is not TOML: {error}.") from None
    own = ("file", "vary", "settings", "task_settings")
    known = [*TABLES, *[str(option.name) for option in context.command.params if option.name not in own]]
    for name, value in given.items():
        if name not in known:
            raise ParameterError(f"{path}: there is no option '{name}'.{nearest(name, known)} Known: {', '.join(sorted(known))}.")
        types, kind = KINDS.get(name, ((str,), "text"))
        if type(value) not in types:
            raise ParameterError(f"{path}: '{name}' must be {kind}. Got {brief(value)} instead.")
    context.default_map = {name: [value] if name == "seeds" else value for name, value in given.items() if name not in TABLES}
    pairs = {table: list(flat(given.get(table, {}), "")) for table in TABLES}
    for twice in filter(None, map(options.first_twice, pairs.values())):
        raise ParameterError(f"{path}: '{shown_name(twice)}' is there twice.")
    return {table: dict(found) for table, found in pairs.items()}


def flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yields names and values, those of nested tables as outer__inner; a range is a value, and so is an empty table."""
    for name, value in table.items():
        full = prefix + parse_name(name)
        if isinstance(value, dict) and value and not {"start", "stop"} & set(value):
            yield from flat(value, full + "__")
        else:
            yield full, value


@click.command(short_help="Try many parameters of a model on a task.")
@click.argument("task", required=False)
@options.MODEL
@options.assigned("--vary", "vary", VARY_HELP, options.VARIATION)
@options.SET
@options.task_options
@options.seeds_from("0", "Every trial runs with every seed.")
@click.option("--strategy", default="grid", show_default=True, help="The search strategy: grid, random, sobol, tpe or cmaes.")
@click.option("--trials", type=at_least(1), help="How many sets of parameters the strategy tries. A grid tries all.")
@click.option("--store", type=OUTPUT, help=STORE_HELP)
@options.JOBS
@click.option("--scheduler", help="The address of a Dask scheduler, as tcp://host:8786; its workers do the runs.")
@click.option("--split", type=SPLITS, default="validation", show_default=True, help="The split on which runs are scored.")
@click.option("--search-seed", type=at_least(0), default=0, show_default=True, help=SEARCH_SEED_HELP)
@click.option("--batch", type=at_least(1), help="How many trials tpe and cmaes propose at a time.  [default: 8]")
@click.option("--prune", is_flag=True, help="Stop the training of runs worse than the median of earlier runs (tpe, cmaes).")
@options.RETRY
@click.option("--file", type=click.Path(), is_eager=True, callback=sweep_file, help=FILE_HELP)
@options.QUIET
def sweep(
    task: str | None, model: str, vary: Values, settings: Values, given: Values, store: str | None, file: Values, **rest: Any
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
    from reservoir.sweeps.runner import sweep as sweep_task

    if task is None:
        raise click.UsageError("Missing argument 'TASK'.")
    given["settings"] = {**file["task_set"], **given["settings"]}
    [chosen] = options.tasks_with([task], **given)
    store = store or f"{chosen.name}-{model.rpartition(':')[2]}.db"
    named = {**vary, **settings}  # on the command line, which replaces a name of the file whether it is varied or set there
    vary_too, set_too = ({name: x for name, x in file[table].items() if name not in named} for table in ("vary", "set"))
    vary, settings = {**vary, **vary_too}, {**settings, **set_too}
    try:
        with progress(task, 0) as bar:
            found = sweep_task(chosen, model, vary, store, settings=settings, report=bar.sweep, **rest)
    except KeyboardInterrupt:
        click.echo(interrupted(store, bar.state.kept + bar.state.finished if bar.state else 0), err=True)
        return 130
    say(found.latest.table(5, table_width()))
    others = len(found.runs.seed) - len(found.latest.runs.seed)
    more = f" It holds {counted(others, 'run')} of other sweeps, too." if others else ""
    new = counted(bar.state.finished, "new run")
    say(f"\n{new}, {bar.state.kept:,} from before; `reservoir results {store}` shows more of the store.{more}")
    command = found.best_command()
    say(f"The best on the test split, with new seeds:\n{command}" if command else "Every run failed.")
    return int(command is None)
