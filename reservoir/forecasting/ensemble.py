"""Forecasting a user's own series: settings chosen on its own past, an ensemble of networks, a band from past errors.

The recipe: standardize; try a small grid of echo state networks, each fitted on the first three quarters and let run free
from several starts in the last one; take the settings of least squared error; fit them anew with several seeds. The
forecast is the median over the seeds. The band is the stretch between two quantiles of all networks' forecasts, each
shifted by plus and minus the errors that the chosen settings made from the starts in the past: it shows both how far
equally good networks disagree and how far they have been off together. It knows nothing of changes that the past lacks.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir import metrics
from reservoir.base.baselines import estimate_period, naive, seasonal_naive
from reservoir.experiments.evaluation import make_model, overlaid
from reservoir.forecasting.report import Forecast, ForecastReport
from reservoir.validation import DataError, DivergenceError, ParameterError

GRID: Mapping[str, Sequence[Any]] = {
    "leak_rate": (0.1, 0.3, 1.0),
    "spectral_radius": (0.6, 0.9, 1.1),
    "input_scaling": (0.3, 1.0),
    "readout__ridge": (1e-4, 1e-2, 1.0),
}
BASE: Mapping[str, Any] = {"units": 300, "density": 0.033}
STARTS = 6
LONGEST_HORIZON = 100  # of those chosen without being asked for
LONGEST_SEARCH = 20_000
LONGEST_HISTORY = 1000
SHORTEST = 30


@dataclass(frozen=True)
class Chosen:
    """Settings, and the errors they made in free runs from several starts, in units of the series' standard deviation."""

    settings: Mapping[str, Any]
    errors: np.ndarray  # (n_starts, steps, d)


def forecast_record(
    series: np.ndarray,
    names: Sequence[str],
    horizon: int | None = None,
    holdout: int | None = None,
    period: int | None = None,
    fixed: Mapping[str, Any] | None = None,
    seeds: Sequence[int] = range(10),
    report: Callable[[], None] = lambda: None,
) -> ForecastReport:
    """Test an ensemble on the end of a series (T, d), then forecast past its end.

    Parameters
    ----------
    horizon : steps past the end; a tenth of the rows, at most 100, unless given
    holdout : rows at the end to test on, not seen while choosing and fitting; the horizon unless given
    period : of the seasonal-naive forecast; estimated unless given
    fixed : settings to use instead of searching for them
    seeds : one network each

    Raises
    ------
    DataError, ParameterError, DivergenceError
        Too short a series, a constant column, a number out of range, or no network that stays finite.
    """
    horizon = min(LONGEST_HORIZON, max(len(series) // 10, 1)) if horizon is None else horizon
    holdout = horizon if holdout is None else holdout
    check_lengths(len(series), horizon, holdout, period)
    past, truth = series[:-holdout], series[-holdout:]
    standardized(past[-LONGEST_SEARCH:], names)
    choice = choose(past, max(holdout, horizon), fixed or {}, seeds[0], report)
    period = estimate_period(past) if period is None else period
    baselines = {"naive": naive(past, holdout)}
    if period is not None:
        baselines["seasonal naive"] = seasonal_naive(past, holdout, period)
    held_out = ensemble(past, holdout, choice, seeds, report=report)
    errors = {
        name: [metrics.rmse(forecast[:, k], truth[:, k]) for k in range(truth.shape[1])]
        for name, forecast in {"echo state network": held_out.median, **baselines}.items()
    }
    future = ensemble(series, horizon, choice, seeds, report=report)
    return ForecastReport(series, list(names), choice.settings, period, held_out, future, baselines, errors)


def check_lengths(rows: int, horizon: int, holdout: int, period: int | None) -> None:
    """Raise `ParameterError` or `DataError` unless the numbers are positive and the series has rows enough for them."""
    for name, value in (("horizon", horizon), ("holdout", holdout), ("period", period)):
        if value is not None and value < 1:
            raise ParameterError(f"The '{name}' parameter of forecast must be an integer in [1, inf). Got {value} instead.")
    if rows - holdout < max(SHORTEST, 2 * max(horizon, holdout)):
        raise DataError(
            f"The series has {rows} rows; a hold-out of {holdout} and a horizon of {horizon} need at least"
            f" {holdout + max(SHORTEST, 2 * max(horizon, holdout))}; lower them or give more rows."
        )
    if period is not None and period > rows - holdout:
        raise ParameterError(
            f"The 'period' parameter of forecast must be at most {rows - holdout}, the rows before the hold-out."
            f" Got {period} instead."
        )


def candidates(fixed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The settings to try: the grid, but for what is fixed. Raises `ParameterError` for a fixed seed."""
    if "random_state" in fixed:  # the networks of the ensemble would all be the same
        raise ParameterError(
            "The 'random_state' parameter cannot be set in a forecast: each network has its own seed, and the seeds come from"
            f" --seeds. Got {fixed['random_state']!r} instead."
        )
    free = {name: values for name, values in overlaid(GRID, fixed).items() if name not in fixed}
    return [{**overlaid(BASE, fixed), **dict(zip(free, values, strict=True))} for values in itertools.product(*free.values())]


def choose(
    series: np.ndarray, horizon: int, fixed: Mapping[str, Any], seed: int = 0, report: Callable[[], None] = lambda: None
) -> Chosen:
    """The settings of the grid with the least free-run error over `horizon` steps within `series` (T, d).

    `fixed` settings are taken as given and leave the grid; `report` is called after each trial. Raises `DataError` for a
    constant column, and `DivergenceError` when no setting stays finite.
    """
    series = standardized(series[-LONGEST_SEARCH:])[0]
    first = len(series) - max(len(series) // 4, horizon)
    starts = np.unique(np.linspace(first, len(series) - horizon, STARTS).astype(int))
    histories = [series[max(0, start - LONGEST_HISTORY) : start] for start in starts]
    truth = np.stack([series[start : start + horizon] for start in starts])
    best: Chosen | None = None
    least, why = np.inf, ""
    for candidate in candidates(fixed):
        settings = {"washout": washout(first), **candidate}
        try:
            forecasts = make_model("esn", settings, seed).fit(series[:first]).forecast(histories, horizon)
            errors = np.stack(forecasts) - truth
            if np.square(errors).mean() < least:
                best, least = Chosen(settings, errors), np.square(errors).mean()
        except DivergenceError as diverged:
            why = str(diverged)
        report()
    if best is None:
        raise DivergenceError(f"No setting tried stays finite on this series. {why}")
    return best


def ensemble(
    series: np.ndarray,
    horizon: int,
    choice: Chosen,
    seeds: Sequence[int],
    quantiles: tuple[float, float] = (0.1, 0.9),
    report: Callable[[], None] = lambda: None,
) -> Forecast:
    """The next `horizon` steps after `series` (T, d), by one network per seed; not more steps than the choice was tried on.

    Members that diverge are left out and counted; raises `DivergenceError` when all do.
    """
    scaled, mean, spread = standardized(series)
    members: list[np.ndarray] = []
    for seed in seeds:
        try:
            model = make_model("esn", choice.settings, seed).fit(scaled)
            members.append(model.forecast(scaled[-LONGEST_HISTORY:], horizon) * spread + mean)
        except DivergenceError:
            if seed == seeds[-1] and not members:
                raise
        report()
    stacked = np.stack(members)
    shifts = choice.errors[:, :horizon] * spread
    paths = stacked[:, None] + np.concatenate([shifts, -shifts])
    low, high = np.quantile(paths, quantiles, axis=(0, 1))
    return Forecast(np.median(stacked, axis=0), low, high, stacked, len(seeds) - len(members))


def washout(length: int) -> int:
    """100 steps, or a tenth of a short series."""
    return min(100, length // 10)


def standardized(series: np.ndarray, names: Sequence[str] | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The series (T, d) with mean 0 and standard deviation 1 per column, and both.

    Raises `DataError`, with the column's name, for one that is constant or whose numbers overflow when squared.
    """
    with np.errstate(over="ignore"):
        mean, spread = series.mean(axis=0), series.std(axis=0)
    for k in np.flatnonzero(~(spread > 1e-12 * np.abs(mean)) | ~np.isfinite(spread)):
        column = f"Column '{names[int(k)]}'" if names else f"Column {k} of the series"
        if series[:, k].min() == series[:, k].max():
            raise DataError(f"{column} is constant ({series[0, k]:g}); there is nothing to learn from it.")
        raise DataError(
            f"{column} lies between {series[:, k].min():.6g} and {series[:, k].max():.6g}, too far or too close for its standard"
            " deviation to be told; shift or scale it first."
        )
    return (series - mean) / spread, mean, spread
