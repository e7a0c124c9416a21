"""The options that several commands have, and the tasks and columns of a file that they name."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from reservoir.base.values import parse_name, parse_seeds, parse_value, shown_name
from reservoir.commands.console import QUIET_KEY

Values = dict[str, Any]
SET_HELP = "Set a parameter; may be repeated. A dot names a part of a parameter: readout.ridge=1e-6. @W.npz reads a matrix."


class Read(click.ParamType):
    """The type of an option whose text a function reads; where it raises ValueError, the error says what is `wanted`."""

    def __init__(self, name: str, wanted: str, read: Callable[[Any], Any]) -> None:
        self.name, self._wanted, self._read = name, wanted, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Returns the value of a text."""
        try:
            return self._read(value)
        except ValueError:
            self.fail(f"must be {self._wanted}. Got {value!r} instead.", param, ctx)


class Output(click.Path):
    """The type of an option that names a file to write; `takes_csv` says whether "-", standard output, makes sense for it."""

    def __init__(self, takes_csv: bool = False) -> None:
        super().__init__(readable=False, allow_dash=takes_csv)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Returns the path. Refuses an empty one, and "-" where it makes no sense."""
        if not value:
            remedy = "--no-plot draws nothing" if ctx and any(p.name == "no_plot" for p in ctx.command.params) else "leave it out"
            self.fail(f"must be a path. Got {value!r} instead; {remedy}.", param, ctx)
        if value == "-" and not self.allow_dash:
            self.fail("must be a path. Got '-' instead; standard output takes only CSV and JSON.", param, ctx)
        return super().convert(value, param, ctx)


OUTPUT = Output()
CSV_OUTPUT = Output(takes_csv=True)


def _pair(text: str, needs_value: bool = True) -> tuple[str, str]:
    """Splits NAME=VALUE; a dot in the name addresses a part."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (equals and name and (value or not needs_value)):
        raise ValueError
    return parse_name(name), value


def _assignment(text: str) -> tuple[str, Any]:
    name, value = _pair(text, needs_value=False)
    return name, _matrix(value[1:]) if value.startswith("@") else parse_value(value)


def _matrix(path: str) -> Any:
    """Returns the matrix in a file."""
    from reservoir.files.matrix_file import read_matrix
    from reservoir.validation import DataError

    try:
        return read_matrix(path)
    except DataError as error:
        raise click.UsageError(str(error)) from None


def _seeds(value: Any) -> list[int]:
    seeds = parse_seeds(",".join(map(str, value)) if isinstance(value, list) else str(value))
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise ValueError
    return seeds


def _names(value: Any) -> list[str]:
    names = value if isinstance(value, list) else [name.strip() for name in value.split(",")]
    if not all(names):
        raise ValueError
    return names


ASSIGNMENT = Read("NAME=VALUE", "NAME=VALUE", _assignment)
VARIATION = Read("NAME=VALUES", "NAME=VALUES, as spectral_radius=0.1:1.5:15", _pair)
SEEDS = Read("SEEDS", "like 0:5, 0,3,7 or 4, integers in [0, inf), none twice", _seeds)
NAMES = Read("NAMES", "names separated by commas", _names)


def at_least(low: int) -> click.IntRange:
    """Returns the type of an integer option."""
    kind = click.IntRange(low)
    kind.name = "integer"
    return kind


def first_twice(pairs: Sequence[tuple[str, Any]]) -> str | None:
    """Returns the first name that occurs twice among (name, value); None if there is none."""
    return next((name for place, (name, _) in enumerate(pairs) if name in dict(pairs[:place])), None)


def no_name_twice(context: click.Context, option: click.Parameter, pairs: tuple[tuple[str, Any], ...]) -> Values:
    """Returns what a repeated NAME=VALUE option sets, by name. Refuses a name that occurs twice."""
    if name := first_twice(pairs):
        name = shown_name(name)
        remedy = f"all its values at once, as {name}=100,200" if option.name == "vary" else "one value for it"
        raise click.UsageError(f"{option.opts[0]} names {name} twice; give {remedy}.", context)
    return dict(pairs)


def only_once(context: click.Context, option: click.Parameter, given: tuple[Any, ...]) -> Any:
    """Returns the only value of an option. Refuses a second value; click itself would silently keep the last one."""
    if len(given) > 1:
        raise click.UsageError(f"{option.opts[0]} is given twice; give all its values at once, as 0:5 or 0,3,7.", context)
    return given[0]


def only_task(context: click.Context, argument: click.Parameter, names: tuple[str, ...]) -> str:
    """Returns the only task of a command. Refuses several, and names the command that takes them."""
    if len(names) > 1:
        several = f"`reservoir compare {' '.join(names)}` takes several"
        raise click.UsageError(f"{context.command.name} takes one task, got {', '.join(names)}; {several}.", context)
    return names[0]


def assigned(option: str, name: str, help: str, kind: Read = ASSIGNMENT) -> Callable[[Any], Any]:
    """Returns a repeated NAME=VALUE option; the command gets a dict."""
    return click.option(option, name, type=kind, multiple=True, callback=no_name_twice, help=help)


SET = assigned("--set", "settings", SET_HELP)
TASK_SET_HELP = "Set an option of the task; may be repeated. A task's name before it is for that one alone: mso.terms=5."
COLUMN_HELP = "Read this column, or several separated by commas; may be repeated.  [default: the only numeric column]"
COLUMN = click.option("--column", "columns", multiple=True, help=COLUMN_HELP)
JOBS = click.option("--jobs", type=at_least(1), help="Processes that run side by side.  [default: the number of cores]")
TASK = click.argument("task", nargs=-1, required=True, metavar="TASK", callback=only_task)
MODEL_HELP = "The model; `reservoir models` lists them. package.module:Class is one of your own."
MODEL = click.option("--model", default="esn", show_default=True, help=MODEL_HELP)


RETRY = click.option("--retry", is_flag=True, help="Repeat the runs that failed.")
NO_PLOT = click.option("--no-plot", is_flag=True, help="Draw no pictures.")


def _quiet(context: click.Context, _: click.Parameter, is_quiet: bool) -> None:
    context.meta[QUIET_KEY] = is_quiet


QUIET_HELP = "Print no progress and no tables, only errors and what goes to standard output by another option."
QUIET = click.option("--quiet", is_flag=True, expose_value=False, callback=_quiet, help=QUIET_HELP)


def no_two_on_stdout(*given: bool) -> None:
    """Refuses more than one output to standard output."""
    if sum(given) > 1:
        raise click.UsageError("JSON and a file named '-' both go to standard output; give one of them.")


def task_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --task-set, --data and --start, which the command gets as `given`, the last arguments of `tasks_with`."""

    @assigned("--task-set", "task_settings", TASK_SET_HELP)
    @click.option("--data", type=click.Path(), help="A file of your own, for tasks with the option path: csv, waveform.")
    @click.option("--start", type=float, help="Start this many seconds into the file, for tasks with the option start.")
    @functools.wraps(command)
    def wrapped(task_settings: Values, data: str | None, start: float | None, **rest: Any) -> Any:
        return command(given={"settings": task_settings, "data": data, "start": start}, **rest)

    return wrapped


def seeds_from(default: str, use: str = "") -> Callable[[Any], Any]:
    """Returns the option --seeds with its default; `use` says what a command does with the seeds."""
    text = f"The seeds, as 0:5 for 0 to 4, or as 0,3,7. {use}".strip()
    return click.option("--seeds", type=SEEDS, default=[default], show_default=True, multiple=True, callback=only_once, help=text)


def seed_of(what: str) -> Callable[[Any], Any]:
    """Returns the option --seed of one experiment."""
    return click.option("--seed", type=at_least(0), default=0, show_default=True, help=f"The seed of {what}.")


def json_of(what: str) -> Callable[[Any], Any]:
    """Returns the option --json, which prints `what`."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {what}, with numbers in full precision.")


def tasks_with(names: Sequence[str], settings: Mapping[str, Any], data: str | None, start: float | None) -> list[Any]:
    """Returns the tasks with their options set: NAME=VALUE is for all of them, task.NAME=VALUE for one, over what is for all.

    `data` and `start` are for the tasks that have the options `path` and `start`; at least one task must have them.
    """
    from dataclasses import fields

    from reservoir.tasks import get_task
    from reservoir.tasks.registry import task_class
    from reservoir.validation import ParameterError

    kinds = {path: task_class(path) for path in names}
    labels = [kind.name for kind in kinds.values()]
    chosen: dict[str, Values] = {label: {} for label in labels}
    for key, value in sorted(settings.items(), key=lambda item: item[0].partition("__")[0] in labels):
        label, _, option = key.partition("__")
        own = option and label in labels
        for addressed in [label] if own else labels:
            chosen[addressed][option if own else key] = value
    for flag, key, value in (("--data", "path", data), ("--start", "start", start)):
        having = [kind.name for kind in kinds.values() if key in {field.name for field in fields(kind)}]
        if value is not None and not having:
            raise ParameterError(f"{flag} is for tasks with the option '{key}'; {', '.join(labels)} has none.")
        for label in having if value is not None else ():
            if key in chosen[label]:
                raise ParameterError(f"{flag} and --task-set both set the option '{key}' of {label}; give one of them.")
            chosen[label][key] = value
    return [get_task(path, **chosen[kinds[path].name]) for path in names]


def column_names(option: str, texts: Sequence[str]) -> list[str]:
    """Returns the names that an option gives: each text holds one or several, a name with a comma in quotes. Refuses a repeat."""
    import csv

    names = [name.strip() for row in csv.reader(texts, skipinitialspace=True) for name in row]
    if twice := first_twice([(name, None) for name in names]):
        raise click.UsageError(f"{option} names {twice} twice; give it once.")
    return names


def read_columns(file: str, columns: Sequence[str]) -> tuple[Any, list[str]]:
    """Reads columns of a CSV file, with their names."""
    from reservoir.files.csv_file import read_csv

    return read_csv(file, column_names("--column", columns) or None)
