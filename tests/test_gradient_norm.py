"""The norm of the gradient, and the noise added to it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from kernel_arrays import DTYPES, random

from reservoir.gradient.optimizers import add_noise, clip_by_norm, global_norm

SIZES = (0, 1, 7, 33, 65)

# The norm


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [*SIZES, 63, 64, 128, 1000])
def test_global_norm(size: int, dtype: type) -> None:
    gradient = random(size, dtype)
    ref = math.sqrt(math.fsum(float(value) ** 2 for value in gradient))
    assert global_norm(gradient) == pytest.approx(ref, rel=1e-14)
    assert isinstance(global_norm(gradient), float)


def test_the_norm_of_large_and_small_singles() -> None:
    """Their squares are beyond single precision, not beyond double."""
    assert global_norm(np.array([3e30, 4e30], np.float32)) == pytest.approx(5e30, rel=1e-7)
    assert global_norm(np.array([3e-30, 4e-30], np.float32)) == pytest.approx(5e-30, rel=1e-7)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_seen_and_left(value: float, dtype: type) -> None:
    gradient = np.ones(70, dtype)
    gradient[40] = value
    kept = gradient.copy()
    norm = clip_by_norm(gradient, 1.0)
    assert math.isnan(norm) if math.isnan(value) else norm == math.inf
    np.testing.assert_array_equal(gradient, kept)


@pytest.mark.parametrize("dtype", DTYPES)
def test_clip_by_norm(dtype: type) -> None:
    gradient = np.array([2.0, -3.0, 6.0], dtype)  # 4 + 9 + 36 = 49
    assert clip_by_norm(gradient, 7.0) == clip_by_norm(gradient, 8.0) == clip_by_norm(gradient, None) == 7.0
    np.testing.assert_array_equal(gradient, [2.0, -3.0, 6.0])
    assert clip_by_norm(gradient, 3.5) == 7.0
    np.testing.assert_array_equal(gradient, [1.0, -1.5, 3.0])
    assert gradient.dtype == dtype
    assert clip_by_norm(np.zeros(3, dtype), 1.0) == 0.0


# Noise


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("step", "variance"), [(1, 0.3), (100, 0.3 / 100**0.55)])
def test_the_variance_of_the_noise(step: int, variance: float, dtype: type) -> None:
    n = 100_000
    gradient = np.full(n, 2.0, dtype)
    add_noise(gradient, step, 0.3, np.random.default_rng(5))
    assert gradient.dtype == dtype
    assert gradient.mean(dtype=np.float64) == pytest.approx(2.0, abs=4 * math.sqrt(variance / n))
    assert gradient.var(dtype=np.float64) == pytest.approx(variance, rel=4 * math.sqrt(2 / n))
    again = np.full(n, 2.0, dtype)
    add_noise(again, step, 0.3, np.random.default_rng(5))
    assert again.tobytes() == gradient.tobytes()
