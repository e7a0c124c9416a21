"""Filter and label tasks, each against a literal second writing of its equation."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression

from reservoir.tasks import Data, Split, get_task, narma
from reservoir.tasks.channel import distort
from reservoir.tasks.memory import lagged
from reservoir.tasks.narma import Narma10, Narma20, Recurrence
from reservoir.tasks.registry import task_class
from reservoir.validation import DataError, ParameterError

NARMA = {
    "narma10": (10, 0.3, 0.05, 1.5, 0.1, False),
    "narma20": (20, 0.3, 0.05, 1.5, 0.01, True),
    "narma30": (30, 0.2, 0.04, 1.5, 0.001, False),
}
SYMBOLS = ["delayed-recall", "parity"]
LABELS = ["frequency-discrimination", "digits"]
FILTERS = [*NARMA, "memory-capacity", *SYMBOLS, "channel-equalization"]
REDRAWN = 16  # the first seed whose narma10 diverges once, in the test split
SIZES = dict.fromkeys(FILTERS, "length") | dict.fromkeys(LABELS, "sequences")
BAD = [(name, option, -1) for name in FILTERS for option in ("train_length", "validation_length", "test_length", "washout")]
BAD += [(name, option, 0) for name in LABELS for option in ("train_sequences", "validation_sequences", "test_sequences")]
BAD += [("narma10", "test_length", 100.5), ("memory-capacity", "lags", 0), ("memory-capacity", "washout", 99)]
BAD += [
    ("delayed-recall", "delay", -1),
    ("delayed-recall", "washout", 9),
    ("parity", "bits", 0),
    ("parity", "delay", 1.5),
]
BAD += [("parity", "washout", 1), ("channel-equalization", "snr", math.nan), ("channel-equalization", "snr", "loud")]
BAD += [("frequency-discrimination", "noise", -0.1), ("frequency-discrimination", "noise", math.inf)]
BAD += [("frequency-discrimination", "band_low", 5.0), ("frequency-discrimination", "band_high", 10.0)]
BAD += [
    ("frequency-discrimination", "max_length", 39),
    ("digits", "order", "columns"),
    ("digits", "test_sequences", 501),
]


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


def naive_regression(data, taps):
    """scikit-learn's linear regression on u(t) ... u(t-taps+1): targets and predictions of the scored test rows."""

    def rows(split):
        u = split.inputs[0][:, 0]
        windows = [[u[t - k] for k in range(taps)] for t in range(split.washout, len(u))]
        return np.array(windows), split.targets[0][split.washout :, 0]

    test, wanted = rows(data.test)
    return wanted, LinearRegression().fit(*rows(data.train)).predict(test)


def arrays(split):
    return [*split.inputs, *split.targets] if isinstance(split.targets, list) else [*split.inputs, split.targets]


def same(one, other):
    return len(one.inputs) == len(other.inputs) and all(
        np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True)
    )


def perfect(data):
    return [y.copy() for y in data.test.targets] if isinstance(data.test.targets, list) else data.test.targets.copy()


# Every task


@pytest.mark.parametrize("name", SIZES)
def test_splits_have_the_shapes_and_sizes_asked_for(name):
    part = SIZES[name]
    options = {f"train_{part}": 30, f"validation_{part}": 7, f"test_{part}": 11}
    data = get_task(name, **options).generate(3)
    for split, size in zip((data.train, data.validation, data.test), options.values(), strict=True):
        assert all(u.dtype == np.float64 and u.ndim == 2 and np.isfinite(u).all() for u in split.inputs)
        if name in FILTERS:
            (u,), (y,) = split.inputs, split.targets
            assert u.shape == (200 + size, 1) and split.washout == 200
            assert y.shape == (200 + size, 100 if name == "memory-capacity" else 1) and y.dtype == np.float64
        else:
            assert len(split.inputs) == size and split.washout == 0
            assert split.targets.shape == (size,) and split.targets.dtype.kind == "i"


@pytest.mark.parametrize("name", SIZES)
def test_the_seed_decides_and_the_splits_differ(name):
    task = get_task(name)
    first, again, other = task.generate(1), task.generate(1), task.generate(2)
    for split in ("train", "validation", "test"):
        assert same(getattr(first, split), getattr(again, split))
        assert not same(getattr(first, split), getattr(other, split))
    assert not np.array_equal(first.train.inputs[0][:5], first.validation.inputs[0][:5])
    assert not np.array_equal(first.train.inputs[0][:5], first.test.inputs[0][:5])
    assert not np.array_equal(first.validation.inputs[0][:5], first.test.inputs[0][:5])


@pytest.mark.parametrize("name", SIZES)
def test_the_size_of_one_split_leaves_the_others_alone(name):
    usual = get_task(name).generate(4)
    shorter = get_task(name, **{f"test_{SIZES[name]}": 50}).generate(4)
    assert same(usual.train, shorter.train) and same(usual.validation, shorter.validation)
    assert not same(usual.test, shorter.test)


@pytest.mark.parametrize(("name", "option", "value"), BAD)
def test_a_bad_option_is_named(name, option, value):
    with pytest.raises(ParameterError, match=f"^The '{option}' parameter of task {name} must be .* Got {value!r} instead"):
        get_task(name, **{option: value})


@pytest.mark.parametrize("name", SIZES)
def test_true_answers_score_best_and_too_few_are_refused(name):
    task = get_task(name)
    data = task.generate(0)
    best = {"nmse": 0.0, "ser": 0.0, "accuracy": 1.0, "memory_capacity": 100.0}[task.metric]
    assert task.score(perfect(data), data) == pytest.approx(best, abs=1e-9)
    assert next(iter(task.scores(perfect(data), data).items())) == (task.metric, task.score(perfect(data), data))
    assert (best > task.baseline(data)) == task.higher_is_better
    with pytest.raises(DataError):
        task.score([p[:-1] for p in perfect(data)] if name in FILTERS else perfect(data)[:-1], data)


@pytest.mark.parametrize("name", FILTERS)
def test_the_warm_up_is_not_scored_and_the_row_after_it_is(name):
    task = get_task(name, test_length=40)
    data = task.generate(0)
    early, late = perfect(data), perfect(data)
    early[0][:200] = 77.0
    late[0][200] = np.nan
    assert task.score(early, data) == task.score(perfect(data), data)
    if name != "channel-equalization":  # its nearest symbol to NaN is some symbol
        assert task.score(late, data) != task.score(perfect(data), data)


@pytest.mark.parametrize("name", SIZES)
def test_the_docstring_says_what_a_reader_needs(name):
    text = task_class(name).__doc__
    assert text.splitlines()[0].endswith(".")
    assert all(word in text for word in ("Metric: `", "Source: ", "Baseline: "))
    assert ("Published: " in text) is not bool(task_class(name).published)


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
    with pytest.raises(ParameterError, match="3 records of 2200 steps diverged"):
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


# Memory


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


# Labels


def period_of(sequence):
    """A sine without noise obeys x(t+1) + x(t-1) = 2 cos(2 pi / P) x(t)."""
    x = sequence[:, 0]
    cosine = np.dot(x[2:] + x[:-2], x[1:-1]) / np.dot(x[1:-1], x[1:-1]) / 2.0
    return 2.0 * math.pi / math.acos(cosine)


def test_frequency_labels_say_whether_the_period_is_in_the_band():
    task = get_task("frequency-discrimination", noise=0.0, band_low=10.0, band_high=40.0, train_sequences=2000)
    data = task.generate(9)
    periods = np.array([period_of(sequence) for sequence in data.train.inputs])
    inside = data.train.targets == 1
    sides = {
        (10.0, 40.0): (periods[inside], 1000),
        (4.0, 8.0): (periods[~inside & (periods < 10.0)], 500),  # 10 / 2.5, 10 / 1.25
        (50.0, 100.0): (periods[~inside & (periods >= 10.0)], 500),  # 1.25 (40), 2.5 (40)
    }
    for (low, high), (found, expected) in sides.items():
        assert abs(len(found) - expected) < 90  # four standard deviations
        assert low - 1e-6 <= found.min() < 1.01 * low and 0.99 * high < found.max() <= high + 1e-6
        # Log-uniform: half of the periods lie below the geometric mean of the borders.
        assert np.mean(found < math.sqrt(low * high)) == pytest.approx(0.5, abs=0.09)


def test_frequency_lengths_noise_and_phases():
    task = get_task("frequency-discrimination", min_length=20, max_length=24)
    noisy, clean = task.generate(0).train, replace(task, noise=0.0).generate(0).train
    assert {len(sequence) for sequence in noisy.inputs} == {20, 21, 22, 23, 24}
    difference = np.concatenate(noisy.inputs) - np.concatenate(clean.inputs)
    assert np.std(difference) == pytest.approx(0.2, rel=0.05)
    # The sine of a uniform phase has mean 0 and variance 1/2.
    starts = np.array([sequence[0, 0] for sequence in clean.inputs])
    assert np.mean(starts) == pytest.approx(0.0, abs=0.15) and np.var(starts) == pytest.approx(0.5, abs=0.1)
    assert {len(s) for s in replace(task, max_length=20).generate(0).test.inputs} == {20}


def test_digits_are_the_images_of_scikit_learn_each_in_one_split():
    digits = load_digits()
    labels = {(image / 16.0).tobytes(): label for image, label in zip(digits.images, digits.target, strict=True)}
    assert len(labels) == 1797
    data = get_task("digits").generate(0)
    splits = (data.train, data.validation, data.test)
    assert [len(split.inputs) for split in splits] == [1000, 297, 500]
    for split in splits:
        for image, label in zip(split.inputs, split.targets, strict=True):
            assert labels.pop(image.tobytes()) == label
    assert not labels
    assert {image.shape for image in data.test.inputs} == {(8, 8)}
    assert max(image.max() for image in data.train.inputs) == 1.0 and min(image.min() for image in data.train.inputs) == 0.0


def test_digits_by_pixels_are_the_rows_one_after_the_other():
    rows, pixels = get_task("digits").generate(2), get_task("digits", order="pixels").generate(2)
    np.testing.assert_array_equal(rows.test.targets, pixels.test.targets)
    for image, sequence in zip(rows.test.inputs, pixels.test.inputs, strict=True):
        assert sequence.shape == (64, 1)
        assert [sequence[8 * row + column, 0] for row in range(8) for column in range(8)] == image.ravel().tolist()


def test_digits_survive_a_caller_who_changes_them():
    data = get_task("digits").generate(0)
    data.train.inputs[0][:] = 9.0
    data.train.targets[:] = 0
    assert get_task("digits").generate(0).train.inputs[0].max() <= 1.0
    assert len(set(get_task("digits").generate(0).train.targets)) == 10


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("seed", range(3))
def test_label_baseline_is_the_commonest_train_label(name, seed):
    task = get_task(name)
    data = task.generate(seed)
    counts = Counter(data.train.targets.tolist())
    label = min(label for label, count in counts.items() if count == max(counts.values()))
    assert task.baseline(data) == np.mean(data.test.targets == label)
    # A tie goes to the lowest label: 1 and 2 come twice each, and one answer of three is 1.
    tied = Data(Split([], np.array([2, 1, 2, 1, 0])), Split([], np.array([0])), Split([], np.array([1, 0, 2])))
    assert task.baseline(tied) == pytest.approx(1 / 3)
    wrong = data.test.targets.copy()
    wrong[:50] += 1
    assert task.score(wrong, data) == 0.9
