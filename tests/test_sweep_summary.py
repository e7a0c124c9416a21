"""Summaries of sweeps, against values worked out by hand and against slow loops over the runs."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from reservoir.sweeps.summary import RunTable, importance, progress_curve, ranking


def table(trials: list[dict[str, Any]], runs: list[tuple[int, int, float | str]], higher: bool = False) -> RunTable:
    """From (trial, seed, score), or a status in the place of the score."""
    status = ["done" if isinstance(score, float) else score for *_, score in runs]
    return RunTable(
        about={"higher_is_better": higher},
        trials=trials,
        trial=np.array([trial for trial, *_ in runs], dtype=int),
        seed=np.array([seed for _, seed, _ in runs], dtype=int),
        score=np.array([score if isinstance(score, float) else math.nan for *_, score in runs]),
        status=np.array(status),
        error=[None if text == "done" else text for text in status],
    )


def grid(scores: np.ndarray, higher: bool = False) -> RunTable:
    """Of scores (levels of a, levels of b, seeds)."""
    a, b, seeds = scores.shape
    trials = [{"a": i, "b": float(j), "fixed": 1} for i in range(a) for j in range(b)]
    runs = [(i * b + j, k, float(scores[i, j, k])) for i in range(a) for j in range(b) for k in range(seeds)]
    return table(trials, runs, higher)


def shares(found: list[dict[str, Any]]) -> dict[str, float]:
    return {row["name"]: row["share"] for row in found}


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


def random_table(seed: int, n: int = 300) -> RunTable:
    rng = np.random.default_rng(seed)
    trials: list[dict[str, Any]] = [
        {"a": float(rng.random()), "b": int(rng.integers(4)), "c": [None, True, "x", [1, 2]][rng.integers(4)]} for _ in range(60)
    ]
    runs: list[Any] = []
    for trial, parameters in enumerate(trials):
        for seed in range(rng.integers(1, 7)):
            error = 10.0 ** (2.0 * parameters["a"] - parameters["b"] + 0.3 * rng.normal() + 0.2 * seed)
            runs.append((trial, seed, ["failed", "pruned"][rng.integers(2)] if rng.random() < 0.05 else float(error)))
    return table(trials, [runs[k] for k in rng.permutation(len(runs))][:n], higher=bool(rng.integers(2)))


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


# Importance


def test_an_importance_by_hand() -> None:
    """Level means 2 and 6, SS_between = 4 x 2^2 = 16 of 20; seeds' means 3 and 5, SS_between = 4; their sum leaves nothing."""
    runs: list[Any] = [(0, 0, 1.0), (0, 1, 3.0), (1, 0, 5.0), (1, 1, 7.0)]
    rows = importance(table([{"a": "x"}, {"a": "y"}], runs, higher=True))
    assert [(row["name"], row["kind"], row["levels"]) for row in rows] == [
        ("a", "parameter", 2), ("seed", "seed", 2), ("interactions and noise", "rest", None)
    ]  # fmt: skip
    assert [row["share"] for row in rows] == pytest.approx([0.8, 0.2, 0.0])
    assert all(row["scale"] == "linear" and row["runs"] == 4 for row in rows)


def test_an_importance_with_an_error_by_hand() -> None:
    """Level means 2 and 6, seeds' 3 and 5 of 1, 3, 4, 8: the sum of both leaves 1, -1, -1, 1 over 2, twice: MS_error = 1."""
    runs: list[Any] = [(0, 0, 1.0), (0, 1, 3.0), (1, 0, 4.0), (1, 1, 8.0)]
    rows = importance(table([{"a": "x"}, {"a": "y"}], runs, higher=True))
    assert [row["share"] for row in rows] == pytest.approx([15.0 / 26.0, 8.0 / 26.0, 3.0 / 26.0])


def test_errors_enter_as_logarithms() -> None:
    runs: list[Any] = [(0, 0, 1e1), (0, 1, 1e3), (1, 0, 1e5), (1, 1, 1e7)]
    rows = importance(table([{"a": "x"}, {"a": "y"}], runs))
    assert rows[0]["share"] == pytest.approx(0.8)
    assert rows[0]["scale"] == "log10"
    assert importance(table([{"a": "x"}, {"a": "y"}], [*runs[:3], (1, 1, 0.0)]))[0]["scale"] == "linear"


def test_only_runs_that_are_done_count() -> None:
    runs: list[Any] = [(0, 0, 1.0), (0, 1, 3.0), (1, 0, 5.0), (1, 1, 7.0)]
    more: list[Any] = [(0, 2, "failed"), (1, 2, "pruned"), (2, 0, "failed"), (2, 1, math.inf)]
    trials: list[dict[str, Any]] = [{"a": "x"}, {"a": "y"}, {"a": "z"}]
    assert importance(table(trials, runs + more)) == importance(table(trials, runs))


def slow_share(levels: list[Any], score: np.ndarray, error: float) -> float:
    groups = [score[[k for k, level in enumerate(levels) if level == one]] for one in dict.fromkeys(levels)]
    between = sum(len(group) * (group.mean() - score.mean()) ** 2 for group in groups)
    within = sum(((group - group.mean()) ** 2).sum() for group in groups)
    return max(0.0, float((between - (len(groups) - 1) * error) / (between + within)))


def slow_error(columns: list[list[Any]], score: np.ndarray) -> float:
    """By least squares on a column of ones and one per level."""
    design = np.column_stack(
        [np.ones(len(score)), *[[level == one for level in column] for column in columns for one in dict.fromkeys(column)]]
    ).astype(float)
    solution, _, rank, _ = np.linalg.lstsq(design, score)
    residual = score - design @ solution
    return float(residual @ residual / (len(score) - rank))


@pytest.mark.parametrize("seed", range(4))
def test_shares_agree_with_loops_and_a_design_matrix(seed: int) -> None:
    sweep = random_table(seed)
    done = np.flatnonzero(sweep.status == "done")
    score = sweep.score[done] if sweep.about["higher_is_better"] else np.log10(sweep.score[done])
    numbers = [sweep.trials[sweep.trial[k]]["a"] for k in done]
    cuts = sorted({sorted(numbers)[k * len(numbers) // 10] for k in range(1, 10)})
    columns: dict[str, list[Any]] = {
        "a": [sum(number >= cut for cut in cuts) for number in numbers],
        "b": [sweep.trials[sweep.trial[k]]["b"] for k in done],
        "c": [repr(sweep.trials[sweep.trial[k]]["c"]) for k in done],
        "seed": sweep.seed[done].tolist(),
    }
    rows = importance(sweep)
    found = shares(rows)
    assert {row["name"]: row["levels"] for row in rows[:-1]} == {name: len(set(column)) for name, column in columns.items()}
    error = slow_error(list(columns.values()), score)
    for name, column in columns.items():
        assert found[name] == pytest.approx(slow_share(column, score, error), abs=1e-9)
    assert found["interactions and noise"] == pytest.approx(min(1.0, error / score.var(ddof=1)), abs=1e-9)
    ordered = [row["share"] for row in rows[:-1]]
    assert ordered == sorted(ordered, reverse=True)


def test_parameters_that_go_together_explain_the_same_twice_but_leave_the_same() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(4, size=200)
    runs: list[Any] = [(k, 0, float(10.0 ** (values[k] + 0.1 * rng.normal()))) for k in range(200)]
    one = shares(importance(table([{"a": int(v)} for v in values], runs)))
    both = shares(importance(table([{"a": int(v), "b": str(v)} for v in values], runs)))
    assert both["a"] == both["b"] == one["a"] > 0.98
    assert both["interactions and noise"] == pytest.approx(one["interactions and noise"])
    assert one["a"] + one["interactions and noise"] == pytest.approx(1.0)


def test_shares_of_a_full_grid_and_the_rest_sum_to_one() -> None:
    """Variances: 1 of a, 4 of b, 4 of their product, .25 of the noise."""
    a = (np.arange(20.0) - 9.5) / math.sqrt(33.25)
    score = a[:, None, None] + 2.0 * a[:, None] + 2.0 * a[:, None, None] * a[:, None]
    found = shares(importance(grid(score + 0.5 * np.random.default_rng(0).normal(size=(20, 20, 5)), higher=True)))
    parts = {"a": 1.0, "b": 4.0, "interactions and noise": 4.25, "seed": 0.0}
    for name, part in parts.items():
        assert found[name] == pytest.approx(part / sum(parts.values()), abs=0.02)
    assert sum(found.values()) == pytest.approx(1.0, abs=2e-3)  # the seed's, a little below 0, is told as 0


def test_what_does_nothing_explains_nothing_however_many_levels_it_has() -> None:
    """The share of the sum of squares alone would be 19 / 99 on average."""
    rng = np.random.default_rng(0)
    trials: list[dict[str, Any]] = [{"a": k % 20} for k in range(100)]
    found = [
        importance(table(trials, [(k, 0, float(score)) for k, score in enumerate(rng.normal(size=100))], higher=True))[0]["share"]
        for _ in range(100)
    ]
    assert np.mean(found) < 0.05


def test_a_number_with_many_values_is_cut_into_ten_levels_of_equal_counts() -> None:
    """A step at the median is a step between levels."""
    values = np.random.default_rng(0).permutation(100)
    runs: list[Any] = [(k, 0, 1.0 if v < 50 else 2.0) for k, v in enumerate(values)]
    row = importance(table([{"a": int(v)} for v in values], runs, higher=True))[0]
    assert row["levels"] == 10
    assert row["share"] == 1.0
    mixed: list[dict[str, Any]] = [{"a": None if v < 50 else float(v)} for v in values]
    row = importance(table(mixed, runs, higher=True))[0]
    assert row["levels"] == 11
    assert row["share"] == 1.0


@pytest.mark.parametrize(
    ("trials", "runs", "names"),
    [
        ([{"a": 1}], [(0, 0, 1.0)], []),  # nothing varies
        ([{"a": 1}, {"a": 2}], [(0, 0, 1.0)], ["a", "interactions and noise"]),  # one run
        ([{"a": 1}, {"a": 2}], [(0, 0, 1.0), (1, 0, 2.0)], ["a", "interactions and noise"]),  # one run a level
        ([{"a": 1}, {"a": 2}], [(k % 2, k // 2, 0.1) for k in range(8)], ["a", "seed", "interactions and noise"]),  # no spread
        ([{"a": 1}, {"a": 2}], [(0, 0, 1.0), (0, 1, 2.0), (1, 0, "failed")], ["a", "seed", "interactions and noise"]),
    ],
)
def test_shares_that_cannot_be_told(trials: Any, runs: Any, names: list[str]) -> None:
    rows = importance(table(trials, runs))
    assert [row["name"] for row in rows] == names
    assert all(row["share"] is None for row in rows)


def test_a_share_that_cannot_be_told_does_not_hide_the_others() -> None:
    """Every run with a seed of its own."""
    runs: list[Any] = [(k % 2, k, float(1 + k % 2 + 0.01 * (k // 2))) for k in range(10)]
    a, seed, rest = importance(table([{"a": [1]}, {"a": [2]}], runs, higher=True))
    assert (a["name"], seed["name"], seed["share"], seed["levels"]) == ("a", "seed", None, 10)
    assert a["share"] + rest["share"] == pytest.approx(1.0)
    assert a["share"] > 0.99


def test_summaries_need_neither_compiled_nor_drawing_libraries() -> None:
    code = (
        "import sys, reservoir.sweeps.summary;"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'numba', 'scipy', 'matplotlib', 'optuna', 'sklearn'}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
