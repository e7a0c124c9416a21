"""rclib: reservoirs in C++ with Eigen. It drives a sequence within `predict` alone, here with one output."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

import numpy as np
import rclib

MOST_FITTED = 1000  # units; larger fits take minutes


def version() -> str:
    """Name the library and its version."""
    return f"rclib {importlib.metadata.version('rclib')}"


def prepare(case: dict[str, Any]) -> Callable[[], object] | None:
    """Return the work of a case."""
    if case["kind"] not in ("drive", "many", "closed", "fit") or case["threads"] > 1:
        return None
    if case["kind"] == "fit" and case["units"] > MOST_FITTED:
        return None
    data = {key: np.asarray(value) for key, value in np.load(case["data"]).items()}
    model = rclib.ESN()
    model.add_reservoir(rclib.reservoirs.RandomSparse(case["units"], 0.9, case["density"], case["leak"], 1.0, include_bias=True))
    model.set_readout(rclib.readouts.Ridge(alpha=case["ridge"], include_bias=True, solver="cholesky"))
    if case["kind"] == "fit":
        return lambda: model.fit(data["inputs"], data["targets"], 100)
    if case["kind"] in ("drive", "many"):
        sequences = data["inputs"] if case["kind"] == "many" else data["inputs"][None]
        model.fit(sequences[0], sequences[0])
        return lambda: [model.predict(sequence) for sequence in sequences]
    model.fit(data["inputs"], data["targets"], 100)
    return lambda: model.predict_generative(data["inputs"][-10:], case["steps"])
