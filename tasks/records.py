"""Free runs of measured records: the monthly sunspot numbers, and the columns of a user's own CSV file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reservoir.base.baselines import estimate_period, seasonal_naive
from reservoir.files.csv_file import read_csv
from reservoir.files.reading import Text
from reservoir.metrics import nmse
from reservoir.tasks.base import COUNT, LAG, Data, Task, scored_rows
from reservoir.tasks.forecasts import check_washout, one_step, persistence, rolling_origins
from reservoir.tasks.settings import DEEP_TANH, PRECISE, epochs, given
from reservoir.validation import DataError, Number, ParameterError

TUNED = given(
    esn=given(units=300, density=0.033, spectral_radius=0.93, leak_rate=0.1, input_scaling=0.3, bias_scaling=0.01,
              readout__ridge=1.0),
    gradient=PRECISE | given(units=32, washout=20, training__beta2=0.999, training__window=200) | epochs(200),
    clockwork=given(periods=[1, 2, 4, 8]), indrnn=DEEP_TANH,
)  # fmt: skip


@dataclass(frozen=True)
class Record(Task):
    """Base of the free runs over a given record, cut in the order of time into training, validation and test.

    Every column is standardized by the mean and standard deviation of the rows before the validation part; `Data.info` holds
    them, and the record in its own units. So columns count alike whatever their units, and forecasts go back to units by
    x * std + mean. A history is all of the record before its continuation. Nothing is random: every seed gives the same data.
    """

    horizon: int = 100
    starts: int = 1
    washout: int = 100

    kind = "free run"
    metric = "nrmse"
    baseline_name = "last value or period, repeated"
    constraints = given(horizon=COUNT, starts=COUNT, washout=LAG)

    def cut(self, record: np.ndarray, names: list[str], train: slice, test: int) -> Data:
        """The splits of a (T, d) record: training rows, validation from their end, test from row `test`, to the end."""
        mean, deviation = record[: train.stop].mean(axis=0), record[: train.stop].std(axis=0)
        for name, center, spread in zip(names, mean, deviation, strict=True):
            if spread <= 1e-12 * abs(center):
                raise DataError(
                    f"Task {self.name}: column '{name}' is constant ({center:g}) before the hold-out; "
                    "there is nothing to learn from it."
                )
        scaled = (record - mean) / deviation
        period = self.season(scaled[: train.stop])
        return Data(
            train=one_step(scaled[train], self.washout),
            validation=rolling_origins(scaled, train.stop, test, None, self.horizon, self.starts),
            test=rolling_origins(scaled, test, len(record), None, self.horizon, self.starts),
            info={"record": record, "columns": names, "mean": mean, "std": deviation, "period": period},
        )

    def season(self, past: np.ndarray) -> int | None:
        """The period of the seasonal forecast, from the (T, d) rows before the validation part."""
        return estimate_period(past)

    def score(self, predictions: Any, data: Data) -> float:
        """The NRMSE over all starts and steps, with the variance of the continuations."""
        return math.sqrt(nmse(*scored_rows(predictions, data.test)))

    def scores(self, predictions: Any, data: Data) -> dict[str, float]:
        """The NRMSE and its square."""
        score = self.score(predictions, data)
        return {"nrmse": score, "nmse": score**2}

    def baseline(self, data: Data) -> float:
        """The lower score of two: the last value repeated, and the last period repeated when there is a period."""
        forecasts, period = [persistence(data.test)], data.info["period"]
        if period is not None:
            forecasts.append([seasonal_naive(history, self.horizon, period) for history in data.test.inputs])
        return min(self.score(forecast, data) for forecast in forecasts)


@dataclass(frozen=True)
class Sunspots(Record):
    """Forecast the monthly sunspot number for eleven years, from several starts.

    The monthly mean sunspot number of January 1749 to December 2008 (3,120 values on the scale in use before the revision of
    2015; public domain). Test: the months from 1949 on, in which `starts` forecasts of `horizon` months begin at evenly spaced
    months; validation: likewise from 1909 to 1948; training: the last `train_length` months before 1909, of which `washout` are
    not scored. Standardized, see `Record`.

    Metric: nrmse over all starts and months, the variance being that of the continuations. Baseline: the better of the last value
    repeated and the last 132 months repeated.
    """

    horizon: int = 132
    starts: int = 8
    train_length: int = 1919

    name = "sunspots"
    constraints = Record.constraints | given(
        horizon=Number(low=1, high=480, integer=True), train_length=Number(low=2, high=1919, integer=True)
    )
    tuned = TUNED | given(gradient=TUNED["gradient"] | given(washout=100, training__window=400))

    def __post_init__(self) -> None:
        super().__post_init__()
        check_washout(self, self.train_length, self.washout)

    def generate(self, seed: int) -> Data:
        """The data; the same for every seed."""
        record, names = read_csv(Path(__file__).parent / "data" / "sunspots_monthly.csv", ["sunspots"])
        return self.cut(record, names, slice(1919 - self.train_length, 1920), 2400)

    def season(self, past: np.ndarray) -> int:
        """Eleven years."""
        return 132


@dataclass(frozen=True)
class CsvTask(Record):
    """Forecast the end of a user's own series, columns of a CSV file.

    `column` names the column, or several separated by commas; empty means the only one that holds numbers. Test: the last
    `holdout` rows, in which `starts` forecasts of `horizon` rows begin at evenly spaced rows; validation: as many rows before
    them, likewise; training: all rows before those. Without `holdout` the forecasts lie end to end. Standardized, see `Record`.

    Metric: nrmse over all starts, rows and columns, the variance being that of the continuations. Baseline: the better of the
    last value repeated and the last period repeated; `estimate_period` finds the period in the rows before the hold-out.
    """

    path: str = ""
    column: str = ""
    holdout: int | None = None

    name = "csv"
    constraints = given(
        path=Text((), described="the name of a CSV file (on the command line: --data FILE)"),
        column=Text((), described="a column's name, or several separated by commas", blank=True),
        **Record.constraints, holdout=Number(low=1, integer=True, optional=True),
    )  # fmt: skip
    tuned = TUNED

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.holdout is not None and self.holdout < self.horizon:
            raise ParameterError(
                f"The 'holdout' parameter of task csv must be at least the horizon, {self.horizon}. Got {self.holdout} instead."
            )

    def generate(self, seed: int) -> Data:
        """The data; the same for every seed. Raises `DataError` for a bad file, one too short, or a constant column."""
        columns = [part.strip() for part in self.column.split(",")] if self.column else None
        record, names = read_csv(self.path, columns)
        held_out = self.holdout or self.horizon * self.starts
        needed = 2 * held_out + self.washout + 2
        if len(record) < needed:
            raise DataError(
                f"{self.path}: has {len(record)} rows; a washout of {self.washout} and two hold-outs of {held_out} "
                f"need at least {needed}. Lower horizon, starts, holdout or washout, or give more rows."
            )
        return self.cut(record, names, slice(0, len(record) - 2 * held_out), len(record) - held_out)
