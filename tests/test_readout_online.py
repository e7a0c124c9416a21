"""Readouts that classify or learn step by step, and readouts' parameters."""

from __future__ import annotations

from typing import Any

import naive
import numpy as np
import pytest
from messages import mentions
from readout_problems import WITH_BIAS, close, in_blocks, problem
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from reservoir import (
    DataError,
    DivergenceError,
    LeastMeanSquares,
    Logistic,
    ParameterError,
    RecursiveLeastSquares,
    Ridge,
    RidgeClassifier,
)

# Classifiers


def labeled(classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Features with a bias and a constant, of unlike scales, and one-hot labels."""
    generator = np.random.default_rng(2)
    labels = generator.integers(0, classes, 90)
    features = generator.normal(size=(90, 6)) + 0.7 * labels[:, None] * [0, 1, -1, 0.5, 0, 0]
    features = features * [1.0, 10.0, 0.1, 1.0, 1.0, 0.0] + [0.0, 5.0, 0.0, -3.0, 0.0, 4.0]
    features[:, 0] = 1.0
    return features, np.eye(classes)[labels]


def test_ridge_classifier_is_ridge_on_codes() -> None:
    features, codes = labeled(3)
    ref = naive.ridge(features, codes, 0.1, True)
    close(RidgeClassifier(0.1).fit_arrays(features, codes, True).coefficients_.T, ref, 1e-8)
    assert RidgeClassifier.classifier and Logistic.classifier and not Ridge.classifier


@pytest.mark.parametrize("classes", [2, 3])
@WITH_BIAS
def test_logistic_is_that_of_sklearn_on_standardized_features(bias: bool, classes: int) -> None:
    features, codes = labeled(classes)
    rest = features[:, int(bias) :]
    means, spread = rest.mean(axis=0) * bias, np.where(rest.std(axis=0) > 0.0, rest.std(axis=0), 1.0)
    model = LogisticRegression(C=1 / 2.5, fit_intercept=bias, max_iter=500).fit((rest - means) / spread, codes.argmax(axis=1))
    ref = model.predict_proba((rest - means) / spread)
    scores = features @ Logistic(2.5).fit(in_blocks(features, codes, bias)).coefficients_.T
    comp = softmax(scores, axis=1) if classes > 2 else 1.0 / (1.0 + np.exp(scores[:, :1] - scores[:, 1:]))
    close(comp, ref if classes > 2 else ref[:, 1:], 1e-6)


def test_logistic_is_at_the_minimum_it_documents() -> None:
    # cross-entropy + ridge / 2 |B|^2 of the standardized features: the gradient X^T (p - y) + ridge B is zero
    features, codes = labeled(3)
    z = (features[:, 1:5] - features[:, 1:5].mean(axis=0)) / features[:, 1:5].std(axis=0)
    data = np.concatenate([np.ones((90, 1)), z], axis=1)
    comp = Logistic(0.7).fit(in_blocks(data, codes, True)).coefficients_.T
    gradient = data.T @ (softmax(data @ comp, axis=1) - codes) + 0.7 * comp * np.array([[0.0], [1.0], [1.0], [1.0], [1.0]])
    assert np.abs(gradient).max() < 1e-2 and np.abs(data.T @ codes).max() > 10.0


def test_logistic_needs_every_class() -> None:
    features, codes = labeled(3)
    with pytest.raises(DataError, match=mentions("classes")):
        Logistic().fit(in_blocks(features, np.eye(3)[np.ones(90, int)], True))
    some = codes[:, 1] == 0.0
    with pytest.raises(DataError, match=mentions("2 3 logistic")):
        Logistic().fit(in_blocks(features[some], codes[some], True))


# Online


def test_rls_is_the_recurrence() -> None:
    features, targets = problem((40, 7), True)
    ref, inverse = naive.recursive_least_squares(features, targets, 0.97, 0.1)
    comp = RecursiveLeastSquares(0.97, 0.1).fit(in_blocks(features, targets, True))
    close(comp.coefficients_.T, ref, 1e-8)
    close(comp.inverse_, inverse, 1e-8)


def test_rls_that_forgets_nothing_is_ridge_with_the_bias_penalized() -> None:
    features, targets = problem((40, 7), True)
    ref = naive.ridge(features, targets, 0.1, bias=False)
    close(RecursiveLeastSquares(1.0, 0.1).fit(in_blocks(features, targets, True)).coefficients_.T, ref, 1e-7)


@pytest.mark.parametrize("forgetting", [0.99, 0.8])
def test_rls_that_forgets_is_weighted_least_squares(forgetting: float) -> None:
    features, targets = problem((40, 7), True)
    ref = naive.weighted_least_squares(features, targets, forgetting, 0.1)
    close(RecursiveLeastSquares(forgetting, 0.1).fit(in_blocks(features, targets, True)).coefficients_.T, ref, 1e-6)


@pytest.mark.parametrize(("normalized", "rate"), [(True, 0.5), (False, 1e-3)])
def test_lms_is_the_recurrence(normalized: bool, rate: float) -> None:
    features, targets = problem((40, 7), True)
    ref = naive.least_mean_squares(features, targets, rate, normalized)
    close(LeastMeanSquares(rate, normalized).fit(in_blocks(features, targets, True)).coefficients_.T, ref)


ONLINE = pytest.mark.parametrize("readout", [RecursiveLeastSquares(0.99), LeastMeanSquares()], ids=lambda r: type(r).__name__)


@ONLINE
@pytest.mark.parametrize("outputs", [1, 2])
def test_online_readouts_go_on_where_they_stopped(outputs: int, readout: Any) -> None:
    features, targets = problem((40, 7), True)
    targets = targets[:, :outputs]
    ref = type(readout)(**readout.get_params()).fit(in_blocks(features, targets, True)).coefficients_.T
    for first in ("fit", "partial_fit"):
        comp = type(readout)(**readout.get_params())
        getattr(comp, first)(in_blocks(features[:11], targets[:11], True))
        kept = comp.coefficients_.T.copy()
        earlier = comp.coefficients_.T
        comp.partial_fit(in_blocks(features[11:], targets[11:], True))
        np.testing.assert_array_equal(comp.coefficients_.T, ref)
        np.testing.assert_array_equal(earlier, kept)  # what was read before is not written over
        comp.fit(in_blocks(features, targets, True))
        np.testing.assert_array_equal(comp.coefficients_.T, ref)


@pytest.mark.parametrize(
    ("readout", "message"),
    [
        (LeastMeanSquares(1e3, normalized=False), "LeastMeanSquares diverged learning_rate"),
        (RecursiveLeastSquares(1e-3), "RecursiveLeastSquares diverged forgetting"),
    ],
)
def test_divergence(readout: Any, message: str) -> None:
    features, targets = problem((400, 7), True)
    with pytest.raises(DivergenceError, match=mentions(message)):
        readout.fit(in_blocks(features, targets, True))


# Parameters


@pytest.mark.parametrize(
    ("readout", "message"),
    [
        (Ridge(-1.0), "'ridge' Ridge [0, inf) -1.0"),
        (Ridge([1.0, -1.0]), "'ridge'"),
        (Ridge([]), "'ridge'"),
        (Ridge(np.array(0.5)), "'ridge'"),
        (Ridge([[1.0]]), "'ridge'"),
        (Ridge(np.nan), "'ridge'"),
        (Ridge(True), "'ridge'"),
        (RidgeClassifier("1"), "'ridge' RidgeClassifier"),
        (Ridge(1.0, "choleski"), "'solver' Ridge 'choleski' cholesky"),
        (Logistic(0.0), "'ridge' Logistic (0, inf)"),
        (Logistic(max_iter=0), "'max_iter' Logistic [1, inf)"),
        (Logistic(max_iter=1.5), "'max_iter'"),
        (RecursiveLeastSquares(0.0), "'forgetting' RecursiveLeastSquares (0, 1]"),
        (RecursiveLeastSquares(1.01), "'forgetting'"),
        (RecursiveLeastSquares(ridge=0.0), "'ridge'"),
        (LeastMeanSquares(0.0), "'learning_rate'"),
        (LeastMeanSquares(normalized="yes"), "'normalized' LeastMeanSquares True False"),
        (LeastMeanSquares(normalized=1), "'normalized'"),
    ],
)
def test_parameters_are_checked(readout: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=mentions(message)):
        readout.fit(in_blocks(*problem((30, 7), True), True))


def test_states_beyond_double_precision_are_divergence() -> None:
    features = np.column_stack([np.ones(30), np.linspace(1.0, 2.0, 30), 1e45 * np.linspace(1.0, 2.0, 30) ** 2])
    with pytest.raises(DivergenceError, match=mentions("spectral_radius")):
        Ridge(1e-8, "qr").fit_arrays(features, np.ones((30, 1)), bias=True)
