"""The public functions: what they take, what their reports offer, and that docs/api.md lists every public name."""

from __future__ import annotations

import csv
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import reservoir
from reservoir import (
    ESN,
    LSTM,
    DivergenceError,
    Elman,
    Forecaster,
    ParameterError,
    Training,
    backtest,
    compare,
    forecast,
    gates,
    gradient_diagnostics,
    run,
    sweep,
)
from reservoir import inspect as inspect_reservoir
from reservoir.base.tables import table_text
from reservoir.tasks import get_task

ROOT = Path(__file__).parent.parent
SECTIONS = {part.partition("\n")[0]: part for part in (ROOT / "docs" / "api.md").read_text(encoding="utf-8").split("\n## ")[1:]}
SMALL = {"units": 20}
TASK = get_task("narma10", train_length=300, test_length=200)
ADDING = get_task("adding", length=10, train_sequences=20, validation_sequences=5, test_sequences=5)
UNTRAINED = Training(epochs=0)
SERIES = np.sin(0.3 * np.arange(300))
QUICK = Forecaster(7, without=["reservoir", "reservoir with others"])


def listed(*sections: str) -> dict[str, str]:
    """The names in the first column of the tables of some sections, with the parameters that are listed for each."""
    text = "\n".join(SECTIONS[section] for section in sections)
    return dict(re.findall(r"^\| `(\w+)(?:\((.*?)\))?` \|", text, re.MULTILINE))


class OwnElman(Elman):
    """A model of a user's own."""


def test_gradients_of_a_class_are_those_of_the_model_it_is_derived_from() -> None:
    """It takes the settings of that model; a path names it too."""
    found = gradient_diagnostics(ADDING, ["elman", OwnElman, f"{__name__}:OwnElman"]).measured
    assert list(found) == ["elman", "OwnElman", f"{__name__}:OwnElman"]
    first, *others = found.values()
    for other in others:
        np.testing.assert_array_equal(first["loss_norms"], other["loss_norms"])


def test_a_model_whose_weights_cannot_be_counted_has_a_dash_in_the_table() -> None:
    """All other columns keep their alignment to the right."""
    table = run(TASK, "esn", {**SMALL, "readout": LinearRegression()}, seeds=[0, 1]).table()
    assert [row[table.columns.index("weights")] for row in table.rows] == ["–", "–", "–", ""]
    assert run(TASK, "esn", SMALL).table().rows[0][table.columns.index("weights")] == "22"
    assert re.search(r" weights .*\n.*\n.* {6}– ", str(table))


@pytest.mark.parametrize(
    ("module", "sections"),
    [
        ("reservoir", ("What the command line does", "Models", "Errors")),
        ("reservoir.tasks", ("Tasks",)),
        ("reservoir.plotting", ("Pictures",)),
    ],
)
def test_the_document_lists_every_public_name_with_its_parameters(module: str, sections: tuple[str, ...]) -> None:
    home, found = importlib.import_module(module), listed(*sections)
    assert sorted(found) == sorted(home.__all__)
    for name, names in found.items():
        function = getattr(home, name)
        if inspect.isfunction(function):
            assert names == ", ".join(inspect.signature(function).parameters), name


def test_the_import_brings_no_numpy() -> None:
    code = "import reservoir, sys; sys.exit(int('numpy' in sys.modules or 'click' in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize(
    "name",
    ["run", "compare", "sweep", "read_sweep", "forecast", "backtest", "inspect", "gates", "gradient_diagnostics", "export_c"],
)
def test_every_function_documents_its_parameters_errors_and_an_example(name: str) -> None:
    function = getattr(reservoir, name)
    text = str(inspect.getdoc(function))
    assert all(f"\n{heading}\n---" in text for heading in ("Parameters", "Returns", "Raises", "Examples"))
    described = re.findall(r"^(\w[\w, ]*) : ", text, re.MULTILINE)
    assert ", ".join(described).split(", ") == list(inspect.signature(function).parameters)


def swept(folder: Path) -> Any:
    return sweep(TASK, "esn", {"leak_rate": [0.5, 1.0]}, folder / "sweep.db", settings=SMALL, jobs=1)


REPORTS: dict[str, tuple[Callable[[Path], Any], int]] = {
    "run": (lambda folder: run(TASK, "esn", SMALL, [0, 1]), 2),
    "compare": (lambda folder: compare([TASK], ["esn", "small=esn"], [0, 1], {**SMALL, "small__units": 10}), 4),
    "sweep": (swept, 2),
    "forecast": (lambda folder: forecast(SERIES, QUICK), 7),
    "backtest": (lambda folder: backtest(SERIES, QUICK, origins=2), 9),
    "inspect": (lambda folder: inspect_reservoir(ESN(**SMALL, random_state=0), steps=300), 18),
    "gradients": (lambda folder: gradient_diagnostics(ADDING, [Elman(units=3, training=UNTRAINED)]), 11),
    "gates": (lambda folder: gates(Elman(units=3, training=UNTRAINED, random_state=0).fit(SERIES), SERIES), len(SERIES)),
}
"""A report of each kind, and the rows of its CSV file."""


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_prints_writes_and_draws_itself(name: str, tmp_path: Path) -> None:
    make, rows = REPORTS[name]
    report = make(tmp_path)
    assert " ".join(str(report.table()).split()).startswith(report.table().title)
    report.to_csv(tmp_path / "report.csv")
    with open(tmp_path / "report.csv", encoding="utf-8", newline="") as file:
        header, *body = csv.reader(file)
    assert len(body) == rows and all(len(row) == len(header) for row in body)
    assert report.plot().axes and not (tmp_path / "report.svg").exists()
    assert report.plot(tmp_path / "report.svg").axes
    assert (tmp_path / "report.svg").stat().st_size > 0


def test_a_table_s_text_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    table = inspect_reservoir(ESN(**SMALL), steps=300).table()
    monkeypatch.setenv("COLUMNS", "60")
    assert str(table) == table_text(table, 60) and max(map(len, str(table).splitlines())) <= 60


def test_a_csv_file_of_measures_holds_numbers_in_full(tmp_path: Path) -> None:
    report = inspect_reservoir(ESN(**SMALL, random_state=0), steps=300)
    report.to_csv(tmp_path / "measures.csv")
    with open(tmp_path / "measures.csv", encoding="utf-8", newline="") as file:
        values = dict(csv.reader(file))
    assert float(values["memory_capacity"]) == report.measures["memory_capacity"]


def test_names_and_objects_give_the_same() -> None:
    by_name, by_object = (run(task, "esn", SMALL).rows[0]["score"] for task in ("narma10", get_task("narma10")))
    assert by_name == by_object
    one, several = (compare(tasks, "esn", [0], SMALL).rows[0]["score"] for tasks in ("narma10", ["narma10"]))
    assert one == several == by_name


def test_a_seed_that_diverges_is_left_out_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(self: Any, *args: Any, **options: Any) -> Any:
        if self.random_state == 1:
            raise DivergenceError("The state is not finite.")
        return fitted(self, *args, **options)

    fitted = ESN.fit
    monkeypatch.setattr(ESN, "fit", fit)
    with pytest.warns(RuntimeWarning, match=r"Seed 1: .* leaves this seed out"):
        report = run(TASK, "esn", SMALL, [1, 2])
    assert [row["seed"] for row in report.rows] == [2] and report.first.row["seed"] == 2
    with pytest.raises(DivergenceError, match="Seed 1"):
        run(TASK, "esn", SMALL, [1])


def test_an_estimator_that_is_given_stays_as_it_is() -> None:
    network, esn = Elman(units=3, training=UNTRAINED, random_state=0), ESN(**SMALL, random_state=0)
    gradient_diagnostics(ADDING, network)
    inspect_reservoir(esn, steps=300)
    assert not hasattr(network, "n_parameters_") and not hasattr(esn, "reservoir_")


def test_gradients_are_reported_as_they_come() -> None:
    told: list[Any] = []
    networks = {"a": Elman(units=3, training=Training(epochs=2)), "b": LSTM(units=3, training=UNTRAINED)}
    report = gradient_diagnostics(ADDING, networks, report=lambda label, epoch: told.append((label, epoch and epoch[1])))
    assert told == [("a", 2), ("a", 2), ("a", None), ("b", None)]
    assert [record["model"] for record in report.records()] == ["a", "b"]


def test_several_tasks_are_told_apart_by_name() -> None:
    report = compare([TASK, "memory-capacity"], ["esn"], [0], SMALL)
    assert report.table("narma10").title.startswith("narma10") and report.plot(task="narma10", what="predictions").axes
    for wrong, text in (({}, "Name one of the tasks"), ({"task": "narma"}, "Did you mean narma10")):
        with pytest.raises(ParameterError, match=text):
            report.table(**wrong)
    for what, text in (("score", "Did you mean scores"), ("learning", "has no learning to draw. It has: scores, predictions")):
        with pytest.raises(ParameterError, match=text):
            report.plot(task="narma10", what=what)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: run("narma"), "There is no task 'narma'. Did you mean narma"),
        (lambda: run(7), "A task must be a name"),
        (lambda: run(type(TASK)), "A task must be a name"),
        (lambda: run("narma10", seeds=[]), "'seeds' parameter of run must hold at least one seed"),
        (lambda: compare("narma"), "There is no task 'narma'"),
        (lambda: sweep("narma", "esn", {"units": [1]}, "none.db"), "There is no task 'narma'"),
        (lambda: forecast(SERIES, "esn"), "'forecaster' parameter must be a Forecaster"),
        (lambda: backtest(SERIES, QUICK, origins=0), "'origins' parameter of backtest"),
        (lambda: inspect_reservoir(LSTM()), "'esn' parameter of inspect must be an ESN"),
        (lambda: inspect_reservoir(steps=1), "'steps' parameter of inspect"),
        (lambda: gradient_diagnostics(ADDING, ["esn"]), "must be trained by gradient"),
        (lambda: gradient_diagnostics(ADDING, [LSTM(), LSTM()]), "The model 'LSTM' is there twice"),
        (lambda: gradient_diagnostics(ADDING, []), "at least one model"),
        (lambda: gradient_diagnostics(ADDING, seed=-1), "'seed' parameter of gradient_diagnostics"),
    ],
)
def test_bad_arguments_are_refused_in_a_line(call: Callable[[], Any], text: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(text)) as caught:
        call()
    assert "\n" not in str(caught.value)
