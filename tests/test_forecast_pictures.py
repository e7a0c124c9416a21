"""Pictures of forecasts and backtests: what each panel holds, at which dates, and what the titles say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.dates import date2num
from matplotlib.text import Annotation

from reservoir import Forecaster, backtest, forecast, plotting
from reservoir.forecasting.report import BacktestReport, ForecastReport
from reservoir.plotting import forecasts

DAYS = np.datetime64("2024-01-01T00:00:00", "s") + np.arange(150) * np.timedelta64(1, "D")
QUICK = Forecaster(10, seasons=[7], without=["reservoir", "reservoir with others", "linear"])


def wave(seed: int = 0) -> np.ndarray:
    return 5.0 * np.sin(2 * np.pi * np.arange(150) / 7) + 0.3 * np.random.default_rng(seed).normal(size=150)


@pytest.fixture(scope="module")
def report() -> ForecastReport:
    return forecast(np.column_stack([wave(), wave(1)]), QUICK, columns=["load", "flow in $"], time=DAYS)


@pytest.fixture(scope="module")
def tested() -> BacktestReport:
    series = np.column_stack([wave(), wave(1)])
    series[145, 0] = np.nan
    return backtest(series, QUICK.set_params(fill="last"), origins=3, columns=["load", "flow in $"])


def line(axes: Axes, label: str) -> np.ndarray:
    [found] = [one for one in axes.lines if one.get_label() == label]
    return np.column_stack([np.asarray(found.get_xdata(orig=False), dtype=float), np.asarray(found.get_ydata(), dtype=float)])


def legend(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def about(figure: Any) -> str:
    [found] = [text for text in figure.artists if isinstance(text, Annotation)]
    return found.get_text()


def test_every_series_has_a_panel_with_its_record_forecast_and_bands(report: ForecastReport) -> None:
    figure = plotting.forecast_figure(report, "own.csv")
    assert len(figure.axes) == 2
    made = report.groups[0].forecast
    for k, axes in enumerate(figure.axes):
        record, ahead = line(axes, "record"), line(axes, "forecast")
        np.testing.assert_array_equal(record[:, 1], wave(k)[-40:])  # twice the horizon and three seasons are fewer
        np.testing.assert_allclose(record[:, 0], date2num(DAYS[-40:]))
        np.testing.assert_array_equal(ahead[:, 1], [wave(k)[-1], *made.values[:, k]])
        np.testing.assert_allclose(ahead[:, 0], date2num(DAYS[-1]) + np.arange(11))
        assert [band.get_label() for band in axes.collections] == ["95 % band", "80 % band"]
        for band, level in zip(axes.collections, (1, 0), strict=True):
            heights = band.get_paths()[0].vertices[:, 1]
            assert heights.max() == pytest.approx(max(made.upper[level, :, k].max(), wave(k)[-1]))
            assert heights.min() == pytest.approx(min(made.lower[level, :, k].min(), wave(k)[-1]))
        [mark] = [one for one in axes.lines if one.get_linestyle() == ":"]
        assert date2num(mark.get_xdata()[0]) == pytest.approx(date2num(DAYS[-1]) + 0.5)
        assert any("Apr" in tick.get_text() or "May" in tick.get_text() for tick in axes.get_xticklabels())
    assert [axes.get_ylabel() for axes in figure.axes] == ["load", r"flow in \$"]
    assert legend(figure) == ["record", "95 % band", "80 % band", "forecast"]


def test_titles_say_how_far_forecasts_were_off(report: ForecastReport) -> None:
    ratios = sorted(r["rmse"]["forecast"] / r["rmse"]["seasonal naive"] for r in report.records())
    figure = plotting.forecast_figure(report, "own.csv")
    found = f"own.csv: {ratios[0]:.2f} to {ratios[1]:.2f} times the error of the seasonal naive forecast in the past"
    assert figure.get_suptitle().rstrip() == found
    assert about(figure) == "10 steps, one per day"
    titles = [f"{r['column']}, {r['verdict'].partition(' of ')[0]}".replace("$", r"\$") for r in report.records()]
    assert [axes.get_title(loc="left") for axes in figure.axes] == titles
    alone = forecast(wave(), QUICK, columns=["load"])
    figure = plotting.forecast_figure(alone)
    assert figure.get_suptitle().rstrip() == f"load: {alone.records()[0]['verdict']}"
    assert about(figure) == "10 steps; errors from 16 earlier origins" and figure.axes[0].get_title(loc="left") == ""
    assert figure.axes[0].get_xlabel() == "row" and line(figure.axes[0], "forecast")[:, 0].tolist() == list(range(150, 161))


def test_many_series_are_small_multiples_and_not_all_are_drawn(report: ForecastReport, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = tuple(replace(report.groups[0], group=name) for name in "abc")
    figure = plotting.forecast_figure(replace(report, groups=groups[:2]))
    assert len(figure.axes) == 4 and len({axes.get_position().x0 for axes in figure.axes}) == 2
    assert [axes.get_title(loc="left")[:7] for axes in figure.axes] == ["a: flow", "b: flow", "a: load", "b: load"]  # worst first
    monkeypatch.setattr(forecasts, "MOST_PANELS", 5)
    figure = plotting.forecast_figure(replace(report, groups=groups))
    assert [axes.axison for axes in figure.axes] == [True] * 5 + [False]
    assert about(figure).endswith("; the worst 5 of 6 series")


@pytest.mark.parametrize("far", [1e12, np.inf, np.nan])
def test_a_forecast_far_from_the_record_leaves_the_frame(report: ForecastReport, far: float) -> None:
    one = report.groups[0]
    values = one.forecast.values.copy()
    values[-1] = far
    off = replace(report, groups=(replace(one, forecast=replace(one.forecast, values=values)),))
    for axes in plotting.forecast_figure(off).axes:
        assert np.abs(axes.get_ylim()).max() < 30.0


def test_gaps_and_a_late_start_are_drawn_as_they_are() -> None:
    series = wave()
    series[:100], series[140:143], series[149] = np.nan, np.nan, np.nan
    figure = plotting.forecast_figure(forecast(series, Forecaster(5, fill="last", without=QUICK.without), columns=["load"]))
    record, ahead = line(figure.axes[0], "record"), line(figure.axes[0], "forecast")
    np.testing.assert_array_equal(record[:, 1], series[110:])
    assert ahead[0].tolist() == [149.0, series[148]] and ahead[1, 0] == 151.0
    assert plotting.forecast_figure(forecast(series[:149], Forecaster(5, fill="last", levels=(), without=QUICK.without))).axes


def test_a_backtest_has_forecasts_from_every_origin(tested: BacktestReport) -> None:
    figure = plotting.backtest_figure(tested, "own.csv")
    assert len(figure.axes) == 6
    one = tested.groups[0]
    for k, axes in enumerate(figure.axes[::3]):
        np.testing.assert_array_equal(line(axes, "record")[:, 0], np.arange(101, 151))
        ahead = [a for a in axes.lines if a.get_label() == "forecast"]
        for i, (drawn, origin) in enumerate(zip(ahead, one.origins.tolist(), strict=True)):
            np.testing.assert_array_equal(drawn.get_xdata(), np.arange(origin, origin + 11))
            np.testing.assert_array_equal(drawn.get_ydata()[1:], one.forecasts["forecast"][i, :, k])
        assert len(axes.collections) == 6
    names = [
        "record",
        "95 % band",
        "80 % band",
        "forecast",
        "naive",
        "seasonal naive",
        "seasonal naive with drift",
        "linear regression",
    ]
    assert legend(figure) == names


def test_errors_and_coverage_are_drawn_against_the_lead(tested: BacktestReport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecasts, "MOST_BLOCKS", 5)
    _, errors, held, *_ = plotting.backtest_figure(tested).axes
    one = tested.groups[0]
    squares = np.square(one.forecasts["naive"][:, :, 0] - one.truth[:, :, 0])
    expected = [np.sqrt(np.nanmean(squares[:, k : k + 2])) for k in range(0, 10, 2)]
    np.testing.assert_allclose(line(errors, "naive"), np.column_stack([[1.5, 3.5, 5.5, 7.5, 9.5], expected]))
    assert errors.get_ylim()[0] == 0.0
    truth = one.truth[:, :, 0]
    inside = (one.lower[0, :, :, 0] <= truth) & (truth <= one.upper[0, :, :, 0])
    shares = [100.0 * inside[:, k : k + 2][~np.isnan(truth[:, k : k + 2])].mean() for k in range(0, 10, 2)]
    np.testing.assert_allclose(line(held, "80 %")[:, 1], shares)
    nominal = [one.get_ydata()[0] for one in held.lines if one.get_linestyle() == "--"]
    assert nominal == [80.0, 95.0]
    colors = {label: next(a.get_color() for a in errors.lines if a.get_label() == label) for label in forecasts.METHODS}
    assert to_rgba(colors["forecast"]) == to_rgba(plotting.style.MODEL) and len(set(colors.values())) == 5


def test_titles_of_a_backtest(tested: BacktestReport, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = [record for record in tested.records() if record["method"] == "forecast"]
    low, high = sorted(record["verdict"].split()[0] for record in ours)
    figure = plotting.backtest_figure(tested, "own.csv")
    assert figure.get_suptitle().rstrip() == f"own.csv: {low} to {high} times the error of the seasonal naive forecast"
    held = np.mean([record["coverage"]["80"] for record in ours])
    assert about(figure).startswith(f"3 origins, 10 steps each; the 80 % band held {held:.0%} of the rows; the 95 % band")
    monkeypatch.setattr(forecasts, "MOST_TESTED", 1)
    assert about(plotting.backtest_figure(tested)).endswith("; the first 1 of 2 series")
    alone = backtest(wave(), QUICK, origins=2, columns=["load"])
    assert plotting.backtest_figure(alone).get_suptitle().rstrip() == f"load: {alone.records()[0]['verdict']}"


def test_a_backtest_without_bands_and_with_one_step(tmp_path: Path) -> None:
    found = backtest(wave(), Forecaster(1, levels=(), without=QUICK.without), origins=2, columns=["温度 °C"], time=DAYS)
    figure = found.plot(tmp_path / "b.png", "a long title " * 20)
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG") and not figure.axes[0].collections
    assert about(figure) == "2 origins, 1 step each"
