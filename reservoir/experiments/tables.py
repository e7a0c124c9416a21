"""What the command line prints and writes of a forecast."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.base.tables import Table, number
from reservoir.files.writing import write_rows

if TYPE_CHECKING:
    from reservoir.forecasting.ensemble import Report


def forecast_table(report: Report) -> Table:
    """The errors on the hold-out: a row per forecast and column."""
    truth = report.series[-report.holdout :]
    ours, *trivial = report.errors
    rows, notes = [], []
    for k, column in enumerate(report.names):
        best = min(trivial, key=lambda name: report.errors[name][k])
        least = report.errors[best][k]
        for name, errors in report.errors.items():
            rows.append([column, name, number(errors[k]), quotient(errors[k], truth[:, k].std()), quotient(errors[k], least)])
        if report.errors[ours][k] >= least:
            notes.append(f"The {best} forecast of {column} is no worse than the network's; prefer it.")
    chosen = ", ".join(f"{name.replace('__', '.')}={value}" for name, value in report.settings.items())
    period = "none found" if report.period is None else str(report.period)
    inside = np.mean((report.held_out.low <= truth) & (truth <= report.held_out.high))
    notes += [
        f"Settings: {chosen}",
        f"Seasonal period: {period}. Rows: {len(report.series)}, held out: {report.holdout}.",
        f"The band held {inside:.0%} of the held-out values; it is meant to hold 80%.",
    ]
    diverged = report.held_out.diverged + report.future.diverged
    if diverged:
        networks = 2 * (len(report.future.members) + report.future.diverged)
        notes.append(f"{diverged} of {networks} networks diverged and were left out.")
    return Table("Error on the hold-out", ["column", "forecast", "rmse", "nrmse", "rmse / best naive"], rows, notes)


def quotient(error: float, scale: float) -> str:
    """An error relative to a scale, for people; nothing where the scale is zero."""
    return number(error / scale) if scale > 0.0 else ""


def forecast_json(report: Report) -> dict[str, Any]:
    """The errors, the settings and the forecasts, as plain data."""
    return {
        "columns": report.names,
        "rows": len(report.series),
        "holdout": report.holdout,
        "horizon": len(report.future.median),
        "period": report.period,
        "settings": report.settings,
        "rmse": report.errors,
        "diverged": report.held_out.diverged + report.future.diverged,
        "forecast": report.future.median,
        "low": report.future.low,
        "high": report.future.high,
    }


def write_forecast(path: str | os.PathLike[str], report: Report) -> None:
    """Write the forecast past the end: a row per step, with the number its row would have, the median and the band."""
    header = [f"{name}{suffix}" for name in report.names for suffix in ("", "_low", "_high")]
    future = report.future
    values = np.stack([future.median, future.low, future.high], axis=2).reshape(len(future.median), -1)
    write_rows(path, header, values, len(report.series) + 1)
