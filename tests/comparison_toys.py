"""A small task and a model that fails, for comparisons."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reservoir import ESN, models

SMALL = {"units": 10, "density": 0.3, "washout": 5}


class Doubled:
    """The next value of a sine; says which models it was given to, on which data."""

    kind, metric, higher_is_better, published = "filter", "error", False, ""

    def __init__(self, name: str = "doubled", criterion: float | None = None, **settings: Any) -> None:
        self.name, self._criterion, self._settings = name, criterion, settings
        self.generated: list[int] = []
        self.scored: list[Any] = []

    def options(self) -> dict[str, Any]:
        return {"length": 60}

    def settings(self, model: str) -> dict[str, Any]:
        return {**SMALL, **self._settings}

    def generate(self, seed: int) -> Any:
        self.generated.append(seed)
        wave = np.sin(0.3 * np.arange(61) + seed)
        split = SimpleNamespace(inputs=[wave[:-1, None]], targets=[2.0 * wave[1:, None]])
        return SimpleNamespace(train=split, test=split)

    def predict(self, model: Any, split: Any) -> Any:
        return model.predict(split.inputs)

    def score(self, predictions: Any, data: Any) -> float:
        self.scored.append(data)
        return float(np.abs(predictions[0] - data.test.targets[0]).mean())

    def scores(self, predictions: Any, data: Any) -> dict[str, float]:
        return {"error": float(np.abs(predictions[0] - data.test.targets[0]).mean())}

    def baseline(self, data: Any) -> float:
        return float(np.abs(data.test.targets[0]).mean())

    def solved(self, score: float) -> bool | None:
        return None if self._criterion is None else score <= self._criterion


class Trained(ESN):
    """An echo state network that says it is trained in epochs, and fails with some seeds."""

    failures: dict[int, Exception] = {}  # noqa: RUF012 - set by tests

    def fit(self, inputs: Any, targets: Any = None, progress: Any = lambda *_: None) -> Any:
        for epoch in range(3):
            progress({"epoch": epoch, "loss": 1.0 / (epoch + 1)}, 3)
            if epoch == 1 and self.random_state in self.failures:
                raise self.failures[self.random_state]
        return super().fit(inputs, targets)


@pytest.fixture(autouse=True)
def _trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models.MODELS, "trained", models.Model(Trained.__module__, "Trained", "a fake"))
    monkeypatch.setattr(Trained, "failures", {})
