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

from reservoir.validation import ParameterError, nearest

TABLES = ("vary", "set", "task_set")


def read_sweep_file(path: str | os.PathLike[str], options: Iterable[str]) -> dict[str, Any]:
    """The options of a sweep as a file gives them; tables as dicts by the names of parameters, parts as `readout__ridge`.

    Parameters
    ----------
    path : the file
    options : the names of options that there are

    Raises
    ------
    ParameterError
        The file is no TOML, or has a name that is no option (with the nearest).
    OSError
        It cannot be read.
    """
    try:
        with open(path, "rb") as file:
            given = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path}: is not TOML: {error}.") from None
    known = [*options, *TABLES]
    for name, value in given.items():
        if name not in known:
            raise ParameterError(f"{path}: there is no option '{name}'.{nearest(name, known)} Known: {', '.join(sorted(known))}.")
        if (name in TABLES) != isinstance(value, dict):
            raise ParameterError(f"{path}: '{name}' must {'' if name in TABLES else 'not '}be a table. Got {value!r} instead.")
    return {**given, **{name: dict(_flat(given.get(name, {}), "")) for name in TABLES}}


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Names and values, those of nested tables as outer__inner; a range is a value."""
    for name, value in table.items():
        full = prefix + name.replace(".", "__")
        if isinstance(value, dict) and not {"start", "stop"} & set(value):
            yield from _flat(value, full + "__")
        else:
            yield full, value
