"""Public holidays as a column that is known ahead: on which rows they fall, that they help, and what is refused."""

from __future__ import annotations

import sys
from datetime import timedelta

import holidays
import numpy as np
import pytest

from reservoir import Forecaster, ParameterError
from reservoir.forecasting.holidays import holiday_counts
from reservoir.forecasting.times import infer_step

MONTHS = np.datetime64("2023-01", "M") + np.arange(15)
TIMES = {
    "days": np.datetime64("2023-12-20", "D") + np.arange(40),
    "hours": np.datetime64("2023-12-24T00", "h") + np.arange(80),
    "business days": np.busday_offset("2023-12-20", np.arange(30)),
    "weeks": np.datetime64("2023-03-29", "D") + 7 * np.arange(20),
    "months": MONTHS,
    "month ends": (MONTHS + 1).astype("M8[D]") - 1,
    "quarter ends": (MONTHS[2::3] + 1).astype("M8[D]") - 1,
    "years": np.datetime64("2015", "Y") + np.arange(9),
}


def slow(kind: str, times: np.ndarray) -> list[int]:
    """The days of each row, looked up one by one."""
    months = {"months": 1, "month ends": 1, "quarter ends": 3, "years": 12}.get(kind)
    known, counts = holidays.country_holidays("DE", subdiv="BY", years=range(2014, 2026)), []
    for time in times:
        first = time.astype("M8[D]").item()
        if months is None:
            span = 7 if kind == "weeks" else 1
        else:
            start = time.astype("M8[M]") - (months - 1 if "ends" in kind else 0)
            first = start.astype("M8[D]").item()
            span = int(((start + months).astype("M8[D]") - start.astype("M8[D]")).astype(int))
        counts.append(sum(first + timedelta(days=k) in known for k in range(span)))
    return counts


@pytest.mark.parametrize("kind", TIMES)
def test_holidays_fall_on_rows(kind: str) -> None:
    times = TIMES[kind].astype("M8[s]")
    found = holiday_counts("DE-BY", times, infer_step(times))
    assert found.tolist() == slow(kind, times)
    assert found.any()


def test_holidays_are_known_ahead() -> None:
    times = np.datetime64("2021-01-01", "s") + np.arange(800) * np.timedelta64(86400, "s")
    closed = holiday_counts("US", times, infer_step(times))
    sold = 50.0 + 5.0 * np.sin(2 * np.pi * np.arange(800) / 7) - 20.0 * closed
    sold += np.random.default_rng(0).normal(size=800)
    options = {"seasons": [7], "without": ["reservoir", "reservoir with others"]}
    end = 720  # Christmas of 2022 is 5 days on
    assert closed[end : end + 12].any()
    errors = []
    for place in ("us", None):
        forecast = Forecaster(12, holidays=place, **options).fit(sold[:end], times=times[:end]).predict()
        errors.append(float(np.abs(forecast.values[:, 0] - sold[end : end + 12])[closed[end : end + 12] > 0].max()))
    assert errors[0] < 5.0 and errors[1] > 15.0


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("DEE", "must be a country such as 'DE', or with its part, such as 'DE-BY'. Got 'DEE' instead"),
        ("DE-XX", r"Got 'DE-XX' instead; the parts of DE are BB, BE"),
        (3, "'holidays' parameter of Forecaster must be .* a country such as 'DE'. Got 3"),
    ],
)
def test_places_that_are_refused(place: str, message: str) -> None:
    times = np.datetime64("2021-01-01", "s") + np.arange(60) * np.timedelta64(86400, "s")
    with pytest.raises(ParameterError, match=message):
        Forecaster(3, holidays=place).fit(np.arange(60.0) % 7, times=times)


def test_holidays_need_times_and_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    series = np.arange(60.0) % 7
    with pytest.raises(ParameterError, match="'holidays' parameter of Forecaster needs times of the rows"):
        Forecaster(3, holidays="DE").fit(series)
    monkeypatch.setitem(sys.modules, "holidays", None)
    times = np.datetime64("2021-01-01", "s") + np.arange(60) * np.timedelta64(86400, "s")
    with pytest.raises(ParameterError, match=r"pip install 'clockwork-reservoir\[holidays\]'"):
        Forecaster(3, holidays="DE").fit(series, times=times)
