"""`reservoir tasks` and `reservoir models`: lists, and a page for each task and model."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import click

from reservoir.commands.console import print_json
from reservoir.commands.options import json_of
from reservoir.models import MODELS, model_class


@click.command(short_help="List the tasks, or describe one.")
@click.argument("name", required=False)
@json_of("one JSON object per task, a line each")
def tasks(name: str | None, as_json: bool) -> None:
    """List the tasks, or describe task NAME: its definition, options and settings."""
    from reservoir.base.tables import Table
    from reservoir.tasks import list_tasks
    from reservoir.tasks.registry import task_class

    facts = [task_facts(task_class(n)) for n in ([name] if name else list_tasks())]
    if as_json:
        for fact in facts:
            print_json(fact)
    elif name:
        click.echo(task_page(task_class(name)))
    else:
        rows = [[f["name"], f["kind"], ", ".join(f["slow"]), f["summary"]] for f in facts]
        notes = ["Slow: a run takes over 10 s with these; gradient: any model trained by gradient."]
        notes.append("`reservoir tasks NAME` describes a task.")
        click.echo(Table("Tasks", ["name", "kind", "slow", "what it asks"], rows, notes))


@click.command(short_help="List the models, or describe one.")
@click.argument("name", required=False)
@json_of("one JSON object per model, a line each")
def models(name: str | None, as_json: bool) -> None:
    """List the models, or describe model NAME: its parameters, topologies and readouts."""
    from reservoir.base.tables import Table

    if as_json:
        for n in [name] if name else MODELS:
            print_json(model_facts(n, model_class(n)))
    elif name:
        click.echo(model_page(name, model_class(name)))
    else:
        rows = [[n, MODELS[n].summary] for n in MODELS]
        click.echo(Table("Models", ["name", "what it is"], rows, ["`reservoir models NAME` shows its parameters."]))


def task_facts(task: Any) -> dict[str, Any]:
    """Describes a task class, as plain data."""
    from dataclasses import fields

    return {
        **{name: getattr(task, name) for name in ("name", "kind", "metric", "higher_is_better", "published", "slow")},
        "summary": summary(task),
        "options": {field.name: field.default for field in fields(task)},
        "settings": {model: dict(task.settings(model)) for model in MODELS},
        "definition": inspect.getdoc(task),
    }


def summary(documented: Any) -> str:
    """Returns the first line of a docstring."""
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def task_page(task: Any) -> str:
    """Describes one task, as text."""
    from reservoir.base.tables import better

    facts = task_facts(task)
    lines = [f"{task.name} ({task.kind}; {task.metric}, {better(task)})", "", facts["definition"], ""]
    if task.published:
        lines += [f"Published: {task.published}", ""]
    lines.append("Options (--task-set NAME=VALUE):")
    lines += [f"  {name} = {value!r}: {task.constraints[name]}" for name, value in facts["options"].items()]
    for model, settings in facts["settings"].items():
        if settings:
            lines += ["", f"Settings for {model}:", *[f"  {n.replace('__', '.')} = {value!r}" for n, value in settings.items()]]
    return "\n".join(lines)


def model_facts(name: str, model: Any) -> dict[str, Any]:
    """Describes a model class, as plain data; `parts` are its parameters that have parameters, by the classes each may be of."""
    parts = {part: {key: parameters(cls) for key, cls in classes.items()} for part, classes in part_classes_of(model)}
    return {"name": name, "summary": summary(model), "parameters": parameters(model), "parts": parts}


def parameters(cls: Any) -> dict[str, dict[str, Any]]:
    """Returns the default and the constraint of each parameter of a model, or of a part of one."""
    constraints = {name: str(cls.constraints.get(name, "")) for name in cls.defaults()}
    return {name: {"default": default, "constraint": constraints[name]} for name, default in cls.defaults().items()}


def part_classes_of(cls: Any, above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the parameters that have parameters, as readout and a.b, with the classes that each may be of."""
    from reservoir.experiments.evaluation import part_classes

    for name, constraint in cls.constraints.items():
        classes = part_classes(constraint)
        if classes:
            yield above + name, classes
        for part in classes.values():
            yield from part_classes_of(part, f"{above}{name}.")


def model_page(name: str, model: Any) -> str:
    """Describes one model, as text: its parameters, their constraints and defaults, and what can be named in them."""
    heading = "Defaults and constraints (--set NAME=VALUE); --seeds sets random_state:"
    lines = [name, "", about(model), "", heading, *listed(model)]
    for title, members in getattr(model, "catalog", dict)().items():
        lines += ["", f"{title}:", *[f"  {key}: {text}" for key, text in members.items()]]
    for part, classes in part_classes_of(model):
        for title, cls in classes.items():
            choice = f"--set {part}={title}, " if len(classes) > 1 else ""
            lines += ["", f"{title} ({choice}--set {part}.NAME=VALUE)", "", about(cls), "", *listed(cls)]
    return "\n".join(lines)


def about(cls: Any) -> str:
    """Returns the part of a docstring that is for the command line."""
    return re.split(r"\n(?:Attributes|Examples)\n---", inspect.getdoc(cls) or "")[0].rstrip()


def listed(cls: Any) -> list[str]:
    """Returns a line for each parameter that can be set on the command line."""
    return [f"  {name} = {p['default']!r}: {p['constraint']}" for name, p in parameters(cls).items() if p["constraint"]]
