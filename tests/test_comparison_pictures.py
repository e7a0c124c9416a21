"""Pictures of several models on one task: each holds every model's data, in the model's color."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compared import LABELS, points, words
from matplotlib.figure import Figure

from reservoir import metrics, plotting
from reservoir.comparison.report import FinishedRun, TaskComparison
from reservoir.plotting.style import looks
from reservoir.plotting.tasks.free_run_data import FreeRun
from reservoir.tasks import get_task, list_tasks

SCORES = {"good": 0.5, "poor": 0.6}
FREE_RUN = {"train_length": 120, "washout": 20, "history": 60, "steps": 90, "starts": 3}
FILTER = {"train_length": 300, "validation_length": 2, "test_length": 400, "washout": 200}
LABEL = {"train_sequences": 30, "validation_sequences": 2, "test_sequences": 60}
OPTIONS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("narma10", "narma20", "narma30", "delayed-recall", "parity", "channel-equalization"), FILTER),
    **dict.fromkeys(("mackey-glass", "lorenz", "rossler", "kuramoto-sivashinsky", "henon", "mso", "sine"), FREE_RUN),
    **dict.fromkeys(("frequency-discrimination", "digits", "adding", "copy", "temporal-order", "reber", "spoken-words"), LABEL),
    "memory-capacity": {**FILTER, "lags": 12},
    "text": {"length": 20_000},
}


def fake(task: Any, data: Any, size: float) -> Any:
    """Predictions that are near the targets, or some of the labels shifted."""
    targets = data.test.targets
    if not isinstance(targets, list) and np.asarray(targets).dtype.kind != "f":
        return np.where(np.arange(len(targets)) % 9 < 9 * size, np.roll(targets, 1), targets)
    rng = np.random.default_rng(0)
    noisy = [np.asarray(y) + size * rng.normal(size=np.shape(y)) for y in targets]
    return noisy if isinstance(targets, list) else np.array(noisy)


def predicted(name: str, tmp_path: Path | None = None) -> tuple[Any, Any, dict[str, Any]]:
    options = OPTIONS.get(name, {})
    if name == "csv":
        assert tmp_path is not None
        np.savetxt(tmp_path / "own.csv", np.cumsum(np.random.default_rng(0).normal(size=(400, 1))), header="price $", comments="")
        options = {"path": str(tmp_path / "own.csv"), "horizon": 20, "starts": 3}
    task = get_task(name, **options)
    data = task.generate(0)
    return task, data, {"good": fake(task, data, 0.01), "poor": fake(task, data, 0.4)}


def report(task: Any, data: Any, predictions: dict[str, Any]) -> TaskComparison:
    """A comparison with these predictions of the first seed, of which one model failed."""
    runs = [
        FinishedRun({"label": label, "score": SCORES[label], "params": {"units": 7}}, [], p) for label, p in predictions.items()
    ]
    return TaskComparison(task, LABELS, [*runs, FinishedRun({"label": "failed", "score": None}, [], None)], 0, data)


def overlay(name: str, tmp_path: Path | None = None) -> tuple[Any, Any, dict[str, Any], Figure]:
    task, data, predictions = predicted(name, tmp_path)
    return task, data, predictions, plotting.overlay_figure(report(task, data, predictions))


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


# Predictions


@pytest.mark.parametrize("name", list_tasks())
def test_every_task_has_its_picture(name: str, tmp_path: Path) -> None:
    *_, figure = overlay(name, tmp_path)
    texts = [
        *titles(figure),
        *[text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().get_texts()],
    ]
    for label in ("good", "poor"):
        assert any(text.startswith(f"{label}: ") for text in texts)
    assert not any("failed" in text for text in texts)
    assert all(np.isfinite(axes.get_xlim() + axes.get_ylim()).all() for axes in figure.axes)
    plotting.save(figure, tmp_path / "picture.svg")


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("name", ["narma10", "parity", "memory-capacity", "lorenz", "kuramoto-sivashinsky", "adding", "reber"])
def test_predictions_that_left_the_range_are_drawn_as_far_away(name: str, bad: float) -> None:
    task, data, predictions = predicted(name)
    wild = predictions["poor"]
    wild[-1] = wild[-1] * bad
    figure = plotting.overlay_figure(report(task, data, predictions))
    assert all(np.isfinite(axes.get_ylim()).all() for axes in figure.axes)


def test_a_filter_shows_the_end_of_every_model_over_the_target() -> None:
    _, data, predictions, figure = overlay("narma10")
    truth = data.test.targets[0][-320:, 0]
    assert len(figure.axes) == 2
    for axes, (label, (color, *_)) in zip(figure.axes, looks(LABELS).items(), strict=False):
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), truth)
        [drawn] = points(axes, color)
        np.testing.assert_array_equal(drawn[:, 1], predictions[label][0][-320:, 0])
        np.testing.assert_array_equal(drawn[:, 0], np.arange(200 + 400 - 320, 600))
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


def test_the_finding_comes_first_and_what_is_black_has_a_name() -> None:
    for name, best, metric, black in (
        ("narma10", "good", "nmse, 0.5", "the target"),
        ("digits", "poor", "accuracy, 0.6", ""),
        ("lorenz", "poor", "valid prediction time, 0.6", "the truth"),
    ):
        *_, figure = overlay(name)
        assert words(figure).startswith(f"{name}: {best} has the best {metric} with seed 0 predictions for the test split; ")
        assert words(figure).partition("black: ")[2] == black


def test_classes_have_their_names() -> None:
    *_, figure = overlay("temporal-order")
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["XX", "XY", "YX", "YY"]


def test_a_map_has_points_where_a_flow_has_a_line() -> None:
    for name, kind in (("henon", "None"), ("lorenz", "-")):
        *_, figure = overlay(name)
        assert {line.get_linestyle() for line in figure.axes[0].lines[1:]} == {kind}


def test_a_free_run_shows_one_start_and_the_median_error_of_all() -> None:
    task, data, predictions, figure = overlay("lorenz")
    *panels, beneath = figure.axes
    runs = {label: FreeRun.of(task, data, predictions[label]) for label in predictions}
    start = int(words(figure).partition("start ")[2].split()[0]) - 1
    for axes, (label, (color, *_)) in zip(panels, looks(LABELS).items(), strict=False):
        [drawn] = points(axes, color)
        np.testing.assert_array_equal(drawn[1:, 1], runs[label].forecasts[start][:, 0])
        assert drawn[0].tolist() == [0.0, data.test.inputs[start][-1, 0]]  # from the end of the history on
        [errors] = points(beneath, color)
        np.testing.assert_allclose(errors[:, 1], np.median(runs[label].errors, axis=0))
    assert beneath.get_yscale() == "log"


def test_lags_are_drawn_as_memory_curves() -> None:
    _, data, predictions, figure = overlay("memory-capacity")
    [axes] = figure.axes
    truth = data.test.targets[0][200:]
    for label, (color, *_) in list(looks(LABELS).items())[:2]:
        curve, units = points(axes, color)
        assert units[:, 0].tolist() == [7, 7]
        np.testing.assert_allclose(curve[:, 1], metrics.squared_correlations(predictions[label][0][200:], truth))


def test_labels_are_counted_by_class() -> None:
    _, data, predictions, figure = overlay("digits")
    [axes] = figure.axes
    truth = data.test.targets
    for label, (color, *_) in list(looks(LABELS).items())[:2]:
        [shares] = points(axes, color)
        expected = [np.mean(predictions[label][truth == k] == k) for k in np.unique(truth)]
        np.testing.assert_allclose(shares[:, 1], expected)


def test_numbers_are_drawn_over_those_asked_for() -> None:
    _, data, predictions, figure = overlay("adding")
    for axes, (label, (color, *_)) in zip(figure.axes, looks(LABELS).items(), strict=False):
        [drawn] = points(axes, color)
        np.testing.assert_array_equal(drawn[:, 0], data.test.targets)
        np.testing.assert_array_equal(drawn[:, 1], predictions[label])


def test_many_outputs_are_drawn_as_maps() -> None:
    _, data, _, figure = overlay("reber")
    assert titles(figure)[:3] == ["target", "good: accuracy = 0.5", "poor: accuracy = 0.6"]
    image = np.asarray(figure.axes[0].images[0].get_array())
    np.testing.assert_array_equal(image, np.concatenate(data.test.targets)[-80:].T)
