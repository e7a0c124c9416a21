"""Small networks and data for the tests of the echo state network, and the regression it should have solved."""

from __future__ import annotations

from typing import Any, ClassVar

import naive
import numpy as np

from reservoir import ESN, Ridge
from reservoir.echo.readouts.least_squares import Blocks

RNG = np.random.default_rng(7)
INPUTS = RNG.uniform(-1.0, 1.0, (60, 3))
TARGETS = np.stack([np.roll(INPUTS[:, 0], 2) * INPUTS[:, 1], np.roll(INPUTS[:, 2], 1) + 0.5], axis=1)
WAVE = np.stack([np.sin(0.4 * np.arange(60)), np.cos(0.23 * np.arange(60)) + 0.3], axis=1)
UNEQUAL = [9, 1, 30, 6]


def small(**parameters: Any) -> ESN:
    defaults = {"units": 8, "density": 0.3, "washout": 4, "leak_rate": 0.7, "random_state": 0, "readout": Ridge(1e-3)}
    return ESN(**{**defaults, **parameters})


def spoilt(array: np.ndarray, value: float, *index: int) -> np.ndarray:
    """A copy with one value replaced."""
    array = array.copy()
    array[index] = value
    return array


def cut(array: np.ndarray, lengths: list[int]) -> list[np.ndarray]:
    return np.split(array[: sum(lengths)], np.cumsum(lengths)[:-1])


def close(comp: np.ndarray, ref: np.ndarray, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(comp, ref, rtol=tolerance, atol=tolerance)


def weights(esn: ESN, sequences: list[np.ndarray], targets: list[np.ndarray], forced: bool = False) -> np.ndarray:
    """W_out (O, F) of a ridge regression on the rows of all sequences after the washout."""
    network, skip = naive.network_of(esn), esn.washout
    rows = [
        naive.feature_rows(network, esn.readout_from, u, y if forced else None) for u, y in zip(sequences, targets, strict=True)
    ]
    features, wanted = (np.concatenate([each[skip:] for each in part]) for part in (rows, targets))
    return naive.ridge(features, wanted, esn.readout.ridge, "bias" in esn.readout_from).T


class Recorder(Ridge):
    """A readout that keeps what it is given."""

    seen: ClassVar[list[np.ndarray]] = []

    def fit(self, blocks: Blocks) -> Recorder:
        self.seen[:] = [rows.copy() for rows, _ in blocks]
        return super().fit(blocks)

    def partial_fit(self, blocks: Blocks) -> Recorder:
        self.seen[:] = [rows.copy() for rows, _ in blocks]
        return super().partial_fit(blocks)
