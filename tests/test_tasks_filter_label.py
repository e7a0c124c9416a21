"""Filter and label tasks, each against a literal second writing of its equation."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from filter_tasks import NARMA, SYMBOLS, perfect
from messages import mentions
from sklearn.datasets import load_digits

from reservoir.tasks import Data, Split, get_task
from reservoir.tasks.registry import task_class
from reservoir.validation import DataError, ParameterError

LABELS = ["frequency-discrimination", "digits"]
FILTERS = [*NARMA, "memory-capacity", *SYMBOLS, "channel-equalization"]
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


def arrays(split):
    return [*split.inputs, *split.targets] if isinstance(split.targets, list) else [*split.inputs, split.targets]


def same(one, other):
    return len(one.inputs) == len(other.inputs) and all(
        np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True)
    )


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
    with pytest.raises(ParameterError, match=mentions(f"'{option}' task {name} {value!r}")):
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
