"""Several models on several tasks: the same data for all, failures recorded, the same rows however many processes."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from reservoir import ESN, DataError, DivergenceError, ParameterError, Ridge, StoreError, models
from reservoir.comparison.plan import ComparisonPlan, Entrant, entrants, plan_comparison, sizes
from reservoir.comparison.report import FinishedRun, TaskComparison, summarize
from reservoir.comparison.work import compare, run_comparison
from reservoir.experiments.evaluation import evaluate
from reservoir.files.arrays import packed, unpacked
from reservoir.tasks import get_task

SMALL = {"units": 10, "density": 0.3, "washout": 5}
TIMES = ("fit_seconds", "predict_seconds", "first_use_seconds")


class Doubled:
    """The next value of a sine; says which models it was given to, on which data."""

    kind, metric, higher_is_better, published = "filter", "error", False, ""

    def __init__(self, name: str = "doubled", criterion: float | None = None, **settings: Any) -> None:
        self.name, self._criterion, self._settings = name, criterion, settings
        self.generated: list[int] = []
        self.scored: list[Any] = []

    def options(self) -> dict[str, Any]:
        return {"length": 60}

    def settings(self, model: str) -> dict[str, Any]:
        return {**SMALL, **self._settings}

    def generate(self, seed: int) -> Any:
        self.generated.append(seed)
        wave = np.sin(0.3 * np.arange(61) + seed)
        split = SimpleNamespace(inputs=[wave[:-1, None]], targets=[2.0 * wave[1:, None]])
        return SimpleNamespace(train=split, test=split)

    def predict(self, model: Any, split: Any) -> Any:
        return model.predict(split.inputs)

    def score(self, predictions: Any, data: Any) -> float:
        self.scored.append(data)
        return float(np.abs(predictions[0] - data.test.targets[0]).mean())

    def scores(self, predictions: Any, data: Any) -> dict[str, float]:
        return {"error": float(np.abs(predictions[0] - data.test.targets[0]).mean())}

    def baseline(self, data: Any) -> float:
        return float(np.abs(data.test.targets[0]).mean())

    def solved(self, score: float) -> bool | None:
        return None if self._criterion is None else score <= self._criterion


class Trained(ESN):
    """An echo state network that says it is trained in epochs, and fails with some seeds."""

    failures: dict[int, Exception] = {}  # noqa: RUF012 - set by tests

    def fit(self, inputs: Any, targets: Any = None, progress: Any = lambda *_: None) -> Any:
        for epoch in range(3):
            progress({"epoch": epoch, "loss": 1.0 / (epoch + 1)}, 3)
            if epoch == 1 and self.random_state in self.failures:
                raise self.failures[self.random_state]
        return super().fit(inputs, targets)


@pytest.fixture(autouse=True)
def _trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models.MODELS, "trained", models.Model("test_comparison", "Trained", "a fake"))
    monkeypatch.setattr(Trained, "failures", {})


def results(planned: ComparisonPlan, **options: Any) -> dict[int, FinishedRun]:
    found: dict[int, FinishedRun] = {}
    run_comparison(planned, found, **options)
    return found


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


# compare


def test_rows_are_those_of_evaluate_in_order() -> None:
    task = Doubled()
    rows = compare([task], ["esn", "leaky=esn"], [1, 0], {"leaky__leak_rate": 0.5}).rows
    assert [(row["label"], row["seed"]) for row in rows] == [("esn", 1), ("leaky", 1), ("esn", 0), ("leaky", 0)]
    for row in rows:
        ref = evaluate(Doubled(), "esn", {"leak_rate": 0.5} if row["label"] == "leaky" else {}, row["seed"]).row
        expected = {**ref, "label": row["label"], "error": None, "warnings": []}
        del expected["first_use_seconds"]  # not kept in a store
        assert row.keys() == expected.keys()
        assert {key: row[key] for key in row if key not in TIMES} == {key: expected[key] for key in row if key not in TIMES}


def test_data_are_generated_once_per_seed_and_the_same_for_all() -> None:
    task = Doubled()
    compare([task], ["esn", "trained"], [3, 5])
    assert task.generated == [3, 5]
    assert task.scored[0] is task.scored[1] is not task.scored[2] is task.scored[3]


def test_data_are_made_when_their_first_run_is_due() -> None:
    task, made = Doubled(), list[list[int]]()
    compare([task], ["trained"], [0, 1, 2], report=lambda run, epoch: made.append([*task.generated]) if epoch is None else None)
    assert made == [[0], [0, 1], [0, 1, 2]]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DivergenceError("The loss became NaN in epoch 2."), "The loss became NaN in epoch 2."),
        (DataError("inputs: too few."), "inputs: too few."),
        (ParameterError("The 'x' parameter is odd."), "The 'x' parameter is odd."),
        (MemoryError("373 GiB"), "not enough memory (373 GiB)"),
        (ZeroDivisionError("a bug"), "ZeroDivisionError: a bug"),
    ],
)
def test_a_failure_is_recorded_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str) -> None:
    monkeypatch.setattr(Trained, "failures", {1: error})
    made = plan_comparison([Doubled(criterion=0.5)], entrants(["trained", "esn"], {}), [0, 1, 2])
    found = results(made)
    failed = found[2]
    whole = found[3].row
    assert failed.row.keys() == whole.keys()
    assert (failed.row["error"], failed.row["score"], failed.row["solved"]) == (reason, None, False)
    assert (failed.row["baseline"], failed.row["params"]["units"]) == (whole["baseline"], 10)
    assert [entry["epoch"] for entry in failed.curve] == [0, 1]  # what was learned until then
    assert [found[index].row["error"] for index in (0, 1, 3, 4, 5)] == [None] * 5


def test_warnings_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def predict(model: ESN, inputs: Any) -> Any:
        for _ in range(2):
            warnings.warn("poor", stacklevel=1)
        return ESN.predict(model, inputs)

    monkeypatch.setattr(Trained, "predict", predict)
    [row] = compare([Doubled()], ["trained"], [0]).rows
    assert (row["warnings"], row["error"]) == (["poor"], None)


def test_curves_and_the_first_seeds_predictions_are_kept() -> None:
    made = plan_comparison([Doubled()], entrants(["esn", "trained"], {}), [7, 8])
    found = results(made)
    assert [len(found[index].curve) for index in range(4)] == [0, 3, 0, 3]
    assert found[1].curve[2] == {"epoch": 2, "loss": 1.0 / 3.0}
    assert found[0].predictions[0].shape == (60, 1)
    assert found[2].predictions is None


def test_what_is_told_on_the_way() -> None:
    told: list[tuple[str, Any]] = []
    compare([Doubled()], ["trained"], [7], report=lambda cell, message: told.append((str(cell), message)))
    assert told[0] == ("doubled, trained, seed 7", None)
    assert [(message[0]["epoch"], message[1]) for _, message in told[1:]] == [(0, 3), (1, 3), (2, 3)]


def test_rows_are_the_same_to_the_bit_however_many_processes() -> None:
    tasks = [get_task("narma10", train_length=400, test_length=200), get_task("lorenz", train_length=800, starts=2)]
    settings = {"units": 100, "density": 0.1, "washout": 50, "linear__activation": "identity", "linear__spectral_radius": 1e9}
    with threadpool_limits(2):  # that of this process, which the one of a comparison lowers
        one, two = (compare(tasks, ["esn", "linear=esn"], [0, 1], settings, jobs=jobs).rows for jobs in (1, 2))
    assert len(one) == 8
    for a, b in zip(one, two, strict=True):
        assert {key: a[key] for key in a if key not in TIMES} == {key: b[key] for key in b if key not in TIMES}
    assert {row["error"] is None for row in one if row["label"] == "esn"} == {True}
    assert all("diverged" in row["error"] for row in one if row["label"] == "linear" and row["task"] == "lorenz")


# the store


def test_a_store_keeps_what_the_pictures_show(tmp_path: Path) -> None:
    task, models_ = Doubled(), ["esn", "trained"]
    first = compare([task], models_, [7, 8], store=tmp_path / "runs.db")
    again = compare([Doubled()], models_, [7, 8], store=tmp_path / "runs.db")
    assert again.rows == first.rows
    for one, other in zip(first.finished.values(), [again.finished[index] for index in first.finished], strict=True):
        assert one.curve == other.curve
        np.testing.assert_array_equal(one.predictions, other.predictions)
    swapped = compare([Doubled()], models_, [8, 7], store=tmp_path / "runs.db")
    assert swapped.tasks[0].first.keys() == {"esn", "trained"}  # whose first seed's predictions were not kept
    assert [row["score"] for row in swapped.rows] == [row["score"] for row in (*first.rows[2:], *first.rows[:2])]


def test_scores_and_predictions_of_every_kind_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for score in (math.inf, math.nan):
        monkeypatch.setattr(Doubled, "score", lambda *_, score=score: score)
        path = tmp_path / f"{score}.db"
        found = [compare([Doubled()], ["esn"], [0], store=path).rows[0] for _ in range(2)]
        assert [repr(row["score"]) for row in found] == [repr(score)] * 2 and found[0]["error"] is None
    monkeypatch.setattr(Doubled, "predict", lambda task, model, split: {"odd": model.predict(split.inputs)})
    monkeypatch.setattr(Doubled, "score", lambda *_: 0.5)
    monkeypatch.setattr(Doubled, "scores", lambda *_: {"error": 0.5})
    for _ in range(2):  # cannot be kept, so they are made again
        [run] = compare([Doubled()], ["esn"], [0], store=tmp_path / "odd.db").finished.values()
        assert run.predictions["odd"][0].shape == (60, 1)


def test_settings_may_be_objects(tmp_path: Path) -> None:
    class Odd(Ridge):
        pass

    for path in (None, tmp_path / "runs.db", tmp_path / "runs.db"):
        rows = compare([Doubled()], ["esn"], [0], {"readout": Odd(1e-3)}, store=path).rows
        assert rows[0]["params"]["readout"] == "Odd"
    with pytest.raises(
        StoreError, match=r"a run of test_comparison:Doubled, esn, seed 0, and this one has it with other settings"
    ):
        compare([Doubled()], ["esn"], [0], {"readout": Odd(1e-2)}, store=tmp_path / "runs.db")


def test_damaged_arrays_are_told() -> None:
    whole = packed([np.arange(5.0), np.array(["a"])])
    assert whole is not None and [part.tolist() for part in unpacked(whole)] == [[0.0, 1.0, 2.0, 3.0, 4.0], ["a"]]
    with pytest.raises(ValueError, match="damaged"):
        unpacked(whole[:-30])
    assert packed([np.array([None])]) is packed({"a": 1}) is None


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
    with pytest.raises(ParameterError, match=r"must be a list with state or square .* Got \['bias', 'input'\]"):
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
