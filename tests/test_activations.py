"""Activations against 60-digit arithmetic, in units of the last place, and their derivatives against differences."""

from __future__ import annotations

import math

import naive
import numpy as np
import pytest

from reservoir.kernels.activations import CODES, activate, derivative

DTYPES = (np.float64, np.float32)
BOUNDS = {np.float64: 2.0, np.float32: 4.0}
SIZES = (0, 1, 7, 33)
HARDEST = [0.6254316802878186, 0.6335302, 1.9463563395024335, 4.157294, 4.845113915295837]
"""The worst of 30 million doubles and of all singles, and of a sigmoid without its correction."""


def activated(name: str, x: np.ndarray) -> np.ndarray:
    out = x.copy()
    activate(CODES[name], out)
    assert out.dtype == x.dtype and out.shape == x.shape
    return out


def around(points: np.ndarray | list[float], dtype: type) -> np.ndarray:
    """Each point, and its two neighbors on both sides."""
    x = np.asarray(points, dtype)
    up, down = np.nextafter(x, dtype(np.inf)), np.nextafter(x, dtype(-np.inf))
    return np.concatenate([x, up, down, np.nextafter(up, dtype(np.inf)), np.nextafter(down, dtype(-np.inf))])


def sample(name: str, dtype: type) -> np.ndarray:
    """Every magnitude from the least denormal up, the places where a formula changes, and the ends of the range."""
    info = np.finfo(dtype)
    largest = 20.0 if name == "tanh" else 746.0 if dtype == np.float64 else 104.0
    halves = (np.arange(int(largest / math.log(2)) + 2) + 0.5) * math.log(2)  # where k of the range reduction changes
    saturation = {"tanh": [9.0, 10.0, 19.0, 20.0, 22.0], "sigmoid": [36.0, 87.0, 88.0, 103.0, 104.0, 708.0, 745.0, 746.0]}
    branches = np.concatenate([halves / 2.0 if name == "tanh" else halves, saturation[name], [0.625, 1.0, 0.5]])
    generator = np.random.default_rng(1)
    magnitudes = np.concatenate(
        [
            around(branches, dtype),
            around(HARDEST, dtype),
            np.linspace(0.0, 1.5, 400, dtype=dtype),
            generator.uniform(0.0, largest, 600).astype(dtype),
            np.exp2(generator.uniform(np.log2(info.smallest_subnormal), 4.0, 400)).astype(dtype),
            np.array([info.smallest_subnormal, info.tiny, np.nextafter(info.tiny, dtype(0)), info.max], dtype),
        ]
    )
    return np.concatenate([magnitudes, -magnitudes])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_within_a_few_ulps_over_the_whole_range(name: str, dtype: type) -> None:
    x = sample(name, dtype)
    comp = activated(name, x)
    errors = [naive.ulps(dtype(value), naive.exactly(name, float(point))) for point, value in zip(x, comp, strict=True)]
    worst = int(np.argmax(errors))
    assert errors[worst] <= BOUNDS[dtype], f"{errors[worst]:.2f} ulp at {x[worst]!r}"


@pytest.mark.parametrize("dtype", DTYPES)
def test_denormal_results_of_the_sigmoid_are_kept(dtype: type) -> None:
    x = np.array([-740.0, -720.0] if dtype == np.float64 else [-100.0, -90.0], dtype)
    comp = activated("sigmoid", x)
    assert (comp > 0.0).all() and (comp < np.finfo(dtype).tiny).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "x", "ref"),
    [
        ("tanh", [np.inf, -np.inf, 1e30, -1e30], [1, -1, 1, -1]),
        ("sigmoid", [np.inf, -np.inf, 1e30, -1e30, 0.0, -0.0], [1, 0, 1, 0, 0.5, 0.5]),
        ("relu", [np.inf, -np.inf, 3.5, -3.5, 0.0], [np.inf, 0, 3.5, 0, 0]),
        ("identity", [np.inf, -np.inf, 3.5, -3.5, 0.0], [np.inf, -np.inf, 3.5, -3.5, 0]),
    ],
)
def test_ends_of_the_range(name: str, x: list[float], ref: list[float], dtype: type) -> None:
    np.testing.assert_array_equal(activated(name, np.array(x, dtype)), np.array(ref, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", list(CODES))
def test_nan_stays_nan_and_spoils_nothing_beside_it(name: str, dtype: type) -> None:
    x = np.linspace(-3.0, 3.0, 33, dtype=dtype)
    ref = activated(name, x)
    x[[0, 7, 32]] = np.nan
    comp = activated(name, x)
    bad = np.isnan(x)
    np.testing.assert_array_equal(np.isnan(comp), bad)
    np.testing.assert_array_equal(comp[~bad], ref[~bad])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["tanh", "identity"])
def test_sign_of_zero_is_kept(name: str, dtype: type) -> None:
    comp = activated(name, np.array([0.0, -0.0], dtype))
    assert (comp == 0.0).all()
    np.testing.assert_array_equal(np.signbit(comp), [False, True])


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_is_odd_and_bounded(dtype: type) -> None:
    x = sample("tanh", dtype)
    comp = activated("tanh", x)
    np.testing.assert_array_equal(comp, -activated("tanh", -x))
    assert np.abs(comp).max() == 1.0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", list(CODES))
def test_every_element_once_and_nothing_beyond(name: str, size: int, dtype: type) -> None:
    buffer = np.linspace(-2.0, 2.0, size + 10, dtype=dtype)
    ref = buffer.copy()
    ref[5 : 5 + size] = [naive.ACTIVATIONS[name](float(value)) for value in buffer[5 : 5 + size]]
    activate(CODES[name], buffer[5 : 5 + size])
    np.testing.assert_allclose(buffer, ref, rtol=4 * np.finfo(dtype).eps, atol=0)
    np.testing.assert_array_equal(buffer[[*range(5), *range(5 + size, size + 10)]], ref[[*range(5), *range(-5, 0)]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", list(CODES))
def test_derivative_is_the_slope(name: str, size: int, dtype: type) -> None:
    f, h = naive.ACTIVATIONS[name], 1e-5
    x = np.linspace(-2.05, 2.0, size).astype(dtype)  # no point at the corner of relu
    y = np.array([f(float(value)) for value in x], dtype)
    comp = np.full(size, np.nan, dtype)
    derivative(CODES[name], y, comp)
    ref = [(f(float(value) + h) - f(float(value) - h)) / (2.0 * h) for value in x]
    np.testing.assert_allclose(comp, ref, atol=1e-9 if dtype == np.float64 else 5e-7)


def test_derivative_where_the_unit_is_silent_or_saturated() -> None:
    comp = np.full(2, np.nan)
    derivative(CODES["relu"], np.array([0.0, 1e-300]), comp)
    np.testing.assert_array_equal(comp, [0.0, 1.0])
    derivative(CODES["tanh"], np.array([1.0, -1.0]), comp)
    np.testing.assert_array_equal(comp, [0.0, 0.0])
