"""A forecast model of one series: fitted on its past, with everything that it keeps in plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reservoir.forecasting.bands import Errors, half_width, past_errors
from reservoir.forecasting.combination import errors_left_out, weights
from reservoir.forecasting.parts import Arrays, Part, Reference
from reservoir.forecasting.past import Past, fill_gaps, inner_origins
from reservoir.forecasting.references import seasonal_naive
from reservoir.forecasting.regression import Regression, effect_weights, effects
from reservoir.forecasting.reservoir_bands import likeness
from reservoir.forecasting.transform import Scale, choose_power
from reservoir.validation import ParameterError


@dataclass(frozen=True)
class SeriesModel:
    """The fitted model of one series.

    Attributes
    ----------
    past : the series that was fitted
    names : (M,) the parts whose forecasts are combined; the name of a part with several forecasts is there as often
    weights : (M,) of these
    arrays : what each part keeps, by its name
    errors : of the combination from the inner origins, scaled, for the bands
    past_rmse : root mean squared errors of the combination and of the seasonal naive forecast from the inner origins, in the
        series' units; at each origin the combination has the weights that the other origins give
    center, spread : (e,) by which other columns of the past are standardized
    effect_weights : the coefficients of the regression on what is known ahead; None where nothing is
    rows : those that were fitted; the past may have become longer since, see `continued`
    """

    past: Past
    names: tuple[str, ...]
    weights: np.ndarray
    arrays: Mapping[str, Arrays]
    errors: Errors
    past_rmse: tuple[float, float]
    center: np.ndarray
    spread: np.ndarray
    effect_weights: np.ndarray | None
    rows: int

    def members(self, parts: Mapping[str, Part]) -> np.ndarray:
        """The forecasts (M, h) that are combined, in units of z."""
        found = [part.apply(self.past, self.arrays[name]) for name, part in parts.items()]
        return np.concatenate(found) + self.past.effects[len(self.past.z) :]

    def shares(self) -> dict[str, float]:
        """The weight of each part that has a forecast, by name, the largest first."""
        names = np.array(self.names)
        found = {name: float(self.weights[names == name].sum()) for name in dict.fromkeys(self.names)}
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def by_part(self, parts: Mapping[str, Part]) -> dict[str, np.ndarray]:
        """The forecast (h,) of each part that has one, the mean where it has several, in the series' units."""
        members, names = self.members(parts), np.array(self.names)
        return {name: self.past.scale.restored(members[names == name].mean(axis=0)) for name in dict.fromkeys(self.names)}

    def forecast(self, parts: Mapping[str, Part], levels: Sequence[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The forecast (h,) past the end, and the lower and upper borders (n_levels, h) of its bands, in the series' units."""
        z = self.weights @ self.members(parts)
        widths = np.array([half_width(self.errors, level) for level in levels]).reshape(len(levels), len(z))
        restored = self.past.scale.restored
        return restored(z), restored(z - widths), restored(z + widths)


def fit_series(
    series: np.ndarray, horizon: int, season: int, periods: Sequence[float], fill: str, parts: Mapping[str, Part],
    columns: np.ndarray | None = None, known: np.ndarray | None = None, bands: np.random.SeedSequence | None = None,
) -> SeriesModel:  # fmt: skip
    """Fit a model to a series (n,) whose first row is observed and whose gaps are NaN.

    `columns` (n, e) are other columns of the past, `known` (n + h, q) columns that are known to the end of the horizon. The
    seed of `bands` draws the reservoir that weighs past errors for them; without it, none does.
    """
    n = len(series)
    past = standardized_past(series, horizon, season, periods, fill)
    center, spread, coefficients = np.empty(0), np.empty(0), None
    if columns is not None and columns.shape[1]:
        center, spread = columns.mean(axis=0), columns.std(axis=0) + 1e-300
        past = replace(past, columns=(columns - center) / spread)
    if known is not None and known.shape[1]:
        past, coefficients = without_effects(past, known)
    found = {name: part.fit(past) for name, part in parts.items()}
    for name, (forecasts, _) in found.items():
        if forecasts.shape[1:] != past.truth.shape or not np.isfinite(forecasts).all():
            shape = f"finite numbers of shape (n_origins, horizon), here {past.truth.shape}"
            raise ParameterError(f"The part '{name}' of Forecaster must return {shape}. Got shape {forecasts.shape[1:]} instead.")
    names = tuple(name for name, (forecasts, _) in found.items() for _ in forecasts)
    guard = np.array([isinstance(parts[name], (Reference, Regression)) for name in names])
    errors = np.concatenate([forecasts for forecasts, _ in found.values()]) - past.truth
    left_out = errors_left_out(errors, guard, horizon, n)
    kept = {name: arrays for name, (_, arrays) in found.items()}
    alike = None if bands is None else likeness(left_out, past.origins, n, bands)
    scaled = past_errors(left_out, past.origins, n, alike)
    combined, rmse = weights(errors, guard, horizon, n), _past_rmse(past, left_out)
    return SeriesModel(past, names, combined, kept, scaled, rmse, center, spread, coefficients, n)


def continued(model: SeriesModel, series: np.ndarray, columns: np.ndarray, known: np.ndarray, fill: str) -> SeriesModel:
    """The model at the end of a longer series (n,), which begins with the one that was fitted; nothing is learned anew.

    `columns` (n, e) and `known` (n + h, q) are those of `fit_series`, longer too.
    """
    past, n = model.past, len(series)
    past = replace(
        past, z=past.scale.standardized(fill_gaps(series, fill, past.season)), observed=~np.isnan(series),
        columns=(columns - model.center) / model.spread if columns.shape[1] else columns,
        known=known, effects=np.zeros(n + past.horizon),
    )  # fmt: skip
    if model.effect_weights is not None:
        found = effects(past, model.effect_weights, model.rows)
        past = replace(past, z=past.z - found[:n], effects=found)
    return replace(model, past=past)


def _past_rmse(past: Past, errors: np.ndarray) -> tuple[float, float]:
    """The `past_rmse` of a `SeriesModel`, from the combination's errors (n_origins, h) in units of z."""
    rows = past.origins[:, None] + np.arange(past.horizon)
    whole, restored = past.z + past.effects[: len(past.z)], past.scale.restored
    naive, truth = seasonal_naive(whole, past.season, past.origins, past.horizon), whole[rows]
    found = [restored(forecasts) - restored(truth) for forecasts in (truth + errors, naive)]
    first, second = (float(np.sqrt(np.mean(np.square(part[past.observed[rows]])))) for part in found)
    return first, second


def standardized_past(series: np.ndarray, horizon: int, season: int, periods: Sequence[float], fill: str) -> Past:
    """The past of a series, as for `fit_series`, on the scale that suits it, with nothing beside it."""
    n, filled, observed = len(series), fill_gaps(series, fill, season), ~np.isnan(series)
    scale = Scale.of(filled, choose_power(filled, season))
    return Past(
        scale.standardized(filled), observed, season, tuple(periods), horizon, inner_origins(observed, horizon, season),
        np.empty((n, 0)), np.empty((n + horizon, 0)), np.zeros(n + horizon), scale,
    )  # fmt: skip


def without_effects(past: Past, known: np.ndarray) -> tuple[Past, np.ndarray]:
    """Take the regression on known columns (n + h, q), the seasons and a trend off the series; also its coefficients.

    A positive series is moved to its logarithm if the regression forecasts it better there.
    """
    n, past = len(past.z), replace(past, known=known)
    values = past.scale.restored(past.z)
    if past.scale.power > 0.0 and values.min() > 0.0:
        scale = Scale.of(values, 0.0)
        past = min(past, replace(past, z=scale.standardized(values), scale=scale), key=regression_error)
    weights = effect_weights(past)
    found = effects(past, weights, n)
    return replace(past, z=past.z - found[:n], effects=found), weights


def regression_error(past: Past) -> float:
    """The mean squared error of the regression on what is known ahead, in the series' units."""
    forecasts, _ = Regression().fit(past)
    return float(np.nanmean(np.square(past.scale.restored(forecasts[0]) - past.scale.restored(past.truth))))
