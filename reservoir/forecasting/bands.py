"""Bands about a forecast, from the errors of earlier ones: split conformal, pooled over leads, with a smooth profile."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from reservoir.validation import ParameterError

BASE_LEVEL = 80.0


class Errors(NamedTuple):
    """The errors of N past forecasts of h steps, in units of a profile that grows with the lead."""

    profile: np.ndarray  # (h,) c k^s
    scaled: np.ndarray  # (N,) absolute errors over the profile, ascending
    weights: np.ndarray  # (N,) of them
    n_origins: int


def past_errors(errors: np.ndarray, origins: np.ndarray, rows: int, likeness: np.ndarray | None = None) -> Errors:
    """Scale errors (n_origins, h), which may have gaps (NaN), by the profile c k^s of their mean absolute values, 0 <= s <= 1.

    An error from an origin o of `rows` counts (o / rows)^2: with less past, forecasts were worse. It is multiplied by the
    `likeness` (n_origins,) of the origin, if that is given.
    """
    absolute = np.abs(errors)
    known = ~np.isnan(absolute).all(axis=0)
    leads = np.arange(1, errors.shape[1] + 1)
    mean = np.nanmean(absolute[:, known], axis=0) + 1e-12
    exponent = 0.0
    if known.sum() > 1:
        slope = np.polyfit(np.log(leads[known]), np.log(mean), 1, w=1.0 / np.sqrt(leads[known]))[0]
        exponent = float(np.clip(slope, 0.0, 1.0))
    growth = leads**exponent
    profile = mean.mean() / growth[known].mean() * growth
    there = ~np.isnan(absolute)
    scaled = (absolute / profile)[there]
    trusted = np.square(origins / rows) * (1.0 if likeness is None else likeness)
    weights = np.broadcast_to(trusted[:, None], absolute.shape)[there]
    order = np.argsort(scaled, kind="stable")
    return Errors(profile, scaled[order], weights[order], len(errors))


def half_width(errors: Errors, level: float) -> np.ndarray:
    """The half width (h,) of the band that is meant to hold `level` per cent of the rows.

    It is a quantile of the scaled errors, weighted and pooled over origins and leads. Its level is raised by the factor
    1 + 1 / (4 K) for K origins: split conformal prediction asks for 1 + 1 / N, but the errors of one origin are no
    independent ones. Above 80 % the band is at least as much wider than that of 80 % as under the normal distribution.

    Raises `ParameterError` for a level that so few errors cannot have: N of them support 100 N / (N + 1) per cent.
    """
    check_level(errors, level)
    width = _quantile(errors, level)
    if level > BASE_LEVEL:
        ratio = ndtri(0.5 + level / 200.0) / ndtri(0.5 + BASE_LEVEL / 200.0)
        width = max(width, ratio * _quantile(errors, BASE_LEVEL))
    return np.asarray(width * errors.profile)


def _quantile(errors: Errors, level: float) -> float:
    reached = np.cumsum(errors.weights)
    raised = level / 100.0 * (1.0 + 0.25 / errors.n_origins)
    index = np.searchsorted(reached, raised * reached[-1])
    return float(errors.scaled[min(int(index), len(reached) - 1)])


def check_level(errors: Errors, level: float) -> None:
    """Raise `ParameterError` unless the errors are enough for the level."""
    count, needed = len(errors.scaled), math.ceil(round(level / (100.0 - level), 9))
    if count < needed:
        raise ParameterError(
            f"The 'levels' parameter of Forecaster must be at most {100.0 * count / (count + 1.0):.4g} with {count} past errors."
            f" Got {level:g}, which needs {needed}; lower it or give more rows."
        )
