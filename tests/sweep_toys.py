"""A small task whose runs misbehave where they are told to; in a module of its own, for workers to import."""

from __future__ import annotations

import os
import signal
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from reservoir.experiments.store import Store


@dataclass(frozen=True)
class Toy:
    """A noisy wave to continue. `acts` says what a run comes to by its network's spectral radius, `folder` is for its marks.

    Acts: "die", "die once", "raise", "exit", "nan", "text", "float32", "warn", "linger", "interrupt".
    """

    acts: tuple[tuple[float, str], ...] = ()
    folder: str = ""
    broken_seed: int | None = None
    level: float = 0.1

    name = "toy"
    kind = "filter"
    metric = "error"
    higher_is_better = False

    def options(self) -> dict[str, Any]:
        return {}  # none that would make it another task

    def settings(self, model: str) -> dict[str, Any]:
        return {"units": 6, "density": 0.5, "washout": 5} if model == "esn" else {"units": 3}

    def generate(self, seed: int) -> Any:
        if seed == self.broken_seed:
            raise ValueError("there are no such data")
        noise = self.level * np.random.default_rng(seed).standard_normal((3, 61, 1))
        wave = np.sin(0.3 * np.arange(61.0))[:, None] + noise
        parts = [SimpleNamespace(inputs=[w[:-1]], targets=[w[1:]]) for w in wave]
        return Data(*parts)

    def predict(self, model: Any, split: Any) -> Any:
        predictions = model.predict(split.inputs)
        act = dict(self.acts).get(getattr(model, "spectral_radius", None) or 0.0)
        return predictions if act is None else self._act(act, model, predictions)

    def _act(self, act: str, model: Any, predictions: Any) -> Any:
        mark = Path(self.folder, f"{act} {model.spectral_radius}")
        known = mark.exists()
        if self.folder:
            with mark.open("a") as file:
                file.write(f"{os.getpid()}\n")
        if act == "die" or (act == "die once" and not known):
            os.kill(os.getpid(), signal.SIGKILL)
        if act == "raise":
            raise LookupError("nowhere\nto be found")
        if act == "exit":
            raise SystemExit("enough")
        if act == "warn":
            warnings.warn("dubious", stacklevel=2)
        if act == "linger":
            time.sleep(60.0)
        if act == "interrupt" and not known:
            signal.raise_signal(signal.SIGINT)
        return {"nan": [np.nan * predictions[0]], "text": "text", "float32": [predictions[0].astype(np.float32)]}.get(
            act, predictions
        )

    def score(self, predictions: Any, data: Any) -> Any:
        if predictions == "text":
            return "much"
        return np.square(predictions[0] - data.test.targets[0])[5:].mean(dtype=predictions[0].dtype)

    def scores(self, predictions: Any, data: Any) -> dict[str, Any]:
        return {"error": self.score(predictions, data), "length": np.int64(len(predictions[0])), "other": np.nan}

    def baseline(self, data: Any) -> float:
        return 1.0


@dataclass(frozen=True)
class Data:
    train: Any
    validation: Any
    test: Any


def lasting(path: Any) -> list[tuple[Any, ...]]:
    """All of a store's rows but for what is another in every sweep: times and versions."""
    names = ("trial", "parameters", "seed", "status", "score", "scores", "error", "warnings", "curve", "n_parameters", "baseline",
             "data_hash", "key")  # fmt: skip
    with Store.reading(path) as store:
        return [tuple(repr(row[name]) for name in names) for row in store.rows()]
