"""How gradients pass through several networks on one task: the measures and their report."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.base.estimator import clone
from reservoir.base.tables import Table, csv_cells, number
from reservoir.experiments.evaluation import fit_options, make_model, settings_for
from reservoir.files.writing import write_csv
from reservoir.gradient.diagnostics import measure_gradients
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.tasks import as_task
from reservoir.validation import Number, ParameterError, brief, check_parameters

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEQUENCES = 30
"""The number of sequences that are measured; more of them change the measures little."""

MEANINGS = {
    "growth": "factor of the gradient with respect to the state per step back; below 1 gradients vanish",
    "layer_gradients": "size of the gradient with respect to the state of each layer; the last layer is 1",
    "spectral_radius": "of the Jacobian of a step, mean over steps",
    **{f"{which}_singular_value": "of the same Jacobians" for which in ("largest", "median", "smallest")},
    "dead": "share of rectified linear units that are always 0",
}


@dataclass(frozen=True)
class GradientReport:
    """How gradients pass through networks.

    Attributes
    ----------
    task : the name of the task that the networks learn
    measured : for each network, by its label, the dict of `measure_gradients`
    seed : the seed of the data and of the networks
    """

    task: str
    measured: Mapping[str, Mapping[str, Any]]
    seed: int = 0

    def records(self) -> list[Mapping[str, Any]]:
        """The measures of each network as plain data."""
        return [{"model": label, "task": self.task, "seed": self.seed, **found} for label, found in self.measured.items()]

    def table(self) -> Table:
        """A row per measure, a column per network; values of several layers, from the input up, are separated by commas."""
        rows = []
        for name, meaning in MEANINGS.items():
            values = [found.get(name) for found in self.measured.values()]
            if any(value is not None for value in values):
                rows.append([name.replace("_", " "), *_texts(values, number), meaning])
        for gate in dict.fromkeys(gate for found in self.measured.values() for gate in found["saturated"]):
            shares = [found["saturated"].get(gate) for found in self.measured.values()]
            rows.append([f"saturated: {gate}", *_texts(shares, _ends), "share at the lower / upper end"])
        notes = ["Values of several layers, from the input up, are separated by commas."]
        ranges = {label: found["growth_range"] for label, found in self.measured.items()}
        fitted = ", ".join(f"{label} {span[0]} to {span[1]}" for label, span in ranges.items() if span)
        notes += [f"The growth is fitted over these steps before the end of a sequence: {fitted}."] * bool(fitted)
        return Table(f"{self.task}: gradients", ["measure", *self.measured, "meaning"], rows, notes)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a row for each network and measure, numbers in full; what has parts as JSON."""
        rows = ([label, name, *csv_cells(found, [name])] for label, found in self.measured.items() for name in found)
        write_csv(path, ["model", "measure", "value"], rows)

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw the gradients, the singular values, the saturated gates; also to a file (png, svg or pdf), if one is given.

        Raises `ParameterError` when matplotlib is missing or the file is of another kind.
        """
        from reservoir.plotting import gradient_figure, kept

        return kept(gradient_figure(self), path)


def gradient_diagnostics(
    task: Any,
    models: Sequence[Any] | Mapping[str, Any] = ("elman", "lstm"),
    seed: int = 0,
    report: Callable[[str, tuple[Mapping[str, Any], int] | None], None] = lambda label, told: None,
) -> GradientReport:
    """Fit networks to a task and measure how gradients pass through them, as `reservoir gradients` does.

    Parameters
    ----------
    task : a name, or an object with the methods of `reservoir.tasks.Task`
    models : names of models trained by gradient, or models of your own, classes or "package.module:Class", all with the
        task's own settings; or estimators such as `LSTM(units=8)`, of which copies are fitted. A dict gives each a label,
        otherwise its label is its name or that of its class
    seed : the seed of the data, and of the networks that are named
    report : called with a label and (entry of `history_`, epochs) after each epoch, and with a label and None after its network
        is measured

    Returns
    -------
    The report: `measured` by label (growth of the gradient per step back, singular values, saturated gates), `table()`,
    `to_csv(path)`, and `plot()`.

    Raises
    ------
    ParameterError
        An unknown task or model, one that is not trained by gradient, two of the same label. Before any work.
    DataError, DivergenceError
        What the task and the fits raise.

    Examples
    --------
    >>> from reservoir import Elman, Training, gradient_diagnostics
    >>> from reservoir.tasks import get_task
    >>> task = get_task("adding", length=20, train_sequences=40, validation_sequences=10, test_sequences=10)
    >>> untrained = Training(epochs=0)
    >>> networks = {str(units): Elman(units=units, training=untrained, random_state=0) for units in (4, 8)}
    >>> report = gradient_diagnostics(task, networks)
    >>> report.table().columns
    ['measure', '4', '8', 'meaning']
    >>> report.measured["8"]["singular_values"].shape
    (1, 8)
    """
    check_parameters("gradient_diagnostics", {"seed": Number(low=0, integer=True)}, {"seed": seed})
    chosen = as_task(task)
    if chosen.kind == "text":
        raise ParameterError(
            f"Gradients are measured in networks of numbers; the task {chosen.name} has symbols. Give another task."
        )
    networks = {label: _network(chosen, model, seed) for label, model in _labeled(models).items()}
    examples = chosen.generate(seed)
    inputs, targets = examples.train.inputs, examples.train.targets
    found = {}
    for label, network in networks.items():
        network.fit(inputs, targets, **fit_options(chosen, network, examples, _epochs(report, label)))
        found[label] = measure_gradients(network, inputs[:SEQUENCES], targets[:SEQUENCES])
        report(label, None)
    return GradientReport(chosen.name, found, seed)


def _epochs(report: Callable[[str, Any], None], label: str) -> Callable[[Mapping[str, Any], int], None]:
    """The function that a fit calls after each epoch."""
    return lambda record, epochs: report(label, (record, epochs))


def _labeled(models: Sequence[Any] | Mapping[str, Any]) -> Mapping[str, Any]:
    """The models by their labels. Raises `ParameterError` for two of the same label, and for no model at all."""
    if isinstance(models, Mapping):
        named = dict(models)
    else:
        several = [models] if isinstance(models, str) or hasattr(models, "fit") else list(models)
        labels = [model if isinstance(model, str) else getattr(model, "__name__", type(model).__name__) for model in several]
        for label in labels:
            if labels.count(label) > 1:
                raise ParameterError(f"The model '{label}' is there twice; give labels in a dict, as {{'wide': LSTM(units=99)}}.")
        named = dict(zip(labels, several, strict=True))
    if not named:
        raise ParameterError("The 'models' parameter of gradient_diagnostics must hold at least one model. Got none.")
    return named


def _network(task: Any, model: Any, seed: int) -> RecurrentEstimator:
    """The unfitted network of a name or class, or a copy of an estimator. Raises `ParameterError` if it has no gradients."""
    network = make_model(model, settings_for(task, model, {}), seed) if isinstance(model, (str, type)) else model
    if not isinstance(network, RecurrentEstimator):
        raise ParameterError(f"A model must be trained by gradient, as 'lstm' or LSTM(). Got {brief(model)} instead.")
    return clone(network)


def _texts(values: list[Any], form: Callable[[Any], str]) -> list[str]:
    """The values of each network as text, layer by layer; "" for a network that has none."""
    return ["" if value is None else ", ".join(map(form, np.atleast_1d(value))) for value in values]


def _ends(shares: Any) -> str:
    low, high = shares
    return f"{low:.1%} / {high:.1%}"
