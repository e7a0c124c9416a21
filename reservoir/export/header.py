"""A fitted model as a C header that needs nothing but the standard headers, and the report of what it costs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from reservoir.base.tables import Table, number
from reservoir.base.version import __version__
from reservoir.echo.esn import ESN
from reservoir.export.draft import PRECISIONS, Draft, read_template
from reservoir.export.steps import CELLS, echo_step, trained_step
from reservoir.files.writing import check_outputs, replaced, writing
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.models import NAMES
from reservoir.validation import brief, refused

MEANINGS = {
    "inputs": "numbers that a step reads",
    "outputs": "numbers that a step writes",
    "flash_bytes": "constant tables: weights, positions, scaling; code comes to it, a few thousand bytes",
    "ram_bytes": "one state",
    "multiply_adds": "per step, of weights with inputs and states; their mean, where steps differ",
    "activations": "values of tanh or the sigmoid per step",
    "rounding": "rough size of the error in an output that rounding the state makes; a larger ridge lowers it",
}


@dataclass(frozen=True)
class ExportReport:
    """What was exported: the model's name in C, its kind, and what it costs; `MEANINGS` explains the numbers."""

    path: str
    name: str
    model: str
    precision: str
    units: int
    inputs: int
    outputs: int
    flash_bytes: int
    ram_bytes: int
    multiply_adds: float
    activations: float
    rounding: float

    def records(self) -> list[Mapping[str, Any]]:
        """Everything as plain data, in a list of one."""
        return [asdict(self)]

    def table(self) -> Table:
        """A row for each cost, with its meaning."""
        values = {name: getattr(self, name) for name in MEANINGS}
        texts = {name: number(value) if name == "rounding" else f"{value:,.0f}" for name, value in values.items()}
        rows = [[name.replace("_", " "), texts[name], meaning] for name, meaning in MEANINGS.items()]
        return Table(f"{self.name}: {self.model}, {self.units} units, {self.precision}", ["cost", "value", "meaning"], rows, [])


def export_c(model: Any, path: str | os.PathLike[str], *, precision: str = "double") -> ExportReport:
    """Write a fitted model as a C header whose `NAME_step` gives the outputs of `predict`, one time step at a time.

    NAME is the name of the file. `NAME_reset` starts a sequence; a target per sequence is the output after its last step. The
    outputs of a classifier are scores, and `NAME_label` gives the place of the best in `classes_`.

    Parameters
    ----------
    model : a fitted `ESN` with a linear readout, or an `Elman`, `LSTM`, `GRU`, `MGU`, `IndRNN` or `ClockworkRNN` that reads
        numbers in one direction
    path : the header, such as "model.h"; an older file is replaced
    precision : "double" or "float", the type of all numbers

    Returns
    -------
    The report: `flash_bytes`, `ram_bytes`, operations per step, `table()`.

    Raises
    ------
    ParameterError
        A model that cannot run step by step, is not fitted, or whose parameters were changed after the fit.
    OSError
        The file cannot be written.

    Examples
    --------
    >>> import numpy as np, os, tempfile
    >>> from reservoir import ESN, export_c
    >>> esn = ESN(units=50, density=0.1, random_state=0).fit(np.sin(0.2 * np.arange(600)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = export_c(esn, os.path.join(folder, "wave.h"), precision="float")
    >>> report.name, report.flash_bytes, report.ram_bytes
    ('wave', 1613, 400)
    """
    if precision not in PRECISIONS:
        raise refused("precision", "export_c", "'double' or 'float'", repr(precision))
    check_steps(model)
    check_outputs(str(path))
    draft = Draft(c_name(path), precision, model.units)
    if isinstance(model, ESN):
        echo_step(draft, model)
    else:
        trained_step(draft, model)
    text = _text(draft, model)
    with writing(path), replaced(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return ExportReport(
        str(path),
        draft.name,
        type(model).__name__,
        precision,
        model.units,
        model.n_features_in_,
        model.n_outputs_,
        draft.flash_bytes,
        draft.ram_bytes,
        draft.multiply_adds,
        draft.activations,
        draft.rounding(),
    )


def c_name(path: str | os.PathLike[str]) -> str:
    """Return the name of a file as an identifier of C.

    >>> c_name("out/my-model.h"), c_name("3d.h"), c_name("__.h")
    ('my_model', 'model_3d', 'model')
    """
    name = re.sub(r"[^0-9A-Za-z]+", "_", Path(path).stem).strip("_")
    return f"model_{name}".rstrip("_") if not name or name[0].isdigit() else name


def check_steps(model: Any) -> None:
    """Raise `ParameterError` unless the model is of this library, fitted, and can run one step after the other."""
    kind = type(model)
    known = (kind.__module__, kind.__qualname__) in NAMES
    if not known or (isinstance(model, RecurrentEstimator) and model.cell_class not in CELLS):
        raise refused("model", "export_c", f"one of {', '.join(name for _, name in NAMES)}, and no subclass", brief(model))
    model._check_fitted()
    if isinstance(model, ESN) and not model.readout_.linear:
        raise refused("readout", "ESN", "linear in the states, to be exported", brief(model.readout))
    model._record()  # raises where parameters were changed after the fit
    if not model._per_step and model.pooling != "last":
        raise refused("pooling", kind.__name__, "'last', to be exported: a step knows no later steps", repr(model.pooling))
    if isinstance(model, RecurrentEstimator) and model.network_.n_inputs != model.n_features_in_:
        inputs = f"a network that reads its {model.n_features_in_} features alone"
        raise refused("model", "export_c", inputs, f"one that reads {model.network_.n_inputs} numbers")
    if isinstance(model, RecurrentEstimator) and model.bidirectional:
        raise refused("bidirectional", kind.__name__, "False, to be exported: a step knows no later steps", "True")
    if isinstance(model, RecurrentEstimator) and model.symbols is not None:
        raise refused("symbols", kind.__name__, "None, to be exported: the inputs of a step are numbers", repr(model.symbols))


def _text(draft: Draft, model: Any) -> str:
    """Return the header."""
    columns, largest = getattr(model, "feature_names_in_", ()), float(np.finfo(PRECISIONS[draft.precision]).max)
    facts = {"inputs": model.n_features_in_ > 0, "alone": model.n_features_in_ == 0, "starts": len(draft.starts) > 0}
    facts |= {"feedback": draft.limit is not None, "labels": model._classifies}
    labels = model.classes_.tolist() if model._classifies else []
    names = f"; inputs: {', '.join(map(_comment, columns))}" if len(columns) else ""
    return Template(read_template("frame.h", draft.words, {**draft.facts, **facts})).substitute(
        title=f"{draft.name}: {type(model).__name__}, {model.units} units{names}",
        flash_bytes=f"{draft.flash_bytes:,}",
        ram_bytes=f"{draft.ram_bytes:,}",
        version=__version__,
        inputs=model.n_features_in_,
        outputs=model.n_outputs_,
        largest=draft.literal(largest),
        limit=draft.literal(min(draft.limit or largest, largest)),
        fields="\n    ".join(sorted(draft.fields, key=lambda field: field.startswith("uint32_t"))),
        tables="\n\n".join(draft.tables),
        functions="\n\n".join(draft.functions()),
        starts="\n    ".join(draft.starts),
        lines="\n    ".join(draft.lines),
        labels="\n   ".join(f"{place}: {_comment(label)}" for place, label in enumerate(labels)),
    )


def _comment(value: Any) -> str:
    """Return a value as text that cannot end a comment."""
    return ascii(value).replace("*/", "* /")
