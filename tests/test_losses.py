"""Losses against sums by hand, scipy.special and central differences; the weights of a batch."""

from __future__ import annotations

import math

import numpy as np
import pytest
from messages import mentions
from scipy.special import log_softmax, softmax

from reservoir.gradient.losses import LOSSES, cross_entropy, loss_weights, squared_error
from reservoir.validation import DataError

DTYPES = (np.float64, np.float32)
DENSE = ("squared_error", "cross_entropy")  # whose targets have the shape of the outputs
SHAPES = [(0, 1), (1, 1), (5, 1), (7, 2), (3, 3), (4, 4), (6, 7), (2, 33)]


def problem(shape: tuple[int, int], dtype: type, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outputs, targets that are neither one-hot nor all distributions, and weights of which every third is 0."""
    generator = np.random.default_rng(seed)
    outputs, targets = generator.normal(0.0, 2.0, shape), generator.uniform(0.0, 1.0, shape)
    targets[1::2] /= targets[1::2].sum(axis=1, keepdims=True)
    targets[::4, 0] = 0.0
    weights = generator.uniform(0.1, 1.0, len(outputs))
    weights[2::3] = 0.0
    return outputs.astype(dtype), targets.astype(dtype), weights.astype(dtype)


def slow(name: str, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """The loss and its gradient from the definitions, in float64."""
    y, d, w = (part.astype(np.float64) for part in (outputs, targets, weights))
    loss, gradient = 0.0, np.zeros(y.shape)
    for n in range(len(y)):
        for o in range(y.shape[1]):
            if name == "squared_error":
                loss += w[n] * (y[n, o] - d[n, o]) ** 2
                gradient[n, o] = 2 * w[n] * (y[n, o] - d[n, o])
            else:
                loss -= w[n] * d[n, o] * log_softmax(y[n])[o]
                gradient[n, o] = w[n] * (softmax(y[n])[o] * d[n].sum() - d[n, o])
    return loss, gradient


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", DENSE)
def test_against_the_definition(name: str, shape: tuple[int, int], dtype: type) -> None:
    outputs, targets, weights = problem(shape, dtype)
    ref_loss, ref_gradient = slow(name, outputs, targets, weights)
    loss, gradient = LOSSES[name](outputs, targets, weights)
    tolerance = 1e-14 if dtype == np.float64 else 1e-6
    assert isinstance(loss, float) and gradient.dtype == dtype and gradient.shape == shape
    assert loss == pytest.approx(ref_loss, rel=10 * tolerance, abs=tolerance)
    np.testing.assert_allclose(gradient, ref_gradient, rtol=10 * tolerance, atol=tolerance)
    for part, before in zip((outputs, targets, weights), problem(shape, dtype), strict=True):
        np.testing.assert_array_equal(part, before)  # only read


@pytest.mark.parametrize("name", DENSE)
def test_the_gradient_by_central_differences(name: str) -> None:
    outputs, targets, weights = problem((5, 6), np.float64, 3)
    _, gradient = LOSSES[name](outputs, targets, weights)
    for n, o in np.ndindex(outputs.shape):
        high, low = outputs.copy(), outputs.copy()
        high[n, o] += 1e-5
        low[n, o] -= 1e-5
        difference = LOSSES[name](high, targets, weights)[0] - LOSSES[name](low, targets, weights)[0]
        assert gradient[n, o] == pytest.approx(difference / 2e-5, rel=1e-7, abs=1e-9)


def test_worked_examples() -> None:
    # errors 1, -2 and 3, 0: 2 (1 + 4) + .5 (9 + 0) = 14.5; gradients 2 w e
    loss, gradient = squared_error(np.array([[2.0, 1.0], [3.0, 5.0]]), np.array([[1.0, 3.0], [0.0, 5.0]]), np.array([2.0, 0.5]))
    assert loss == 14.5
    np.testing.assert_array_equal(gradient, [[4.0, -8.0], [3.0, 0.0]])
    # logits log 1, log 3: probabilities 1/4, 3/4; target the second: 2 log(4/3), gradient 2 (1/4, 3/4 - 1)
    loss, gradient = cross_entropy(np.log([[1.0, 3.0]]), np.array([[0.0, 1.0]]), np.array([2.0]))
    assert loss == pytest.approx(2 * math.log(4 / 3), rel=1e-15)
    np.testing.assert_allclose(gradient, [[0.5, -0.5]], rtol=1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 3, 4, 7, 9])
def test_logits_of_any_size(width: int, dtype: type) -> None:
    """The largest logit, wherever it is, wins by 1e30; and a constant on all changes nothing."""
    large = dtype(1e30)
    for winner in range(width):
        logits = np.full((1, width), -large)
        logits[0, winner] = large
        target = np.zeros((1, width), dtype)
        target[0, winner] = 1.0
        loss, gradient = cross_entropy(logits, target, np.ones(1, dtype))
        assert loss == 0.0
        np.testing.assert_array_equal(gradient, 0.0)
        target = np.roll(target, 1)
        loss, gradient = cross_entropy(logits, target, np.ones(1, dtype))
        assert loss == (pytest.approx(2e30, rel=1e-6) if width > 1 else 0.0)
        expected = np.zeros((1, width))
        expected[0, winner] += 1.0
        np.testing.assert_array_equal(gradient, expected - target)
    outputs, targets, weights = problem((5, width), dtype)
    shifted = cross_entropy(outputs + dtype(1000.0), targets, weights)
    plain = cross_entropy(outputs, targets, weights)
    assert shifted[0] == pytest.approx(plain[0], rel=1e-12 if dtype == np.float64 else 1e-3, abs=1e-12)
    np.testing.assert_allclose(shifted[1], plain[1], atol=1e-12 if dtype == np.float64 else 1e-4)


def test_a_class_that_cannot_be_and_is_not() -> None:
    loss, gradient = cross_entropy(np.array([[0.0, -np.inf, 0.0]]), np.array([[1.0, 0.0, 0.0]]), np.ones(1))
    assert loss == pytest.approx(math.log(2), rel=1e-15)
    np.testing.assert_allclose(gradient, [[-0.5, 0.0, 0.5]], rtol=1e-15)


@pytest.mark.parametrize("name", DENSE)
def test_rows_of_weight_zero_are_not_looked_at(name: str) -> None:
    outputs, targets, weights = problem((9, 5), np.float64)
    loss, gradient = LOSSES[name](outputs, targets, weights)
    for junk in (np.nan, np.inf):
        outputs[weights == 0.0] = junk
        targets[weights == 0.0] = -junk
        with np.errstate(invalid="ignore"):
            again, gradient_again = LOSSES[name](outputs, targets, weights)
        assert again == loss
        np.testing.assert_array_equal(gradient_again, gradient)
    np.testing.assert_array_equal(gradient[weights == 0.0], 0.0)


@pytest.mark.parametrize("column", range(6))
@pytest.mark.parametrize("name", DENSE)
def test_nan_is_seen(name: str, column: int) -> None:
    outputs, targets, weights = problem((4, 6), np.float64)
    outputs[1, column] = np.nan
    loss, gradient = LOSSES[name](outputs, targets, weights)
    assert math.isnan(loss) and np.isnan(gradient[1, column])
    assert np.isfinite(gradient[[0, 2, 3]]).all()


@pytest.mark.parametrize("name", DENSE)
def test_singles_are_summed_in_double(name: str) -> None:
    n = 3000
    outputs, targets = np.full((n, 2), 0.1, np.float32), np.tile(np.array([0.0, 1.0], np.float32), (n, 1))
    one = LOSSES[name](outputs[:1], targets[:1], np.ones(1, np.float32))[0]
    assert LOSSES[name](outputs, targets, np.ones(n, np.float32))[0] == pytest.approx(n * one, rel=1e-12)


def test_singles_are_squared_in_double() -> None:
    loss, _ = squared_error(np.full((1, 1), 0.1, np.float32), np.zeros((1, 1), np.float32), np.ones(1, np.float32))
    assert loss == float(np.float32(0.1)) ** 2


@pytest.mark.parametrize("name", DENSE)
def test_any_layout_and_type_of_the_targets(name: str) -> None:
    outputs, targets, weights = problem((6, 4), np.float32)
    ref = LOSSES[name](outputs, targets, weights)
    comp = LOSSES[name](np.asfortranarray(outputs), targets.astype(np.float64).T.copy().T, np.repeat(weights, 2)[::2])
    assert comp[0] == ref[0] and comp[1].tobytes() == ref[1].tobytes()


# The weights of a batch: lengths 4, 3 and 1, washout 1: 3 + 2 + 0 rows count

LENGTHS = np.array([4, 3, 1])
COUNTED = np.array([[0, 0, 0], [1, 1, 0], [1, 1, 0], [1, 0, 0]])


def test_weights_per_step() -> None:
    np.testing.assert_array_equal(loss_weights(LENGTHS, washout=1), COUNTED / 5)
    np.testing.assert_array_equal(loss_weights(LENGTHS, washout=1, n_outputs=2), COUNTED / 10)
    np.testing.assert_array_equal(loss_weights(LENGTHS, washout=1, reduction="sum", n_outputs=2), COUNTED / 3)
    np.testing.assert_array_equal(loss_weights(np.array([2, 2])), np.full((2, 2), 0.25))


def test_weights_per_sequence() -> None:
    np.testing.assert_array_equal(loss_weights(LENGTHS, per_step=False, washout=9), np.full(3, 1 / 3))
    np.testing.assert_array_equal(loss_weights(LENGTHS, per_step=False, n_outputs=2), np.full(3, 1 / 6))
    np.testing.assert_array_equal(loss_weights(LENGTHS, per_step=False, reduction="sum", n_outputs=2), np.full(3, 1 / 3))


def test_the_losses_that_the_weights_make() -> None:
    outputs, targets, _ = problem((12, 2), np.float64)  # (T, B) = (4, 3)
    errors = (outputs - targets).reshape(4, 3, 2)[COUNTED == 1]
    mean = squared_error(outputs, targets, loss_weights(LENGTHS, washout=1, n_outputs=2).ravel())[0]
    assert mean == pytest.approx(np.mean(errors**2), rel=1e-14)
    total = squared_error(outputs, targets, loss_weights(LENGTHS, washout=1, reduction="sum").ravel())[0]
    assert total == pytest.approx(np.sum(errors**2) / 3, rel=1e-14)


def test_errors_of_the_weights() -> None:
    for lengths in (LENGTHS, LENGTHS[:0]):
        with pytest.raises(DataError, match=mentions(f"{len(lengths) and 4} washout=4")):
            loss_weights(lengths, washout=4)
