"""`reservoir models`: what models there are."""

from __future__ import annotations

import click

from reservoir.commands.console import print_json, print_table
from reservoir.commands.options import json_of


@click.command(short_help="List the models, or tell all about one.")
@click.argument("name", required=False)
@json_of("one JSON object per model, a line each")
def models(name: str | None, as_json: bool) -> None:
    """List the models, or tell all about model NAME: parameters, topologies, readouts."""
    from reservoir.base.tables import Table
    from reservoir.commands.pages import model_facts, model_page
    from reservoir.models import MODELS, model_class

    names = [name] if name else list(MODELS)
    if as_json:
        for n in names:
            print_json(model_facts(n, model_class(n)))
    elif name:
        click.echo(model_page(name, model_class(name)))
    else:
        rows = [[n, MODELS[n].summary] for n in names]
        print_table(Table("Models", ["name", "what it is"], rows, ["`reservoir models NAME` tells its parameters."]))
