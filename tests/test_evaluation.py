"""Making a model from parameters by name, and running it on a task."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numba
import numpy as np
import pytest
from messages import mentions

from reservoir import ESN, DivergenceError, ParameterError, Ridge, RidgeClassifier, __version__
from reservoir.base.progress import watching
from reservoir.experiments.evaluation import described, evaluate, make_model, overlaid
from reservoir.experiments.first_use import NOTICE

SMALL = {"units": 10, "density": 0.3, "washout": 5}


class Doubled:
    """The next value of a sine, with the methods of a task and nothing else of one."""

    name, kind, metric = "doubled", "filter", "error"

    def __init__(self, **settings: Any) -> None:
        self._settings = settings
        self.seeds: list[int] = []

    def options(self) -> dict[str, Any]:
        return {"length": 60}

    def settings(self, model: str) -> Mapping[str, Any]:
        return self._settings if model == "esn" else {}

    def generate(self, seed: int) -> Any:
        self.seeds.append(seed)
        wave = np.sin(0.3 * np.arange(61) + seed)
        split = SimpleNamespace(inputs=[wave[:-1, None]], targets=[2.0 * wave[1:, None]])
        return SimpleNamespace(train=split, test=split)

    def predict(self, model: Any, split: Any) -> Any:
        return model.predict(split.inputs)

    def score(self, predictions: Any, data: Any) -> float:
        return float(np.abs(predictions[0] - data.test.targets[0]).mean())

    def scores(self, predictions: Any, data: Any) -> dict[str, float]:
        return {"error": self.score(predictions, data), "half": self.score(predictions, data) / 2.0}

    def baseline(self, data: Any) -> float:
        return float(np.abs(data.test.targets[0]).mean())

    def solved(self, score: float) -> bool:
        return score < 0.1


class Trained(ESN):
    """An echo state network that says it is trained in epochs."""

    def fit(self, inputs: Any, targets: Any = None, progress: Any = None) -> Any:
        for epoch in range(2):
            if progress is not None:
                progress({"epoch": epoch, "loss": 1.0 / (epoch + 1)}, 2)
        return super().fit(inputs, targets)


# make_model


def test_parameters_plain_and_nested() -> None:
    model = make_model("esn", {"units": 7, "readout__ridge": 0.5, "topology_options__weights": "sign"}, seed=3)
    assert isinstance(model, ESN)
    assert (model.units, model.random_state) == (7, 3)
    assert model.readout.ridge == 0.5
    assert model.topology_options == {"weights": "sign"}
    assert make_model("esn", {}, seed=0).readout.ridge == Ridge(1e-8).ridge


def test_a_readout_by_name_takes_its_parts_whatever_their_order() -> None:
    model = make_model("esn", {"readout__ridge": 0.5, "readout": "RidgeClassifier"}, seed=0)
    assert isinstance(model.readout, RidgeClassifier)
    assert model.readout.ridge == 0.5


def test_a_model_shares_nothing_with_the_next() -> None:
    make_model("esn", {"readout__ridge": 0.5}, seed=0)
    assert make_model("esn", {}, seed=0).readout.ridge == 1e-8


def test_one_name_serves_as_a_list_of_names() -> None:
    assert make_model("esn", {"readout_from": "state"}, seed=0).readout_from == ["state"]


@pytest.mark.parametrize(
    ("name", "parameters", "parts"),
    [
        ("esm", {}, ["no model 'esm'", "Did you mean esn"]),
        ("esn", {"unit": 5}, ["'unit'", "Did you mean units"]),
        ("esn", {"units": 0}, ["'units'", "integer in [1, inf)", "Got 0"]),
        ("esn", {"units": "many"}, ["'units'", "Got 'many'"]),
        ("esn", {"readout": "Rigde"}, ["no readout 'Rigde'", "Did you mean Ridge"]),
        ("esn", {"readout": 3, "readout__ridge": 1.0}, ["'readout'", "must be a readout", "Got 3"]),
        ("esn", {"readout__rigde": 1.0}, ["'rigde'", "Did you mean ridge?"]),
        ("esn", {"readout__ridge": -1.0}, ["'ridge'", "[0, inf)", "Got -1.0"]),
        ("esn", {"units__ridge": 1.0}, ["'units'", "no parts"]),
        ("esn", {"readout_from": "stat"}, ["'readout_from'", "bias, input, output, square, state", "['stat']"]),
    ],
)
def test_what_make_model_refuses(name: str, parameters: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(ParameterError) as caught:
        make_model(name, parameters, seed=0)
    for part in parts:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


# overlaid, described


def test_overlaid() -> None:
    settings = {"units": 50, "readout__ridge": 1.0, "readout__solver": "qr", "topology_options__jump": 3}
    assert overlaid(settings, {}) == settings
    assert overlaid(settings, {"units": 9, "readout__ridge": 2.0}) == {**settings, "units": 9, "readout__ridge": 2.0}
    replaced = overlaid(settings, {"readout": "Logistic", "readout__ridge": 2.0})
    assert replaced == {"units": 50, "topology_options__jump": 3, "readout": "Logistic", "readout__ridge": 2.0}
    assert settings["readout__solver"] == "qr"


def test_described_is_plain_data() -> None:
    model = make_model("esn", {"readout": "RidgeClassifier", "input_scaling": [1.0, 2.0]}, seed=1)
    found = described(model.get_params())
    assert found["readout"] == "RidgeClassifier"
    assert found["readout__ridge"] == RidgeClassifier().ridge
    assert found["input_scaling"] == [1.0, 2.0]
    assert found["random_state"] == 1
    json.dumps(found)
    assert described({"odd": np.arange(2)}) == {"odd": "array([0, 1])"}


# evaluate


def test_the_row_of_a_run() -> None:
    task = Doubled(**SMALL)
    result = evaluate(task, "esn", {"readout__ridge": 1e-6}, seed=4)
    assert task.seeds == [4]
    row = result.row
    model = ESN(**SMALL, readout=Ridge(1e-6), random_state=4).fit(result.data.train.inputs, result.data.train.targets)
    ref = model.predict(result.data.test.inputs)
    np.testing.assert_array_equal(result.predictions[0], ref[0])
    assert row["score"] == np.abs(ref[0] - result.data.test.targets[0]).mean()
    assert row["scores"] == {"error": row["score"], "half": row["score"] / 2.0}
    assert row["score"] < 0.1 < row["baseline"] == task.baseline(result.data)
    assert row["solved"] is True
    assert (row["task"], row["model"], row["metric"], row["seed"]) == ("doubled", "esn", "error", 4)
    assert row["task_options"] == {"length": 60}
    assert {key: row["params"][key] for key in SMALL} == SMALL
    assert row["params"]["readout__ridge"] == 1e-6
    assert row["n_parameters"] == 12 == result.model.n_parameters_  # bias, input, ten units
    assert row["version"] == __version__
    assert row["fit_seconds"] > 0.0 and row["predict_seconds"] > 0.0 and row["first_use_seconds"] >= 0.0
    assert json.loads(json.dumps(row))["params"]["readout_from"] == ["bias", "input", "state"]


def test_the_seconds_do_not_count_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel of our own that is compiled within the fit, which takes a second or less; sleeping is work, and counts."""
    slow = numba.njit(lambda x: np.sort(x) + np.sqrt(x) @ x)
    fit = ESN.fit

    def compiling(model: Any, *args: Any, **options: Any) -> Any:
        slow(np.ones(3))
        time.sleep(0.05)
        return fit(model, *args, **options)

    compiling.__signature__ = inspect.signature(fit)  # type: ignore[attr-defined]
    evaluate(Doubled(**SMALL), "esn", {}, seed=0)  # the library's kernels
    monkeypatch.setattr(ESN, "fit", compiling)
    told: list[str] = []
    started = time.perf_counter()
    with watching(lambda done, total: None, told.append):
        row = evaluate(Doubled(**SMALL), "esn", {}, seed=0).row
        whole = time.perf_counter() - started
        again = evaluate(Doubled(**SMALL), "esn", {}, seed=0).row
    assert told == [NOTICE]
    assert row["first_use_seconds"] > 0.1
    assert 0.05 <= row["fit_seconds"] < whole - row["first_use_seconds"] + 1e-3
    assert again["first_use_seconds"] == 0.0


def test_parameters_go_over_the_tasks_settings_and_both_over_the_defaults() -> None:
    params = evaluate(Doubled(**SMALL, leak_rate=0.5), "esn", {"leak_rate": 0.7}, seed=0).row["params"]
    assert (params["units"], params["leak_rate"], params["spectral_radius"]) == (10, 0.7, ESN().spectral_radius)


def test_another_readout_does_not_get_the_settings_of_the_tasks_own() -> None:
    row = evaluate(Doubled(**SMALL, readout__solver="svd"), "esn", {"readout": "LeastMeanSquares"}, seed=0).row
    assert row["params"]["readout"] == "LeastMeanSquares"


def test_the_seed_decides() -> None:
    first, again, other = (evaluate(Doubled(**SMALL), "esn", {}, seed).row["score"] for seed in (0, 0, 1))
    assert first == again != other


def test_a_diverging_network_names_the_seed_and_the_step() -> None:
    task = Doubled(**SMALL, activation="identity", spectral_radius=1e9)
    with pytest.raises(DivergenceError, match=mentions("Seed 6 step")):
        evaluate(task, "esn", {}, seed=6)


def test_bad_parameters_are_told_before_the_data_are_made() -> None:
    task = Doubled(**SMALL)
    with pytest.raises(ParameterError, match=mentions("leak_rate")):
        evaluate(task, "esn", {"leak_rate": 2.0}, seed=0)
    assert task.seeds == []


def test_data_that_are_given_are_not_generated_again() -> None:
    task = Doubled(**SMALL)
    data = task.generate(0)
    ref = evaluate(task, "esn", {}, seed=0).row
    task.seeds.clear()
    result = evaluate(task, "esn", {}, seed=0, data=data)
    assert task.seeds == [] and result.data is data
    assert result.row["score"] == ref["score"]


def test_epochs_are_told_by_models_that_have_them() -> None:
    told: list[tuple[dict[str, Any], int]] = []
    for model, count in ((ESN, 0), (Trained, 2)):
        evaluate(Doubled(**SMALL), model, SMALL, 0, progress=lambda record, epochs: told.append((record, epochs)))
        assert len(told) == count
        evaluate(Doubled(**SMALL), model, SMALL, 0)
        assert len(told) == count
    assert told[1] == ({"epoch": 1, "loss": 0.5}, 2)
