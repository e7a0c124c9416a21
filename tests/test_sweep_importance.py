"""The importance of the parameters of a sweep."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from run_tables import random_table, table

from reservoir.sweeps.summary import RunTable, importance


def grid(scores: np.ndarray, higher: bool = False) -> RunTable:
    """Of scores (levels of a, levels of b, seeds)."""
    a, b, seeds = scores.shape
    trials = [{"a": i, "b": float(j), "fixed": 1} for i in range(a) for j in range(b)]
    runs = [(i * b + j, k, float(scores[i, j, k])) for i in range(a) for j in range(b) for k in range(seeds)]
    return table(trials, runs, higher)


def shares(found: list[dict[str, Any]]) -> dict[str, float]:
    return {row["name"]: row["share"] for row in found}


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
