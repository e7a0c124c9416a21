"""Random networks trained by gradient, batches for them, and the simple network written slowly, from its equations."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.clockwork import ClockworkCell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.gru import GRUCell
from reservoir.gradient.cells.indrnn import IndRNNCell
from reservoir.gradient.cells.lstm import LSTMCell
from reservoir.gradient.cells.mgu import MGUCell
from reservoir.gradient.network import Batch, Network

POOL = ThreadPoolExecutor(2)
CELLS: dict[str, Cell] = {
    "elman": ElmanCell(5),
    "elman relu": ElmanCell(5, "relu"),
    "lstm": LSTMCell(4),
    "lstm peepholes": LSTMCell(4, True),
    "gru before": GRUCell(4, "before"),
    "gru after": GRUCell(4, "after"),
    "mgu": MGUCell(4),
    "indrnn": IndRNNCell(5, "relu"),
    "indrnn tanh": IndRNNCell(5, "tanh"),
    "clockwork": ClockworkCell(7, (1, 2, 3)),
    "clockwork sigmoid": ClockworkCell(5, (2, 5), "sigmoid"),
}


def vector(network: Network, seed: int = 0, dtype: str = "float64") -> np.ndarray:
    return (0.6 * np.random.default_rng(seed).standard_normal(network.n_weights)).astype(dtype)


def batch(network: Network, lengths: list[int], washout: int = 0, seed: int = 1, loss: str = "squared_error") -> Batch:
    """Sequences of the given lengths, the longest first, with 0.3 as the weight of every row of the loss."""
    rng = np.random.default_rng(seed)
    steps, count = lengths[0], len(lengths)
    inputs = rng.standard_normal((steps, count, network.n_inputs))
    if network.symbols is not None:
        inputs = rng.integers(0, network.symbols.count, (steps, count, 1)).astype(float)
    per_step = network.reading == "step"
    targets = rng.standard_normal(((steps, count) if per_step else (count,)) + (network.n_outputs,))
    if loss == "cross_entropy":
        targets = (targets == targets.max(axis=-1, keepdims=True)).astype(float)
    time = np.arange(steps)[:, None]
    scored = (time < np.array(lengths)) & (time >= washout) if per_step else np.ones(count, bool)
    return Batch(inputs, np.array(lengths), targets, 0.3 * scored, washout)


class SlowElman:
    """One sequence through h(t) = tanh(x(t) W + h(t-1) U + b), y = h V + c, with dh/dw carried along, element by element."""

    def __init__(self, network: Network, weights: np.ndarray) -> None:
        self.network, self.weights = network, weights
        self.h = np.zeros(network.cells[0].units)
        self.sensitivities = np.zeros((len(self.h), network.n_weights))

    def step(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The outputs (O,) and dy/dw (O, P)."""
        names = self.network.views(self.weights)
        w, u, b = (names[f"layer0.forward.{part}"] for part in ("input_weights", "recurrent_weights", "bias"))
        new = np.tanh(x @ w + self.h @ u + b)
        found = np.zeros_like(self.sensitivities)
        for k in range(len(new)):
            direct = np.zeros(self.network.n_weights)
            parts = self.network.views(direct)
            parts["layer0.forward.input_weights"][:, k] = x
            parts["layer0.forward.recurrent_weights"][:, k] = self.h
            parts["layer0.forward.bias"][k] = 1.0
            for j in range(len(new)):
                direct += u[j, k] * self.sensitivities[j]
            found[k] = (1.0 - new[k] ** 2) * direct
        self.h, self.sensitivities = new, found
        jacobian = np.zeros((self.network.n_outputs, self.network.n_weights))
        for o in range(self.network.n_outputs):
            parts = self.network.views(jacobian[o])
            parts["head.weights"][:, o] = new
            parts["head.bias"][o] = 1.0
            for k in range(len(new)):
                jacobian[o] += names["head.weights"][k, o] * found[k]
        return new @ names["head.weights"] + names["head.bias"], jacobian
