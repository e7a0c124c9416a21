"""Pictures: each kind holds the data it was given, whatever its size, and files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import drawn, fake, legend, line, rng, small

from reservoir import ESN, metrics, plotting
from reservoir.diagnostics.reservoirs import ReservoirReport
from reservoir.plotting.models import diagnostics
from reservoir.tasks import Data, Split, list_tasks

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
