"""Networks and batches of a designed table, in which every pair of a cell and a way to use it occurs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.clockwork import ClockworkCell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.gru import GRUCell
from reservoir.gradient.cells.indrnn import IndRNNCell
from reservoir.gradient.cells.lstm import LSTMCell
from reservoir.gradient.cells.mgu import MGUCell
from reservoir.gradient.layers import Steps
from reservoir.gradient.losses import loss_weights
from reservoir.gradient.network import Batch, Network
from reservoir.gradient.symbols import Symbols

CELLS: dict[str, Cell] = {
    "elman": ElmanCell(3),
    "elman relu": ElmanCell(3, "relu"),
    "lstm": LSTMCell(3),
    "lstm peepholes": LSTMCell(3, peepholes=True),
    "gru before": GRUCell(3, "before"),
    "gru after": GRUCell(3, "after"),
    "mgu": MGUCell(3),
    "indrnn": IndRNNCell(3, "relu", 1.0),
    "indrnn tanh": IndRNNCell(3, "tanh", 1.0),
    "clockwork": ClockworkCell(4, (1, 2, 3)),
    "clockwork sigmoid": ClockworkCell(3, (2, 3), "sigmoid"),
}
READINGS = ("step", "last", "mean", "attention")
LENGTHS = {"equal": [5, 5, 5], "unequal": [5, 3, 1]}
OUTPUTS = 2


@dataclass(frozen=True)
class Case:
    """A network, a batch, and what its loss is made of."""

    cell: str
    layers: int
    bidirectional: bool
    lengths: str
    reading: str
    loss: str
    layer_norm: bool
    symbols: str
    dropout: str
    washout: int
    residual: bool

    def network(self) -> Network:
        symbols = {"numbers": None, "one-hot": Symbols(4, None), "learned": Symbols(4, 3)}[self.symbols]
        return Network(
            (CELLS[self.cell],) * self.layers, 1 if symbols else 2, OUTPUTS, self.bidirectional, self.reading, symbols,
            self.layer_norm, 0.3 if self.dropout else 0.0, self.dropout or "step", residual=self.residual,
        )  # fmt: skip

    def batch(self, generator: np.random.Generator) -> Batch:
        lengths = np.array(LENGTHS[self.lengths])
        shape = (lengths[0], len(lengths))
        washout = 0 if self.lengths == "unequal" and self.reading in ("mean", "attention") else self.washout
        inputs = generator.normal(size=(*shape, 2)) if self.symbols == "numbers" else generator.integers(0, 4, (*shape, 1)) * 1.0
        inputs[~Steps(lengths, shape[0]).valid] = 0.0
        per_step = self.reading == "step"
        targets = generator.normal(size=((*shape, OUTPUTS) if per_step else (shape[1], OUTPUTS)))
        if self.loss == "cross_entropy":
            targets = np.eye(OUTPUTS)[targets[..., 0].astype(int) % OUTPUTS]
        return Batch(inputs, lengths, targets, loss_weights(lengths, per_step=per_step, washout=washout), washout)


def table() -> list[Case]:
    """Every cell with every number of layers, direction, length and reading; the rest in random combination."""
    generator = np.random.default_rng(0)
    every = itertools.product(CELLS, (1, 2, 3), (False, True), LENGTHS, READINGS)
    rest: list[tuple[Any, ...]] = [
        ("squared_error", "cross_entropy"),
        (False, True),
        ("numbers", "one-hot", "learned"),
        ("", "step", "sequence"),
        (0, 2),
        (False, True),
    ]
    return [Case(*case, *(options[generator.integers(len(options))] for options in rest)) for case in every]


def close(comp: Any, ref: Any) -> None:
    np.testing.assert_allclose(comp, ref, rtol=1e-12, atol=1e-12)
