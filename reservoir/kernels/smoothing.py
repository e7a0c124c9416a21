"""Simple exponential smoothing, several rates side by side."""

from __future__ import annotations

from reservoir.kernels.jit import jit


@jit
def smooth_levels(series, drift, rates, levels, errors):
    """Simple exponential smoothing with a drift d: f = l + d, l = f + a (z - f), for each smoothing rate a.

    The series (T,) starts the `levels` (A,), which receive the final ones; `errors` (A,) receive the sums of (z - f)^2.
    """
    levels[:] = series[0]
    errors[:] = 0.0
    for t in range(1, series.size):
        for i in range(rates.size):
            forecast = levels[i] + drift
            error = series[t] - forecast
            errors[i] += error * error
            levels[i] = forecast + rates[i] * error
