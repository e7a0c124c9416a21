"""Forecasts and backtests of files and arrays: groups, known futures, verdicts, tables, records, files, what is refused."""

from __future__ import annotations

import csv
import runpy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reservoir import DataError, Forecaster, ParameterError, backtest, forecast
from reservoir.forecasting.backtest import REFERENCES
from reservoir.forecasting.report import BacktestReport, ForecastReport, verdict
from reservoir.forecasting.times import time_texts

RESERVOIRS = ("reservoir", "reservoir with others")
EXAMPLES = Path(__file__).parent.parent / "examples"
START = np.datetime64("2024-01-01", "D")


def quick(horizon: int = 6, **options: Any) -> Forecaster:
    """A forecaster without reservoirs, for tests of what lies around them."""
    return Forecaster(horizon, **{"seasons": [7], "without": RESERVOIRS, **options})


def wave(n: int = 120, seed: int = 0, level: float = 50.0) -> np.ndarray:
    rows = np.arange(n)
    return level + 5.0 * np.sin(2 * np.pi * rows / 7) + 0.3 * np.random.default_rng(seed).normal(size=n)


def days(n: int) -> list[str]:
    return (START + np.arange(n)).astype(str).tolist()


def table_file(path: Path, **columns: Any) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *zip(*columns.values(), strict=True)])
    return path


def shops(folder: Path, **rows: int) -> Path:
    """A file of series one below the other, with so many rows each; what is known ahead has 6 rows more."""
    parts = [(name, count, wave(count, seed=k)) for k, (name, count) in enumerate(rows.items())]
    return table_file(
        folder / "shops.csv",
        day=[day for _, count, _ in parts for day in days(count + 6)],
        shop=[name for name, count, _ in parts for _ in range(count + 6)],
        sold=[value for _, _, values in parts for value in [*values.tolist(), *[""] * 6]],
        heat=[k % 5 for _, count, _ in parts for k in range(count + 6)],
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ForecastReport:
    path = shops(tmp_path_factory.mktemp("shops"), north=120, south=90)
    return forecast(path, quick(), columns=["sold"], group="shop", known=["heat"])


@pytest.fixture(scope="module")
def tested() -> BacktestReport:
    return backtest(np.column_stack([wave(), wave(seed=1)]), quick(), origins=3, columns=["load", "flow"])


# Forecasts


def test_every_group_is_forecast_on_its_own(report: ForecastReport) -> None:
    known = np.arange(126) % 5
    for one, rows, seed in zip(report.groups, (120, 90), (0, 1), strict=True):
        model = quick().fit(
            wave(rows, seed=seed), known=known[: rows + 6], times=START.astype("M8[s]") + np.arange(rows) * np.timedelta64(1, "D")
        )
        np.testing.assert_array_equal(one.forecast.values, model.predict().values)
        np.testing.assert_array_equal(one.forecast.upper, model.predict().upper)
        assert one.rows == rows
    assert [one.group for one in report.groups] == ["north", "south"] and report.left_out == {}


def test_the_file_has_a_row_for_each_group_and_step(report: ForecastReport, tmp_path: Path) -> None:
    report.to_csv(tmp_path / "f.csv")
    with open(tmp_path / "f.csv", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["group", "time", "sold", "sold_lower_80", "sold_upper_80", "sold_lower_95", "sold_upper_95"]
    assert [row[:2] for row in rows[:2] + rows[6:7]] == [
        ["north", "2024-04-30"],
        ["north", "2024-05-01"],
        ["south", "2024-03-31"],
    ]
    first = report.groups[1].forecast
    assert [float(cell) for cell in rows[6][2:]] == [
        first.values[0, 0], first.lower[0, 0, 0], first.upper[0, 0, 0], first.lower[1, 0, 0], first.upper[1, 0, 0],
    ]  # fmt: skip


def test_records_are_plain_and_agree_with_the_forecast(report: ForecastReport) -> None:
    north, south = report.records()
    assert (north["column"], north["group"], north["method"]) == ("sold", "north", "forecast")
    assert (south["rows"], south["horizon"], south["step"], south["season"], south["transform"]) == (90, 6, "day", 7, "logarithm")
    assert south["periods"] == (7.0,) and south["filled"] == 0
    assert sum(south["weights"].values()) == pytest.approx(1.0) and "regression" in south["weights"]
    np.testing.assert_array_equal(south["forecast"], report.groups[1].forecast.values[:, 0])
    np.testing.assert_array_equal(south["upper"]["95"], report.groups[1].forecast.upper[1, :, 0])
    assert south["times"][0] == "2024-03-31"


def test_the_table_has_verdicts_and_choices(report: ForecastReport) -> None:
    table = report.table()
    assert [row[:2] for row in table.rows] == [["north: sold", "120"], ["south: sold", "90"]]
    record = report.records()[1]
    ratio = record["rmse"]["forecast"] / record["rmse"]["seasonal naive"]
    words = f"{ratio:.2f} times the error of the seasonal naive forecast (season 7)"
    assert record["verdict"] == words and f"south: sold: {words}, from {record['origins']} earlier origins." in table.notes
    for line in report.groups[0].forecaster.describe():
        assert f"north: {line}" in table.notes


def test_past_errors_are_those_of_refits_at_the_inner_origins() -> None:
    """Without readouts nothing is fitted but the weights, which all other origins give: a slow twin of the verdict."""
    series = np.exp(0.01 * np.arange(120)) * wave()
    model = quick(without=[*RESERVOIRS, "linear", "theta", "regression"]).fit(series)
    past = model.models_[0].past
    assert past.scale.power == 0.0
    errors, naive = [], []
    for i, origin in enumerate(past.origins.tolist()):
        z = past.z[:origin]
        same = np.array([z[origin - 7 + k % 7] for k in range(6)])
        drift = same + np.mean(z[7:] - z[:-7])
        mse = [
            np.mean([np.square(past.z[o : o + 6] - guess(o)) for o in np.delete(past.origins, i).tolist()])
            for guess in (
                lambda o: past.z[o - 7 : o - 1],
                lambda o: past.z[o - 7 : o - 1] + np.mean(past.z[7:o] - past.z[: o - 7]),
            )
        ]
        fourth, second = (np.array(mse) ** -power for power in (4.0, 2.0))
        share = 3.0 * 6 / 120
        weights = (1.0 - share) * fourth / fourth.sum() + share * second / second.sum()
        forecasts = np.exp((weights[0] * same + weights[1] * drift) * past.scale.spread + past.scale.mean)
        errors.append(forecasts - series[origin : origin + 6])
        naive.append(series[origin - 7 : origin - 1] - series[origin : origin + 6])
    expected = [np.sqrt(np.mean(np.square(found))) for found in (errors, naive)]
    np.testing.assert_allclose(model.models_[0].past_rmse, expected, rtol=1e-9)


def test_past_errors_count_what_is_known_and_skip_what_is_missing() -> None:
    holiday = (np.random.default_rng(5).random(126) < 0.1).astype(float)
    series = wave() - 20.0 * holiday[:120]
    ours, naive = quick().fit(series, known=holiday).models_[0].past_rmse
    assert ours < 1.0 < 5.0 < naive
    gaps = wave()
    gaps[100] = np.nan
    filled = np.where(np.isnan(gaps), 1e6, gaps)
    for fill in ("last", "seasonal"):
        assert max(quick(fill=fill).fit(gaps).models_[0].past_rmse) < 2.0 < 1e4 < max(quick().fit(filled).models_[0].past_rmse)


def test_the_verdict_in_words() -> None:
    assert verdict(2.0, 0.5, 1) == "4.00 times the error of the naive forecast"
    assert verdict(2.0, 0.0, 12) is None and verdict(None, 1.0, 12) is None
    line = np.arange(60.0) % 6
    table = forecast(line, quick(seasons=[6])).table()
    assert table.notes[0] == "column 1: the seasonal naive forecast (season 6) had no error, from 16 earlier origins."


def test_several_columns_have_a_period_and_a_verdict_each() -> None:
    rows = np.arange(160)
    series = np.column_stack([wave(160), 3.0 * np.sin(2 * np.pi * rows / 12) + wave(160, seed=2, level=0.0) * 0.02])
    records = forecast(series, quick(seasons=None), columns=["week", "year"]).records()
    assert [record["season"] for record in records] == [7, 12]
    assert "(season 7)" in records[0]["verdict"] and "(season 12)" in records[1]["verdict"]


def test_a_file_and_an_array_give_the_same(tmp_path: Path) -> None:
    path = table_file(tmp_path / "load.csv", load=[repr(value) for value in wave().tolist()])
    ours, theirs = forecast(path, quick()), forecast(wave(), quick(), columns=["load"])
    np.testing.assert_array_equal(ours.groups[0].forecast.values, theirs.groups[0].forecast.values)
    assert ours.records()[0]["times"] == [121, 122, 123, 124, 125, 126]
    for report, name in ((ours, "a"), (theirs, "b")):
        report.to_csv(tmp_path / name)
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()
    assert forecast(wave(), quick()).groups[0].forecast.names == ("column 1",)


def test_a_forecaster_that_is_given_stays_as_it_is() -> None:
    model = quick()
    forecast(wave(), model)
    backtest(wave(), model, origins=1)
    assert not hasattr(model, "models_")


# Known futures


def future_files(folder: Path, ahead: int = 6, extra: int = 3) -> tuple[Path, Path, Path]:
    """One file with everything; the same in two; the second also has the last `extra` rows of the first."""
    heat = [k % 5 for k in range(120 + ahead)]
    sold = [*(wave() + 2.0 * np.array(heat[:120])).tolist(), *[""] * ahead]
    whole = table_file(folder / "whole.csv", day=days(120 + ahead), sold=sold, heat=heat)
    past = table_file(folder / "past.csv", day=days(120), sold=sold[:120], heat=heat[:120])
    later = table_file(folder / "later.csv", heat=heat[120 - extra :], day=days(120 + ahead)[120 - extra :])
    return whole, past, later


def test_the_future_comes_from_the_file_or_from_another(tmp_path: Path) -> None:
    whole, past, later = future_files(tmp_path)
    one = forecast(whole, quick(), columns=["sold"], known=["heat"]).groups[0].forecast
    two = forecast(past, quick(), columns=["sold"], known=["heat"], future=later).groups[0].forecast
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.times, two.times)
    shifted = (
        forecast(past, quick(), columns=["sold"], known="heat", future=future_files(tmp_path, extra=0)[2]).groups[0].forecast
    )
    np.testing.assert_array_equal(one.values, shifted.values)


def test_the_future_of_every_group_is_its_own(tmp_path: Path) -> None:
    both = shops(tmp_path, north=120, south=90)
    lines = both.read_text().splitlines()
    later = [line for line in lines if ",," in line]
    (tmp_path / "past.csv").write_text("\n".join(line for line in lines if ",," not in line))
    (tmp_path / "later.csv").write_text("\n".join([lines[0], *later[::-1][6:], *later[::-1][:6]][:1] + sorted(later)))
    options: dict[str, Any] = {"columns": ["sold"], "group": "shop", "known": ["heat"]}
    one, two = (
        forecast(both, quick(), **options),
        forecast(tmp_path / "past.csv", quick(), future=tmp_path / "later.csv", **options),
    )
    for ours, theirs in zip(one.groups, two.groups, strict=True):
        np.testing.assert_array_equal(ours.forecast.values, theirs.forecast.values)


@pytest.mark.parametrize(
    ("ahead", "options", "message"),
    [
        (4, {}, r"Known column 'heat' ends at 2024-05-03, 4 rows past the end of the series; the horizon of 6 needs 6\."),
        (0, {}, r"Known column 'heat' ends at 2024-04-29, with the series; the horizon of 6 needs 6\. Give more"),
        (0, {"future": "later.csv"}, r"later\.csv: ends at 2024-04-29, not after the series, which ends at 2024-04-29"),
        (2, {"future": "rows.csv"}, "rows.csv: must have times if and only if"),
        (6, {"known": None, "future": "later.csv"}, "The 'future' holds known columns; name them with 'known'"),
    ],
)
def test_futures_that_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: int, options: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    whole, past, _ = future_files(tmp_path, ahead)
    table_file(tmp_path / "rows.csv", heat=[1, 2, 3, 4, 5, 6])
    with pytest.raises((DataError, ParameterError), match=message):
        forecast(past if options else whole, quick(), columns=["sold"], **{"known": ["heat"], **options})


def test_a_known_column_without_values_and_one_that_ends_early(tmp_path: Path) -> None:
    heat: list[Any] = [*range(100), *[""] * 20]
    path = table_file(tmp_path / "own.csv", sold=wave(), heat=heat, none=[""] * 120)
    with pytest.raises(
        DataError, match=r"^Known column 'heat' ends in row 100, 20 rows before the end of the series; the horizon"
    ):
        forecast(path, quick(), columns=["sold"], known=["heat"])
    with pytest.raises(DataError, match=r"^Known column 'heat' ends in row 100, 20 rows before .*; a backtest needs all rows"):
        backtest(path, quick(), columns=["sold"], known=["heat"])
    with pytest.raises(DataError, match=r"^Known column 'none' has no values"):
        forecast(path, quick(), columns=["sold"], known=["none"])


# Groups


def test_groups_that_cannot_be_forecast_are_named_and_the_others_are_forecast(tmp_path: Path) -> None:
    path = shops(tmp_path, few=9, north=120)
    with open(path, "a", encoding="utf-8") as file:
        file.write("2024-01-01,empty,,1\n" + "".join(f"{day},flat,3,1\n" for day in days(40)))
    options: dict[str, Any] = {"columns": ["sold"], "group": "shop"}
    with pytest.warns(RuntimeWarning, match="Group '(few|empty|flat)' is left out: ") as caught:
        report = forecast(path, quick(), **options)
    assert [str(one.message).partition(": ")[2][:26] for one in caught] == [
        "Series 'sold' has 9 rows; ", "Column 'sold' has no value", "Series 'sold' is constant ",
    ]  # fmt: skip
    assert [one.group for one in report.groups] == ["north"] and list(report.left_out) == ["few", "empty", "flat"]
    assert (
        report.table().notes[-3].startswith("Group 'few' is left out: Series 'sold' has 9 rows; a horizon of 6 needs at least 14")
    )
    with pytest.warns(RuntimeWarning):
        assert list(backtest(path, quick(), origins=2, **options).left_out) == ["few", "empty", "flat"]


def test_where_no_group_can_be_forecast_there_is_an_error(tmp_path: Path) -> None:
    path, options = shops(tmp_path, few=9, fewer=8), {"columns": ["sold"], "group": "shop"}
    with pytest.raises(DataError, match=r"^None of the 2 groups can be used\. Group 'few': Series 'sold' has 9 rows"):
        forecast(path, quick(), **options)
    with pytest.raises(ParameterError, match=r"^The 'without' parameter"):
        forecast(path, quick(without=["thet"]), **options)
    with pytest.raises(DataError, match=r"lines 2 and 17 have the same time .* 2 series; name their column: group 'shop'"):
        forecast(path, quick(), columns=["sold"])


# Backtests


def test_records_of_a_backtest(tested: BacktestReport) -> None:
    records = tested.records()
    methods = ["forecast", *REFERENCES, *(f"{part} (part)" for part in ("seasonal naive", "drift", "theta", "linear"))]
    assert [(record["column"], record["method"]) for record in records] == [(c, m) for c in ("load", "flow") for m in methods]
    assert list(records[0]) == [
        "column", "group", "method", "horizon", "origins", "rmse", "mae", "mase", "smape", "coverage", "interval_score",
        "verdict",
    ]  # fmt: skip
    assert (records[0]["group"], records[0]["horizon"], records[0]["origins"]) == (None, 6, 3)
    assert list(records[0]["coverage"]) == list(records[0]["interval_score"]) == ["80", "95"]
    assert records[1]["coverage"] is None and records[1]["interval_score"] is None
    ratio = records[0]["rmse"] / records[2]["rmse"]
    assert records[0]["verdict"] == f"{ratio:.2f} times the error of the seasonal naive forecast (season 7)"
    assert records[2]["verdict"].startswith("1.00 times")
    one = tested.groups[0]
    errors = one.forecasts["forecast"][:, :, 1] - one.truth[:, :, 1]
    assert records[len(methods)]["rmse"] == pytest.approx(np.sqrt(np.mean(errors**2, axis=1)).mean())


def test_the_table_of_a_backtest_has_verdicts(tested: BacktestReport) -> None:
    table, records = tested.table(), tested.records()
    assert table.title == "Errors over 3 origins, 6 steps each" and len(table.rows) == len(records)
    assert table.notes[0] == f"load: {records[0]['verdict']}."
    assert table.notes[1].startswith("load: of the rows, the 80 % band ") and len(table.notes) == 4
    known = backtest(wave(), quick(), origins=1, known=np.arange(120.0) % 3)
    assert "optimistic" in known.table().notes[-1]


def test_the_file_of_a_backtest_has_a_column_for_each_level(tested: BacktestReport, tmp_path: Path) -> None:
    tested.to_csv(tmp_path / "b.csv")
    with open(tmp_path / "b.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    record = tested.records()[0]
    assert len(rows) == 18 and float(rows[0]["rmse"]) == record["rmse"]
    assert float(rows[0]["coverage_95"]) == record["coverage"]["95"] and rows[1]["interval_score_80"] == ""


def test_a_backtest_of_a_file_with_groups(tmp_path: Path) -> None:
    path, calls = shops(tmp_path, north=120, south=90), []
    found = backtest(
        path, quick(), origins=2, every=3, columns="sold", group="shop", known="heat", report=lambda: calls.append(1)
    )
    assert [(one.group, one.origins.tolist()) for one in found.groups] == [("north", [111, 114]), ("south", [81, 84])]
    assert {record["group"] for record in found.records()} == {"north", "south"} and len(calls) == 4
    assert found.table().rows[0][0] == "north: sold"
    assert found.groups[0].times is not None and time_texts(found.groups[0].times[:1]) == ["2024-01-01"]


def test_the_example_file_is_what_its_script_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = runpy.run_path(str(EXAMPLES / "make_demand.py"))
    monkeypatch.setitem(names["main"].__globals__, "FILE", tmp_path / "demand.csv")
    names["main"]()
    assert (tmp_path / "demand.csv").read_bytes() == (EXAMPLES / "demand_daily.csv").read_bytes()


# What is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"forecaster": 12}, r"^The 'forecaster' parameter must be a Forecaster, as Forecaster\(horizon=12\)\. Got 12 instead"),
        ({"forecaster": quick(levels=[100])}, "^The 'levels' parameter of Forecaster"),
        ({"group": "shop"}, "^The 'group' parameter is for files and frames. Got 'shop' with an array"),
        ({"future": "later.csv"}, "^The 'future' parameter is for files and frames"),
        ({"timezone": "Europe/Berlin"}, "^The 'timezone' parameter is for files and frames"),
        ({"columns": ["a", "b"]}, "^names: must name each of the 1 series. Got 2 names"),
    ],
)
def test_arguments_that_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises((DataError, ParameterError), match=message):
        forecast(wave(), **{"forecaster": quick(), **options})


def test_times_as_text() -> None:
    times = np.array(["2024-01-31T00:00:00", "2024-02-29T00:00:00"], "M8[s]")
    assert time_texts(times) == ["2024-01-31", "2024-02-29"]
    assert time_texts(times + np.timedelta64(90, "m")) == ["2024-01-31 01:30", "2024-02-29 01:30"]
    assert time_texts(times + np.timedelta64(5, "s")) == ["2024-01-31 00:00:05", "2024-02-29 00:00:05"]


def test_nothing_is_warned_about_where_every_group_is_forecast() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forecast(wave(), quick())
