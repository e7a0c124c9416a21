"""Rolling origins: the forecasts that a forecaster would have made in the past, with their errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir import metrics
from reservoir.base.estimator import clone
from reservoir.base.tables import Table, number
from reservoir.forecasting.forecaster import Forecaster
from reservoir.forecasting.past import SHORTEST
from reservoir.forecasting.prepared import gridded
from reservoir.forecasting.table import one_table
from reservoir.validation import DataError, ParameterError

COMBINED = "forecast"


@dataclass(frozen=True)
class Backtest:
    """Forecasts of d series from O origins in the past, h steps each, by every method.

    Attributes
    ----------
    names : of the d series
    origins : (O,) numbers of rows known, ascending
    truth : (O, h, d), NaN where a row is missing
    forecasts : (O, h, d) by method: "forecast", the combination; each part of it; "naive", the last value
    levels : per cent of the rows that each band of the combination is meant to hold
    lower, upper : (n_levels, O, h, d)
    histories : the series (n, d) up to each origin
    seasons : (O, d) the main season in rows at each origin
    """

    names: tuple[str, ...]
    origins: np.ndarray
    truth: np.ndarray
    forecasts: Mapping[str, np.ndarray]
    levels: tuple[float, ...]
    lower: np.ndarray
    upper: np.ndarray
    histories: tuple[np.ndarray, ...]
    seasons: np.ndarray

    def records(self, group: str | None = None) -> list[dict[str, Any]]:
        """One dictionary per series and method; errors are averaged over the origins, and count observed rows only.

        Coverage and interval score are dictionaries by level, and None where a method has no bands. MASE is None where a
        history repeats itself exactly.
        """
        found = []
        for k, column in enumerate(self.names):
            for method, forecasts in self.forecasts.items():
                errors = [self._errors(i, k, forecasts[i, :, k]) for i in range(len(self.origins))]
                mean = {name: _mean([e[name] for e in errors if e is not None]) for name in ("rmse", "mae", "mase", "smape")}
                record: dict[str, Any] = {"column": column, "group": group, "method": method, "horizon": self.truth.shape[1]}
                record.update(origins=len(self.origins), **mean, coverage=None, interval_score=None)
                if method == COMBINED:
                    record.update(self._bands(k))
                found.append(record)
        return found

    def table(self) -> Table:
        """The errors: a row per series and method, the verdict beneath."""
        rows, notes = [], []
        for k, column in enumerate(self.names):
            records = [record for record in self.records() if record["column"] == column]
            ours, seasonal = (next((r for r in records if r["method"] == name), None) for name in (COMBINED, "seasonal naive"))
            for r in records:
                cells = ["" if r[name] is None else number(r[name]) for name in ("rmse", "mae", "mase", "smape")]
                rows.append([column, r["method"], *cells])
            if ours is not None and seasonal is not None and seasonal["rmse"]:
                season = int(self.seasons[-1, k])
                name = f"seasonal naive forecast (season {season})" if season > 1 else "naive forecast"
                notes.append(f"{column}: {ours['rmse'] / seasonal['rmse']:.2f} times the error of the {name}.")
            if ours is not None and ours["coverage"]:
                held = ", ".join(f"the {level} % band {share:.0%}" for level, share in ours["coverage"].items())
                notes.append(f"{column}: of the rows, {held}.")
        title = f"Errors over {len(self.origins)} origins, {self.truth.shape[1]} steps each"
        return Table(title, ["column", "method", "rmse", "mae", "mase", "smape"], rows, notes)

    def _errors(self, i: int, k: int, forecast: np.ndarray) -> dict[str, float | None] | None:
        """The errors of a forecast (h,) of series k from origin i; None where no row was observed."""
        truth = self.truth[i, :, k]
        there = ~np.isnan(truth)
        if not there.any():
            return None
        pair = forecast[there], truth[there]
        errors: dict[str, float | None] = {name: getattr(metrics, name)(*pair) for name in ("rmse", "mae", "smape")}
        try:
            errors["mase"] = metrics.mase(*pair, self.histories[i][:, k], int(self.seasons[i, k]))
        except DataError:
            errors["mase"] = None
        return errors

    def _bands(self, k: int) -> dict[str, dict[str, float]]:
        """Coverage and interval score of the combination's bands of series k, by level, over all origins."""
        there = ~np.isnan(self.truth[:, :, k])
        coverage, score = {}, {}
        for j, level in enumerate(self.levels):
            lower, upper, truth = (part[:, :, k][there] for part in (self.lower[j], self.upper[j], self.truth))
            coverage[f"{level:g}"] = metrics.coverage(lower, upper, truth)
            score[f"{level:g}"] = metrics.interval_score(lower, upper, truth, level)
        return {"coverage": coverage, "interval_score": score}


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def backtest(
    forecaster: Forecaster, series: Any, *, origins: int = 8, every: int | None = None, known: Any = None, past: Any = None,
    times: Any = None, names: Sequence[str] | None = None, report: Callable[[], None] = lambda: None,
) -> Backtest:  # fmt: skip
    """Fit a forecaster anew at earlier origins, on what was known there, and compare its forecasts with what came.

    Known columns have their actual values after each origin; where these are forecasts in real life, that is optimistic.

    Parameters
    ----------
    forecaster : a `Forecaster`, whose settings are used; it stays as it is
    series : (n,) or (n, d), as for `Forecaster.fit`
    origins : how many; the last is a horizon before the end
    every : rows between two origins; the horizon where it is None
    known, past, times, names : as for `Forecaster.fit`
    report : called after each origin

    Returns
    -------
    The forecasts of the combination, of each part, and of the naive method, as a `Backtest`; `table()` and `records()` have
    their errors.

    Raises
    ------
    DataError
        As `Forecaster.fit`; too few rows for so many origins.
    ParameterError
        A number out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import Forecaster, backtest
    >>> months = np.arange(96)
    >>> sales = 100.0 + months + 20.0 * np.sin(2 * np.pi * months / 12)
    >>> found = backtest(Forecaster(horizon=6, seasons=[12]), sales, origins=3)
    >>> error = {record["method"]: record["rmse"] for record in found.records()}
    >>> error["forecast"] < 0.2 * error["seasonal naive"]
    True
    """
    for name, value in (("origins", origins), ("every", every)):
        if value is not None and value < 1:
            raise ParameterError(f"The '{name}' parameter of backtest must be an integer in [1, inf). Got {value} instead.")
    table = one_table(series, known, past, times, names)
    grid, names = gridded(table.series, table.known, table.past, table.times), table.names
    n, d = grid.series.shape
    horizon = forecaster.steps(n)
    gap = horizon if every is None else every
    ends = n - horizon - gap * np.arange(origins)[::-1]
    if ends[0] < horizon + SHORTEST:
        most = max((n - 2 * horizon - SHORTEST) // gap + 1, 0)
        raise DataError(
            f"The series have {n} rows, enough for {most} origins {gap} rows apart and a horizon of {horizon}. Got {origins};"
            " ask for fewer, or lower the horizon."
        )
    fitted = []
    for end in ends.tolist():
        model = clone(forecaster).set_params(horizon=horizon)
        model.fit(
            grid.series[:end], known=None if grid.known is None else grid.known[: end + horizon], past=grid.past[:end],
            times=None if grid.times is None else grid.times[:end], names=names,
        )  # fmt: skip
        fitted.append(model)
        report()
    predictions = [model.predict() for model in fitted]
    forecasts = {COMBINED: np.stack([prediction.values for prediction in predictions])}
    parts = [model.by_part() for model in fitted]
    forecasts.update({name: np.stack([part[name] for part in parts]) for name in parts[0]})
    forecasts["naive"] = np.stack([np.tile(_last_values(grid.series[:end]), (horizon, 1)) for end in ends])
    lower, upper = (np.stack([getattr(p, side) for p in predictions], axis=1) for side in ("lower", "upper"))
    truth = np.stack([grid.series[end : end + horizon] for end in ends])
    seasons = np.array([[model.models_[k].past.season for k in range(d)] for model in fitted])
    histories = tuple(grid.series[:end] for end in ends)
    return Backtest(predictions[0].names, ends, truth, forecasts, predictions[0].levels, lower, upper, histories, seasons)


def _last_values(series: np.ndarray) -> np.ndarray:
    """The last observed value (d,) of each series (n, d)."""
    return np.array([column[~np.isnan(column)][-1] for column in series.T])
