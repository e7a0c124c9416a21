"""Forecasts of recorded series beside published methods, by rolling origins; all settings are the defaults.

    python benchmarks/forecasts.py FOLDER [--origins 20] [--only NAME,NAME] [--bands conformal] [--peers PYTHON]

FOLDER holds airline.csv, elec_equip.csv, solar_half_hourly.csv, co2_weekly.csv, demand_daily.csv and uschange.csv; the
sunspot record is the library's own. Gaps are filled by a line. RMSE is the mean over the last four origins, a horizon apart, on
observed rows. The yardstick is, for each series, the best of statsforecast's AutoETS, AutoTheta, AutoARIMA and MSTL and of the
seasonal naive forecast at the true period with and without drift; with temperature and holidays known it is the noise of the
law that made the series. "To naive" compares all origins with the seasonal naive forecast, "worst" the worst of them. The
bands are counted over all origins, as many as the record allows.

PYTHON is an interpreter that can import statsforecast; both exchange files. Without it the yardsticks are those that it
gave last, MSTL aside. The interval scores of AutoETS are for the same origins as ours.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reservoir import DataError, Forecaster, metrics
from reservoir.forecasting.backtest import Backtest, rolling_origins
from reservoir.forecasting.past import fill_gaps
from reservoir.forecasting.prepared import gridded
from reservoir.forecasting.references import drift, seasonal_naive
from reservoir.forecasting.table import SeriesTable, read_series

SUNSPOTS = Path(__file__).parent.parent / "tasks" / "data" / "sunspots_monthly.csv"
ERROR_ORIGINS = 4
LONGEST_ARIMA = 24
"""AutoARIMA takes minutes for a longer season."""
SPEED_ROWS, SPEED_HORIZON = 1500, 28


class Record(NamedTuple):
    """A series of the benchmark: where it is, the horizon, the error that it is measured by, and its true periods."""

    file: str
    column: str
    horizon: int
    yardstick: float
    seasons: tuple[int, ...]
    store: str | None = None
    known: tuple[str, ...] = ()
    cycles: tuple[int, ...] = ()  # other periods of the seasonal naive forecast


WEATHER = ("temperature", "holiday")
RECORDS = {
    "airline": Record("airline.csv", "Passengers", 24, 25.2, (12,)),
    "elec_equip": Record("elec_equip.csv", "STS.M.I7.W.TOVT.NS0016.4.000", 24, 11.0, (12,)),
    "solar": Record("solar_half_hourly.csv", "solar_gen", 48, 0.111, (48,)),
    "co2": Record("co2_weekly.csv", "co2", 104, 1.19, (52,)),
    "north": Record("demand_daily.csv", "demand", 28, 14.4, (7, 365), "north"),
    "south": Record("demand_daily.csv", "demand", 28, 9.40, (7, 365), "south"),
    "uschange": Record("uschange.csv", "Consumption", 8, 0.379, (4,)),
    "sunspots": Record("", "sunspots", 132, 39.5, (132,), cycles=(128,)),
    "north-known": Record("demand_daily.csv", "demand", 28, 3.33, (7,), "north", WEATHER),
    "south-known": Record("demand_daily.csv", "demand", 28, 4.47, (7,), "south", WEATHER),
}


def read(record: Record, folder: Path) -> SeriesTable:
    """The series of a record."""
    path = folder / record.file if record.file else SUNSPOTS
    tables = read_series(path, [record.column], known=record.known, group="store" if record.store else None)
    return next(table for table in tables if table.group == record.store)


def most_origins(record: Record, table: SeriesTable, most: int, bands: str) -> Backtest:
    """The backtest with as many origins as the record allows."""
    forecaster = Forecaster(record.horizon, fill="linear", bands=bands)
    for origins in range(most, 0, -1):
        try:
            return rolling_origins(forecaster, table.series, origins=origins, known=table.known, times=table.times)
        except DataError as error:
            if "origins" not in str(error):
                raise
    raise DataError("The record is too short.")


def rmses(forecasts: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The RMSE (O,) from each origin of forecasts (O, h), on observed rows."""
    return np.asarray(np.sqrt(np.nanmean(np.square(forecasts - truth), axis=1)))


def histories(table: SeriesTable, found: Backtest) -> list[np.ndarray]:
    """What is known at each origin, gaps filled by a line."""
    series = gridded(table.series, None, None, None if table.times is None else table.times[: len(table.series)]).series[:, 0]
    start = int(np.argmax(~np.isnan(series)))
    return [fill_gaps(series[start:end], "linear", 1) for end in found.origins]


def naive_errors(record: Record, past: list[np.ndarray], truth: np.ndarray) -> dict[str, float]:
    """The mean RMSE over the last origins of the seasonal naive forecast at the best true period, with and without drift."""
    errors = {}
    for name, method in (("naive", seasonal_naive), ("drift", drift)):
        made = [
            np.stack([method(z, season, np.array([len(z)]), record.horizon)[0] for z in past[-ERROR_ORIGINS:]])
            for season in (record.seasons[0], *record.cycles)
        ]
        errors[name] = min(float(rmses(forecasts, truth[-ERROR_ORIGINS:]).mean()) for forecasts in made)
    return errors


def peer_forecasts(python: str, pasts: Mapping[str, list[np.ndarray]]) -> dict[str, list[dict[str, Any]]]:
    """The forecasts of statsforecast from every origin, in order; of all methods from the last origins alone."""
    tasks, names = [], []
    for name, histories in pasts.items():
        record = RECORDS[name]
        for number, history in enumerate(reversed(histories)):
            methods = ["AutoETS"]
            if number < ERROR_ORIGINS:
                methods += ["AutoTheta", "MSTL", *(["AutoARIMA"] if record.seasons[0] <= LONGEST_ARIMA else [])]
            seasons = [season for season in record.seasons if 2 * season <= len(history)]
            tasks.append({"history": history.tolist(), "horizon": record.horizon, "season": record.seasons[0],
                          "seasons": seasons, "methods": methods})  # fmt: skip
            names.append(name)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "tasks.json", Path(folder) / "results.json"
        source.write_text(json.dumps(tasks))
        subprocess.run([python, Path(__file__).with_name("forecast_peers.py"), source, target], check=True)
        results = json.loads(target.read_text())
    return {name: [r for n, r in zip(names, results, strict=True) if n == name][::-1] for name in pasts}


def peer_errors(results: list[dict[str, Any]], found: Backtest) -> dict[str, float]:
    """The mean RMSE over the last origins of each of the peers."""
    last, truth = results[-ERROR_ORIGINS:], found.truth[-ERROR_ORIGINS:, :, 0]
    return {method: float(rmses(np.array([r[method]["mean"] for r in last]), truth).mean()) for method in last[-1]}


def interval_scores(results: list[dict[str, Any]], found: Backtest) -> list[float]:
    """The interval scores of AutoETS over all origins at 80 and 95 %."""
    bands = [[np.array([r["AutoETS"][side][level] for r in results]) for side in ("lower", "upper")] for level in ("80", "95")]
    return [judged(*band, found.truth[:, :, 0], level)[1] for band, level in zip(bands, (80.0, 95.0), strict=True)]


def judged(lower: np.ndarray, upper: np.ndarray, truth: np.ndarray, level: float) -> tuple[float, float]:
    """Coverage and interval score of a band, on observed rows."""
    there = ~np.isnan(truth)
    band = lower[there], upper[there], truth[there]
    return metrics.coverage(*band), metrics.interval_score(*band, level)


def our_bands(found: Backtest) -> list[tuple[float, float]]:
    """Coverage and interval score of our bands over all origins, for each level."""
    return [
        judged(found.lower[i, :, :, 0], found.upper[i, :, :, 0], found.truth[:, :, 0], level)
        for i, level in enumerate(found.levels)
    ]


def print_row(name: str, cells: list[Any]) -> None:
    texts = [f"{cell:10.3f}" if isinstance(cell, float) else f"{cell:>10}" for cell in cells]
    print(f"{name:12}" + "".join(texts), flush=True)


def print_peers(
    backtests: Mapping[str, Backtest], pasts: Mapping[str, list[np.ndarray]], results: Mapping[str, list[dict[str, Any]]]
) -> dict[str, float]:
    """Print the errors of the peers and the interval scores. Returns the yardsticks."""
    methods = ["naive", "drift", "AutoETS", "AutoTheta", "AutoARIMA", "MSTL"]
    print("\nRMSE of the peers over the last origins")
    print_row("", [*methods, "forecast"])
    best = {}
    for name, found in backtests.items():
        errors = naive_errors(RECORDS[name], pasts[name], found.truth[:, :, 0]) | peer_errors(results[name], found)
        best[name] = min(errors.values())
        ours = rmses(found.forecasts["forecast"][:, :, 0], found.truth[:, :, 0])[-ERROR_ORIGINS:].mean()
        print_row(name, [*(errors.get(method, "-") for method in methods), float(ours)])
    print("\nInterval scores over all origins")
    print_row("", ["ETS 80 %", "ours 80 %", "ratio", "ETS 95 %", "ours 95 %", "ratio"])
    wins = np.zeros(2, int)
    for name, found in backtests.items():
        ours, theirs = [score for _, score in our_bands(found)], interval_scores(results[name], found)
        wins += np.array(ours) < theirs
        print_row(name, [x for our, their in zip(ours, theirs, strict=True) for x in (their, our, our / their)])
    print(f"better than AutoETS: {wins[0]} and {wins[1]} of {len(backtests)} series")
    return best


def print_speed() -> None:
    """Seconds of one series of 1,500 rows: fit, forecast and bands; and a backtest of 8 origins after them."""
    rows = np.arange(SPEED_ROWS)
    noise = np.random.default_rng(0).normal(size=SPEED_ROWS)
    series = 50.0 + 0.01 * rows + 8.0 * np.sin(2 * np.pi * rows / 7) + 10.0 * np.sin(2 * np.pi * rows / 365.25) + noise
    times = np.datetime64("2020-01-01", "s") + rows * np.timedelta64(86400, "s")
    forecaster = Forecaster(SPEED_HORIZON)
    forecaster.fit(series, times=times).predict()  # compiles
    print(f"\n{SPEED_ROWS} rows, horizon {SPEED_HORIZON}: seconds (of the processor)")
    start = time.perf_counter(), time.process_time()
    forecaster.fit(series, times=times).predict()
    spent = time.perf_counter() - start[0], time.process_time() - start[1]
    print(f"fit, forecast, bands {spent[0]:.2f} ({spent[1]:.2f})")
    start = time.perf_counter(), time.process_time()
    rolling_origins(forecaster, series, origins=8, times=times)
    more = time.perf_counter() - start[0], time.process_time() - start[1]
    print(f"with a backtest of 8 origins {spent[0] + more[0]:.2f} ({spent[1] + more[1]:.2f})", flush=True)


def print_summary(title: str, relative: Mapping[str, float]) -> None:
    def geometric(names: list[str]) -> float:
        return float(np.exp(np.mean(np.log([relative[name] for name in names]))))

    few = [name for name in relative if name != "sunspots"]
    print(
        f"{title}: geometric mean of the relative errors {geometric(list(relative)):.3f}; without sunspots {geometric(few):.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--origins", type=int, default=20)
    parser.add_argument("--only", default=",".join(RECORDS))
    parser.add_argument("--bands", default="conformal")
    parser.add_argument("--peers", metavar="PYTHON")
    options = parser.parse_args()
    print_row("", ["rmse", "relative", "to naive", "worst", "80 %", "95 %", "score 80", "score 95", "origins", "seconds"])
    errors, shares, backtests, pasts = {}, [], {}, {}
    for name in options.only.split(","):
        record = RECORDS[name]
        start = time.perf_counter()
        table = read(record, options.folder)
        found = most_origins(record, table, options.origins, options.bands)
        seconds = (time.perf_counter() - start) / len(found.origins)
        truth = found.truth[:, :, 0]
        ours, naive = (rmses(found.forecasts[method][:, :, 0], truth) for method in ("forecast", "seasonal naive"))
        error, (held, scores) = float(ours[-ERROR_ORIGINS:].mean()), zip(*our_bands(found), strict=True)
        against = float(ours.mean() / naive.mean()), float((ours / naive).max())
        print_row(name, [error, error / record.yardstick, *against, *held, *scores, len(ours), seconds])
        if not record.known:
            errors[name], backtests[name], pasts[name] = error, found, histories(table, found)
            shares.append(held)
    if errors:
        held = np.mean(shares, axis=0)
        print(f"bands hold {held[0]:.1%} and {held[1]:.1%}")
        print_summary("Yardsticks as recorded", {name: error / RECORDS[name].yardstick for name, error in errors.items()})
    if errors and options.peers:
        best = print_peers(backtests, pasts, peer_forecasts(options.peers, pasts))
        print_summary("Yardsticks of this run", {name: error / best[name] for name, error in errors.items()})
    print_speed()


if __name__ == "__main__":
    main()
