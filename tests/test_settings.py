"""The settings of tasks for models: that models accept them, and how those of several models at once are laid over."""

from __future__ import annotations

from typing import Any

import pytest

from reservoir import Training
from reservoir.experiments.evaluation import make_model
from reservoir.gradient.optimizers import OPTIMIZERS
from reservoir.models import MODELS
from reservoir.tasks import list_tasks
from reservoir.tasks.base import Task
from reservoir.tasks.registry import task_class

TRAINED = [name for name in MODELS if name != "esn"]


class Tuned(Task):
    name = "tuned"
    tuned = {"esn": {"units": 1}, "gradient": {"units": 2, "washout": 3}, "lstm": {"units": 4, "dropout": 0.5}}  # noqa: RUF012


class OnlyTrained(Task):
    name = "only-trained"
    tuned = {"gradient": {"units": 5}}  # noqa: RUF012


class OnlyEcho(Task):
    name = "only-echo"
    tuned = {"esn": {"units": 6}}  # noqa: RUF012


class SameName(Tuned):
    """One of the same name is the same task."""


class OtherName(Tuned):
    name = "other-name"


def settings(task: str, model: str) -> dict[str, Any]:
    return dict(task_class(task).settings(model))


@pytest.mark.parametrize("task", list_tasks())
def test_every_task_has_settings_for_models_that_exist(task: str) -> None:
    assert {"esn", "gradient"} <= set(task_class(task).tuned) <= {*MODELS, "gradient"}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("task", list_tasks())
def test_every_setting_is_accepted_by_its_model(task: str, model: str) -> None:
    chosen = settings(task, model)
    parameters = make_model(model, chosen, seed=0).get_params()
    for name, value in chosen.items():
        if name != "readout":  # by its name; the model holds the object
            assert parameters[name] == value


@pytest.mark.parametrize("task", list_tasks())
def test_what_is_for_trained_models_does_not_reach_the_echo_state_network(task: str) -> None:
    assert settings(task, "esn") == task_class(task).tuned["esn"]
    assert all(settings(task, model) for model in TRAINED)


@pytest.mark.parametrize(
    ("task", "model", "expected"),
    [
        (Tuned, "esn", {"units": 1}),
        (Tuned, "gru", {"units": 2, "washout": 3}),
        (Tuned, "lstm", {"units": 4, "washout": 3, "dropout": 0.5}),
        (Tuned, "of a user's own", {"units": 2, "washout": 3}),
        (OnlyTrained, "esn", {}),
        (OnlyTrained, "elman", {"units": 5}),
        (OnlyEcho, "elman", {}),
        (SameName, "gru", {"units": 2, "washout": 3}),
        (OtherName, "gru", {}),
    ],
)
def test_a_models_own_settings_go_over_those_of_all_trained_models(
    task: type[Task], model: str, expected: dict[str, Any]
) -> None:
    assert task.settings(model) == expected


@pytest.mark.parametrize("model", TRAINED)
@pytest.mark.parametrize("task", list_tasks())
def test_what_is_trained_fits_the_task(task: str, model: str) -> None:
    network = make_model(model, settings(task, model), seed=0)
    assert network.training.window is None or network.training.window > network.washout
    # What filters and forecasts are asked for is not to be read from the future.
    assert task_class(task).kind == "label" or not network.bidirectional


@pytest.mark.parametrize("model", TRAINED)
@pytest.mark.parametrize("task", ["adding", "temporal-order", "copy", "reber"])
def test_networks_asked_for_memory_are_read_at_the_end_from_one_side(task: str, model: str) -> None:
    network = make_model(model, settings(task, model), seed=0)
    assert network.pooling == "last"
    assert not network.bidirectional


def test_the_waveform_has_the_settings_of_its_paper() -> None:
    expected = {
        "elman": {"units": 31, "training__learning_rate": 3e-4},
        "lstm": {"units": 15, "training__learning_rate": 3e-5, "peepholes": True, "forget_bias": 5.0},
        "clockwork": {"units": 40, "training__learning_rate": 3e-4},
    }
    shared = {
        "input_init": "normal",
        "recurrent_init": "normal",
        "bias_init": "normal",
        "init_scale": 0.1,
        "training__optimizer": "nesterov",
        "training__momentum": 0.95,
        "training__epochs": 2000,
        "training__reduction": "sum",
    }
    for model, own in expected.items():
        parameters = make_model(model, settings("waveform", model), seed=0).get_params()
        assert {name: parameters[name] for name in {**shared, **own}} == {**shared, **own}


@pytest.mark.parametrize("task", list_tasks())
@pytest.mark.parametrize("model", [name for name in MODELS if name != "esn"])
def test_every_setting_of_an_optimizer_is_read_by_it(task: str, model: str) -> None:
    training = {name.partition("__")[2]: value for name, value in task_class(task).settings(model).items() if "__" in name}
    optimizer = OPTIMIZERS[training.get("optimizer", Training().optimizer)]
    of_optimizers = {name for other in OPTIMIZERS.values() for name in other.settings}
    assert set(training) & of_optimizers <= set(optimizer.settings)
