"""Initial weights: their moments and bounds, the structure of the recurrent ones, and seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reservoir.gradient.initializers import INITIALIZERS, MATRIX_INITIALIZERS, RECURRENT_INITIALIZERS, initialize
from reservoir.validation import Choice

SHAPES: dict[str, list[tuple[int, ...]]] = {
    "vector": [(1,), (7,), (0,)],
    "matrix": [(1, 1), (3, 7), (7, 3), (0, 5), (0, 0)],
    "recurrent": [(1, 1), (1, 4), (5, 5), (5, 20)],
}
CHOICES = {
    "vector": Choice(("normal", "uniform", "indrnn", "zeros")),
    "matrix": MATRIX_INITIALIZERS,
    "recurrent": RECURRENT_INITIALIZERS,
}
CASES = [(kind, shape) for group, choice in CHOICES.items() for kind in choice.names for shape in SHAPES[group]]


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_shape_type_and_seed(kind: str, shape: tuple[int, ...]) -> None:
    weights = initialize(kind, shape, generator(), 0.3)
    assert weights.shape == shape and weights.dtype == np.float64
    assert weights.flags.c_contiguous and np.isfinite(weights).all()
    assert weights.tobytes() == initialize(kind, shape, generator(), 0.3).tobytes()
    if weights.size > 1 and kind not in ("zeros", "identity"):
        source = generator()
        first, second = initialize(kind, (4, 4), source, 0.3), initialize(kind, (4, 4), source, 0.3)
        assert not np.array_equal(first, second)


def test_every_kind_is_a_choice() -> None:
    assert {kind for choice in CHOICES.values() for kind in choice.names} == set(INITIALIZERS)


# kind, shape, scale: lower and upper bound, mean, variance, fourth moment over the variance squared (normal 3, uniform 9/5)
MOMENTS = [
    ("normal", (200, 300), 0.1, -math.inf, math.inf, 0.0, 0.01, 3.0),
    ("uniform", (60_000,), 0.2, -0.2, 0.2, 0.0, 0.04 / 3, 1.8),
    ("glorot", (100, 500), 9.0, -0.1, 0.1, 0.0, 2 / 600, 1.8),  # the bound is sqrt(6 / 600)
    ("indrnn", (60_000,), 0.5, 0.0, 0.5, 0.25, 0.25 / 12, 1.8),
]


@pytest.mark.parametrize(("kind", "shape", "scale", "low", "high", "mean", "variance", "kurtosis"), MOMENTS)
def test_moments(
    kind: str, shape: tuple[int, ...], scale: float, low: float, high: float, mean: float, variance: float, kurtosis: float
) -> None:
    weights = initialize(kind, shape, generator(3), scale)
    n = weights.size
    assert low <= weights.min() and weights.max() <= high
    if math.isfinite(high):
        assert weights.max() - weights.min() > 0.999 * (high - low)
    assert weights.mean() == pytest.approx(mean, abs=4 * math.sqrt(variance / n))
    assert weights.var() == pytest.approx(variance, rel=4 * math.sqrt((kurtosis - 1) / n))
    assert np.mean((weights - weights.mean()) ** 4) / weights.var() ** 2 == pytest.approx(kurtosis, rel=0.05)


@pytest.mark.parametrize("gates", [1, 3, 4])
@pytest.mark.parametrize("units", [1, 2, 9])
def test_orthogonal_blocks(units: int, gates: int) -> None:
    weights = initialize("orthogonal", (units, gates * units), generator(), 0.1)
    blocks = [weights[:, g * units : (g + 1) * units] for g in range(gates)]
    for block in blocks:
        np.testing.assert_allclose(block @ block.T, np.eye(units), atol=1e-14)
    if units > 1 and gates > 1:
        assert not np.allclose(blocks[0], blocks[1])


def test_orthogonal_matrices_are_uniform_over_the_group() -> None:
    """Entries have mean 0 and variance 1 / H, and both determinants occur as often."""
    blocks = initialize("orthogonal", (3, 3 * 1500), generator(1), 1.0).reshape(3, 1500, 3).transpose(1, 0, 2)
    np.testing.assert_allclose(blocks.mean(axis=0), 0.0, atol=4 / math.sqrt(3 * 1500))
    np.testing.assert_allclose(blocks.var(axis=0), 1 / 3, rtol=0.12)
    assert np.mean(np.linalg.det(blocks) > 0.0) == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(1500))


def test_identity_blocks() -> None:
    eye = 0.5 * np.eye(3)
    np.testing.assert_array_equal(initialize("identity", (3, 6), generator(), 0.5), np.concatenate([eye, eye], axis=1))
    np.testing.assert_array_equal(initialize("identity", (3, 3), generator()), np.eye(3))


def test_zeros() -> None:
    np.testing.assert_array_equal(initialize("zeros", (2, 3), generator(), 0.5), np.zeros((2, 3)))


def test_the_choices_are_constraints() -> None:
    assert all(isinstance(choice, Choice) for choice in CHOICES.values())
    assert RECURRENT_INITIALIZERS.accepts("orthogonal") and not MATRIX_INITIALIZERS.accepts("orthogonal")
