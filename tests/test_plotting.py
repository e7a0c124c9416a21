"""Pictures: each kind holds the data it was given, whatever its size, and files are written whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from reservoir import ESN, ParameterError, metrics, plotting
from reservoir.diagnostics.reservoirs import ReservoirReport
from reservoir.plotting.models import diagnostics
from reservoir.tasks import Data, Split, get_task, list_tasks

FREE_RUN = {"train_length": 120, "washout": 20, "history": 60, "steps": 90, "starts": 5}
FILTER = {"train_length": 300, "validation_length": 2, "test_length": 330, "washout": 200}
LABEL = {"train_sequences": 30, "validation_sequences": 2, "test_sequences": 60}
OPTIONS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("narma10", "narma20", "narma30", "delayed-recall", "parity", "channel-equalization"), FILTER),
    **dict.fromkeys(("mackey-glass", "lorenz", "rossler", "kuramoto-sivashinsky", "henon", "mso", "sine"), FREE_RUN),
    **dict.fromkeys(("frequency-discrimination", "digits", "adding", "temporal-order", "copy", "reber", "spoken-words"), LABEL),
    "memory-capacity": {**FILTER, "lags": 12},
    "text": {"length": 20_000},
}
AXES = {
    **dict.fromkeys(("narma10", "narma20", "narma30", "memory-capacity", "mackey-glass", "henon", "waveform"), 4),
    **dict.fromkeys(("delayed-recall", "parity", "channel-equalization", "mso", "sine", "sunspots", "csv"), 2),
    **dict.fromkeys(("lorenz", "rossler"), 6),
    "kuramoto-sivashinsky": 4 + 3,  # with the scales of the maps
    "frequency-discrimination": 2 + 4,  # with the scale of the confusion matrix
    **dict.fromkeys(("temporal-order", "spoken-words"), 2 + 4 + 1),  # with that of the maps, too
    "digits": 2 + 9,
    "reber": 5,  # with the scale of the outputs
    "adding": 3,
    "copy": 4,
    "text": 2,  # with the scale of the bits
}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def small(name: str, tmp_path: Path | None = None, **options: Any) -> Any:
    if name == "csv":
        assert tmp_path is not None
        rows = np.cumsum(rng().normal(size=(400, 2)), axis=0)
        np.savetxt(tmp_path / "own.csv", rows, delimiter=",", header="price $,$ volume", comments="")
        options = {"path": str(tmp_path / "own.csv"), "column": "price $", "horizon": 20, "starts": 3, **options}
    return get_task(name, **{**OPTIONS.get(name, {}), **options})


def fake(task: Any, data: Any, size: float = 0.1) -> Any:
    """Predictions that are near the targets, or a third of the labels shifted; of a text, logarithms of probabilities."""
    targets = data.test.targets
    if task.kind == "text":
        return [-size * target for target in targets]
    if targets[0].dtype.kind == "i":
        if task.kind == "label":
            return np.where(np.arange(len(targets)) % 3 == 0, np.roll(targets, 1), targets)
        return [np.where(np.arange(len(target)) % 3 == 0, np.roll(target, 1), target) for target in targets]
    if task.kind == "label":
        return targets + size * rng().normal(size=targets.shape)
    return [target + size * rng(k).normal(size=target.shape) for k, target in enumerate(targets)]


def drawn(name: str, tmp_path: Path | None = None, **options: Any) -> tuple[Any, Any, Any, Figure]:
    task = small(name, tmp_path, **options)
    data = task.generate(0)
    predictions = fake(task, data)
    return task, data, predictions, plotting.task_figure(task, data, predictions, f"{name}: a model, {task.metric} = 0.5")


def line(axes: Axes, label: str) -> np.ndarray:
    """The (n, 2) points of the line with that label."""
    (found,) = [one for one in axes.lines if one.get_label() == label]
    return np.asarray(found.get_xydata())


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def legend(axes: Axes) -> list[str]:
    found = axes.get_legend()
    assert found is not None
    return [text.get_text() for text in found.get_texts()]


# Every task


@pytest.mark.parametrize("name", list_tasks())
def test_every_task_has_its_picture(name: str, tmp_path: Path) -> None:
    *_, figure = drawn(name, tmp_path)
    assert len(figure.axes) == AXES[name]
    title = figure.get_suptitle()
    assert title.startswith(f"{name}: a model, ")
    assert all(np.isfinite(axes.get_xlim() + axes.get_ylim()).all() for axes in figure.axes)
    plotting.save(figure, tmp_path / "picture.png")


@pytest.mark.parametrize("name", list_tasks())
@pytest.mark.parametrize("size", [0.0, 1e300])
def test_perfect_and_diverged_predictions_are_drawn(name: str, size: float, tmp_path: Path) -> None:
    task = small(name, tmp_path)
    data = task.generate(0)
    predictions = data.test.targets if size == 0.0 else fake(task, data, size)
    figure = plotting.task_figure(task, data, predictions, "")
    if task.kind != "label" and name not in ("kuramoto-sivashinsky", "copy", "reber"):
        # The frame is the truth's, whatever the predictions do.
        truth = np.concatenate(list(data.test.targets))
        unit = data.info.get("std", 1.0)
        assert np.ptp(figure.axes[0].get_ylim()) <= 3.0 * max(np.ptp(truth * unit), 1.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["narma10", "parity", "memory-capacity", "lorenz", "henon", "kuramoto-sivashinsky"])
def test_values_that_are_not_finite_are_drawn_as_far_away(name: str, bad: float) -> None:
    task = small(name)
    data = task.generate(0)
    predictions = fake(task, data)
    predictions[0][-5:] = bad
    plotting.task_figure(task, data, predictions, "")


@pytest.mark.parametrize("name", ["mackey-glass", "lorenz", "rossler", "kuramoto-sivashinsky", "henon", "mso", "sine"])
def test_short_free_runs_of_one_start(name: str) -> None:
    steps = 84 if name == "mackey-glass" else 1
    *_, figure = drawn(name, starts=1, steps=steps, history=1)
    assert len(figure.axes) == AXES[name]


@pytest.mark.parametrize("name", ["narma10", "delayed-recall", "parity", "channel-equalization", "memory-capacity"])
def test_short_filters(name: str) -> None:
    options = {"lags": 1} if name == "memory-capacity" else {}
    drawn(name, test_length=2, **options)


# Filters


def test_a_filter_shows_its_last_steps_and_all_of_them() -> None:
    _, data, predictions, figure = drawn("narma10")
    above, beneath, scatter, histogram = (figure.axes[k] for k in (0, 1, 2, 3))
    truth, guess = data.test.targets[0][:, 0], predictions[0][:, 0]
    time = np.arange(530)  # 200 steps of washout, 330 that are scored
    np.testing.assert_array_equal(line(above, "target"), np.column_stack([time, truth])[-200:])
    np.testing.assert_array_equal(line(above, "prediction"), np.column_stack([time, guess])[-200:])
    np.testing.assert_allclose(beneath.lines[1].get_ydata(), ((guess - truth) / truth[-330:].std())[-200:])
    assert beneath.get_ylabel() == "error / std"
    np.testing.assert_array_equal(scatter.lines[1].get_xydata(), np.column_stack([truth, guess])[-330:])
    assert scatter.get_title(loc="left") == "330 time steps"
    assert sum(patch.get_width() for patch in histogram.patches) == 330
    assert above.get_xlim() == beneath.get_xlim()
    assert legend(above) == ["target", "prediction"]


def test_a_short_record_is_shown_as_a_whole() -> None:
    _, data, _, figure = drawn("waveform")
    np.testing.assert_array_equal(line(figure.axes[0], "target")[:, 1], data.test.targets[0][:, 0])


def test_long_records_are_thinned_in_the_scatter() -> None:
    *_, figure = drawn("narma30", test_length=9000)
    assert len(figure.axes[2].lines[1].get_xdata()) == 4000
    assert figure.axes[2].get_title(loc="left") == "4,000 of 9,000 time steps"


def test_several_outputs_are_stacked() -> None:
    task = small("narma10")
    targets = rng().normal(size=(40, 5))
    split = Split([np.zeros((40, 1))], [targets], washout=10)
    figure = plotting.task_figure(task, Data(split, split, split), [targets], "")
    assert [figure.axes[k].get_ylabel() for k in (0, 4, 8)] == [f"output {k} of 5" for k in (1, 2, 3)]
    np.testing.assert_array_equal(line(figure.axes[4], "target")[:, 1], targets[10:, 1])


def test_a_constant_target_is_drawn() -> None:
    split = Split([np.zeros((40, 1))], [np.full((40, 1), 0.25)])
    for offset in (0.0, 1.0):
        plotting.task_figure(small("narma10"), Data(split, split, split), [np.full((40, 1), 0.25 + offset)], "")


def test_symbols_that_are_taken_for_others_are_counted() -> None:
    task, data, predictions, _ = drawn("channel-equalization")
    data.test.targets[0][-4:] = [[-1.0], [1.0], [1.0], [-3.0]]
    predictions[0][-4:] = [[0.2], [-0.2], [1.8], [1e9]]
    figure = plotting.task_figure(task, data, predictions, "")
    left, right = figure.axes
    assert round(task.score(predictions, data) * 330) == 3
    assert right.get_title(loc="left") == "3 of 330 nearer to another symbol"
    np.testing.assert_array_equal(line(left, "output nearer to another")[:, 0], [526, 527, 529])
    np.testing.assert_array_equal(line(left, "symbol asked for")[:, 1], data.test.targets[0][-100:, 0])
    assert left.get_yticks().tolist() == [-3.0, -1.0, 1.0, 3.0]
    borders = [one.get_ydata()[0] for one in left.lines if one.get_linestyle() == ":"]
    assert borders == [-2.0, 0.0, 2.0]


def test_the_memory_curve_is_that_of_the_metric() -> None:
    task, data, predictions, figure = drawn("memory-capacity")
    truth, guess = data.test.targets[0][200:], predictions[0][200:]
    curve = metrics.squared_correlations(guess, truth)
    points = figure.axes[0].lines[0].get_xydata()
    np.testing.assert_allclose(points, np.column_stack([np.arange(1, 13), curve]))
    assert legend(figure.axes[0]) == [f"memory capacity (sum) {task.score(predictions, data):.4g}"]
    axes = plotting.task_figure(task, data, predictions, "", 40).axes[0]
    assert line(axes, "N = 40 units, its limit")[:, 0].tolist() == [40, 40] and axes.get_xlim()[1] > 40
    np.testing.assert_array_equal(line(figure.axes[1], "input")[:, 1], truth[-60:, 0])
    assert figure.axes[3].get_title(loc="left").startswith("lag 12: ")


# Free runs


def test_a_chaotic_free_run_shows_the_median_start_in_lyapunov_times() -> None:
    task = small("lorenz")
    data = task.generate(0)
    predictions = [target.copy() for target in data.test.targets]
    for prediction, step in zip(predictions, (20, 50, 30, 60, 10), strict=True):
        prediction[step:, 2] += 40.0
    figure = plotting.task_figure(task, data, predictions, "")
    unit = 0.01 * 0.906
    assert figure.axes[0].get_title(loc="left") == "start 3 of 5, nearest to the mean valid time"
    history, truth = data.test.inputs[2], data.test.targets[2]
    for column in range(3):
        shown = line(figure.axes[column], "truth")
        np.testing.assert_allclose(shown[:, 0], np.arange(-29, 91) * unit)
        np.testing.assert_array_equal(shown[:, 1], np.concatenate([history[-30:, column], truth[:, column]]))
        forecast = line(figure.axes[column], "forecast")
        np.testing.assert_allclose(forecast[:, 0], np.arange(91) * unit)
        np.testing.assert_array_equal(forecast[1:, 1], predictions[2][:, column])
    errors = figure.axes[3]
    assert errors.get_yscale() == "log"
    score = task.score(predictions, data)  # 34 steps, the mean
    assert legend(errors)[-1] == f"mean valid time {score:.4g}"
    assert line(errors, f"mean valid time {score:.4g}")[:, 0] == pytest.approx([score] * 2)
    assert figure.axes[0].lines[-1].get_xdata() == pytest.approx([30 * unit] * 2)
    # sqrt(mean of 0, 0 and (40 / 8.63)^2)
    assert line(errors, "start above")[-1, 1] == pytest.approx(40.0 / 8.63 / np.sqrt(3.0))
    np.testing.assert_allclose(line(errors, "median")[59, 1], 40.0 / 8.63 / np.sqrt(3.0))
    np.testing.assert_array_equal(np.stack(figure.axes[4].lines[0].get_data_3d(), axis=1), truth)


def test_the_threshold_is_that_of_the_metric() -> None:
    task = small("henon", starts=1)
    data = task.generate(0)
    error = 0.721 * np.linspace(0.0, 0.6, 90)[:, None]
    predictions = [data.test.targets[0] + error]
    figure = plotting.task_figure(task, data, predictions, "")
    assert legend(figure.axes[1])[-1] == f"valid until {task.score(predictions, data):.4g}"


def test_phase_portraits_hold_every_start() -> None:
    _, data, predictions, figure = drawn("henon")
    truth, forecast = figure.axes[2:]
    for axes, series in ((truth, data.test.targets), (forecast, predictions)):
        assert len(axes.lines) == 5
        x = np.concatenate([data.test.inputs[4][-1:, 0], series[4][:, 0]])
        inside = np.isfinite(axes.lines[4].get_xydata()).all(axis=1)
        np.testing.assert_array_equal(axes.lines[4].get_xydata()[inside], np.column_stack([x[:-1], x[1:]])[inside])
        assert inside.mean() > 0.9
    assert forecast.get_ylabel() == "x(t + 1)"
    *_, figure = drawn("mackey-glass", tau=22)
    assert figure.axes[2].get_ylabel() == "x(t + 22)"


def test_mackey_glass_marks_its_score() -> None:
    task, data, predictions, figure = drawn("mackey-glass")
    score = task.score(predictions, data)
    assert line(figure.axes[1], f"root mean square at step 84: {score:.3g}")[0] == pytest.approx([84.0, score])


def test_records_are_drawn_in_their_own_units() -> None:
    _, data, predictions, figure = drawn("sunspots")
    mean, deviation = data.info["mean"], data.info["std"]
    errors = np.stack([np.abs(p - y)[:, 0] for p, y in zip(predictions, data.test.targets, strict=True)])
    middle = int(np.argsort(errors.mean(axis=1))[4])
    assert figure.axes[0].get_ylabel() == "sunspots"
    assert figure.axes[0].get_title(loc="left") == f"start {middle + 1} of 8, the median by error"
    expected = (data.test.targets[middle] * deviation + mean)[:, 0]
    np.testing.assert_allclose(line(figure.axes[0], "truth")[-132:, 1], expected)
    np.testing.assert_allclose(line(figure.axes[1], "median")[:, 1], np.median(errors, axis=0))
    np.testing.assert_allclose(line(figure.axes[1], "start above")[:, 1], errors[middle])


def test_columns_of_a_record_are_stacked(tmp_path: Path) -> None:
    *_, figure = drawn("csv", tmp_path, column="price $,$ volume", starts=1)
    assert len(figure.axes) == 3
    assert [axes.get_ylabel() for axes in figure.axes] == [r"price \$", r"\$ volume", "error / std"]


def test_errors_are_logarithmic_where_they_are_small() -> None:
    task = small("mso")
    data = task.generate(0)
    for size, scale in ((1e-6, "log"), (1.0, "linear")):
        assert plotting.task_figure(task, data, fake(task, data, size), "").axes[1].get_yscale() == scale


def test_fields_are_mapped() -> None:
    task, data, predictions, figure = drawn("kuramoto-sivashinsky")
    times = task.valid_times(predictions, data)
    middle = int(np.abs(times - times.mean()).argmin())
    truth, forecast = data.test.targets[middle], predictions[middle]
    for axes, field in zip(figure.axes[:3], (truth, forecast, (forecast - truth) / data.info["spread"][0]), strict=False):
        np.testing.assert_array_equal(axes.images[0].get_array(), field.T)
    low, high = figure.axes[0].images[0].get_clim()
    assert high == -low == np.abs(truth).max()
    assert figure.axes[1].images[0].get_clim() == (low, high)
    assert figure.axes[0].get_title(loc="left") == f"truth, start {middle + 1} of 5, nearest to the mean valid time"


# Labels


def test_a_confusion_matrix_counts() -> None:
    task = small("digits")
    data = task.generate(0)
    truth = np.array([3, 3, 3, 8, 8, 1] + [5] * 54)
    guess = truth.copy()
    guess[[0, 4]] = [8, 9]
    figure = plotting.task_figure(task, replace(data, test=replace(data.test, targets=truth)), guess, "")
    # Classes 1, 3, 5, 8 and 9, which is predicted once and never true.
    assert texts(figure.axes[0]) == ["1", "2", "1", "54", "1", "1", "100%", "67%", "100%", "50%", "none", "right"]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["1", "3", "5", "8", "9"]
    confusion, bar = figure.axes[0], figure.axes[1]
    shares = confusion.images[0].get_array()  # mistakes are negative
    np.testing.assert_allclose(
        shares.filled(0.0)[[1, 1, 2, 3]],
        [[0, 2 / 3, 0, -1 / 3, 0], [0, 2 / 3, 0, -1 / 3, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0.5, -0.5]],
    )
    assert [tick.get_text() for tick in bar.get_xticklabels()] == ["100%", "50%", "10%", "0%", "10%", "50%", "100%"]
    assert [axes.get_title(loc="left") for axes in figure.axes[2:]] == ["3, taken for 8", "8, taken for 9"]
    np.testing.assert_array_equal(figure.axes[3].images[0].get_array(), data.test.inputs[4])
    assert figure.subfigs[1].get_suptitle() == "2 of 60 wrong"


@pytest.mark.parametrize("order", ["rows", "pixels"])
def test_digits_are_images_in_either_order(order: str) -> None:
    _, data, _, figure = drawn("digits", order=order)
    # The labels that were rolled to their own value are right.
    wrong = np.flatnonzero((np.arange(60) % 3 == 0) & (np.roll(data.test.targets, 1) != data.test.targets))
    np.testing.assert_array_equal(figure.axes[2].images[0].get_array(), data.test.inputs[wrong[0]].reshape(8, 8))
    assert figure.subfigs[1].get_suptitle() == f"{len(wrong)} of 60 wrong; the first 9"


def test_without_mistakes_some_sequences_are_shown() -> None:
    task = small("frequency-discrimination", test_sequences=3)
    data = task.generate(0)
    figure = plotting.task_figure(task, data, data.test.targets, "")
    assert len(figure.axes) == 2 + 3
    assert figure.subfigs[1].get_suptitle() == "all 3 right"
    np.testing.assert_array_equal(figure.axes[3].lines[0].get_ydata(), data.test.inputs[1][:, 0])


def test_many_classes_and_names_as_classes() -> None:
    task = small("frequency-discrimination")
    inputs = [np.zeros((4, 2))] * 60
    for labels in (np.arange(60) % 50, np.array(["$a$", "b_{"] * 30)):
        split = Split(inputs, labels)
        figure = plotting.task_figure(task, Data(split, split, split), np.roll(labels, 1), "")
        assert len(figure.axes[0].get_xticklabels()) <= 20


@pytest.mark.parametrize("task", [small("frequency-discrimination"), small("adding")])
def test_numbers_per_sequence_are_drawn_over_their_targets(task: Any) -> None:
    values = rng().normal(size=(60, 2))
    split = Split([np.zeros((4, 1))] * 60, values)
    figure = plotting.task_figure(task, Data(split, split, split), values + 0.1, "")
    assert [figure.axes[k].get_ylabel() for k in (0, 3)] == [f"prediction, output {k} of 2" for k in (1, 2)]
    np.testing.assert_array_equal(figure.axes[3].lines[1].get_xydata(), np.column_stack([values, values + 0.1])[:, [1, 3]])
    np.testing.assert_allclose(figure.axes[4].lines[1].get_ydata(), 0.1 / values[:, 1].std())
    assert sum(patch.get_height() for patch in figure.axes[5].patches) == 60


def test_labels_that_are_answered_with_numbers_are_drawn_as_numbers() -> None:
    task = small("digits")
    data = task.generate(0)
    figure = plotting.task_figure(task, data, data.test.targets + 0.25, "")
    np.testing.assert_array_equal(figure.axes[0].lines[1].get_xdata(), data.test.targets)


def test_labels_have_their_names() -> None:
    task = small("temporal-order")
    data = task.generate(0)
    figure = plotting.task_figure(task, data, (data.test.targets + 1) % 4, "")
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["XX", "XY", "YX", "YY"]
    names, asked = task.generate(0).info["classes"], data.test.targets[0]
    assert names == ["XX", "XY", "YX", "YY"]
    assert figure.axes[2].get_title(loc="left") == f"{names[asked]}, taken for {names[(asked + 1) % 4]}"
    # Eight features are a map, the first at the bottom.
    np.testing.assert_array_equal(figure.axes[2].images[0].get_array(), data.test.inputs[0].T)
    assert figure.axes[2].images[0].origin == "lower"
    assert len({axes.images[0].get_clim() for axes in figure.axes[2:6]}) == 1 and figure.axes[6].get_ylabel() == "input"
    *_, words = drawn("spoken-words", test_sequences=100)
    assert len(words.axes[0].get_xticklabels()) == 25


# Symbols


def test_labels_per_step_are_counted_where_they_are_scored() -> None:
    task = small("copy")
    data = task.generate(0)
    predictions = [target.copy() for target in data.test.targets]
    for prediction in predictions:
        prediction[:110] = 3  # washout
    for prediction in predictions[:15]:
        prediction[-1] = 8
    confusion, _, above, beneath = plotting.task_figure(task, data, predictions, "").axes
    symbols = np.stack(data.test.targets)[:, -10:]
    assert sum(int(text) for text in texts(confusion) if text.isdigit()) == 600
    assert texts(confusion)[0] == str((symbols == 0).sum() - (symbols[:15, -1] == 0).sum())
    np.testing.assert_array_equal(above.lines[0].get_xydata(), np.column_stack([np.arange(110, 120), [1.0] * 9 + [45 / 60]]))
    shown = beneath.images[0].get_array()
    assert shown.shape == (40, 10) and not shown[:15, -1].any() and shown[15:].all() and shown[:, :-1].all()
    assert beneath.images[0].get_extent() == [109.5, 119.5, 39.5, -0.5]


def test_labels_per_step_of_unequal_lengths() -> None:
    task = small("copy")
    targets = [np.arange(5), np.arange(70)]
    split = Split([np.zeros((len(y), 1)) for y in targets], targets)
    guesses = [targets[0], np.where(targets[1] == 1, 0, targets[1])]
    *_, above, beneath = plotting.task_figure(task, Data(split, split, split), guesses, "").axes
    # Of the last 60 steps, 10 to 69, the first sequence has none.
    np.testing.assert_array_equal(above.lines[0].get_xydata(), np.column_stack([np.arange(10, 70), np.ones(60)]))
    np.testing.assert_array_equal(np.ma.getmaskarray(beneath.images[0].get_array()).all(axis=1), [True, False])


def test_labels_per_step_that_are_answered_with_numbers() -> None:
    task = small("copy")
    data = task.generate(0)
    left, _ = plotting.task_figure(task, data, [target + 0.1 for target in data.test.targets], "").axes
    assert line(left, "symbol asked for")[-1, 1] == data.test.targets[-1][-1]


def test_outputs_for_symbols_are_marked_where_legal() -> None:
    task = small("reber")
    data = task.generate(0)
    legal = task.legal(data.test.inputs)
    predictions = [np.where(allowed, 0.5, 0.1) for allowed in legal]
    for string, step in ((7, 2), (9, 0)):
        predictions[string][step] = 0.3 - 0.2 * predictions[string][step]  # .2 for legal, .28 for illegal symbols
    first, second, _, margins = plotting.task_figure(task, data, predictions, "").axes
    assert [axes.get_title(loc="left").split(":")[0] for axes in (first, second)] == ["string 8", "string 10"]
    np.testing.assert_array_equal(first.images[0].get_array(), predictions[7].T)
    np.testing.assert_array_equal(first.lines[0].get_xydata(), np.argwhere(legal[7]))
    read = "".join("BTPSXVE"[code] for code in data.test.inputs[7].argmax(axis=1))
    assert "".join(tick.get_text() for tick in first.get_xticklabels()) == read
    assert [tick.get_color() == plotting.style.MODEL for tick in first.get_xticklabels()][:4] == [False, False, True, False]
    assert margins.get_title(loc="left") == f"{round(60 * task.score(predictions, data))} of 60 strings right"
    counts = [patch.get_height() for patch in margins.patches]
    assert sum(counts) == sum(map(len, legal)) and sum(counts[40:]) == 2
    for bad in (np.nan, np.inf, -np.inf):
        predictions = [np.where(allowed, 0.5, bad) for allowed in legal]
        *_, margins = plotting.task_figure(task, data, predictions, "").axes
        assert margins.get_title(loc="left") == f"{60 if bad == -np.inf else 0} of 60 strings right"


# Reservoirs


def test_a_reservoir_is_looked_into() -> None:
    reservoir = ESN(units=60, spectral_radius=0.8, density=0.2, random_state=0).build(1).reservoir_
    curve = np.linspace(1.0, 0.0, 20) ** 2
    figure = plotting.inspect_figure(ReservoirReport(reservoir, {"memory_curve": curve}))
    eigenvalues, pattern, memory, weights, bar = figure.axes
    assert bar.get_ylabel() == "weight"
    assert line(memory, "N = 60 units, its limit")[:, 0].tolist() == [60, 60]
    dense = reservoir.recurrent_weights().toarray()
    expected = np.linalg.eigvals(dense)
    np.testing.assert_allclose(eigenvalues.lines[2].get_xydata(), np.column_stack([expected.real, expected.imag]))
    assert legend(eigenvalues) == ["unit circle", "spectral radius 0.8"]
    np.testing.assert_array_equal(pattern.images[0].get_array(), dense)
    np.testing.assert_array_equal(memory.lines[0].get_ydata(), curve)
    assert sum(patch.get_height() for patch in weights.patches) == (dense != 0.0).sum() == 720


def test_a_large_matrix_shows_the_largest_weight_of_each_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "CELLS", 10)
    monkeypatch.setattr(diagnostics, "MOST_EIGENVALUES", 59)
    reservoir = ESN(units=60, topology="random", density=0.1, random_state=0).build(1).reservoir_
    figure = plotting.inspect_figure(ReservoirReport(reservoir, {"memory_curve": np.ones(3)}))
    assert len(figure.axes) == 4  # too large for its eigenvalues
    blocks = reservoir.recurrent_weights().toarray().reshape(10, 6, 10, 6).swapaxes(1, 2).reshape(10, 10, 36)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2)[..., None], axis=2)[..., 0]
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), largest)


@pytest.mark.parametrize(
    "settings", [{"units": 1, "density": 1.0}, {"units": 7, "topology": np.zeros((7, 7)), "spectral_radius": None}]
)
def test_tiny_and_empty_reservoirs(settings: dict[str, Any]) -> None:
    reservoir = ESN(**settings, random_state=0).build(1).reservoir_
    plotting.inspect_figure(ReservoirReport(reservoir, {"memory_curve": np.zeros(1)}))


# Files


STUB = (
    "made = {'rmse': {'forecast': 1.0, 'seasonal naive': 2.0}, 'column': 'x', 'horizon': 2, 'season': 1, 'origins': 3}\n"
    "band = Some(names=('x',), values=np.ones((2, 1)), levels=(80.0,), lower=np.zeros((1, 2, 1)), upper=np.ones((1, 2, 1)))\n"
    "one = Some(forecast=band, places=lambda: (np.arange(9), np.eye(9)[:, :1], np.arange(9, 11)))\n"
    "report = Some(groups=[one], records=lambda: [{**made, 'step': None, 'verdict': None}])\n"
)
"""A report that can be drawn."""


def small_figure() -> Figure:
    names: dict[str, Any] = {"np": np, "Some": SimpleNamespace}
    exec(STUB, names)
    return plotting.forecast_figure(names["report"])


@pytest.fixture
def figure() -> Figure:
    return small_figure()


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("PNG", b"\x89PNG")])
def test_the_suffix_is_the_format(figure: Figure, tmp_path: Path, suffix: str, start: bytes) -> None:
    first, second = tmp_path / f"one.{suffix}", str(tmp_path / f"two.{suffix}")
    plotting.save(figure, first)
    plotting.save(small_figure(), second)
    assert first.read_bytes().startswith(start)
    assert first.read_bytes() == Path(second).read_bytes()  # no dates, no random names
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"one.{suffix}", f"two.{suffix}"]


@pytest.mark.parametrize("name", ["picture.jpg", "picture", ".png", "picture.png.txt"])
def test_an_unknown_suffix_is_refused(figure: Figure, tmp_path: Path, name: str) -> None:
    for refuse in (lambda path: plotting.save(figure, path), plotting.check):
        with pytest.raises(ParameterError, match=r"must be a \.png, \.svg or \.pdf file\. Got .* instead\.$") as caught:
            refuse(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_check_names_the_format() -> None:
    assert plotting.check("somewhere/picture.SVG") == "svg"


def test_a_failure_leaves_the_old_file_alone(figure: Figure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"old")

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        plotting.save(figure, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError):
        plotting.save(figure, tmp_path / "no such directory" / "picture.png")


def test_the_users_style_is_neither_used_nor_changed(figure: Figure, tmp_path: Path) -> None:
    plotting.save(figure, tmp_path / "one.svg")
    with matplotlib.rc_context({"text.usetex": True, "axes.facecolor": "black", "font.size": 30, "xtick.labelsize": 3}):
        before = dict(matplotlib.rcParams)
        plotting.save(small_figure(), tmp_path / "two.svg")
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_the_finding_stands_above_the_settings() -> None:
    figure = plotting.style.new_figure("$ found\nsettings of $ 2 " + "and more " * 100)
    [about] = figure.findobj(Annotation)
    figure.draw_without_rendering()
    finding, beneath = figure.get_suptitle(), about.get_text()
    assert finding.rstrip() == r"\$ found" and beneath.startswith(r"settings of \$ 2 and more") and beneath.endswith(" …")
    assert beneath.count("\n") == 2


def test_without_matplotlib_there_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reservoir = ESN(units=5, density=1.0, random_state=0).build(1).reservoir_
    task = SimpleNamespace(kind="filter")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (
        lambda: plotting.check(tmp_path / "picture.png"),
        lambda: plotting.task_figure(task, None, None, ""),
        lambda: plotting.forecast_figure(None, "sales.csv"),
        lambda: plotting.backtest_figure(None, "sales.csv"),
        lambda: plotting.inspect_figure(ReservoirReport(reservoir, {"memory_curve": np.ones(2)})),
    ):
        with pytest.raises(ParameterError) as caught:
            draw()
        assert str(caught.value) == "pictures need matplotlib: pip install 'clockwork-reservoir[plot]'"


def test_importing_the_module_does_not_import_matplotlib() -> None:
    code = "import sys, reservoir.plotting; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_drawing_needs_no_display_and_no_pyplot() -> None:
    code = (
        "import sys, numpy as np\nfrom types import SimpleNamespace as Some\nfrom reservoir import plotting\n"
        + STUB
        + "plotting.forecast_figure(report)\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
