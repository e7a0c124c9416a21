"""The plan of a comparison, its budget, and the summary of its runs."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from comparison_toys import Doubled, Trained, _trained  # noqa: F401
from messages import mentions

from reservoir import ESN, ParameterError
from reservoir.comparison.plan import Entrant, entrants, plan_comparison, sizes
from reservoir.comparison.report import FinishedRun, TaskComparison, summarize
from reservoir.comparison.work import compare
from reservoir.tasks import get_task


def refusal(work: Any) -> str:
    with pytest.raises(ParameterError) as caught:
        work()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# entrants


def test_settings_are_for_all_or_for_the_one_they_name() -> None:
    settings = {"leak_rate": 0.5, "readout__ridge": 1.0, "wide__units": 900, "esn__readout__solver": "qr", "wide__leak_rate": 0.1}
    assert entrants(["esn", "wide=esn"], settings) == [
        Entrant("esn", "esn", {"leak_rate": 0.5, "readout__ridge": 1.0, "readout__solver": "qr"}),
        Entrant("wide", "esn", {"leak_rate": 0.1, "readout__ridge": 1.0, "units": 900}),
    ]


@pytest.mark.parametrize(
    ("names", "settings", "parts"),
    [
        (["esn", "esn"], {}, ["'esn' is there twice", "other=esn"]),
        (["a=esn", "a=trained"], {}, ["'a' is there twice"]),
        (["a.b=esn"], {}, ["letters, digits and hyphens", "'a.b'"]),
        (["esn", "fast"], {"leak_rate": 1.0}, ["no model 'fast'"]),
        (["esn"], {"unts": 3}, ["No model here", "'unts'", "Did you mean units", "esn"]),
        (["esn"], {"esn": 3}, ["No model here", "'esn'"]),
        (["esn"], {"ens__units": 3}, ["No model here", "'ens'", "Did you mean esn or"]),
    ],
)
def test_what_entrants_refuses(names: list[str], settings: dict[str, Any], parts: list[str]) -> None:
    text = refusal(lambda: entrants(names, settings))
    for part in parts:
        assert part in text


def test_a_setting_for_all_must_be_had_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trained, "parameter_names", classmethod(lambda cls: ("units",)))
    text = refusal(lambda: entrants(["trained", "esn"], {"units": 5, "leak_rate": 0.5}))
    assert "'trained' has no parameter 'leak_rate'" in text and "esn.leak_rate=VALUE" in text
    assert entrants(["trained", "esn"], {"units": 5, "esn__leak_rate": 0.5})[1].parameters == {"units": 5, "leak_rate": 0.5}


# plan


def test_the_order_of_a_plan() -> None:
    first, second = Doubled("first"), Doubled("second")
    made = plan_comparison([first, second], entrants(["esn", "trained"], {}), [4, 2])
    assert [str(cell) for cell in made.runs] == [
        f"{task}, {model}, seed {seed}" for task in ("first", "second") for seed in (4, 2) for model in ("esn", "trained")
    ]
    assert made.of_task(second) == range(4, 8)
    assert first.generated == second.generated == [4]


def test_what_a_plan_refuses_before_any_data_are_made() -> None:
    task = Doubled()
    esn = entrants(["esn"], {})
    wide = entrants(["esn", "wide=esn"], {"wide__units": 5})
    for work, part in (
        (lambda: plan_comparison([task, Doubled()], esn, [0]), "The task 'doubled' is there twice."),
        (lambda: plan_comparison([], esn, [0]), "at least one task"),
        (lambda: plan_comparison([task], [], [0]), "one model"),
        (lambda: plan_comparison([task], esn, []), "one seed"),
        (lambda: plan_comparison([task], wide, [0], budget=100), "The budget decides the units of model 'wide'"),
        (lambda: plan_comparison([task], entrants(["esn"], {"leak_rate": 7.0}), [0]), "'leak_rate'"),
        (lambda: plan_comparison([task], entrants(["esm"], {}), [0]), "Did you mean esn"),
    ):
        assert part in refusal(work)
    assert task.generated == []


# budget


@pytest.mark.parametrize(
    ("settings", "nearest"),
    [
        ({}, 98),  # 98 and a bias and an input
        ({"readout_from": ["state", "square"]}, 50),
        ({"readout_from": ["bias", "state", "output", "input"]}, 97),
    ],
)
def test_a_budget_sizes_the_readout(settings: dict[str, Any], nearest: int) -> None:
    [row] = compare([Doubled()], ["esn"], [0], settings, budget=100).rows
    assert row["params"]["units"] == nearest
    assert row["n_parameters"] == 100


def test_a_budget_is_met_as_nearly_as_units_allow() -> None:
    for budget in (1, 5, 33, 98, 99, 100):
        units = ESN.sized(budget, 2, 3, readout_from=["bias", "input", "state", "square"])
        counts = {n: 3 * (1 + 2 + 2 * n) for n in range(1, 40)}
        assert abs(counts[units] - budget) == min(abs(count - budget) for count in counts.values())
    with pytest.raises(ParameterError, match=mentions("['bias', 'input']")):
        ESN.sized(100, 1, 1, readout_from=["bias", "input"])


def test_a_budget_counts_the_outputs_that_the_data_ask_for() -> None:
    task = get_task("digits", train_sequences=60, test_sequences=20)
    [row] = compare([task], ["esn"], [0], budget=1000).rows
    assert row["n_parameters"] == pytest.approx(1000, abs=10)


@pytest.mark.parametrize(
    ("targets", "outputs"),
    [
        ([np.zeros((5, 3)), np.zeros((4, 3))], 3),
        ([np.zeros(5)], 1),
        ([np.array([0, 1, 5]), np.array([2, 1])], 4),
        (np.array([3, 1, 1]), 2),
        (np.array(["a", "b", "c"]), 3),
        (np.zeros(4), 1),
        (np.zeros((4, 2)), 2),
    ],
)
def test_sizes_of_data(targets: Any, outputs: int) -> None:
    data = SimpleNamespace(train=SimpleNamespace(inputs=[np.zeros((5, 2))], targets=targets))
    assert sizes(data) == (2, outputs)


# summarize


def row(seed: int, score: float | None, solved: bool | None = None, **changes: Any) -> dict[str, Any]:
    error = None if score is not None else "no"
    measured: dict[str, Any] = {"n_parameters": 9, "fit_seconds": 1.0 + seed, "predict_seconds": 0.5}
    if score is None:
        measured = dict.fromkeys(measured)
    return {
        "task": "t", "label": "m", "metric": "nmse", "seed": seed, "score": score, "solved": solved, "error": error,
        "warnings": [], "baseline": 2.0 + seed, **measured, **changes,
    }  # fmt: skip


def test_a_summary_over_seeds() -> None:
    rows = [
        row(0, 1.0, True, warnings=["hm"]),
        row(1, 2.0, False),
        row(2, 6.0, True),
        row(3, None, False),
        row(0, 5.0, label="other"),
    ]
    found, other = summarize(rows)
    # Of 1, 2 and 6: the mean is 3, the deviations -2, -1, 3, their squares 14 together, over 2: 7.
    assert (found["median"], found["mean"], found["std"]) == (2.0, 3.0, math.sqrt(7.0))
    assert (found["runs"], found["failed"], found["solved"]) == (4, 1, 0.5)
    assert (found["n_parameters"], found["fit_seconds"], found["predict_seconds"]) == (9.0, 2.0, 0.5)
    assert found["baseline"] == 3.5  # of all four
    assert (found["errors"], found["warnings"]) == ([(3, "no")], [(0, "hm")])
    assert (other["model"], other["median"], other["std"], other["solved"]) == ("other", 5.0, 0.0, None)


def test_a_summary_of_nothing_but_failures_and_of_infinite_scores() -> None:
    [found] = summarize([row(0, None, False), row(1, None, False)])
    assert found["median"] is found["mean"] is found["std"] is found["n_parameters"] is found["fit_seconds"] is None
    assert (found["failed"], found["solved"], found["baseline"]) == (2, 0.0, 2.5)
    [found] = summarize([row(0, math.inf), row(1, math.inf), row(2, 1.0)])
    assert found["median"] == found["mean"] == math.inf


@pytest.mark.parametrize(("higher", "marked"), [(False, ["3 †", "nan †"]), (True, ["1 †", "nan †"])])
def test_a_median_worse_than_the_named_baseline_is_marked(higher: bool, marked: list[str]) -> None:
    class Named(Doubled):
        baseline_name = "a clock"
        higher_is_better = higher

    scores = {"good": 1.0, "same": 2.0, "bad": 3.0, "broken": math.nan, "none": None}
    runs = [FinishedRun(row(0, score, label=label), [], None) for label, score in scores.items()]
    table = TaskComparison(Named(), list(scores), runs, 0, None).table()
    assert [line[1] for line in table.rows if "†" in line[1]] == marked
    assert table.rows[-1][:2] == ["a clock", "2"]
    assert table.notes[:2] == ["The last row is the baseline.", "† worse than the baseline (a clock)."]
    alone = TaskComparison(Doubled(), ["same"], [FinishedRun(row(0, 2.0, label="same"), [], None)], 0, None).table()
    assert alone.rows[-1][0] == "trivial baseline"
    assert not any("†" in text for text in [*alone.notes, *alone.rows[0]])
