"""One small model of each kind that is trained by gradient, and data for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reservoir import GRU, LSTM, MGU, ClockworkRNN, Elman, IndRNN, Training
from reservoir.base.estimator import clone
from reservoir.gradient.recurrent import RecurrentEstimator

RNG = np.random.default_rng(0)
T = np.arange(60)
WAVE = np.stack([np.sin(0.3 * T), 5.0 + np.cos(0.21 * T)], axis=1) + 0.02 * RNG.normal(size=(60, 2))
UNEQUAL = [WAVE[:20], WAVE[20:21], WAVE[21:51], WAVE[51:]]
SHORT = Training(epochs=3, batch_size=2)
MODELS: dict[str, RecurrentEstimator] = {
    "elman": Elman(4, training=SHORT, random_state=0),
    "lstm": LSTM(4, training=SHORT, random_state=0, peepholes=True),
    "gru": GRU(4, training=SHORT, random_state=0),
    "mgu": MGU(4, training=SHORT, random_state=0),
    "indrnn": IndRNN(4, training=SHORT, random_state=0),
    "clockwork": ClockworkRNN(4, training=SHORT, random_state=0, periods=(1, 2, 4)),
}
EVERY = pytest.mark.parametrize("name", list(MODELS))


def model(name: str, **parameters: Any) -> Any:
    return clone(MODELS[name]).set_params(**parameters)


def close(comp: Any, ref: Any, tolerance: float = 1e-10) -> None:
    np.testing.assert_allclose(comp, ref, rtol=tolerance, atol=tolerance)


def labels(u: np.ndarray) -> np.ndarray:
    return np.where(u[:, 0] > 0.0, "up", "down")
