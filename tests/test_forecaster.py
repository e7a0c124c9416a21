"""The forecaster as users have it: accuracy, bands, gaps, columns beside the series, times, parts, what is refused; backtests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reservoir import DataError, Forecaster, ParameterError
from reservoir.base.estimator import clone
from reservoir.forecasting import prepared
from reservoir.forecasting.backtest import REFERENCES, Backtest, rolling_origins
from reservoir.forecasting.parts import Reference

DAY = np.datetime64("2021-03-01T00:00:00", "s")


def wave(n: int = 200, noise: float = 0.3, seed: int = 0) -> np.ndarray:
    rows = np.arange(n)
    return 50.0 + 0.02 * rows + 5.0 * np.sin(2 * np.pi * rows / 12) + noise * np.random.default_rng(seed).normal(size=n)


def days(n: int, first: np.datetime64 = DAY) -> np.ndarray:
    return first + np.arange(n) * np.timedelta64(1, "D")


def quick(horizon: int = 12, **options: Any) -> Forecaster:
    """A forecaster without reservoirs, for tests of what lies around them."""
    return Forecaster(horizon, **{"seasons": [12], "without": ["reservoir", "reservoir with others"], **options})


def rmse(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(found - truth))))


# Accuracy and bands


def test_a_noisy_season_is_forecast_to_its_noise() -> None:
    truth = wave(224)
    forecast = Forecaster(24, seasons=[12]).fit(truth[:200]).predict()
    assert forecast.values.shape == (24, 1)
    assert rmse(forecast.values[:, 0], truth[200:]) < 1.35 * 0.3
    assert rmse(forecast.values[:, 0], np.resize(truth[188:200], 24)) > 0.3  # not the seasonal naive one


def test_reservoirs_forecast_what_no_reference_can() -> None:
    values = [0.51]
    for _ in range(640):
        values.append(3.8 * values[-1] * (1.0 - values[-1]))
    series = np.array(values)
    errors = {}
    for without in ((), ("reservoir", "reservoir with others")):
        forecast = Forecaster(1, seasons=(), without=without).fit(series[:640]).predict()
        errors[without] = abs(float(forecast.values[0, 0]) - series[640])
    assert errors[()] < 0.2 * errors["reservoir", "reservoir with others"]


def test_bands_hold_about_what_they_are_meant_to() -> None:
    inside = []
    for seed in range(25):
        truth = wave(140, noise=1.0, seed=seed)
        forecast = quick().fit(truth[:128]).predict()
        inside.append([np.mean((low[:, 0] <= truth[128:]) & (truth[128:] <= high[:, 0]))
                       for low, high in zip(forecast.lower, forecast.upper, strict=True)])  # fmt: skip
    eighty, ninety_five = np.mean(inside, axis=0)
    assert 0.72 < eighty < 0.88
    assert 0.91 < ninety_five <= 1.0


def test_reservoir_bands_are_wide_where_errors_are_large() -> None:
    rng, rows = np.random.default_rng(1), np.arange(420)
    series = 50.0 + np.where(rows // 16 % 2 == 1, 3.0, 0.3) * rng.normal(size=420)
    widths: dict[tuple[str, int], list[float]] = {}
    for kind in ("conformal", "reservoir"):
        for regime, end in enumerate((366, 382, 398, 414)):  # near the end of 14 rows that are quiet, loud, quiet, loud
            forecast = quick(2, seasons=(), levels=80, bands=kind).fit(series[:end]).predict()
            widths.setdefault((kind, regime % 2), []).append(float((forecast.upper - forecast.lower).mean()))
    ratio = {kind: np.mean(widths[kind, 1]) / np.mean(widths[kind, 0]) for kind in ("conformal", "reservoir")}
    assert ratio["reservoir"] > 1.3 * ratio["conformal"]


def test_bands_contain_the_forecast_and_widen_with_the_level() -> None:
    forecast = quick(levels=[50, 80, 95]).fit(wave()).predict()
    assert forecast.levels == (50.0, 80.0, 95.0)
    assert (np.diff(forecast.upper, axis=0) > 0.0).all() and (np.diff(forecast.lower, axis=0) < 0.0).all()
    assert (forecast.lower[0] < forecast.values).all() and (forecast.values < forecast.upper[0]).all()
    assert quick(levels=()).fit(wave()).predict().lower.shape == (0, 12, 1)


def test_positive_stays_positive_and_whole_numbers_stay_whole() -> None:
    counts = np.random.default_rng(0).poisson(0.7, 150).astype(float)
    forecast = quick(whole_numbers=True).fit(counts).predict()
    for values in (forecast.values, forecast.lower, forecast.upper):
        assert (values >= 0.0).all()
        np.testing.assert_array_equal(values, np.rint(values))
    assert (quick().fit(counts - 3.0).predict().lower < -3.0).any()


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    one, two, other = (Forecaster(12, seasons=[12], random_state=seed).fit(wave()).predict().values for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("random_state", [None, np.random.default_rng(0)])
def test_a_seed_that_advances_is_read_once(random_state: Any) -> None:
    model = Forecaster(12, seasons=[12], random_state=random_state).fit(wave())
    np.testing.assert_array_equal(model.predict().values, model.predict().values)
    past, arrays = model.models_[0].past, model.models_[0].arrays["reservoir"]
    forecasts = model.by_part()["reservoir"][:, 0]
    assert rmse(forecasts, wave(212)[200:]) < 0.6 and past.season == 12 and arrays["coefficients"].shape[0] == 2
    assert not np.array_equal(model.fit(wave()).predict().values, Forecaster(12, seasons=[12]).fit(wave()).predict().values)


def test_units_do_not_matter() -> None:
    small, large = (quick(levels=[80]).fit(scale * wave()).predict() for scale in (1.0, 1e6))
    np.testing.assert_allclose(large.values, 1e6 * small.values, rtol=1e-6)
    np.testing.assert_allclose(large.upper, 1e6 * small.upper, rtol=1e-6)


# Gaps


def test_gaps_are_refused_by_default_and_filled_on_request() -> None:
    series = wave()
    series[[40, 41, 42, 90]] = np.nan
    with pytest.raises(
        DataError, match=r"^Series 'load': 4 of 200 rows are missing, at most 3 in a row, from row 40 on; .*'last'"
    ):
        quick().fit(series, names=["load"])
    for fill in ("linear", "seasonal", "last"):
        found = quick(fill=fill).fit(series).predict()
        assert rmse(found.values, quick().fit(wave()).predict().values) < 0.3
    lines = quick(fill="linear").fit(series).describe()
    assert lines[1] == "column 1: 4 of 200 rows are missing, at most 3 in a row, from row 40 on; they are filled (linear)."


def test_the_choices_are_said_in_words() -> None:
    series = wave()
    lines = quick().fit(series, names=["load"]).describe()
    assert lines[0] == "load: models the series itself, with a season of 12 rows."
    assert quick(seasons=[12, 50.5]).fit(series).describe()[0].endswith("with a season of 12 rows and a period of 50.5.")
    assert len(lines) == 2 and lines[1].startswith("load: weights from 16 earlier origins: linear ")
    series[[20, 21]] = -999.0
    assert "load: the value -999 is far from all others; leave" in quick().fit(series, names=["load"]).describe()[1]
    assert "with no season" in quick(seasons=()).fit(series).describe()[0]


def test_a_day_and_a_week_are_told_apart_and_used() -> None:
    rows = np.arange(1536)
    truth = 50 + 8 * np.sin(2 * np.pi * rows / 24) + 6 * (rows // 24 % 7 >= 5) + np.random.default_rng(0).normal(0, 1, 1536)
    hours = np.datetime64("2024-01-01T00", "s") + rows * np.timedelta64(3600, "s")
    model = Forecaster(48, without=["reservoir"]).fit(truth[:1488], times=hours[:1488])
    assert model.models_[0].past.season == 168
    assert model.models_[0].past.periods == (24.0, 168.0)
    found = model.predict()
    assert rmse(found.values[:, 0], truth[1488:]) < 0.85 * rmse(truth[1320:1368], truth[1488:])
    assert found.times is not None and found.times[0] == hours[1488]


def test_a_period_that_the_series_has_wins_over_one_of_the_calendar() -> None:
    rows = np.arange(400)
    series = 50.0 + 10.0 * np.sin(2 * np.pi * rows / 40) + np.random.default_rng(0).normal(0, 0.5, 400)
    months = np.datetime64("1950-01", "M") + rows
    past = Forecaster(24, without=["reservoir"]).fit(series, times=months).models_[0].past
    assert past.season == 40 and past.periods == (12.0, 40.0)


def test_missing_rows_at_the_start_are_left_out() -> None:
    series = np.concatenate([np.full(30, np.nan), wave()])
    np.testing.assert_allclose(quick().fit(series).predict().values, quick().fit(wave()).predict().values, rtol=1e-12)


def test_of_a_long_series_the_last_rows_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "LONGEST_PAST", 100)
    series = wave()
    series[100] = np.nan
    found = quick(fill="last").fit(series, known=np.arange(212.0) % 5)
    assert len(found.models_[0].past.z) == 99
    monkeypatch.undo()
    alone = quick().fit(series[101:], known=np.arange(101.0, 212.0) % 5)
    np.testing.assert_array_equal(found.predict().values, alone.predict().values)


# Columns beside the series


def test_what_is_known_ahead_is_used() -> None:
    rng = np.random.default_rng(5)
    heat, holiday = rng.normal(15.0, 6.0, 212), (rng.random(212) < 0.07).astype(float)
    truth = wave(212) + 1.5 * np.maximum(heat - 18.0, 0.0) - 9.0 * holiday
    known = np.column_stack([heat, holiday])
    with_it = quick().fit(truth[:200], known=known).predict().values[:, 0]
    without = quick().fit(truth[:200]).predict().values[:, 0]
    assert rmse(with_it, truth[200:]) < 0.3 * rmse(without, truth[200:])
    again = quick().fit(truth[:200], known=np.vstack([known, [[1e9, 1.0]] * 5])).predict().values[:, 0]
    np.testing.assert_array_equal(again, with_it)  # rows after the horizon do not matter


def test_effects_that_multiply_are_found_on_the_logarithm() -> None:
    rng = np.random.default_rng(5)
    holiday = (rng.random(312) < 0.07).astype(float)
    truth = np.exp(0.004 * np.arange(312)) * wave(312) * np.where(holiday == 1.0, 0.5, 1.0)
    model = quick().fit(truth[:300], known=holiday)
    assert model.models_[0].past.scale.power == 0.0
    assert rmse(model.predict().values[:, 0], truth[300:]) < 0.02 * truth[300:].mean()


def test_another_series_that_runs_ahead_helps() -> None:
    rng = np.random.default_rng(0)
    ahead = rng.normal(size=401)
    series = np.column_stack([np.convolve(ahead, [1.0, 0.8, 0.6], "full")[:400], ahead[1:401]])  # the second is a row earlier
    errors = {}
    for name, options in (("both", {"names": ["a", "b"]}), ("past", {"past": series[:, 1]})):
        data = series if name == "both" else series[:, 0]
        weights = Forecaster(1, seasons=()).fit(data, **options).models_[0]
        errors[name] = sum(w for part, w in zip(weights.names, weights.weights, strict=True) if part == "reservoir with others")
    assert errors["both"] == errors["past"] > 0.9


# Times


def test_times_give_the_seasons_the_rows_that_are_missing_and_those_to_come() -> None:
    rows = np.arange(140)
    series = 10.0 + (rows % 7 == 6) * 4.0 + np.random.default_rng(0).normal(0.0, 0.1, 140)
    model = Forecaster(7, without=["reservoir"]).fit(series, times=days(140))
    forecast = model.predict()
    assert model.models_[0].past.season == 7
    assert model.describe()[0] == "One row per day."
    np.testing.assert_array_equal(forecast.times, days(147)[140:])
    assert np.flatnonzero(forecast.values[:, 0] > 12.0).tolist() == [6]
    kept = np.delete(rows, [50, 51, 99])
    with pytest.raises(DataError, match="3 of 140 rows are missing, at most 2 in a row, from 2021-04-20 on"):
        Forecaster(7).fit(series[kept], times=days(140)[kept])
    filled = Forecaster(7, without=["reservoir"], fill="seasonal").fit(series[kept], times=days(140)[kept])
    np.testing.assert_allclose(filled.predict().values, forecast.values, atol=0.3)
    assert np.flatnonzero(~filled.models_[0].past.observed).tolist() == [50, 51, 99]


def test_known_columns_follow_their_times() -> None:
    series, known = wave(100), np.arange(112.0)[:, None] % 5
    kept = np.delete(np.arange(112), [30, 106])
    past_rows = kept[kept < 100]
    every = quick(fill="linear").fit(series[past_rows], known=known[kept], times=days(112)[kept])
    assert every.prepared_.known[:, 0].tolist() == [*known[:30, 0], 2.5, *known[31:106, 0], 1.0, *known[107:112, 0]]
    same = quick(fill="linear").fit(series[past_rows], known=np.delete(known, 30, axis=0), times=days(100)[past_rows])
    assert len(same.prepared_.known) == 112


# Parts


def test_parts_are_left_out_added_and_replaced() -> None:
    def median(series: np.ndarray, season: int, origins: np.ndarray, horizon: int) -> np.ndarray:
        return np.stack([np.repeat(np.median(series[:origin]), horizon) for origin in origins])

    model = quick(without=["reservoir", "linear", "theta", "drift"], parts={"median": median}).fit(wave())
    assert model.models_[0].names == ("seasonal naive", "median")
    alone = Forecaster(12, seasons=[12], without=[n for n in DEFAULT if n != "seasonal naive"]).fit(wave()).predict()
    np.testing.assert_allclose(alone.values[:, 0], wave()[-12:])
    replaced = quick(parts={"theta": Reference(median)}).fit(wave()).by_part()
    np.testing.assert_allclose(replaced["theta"], np.median(wave()))


DEFAULT = ("seasonal naive", "drift", "theta", "regression", "linear", "reservoir", "reservoir with others")


@pytest.mark.parametrize("value", [np.zeros((3, 5)), np.full((16, 12), np.nan)])
def test_a_part_of_another_shape_is_refused(value: np.ndarray) -> None:
    with pytest.raises(ParameterError, match=r"^The part 'mine' of Forecaster must return finite .* \(16, 12\)\. Got shape \("):
        quick(parts={"mine": lambda series, season, origins, horizon: value}).fit(wave())


def test_the_forecast_is_the_weighted_sum_of_the_parts() -> None:
    model = quick(without=["linear", "reservoir"]).fit(wave())
    parts, weights = model.by_part(), model.models_[0].weights
    assert model.models_[0].past.scale.power == 1.0
    expected = sum(weight * parts[name] for name, weight in zip(model.models_[0].names, weights, strict=True))
    np.testing.assert_allclose(model.predict().values, expected)
    assert weights.sum() == pytest.approx(1.0)


def test_columns_of_a_file_have_stable_names() -> None:
    forecast = quick(levels=[80, 97.5]).fit(np.column_stack([wave(), 2.0 * wave(seed=1)]), names=["load", "flow"]).predict()
    columns = forecast.columns()
    assert list(columns) == [
        "load", "load_lower_80", "load_upper_80", "load_lower_97.5", "load_upper_97.5",
        "flow", "flow_lower_80", "flow_upper_80", "flow_lower_97.5", "flow_upper_97.5",
    ]  # fmt: skip
    np.testing.assert_array_equal(columns["flow_upper_97.5"], forecast.upper[1, :, 1])
    assert quick().fit(wave()).predict().names == ("column 1",)


def test_it_is_an_estimator() -> None:
    model = quick(fill="last", random_state=3)
    assert clone(model).get_params() == model.get_params()
    assert repr(model).startswith("Forecaster(horizon=12, seasons=[12], fill='last'")
    from sklearn.exceptions import NotFittedError

    for use in (model.predict, model.by_part, model.describe):
        with pytest.raises(NotFittedError):
            use()


# What is refused


@pytest.mark.parametrize(
    ("options", "data", "error", "message"),
    [
        ({"horizon": 0}, {}, ParameterError, r"'horizon' .* integer in \[1, inf\), or None. Got 0"),
        ({"bands": "wide"}, {}, ParameterError, "'bands' .* one of conformal, reservoir. Got 'wide'"),
        ({"fill": "mean"}, {}, ParameterError, "'fill' .* one of linear, seasonal, last, None. Got 'mean'"),
        ({"levels": [80, 100]}, {}, ParameterError, r"'levels' .* in \(0, 100\).* Got \[80, 100\]"),
        ({"levels": [0]}, {}, ParameterError, "'levels'"),
        ({"levels": [99.9]}, {}, ParameterError, r"'levels' .* at most 99\.48 with 192 past errors\. Got 99\.9, which needs 999"),
        ({"seasons": [0.5]}, {}, ParameterError, "'seasons'"),
        ({"without": ["teta"]}, {}, ParameterError, "'without' .* Got 'teta' instead. Did you mean theta"),
        ({"without": DEFAULT}, {}, ParameterError, "'without' .* must leave a part"),
        ({"horizon": 193}, {}, DataError, "has 200 rows; a horizon of 193 needs at least 201. Lower it"),
        ({}, {"series": np.full(200, 3.0)}, DataError, r"^Series 'load' is constant \(3\)"),
        ({}, {"series": np.full(200, np.nan)}, DataError, "^Series 'load' has no values"),
        ({}, {"series": 1e200 * wave()}, DataError, "^Series 'load' lies between .* rescale it"),
        ({}, {"series": np.array([])}, DataError, "^series: is empty"),
        ({}, {"series": np.append(wave(), np.inf)}, DataError, "^series: holds infinity at row 200, column 0"),
        ({}, {"known": np.zeros(205)}, DataError, "^known: ends 7 rows before the horizon of 12; give more or lower"),
        ({}, {"known": np.zeros(199)}, DataError, "^known: has 199 rows, fewer than the 200 of the series"),
        ({}, {"known": np.append(np.ones(210), [np.nan] * 2)}, DataError, "^known: column 0 has no values in its last 2 rows"),
        ({}, {"past": np.zeros(199)}, DataError, "^past: has 199 rows, the series has 200; they must agree"),
        ({}, {"past": np.append(np.nan, np.zeros(199))}, DataError, "^past, column 0: 1 of 200 rows are missing"),
        ({}, {"names": ["a", "b"]}, DataError, "^names: must name each of the 1 series. Got 2"),
        ({}, {"times": np.arange(200)}, DataError, "^times: must be 200 NumPy dates, a row each. Got int64"),
        ({}, {"times": days(199)}, DataError, "^times: must be 200 NumPy dates"),
        ({}, {"times": np.append(days(199), days(199)[-1])}, DataError, "^times: row 200: has the same .*, 2021-09-15;"),
    ],
)  # fmt: skip
def test_what_is_refused(options: dict[str, Any], data: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        quick(**options).fit(**{"series": wave(), "names": ["load"], **data})
    assert "\n" not in str(caught.value)


def test_a_fit_that_fails_leaves_the_old_one() -> None:
    model = quick().fit(wave())
    before = model.predict().values
    with pytest.raises(DataError):
        model.fit(np.full(50, 1.0))
    np.testing.assert_array_equal(model.predict().values, before)


@pytest.mark.parametrize("rows", [9, 13, 20])
@pytest.mark.parametrize("kind", ["noise", "counts", "line", "late"])
def test_the_shortest_series_have_finite_forecasts(rows: int, kind: str) -> None:
    rng = np.random.default_rng(rows)
    series = {
        "noise": rng.normal(size=rows), "counts": rng.poisson(0.5, rows) + np.append(np.zeros(rows - 1), 1.0),
        "line": np.arange(rows, dtype=float), "late": np.append(np.zeros(rows - 1), 1.0),
    }[kind]  # fmt: skip
    forecast = Forecaster(1, levels=[50]).fit(series).predict()
    assert np.isfinite(forecast.values).all() and (forecast.lower <= forecast.upper).all()


# Backtests


@pytest.fixture(scope="module")
def found() -> Backtest:
    series = np.column_stack([wave(), wave(seed=1)])
    series[197, 0] = np.nan
    return rolling_origins(quick(fill="last"), series, origins=3, every=10, names=["load", "flow"])


def test_a_backtest_forecasts_from_each_origin_as_a_fit_there_does(found: Backtest) -> None:
    assert found.origins.tolist() == [168, 178, 188]
    series = np.column_stack([wave(), wave(seed=1)])
    for i, origin in enumerate(found.origins.tolist()):
        alone = quick(fill="last").fit(series[:origin]).predict()
        np.testing.assert_array_equal(found.forecasts["forecast"][i], alone.values)
        np.testing.assert_array_equal(found.upper[:, i], alone.upper)
        np.testing.assert_array_equal(found.forecasts["naive"][i], np.tile(series[origin - 1], (12, 1)))
        np.testing.assert_array_equal(found.forecasts["seasonal naive"][i], series[origin - 12 : origin])
        drifting = series[origin - 12 : origin] + (series[12:origin] - series[: origin - 12]).mean(axis=0)
        np.testing.assert_allclose(found.forecasts["seasonal naive with drift"][i], drifting)
        for name, values in alone_by_part(series[:origin]).items():
            np.testing.assert_array_equal(found.forecasts[f"{name} (part)"][i], values)
    parts = [f"{name} (part)" for name in ("seasonal naive", "drift", "theta", "linear")]
    assert list(found.forecasts) == ["forecast", *REFERENCES, *parts]


def alone_by_part(series: np.ndarray) -> dict[str, np.ndarray]:
    return quick(fill="last").fit(series).by_part()


def test_errors_are_averaged_over_origins_on_observed_rows(found: Backtest) -> None:
    ours = found.errors(0)["forecast"]
    errors = found.forecasts["forecast"][:, :, 0] - found.truth[:, :, 0]
    assert np.isnan(errors).sum() == 1
    assert ours["rmse"] == pytest.approx(np.sqrt(np.nanmean(errors**2, axis=1)).mean())
    assert ours["mae"] == pytest.approx(np.nanmean(np.abs(errors), axis=1).mean())
    series = wave()
    scales = [np.abs(series[12:origin] - series[: origin - 12]).mean() for origin in (168, 178, 188)]
    assert ours["mase"] == pytest.approx((np.nanmean(np.abs(errors), axis=1) / scales).mean())
    there = ~np.isnan(errors)
    coverage, score = found.bands(0)
    inside = (found.lower[0, :, :, 0] <= found.truth[:, :, 0]) & (found.truth[:, :, 0] <= found.upper[0, :, :, 0])
    assert coverage["80"] == pytest.approx(inside[there].mean())
    width = (found.upper - found.lower)[0, :, :, 0][there]
    assert list(score) == list(coverage) == ["80", "95"] and score["80"] > width.mean()


def test_known_columns_have_their_actual_values() -> None:
    rng = np.random.default_rng(5)
    holiday = (rng.random(200) < 0.1).astype(float)
    found = rolling_origins(quick(), wave() - 9.0 * holiday, origins=2, known=holiday, times=days(200))
    rmse = {method: float(errors["rmse"] or 0.0) for method, errors in found.errors(0).items()}
    assert rmse["forecast"] < 0.5 < 0.3 * rmse["naive"]
    assert rmse["regression (part)"] < 0.6 and rmse["linear regression"] < 1.5 < 2.0 < rmse["seasonal naive"]
    np.testing.assert_array_equal(found.times, days(200))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"origins": 0}, ParameterError, r"'origins' parameter of backtest .* Got 0"),
        ({"every": 0}, ParameterError, r"'every' parameter of backtest .* Got 0"),
        ({"origins": 16}, DataError, "200 rows, enough for 15 origins 12 rows apart and a horizon of 12. Got 16; ask for fewer"),
        ({"known": np.zeros(199)}, DataError, "^known: has 199 rows, fewer"),
    ],
)
def test_backtests_that_are_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        rolling_origins(quick(), wave(), **options)


def test_progress_is_reported() -> None:
    calls: list[int] = []
    rolling_origins(quick(), wave(), origins=10, report=lambda: calls.append(1))
    assert len(calls) == 10
