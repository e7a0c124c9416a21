"""The table of tasks. A module is imported when one of its tasks is asked for, so that listing names costs nothing."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from typing import Any

from reservoir.tasks.base import Task
from reservoir.validation import ParameterError, brief, unknown

TASKS = {
    "narma10": "reservoir.tasks.narma:Narma10",
    "narma20": "reservoir.tasks.narma:Narma20",
    "narma30": "reservoir.tasks.narma:Narma30",
    "memory-capacity": "reservoir.tasks.memory:MemoryCapacity",
    "delayed-recall": "reservoir.tasks.memory:DelayedRecall",
    "parity": "reservoir.tasks.memory:Parity",
    "channel-equalization": "reservoir.tasks.channel:ChannelEqualization",
    "waveform": "reservoir.tasks.waveform:Waveform",
    "copy": "reservoir.tasks.symbols:Copy",
    "reber": "reservoir.tasks.reber:Reber",
    "mackey-glass": "reservoir.tasks.flows:MackeyGlass",
    "lorenz": "reservoir.tasks.flows:Lorenz",
    "rossler": "reservoir.tasks.flows:Rossler",
    "kuramoto-sivashinsky": "reservoir.tasks.flows:KuramotoSivashinsky",
    "henon": "reservoir.tasks.maps:Henon",
    "mso": "reservoir.tasks.maps:MultipleSines",
    "sine": "reservoir.tasks.maps:Sine",
    "sunspots": "reservoir.tasks.records:Sunspots",
    "csv": "reservoir.tasks.records:CsvTask",
    "frequency-discrimination": "reservoir.tasks.labels:FrequencyDiscrimination",
    "digits": "reservoir.tasks.labels:Digits",
    "adding": "reservoir.tasks.adding:Adding",
    "temporal-order": "reservoir.tasks.symbols:TemporalOrder",
    "spoken-words": "reservoir.tasks.spoken_words:SpokenWords",
}
"""Name -> "module:Class": filters first, then free runs, then labels."""


def list_tasks() -> list[str]:
    """The names of all tasks, in the order of the table.

    >>> list_tasks()[0]
    'narma10'
    """
    return list(TASKS)


def task_class(name: str) -> type[Task]:
    """The class of a task by its name, or by "package.module:Class" for one of your own.

    Raises `ParameterError` for an unknown name, and for what is no class of a `Task`.
    """
    if name not in TASKS and ":" not in name:
        raise unknown("task", name, TASKS)
    if name not in TASKS:
        return _own_class(name)
    module, _, attribute = TASKS[name].partition(":")
    found: type[Task] = getattr(import_module(module), attribute)
    return found


def _own_class(path: str) -> type[Task]:
    from reservoir.base.classes import import_class

    found = import_class("task", path, Task)
    for fact in ("name", "kind", "metric"):
        if not hasattr(found, fact):
            raise ParameterError(f"The task '{path}' must have the class variable '{fact}'; docs/extending.md shows a task.")
    return found


def get_task(name: str, /, **options: Any) -> Task:
    """The task of that name, or of "package.module:Class", with some of its options set.

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


def as_task(task: Any) -> Any:
    """The task that is given: by its name, with its default options, or as an object with the methods of `Task`.

    Raises `ParameterError` for an unknown name, and for an object that is no task.

    >>> as_task("lorenz").name
    'lorenz'
    """
    if isinstance(task, str):
        return get_task(task)
    if isinstance(task, type) or not hasattr(task, "generate"):
        raise ParameterError(
            "A task must be a name, as 'narma10', or an object with the methods of reservoir.tasks.Task."
            f" Got {brief(task)} instead."
        )
    return task
