"""Forecasting a series: choosing settings on its own past, the ensemble, the test on its end."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reservoir import ESN, DataError, DivergenceError, ParameterError, Ridge
from reservoir.base.baselines import naive, seasonal_naive
from reservoir.base.tables import Table
from reservoir.files.csv_file import read_csv
from reservoir.forecasting import ensemble as forecasting
from reservoir.forecasting.ensemble import Chosen, candidates, choose, ensemble, forecast_record, standardized
from reservoir.forecasting.report import Forecast, ForecastReport

PERIOD = 25
SMALL = {"units": 40, "density": 0.1, "leak_rate": 0.3, "spectral_radius": 0.9, "input_scaling": 0.3, "readout__ridge": 1e-3}


def wave(length: int = 500, level: float = 100.0, size: float = 8.0, seed: int = 0, noise: float = 0.05) -> np.ndarray:
    """A noisy sine of period 25, (T, 1)."""
    errors = np.random.default_rng(seed).normal(size=length)
    return (level + size * (np.sin(2 * np.pi * np.arange(length) / PERIOD) + noise * errors))[:, None]


@pytest.fixture(scope="module")
def report() -> ForecastReport:
    return forecast_record(wave(), ["load"], horizon=30, holdout=60, fixed={"units": 60}, seeds=range(5))


# The whole


def test_the_ensemble_beats_both_trivial_forecasts_of_a_noisy_sine(report: ForecastReport) -> None:
    assert report.period == PERIOD
    assert list(report.errors) == ["echo state network", "naive", "seasonal naive"]
    ours, *trivial = (errors[0] for errors in report.errors.values())
    assert ours < 0.9 * min(trivial)
    # In the units of the series, and not far from the noise of .05 * 8.
    assert 0.3 < ours < 0.6
    future = 100.0 + 8.0 * np.sin(2 * np.pi * np.arange(500, 530) / PERIOD)
    assert np.sqrt(np.square(report.future.median[:, 0] - future).mean()) < 0.3


def test_errors_and_baselines_are_those_of_the_held_out_rows(report: ForecastReport) -> None:
    past, truth = report.series[:-60], report.series[-60:]
    refs = {
        "echo state network": report.held_out.median,
        "naive": np.full((60, 1), past[-1]),
        "seasonal naive": np.tile(past[-PERIOD:], (3, 1))[:60],
    }
    for name, ref in refs.items():
        assert report.errors[name] == pytest.approx([np.sqrt(np.square(ref - truth).mean())], rel=1e-12)
    assert list(report.baselines) == ["naive", "seasonal naive"]
    for name, values in report.baselines.items():
        np.testing.assert_array_equal(values, refs[name])


def test_the_band_brackets_the_median_of_the_members(report: ForecastReport) -> None:
    for forecast, steps in ((report.held_out, 60), (report.future, 30)):
        assert forecast.members.shape == (5, steps, 1)
        assert forecast.diverged == 0
        np.testing.assert_array_equal(forecast.median, np.sort(forecast.members, axis=0)[2])
        assert (forecast.low < forecast.median).all() and (forecast.median < forecast.high).all()


def test_the_band_holds_about_four_fifths_of_the_held_out_rows() -> None:
    # Independent noise about the wave; forty records of forty rows, so that one lucky record decides nothing.
    inside = []
    for seed in range(40):
        found = forecast_record(wave(300, seed=seed), ["load"], horizon=40, fixed=SMALL, seeds=[0, 1])
        truth = found.series[-40:]
        inside.append(((found.held_out.low <= truth) & (truth <= found.held_out.high)).mean())
    assert 0.7 < np.mean(inside) < 0.92


def test_the_same_seeds_give_the_same_bits(report: ForecastReport) -> None:
    again = forecast_record(wave(), ["load"], horizon=30, holdout=60, fixed={"units": 60}, seeds=range(5))
    assert again.settings == report.settings
    np.testing.assert_array_equal(again.held_out.members, report.held_out.members)
    np.testing.assert_array_equal(again.future.members, report.future.members)


def test_nothing_of_the_held_out_rows_is_seen_before_they_are_forecast(report: ForecastReport) -> None:
    tampered = wave()
    tampered[-60:] = -1e3
    other = forecast_record(tampered, ["load"], horizon=30, holdout=60, fixed={"units": 60}, seeds=range(5))
    assert other.settings == report.settings
    assert other.period == report.period
    np.testing.assert_array_equal(other.held_out.members, report.held_out.members)
    assert not np.array_equal(other.future.members, report.future.members)  # fitted on all rows


def test_steps_are_reported_one_by_one() -> None:
    calls: list[int] = []
    forecast_record(wave(200), ["load"], fixed=SMALL, seeds=[3, 1], report=lambda: calls.append(1))
    assert len(calls) == 1 + 2 * 2  # one setting to try; two networks, twice


@pytest.mark.parametrize(("rows", "horizon"), [(400, 40), (1500, 100), (60, 6)])
def test_default_horizon_and_holdout(rows: int, horizon: int) -> None:
    found = forecast_record(wave(rows), ["load"], fixed=SMALL, seeds=[0])
    assert len(found.future.median) == found.holdout == len(found.held_out.median) == horizon
    assert forecast_record(wave(rows), ["load"], horizon=3, fixed=SMALL, seeds=[0]).holdout == 3


def test_the_search_is_over_the_longer_of_both_and_with_the_first_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int, int]] = []

    def recorded(series: np.ndarray, horizon: int, fixed: Any, seed: int, report: Any) -> Chosen:
        asked.append((len(series), horizon, seed))
        return choose(series, horizon, fixed, seed, report)

    monkeypatch.setattr(forecasting, "choose", recorded)
    forecast_record(wave(300), ["load"], horizon=20, holdout=10, fixed=SMALL, seeds=[7, 1])
    forecast_record(wave(300), ["load"], horizon=10, holdout=20, fixed=SMALL, seeds=[5])
    assert asked == [(290, 20, 7), (280, 20, 5)]


def test_a_period_that_is_given_is_used_and_none_found_is_none() -> None:
    found = forecast_record(wave(300), ["load"], horizon=10, period=7, fixed=SMALL, seeds=[0])
    np.testing.assert_array_equal(found.baselines["seasonal naive"], seasonal_naive(found.series[:-10], 10, 7))
    walk = np.cumsum(np.random.default_rng(1).normal(size=(300, 1)), axis=0)
    found = forecast_record(walk, ["walk"], horizon=10, fixed=SMALL, seeds=[0])
    assert found.period is None
    assert list(found.baselines) == ["naive"]


def test_several_columns_keep_their_units_and_order() -> None:
    series = np.hstack([wave(400), np.roll(wave(400, level=-3.0, size=0.01, seed=1), 6)])
    found = forecast_record(series, ["a", "b"], horizon=20, fixed={**SMALL, "readout__ridge": 1e-2}, seeds=range(3))
    assert found.future.median.shape == (20, 2)
    np.testing.assert_allclose(found.future.median.mean(axis=0), [100.0, -3.0], rtol=0.1)
    for errors in found.errors.values():
        assert len(errors) == 2
    ours, trivial = np.array(found.errors["echo state network"]), np.array(found.errors["naive"])
    assert (ours < 0.5 * trivial).all()


# The report


def test_the_report_of_several_columns(tmp_path: Path) -> None:
    made = Forecast(np.array([[1.0, -1.0], [2.0, -2.0]]), np.zeros((2, 2)), np.full((2, 2), 3.0), np.zeros((3, 2, 2)), 1)
    series = np.array([[5.0, 0.0], [1.0, 0.0], [3.0, -4.0]])
    errors = {"echo state network": [1.0, 2.0], "naive": [2.0, 2.0]}
    report = ForecastReport(series, ["a", "b"], {"readout__ridge": 0.5}, None, made, made, {}, errors)
    assert report.table() == Table(
        "Error on the hold-out",
        ["column", "forecast", "rmse", "nrmse", "rmse / best naive"],
        [
            ["a", "echo state network", "1", "1", "0.5"],  # the held-out rows of a, 1 and 3, have a standard deviation of 1
            ["a", "naive", "2", "2", "1"],
            ["b", "echo state network", "2", "1", "1"],
            ["b", "naive", "2", "1", "1"],
        ],
        [
            "The naive forecast of b is no worse than the network's; prefer it.",
            "Settings: readout.ridge=0.5",
            "Seasonal period: none found. Rows: 3, held out: 2.",
            "The band held 75% of the held-out values; it is meant to hold 80%.",
            "2 of 8 networks diverged and were left out.",
        ],
    )
    [record] = report.records()
    assert (record["columns"], record["rows"], record["holdout"], record["horizon"]) == (["a", "b"], 3, 2, 2)
    assert (record["period"], record["diverged"], record["rmse"]) == (None, 2, errors)
    report.to_csv(tmp_path / "f.csv")
    lines = ["row,a,a_low,a_high,b,b_low,b_high", "4,1.0,0.0,3.0,-1.0,0.0,3.0", "5,2.0,0.0,3.0,-2.0,0.0,3.0"]
    assert (tmp_path / "f.csv").read_text().splitlines() == lines


def test_sunspots_for_eleven_years_beat_both_trivial_forecasts() -> None:
    path = Path(__file__).parent.parent / "tasks" / "data" / "sunspots_monthly.csv"
    series, names = read_csv(path, ["sunspots"])
    found = forecast_record(series, names, horizon=132, seeds=range(5))
    ours, last, seasonal = (errors[0] for errors in found.errors.values())
    assert 100 < (found.period or 0) < 150  # the cycle of about eleven years
    assert ours < 0.9 * seasonal
    assert ours < 0.7 * last
    assert found.future.diverged == found.held_out.diverged == 0


# Choosing


def test_candidates_are_the_grid_but_for_what_is_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecasting, "GRID", {"leak_rate": (0.1, 1.0), "readout__ridge": (1e-4, 1e-2, 1.0)})
    monkeypatch.setattr(forecasting, "BASE", {"units": 300})
    free = [(c["leak_rate"], c["readout__ridge"]) for c in candidates({})]
    assert free == list(itertools.product((0.1, 1.0), (1e-4, 1e-2, 1.0)))
    assert all(c["units"] == 300 for c in candidates({}))
    assert candidates({"leak_rate": 0.5, "readout__ridge": 3.0, "units": 9}) == [
        {"units": 9, "leak_rate": 0.5, "readout__ridge": 3.0}
    ]
    # A ridge is no parameter of every readout, so that another readout keeps its defaults.
    assert candidates({"readout": "LeastMeanSquares"}) == [
        {"units": 300, "readout": "LeastMeanSquares", "leak_rate": leak} for leak in (0.1, 1.0)
    ]


def free_run_errors(series: np.ndarray, horizon: int, settings: dict[str, Any]) -> np.ndarray:
    """Fit on the first three quarters, run free from six starts in the last one: as `choose` documents, loop by loop."""
    scaled = (series - series.mean()) / series.std()
    first = len(scaled) - max(len(scaled) // 4, horizon)
    model = ESN(**settings, random_state=0, washout=min(100, first // 10), readout=Ridge(1e-3)).fit(scaled[:first])
    starts = [int(first + k * (len(scaled) - horizon - first) / 5) for k in range(6)]
    return np.array([model.forecast(scaled[:start], horizon) - scaled[start : start + horizon] for start in starts])


def test_choose_takes_the_settings_of_least_free_run_error(monkeypatch: pytest.MonkeyPatch) -> None:
    leaks, series, plain = (0.02, 0.3, 1.0), wave(400, seed=2), {"units": 40, "density": 0.1}
    monkeypatch.setattr(forecasting, "GRID", {"leak_rate": leaks})
    errors = {leak: free_run_errors(series, 20, {**plain, "leak_rate": leak}) for leak in leaks}
    squares = {leak: float(np.square(errors[leak]).mean()) for leak in leaks}
    best = min(leaks, key=squares.__getitem__)
    assert squares[best] < 0.9 * sorted(squares.values())[1]
    found = choose(series, 20, {**plain, "readout__ridge": 1e-3})
    assert found.settings == {**plain, "readout__ridge": 1e-3, "leak_rate": best, "washout": 30}
    np.testing.assert_allclose(found.errors, errors[best], rtol=1e-6, atol=1e-9)
    for order in ((best, *leaks), (*leaks, best)):  # not merely the first or the last one
        monkeypatch.setattr(forecasting, "GRID", {"leak_rate": order})
        assert choose(series, 20, {**plain, "readout__ridge": 1e-3}).settings["leak_rate"] == best


@pytest.mark.parametrize(("noise", "seed", "ridge"), [(0.0, 0, 1e-4), (0.2, 1, 1e-2), (0.8, 2, 1.0)])
def test_the_grid_has_a_ridge_for_much_noise_and_for_little(noise: float, seed: int, ridge: float) -> None:
    fixed = {name: value for name, value in SMALL.items() if name != "readout__ridge"}
    assert choose(wave(300, seed=seed, noise=noise), 20, fixed).settings["readout__ridge"] == ridge


def test_choose_passes_over_settings_that_diverge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecasting, "GRID", {"spectral_radius": (1e9, 0.9, 1e12)})
    fixed = {"units": 20, "density": 0.2, "activation": "relu", "input_scaling": 0.1, "readout__ridge": 1e-2}
    assert choose(wave(300), 20, fixed).settings["spectral_radius"] == 0.9


def test_when_every_setting_diverges_the_step_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecasting, "GRID", {"spectral_radius": (1e9, 1e12)})
    calls: list[int] = []
    with pytest.raises(DivergenceError, match=r"^No setting tried stays finite on this series\. .* step \d+"):
        choose(wave(300), 20, {"units": 20, "density": 0.2, "activation": "relu"}, report=lambda: calls.append(1))
    assert len(calls) == 2


def test_the_seeds_are_not_a_setting() -> None:
    with pytest.raises(ParameterError, match=r"^The 'random_state' parameter cannot .* come from --seeds\. Got 5 instead\.$"):
        forecast_record(wave(200), ["load"], fixed={**SMALL, "random_state": 5}, seeds=[0, 1])


def test_a_washout_that_is_given_is_kept() -> None:
    assert choose(wave(200), 20, {**SMALL, "washout": 7}).settings["washout"] == 7
    assert [forecasting.washout(length) for length in (5, 99, 1000, 5000)] == [0, 9, 100, 100]


# The ensemble


def chosen(errors: np.ndarray | None = None, **settings: Any) -> Chosen:
    return Chosen({**SMALL, **settings}, np.zeros((1, 10, 1)) if errors is None else errors)


def test_every_member_is_the_network_of_its_seed() -> None:
    series = wave(300)
    both, second, other = (ensemble(series, 10, chosen(), seeds) for seeds in ([4, 2], [2], [3]))
    np.testing.assert_array_equal(both.members[1], second.members[0])
    assert not np.array_equal(second.members, other.members)
    scaled = (series - series.mean()) / series.std()
    settings = {name: value for name, value in SMALL.items() if name != "readout__ridge"}
    model = ESN(**settings, readout=Ridge(1e-3), random_state=2).fit(scaled)
    np.testing.assert_allclose(second.median, model.forecast(scaled, 10) * series.std() + series.mean(), rtol=1e-9)


def test_without_past_errors_the_band_is_that_of_the_members() -> None:
    found = ensemble(wave(300), 10, chosen(), range(5))
    np.testing.assert_allclose(found.low, np.quantile(found.members, 0.1, axis=0), rtol=0.01)
    wide = ensemble(wave(300), 10, chosen(), range(5), quantiles=(0.0, 1.0))
    np.testing.assert_array_equal(wide.low, wide.members.min(axis=0))
    np.testing.assert_array_equal(wide.high, wide.members.max(axis=0))


def test_past_errors_widen_the_band_by_their_size_either_way() -> None:
    series, errors = wave(300), np.zeros((2, 12, 1))
    errors[0, :, 0], errors[1, :, 0] = np.arange(12), -3.0  # in standard deviations; the last two steps are not asked for
    found = ensemble(series, 10, chosen(errors), [0], quantiles=(0.0, 1.0))
    size = np.maximum(np.arange(10), 3.0)[:, None] * series.std()
    np.testing.assert_allclose(found.high, found.median + size, rtol=1e-9)
    np.testing.assert_allclose(found.low, found.median - size, rtol=1e-9)


def exploding(seeds: set[int]) -> Any:
    """`make_model`, but the networks of some seeds diverge when run free."""

    def make(name: str, parameters: Any, seed: int) -> Any:
        model = forecasting_make_model(name, parameters, seed)
        if seed in seeds:

            def forecast(history: Any, steps: int) -> Any:
                raise DivergenceError(f"The closed loop diverged at step {seed}.")

            model.forecast = forecast
        return model

    return make


forecasting_make_model = forecasting.make_model


def test_members_that_diverge_are_counted_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ensemble(wave(300), 10, chosen(), range(5))
    monkeypatch.setattr(forecasting, "make_model", exploding({0, 4}))
    calls: list[int] = []
    found = ensemble(wave(300), 10, chosen(), range(5), report=lambda: calls.append(1))
    assert found.diverged == 2
    assert len(calls) == 5
    np.testing.assert_array_equal(found.members, whole.members[1:4])
    np.testing.assert_array_equal(found.median, np.median(whole.members[1:4], axis=0))


def test_when_all_members_diverge_the_error_names_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecasting, "make_model", exploding({0, 1, 2}))
    with pytest.raises(DivergenceError, match="diverged at step 2"):
        ensemble(wave(300), 10, chosen(), range(3))


def test_a_network_that_really_diverges() -> None:
    with pytest.raises(DivergenceError, match=r"step \d+"):
        ensemble(wave(300), 10, chosen(activation="relu", spectral_radius=1e9), [0, 1])


# Scaling, and what is refused


def test_standardized() -> None:
    series = np.array([[1.0, -5.0], [3.0, 5.0]])
    scaled, mean, spread = standardized(series)
    np.testing.assert_array_equal(scaled, [[-1.0, -1.0], [1.0, 1.0]])
    np.testing.assert_array_equal(mean, [2.0, 0.0])
    np.testing.assert_array_equal(spread, [1.0, 5.0])


@pytest.mark.parametrize(
    ("second", "names", "message"),
    [
        (np.full(50, 3.0), ["a", "b"], r"Column 'b' is constant \(3\)"),
        (np.zeros(50), None, r"Column 1 of the series is constant \(0\)"),
        (np.linspace(-1e300, 1e300, 50), ["a", "b"], "'b' lies between -1e.300 and 1e.300, too far"),
        (np.linspace(-1e-300, 1e-300, 50), ["a", "b"], "'b' lies between .* too close .* scale it"),
        (1e16 + np.arange(50) % 2 * 2.0, ["a", "b"], "'b' lies between 1e.16 and 1e.16"),
    ],
)
def test_columns_that_cannot_be_scaled(second: np.ndarray, names: list[str] | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        standardized(np.column_stack([np.arange(50.0), second]), names)


def test_a_constant_column_is_named_before_the_search() -> None:
    series = np.hstack([wave(300), np.full((300, 1), 4.0)])
    with pytest.raises(DataError, match=r"^Column 'flow' is constant \(4\)"):
        forecast_record(series, ["load", "flow"], fixed=SMALL)
    series[-1, 1] = 5.0  # in the held-out rows only
    with pytest.raises(DataError, match="Column 'flow' is constant"):
        forecast_record(series, ["load", "flow"], fixed=SMALL)


@pytest.mark.parametrize(
    ("rows", "options", "error", "message"),
    [
        (400, {"horizon": 0}, ParameterError, "'horizon' .* integer in .1, inf.. Got 0"),
        (400, {"horizon": -3}, ParameterError, "'horizon' .* Got -3"),
        (400, {"holdout": -3}, ParameterError, "'holdout' .* Got -3"),
        (400, {"period": 0}, ParameterError, "'period' .* Got 0"),
        (400, {"period": 361}, ParameterError, "'period' .* at most 360, the rows before the hold-out. Got 361"),
        (400, {"horizon": 200}, DataError, "400 rows; a hold-out of 200 and a horizon of 200 need at least 600"),
        (400, {"horizon": 200, "holdout": 10}, DataError, "a hold-out of 10 and a horizon of 200 need at least 410"),
        (400, {"horizon": 10, "holdout": 390}, DataError, "a hold-out of 390 .* need at least 1170"),
        (32, {}, DataError, "32 rows; a hold-out of 3 .* at least 33"),
        (3, {}, DataError, "3 rows; a hold-out of 1 .* at least 31"),
        (400, {"fixed": {"washout": 300}}, DataError, "washout .* 301 is required"),
        (400, {"fixed": {"unit": 3}}, ParameterError, "'unit'.* Did you mean units"),
        (400, {"fixed": {"readout": "RidgeClassifier"}}, DataError, "classifier needs labels"),
    ],
)
def test_what_is_refused(rows: int, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        forecast_record(wave(rows), ["load"], seeds=[0], **options)


def test_the_shortest_series_that_will_do() -> None:
    found = forecast_record(wave(33), ["load"], fixed=SMALL, seeds=[0])
    assert found.holdout == 3
    np.testing.assert_array_equal(found.baselines["naive"], naive(found.series[:30], 3))
