"""A series up to now, as the parts of a forecast see it: without gaps, transformed, standardized, with its seasons."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reservoir.forecasting.references import drift
from reservoir.forecasting.times import time_texts
from reservoir.forecasting.transform import Scale
from reservoir.validation import DataError

INNER_ORIGINS = 16
FEWEST_ERRORS = 48
"""With a short horizon there are more origins, so that bands have so many errors."""
LEAST_ERRORS = 19
SHORTEST = 8
LEVEL_ROWS = 8
"""The rows whose mean is the level of a series without a season."""


@dataclass(frozen=True)
class Past:
    """What is known when a forecast is made, and the inner origins: earlier moments on which the parts are compared.

    Attributes
    ----------
    z : (n,) the series, transformed, standardized, without gaps
    observed : (n,) whether a row was there; errors are counted on these alone
    season : the main season in rows, 1 for none
    periods : all seasons in rows, which need not be whole numbers
    horizon : h
    origins : (n_origins,) ascending numbers of rows known, each at least a season and at most n - h
    columns : (n, e) other columns that are known up to now
    known : (n + h, q) columns that are known to the end of the horizon
    effects : (n + h,) what was taken off the series before because it is known ahead, in units of z
    scale : how z comes from the series
    """

    z: np.ndarray
    observed: np.ndarray
    season: int
    periods: tuple[float, ...]
    horizon: int
    origins: np.ndarray
    columns: np.ndarray
    known: np.ndarray
    effects: np.ndarray
    scale: Scale

    @functools.cached_property
    def truth(self) -> np.ndarray:
        """The series (n_origins, h) after each inner origin, NaN where it was not observed."""
        observed = np.where(self.observed, self.z, np.nan)
        return np.asarray(observed[self.origins[:, None] + np.arange(self.horizon)])

    @functools.cached_property
    def level(self) -> np.ndarray:
        """The mean (n,) of the last season up to each row; of the rows so far where these are fewer."""
        rows = self.season if self.season > 1 else LEVEL_ROWS
        sums = np.concatenate([[0.0], np.cumsum(self.z)])
        ends = np.arange(1, len(self.z) + 1)
        starts = np.maximum(ends - rows, 0)
        return np.asarray((sums[ends] - sums[starts]) / (ends - starts))

    @functools.cached_property
    def bases(self) -> np.ndarray:
        """The references (n_bases, n, h) that direct readouts correct, from after every row: the level, and `drift`.

        The second is there from the end of the first season on. Where something is known ahead there is one reference, 0,
        for the regression on that has been taken off.
        """
        n = len(self.z)
        if self.known.shape[1]:
            return np.zeros((1, n, self.horizon))
        out = np.zeros((2, n, self.horizon))
        out[0] = self.level[:, None]
        out[1, self.season - 1 :] = drift(self.z, self.season, np.arange(self.season, n + 1), self.horizon)
        return out


def inner_origins(observed: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Numbers of rows known: the last n - h, at most h / 2 apart, the earliest after a third of the rows or two seasons.

    There are at most 16, or so many more that 48 errors come from them. Where two seasons leave too few rows for 19 errors,
    which a band of 95 % needs, they begin earlier, after one season at least.

    An origin comes right after a row that was `observed` (n,), so that a gap before it could be filled from what was known,
    and at least one of the h rows after it was. Raises `DataError` where there is none.
    """
    n = len(observed)
    last = n - horizon
    first = min(max(n // 3, 2 * season, SHORTEST), last)
    first = max(min(first, last + 1 - -(-LEAST_ERRORS // horizon)), min(season, first), min(SHORTEST, first))
    count = max(INNER_ORIGINS, -(-FEWEST_ERRORS // horizon))
    gap = min(max(horizon / 2, 1), (last - first) / (count - 1))
    origins = np.round(last - gap * np.arange(count)).astype(int)
    latest = np.maximum.accumulate(np.where(observed, np.arange(n), -1))  # the last observed row up to each
    found = np.unique(latest[origins - 1] + 1)
    seen = np.concatenate([[0], np.cumsum(observed)])
    found = found[(found >= max(season, 2)) & (seen[np.minimum(found + horizon, n)] > seen[found])]
    if not found.size:
        raise DataError(
            f"The series' last {horizon} rows have too few values before or among them to judge a forecast; give more rows, lower"
            " the horizon, or leave out the missing rows at the end."
        )
    return np.asarray(found)


def main_season(series: np.ndarray, seasons: Sequence[float], horizon: int) -> int:
    """Choose the season, in whole rows, whose seasonal naive forecast had the least squared error; 1 where none fits.

    A season fits if the series (n,), which may have gaps (NaN), has two of them, and one before the last `horizon` rows.
    """
    n = len(series)
    fitting = sorted({round(season) for season in seasons if season >= 1.5})
    errors = {}
    for season in (m for m in fitting if 2 * m <= n and m <= n - horizon - 1):
        leads = np.bincount((np.arange(horizon)) // season)
        squares, count = 0.0, 0
        for multiple, share in enumerate(leads[: (n - 1) // season], start=1):
            difference = np.square(series[multiple * season :] - series[: -multiple * season])
            if np.isfinite(difference).any():
                squares, count = squares + share * float(np.nanmean(difference)), count + share
        if count:
            errors[season] = squares / count
    return min(errors, key=errors.__getitem__) if errors else 1


def fill_gaps(series: np.ndarray, method: str, season: int) -> np.ndarray:
    """Fill the NaN of a series (n,) whose first row is observed.

    "last" repeats the last value, "seasonal" the value of a season before; "linear" draws a line between the values
    around a gap, and repeats the season where nothing follows it.
    """
    filled = series.copy()
    missing = np.isnan(series)
    if method == "linear":
        rows = np.arange(len(series))
        end = int(np.flatnonzero(~missing)[-1]) + 1
        filled[:end] = np.interp(rows[:end], rows[~missing], series[~missing])
        missing[:end] = False
    for row in np.flatnonzero(missing):
        filled[row] = filled[row - 1] if method == "last" or row < season else filled[row - season]
    return filled


def check_gaps(series: np.ndarray, name: str, start: int = 0, times: np.ndarray | None = None) -> None:
    """Raise `DataError` if a series (n,), maybe with times (n,), has gaps from a row on; the text names the longest."""
    missing = np.isnan(series)
    if missing[start:].any():
        gaps = gaps_in_words(missing, start, times)
        raise DataError(f"{name}: {gaps}; say how to fill them: fill='linear', 'seasonal' or 'last'.")


def gaps_in_words(missing: np.ndarray, start: int = 0, times: np.ndarray | None = None) -> str:
    """How many rows (n,) from `start` on are missing, and where the longest gap is: its first time, or row counted from 0."""
    borders = np.flatnonzero(np.diff(np.concatenate([[False], missing[start:], [False]]).astype(int))) + start
    starts, lengths = borders[::2], borders[1::2] - borders[::2]
    longest = int(np.argmax(lengths))
    total = f"{np.count_nonzero(missing[start:])} of {len(missing) - start} rows are missing"
    first = f"row {starts[longest]}" if times is None else time_texts(times[starts[[longest]]])[0]
    return f"{total}, at most {lengths[longest]} in a row, from {first} on"
