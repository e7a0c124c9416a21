"""Every metric on worked examples, with the arithmetic beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from messages import mentions
from sklearn.metrics import accuracy_score, r2_score

from reservoir import DataError, metrics

SQUARES = [[1.0, 2.0], [3.0, 6.0], [5.0, 1.0]]  # targets of the two-output examples; means 3 and 3
GUESSES = [[1.0, 4.0], [2.0, 6.0], [5.0, 2.0]]  # errors 0 2, -1 0, 0 1

EXAMPLES: list[tuple[Callable[..., float], list[Any], dict[str, Any], float]] = [
    # errors -1, 0, 3: squares 1, 0, 9
    (metrics.mse, [[0.0, 2.0, 7.0], [1.0, 2.0, 4.0]], {}, 10 / 3),
    (metrics.rmse, [[0.0, 2.0, 7.0], [1.0, 2.0, 4.0]], {}, (10 / 3) ** 0.5),
    # errors 1, 0, 3
    (metrics.mae, [[0.0, 2.0, 7.0], [1.0, 2.0, 4.0]], {}, 4 / 3),
    # the history's differences two rows apart: 2, 3; a gap is passed over; 4/3 over 5/2
    (metrics.mase, [[0.0, 2.0, 7.0], [1.0, 2.0, 4.0], [1.0, 0.0, 3.0, -3.0, np.nan]], {"season": 2}, (4 / 3) / 2.5),
    # 1 over 1, 0 over 4, 3 over 11
    (metrics.smape, [[0.0, 2.0, 7.0], [1.0, 2.0, 4.0]], {}, 200 * (1 + 3 / 11) / 3),
    # within, on the border, above, below
    (metrics.coverage, [[0.0, 0.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0], [1.0, 2.0, 3.0, -2.0]], {}, 0.5),
    # widths 2; 1 above and 2 below, each 2 / .2 times
    (metrics.interval_score, [[0.0, 0.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0], [1.0, 2.0, 3.0, -2.0]], {"level": 80}, 2 + 30 / 4),
    # squares 0 4 1 0 0 1 over 6 numbers
    (metrics.mse, [GUESSES, SQUARES], {}, 1.0),
    # deviations -2 0 2 and -1 3 -2: variances 8/3 and 14/3, on average 11/3
    (metrics.nmse, [GUESSES, SQUARES], {}, 3 / 11),
    (metrics.nrmse, [GUESSES, SQUARES], {}, (3 / 11) ** 0.5),
    (metrics.nmse, [GUESSES, SQUARES], {"variance": 4.0}, 0.25),
    (metrics.nrmse, [GUESSES, SQUARES], {"variance": 4.0}, 0.5),
    # targets 1, 2, 6: mean 3, variance (4 + 1 + 9) / 3 with divisor T; the mean as the prediction scores 1
    (metrics.nmse, [[3.0, 3.0, 3.0], [1.0, 2.0, 6.0]], {}, 1.0),
    (metrics.nmse, [[2.0, 2.0, 6.0], [1.0, 2.0, 6.0]], {}, 1 / 14),
    # 1 - (1/3) / (8/3) = 7/8 and 1 - (5/3) / (14/3) = 9/14, on average 85/112
    (metrics.r2, [GUESSES, SQUARES], {}, 85 / 112),
    (metrics.r2, [[3.0, 3.0, 3.0], [1.0, 2.0, 6.0]], {}, 0.0),
    # errors 1, -2, 2 squared 1, 4, 4: 1 - 3 / (14/3)
    (metrics.r2, [[2.0, 0.0, 8.0], [1.0, 2.0, 6.0]], {}, 5 / 14),
    (metrics.r2, [[2.0, 2.0], [2.0, 2.0]], {}, 1.0),  # a constant target, met
    (metrics.r2, [[2.0, 3.0], [2.0, 2.0]], {}, 0.0),  # or missed
    (metrics.accuracy, [["a", "b", "b", "c"], ["a", "b", "c", "c"]], {}, 0.75),
    (metrics.accuracy, [[1, 0], [1, 0]], {}, 1.0),
    # nearest symbols 1, -3, 3, 3, -1, -1 (from -1.99): the third is wrong
    (
        metrics.symbol_error_rate,
        [[0.6, -9.0, 2.1, 40.0, -0.5, -1.99], [1, -3, 1, 3, -1, -1]],
        {"alphabet": [-3, -1, 1, 3]},
        1 / 6,
    ),
    (metrics.symbol_error_rate, [[np.nan, 3.0, np.inf], [3, 3, 3]], {"alphabet": [-3, -1, 1, 3]}, 1 / 3),
    (metrics.symbol_error_rate, [[[0.9], [-0.9]], [1, 1]], {"alphabet": [-1, 1]}, 0.5),
    # p: -1 0 1, y: -1 -1 2: (1 + 0 + 2)^2 / (2 * 6); and y = -2 p: 1, a constant: 0
    (metrics.memory_capacity, [[[0.0], [1.0], [2.0]], [[0.0], [0.0], [3.0]]], {}, 9 / 12),
    (
        metrics.memory_capacity,
        [[[0.0, 0.0, 5.0], [1.0, 1.0, 5.0], [2.0, 2.0, 5.0]], [[0.0, 4.0, 1.0], [0.0, 2.0, 2.0], [3.0, 0.0, 4.0]]],
        {},
        9 / 12 + 1.0 + 0.0,
    ),
    (metrics.memory_capacity, [[0.0, 1.0, 2.0], [0.0, 0.0, 3.0]], {}, 9 / 12),
]


@pytest.mark.parametrize(("metric", "arguments", "options", "ref"), EXAMPLES)
def test_worked_examples(metric: Callable[..., float], arguments: list[Any], options: dict[str, Any], ref: float) -> None:
    comp = metric(*arguments, **options)
    assert isinstance(comp, float) and comp == pytest.approx(ref, rel=1e-14, abs=1e-15)
    assert metric(*(np.array(argument) for argument in arguments), **options) == comp


def test_squared_correlations_are_one_per_column() -> None:
    generator = np.random.default_rng(0)
    predictions, targets = generator.normal(size=(2, 50, 3))
    predictions[:, 1] = 4.0
    ref = [np.corrcoef(predictions[:, k], targets[:, k])[0, 1] ** 2 if k != 1 else 0.0 for k in range(3)]
    np.testing.assert_allclose(metrics.squared_correlations(predictions, targets), ref, rtol=1e-12)


def test_r2_is_that_of_sklearn() -> None:
    predictions, targets = np.random.default_rng(0).normal(size=(2, 30, 3))
    targets[:, 1] = 2.0
    assert metrics.r2(predictions, targets) == pytest.approx(r2_score(targets, predictions), rel=1e-12)


def test_nrmse84_scores_the_84th_step_alone() -> None:
    # errors 3 and 1 at the 84th step of two starts: sqrt((9 + 1) / 2 / 20) = .5
    targets = np.tile(np.arange(100.0), (2, 1))
    predictions = targets + 7.0
    predictions[:, 83] = targets[:, 83] + [3.0, -1.0]
    assert metrics.nrmse84(predictions, targets, 20.0) == pytest.approx(0.5, rel=1e-15)
    assert metrics.nrmse84(predictions[:, :84, None], targets[:, :84, None], 20.0) == pytest.approx(0.5, rel=1e-15)
    with pytest.raises(DataError, match=mentions("nrmse84 (n_starts, 84 (2, 83)")):
        metrics.nrmse84(predictions[:, :83], targets[:, :83], 20.0)
    with pytest.raises(DataError, match=mentions("nrmse84")):
        metrics.nrmse84(predictions[0], targets[0], 20.0)


SPREAD, STEP, LYAPUNOV = [2.0, 1.0], 0.1, 0.9


@pytest.mark.parametrize(
    ("errors", "ref"),
    [
        # (e1 / 2)^2 and e2^2, their mean, its root: .4 gives sqrt(.04 / 2) = .141; .8, .1 gives sqrt(.17 / 2) = .292;
        # .8, .2 gives sqrt(.2 / 2) = .316, beyond .3
        ([[0.4, 0.0], [0.8, 0.1], [0.8, 0.2], [0.0, 0.0]], 2),
        ([[0.8, 0.2], [0.0, 0.0]], 0),
        ([[0.8, 0.1], [0.0, 0.0], [0.1, 0.1]], 3),  # never: the whole length
        ([[0.0, 0.0], [np.nan, 0.0], [0.0, 0.0]], 1),
        ([[0.0, 0.0], [0.0, np.inf]], 1),
        ([[0.0, 0.0], [1e200, 0.0]], 1),
    ],
)
def test_valid_prediction_time(errors: list[list[float]], ref: int) -> None:
    targets = np.full((len(errors), 2), 5.0)
    comp = metrics.valid_prediction_time(targets + errors, targets, SPREAD, STEP, LYAPUNOV)
    assert comp == pytest.approx(ref * 0.1 * 0.9, rel=1e-12, abs=0.0)


def test_valid_prediction_time_threshold_and_one_output() -> None:
    predictions = [0.0, 0.5, 0.9, 1.3]
    for shape in ((4,), (4, 1)):
        times = [
            metrics.valid_prediction_time(np.reshape(predictions, shape), np.zeros(shape), [1.0], 1.0, 1.0, threshold)
            for threshold in (0.3, 0.5, 1.0, 2.0)
        ]
        assert times == [1.0, 2.0, 3.0, 4.0]  # exactly at the threshold is not beyond it


@pytest.mark.parametrize("targets", [[2.0, 2.0], [0.1, 0.1, 0.1], [[1.0, 3.0], [1.0, 3.0]]])
@pytest.mark.parametrize("metric", [metrics.nmse, metrics.nrmse])
def test_constant_targets_have_no_nmse(metric: Callable[..., float], targets: Any) -> None:
    with pytest.raises(DataError, match=mentions("nmse targets 0")):
        metric(np.zeros_like(targets), targets)


@pytest.mark.parametrize(
    "metric", [metrics.mse, metrics.rmse, metrics.nmse, metrics.r2, metrics.accuracy, metrics.memory_capacity]
)
@pytest.mark.parametrize("shapes", [((3,), (4,)), ((3, 2), (3, 1)), ((2, 3), (3, 2)), ((0,), (3,))], ids=str)
def test_shapes_must_agree(shapes: tuple[tuple[int, ...], tuple[int, ...]], metric: Callable[..., float]) -> None:
    with pytest.raises(DataError, match=mentions("targets predictions")):
        metric(np.ones(shapes[0]), np.ones(shapes[1]))


@pytest.mark.parametrize("metric", [metrics.mse, metrics.nmse, metrics.r2])
def test_one_output_with_or_without_its_axis(metric: Callable[..., float]) -> None:
    predictions, targets = np.random.default_rng(0).normal(size=(2, 30))
    ref = metric(predictions, targets)
    assert metric(predictions[:, None], targets) == metric(predictions, targets[:, None]) == ref


@pytest.mark.parametrize("metric", [metrics.mse, metrics.rmse, metrics.nmse, metrics.r2])
def test_nan_shows(metric: Callable[..., float]) -> None:
    assert np.isnan(metric([np.nan, 1.0, 2.0], [0.0, 1.0, 2.0]))


@pytest.mark.parametrize("metric", [metrics.mse, metrics.rmse, metrics.nmse, metrics.r2])
def test_nan_among_the_targets_shows(metric: Callable[..., float]) -> None:
    assert np.isnan(metric([0.0, 1.0, 2.0], [np.nan, 1.0, 2.0]))


@pytest.mark.parametrize("value", [0.1, 0.7, 5.7])
def test_constants_whose_mean_is_rounded(value: float) -> None:
    targets = np.full(1001, value)
    assert np.var(targets) > 0.0  # which is why it does not tell
    assert metrics.r2(targets, targets) == 1.0 and metrics.r2(targets + 1.0, targets) == 0.0
    assert metrics.memory_capacity(3.0 * targets, targets) == 0.0
    with pytest.raises(DataError, match=mentions("targets constant")):
        metrics.nmse(targets + 1.0, targets)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, bool, np.float16])
def test_narrow_types_do_not_wrap_around(kind: Any) -> None:
    high = np.iinfo(np.int8).max if kind is not bool else True
    predictions, targets = np.array([0, high], kind), np.array([high, 0], kind)
    assert metrics.mse(predictions, targets) == float(high) ** 2
    assert metrics.nmse(predictions, targets) == 4.0  # the variance is (high / 2)^2
    assert metrics.r2(predictions, targets) == -3.0


def test_an_error_too_large_to_square_is_infinite() -> None:
    predictions, targets = [1e200, 1.0], [0.0, 1.0]
    assert metrics.mse(predictions, targets) == metrics.nmse(predictions, targets) == -metrics.r2(predictions, targets) == np.inf


@pytest.mark.parametrize("metric", [metrics.mse, metrics.nmse, metrics.r2, metrics.accuracy, metrics.memory_capacity])
@pytest.mark.parametrize("nothing", [[], np.empty((0, 2)), np.empty((3, 0)), 1.0], ids=str)
def test_nothing_to_score(nothing: Any, metric: Callable[..., float]) -> None:
    with pytest.raises(DataError, match=mentions("targets needed")):
        metric(nothing, nothing)


@pytest.mark.parametrize("kind", [int, str])
def test_accuracy_is_that_of_sklearn(kind: type) -> None:
    predictions, targets = np.random.default_rng(0).integers(0, 4, (2, 100)).astype(kind)
    assert metrics.accuracy(predictions, targets) == accuracy_score(targets, predictions)


@pytest.mark.parametrize("history", [[2.0, 2.0, 2.0], [1.0], [np.nan, 1.0, np.nan]])
def test_a_history_without_differences_gives_no_scale(history: list[float]) -> None:
    with pytest.raises(DataError, match=mentions("mase history 1")):
        metrics.mase([1.0], [2.0], history)
