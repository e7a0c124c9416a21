"""`reservoir gradients`: gradients on their way back."""

from __future__ import annotations

from typing import Any

import click

from reservoir.commands.console import can_draw, draw, progress, show, wrote
from reservoir.commands.options import (
    NAMES,
    OUTPUT,
    QUIET,
    SET_HELP,
    Values,
    assigned,
    json_of,
    seed_of,
    task_options,
    tasks_with,
)


@click.command(short_help="Show how gradients pass through trained networks.")
@click.argument("task")
@click.option("--models", type=NAMES, default="elman,lstm", show_default=True, help="Models trained by gradient, as for compare.")
@assigned("--set", "settings", SET_HELP + " training.epochs=0 leaves the models untrained.")
@task_options
@seed_of("the data and of the weights")
@json_of("one JSON object per model, a line each")
@click.option("--plot", type=OUTPUT, help="Draw the gradients, the singular values and the saturated gates to this file.")
@QUIET
def gradients(task: str, models: list[str], settings: Values, given: Values, seed: int, as_json: bool, plot: str | None) -> None:
    """Fit models to TASK and measure how gradients pass through them: vanishing, exploding, saturated gates.

    \b
    reservoir gradients adding --plot gradients.png
    reservoir gradients reber --models lstm,gru --set training.epochs=0
    """  # noqa: D301
    from reservoir.comparison.plan import entrants
    from reservoir.diagnostics.gradients import gradient_diagnostics
    from reservoir.experiments.evaluation import make_model, settings_for
    from reservoir.files.writing import check_outputs
    from reservoir.gradient.recurrent import RecurrentEstimator
    from reservoir.models import model_class

    [chosen] = tasks_with([task], **given)
    entered = entrants(models, settings)
    for entrant in entered:
        kind = model_class(entrant.model)
        if issubclass(kind, model_class("esn")):
            raise click.UsageError("an echo state network has no gradients; `reservoir inspect` measures a reservoir.")
        if not issubclass(kind, RecurrentEstimator):
            raise click.UsageError(f"the model {entrant.label} is not derived from RecurrentEstimator and has no gradients.")
    check_outputs(plot, sources=[given["data"]])
    can_draw(plot)
    networks = {e.label: make_model(e.model, settings_for(chosen, e.model, e.parameters), seed) for e in entered}
    with progress(task, len(entered), as_json) as bar:
        tell = bar.epochs({label: label for label in networks})

        def report(label: str, epoch: Any) -> None:
            tell(label, epoch) if epoch else bar.step(label)

        found = gradient_diagnostics(chosen, networks, seed, report)
    show(found, as_json)
    draw(found, plot)
    wrote(as_json, picture=plot)
