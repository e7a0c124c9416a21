"""NARMA and the equalization of a channel."""

import math

import numpy as np
import pytest
from filter_tasks import NARMA, naive_regression
from messages import mentions

from reservoir.tasks import get_task, narma
from reservoir.tasks.channel import distort
from reservoir.tasks.narma import Narma10, Narma20, Recurrence
from reservoir.validation import ParameterError

REDRAWN = 16  # the first seed whose narma10 diverges once, in the test split


def naive_narma(u, order, own, total, product, constant, squashed):
    y = dict.fromkeys(range(-order, 1), 0.0)
    for t in range(len(u)):
        memory = 0.0
        for i in range(order):
            memory += y[t - i]
        early = u[t - (order - 1)] if t >= order - 1 else 0.0
        y[t + 1] = own * y[t] + total * y[t] * memory + product * early * u[t] + constant
        if squashed:
            y[t + 1] = math.tanh(y[t + 1])
    return np.array([y[t + 1] for t in range(len(u))])


def naive_channel(d, n):
    q = 0.08 * d[n + 2] - 0.12 * d[n + 1] + d[n] + 0.18 * d[n - 1] - 0.1 * d[n - 2] + 0.091 * d[n - 3]
    q += -0.05 * d[n - 4] + 0.04 * d[n - 5] + 0.03 * d[n - 6] + 0.01 * d[n - 7]
    return q + 0.036 * q * q - 0.011 * q * q * q


def naive_clean(split):
    """The noise-free input of the rows that the targets d(n-2) determine, and those rows' inputs."""
    d = {row - 2: symbol for row, symbol in enumerate(split.targets[0][:, 0])}
    rows = range(5, len(d) - 4)
    return np.array([naive_channel(d, n) for n in rows]), split.inputs[0][rows.start : rows.stop, 0]


# NARMA


@pytest.mark.parametrize("name", NARMA)
def test_narma_follows_its_equation(name):
    data = get_task(name, train_length=300, validation_length=60, test_length=33, washout=50).generate(5)
    for split in (data.train, data.validation, data.test):
        u, y = split.inputs[0][:, 0], split.targets[0][:, 0]
        assert u.min() >= 0.0 and u.max() < 0.5
        np.testing.assert_allclose(y, naive_narma(u, *NARMA[name]), rtol=1e-12)


def test_narma10_pairs_the_input_with_the_one_nine_steps_before():
    pulses = np.zeros(12)
    pulses[[0, 9, 10]] = 0.4, 0.5, 0.25
    quiet, driven = Narma10.recurrence.respond(np.zeros(12)), Narma10.recurrence.respond(pulses)
    # y(1) = .1; y(2) = .3 (.1) + .05 (.1)(.1) + .1 = .1305; y(3) = .03915 + .05 (.1305)(.2305) + .1 = .1406540125
    np.testing.assert_allclose(quiet[:3], [0.1, 0.1305, 0.1406540125], rtol=1e-14)
    np.testing.assert_array_equal(driven[:9], quiet[:9])
    # Row 9 is y(10), the first with both u(0) and u(9): 1.5 (.4)(.5) = .3 more.
    assert driven[9] - quiet[9] == pytest.approx(0.3, rel=1e-14)
    # y(11) has no product, u(1) being 0: what is left of it is 10 terms, y(10) ... y(1), after .3 y(10) and .1.
    assert (driven[10] - 0.1 - 0.3 * driven[9]) / (0.05 * driven[9]) == pytest.approx(driven[:10].sum(), rel=1e-12)


def test_narma_redraws_what_diverges_and_counts():
    assert Narma10.recurrence.respond(np.full(300, 0.5)) is None
    assert Narma20.recurrence.respond(np.full(300, 0.5)) is not None
    # A record that ends on its way to infinity has diverged too.
    escape = naive_narma(np.full(30, 0.5), *NARMA["narma10"]).tolist()
    steps = next(row for row, y in enumerate(escape) if y >= 2.0)
    assert escape[steps] < 4.0 and Narma10.recurrence.respond(np.full(steps + 1, 0.5)) is None
    assert Narma10.recurrence.respond(np.full(steps, 0.5)).tolist() == pytest.approx(escape[:steps])
    generator = Narma10().streams(REDRAWN)[2]
    draws = [generator.uniform(0.0, 0.5, size=2200) for _ in range(2)]
    with np.errstate(all="ignore"):
        assert [bool(np.all(np.abs(naive_narma(u, *NARMA["narma10"])) < 2.0)) for u in draws] == [False, True]
    data = get_task("narma10").generate(REDRAWN)
    np.testing.assert_array_equal(data.test.inputs[0][:, 0], draws[1])
    assert data.info["redraws"] == 1 and get_task("narma10").generate(0).info["redraws"] == 0


def test_narma_gives_up_when_every_record_diverges(monkeypatch):
    monkeypatch.setattr(narma, "MOST_REDRAWS", 3)
    monkeypatch.setattr(Narma10, "recurrence", Recurrence(10, 0.3, 0.05, 1.5, 5.0))
    with pytest.raises(ParameterError, match=mentions("3 2200 diverged")):
        get_task("narma10").generate(0)


def test_narma_information_and_scores():
    data = get_task("narma10").generate(0)
    variance = np.mean((data.test.targets[0][200:] - np.mean(data.test.targets[0][200:])) ** 2)
    assert data.info["variance"] == pytest.approx(variance, rel=1e-12)
    # A constant error of e has a mean square of e squared: nmse = .01 / variance.
    scores = get_task("narma10").scores([data.test.targets[0] + 0.1], data)
    assert scores == pytest.approx({"nmse": 0.01 / variance, "nrmse": 0.1 / math.sqrt(variance)})


@pytest.mark.parametrize("name", NARMA)
def test_narma_baseline_is_linear_regression_on_thirty_inputs(name):
    data = get_task(name).generate(0)
    wanted, predicted = naive_regression(data, 30)
    assert get_task(name).baseline(data) == pytest.approx(np.mean((wanted - predicted) ** 2) / np.var(wanted), rel=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_narma10_baseline_is_near_the_known_figure(seed):
    assert get_task("narma10").baseline(get_task("narma10").generate(seed)) == pytest.approx(0.148, abs=0.02)


# Channel


def test_the_channel_follows_its_equation():
    data = get_task("channel-equalization", snr=200.0, train_length=100, washout=0).generate(8)
    assert set(data.train.targets[0][:, 0]) == {-3.0, -1.0, 1.0, 3.0}
    clean, received = naive_clean(data.train)
    assert len(clean) == 91
    np.testing.assert_allclose(received, clean, atol=1e-8)


def test_a_constant_symbol_through_the_channel():
    # All ten coefficients sum to 1.161; 1.161 + .036 (1.347921) - .011 (1.564936281) = 1.192310856909
    assert distort(np.array([1.161]))[0] == pytest.approx(1.192310856909, rel=1e-12)
    assert naive_channel(dict.fromkeys(range(-7, 3), 1.0), 0) == pytest.approx(1.192310856909, rel=1e-12)


@pytest.mark.parametrize("snr", [12.0, 20.0, 32.0])
def test_the_noise_is_as_strong_as_the_snr_says(snr):
    data = get_task("channel-equalization", snr=snr).generate(0)
    assert data.info["snr"] == snr
    for split in (data.train, data.validation, data.test):
        clean, received = naive_clean(split)
        noise = received - clean
        assert 10.0 * math.log10(np.var(clean) / np.var(noise)) == pytest.approx(snr, abs=0.3)
        assert np.mean(noise) == pytest.approx(0.0, abs=4.0 * np.std(noise) / math.sqrt(len(noise)))
        # Kurtosis 3 tells Gaussian noise from uniform (1.8).
        assert np.mean(noise**4) / np.var(noise) ** 2 == pytest.approx(3.0, abs=0.4)


def test_the_snr_changes_the_noise_only():
    quiet, loud = (get_task("channel-equalization", snr=snr).generate(0).test for snr in (32.0, 12.0))
    np.testing.assert_array_equal(quiet.targets[0], loud.targets[0])
    assert not np.array_equal(quiet.inputs[0], loud.inputs[0])


def test_symbol_errors_are_counted_to_the_nearest_symbol():
    task = get_task("channel-equalization")
    data = task.generate(0)
    wanted = data.test.targets[0]
    assert task.score([wanted + 0.9], data) == 0.0
    # 1.1 too high is the next symbol up, except for 3, which has none.
    assert task.score([wanted + 1.1], data) == pytest.approx(np.mean(wanted[200:] != 3.0))
    assert task.scores([wanted + 0.9], data)["nmse"] == pytest.approx(0.81 / np.var(wanted[200:]))


@pytest.mark.parametrize(("snr", "expected"), [(12.0, 0.085), (20.0, 0.005), (32.0, 0.002)])
def test_channel_baseline_is_a_linear_equalizer_of_46_taps(snr, expected):
    data = get_task("channel-equalization", snr=snr).generate(0)
    wanted, predicted = naive_regression(data, 46)
    nearest = [min((-3.0, -1.0, 1.0, 3.0), key=lambda symbol, p=p: abs(symbol - p)) for p in predicted]
    baseline = get_task("channel-equalization").baseline(data)
    assert baseline == pytest.approx(np.mean(nearest != wanted), abs=1e-4)
    assert baseline == pytest.approx(expected, rel=0.3)
