"""A forecast model of one series: fitted on its past, with everything that it keeps in plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reservoir.forecasting.bands import Errors, half_width, past_errors
from reservoir.forecasting.combination import errors_left_out, weights
from reservoir.forecasting.parts import Arrays, Part, Reference
from reservoir.forecasting.past import Past, fill_gaps, inner_origins
from reservoir.forecasting.regression import Regression, known_effects
from reservoir.forecasting.transform import Scale, choose_power


@dataclass(frozen=True)
class SeriesModel:
    """The fitted model of one series.

    Attributes
    ----------
    past : the series that was fitted
    names : (M,) the names of the forecasts that are combined; a part with several has several of its name
    weights : (M,) of these
    arrays : what each part keeps, by its name
    errors : of the combination from the inner origins, scaled, for the bands
    """

    past: Past
    names: tuple[str, ...]
    weights: np.ndarray
    arrays: Mapping[str, Arrays]
    errors: Errors

    def members(self, parts: Mapping[str, Part]) -> np.ndarray:
        """The forecasts (M, h) that are combined, in units of z."""
        return np.concatenate([part.apply(self.past, self.arrays[name]) for name, part in parts.items()])

    def forecast(self, parts: Mapping[str, Part], levels: Sequence[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The forecast (h,) past the end, and the lower and upper borders (n_levels, h) of its bands, in the series' units."""
        z = self.weights @ self.members(parts) + self.past.effects[len(self.past.z) :]
        widths = np.array([half_width(self.errors, level) for level in levels]).reshape(len(levels), len(z))
        restored = self.past.scale.restored
        return restored(z), restored(z - widths), restored(z + widths)


def fit_series(
    series: np.ndarray, horizon: int, season: int, periods: Sequence[float], fill: str, parts: Mapping[str, Part],
    columns: np.ndarray | None = None, known: np.ndarray | None = None,
) -> SeriesModel:  # fmt: skip
    """Fit a model to a series (n,) whose first row is observed and whose gaps are NaN.

    `columns` (n, e) are other columns of the past, `known` (n + h, q) columns that are known to the end of the horizon.
    """
    past = standardized_past(series, horizon, season, periods, fill, columns, known)
    found = {name: part.fit(past) for name, part in parts.items()}
    names = tuple(name for name, (forecasts, _) in found.items() for _ in forecasts)
    guard = np.array([isinstance(parts[name], (Reference, Regression)) for name in names])
    errors = np.concatenate([forecasts for forecasts, _ in found.values()]) - past.truth
    weight = weights(errors, guard, horizon, len(series))
    left_out = errors_left_out(errors, guard, horizon, len(series))
    kept = {name: arrays for name, (_, arrays) in found.items()}
    return SeriesModel(past, names, weight, kept, past_errors(left_out, past.origins, len(series)))


def standardized_past(
    series: np.ndarray, horizon: int, season: int, periods: Sequence[float], fill: str, columns: np.ndarray | None,
    known: np.ndarray | None,
) -> Past:  # fmt: skip
    """The past of a series, as for `fit_series`, on the scale that suits it, less the effects of what is known ahead.

    Where something is known, the logarithm is chosen if the regression on it forecasts the positive series better.
    """
    n = len(series)
    filled, observed = fill_gaps(series, fill, season), ~np.isnan(series)
    powers = [choose_power(filled, season)]
    if known is not None and filled.min() > 0.0 and powers[0] > 0.0:
        powers.append(0.0)
    least, best = np.inf, None
    for power in powers:
        scale = Scale.of(filled, power)
        past = Past(
            scale.standardized(filled), observed, season, tuple(periods), horizon, inner_origins(observed, horizon, season),
            np.empty((n, 0)) if columns is None else columns, np.empty((n + horizon, 0)) if known is None else known,
            np.zeros(n + horizon), scale,
        )  # fmt: skip
        error = np.inf
        if len(powers) > 1:
            forecasts, _ = Regression().fit(past)
            error = float(np.nanmean(np.square(scale.restored(forecasts[0]) - scale.restored(past.truth))))
        if best is None or error < least:
            least, best = error, past
    assert best is not None
    effects = known_effects(best)
    return replace(best, z=best.z - effects[:n], effects=effects)
