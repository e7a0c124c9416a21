"""Forecasts of recorded series beside published methods, by rolling origins; all settings are the defaults.

    python benchmarks/forecasts.py FOLDER [--origins 20] [--only NAME,NAME]

FOLDER holds airline.csv, elec_equip.csv, solar_half_hourly.csv, co2_weekly.csv, demand_daily.csv and uschange.csv; the
sunspot record is the library's own. Gaps are filled by a line. RMSE is the mean over the last four origins, a horizon apart, on
observed rows. The yardstick is, for each series, the best of AutoETS, AutoTheta and AutoARIMA of statsforecast and of the
seasonal naive forecast with and without drift; with temperature and holidays known it is the noise of the law that made the
series. "To naive" compares all origins with the seasonal naive forecast, "worst" the worst of them. The bands are
counted over all origins, as many as the record allows.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reservoir import DataError, Forecaster
from reservoir.forecasting.backtest import Backtest, rolling_origins
from reservoir.forecasting.table import SeriesTable, read_series

SUNSPOTS = Path(__file__).parent.parent / "tasks" / "data" / "sunspots_monthly.csv"
ERROR_ORIGINS = 4


class Record(NamedTuple):
    """A series of the benchmark: where it is, the horizon, and the error that it is measured by."""

    file: str
    column: str
    horizon: int
    yardstick: float
    store: str | None = None
    known: tuple[str, ...] = ()


WEATHER = ("temperature", "holiday")
RECORDS = {
    "airline": Record("airline.csv", "Passengers", 24, 25.2),
    "elec_equip": Record("elec_equip.csv", "STS.M.I7.W.TOVT.NS0016.4.000", 24, 11.0),
    "solar": Record("solar_half_hourly.csv", "solar_gen", 48, 0.111),
    "co2": Record("co2_weekly.csv", "co2", 104, 1.19),
    "north": Record("demand_daily.csv", "demand", 28, 14.4, "north"),
    "south": Record("demand_daily.csv", "demand", 28, 9.40, "south"),
    "uschange": Record("uschange.csv", "Consumption", 8, 0.379),
    "sunspots": Record("", "sunspots", 132, 39.5),
    "north-known": Record("demand_daily.csv", "demand", 28, 3.33, "north", WEATHER),
    "south-known": Record("demand_daily.csv", "demand", 28, 4.47, "south", WEATHER),
}


def read(record: Record, folder: Path) -> SeriesTable:
    """The series of a record."""
    path = folder / record.file if record.file else SUNSPOTS
    tables = read_series(path, [record.column], known=record.known, group="store" if record.store else None)
    return next(table for table in tables if table.group == record.store)


def most_origins(record: Record, table: SeriesTable, most: int) -> Backtest:
    """The backtest with as many origins as the record allows."""
    forecaster = Forecaster(record.horizon, fill="linear")
    for origins in range(most, 0, -1):
        try:
            return rolling_origins(forecaster, table.series, origins=origins, known=table.known, times=table.times)
        except DataError as error:
            if "origins" not in str(error):
                raise
    raise DataError("The record is too short.")


def per_origin(found: Backtest, method: str) -> np.ndarray:
    """The RMSE (O,) of a method from each origin, on observed rows."""
    errors = found.forecasts[method][:, :, 0] - found.truth[:, :, 0]
    return np.asarray(np.sqrt(np.nanmean(np.square(errors), axis=1)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--origins", type=int, default=20)
    parser.add_argument("--only", default=",".join(RECORDS))
    options = parser.parse_args()
    titles = ("rmse", "relative", "to naive", "worst", "80 %", "95 %", "origins", "seconds")
    print(f"{'':14}" + "".join(f"{title:>10}" for title in titles))
    relative, shares = [], []
    for name in options.only.split(","):
        record = RECORDS[name]
        start = time.perf_counter()
        found = most_origins(record, read(record, options.folder), options.origins)
        seconds = (time.perf_counter() - start) / len(found.origins)
        ours, naive = per_origin(found, "forecast"), per_origin(found, "seasonal naive")
        error, held = ours[-ERROR_ORIGINS:].mean(), list(found.bands(0)[0].values())
        cells = [error, error / record.yardstick, ours.mean() / naive.mean(), (ours / naive).max(), *held]
        print(f"{name:14}" + "".join(f"{cell:10.3f}" for cell in cells) + f"{len(ours):10}{seconds:10.2f}", flush=True)
        if not record.known:
            relative.append(error / record.yardstick)
            shares.append(held)
    if relative:
        mean, held = np.exp(np.mean(np.log(relative))), np.mean(shares, axis=0)
        print(f"geometric mean of the relative errors {mean:.3f}; bands hold {held[0]:.1%} and {held[1]:.1%}")


if __name__ == "__main__":
    main()
