"""A sweep written down in a TOML file.

task = "narma10"
model = "esn"
seeds = "0:3"
store = "narma10.db"

[vary]
spectral_radius = "0.1:1.5:15"
leak_rate = { start = 0.01, stop = 1.0, count = 10, log = true }
topology = ["diagonals", "cycle"]
readout.ridge = "log:1e-9:1e-3:7"

[set]
units = 200
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reservoir.base.values import parse_name, shown_name
from reservoir.validation import ParameterError, brief, nearest

TABLES = ("vary", "set", "task_set")
KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(TABLES, ((dict,), "a table")),
    **dict.fromkeys(("trials", "jobs", "search_seed", "batch"), ((int,), "an integer")),
    **dict.fromkeys(("prune", "retry"), ((bool,), "true or false")),
    "seeds": ((str, int, list), "text as 0:5, an integer, or a list of integers"),
    "start": ((int, float), "a number"),
}
"""The types of the options that are not text."""


def read_sweep_file(path: str | os.PathLike[str], options: Iterable[str]) -> dict[str, Any]:
    """Read the options of a sweep, of those known; tables as dicts by the names of parameters, parts as `readout__ridge`.

    Raises
    ------
    ParameterError
        The file is no TOML, has a name that is no option (with the nearest), a value of another type, or a parameter twice.
    OSError
        It cannot be read.
    """
    try:
        with open(path, "rb") as file:
            given = tomllib.load(file)
        repr(given)  # fails for tables nested a thousand deep, and for integers of thousands of digits
    except (ValueError, RecursionError) as error:
        raise ParameterError(f"{path}: is not TOML: {error}.") from None
    known = [*options, *TABLES]
    for name, value in given.items():
        if name not in known:
            raise ParameterError(f"{path}: there is no option '{name}'.{nearest(name, known)} Known: {', '.join(sorted(known))}.")
        types, kind = KINDS.get(name, ((str,), "text"))
        if type(value) not in types:
            raise ParameterError(f"{path}: '{name}' must be {kind}. Got {brief(value)} instead.")
    for table in TABLES:
        pairs = list(_flat(given.get(table, {}), ""))
        given[table] = dict(pairs)
        if len(given[table]) < len(pairs):
            twice = next(name for place, (name, _) in enumerate(pairs) if name in dict(pairs[:place]))
            raise ParameterError(f"{path}: '{shown_name(twice)}' is there twice.")
    return given


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield names and values, those of nested tables as outer__inner; a range is a value, and so is an empty table."""
    for name, value in table.items():
        full = prefix + parse_name(name)
        if isinstance(value, dict) and value and not {"start", "stop"} & set(value):
            yield from _flat(value, full + "__")
        else:
            yield full, value
