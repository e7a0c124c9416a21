"""A fitted echo state network as the arrays and the JSON-able state of a model file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.base.estimator import clone
from reservoir.echo.readouts.online import RecursiveLeastSquares
from reservoir.echo.reservoir import Reservoir
from reservoir.validation import ParameterError

if TYPE_CHECKING:
    from reservoir.echo.esn import ESN


def record(esn: ESN, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Add the weights of a fitted network to the arrays and the state that every estimator of sequences has.

    Raises `ParameterError` where parameters were set after the fit that the weights do not have.
    """
    if (esn.units, esn._layout.width) != (esn.reservoir_.units, len(esn.readout_.coefficients_)):
        raise ParameterError("The network's parameters were changed after fit, its weights are of another size; fit it again.")
    arrays = {**arrays, **esn.reservoir_.to_arrays(), "coefficients": esn.readout_.coefficients_}
    if hasattr(esn.readout_, "inverse_"):
        arrays["inverse"] = esn.readout_.inverse_
    seed = esn._noise_seed
    noise_seed = [str(seed.entropy), list(seed.spawn_key), seed.n_children_spawned]
    return arrays, {**state, "largest_output": esn._largest_output, "noise_seed": noise_seed}


def restore(esn: ESN, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
    """Give a network of the same parameters the weights that `record` added.

    Raises KeyError, TypeError or ValueError where parameters, arrays and state do not fit together.
    """
    esn._largest_output = state["largest_output"]
    entropy, key, spawned = state["noise_seed"]
    esn._noise_seed = np.random.SeedSequence(int(entropy), spawn_key=tuple(key), n_children_spawned=spawned)
    esn.reservoir_ = Reservoir.from_arrays(arrays, esn.activation, esn.dtype)
    width, units, outputs = esn._layout.width, esn.units, esn.n_outputs_
    shapes = {
        "input_weights": (units, esn.n_features_in_), "feedback_weights": (units, outputs * esn._uses_feedback()),
        "coefficients": (width, outputs),
    }  # fmt: skip
    if isinstance(esn.readout, RecursiveLeastSquares):
        shapes["inverse"] = (width, width)
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} of shape {arrays[name].shape}, not {shape}")
    esn.readout_ = clone(esn.readout)
    esn.readout_.restore(arrays["coefficients"])
    if "inverse" in shapes:
        esn.readout_.inverse_ = arrays["inverse"]
