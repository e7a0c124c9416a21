"""Networks that read their own outputs, learn on, and are made again from the same seed."""

from __future__ import annotations

import itertools
from typing import Any

import naive
import numpy as np
import pytest
from networks import INPUTS, TARGETS, UNEQUAL, WAVE, Recorder, close, cut, small, weights

from reservoir import LeastMeanSquares, RecursiveLeastSquares, Ridge, RidgeClassifier
from reservoir.echo import features

WITH_OUTPUT = [("output", "state"), naive.PARTS, ("bias", "output")]


# Closed loops


@pytest.mark.parametrize("parts", [("bias", "input", "state"), ("state",), *WITH_OUTPUT])
@pytest.mark.parametrize("feedback", [0.0, 0.4])
def test_predict_with_feedback_reads_its_own_outputs(feedback: float, parts: tuple[str, ...]) -> None:
    esn = small(feedback_scaling=feedback, readout_from=parts, readout=Ridge(1.0)).fit(INPUTS, TARGETS)
    network = naive.network_of(esn)
    begin = naive.Final(network.start, np.zeros(2))
    for u, comp in zip(cut(INPUTS, UNEQUAL), esn.predict(cut(INPUTS, UNEQUAL)), strict=True):
        if feedback or "output" in parts:
            ref = naive.free_run(network, parts, esn.output_weights_, begin, len(u), u)[0]
        else:
            ref = naive.feature_rows(network, parts, u) @ esn.output_weights_.T
        close(comp, ref)


FORECASTS = [
    {},
    {"readout_from": ("state",)},
    {"feedback_scaling": 0.3},
    {"readout_from": naive.PARTS, "feedback_scaling": [0.2, 0.0]},
    {"readout_from": ("output", "state", "bias")},
    {"initial_state": [0.5] * 8},
]


@pytest.mark.parametrize("parameters", FORECASTS, ids=str)
def test_forecast(parameters: dict[str, Any]) -> None:
    esn = small(**parameters, readout=Ridge(1e-2)).fit(WAVE)
    network, parts = naive.network_of(esn), esn.readout_from
    close(esn.output_weights_, weights(esn, [WAVE[:-1]], [WAVE[1:]], esn.feedback_weights_.shape[1] > 0), 1e-6)
    for history, steps in ((WAVE, 12), (WAVE[:1], 5), (WAVE[:7], 1)):
        ref = naive.forecast(network, parts, esn.output_weights_, history, steps)
        close(esn.forecast(history, steps), ref, 1e-8)
    histories = cut(WAVE, UNEQUAL)
    for history, comp in zip(histories, esn.forecast(histories, 6), strict=True):
        np.testing.assert_array_equal(comp, esn.forecast(history, 6))


@pytest.mark.parametrize("parts", [("bias", "state"), ("state", "output")])
def test_forecast_without_inputs(parts: tuple[str, ...]) -> None:
    nothing = np.empty((60, 0))
    esn = small(feedback_scaling=0.7, readout_from=parts, readout=Ridge(1e-2)).fit(nothing, WAVE)
    network = naive.network_of(esn)
    close(esn.output_weights_, weights(esn, [nothing], [WAVE], True), 1e-6)
    for history in (WAVE, WAVE[:1], WAVE[:7]):
        close(esn.forecast(history, 9), naive.forecast(network, parts, esn.output_weights_, history, 9), 1e-8)
    begin = naive.Final(network.start, np.zeros(2))
    close(esn.predict(nothing), naive.free_run(network, parts, esn.output_weights_, begin, 60, nothing)[0])


@pytest.mark.parametrize("lengths", [[15], [16], [17], [40], [3, 20, 16, 1]], ids=str)
def test_forecast_from_histories_that_are_cut(lengths: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "block_rows", lambda width: 16)
    esn = small(feedback_scaling=0.2, readout=Ridge(1e-2)).fit(WAVE)
    histories = cut(WAVE, lengths)
    for history, comp in zip(histories, esn.forecast(histories, 4), strict=True):
        close(comp, naive.forecast(naive.network_of(esn), esn.readout_from, esn.output_weights_, history, 4), 1e-8)


def test_forecasts_come_as_the_history_did() -> None:
    esn = small().fit(WAVE[:, 0])
    assert esn.forecast(WAVE[:, 0], 5).shape == esn.forecast(WAVE[:, 0].tolist(), 5).shape == (5,)
    assert esn.forecast(WAVE[:, :1], 5).shape == (5, 1)
    many = esn.forecast([WAVE[:20, 0], WAVE[:, 0]], 5)
    assert isinstance(many, list) and [y.shape for y in many] == [(5,), (5,)]
    assert [y.shape for y in esn.forecast(WAVE[:, :1].reshape(3, 20, 1), 5)] == [(5, 1)] * 3


# Learning on


@pytest.mark.parametrize("feedback", [0.0, 0.4])
def test_partial_fit_equals_fit(feedback: float) -> None:
    sequences, targets = cut(INPUTS, [20, 10, 30]), cut(TARGETS, [20, 10, 30])
    comp = small(feedback_scaling=feedback).fit(sequences[0], targets[0])
    comp.partial_fit(sequences[1:], targets[1:])
    fresh = small(feedback_scaling=feedback)
    for u, y in zip(sequences, targets, strict=True):
        fresh.partial_fit(u, y)
    ref = weights(comp, sequences, targets, feedback > 0.0)
    close(comp.output_weights_, ref, 1e-7)
    close(fresh.output_weights_, ref, 1e-7)


@pytest.mark.parametrize(
    "readout", [Ridge(1e-3), RecursiveLeastSquares(0.99), LeastMeanSquares()], ids=lambda r: type(r).__name__
)
@pytest.mark.parametrize("feedback", [0.0, 0.4])
@pytest.mark.parametrize("borders", [(0, 30, 60), (0, 5, 6, 60)])
def test_a_continued_sequence_is_one_sequence(
    borders: tuple[int, ...], feedback: float, readout: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "block_rows", lambda width: 16)
    ref = small(feedback_scaling=feedback, readout=readout).fit(INPUTS, TARGETS)
    comp = small(feedback_scaling=feedback, readout=readout)
    for start, stop in itertools.pairwise(borders):
        comp.partial_fit(INPUTS[start:stop], TARGETS[start:stop], continued=start > 0)
    close(comp.output_weights_, ref.output_weights_, 1e-7)


def test_a_continued_sequence_goes_on_from_the_last_of_many() -> None:
    sequences, targets = cut(INPUTS, [20, 25, 15]), cut(TARGETS, [20, 25, 15])
    comp = small(feedback_scaling=0.4).fit(sequences[:2], targets[:2]).partial_fit(sequences[2], targets[2], continued=True)
    joined = [sequences[0], INPUTS[20:60]], [targets[0], TARGETS[20:60]]
    close(comp.output_weights_, weights(comp, *joined, True), 1e-7)


def test_every_call_of_partial_fit_adds_other_noise() -> None:
    def runs() -> list[np.ndarray]:
        esn = small(noise=0.1, readout=Recorder(1e-3), readout_from=("state",))
        return [np.concatenate(esn.partial_fit(INPUTS, TARGETS).readout_.seen) for _ in range(3)]

    first, second, third = runs()
    assert (first != second).all() and (second != third).all() and (first != third).all()
    for comp, ref in zip(runs(), (first, second, third), strict=True):
        np.testing.assert_array_equal(comp, ref)


def test_classes_of_partial_fit() -> None:
    told = np.where(INPUTS[:, 0] > 0.0, "up", "down")
    esn = small(readout=RidgeClassifier(1e-3)).partial_fit(INPUTS[:30], told[:30], classes=["up", "flat", "down"])
    np.testing.assert_array_equal(esn.classes_, ["down", "flat", "up"])
    comp = esn.partial_fit(INPUTS[30:], told[30:]).predict(INPUTS)
    assert set(comp) <= {"up", "down"} and np.mean(comp == told) > 0.8


# Seeds and threads


@pytest.mark.parametrize("topology", ["diagonals", "random", "dense"])
@pytest.mark.parametrize(
    "seed",
    [3, np.int64(3), np.random.SeedSequence(3), np.random.SeedSequence([3, 4]), np.random.default_rng, np.random.RandomState],
)
def test_same_seed_same_bits(seed: Any, topology: str) -> None:
    def run() -> list[np.ndarray]:
        state = seed(3) if callable(seed) else seed
        esn = small(topology=topology, random_state=state, noise=0.01, initial_state="random").fit(WAVE)
        return [esn.output_weights_, esn.input_weights_, esn.bias_, esn.predict(WAVE), esn.forecast(WAVE, 20)]

    for comp, ref in zip(run(), run(), strict=True):
        np.testing.assert_array_equal(comp, ref)


def test_other_seeds_other_weights() -> None:
    one, other, fresh, again = (small(random_state=seed).fit(WAVE) for seed in (0, 1, None, None))
    for a, b in ((one, other), (fresh, again), (one, fresh)):
        assert (a.input_weights_ != b.input_weights_).all() and (a.bias_ != b.bias_).all()


def test_fitting_again_starts_from_the_same_seed() -> None:
    esn = small(noise=0.1).fit(INPUTS, TARGETS)
    ref = esn.output_weights_.copy()
    esn.partial_fit(INPUTS, TARGETS)
    np.testing.assert_array_equal(esn.fit(INPUTS, TARGETS).output_weights_, ref)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_same_bits_whatever_the_number_of_threads(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sequences, results = cut(np.concatenate([INPUTS] * 20), [9, 600, 1, 500, 40, 20]), []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("RESERVOIR_NUM_THREADS", threads)
        esn = small(dtype=dtype, units=33).fit(WAVE)
        states = small(dtype=dtype, units=33).build(3).states(sequences)
        results.append([np.concatenate(states), np.stack(esn.forecast([WAVE[:k] for k in range(1, 9)], 15)), esn.output_weights_])
    for comp in results[1:]:
        for a, b in zip(comp, results[0], strict=True):
            np.testing.assert_array_equal(a, b)
