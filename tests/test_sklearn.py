"""The real scikit-learn's tools on our estimators, and what importing ours does not import."""

from __future__ import annotations

import copy
import itertools
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.base
from messages import mentions
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted
from sklearn_data import INPUTS, LABELS, TARGETS, small, trained

import reservoir
from reservoir import (
    ESN,
    GRU,
    LSTM,
    ClockworkRNN,
    DataError,
    IndRNN,
    LeastMeanSquares,
    Logistic,
    RecursiveLeastSquares,
    Ridge,
    RidgeClassifier,
    Training,
)

ROOT = Path(__file__).parent.parent
EXPECTED = {
    "check_fit_score_takes_y": "the second argument of fit and score is called targets",
    "check_n_features_in_after_fitting": "score is called with y=, and its second argument is called targets",
    "check_fit1d": "one dimension is a sequence of one feature",
    "check_fit2d_predict1d": "one dimension is a sequence of one feature, so the error is about the number of features",
    "check_methods_sample_order_invariance": "rows are steps in time, so that their order matters",
    "check_methods_subset_invariance": "rows are steps in time, so that a row depends on those before it",
    "check_parameters_default_constructible": "the default readout, or training, is an object with parameters of its own",
    "check_dtype_object": "what is wrong with data is always a DataError, a ValueError, where a TypeError is expected",
}
CLASSIFIER = {**EXPECTED, "check_supervised_y_2d": "labels of shape (T, 1) are taken without a warning"}
BATCH = {**CLASSIFIER, "check_estimators_partial_fit_n_features": "partial_fit is there for every readout, and refused by this"}
NO_INPUTS = {"check_estimators_empty_data_messages": "a network may be without inputs"}
FAST = Training(epochs=15, learning_rate=0.05)


@pytest.mark.parametrize(
    ("estimator", "reasons"),
    [
        (ESN(readout=Ridge()), EXPECTED),
        (ESN(readout=RecursiveLeastSquares()), EXPECTED),
        (ESN(readout=LeastMeanSquares()), EXPECTED),
        (ESN(readout=RidgeClassifier()), CLASSIFIER),
        (ESN(readout=Logistic()), BATCH),
        (GRU(training=FAST), {**EXPECTED, **NO_INPUTS}),
        (LSTM(loss="cross_entropy", training=FAST), {**CLASSIFIER, **NO_INPUTS}),
    ],
    ids=lambda value: "" if isinstance(value, dict) else repr(value),
)
def test_estimator_checks(estimator: Any, reasons: dict[str, str]) -> None:
    estimator = sklearn.base.clone(estimator).set_params(units=20, washout=0, random_state=0)
    name = type(estimator).__name__
    with pytest.warns(UserWarning, match=mentions(f"{name} `sklearn.base.BaseEstimator` inherit")):
        results = check_estimator(estimator, expected_failed_checks=reasons, on_skip=None, on_fail=None)
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] in ("failed", "xfail")}
    assert not {name: error for name, error in failed.items() if name not in reasons}
    assert not set(reasons) - set(failed), "these are expected to fail, and pass"
    assert sum(result["status"] == "passed" for result in results) >= 40


# Data: a noisy wave to be delayed, and its sign to be told


def fold_scores(esn: ESN, targets: np.ndarray) -> list[float]:
    folds = TimeSeriesSplit(3).split(INPUTS)
    return [esn.fit(INPUTS[train], targets[train]).score(INPUTS[test], targets[test]) for train, test in folds]


@pytest.mark.parametrize(
    ("readout", "targets"),
    [(Ridge(1e-4), TARGETS), (Ridge(1e-4), np.stack([TARGETS, INPUTS[:, 0]], axis=1)), (RidgeClassifier(1e-4), LABELS)],
    ids=["one output", "two outputs", "labels"],
)
def test_cross_val_score(readout: Any, targets: np.ndarray) -> None:
    ref = fold_scores(small(readout=readout), targets)
    comp = cross_val_score(small(readout=readout), INPUTS, targets, cv=TimeSeriesSplit(3))
    np.testing.assert_array_equal(comp, ref)
    assert comp.min() > 0.6


@pytest.mark.parametrize(
    ("readout", "targets", "scoring"),
    [
        (Ridge(1e-4), TARGETS, "neg_mean_squared_error"),
        (RidgeClassifier(1e-4), LABELS, "balanced_accuracy"),
        (Logistic(), LABELS, "neg_log_loss"),
        (Logistic(), LABELS, "roc_auc"),
    ],
)
def test_scorers_of_sklearn(readout: Any, targets: np.ndarray, scoring: str) -> None:
    comp = cross_val_score(small(readout=readout), INPUTS, targets, cv=TimeSeriesSplit(3), scoring=scoring)
    assert np.isfinite(comp).all() and comp.min() > (-1.0 if scoring.startswith("neg") else 0.5)


def test_cross_val_predict_of_probabilities() -> None:
    halves = [(np.arange(120), np.arange(120, 240)), (np.arange(120, 240), np.arange(120))]
    comp = cross_val_predict(small(readout=Logistic()), INPUTS, LABELS, cv=halves, method="predict_proba")
    ref = small(readout=Logistic()).fit(INPUTS[:120], LABELS[:120]).predict_proba(INPUTS[120:])
    np.testing.assert_array_equal(comp[120:], ref)


def test_grid_search() -> None:
    grid = {"leak_rate": [0.1, 1.0], "readout__ridge": [1e-6, 1e2], "topology_options__weights": ["sign"]}
    comp = GridSearchCV(small(), grid, cv=TimeSeriesSplit(3), error_score="raise").fit(INPUTS, TARGETS)
    settings = itertools.product(grid["leak_rate"], grid["readout__ridge"])
    networks = {(a, b): small(leak_rate=a, readout=Ridge(b), topology_options={"weights": "sign"}) for a, b in settings}
    ref = {key: np.mean(fold_scores(esn, TARGETS)) for key, esn in networks.items()}
    assert len(set(ref.values())) == 4  # each parameter makes a difference
    np.testing.assert_array_equal(comp.cv_results_["mean_test_score"], list(ref.values()))
    best = max(ref, key=lambda key: ref[key])
    assert (comp.best_estimator_.leak_rate, comp.best_estimator_.readout.ridge) == best
    np.testing.assert_array_equal(comp.predict(INPUTS), networks[best].fit(INPUTS, TARGETS).predict(INPUTS))


@pytest.mark.parametrize(("target", "kind"), [("step", list), ("sequence", np.ndarray)])
def test_grid_search_hands_on_what_targets_belong_to(target: str, kind: type) -> None:
    search = GridSearchCV(small(), {"leak_rate": [0.3, 0.9]}, cv=KFold(3), error_score="raise")
    inputs = INPUTS[:144].reshape(12, 12, -1)
    with pytest.raises(DataError, match=mentions("'target' fit")):
        search.fit(inputs, inputs[:, :, 0])
    assert isinstance(search.fit(inputs, inputs[:, :, 0], target=target).predict(inputs), kind)


def test_pipeline() -> None:
    scaled = (INPUTS - INPUTS[:200].mean(axis=0)) / INPUTS[:200].std(axis=0)
    ref = small().fit(scaled[:200], TARGETS[:200])
    comp = make_pipeline(StandardScaler(), small()).fit(INPUTS[:200], TARGETS[:200])
    np.testing.assert_allclose(comp.predict(INPUTS[200:]), ref.predict(scaled[200:]), rtol=1e-6, atol=1e-8)
    assert comp.score(INPUTS[200:], TARGETS[200:]) == pytest.approx(ref.score(scaled[200:], TARGETS[200:]), rel=1e-6)
    assert comp.set_params(esn__readout__ridge=0.5).get_params()["esn__readout__ridge"] == 0.5


@pytest.mark.parametrize(
    ("readout", "kind"), [(Ridge(), "regressor"), (RidgeClassifier(), "classifier"), (Logistic(), "classifier")]
)
def test_kind_of_estimator(readout: Any, kind: str) -> None:
    esn = small(readout=readout)
    assert (sklearn.base.is_regressor(esn), sklearn.base.is_classifier(esn)) == (kind == "regressor", kind == "classifier")
    assert hasattr(esn, "predict_proba") == isinstance(readout, Logistic)


@pytest.mark.parametrize("name", ["predict", "score", "forecast", "states", "save", "output_weights_", "bias_"])
def test_not_fitted(name: str) -> None:
    arguments = {"score": (INPUTS, TARGETS), "forecast": (INPUTS, 3), "save": ("never.safetensors",)}
    with pytest.raises(NotFittedError, match=mentions("ESN instance")):
        getattr(small(), name)(*arguments.get(name, (INPUTS,)))
    with pytest.raises(NotFittedError):
        check_is_fitted(small())
    check_is_fitted(small().fit(INPUTS, TARGETS))


@pytest.mark.parametrize("name", ["predict", "score", "partial_fit", "states"])
def test_another_number_of_features(name: str) -> None:
    arguments = (INPUTS[:, 0],) if name == "predict" else (INPUTS[:, 0], TARGETS)
    with pytest.raises(DataError, match=mentions("1 ESN 2")):
        getattr(small().fit(INPUTS, TARGETS), name)(*arguments)


# Networks trained by gradient


def folds(estimator: Any, targets: np.ndarray) -> list[float]:
    parts = TimeSeriesSplit(3).split(INPUTS)
    return [estimator.fit(INPUTS[train], targets[train]).score(INPUTS[test], targets[test]) for train, test in parts]


@pytest.mark.parametrize("labeled", [False, True])
def test_cross_validation_of_trained_networks(labeled: bool) -> None:
    targets, parameters = (LABELS, {"loss": "cross_entropy"}) if labeled else (TARGETS, {})
    comp = cross_val_score(trained(**parameters), INPUTS, targets, cv=TimeSeriesSplit(3))
    np.testing.assert_array_equal(comp, folds(trained(**parameters), targets))
    scoring = "neg_log_loss" if labeled else "neg_mean_squared_error"
    other = cross_val_score(trained(**parameters), INPUTS, targets, cv=TimeSeriesSplit(3), scoring=scoring)
    assert np.isfinite(other).all() and other.max() < 0.0
    estimator = trained(**parameters)
    assert (sklearn.base.is_classifier(estimator), sklearn.base.is_regressor(estimator)) == (labeled, not labeled)


def test_grid_search_over_the_training() -> None:
    grid = {"units": [3, 8], "training__learning_rate": [1e-3, 3e-2]}
    comp = GridSearchCV(trained(), grid, cv=TimeSeriesSplit(3), error_score="raise").fit(INPUTS, TARGETS)
    ref = {}
    for units, rate in itertools.product(*grid.values()):
        ref[units, rate] = np.mean(folds(trained(units=units, training=Training(epochs=40, learning_rate=rate)), TARGETS))
    assert len(set(ref.values())) == 4
    scores = dict(
        zip(
            ((p["units"], p["training__learning_rate"]) for p in comp.cv_results_["params"]),
            comp.cv_results_["mean_test_score"],
            strict=True,
        )
    )
    assert scores == ref
    best = comp.best_estimator_
    assert (best.units, best.training.learning_rate) == max(ref, key=lambda key: ref[key])


def test_pipeline_of_trained_networks() -> None:
    scaled = StandardScaler().fit(INPUTS[:200]).transform(INPUTS)
    ref = trained(GRU, standardize=False).fit(scaled[:200], TARGETS[:200])
    comp = make_pipeline(StandardScaler(), trained(GRU, standardize=False)).fit(INPUTS[:200], TARGETS[:200])
    np.testing.assert_array_equal(comp.predict(INPUTS[200:]), ref.predict(scaled[200:]))
    assert comp.set_params(gru__training__epochs=3).get_params()["gru__training__epochs"] == 3


@pytest.mark.parametrize("kind", [LSTM, ClockworkRNN, IndRNN], ids=lambda kind: kind.__name__)
def test_copies_of_trained_networks(kind: Any) -> None:
    model = trained(kind, units=9, random_state=np.random.default_rng(4), training=Training(epochs=3))
    fresh = sklearn.base.clone(model)
    assert not {name for name in vars(fresh) if name.endswith("_") or name.startswith("_")}
    assert fresh.training is not model.training and repr(fresh.training) == repr(model.training)
    ref = model.fit(INPUTS, TARGETS).predict(INPUTS)
    np.testing.assert_array_equal(fresh.fit(INPUTS, TARGETS).predict(INPUTS), ref)
    for comp in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(comp.predict(INPUTS), ref)
        assert comp.history_ == model.history_


@pytest.mark.parametrize("name", ["predict", "score", "forecast", "states", "save", "weights_", "n_parameters_"])
def test_trained_networks_not_fitted(name: str) -> None:
    arguments = {"score": (INPUTS, TARGETS), "forecast": (INPUTS, 3), "save": ("never.safetensors",)}
    with pytest.raises(NotFittedError, match=mentions("Elman instance")):
        getattr(trained(), name)(*arguments.get(name, (INPUTS,)))
    with pytest.raises(NotFittedError):
        check_is_fitted(trained())
    check_is_fitted(trained(training=Training(epochs=1)).fit(INPUTS, TARGETS))


# Imports


def imported(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after running `code`."""
    code += "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    return set(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


def test_import_is_lazy() -> None:
    assert not imported("import reservoir") & {"numpy", "numba", "scipy", "sklearn", "matplotlib", "click", "rich", "safetensors"}


def test_fitting_does_not_import_sklearn() -> None:
    modules = imported("from reservoir import ESN; u = [0.1, 0.5, 0.2] * 50; ESN(20).fit(u).predict(u)")
    assert not modules & {"sklearn", "matplotlib", "click", "rich", "pandas"} and "numba" in modules


def test_training_does_not_import_sklearn() -> None:
    modules = imported("from reservoir import Elman, Training; Elman(3, training=Training(epochs=2)).fit([0.1, 0.5, 0.2] * 9)")
    assert not modules & {"sklearn", "matplotlib", "click", "rich", "pandas", "safetensors"} and "numba" in modules


def test_public_names() -> None:
    assert set(reservoir.__all__) <= set(dir(reservoir))
    for name in reservoir.__all__:
        assert name == "__version__" or getattr(reservoir, name).__name__ == name
    with pytest.raises(AttributeError, match=mentions("'reservoir' 'EchoState'")):
        _ = reservoir.EchoState
