"""The table of tasks. A module is imported when one of its tasks is asked for, so that listing names costs nothing."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from typing import Any

from reservoir.validation import unknown
from tasks.base import Task

TASKS = {
    "narma10": "tasks.narma:Narma10",
    "narma20": "tasks.narma:Narma20",
    "narma30": "tasks.narma:Narma30",
    "memory-capacity": "tasks.memory:MemoryCapacity",
    "delayed-recall": "tasks.memory:DelayedRecall",
    "parity": "tasks.memory:Parity",
    "channel-equalization": "tasks.channel:ChannelEqualization",
    "waveform": "tasks.waveform:Waveform",
    "copy": "tasks.symbols:Copy",
    "reber": "tasks.reber:Reber",
    "mackey-glass": "tasks.flows:MackeyGlass",
    "lorenz": "tasks.flows:Lorenz",
    "rossler": "tasks.flows:Rossler",
    "kuramoto-sivashinsky": "tasks.flows:KuramotoSivashinsky",
    "henon": "tasks.maps:Henon",
    "mso": "tasks.maps:MultipleSines",
    "sine": "tasks.maps:Sine",
    "sunspots": "tasks.records:Sunspots",
    "csv": "tasks.records:CsvTask",
    "frequency-discrimination": "tasks.labels:FrequencyDiscrimination",
    "digits": "tasks.labels:Digits",
    "adding": "tasks.adding:Adding",
    "temporal-order": "tasks.symbols:TemporalOrder",
    "spoken-words": "tasks.spoken_words:SpokenWords",
}
"""Name -> "module:Class": filters first, then free runs, then labels."""


def list_tasks() -> list[str]:
    """The names of all tasks, in the order of the table.

    >>> list_tasks()[0]
    'narma10'
    """
    return list(TASKS)


def task_class(name: str) -> type[Task]:
    """The class of a task, for its facts and its docstring; raises `ParameterError` for an unknown name."""
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    module, _, attribute = TASKS[name].partition(":")
    found: type[Task] = getattr(import_module(module), attribute)
    return found


def get_task(name: str, /, **options: Any) -> Task:
    """The task of that name with some of its options set.

    Raises `ParameterError` for an unknown task, an unknown option or a value out of range.

    >>> get_task("lorenz", starts=5).options()["starts"]
    5
    """
    found = task_class(name)
    known = [field.name for field in fields(found)]
    for option in options:
        if option not in known:
            raise unknown(f"{name} option", option, known)
    return found(**options)
