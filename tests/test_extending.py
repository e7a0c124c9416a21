"""The user's own code that docs/extending.md shows works as it says; tasks name pictures that exist."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cell_runs import apart, backward, case, differences
from commands import Command
from messages import mentions

import reservoir
from reservoir import ESN, Elman, ModelFileError, ParameterError, Ridge, Training, load, plotting
from reservoir.comparison.report import FinishedRun, TaskComparison
from reservoir.comparison.work import compare
from reservoir.experiments.evaluation import evaluate, settings_for
from reservoir.gradient.diagnostics import measure_gradients
from reservoir.models import known_model, settings_name
from reservoir.plotting.tasks.figure import default_picture
from reservoir.sweeps.plan import plan_sweep
from reservoir.sweeps.report import read_sweep
from reservoir.tasks import get_task, list_tasks
from reservoir.tasks.registry import task_class

DOCUMENT = (Path(__file__).parent.parent / "docs" / "extending.md").read_text(encoding="utf-8")
SCRIPT = "\n\n".join(re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL))
SHORT = ("--set", "training.epochs=1", "--set", "units=4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the document's code in the file own.py."""
    found = tmp_path_factory.mktemp("users")
    (found / "own.py").write_text(SCRIPT, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def own(folder: Path) -> Iterator[Any]:
    """The document's code, imported."""
    sys.path.insert(0, str(folder))
    try:
        with contextlib.chdir(folder):  # the code writes files
            module = importlib.import_module("own")
        yield module
    finally:
        sys.path.remove(str(folder))
        del sys.modules["own"]


def program(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the folder, with the library as the tests have it, and the folder not on the path."""
    environment = {**os.environ, "PYTHONPATH": str(Path(reservoir.__file__).parent.parent), "PYTHONSAFEPATH": "1"}
    return subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def within(folder: Path, own: Any, command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `reservoir` in the folder, in the process of the test."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return command


def refusal(work: Callable[[], Any]) -> str:
    with pytest.raises(ParameterError) as caught:
        work()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_document_s_script_fits_compares_sweeps_and_draws(folder: Path) -> None:
    done = program(folder, "own.py")
    assert done.returncode == 0, done.stderr
    assert (folder / "delay.png").stat().st_size > 0
    about = read_sweep(folder / "own.db").runs.about
    assert (about["task"], about["model"], about["task_options"]) == ("own:Delay", "own:LeakyRNN", {"steps": 5})
    assert set(read_sweep(folder / "own.db").runs.status) == {"done"}


def test_another_process_takes_them_by_their_path(folder: Path) -> None:
    done = program(folder, "-m", "reservoir", "run", "own:Delay", "--task-set", "steps=4", "--set", "units=50", "--json")
    row = json.loads(done.stdout)
    assert (row["task"], row["model"], row["task_options"]) == ("delay", "esn", {"steps": 4})
    assert row["score"] < 0.5


def test_every_command_takes_them_by_their_path(folder: Path, within: Command) -> None:
    def printed(*words: str) -> str:
        done = within(*words)
        assert done.status == 0, done.err
        return done.out

    row = json.loads(printed("run", "own:Delay", "--model", "own:LeakyRNN", *SHORT, "--json", "--plot", "a.svg"))
    assert row["model"] == "own:LeakyRNN" and row["params"]["units"] == 4 and (folder / "a.svg").stat().st_size > 0
    models = ("--models", "esn,own:LeakyRNN", "--set", "LeakyRNN.training.epochs=1")
    assert within("compare", "own:Delay", *models, "--set", "delay.x=1").status == 2
    out = printed("compare", "own:Delay", *models, "--task-set", "delay.steps=2", "--seeds", "0", "--jobs", "2", "--json")
    assert [json.loads(line)["model"] for line in out.splitlines()] == ["esn", "own:LeakyRNN"]
    assert "Elman network whose units forget slowly." in (folder / "comparison" / "report.html").read_text(encoding="utf-8")
    assert (folder / "comparison" / "delay-predictions.svg").is_file()
    sweep = ("sweep", "own:Delay", "--model", "own:LeakyRNN", "--vary", "leak_rate=0.5,1", *SHORT)
    assert "reservoir run own:Delay --model own:LeakyRNN" in printed(*sweep, "--jobs", "2")
    assert "0 new runs, 2 from before" in printed(*sweep, "--jobs", "1", "--store", "delay-LeakyRNN.db")
    lines = printed("gradients", "own:Delay", "--models", "own:LeakyRNN", *SHORT, "--json", "--plot", "g.svg").splitlines()
    assert "unit" in json.loads(lines[0])["saturated"] and (folder / "g.svg").is_file()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("run", "own:Dela"), "'Dela' Delay"),
        (("run", "absent:Delay"), "ModuleNotFoundError"),
        (("run", "broken:Delay"), "ValueError two lines"),
        (("run", "own:LeakyRNN"), "reservoir.tasks.base.Task"),
        (("run", "own:"), "package.module:Class"),
        (("run", "broken/own:Delay"), "package.module:Class"),
        (("run", "narma10", "--model", "own:Delay"), "reservoir.base.estimator.Estimator"),
        (("compare", "narma10", "--models", "own:Leaky"), "'Leaky'"),
        (("compare", "own:Delay", "own:DrawnDelay"), "'delay' twice"),
        (("sweep", "own:Delay", "--model", "nowhere.at.all:X", "--vary", "units=1,2"), "ModuleNotFoundError"),
        (("gradients", "own:Delay", "--models", "own:Nothing"), "'Nothing'"),
        (("gradients", "own:Delay", "--models", "esn"), "gradients"),
    ],
)
def test_a_path_that_does_not_fit_is_refused_in_one_line(
    folder: Path, within: Command, words: tuple[str, ...], part: str
) -> None:
    (folder / "broken.py").write_text('raise ValueError("two\\nlines")')
    done = within(*words)
    assert (done.status, done.out) == (2, "")
    assert re.fullmatch(r"Error: .+\n", done.err) and re.match(mentions(part), done.err)


def test_a_class_that_no_process_can_import_is_refused(own: Any) -> None:
    class Hidden(own.Delay):
        pass

    class HiddenESN(ESN):
        pass

    assert "within a function" in refusal(lambda: plan_sweep(Hidden(), "esn", {"leak_rate": [0.5]}))
    assert "The model must be of a class" in refusal(lambda: plan_sweep(own.Delay(), HiddenESN, {"leak_rate": [0.5]}))
    quick = {"units": 5, "density": 0.5}
    assert "The task 'delay'" in refusal(lambda: compare([Hidden()], ["esn"], [0, 1], quick, jobs=2))
    assert "The model 'HiddenESN'" in refusal(lambda: compare([own.Delay()], [HiddenESN], [0, 1], quick, jobs=2))
    [row] = compare([Hidden()], [HiddenESN], [0], quick).rows
    assert row["error"] is None and row["model"].endswith("HiddenESN")


def test_a_class_of_a_prompt_is_refused(folder: Path) -> None:
    text = "import own\nclass Mine(own.Delay): pass\nfrom reservoir.sweeps.plan import plan_sweep\n"
    done = program(folder, "-c", f"import sys; sys.path.insert(0, '')\n{text}plan_sweep(Mine(), 'esn', {{'leak_rate': [0.5]}})")
    assert "ParameterError: The task 'delay' must be of a class that other processes can import" in done.stderr


def test_the_store_knows_fields_of_every_kind(own: Any) -> None:
    def options(steps: Any) -> Any:
        return plan_sweep(own.Delay(steps), "esn", {"leak_rate": [0.5]}).about()["task_options"]["steps"]

    assert options(np.arange(2)) == [0, 1] and options(Path("a")) == "a" and options((1, Path("a"))) == (1, "a")
    assert options(own.Delay(2)) == {"class": "own:Delay", "steps": 2}
    assert "must be plain data" in refusal(lambda: options(object()))


def test_settings_are_those_of_what_a_class_is_derived_from(own: Any) -> None:
    class Sub(ESN):
        pass

    assert settings_name(known_model("reservoir.echo.esn:ESN")) == settings_name(Sub) == "esn"
    assert settings_name(own.LeakyRNN) == "gradient" and settings_name(Ridge) is None
    task = get_task("narma10")
    assert settings_for(task, own.LeakyRNN, {}) == task.settings("gradient")
    assert settings_for(task, Ridge, {"ridge": 1}) == {"ridge": 1}


def test_the_cell_is_trained_seen_and_restored(own: Any) -> None:
    data = own.Delay(steps=2).generate(0)
    training = Training(epochs=30, learning_rate=0.01)
    network = own.LeakyRNN(units=12, leak_rate=0.9, training=training, dtype="float64", random_state=0)
    network.fit(data.train.inputs, data.train.targets)
    assert own.Delay(steps=2).score(network.predict(data.test.inputs), data) < 0.5
    found = measure_gradients(network, data.test.inputs, data.test.targets)
    assert set(found["saturated"]) == {"unit"} and found["singular_values"].shape == (1, 12)
    again = own.LeakyRNN.restored(network.get_params(deep=False), *network._record())
    np.testing.assert_array_equal(again.predict(data.test.inputs)[0], network.predict(data.test.inputs)[0])


def test_the_cell_s_gradients_are_the_differences(own: Any) -> None:
    run = case(own.LeakyCell(3, 0.3), 5, [5, 3], 2)
    found = backward(run)
    for name, array in run.arrays.items():
        assert apart(found.weights[name], differences(run, array)) < 1e-8, name
    assert apart(found.inputs, differences(run, run.inputs)) < 1e-8
    assert apart(found.initial, differences(run, run.initial)) < 1e-8


def test_without_a_leak_the_cell_is_elman_s(own: Any) -> None:
    data = own.Delay().generate(0)
    options = {"units": 5, "training": Training(epochs=3), "dtype": "float64", "random_state": 1}
    networks = [
        kind.fit(data.train.inputs, data.train.targets) for kind in (own.LeakyRNN(leak_rate=1.0, **options), Elman(**options))
    ]
    ref, comp = (network.predict(data.test.inputs)[0] for network in networks)
    np.testing.assert_allclose(comp, ref, rtol=1e-8)


CHANGED = """
import json, sys
sys.path.insert(0, "")
import own
from reservoir import Training
data = own.Delay().generate(0)
network = own.LeakyRNN(units=3, training=Training(epochs=0), dtype="float64", random_state=0)
print(json.dumps(network.fit(data.train.inputs, data.train.targets).predict(data.test.inputs)[0].ravel().tolist()))
"""


def test_a_changed_kernel_is_compiled_anew_and_another_process_needs_no_module_of_the_user(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(SCRIPT)
    before = program(tmp_path, "-c", CHANGED)
    assert program(tmp_path, "-c", CHANGED).stdout == before.stdout != ""
    old = "new[b, j] = old[b, j] + leak"
    assert SCRIPT.count(old) == 1
    (tmp_path / "own.py").write_text(SCRIPT.replace(old, "new[b, j] = old[b, j] - leak"))
    after = program(tmp_path, "-c", CHANGED)
    assert after.returncode == 0 and not np.allclose(json.loads(after.stdout), json.loads(before.stdout))
    (tmp_path / "own.py").rename(tmp_path / "other.py")  # compiled for own.LeakyWeights, which is no more
    program_of_elman = CHANGED.replace("import own", "import other as own").replace("own.LeakyRNN", "reservoir.Elman")
    elsewhere = program(tmp_path, "-c", "import reservoir" + program_of_elman)
    assert elsewhere.returncode == 0, elsewhere.stderr


def test_a_picture_of_one_s_own_draws_one_model_and_several(own: Any) -> None:
    task = own.DrawnDelay()
    result = evaluate(task, "esn", {"units": 20}, 0)
    data, predictions = result.data, result.predictions
    [axes] = plotting.task_figure(task, data, predictions, "t").axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), predictions[0][:, 0])
    runs = [FinishedRun({"label": label, "score": 0.5, "params": {}}, [], predictions) for label in ("one", "two")]
    figure = plotting.overlay_figure(TaskComparison(task, ["one", "two"], runs, 3, data))
    assert len([line for axes in figure.axes for line in axes.lines]) == 2
    assert figure.get_suptitle().strip() == f"delay: one has the best {task.metric}, 0.5 with seed 3"


def test_the_document_s_readouts_are_fitted_saved_and_loaded(own: Any, folder: Path) -> None:
    assert type(own.esn.readout_) is own.LeastAbsolute and own.esn.readout_.rounds == 30
    wave, ridge = own.wave, own.esn.set_params(readout=Ridge()).fit(own.wave[:-1], own.spoiled[1:])
    assert own.error < 1e-3 < np.abs(ridge.predict(wave[:-1]) - wave[1:])[100:].max()
    assert own.accuracy == 1.0
    with pytest.raises(ModelFileError, match=mentions("LeastAbsolute load(path classes=[LeastAbsolute])")):
        load(folder / "wave.safetensors")


def test_tasks_name_pictures_that_there_are_and_the_document_lists_all() -> None:
    assert {task_class(name).picture for name in list_tasks()} - {None} < set(plotting.PICTURES)
    assert set(re.findall(r"^\| `([a-z ]+)` \| ", DOCUMENT, re.MULTILINE)) - {"picture"} == set(plotting.PICTURES)


def test_an_unknown_picture_has_its_nearest_name() -> None:
    task = SimpleNamespace(picture="serie", kind="filter")
    with pytest.raises(ParameterError, match=mentions("series")):
        plotting.task_figure(task, None, None, "")


@pytest.mark.parametrize(
    ("kind", "targets", "name"),
    [
        ("filter", [np.zeros((5, 2))], "series"),
        ("filter", [np.zeros(5, int)], "step labels"),
        ("free run", [np.zeros((5, 4))], "free run"),
        ("free run", [np.zeros(5)], "free run"),
        ("free run", [np.zeros((5, 5))], "field"),
        ("label", np.zeros(5, int), "labels"),
        ("label", np.array(["a", "b"]), "labels"),
        ("label", np.full(5, 0.5), "numbers"),
        ("label", np.zeros((5, 2)), "numbers"),
    ],
)
def test_a_task_without_a_name_is_drawn_by_its_kind_and_its_targets(kind: str, targets: Any, name: str) -> None:
    data = SimpleNamespace(test=SimpleNamespace(targets=targets))
    assert default_picture(SimpleNamespace(kind=kind), data) == name
