"""Models as C headers: compiled, their steps are what `predict` gives; sizes, refusals, the command."""

from __future__ import annotations

import ctypes
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from commands import Command, Refused
from sklearn.svm import SVR

from reservoir import (
    ESN,
    GRU,
    LSTM,
    MGU,
    ClockworkRNN,
    Elman,
    IndRNN,
    Logistic,
    ParameterError,
    Ridge,
    RidgeClassifier,
    Training,
    export_c,
)
from reservoir.export.draft import PRECISIONS
from reservoir.text.ngram import NGram

RNG = np.random.default_rng(5)
INPUTS = 3.0 + 2.0 * RNG.uniform(-1.0, 1.0, (60, 3))
TARGETS = np.stack([INPUTS[:, 0] * INPUTS[:, 1], np.roll(INPUTS[:, 2], 1)], axis=1)
LABELS = np.array(["low */", "middle", 'high "'])[np.digitize(INPUTS[:, 0], [2.5, 3.5])]
NOTHING = np.empty((60, 0))
COMPILER = shutil.which("cc") or shutil.which("gcc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler")
STRICT = ("-std=c99", "-O2", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wdouble-promotion", "-Wfloat-conversion")
UNTRAINED = Training(epochs=0)


class Frame(np.ndarray):
    """Inputs whose columns have names."""

    columns = ("load", "a */ b", "tag\n")


def echo(targets: np.ndarray = TARGETS, inputs: np.ndarray = INPUTS, **parameters: Any) -> ESN:
    settings = {"units": 13, "density": 0.3, "washout": 4, "leak_rate": 0.7, "input_scaling": 0.3, "readout": Ridge(1e-1)}
    return ESN(**{**settings, "random_state": 0, **parameters}).fit(inputs, targets)


def trained(kind: Any, targets: np.ndarray = TARGETS, inputs: np.ndarray = INPUTS, **parameters: Any) -> Any:
    """A network with random weights, all of them, so that none of them is zero."""
    settings = {"units": 7, "dtype": "float64", "training": UNTRAINED, "random_state": 0}
    network = kind(**{**settings, **parameters}).fit(inputs, targets)
    network._vector = 0.4 * np.random.default_rng(2).standard_normal(network.n_parameters_).astype(network.dtype)
    return network


def matrix(density: float, units: int = 13) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((units, units)) * (np.random.default_rng(4).random((units, units)) < density)


SEEN = ("bias", "input", "square", "state")
MODELS: dict[str, Callable[[], Any]] = {
    "diagonals": lambda: echo(leak_rate=np.linspace(0.2, 1.0, 13), initial_state="random", readout_from=SEEN),
    "sparse": lambda: echo(
        TARGETS[:, 0], topology="random", activation="sigmoid", initial_state="random", units=300, density=0.03
    ),
    "dense": lambda: echo(topology=matrix(1.0), spectral_radius=0.5, activation="identity", readout_from=["state"]),
    "empty": lambda: echo(topology=sp.csr_array((13, 13)), spectral_radius=None, activation="relu", readout_from=["square"]),
    "feedback": lambda: echo(0.1 * TARGETS, feedback_scaling=0.2, readout_from=("bias", "state", "output"), spectral_radius=0.4),
    "alone": lambda: echo(np.sin(0.3 * np.arange(60)), NOTHING, feedback_scaling=0.5, readout=Ridge(1e-3)),
    "classes": lambda: echo(LABELS, INPUTS.view(Frame), readout=RidgeClassifier(1e-2)),
    "probabilities": lambda: echo(LABELS, readout=Logistic(1.0), dtype="float32"),
    "whole": lambda: echo([y[0] for y in TARGETS.reshape(6, 10, 2)], list(INPUTS.reshape(6, 10, 3))),
    "elman": lambda: trained(Elman, layers=3, layer_norm=True),
    "elman_relu": lambda: trained(Elman, activation="relu", standardize=False),
    "lstm": lambda: trained(LSTM, layers=2),
    "lstm_peepholes": lambda: trained(LSTM, TARGETS[:, 0], peepholes=True, layer_norm=True, dtype="float32"),
    "gru_after": lambda: trained(GRU, LABELS, layers=2, loss="cross_entropy"),
    "gru_before": lambda: trained(GRU, reset_gate="before"),
    "mgu": lambda: trained(MGU, layers=3, layer_norm=True, residual=True),
    "indrnn": lambda: trained(IndRNN, layers=2, activation="tanh", residual=True),
    "clockwork": lambda: trained(ClockworkRNN, layers=2, periods=(1, 2, 3), units=8),
    "clockwork_alone": lambda: trained(ClockworkRNN, TARGETS[:, 0], NOTHING, periods=(2, 5), activation="sigmoid"),
}
RUN = """
#include "{name}.h"
int run_{name}(const {real} *in, {real} *out, int steps)
{{
    {name}_state s;
    int status = 0;
    {name}_reset(&s);
    for (int t = 0; t < steps && !status; t++)
        status = {name}_step(in + {inputs} * t, out + {outputs} * t, &s);
    return status;
}}
int flash_{name}(void) {{ return {tables}; }}
int ram_{name}(void) {{ return sizeof({name}_state); }}
const void *weights_{name}(void) {{ return {name}_{weights}; }}
"""
LABEL = "int label_{name}(const {real} *out) {{ return {name}_label(out); }}\n"


def compiled(folder: Path, models: dict[str, Any], precisions: tuple[str, ...] = tuple(PRECISIONS)) -> tuple[Any, dict[str, Any]]:
    """A library of the headers of all models in each precision, compiled as one file, and their reports."""
    reports, source = {}, ""
    for label, model in models.items():
        for real in precisions:
            name = f"{label}_{real}"
            reports[name] = export_c(model, folder / f"{name}.h", precision=real)
            text = (folder / f"{name}.h").read_text(encoding="utf-8")
            tables = re.findall(rf"^static const \w+ ({name}_\w+)\[", text, re.MULTILINE)
            weights = tables[-1].removeprefix(f"{name}_") if "recurrent" not in text else "recurrent_weights"
            weights = weights if f"{name}_{weights}[" in text else "recurrent_weights0"
            sizes = {"inputs": model.n_features_in_, "outputs": model.n_outputs_}
            total = " + ".join(f"sizeof({table})" for table in tables)
            source += (RUN + LABEL * model._classifies).format(name=name, real=real, tables=total, weights=weights, **sizes)
    (folder / "all.c").write_text(source, encoding="utf-8")
    command = [str(COMPILER), *STRICT, "-Wno-unused-const-variable", "-shared", "-fPIC", "-o", "all.so", "all.c", "-lm"]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return ctypes.CDLL(str(folder / "all.so")), reports


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    return {label: make() for label, make in MODELS.items()}


@pytest.fixture(scope="module")
def built(models: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, Any]]:
    return compiled(tmp_path_factory.mktemp("headers"), models)


def stepped(library: Any, name: str, inputs: np.ndarray, n_outputs: int) -> tuple[int, np.ndarray]:
    """The status, and the outputs (T, O) of steps in C."""
    kind = PRECISIONS[name.rpartition("_")[2]]
    given, found = np.ascontiguousarray(inputs, kind), np.full((len(inputs), n_outputs), 7.0, kind)
    pointers = (ctypes.c_void_p(array.ctypes.data) for array in (given, found))
    return getattr(library, f"run_{name}")(*pointers, len(inputs)), found


@needs_compiler
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("label", MODELS)
def test_the_steps_in_c_are_those_of_predict(label: str, precision: str, models: dict[str, Any], built: Any) -> None:
    model, (library, reports) = models[label], built
    inputs = NOTHING if model.n_features_in_ == 0 else INPUTS
    status, found = stepped(library, f"{label}_{precision}", inputs, model.n_outputs_)
    assert status == 0
    [ref] = model._outputs(inputs)
    found, ref = (found, ref) if model._per_step else (found[-1:], ref)  # one for the sequence is that of its last step
    tolerance = 1e-12 if (precision, model.dtype) == ("double", "float64") else 1e-5
    np.testing.assert_allclose(found, ref, rtol=tolerance, atol=tolerance)
    assert np.abs(ref).max(axis=0).min() > 1e-2 and reports[f"{label}_{precision}"].precision == precision
    if model._classifies:
        label_of = getattr(library, f"label_{label}_{precision}")
        places = [label_of(ctypes.c_void_p(row.ctypes.data)) for row in found]
        np.testing.assert_array_equal(model.classes_[places], model.predict(inputs))
        assert len(set(places)) > 1


@needs_compiler
def test_the_sizes_are_those_of_the_compiler(built: Any) -> None:
    library, reports = built
    for name, report in reports.items():
        sizes = getattr(library, f"flash_{name}")(), getattr(library, f"ram_{name}")()
        assert (report.flash_bytes, report.ram_bytes) == sizes, name


@needs_compiler
@pytest.mark.parametrize("precision", PRECISIONS)
def test_weights_read_back_to_the_same_bits(precision: str, models: dict[str, Any], built: Any) -> None:
    function = getattr(built[0], f"weights_sparse_{precision}")
    function.restype = ctypes.POINTER(ctypes.c_double if precision == "double" else ctypes.c_float)
    ref = models["sparse"].recurrent_weights_.data.astype(PRECISIONS[precision])
    np.testing.assert_array_equal(np.ctypeslib.as_array(function(), ref.shape), ref)


@needs_compiler
def test_an_input_that_is_not_finite_changes_nothing(built: Any, models: dict[str, Any]) -> None:
    for value in (np.nan, np.inf, -np.inf):
        inputs = INPUTS[:5].copy()
        inputs[3, 1] = value
        for label in ("diagonals", "lstm"):
            status, found = stepped(built[0], f"{label}_double", inputs, 2)
            assert status == 1 and (found[3:] == 7.0).all() and not (found[:3] == 7.0).any()


@needs_compiler
def test_a_step_that_diverges_says_so(tmp_path: Path) -> None:
    """As `predict` does: a fed-back output beyond the limit, a state of linear units that is no longer finite."""
    fed_back, linear = echo(feedback_scaling=0.1), echo(activation="identity", topology="random")
    fed_back.readout_.coefficients_ = 1e9 * fed_back.readout_.coefficients_
    linear.reservoir_.matrix.data[:] = 1e200
    library, _ = compiled(tmp_path, {"fed_back": fed_back, "linear": linear}, ("double",))
    assert [stepped(library, f"{name}_double", INPUTS, 2)[0] for name in ("fed_back", "linear")] == [2, 2]


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
def test_a_header_is_also_cpp(tmp_path: Path, models: dict[str, Any]) -> None:
    names = ("lstm", "gru_after", "clockwork", "classes", "feedback", "elman")
    for name in names:
        export_c(models[name], tmp_path / f"{name}.h", precision="float")
    (tmp_path / "all.cpp").write_text("".join(f'#include "{name}.h"\n' for name in names), encoding="utf-8")
    flags = [flag for flag in STRICT if not flag.startswith("-std")]
    found = subprocess.run(["g++", *flags, "-fsyntax-only", "all.cpp"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_a_header_names_inputs_and_labels_in_comments(tmp_path: Path, models: dict[str, Any]) -> None:
    export_c(models["classes"], tmp_path / "tags.h")
    text = (tmp_path / "tags.h").read_text(encoding="utf-8")
    assert text.startswith("/* tags: ESN, 13 units; inputs: 'load', 'a * / b', 'tag\\n'\n") and text.endswith("}\n\n#endif\n")
    assert "   0: 'high \"'\n   1: 'low * /'\n   2: 'middle' */\n" in text


def test_the_costs_of_a_step_are_counted(tmp_path: Path, models: dict[str, Any]) -> None:
    """What a step multiplies or adds of each table, and the values of tanh.

    sparse: 300 biases, 3 x 300 inputs, 300 x 9 connections, and the readout's 1 + 3 + 300; 300 units. Flash: these numbers and
    the initial states, 8 bytes each, and a position for each connection and a count for each unit, 2 bytes each.
    clockwork, both layers: modules of 3, 3 and 2 units run every 1, 2 and 3 steps, which are 3 + 3/2 + 2/3 = 31/6 units a step.
    Each has a bias, 3 or 8 inputs, and reads 8, 5 or 2 units: 3 x 8 + 3 x 5 / 2 + 2 x 2 / 3. Then the outputs, 2 x 9, and the
    scaling of 3 inputs and 2 outputs, two numbers each.
    """
    sparse = export_c(models["sparse"], tmp_path / "sparse.h")
    assert (sparse.multiply_adds, sparse.activations) == (300 + 900 + 2700 + 304, 300)
    assert (sparse.flash_bytes, sparse.ram_bytes) == (8 * (4204 + 300) + 2 * (2700 + 300), 8 * 2 * 300)
    clockwork = export_c(models["clockwork"], tmp_path / "clockwork.h", precision="float")
    recurrent = 24 + 7.5 + 4 / 3
    assert clockwork.multiply_adds == pytest.approx(31 / 6 * (4 + 9) + 2 * recurrent + 18 + 10)
    assert clockwork.activations == pytest.approx(2 * 31 / 6)
    assert clockwork.ram_bytes == 4 * (3 * 8 + 2 * 3)


@needs_compiler
def test_the_error_of_rounding_is_foreseen(tmp_path: Path) -> None:
    """A small ridge makes large weights, with which float is too coarse: the report says how coarse."""
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, 400)
    models = {f"ridge{k}": echo(np.roll(noise, 9), noise, units=40, washout=9, readout=Ridge(10.0**-k)) for k in (1, 12)}
    library, reports = compiled(tmp_path, models, ("float",))
    for label, model in models.items():
        error = np.abs(stepped(library, f"{label}_float", noise[:, None], 1)[1][:, 0] - model.predict(noise)).max()
        assert error / 20 < reports[f"{label}_float"].rounding < 20 * error
    assert reports["ridge12_float"].rounding > 50 * reports["ridge1_float"].rounding


class Own(ESN):
    """A model of a user's own, whose `predict` may do anything."""


def changed() -> ESN:
    return echo().set_params(readout_from=("bias", "state"))


def wider() -> Elman:
    """A network that reads more than its features, such as what it is fed back."""
    network = trained(Elman)
    network.network_ = replace(network.network_, n_inputs=5)
    network._record = lambda: None
    return network


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: "esn", "'model' parameter of export_c must be one of ESN, Elman, LSTM, GRU, MGU, IndRNN, ClockworkRNN"),
        (lambda: Own(), "and no subclass. Got Own("),
        (lambda: NGram(), "'model' parameter of export_c"),
        (lambda: echo(readout=SVR(), targets=TARGETS[:, 0]), "'readout' parameter of ESN must be linear in the states"),
        (changed, "changed after fit"),
        (wider, "that reads its 3 features alone. Got one that reads 5 numbers"),
        (lambda: echo([TARGETS[0]], [INPUTS], pooling="mean"), "'pooling' parameter of ESN must be 'last'"),
        (lambda: trained(LSTM, [TARGETS[0]], [INPUTS], pooling="attention"), "'pooling' parameter of LSTM must be 'last'"),
        (lambda: trained(GRU, bidirectional=True), "'bidirectional' parameter of GRU must be False"),
        (lambda: trained(GRU, LABELS, np.arange(60) % 3, symbols="one-hot", loss="cross_entropy"), "'symbols' parameter of GRU"),
        (lambda: echo(1e60 * TARGETS), "'precision' parameter of export_c must be 'double' for a model with numbers beyond"),
    ],
)
def test_what_cannot_step_is_refused_in_a_line(make: Callable[[], Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=re.escape(text)) as caught:
        export_c(make(), tmp_path / "model.h", precision="float")
    assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == []


def test_an_unknown_precision_and_a_model_without_a_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"must be 'double' or 'float'\. Got 'half' instead"):
        export_c(echo(), tmp_path / "model.h", precision="half")
    with pytest.raises(ValueError, match="not fitted"):
        export_c(ESN(), tmp_path / "model.h")


def test_the_command_writes_a_header_and_reports_its_costs(command: Command, models: dict[str, Any]) -> None:
    models["clockwork"].save("beat.safetensors")
    status, out, err = command("export", "beat.safetensors", "--c", "beat-1.h")
    assert (status, err) == (0, "") and out.startswith("beat_1: ClockworkRNN, 8 units, double\n")
    assert re.search(r"flash bytes  .*\n.*ram bytes  ", out) and out.endswith("Header written to beat-1.h.\n")
    assert "static inline int beat_1_step(const double *in" in Path("beat-1.h").read_text(encoding="utf-8")
    status, out, err = command("export", "beat.safetensors", "--c", "beat-1.h", "--float", "--json")
    assert (status, err) == (0, "Header written to beat-1.h.\n")
    report = export_c(models["clockwork"], "beat_1.h", precision="float")
    assert json.loads(out) == {**report.records()[0], "path": "beat-1.h"}
    assert Path("beat-1.h").read_bytes() == Path("beat_1.h").read_bytes()


def test_files_that_cannot_be_exported_are_refused(refused: Refused, models: dict[str, Any]) -> None:
    models["sparse"].save("model")
    content = Path("model").read_bytes()
    Path("cut").write_bytes(content[: len(content) // 2])
    Path("foreign").write_text("no model", encoding="utf-8")
    for name, text in (("none", "No such file"), ("cut", "damaged"), ("foreign", "foreign: ")):
        assert re.search(text, refused("export", name, "--c", "model.h")), name
    assert "is the input or another output" in refused("export", "model", "--c", "model")
    assert "no such folder" in refused("export", "model", "--c", "none/model.h")
    assert "--c" in refused("export", "model")
    trained(GRU, bidirectional=True).save("both")
    assert "'bidirectional' parameter of GRU must be False" in refused("export", "both", "--c", "model.h")
