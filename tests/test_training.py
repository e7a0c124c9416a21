"""Training: that it follows its rule, watches what it must not train, survives what goes wrong, and is the same every time."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file
from threadpoolctl import threadpool_info, threadpool_limits

from reservoir import GRU, LSTM, ClockworkRNN, DataError, DivergenceError, Elman, IndRNN, ModelFileError, ParameterError, Training
from reservoir.gradient import trainer
from reservoir.gradient.layers import Steps
from reservoir.gradient.learners import Learner
from reservoir.gradient.network import Batch, Weights, loss_and_gradient
from reservoir.gradient.optimizers import OPTIMIZERS, Step
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.gradient.schedules import SCHEDULES

RNG = np.random.default_rng(0)
INPUTS = [RNG.normal(size=(int(n), 2)) for n in RNG.integers(4, 12, 20)]
TARGETS = [np.roll(u[:, :1], 1, axis=0) - 0.5 * u[:, 1:] for u in INPUTS]
SERIES = np.sin(0.4 * np.arange(60)) + 0.1 * RNG.normal(size=60)


def network(kind: type[RecurrentEstimator] = Elman, training: Mapping[str, Any] | None = None, **parameters: Any) -> Any:
    settings = Training(**{"epochs": 8, "batch_size": 8, "learning_rate": 0.02, **(training or {})})
    return kind(**{"units": 5, "random_state": 0, "training": settings, "dtype": "float64", **parameters})


def curve(model: Any, name: str = "loss") -> list[Any]:
    return [record[name] for record in model.history_]


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


# What is held out, patience, and the best weights


def spoilt(arrays: list[np.ndarray], index: int, steps: slice = slice(None)) -> list[np.ndarray]:
    changed = [array.copy() for array in arrays]
    changed[index][steps] += 3.0
    return changed


def test_held_out_sequences_are_not_trained() -> None:
    def fitted(inputs: list[np.ndarray], targets: list[np.ndarray]) -> Any:
        return network(training={"validation_fraction": 0.3}).fit(inputs, targets)

    ref = fitted(INPUTS, TARGETS)
    held = 0
    for index in range(20):
        for comp in (fitted(spoilt(INPUTS, index), TARGETS), fitted(INPUTS, spoilt(TARGETS, index))):
            same = curve(comp) == curve(ref)
            assert same == (curve(comp, "gradient_norm") == curve(ref, "gradient_norm"))
            assert same != (curve(comp, "validation_loss") == curve(ref, "validation_loss")) or not same
            held += same
    assert held == 2 * 6


@pytest.mark.parametrize("washout", [0, 5])
def test_the_held_out_end_is_not_trained(washout: int) -> None:
    def fitted(series: np.ndarray) -> Any:
        return network(training={"validation_fraction": 0.25, "epochs": 4}, washout=washout).fit(series[:-1], series[1:])

    ref = fitted(SERIES)  # 59 steps: 44 are trained, 15 held out
    for start, same in ((45, True), (44, False), (20, False)):
        comp = fitted(spoilt([SERIES], 0, slice(start, None))[0])
        assert (curve(comp) == curve(ref)) == same
        assert curve(comp, "validation_loss") != curve(ref, "validation_loss")


RESTLESS = {"epochs": 40, "learning_rate": 0.3, "optimizer": "momentum", "clip_norm": 0.5, "validation_fraction": 0.25}


@pytest.mark.parametrize("patience", [None, 3, 8])
def test_the_weights_of_the_best_epoch_are_kept(patience: int | None) -> None:
    model = network(training={**RESTLESS, "patience": patience}, standardize=False).fit(SERIES[:-1], SERIES[1:])
    losses = curve(model, "validation_loss")
    best = int(np.argmin(losses))
    assert 0 < best < len(losses) - 1  # it was not the last one
    held = np.square(model.predict(SERIES[44:59]) - SERIES[45:]).mean()
    assert held == pytest.approx(losses[best], rel=1e-10)
    assert len(losses) == (40 if patience is None else min(best + 1 + patience, 40))
    assert patience is None or all(losses[i] >= min(losses[:i]) for i in range(best + 1, len(losses)))
    ref = network(training={**RESTLESS, "epochs": 40}, standardize=False).fit(SERIES[:-1], SERIES[1:])
    assert losses == curve(ref, "validation_loss")[: len(losses)]


def test_patience_without_validation_watches_the_training_loss() -> None:
    settings = {**RESTLESS, "validation_fraction": 0.0, "patience": 4, "epochs": 200}
    model = network(training=settings, standardize=False).fit(SERIES[:-1], SERIES[1:])
    losses = curve(model)
    best = int(np.argmin(losses))
    assert len(losses) == best + 5 < 200
    # the weights that had this loss, not those after the update that it led to
    assert np.square(model.predict(SERIES[:-1]) - SERIES[1:]).mean() == pytest.approx(losses[best], rel=1e-10)


def test_without_either_the_last_weights_are_used() -> None:
    model = network(training={**RESTLESS, "validation_fraction": 0.0}, standardize=False).fit(SERIES[:-1], SERIES[1:])
    after = network(training={**RESTLESS, "validation_fraction": 0.0, "epochs": 41}, standardize=False).fit(
        SERIES[:-1], SERIES[1:]
    )
    assert np.square(model.predict(SERIES[:-1]) - SERIES[1:]).mean() == pytest.approx(curve(after)[-1], rel=1e-10)


def test_no_epochs() -> None:
    model = network(training={"epochs": 0, "validation_fraction": 0.2, "patience": 1}).fit(INPUTS, TARGETS)
    assert model.history_ == []
    assert np.isfinite(model.predict(INPUTS[0])).all()


# What goes wrong


@pytest.mark.parametrize("validation", [0.0, 0.2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_first_epoch_that_diverges(validation: float, dtype: str) -> None:
    training = {"learning_rate": 1e60, "optimizer": "sgd", "clip_norm": None, "validation_fraction": validation}
    model = network(training=training, activation="relu", dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message = r"The (training loss|weights) became (nan|inf|infinite or NaN) in epoch 0, before there were weights to keep"
        with pytest.raises(DivergenceError, match=rf"{message}; lower training.learning_rate or training.clip_norm\.$"):
            model.fit(INPUTS, TARGETS)
    assert not hasattr(model, "history_")


@pytest.mark.parametrize(
    "parameters", [{"input_init": "normal", "init_scale": 1e300}, {"training__gradient_noise": 1e300}], ids=str
)
def test_settings_that_no_float32_can_hold(parameters: dict[str, Any]) -> None:
    with pytest.raises(DivergenceError, match="in epoch 0, before there were weights to keep"):
        network(dtype="float32").set_params(**parameters).fit(INPUTS, TARGETS)


@pytest.mark.parametrize("validation", [0.0, 0.2])
def test_weights_that_diverge_at_the_end(validation: float) -> None:
    training = {"learning_rate": 1.7e308, "optimizer": "sgd", "clip_norm": None, "epochs": 1, "validation_fraction": validation}
    targets = [100.0 * y for y in TARGETS]
    with pytest.raises(DivergenceError, match=r"The (weights became infinite or NaN|validation loss became .*) in epoch 0"):
        network(training={**training, "batch_size": 20}, standardize=False).fit(INPUTS, targets)


@pytest.mark.parametrize("kind", [Elman, IndRNN], ids=lambda kind: kind.__name__)
def test_a_later_epoch_that_diverges(kind: type[RecurrentEstimator]) -> None:
    training = {"learning_rate": 30.0, "optimizer": "sgd", "clip_norm": None, "batch_size": 20, "epochs": 60}
    model = network(kind, training, activation="relu", standardize=False)
    with pytest.warns(UserWarning, match=r"The .* became .* in epoch (\d+); the weights of epoch (\d+) are kept") as caught:
        model.fit(INPUTS, TARGETS)
    assert len(caught) == 1 and caught[0].filename == __file__
    losses = curve(model)
    best = int(np.argmin(losses))
    assert f"in epoch {len(losses)}; the weights of epoch {best} are kept" in str(caught[0].message)
    assert 0 < len(losses) < 60 and np.isfinite(losses).all()
    errors = [np.square(y - d).sum() for y, d in zip(model.predict(INPUTS), TARGETS, strict=True)]
    assert sum(errors) / sum(map(len, TARGETS)) == pytest.approx(losses[best], rel=1e-9)


def test_a_validation_loss_that_is_not_finite() -> None:
    targets = [y.copy() for y in TARGETS]
    held = network(training={"validation_fraction": 0.05, "epochs": 1})
    index = next(i for i in range(20) if curve(held.fit(INPUTS, spoilt(targets, i))) == curve(held.fit(INPUTS, targets)))
    targets[index][2] = 1e200
    with pytest.raises(DivergenceError, match="The validation loss became inf in epoch 0"):
        held.fit(INPUTS, targets)


def test_a_training_that_fails_leaves_the_earlier_one() -> None:
    model = network().fit(INPUTS, TARGETS)
    before = model.predict(INPUTS[0])
    with pytest.raises(DivergenceError):
        model.set_params(standardize=False).fit([u[:, :1] for u in INPUTS], [np.full((len(y), 3), 1e200) for y in TARGETS])
    np.testing.assert_array_equal(model.predict(INPUTS[0]), before)


def test_progress() -> None:
    seen: list[tuple[dict[str, Any], int]] = []
    model = network(training={"epochs": 3, "validation_fraction": 0.2})
    model.fit(INPUTS, TARGETS, progress=lambda record, epochs: seen.append((dict(record), epochs)))
    assert [record for record, _ in seen] == model.history_ and {epochs for _, epochs in seen} == {3}
    for number, record in enumerate(model.history_):
        names = ["epoch", "loss", "validation_loss", "gradient_norm", "seconds", "steps_per_second"]
        assert list(record) == names and record["epoch"] == number
        assert all(isinstance(record[name], float) and record[name] > 0.0 for name in names[1:])
    seconds = curve(model, "seconds")
    assert seconds == sorted(seconds)
    assert curve(network(training={"epochs": 2}).fit(INPUTS, TARGETS), "validation_loss") == [None, None]


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
        with pytest.warns(UserWarning, match="are kept"):
            model.fit(INPUTS, TARGETS)
    assert bits(models[0]) == bits(models[1])


# Checkpoints that cannot be used


def checkpointed(path: Path, **parameters: Any) -> Any:
    return network(training={"checkpoint": str(path), "epochs": 2}, **parameters)


@pytest.mark.parametrize(
    "change",
    [
        lambda: checkpointed(Path(), units=6),
        lambda: checkpointed(Path(), random_state=1),
        lambda: checkpointed(Path()).set_params(training__learning_rate=0.5),
        lambda: checkpointed(Path()).set_params(training__epochs=9, training__schedule="cosine"),
        lambda: LSTM(5, random_state=0, dtype="float64"),
    ],
)
def test_a_checkpoint_of_another_training(change: Callable[[], Any], tmp_path: Path) -> None:
    path = tmp_path / "training"
    checkpointed(path).fit(INPUTS, TARGETS)
    before = path.read_bytes()
    with pytest.raises(ParameterError, match=r"'checkpoint' parameter .*training', of a training with other data or parameters"):
        change().set_params(training__checkpoint=str(path)).fit(INPUTS, TARGETS)
    for inputs, targets in ((spoilt(INPUTS, 3), TARGETS), (INPUTS, spoilt(TARGETS, 3)), (INPUTS[:-1], TARGETS[:-1])):
        with pytest.raises(ParameterError, match="of a training with other data or parameters"):
            checkpointed(path).fit(inputs, targets)
    assert path.read_bytes() == before


def test_settings_that_may_change_between_a_stop_and_a_resumption(tmp_path: Path) -> None:
    for schedule in ("constant", "cosine"):
        model = network(training={"checkpoint": str(tmp_path / schedule), "epochs": 3, "schedule": schedule})
        model.fit(INPUTS, TARGETS)
        model.set_params(training__patience=50, training__checkpoint_every=2).fit(INPUTS, TARGETS)
        (tmp_path / schedule).rename(tmp_path / "moved")
        model.set_params(training__checkpoint=str(tmp_path / "moved")).fit(INPUTS, TARGETS)
        more = model.set_params(training__epochs=5)
        if schedule == "constant":
            assert len(more.fit(INPUTS, TARGETS).history_) == 5
        else:  # of which the rates depend on how many epochs there will be
            with pytest.raises(ParameterError, match="of a training with other data or parameters"):
                more.fit(INPUTS, TARGETS)


def test_a_damaged_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "training"
    checkpointed(path).fit(INPUTS, TARGETS)
    content = path.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    damaged = [content[:n] for n in (0, 5, header - 1, header + 3, len(content) - 1)] + [b"x" * 300]
    damaged += [content[:n] + bytes([content[n] ^ 4]) + content[n + 1 :] for n in range(header, len(content), 97)]
    for each in damaged:
        path.write_bytes(each)
        with pytest.raises(ModelFileError, match=f"^{path}: is damaged") as caught:
            checkpointed(path).fit(INPUTS, TARGETS)
        assert "\n" not in str(caught.value)
        assert path.read_bytes() == each


def test_files_that_are_no_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "training"
    network().fit(INPUTS, TARGETS).save(path)
    with pytest.raises(ModelFileError, match=f"^{path}: is a safetensors file, but not a checkpoint of a training"):
        checkpointed(path).fit(INPUTS, TARGETS)
    save_file({"weights": np.ones(3)}, path)
    with pytest.raises(ModelFileError, match="but not a checkpoint of a training"):
        checkpointed(path).fit(INPUTS, TARGETS)
    path.unlink()
    checkpointed(path).fit(INPUTS, TARGETS)
    with safe_open(path, "numpy") as file:
        tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    progress = json.loads(metadata["progress"])
    save_file(tensors, path, {**metadata, "progress": json.dumps({**progress, "updates": 7})})
    with pytest.raises(ModelFileError, match="is damaged, its content does not match its checksum"):
        checkpointed(path).fit(INPUTS, TARGETS)


@pytest.mark.parametrize("where", ["missing/training", "file/training"])
def test_a_checkpoint_that_cannot_be_written_is_told_before_training(where: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    epochs: list[Any] = []
    with pytest.raises(ParameterError, match=rf"'checkpoint' parameter of Training names '.*{where}', which cannot be written: "):
        checkpointed(tmp_path / where).fit(INPUTS, TARGETS, progress=lambda *record: epochs.append(record))
    with pytest.raises(ModelFileError, match="is damaged or not a checkpoint"):
        checkpointed(tmp_path).fit(INPUTS, TARGETS)
    assert not epochs


def test_a_checkpoint_needs_a_seed(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"'random_state' parameter must not be None with training.checkpoint"):
        checkpointed(tmp_path / "training", random_state=None).fit(INPUTS, TARGETS)
    assert not list(tmp_path.iterdir())


# Settings


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"epochs": -1}, r"'epochs' parameter of Training must be an integer in \[0, inf\). Got -1 instead"),
        ({"epochs": 2.0}, "'epochs'"),
        ({"batch_size": 0}, "'batch_size'"),
        ({"optimizer": "adm"}, "'optimizer' .* Got 'adm' instead.* Did you mean adam"),
        ({"learning_rate": 0.0}, r"'learning_rate' .* must be a number in \(0, inf\)"),
        ({"learning_rate": "fast"}, "'learning_rate'"),
        ({"learning_rate": math.inf}, "'learning_rate'"),
        ({"momentum": 1.0}, "'momentum'"),
        ({"decay": -0.1}, "'decay'"),
        ({"beta1": 1.0}, "'beta1'"),
        ({"beta2": -0.1}, "'beta2'"),
        ({"schedule": "linear"}, "'schedule'"),
        (
            {"schedule": "exponential", "schedule_decay": 1.5},
            r"'schedule_decay' parameter of Training with schedule='exponential'",
        ),
        ({"schedule": "step", "schedule_decay": 0.0}, r"must be a number in \(0, 1\]. Got 0.0 instead"),
        ({"schedule_decay": -1.0}, "'schedule_decay'"),
        ({"schedule_every": 0}, "'schedule_every'"),
        ({"clip_norm": 0.0}, "'clip_norm' .* or None"),
        ({"weight_decay": -1e-9}, "'weight_decay'"),
        ({"gradient_noise": None}, "'gradient_noise'"),
        ({"reduction": "max"}, "'reduction'"),
        ({"window": 0}, "'window'"),
        ({"validation_fraction": 1.0}, "'validation_fraction'"),
        ({"patience": 0}, "'patience'"),
        ({"algorithm": "bpt"}, "'algorithm'"),
        ({"checkpoint": 3}, "'checkpoint' parameter of Training must be .*the name of a file"),
        ({"checkpoint_every": True}, "'checkpoint_every'"),
    ],
    ids=str,
)
def test_settings_are_checked(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message) as caught:
        network(training=parameters).fit(INPUTS, TARGETS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("training", "parameters", "inputs", "targets", "message"),
    [
        ({"window": 3}, {"washout": 3}, INPUTS, TARGETS, "window=3 must be more than washout=3"),
        ({"validation_fraction": 0.9}, {}, INPUTS[:4], TARGETS[:4], "4 sequences are too few to hold out"),
        ({"validation_fraction": 0.9}, {"washout": 9}, SERIES[:20], SERIES[:20], "too short to hold out"),
        (
            {"truncation": (2, 2)},
            {"bidirectional": True},
            INPUTS,
            TARGETS,
            "'truncation' parameter of Training needs targets per step",
        ),
        ({"truncation": (2, 2)}, {}, INPUTS, np.arange(20.0), "'truncation' parameter of Training needs targets per step"),
    ],
)
def test_settings_are_checked_against_the_data(
    training: dict[str, Any], parameters: dict[str, Any], inputs: Any, targets: Any, message: str
) -> None:
    with pytest.raises((DataError, ParameterError), match=message):
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
    with pytest.warns(UserWarning, match=f"'{next(iter(setting))}' parameter of Training has no effect .*'{optimizer}'"):
        network.fit(np.sin(0.3 * np.arange(40.0)))
