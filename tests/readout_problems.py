"""Regressions for readouts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from reservoir.echo.readouts.least_squares import Blocks

WITH_BIAS = pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])


def problem(shape: tuple[int, int], bias: bool, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features far from mean zero and of unlike scales, and two noisy targets far from mean zero."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=shape) * np.linspace(0.5, 3.0, shape[1]) + 2.0
    if bias:
        features[:, 0] = 1.0
    return features, features @ generator.normal(size=(shape[1], 2)) + generator.normal(size=(shape[0], 2)) - 5.0


def in_blocks(features: np.ndarray, targets: np.ndarray, bias: bool, sizes: Sequence[int] = (1, 7, 13, 2)) -> Blocks:
    """A stream in blocks of odd sizes, every block written over the one before, as a user's stream may do."""

    def make() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        buffer, start, k = np.empty_like(features[: max(sizes)]), 0, 0
        while start < len(features):
            rows = min(sizes[k % len(sizes)], len(features) - start)
            buffer[:rows] = features[start : start + rows]
            yield buffer[:rows], targets[start : start + rows]
            buffer[:] = np.nan
            start, k = start + rows, k + 1

    return Blocks(make, len(features), features.shape[1], targets.shape[1], bias)


def close(comp: np.ndarray, ref: np.ndarray, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(comp, ref, rtol=tolerance, atol=tolerance * np.abs(ref).max())
