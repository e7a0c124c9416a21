"""Frames of pandas and polars go in by column name, and forecasts come out as frames of the same kind, with times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from reservoir import DataError, Forecaster, ParameterError, backtest, forecast
from reservoir.files.frames import is_frame
from reservoir.forecasting.table import read_series

N = 60
ROWS = np.arange(N)
LOAD = 50.0 + 10.0 * np.sin(2 * np.pi * ROWS / 7) + np.random.default_rng(0).normal(size=N)
DAYS = np.datetime64("2024-03-01", "s") + ROWS * np.timedelta64(86400, "s")


def quick(horizon: int = 5) -> Forecaster:
    return Forecaster(horizon, seasons=[7], without=["reservoir", "reservoir with others", "linear"])


PLAIN = quick().fit(LOAD, times=DAYS).predict()


def frames() -> dict[str, Any]:
    texts = [str(day)[:10] for day in DAYS]
    days = pd.DatetimeIndex(DAYS)
    return {
        "polars": pl.DataFrame({"day": DAYS.astype("M8[ms]"), "load": LOAD}),
        "polars dates": pl.DataFrame({"day": DAYS.astype("M8[ms]"), "load": LOAD}).with_columns(pl.col("day").cast(pl.Date)),
        "polars texts": pl.DataFrame({"load": LOAD, "day": texts}),
        "pandas": pd.DataFrame({"n": ROWS, "day": days, "load": LOAD}),
        "pandas texts": pd.DataFrame({"day": texts, "load": LOAD}),
        "pandas index": pd.DataFrame({"load": LOAD}, index=days.rename("day")),
        "pandas zone": pd.DataFrame({"load": LOAD}, index=days.tz_localize("Europe/Berlin").rename("day")),
        "pandas periods": pd.DataFrame({"load": LOAD}, index=pd.period_range("2024-03-01", periods=N, freq="D", name="day")),
        "pandas series": pd.Series(LOAD, index=days.rename("day"), name="load"),
    }


@pytest.mark.parametrize("kind", list(frames()))
def test_a_frame_in_gives_a_frame_of_its_kind_out(kind: str) -> None:
    made = quick().fit(frames()[kind]).predict()
    assert made.names == ("load",)
    np.testing.assert_array_equal(made.values, PLAIN.values)
    np.testing.assert_array_equal(made.times, PLAIN.times)
    out = made.to_frame()
    columns = ["load", "load_lower_80", "load_upper_80", "load_lower_95", "load_upper_95"]
    assert isinstance(out, pl.DataFrame if "polars" in kind else pd.DataFrame)
    if kind in ("pandas index", "pandas zone", "pandas periods", "pandas series"):
        assert out.index.name == "day"
        out = out.reset_index()
    assert list(out.columns) == ["day", *columns]
    np.testing.assert_array_equal(np.asarray(out["load_upper_95"]), PLAIN.upper[1, :, 0])
    assert [str(day)[:10] for day in out["day"]] == ["2024-04-30", "2024-05-01", "2024-05-02", "2024-05-03", "2024-05-04"]
    if kind == "polars dates":
        assert out["day"].dtype == pl.Date
    if kind == "pandas zone":
        assert str(out["day"].dt.tz) == "Europe/Berlin" and str(out["day"][0]) == "2024-04-30 00:00:00+02:00"


def test_columns_by_name_and_known_rows_to_come() -> None:
    heat = np.random.default_rng(1).normal(size=N + 5)
    frame = pl.DataFrame(
        {"t": np.append(DAYS, DAYS[-1] + np.arange(1, 6) * np.timedelta64(86400, "s")).astype("M8[ms]"),
         "load": [*LOAD, *[None] * 5], "heat": heat, "lead": np.append(LOAD, np.zeros(5))}
    )  # fmt: skip
    found = quick().fit(frame, times="t", names="load", known="heat", past=["lead"])
    arrays = quick().fit(LOAD, known=heat, past=LOAD, times=DAYS, names=["load"])
    np.testing.assert_array_equal(found.predict().values, arrays.predict().values)
    np.testing.assert_array_equal(found.prepared_.past, arrays.prepared_.past)
    names: dict[str, Any] = {"columns": ["load"], "known": ["heat"]}
    reports = forecast(frame, quick(), **names), forecast(LOAD, quick(), known=heat, time=DAYS)
    np.testing.assert_array_equal(*(report.groups[0].forecast.values for report in reports))
    tests = backtest(frame, quick(), origins=2, **names), backtest(LOAD, quick(), origins=2, known=heat, time=DAYS)
    np.testing.assert_array_equal(*(test.groups[0].forecasts["forecast"] for test in tests))


@pytest.mark.parametrize("library", [pl, pd])
def test_groups_and_a_future_of_frames(library: Any) -> None:
    heat = np.random.default_rng(1).normal(size=N + 5)
    later = DAYS[-1] + np.arange(1, 6) * np.timedelta64(86400, "s")
    rows = {"t": np.tile(DAYS.astype("M8[ms]"), 2), "shop": ["a"] * N + ["b"] * N, "load": np.append(LOAD, LOAD[::-1])}
    frame = library.DataFrame({**rows, "heat": np.tile(heat[:N], 2)})
    future = library.DataFrame(
        {"t": np.repeat(later.astype("M8[ms]"), 2), "shop": ["a", "b"] * 5, "heat": np.repeat(heat[N:], 2)}
    )
    report = forecast(frame, quick(), columns=["load"], known=["heat"], group="shop", future=future)
    for one, load in zip(report.groups, (LOAD, LOAD[::-1]), strict=True):
        alone = quick().fit(load, known=heat, times=DAYS).predict()
        np.testing.assert_array_equal(one.forecast.values, alone.values)
        out = one.forecast.to_frame()
        assert isinstance(out, library.DataFrame) and list(out.columns)[:2] == ["t", "load"]


def test_every_column_of_numbers_is_a_series() -> None:
    frame = pd.DataFrame({"a": LOAD, "b": LOAD[::-1], "c": ["x"] * N})
    assert quick().fit(frame).predict().names == ("a", "b")
    assert quick().fit(pl.Series(LOAD)).predict().to_frame().columns[0] == "series"


def test_hours_of_a_time_zone_are_regular_over_its_changes() -> None:
    hours = pd.date_range("2024-10-26", periods=72, freq="h", tz="Europe/Berlin")
    made = quick(3).fit(pd.DataFrame({"t": hours, "load": LOAD[np.arange(72) % N]})).predict()
    assert [str(time) for time in made.to_frame()["t"]] == [str(hours[-1] + pd.Timedelta(hours=k)) for k in (1, 2, 3)]


def test_one_day_ahead_is_a_local_day() -> None:
    days = pd.date_range("2024-03-01", periods=N, tz="Europe/Berlin")
    out = quick(1).fit(pd.DataFrame({"day": days, "load": LOAD})).predict().to_frame()
    assert str(out["day"][0]) == "2024-04-30 00:00:00+02:00"


def test_local_times_of_a_file_or_frame_come_back_in_their_zone(tmp_path: Path) -> None:
    hours = pd.date_range("2024-10-26 00:00", periods=72, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"t": hours.tz_localize(None), "load": LOAD[np.arange(72) % N]})
    frame.to_csv(tmp_path / "load.csv", index=False)
    expected = [str(hours[-1] + pd.Timedelta(hours=k)) for k in (1, 2, 3)]
    for data in (frame, tmp_path / "load.csv"):
        [table] = read_series(data, timezone="Europe/Berlin")
        assert table.times is not None and str(table.times[0]) == "2024-10-25T22:00:00"
        [group] = forecast(data, quick(3), timezone="Europe/Berlin").groups
        assert group.steps == expected
        assert [str(time) for time in group.forecast.to_frame("pandas")["t"]] == expected


def test_groups_of_a_frame() -> None:
    frame = pd.DataFrame({"day": [*DAYS[:3], *DAYS[:3]], "shop": list("aaabbb"), "sold": [1.0, 2.0, 4.0, 5.0, None, 7.0]})
    a, b = read_series(frame, group="shop")
    assert (a.group, b.group, a.names) == ("a", "b", ("sold",))
    assert a.series[:, 0].tolist() == [1.0, 2.0, 4.0] and np.isnan(b.series[1, 0])
    with pytest.raises(DataError, match=r"rows 1 and 4 have the same time .* group 'shop'"):
        read_series(frame, ["sold"])


def test_numbers_are_times_and_groups_as_they_are_written() -> None:
    frame = pd.DataFrame(
        {"day": [20240101, 20240102] * 2, "shop": [12345671, 12345671, 12345672, 12345672], "sold": [4.0, 2.0, 7.0, 9.0]}
    )
    one, two = read_series(frame, group="shop")
    assert (one.group, two.group, two.series[:, 0].tolist()) == ("12345671", "12345672", [7.0, 9.0])
    np.testing.assert_array_equal(one.times, np.array(["2024-01-01", "2024-01-02"], "M8[s]"))
    with pytest.raises(DataError, match=r"^frame, row 2, column 'day': the time is blank"):
        read_series(frame.iloc[:2].assign(day=[20240101, None]), time="day", columns=["sold"])


def test_no_frame_is_taken_for_one() -> None:
    assert not any(is_frame(data) for data in (LOAD, [1.0], "file.csv", {"a": [1.0]}, None))


GOOD = pd.DataFrame({"day": DAYS, "load": LOAD})


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (GOOD, {"names": ["laod"]}, "^frame: there is no column 'laod'. Did you mean load"),
        (GOOD, {"times": "load", "names": "load"}, "^frame: column 'load' is named 2 times"),
        (GOOD, {"names": "day"}, "^frame: column 'day' holds dates, not numbers"),
        (GOOD.assign(load="x"), {}, "^frame: no column holds numbers"),
        (GOOD.assign(load=["1.5"] * 59 + ["x"]), {}, "^frame, row 60, column 'load': 'x' is not a number"),
        (GOOD.assign(day=GOOD["day"].where(GOOD.index != 4)), {}, "^frame, row 5, column 'day': the time is blank"),
        (GOOD.iloc[[0, 2, 1, 3]], {}, "^frame, row 3, column 'day': 2024-03-02 comes after .* sort them first"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), {}, "^frame: cannot be read: Expected unique"),
        (pl.DataFrame({"a": []}), {}, "^frame: is empty"),
        (pl.DataFrame({"a": [1.0]}).lazy(), {}, "^frame: is a lazy one; call its collect"),
    ],
)
def test_what_is_refused(frame: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        quick().fit(frame, **options)
    assert "\n" not in str(caught.value)


def test_frames_from_arrays_need_a_library() -> None:
    assert isinstance(PLAIN.to_frame("polars"), pl.DataFrame)
    assert list(PLAIN.to_frame("pandas").columns)[:2] == ["time", "column 1"]
    with pytest.raises(ParameterError, match="must name one where no frame was fitted"):
        PLAIN.to_frame()
    with pytest.raises(ParameterError, match=r"that is installed, such as .* Got 'pandaz' instead"):
        PLAIN.to_frame("pandaz")


def test_parquet_files(tmp_path: Path) -> None:
    path = tmp_path / "load.parquet"
    pl.DataFrame({"day": DAYS.astype("M8[ms]"), "load": LOAD}).write_parquet(path)
    [table] = read_series(path)
    np.testing.assert_array_equal(table.series[:, 0], LOAD)
    np.testing.assert_array_equal(table.times, DAYS)
    path.write_bytes(b"PAR1 is not enough")
    with pytest.raises(DataError, match=r"load\.parquet: cannot be read as Parquet: ") as caught:
        read_series(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"absent\.parquet: there is no such file"):
        read_series(tmp_path / "absent.parquet")
