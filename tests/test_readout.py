"""Readouts against dense least squares, refitting, recurrences, and scikit-learn."""

from __future__ import annotations

import itertools

import naive
import numpy as np
import pytest
from messages import mentions
from readout_problems import WITH_BIAS, close, in_blocks, problem

from reservoir import (
    DataError,
    ParameterError,
    Ridge,
)
from reservoir.echo.readouts.least_squares import COLUMNS, upper_triangle

SHAPES = {"tall": (60, 7), "square": (8, 8), "wide": (6, 13), "one feature": (20, 2), "one row": (1, 4)}
SOLVERS = ("auto", "cholesky", "qr", "svd")
EVERY_SOLVER = pytest.mark.parametrize("solver", SOLVERS)
EVERY_SHAPE = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())


# Ridge


@EVERY_SOLVER
@EVERY_SHAPE
@WITH_BIAS
@pytest.mark.parametrize("penalty", [1e-3, 0.5, 30.0])
def test_ridge(penalty: float, bias: bool, shape: tuple[int, int], solver: str) -> None:
    features, targets = problem(shape, bias)
    ref = naive.ridge(features, targets, penalty, bias)
    comp = Ridge(penalty, solver).fit_arrays(features, targets, bias)
    close(comp.coefficients_.T, ref)
    assert comp.ridge_ == penalty


@EVERY_SOLVER
@WITH_BIAS
def test_no_ridge(bias: bool, solver: str) -> None:
    features, targets = problem((60, 7), bias)
    ref = naive.ridge(features, targets, 0.0, bias)
    close(Ridge(0.0, solver).fit_arrays(features, targets, bias).coefficients_.T, ref)


@pytest.mark.parametrize("solver", ["auto", "svd"])
@pytest.mark.parametrize("shape", [(8, 8), (6, 13)])
@WITH_BIAS
def test_no_ridge_and_more_features_than_needed_is_the_limit_of_small_ridges(
    bias: bool, shape: tuple[int, int], solver: str
) -> None:
    features, targets = problem(shape, bias)
    ref = naive.ridge(features, targets, 1e-11, bias)
    comp = Ridge(0.0, solver).fit_arrays(features, targets, bias).coefficients_.T
    close(comp, ref, 1e-6)
    close(features @ comp, targets, 1e-9)


@EVERY_SOLVER
def test_the_bias_is_not_penalized(solver: str) -> None:
    features, targets = problem((60, 7), True)
    comp = Ridge(1e12, solver).fit_arrays(features, targets, True).coefficients_.T
    close(comp[0], targets.mean(axis=0))
    assert np.abs(comp[1:]).max() < 1e-8


@EVERY_SOLVER
@pytest.mark.parametrize("penalty", [0.0, 0.1])
def test_a_bias_alone_is_the_mean(penalty: float, solver: str) -> None:
    targets = problem((9, 3), True)[1]
    close(Ridge(penalty, solver).fit_arrays(np.ones((9, 1)), targets, True).coefficients_.T, targets.mean(axis=0)[None])


def test_worked_example() -> None:
    # y = 1, 3, 8 at x = 0, 1, 2: means 4 and 1, sum of (x - 1)(y - 4) = 3 + 4 = 7, of (x - 1)^2 = 2;
    # with a ridge of 1.5 the slope is 7 / 3.5 = 2 and the intercept 4 - 2 = 2
    features = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    comp = Ridge(1.5).fit_arrays(features, np.array([[1.0], [3.0], [8.0]]), True).coefficients_.T
    np.testing.assert_allclose(comp, [[2.0], [2.0]], rtol=1e-14)


@EVERY_SOLVER
@EVERY_SHAPE
@WITH_BIAS
def test_streaming_equals_one_block(bias: bool, shape: tuple[int, int], solver: str) -> None:
    features, targets = problem(shape, bias)
    ref = Ridge(0.1, solver).fit_arrays(features, targets, bias)
    comp = Ridge(0.1, solver).fit(in_blocks(features, targets, bias))
    close(comp.coefficients_.T, ref.coefficients_.T, 1e-10)
    assert comp.solver_ == ref.solver_


@EVERY_SOLVER
def test_single_precision_features(solver: str) -> None:
    features, targets = problem((60, 7), True)
    single = features.astype(np.float32)
    ref = naive.ridge(single.astype(float), targets, 0.1, True)
    comp = Ridge(0.1, solver).fit(in_blocks(single, targets, True)).coefficients_.T
    assert comp.dtype == np.float64
    close(comp, ref)


@EVERY_SOLVER
def test_dependent_features_share_the_weight_with_a_ridge(solver: str) -> None:
    features, targets = problem((60, 4), True)
    features = np.concatenate([features, features[:, 3:]], axis=1)  # the last feature twice
    comp = Ridge(0.1, solver).fit_arrays(features, targets, True).coefficients_.T
    close(comp, naive.ridge(features, targets, 0.1, True), 1e-8)
    close(comp[3], comp[4], 1e-8)


def test_dependent_features_without_a_ridge() -> None:
    features, targets = problem((60, 4), True)
    ref = naive.ridge(features, targets, 0.0, True)
    features = np.concatenate([features, features[:, 3:], np.ones((60, 1))], axis=1)  # the last one, and the bias, twice
    for solver in ("svd", "auto"):
        comp = Ridge(0.0, solver).fit_arrays(features, targets, True).coefficients_.T
        close(comp[3], ref[3] / 2.0)
        close(comp[4], ref[3] / 2.0)
        close(features @ comp, features[:, :4] @ ref)
    with pytest.raises(DataError, match=mentions("0 'svd'")):
        Ridge(0.0, "qr").fit_arrays(features, targets, True)
    with pytest.raises(DataError, match=mentions("'cholesky' 'qr' 'svd'")):
        Ridge(0.0, "cholesky").fit_arrays(np.concatenate([features, 0.0 * features], axis=1), targets, True)


@pytest.mark.parametrize("half", [3, 50, 150])
def test_no_weight_on_directions_that_are_rounding_errors(half: int) -> None:
    features, targets = problem((1500, half), False)
    ref = np.concatenate([naive.ridge(features, targets, 0.0, False) / 2.0] * 2)
    for sizes in [(1500,), (512,)]:
        blocks = in_blocks(np.concatenate([features, features], axis=1), targets, False, sizes)
        close(Ridge(0.0, "svd").fit(blocks).coefficients_.T, ref, 1e-8)


def test_qr_does_not_square_the_condition_number() -> None:
    # singular values 1 ... 1e-6, known coefficients, no noise: rounding alone is left, about 1e-16 * 1e6 against 1e-16 * 1e12
    generator = np.random.default_rng(0)
    u, v = (np.linalg.qr(generator.normal(size=shape))[0] for shape in ((200, 12), (12, 12)))
    features, coefficients = u * np.geomspace(1.0, 1e-6, 12) @ v.T, generator.normal(size=(12, 2))
    targets = features @ coefficients
    error = {
        solver: np.abs(Ridge(0.0, solver).fit(in_blocks(features, targets, False)).coefficients_.T - coefficients).max()
        for solver in ("cholesky", "qr", "svd")
    }
    assert error["qr"] < 1e-8 and error["svd"] < 1e-8
    assert error["cholesky"] > 100.0 * max(error["qr"], error["svd"])


# The choice of a solver, and of a ridge


@pytest.mark.parametrize(
    ("factor", "shape", "ref"),
    [
        (1.001, (60, 7), "cholesky"),
        (0.999, (60, 7), "qr"),
        (0.0, (60, 7), "svd"),
        (1.001, (7, 7), "cholesky"),
        (2.0, (6, 13), "dual"),
        (1e-3, (6, 13), "svd"),
        (0.0, (6, 13), "svd"),
    ],
)
def test_auto_chooses_as_documented(factor: float, shape: tuple[int, int], ref: str) -> None:
    features, targets = problem(shape, True)
    penalty = factor * 10.0 * np.finfo(float).eps * np.square(features).sum()  # the trace of X^T X
    assert Ridge(penalty).fit(in_blocks(features, targets, True)).solver_ == ref
    if len(features) >= features.shape[1]:
        assert Ridge([penalty, 1.0]).fit(in_blocks(features, targets, True)).solver_ == ref


@EVERY_SOLVER
@pytest.mark.parametrize("shape", [(30, 7), (8, 8), (6, 13)], ids=["tall", "square", "wide"])
@WITH_BIAS
def test_leave_one_out_equals_refitting(bias: bool, shape: tuple[int, int], solver: str) -> None:
    features, targets = problem(shape, bias, 1)
    penalties = [1e-3, 0.1, 1.0, 10.0, 1e3]
    ref = [naive.leave_one_out(features, targets, penalty, bias) for penalty in penalties]
    comp = Ridge(penalties, solver).fit(in_blocks(features, targets, bias))
    close(comp.leave_one_out_, np.array(ref), 1e-7)
    assert comp.ridge_ == penalties[int(np.argmin(ref))]
    close(comp.coefficients_.T, naive.ridge(features, targets, comp.ridge_, bias), 1e-8)


def test_ridge_list_prefers_the_larger_on_a_tie_and_takes_any_order() -> None:
    features, targets = problem((30, 7), True)
    assert Ridge([0.1, 10.0, 1.0]).fit_arrays(features, 0.0 * targets, True).ridge_ == 10.0
    one, other = (Ridge(some).fit_arrays(features, targets, True) for some in ([0.1, 10.0], (10.0, 0.1)))
    assert one.ridge_ == other.ridge_
    close(one.leave_one_out_, other.leave_one_out_[::-1])


def test_ridge_list_of_one() -> None:
    features, targets = problem((30, 7), True)
    comp = Ridge([0.1]).fit_arrays(features, targets, True)
    assert comp.ridge_ == 0.1
    close(comp.coefficients_.T, naive.ridge(features, targets, 0.1, True))


# Learning on


@EVERY_SOLVER
@WITH_BIAS
@pytest.mark.parametrize("borders", [(0, 60), (0, 3, 60), (0, 20, 21, 60)])
@pytest.mark.parametrize("first", ["fit", "partial_fit"])
def test_partial_fit_equals_fit(first: str, borders: tuple[int, ...], bias: bool, solver: str) -> None:
    features, targets = problem((60, 7), bias)
    comp = Ridge(0.1, solver)
    for start, stop in itertools.pairwise(borders):
        blocks = in_blocks(features[start:stop], targets[start:stop], bias)
        getattr(comp, first if start == 0 else "partial_fit")(blocks)
        close(comp.coefficients_.T, naive.ridge(features[:stop], targets[:stop], 0.1, bias), 1e-8)


def test_fit_forgets() -> None:
    features, targets = problem((60, 7), True)
    comp = Ridge(0.1).fit_arrays(features, targets, True).fit_arrays(features[:30], targets[:30], True)
    close(comp.coefficients_.T, naive.ridge(features[:30], targets[:30], 0.1, True))
    comp.fit_arrays(features[:5], targets[:5], True).partial_fit(in_blocks(features[5:20], targets[5:20], True))
    close(comp.coefficients_.T, naive.ridge(features[:20], targets[:20], 0.1, True))


def test_partial_fit_takes_one_ridge() -> None:
    with pytest.raises(ParameterError, match=mentions("'ridge' Ridge partial_fit")):
        Ridge([0.1, 1.0]).partial_fit(in_blocks(*problem((60, 7), True), True))


def test_partial_fit_of_restored_weights_is_refused_every_time() -> None:
    comp = Ridge(0.1)
    comp.restore({"coefficients": np.zeros((7, 2))}, 7, 2)
    for _ in range(2):
        with pytest.raises(ParameterError, match=mentions("partial_fit")):
            comp.partial_fit(in_blocks(*problem((60, 7), True), True))
    np.testing.assert_array_equal(comp.coefficients_.T, np.zeros((7, 2)))


@pytest.mark.parametrize("size", [0, 1, COLUMNS - 1, COLUMNS, 2 * COLUMNS + 33])
def test_the_copy_of_a_triangle(size: int) -> None:
    matrix = np.random.default_rng(0).normal(size=(size + 1, size + 1))[1:, 1:]
    copy = upper_triangle(matrix)
    np.testing.assert_array_equal(np.triu(copy), np.triu(matrix))
    assert copy.flags.f_contiguous and not np.shares_memory(copy, matrix)
    assert not np.tril(copy, -COLUMNS).any()
