"""scikit-learn's regressors and classifiers as readouts."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from messages import mentions
from readout_data import NEXT, WAVES, Means, small
from sklearn.cluster import KMeans
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

import reservoir
from reservoir import ESN, DataError, Elman, Logistic, ParameterError
from reservoir.comparison.report import summarize
from reservoir.experiments.evaluation import evaluate
from reservoir.tasks import get_task

RNG = np.random.default_rng(0)
LABELS = np.where(WAVES[:, 0] > 0.3, "high", np.where(WAVES[:, 0] < -0.3, "low", "middle"))
MANY = [RNG.normal(size=(length, 2)) + length % 3 for length in range(20, 44)]
KINDS = np.array(["a", "b", "c"])[[len(u) % 3 for u in MANY]]


def seen(esn: ESN, inputs: np.ndarray) -> np.ndarray:
    """Bias, input and state, which the readout sees."""
    return np.concatenate([np.ones((len(inputs), 1)), inputs, esn.states(inputs)], axis=1)


# Regressors


def test_a_regressor_per_step_is_fitted_to_what_the_readout_sees() -> None:
    esn = small(readout=Lasso(alpha=1e-2)).fit(WAVES, NEXT)
    features = seen(esn, WAVES)
    ref = Lasso(alpha=1e-2).fit(features[10:], NEXT[10:])
    np.testing.assert_allclose(esn.predict(WAVES), ref.predict(features), rtol=1e-9)
    assert not hasattr(esn.readout, "coef_")  # a copy is fitted
    flat = small(readout=SVR()).fit(WAVES, NEXT[:, 0])
    np.testing.assert_allclose(flat.predict(WAVES), SVR().fit(features[10:], NEXT[10:, 0]).predict(features), rtol=1e-9)


@pytest.mark.parametrize("pooling", ["last", "mean", "every"])
def test_a_regressor_per_sequence(pooling: str) -> None:
    targets = np.stack([u.mean(axis=0) for u in MANY])
    esn = small(readout=KNeighborsRegressor(3), pooling=pooling).fit(MANY, targets)
    rows = [seen(esn, u) for u in MANY]
    if pooling == "every":
        model = KNeighborsRegressor(3).fit(
            np.concatenate([r[10:] for r in rows]), np.repeat(targets, [len(r) - 10 for r in rows], axis=0)
        )
        ref = np.stack([model.predict(r[10:]).mean(axis=0) for r in rows])
    else:
        pooled = np.stack([r[-1] if pooling == "last" else r[10:].mean(axis=0) for r in rows])
        ref = KNeighborsRegressor(3).fit(pooled, targets).predict(pooled)
    np.testing.assert_allclose(esn.predict(MANY), ref, rtol=1e-9)


def test_linear_regression_forecasts_as_ridge_does() -> None:
    comp = small(readout=LinearRegression(), feedback_scaling=0.1).fit(WAVES).forecast(WAVES, 10)
    np.testing.assert_allclose(
        comp, small(readout=reservoir.Ridge(0.0), feedback_scaling=0.1).fit(WAVES).forecast(WAVES, 10), atol=1e-6
    )


# Classifiers


def test_a_classifier_per_step() -> None:
    esn = small(readout=SVC()).fit(WAVES, LABELS)
    features = seen(esn, WAVES)
    assert esn.predict(WAVES).tolist() == SVC().fit(features[10:], LABELS[10:]).predict(features).tolist()
    assert not hasattr(esn, "predict_proba")
    with pytest.raises(AttributeError, match=mentions("predict_proba Logistic() SVC")):
        _ = esn.predict_proba


@pytest.mark.parametrize("pooling", ["last", "mean", "every"])
def test_probabilities_per_sequence(pooling: str) -> None:
    esn = small(readout=KNeighborsClassifier(5), pooling=pooling).fit(MANY, KINDS)
    rows = [seen(esn, u) for u in MANY]
    if pooling == "every":
        model = KNeighborsClassifier(5).fit(np.concatenate([r[10:] for r in rows]), np.repeat(KINDS, [len(r) - 10 for r in rows]))
        ref = np.stack([model.predict_proba(r[10:]).mean(axis=0) for r in rows])
    else:
        pooled = np.stack([r[-1] if pooling == "last" else r[10:].mean(axis=0) for r in rows])
        ref = KNeighborsClassifier(5).fit(pooled, KINDS).predict_proba(pooled)
    np.testing.assert_allclose(esn.predict_proba(MANY), ref, rtol=1e-9)
    assert esn.predict(MANY).tolist() == esn.classes_[ref.argmax(axis=1)].tolist()


@pytest.mark.parametrize("model", [SVC(), KNeighborsClassifier(1)], ids=str)
def test_a_class_that_the_washout_swallows_is_never_predicted(model: Any) -> None:
    labels = ["start"] * 10 + ["up", "down"] * 55
    esn = small(readout=model).fit(WAVES, labels)
    assert esn.classes_.tolist() == ["down", "start", "up"]
    assert esn.predict(WAVES)[10:].tolist() == make_pipeline(model).fit(seen(esn, WAVES)[10:], labels[10:]).predict(
        seen(esn, WAVES)[10:]
    ).tolist()  # fmt: skip
    if hasattr(esn, "predict_proba"):
        assert (esn.predict_proba(WAVES)[:, 1] == 0.0).all()


class Scores:
    """Not of scikit-learn: predicts the label 1 where the last feature is positive."""

    def fit(self, features: np.ndarray, targets: np.ndarray) -> None:
        assert targets.ndim == 1 and set(targets) == {0, 1}

    def predict(self, features: np.ndarray) -> np.ndarray:
        return (features[:, -1] > 0.0).astype(int)

    def decision_function(self, features: np.ndarray) -> np.ndarray:
        return features[:, -1]


def test_an_object_of_nobody_s_library() -> None:
    esn = small(readout=Scores()).fit(WAVES, WAVES[:, 0] > 0.0)
    np.testing.assert_array_equal(esn.predict(WAVES), esn.states(WAVES)[:, -1] > 0.0)


# scikit-learn's tools, and what cannot work


def test_parameters_of_the_model_are_parameters_of_the_network() -> None:
    model = make_pipeline(StandardScaler(), SVC(C=2.0))
    esn = small(readout=model).set_params(readout__svc__C=7.0)
    assert (esn.get_params()["readout__svc__C"], model["svc"].C) == (7.0, 2.0)  # the given model stays as it is
    search = GridSearchCV(small(readout=SVC()), {"readout__C": [1e-3, 10.0]}, cv=2).fit(WAVES, LABELS)
    assert search.best_params_ == {"readout__C": 10.0}


def test_what_save_says_and_pickle_does(tmp_path: Path) -> None:
    esn = small(readout=SVC(C=3.0)).fit(WAVES, LABELS)
    with pytest.raises(ParameterError, match=mentions("'readout' ESN SVC(C=3.0)")):
        esn.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()
    assert pickle.loads(pickle.dumps(esn)).predict(WAVES).tolist() == esn.predict(WAVES).tolist()


def test_a_parameter_that_no_file_can_hold(tmp_path: Path) -> None:
    esn = small(readout=Means(offsets=0.0)).fit(WAVES, NEXT)
    esn.readout.offsets = Lasso()
    with pytest.raises(ParameterError, match=mentions("'readout.offsets' Lasso()")):
        esn.save(tmp_path / "model")


@pytest.mark.parametrize(
    "readout", [SVC, StandardScaler(), Elman(), ESN(), object()], ids=["class", "scaler", "Elman", "ESN", "object"]
)
def test_what_is_no_readout(readout: Any) -> None:
    with pytest.raises(ParameterError, match=mentions("predict object")):
        small(readout=readout).fit(WAVES, NEXT)


def test_what_the_model_refuses() -> None:
    with pytest.raises(DataError, match=mentions("SVR() MultiOutputRegressor readout")):
        small(readout=SVR()).fit(WAVES, NEXT)
    with pytest.raises(DataError, match=mentions("LogisticRegression() 2 readout")):
        small(readout=LogisticRegression()).fit(WAVES, ["a"] * 5 + ["b"] * 115)
    with pytest.raises(ParameterError, match=mentions("KMeans() classifier")):
        small(readout=KMeans()).fit(WAVES, NEXT)
    with pytest.raises(ParameterError, match=mentions("partial_fit Lasso")):
        small(readout=Lasso()).partial_fit(WAVES, NEXT)


def test_a_task_with_a_model_as_the_readout() -> None:
    task = get_task("narma10", train_length=300, test_length=100)
    row = evaluate(task, "esn", {"units": 20, "washout": 50, "readout": Lasso(1e-3)}, seed=0).row
    assert 0.0 < row["score"] < 1.0 and row["n_parameters"] is None and row["params"]["readout"] == "Lasso"
    line = {"label": "esn", "solved": None, "error": None, "warnings": [], **row}
    assert summarize([line])[0]["n_parameters"] is None


def test_probabilities_are_a_fact_of_the_readout() -> None:
    class Halves(reservoir.RidgeClassifier):
        """As sure of each class."""

        def probabilities(self, outputs: np.ndarray) -> np.ndarray:
            return np.full(outputs.shape, 1 / outputs.shape[-1])

    assert (small(readout=Halves()).fit(WAVES, LABELS).predict_proba(WAVES) == 1 / 3).all()
    assert hasattr(small(readout=Logistic()), "predict_proba")


def test_sklearn_is_not_imported_for_the_library_s_own() -> None:
    code = (
        "import sys, numpy as np, reservoir\n"
        "wave = np.sin(np.arange(60.0))\n"
        "reservoir.ESN(units=5, washout=5).fit(wave).forecast(wave, 3)\n"
        "assert 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
