"""The base of estimators of sequences, under the smallest estimator there can be: a factor, fitted by least squares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from messages import mentions
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError

from reservoir import ESN, DataError, Elman, ParameterError, RidgeClassifier, Training
from reservoir.base.known import Known
from reservoir.base.model_file import read_model
from reservoir.base.sequence_estimator import SequenceEstimator
from reservoir.base.state import State
from reservoir.base.targets import read_targets

RNG = np.random.default_rng(0)


class Factor(SequenceEstimator):
    """y(t) = a u(t) for each feature; a value per sequence is that of its last step."""

    def __init__(self, washout: int = 0, pooling: str = "last", labels: bool = False) -> None:
        self.washout = washout
        self.pooling = pooling
        self.labels = labels

    @property
    def _classifies(self) -> bool:
        return self.labels

    def fit(self, inputs: Any, targets: Any = None) -> Self:
        sequences, read = self._read(inputs, targets, None, self.washout, None)
        self.n_features_in_, self.n_outputs_ = sequences[0].shape[1], read.n_outputs
        self._remember(inputs, read)
        skipped = self.washout if read.per_step else -1
        u = np.concatenate([u[skipped:] for u in sequences])
        y = np.concatenate([y[self.washout :] if read.per_step else y[None] for y in read.values])
        self.factor_ = (u * y).sum(axis=0) / (u * u).sum(axis=0)
        return self

    def more(self, inputs: Any, targets: Any) -> None:
        self._check_again(inputs, *self._read(inputs, targets, None, 0, None))

    def _run(self, sequences: list[np.ndarray]) -> list[np.ndarray]:
        results = [u * self.factor_ for u in sequences]
        return results if self._per_step else [np.stack([y[-1] for y in results])]

    _fed_back = False

    def _begin(self) -> State:
        return State(np.zeros((1, 1)), np.zeros((1, self.n_outputs_)))

    def _advance(self, inputs: np.ndarray, state: State) -> np.ndarray:
        return inputs * self.factor_

    def _continue(self, histories: list[np.ndarray], steps: int, known: Known | None) -> list[np.ndarray]:
        return [y[-1] * self.factor_ ** np.arange(1, steps + 1)[:, None] for y in histories]

    def _record(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, state = super()._record()
        return {**arrays, "factor": self.factor_}, state

    def _restore(self, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
        super()._restore(arrays, state)
        self.factor_ = arrays["factor"]


def restored(factor: Factor, folder: Path) -> Factor:
    factor.save(folder / "factor")
    name, *parts = read_model(folder / "factor", {}.__getitem__)
    assert name == f"{__name__}:Factor"
    return Factor.restored(*parts)


def test_one_and_many_sequences_with_and_without_an_output_axis(tmp_path: Path) -> None:
    u = RNG.normal(size=(9, 1))
    for inputs, targets in ((u[:, 0], 3 * u[:, 0]), (u, 3 * u), ([u, u[:4]], [3 * u, 3 * u[:4]])):
        factor = restored(Factor(washout=2).fit(inputs, targets), tmp_path)
        comp = factor.predict(inputs)
        assert isinstance(comp, list) == isinstance(inputs, list)
        for a, b in zip(comp, targets, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
        assert factor.score(inputs, targets) == pytest.approx(1.0)


def test_a_value_per_sequence(tmp_path: Path) -> None:
    sequences = [RNG.normal(size=(length, 2)) for length in (3, 1, 4)]
    targets = np.array([2 * u[-1] for u in sequences])
    np.testing.assert_allclose(restored(Factor().fit(sequences, targets), tmp_path).predict(sequences), targets, rtol=1e-12)


@pytest.mark.parametrize("names", [np.array(["no", "yes"]), np.array([3, 5])], ids=["text", "numbers"])
def test_labels(names: np.ndarray, tmp_path: Path) -> None:
    scores = np.eye(2)[[0, 1, 1, 0]]
    comp = restored(Factor(labels=True).fit(scores, names[[0, 1, 1, 0]]), tmp_path)
    assert comp.predict(scores).tolist() == names[[0, 1, 1, 0]].tolist()
    assert comp.score(scores, names[[0, 1, 0, 0]]) == 0.75
    # Each score is its own factor: softmax(1, 0) = e / (e + 1)
    np.testing.assert_allclose(comp._predict_proba()(scores[:1]), [[np.e / (np.e + 1), 1 / (np.e + 1)]], rtol=1e-12)
    assert is_classifier(comp) and not is_classifier(Factor())


def test_washout_steps_are_not_scored() -> None:
    u = RNG.normal(size=(20, 1))
    targets = 2 * u
    targets[:5] = 1e3
    assert Factor(washout=5).fit(u, targets).score(u, targets) == pytest.approx(1.0)


def test_forecast() -> None:
    series = 0.5 ** np.arange(6)
    factor = Factor().fit(series)  # the next step: a factor of 1/2
    np.testing.assert_allclose(factor.forecast(series, 3), 0.5 ** np.arange(6, 9), rtol=1e-12)
    one, two = factor.forecast([series[:2, None], series[:, None]], 2)
    np.testing.assert_allclose(one, [[0.25], [0.125]], rtol=1e-12)
    assert two.shape == (2, 1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: Factor().predict(np.ones(3)), NotFittedError, "Factor instance"),
        (lambda f: Factor().save("never"), NotFittedError, "Factor instance"),
        (lambda f: f.predict(np.ones((3, 1))), DataError, "1 Factor 2"),
        (lambda f: f.forecast(np.ones((3, 2)), 0), ParameterError, "'steps' forecast 0"),
        (lambda f: f.forecast(np.ones((3, 3)), 1), DataError, "3 2 features"),
        (lambda f: f.set_params(washout=9).score(np.ones((9, 2)), np.ones((9, 2))), DataError, "1 10 required"),
        (lambda f: f.fit(np.ones((1, 2))), DataError, "2 required"),
        (lambda f: f.more(np.ones((3, 1)), np.ones((3, 2))), DataError, "1 Factor 2"),
        (lambda f: f.more(np.ones((3, 2)), np.ones(3)), DataError, "1 2 continue"),
        (
            lambda f: f.more([np.ones((3, 2))] * 3, np.ones((3, 2))),
            DataError,
            "2 continue",
        ),
        (
            lambda f: Factor(pooling="mean", washout=3).fit([np.ones((3, 2))], np.ones((1, 2))),
            DataError,
            "0 3 1 4",
        ),
    ],
)
def test_errors(call: Any, error: type[Exception], message: str) -> None:
    fitted = Factor().fit(np.ones((5, 2)), np.ones((5, 2)))
    with pytest.raises(error, match=mentions(message)):
        call(fitted)


TWELVE = np.random.default_rng(3).normal(size=(12, 5, 1))


OPEN = TWELVE[..., 0]
SMALL_ONES = [ESN(units=5, washout=0, random_state=0), Elman(3, training=Training(epochs=1), random_state=0)]


@pytest.mark.parametrize("targets", [OPEN, list(OPEN), OPEN.tolist()], ids=["array", "list", "plain"])
@pytest.mark.parametrize("estimator", SMALL_ONES)
def test_targets_that_may_be_per_step_or_per_sequence(estimator: Any, targets: Any) -> None:
    with pytest.raises(DataError, match=mentions("(12, 5) 12 5 'target' fit")):
        estimator.fit(TWELVE, targets)
    per_step = estimator.fit(TWELVE, targets, target="step").predict(TWELVE)
    assert [y.shape for y in per_step] == [(5,)] * 12
    ref = estimator.fit(TWELVE, TWELVE).predict(TWELVE)  # an axis of outputs leaves nothing open
    np.testing.assert_array_equal(np.stack(per_step), np.stack(ref)[..., 0])
    assert estimator.fit(TWELVE, targets, target="sequence").predict(TWELVE).shape == (12, 5)


def test_the_shape_decides_where_it_can() -> None:
    esn = ESN(units=5, washout=0, random_state=0)
    assert esn.fit(TWELVE, TWELVE[:, :4, 0]).predict(TWELVE).shape == (12, 4)
    assert esn.fit(TWELVE, TWELVE[:, 0, 0]).predict(TWELVE).shape == (12,)
    lengths = [3] * 11 + [4]
    cut = [u[:length] for u, length in zip(TWELVE, lengths, strict=True)]
    assert [y.shape for y in esn.fit(cut, [u[:, 0] for u in cut]).predict(cut)] == [(length,) for length in lengths]
    labels = (TWELVE[..., 0] > 0).astype(int)  # one label per sequence is one number: these are per step
    assert len(ESN(units=5, washout=0, readout=RidgeClassifier(), random_state=0).fit(TWELVE, labels).predict(TWELVE)) == 12


@pytest.mark.parametrize(
    ("inputs", "targets", "target", "message"),
    [
        (TWELVE, TWELVE[..., 0], "steps", "'target' fit None 'steps'"),
        (TWELVE, TWELVE[:, 0, 0], "step", "12 need"),
        (TWELVE, TWELVE, "sequence", "targets (12, 5 1) 12"),
        (TWELVE, OPEN[:11], "sequence", "targets (11, 5) 12"),
        (TWELVE, OPEN[:11], "step", "11 inputs 12"),
        (TWELVE, OPEN[:, :4], "step", "targets 0 4 inputs 5"),
        (TWELVE, [], "step", "12 need"),
        (TWELVE, np.zeros((0, 5)), "step", "12 need"),
        (TWELVE, 3.0, "step", "12 3.0 need"),
        (TWELVE, None, "sequence", "targets"),
        (TWELVE, TWELVE[..., None], None, "targets (12, 5 1 1)"),
        (TWELVE[0], TWELVE[0], "sequence", "sequences many"),
    ],
)
def test_a_target_that_does_not_fit(inputs: Any, targets: Any, target: Any, message: str) -> None:
    with pytest.raises((DataError, ParameterError), match=mentions(message)):
        ESN(units=5, washout=0, random_state=0).fit(inputs, targets, target=target)


def test_more_data_are_read_as_the_first_were() -> None:
    esn = ESN(units=5, washout=0, random_state=0).partial_fit(TWELVE, TWELVE[..., 0], target="sequence")
    assert esn.partial_fit(TWELVE, TWELVE[..., 0]).predict(TWELVE).shape == (12, 5)


@pytest.mark.parametrize(
    ("targets", "per_step"),
    [
        (np.zeros((12, 5, 5)), True),
        ([np.zeros((5, 1))] * 12, True),
        (np.zeros((12, 6)), False),
        (np.zeros((12, 12)), False),
        ([0.0] * 12, False),
    ],
)
def test_a_shape_that_can_be_one_only_is_the_same_with_and_without_its_name(targets: Any, per_step: bool) -> None:
    for target in (None, "step" if per_step else "sequence"):
        read = read_targets(targets, [5] * 12, True, None, False, target)  # type: ignore[arg-type]
        assert (read.per_step, len(read.values)) == (per_step, 12)


@pytest.mark.parametrize("steps", [2, 3, 12])
def test_labels_of_equal_sequences_are_one_per_step(steps: int) -> None:
    labels = np.arange(12 * steps).reshape(12, steps) % 3
    classifier = ESN(units=5, washout=0, readout=RidgeClassifier(), random_state=0)
    inputs = np.random.default_rng(0).normal(size=(12, steps, 1))
    assert [y.shape for y in classifier.fit(inputs, labels).predict(inputs)] == [(steps,)] * 12
    assert classifier.fit(inputs, labels[:, 0]).predict(inputs).shape == (12,)


def test_a_label_of_sequences_of_one_step_may_be_either() -> None:
    inputs, labels = TWELVE[:, :1], (np.arange(12) % 2)[:, None]
    classifier = ESN(units=5, washout=0, readout=RidgeClassifier(), random_state=0)
    with pytest.raises(DataError, match=mentions("(12, 1) 'target' fit")):
        classifier.fit(inputs, labels)
    assert classifier.fit(inputs, labels, target="sequence").predict(inputs).shape == (12,)
    assert [y.shape for y in classifier.fit(inputs, labels, target="step").predict(inputs)] == [(1,)] * 12


def test_a_series_alone_has_targets_per_step() -> None:
    ref = ESN(units=5, washout=0, random_state=0).fit(list(OPEN)).output_weights_
    comp = ESN(units=5, washout=0, random_state=0).fit(list(OPEN), target="step").output_weights_
    np.testing.assert_array_equal(comp, ref)
