"""The tasks of memory."""

from collections import Counter

import numpy as np
import pytest
from filter_tasks import SYMBOLS, naive_regression, perfect

from reservoir.tasks import get_task
from reservoir.tasks.memory import lagged


def test_lagged_columns_hold_the_past_and_zeros_before_it():
    # Lag 1 of 1, 2, 3 is 0, 1, 2; lag 5 lies before the start throughout.
    np.testing.assert_array_equal(lagged(np.array([1.0, 2.0, 3.0]), [0, 1, 5]), [[1, 0, 0], [2, 1, 0], [3, 2, 0]])


def test_memory_capacity_asks_for_the_inputs_of_the_past():
    data = get_task("memory-capacity", lags=12, washout=12, test_length=40).generate(6)
    u, y = data.test.inputs[0][:, 0], data.test.targets[0]
    assert y.shape == (52, 12)
    for t in range(12, 52):
        for k in range(1, 13):
            assert y[t, k - 1] == u[t - k]
    many = get_task("memory-capacity", lags=1, test_length=20000).generate(0).test.inputs[0]
    assert -0.8 <= many.min() < -0.799 and 0.799 < many.max() < 0.8 and abs(many.mean()) < 0.015


def test_memory_capacity_counts_the_lags_that_come_back():
    task = get_task("memory-capacity", lags=5, test_length=20000)
    data = task.generate(0)
    known = perfect(data)[0]
    known[:, :2] = 3.0 - 7.0 * known[:, :2]  # a correlation does not see offset, scale or sign
    known[:, 2:] = np.random.default_rng(0).normal(size=(20200, 3))
    assert task.score([known], data) == pytest.approx(2.0, abs=0.005)
    assert data.info["bound"] == "the model's number of units"


def test_memory_capacity_baseline_is_the_present_input():
    data = get_task("memory-capacity").generate(0)
    u, y = data.test.inputs[0][200:, 0], data.test.targets[0][200:]
    expected = sum(np.corrcoef(u, y[:, k])[0, 1] ** 2 for k in range(100))
    assert get_task("memory-capacity").baseline(data) == pytest.approx(expected, rel=1e-9)
    assert expected == pytest.approx(100 / 20000, abs=0.003)


@pytest.mark.parametrize("delay", [0, 1, 7])
@pytest.mark.parametrize("bits", [1, 2, 5])
def test_parity_counts_the_ones_of_its_window(bits, delay):
    data = get_task("parity", bits=bits, delay=delay, washout=11, train_length=80).generate(7)
    u, y = data.train.inputs[0][:, 0], data.train.targets[0][:, 0]
    assert set(u) == {-1.0, 1.0}
    for t in range(11, 91):
        ones = sum(u[t - delay - i] == -1.0 for i in range(bits))
        assert y[t] == (1.0 if ones % 2 == 0 else -1.0)


@pytest.mark.parametrize("delay", [0, 3, 11])
def test_delayed_recall_repeats_the_symbol(delay):
    data = get_task("delayed-recall", delay=delay, washout=11, train_length=80).generate(7)
    u, y = data.train.inputs[0][:, 0], data.train.targets[0][:, 0]
    assert set(u) == {-1.0, 1.0}
    assert [y[t] for t in range(11, 91)] == [u[t - delay] for t in range(11, 91)]


@pytest.mark.parametrize("name", SYMBOLS)
def test_symbols_are_read_from_the_sign(name):
    task = get_task(name)
    data = task.generate(0)
    (y,) = perfect(data)
    # Outputs of .2 y have errors of .8 y, and y is ±1: nmse .64 / var(y), var(y) = 1 - mean(y)².
    expected = {"accuracy": 1.0, "nmse": 0.64 / (1.0 - np.mean(y[200:]) ** 2)}
    assert task.scores([0.2 * y], data) == pytest.approx(expected)
    assert task.score([-y], data) == task.score([0.0 * y], data) == task.score([np.nan * y], data) == 0.0
    half = y.copy()
    half[200:700] *= -1.0
    assert task.score([half], data) == 1500 / 2000


@pytest.mark.parametrize("name", SYMBOLS)
@pytest.mark.parametrize("seed", range(3))
def test_symbol_baseline_is_the_commoner_train_sign(name, seed):
    data = get_task(name).generate(seed)
    (sign, _), *_ = Counter(data.train.targets[0][200:, 0]).most_common()
    assert get_task(name).baseline(data) == np.mean(data.test.targets[0][200:, 0] == sign)


def test_parity_is_beyond_linear_regression_and_recall_is_not():
    wanted, predicted = naive_regression(get_task("parity").generate(0), 12)
    assert np.mean(np.sign(predicted) == wanted) == pytest.approx(0.5, abs=0.05)
    wanted, predicted = naive_regression(get_task("delayed-recall").generate(0), 12)
    np.testing.assert_array_equal(np.sign(predicted), wanted)
