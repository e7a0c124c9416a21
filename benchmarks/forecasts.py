"""Forecasts of recorded series beside published methods, by rolling origins.

    python benchmarks/forecasts.py FOLDER [--origins 20] [--only NAME,NAME]

FOLDER holds airline.csv, elec_equip.csv, solar_half_hourly.csv, co2_weekly.csv, demand_daily.csv and uschange.csv; the
sunspot record is the library's own. RMSE is the mean over the last four origins, a horizon apart, on observed rows; the yardstick
is the best of AutoETS, AutoTheta and AutoARIMA of statsforecast and of the seasonal naive forecast with and without drift, for
each series. The bands are counted over as many origins as the record allows, 20 at most.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reservoir import DataError, Forecaster
from reservoir.files.dates import read_times
from reservoir.forecasting.backtest import Backtest, backtest

SUNSPOTS = Path(__file__).parent.parent / "tasks" / "data" / "sunspots_monthly.csv"
ERROR_ORIGINS = 4


class Record(NamedTuple):
    """A series of the benchmark: where it is, its seasons, the horizon, and the least RMSE of the published methods."""

    file: str
    column: str
    seasons: tuple[float, ...] | None
    horizon: int
    yardstick: float
    time: str = ""
    store: str = ""
    known: tuple[str, ...] = ()


RECORDS = {
    "airline": Record("airline.csv", "Passengers", (12,), 24, 25.2),
    "elec_equip": Record("elec_equip.csv", "STS.M.I7.W.TOVT.NS0016.4.000", (12,), 24, 11.0),
    "solar": Record("solar_half_hourly.csv", "solar_gen", (48,), 48, 0.111),
    "co2": Record("co2_weekly.csv", "co2", (52,), 104, 1.19),
    "north": Record("demand_daily.csv", "demand", (7, 365.25), 28, 14.4, "date", "north"),
    "south": Record("demand_daily.csv", "demand", (7, 365.25), 28, 9.40, "date", "south"),
    "uschange": Record("uschange.csv", "Consumption", (4,), 8, 0.379),
    "sunspots": Record("", "sunspots", None, 132, 39.5),
    # The yardstick is the law's own noise.
    "north-known": Record("demand_daily.csv", "demand", (7, 365.25), 28, 3.33, "date", "north", ("temperature", "holiday")),
    "south-known": Record("demand_daily.csv", "demand", (7, 365.25), 28, 4.47, "date", "south", ("temperature", "holiday")),
}


def read(record: Record, folder: Path) -> dict[str, Any]:
    """The series of a record, its known columns and its times, as keywords of `backtest`."""
    with open(folder / record.file if record.file else SUNSPOTS, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not record.store or row["store"] == record.store]
    numbers = {name: [float(row[name]) if row[name] else np.nan for row in rows] for name in (record.column, *record.known)}
    found: dict[str, Any] = {"series": numbers[record.column]}
    if record.known:
        found["known"] = np.column_stack([numbers[name] for name in record.known])
    if record.time:
        found["times"] = read_times([row[record.time] for row in rows])
    return found


def most_origins(record: Record, data: dict[str, Any], most: int) -> Backtest:
    """The backtest with as many origins as the record allows."""
    forecaster = Forecaster(record.horizon, seasons=record.seasons, fill="linear")
    for origins in range(most, 0, -1):
        try:
            return backtest(forecaster, origins=origins, **data)
        except DataError as error:
            if "origins" not in str(error):
                raise
    raise DataError("The record is too short.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--origins", type=int, default=20)
    parser.add_argument("--only", default=",".join(RECORDS))
    options = parser.parse_args()
    print(
        f"{'':14} {'rmse':>8} {'relative':>8} {'to naive':>8} {'worst':>6} {'80 %':>6} {'95 %':>6} {'origins':>7} {'seconds':>8}"
    )
    relative, shares = [], []
    for name in options.only.split(","):
        record = RECORDS[name]
        start = time.perf_counter()
        found = most_origins(record, read(record, options.folder), options.origins)
        seconds = (time.perf_counter() - start) / len(found.origins)
        rmse = {method: per_origin(found, method) for method in ("forecast", "seasonal naive")}
        error = rmse["forecast"][-ERROR_ORIGINS:].mean()
        ratio = rmse["forecast"] / rmse["seasonal naive"]
        coverage = found.records()[0]["coverage"]
        means = [rmse[method].mean() for method in ("forecast", "seasonal naive")]
        cells = [error, error / record.yardstick, means[0] / means[1], ratio.max(), coverage["80"], coverage["95"]]
        print(f"{name:14}" + "".join(f"{cell:10.3f}" for cell in cells) + f"{len(ratio):10}{seconds:10.2f}", flush=True)
        if not record.known:
            relative.append(error / record.yardstick)
            shares.append([coverage["80"], coverage["95"]])
    if relative:
        held = np.mean(shares, axis=0)
        print(
            f"geometric mean of the relative errors {np.exp(np.mean(np.log(relative))):.3f}; bands {held[0]:.1%}, {held[1]:.1%}"
        )


def per_origin(found: Backtest, method: str) -> np.ndarray:
    """The RMSE (O,) of a method from each origin, on observed rows."""
    errors = found.forecasts[method][:, :, 0] - found.truth[:, :, 0]
    return np.sqrt(np.nanmean(np.square(errors), axis=1))


if __name__ == "__main__":
    main()
