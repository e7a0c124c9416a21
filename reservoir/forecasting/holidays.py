"""How many public holidays of a country fall on each row of a series: a column that is known ahead."""

from __future__ import annotations

import numpy as np

from reservoir.forecasting.times import DAY, Step
from reservoir.validation import ParameterError, nearest


def holiday_counts(place: str, times: np.ndarray, step: Step) -> np.ndarray:
    """The number of public holidays on each row (n,): 0 or 1 for days and shorter steps; within the row's week, month or year.

    Parameters
    ----------
    place : a country, such as "DE", or with its part, such as "DE-BY" or "US-CA": codes of ISO 3166, as the package
        `holidays` has them
    times : (n,) of the rows; the days of those with a clock are as they stand
    step : of the times

    Raises
    ------
    ParameterError
        The package is missing, or does not know the place.
    """
    starts = times.astype("M8[D]")
    ends = starts + max(step.count // DAY, 1) if step.kind == "seconds" else starts + 1
    if step.kind == "months":
        months = times.astype("M8[M]") - (step.count - 1 if step.month_ends else 0)
        starts, ends = months.astype("M8[D]"), (months + step.count).astype("M8[D]")
    known = _dates(place, range(starts[0].item().year, ends[-1].item().year + 1))
    return np.asarray(np.searchsorted(known, ends) - np.searchsorted(known, starts), float)


def _dates(place: str, years: range) -> np.ndarray:
    """The ascending dates of a place's holidays."""
    try:
        import holidays
    except ModuleNotFoundError:
        raise ParameterError(
            "The 'holidays' parameter of Forecaster needs a package: pip install 'clockwork-reservoir[holidays]'."
        ) from None
    country, _, part = place.upper().partition("-")
    must = "The 'holidays' parameter of Forecaster must be a country such as 'DE', or with its part, such as 'DE-BY'."
    countries = holidays.list_supported_countries()
    if country not in countries:
        raise ParameterError(f"{must} Got {place!r} instead.{nearest(country, countries)}")
    if part and part not in countries[country]:
        listed = ", ".join(countries[country][:20]) or "none"
        raise ParameterError(f"{must} Got {place!r} instead; the parts of {country} are {listed}.")
    return np.array(sorted(holidays.country_holidays(country, subdiv=part or None, years=years)), "M8[D]")
