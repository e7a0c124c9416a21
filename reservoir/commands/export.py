"""`reservoir export`: a saved model as a C header."""

from __future__ import annotations

import click

from reservoir.commands.console import show, wrote
from reservoir.commands.options import OUTPUT, QUIET, json_of


@click.command(short_help="Write a saved model as a C header.")
@click.argument("model", type=click.Path())
@click.option("--c", "header", type=OUTPUT, required=True, help="The header; its name is the prefix of all names in it.")
@click.option("--float", "single", is_flag=True, help="Compute in float rather than in double.")
@json_of("one JSON object")
@QUIET
def export(model: str, header: str, single: bool, as_json: bool) -> None:
    """Write a saved MODEL as a C header without dependencies: its weights, its scaling, and a step function.

    The header gives the outputs of `predict`, one time step at a time. The command prints what it takes of flash and RAM, and the
    operations per step.

    \b
    reservoir export wave.safetensors --c wave.h
    reservoir export sensor.safetensors --c sensor.h --float
    """  # noqa: D301
    from reservoir import load
    from reservoir.export.header import export_c
    from reservoir.files.writing import check_outputs

    check_outputs(header, sources=[model])
    show(export_c(load(model), header, precision="float" if single else "double"), as_json)
    wrote(as_json, header=header)
