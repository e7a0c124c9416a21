"""`Forecaster`: forecasts of a user's own series, with bands, from references, direct readouts and what is known ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from reservoir.base.baselines import estimate_period
from reservoir.base.estimator import Estimator, not_fitted, seed_sequence
from reservoir.forecasting.bands import check_level
from reservoir.forecasting.following import following
from reservoir.forecasting.model import SeriesModel, continued, fit_series
from reservoir.forecasting.parts import Part, Reference, default_parts
from reservoir.forecasting.past import fill_gaps, gaps_in_words, main_season
from reservoir.forecasting.prepared import Prepared, gridded, prepare, sentinel
from reservoir.forecasting.result import Forecast
from reservoir.forecasting.table import one_table
from reservoir.validation import Choice, Constraint, Number, ParameterError, check_parameters, nearest

FILLS = ("linear", "seasonal", "last")
BANDS = ("conformal", "reservoir")
LONGEST_DEFAULT = 100


class Forecaster(Estimator):
    """Forecasts series some steps past their end, with bands that past errors calibrate.

    References (seasonal naive, with drift, theta), direct readouts of lags and of the states of small reservoirs, which
    correct the references, and a regression on what is known ahead are compared on the series' own past, from up to 16
    earlier origins, and joined with weights by their errors there. Of a long series the last 20,000 rows are used.

    Parameters
    ----------
    horizon : steps ahead; a tenth of the rows, at most 100, where it is None
    seasons : periods in rows, such as (7, 365.25); None finds them, in the step of the times or else in the series;
        () means none
    fill : how gaps (NaN) are filled, from what was known before the forecast: "linear", "seasonal" or "last"; None refuses gaps
    levels : per cent of the rows that the bands are meant to hold
    bands : "conformal", quantiles of past errors; "reservoir", the same of errors weighed by how like today's their situation
        was, as the states of a reservoir have it that runs over the errors
    without : the names of parts to leave out: "seasonal naive", "drift", "theta", "regression", "linear", "reservoir",
        "reservoir with others"
    parts : further parts by name: objects with `fit` and `apply` as in `reservoir.forecasting.parts`, or functions
        f(series, season, origins, horizon) that return (n_origins, horizon); one with the name of another replaces it
    holidays : a country, such as "DE", or with its part, such as "DE-BY", whose public holidays are one more column that is
        known ahead; it needs times, and the package of the extra `holidays`. None for none
    whole_numbers : round forecasts and bands to whole numbers
    random_state : of the reservoirs

    Attributes
    ----------
    models_ : the fitted `SeriesModel` of each of the d series
    prepared_ : the `Prepared` series that were fitted
    kind_ : what a frame of the forecast is like, None where arrays were fitted
    rows_ : the number of rows that were seen, those of gaps included
    parts_, seed_ : the parts that are combined, by name, and the seed of their reservoirs

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import Forecaster
    >>> months = np.arange(96)
    >>> sales = 100.0 + months + 20.0 * np.sin(2 * np.pi * months / 12)
    >>> forecast = Forecaster(horizon=6, seasons=[12]).fit(sales).predict()
    >>> forecast.values[:, 0].round().tolist()
    [196.0, 207.0, 215.0, 219.0, 217.0, 211.0]
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "horizon": Number(low=1, integer=True, optional=True),
        "seasons": Number(low=1, array=True, optional=True),
        "fill": Choice((*FILLS, None)),
        "levels": Number(low=0, high=100, open_low=True, open_high=True, array=True),
        "bands": Choice(BANDS),
        "holidays": Choice((None,), (str,), "a country such as 'DE'"),
        "whole_numbers": Choice((True, False)),
    }

    def __init__(
        self,
        horizon: int | None = None,
        *,
        seasons: float | Sequence[float] | None = None,
        fill: str | None = None,
        levels: float | Sequence[float] = (80, 95),
        bands: str = "conformal",
        without: Sequence[str] = (),
        parts: Mapping[str, Part | Callable[..., np.ndarray]] | None = None,
        holidays: str | None = None,
        whole_numbers: bool = False,
        random_state: Any = 0,
    ) -> None:
        self.horizon = horizon
        self.seasons = seasons
        self.fill = fill
        self.levels = levels
        self.bands = bands
        self.without = without
        self.parts = parts
        self.holidays = holidays
        self.whole_numbers = whole_numbers
        self.random_state = random_state

    def check(self) -> None:
        """Raise `ParameterError` for the first parameter out of its constraint; no seasons and no levels are fine."""
        given = {name: getattr(self, name) for name in self.constraints}
        none = {name for name in ("seasons", "levels") if np.size(given[name]) == 0}
        check_parameters("Forecaster", {k: v for k, v in self.constraints.items() if k not in none}, given)

    def fit(
        self, series: Any, *, known: Any = None, past: Any = None, times: Any = None, names: Sequence[str] | None = None
    ) -> Self:
        """Learn from series, each as its own; the others are read beside it.

        Parameters
        ----------
        series : (n,) or (n, d); NaN is a gap, see `fill`. Or a frame of pandas, polars or pyarrow: the other arguments then name
            its columns; the series end with the last row that has one
        known : (m,) or (m, q), m >= n + horizon: columns that are known ahead, such as holidays, prices, a weather forecast
        past : (n,) or (n, e): columns that are known up to now only
        times : (n,) or (m,) ascending NumPy dates of the rows; rows may be missing. Of a frame, its index or the first
            column that can only be times where it is None
        names : of the d series; of a frame, every other column of numbers where it is None

        Raises
        ------
        DataError
            Too few rows, a constant series, gaps without `fill`, known columns that end before the horizon, two rows of one
            time, mixed frequencies.
        ParameterError
            A parameter out of its range, a part that is not there, a level that needs more errors than there are.
        """
        self.check()
        seed = seed_sequence(self.random_state)
        parts = self.chosen_parts(seed)
        table = one_table(series, known, past, times, names)
        grid = gridded(table.series, table.known, table.past, table.times)
        prepared = prepare(grid, table.names, self.steps(len(grid.series)), self.fill, self.holidays)
        models = [
            self._fit_one(prepared, k, parts, seed if self.bands == "reservoir" else None) for k in range(len(prepared.names))
        ]
        for model in models:
            for level in self._levels():
                check_level(model.errors, level)
        self.models_, self.prepared_, self.kind_ = models, prepared, table.kind
        self.rows_, self.seed_, self.parts_ = len(grid.series), seed, parts
        return self

    def observe(self, series: Any, *, known: Any = None, past: Any = None, times: Any = None, fill: str | None = None) -> Self:
        """Read the rows that follow, without learning from them: `predict` then forecasts the steps past their end.

        Parameters
        ----------
        series, known, past, times : as in `fit`. Rows that were seen before may come first, all of them or the last ones; they
            are recognized by their times, or else by their values, at least eight of them
        fill : how gaps are filled, as the parameter; that of the forecaster where it is None

        Raises
        ------
        DataError
            Seen rows have other values, the rows end before the last one seen, another frequency, a gap without `fill`.
        """
        if not hasattr(self, "models_"):
            raise not_fitted(self)
        fill = fill or self.fill
        return self.moved(following(self.prepared_, self.rows_, series, known, past, times, fill, self.holidays), fill)

    def moved(self, prepared: Prepared, fill: str | None) -> Self:
        """Go to the end of more rows, or of fewer, of the same series; see `observe`."""
        models, fill = [], fill or "last"
        for k, model in enumerate(self.models_):
            start, values = prepared.one(k)
            columns = prepared.beside(k, model.past.season, fill)
            models.append(continued(model, values, columns, prepared.known[start:], fill))
        self.rows_ += len(prepared.series) - len(self.prepared_.series)
        self.models_, self.prepared_ = models, prepared
        return self

    def predict(self) -> Forecast:
        """Forecast the steps of the horizon past the end of the series that were fitted."""
        if not hasattr(self, "models_"):
            raise not_fitted(self)
        levels, prepared = self._levels(), self.prepared_
        found = [model.forecast(self.parts_, levels) for model in self.models_]
        values, lower, upper = (np.stack(part, axis=-1) for part in zip(*found, strict=True))
        if self.whole_numbers:
            values, lower, upper = np.rint(values), np.floor(lower), np.ceil(upper)
        times = None
        if prepared.step is not None and prepared.times is not None:
            times = prepared.step.after(prepared.times[-1], np.arange(1, prepared.horizon + 1))
        return Forecast(values, levels, lower, upper, prepared.names, times, self.kind_)

    def by_part(self) -> dict[str, np.ndarray]:
        """The forecast (h, d) of each part alone, by name, without bands."""
        if not hasattr(self, "models_"):
            raise not_fitted(self)
        found = [model.by_part(self.parts_) for model in self.models_]
        return {name: np.stack([forecasts[name] for forecasts in found], axis=1) for name in found[0]}

    def steps(self, rows: int) -> int:
        """The horizon for a series of so many rows."""
        return min(LONGEST_DEFAULT, max(rows // 10, 1)) if self.horizon is None else int(self.horizon)

    def describe(self) -> list[str]:
        """Say in a line per choice what was found and chosen, for each series, and what looks wrong in it."""
        if not hasattr(self, "models_"):
            raise not_fitted(self)
        lines = [] if self.prepared_.step is None else [f"One row per {self.prepared_.step}."]
        for name, model in zip(self.prepared_.names, self.models_, strict=True):
            lines += [f"{name}: {line}" for line in self._choices(model)]
        return lines

    def _choices(self, model: SeriesModel) -> list[str]:
        """What was found in a series and chosen for it."""
        past = model.past
        scale = {0.0: "its logarithm", 0.5: "its square root", 1.0: "the series itself"}[past.scale.power]
        season = f"a season of {past.season} rows" if past.season > 1 else "no season"
        others = [f"{period:g}" for period in past.periods if round(period) != past.season]
        also = f" and {'a period' if len(others) == 1 else 'periods'} of {', '.join(others)}" if others else ""
        lines = [f"models {scale}, with {season}{also}."]
        if not past.observed.all():
            times = self.prepared_.times
            gaps = gaps_in_words(~past.observed, times=None if times is None else times[-len(past.z) :])
            lines.append(f"{gaps}; they are filled ({self.fill}).")
        suspect = sentinel(past.scale.restored(past.z + past.effects[: len(past.z)])[past.observed])
        if suspect is not None:
            lines.append(f"the value {suspect:g} is far from all others; leave such cells blank if they mean that none is known.")
        weights = ", ".join(f"{part} {share:.0%}" for part, share in model.shares().items())
        return [*lines, f"weights from {len(past.origins)} earlier origins: {weights}."]

    def _levels(self) -> tuple[float, ...]:
        return tuple(float(level) for level in np.atleast_1d(self.levels))

    def chosen_parts(self, seed: np.random.SeedSequence) -> dict[str, Part]:
        """The parts by name. Raises `ParameterError` for a name in `without` that there is not, and where none is left."""
        own: dict[str, Any] = {
            name: part if hasattr(part, "fit") else Reference(part) for name, part in (self.parts or {}).items()
        }
        known: dict[str, Part] = {**default_parts(seed), **own}
        for name in self.without:
            if name not in known:
                raise ParameterError(
                    f"The 'without' parameter of Forecaster must name parts: {', '.join(known)}. Got {name!r} instead."
                    f"{nearest(name, known)}"
                )
        left = {name: part for name, part in known.items() if name not in self.without}
        if set(left) <= {"regression", "reservoir with others"}:
            raise ParameterError("The 'without' parameter of Forecaster must leave a part that needs no other columns.")
        return left

    def _fit_one(self, prepared: Prepared, k: int, parts: Mapping[str, Part], seed: np.random.SeedSequence | None) -> SeriesModel:
        """Fit the series k of those prepared, from its first value on."""
        start, series = prepared.one(k)
        fill = self.fill or "last"
        season, periods = self._seasons(series, prepared)
        columns = prepared.beside(k, season, fill)
        return fit_series(series, prepared.horizon, season, periods, fill, parts, columns, prepared.known[start:], seed)

    def _seasons(self, series: np.ndarray, prepared: Prepared) -> tuple[int, tuple[float, ...]]:
        """The main season in whole rows, 1 for none, and all periods: those given, or those of the times' step and one found.

        What is found in the series counts only as the main season.
        """
        rows, horizon = len(series), prepared.horizon
        if self.seasons is not None:
            given = tuple(float(season) for season in np.atleast_1d(self.seasons) if season > 1.0)
            season = main_season(series, given, horizon)
        else:
            given = () if prepared.step is None else prepared.step.seasons()
            found = estimate_period(fill_gaps(series, "linear", 1))
            season = main_season(series, given if found is None else (*given, found), horizon)
        others = {period for period in given if period <= rows and round(period) != season}
        own = [period for period in given if round(period) == season] or [float(season)]
        return season, tuple(sorted({*others, *own} - {1.0}))
