"""The table of tasks. A module is imported when one of its tasks is asked for, so that listing names costs nothing."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from typing import Any

from reservoir.base.classes import import_class
from reservoir.tasks.base import Task
from reservoir.validation import ParameterError, brief, unknown

PLACES = {
    "narma10": "narma:Narma10", "narma20": "narma:Narma20", "narma30": "narma:Narma30",
    "memory-capacity": "memory:MemoryCapacity", "delayed-recall": "memory:DelayedRecall", "parity": "memory:Parity",
    "channel-equalization": "channel:ChannelEqualization", "waveform": "waveform:Waveform",
    "copy": "symbols:Copy", "reber": "reber:Reber",
    "mackey-glass": "flows:MackeyGlass", "lorenz": "flows:Lorenz", "rossler": "flows:Rossler",
    "kuramoto-sivashinsky": "flows:KuramotoSivashinsky", "henon": "maps:Henon", "mso": "maps:MultipleSines", "sine": "maps:Sine",
    "sunspots": "records:Sunspots", "csv": "records:CsvTask",
    "frequency-discrimination": "labels:FrequencyDiscrimination", "digits": "labels:Digits", "adding": "symbols:Adding",
    "temporal-order": "symbols:TemporalOrder", "spoken-words": "spoken_words:SpokenWords",
    "text": "text:TextTask",
}  # fmt: skip
TASKS = {
    **{name: f"reservoir.tasks.{place}" for name, place in PLACES.items()},
    "inspect": "reservoir.diagnostics.measures:Inspect",
}
"""Name -> "module:Class": the benchmarks (filters, then free runs, then labels, then text), and the measures of a reservoir."""


def list_tasks() -> list[str]:
    """Return the names of the benchmark tasks, in the order of the table.

    >>> list_tasks()[0]
    'narma10'
    """
    return list(PLACES)


def task_class(name: str) -> type[Task]:
    """Return the class of a task by its name, or by "package.module:Class" for one of your own.

    Raises `ParameterError` for an unknown name, and for anything but a class of a `Task` with its facts.
    """
    if name in TASKS:
        module, _, attribute = TASKS[name].partition(":")
        built_in: type[Task] = getattr(import_module(module), attribute)
        return built_in
    if ":" not in name:
        raise unknown("task", name, TASKS)
    own = import_class("task", name, Task)
    for fact in ("name", "kind", "metric"):
        if not hasattr(own, fact):
            raise ParameterError(f"The task '{name}' must have the class variable '{fact}'; docs/extending.md shows a task.")
    return own


def get_task(name: str, /, **options: Any) -> Task:
    """Return the task of that name, or of "package.module:Class", with some of its options set.

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
    """Return a task by its name, with its default options, or an object with the methods of `Task` as it is.

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
