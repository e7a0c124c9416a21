"""Readouts that are not of the library: subclasses of `Readout`, and objects with `fit` and `predict`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from messages import mentions
from readout_data import NEXT, WAVES, Means, small
from sklearn.svm import SVC

import reservoir
from reservoir import ESN, DivergenceError, ModelFileError, ParameterError, load

PARTS = ("bias", "input", "state")


class Ridge(reservoir.Ridge):
    """Of the name of one of the library's, but with outputs that only their method gives."""

    linear = False

    def outputs(self, features: np.ndarray) -> np.ndarray:
        return np.tanh(super().outputs(features))


class Stepwise(reservoir.Ridge):
    """Linear, without saying so."""

    linear = False


# A subclass of Readout


def test_an_own_readout_is_saved_loaded_and_learns_on(tmp_path: Path) -> None:
    esn = small(readout=Means(2.0, np.array([1.0, -1.0]))).fit(WAVES, NEXT)
    np.testing.assert_allclose(esn.predict(WAVES), np.tile(2.0 * NEXT[10:].mean(axis=0) + [1.0, -1.0], (120, 1)), rtol=1e-12)
    esn.save(tmp_path / "model")
    comp = load(tmp_path / "model", classes=[Means])
    assert type(comp.readout_) is type(comp.readout) is Means and comp.n_parameters_ == 2 * 15
    np.testing.assert_array_equal(comp.predict(WAVES), esn.predict(WAVES))
    np.testing.assert_array_equal(
        comp.partial_fit(WAVES[:50], NEXT[:50]).predict(WAVES), esn.partial_fit(WAVES[:50], NEXT[:50]).predict(WAVES)
    )
    assert comp.readout_.rows_ == 110 + 40


def test_a_class_of_the_library_s_name_is_not_taken_for_the_library_s(tmp_path: Path) -> None:
    esn = small(readout=Ridge(1e-6)).fit(WAVES, NEXT)
    esn.save(tmp_path / "model")
    with pytest.raises(ModelFileError, match=mentions("Ridge load(path classes=[Ridge])")):
        load(tmp_path / "model")
    comp = load(tmp_path / "model", classes=(Means, Ridge))
    np.testing.assert_array_equal(comp.predict(WAVES), esn.predict(WAVES))
    assert np.abs(comp.predict(WAVES)).max() <= 1.0  # tanh
    small().fit(WAVES, NEXT).save(tmp_path / "library")
    assert type(load(tmp_path / "library", classes=[Ridge]).readout) is reservoir.Ridge


class OwnESN(ESN):
    """An own model."""


def test_an_own_model_is_loaded(tmp_path: Path) -> None:
    OwnESN(units=5, washout=0).fit(WAVES).save(tmp_path / "model")
    assert type(load(tmp_path / "model", classes=[OwnESN])) is OwnESN
    with pytest.raises(ModelFileError, match=mentions("OwnESN classes=[OwnESN]")):
        load(tmp_path / "model", classes=[Means])


@pytest.mark.parametrize("classes", [Means, [3], [Means()], [SVC], "Means", None], ids=str)
def test_classes_that_are_none(classes: Any, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=mentions("'classes' load")):
        load(tmp_path / "model", classes=classes)


def test_no_module_that_a_file_names_is_imported(tmp_path: Path) -> None:
    small(readout=Means()).fit(WAVES, NEXT).save(tmp_path / "model")
    assert f"{Means.__module__}:Means".encode() in (tmp_path / "model").read_bytes()
    code = (
        "import sys, reservoir\n"
        "try: reservoir.load('model')\n"
        f"except reservoir.ModelFileError as error: print({Means.__module__!r} in sys.modules, error)"
    )
    path = [str(Path(__file__).parent), str(Path(reservoir.__file__).parent.parent)]
    comp = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path}\n{code}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert comp.stdout.startswith("False model: holds an object of class ") and comp.stdout.count("\n") == 1


@pytest.mark.parametrize(
    "parameters", [{}, {"feedback_scaling": 0.3}, {"readout_from": (*PARTS, "output", "square")}, {"dtype": "float32"}], ids=str
)
def test_step_by_step_is_the_closed_loop_of_the_kernel(parameters: dict[str, Any]) -> None:
    comp, ref = (small(readout=kind(1e-4), **parameters).fit(WAVES) for kind in (Stepwise, reservoir.Ridge))
    many = [WAVES[:40], WAVES[9:60]]
    tolerance = {"rtol": 1e-3, "atol": 1e-3} if "dtype" in parameters else {"rtol": 1e-9, "atol": 1e-9}
    for a, b in zip(comp.forecast(many, 15), ref.forecast(many, 15), strict=True):
        np.testing.assert_allclose(a, b, **tolerance)
    np.testing.assert_allclose(comp.predict(WAVES), ref.predict(WAVES), **tolerance)


def test_step_by_step_without_inputs() -> None:
    nothing = np.empty((120, 0))
    comp, ref = (
        small(readout=kind(1e-4), feedback_scaling=0.5, noise=1e-3).fit(nothing, WAVES) for kind in (Stepwise, reservoir.Ridge)
    )
    np.testing.assert_allclose(comp.forecast(WAVES, 12), ref.forecast(WAVES, 12), rtol=1e-9)
    np.testing.assert_allclose(comp.predict(nothing), ref.predict(nothing), rtol=1e-9, atol=1e-9)


def test_step_by_step_divergence_names_the_step() -> None:
    comp, ref = (small(readout=kind(1e-4), feedback_scaling=0.5).fit(WAVES) for kind in (Stepwise, reservoir.Ridge))
    texts = []
    for esn in (comp, ref):
        esn.readout_.coefficients_ = 3.0 * esn.readout_.coefficients_
        with pytest.raises(DivergenceError) as error:
            esn.forecast([WAVES, WAVES], 500)
        texts.append(str(error.value))
    assert texts[0] == texts[1]


def test_a_network_without_output_weights() -> None:
    esn = small(readout=Stepwise()).fit(WAVES)
    assert esn.n_parameters_ is None
    with pytest.raises(AttributeError, match=mentions("output_weights_")):
        _ = esn.output_weights_
