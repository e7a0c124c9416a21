"""The step of each model in C: which tables it reads, which state it keeps, which functions of `parts.c` it calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from reservoir.echo.esn import ESN
from reservoir.echo.topology import Diagonals, as_csr
from reservoir.export.draft import Draft
from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.clockwork import ClockworkCell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.gru import GRUCell
from reservoir.gradient.cells.indrnn import IndRNNCell
from reservoir.gradient.cells.lstm import LSTMCell
from reservoir.gradient.cells.mgu import MGUCell
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.gradient.scaling import Scaling
from reservoir.kernels.activations import CODES, IDENTITY, RELU

CELLS: Mapping[type[Cell], tuple[str, int]] = {
    ElmanCell: ("elman", 1), IndRNNCell: ("indrnn", 1), LSTMCell: ("lstm", 4), GRUCell: ("gru", 4), MGUCell: ("mgu", 3),
    ClockworkCell: ("clockwork", 1),
}  # fmt: skip
"""For each cell its function in `parts.c`, and how many numbers per unit it needs as scratch.

The arguments of the function are the cell's arrays, the code of its activation if it has a choice, the modules of the Clockwork
RNN, then the input, its length, the states, the scratch and the number of units.
"""


def echo_step(draft: Draft, model: ESN) -> None:
    """Write the step of an echo state network."""
    reservoir, layout, weights, dtype = model.reservoir_, model._layout, model.output_weights_.T, model.reservoir_.dtype
    units, code = reservoir.units, CODES[reservoir.activation]
    x, work = draft.field("x", units), draft.field("work", units)
    if reservoir.initial_state.any():
        start = draft.numbers("initial_state", reservoir.initial_state, share=0.0)
        draft.starts.append(f"memcpy({x}, {start}, sizeof {x});")
    last = "0"
    if reservoir.feedback_weights.shape[1] > 0:
        last, draft.limit = draft.field("last_output", layout.n_outputs), model._network.limit
    draft.copy(draft.numbers("bias", reservoir.bias.astype(dtype)), work, units)
    draft.add("input_weights", reservoir.input_weights.T.astype(dtype), "in", work)
    draft.add("feedback_weights", reservoir.feedback_weights.T.astype(dtype), last, work)
    _add_recurrent(draft, reservoir.matrix, dtype, x, work)
    draft.call("activate", code, work, units)
    draft.activations += units * (code not in (IDENTITY, RELU))
    leak = reservoir.leak.astype(dtype)
    rate = draft.literal(leak[0]) if (leak == leak[0]).all() else f"{draft.numbers('leak_rate', leak)}[i]"
    draft.line(f"for (int i = 0; i < {units}; i++)\n        {x}[i] += {rate} * ({work}[i] - {x}[i]);")
    if "bias" in layout.parts:
        draft.copy(draft.numbers("output_bias", weights[layout.columns("bias")]), "y", layout.n_outputs)
    else:
        draft.line("memset(y, 0, sizeof y);")
    draft.output("output_weights_of_input", weights[layout.columns("input")], "in")
    draft.output("output_weights_of_output", weights[layout.columns("output")], last)
    draft.output("output_weights_of_state", weights[layout.columns("state")], x)
    if "square" in layout.parts:
        draft.line(f"for (int i = 0; i < {units}; i++)\n        {work}[i] = {x}[i] * {x}[i];")
        draft.output("output_weights_of_square", weights[layout.columns("square")], work)


def _add_recurrent(draft: Draft, matrix: Any, dtype: np.dtype, x: str, work: str) -> None:
    """Add W x to the sums: by cyclic diagonals, by sparse rows, or by a whole matrix where that is smaller."""
    if isinstance(matrix, Diagonals):
        count, units = matrix.values.shape
        values = draft.numbers("recurrent_weights", matrix.values.astype(dtype))
        draft.call("add_diagonals", values, draft.integers("shifts", matrix.shifts), count, x, units, work)
        return
    rows = as_csr(matrix)
    units = rows.shape[0]
    if rows.nnz > units**2 // 2:
        draft.add("recurrent_weights", rows.toarray().T.astype(dtype), x, work)
    elif rows.nnz > 0:
        values, columns = draft.numbers("recurrent_weights", rows.data.astype(dtype)), draft.integers("columns", rows.indices)
        draft.call("add_sparse", values, columns, draft.integers("counts", np.diff(rows.indptr)), x, units, work)


def trained_step(draft: Draft, model: RecurrentEstimator) -> None:
    """Write the step of a network trained by gradient, whose layers read one direction."""
    network, arrays = model.network_, model.network_.views(model._vector)
    source, width = _scaled_input(draft, model._input_scaling), network.n_inputs
    units = network.cells[0].units
    work = draft.field("work", max(CELLS[type(cell)][1] for cell in network.cells) * units)
    top = draft.field("normal", units) if network.layer_norm else ""
    total = draft.field("total", units) if network.residual else ""
    for index, layer in enumerate(network.layers):
        parts = {name: arrays[f"{layer.name}.forward.{name}"] for name in layer.cell.shapes(layer.n_inputs)}
        source, width = _cell(draft, layer.cell, index, parts, (source, width), work), units
        if network.layer_norm:
            gain, shift = (draft.numbers(f"{part}{index}", arrays[f"norm{index}.{part}"]) for part in ("gain", "shift"))
            draft.call("normalize", gain, shift, source, top, units)
            source = top
        if network.residual:
            sign = "=" if index == 0 else "+="
            draft.line(f"for (int i = 0; i < {units}; i++)\n        {total}[i] {sign} {source}[i];")
            source = total
    draft.copy(draft.numbers("output_bias", arrays["head.bias"]), "y", network.n_outputs)
    draft.add("output_weights", arrays["head.weights"], source, "y")
    draft.output_weights.append(arrays["head.weights"] * model._output_scaling.scale)
    if not _is_none(model._output_scaling):
        shifts, scales = (draft.numbers(f"output_{part}", array) for part, array in model._output_scaling._asdict().items())
        draft.line(f"for (int i = 0; i < {network.n_outputs}; i++)\n        y[i] = y[i] * {scales}[i] + {shifts}[i];")


def _scaled_input(draft: Draft, scaling: Scaling) -> str:
    """Add the scaling of the inputs to the step, and return what the first layer reads."""
    if _is_none(scaling):
        return "in"
    shifts, scales = (draft.numbers(f"input_{part}", array) for part, array in scaling._asdict().items())
    size = len(scaling.shift)
    draft.line(f"{draft.precision} v[{size}];")
    draft.line(f"for (int i = 0; i < {size}; i++)\n        v[i] = (in[i] - {shifts}[i]) / {scales}[i];")
    return "v"


def _is_none(scaling: Scaling) -> bool:
    return not scaling.shift.any() and bool((scaling.scale == 1.0).all())


def _cell(draft: Draft, cell: Cell, index: int, parts: Mapping[str, np.ndarray], source: tuple[str, int], work: str) -> str:
    """Add the step of a layer, which reads `source`, and return what names its output."""
    function, _ = CELLS[type(cell)]
    code = CODES[getattr(cell, "activation", "tanh")]
    shares, modules = dict[str, float](), list[Any]()
    active = float(cell.units)
    if isinstance(cell, ClockworkCell):
        periods, sizes = np.array(cell.periods), np.diff(cell.starts)
        active = float((sizes / periods).sum())
        running = float((np.diff(cell.offsets) / periods).sum()) / int(cell.offsets[-1])
        shares = {"recurrent_weights": running, "input_weights": active / cell.units, "bias": active / cell.units}
        waits = draft.field(f"wait{index}", len(periods), counts=True)
        tables = draft.integers(f"periods{index}", periods, "uint32"), draft.integers(f"starts{index}", cell.starts)
        modules = [*tables, waits, len(periods)]
    weights = [draft.numbers(f"{name}{index}", array, shares.get(name, 1.0)) for name, array in parts.items()]
    states = [draft.field(f"{'hc'[k]}{index}", cell.units) for k in range(cell.states)]
    choice = [code] if hasattr(cell, "activation") else []
    draft.call(function, *weights, *choice, *modules, *source, *states, work, cell.units)
    draft.activations += active * (cell.gates + cell.states - 1) * (code not in (IDENTITY, RELU))
    return states[0]
