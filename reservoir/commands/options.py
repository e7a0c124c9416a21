"""Options that several commands have, the types of their values, and what they stand for: tasks, columns of a file."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from reservoir.base.values import parse_name, parse_seeds, parse_value

OUTPUT = click.Path(readable=False)
SET_HELP = "Set a parameter; may be repeated. A dot names a part of a parameter: readout.ridge=1e-6."


class Assignment(click.ParamType):
    """NAME=VALUE, the value a Python literal, or else text; a dot in the name addresses a part."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """(name, value) of an assignment."""
        name, equals, text = value.partition("=")
        if not equals or not name.strip():
            self.fail(f"must be NAME=VALUE. Got {value!r} instead.", param, ctx)
        return parse_name(name), parse_value(text.strip())


class Variation(click.ParamType):
    """NAME=VALUES, the values a text that `reservoir.sweeps.space` reads; a dot in the name addresses a part."""

    name = "NAME=VALUES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """(name, text) of a variation."""
        name, equals, text = value.partition("=")
        if not equals or not name.strip() or not text.strip():
            self.fail(f"must be NAME=VALUES, as spectral_radius=0.1:1.5:15. Got {value!r} instead.", param, ctx)
        return parse_name(name), text.strip()


class Seeds(click.ParamType):
    """0:5 for 0 to 4, 0,3,7 for these, or one number."""

    name = "SEEDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        """The seeds as a list, none twice."""
        try:
            seeds = parse_seeds(",".join(map(str, value)) if isinstance(value, list) else str(value))
        except ValueError:
            seeds = []
        if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
            self.fail(f"must be like 0:5, 0,3,7 or 4, integers in [0, inf), none twice. Got {value!r} instead.", param, ctx)
        return seeds


class Names(click.ParamType):
    """Names separated by commas."""

    name = "NAMES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        """The names as a list."""
        names = value if isinstance(value, list) else [name.strip() for name in value.split(",")]
        if not all(names):
            self.fail(f"must be names separated by commas. Got {value!r} instead.", param, ctx)
        return names


def at_least(low: int) -> click.IntRange:
    """The type of an integer option."""
    kind = click.IntRange(low)
    kind.name = "integer"
    return kind


def once(context: click.Context, option: click.Parameter, pairs: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """What a repeated NAME=VALUE option sets, by name. Refuses a name that occurs twice."""
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = next(name for place, (name, _) in enumerate(pairs) if name in dict(pairs[:place])).replace("__", ".")
        remedy = f"all its values at once, as {twice}=100,200" if option.name == "vary" else "one value for it"
        raise click.UsageError(f"{option.opts[0]} names {twice} twice; give {remedy}.", context)
    return values


def assigned(option: str, name: str, help: str, kind: click.ParamType | None = None) -> Callable[[Any], Any]:
    """A repeated NAME=VALUE option; the command gets a dict."""
    return click.option(option, name, type=kind or Assignment(), multiple=True, callback=once, help=help)


SET = assigned("--set", "settings", SET_HELP)
TASK_SET = assigned("--task-set", "task_settings", "Set an option of the task; may be repeated.")
DATA = click.option("--data", type=click.Path(), help="A file of your own, for tasks with the option path: csv, waveform.")
START = click.option("--start", type=float, help="Start this many seconds into the file, for tasks with the option start.")
COLUMN_HELP = "Read this column, or several separated by commas; may be repeated.  [default: the only numeric column]"
COLUMN = click.option("--column", "columns", multiple=True, help=COLUMN_HELP)
JOBS = click.option("--jobs", type=at_least(1), help="Processes that run side by side.  [default: the number of cores]")
MODEL = click.option(
    "--model",
    default="esn",
    show_default=True,
    help="The model; `reservoir models` lists them. package.module:Class is one of your own.",
)


def seeds_from(default: str, use: str = "") -> Callable[[Any], Any]:
    """The option --seeds with its default; `use` says what a command does with the seeds."""
    text = f"The seeds, as 0:5 for 0 to 4, or as 0,3,7. {use}".strip()
    return click.option("--seeds", type=Seeds(), default=default, show_default=True, help=text)


def json_of(what: str) -> Callable[[Any], Any]:
    """The option --json, which prints `what`."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {what}, with numbers in full precision.")


def tasks_with(names: Sequence[str], settings: Mapping[str, Any], data: str | None, start: float | None) -> list[Any]:
    """The tasks with their options set: NAME=VALUE is for all of them, task.NAME=VALUE for one, over what is for all.

    `data` and `start` are for the tasks that have the options `path` and `start`; at least one task must have them.
    """
    from dataclasses import fields

    from reservoir.tasks import get_task
    from reservoir.tasks.registry import task_class
    from reservoir.validation import ParameterError

    kinds = {name: task_class(name) for name in names}
    paths, names = names, [kinds[name].name for name in names]
    known = {kind.name: {field.name for field in fields(kind)} for kind in kinds.values()}
    own = {name: {k.partition("__")[2]: v for k, v in settings.items() if k.startswith(f"{name}__")} for name in names}
    general = {key: value for key, value in settings.items() if key.partition("__")[0] not in names or "__" not in key}
    chosen = {name: {**general, **own[name]} for name in names}
    for option, key, value in (("--data", "path", data), ("--start", "start", start)):
        having = [name for name in names if key in known[name]] if value is not None else []
        if value is not None and not having:
            raise ParameterError(f"{option} is for tasks with the option '{key}'; {', '.join(names)} has none.")
        for name in having:
            if key in chosen[name]:
                raise ParameterError(f"{option} and --task-set both set the option '{key}' of {name}; give one of them.")
            chosen[name][key] = value
    return [get_task(path, **chosen[name]) for path, name in zip(paths, names, strict=True)]


def read_columns(file: str, columns: Sequence[str]) -> tuple[Any, list[str]]:
    """Columns of a CSV file and their names. Each text names one column or several, a name with a comma in quotes."""
    from reservoir.files.csv_file import read_csv

    names = [name.strip() for row in csv.reader(columns, skipinitialspace=True) for name in row]
    for name in names:
        if names.count(name) > 1:
            raise click.UsageError(f"--column names {name} twice; give it once.")
    return read_csv(file, names or None)
