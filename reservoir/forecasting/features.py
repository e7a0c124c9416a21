"""What the direct readouts read: the states of reservoirs, and lags, differences and waves of the season beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reservoir.echo.esn import ESN
from reservoir.echo.reservoir import Reservoir, build
from reservoir.forecasting.past import Past

LAGS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
HARMONICS = 3
CONNECTIONS = 10
FEWEST_LAGS = 8


def seasonal_difference(z: np.ndarray, season: int) -> np.ndarray:
    """The difference (n,) from the row a season ago; 0 in the first season."""
    out = np.zeros_like(z)
    out[season:] = z[season:] - z[:-season]
    return out


def waves(rows: np.ndarray, periods: Sequence[float], harmonics: int = HARMONICS) -> np.ndarray:
    """Sines and cosines (n, w) of the first harmonics of every period, as far as rows can show them.

    >>> waves(np.arange(4), [4.0]).round(9) + 0.0
    array([[ 0.,  1.,  1.],
           [ 1.,  0., -1.],
           [ 0., -1.,  1.],
           [-1.,  0., -1.]])
    """
    columns = []
    for period in periods:
        for harmonic in range(1, harmonics + 1):
            if 2 * harmonic <= period:
                angle = 2.0 * np.pi * harmonic * rows / period
                columns += [np.sin(angle), np.cos(angle)] if 2 * harmonic < period else [np.cos(angle)]
    return np.stack(columns, axis=1) if columns else np.empty((len(rows), 0))


def lagged(columns: np.ndarray, lags: Sequence[int]) -> np.ndarray:
    """The columns (n, d) some rows ago, side by side, (n, d * len(lags)); 0 before the first row."""
    out = np.zeros((len(columns), len(lags), columns.shape[1]))
    for k, lag in enumerate(lags):
        out[lag:, k] = columns[: len(columns) - lag]
    return out.reshape(len(columns), -1)


def inputs(past: Past, columns: np.ndarray) -> np.ndarray:
    """The inputs (n, d) of a reservoir: the series, its distance from the level, its seasonal difference, waves, others."""
    difference = seasonal_difference(past.z, past.season)
    own = [past.z, past.z - past.level, *([difference] if past.season > 1 else [])]
    return np.column_stack([*own, waves(np.arange(len(past.z)), past.periods), columns])


def linear_block(past: Past, columns: np.ndarray) -> np.ndarray:
    """Lags 0 1 2 3 4 6 8 12 ... up to a season of what the reservoir reads, without the level; the waves as they are.

    Where the effects of what is known ahead are taken off, the level has no trend, and is there too.
    """
    longest = min(max(past.season, FEWEST_LAGS), len(past.z) // 4)
    lags = [lag for lag in LAGS if lag <= longest]
    difference = seasonal_difference(past.z, past.season)
    own = [past.z - past.level, *([difference] if past.season > 1 else [])]
    level = [past.level] if past.known.shape[1] else []
    lagged_columns = lagged(np.column_stack([*own, columns]), lags)
    return np.column_stack([lagged_columns, *level, waves(np.arange(len(past.z)), past.periods)])


def draw_reservoir(n_inputs: int, units: int, slowest: float, seed: np.random.SeedSequence) -> Reservoir:
    """Draw a reservoir whose units leak at rates from 1 / slowest to 1, log-uniform."""
    rates, weights = seed.spawn(2)
    leak = np.exp(np.random.default_rng(rates).uniform(-np.log(slowest), 0.0, units))
    density = min(1.0, CONNECTIONS / units)
    network = ESN(units=units, spectral_radius=0.9, density=density, leak_rate=leak.tolist(), input_scaling=0.5, bias_scaling=0.3)
    return build(network, n_inputs, 0, weights)


def states(reservoir: Reservoir, driven: np.ndarray) -> np.ndarray:
    """The states (n, units) of a reservoir along inputs (n, d), from 0 on."""
    out = np.empty((len(driven), reservoir.units))
    reservoir.run(driven, [(0, 0, len(driven))], np.zeros((1, reservoir.units)), out)
    return out
