"""Training: that it follows its rule, watches what it must not train, survives what goes wrong, and is the same every time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from messages import mentions
from threadpoolctl import threadpool_info, threadpool_limits
from trainings import INPUTS, RNG, TARGETS, curve, network

from reservoir import GRU, LSTM, ClockworkRNN, Elman, IndRNN
from reservoir.gradient import trainer
from reservoir.gradient.layers import Steps
from reservoir.gradient.learners import Learner
from reservoir.gradient.network import Batch, Weights, loss_and_gradient
from reservoir.gradient.optimizers import OPTIMIZERS, Step
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.gradient.schedules import SCHEDULES

# The rule


RATES = {"sgd": 0.3, "momentum": 0.05, "nesterov": 0.05, "rmsprop": 0.02, "adam": 0.02, "adamw": 0.02}
DECAYS = {"step": 0.7, "exponential": 0.95, "inverse": 0.05}


@pytest.mark.parametrize("schedule", list(SCHEDULES))
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
def test_every_optimizer_with_every_schedule_learns(optimizer: str, schedule: str) -> None:
    training = {
        "epochs": 25, "optimizer": optimizer, "schedule": schedule, "learning_rate": RATES[optimizer],
        "schedule_decay": DECAYS.get(schedule, 0.5),
    }  # fmt: skip
    losses = curve(network(training=training).fit(INPUTS, TARGETS))
    assert losses[-1] < 0.5 * losses[0]


def whole_batch(inputs: list[np.ndarray], targets: list[np.ndarray]) -> Batch:
    """All sequences in one batch, weighted for the mean over steps, without help from the library."""
    order = sorted(range(len(inputs)), key=lambda i: -len(inputs[i]))
    lengths = np.array([len(inputs[i]) for i in order])
    u, y = (np.zeros((lengths[0], len(order), part[0].shape[1])) for part in (inputs, targets))
    for b, i in enumerate(order):
        u[: lengths[b], b], y[: lengths[b], b] = inputs[i], targets[i]
    rows = Steps(lengths, int(lengths[0])).valid / (lengths.sum() * y.shape[2])
    return Batch(u, lengths, y, rows)


def gradient_of(model: Any, vector: np.ndarray, batch: Batch) -> tuple[float, np.ndarray]:
    gradient = Weights(model.network_, np.empty_like(vector))
    loss, _ = loss_and_gradient(model.network_, Weights(model.network_, vector), gradient, batch, model.loss)
    return loss, gradient.vector


@pytest.mark.parametrize(
    ("settings", "rates"),
    [
        ({}, [0.1, 0.1, 0.1, 0.1]),
        ({"schedule": "step", "schedule_decay": 0.5, "schedule_every": 2}, [0.1, 0.1, 0.05, 0.05]),
        ({"schedule": "exponential", "schedule_decay": 0.5}, [0.1, 0.05, 0.025, 0.0125]),
        ({"schedule": "inverse", "schedule_decay": 1.0}, [0.1, 0.05, 0.1 / 3, 0.025]),
        ({"schedule": "cosine"}, [0.1 * (1 + math.cos(math.pi * k / 4)) / 2 for k in range(4)]),
        ({"clip_norm": 0.05}, [0.1] * 4),
        ({"clip_norm": None, "weight_decay": 0.3}, [0.1] * 4),
    ],
    ids=str,
)
def test_gradient_descent(settings: dict[str, Any], rates: list[float]) -> None:
    base = {"epochs": 4, "batch_size": 20, "optimizer": "sgd", "learning_rate": 0.1, "clip_norm": None}
    start = network(training={"epochs": 0}, standardize=False).fit(INPUTS, TARGETS)
    model = network(training={**base, **settings}, standardize=False).fit(INPUTS, TARGETS)
    batch, vector = whole_batch(INPUTS, TARGETS), start._vector.copy()
    for record, rate in zip(model.history_, rates, strict=True):
        loss, gradient = gradient_of(start, vector, batch)
        norm = float(np.linalg.norm(gradient))
        assert (record["loss"], record["gradient_norm"]) == (pytest.approx(loss, rel=1e-12), pytest.approx(norm, rel=1e-12))
        if settings.get("clip_norm"):
            assert norm > settings["clip_norm"]
            gradient *= settings["clip_norm"] / norm
        vector -= rate * (gradient + settings.get("weight_decay", 0.0) * vector)
    np.testing.assert_allclose(model._vector, vector, rtol=1e-10, atol=1e-14)


def test_adam_counts_its_updates() -> None:
    start = network(training={"epochs": 0}, standardize=False).fit(INPUTS, TARGETS)
    settings = {"epochs": 4, "batch_size": 20, "clip_norm": None, "beta1": 0.8, "beta2": 0.95}
    model = network(training=settings, standardize=False).fit(INPUTS, TARGETS)
    batch, vector, state = whole_batch(INPUTS, TARGETS), start._vector.copy(), np.zeros((2, start.n_parameters_))
    for step in (1, 2, 3, 4):
        OPTIMIZERS["adam"].update(vector, gradient_of(start, vector, batch)[1], state, Step(step, 0.02, beta1=0.8, beta2=0.95))
    np.testing.assert_allclose(model._vector, vector, rtol=1e-8, atol=1e-12)


class Watcher:
    """Notes which sequences make up each batch, and where its random numbers come from."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[tuple[int, ...]] = []
        self.sources: list[tuple[Any, Any]] = []
        assembled, learned = trainer.assemble, Learner.batch

        def assemble(examples: Any, indices: np.ndarray, *rest: Any) -> Any:
            self.batches.append(tuple(indices.tolist()))
            return assembled(examples, indices, *rest)

        def batch(learner: Learner, chunks: Any, updates: int, rate: float, noise: Any, masks: Any) -> Any:
            self.sources.append((noise and repr(noise.bit_generator.state), masks and (masks.entropy, masks.spawn_key)))
            return learned(learner, chunks, updates, rate, noise, masks)

        monkeypatch.setattr(trainer, "assemble", assemble)
        monkeypatch.setattr(Learner, "batch", batch)


def test_an_epoch_goes_once_through_all_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Watcher(monkeypatch)
    training = {"epochs": 2, "batch_size": 3, "learning_rate": 1e-12, "optimizer": "sgd"}
    model = network(training=training, standardize=False).fit(INPUTS, TARGETS)
    epochs = seen.batches[:7], seen.batches[7:]
    for record, indices in zip(model.history_, epochs, strict=True):
        assert sorted(i for part in indices for i in part) == list(range(20))
        found = [
            gradient_of(model, model._vector, whole_batch(*([data[i] for i in part] for data in (INPUTS, TARGETS))))
            for part in indices
        ]
        shares = [len(part) / 20 for part in indices]  # sequences count alike
        assert record["loss"] == pytest.approx(
            sum(share * loss for share, (loss, _) in zip(shares, found, strict=True)), rel=1e-9
        )
        assert record["gradient_norm"] == pytest.approx(np.mean([np.linalg.norm(gradient) for _, gradient in found]), rel=1e-9)
    assert epochs[0] != epochs[1]  # another order


def test_random_numbers_are_new_in_every_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Watcher(monkeypatch)
    network(training={"epochs": 3, "batch_size": 8, "gradient_noise": 0.01}, dropout=0.1).fit(INPUTS, TARGETS)
    noise, masks = zip(*seen.sources, strict=True)
    assert len(noise) == 9 and len(set(noise)) == len(set(masks)) == 9
    network(training={"epochs": 1}).fit(INPUTS, TARGETS)
    assert seen.sources[-1] == (None, None)


def test_the_sum_over_steps() -> None:
    settings = {"epochs": 1, "batch_size": 3, "learning_rate": 1e-12, "optimizer": "sgd", "reduction": "sum"}
    model = network(training=settings, standardize=False).fit(INPUTS, TARGETS)
    errors = [np.square(model.predict([u])[0] - y).sum() for u, y in zip(INPUTS, TARGETS, strict=True)]
    assert curve(model) == [pytest.approx(np.mean(errors), rel=1e-9)]  # and the mean over sequences


def test_gradient_noise() -> None:
    settings = {"epochs": 1, "batch_size": 20, "optimizer": "sgd", "learning_rate": 1.0, "clip_norm": None}
    noisy, plain = (network(training={**settings, "gradient_noise": eta}, units=40) for eta in (0.09, 0.0))
    noise = noisy.fit(INPUTS, TARGETS)._vector - plain.fit(INPUTS, TARGETS)._vector
    assert np.std(noise) == pytest.approx(0.3, rel=0.1) and abs(np.mean(noise)) < 0.05
    np.testing.assert_array_equal(noisy.fit(INPUTS, TARGETS)._vector - plain._vector, noise)
    assert curve(network(training={"gradient_noise": 0.01}).fit(INPUTS, TARGETS))[-1] < curve(plain)[0]


@pytest.mark.parametrize("kind", [Elman, LSTM, ClockworkRNN], ids=lambda kind: kind.__name__)
def test_sequences_in_another_order_are_the_same_to_learn(kind: type[RecurrentEstimator]) -> None:
    order = RNG.permutation(20)
    parameters = {"periods": (1, 2)} if kind is ClockworkRNN else {}
    one = network(kind, {"batch_size": 20}, **parameters).fit(INPUTS, TARGETS)
    other = network(kind, {"batch_size": 20}, **parameters).fit([INPUTS[i] for i in order], [TARGETS[i] for i in order])
    np.testing.assert_allclose(other._vector, one._vector, rtol=1e-7, atol=1e-9)
    for i, y in zip(order, other.predict([INPUTS[i] for i in order]), strict=True):
        np.testing.assert_allclose(y, one.predict([INPUTS[i]])[0], rtol=1e-6, atol=1e-8)


def test_dropout_is_for_training_alone() -> None:
    model = network(dropout=0.5, training={"epochs": 30}).fit(INPUTS, TARGETS)
    np.testing.assert_array_equal(model.predict(INPUTS[:3])[2], model.predict(INPUTS[2:3])[0])
    assert curve(model) != curve(network(training={"epochs": 30}).fit(INPUTS, TARGETS))


# The same every time


TRAININGS: dict[str, tuple[type[RecurrentEstimator], dict[str, Any], dict[str, Any]]] = {
    "batches": (Elman, {"batch_size": 3}, {}),
    "float32": (LSTM, {"batch_size": 7, "schedule": "cosine"}, {"dtype": "float32", "layers": 2}),
    "dropout": (GRU, {"optimizer": "rmsprop"}, {"dropout": 0.3, "bidirectional": True}),
    "same dropout": (LSTM, {"truncation": (3, 4)}, {"dropout": 0.3, "dropout_mask": "sequence", "layers": 2}),
    "noise": (Elman, {"gradient_noise": 0.01, "optimizer": "nesterov", "schedule": "inverse"}, {"layer_norm": True}),
    "validation": (Elman, {"validation_fraction": 0.3, "patience": 3, "learning_rate": 0.5, "epochs": 14}, {}),
    "windows": (ClockworkRNN, {"window": 4, "schedule": "step", "schedule_every": 2}, {"periods": (1, 2), "washout": 1}),
    "all": (
        GRU,
        {
            "optimizer": "adamw", "weight_decay": 0.1, "gradient_noise": 0.01, "validation_fraction": 0.3, "patience": 5,
            "schedule": "exponential", "schedule_decay": 0.9, "batch_size": 3, "window": 8,
        },
        {"dropout": 0.3, "layers": 2},
    ),
}  # fmt: skip


def model_of(name: str, **settings: Any) -> Any:
    kind, training, parameters = TRAININGS[name]
    return network(kind, {**training, **settings}, **parameters)


def bits(model: Any) -> tuple[bytes, str]:
    """Weights and history, but for the clock."""
    timeless = [{key: value for key, value in record.items() if "second" not in key} for record in model.history_]
    return model._vector.tobytes(), repr(timeless)


@pytest.mark.parametrize("name", list(TRAININGS))
def test_the_same_seed_twice(name: str) -> None:
    one, two, other = (model_of(name).set_params(random_state=seed).fit(INPUTS, TARGETS) for seed in (3, 3, 4))
    assert bits(one) == bits(two) != bits(other)


@pytest.mark.parametrize("name", ["float32", "dropout", "same dropout"])
def test_any_number_of_threads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for own, blas in (("1", 1), ("2", 2), ("3", 2)):
        monkeypatch.setenv("RESERVOIR_NUM_THREADS", own)
        with threadpool_limits(blas):
            found.append(bits(model_of(name, epochs=3, batch_size=100).fit(INPUTS * 3, TARGETS * 3)))
    assert found[0] == found[1] == found[2]


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_blas_has_one_thread_while_training() -> None:
    """Larger products than those here give other bits with more."""
    inside: list[set[int]] = []
    with threadpool_limits(2):
        network(training={"epochs": 2}).fit(INPUTS, TARGETS, progress=lambda *_: inside.append(blas_threads()))
        assert blas_threads() == {2}
    assert inside == [{1}, {1}]


class StopError(Exception):
    pass


def stopping_after(epochs: int) -> Callable[[Mapping[str, Any], int], None]:
    def progress(record: Mapping[str, Any], total: int) -> None:
        if record["epoch"] == epochs - 1:
            raise StopError

    return progress


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("name", list(TRAININGS))
def test_stopped_and_resumed(name: str, every: int, tmp_path: Path) -> None:
    ref = model_of(name).fit(INPUTS, TARGETS)
    settings = {"checkpoint": str(tmp_path / "training"), "checkpoint_every": every}
    for stop in (2, 5):  # a checkpoint that is as old as two epochs, or of this one
        with pytest.raises(StopError):
            model_of(name, **settings).fit(INPUTS, TARGETS, progress=stopping_after(stop))
    seen: list[int] = []
    comp = model_of(name, **settings).fit(INPUTS, TARGETS, progress=lambda record, _: seen.append(record["epoch"]))
    assert bits(comp) == bits(ref)
    assert seen[0] == 5 // every * every  # and not from the start
    assert curve(comp, "seconds") == sorted(curve(comp, "seconds"))
    again = model_of(name, **settings).fit(INPUTS, TARGETS)  # one that is at its end
    assert bits(again) == bits(ref)
    assert [path.name for path in tmp_path.iterdir()] == ["training"]


@pytest.mark.parametrize("name", ["batches", "dropout", "noise", "validation"])
def test_more_epochs_later(name: str, tmp_path: Path) -> None:
    settings = {"checkpoint": str(tmp_path / "training"), "patience": None}
    first = model_of(name, **settings, epochs=5).fit(INPUTS, TARGETS)
    assert bits(first) == bits(model_of(name, epochs=5, patience=None).fit(INPUTS, TARGETS))
    seen: list[int] = []
    more = model_of(name, **settings, epochs=9).fit(INPUTS, TARGETS, progress=lambda record, _: seen.append(record["epoch"]))
    assert bits(more) == bits(model_of(name, epochs=9, patience=None).fit(INPUTS, TARGETS))
    assert seen == [5, 6, 7, 8]  # the last epoch was written too


def test_a_training_that_diverges_after_a_checkpoint(tmp_path: Path) -> None:
    training = {"learning_rate": 30.0, "optimizer": "sgd", "clip_norm": None, "batch_size": 20, "epochs": 60}
    models = [
        network(IndRNN, {**training, **more}, activation="relu", standardize=False)
        for more in ({}, {"checkpoint": str(tmp_path / "training"), "checkpoint_every": 1})
    ]
    for model in (*models, models[1]):
        with pytest.warns(UserWarning, match=mentions("kept")):
            model.fit(INPUTS, TARGETS)
    assert bits(models[0]) == bits(models[1])
