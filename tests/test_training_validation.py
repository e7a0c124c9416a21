"""What is held out of a training, when it stops, and what it reports if it fails."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from messages import mentions
from trainings import INPUTS, SERIES, TARGETS, curve, network, spoilt

from reservoir import DivergenceError, Elman, IndRNN
from reservoir.gradient.recurrent import RecurrentEstimator

# What is held out, patience, and the best weights


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
        with pytest.raises(DivergenceError, match=mentions("epoch 0 training.learning_rate training.clip_norm")):
            model.fit(INPUTS, TARGETS)
    assert not hasattr(model, "history_")


@pytest.mark.parametrize(
    "parameters", [{"input_init": "normal", "init_scale": 1e300}, {"training__gradient_noise": 1e300}], ids=str
)
def test_settings_that_no_float32_can_hold(parameters: dict[str, Any]) -> None:
    with pytest.raises(DivergenceError, match=mentions("epoch 0 weights")):
        network(dtype="float32").set_params(**parameters).fit(INPUTS, TARGETS)


@pytest.mark.parametrize("validation", [0.0, 0.2])
def test_weights_that_diverge_at_the_end(validation: float) -> None:
    training = {"learning_rate": 1.7e308, "optimizer": "sgd", "clip_norm": None, "epochs": 1, "validation_fraction": validation}
    targets = [100.0 * y for y in TARGETS]
    with pytest.raises(DivergenceError, match=mentions("epoch 0")):
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
    with pytest.raises(DivergenceError, match=mentions("inf epoch 0 validation")):
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
