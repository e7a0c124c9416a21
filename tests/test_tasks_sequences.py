"""Tasks of many short sequences (adding, copy, temporal order, Reber, spoken words), against a second writing of each."""

import math
from collections import Counter

import numpy as np
import pytest
from messages import mentions
from sequence_tasks import SIZED, small, spelled

from reservoir.tasks import get_task
from reservoir.tasks.base import Task
from reservoir.tasks.registry import task_class
from reservoir.validation import DataError, ParameterError

NAMES = ["adding", "copy", "temporal-order", "reber", "spoken-words"]
PER_STEP = ["copy", "reber"]
SPLITS = ("train", "validation", "test")


def arrays(split):
    return [*split.inputs, *(split.targets if isinstance(split.targets, list) else [split.targets])]


def same(one, other):
    pairs = zip(arrays(one), arrays(other), strict=False)
    return len(one.inputs) == len(other.inputs) and all(np.array_equal(a, b) for a, b in pairs)


def perfect(task, data):
    if task.name == "reber":
        return [legal.astype(float) for legal in task.legal(data.test.inputs)]
    return [y.copy() for y in data.test.targets] if isinstance(data.test.targets, list) else data.test.targets.copy()


# Every task


@pytest.mark.parametrize("name", NAMES)
def test_splits_have_the_shapes_and_sizes_asked_for(name):
    data = small(name).generate(3)
    features = {"adding": 2, "copy": 10, "temporal-order": 8, "reber": 7, "spoken-words": 13}[name]
    for split, size in zip((data.train, data.validation, data.test), SIZED.values(), strict=True):
        assert len(split.inputs) == len(split.targets) == size
        assert all(u.dtype == np.float64 and u.shape[1:] == (features,) and np.isfinite(u).all() for u in split.inputs)
        assert split.washout == (110 if name == "copy" else 0)
        if name in PER_STEP:
            assert [len(y) for y in split.targets] == [len(u) for u in split.inputs]
            assert {(y.shape[1:], y.dtype.kind) for y in split.targets} == {((7,), "f") if name == "reber" else ((), "i")}
        else:
            assert split.targets.shape == (size,) and split.targets.dtype.kind == ("f" if name == "adding" else "i")


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_and_the_splits_differ(name):
    task = small(name, **dict.fromkeys(SIZED, 30))
    first, again, other = task.generate(1), task.generate(1), task.generate(2)
    for split in SPLITS:
        assert same(getattr(first, split), getattr(again, split))
        assert not same(getattr(first, split), getattr(other, split))
    for one, two in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert not same(getattr(first, one), getattr(first, two))


@pytest.mark.parametrize("name", NAMES)
def test_the_size_of_one_split_leaves_the_others_alone(name):
    usual, larger = small(name).generate(4), small(name, train_sequences=50).generate(4)
    assert same(usual.validation, larger.validation) and same(usual.test, larger.test)
    assert not same(usual.train, larger.train)


@pytest.mark.parametrize("name", NAMES)
def test_no_sequence_can_be_changed_through_another(name):
    data = small(name).generate(0)
    before = [a.copy() for split in SPLITS for a in arrays(getattr(data, split))[1:]]
    data.train.inputs[0][:] = 7.0
    after = [a for split in SPLITS for a in arrays(getattr(data, split))[1:]]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_true_answers_score_best_and_too_few_are_refused(name):
    task = small(name)
    data = task.generate(0)
    best = 0.0 if name == "adding" else 1.0
    assert task.score(perfect(task, data), data) == best
    assert next(iter(task.scores(perfect(task, data), data).items())) == (task.metric, best)
    assert (best > task.baseline(data)) == task.higher_is_better
    for bad in [perfect(task, data)[:-1], *([[p[:-1] for p in perfect(task, data)]] if name in PER_STEP else [])]:
        with pytest.raises(DataError):
            task.score(bad, data)


@pytest.mark.parametrize("name", NAMES)
def test_bad_options_are_named(name):
    extra = {"adding": ("length", 1), "copy": ("blanks", 0), "temporal-order": ("marked", 4), "spoken-words": ("noise", -0.1)}
    for option, value in [*((size, 0) for size in SIZED), *([extra[name]] if name in extra else [])]:
        with pytest.raises(ParameterError, match=mentions(f"'{option}' task {name} {value!r}")):
            get_task(name, **{option: value})


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_says_what_a_reader_needs(name):
    text = task_class(name).__doc__
    assert text.splitlines()[0].endswith(".")
    assert all(word in text for word in ("Metric: `", "Source: ", "Baseline: "))
    assert ("Published: " in text) is not bool(task_class(name).published)
    assert ("Solved: " in text) == (task_class(name).solved_at is not None)


def test_what_counts_as_solved():
    """(criterion, just enough, not enough)."""
    bounds = {"adding": (0.002, 0.0021), "copy": (0.99, 0.98), "temporal-order": (0.99, 0.98), "reber": (1.0, 0.999)}
    for name, (enough, too_little) in bounds.items():
        assert get_task(name).solved(enough) is True and get_task(name).solved(too_little) is False
        assert get_task(name).solved(math.nan) is False
        assert get_task(name).solved(np.float64(enough)) is True
    assert get_task("spoken-words").solved(1.0) is None and get_task("narma10").solved(0.0) is None
    assert Task.solved(1.0) is None


# Adding


@pytest.mark.parametrize("length", [2, 3, 50, 201])
def test_adding_is_the_sum_of_the_marked_numbers(length):
    data = small("adding", length=length, train_sequences=300).generate(5)
    for sequence, target in zip(data.train.inputs, data.train.targets, strict=True):
        values, marks = sequence.T
        total, places = 0.0, []
        for step in range(length):
            assert 0.0 <= values[step] < 1.0 and marks[step] in (0.0, 1.0)
            if marks[step] == 1.0:
                total, places = total + values[step], [*places, step]
        assert target == total
        assert len(places) == 2 and places[0] < length // 2 <= places[1]


def test_adding_marks_are_uniform_over_their_halves():
    data = get_task("adding", length=9, train_sequences=9000).generate(6)
    marks = np.stack(data.train.inputs)[:, :, 1].sum(axis=0)
    # 9,000 over the first 4 steps and over the other 5, four standard deviations of a binomial either side.
    assert abs(marks[:4] - 9000 / 4).max() < 4 * math.sqrt(9000 * 0.25 * 0.75)
    assert abs(marks[4:] - 9000 / 5).max() < 4 * math.sqrt(9000 * 0.2 * 0.8)


def test_adding_numbers_are_uniform_and_the_baseline_is_a_sixth():
    task = get_task("adding", train_sequences=1, test_sequences=20000, length=10)
    data = task.generate(7)
    values = np.stack(data.test.inputs)[:, :, 0]
    # Mean 1/2, variance 1/12 of one, and 1/6 of the sum of two: 2/12.
    assert values.mean() == pytest.approx(0.5, abs=4 * math.sqrt(1 / 12 / 200000))
    assert values.var() == pytest.approx(1 / 12, rel=0.01)
    assert task.baseline(data) == pytest.approx(1 / 6, rel=0.04)
    assert task.baseline(data) == pytest.approx(np.mean((1.0 - data.test.targets) ** 2))
    assert np.mean(data.test.targets) == pytest.approx(1.0, abs=0.012)


def test_adding_counts_close_answers():
    task = small("adding")
    data = task.generate(0)
    answers = data.test.targets + 0.03
    answers[:5] -= 0.08
    scores = task.scores(answers, data)
    assert scores == pytest.approx({"mse": (18 * 0.03**2 + 5 * 0.05**2) / 23, "close": 18 / 23})
    assert task.scores(answers[:, None], data) == scores  # a column is as good


# Copy


@pytest.mark.parametrize("blanks", [1, 2, 30])
def test_copy_says_again_what_was_read(blanks):
    data = small("copy", blanks=blanks).generate(8)
    for sequence, labels in zip(data.train.inputs, data.train.targets, strict=True):
        text = spelled(sequence, "01234567_!")
        ten = text[:10]
        assert set(ten) <= set("01234567")
        assert text == ten + "_" * (blanks - 1) + "!" + "_" * 10
        assert "".join("01234567_!"[label] for label in labels) == "_" * (blanks + 10) + ten
    assert data.test.washout == blanks + 10


def test_copy_symbols_are_uniform_and_the_baseline_is_an_eighth():
    task = get_task("copy", blanks=5)
    data = task.generate(9)
    asked = np.stack(data.train.targets)[:, -10:]
    for place in range(10):
        counts = np.bincount(asked[:, place], minlength=8)
        assert abs(counts - 10000 / 8).max() < 4.5 * math.sqrt(10000 * 7 / 64)
    assert abs(np.corrcoef(asked.T) - np.eye(10)).max() < 0.05
    (commonest, _), *_ = Counter(asked.ravel().tolist()).most_common()
    assert task.baseline(data) == np.mean(np.stack(data.test.targets)[:, -10:] == commonest)
    assert task.baseline(data) == pytest.approx(1 / 8, abs=0.02)
    # Ten times ln 8 = 2.0794 over 25 steps.
    assert data.info["cross_entropy_without_memory"] == pytest.approx(0.831776617)


def test_copy_scores_the_last_ten_steps():
    task = small("copy", blanks=30)
    data = task.generate(0)
    early, late = perfect(task, data), perfect(task, data)
    for prediction in early:
        prediction[:40] = 9
    assert task.scores(early, data) == pytest.approx({"accuracy": 1.0, "all_steps": 10 / 50, "sequences": 1.0})
    late[3][40] = late[3][49] = late[5][45] = 9
    # 3 of 230 recalled symbols and of 1,150 steps, in 2 of 23 sequences.
    assert task.scores(late, data) == pytest.approx({"accuracy": 227 / 230, "all_steps": 1147 / 1150, "sequences": 21 / 23})
    assert task.score([p[:, None] for p in late], data) == task.score(late, data)


# Temporal order


@pytest.mark.parametrize(("marked", "windows"), [(2, ((10, 20), (50, 60))), (3, ((10, 20), (33, 43), (66, 76)))])
def test_temporal_order_marks_and_labels(marked, windows):
    data = get_task("temporal-order", marked=marked, train_sequences=4000).generate(10)
    assert len(data.info["classes"]) == 2**marked
    places, lengths, between = [], Counter(), Counter()
    for sequence, label in zip(data.train.inputs, data.train.targets, strict=True):
        text = spelled(sequence, "EBabcdXY")
        assert text[0] == "E" and text[-1] == "B"
        marks = [step for step, symbol in enumerate(text) if symbol in "XY"]
        found = "".join(text[step] for step in marks)
        assert set(text[1:-1]) <= set("abcdXY") and len(marks) == marked
        assert data.info["classes"][label] == found
        assert label == int(found.replace("X", "0").replace("Y", "1"), 2)
        places.append(marks)
        lengths[len(text)] += 1
        between.update(set(text[1:2]))
    assert sorted(lengths) == list(range(100, 111))
    uniform = 4000 / 11
    assert max(abs(count - uniform) for count in lengths.values()) < 4.5 * math.sqrt(uniform)
    for column, (low, high) in zip(np.transpose(places), windows, strict=True):
        counts = np.bincount(column - low, minlength=11)
        assert len(counts) == 11 == high - low + 1
        assert abs(counts - uniform).max() < 4.5 * math.sqrt(uniform)
    labels = np.bincount(data.train.targets, minlength=2**marked)
    assert abs(labels - 4000 / 2**marked).max() < 4.5 * math.sqrt(4000 / 2**marked)
    assert sorted(between) == list("abcd") and max(abs(count - 1000) for count in between.values()) < 125
    # Where one mark is tells nothing of where the next one is, nor of the label.
    columns = np.column_stack([np.array(places), data.train.targets])
    assert abs(np.corrcoef(columns.T) - np.eye(marked + 1)).max() < 0.08


def test_temporal_order_of_one_sequence():
    (sequence,) = get_task("temporal-order", train_sequences=1).generate(0).train.inputs
    assert 100 <= len(sequence) <= 110
