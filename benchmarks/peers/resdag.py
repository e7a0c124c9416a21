"""ResDAG: reservoirs in PyTorch, in float64; it chooses by itself whether its matrix is stored sparse."""

from __future__ import annotations

import importlib.metadata
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from resdag.layers import ESNLayer
from resdag.models import classic_esn
from resdag.training import ESNTrainer


def version() -> str:
    """Name the library and its version."""
    return f"ResDAG {importlib.metadata.version('resdag')}"


def prepare(case: dict[str, Any]) -> Callable[[], object] | None:
    """Return the work of a case."""
    if case["kind"] not in ("drive", "many", "closed", "fit"):
        return None
    warnings.simplefilter("ignore")
    torch.set_num_threads(case["threads"])
    torch.set_default_dtype(torch.float64)
    data = {key: torch.from_numpy(np.asarray(value)) for key, value in np.load(case["data"]).items()}
    settings = {
        "spectral_radius": 0.9, "leak_rate": case["leak"], "sparse": "auto", "seed": 0,
        "topology": ("erdos_renyi", {"p": case["density"]}),
    }  # fmt: skip
    if case["kind"] in ("drive", "many"):
        layer = ESNLayer(case["units"], 1, **settings)
        inputs = data["inputs"] if case["kind"] == "many" else data["inputs"][None]

        def drive() -> None:
            with torch.inference_mode():
                layer.reset_state()
                layer(inputs)

        return drive
    model = classic_esn(case["units"], 1, 1, input_to_readout=False, readout_alpha=case["ridge"], **settings)
    inputs, targets = data["inputs"][None], data["targets"][None]

    def fit() -> None:
        model.reset_reservoirs()
        ESNTrainer(model).fit((inputs[:, :100],), (inputs[:, 100:],), {"output": targets[:, 100:]})

    if case["kind"] == "fit":
        return fit
    fit()
    return lambda: model.forecast(inputs[:, :10], horizon=case["steps"])
