"""Options that several commands have, the types of their values, and what they stand for: tasks, columns of a file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

import click

from reservoir.experiments.values import parse_name, parse_seeds, parse_value

OUTPUT = click.Path(readable=False)
SET_HELP = "A parameter, as NAME=VALUE; may be repeated. Parts of a parameter as readout.ridge=1e-6."
Assignments = tuple[tuple[str, Any], ...]


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


TASK_SETTINGS = click.option(
    "--task-set", "task_settings", type=Assignment(), multiple=True, help="A task's option, as NAME=VALUE; may be repeated."
)
DATA = click.option("--data", type=click.Path(), help="A file of your own, for tasks with the option path: csv, waveform.")
START = click.option("--start", type=float, help="Where in the file to start, for tasks with the option start: seconds.")


def tasks_with(names: Sequence[str], settings: Assignments, data: str | None, start: float | None) -> list[Any]:
    """The tasks with their options set: NAME=VALUE is for all of them, task.NAME=VALUE for one.

    `data` and `start` are for those that have the options `path` and `start`; one has to.
    """
    from dataclasses import fields

    from reservoir.tasks import get_task
    from reservoir.tasks.registry import task_class
    from reservoir.validation import ParameterError

    known = {name: {field.name for field in fields(task_class(name))} for name in names}
    chosen: dict[str, dict[str, Any]] = {name: {} for name in names}
    for option, key, value in (("--data", "path", data), ("--start", "start", start)):
        having = [name for name in names if key in known[name]]
        if value is not None and not having:
            raise ParameterError(f"{option} is for tasks with the option '{key}'; {', '.join(names)} has none.")
        for name in having if value is not None else ():
            chosen[name][key] = value
    for key, value in settings:
        first, _, rest = key.partition("__")
        for name in [first] if rest and first in chosen else names:
            chosen[name][rest if name == first and rest else key] = value
    return [get_task(name, **chosen[name]) for name in names]


def read_columns(file: str, names: str | None) -> tuple[Any, list[str]]:
    """Columns of a CSV file and their names, the names asked for separated by commas; one that has a comma in quotes."""
    from reservoir.files.csv_file import read_csv

    return read_csv(file, [name.strip() for name in next(csv.reader([names], skipinitialspace=True))] if names else None)
