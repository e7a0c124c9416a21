"""A fit that fails half-way leaves what the network had learned before as it was, to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
from messages import mentions
from networks import INPUTS, TARGETS

from reservoir import ESN, DivergenceError, LeastMeanSquares, ParameterError, RecursiveLeastSquares, Ridge
from reservoir.echo import features


def network(**parameters: Any) -> ESN:
    return ESN(**{"units": 20, "washout": 5, "noise": 1e-3, "random_state": 0, **parameters})


def saved(esn: ESN, folder: Path) -> str:
    """The checksum of all that the model file holds."""
    esn.save(folder / "model")
    with safetensors.safe_open(folder / "model", framework="numpy") as file:
        return file.metadata()["checksum"]


@pytest.mark.parametrize("readout", [Ridge(1e-3), Ridge(1e-3, "cholesky"), RecursiveLeastSquares(), LeastMeanSquares()], ids=str)
def test_an_earlier_fit_survives_a_failed_partial_fit(readout: Any, tmp_path: Path) -> None:
    """The second sequence diverges, after the readout has learned from the first."""
    parameters = {"readout": readout, "activation": "identity", "spectral_radius": 0.5, "input_scaling": 100.0}
    ref = network(**parameters).partial_fit(INPUTS, TARGETS)
    comp = network(**parameters).partial_fit(INPUTS, TARGETS)
    prediction, file = comp.predict(INPUTS), saved(comp, tmp_path)
    rows = 2 * features.block_rows(24)
    with pytest.raises(DivergenceError, match=mentions("sequence 1")):
        comp.partial_fit([np.ones((rows, 3)), np.full((9, 3), 1e308)], [np.ones((rows, 2)), np.ones((9, 2))])
    np.testing.assert_array_equal(comp.predict(INPUTS), prediction)
    assert saved(comp, tmp_path) == file
    more = INPUTS[::-1], TARGETS[::-1]  # the noise and the place to continue from are those of a network that never failed
    ref.partial_fit(*more, continued=True)
    comp.partial_fit(*more, continued=True)
    assert saved(comp, tmp_path) == saved(ref, tmp_path)


def test_a_readout_that_diverges_keeps_what_it_learned_before(tmp_path: Path) -> None:
    esn = network(readout=RecursiveLeastSquares()).partial_fit(INPUTS, TARGETS)
    file = saved(esn, tmp_path)
    with (
        pytest.raises(DivergenceError, match=mentions("RecursiveLeastSquares")),
        np.errstate(over="ignore", invalid="ignore"),
    ):
        esn.partial_fit(INPUTS, 1e308 * TARGETS / np.abs(TARGETS).max())
    assert saved(esn, tmp_path) == file


def test_a_network_that_cannot_be_built_leaves_the_earlier_one() -> None:
    esn = network().build(2)
    states = esn.states(INPUTS[:, :2])
    with pytest.raises(ParameterError, match=mentions("input_scaling")):
        esn.set_params(input_scaling=[1.0, 2.0]).build(3)
    np.testing.assert_array_equal(esn.states(INPUTS[:, :2]), states)
