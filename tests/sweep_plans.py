"""A small task to plan sweeps for."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from reservoir.sweeps.plan import Sweep, plan_sweep


@dataclasses.dataclass(frozen=True)
class Toy:
    """A task that is never generated."""

    level: float = 1.5
    length: int = 100

    name: ClassVar[str] = "toy"
    metric: ClassVar[str] = "nmse"
    higher_is_better: ClassVar[bool] = False

    def options(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def settings(self, model: str) -> dict[str, Any]:
        return {"units": 50, "density": 0.2, "readout__ridge": 1e-6} if model == "esn" else {"training__epochs": 5}


def toy(vary: dict[str, Any], settings: dict[str, Any] | None = None, model: str = "esn", **options: Any) -> Sweep:
    return plan_sweep(Toy(), model, vary, settings, **options)
