"""Our cells against PyTorch's, whose numbers are frozen in a file; fixtures/make_torch_cells.py made it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.gru import GRUCell
from reservoir.gradient.cells.lstm import LSTMCell
from reservoir.gradient.layers import RecurrentLayer, Steps

Arrays = dict[str, np.ndarray]
FROZEN = np.load(Path(__file__).parent / "fixtures" / "torch_cells.npz")
UNITS = 5
CELLS = {
    "lstm": LSTMCell(UNITS),
    "gru": GRUCell(UNITS, reset_gate="after"),
    "tanh": ElmanCell(UNITS, "tanh"),
    "relu": ElmanCell(UNITS, "relu"),
}
ORDER = {"lstm": (0, 1, 3, 2), "gru": (1, 0, 2), "tanh": (0,), "relu": (0,)}
"""Where our blocks of gates are in PyTorch's."""


def part(name: str, key: str) -> np.ndarray:
    return np.asarray(FROZEN[f"{name}.{key}"])


def ours(name: str, prefix: str) -> Arrays:
    """Weights, or their gradients, of PyTorch in our order: theirs are (to, from), with two biases where one is enough."""
    rows = np.concatenate([np.arange(UNITS) + UNITS * block for block in ORDER[name]])
    into, recurrent, bias, second = (
        part(name, f"{prefix}.{key}")[rows] for key in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    )
    arrays = {"input_weights": into.T, "recurrent_weights": recurrent.T}
    if name == "gru":  # the second bias of the candidate is inside the reset
        arrays["recurrent_bias"] = second[2 * UNITS :]
        second = np.concatenate([second[: 2 * UNITS], np.zeros(UNITS)])
    arrays["bias"] = bias if prefix.startswith("d_") else bias + second
    if name == "lstm":
        arrays["peepholes"] = np.zeros((0, UNITS))
    return arrays


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-5)])
def test_outputs_and_gradients_are_those_of_pytorch(name: str, dtype: str, tolerance: float) -> None:
    cell: Cell = CELLS[name]
    inputs = part(name, "inputs").astype(dtype)
    layer = RecurrentLayer("layer", cell, inputs.shape[2])
    names = list(cell.shapes(inputs.shape[2]))
    arrays = {f"layer.forward.{key}": np.ascontiguousarray(ours(name, "weights")[key], dtype) for key in names}
    gradients = {key: np.empty_like(array) for key, array in arrays.items()}
    bound, room = layer.bind(arrays), layer.bind(gradients)
    steps = Steps(np.full(inputs.shape[1], len(inputs)), len(inputs))
    outputs, tapes = layer.forward(bound, inputs, steps, part(name, "initial")[None].astype(dtype))
    close = {"rtol": tolerance, "atol": tolerance}
    np.testing.assert_allclose(outputs, part(name, "outputs"), **close)
    np.testing.assert_allclose(tapes[0].states[:, -1], part(name, "final"), **close)
    state_gradient = part(name, "by_final")[None].astype(dtype)
    back = layer.backward(bound, room, tapes, steps, part(name, "by_output").astype(dtype), state_gradient)
    np.testing.assert_allclose(back, part(name, "d_inputs"), **close)
    np.testing.assert_allclose(state_gradient[0], part(name, "d_initial"), **close)
    for key, wanted in ours(name, "d_weights").items():
        np.testing.assert_allclose(gradients[f"layer.forward.{key}"], wanted, **close, err_msg=key)
