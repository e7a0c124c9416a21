"""How free runs are scored, and the trivial forecasts they are compared with."""

from __future__ import annotations

import naive_flows as slow
import numpy as np
import pytest
from free_runs import CHAOTIC, rng, small

from reservoir.base import baselines
from reservoir.metrics import valid_prediction_time
from reservoir.tasks import get_task
from reservoir.validation import DataError

# Scores and baselines


@pytest.mark.parametrize("name", CHAOTIC)
def test_vpt_of_perfect_and_late_failing_forecasts(name: str) -> None:
    task = small(name)
    data = task.generate(0)
    unit = task.time_step * task.lyapunov
    perfect = [target.copy() for target in data.test.targets]
    assert task.score(perfect, data) == pytest.approx(30 * unit)
    perfect[1][12] += 100.0
    # Two starts reach their 30 steps, one fails at step 12.
    assert task.score(perfect, data) == pytest.approx((30 + 12 + 30) / 3 * unit)
    scores = task.scores(perfect, data)
    assert next(iter(scores)) == task.metric == "vpt"
    assert scores["vpt_median"] == pytest.approx(30 * unit)
    assert scores["vpt_min"] == pytest.approx(12 * unit)
    assert task.higher_is_better


def test_vpt_counts_a_diverged_forecast() -> None:
    task = small("lorenz")
    data = task.generate(0)
    assert task.score([np.full((30, 3), np.nan)] * 3, data) == 0.0


def test_predictions_of_the_wrong_number_or_shape_are_refused() -> None:
    task = small("lorenz")
    data = task.generate(0)
    with pytest.raises(DataError, match="2 predictions for 3 starts"):
        task.score(list(data.test.targets)[:2], data)
    with pytest.raises(DataError, match="must agree"):
        task.score([target[:10] for target in data.test.targets], data)


def test_henon_reports_the_first_step() -> None:
    task = small("henon")
    data = task.generate(0)
    wrong = [target.copy() for target in data.test.targets]
    for target in wrong:
        target[0] += 0.1
    assert task.scores(wrong, data)["one_step_nmse"] == pytest.approx(0.01 / 0.721**2)


def test_mackey_glass_scores_the_84th_step() -> None:
    task = small("mackey-glass")
    data = task.generate(0)
    wrong = [target.copy() for target in data.test.targets]
    wrong[0][83] += 0.3
    wrong[2][82] += 5.0  # another step: not scored
    variance = data.info["variance"]
    expected = np.sqrt(0.3**2 / (3 * variance))
    assert task.score(wrong, data) == pytest.approx(expected)
    assert task.scores(wrong, data) == pytest.approx({"nrmse84": expected, "log10_nrmse84": np.log10(expected)})
    assert task.score(data.test.targets, data) == 0.0
    assert variance == pytest.approx(0.0467, rel=0.01)


@pytest.mark.parametrize("name", CHAOTIC)
def test_baseline_of_chaos_is_persistence(name: str) -> None:
    task = small(name)
    data = task.generate(0)
    times = []
    for history, target in zip(data.test.inputs, data.test.targets, strict=True):
        still = np.repeat(history[-1:], len(target), axis=0)
        times.append(valid_prediction_time(still, target, task.spread, task.time_step, task.lyapunov))
    assert task.baseline(data) == pytest.approx(np.mean(times))


@pytest.mark.parametrize("name", ["mackey-glass", "mso", "sine"])
def test_baseline_of_the_others_is_the_mean(name: str) -> None:
    task = get_task(name)
    data = task.generate(0)
    mean = data.train.targets[0].mean(axis=0)
    guess = [np.tile(mean, (len(target), 1)) for target in data.test.targets]
    assert task.baseline(data) == pytest.approx(task.score(guess, data))
    assert task.baseline(data) == pytest.approx(1.0, abs=0.1)
    assert not task.higher_is_better


def test_a_free_run_asks_the_model_for_a_forecast() -> None:
    class Persistence:
        def forecast(self, histories: list[np.ndarray], steps: int) -> list[np.ndarray]:
            return [baselines.naive(history, steps) for history in histories]

    task = small("lorenz")
    data = task.generate(0)
    assert task.score(task.predict(Persistence(), data.test), data) == task.baseline(data)


# Trivial forecasts and periods


def test_naive_forecasts() -> None:
    history = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    np.testing.assert_array_equal(baselines.naive(history, 2), [[3.0, 30.0], [3.0, 30.0]])
    np.testing.assert_array_equal(baselines.seasonal_naive(history[:, 0], 5, 2), [2.0, 3.0, 2.0, 3.0, 2.0])
    with pytest.raises(DataError, match="last 4 rows"):
        baselines.seasonal_naive(history, 2, 4)


@pytest.mark.parametrize("period", [2, 7, 12, 24, 130])
def test_periods_are_found_in_noise_on_a_trend(period: int) -> None:
    time = np.arange(1000)
    wave = np.sin(2 * np.pi * time / period + 0.5) if period > 2 else (-1.0) ** time
    series = 50.0 + 0.02 * time + wave + 0.3 * rng(period).normal(size=1000)
    found = baselines.estimate_period(series)
    assert found is not None
    assert abs(found - period) <= period // 24
    pulses = 3.0 * (time % period == 0) + 0.1 * rng(period).normal(size=1000)
    assert baselines.estimate_period(pulses) == period


def test_a_multiple_does_not_replace_the_period() -> None:
    time = np.arange(400)
    found = [baselines.estimate_period(np.sin(2 * np.pi * time / 12) + rng(seed).normal(size=400)) for seed in range(50)]
    assert sum(period in (11, 12, 13) for period in found) >= 45


def test_a_period_is_worth_a_seasonal_forecast() -> None:
    # Noise through a low pass peaks by chance: none of these 100 records passes, 10 without a check of the forecast.
    found = []
    for seed in range(100):
        values = [0.0]
        for noise in rng(seed).normal(size=400):
            values.append(0.9 * values[-1] + noise)
        found.append(baselines.estimate_period(values))
    assert sum(period is not None for period in found) <= 3


def seasons(weights: dict[int, float], length: int = 260) -> np.ndarray:
    """Cosines of some periods and weights, each with a phase of its own."""
    return sum(weight * np.cos(2 * np.pi * np.arange(length) / period + period) for period, weight in weights.items())


@pytest.mark.parametrize("seed", range(5))
def test_a_harmonic_does_not_replace_the_period(seed: int) -> None:
    noise = 0.2 * rng(seed).normal(size=260)
    # Months of a year whose quarters stand out, on the swings of trade: the autocorrelation is nearly as high at 3.
    assert baselines.estimate_period(seasons({3: 1.0, 4: 0.5, 12: 0.5, 70: 1.0}) + noise) == 12
    assert baselines.estimate_period(seasons({24: 1.0, 12: 0.5}) + noise) == 24
    assert baselines.estimate_period(seasons({24: 0.5, 12: 1.0}) + noise) == 24


@pytest.mark.parametrize("trend", ["square", "cube", "growth"])
def test_a_period_on_a_curved_trend(trend: str) -> None:
    time = np.linspace(0.0, 1.0, 260)
    curve = {"square": 100 * time**2, "cube": -100 * time**3, "growth": 5 * np.exp(3 * time)}[trend]
    scale = curve / 5 if trend == "growth" else 1.0  # seasons grow with the level
    assert baselines.estimate_period(curve + scale * (seasons({12: 1.0}) + 0.3 * rng(0).normal(size=260))) == 12
    assert baselines.estimate_period(curve) is None


def test_a_period_is_an_autocorrelation_peak() -> None:
    series = np.sin(np.arange(150) * 2 * np.pi / 17) + 0.2 * rng(0).normal(size=150)
    found = baselines.estimate_period(series)
    assert found == max(range(9, 26), key=lambda lag: slow.autocorrelation(series, lag))


def test_no_period_where_there_is_none() -> None:
    time = np.arange(400.0)
    plain = [np.ones(400), 0.1 * time, time**2, np.array([1.0, 2.0]), np.array([])]
    assert [baselines.estimate_period(series) for series in plain] == [None] * len(plain)
    noises = [rng(seed).normal(size=400) for seed in range(20)]
    walks = [noise.cumsum() for noise in noises]
    assert sum(baselines.estimate_period(series) is not None for series in noises + walks) <= 2


def test_the_period_of_several_columns() -> None:
    time = np.arange(300)
    columns = np.column_stack([np.sin(2 * np.pi * time / 20), np.full(300, 7.0), 1e6 * np.cos(2 * np.pi * time / 20)])
    assert baselines.estimate_period(columns) == 20
