"""Values written as text: on the command line, in files, in a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MOST_SEEDS = 100_000


def parse_value(text: str) -> Any:
    """Read a value: a Python literal; true, false and none in any case; a list of words; or the text itself.

    >>> parse_value("1e-3"), parse_value("state,square"), parse_value("cycle")
    (0.001, ['state', 'square'], 'cycle')
    """
    import ast  # `reservoir --help` needs neither this nor json

    words: dict[str, Any] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        value = ast.literal_eval(text)
        repr(value)  # fails for an integer of thousands of digits, written in hexadecimal
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return [parse_value(part.strip()) for part in text.split(",")] if "," in text else text
    return list(value) if isinstance(value, tuple) else value


def parse_seeds(text: str) -> list[int]:
    """Read seeds: 0:5 means 0 to 4, and 0,3,7 a list. Raises ValueError for anything else, and for too many.

    >>> parse_seeds("0:3,7")
    [0, 1, 2, 7]
    """
    seeds: list[int] = []
    for part in text.split(","):
        start, colon, stop = part.partition(":")
        if colon and int(stop) - int(start) > MOST_SEEDS:
            raise ValueError
        seeds += range(int(start), int(stop)) if colon else [int(start)]
    return seeds


def shown_seeds(seeds: Sequence[int]) -> str:
    """Seeds as the command line has them, after their name.

    >>> shown_seeds([5]), shown_seeds([0, 1, 2, 7])
    ('seed 5', 'seeds 0:3,7')
    """
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    runs: list[list[int]] = []
    for seed in seeds:
        if runs and seed == runs[-1][-1] + 1:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    parts = [f"{run[0]}:{run[-1] + 1}" if len(run) > 2 else ",".join(map(str, run)) for run in runs]
    return f"seeds {','.join(parts)}"


def parse_name(text: str) -> str:
    """Return the name of a parameter as Python has it: `readout__ridge` for `readout.ridge`."""
    return text.strip().replace(".", "__")


def shown_name(name: str) -> str:
    """Return the name of a parameter as the command line has it: `readout.ridge` for `readout__ridge`."""
    return name.replace("__", ".")


def canonical(value: Any) -> str:
    """JSON of plain data, the same text for equal values: sorted names, 1 for 1.0 (below 2^53). Raises TypeError for other data.

    >>> canonical({"b": 1.0, "a": [0.5, None]})
    '{"a":[0.5,null],"b":1}'
    """
    import json

    return json.dumps(_whole(value), sort_keys=True, separators=(",", ":"))


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_whole(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def comparable(value: Any) -> Any:
    """Return a hashable form of a parameter's value, equal for equal values: 1 equals 1.0 and not True."""
    return value if type(value) in (float, int, str) else (repr(value),)
