"""The recurrent weights of a topology, as an array."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from reservoir import ESN

DENSITY = 0.13


def matrix(topology: Any, units: int, radius: float | None = None, seed: int = 0, **options: Any) -> np.ndarray:
    """W as an array; with `radius` None as it was drawn."""
    density = options.pop("density", DENSITY)
    esn = ESN(units, radius, density, topology=topology, topology_options=options or None, random_state=seed).build(1)
    w = esn.recurrent_weights_
    return w.toarray() if sp.issparse(w) else w
