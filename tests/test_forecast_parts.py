"""The parts of a forecast against their slow twins: references, features, direct readouts, regression, weights, bands."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import naive_forecasts as slow
import numpy as np
import pytest

from reservoir import DataError, ParameterError
from reservoir.echo.reservoir import Reservoir
from reservoir.forecasting import bands, combination, direct, features, past, references, regression, reservoir_bands, transform
from reservoir.forecasting.features import draw_reservoir
from reservoir.forecasting.model import standardized_past, without_effects
from reservoir.forecasting.parts import Readouts, Reference, default_parts
from reservoir.forecasting.past import Past


def series(n: int, season: int = 7, seed: int = 0) -> np.ndarray:
    """A season, a trend and noise, (n,)."""
    rng, rows = np.random.default_rng(seed), np.arange(n)
    return 20.0 + 0.05 * rows + 2.0 * np.sin(2 * np.pi * rows / max(season, 2)) + rng.normal(0.0, 0.5, n)


def some_past(n: int = 90, horizon: int = 13, season: int = 7) -> Past:
    return standardized_past(series(n, season), horizon, season, (float(season),), "last")


# References


@pytest.mark.parametrize("season", [1, 2, 7, 12])
@pytest.mark.parametrize("name", ["seasonal_naive", "drift", "theta"])
def test_references_equal_their_twins_from_every_origin(name: str, season: int) -> None:
    z, horizon = series(60, season), 17
    origins = np.array([12, 13, 24, 33, 60])
    comp = getattr(references, name)(z, season, origins, horizon)
    for row, origin in zip(comp, origins.tolist(), strict=True):
        np.testing.assert_allclose(row, getattr(slow, name)(z[:origin].tolist(), season, horizon), rtol=1e-10)


@pytest.mark.parametrize("name", ["seasonal_naive", "drift", "theta"])
def test_references_see_nothing_after_an_origin(name: str) -> None:
    z = series(60)
    other = z.copy()
    other[40:] = 1e6
    function, origins = getattr(references, name), np.array([30, 40])
    np.testing.assert_array_equal(function(z, 7, origins, 9), function(other, 7, origins, 9))


@pytest.mark.parametrize("rows", [16, 25, 60])
@pytest.mark.parametrize("season", [1, 4, 7])
def test_the_regression_on_lags_equals_its_twin(rows: int, season: int) -> None:
    z, known = series(rows), np.random.default_rng(1).normal(size=(rows + 8, 2))
    comp = references.lag_regression(z, known, season, 8)
    np.testing.assert_allclose(comp, slow.lag_regression(z.tolist(), known.tolist(), season, 8), rtol=1e-6)
    assert references.lag_regression(z, known[:, :0], season, 8).shape == (8,)


def test_the_regression_on_lags_finds_what_is_linear() -> None:
    known = np.random.default_rng(0).normal(size=(66, 1))
    z = 3.0 + 2.0 * known[:60, 0]
    np.testing.assert_allclose(references.lag_regression(z, known, 1, 6), 3.0 + 2.0 * known[60:, 0], atol=1e-4)


# Features


def test_lags_and_differences_of_a_short_column() -> None:
    column = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    assert features.lagged(column, [0, 2]).tolist() == [[1, 10, 0, 0], [2, 20, 0, 0], [4, 40, 1, 10]]
    assert features.seasonal_difference(np.array([1.0, 2.0, 4.0]), 2).tolist() == [0.0, 0.0, 3.0]


def test_waves_stop_where_rows_cannot_show_them() -> None:
    assert features.waves(np.arange(5), [7.0]).shape == (5, 6)
    assert features.waves(np.arange(5), [4.0]).shape == (5, 3)  # the second harmonic has a cosine only
    assert features.waves(np.arange(5), [1.5]).shape == (5, 0)
    rows = np.arange(50)
    np.testing.assert_allclose(features.waves(rows, [12.5])[:, 2], [np.sin(4 * np.pi * t / 12.5) for t in rows], atol=1e-12)


def test_the_level_is_the_mean_of_the_last_season() -> None:
    found = some_past()
    expected = [found.z[max(0, t - 6) : t + 1].mean() for t in range(len(found.z))]
    np.testing.assert_allclose(found.level, expected, atol=1e-12)


@pytest.mark.parametrize("part", [Readouts(), Readouts(networks=2)])
def test_features_of_a_row_know_nothing_of_later_rows(part: Readouts) -> None:
    whole = some_past(90)
    z = whole.z.copy()
    z[60:] = 5.0
    cut = Past(**{**vars_of(whole), "z": z})
    for x, y in zip(part.features(whole, 30, 10.0), part.features(cut, 30, 10.0), strict=True):
        np.testing.assert_array_equal(x[:60], y[:60])
        assert not np.array_equal(x[60:], y[60:])


# Direct readouts


@pytest.mark.parametrize("horizon", [1, 5, 13])
def test_direct_corrections_equal_one_regression_each(horizon: int) -> None:
    z, season = series(70), 7
    n = len(z)
    x = np.column_stack([z, np.sin(np.arange(n)), np.full(n, 3.0)])  # one column is constant
    bases = np.stack([np.repeat(z[:, None], horizon, axis=1), np.zeros((n, horizon))])
    origins = np.array([9, 20, 41, 70])
    edges = direct.block_edges(horizon).tolist()
    for a, b in pairwise(edges):
        comp, last = direct.block_regressions(x, z, bases, origins, season, a, b)
        for i, origin in enumerate(origins.tolist()):
            for k in range(a + 1, b + 1):
                for r, ridge in enumerate(slow.RIDGES):
                    ref = slow.correction(x, z, lambda t, k: z[t], origin, season, (a, b), k, ridge)
                    assert comp[r, 0, i, k - a - 1] == pytest.approx(ref, rel=1e-7, abs=1e-9)
        weights = direct.coefficients(last, np.full(2 * (b - a), 3))
        np.testing.assert_allclose(weights[0] + x[-1] @ weights[1:], comp[3, :, -1].ravel(), rtol=1e-9)


def test_too_few_rows_leave_the_reference_as_it_is() -> None:
    z = series(30)
    found, _ = direct.block_regressions(z[:, None], z, np.zeros((1, 30, 4)), np.array([13, 30]), 7, 3, 4)
    assert (found[:, :, 0] == 0.0).all()  # rows 7 and 8 alone have a target before row 13
    assert (found[:, :, 1] != 0.0).all()


def test_block_edges_cover_the_horizon() -> None:
    for horizon in (1, 2, 6, 7, 48, 132):
        edges = direct.block_edges(horizon)
        assert edges[0] == 0 and edges[-1] == horizon and len(edges) == min(horizon, 6) + 1
        assert np.ptp(np.diff(edges)) <= 1


@pytest.mark.parametrize("name", ["seasonal naive", "theta", "linear", "reservoir"])
def test_a_part_applied_to_its_past_goes_on_as_from_an_inner_origin(name: str) -> None:
    # A past that ends at what was an inner origin: the forecast from there is that of the inner origin, penalties alike.
    part, whole = default_parts()[name], some_past(100, horizon=6)
    forecasts, _ = part.fit(whole)
    origin = int(whole.origins[-1])
    cut = Past(
        whole.z[:origin], whole.observed[:origin], 7, (7.0,), 6, whole.origins[:-4], np.empty((origin, 0)),
        np.empty((origin + 6, 0)), np.zeros(origin + 6), whole.scale,
    )  # fmt: skip
    _, arrays = part.fit(cut)
    applied = part.apply(cut, arrays)
    assert applied.shape == (len(forecasts), 6)
    tolerance = 1e-9 if isinstance(part, Reference) else 0.5  # the penalty is chosen on other origins
    np.testing.assert_allclose(applied, forecasts[:, -1], atol=tolerance)
    assert all(isinstance(array, np.ndarray) for array in arrays.values())


def test_a_short_series_has_a_small_and_fast_reservoir() -> None:
    for n, horizon, units, slowest in ((40, 3, 20, 8.0), (200, 40, 50, 50.0), (600, 12, 100, 24.0)):
        _, arrays = Readouts(networks=1).fit(some_past(n, horizon))
        assert arrays["reservoir"].tolist() == [units, slowest]


def test_readouts_of_other_columns_are_silent_without_any() -> None:
    found, arrays = Readouts(networks=1, others=True).fit(some_past())
    assert found.shape[0] == 0 and arrays == {}
    assert Readouts(networks=1, others=True).apply(some_past(), arrays).shape == (0, 13)


# The past


def test_inner_origins_end_a_horizon_before_the_end_and_leave_two_seasons() -> None:
    origins = past.inner_origins(np.full(200, True), horizon=20, season=7)
    assert len(origins) == 16 and origins[-1] == 180 and np.ptp(np.diff(origins)) <= 1
    assert origins[0] >= 66
    assert past.inner_origins(np.full(60, True), horizon=20, season=12).min() == 24


def test_two_seasons_give_way_to_a_band() -> None:
    observed = np.ones(336, bool)
    assert past.inner_origins(observed, 3, 168).tolist() == [327, 328, 329, 330, 331, 332, 333]  # 21 errors; two weeks have 1
    assert past.inner_origins(observed, 24, 168).tolist() == [312]
    assert past.inner_origins(observed[:30], 1, 12).tolist() == [*range(12, 30)]
    assert past.inner_origins(observed[:12], 4, 1).tolist() == [8]


def test_inner_origins_come_right_after_an_observed_row() -> None:
    observed = np.full(200, True)
    observed[150:183] = False
    origins = past.inner_origins(observed, horizon=20, season=7)
    assert observed[origins - 1].all()
    assert all(observed[origin : origin + 20].any() for origin in origins)
    with pytest.raises(DataError, match="last 5 rows have too few values"):
        past.inner_origins(np.arange(40) < 12, horizon=5, season=7)


def test_the_season_whose_naive_forecast_was_best_is_chosen() -> None:
    rows = np.arange(800)
    day, week = np.sin(2 * np.pi * rows / 24), (rows // 24 % 7 >= 5).astype(float)
    assert past.main_season(day + 2.0 * week, (24, 168), 24) == 168
    assert past.main_season(day + 0.01 * rows, (24, 168), 24) == 24
    assert past.main_season(day, (365.25, 2000), 24) == 365
    assert past.main_season(day, (), 24) == 1
    assert past.main_season(day[:40], (24,), 24) == 1  # it has not been there twice


def test_gaps_are_filled() -> None:
    gappy = np.array([1.0, np.nan, 3.0, 4.0, np.nan, np.nan])
    assert past.fill_gaps(gappy, "last", 2).tolist() == [1, 1, 3, 4, 4, 4]
    assert past.fill_gaps(gappy, "seasonal", 2).tolist() == [1, 1, 3, 4, 3, 4]
    assert past.fill_gaps(gappy, "linear", 2).tolist() == [1, 2, 3, 4, 3, 4]
    assert np.isnan(gappy[1])
    with pytest.raises(DataError, match=r"^load: 3 of 6 rows are missing, at most 2 in a row, from row 4 on; .*fill="):
        past.check_gaps(gappy, "load")


@pytest.mark.parametrize("method", ["last", "seasonal", "linear"])
def test_a_gap_before_an_observed_row_is_filled_alike_whatever_follows(method: str) -> None:
    gappy = series(50)
    gappy[[5, 6, 20, 21, 22, 49]] = np.nan
    for end in (8, 24, 40):
        np.testing.assert_array_equal(past.fill_gaps(gappy[:end], method, 7), past.fill_gaps(gappy, method, 7)[:end])


# Transform


@pytest.mark.parametrize(("power", "expected"), [(0.0, np.log(4.0)), (0.5, 2.0), (1.0, 4.0)])
def test_transforms_and_back(power: float, expected: float) -> None:
    assert transform.forward(np.array(4.0), power) == expected
    assert transform.inverse(np.array(expected), power) == pytest.approx(4.0)
    scale = transform.Scale.of(np.array([1.0, 4.0, 9.0]), power)
    np.testing.assert_allclose(scale.restored(scale.standardized(np.array([2.0, 5.0]))), [2.0, 5.0])
    assert scale.restored(np.array([-50.0])) >= 0.0  # positive stays positive


@pytest.mark.parametrize(
    ("values", "power"),
    [
        (np.exp(0.05 * np.arange(60)) * (2.0 + np.sin(np.arange(60))), 0.0),
        (1e-6 * np.exp(0.05 * np.arange(60)) * (2.0 + np.sin(np.arange(60))), 0.0),  # whatever the unit
        (np.append(0.0, np.exp(0.05 * np.arange(59)) * (2.0 + np.sin(np.arange(59)))), 0.5),  # no logarithm of 0
        (-np.exp(0.05 * np.arange(60)), 1.0),
        (10.0 + np.sin(np.arange(60)), 1.0),
        (np.arange(9.0), 1.0),  # too short to say
        (np.append(np.zeros(8), np.exp(np.arange(24.0))), 1.0),  # a block without a level
        (np.repeat([1.0, 2.0, 9.0], 8), 1.0),  # blocks without a spread
    ],
)
def test_the_power_follows_the_spread(values: np.ndarray, power: float) -> None:
    assert transform.choose_power(values, 6) == power


# Regression


def known_past(positive: bool = True, n: int = 120) -> tuple[Past, np.ndarray]:
    """A series that follows a temperature and a switch, and both."""
    rng = np.random.default_rng(3)
    known = np.column_stack([rng.normal(10.0, 5.0, n + 10), rng.random(n + 10) < 0.1])
    values = series(n) + 0.4 * np.maximum(known[:n, 0] - 12.0, 0.0) - 3.0 * known[:n, 1] + (0.0 if positive else -40.0)
    return without_effects(standardized_past(values, 10, 7, (7.0, 30.5), "last"), known)[0], known


@pytest.mark.parametrize("positive", [True, False])
def test_regressions_equal_one_of_each_end_and_penalty(positive: bool) -> None:
    found, _ = known_past(positive)
    columns = regression.design(found, 120)[:120]
    observed = np.arange(120) % 11 != 5
    ends = np.array([60, 97, 120])
    comp = regression.regressions(columns, found.z, observed, ends)
    for e, end in enumerate(ends.tolist()):
        rows = np.flatnonzero(observed[:end])
        for r, ridge in enumerate(slow.RIDGES):
            ref = slow.ridge_regression(columns[rows], found.z[rows], ridge)
            np.testing.assert_allclose(comp[r, e], ref, rtol=1e-5, atol=1e-6)


def test_residuals_go_on_by_autoregression() -> None:
    residuals = np.random.default_rng(0).normal(size=(40, 2)).cumsum(axis=0)
    weights = regression.autoregression(residuals)
    for column in range(2):
        ref = slow.autoregression(residuals[:, column], 7)
        np.testing.assert_allclose(weights[:, column], ref, rtol=1e-8)
        np.testing.assert_allclose(
            regression.continued(residuals, weights, 5)[:, column], slow.continued(residuals[:, column], ref, 5), rtol=1e-8
        )


def test_products_are_for_the_scales_on_which_effects_add() -> None:
    found, known = known_past(positive=False)
    assert found.scale.power == 1.0
    calendar, block = 1 + 6 + 6, 1 + 5 + 1  # a trend and two periods; the temperature, its hinges and the switch
    products = 6 * 3 + 1 * 3 + 1 * 6  # season by trend and slow wave, switch by the same, switch by season
    assert regression.design(found, 120).shape == (130, calendar + block + products)
    logarithmic = Past(**{**vars_of(found), "scale": transform.Scale(0.0, 0.0, 1.0, True)})
    assert regression.design(logarithmic, 120).shape == (130, calendar + block)
    switch, season = known[:, 1], features.waves(np.arange(130), [7.0], 3)
    np.testing.assert_allclose(regression.design(found, 120)[:, -6:], switch[:, None] * season)


def vars_of(found: Past) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Past.__dataclass_fields__}


def test_hinges_bend_at_quantiles_and_switches_have_none() -> None:
    known = np.column_stack([np.arange(12.0), np.arange(12) % 2])
    block = regression.known_block(known, 10)
    assert block.shape == (12, 1 + 5 + 1)
    spread = np.arange(10.0).std()
    np.testing.assert_allclose(block[:, 3], np.maximum(np.arange(12.0) - 4.5, 0.0) / spread)  # the median of the first ten
    assert regression.switches(known, 10).shape == (12, 1)


def test_what_is_known_is_taken_off_and_put_back() -> None:
    found, known = known_past()
    assert found.scale.power == 1.0 or found.scale.positive
    raw = standardized_past(found.scale.restored(found.z + found.effects[:120]), 10, 7, (7.0, 30.5), "last")
    assert np.std(found.z) < 0.5 * np.std(found.effects[:120])
    np.testing.assert_allclose(found.scale.restored(found.z + found.effects[:120]), raw.scale.restored(raw.z), rtol=1e-9)
    forecasts, _ = regression.Regression().fit(found)
    assert forecasts.shape == (1, len(found.origins), 10)
    assert np.sqrt(np.nanmean(np.square(forecasts - found.truth))) < 0.5
    assert known.shape == found.known.shape


# Combination and bands


def test_weights_equal_their_twin() -> None:
    errors = np.random.default_rng(0).normal(size=(4, 5, 6)) * np.array([1.0, 1.5, 2.0, 1.2])[:, None, None]
    errors[0, 1, 2] = np.nan
    cases = [([True, False, True, False], 100), ([False] * 4, 100), ([True] * 4, 10), ([True, True, False, True], 6)]
    for references_, rows in cases:
        comp = combination.weights(errors, np.array(references_), 6, rows)
        np.testing.assert_allclose(comp, slow.weights(errors, references_, 6, rows), rtol=1e-9)
        assert comp.sum() == pytest.approx(1.0)


def test_a_forecast_without_error_takes_all() -> None:
    errors = np.array([[[0.0, 0.0]], [[1.0, 1.0]]])
    assert combination.weights(errors, np.array([False, False]), 2, 100).tolist() == [1.0, 0.0]


def test_each_origin_is_judged_with_weights_of_the_others() -> None:
    errors = np.random.default_rng(1).normal(size=(3, 5, 4))
    guard = np.array([True, False, False])
    comp = combination.errors_left_out(errors, guard, 4, 100)
    for i in range(5):
        ref = slow.weights(np.delete(errors, i, axis=1), guard.tolist(), 4, 100)
        np.testing.assert_allclose(comp[i], np.tensordot(ref, errors[:, i], 1), rtol=1e-9)


def test_half_widths_are_weighted_quantiles_over_a_profile() -> None:
    rng, leads = np.random.default_rng(0), np.arange(1, 9)
    errors = rng.normal(size=(15, 8)) * np.sqrt(leads)
    errors[3, :2] = np.nan
    origins = np.arange(40, 100, 4)
    found = bands.past_errors(errors, origins, 100)
    growth = found.profile / found.profile[0]
    np.testing.assert_allclose(growth, leads ** np.log2(growth[1]), rtol=1e-9)  # c k^s
    assert 0.2 < np.log2(growth[1]) < 0.8
    there = ~np.isnan(errors)
    scaled = (np.abs(errors) / found.profile)[there]
    weight = np.broadcast_to(((origins / 100) ** 2)[:, None], errors.shape)[there]
    for level in (30.0, 80.0):
        ref = slow.weighted_quantile(scaled.tolist(), weight.tolist(), level / 100.0 * (1.0 + 1.0 / 60.0))
        np.testing.assert_allclose(bands.half_width(found, level), ref * found.profile, rtol=1e-12)
    wide, narrow = bands.half_width(found, 95.0), bands.half_width(found, 80.0)
    assert (wide >= 1.529 * narrow).all()


@pytest.mark.parametrize(("count", "level", "needed"), [(18, 95, 19), (3, 80, 4), (98, 99, 99)])
def test_a_level_that_too_few_errors_support_is_refused(count: int, level: float, needed: int) -> None:
    def of(rows: int) -> bands.Errors:
        return bands.past_errors(np.linspace(0.5, 2.0, rows)[:, None], np.full(rows, 50), 50)

    with pytest.raises(ParameterError, match=rf"'levels' .* with {count} past errors\. Got {level}, which needs {needed}; lower"):
        bands.half_width(of(count), level)
    assert bands.half_width(of(needed), level) > 0.0


@pytest.mark.parametrize("horizon", [1, 7])
def test_reservoirs_weigh_errors_as_their_twin_does(monkeypatch: pytest.MonkeyPatch, horizon: int) -> None:
    drawn = []

    def draw(*arguments: Any) -> Reservoir:
        drawn.append(draw_reservoir(*arguments))
        return drawn[-1]

    monkeypatch.setattr(reservoir_bands, "draw_reservoir", draw)
    errors = np.random.default_rng(0).normal(size=(6, horizon))
    errors[2, 0] = np.nan
    origins = np.array([20, 24, 25, 31, 40, 60 - horizon])
    comp = reservoir_bands.likeness(errors, origins, 60, np.random.SeedSequence(0))
    matrix = drawn[0].recurrent_weights()
    weights = {"recurrent": matrix.toarray() if hasattr(matrix, "toarray") else matrix, "input": drawn[0].input_weights}
    weights.update(bias=drawn[0].bias, leak=drawn[0].leak)
    ref = slow.likeness(errors, origins.tolist(), 60, weights, reservoir_bands.TEMPERATURE)
    np.testing.assert_allclose(comp, ref, rtol=1e-9)
    assert comp.sum() == pytest.approx(1.0) and comp.max() > 1.2 * comp.min()


def test_errors_of_a_like_origin_count_more() -> None:
    errors, origins = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([10, 10, 10, 10])
    alike = np.array([0.05, 0.05, 0.05, 0.85])
    plain, weighed = (bands.past_errors(errors, origins, 20, given) for given in (None, alike))
    np.testing.assert_allclose(weighed.weights, plain.weights * alike)
    assert bands.half_width(weighed, 50.0) == pytest.approx(4.0) and bands.half_width(plain, 50.0) == pytest.approx(3.0)
