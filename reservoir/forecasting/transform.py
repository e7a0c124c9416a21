"""The power transform of a series under which its spread does not follow its level: logarithm, square root, or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

POWERS = (0.0, 0.5, 1.0)
"""0 is the logarithm, 1 leaves the series as it is."""
LARGEST_LOGARITHM = 50.0
GAIN = 0.85
SHORTEST_BLOCK, FEWEST_BLOCKS = 8, 3


def choose_power(series: np.ndarray, season: int = 1) -> float:
    """Choose the power under which the spread within a season follows the level least (Guerrero 1993).

    The series (n,) is cut into blocks of a season, at least 8 rows each; a power p is as good as the coefficient of
    variation of sd / mean^(1 - p) over the blocks is small. A power below 1 has to bring it under .85 of its value at 1.
    A series with values below 0 stays as it is; only a positive one can have a logarithm.

    >>> steps = np.arange(96)
    >>> choose_power(np.exp(0.02 * steps) * (2.0 + np.sin(np.pi * steps / 6)), season=12)
    0.0
    >>> choose_power(0.2 * steps + np.sin(np.pi * steps / 6) + 2.0, season=12)
    1.0
    """
    block = max(season, SHORTEST_BLOCK)
    count = len(series) // block
    if count < FEWEST_BLOCKS or series.min() < 0.0:
        return 1.0
    blocks = series[len(series) - count * block :].reshape(count, block)
    mean, spread = blocks.mean(axis=1), blocks.std(axis=1)
    if mean.min() <= 0.0 or spread.max() == 0.0:
        return 1.0
    ratios = {power: spread / mean ** (1.0 - power) for power in POWERS if power > 0.0 or series.min() > 0.0}
    variation = {power: float(ratio.std() / ratio.mean()) for power, ratio in ratios.items()}
    best = min(variation, key=variation.__getitem__)
    return best if variation[best] < GAIN * variation[1.0] else 1.0


def forward(values: np.ndarray, power: float) -> np.ndarray:
    """Transform values: their logarithm (power 0), their square root (.5), or the values themselves (1)."""
    if power == 0.0:
        return np.asarray(np.log(values))
    return np.sqrt(values) if power == 0.5 else np.asarray(values)


def inverse(values: np.ndarray, power: float) -> np.ndarray:
    """Undo `forward`. What lies below the root of 0 becomes 0, and a logarithm above 50 counts as 50."""
    if power == 0.0:
        return np.asarray(np.exp(np.minimum(values, LARGEST_LOGARITHM)))
    return np.square(np.maximum(values, 0.0)) if power == 0.5 else np.asarray(values)


@dataclass(frozen=True)
class Scale:
    """How a series is transformed and standardized: z = (forward(y) - mean) / spread."""

    power: float
    mean: float
    spread: float
    positive: bool  # no value is below 0, and no forecast will be

    @classmethod
    def of(cls, series: np.ndarray, power: float) -> Scale:
        """The scale of a series (n,) without gaps under a power."""
        z = forward(series, power)
        return cls(power, float(z.mean()), float(z.std()), bool(series.min() >= 0.0))

    def standardized(self, values: np.ndarray) -> np.ndarray:
        """From the units of the series; values at or below 0 where these have no transform count as tiny."""
        bounded = np.maximum(values, 1e-9) if self.power < 1.0 else values
        return (forward(bounded, self.power) - self.mean) / self.spread

    def restored(self, z: np.ndarray) -> np.ndarray:
        """Back to the units of the series."""
        values = inverse(z * self.spread + self.mean, self.power)
        return np.maximum(values, 0.0) if self.positive else values
