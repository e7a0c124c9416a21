"""The parts of a forecast, which can be used alone, left out, and joined by a user's own.

A part compares itself on the past and keeps what it needs to go on: `fit(past)` returns its forecasts (M, n_origins, h)
from the inner origins of a `Past`, M >= 1 of them side by side, and plain arrays; `apply(past, arrays)` returns its forecasts
(M, h) past the end of a `Past`, which may be longer than the one it was fitted on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from reservoir.base.estimator import seed_sequence
from reservoir.base.threads import one_blas_thread, split_work
from reservoir.forecasting.direct import block_edges, block_regressions, coefficients
from reservoir.forecasting.features import draw_reservoir, inputs, linear_block, states
from reservoir.forecasting.past import Past
from reservoir.forecasting.references import drift, seasonal_naive, theta
from reservoir.forecasting.regression import Regression

Arrays = Mapping[str, np.ndarray]


class Part(Protocol):
    """What the parts of a forecast can do."""

    def fit(self, past: Past) -> tuple[np.ndarray, Arrays]:
        """Returns forecasts (M, n_origins, h) from the inner origins, and what is kept."""

    def apply(self, past: Past, arrays: Arrays) -> np.ndarray:
        """Returns forecasts (M, h) past the end."""


@dataclass(frozen=True)
class Reference:
    """A forecast that is a function of the series, its season, the origins and the horizon, as in `references`."""

    function: Callable[[np.ndarray, int, np.ndarray, int], np.ndarray]

    def fit(self, past: Past) -> tuple[np.ndarray, Arrays]:
        """Returns forecasts (1, n_origins, h) from the inner origins; nothing is kept."""
        return self.function(past.z, past.season, past.origins, past.horizon)[None], {}

    def apply(self, past: Past, arrays: Arrays) -> np.ndarray:
        """Returns the forecast (1, h) past the end."""
        return self.function(past.z, past.season, np.array([len(past.z)]), past.horizon)


@dataclass(frozen=True)
class Readouts:
    """Direct readouts of a linear block and, with `networks` > 0, of the states of reservoirs: see `direct`.

    There is a forecast for each reference that is corrected. Several networks are averaged, each beside the linear block.
    With `others`, they read the other columns of the past too; where there are none, there is no forecast.
    """

    networks: int = 0
    units: int = 100
    seed: int | np.random.SeedSequence = 0
    others: bool = False

    def features(self, past: Past, units: int, slowest: float) -> list[np.ndarray]:
        """The features (n, F) of each network; of the linear block alone where there is none."""
        columns = past.columns if self.others else past.columns[:, :0]
        block = linear_block(past, columns)
        if self.networks == 0:
            return [block]
        driven = inputs(past, columns)
        seeds = seed_sequence(self.seed).spawn(self.networks)
        drawn = [draw_reservoir(driven.shape[1], units, slowest, seed) for seed in seeds]
        return [np.column_stack([states(reservoir, driven), block]) for reservoir in drawn]

    def fit(self, past: Past) -> tuple[np.ndarray, Arrays]:
        """Returns forecasts (n_bases, n_origins, h) with the penalty of least error on them, and coefficients."""
        n, h, bases = len(past.z), past.horizon, past.bases
        if self.others and past.columns.shape[1] == 0:
            return np.empty((0, len(past.origins), h)), {}
        units = int(np.clip(n // 4, min(20, self.units), self.units))  # a short series has too few rows for many
        slowest = max(8.0, min(2.0 * h, n / 4))
        features = self.features(past, units, slowest)
        origins, edges = np.append(past.origins, n), block_edges(h)
        blocks = list(pairwise(edges)) * len(features)
        found: list[Any] = [None] * len(blocks)

        def work(start: int, stop: int) -> None:
            for i in range(start, stop):
                x = features[i * len(features) // len(blocks)]
                found[i] = block_regressions(x, past.z, bases, origins, past.season, *blocks[i])

        with one_blas_thread():
            split_work(work, len(blocks))
        networks = np.split(np.arange(len(blocks)), len(features))
        paths = np.mean([np.concatenate([found[i][0] for i in network], axis=3) for network in networks], axis=0)
        forecasts = paths[:, :, :-1] + bases[:, past.origins - 1]
        best = np.nanmean(np.square(forecasts - past.truth), axis=(2, 3)).argmin(axis=0)  # a penalty for each base
        kept = [
            [coefficients(found[i][1], np.repeat(best, b - a)).reshape(-1, len(best), b - a)
             for i, (a, b) in zip(network, blocks, strict=False)]
            for network in networks
        ]  # fmt: skip
        weights = np.stack([np.concatenate(network, axis=2) for network in kept])
        return forecasts[best, np.arange(len(best))], {
            "coefficients": weights,  # (networks, 1 + F, n_bases, h)
            "reservoir": np.array([units, slowest]),
        }

    def apply(self, past: Past, arrays: Arrays) -> np.ndarray:
        """Returns the forecasts (n_bases, h) past the end."""
        if self.others and past.columns.shape[1] == 0:
            return np.empty((0, past.horizon))
        units, slowest = arrays["reservoir"]
        last = [np.append(1.0, x[-1]) for x in self.features(past, int(units), float(slowest))]
        corrections = np.einsum("nf,nfbh->bh", np.stack(last), arrays["coefficients"]) / len(last)
        return np.asarray(past.bases[:, -1] + corrections)


def default_parts(seed: int | np.random.SeedSequence = 0) -> dict[str, Part]:
    """Return the parts that a forecast has by default, by name."""
    return {
        "seasonal naive": Reference(seasonal_naive),
        "drift": Reference(drift),
        "theta": Reference(theta),
        "regression": Regression(),
        "linear": Readouts(),
        "reservoir": Readouts(networks=2, seed=seed),
        "reservoir with others": Readouts(networks=2, seed=seed, others=True),
    }
