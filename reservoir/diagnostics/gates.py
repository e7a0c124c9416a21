"""Inside a fitted network: its gates, its cells and its outputs along an input, and their report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from reservoir.base.tables import Table, number
from reservoir.base.threads import one_blas_thread
from reservoir.echo.esn import ESN
from reservoir.files.writing import write_csv
from reservoir.gradient.diagnostics import RANGES
from reservoir.gradient.network import Batch, Network, Weights, forward
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.language.echo import EchoLanguageModel
from reservoir.language.recurrent import LanguageModel
from reservoir.text.vocabulary import BEGIN
from reservoir.validation import DataError, Number, ParameterError, as_sequences, brief, check_parameters, refused

if TYPE_CHECKING:
    from matplotlib.figure import Figure

READABLE = 8
"""The units of a layer that the picture shows and the table names."""
STEPS = Number(low=1, integer=True)
NOTE = "The most readable units, whose {name} varies much and lasts (its covariance with itself a step later): {units}."


class Part(NamedTuple):
    """A gate, the cells, or the outputs of a layer along the input: values (T, units).

    function : "sigmoid", "tanh" and so on: whose values they are, which says where they saturate; "" for cells
    """

    layer: int
    direction: str
    name: str
    function: str
    values: np.ndarray

    @property
    def shown(self) -> np.ndarray:
        """The values as the picture shows them: of cells, which have no bounds, the tanh, of which outputs are made."""
        return np.tanh(self.values) if self.name == "cell" else self.values

    @property
    def saturated(self) -> tuple[float, float] | None:
        """The shares of the values that are saturated, at the lower and at the upper end; None where none can be."""
        if self.function not in RANGES:
            return None
        low, high = RANGES[self.function]
        return float((self.values < low).mean()), float((self.values > high).mean())


@dataclass(frozen=True)
class GatesReport:
    """What the units of a network do along an input.

    Attributes
    ----------
    model : the name of the class of the network
    inputs : (T, n_inputs), as they were given; of a text the numbers of its symbols
    symbols : the text of every step; None for numbers
    parts : gates, cells and outputs, from the input up
    """

    model: str
    inputs: np.ndarray
    symbols: tuple[str, ...] | None
    parts: tuple[Part, ...]

    def layer(self, index: int = -1, direction: str = "forward") -> list[Part]:
        """The parts of a layer, the last unless its number from 0 is given. Raises `ParameterError` for one that is not there."""
        layers = list(dict.fromkeys(part.layer for part in self.parts))
        if not -len(layers) <= index < len(layers):
            raise ParameterError(f"layer must be from 0 to {len(layers) - 1}: the network has no other. Got {index} instead.")
        return [part for part in self.parts if (part.layer, part.direction) == (layers[index], direction)]

    def records(self) -> list[Mapping[str, Any]]:
        """Each part as plain data: its mean, its saturated shares, and the units of its layer, the most readable first."""
        found: list[Mapping[str, Any]] = []
        for parts in self._layers():
            units = self.readable(parts)
            for part in parts:
                low, high = part.saturated or (None, None)
                place = {"model": self.model, "layer": part.layer, "direction": part.direction, "part": part.name}
                measures = {"mean": float(part.values.mean()), "saturated_low": low, "saturated_high": high}
                found.append({**place, **measures, "units": units.tolist()})
        return found

    def table(self) -> Table:
        """A row for each part of each layer: its mean, and the shares that are saturated."""
        rows, notes = [], []
        for parts in self._layers():
            where = f"{parts[0].layer} {parts[0].direction}" if self._both_ways else str(parts[0].layer)
            for part in parts:
                ends = ["", ""] if part.saturated is None else [f"{share:.1%}" for share in part.saturated]
                rows.append([where, part.name, number(float(part.values.mean())), *ends])
            units = ", ".join(map(str, self.readable(parts)[:READABLE]))
            notes.append(NOTE.format(name=self.described(parts), units=f"{units} of layer {where}"))
        bounds = "Saturated: below .05 and above .95 of a sigmoid, beyond -.95 and .95 of a tanh."
        columns = ["layer", "part", "mean", "saturated low", "saturated high"]
        return Table(f"{self.model}: gates over {len(self.inputs):,} steps", columns, rows, [bounds, *notes])

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a row for each step: the inputs, then every unit of every part, named as "layer0.forward.forget gate.3"."""
        header = ["step", *["symbol"] * (self.symbols is not None), *[f"input{k}" for k in range(self.inputs.shape[1])]]
        header += [f"layer{p.layer}.{p.direction}.{p.name}.{unit}" for p in self.parts for unit in range(p.values.shape[1])]
        values = np.concatenate([self.inputs, *(part.values for part in self.parts)], axis=1)
        texts = [[] for _ in values] if self.symbols is None else [[symbol] for symbol in self.symbols]
        write_csv(path, header, ([step, *texts[step], *row.tolist()] for step, row in enumerate(values)))

    def plot(self, path: str | os.PathLike[str] | None = None, layer: int = -1) -> Figure:
        """Draw the most readable units of a layer beneath the input; also to a file (png, svg or pdf), if one is given.

        Raises `ParameterError` when matplotlib is missing, the file is of another kind, or there is no such layer.
        """
        from reservoir.plotting import gates_figure, kept

        return kept(gates_figure(self, layer=layer), path)

    @staticmethod
    def leading(parts: Sequence[Part]) -> Part:
        """The part of a layer that says which of its units can be read: the cells of an LSTM, else the outputs."""
        return next((part for part in parts if part.name == "cell"), parts[-1])

    def described(self, parts: Sequence[Part]) -> str:
        """What of the units of a layer varies: "tanh of the cell", "output" or "state"."""
        name = self.leading(parts).name
        return "tanh of the cell" if name == "cell" else name

    def readable(self, parts: Sequence[Part]) -> np.ndarray:
        """The units of a layer (units,), the most readable first: those whose leading part varies much, but not at every step.

        What counts is the covariance of its value at a step with that at the next.
        """
        values = self.leading(parts).shown
        centered = values - values.mean(axis=0)
        return np.argsort(-(centered[1:] * centered[:-1]).sum(axis=0), kind="stable")

    @property
    def _both_ways(self) -> bool:
        return any(part.direction == "backward" for part in self.parts)

    def _layers(self) -> Iterator[list[Part]]:
        """The parts of each layer and direction."""
        for place in dict.fromkeys((part.layer, part.direction) for part in self.parts):
            yield [part for part in self.parts if (part.layer, part.direction) == place]


def gates(
    model: Any, inputs: Any, targets: Any = None, *, symbols: Sequence[str] | None = None, steps: int = 1000
) -> GatesReport:
    """Show the gates and cells of a fitted network along an input, as `reservoir gates` does.

    Parameters
    ----------
    model : a fitted network trained by gradient, an `ESN`, or a language model
    inputs : one sequence, as for its `predict`; a text for a language model, which reads it from the beginning on
    targets : the targets that a network with feedback is fed
    symbols : the text of every step, for the picture; None for numbers. A language model has its own
    steps : so many of the first steps are read

    Returns
    -------
    The report: `parts` with their values (T, units), `table()` with the saturated shares, `to_csv(path)`, and `plot()`, which
    draws them as heat maps beneath the input, and the characters of a text colored by a unit.

    Raises
    ------
    ParameterError
        A model of another kind, a parameter out of range.
    DataError
        Several sequences, other features than those that were fitted, an empty text.
    ValueError
        The model is not fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import LSTM, Training, gates
    >>> wave = np.sin(0.2 * np.arange(200))
    >>> lstm = LSTM(units=4, training=Training(epochs=2), random_state=0).fit(wave)
    >>> report = gates(lstm, wave)
    >>> [part.name for part in report.parts]
    ['input gate', 'forget gate', 'output gate', 'candidate', 'cell', 'output']
    >>> report.parts[1].values.shape
    (200, 4)
    """
    check_parameters("gates", {"steps": STEPS}, {"steps": steps})
    if isinstance(model, (LanguageModel, EchoLanguageModel)):
        return _along_text(model, inputs, steps)
    if not isinstance(model, (ESN, RecurrentEstimator)):
        raise refused("model", "gates", "a fitted ESN, network trained by gradient, or language model", brief(model))
    return _along_numbers(model, inputs, targets, symbols, steps)


def _along_numbers(
    model: ESN | RecurrentEstimator, inputs: Any, targets: Any, symbols: Sequence[str] | None, steps: int
) -> GatesReport:
    """The report of a model that reads a sequence."""
    sequences = as_sequences(inputs)
    if len(sequences) > 1:
        raise DataError(f"inputs: {len(sequences)} sequences were given; give one of them.")
    sequence = sequences[0][:steps]
    if isinstance(model, ESN):
        model._check_names(inputs, "inputs")
        fed = None if targets is None else np.asarray(targets)[:steps]
        found = [Part(0, "forward", "state", model.activation, model.states(sequence, fed))]
    else:
        [read] = model._as_read(inputs, targets)
        found = network_parts(model.network_, model._vector, read[:steps])
    texts = None if symbols is None else tuple(symbols[:steps])
    if texts is not None and len(texts) != len(sequence):
        raise refused("symbols", "gates", f"a text for each of the {len(sequence)} steps", f"{len(texts)} texts")
    return GatesReport(type(model).__name__, sequence, texts, tuple(found))


def _along_text(model: LanguageModel | EchoLanguageModel, text: Any, steps: int) -> GatesReport:
    """The report of a language model, which reads the beginning of a document and then the text."""
    model._check_fitted()
    if not isinstance(text, str):
        raise DataError(f"inputs: a language model reads a text. Got {brief(text)} instead.")
    vocabulary = model.vocabulary_
    vocabulary.documents_of(text)  # which refuses an empty text
    codes = np.r_[BEGIN, vocabulary.encode(text)][:steps]
    sequence = codes[:, None].astype(float)
    if isinstance(model, EchoLanguageModel):
        found = [Part(0, "forward", "state", model.esn.activation, model.states(codes))]
    else:
        found = network_parts(model.network_, model._vector, sequence)
    symbols = tuple(vocabulary.symbols[code] for code in codes)
    name = type(model.esn if isinstance(model, EchoLanguageModel) else model.network).__name__
    return GatesReport(name, sequence, symbols, tuple(found))


def network_parts(network: Network, vector: np.ndarray, sequence: np.ndarray) -> list[Part]:
    """Run a sequence (T, n_inputs) and return what the tape of the forward pass holds: gates, cells, outputs of each layer."""
    nothing = np.empty(0)
    batch = Batch(sequence[:, None].astype(vector.dtype), np.array([len(sequence)]), nothing, nothing)
    with one_blas_thread():
        run = forward(network, Weights(network, vector), batch)
    found = []
    for index, layer in enumerate(network.layers):
        cell = layer.cell
        outputs = getattr(cell, "activation", cell.output_function)
        for direction, tape in zip(layer.directions, run.tapes[index], strict=True):
            order = slice(None, None, -1 if direction == "backward" else 1)
            columns = np.split(tape.gates[order, 0], cell.gates, axis=1)
            states = {"output": outputs, "cell": ""}
            parts = list(zip(cell.gate_functions.items(), columns, strict=False))
            parts += [*zip(states.items(), tape.states[:, 1:, 0][:, order], strict=False)][::-1]
            found += [Part(index, direction, name, function, values.copy()) for (name, function), values in parts]
    return found
