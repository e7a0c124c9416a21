"""Summaries of sweeps, against values worked out by hand and against slow loops over the runs."""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np
import pytest
from run_tables import random_table, table

from reservoir.sweeps.summary import importance, progress_curve, ranking

# The table of runs


def test_varied_names_are_those_whose_values_differ() -> None:
    trials = [{"a": 1, "b": [1, 2], "c": None}, {"z": 0, "a": 1.0, "b": [1, 3], "c": None}, {"a": 1, "b": [1, 2]}]
    assert table(trials, []).varied() == ["b", "z"]  # 1 is 1.0, a name that is missing is None
    assert table([{"a": True}, {"a": 1}], []).varied() == ["a"]
    assert table([{"a": None}, {"a": "None"}], []).varied() == ["a"]
    assert table([], []).varied() == []


# Ranking


def test_a_ranking_by_hand() -> None:
    """Means: .3, .2, .25; 1 + 3 = 4 = 2 x 2, so that the deviations of trial 1 are .1 and the variance .02."""
    trials = [{"a": 1, "b": 5}, {"a": 2, "b": 5}, {"a": 3, "b": 5}]
    runs: list[Any] = [(0, 0, 0.3), (0, 1, 0.3), (1, 0, 0.1), (1, 1, 0.3), (2, 0, 0.25), (2, 1, 0.25)]
    first, second, third = ranking(table(trials, runs))
    assert [first["trial"], second["trial"], third["trial"]] == [1, 2, 0]
    assert first["parameters"] == {"a": 2}
    assert first["n"] == 2 and first["failed"] == first["pruned"] == 0
    assert (first["min"], first["max"]) == (0.1, 0.3)
    assert first["mean"] == first["median"] == pytest.approx(0.2)
    assert first["std"] == pytest.approx(math.sqrt(0.02))
    assert third["mean"] == 0.3 and third["std"] == 0.0  # exact, not but for rounding
    assert [row["trial"] for row in ranking(table(trials, runs, higher=True))] == [0, 2, 1]


def test_trials_with_failures_come_after_all_that_have_none() -> None:
    runs: list[Any] = [
        (0, 0, 9.0), (0, 1, 9.0),
        (1, 0, 0.1), (1, 1, "failed"),
        (2, 0, "pruned"), (2, 1, 0.05),
        (3, 0, "failed"), (3, 1, "pruned"),
        (5, 0, 0.01),
    ]  # fmt: skip
    rows = ranking(table([{"a": k} for k in range(6)], runs))
    assert [row["trial"] for row in rows] == [0, 5, 2, 1, 3]  # 5 has fewer seeds; 4 has no run
    assert [(row["n"], row["failed"], row["pruned"]) for row in rows] == [(2, 0, 0), (1, 0, 0), (1, 0, 1), (1, 1, 0), (0, 1, 1)]
    assert rows[2]["mean"] == 0.05 and rows[2]["std"] == 0.0
    assert [rows[4][name] for name in ("mean", "std", "median", "min", "max")] == [None] * 5


def test_one_trial_with_more_seeds_than_all_others_has_no_advantage() -> None:
    runs: list[Any] = [(0, seed, 0.9) for seed in range(10)] + [(trial, seed, 0.1 * trial) for trial in (1, 2) for seed in (0, 1)]
    assert [row["trial"] for row in ranking(table([{"a": k} for k in range(3)], runs))] == [1, 2, 0]


def test_the_mean_of_equal_scores_is_that_score() -> None:
    """Their sum is .30000000000000004."""
    [row] = ranking(table([{"a": 1}], [(0, seed, 0.1) for seed in range(3)]))
    assert [row[name] for name in ("mean", "median", "std")] == [0.1, 0.1, 0.0]


def test_ties_keep_the_order_of_trials_and_the_order_of_runs_does_not_matter() -> None:
    scores = [0.1, 0.2, 0.7]
    runs: list[Any] = [(2, s, scores[s]) for s in range(3)] + [(0, s, scores[2 - s]) for s in range(3)]
    runs += [(1, s, scores[s - 2]) for s in range(3)]
    assert [row["trial"] for row in ranking(table([{"a": k} for k in range(3)], runs))] == [0, 1, 2]


@pytest.mark.parametrize("score", [math.inf, math.nan])
def test_scores_that_are_not_finite(score: float) -> None:
    runs: list[Any] = [(0, 0, score), (0, 1, 1.0), (1, 0, 2.0), (1, 1, 2.0)]
    first, second = ranking(table([{"a": 0}, {"a": 1}], runs))
    assert first["trial"] == 1 and second["trial"] == 0
    assert second["failed"] == (1 if math.isnan(score) else 0)  # a run that is done has a score
    assert second["mean"] == (1.0 if math.isnan(score) else math.inf)


@pytest.mark.parametrize("seed", range(4))
def test_rankings_agree_with_loops_over_the_runs(seed: int) -> None:
    sweep = random_table(seed)
    rows = ranking(sweep)
    assert ranking(sweep, top=7) == rows[:7]
    assert sorted(row["trial"] for row in rows) == sorted(set(sweep.trial.tolist()))
    for row in rows:
        mine = np.flatnonzero(sweep.trial == row["trial"])
        scores = [float(sweep.score[k]) for k in mine if sweep.status[k] == "done"]
        assert row["n"] == len(scores)
        assert row["failed"] == sum(sweep.status[k] == "failed" for k in mine)
        assert row["pruned"] == sum(sweep.status[k] == "pruned" for k in mine)
        if scores:
            assert row["mean"] == pytest.approx(statistics.fmean(scores))
            assert row["median"] == pytest.approx(statistics.median(scores))
            assert row["std"] == pytest.approx(statistics.stdev(scores) if len(scores) > 1 else 0.0)
            assert (row["min"], row["max"]) == (min(scores), max(scores))
    clean = [row["mean"] for row in rows if row["failed"] + row["pruned"] == 0]
    usual = statistics.median_high(row["n"] for row in rows if row["failed"] + row["pruned"] == 0)
    best = [row["mean"] for row in rows if row["failed"] + row["pruned"] == 0 and row["n"] >= usual]
    assert clean[: len(best)] == best == sorted(best, reverse=sweep.about["higher_is_better"])


def test_no_runs() -> None:
    empty = table([{"a": 1}, {"a": 2}], [])
    assert ranking(empty) == []
    assert len(progress_curve(empty).trial) == 0
    assert [row["share"] for row in importance(empty)] == [None, None]


# Progress


def test_progress_by_hand() -> None:
    runs: list[Any] = [(0, 0, "failed"), (1, 0, 5.0), (2, 0, 7.0), (3, 0, 3.0), (4, 0, "pruned"), (5, 0, 4.0)]
    trial, mean, best = progress_curve(table([{"a": k} for k in range(6)], runs))
    assert trial.tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(mean, [math.nan, 5.0, 7.0, 3.0, math.nan, 4.0])
    np.testing.assert_array_equal(best, [math.nan, 5.0, 5.0, 3.0, 3.0, 3.0])
    *_, best = progress_curve(table([{"a": k} for k in range(6)], runs, higher=True))
    np.testing.assert_array_equal(best, [math.nan, 5.0, 7.0, 7.0, 7.0, 7.0])


@pytest.mark.parametrize("seed", range(4))
def test_the_last_of_the_best_is_the_first_of_the_ranking(seed: int) -> None:
    sweep = random_table(seed)
    assert progress_curve(sweep).best[-1] == ranking(sweep)[0]["mean"]


def test_the_best_of_trials_that_all_have_failures() -> None:
    runs: list[Any] = [(0, 0, "failed"), (0, 1, "failed"), (1, 0, 2.0), (1, 1, "failed"), (2, 0, 1.0), (2, 1, "pruned")]
    np.testing.assert_array_equal(progress_curve(table([{"a": k} for k in range(3)], runs)).best, [math.nan, 2.0, 1.0])
    none = progress_curve(table([{"a": k} for k in range(3)], runs[:2]))
    assert np.isnan(none.best).all() and np.isnan(none.mean).all()
