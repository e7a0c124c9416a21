"""The settings of a training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from messages import mentions
from trainings import INPUTS, RNG, SERIES, TARGETS, curve, network, spoilt

from reservoir import DataError, Elman, ParameterError, Training


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"epochs": -1}, "'epochs' Training [0, inf) -1"),
        ({"epochs": 2.0}, "'epochs'"),
        ({"batch_size": 0}, "'batch_size'"),
        ({"optimizer": "adm"}, "'optimizer' 'adm' adam"),
        ({"learning_rate": 0.0}, "'learning_rate' (0, inf)"),
        ({"learning_rate": "fast"}, "'learning_rate'"),
        ({"learning_rate": math.inf}, "'learning_rate'"),
        ({"momentum": 1.0}, "'momentum'"),
        ({"decay": -0.1}, "'decay'"),
        ({"beta1": 1.0}, "'beta1'"),
        ({"beta2": -0.1}, "'beta2'"),
        ({"schedule": "linear"}, "'schedule'"),
        (
            {"schedule": "exponential", "schedule_decay": 1.5},
            "'schedule_decay' Training schedule='exponential'",
        ),
        ({"schedule": "step", "schedule_decay": 0.0}, "(0, 1] 0.0"),
        ({"schedule_decay": -1.0}, "'schedule_decay'"),
        ({"schedule_every": 0}, "'schedule_every'"),
        ({"clip_norm": 0.0}, "'clip_norm' None"),
        ({"weight_decay": -1e-9}, "'weight_decay'"),
        ({"gradient_noise": None}, "'gradient_noise'"),
        ({"reduction": "max"}, "'reduction'"),
        ({"window": 0}, "'window'"),
        ({"validation_fraction": 1.0}, "'validation_fraction'"),
        ({"patience": 0}, "'patience'"),
        ({"algorithm": "bpt"}, "'algorithm'"),
        ({"checkpoint": 3}, "'checkpoint' Training"),
        ({"checkpoint_every": True}, "'checkpoint_every'"),
    ],
    ids=str,
)
def test_settings_are_checked(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=mentions(message)) as caught:
        network(training=parameters).fit(INPUTS, TARGETS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("training", "parameters", "inputs", "targets", "message"),
    [
        ({"window": 3}, {"washout": 3}, INPUTS, TARGETS, "window=3 washout=3"),
        ({"validation_fraction": 0.9}, {}, INPUTS[:4], TARGETS[:4], "4 hold"),
        ({"validation_fraction": 0.9}, {"washout": 9}, SERIES[:20], SERIES[:20], "short hold"),
        (
            {"truncation": (2, 2)},
            {"bidirectional": True},
            INPUTS,
            TARGETS,
            "'truncation' Training targets",
        ),
        ({"truncation": (2, 2)}, {}, INPUTS, np.arange(20.0), "'truncation' Training targets"),
    ],
)
def test_settings_are_checked_against_the_data(
    training: dict[str, Any], parameters: dict[str, Any], inputs: Any, targets: Any, message: str
) -> None:
    with pytest.raises((DataError, ParameterError), match=mentions(message)):
        network(training=training, **parameters).fit(inputs, targets)


def test_the_validation_loss_is_that_of_prediction() -> None:
    """Of many sequences too, in batches, without dropout."""
    settings = {"validation_fraction": 0.3, "epochs": 1, "learning_rate": 1e-12}
    model = network(training=settings, dropout=0.5, standardize=False)
    others = [curve(model.fit(INPUTS, spoilt(TARGETS, i))) for i in range(20)]
    held = [i for i, losses in enumerate(others) if losses == curve(model.fit(INPUTS, TARGETS))]
    errors = [np.square(model.predict(INPUTS[i]) - TARGETS[i]).sum() for i in held]
    ref = sum(errors) / sum(len(TARGETS[i]) for i in held)
    assert model.history_[0]["validation_loss"] == pytest.approx(ref, rel=1e-9)


def test_the_validation_loss_of_many_sequences() -> None:
    """More than are run at once: those held out and those trained are alike, and so are their losses."""
    inputs = np.tile(RNG.normal(size=(1, 3, 2)), (900, 1, 1))
    model = network(training={"validation_fraction": 0.6, "epochs": 1, "learning_rate": 1e-12, "batch_size": 500})
    model.fit(inputs, inputs[:, :, 0], target="step")
    assert model.history_[0]["validation_loss"] == pytest.approx(model.history_[0]["loss"], rel=1e-9)


@pytest.mark.parametrize(
    ("setting", "optimizer"), [({"momentum": 0.5}, "adam"), ({"beta2": 0.99}, "rmsprop"), ({"decay": 0.8}, "sgd")]
)
def test_a_setting_that_the_optimizer_does_not_read_is_said_to_have_no_effect(setting: dict[str, float], optimizer: str) -> None:
    network = Elman(2, training=Training(epochs=1, optimizer=optimizer, learning_rate=1e-3, **setting), random_state=0)
    with pytest.warns(UserWarning, match=mentions(f"'{next(iter(setting))}' Training '{optimizer}'")):
        network.fit(np.sin(0.3 * np.arange(40.0)))
