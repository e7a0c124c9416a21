"""The forecast of a user's own series, from a file or an array."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reservoir.files.csv_file import read_csv
from reservoir.forecasting.ensemble import forecast_record
from reservoir.forecasting.report import ForecastReport
from reservoir.validation import DataError, ParameterError, as_sequences


def forecast(
    data: Any,
    horizon: int | None = None,
    *,
    columns: Sequence[str] | None = None,
    holdout: int | None = None,
    period: int | None = None,
    settings: Mapping[str, Any] | None = None,
    seeds: Sequence[int] = range(10),
    report: Callable[[], None] = lambda: None,
) -> ForecastReport:
    """Forecast a series past its end with an ensemble of echo state networks; `reservoir forecast` does the same.

    Holds out the end of the record, chooses settings on what comes before, measures the error on the hold-out beside the
    naive forecast (the last value) and the seasonal-naive one (the last period), then forecasts past the end.

    Parameters
    ----------
    data : the path of a CSV file, or an array (T,) or (T, n_columns)
    horizon : steps to forecast past the end; a tenth of the rows, at most 100, unless given
    columns : of a file, the columns to read, the only numeric one unless given; of an array, the names of its columns
    holdout : rows at the end to test on; the horizon unless given
    period : of the seasonal-naive forecast, in rows; estimated unless given
    settings : parameters of the networks that are not searched for, nested ones as `readout__ridge`
    seeds : one network each
    report : called after each fit

    Returns
    -------
    The report: `future` has median, low and high (horizon, n_columns) in the units of the data, `held_out` the same of the
    rows held out; `table()` has the errors on the hold-out, `to_csv(path)` writes the forecast, `plot()` draws it.

    Raises
    ------
    DataError
        Too short a series, a constant column, values that are missing or no numbers.
    ParameterError
        A number or a setting out of range, no seeds, as many names as there are not columns.
    DivergenceError
        No network stays finite.
    OSError
        The file cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import forecast
    >>> wave = np.sin(0.3 * np.arange(400))
    >>> settings = {"units": 50, "spectral_radius": 0.9, "leak_rate": 1.0, "input_scaling": 0.3}
    >>> report = forecast(wave, horizon=20, settings=settings, seeds=range(3))
    >>> report.future.median.shape
    (20, 1)
    >>> report.errors["echo state network"][0] < 0.1 * report.errors["naive"][0]
    True
    """
    if not len(seeds):
        raise ParameterError("The 'seeds' parameter of forecast must hold at least one seed. Got none; give one, as seeds=[0].")
    if isinstance(columns, str):
        columns = [columns]
    if isinstance(data, (str, os.PathLike)):
        series, names = read_csv(data, columns)
    else:
        sequences = as_sequences(data, "data")
        if len(sequences) > 1:
            raise DataError(f"data: must be one series, (T,) or (T, n_columns). Got {len(sequences)} sequences instead.")
        series = sequences[0]
        width = series.shape[1]
        names = [f"column {k + 1}" for k in range(width)] if columns is None else list(columns)
        if len(names) != width:
            raise ParameterError(
                f"The 'columns' parameter of forecast must name each of the {width} columns. Got {len(names)} names instead."
            )
    return forecast_record(series, names, horizon, holdout, period, settings, seeds, report)
