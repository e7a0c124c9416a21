"""Training with the extended Kalman filter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from messages import mentions

from reservoir import Elman, IndRNN
from reservoir.gradient.training import Training
from reservoir.validation import DivergenceError


def parity(classes: bool) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The product of this input and the one before, both -1 or 1."""
    rng = np.random.default_rng(0)
    inputs = [rng.choice([-1.0, 1.0], 60) for _ in range(4)]
    targets = [u * np.roll(u, 1) for u in inputs]
    return inputs, [(y > 0).astype(int) for y in targets] if classes else targets


@pytest.mark.parametrize("algorithm", ["ekf", "ekf_decoupled"])
@pytest.mark.parametrize("classes", [False, True])
def test_learns_in_a_few_passes(algorithm: str, classes: bool) -> None:
    """Parity in 3 passes, when gradient descent has hardly begun to learn."""
    inputs, targets = parity(classes)
    scores = []
    for settings in ({"algorithm": algorithm}, {"learning_rate": 0.01}):
        training = Training(epochs=3, batch_size=1, **settings)
        loss = "cross_entropy" if classes else "squared_error"
        model = Elman(units=8, washout=2, loss=loss, training=training, random_state=0).fit(inputs, targets, target="step")
        scores.append(model.score(inputs, targets))
    assert scores[0] > 0.99
    assert scores[1] < (0.8 if classes else 0.5)


@pytest.mark.parametrize(("kind", "algorithm", "dtype"), [(Elman, "ekf_decoupled", "float32"), (IndRNN, "ekf", "float64")])
def test_resumed_training_gives_the_same_bits(tmp_path: Path, kind: Any, algorithm: str, dtype: str) -> None:
    inputs, targets = parity(False)
    whole, halves = (str(tmp_path / name) for name in ("whole", "halves"))
    models = []
    for path, stops in ((whole, [4]), (halves, [2, 4])):
        for epochs in stops:
            training = Training(epochs=epochs, batch_size=2, algorithm=algorithm, checkpoint=path, checkpoint_every=1)
            model = kind(units=4, training=training, dtype=dtype, random_state=0).fit(inputs, targets, target="step")
        models.append(model)
    for name, array in models[0].weights_.items():
        np.testing.assert_array_equal(models[1].weights_[name], array)
    assert [entry["loss"] for entry in models[0].history_] == [entry["loss"] for entry in models[1].history_]


def test_divergence_says_what_to_lower() -> None:
    inputs, targets = parity(False)
    training = Training(epochs=2, algorithm="ekf", kalman_covariance=1e300)
    with pytest.raises(DivergenceError, match=mentions("training.kalman_covariance")):
        Elman(units=3, training=training, random_state=0).fit(inputs, targets, target="step")
