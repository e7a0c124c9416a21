"""Rolling origins: the forecasts that a forecaster would have made in the past, with their errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir import metrics
from reservoir.base.estimator import clone
from reservoir.forecasting.forecaster import Forecaster
from reservoir.forecasting.past import SHORTEST, fill_gaps
from reservoir.forecasting.prepared import gridded
from reservoir.forecasting.references import drift, lag_regression, seasonal_naive
from reservoir.validation import DataError, ParameterError

COMBINED = "forecast"
REFERENCES = ("naive", "seasonal naive", "seasonal naive with drift", "linear regression")
"""What every forecast is compared with: it has the same rows, and the known columns."""
PART = "{} (part)"
"""The method that is one of the parts of the combination."""


@dataclass(frozen=True)
class Backtest:
    """Forecasts of d series from O origins in the past, h steps each, by every method.

    Attributes
    ----------
    names : of the d series
    series : (n, d), NaN where a row is missing
    times : (n,) NumPy dates, or None where the series had none
    origins : (O,) numbers of rows known, ascending
    forecasts : (O, h, d) by method: "forecast", the combination; the references; each part of the combination
    levels : per cent of the rows that each band of the combination is meant to hold
    lower, upper : (n_levels, O, h, d)
    seasons : (O, d) the main season in rows at each origin
    group : the name of the series' group, or None
    """

    names: tuple[str, ...]
    series: np.ndarray
    times: np.ndarray | None
    origins: np.ndarray
    forecasts: Mapping[str, np.ndarray]
    levels: tuple[float, ...]
    lower: np.ndarray
    upper: np.ndarray
    seasons: np.ndarray
    group: str | None = None

    @property
    def horizon(self) -> int:
        """The steps h of a forecast."""
        return self.forecasts[COMBINED].shape[1]

    @property
    def truth(self) -> np.ndarray:
        """The rows (O, h, d) after each origin, NaN where one is missing."""
        return np.asarray(self.series[self.origins[:, None] + np.arange(self.horizon)])

    def errors(self, k: int) -> dict[str, dict[str, float | None]]:
        """RMSE, MAE, MASE and sMAPE of every method on series k, averaged over the origins, on observed rows.

        MASE is None where a history repeats itself exactly.
        """
        found: dict[str, dict[str, float | None]] = {}
        for method, forecasts in self.forecasts.items():
            each = [self._errors(i, k, forecasts[i, :, k]) for i in range(len(self.origins))]
            found[method] = {
                name: _mean([errors[name] for errors in each if errors is not None]) for name in ("rmse", "mae", "mase", "smape")
            }
        return found

    def bands(self, k: int) -> tuple[dict[str, float], dict[str, float]]:
        """Coverage and interval score of the combination's bands of series k, by level, over all origins."""
        truth, coverage, score = self.truth[:, :, k], dict[str, float](), dict[str, float]()
        there = ~np.isnan(truth)
        for level, lower, upper in zip(self.levels, self.lower[..., k], self.upper[..., k], strict=True):
            coverage[f"{level:g}"] = metrics.coverage(lower[there], upper[there], truth[there])
            score[f"{level:g}"] = metrics.interval_score(lower[there], upper[there], truth[there], level)
        return coverage, score

    def _errors(self, i: int, k: int, forecast: np.ndarray) -> dict[str, float | None] | None:
        """The errors of a forecast (h,) of series k from origin i; None where no row was observed."""
        truth, history = self.truth[i, :, k], self.series[: self.origins[i], k]
        there = ~np.isnan(truth)
        if not there.any():
            return None
        pair = forecast[there], truth[there]
        errors: dict[str, float | None] = {name: getattr(metrics, name)(*pair) for name in ("rmse", "mae", "smape")}
        try:
            errors["mase"] = metrics.mase(*pair, history, int(self.seasons[i, k]))
        except DataError:
            errors["mase"] = None
        return errors


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def rolling_origins(
    forecaster: Forecaster, series: Any, *, origins: int = 8, every: int | None = None, known: Any = None, past: Any = None,
    times: Any = None, names: Sequence[str] | None = None, group: str | None = None,
    report: Callable[[], None] = lambda: None,
) -> Backtest:  # fmt: skip
    """Fit a forecaster anew at earlier origins of one group of series, on what was known there, and forecast.

    Parameters
    ----------
    forecaster : a `Forecaster`, whose settings are used; it stays as it is
    series, known, past, times, names : as for `Forecaster.fit`
    origins : how many; the last is a horizon before the end
    every : rows between two origins; the horizon where it is None
    group : the name of the series' group, or None
    report : called after each origin

    Raises
    ------
    DataError
        As `Forecaster.fit`; too few rows for so many origins.
    ParameterError
        A number out of range.
    """
    for name, value in (("origins", origins), ("every", every)):
        if value is not None and value < 1:
            raise ParameterError(f"The '{name}' parameter of backtest must be an integer in [1, inf). Got {value} instead.")
    grid = gridded(series, known, past, times)
    n = len(grid.series)
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
    references, parts = [_references(model) for model in fitted], [model.by_part() for model in fitted]
    forecasts.update({name: np.stack([found[name] for found in references]) for name in REFERENCES})
    forecasts.update({PART.format(name): np.stack([found[name] for found in parts]) for name in parts[0]})
    lower, upper = (np.stack([getattr(p, side) for p in predictions], axis=1) for side in ("lower", "upper"))
    seasons = np.array([[one.past.season for one in model.models_] for model in fitted])
    stamps = None if grid.times is None else grid.times[:n]
    return Backtest(
        predictions[0].names, grid.series, stamps, ends, forecasts, predictions[0].levels, lower, upper, seasons, group
    )


def _references(model: Forecaster) -> dict[str, np.ndarray]:
    """The forecasts (h, d) of the references past the end of what a forecaster was fitted to, by their names."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in REFERENCES}
    known, horizon = model.prepared_.known, model.prepared_.horizon
    for one, column in zip(model.models_, model.prepared_.series.T, strict=True):
        start, season = int(np.argmax(~np.isnan(column))), one.past.season
        series = fill_gaps(column[start:], model.fill or "last", season)
        end = np.array([len(series)])
        found["naive"].append(np.repeat(column[~np.isnan(column)][-1], horizon))
        found["seasonal naive"].append(seasonal_naive(series, season, end, horizon)[0])
        found["seasonal naive with drift"].append(drift(series, season, end, horizon)[0])
        found["linear regression"].append(lag_regression(series, known[start:], season, horizon))
    return {name: np.stack(columns, axis=1) for name, columns in found.items()}
