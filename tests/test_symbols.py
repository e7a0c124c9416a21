"""Kernels of symbols: rows for one-hot products, and the loss whose targets are symbols, against loops and differences."""

from __future__ import annotations

import math

import naive_language
import numpy as np
import pytest
from messages import mentions

from reservoir.gradient.losses import LOSSES
from reservoir.kernels.activations import exponential32, exponential64
from reservoir.kernels.jit import jit
from reservoir.kernels.symbols import (
    add_input_product,
    add_rows_of,
    add_to_rows,
    input_weight_gradient,
    softmax_cross_entropy,
)
from reservoir.validation import DataError

DTYPES = (np.float64, np.float32)
SHAPES = [(0, 1, 1), (1, 1, 1), (7, 3, 5), (33, 7, 33), (5, 40, 2)]  # rows, symbols, columns


@jit
def _product(inputs, weights, total):
    add_input_product(inputs, weights, total)


@jit
def _gradient(inputs, gradient, add, total):
    input_weight_gradient(inputs, gradient, add, total)


@jit
def _exponentials(t):
    for i in range(t.size):
        t[i] = exponential64(np.float64(t[i])) if t.itemsize == 8 else exponential32(np.float32(t[i]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rows", "count", "columns"), SHAPES)
def test_rows_are_products_with_one_hot_vectors(rows: int, count: int, columns: int, dtype: type) -> None:
    generator = np.random.default_rng(0)
    symbols = generator.integers(0, count, (rows, 1))
    weights = generator.normal(size=(count, 2 * columns)).astype(dtype)[:, columns:]  # rows lie apart
    before = generator.normal(size=(rows, columns)).astype(dtype)
    vectors = naive_language.one_hot(symbols[:, 0].tolist(), count)
    ref = before + naive_language.product(vectors, weights.tolist(), columns)
    for kernel in (_product, lambda s, w, t: add_rows_of(w, s, t)):
        comp = before.copy()
        kernel(symbols, weights, comp)
        np.testing.assert_allclose(comp, ref, rtol=1e-6 if dtype == np.float32 else 1e-15)
    comp = before.copy()
    _product(np.array(vectors, dtype).reshape(rows, count), weights, comp)
    np.testing.assert_allclose(comp, ref, rtol=1e-6 if dtype == np.float32 else 1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rows", "count", "columns"), SHAPES)
def test_gradients_go_to_the_rows_of_their_symbols(rows: int, count: int, columns: int, dtype: type) -> None:
    generator = np.random.default_rng(1)
    symbols = generator.integers(0, count, (rows, 1))
    gradient = generator.normal(size=(rows, 2 * columns)).astype(dtype)[:, columns:]
    before = generator.normal(size=(count, columns)).astype(dtype)
    vectors = np.array(naive_language.one_hot(symbols[:, 0].tolist(), count), dtype).reshape(rows, count)
    ref = naive_language.product(vectors.T.tolist(), gradient.tolist(), columns)
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == np.float32 else {"rtol": 1e-13, "atol": 1e-14}
    for inputs in (symbols, vectors):
        comp = before.copy()
        _gradient(inputs, gradient, True, comp)
        np.testing.assert_allclose(comp, before + ref, **tolerance)
        _gradient(inputs, gradient, False, comp)
        np.testing.assert_allclose(comp, ref, **tolerance)
    comp = before.copy()
    add_to_rows(gradient, symbols, comp)
    np.testing.assert_allclose(comp, before + ref, **tolerance)


def test_gradients_are_added_in_the_order_of_the_symbols() -> None:
    parts = np.array([[1e8], [1.0], [-1e8], [1.0]], np.float32)
    total = np.zeros((2, 1), np.float32)
    add_to_rows(parts, np.array([[1], [1], [1], [1]]), total)
    assert total.tolist() == [[0.0], [1.0]]  # (1e8 + 1) is 1e8 in float32


@pytest.mark.parametrize("dtype", DTYPES)
def test_exponentials(dtype: type) -> None:
    largest = 600.0 if dtype == np.float64 else 60.0
    t = np.concatenate([np.linspace(-largest, 0.0, 1001), [-1e-30, -0.0, -2 * largest, -math.inf, math.nan]]).astype(dtype)
    comp = t.copy()
    _exponentials(comp)
    ref = np.exp(t.astype(np.float64))
    ref[t < -largest] = 0.0
    np.testing.assert_allclose(comp, ref, rtol=4 * np.finfo(dtype).eps)


def problem(rows: int, width: int, dtype: type) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outputs, symbols, and weights of which every third is 0."""
    generator = np.random.default_rng(2)
    weights = generator.uniform(0.1, 1.0, rows)
    weights[2::3] = 0.0
    return generator.normal(0, 3, (rows, width)).astype(dtype), generator.integers(0, width, rows), weights.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rows", "width"), [(0, 3), (1, 1), (1, 2), (7, 31), (5, 32), (4, 33), (3, 1000)])
def test_softmax_cross_entropy_against_loops(rows: int, width: int, dtype: type) -> None:
    outputs, symbols, weights = problem(rows, width, dtype)
    ref_loss, ref_gradient = naive_language.softmax_cross_entropy(outputs, symbols.tolist(), weights.tolist())
    loss = softmax_cross_entropy(outputs, symbols, weights)
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    assert loss == pytest.approx(ref_loss, rel=tolerance, abs=tolerance)
    np.testing.assert_allclose(outputs, ref_gradient, rtol=10 * tolerance, atol=tolerance)


def test_the_gradient_by_central_differences() -> None:
    outputs, symbols, weights = problem(4, 5, np.float64)
    gradient = outputs.copy()
    softmax_cross_entropy(gradient, symbols, weights)
    for place in np.ndindex(outputs.shape):
        step = np.zeros(outputs.shape)
        step[place] = 1e-5
        high, low = (softmax_cross_entropy(outputs + sign * step, symbols, weights) for sign in (1, -1))
        assert gradient[place] == pytest.approx((high - low) / 2e-5, abs=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
def test_outputs_of_any_size(dtype: type) -> None:
    outputs = np.array([[1000.0, 1000.0, -1e4], [-1e30, 0.0, -5.0]], dtype)
    loss = softmax_cross_entropy(outputs, np.array([0, 1]), np.array([1.0, 1.0], dtype))
    assert loss == pytest.approx(math.log(2.0) + math.log(1 + math.exp(-5.0)), rel=1e-6)
    assert outputs[0].tolist() == [-0.5, 0.5, 0.0] and outputs[1, 0] == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("place", [0, 1, 40])
def test_what_is_not_finite_shows_in_the_loss_unless_its_weight_is_0(value: float, place: int) -> None:
    outputs, weights = np.zeros((2, 41)), np.array([1.0, 0.0])
    outputs[1, place] = value
    assert softmax_cross_entropy(outputs.copy(), np.array([3, 3]), weights) == pytest.approx(math.log(41))
    with np.errstate(invalid="ignore"):  # where the kernel is interpreted
        assert math.isnan(softmax_cross_entropy(outputs, np.array([3, 3]), weights[::-1].copy()))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_loss_of_symbols_is_that_of_one_hot_targets(dtype: type) -> None:
    outputs, symbols, weights = problem(9, 7, dtype)
    ref_loss, ref_gradient = LOSSES["cross_entropy"](outputs, np.eye(7)[symbols], weights)
    loss, gradient = LOSSES["symbol_cross_entropy"](outputs, symbols[:, None].astype(dtype), weights)
    assert loss == pytest.approx(ref_loss, rel=1e-6)
    np.testing.assert_allclose(gradient, ref_gradient, rtol=1e-5, atol=1e-7)
    assert gradient is outputs


def test_shapes_that_do_not_agree() -> None:
    loss = LOSSES["symbol_cross_entropy"]
    for targets, weights in ((np.zeros((2, 3)), np.ones(2)), (np.zeros((3, 1)), np.ones(2)), (np.zeros((2, 1)), np.ones(3))):
        with pytest.raises(DataError, match=mentions("(N, 1) (N,)")):
            loss(np.zeros((2, 3)), targets, weights)
