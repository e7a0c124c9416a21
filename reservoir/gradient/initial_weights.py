"""The weights that a training starts from."""

from __future__ import annotations

import numpy as np

from reservoir.gradient.initializers import initialize
from reservoir.gradient.network import Network


@np.errstate(over="ignore")  # the first loss will tell
def initial_weights(
    network: Network,
    dtype: str,
    generator: np.random.Generator,
    input_init: str,
    recurrent_init: str,
    bias_init: str,
    scale: float,
) -> np.ndarray:
    """All weights of a network as one vector (n_weights,), drawn in the order of the vector.

    input_init, recurrent_init, bias_init, scale : as `initialize` takes them; a cell may draw its recurrent weights otherwise
    """
    vector = np.empty(network.n_weights, dtype)
    cell = network.cells[0]
    for name, array in network.views(vector).items():
        part = name.rpartition(".")[2]
        if part in ("gain", "shift"):
            array[:] = float(part == "gain")
        elif part == "recurrent_weights":
            array[:] = cell.draw_recurrent(recurrent_init, scale, generator)
        elif part in ("input_weights", "weights", "symbols"):
            array[:] = initialize(input_init, array.shape, generator, scale)
        else:
            array[:] = initialize(bias_init, array.shape, generator, scale)
        if name.startswith("layer") and part == "bias":
            cell.adjust_bias(array)
    return vector
