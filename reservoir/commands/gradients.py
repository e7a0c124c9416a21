"""`reservoir gradients`: gradients on their way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from reservoir.commands.console import drawing, print_json, print_table, progress
from reservoir.commands.options import DATA, OUTPUT, SET_HELP, START, TASK_SET, Names, assigned, at_least, json_of, tasks_with


@click.command(short_help="Show how gradients pass through trained networks.")
@click.argument("task")
@click.option(
    "--models", type=Names(), default="elman,lstm", show_default=True, help="Models trained by gradient, as for compare."
)
@assigned("--set", "settings", SET_HELP + " training.epochs=0 leaves the models untrained.")
@TASK_SET
@click.option("--seed", type=at_least(0), default=0, show_default=True, help="The seed of the data and of the weights.")
@DATA
@START
@json_of("one JSON object per model, a line each")
@click.option("--plot", type=OUTPUT, help="Draw the gradients, the singular values and the saturated gates to this file.")
def gradients(
    task: str,
    models: list[str],
    settings: dict[str, Any],
    task_settings: dict[str, Any],
    seed: int,
    data: str | None,
    start: float | None,
    as_json: bool,
    plot: str | None,
) -> None:
    """Fit models to TASK and measure how gradients pass through them: vanishing, exploding, saturated gates.

    \b
    reservoir gradients adding --plot gradients.png
    reservoir gradients reber --models lstm,gru --set training.epochs=0
    """  # noqa: D301
    from reservoir.comparison.plan import entrants
    from reservoir.diagnostics.gradients import gradient_diagnostics
    from reservoir.experiments.evaluation import make_model, settings_for
    from reservoir.files.writing import check_outputs, writing
    from reservoir.gradient.recurrent import RecurrentEstimator
    from reservoir.models import model_class

    [chosen] = tasks_with([task], task_settings, data, start)
    entered = entrants(models, settings)
    kinds = [model_class(entrant.model) for entrant in entered]
    if any(issubclass(kind, model_class("esn")) for kind in kinds):
        raise click.UsageError("an echo state network has no gradients; `reservoir inspect` measures a reservoir.")
    for entrant, kind in zip(entered, kinds, strict=True):
        if not issubclass(kind, RecurrentEstimator):
            raise click.UsageError(f"the model {entrant.label} is not derived from RecurrentEstimator and has no gradients.")
    check_outputs(plot, sources=[data])
    drawing(plot)  # a picture that cannot be drawn is refused before the work
    networks = {e.label: make_model(e.model, settings_for(chosen, e.model, e.parameters), seed) for e in entered}
    places = {label: place for place, label in enumerate(networks)}
    with progress(task, len(entered), as_json) as bar:

        def report(label: str, epoch: tuple[Mapping[str, Any], int] | None) -> None:
            if epoch is None:
                bar.step(places[label])
            else:
                bar.epochs(label, places[label])(*epoch)

        found = gradient_diagnostics(chosen, networks, seed, report)
    if as_json:
        for record in found.records():
            print_json(record)
    else:
        print_table(found.table())
    if plot is not None:
        with writing(plot):
            found.plot(plot)
