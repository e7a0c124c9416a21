"""Pictures of free runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pictures import drawn, fake, legend, line, small

from reservoir import plotting


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
