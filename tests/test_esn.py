"""The echo state network against its equations: states, fits, targets of every shape, sequences cut into blocks."""

from __future__ import annotations

from typing import Any

import naive
import numpy as np
import pytest
from networks import INPUTS, TARGETS, UNEQUAL, WAVE, Recorder, close, cut, small, weights

from reservoir import Logistic, Ridge, RidgeClassifier
from reservoir.echo import features

PARTS = [("state",), ("bias", "state"), ("bias", "input", "state"), ("state", "square", "bias"), ("input", "bias")]
WITH_OUTPUT = [("output", "state"), naive.PARTS, ("bias", "output")]


# States


@pytest.mark.parametrize("activation", list(naive.ACTIVATIONS))
@pytest.mark.parametrize("leak", [1.0, 0.3, np.linspace(0.1, 1.0, 8)], ids=["1", "0.3", "each"])
def test_states(leak: Any, activation: str) -> None:
    esn = small(leak_rate=leak, activation=activation).build(3)
    ref = naive.drive(naive.network_of(esn), INPUTS)
    close(esn.states(INPUTS), ref, 1e-12)


@pytest.mark.parametrize("topology", ["diagonals", "random", "dense", "cycle", "lattice"])
@pytest.mark.parametrize("units", [1, 7, 33])
def test_states_of_every_storage(units: int, topology: str) -> None:
    esn = small(units=units, topology=topology, spectral_radius=None if units == 1 else 0.9).build(3)
    ref = naive.drive(naive.network_of(esn), INPUTS[:20])
    close(esn.states(INPUTS[:20]), ref, 1e-12)


def test_states_with_feedback_are_forced_by_the_targets_one_step_late() -> None:
    esn = small(feedback_scaling=[0.5, 2.0]).build(3, 2)
    ref = naive.drive(naive.network_of(esn), INPUTS, TARGETS)
    close(esn.states(INPUTS, TARGETS), ref, 1e-12)


@pytest.mark.parametrize(
    "start", ["zero", "random", [0.5] * 8, np.linspace(-1.0, 1.0, 8)], ids=["zero", "random", "list", "array"]
)
def test_initial_state(start: Any) -> None:
    esn = small(initial_state=start).build(3)
    first = esn.reservoir_.initial_state
    if isinstance(start, str):
        assert (np.abs(first).max() > 0.3) == (start == "random") and np.abs(first).max() <= 1.0
        assert len(set(first)) == (8 if start == "random" else 1)
    else:
        np.testing.assert_array_equal(first, start)
    ref = naive.drive(naive.network_of(esn)._replace(start=first), INPUTS)
    close(esn.states(INPUTS), ref, 1e-12)


def test_sequences_do_not_see_one_another() -> None:
    esn = small(initial_state="random").build(3)
    sequences = cut(INPUTS, UNEQUAL)
    comp = esn.states(sequences)
    assert [len(x) for x in comp] == UNEQUAL
    for x, u in zip(comp, sequences, strict=True):
        np.testing.assert_array_equal(x, esn.states(u))
    for x, u in zip(esn.states(INPUTS.reshape(4, 15, 3)), INPUTS.reshape(4, 15, 3), strict=True):
        np.testing.assert_array_equal(x, esn.states(u))


def test_single_precision() -> None:
    ref, comp = (small(units=30, dtype=dtype).fit(INPUTS, TARGETS) for dtype in ("float64", "float32"))
    assert comp.states(INPUTS).dtype == np.float32 and ref.states(INPUTS).dtype == np.float64
    np.testing.assert_array_equal(comp.recurrent_weights_.toarray(), ref.recurrent_weights_.toarray())
    close(comp.states(INPUTS), ref.states(INPUTS), 2e-6)
    close(comp.predict(INPUTS), ref.predict(INPUTS), 1e-3)


# Fitting


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("washout", [0, 4, 59])
def test_fit_and_predict(washout: int, parts: tuple[str, ...]) -> None:
    esn = small(readout_from=parts, washout=washout).fit(INPUTS, TARGETS)
    ref = weights(esn, [INPUTS], [TARGETS])
    close(esn.output_weights_, ref, 1e-7)
    assert esn.n_parameters_ == ref.size
    close(esn.predict(INPUTS), naive.feature_rows(naive.network_of(esn), parts, INPUTS) @ esn.output_weights_.T)


@pytest.mark.parametrize("parts", PARTS + WITH_OUTPUT)
@pytest.mark.parametrize("feedback", [0.0, 0.4])
def test_fit_many_sequences_with_teacher_forcing(feedback: float, parts: tuple[str, ...]) -> None:
    sequences, targets = cut(INPUTS, [20, 5, 30]), cut(TARGETS, [20, 5, 30])
    esn = small(readout_from=parts, feedback_scaling=feedback).fit(sequences, targets)
    forced = feedback > 0.0 or "output" in parts
    close(esn.output_weights_, weights(esn, sequences, targets, forced), 1e-6)


def test_what_happens_during_the_washout_is_not_fitted() -> None:
    ref = small(washout=20).fit(INPUTS, TARGETS).output_weights_
    changed = TARGETS.copy()
    changed[:20] = 99.0
    np.testing.assert_array_equal(small(washout=20).fit(INPUTS, changed).output_weights_, ref)
    changed[20] = 99.0
    assert (small(washout=20).fit(INPUTS, changed).output_weights_ != ref).any()


@pytest.mark.parametrize("lengths", [[15], [16], [17], [40], [15, 1, 16, 3, 17], [24, 24], [3, 45]], ids=str)
@pytest.mark.parametrize("parameters", [{}, {"feedback_scaling": 0.3}, {"washout": 2}], ids=str)
def test_cutting_into_blocks_shows_nowhere(
    parameters: dict[str, Any], lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "block_rows", lambda width: 16)
    sequences, feedback = cut(INPUTS, lengths), "feedback_scaling" in parameters
    targets = [np.tanh(np.cumsum(u, axis=0)) + 0.1 for u in sequences]
    esn = small(**{"washout": 0, **parameters}, readout_from=("bias", "input", "square", "state"))
    if parameters.get("washout"):
        sequences, targets = ([each for each in part if len(each) > 2] for part in (sequences, targets))
    esn.fit(sequences, targets)
    network = naive.network_of(esn)
    close(esn.output_weights_, weights(esn, sequences, targets, feedback), 1e-7)
    for comp, u, y in zip(esn.states(sequences, targets), sequences, targets, strict=True):
        close(comp, naive.drive(network, u, y if feedback else None), 1e-11)
    if not feedback:
        for comp, u in zip(esn.predict(sequences), sequences, strict=True):
            close(comp, naive.feature_rows(network, esn.readout_from, u) @ esn.output_weights_.T, 1e-10)


def test_long_series_are_cut() -> None:
    units, length = 200, 2 * features.block_rows(202) + 3
    inputs = np.random.default_rng(0).uniform(-1.0, 1.0, length)
    esn = small(units=units, density=0.05).fit(inputs, np.roll(inputs, 3))
    rows = np.concatenate([np.ones((length, 1)), inputs[:, None], esn.states(inputs)], axis=1)  # the states are never cut
    close(esn.output_weights_, naive.ridge(rows[4:], np.roll(inputs, 3)[4:, None], 1e-3, True).T, 1e-6)
    close(esn.predict(inputs), rows @ esn.output_weights_[0], 1e-9)
    assert features.block_rows(10**6) == 512  # at least


def test_one_step_ahead() -> None:
    for series in (WAVE, WAVE[:, 0], [WAVE[:20], WAVE[20:]], WAVE.reshape(2, 30, 2)):
        many = not (isinstance(series, np.ndarray) and series.ndim < 3)
        inputs, targets = ([s[:-1] for s in series], [s[1:] for s in series]) if many else (series[:-1], series[1:])
        ref = small().fit(inputs, targets)
        comp = small().fit(series)
        np.testing.assert_array_equal(comp.output_weights_, ref.output_weights_)
        for a, b in zip(comp.predict(inputs), ref.predict(inputs), strict=True):
            np.testing.assert_array_equal(a, b)


def test_noise_is_added_to_every_state_while_fitting() -> None:
    esn = small(noise=0.01, readout=Recorder(1e-3), readout_from=("state",), washout=0)
    inputs = np.concatenate([INPUTS] * 20)
    esn.fit(inputs, np.concatenate([TARGETS] * 20))
    network, states = naive.network_of(esn), np.concatenate(Recorder.seen)
    before = np.concatenate([np.zeros((1, 8)), states[:-1]])
    noise = states - [naive.step(network, x, u, np.zeros(0)) for x, u in zip(before, inputs, strict=True)]
    assert noise.shape == (1200, 8) and np.std(noise) == pytest.approx(0.01, rel=0.05) and abs(noise.mean()) < 5e-4
    assert np.abs(np.corrcoef(noise.T) - np.eye(8)).max() < 0.15  # another number for every unit
    assert np.abs(np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1]) < 0.05  # and for every step
    assert 0.02 < np.mean(np.abs(noise) > 0.02) < 0.08  # Gaussian: .0455


def test_noise_is_not_added_when_the_network_is_used() -> None:
    quiet, noisy = small(), small(noise=0.1)
    np.testing.assert_array_equal(noisy.build(3).states(INPUTS), quiet.build(3).states(INPUTS))
    noisy.fit(INPUTS, TARGETS)
    assert (noisy.output_weights_ != quiet.fit(INPUTS, TARGETS).output_weights_).all()
    ref = naive.feature_rows(naive.network_of(noisy), noisy.readout_from, INPUTS) @ noisy.output_weights_.T
    close(noisy.predict(INPUTS), ref)


def test_two_passes_over_the_data_see_the_same_noise() -> None:
    penalties = [1e-6, 1e-3, 1.0]  # a list needs two passes, one number needs one
    comp = small(noise=0.05, readout=Ridge(penalties)).fit(INPUTS, TARGETS)
    ref = small(noise=0.05, readout=Ridge(comp.readout_.ridge_)).fit(INPUTS, TARGETS)
    close(comp.output_weights_, ref.output_weights_, 1e-7)


# Targets per sequence


@pytest.mark.parametrize("washout", [0, 3])
@pytest.mark.parametrize("pooling", ["last", "mean", "every"])
@pytest.mark.parametrize("lengths", [[9, 5, 30, 6, 7], [4, 12, 16, 17]], ids=str)
@pytest.mark.parametrize("block", [16, 1000])
def test_pooling(block: int, lengths: list[int], pooling: str, washout: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "block_rows", lambda width: block)
    generator = np.random.default_rng(5)
    sequences = [generator.uniform(-1.0, 1.0, (length, 2)) for length in lengths]
    targets = generator.normal(size=(len(lengths), 2))
    esn = small(units=3, pooling=pooling, washout=washout, density=1.0, readout=Ridge(0.1)).fit(sequences, targets)
    rows = [naive.feature_rows(naive.network_of(esn), esn.readout_from, u) for u in sequences]
    if pooling == "every":
        seen = np.concatenate([r[washout:] for r in rows])
        wanted = np.concatenate([np.tile(y, (len(r) - washout, 1)) for y, r in zip(targets, rows, strict=True)])
    else:
        seen, wanted = np.array([r[-1] if pooling == "last" else r[washout:].mean(axis=0) for r in rows]), targets
    ref = naive.ridge(seen, wanted, 0.1, True)
    close(esn.output_weights_, ref.T, 1e-7)
    outputs = [r[-1] @ ref if pooling == "last" else (r[washout:] @ ref).mean(axis=0) for r in rows]
    close(esn.predict(sequences), np.array(outputs), 1e-7)
    flat = small(units=3, pooling=pooling, washout=washout, density=1.0, readout=Ridge(0.1)).fit(sequences, targets[:, 0])
    close(flat.predict(sequences), np.array(outputs)[:, 0], 1e-7)


def test_the_last_step_needs_no_washout() -> None:
    sequences = cut(INPUTS, UNEQUAL)
    ref = small(washout=0).fit(sequences, [1.0, 2.0, 3.0, 4.0])
    comp = small(washout=100).fit(sequences, [1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(comp.output_weights_, ref.output_weights_)


@pytest.mark.parametrize("readout", [RidgeClassifier(1e-3), Logistic()], ids=lambda readout: type(readout).__name__)
@pytest.mark.parametrize("labels", [["no", "yes"], [7, -2], [True, False], [0.0, 3.0]], ids=repr)
def test_labels(labels: list[Any], readout: Any) -> None:
    told = np.array(labels)[(np.roll(INPUTS[:, 0], 1) > 0.0).astype(int)]
    esn = small(units=30, readout=readout).fit(INPUTS, told)
    np.testing.assert_array_equal(esn.classes_, sorted(labels))
    comp = esn.predict(INPUTS)
    assert comp.shape == (60,) and comp.dtype == told.dtype and np.mean(comp[4:] == told[4:]) > 0.9
    assert esn.score(INPUTS, told) == np.mean(comp[4:] == told[4:])
    sequences = [u + 3.0 * (k % 2) for k, u in enumerate(cut(INPUTS, [10] * 6))]
    esn = small(readout=readout, pooling="mean").fit(sequences, np.array(labels * 3))
    np.testing.assert_array_equal(esn.predict(sequences), labels * 3)
    assert esn.score(sequences, labels * 3) == 1.0


def test_probabilities() -> None:
    told = np.digitize(np.roll(INPUTS[:, 0], 1), [-0.4, 0.4])
    esn = small(units=30, readout=Logistic()).fit(INPUTS, told)
    comp = esn.predict_proba(INPUTS)
    assert comp.shape == (60, 3) and np.allclose(comp.sum(axis=1), 1.0) and comp.min() > 0.0
    np.testing.assert_array_equal(comp.argmax(axis=1), esn.predict(INPUTS))
    rows = naive.feature_rows(naive.network_of(esn), esn.readout_from, INPUTS) @ esn.output_weights_.T
    close(comp, np.exp(rows) / np.exp(rows).sum(axis=1, keepdims=True))


def test_score() -> None:
    esn = small().fit(INPUTS, TARGETS)
    errors, wanted = (esn.predict(INPUTS) - TARGETS)[4:], TARGETS[4:]
    ref = np.mean(1.0 - np.mean(errors**2, axis=0) / np.var(wanted, axis=0))
    assert esn.score(INPUTS, TARGETS) == pytest.approx(ref, rel=1e-12)
    sequences, targets = cut(INPUTS, [20, 10, 30]), cut(TARGETS, [20, 10, 30])
    errors = np.concatenate([(p - y)[4:] for p, y in zip(esn.predict(sequences), targets, strict=True)])
    wanted = np.concatenate([y[4:] for y in targets])
    ref = np.mean(1.0 - np.mean(errors**2, axis=0) / np.var(wanted, axis=0))
    assert esn.score(sequences, targets) == pytest.approx(ref, rel=1e-12)


# Shapes


@pytest.mark.parametrize("given", ["flat", "column", "list of numbers", "integers"])
def test_one_feature(given: str) -> None:
    u = np.round(10.0 * INPUTS[:, 0])
    forms = {"flat": u, "column": u[:, None], "list of numbers": u.tolist(), "integers": u.astype(np.int32)}
    ref = small().fit(u, TARGETS).predict(u)
    np.testing.assert_array_equal(small().fit(forms[given], TARGETS).predict(forms[given]), ref)


def test_outputs_come_as_the_targets_did() -> None:
    flat, column = small().fit(INPUTS, TARGETS[:, 0]), small().fit(INPUTS, TARGETS[:, :1])
    assert (flat.predict(INPUTS).shape, column.predict(INPUTS).shape) == ((60,), (60, 1))
    np.testing.assert_array_equal(flat.predict(INPUTS), column.predict(INPUTS)[:, 0])
    for many in (INPUTS.reshape(2, 30, 3), list(INPUTS.reshape(2, 30, 3)), tuple(INPUTS.reshape(2, 30, 3))):
        for esn, shape in ((flat, (30,)), (column, (30, 1))):
            comp = esn.predict(many)
            assert isinstance(comp, list) and [y.shape for y in comp] == [shape, shape]
        again = small().fit(many, TARGETS.reshape(2, 30, 2))
        assert [y.shape for y in again.predict(many)] == [(30, 2), (30, 2)]
        assert [y.shape for y in small().fit(many, TARGETS[:, 0].reshape(2, 30), target="step").predict(many)] == [(30,), (30,)]


def test_attributes() -> None:
    esn = small(feedback_scaling=0.5, readout_from=naive.PARTS).fit(INPUTS, TARGETS)
    assert (esn.n_features_in_, esn.n_outputs_) == (3, 2)
    assert esn.recurrent_weights_.shape == (8, 8) and esn.input_weights_.shape == (8, 3)
    assert esn.bias_.shape == (8,) and esn.feedback_weights_.shape == (8, 2)
    assert esn.output_weights_.shape == (2, 1 + 3 + 2 + 8 + 8) and esn.n_parameters_ == 44
    assert small().fit(INPUTS, TARGETS).feedback_weights_.shape == (8, 0)
