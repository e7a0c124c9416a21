"""Several models on several tasks: the same data for all, failures recorded, the same rows however many processes."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparison_toys import Doubled, Trained, _trained  # noqa: F401
from messages import mentions
from threadpoolctl import threadpool_limits

from reservoir import ESN, DataError, DivergenceError, ParameterError, Ridge, StoreError
from reservoir.comparison.plan import ComparisonPlan, entrants, plan_comparison
from reservoir.comparison.report import FinishedRun
from reservoir.comparison.work import compare, run_comparison
from reservoir.experiments.evaluation import evaluate
from reservoir.files.arrays import packed, unpacked
from reservoir.tasks import get_task

TIMES = ("fit_seconds", "predict_seconds", "first_use_seconds")


def results(planned: ComparisonPlan, **options: Any) -> dict[int, FinishedRun]:
    found: dict[int, FinishedRun] = {}
    run_comparison(planned, found, **options)
    return found


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
    with pytest.raises(StoreError, match=mentions("comparison_toys:Doubled 0")):
        compare([Doubled()], ["esn"], [0], {"readout": Odd(1e-2)}, store=tmp_path / "runs.db")


def test_damaged_arrays_are_told() -> None:
    whole = packed([np.arange(5.0), np.array(["a"])])
    assert whole is not None and [part.tolist() for part in unpacked(whole)] == [[0.0, 1.0, 2.0, 3.0, 4.0], ["a"]]
    with pytest.raises(ValueError, match=mentions("damaged")):
        unpacked(whole[:-30])
    assert packed([np.array([None])]) is packed({"a": 1}) is None
