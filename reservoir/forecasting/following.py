"""Rows that follow those a forecaster has seen: which of them are new, whether the others are the same, and what is missing."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from reservoir.base.tables import counted
from reservoir.forecasting.holidays import holiday_counts
from reservoir.forecasting.past import check_gaps
from reservoir.forecasting.prepared import Prepared, numbers, without_gaps
from reservoir.forecasting.times import Step, time_texts
from reservoir.validation import DataError

FEWEST_SHARED = 8
"""So many rows without times have to be the last ones seen for these to count as seen; fewer may be alike by accident."""
FEWEST_DIFFERENT = 6
"""Rows that were seen long before have to hold so many different ones: a few counts are alike in many places."""
FAR = 50.0
"""Deviations from the mean at which a value may have other units."""
FIT_AGAIN = "fit the model again if its past has changed"


def seen_rows(past: np.ndarray, rows: int, new: np.ndarray) -> int:
    """How many of the first rows without times of `new` (m, d) are among the `rows` seen so far, the last of them `past` (n, d).

    They are either all rows seen, or the last ones. Raises `DataError` where `new` ends before the last row seen, and where it
    repeats most of these, but not all.

    >>> past = np.arange(10.0)[:, None]
    >>> seen_rows(past, 10, np.arange(12.0)[:, None]), seen_rows(past, 10, np.arange(2.0, 12.0)[:, None])
    (10, 8)
    """
    n, m = len(past), len(new)
    if m >= rows:
        same = same_rows(past, new[rows - n : rows])
        if same.all():
            return rows
        if np.mean(same) > 0.5:
            row = rows - n + int(np.argmin(same))
            raise DataError(f"series: row {row + 1} is not the row that the model has seen; {FIT_AGAIN}.")
    for end in range(FEWEST_SHARED, n):  # a file that ends with a row seen before the last
        k = min(end, m)
        if k < FEWEST_SHARED or not same_rows(past[end - 1], new[-1]) or not same_rows(past[end - k : end], new[m - k :]).all():
            continue
        if len(np.unique(new[m - k :], axis=0)) >= FEWEST_DIFFERENT:
            raise DataError(
                f"series: ends with row {rows - n + end}, before row {rows}, the last that the model has seen; give newer rows."
            )
    for k in range(min(n, m), FEWEST_SHARED - 1, -1):
        if same_rows(past[n - k], new[0]) and same_rows(past[n - k :], new[:k]).all() and (new[:k] != new[0]).any():
            return k
    return 0


def same_rows(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether rows (..., d) are equal; gaps (NaN) are."""
    return np.asarray(((a == b) | (np.isnan(a) & np.isnan(b))).all(axis=-1))


def places_after(times: np.ndarray, last: np.datetime64, step: Step) -> np.ndarray:
    """The places (m,) of ascending times on the grid of a step, 0 being that after the last time seen.

    Raises `DataError` for times that are not on the grid, and for another frequency.
    """
    numbers_, (origin,) = step.numbers(times), step.numbers(np.array([last]))
    places = np.round(numbers_ - origin).astype(int) - 1
    off = np.flatnonzero(step.after(last, places + 1) != times.astype("M8[s]"))
    gaps = np.diff(places)
    if off.size or (len(gaps) > 1 and gaps.min() > 1) or (gaps < 1).any():
        row = off[:1] if off.size else np.array([0])
        raise DataError(
            f"times: {time_texts(times[row])[0]} and the rows around it have another frequency than those that the model has seen"
            f" (one row per {step}, the last at {time_texts(np.array([last]))[0]}); give rows of that frequency."
        )
    return places


def following(
    prepared: Prepared, rows: int, series: Any, known: Any, past: Any, times: Any, fill: str | None, holidays: str | None
) -> Prepared:
    """The series of a forecaster with the rows that follow, of those given; the arguments are those of `Forecaster.observe`."""
    values = _columns(series, "series", prepared.series.shape[1])
    behind = _columns(past, "past", prepared.past.shape[1], len(values))
    own = prepared.known.shape[1] - (holidays is not None)
    ahead = _columns(known, "known", own, None if own else 0)
    if own and len(ahead) < len(values):
        raise DataError(f"known: has {len(ahead)} rows, fewer than the {len(values)} of the series; give the horizon's too.")
    places = _places(prepared, rows, values, times, max(len(values), len(ahead)))
    count = int(places[len(values) - 1]) + 1 if len(values) else 0
    if count < 0:
        raise DataError(
            f"series: ends {_at(prepared, count - 1)}, before the last row that the model has seen, {_at(prepared, -1)}; give"
            " newer rows."
        )
    n, here = len(prepared.series), places[: len(values)]
    for name, old, new in (
        ("series", prepared.series, values), ("past", prepared.past, behind), ("known", prepared.known[:n, :own], ahead),
    ):  # fmt: skip
        _check_overlap(prepared, name, old, new, places[: len(new)])
    new_series, new_past = _spread(values, here, count), _spread(behind, here, count)
    _check_new(prepared, new_series, here, fill)
    to_come = count + prepared.horizon
    new_known = _spread(ahead, places[: len(ahead)], to_come)
    if count == 0:  # what was expected still is, where nothing newer is given
        new_known = np.where(np.isnan(new_known), prepared.known[n:, :own], new_known)
    stamps = None
    if prepared.step is not None and prepared.times is not None:
        stamps = np.concatenate([prepared.times, prepared.step.after(prepared.times[-1], np.arange(1, count + 1))])
        if holidays is not None:
            every = prepared.step.after(prepared.times[0], np.arange(n + to_come))
            new_known = np.column_stack([new_known, holiday_counts(holidays, every, prepared.step)[n:]])
    series = np.concatenate([prepared.series, new_series])
    known = without_gaps(np.concatenate([prepared.known[:n], new_known]), "known", fill)
    past = without_gaps(np.concatenate([prepared.past, new_past]), "past", fill)
    return replace(prepared, series=series, known=known, past=past, times=stamps)


def _columns(data: Any, name: str, count: int, rows: int | None = None) -> np.ndarray:
    """Data as (m, count). Raises `DataError` where there are other columns than the forecaster was fitted to, or other rows."""
    if data is None or (count == 0 and np.size(data) == 0):
        if count:
            raise DataError(f"{name}: is missing; the forecaster was fitted with {counted(count, 'such column')}.")
        return np.empty((rows or 0, 0))
    found = numbers(data, name)
    if found.shape[1] != count:
        raise DataError(f"{name}: has {counted(found.shape[1], 'column')}, the forecaster was fitted to {count}.")
    if rows is not None and len(found) != rows:
        raise DataError(f"{name}: has {len(found)} rows, the series has {rows}; they must agree.")
    return found


def _places(prepared: Prepared, rows: int, values: np.ndarray, times: Any, count: int) -> np.ndarray:
    """The places (count,) of the rows given, 0 being that after the last row seen."""
    if prepared.step is None or prepared.times is None:
        if times is not None:
            raise DataError("times: the forecaster was fitted to rows without times; leave them out.")
        return np.arange(count) - seen_rows(prepared.series, rows, values)
    stamps = np.asarray(times)
    if stamps.dtype.kind != "M" or stamps.ndim != 1 or len(stamps) not in (len(values), count):
        raise DataError(f"times: must be {count} NumPy dates, as those that were fitted. Got {stamps.dtype} instead.")
    places = places_after(stamps, prepared.times[-1], prepared.step)
    to_come = np.arange(1, count - len(places) + 1)
    return np.concatenate([places, (places[-1] if len(places) else -1) + to_come])


def _at(prepared: Prepared, place: int) -> str:
    """Where a place is: its time, or its row counted from the last one seen."""
    if prepared.step is None or prepared.times is None:
        return f"{counted(abs(place + 1), 'row')} {'before' if place < 0 else 'after'} the last one seen"
    return f"at {time_texts(prepared.step.after(prepared.times[-1], np.array([place + 1])))[0]}"


def _spread(columns: np.ndarray, places: np.ndarray, rows: int) -> np.ndarray:
    """Put the rows whose places are in [0, rows) there, NaN elsewhere."""
    out = np.full((rows, columns.shape[1]), np.nan)
    inside = (places >= 0) & (places < rows)
    out[places[inside]] = columns[inside]
    return out


def _check_overlap(prepared: Prepared, name: str, old: np.ndarray, new: np.ndarray, places: np.ndarray) -> None:
    """Raise `DataError` for a value that was another when the forecaster saw it; blank cells beside the series do not count."""
    n = len(old)
    inside = np.flatnonzero((places < 0) & (places >= -n))
    before, now = old[n + places[inside]], new[inside]
    differs = (before != now) & ~np.isnan(now) if name != "series" else ~((before == now) | (np.isnan(before) & np.isnan(now)))
    for i, k in np.argwhere(differs)[:1].tolist():
        column = f"'{prepared.names[k]}'" if name == "series" else f"column {k} of {name}"
        raise DataError(
            f"series: {column} is {now[i, k]:g} {_at(prepared, int(places[inside[i]]))}, where the model has seen"
            f" {before[i, k]:g}; {FIT_AGAIN}."
        )


def _check_new(prepared: Prepared, series: np.ndarray, places: np.ndarray, fill: str | None) -> None:
    """Raise `DataError` for gaps without `fill`; warn of values far from all seen."""
    first = places[places >= 0][:1]
    if first.size and first[0] > 0 and fill is None:
        raise DataError(
            f"series: {counted(int(first[0]), 'row')} missing between the last one that the model has seen,"
            f" {_at(prepared, -1)}, and the next, {_at(prepared, int(first[0]))}; give them, or say how to fill them:"
            " fill='linear', 'seasonal' or 'last'."
        )
    for k, name in enumerate(prepared.names):
        if fill is None and len(series):
            check_gaps(series[:, k], f"Series '{name}', after the rows seen")
        mean, spread = np.nanmean(prepared.series[:, k]), np.nanstd(prepared.series[:, k])
        apart = np.abs(series[:, k] - mean)
        if (apart > FAR * spread).any():
            place = int(np.nanargmax(apart))
            warnings.warn(
                f"Series '{name}': {series[place, k]:g} {_at(prepared, place)} is {apart[place] / spread:.0f} standard deviations"
                " from the mean of the rows seen; does it have other units?", RuntimeWarning, stacklevel=4,
            )  # fmt: skip
