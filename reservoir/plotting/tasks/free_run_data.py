"""Prepares the forecasts of a free run for drawing: in the units of the record, on the task's time axis, with their errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir import metrics
from reservoir.plotting.style import bounded, plain
from reservoir.plotting.tasks.series import MOST_COLUMNS

THRESHOLD = 0.3
"""The valid prediction time ends where the error exceeds it, as in `metrics.valid_prediction_time`."""


@dataclass(frozen=True)
class FreeRun:
    """The forecasts of S starts of a series of d columns, with the facts of the task that the pictures show.

    Attributes
    ----------
    histories, truths, forecasts : lists of S arrays (T_i, d), (steps, d), (steps, d)
    scale : the standard deviation (d,) by which errors are divided, in the units of the forecasts
    errors : (S, steps): root mean square over the columns of the error / scale
    size : standard deviation of the truth / scale
    logarithmic : whether the errors want a logarithmic axis: they grow exponentially, or are too small to be seen beside the data
    valid : (S,) valid prediction times on the time axis; None where the task has none
    time_unit : time axis units in a step
    scored_step : the one step that the task scores, counted from 1; None where it scores all
    lag : of the phase portrait of a single column; None for none
    """

    histories: list[np.ndarray]
    truths: list[np.ndarray]
    forecasts: list[np.ndarray]
    names: list[str]
    scale: np.ndarray
    errors: np.ndarray
    size: float
    logarithmic: bool
    valid: np.ndarray | None
    time_unit: float
    time_name: str
    scored_step: int | None
    lag: int | None

    @classmethod
    def of(cls, task: Any, data: Any, predictions: Any) -> FreeRun:
        """Read a task's test split. Records come back in their own units, one column's errors too."""
        split, info = data.test, data.info
        histories, truths = ([_matrix(s) for s in part] for part in (split.inputs, split.targets))
        everything = np.concatenate(truths)
        forecasts = [bounded(_matrix(p), everything) for p in predictions]
        columns = everything.shape[1]
        chaotic = task.lyapunov is not None
        unit = task.lyapunov * task.time_step if chaotic else 1.0
        scale = _error_scale(info, everything)
        pairs = list(zip(forecasts, truths, strict=True))
        errors = np.stack([np.sqrt(np.mean(((p - y) / scale) ** 2, axis=1)) for p, y in pairs])
        valid = None
        if chaotic and "spread" in info:
            valid = np.array([metrics.valid_prediction_time(*pair, info["spread"], 1.0, unit, THRESHOLD) for pair in pairs])
        size = float(np.mean(everything.std(axis=0) / scale)) or 1.0
        logarithmic = chaotic or bool(np.quantile(np.median(errors, axis=0), 0.25) < 0.03 * size)
        if columns <= MOST_COLUMNS and "columns" in info and "mean" in info and "std" in info:
            histories, truths, forecasts = ([s * info["std"] + info["mean"] for s in part]
                                            for part in (histories, truths, forecasts))  # fmt: skip
            scale = scale * info["std"]
        return cls(
            histories, truths, forecasts, _names(info, columns), scale, errors, size, logarithmic, valid, unit,
            "Lyapunov times" if chaotic else "steps", task.scored_step, task.portrait_lag if columns == 1 else None,
        )  # fmt: skip

    @property
    def columns(self) -> int:
        """The number of columns d."""
        return self.truths[0].shape[1]

    @property
    def middle(self) -> int:
        """The start whose valid time is nearest to the mean, which is the score, or that is the median by error."""
        if self.valid is not None:
            return int(np.abs(self.valid - self.valid.mean()).argmin())
        ranking = self.errors.mean(axis=1)
        return int(np.argsort(ranking, kind="stable")[len(ranking) // 2])

    @property
    def which(self) -> str:
        """The words that name the start in the middle."""
        how = "the median by error" if self.valid is None else "nearest to the mean valid time"
        return f"start {self.middle + 1} of {len(self.truths)}, {how}" if len(self.truths) > 1 else ""

    @property
    def time(self) -> np.ndarray:
        """The forecast's steps on the time axis, the last value of the history being at 0."""
        return np.arange(1, len(self.truths[0]) + 1) * self.time_unit


def _matrix(values: Any) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    return values.reshape(len(values), -1)


def _names(info: Mapping[str, Any], columns: int) -> list[str]:
    if "columns" in info:
        return [plain(str(name)) for name in info["columns"]]
    return ["x", "y", "z"][:columns] if columns <= 3 else [f"column {k + 1}" for k in range(columns)]


def _error_scale(info: Mapping[str, Any], truth: np.ndarray) -> np.ndarray:
    """The standard deviation of each column: the one that the score uses, or, without one, that of the truth (n, d)."""
    if "spread" in info:
        return np.asarray(info["spread"])
    if "variance" in info:
        return np.sqrt(np.asarray(info["variance"]))
    if "std" in info:  # the predictions of a record are in its standard deviations
        return np.ones(truth.shape[1])
    return np.where(truth.std(axis=0) > 0.0, truth.std(axis=0), 1.0)
