"""The weights that a training starts from."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from reservoir.gradient.initializers import initialize
from reservoir.gradient.network import Network


@np.errstate(over="ignore")  # the first loss shows it
def initial_weights(
    network: Network, dtype: str, generator: Generator, input_init: str, recurrent_init: str, bias_init: str, scale: float
) -> np.ndarray:
    """Draw all weights of a network, in the order of their vector (n_weights,); a cell may draw its own recurrent ones."""
    vector, cell = np.empty(network.n_weights, dtype), network.cells[0]
    for name, array in network.views(vector).items():
        part = name.rpartition(".")[2]
        if part in ("gain", "shift"):
            array[:] = part == "gain"
        elif part == "recurrent_weights":
            array[:] = cell.draw_recurrent(recurrent_init, scale, generator)
        else:
            kind = input_init if part in ("input_weights", "weights", "symbols") else bias_init
            array[:] = initialize(kind, array.shape, generator, scale)
        if name.startswith("layer") and part == "bias":
            cell.adjust_bias(array)
    return vector
