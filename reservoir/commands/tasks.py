"""`reservoir tasks`: what tasks there are."""

from __future__ import annotations

import click

from reservoir.commands.console import print_json, print_table
from reservoir.commands.options import json_of


@click.command(short_help="List the tasks, or tell all about one.")
@click.argument("name", required=False)
@json_of("one JSON object per task, a line each")
def tasks(name: str | None, as_json: bool) -> None:
    """List the tasks, or tell all about task NAME: definition, options, settings."""
    from reservoir.base.tables import Table
    from reservoir.commands.pages import task_facts, task_page
    from reservoir.tasks import list_tasks
    from reservoir.tasks.registry import task_class

    names = [name] if name else list_tasks()
    facts = [task_facts(task_class(n)) for n in names]
    if as_json:
        for fact in facts:
            print_json(fact)
    elif name:
        click.echo(task_page(task_class(name)))
    else:
        rows = [[f["name"], f["kind"], f["summary"]] for f in facts]
        print_table(Table("Tasks", ["name", "kind", "what it asks"], rows, ["`reservoir tasks NAME` tells all about one."]))
