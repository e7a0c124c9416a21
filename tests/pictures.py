"""Small tasks, made-up predictions, and what is drawn of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reservoir import plotting
from reservoir.tasks import get_task

FREE_RUN = {"train_length": 120, "washout": 20, "history": 60, "steps": 90, "starts": 5}
FILTER = {"train_length": 300, "validation_length": 2, "test_length": 330, "washout": 200}
LABEL = {"train_sequences": 30, "validation_sequences": 2, "test_sequences": 60}
OPTIONS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("narma10", "narma20", "narma30", "delayed-recall", "parity", "channel-equalization"), FILTER),
    **dict.fromkeys(("mackey-glass", "lorenz", "rossler", "kuramoto-sivashinsky", "henon", "mso", "sine"), FREE_RUN),
    **dict.fromkeys(("frequency-discrimination", "digits", "adding", "temporal-order", "copy", "reber", "spoken-words"), LABEL),
    "memory-capacity": {**FILTER, "lags": 12},
    "text": {"length": 20_000},
}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def small(name: str, tmp_path: Path | None = None, **options: Any) -> Any:
    if name == "csv":
        assert tmp_path is not None
        rows = np.cumsum(rng().normal(size=(400, 2)), axis=0)
        np.savetxt(tmp_path / "own.csv", rows, delimiter=",", header="price $,$ volume", comments="")
        options = {"path": str(tmp_path / "own.csv"), "column": "price $", "horizon": 20, "starts": 3, **options}
    return get_task(name, **{**OPTIONS.get(name, {}), **options})


def fake(task: Any, data: Any, size: float = 0.1) -> Any:
    """Predictions that are near the targets, or a third of the labels shifted; of a text, logarithms of probabilities."""
    targets = data.test.targets
    if task.kind == "text":
        return [-size * target for target in targets]
    if targets[0].dtype.kind == "i":
        if task.kind == "label":
            return np.where(np.arange(len(targets)) % 3 == 0, np.roll(targets, 1), targets)
        return [np.where(np.arange(len(target)) % 3 == 0, np.roll(target, 1), target) for target in targets]
    if task.kind == "label":
        return targets + size * rng().normal(size=targets.shape)
    return [target + size * rng(k).normal(size=target.shape) for k, target in enumerate(targets)]


def drawn(name: str, tmp_path: Path | None = None, **options: Any) -> tuple[Any, Any, Any, Figure]:
    task = small(name, tmp_path, **options)
    data = task.generate(0)
    predictions = fake(task, data)
    return task, data, predictions, plotting.task_figure(task, data, predictions, f"{name}: a model, {task.metric} = 0.5")


def line(axes: Axes, label: str) -> np.ndarray:
    """The (n, 2) points of the line with that label."""
    (found,) = [one for one in axes.lines if one.get_label() == label]
    return np.asarray(found.get_xydata())


def legend(axes: Axes) -> list[str]:
    found = axes.get_legend()
    assert found is not None
    return [text.get_text() for text in found.get_texts()]
