"""A task and a picture of one's own, as docs/extending.md shows them, and the pictures that tasks name."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reservoir import ModelFileError, ParameterError, Ridge, load, plotting
from reservoir.comparison.report import FinishedRun, TaskComparison
from reservoir.plotting.tasks.figure import default_picture
from reservoir.tasks import list_tasks
from reservoir.tasks.registry import task_class

DOCUMENT = (Path(__file__).parent.parent / "docs" / "extending.md").read_text(encoding="utf-8")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the document's code defines."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": __name__}
    for block in re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL):
        exec(block, names)
    return names


def test_the_document_s_task_is_fitted_and_drawn(own: dict[str, Any]) -> None:
    assert own["result"].row["score"] < 0.05
    assert Path("delay.png").stat().st_size > 0


def test_a_picture_of_one_s_own_draws_one_model_and_several(own: dict[str, Any]) -> None:
    task, data, predictions = own["DrawnDelay"](), own["result"].data, own["result"].predictions
    [axes] = plotting.task_figure(task, data, predictions, "t").axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), predictions[0][:, 0])
    runs = [FinishedRun({"label": label, "score": 0.5}, [], predictions) for label in ("one", "two")]
    figure = plotting.overlay_figure(TaskComparison(task, ["one", "two"], runs, 3, data))
    assert len([line for axes in figure.axes for line in axes.lines]) == 2
    assert figure.get_suptitle() == "delay: predictions, seed 3"


def test_the_document_s_readouts_are_fitted_saved_and_loaded(own: dict[str, Any]) -> None:
    assert type(own["esn"].readout_) is own["LeastAbsolute"] and own["esn"].readout_.rounds == 30
    wave, ridge = own["wave"], own["esn"].set_params(readout=Ridge()).fit(own["wave"][:-1], own["spoiled"][1:])
    assert own["error"] < 1e-3 < np.abs(ridge.predict(wave[:-1]) - wave[1:])[100:].max()
    assert own["accuracy"] == 1.0
    with pytest.raises(ModelFileError, match=r"class '\w+:LeastAbsolute', .*: load\(path, classes=\[LeastAbsolute\]\)"):
        load("wave.safetensors")


def test_tasks_name_pictures_that_there_are_and_the_document_lists_all() -> None:
    assert {task_class(name).picture for name in list_tasks()} - {None} < set(plotting.PICTURES)
    assert set(re.findall(r"^\| `([a-z ]+)` \| ", DOCUMENT, re.MULTILINE)) - {"picture"} == set(plotting.PICTURES)


def test_an_unknown_picture_has_its_nearest_name() -> None:
    task = SimpleNamespace(picture="serie", kind="filter")
    with pytest.raises(ParameterError, match="Did you mean series"):
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
