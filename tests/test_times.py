"""Times as people write them, their step, and the seasons, missing rows and times to come that it gives."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest
from messages import mentions

from reservoir import DataError, ParameterError
from reservoir.files.dates import read_times
from reservoir.forecasting.times import Step, infer_step, positions


def seconds(*texts: str) -> list[np.datetime64]:
    return [np.datetime64(text, "s") for text in texts]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2024-02-28", "2024-02-29"], ["2024-02-28", "2024-02-29"]),
        (["2021-05-01 00:30:00+00:00", "2021-05-01 01:00:00+00:00"], ["2021-05-01T00:30", "2021-05-01T01:00"]),
        (["2021-03-28T01:30:00+01:00", "2021-03-28T03:00:00+02:00"], ["2021-03-28T00:30", "2021-03-28T01:00"]),  # to UTC
        (["2021-03-28T01:30:00+0100", "2021-03-28T02:00:00+0100"], ["2021-03-28T01:30", "2021-03-28T02:00"]),  # all alike
        (["2021-05-01T00:30:00Z"], ["2021-05-01T00:30"]),
        (["2021-05-01 00:30:15.25"], ["2021-05-01T00:30:15"]),
        (["19580329", "19580405"], ["1958-03-29", "1958-04-05"]),
        (["1949-01", "1949-02"], ["1949-01-01", "1949-02-01"]),
        (["1970 Q1", "1970Q4"], ["1970-01-01", "1970-10-01"]),
        (["1700", "1701"], ["1700-01-01", "1701-01-01"]),
        (["Jan-1-1995", "Dec-31-1995"], ["1995-01-01", "1995-12-31"]),
        (["31.12.2024 13:05"], ["2024-12-31T13:05"]),
        (["01/02/2024", "01/13/2024"], ["2024-01-02", "2024-01-13"]),  # the month first
        (["01/02/2024", "13/02/2024"], ["2024-02-01", "2024-02-13"]),  # the day first: nothing else fits all
        (["  5 March 2024 ", "6 March 2024"], ["2024-03-05", "2024-03-06"]),
        (["12/31/2024 1:05 PM"], ["2024-12-31T13:05"]),
        (["2024M01", "2024M12"], ["2024-01-01", "2024-12-01"]),
        (["Q1 2024", "Q4 2024"], ["2024-01-01", "2024-10-01"]),
        (["2024-W01", "2024-W10"], ["2024-01-01", "2024-03-04"]),
        (["199512", "199601"], ["1995-12-01", "1996-01-01"]),
        (["20241231 13:05"], ["2024-12-31T13:05"]),
        (["1/31/24", "2/1/24"], ["2024-01-31", "2024-02-01"]),
        (["Dec-95", "Jan-96"], ["1995-12-01", "1996-01-01"]),
        (["01/12/2023", "01/01/2024", "01/02/2024"], ["2023-12-01", "2024-01-01", "2024-02-01"]),  # months are more regular
        (["01/01/2024", "02/01/2024", "03/01/2024"], ["2024-01-01", "2024-02-01", "2024-03-01"]),
        (
            ["2021-03-27T00:00+01:00", "2021-03-28T00:00+01:00", "2021-03-29T00:00+02:00"],
            ["2021-03-27", "2021-03-28", "2021-03-29"],
        ),
    ],
)
def test_formats(cells: list[str], expected: list[str]) -> None:
    assert read_times(cells).tolist() == np.array(seconds(*expected)).tolist()


def test_dates_of_a_time_zone_stay_a_day_apart() -> None:
    cells = ["2021-03-27", "2021-03-28", "2021-03-29"]
    np.testing.assert_array_equal(read_times(cells, timezone="Europe/Berlin"), np.array(cells, "M8[s]"))


def test_local_times_go_to_utc_and_a_repeated_hour_is_told_by_order() -> None:
    clocks = ("01:30", "02:00", "02:30", "02:00", "02:30", "03:00")
    found = read_times([f"2021-10-31 {clock}" for clock in clocks], timezone="Europe/Berlin")
    np.testing.assert_array_equal(found, np.datetime64("2021-10-30T23:30", "s") + 30 * np.arange(6).astype("m8[m]"))
    summer = read_times(["2021-03-28 01:30", "2021-03-28 03:00"], timezone="Europe/Berlin")
    assert np.diff(summer).tolist() == [timedelta(minutes=30)]


@pytest.mark.parametrize(
    ("cells", "options", "error", "message"),
    [
        (["soon"], {}, DataError, "'when' 1 'soon' 2024-12-31"),
        (
            ["2024-01-01", "2024-01-02", "2024-13-01"],
            {},
            DataError,
            "3 '2024-13-01' 2024-12-31",
        ),
        (["01/02/2024", "03/04/2024", "x"], {}, DataError, "3 'x' 12/31/2024"),
        (["2024-01-01", "2024-01-02", "Jan 3"], {}, DataError, "3 'Jan 3'"),
        (["2023-02-28", "2023-02-29"], {}, DataError, "2 '2023-02-29'"),
        (["1970 Q1", "1970 Q5"], {}, DataError, "2 '1970 Q5'"),
        (["2024-W10", "2024-W54"], {}, DataError, "2 '2024-W54'"),
        (["20240101", "20240230"], {}, DataError, "2 '20240230' 2024-12-31"),
        (["1995111"], {}, DataError, "1 '1995111'"),
        (["2024-01-01", " "], {}, DataError, "2 blank"),
        (["2024-01-01"], {"timezone": "Europe/Bern1"}, ParameterError, "'timezone' 'Europe/Bern1'"),
        (
            ["2021-03-28 02:30"],
            {"timezone": "Europe/Berlin"},
            DataError,
            "1 2021-03-28 02:30:00",
        ),
    ],
)
def test_what_cannot_be_read(cells: list[str], options: dict[str, str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=mentions(message)):
        read_times(cells, "when", **options)


def month_ends(n: int) -> np.ndarray:
    return ((np.datetime64("2023-01") + np.arange(1, n + 1)).astype("M8[D]") - np.timedelta64(1, "D")).astype("M8[s]")


def business_days(n: int) -> np.ndarray:
    return np.busday_offset(np.datetime64("2024-01-01"), np.arange(n)).astype("M8[s]")


@pytest.mark.parametrize(
    ("times", "text", "seasons"),
    [
        (np.datetime64("2024-02-20", "D") + np.arange(40), "day", (7.0, 365.25)),
        (np.datetime64("1958-03-29", "D") + 7 * np.arange(40), "week", (7 * 86400 * 365.25 / (86400 * 49),)),
        (np.datetime64("2024-01", "M") + np.arange(30), "month", (12.0,)),
        (month_ends(30), "month", (12.0,)),
        (np.datetime64("1970-01", "M") + 3 * np.arange(9), "quarter", (4.0,)),
        (np.datetime64("1970-01", "M") + 12 * np.arange(9), "year", ()),
        (business_days(30), "business day", (5.0,)),
        (np.datetime64("2021-05-01T00:00", "m") + 30 * np.arange(100), "30 minutes", (48.0, 336.0, 17532.0)),
        (np.datetime64("2021-05-01T00:00", "m") + 60 * np.arange(100), "hour", (24.0, 168.0, 8766.0)),
    ],
)
def test_the_step_is_inferred_and_goes_on(times: np.ndarray, text: str, seasons: tuple[float, ...]) -> None:
    cut = times[:-5]
    step = infer_step(cut)
    assert str(step) == text
    assert step.seasons() == pytest.approx(seasons)
    np.testing.assert_array_equal(step.after(cut[-1], np.arange(1, 6)), times[-5:].astype("M8[s]"))
    np.testing.assert_array_equal(positions(cut, step), np.arange(len(cut)))
    few = np.delete(np.arange(len(cut)), [2])
    if len(cut) > 5:
        assert infer_step(cut[few]) == step
        np.testing.assert_array_equal(positions(cut[few], step), few)


def test_the_thirtieth_of_each_month_is_the_last_of_february() -> None:
    days = [date(2024, 1, 30), date(2024, 2, 29), date(2024, 3, 30), date(2024, 4, 30)]
    step = infer_step(np.array(days, "M8[s]"))
    assert step == Step("months", 1)
    after = step.after(np.datetime64("2024-12-30", "s"), np.array([1, 2]))
    assert after.astype("M8[D]").tolist() == [date(2025, 1, 30), date(2025, 2, 28)]


DAYS = np.datetime64("2024-01-01", "s") + np.arange(30) * np.timedelta64(1, "D")


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (DAYS[[0, 1, 1, 2]], "times 3 2024-01-02"),
        (DAYS[[0, 2, 1, 3]], "times 3 2024-01-02 2024-01-03"),
        (
            np.concatenate([DAYS[:10], DAYS[10::3]]),
            "times 11 3",
        ),
        (
            np.append(DAYS[:20], DAYS[20] + np.timedelta64(5, "h")),
            "times 21 2024-01-21 05:00",
        ),
        (np.array(["2024-01-01", "2024-02-01", "2024-03-02", "2024-04-01"], "M8[s]"), "times 2 2024-02-01"),
        (DAYS[:1], "times step"),
        (np.array(["2024-01-01", "NaT", "2024-01-03"], "M8[s]"), "times 2 blank"),
    ],
)
def test_times_off_the_grid_are_refused_with_their_row(times: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=mentions(message)):
        infer_step(times)


def test_days_and_moments_in_iso_are_what_python_reads() -> None:
    for texts in (["2024-02-28", "2024-02-29"], ["2024-02-28 23:59", "2024-02-29T00:00"], ["1999-12-31T23:59:59"]):
        found = read_times(texts)
        assert found.tolist() == [datetime.fromisoformat(text) for text in texts] and found.dtype == "M8[s]"


@pytest.mark.parametrize("bad", ["2024-13-01", "+024-01-01", "2024T01-01", "2024-01-0x"])
def test_what_numpy_might_read_as_something_else_is_refused(bad: str) -> None:
    with pytest.raises(DataError, match="row 2: "):
        read_times(["2024-01-01", bad])
