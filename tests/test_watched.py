"""Validation data that are given to a fit: watched, never trained; and those that a task gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from messages import mentions

from reservoir import ESN, GRU, LSTM, DataError, Elman, ParameterError, Training, compare, gradient_diagnostics
from reservoir.experiments.evaluation import fit_options, make_model, settings_for, watched
from reservoir.models import MODELS
from reservoir.tasks import get_task, list_tasks

RNG = np.random.default_rng(0)
SERIES = np.sin(0.4 * np.arange(60)) + 0.1 * RNG.normal(size=60)
INPUTS = [RNG.normal(size=(6, 2)) for _ in range(8)]
LABELS = np.array(list("abababab"))
RESTLESS = {"epochs": 40, "learning_rate": 0.3, "optimizer": "momentum", "clip_norm": 0.5}
TRAINED = [name for name in MODELS if name != "esn"]


def network(kind: Any = Elman, training: dict[str, Any] | None = None, **parameters: Any) -> Any:
    return kind(
        **{"units": 5, "random_state": 0, "dtype": "float64", "training": Training(**(training or RESTLESS)), **parameters}
    )


def curve(model: Any, name: str = "validation_loss") -> list[float]:
    return [record[name] for record in model.history_]


@pytest.mark.parametrize("washout", [0, 5])
def test_given_validation_data_do_what_the_same_data_held_out_do(washout: int) -> None:
    held = network(training={**RESTLESS, "validation_fraction": 0.25, "patience": 8}, washout=washout)
    held.fit(SERIES[:-1], SERIES[1:])  # 59 steps: 44 are trained, 15 held out
    given = network(training={**RESTLESS, "patience": 8}, washout=washout)
    given.fit(SERIES[:44], SERIES[1:45], validation=(SERIES[44 - washout : 59], SERIES[45 - washout :]))
    for name in ("loss", "validation_loss", "gradient_norm"):
        assert curve(given, name) == curve(held, name)
    np.testing.assert_array_equal(given._vector, held._vector)
    best = int(np.argmin(curve(given)))
    assert len(given.history_) == best + 9 < 40


def test_given_validation_data_go_in_the_windows_of_the_training() -> None:
    model = network(training={"epochs": 3, "window": 12}, washout=2).fit(
        SERIES[:40], SERIES[1:41], validation=(SERIES[:59], SERIES[1:])
    )
    pieces = [slice(start, start + 12) for start in (0, 10, 20, 30, 40, 47)]
    parts = ([SERIES[:59][piece] for piece in pieces], [SERIES[1:][piece] for piece in pieces])
    same = network(training={"epochs": 3, "window": 12}, washout=2).fit(SERIES[:40], SERIES[1:41], validation=parts)
    assert curve(model) == curve(same)


def test_what_training_does_not_know_is_left_out() -> None:
    training = {"epochs": 3}
    model = network(training=training, loss="cross_entropy")
    known = curve(model.fit(INPUTS, LABELS, validation=(INPUTS[:3], LABELS[:3])))
    more = curve(model.fit(INPUTS, LABELS, validation=([*INPUTS[:3], INPUTS[4]], np.array([*LABELS[:3], "c"]))))
    assert known == more and None not in known
    assert curve(model.fit(INPUTS, LABELS, validation=(INPUTS[:2], np.array(["c", "d"])))) == [None] * 3
    symbols = [np.array([[0.0], [1.0], [2.0]]), np.array([[2.0], [1.0], [1.0]])]
    model = network(GRU, training, symbols="one-hot")
    known = curve(model.fit(symbols, symbols, validation=(symbols[:1], symbols[:1])))
    strange = [symbols[0], symbols[0] + 7.0]
    assert curve(model.fit(symbols, symbols, validation=(strange, symbols))) == known


@pytest.mark.parametrize(
    ("training", "validation", "error", "message"),
    [
        ({"validation_fraction": 0.2}, (SERIES, SERIES), ParameterError, "'validation_fraction' 0 0.2"),
        ({}, (np.ones((9, 2)), np.ones(9)), DataError, "inputs 2 1"),
        ({}, (np.ones(9), np.ones((9, 2))), DataError, "targets 2 1"),
        ({}, (np.ones(3), np.ones(3)), DataError, "1 4 washout"),
        ({}, (np.array([1.0, np.nan, 0.0, 0.0]), np.ones(4)), DataError, "inputs NaN 1"),
    ],
)
def test_validation_data_that_are_refused(training: dict[str, Any], validation: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=mentions(message)):
        network(training=training, washout=3).fit(SERIES[:-1], SERIES[1:], validation=validation)


SMALL = {
    "csv": {"path": "tasks/data/sunspots_monthly.csv", "column": "sunspots", "horizon": 30},
    "sunspots": {}, "lorenz": {"train_length": 300, "steps": 150},
}  # fmt: skip


@pytest.mark.parametrize("name", list_tasks())
def test_every_trained_model_stops_early_where_there_is_something_to_watch(name: str) -> None:
    """All tasks but those whose networks have no input, and nothing but a clock to go by."""
    task = get_task(name, **SMALL.get(name, {}))
    data = task.generate(0)
    for model in TRAINED:
        network = make_model(model, settings_for(task, model, {}), seed=0)
        offered = fit_options(task, network, data)
        assert ("validation" in offered) == (name not in ("sine", "waveform"))
        if "validation" in offered:
            assert network.training.patience <= network.training.epochs
            assert len(offered["validation"][0]) == len(offered["validation"][1])
    assert "validation" not in fit_options(task, ESN(), data)


@pytest.mark.parametrize("name", ["lorenz", "sunspots", "mso"])
def test_free_runs_are_watched_one_step_ahead_over_their_continuations(name: str) -> None:
    data = get_task(name, **SMALL.get(name, {})).generate(0)
    inputs, targets = watched(get_task(name), {"washout": 20}, data) or ([], [])
    assert 0 < len(inputs) <= len(data.validation.inputs)
    assert sum(map(len, inputs)) <= max(len(data.train.inputs[0]), len(inputs[0]))
    for u, y, history, continuation in zip(inputs, targets, data.validation.inputs, data.validation.targets, strict=False):
        np.testing.assert_array_equal(u[1:], y[:-1])
        np.testing.assert_array_equal(y[20:], continuation)  # all that is scored
        np.testing.assert_array_equal(u[20], history[-1])


def test_a_split_too_short_for_the_washout_is_not_watched() -> None:
    task = get_task("narma10", train_length=500, validation_length=50, washout=10)
    data = task.generate(0)
    assert watched(task, {"washout": 59}, data) is not None
    assert watched(task, {"washout": 60}, data) is None
    assert watched(task, {"washout": 0, "training__validation_fraction": 0.1}, data) is None


def test_runs_and_diagnostics_watch_the_validation_split() -> None:
    task = get_task("narma10", train_length=300, validation_length=300, test_length=300)
    settings = {"training__epochs": 3, "training__patience": 2, "training__window": 100, "washout": 20, "units": 4}
    report = compare([task], ["lstm"], [0], settings)
    losses = [entry["validation_loss"] for entry in report.tasks[0].curves["lstm"][0]]
    assert len(losses) == 3 and all(loss > 0.0 for loss in losses)
    small = get_task("adding", length=10, train_sequences=40, validation_sequences=10, test_sequences=10)
    told: list[Any] = []
    model = LSTM(units=3, random_state=0, training=Training(epochs=2))
    gradient_diagnostics(small, {"lstm": model}, report=lambda label, entry: told.append(entry))
    assert all(record["validation_loss"] is not None for record, _ in told[:-1])
