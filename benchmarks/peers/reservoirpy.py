"""reservoirpy with NumPy; its sweeps need hyperopt."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import reservoirpy
from reservoirpy.nodes import Reservoir, Ridge


def version() -> str:
    """Name the library and its version."""
    return f"reservoirpy {reservoirpy.__version__}"


def prepare(case: dict[str, Any]) -> Callable[[], object] | None:
    """Return the work of a case."""
    if case["kind"] == "sweep":
        return sweep(case)
    if case["kind"] not in ("drive", "many", "closed", "fit", "digits"):
        return None
    data = {key: np.asarray(value) for key, value in np.load(case["data"]).items()}

    def node() -> Reservoir:
        return Reservoir(case["units"], sr=0.9, lr=case["leak"], rc_connectivity=case["density"], input_connectivity=1.0, seed=0)

    if case["kind"] in ("drive", "many"):
        driven = node()
        return lambda: driven.run(data["inputs"], workers=case["threads"])
    model = node() >> Ridge(ridge=case["ridge"])
    if case["kind"] == "digits":
        return lambda: classify(node(), case, data)
    if case["kind"] == "fit":
        return lambda: model.fit(data["inputs"], data["targets"], warmup=100)
    model.fit(data["inputs"], data["targets"], warmup=100)

    def closed_loop() -> None:
        y = data["inputs"][-1]
        for _ in range(case["steps"]):
            y = model.step(y)

    return closed_loop


def classify(node: Reservoir, case: dict[str, Any], data: dict[str, np.ndarray]) -> float:
    """Fit a readout to the mean states of training images; return the accuracy on the others."""
    train = len(data["labels"]) - case["test"]
    means = np.array([states.mean(axis=0) for states in node.run(data["inputs"])])
    readout = Ridge(ridge=case["ridge"]).fit(means[:train], np.eye(10)[data["labels"][:train]])
    return float((readout.run(means[train:]).argmax(axis=1) == data["labels"][train:]).mean())


def sweep(case: dict[str, Any]) -> Callable[[], object]:
    """Return trials of random points of a space, each the mean over two seeds, as its manual writes them."""
    from reservoirpy.hyper import parallel_research, research

    with np.load(case["data"]) as arrays:
        data = {key: np.asarray(value) for key, value in arrays.items()}
    settings = case["settings"]

    def objective(dataset: Any, config: Any, *, spectral_radius: float, leak_rate: float, input_scaling: float) -> Any:
        losses = []
        for seed in (0, 1):
            node = Reservoir(
                settings["units"], sr=spectral_radius, lr=leak_rate, input_scaling=input_scaling,
                rc_connectivity=settings["density"], input_connectivity=1.0, seed=seed,
            )  # fmt: skip
            model = node >> Ridge(ridge=settings["readout__ridge"])
            model.fit(dataset[f"train_inputs_{seed}"], dataset[f"train_targets_{seed}"], warmup=settings["washout"])
            true = dataset[f"held_out_targets_{seed}"][settings["washout"] :]
            predicted = model.run(dataset[f"held_out_inputs_{seed}"])[settings["washout"] :]
            losses.append(np.mean((predicted - true) ** 2) / np.var(true))
        return {"loss": float(np.mean(losses))}

    def trials() -> None:
        space = {name: ["choice", *values] for name, values in case["space"].items()}
        config = {"exp": "peer", "hp_max_evals": case["trials"], "hp_method": "random", "seed": 0, "hp_space": space}
        quiet = contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO())
        with tempfile.TemporaryDirectory() as folder, quiet[0], quiet[1]:
            path = Path(folder) / "config.json"
            path.write_text(json.dumps(config))
            if case["threads"] == 1:
                research(objective, data, str(path), folder)
            else:
                parallel_research(objective, data, str(path), folder, n_jobs=case["threads"])

    return trials
