"""echoes: dense reservoirs in Numba."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

import numpy as np
from echoes import ESNGenerator, ESNRegressor

MOST_UNITS = 1000  # its matrices are dense, and all of their eigenvalues are computed


def version() -> str:
    """Name the library and its version."""
    return f"echoes {importlib.metadata.version('echoes')}"


def prepare(case: dict[str, Any]) -> Callable[[], object] | None:
    """Return the work of a case."""
    if case["kind"] not in ("drive", "many", "closed") or case["threads"] > 1 or case["units"] > MOST_UNITS:
        return None
    data = {key: np.asarray(value) for key, value in np.load(case["data"]).items()}
    settings = {
        "n_reservoir": case["units"], "spectral_radius": 0.9, "sparsity": 1.0 - case["density"], "leak_rate": case["leak"],
        "regression_method": "ridge", "ridge_alpha": case["ridge"], "random_state": 0,
    }  # fmt: skip
    if case["kind"] == "closed":
        return ESNGenerator(n_steps=case["steps"], **settings).fit(y=data["targets"][:2000]).predict
    sequences = data["inputs"] if case["kind"] == "many" else data["inputs"][None]
    reservoir = ESNRegressor(**settings).fit(sequences[0], sequences[0]).reservoir_
    return lambda: [reservoir.harvest_states(sequence, sequence, initial_state=None) for sequence in sequences]
