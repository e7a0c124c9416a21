"""Small reservoirs for diagnostics, and their slow twins."""

from __future__ import annotations

from typing import Any

import naive
import numpy as np

from reservoir import ESN
from reservoir.echo.reservoir import Reservoir
from reservoir.echo.topology import as_csr


def built(n_inputs: int = 1, **parameters: Any) -> Reservoir:
    return ESN(**{"units": 12, "density": 0.3, "random_state": 0, **parameters}).build(n_inputs).reservoir_


def own(matrix: np.ndarray, **parameters: Any) -> Reservoir:
    """A reservoir of this very matrix, without bias."""
    settings = {"units": len(matrix), "topology": matrix, "spectral_radius": None, "bias_scaling": 0.0}
    return ESN(**{**settings, "random_state": 0, **parameters}).build(1).reservoir_


def dense(reservoir: Reservoir) -> np.ndarray:
    return as_csr(reservoir.matrix).toarray()


def slow(reservoir: Reservoir) -> naive.Network:
    fields = (reservoir.input_weights, reservoir.feedback_weights, reservoir.bias, reservoir.leak)
    return naive.Network(dense(reservoir), *fields, reservoir.activation, reservoir.initial_state)


def noise(steps: int, channels: int = 1, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (steps, channels))
