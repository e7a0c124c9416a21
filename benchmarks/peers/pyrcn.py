"""PyRCN: reservoirs of scikit-learn's kind, with PyTorch below."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from pyrcn.base.blocks import InputToNode, NodeToNode
from pyrcn.echo_state_network import ESNRegressor
from pyrcn.linear_model import IncrementalRegression

MOST_FITTED = 1000  # units; larger fits take minutes


def version() -> str:
    """Name the library and its version."""
    return f"PyRCN {importlib.metadata.version('pyrcn')}"


def prepare(case: dict[str, Any]) -> Callable[[], object] | None:
    """Return the work of a case."""
    if case["kind"] not in ("drive", "many", "fit") or (case["threads"] > 1 and case["kind"] != "fit"):
        return None
    torch.set_num_threads(case["threads"])
    if case["kind"] == "fit" and case["units"] > MOST_FITTED:
        return None
    data = {key: np.asarray(value) for key, value in np.load(case["data"]).items()}
    reading = InputToNode(hidden_layer_size=case["units"], input_activation="identity")
    node = NodeToNode(hidden_layer_size=case["units"], sparsity=case["density"], spectral_radius=0.9, leakage=case["leak"])
    if case["kind"] == "fit":
        model = ESNRegressor(
            input_to_node=reading, node_to_node=node, regressor=IncrementalRegression(alpha=case["ridge"]),
            requires_sequence=False, verbose=False,
        )  # fmt: skip
        return lambda: model.fit(data["inputs"], data["targets"])
    sequences = data["inputs"] if case["kind"] == "many" else data["inputs"][None]
    node.fit(reading.fit_transform(sequences[0]))
    return lambda: [node.transform(reading.transform(sequence)) for sequence in sequences]
