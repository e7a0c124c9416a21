"""What cannot be used is refused in one line that says what, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from messages import mentions
from networks import INPUTS, TARGETS, WAVE, small, spoilt

from reservoir import (
    ESN,
    DataError,
    DivergenceError,
    Logistic,
    ParameterError,
    Ridge,
    RidgeClassifier,
)
from reservoir.echo import features

PAIR = [INPUTS[:30], INPUTS[30:42]]
ENDS = [TARGETS[:30], TARGETS[30:42]]
LABELS = np.where(INPUTS[:, 0] > 0.0, "up", "down")


# Data


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (spoilt(INPUTS, np.nan, 17, 2), TARGETS, "inputs NaN 17 2"),
        (spoilt(INPUTS[:, 0], -np.inf, 5), TARGETS, "inputs (inf) 5 0"),
        (
            [PAIR[0], spoilt(PAIR[1], np.inf, 3, 1)],
            ENDS,
            "inputs 1 (inf) 3",
        ),
        (spoilt(np.zeros(70000), np.nan, 69999), np.zeros(70000), "inputs NaN 69999 0"),
        (INPUTS, spoilt(TARGETS, np.nan, 5, 1), "targets NaN 5 1"),
        (PAIR, [ENDS[0], spoilt(ENDS[1], np.nan, 7, 0)], "targets 1 NaN 7 0"),
        (
            PAIR,
            ["slow", "fast"],
            "targets readout=RidgeClassifier() readout=Logistic()",
        ),
        (PAIR, np.array(["slow", "fast"], dtype=object), "RidgeClassifier"),
        (INPUTS, LABELS, "RidgeClassifier"),
        (PAIR, [LABELS[:30], LABELS[30:42]], "RidgeClassifier"),
        (PAIR, [1.0, np.nan], "targets NaN 1 0"),
        (np.empty((0, 3)), np.empty((0, 2)), "inputs 0 (shape=(0, 3))"),
        ([], [], "inputs empty"),
        ([PAIR[0], PAIR[1][:0]], [ENDS[0], ENDS[1][:0]], "inputs 1 empty"),
        ([PAIR[0], PAIR[1][:, :2]], ENDS, "inputs 1 2 0 3"),
        (INPUTS[None, None], TARGETS, "inputs (T,) (T, n_features 4"),
        (None, TARGETS, "0 dimensions"),
        (3.0, TARGETS, "0 dimensions"),
        ([["a", "b"]] * 60, TARGETS, "inputs (T,) (T, n_features"),
        ([[1.0], [1.0, 2.0]], TARGETS[:2], "inputs numbers"),
        (INPUTS * 1j, TARGETS, "inputs supported"),
        (sp.csr_array(INPUTS), TARGETS, "inputs sparse"),
        (INPUTS, TARGETS[:59], "targets 0 59 inputs 60"),
        (PAIR, [ENDS[0], ENDS[1][:11]], "targets 1 11 inputs 12"),
        (
            PAIR,
            [ENDS[0].tolist(), ENDS[1][:11].tolist()],
            "targets 1 11 inputs 12",
        ),
        (INPUTS.reshape(2, 30, 3), TARGETS[:58].reshape(2, 29, 2), "targets 0 29 inputs 30"),
        (PAIR, [*ENDS, TARGETS[:5]], "targets 3 inputs 2"),
        (PAIR, [1.0, 2.0, 3.0], "targets (3,) 2"),
        (PAIR, 3.0, "targets neither"),
        (PAIR, [ENDS[0], ENDS[1][:, 0]], "targets 1 0 2"),
        (PAIR, [[1.0, [2.0]], [1.0, [2.0]]], "targets different"),
        (INPUTS, [[1.0], [1.0, 2.0]], "targets different"),
        (INPUTS, ["a"] * 60, "targets numbers"),
        (
            INPUTS[:4],
            TARGETS[:4],
            "inputs 0 4 1 5",
        ),
        ([INPUTS, INPUTS[:3]], [TARGETS, TARGETS[:3]], "inputs 1 3"),
        (
            INPUTS[:, :0],
            TARGETS,
            "inputs 0 (shape=(60, 0)) feedback_scaling",
        ),
        (INPUTS[:1], None, "inputs 0 1 2"),
        ([INPUTS, INPUTS[:1]], None, "inputs 1 step"),
    ],
)
def test_data_is_checked(inputs: Any, targets: Any, message: str) -> None:
    for method in ("fit", "partial_fit"):
        with pytest.raises(DataError, match=mentions(message)):
            getattr(small(), method)(inputs, targets)


@pytest.mark.parametrize(
    ("parameters", "inputs", "targets", "message"),
    [
        ({"feedback_scaling": 0.5}, PAIR, [1.0, 2.0], "targets value"),
        ({"pooling": "mean"}, [INPUTS, INPUTS[:3]], [1.0, 2.0], "inputs 1 3"),
        ({"pooling": "every"}, [INPUTS, INPUTS[:3]], [1.0, 2.0], "inputs 1 3"),
        ({"readout": RidgeClassifier()}, INPUTS, TARGETS[:, 0], "targets continuous"),
        ({"readout": RidgeClassifier()}, INPUTS, np.full(60, np.nan), "targets NaN 0"),
        (
            {"readout": Logistic()},
            INPUTS,
            TARGETS,
            "(60, 2) label",
        ),
        ({"readout": Logistic()}, INPUTS, np.ones(60), "classes"),
        ({"readout": Logistic()}, INPUTS, [7] * 4 + [1, 2] * 28, "2 3 classes"),
    ],
)
def test_data_is_checked_against_the_settings(parameters: dict[str, Any], inputs: Any, targets: Any, message: str) -> None:
    with pytest.raises(DataError, match=mentions(message)):
        small(**parameters).fit(inputs, targets)


FITTED = {
    "plain": small().fit(INPUTS, TARGETS),
    "wave": small().fit(WAVE),
    "fed back": small(feedback_scaling=0.1).fit(WAVE),
    "labels": small(readout=RidgeClassifier()).fit(INPUTS, LABELS),
    "per sequence": small().fit([WAVE[:30], WAVE[30:]], WAVE[:2]),
    "per sequence, mean": small(pooling="mean").fit([WAVE[:30], WAVE[30:]], WAVE[:2]),
}


@pytest.mark.parametrize(
    ("name", "call", "error", "message"),
    [
        ("plain", lambda e: e.predict(INPUTS[:, :2]), DataError, "2 ESN 3"),
        ("plain", lambda e: e.predict(spoilt(INPUTS, np.nan, 1, 1)), DataError, "inputs NaN 1"),
        ("plain", lambda e: e.states(INPUTS[:, :2]), DataError, "2 ESN 3"),
        ("plain", lambda e: e.forecast(INPUTS, 5), DataError, "3 inputs 2"),
        ("plain", lambda e: e.score(INPUTS[:4], TARGETS[:4]), DataError, "0 4 1 5"),
        ("plain", lambda e: e.score(INPUTS, TARGETS[:50]), DataError, "(56, 2) targets (46,"),
        ("labels", lambda e: e.forecast(INPUTS, 5), DataError, "fit"),
        ("per sequence", lambda e: e.forecast(WAVE, 5), DataError, "fit"),
        ("per sequence, mean", lambda e: e.predict([WAVE, WAVE[:4]]), DataError, "1 4"),
        ("wave", lambda e: e.forecast(WAVE[:, 0], 5), DataError, "history 1 2"),
        ("wave", lambda e: e.forecast([WAVE, WAVE[:0]], 5), DataError, "history 1 empty"),
        (
            "wave",
            lambda e: e.forecast(WAVE, 0),
            ParameterError,
            "'steps' forecast [1, inf)",
        ),
        ("wave", lambda e: e.forecast(WAVE, 1.5), ParameterError, "1.5"),
        ("wave", lambda e: e.forecast(WAVE, True), ParameterError, "True"),
        ("fed back", lambda e: e.states(WAVE), DataError, "states targets feedback"),
        ("fed back", lambda e: e.states(WAVE, WAVE[:9]), DataError, "9 inputs 60"),
        (
            "plain",
            lambda e: e.partial_fit(INPUTS, TARGETS[:, 0]),
            DataError,
            "1 2 continue",
        ),
        (
            "plain",
            lambda e: e.partial_fit(PAIR, [1.0, 2.0]),
            DataError,
            "2 need",
        ),
        ("plain", lambda e: e.partial_fit(INPUTS[:, :2], TARGETS), DataError, "2 features"),
        ("plain", lambda e: e.partial_fit(PAIR, ENDS, continued=True), DataError, "continue nothing"),
        ("per sequence", lambda e: e.partial_fit(WAVE, WAVE, continued=True), DataError, "continue nothing"),
        (
            "labels",
            lambda e: e.partial_fit(INPUTS, ["left"] * 60),
            DataError,
            "['down', 'up']",
        ),
    ],
)
def test_use_is_checked(name: str, call: Callable[[ESN], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=mentions(message)):
        call(FITTED[name])


def test_nothing_to_continue_at_the_first_call() -> None:
    with pytest.raises(DataError, match=mentions("continue nothing")):
        small().partial_fit(INPUTS, TARGETS, continued=True)


def test_a_readout_that_cannot_learn_on() -> None:
    with pytest.raises(ParameterError, match=mentions("'readout' ESN partial_fit")):
        small(readout=Logistic()).partial_fit(INPUTS, LABELS)


# Divergence


@pytest.mark.parametrize(
    ("radius", "lengths"), [(10.0, [400]), (3.0, [700]), (10.0, [600, 400]), (3.0, [100, 700]), (3.0, [511, 1, 700])], ids=str
)
@pytest.mark.parametrize("activation", ["identity", "relu"])
def test_a_diverging_reservoir_names_the_step_and_which_of_many_sequences(
    activation: str, radius: float, lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "block_rows", lambda width: 512)
    own = np.abs(np.random.default_rng(0).normal(size=(4, 4)))
    settings = {
        "units": 4,
        "topology": own,
        "spectral_radius": radius,
        "bias_scaling": 0.0,
        "input_weights": [1.0] * 4,
        "washout": 0,
    }
    esn = small(**settings, activation=activation, leak_rate=1.0).build(1)
    sequences = [np.zeros(length) for length in lengths[:-1]] + [np.ones(lengths[-1])]  # only the last one is driven
    states = naive.drive(naive.network_of(esn), sequences[-1][:, None])
    for call, limit, what in (
        (esn.states, np.finfo(float).max, "finite"),
        (lambda u: esn.fit(u, u, target="step"), 1e12, "1e+12"),
    ):
        ref = int(np.argmax(~(np.abs(states) <= limit).all(axis=1)))
        assert 0 < ref < lengths[-1]
        where = f"step {ref} of sequence {len(lengths) - 1}" if len(lengths) > 1 else f"step {ref}"
        with pytest.raises(DivergenceError, match=mentions(f"{what} {where} spectral_radius")):
            call(sequences)


def test_a_diverging_forecast_names_the_step_and_the_sequence() -> None:
    # y(t) = 1.5 y(t-1) from 20 values 1.5^t: the limit is 1e6 * 1.5^19, forecast i is 1.5^(20 + i), and 1.5^35 is the
    # first power above 1e6: forecast 34
    series = 1.5 ** np.arange(20)
    esn = small(washout=0, readout_from=("input",), readout=Ridge(0.0)).fit(series)
    np.testing.assert_allclose(esn.forecast(series, 34), 1.5 ** np.arange(20, 54), rtol=1e-9)
    with pytest.raises(DivergenceError, match=mentions("34 0 +-2.22e+09")):
        esn.forecast(series, 60)
    with pytest.raises(DivergenceError, match=mentions("34 1 diverged")):
        esn.forecast([np.zeros(5), series], 60)


def test_a_diverging_prediction_names_the_step_and_the_sequence() -> None:
    # y(t) = 1.5 y(t-1) + 1 is 2 (1.5^(t+1) - 1): 20 values end at 6648.5, and 1.5^55 is the first above 3324.3e6
    series = 2.0 * (1.5 ** np.arange(1, 21) - 1.0)
    esn = small(washout=0, readout_from=("bias", "output"), readout=Ridge(0.0)).fit(INPUTS[:20], series)
    np.testing.assert_allclose(esn.predict(INPUTS[:54]), 2.0 * (1.5 ** np.arange(1, 55) - 1.0), rtol=1e-6)
    with pytest.raises(DivergenceError, match=mentions("54 0 diverged")):
        esn.predict(INPUTS)
    with pytest.raises(DivergenceError, match=mentions("54 1 diverged")):
        esn.predict([INPUTS[:30], INPUTS])
