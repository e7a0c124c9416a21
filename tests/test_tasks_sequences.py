"""Tasks of many short sequences (adding, copy, temporal order, Reber, spoken words), against a second writing of each."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from reservoir.tasks import get_task, spoken_words
from reservoir.tasks.base import Task
from reservoir.tasks.registry import task_class
from reservoir.validation import DataError, ParameterError

SIZED = {"train_sequences": 40, "validation_sequences": 9, "test_sequences": 23}
NAMES = ["adding", "copy", "temporal-order", "reber", "spoken-words"]
PER_STEP = ["copy", "reber"]
LABELS = ["temporal-order", "spoken-words"]
SPLITS = ("train", "validation", "test")


def small(name, **options):
    return get_task(name, **{**SIZED, **options})


def arrays(split):
    return [*split.inputs, *(split.targets if isinstance(split.targets, list) else [split.targets])]


def same(one, other):
    pairs = zip(arrays(one), arrays(other), strict=False)
    return len(one.inputs) == len(other.inputs) and all(np.array_equal(a, b) for a, b in pairs)


def perfect(task, data):
    if task.name == "reber":
        return [legal.astype(float) for legal in task.legal(data.test.inputs)]
    return [y.copy() for y in data.test.targets] if isinstance(data.test.targets, list) else data.test.targets.copy()


def spelled(sequence, symbols):
    """A one-hot sequence as text; anything that is not one-hot fails."""
    assert set(np.unique(sequence)) <= {0.0, 1.0} and (sequence.sum(axis=1) == 1.0).all()
    return "".join(symbols[int(np.flatnonzero(row)[0])] for row in sequence)


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
        with pytest.raises(ParameterError, match=f"^The '{option}' parameter of task {name} must be .* Got {value!r} instead"):
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


# Reber

REBER = {
    "start": ("B", "1"),
    "1": ("T", "2", "P", "3"),
    "2": ("S", "2", "X", "4"),
    "3": ("T", "3", "V", "5"),
    "4": ("X", "3", "S", "6"),
    "5": ("P", "4", "V", "6"),
    "6": ("E", "over"),
}


def naive_legal(string):
    """For each prefix of an embedded string the set of symbols that may follow, by walking Reber's graph; '' at the end."""
    sets = ["TP", "B"]
    outer, state = string[1], "start"
    for symbol in string[2:]:
        if state == "over":
            break
        ways = dict(zip(REBER[state][::2], REBER[state][1::2], strict=True))
        assert symbol in ways
        state = ways[symbol]
        sets.append("".join(REBER[state][::2]) if state != "over" else outer)
    return [*sets, "E", ""]


def strings_of(split):
    """Whole strings, the last symbol from the targets."""
    found = []
    for sequence, target in zip(split.inputs, split.targets, strict=True):
        read, coming = spelled(sequence, "BTPSXVE"), spelled(target, "BTPSXVE")
        assert read[1:] == coming[:-1]
        found.append(read + coming[-1])
    return found


def test_reber_strings_follow_the_grammar():
    task = get_task("reber", train_sequences=2000)
    data = task.generate(11)
    for string, legal in zip(strings_of(data.train), task.legal(data.train.inputs), strict=True):
        expected = naive_legal(string)
        assert len(expected) == len(string) == len(legal) + 1
        assert string[0] == "B" and string[-1] == "E" and string[1] == string[-2] and string[1] in "TP"
        for allowed, mask, coming in zip(expected, legal, string[1:], strict=False):
            assert set(allowed) == {symbol for symbol, may in zip("BTPSXVE", mask, strict=True) if may}
            assert coming in allowed


def test_reber_accepts_the_known_strings_and_no_others():
    """The shortest ones, a long one, and mistakes that must not pass for legal."""
    task = get_task("reber")
    for string in ("BTBTXSETE", "BPBTXSEPE", "BTBPVVETE", "BPBTSSXXTVPSEPE", "BTBPTTVPXVPXTTVVETE"):
        assert naive_legal(string)[-1] == ""
        coded = np.stack([np.eye(7)["BTPSXVE".index(symbol)] for symbol in string])
        (legal,) = task.legal([coded])
        masks = ["".join(s for s, may in zip("BTPSXVE", row, strict=True) if may) for row in legal]
        assert [set(mask) for mask in masks] == [set(allowed) for allowed in naive_legal(string)]
        assert masks[-3] == string[1]


def test_reber_chooses_its_ways_with_equal_chance():
    data = get_task("reber", train_sequences=6000).generate(12)
    strings = strings_of(data.train)
    ways = Counter()
    for string in strings:
        for allowed, coming in zip(naive_legal(string), string[1:], strict=False):
            if len(allowed) == 2:
                ways[allowed, coming] += 1
    assert len(ways) == 2 * 5  # T P, S X, T V, X S and P V; the first choice of inner and outer symbol count together
    for allowed in {pair for pair, _ in ways}:
        total = ways[allowed, allowed[0]] + ways[allowed, allowed[1]]
        assert abs(ways[allowed, allowed[0]] - total / 2) < 4 * math.sqrt(total / 4)
    # The inner string's first choice does not depend on the outer one, nor on the seed's other splits.
    pairs = Counter(string[1] + string[3] for string in strings)
    assert max(abs(pairs[one + two] - 1500) for one in "TP" for two in "TP") < 4 * math.sqrt(6000 * 3 / 16)
    # BTXSE, one of two shortest: 1/2 for T, X after it and S after that.
    assert Counter(string[2:-2] for string in strings)["BTXSE"] == pytest.approx(6000 / 8, abs=4 * math.sqrt(6000 * 7 / 64))


def test_reber_strings_are_right_when_every_legal_output_is_larger():
    task = small("reber")
    data = task.generate(0)
    legal = task.legal(data.test.inputs)
    # Any threshold will do, and another one at each step.
    outputs = [np.where(mask, 0.001, 0.0) + np.arange(len(mask))[:, None] for mask in legal]
    assert task.scores(outputs, data) == {"accuracy": 1.0, "steps": 1.0, "outer": 1.0}
    steps = sum(map(len, legal))
    outputs[2][3, np.flatnonzero(legal[2][3])[0]] = 3.0  # as large as the illegal ones: a tie is wrong
    outputs[4][-2] = np.nan
    outputs[4][0] = np.where(legal[4][0], -np.inf, 0.0)
    assert task.scores(outputs, data) == {"accuracy": 21 / 23, "steps": (steps - 3) / steps, "outer": 22 / 23}
    assert task.score(outputs, data) == 21 / 23
    # The true next symbol alone is not enough: where two are legal both must be larger.
    one_of_two = next(i for i, mask in enumerate(legal) if (mask.sum(axis=1) == 2).any())
    alone = [np.where(mask, 1.0, 0.0) for mask in legal]
    alone[one_of_two] = data.test.targets[one_of_two]
    assert task.score(alone, data) == 22 / 23


def test_reber_baseline_knows_all_but_the_outer_symbol():
    task = small("reber", train_sequences=101)
    data = task.generate(1)
    commoner = "T" if sum(string[1] == "T" for string in strings_of(data.train)) > 50 else "P"
    answers = []
    for string, mask in zip(strings_of(data.test), task.legal(data.test.inputs), strict=True):
        answer = mask.astype(float)
        answer[-2] = np.eye(7)["BTPSXVE".index(commoner)]
        assert mask[-2].sum() == 1.0 and string[1] in "TP"
        answers.append(answer)
    assert task.score(answers, data) == task.scores(answers, data)["outer"] == task.baseline(data)
    many = replace(task, test_sequences=4000)
    assert many.baseline(many.generate(0)) == pytest.approx(0.5, abs=0.04)


# Spoken words


def test_words_are_balanced_named_and_share_their_suffixes():
    task = get_task("spoken-words", train_sequences=101, validation_sequences=50)
    data = task.generate(0)
    assert sorted(Counter(data.train.targets.tolist()).values()) == [4] * 24 + [5]
    assert set(Counter(data.validation.targets.tolist()).values()) == {2}
    assert task.baseline(data) == 0.04
    words, phones = spoken_words.lexicon()
    assert data.info["classes"] == list(words) and len(set(words)) == 25
    ends = [min(len(phones[label]) for label in range(5 * group, 5 * group + 5)) for group in range(5)]
    for group, suffix in enumerate(spoken_words.WORDS):
        length = len(suffix.split())
        members = phones[5 * group : 5 * group + 5]
        assert ends[group] > length
        assert all(np.array_equal(member[-length:], members[0][-length:]) for member in members)
        stems = {member[:-length].tobytes() for member in members}
        assert len(stems) == 5
    scores = task.scores((data.test.targets + 1) % 5 + data.test.targets // 5 * 5, data)
    assert scores == {"accuracy": 0.0, "error": 1.0, "group": 1.0}


def naive_spectrum(formants, loudness):
    """The 13 log energies of one frame, written out."""

    def mel(frequency):
        return 1127.0 * math.log(1.0 + frequency / 700.0)

    low, high = mel(200.0), mel(5000.0)
    step = (high - low) / 12
    found = []
    for band in range(13):
        energy = 0.0
        for formant, strength in zip(formants, (1.0, 0.6, 0.35), strict=True):
            energy += strength * math.exp(-0.5 * ((mel(formant) - low - band * step) / (1.2 * step)) ** 2)
        found.append(math.log(0.05 + loudness * energy))
    return found


def test_an_utterance_glides_from_phone_to_phone():
    first, second = spoken_words.PHONES["iy"], spoken_words.PHONES["w"]
    rows = spoken_words.utter(np.array([first, second]), np.array([6.0, 4.0]), (2, 3), stretch=1.1)
    # Frames 0 to 14: two silent ones, six of the first phone, whose middle is at 5, four of the second, middle at 10, three
    # silent ones. Frame k is at k + 1/2.
    assert rows.shape == (2 + 10 + 3, 13)
    np.testing.assert_allclose(rows[[0, 1, 12, 14]], math.log(0.05), rtol=1e-12)
    for frame in range(5, 9):
        share = (frame + 0.5 - 5.0) / 5.0
        formants = [
            1.1 * math.exp((1 - share) * math.log(f) + share * math.log(g)) for f, g in zip(first[:3], second[:3], strict=True)
        ]
        loudness = (1 - share) * first[3] + share * second[3]
        np.testing.assert_allclose(rows[frame], naive_spectrum(formants, loudness), rtol=1e-12)
    # Frame 3 is half way up to the middle of the first phone, in loudness: (3.5 - 2) / 3.
    np.testing.assert_allclose(rows[3], naive_spectrum([1.1 * f for f in first[:3]], 0.5 * first[3]), rtol=1e-12)


def test_words_vary_in_length_and_are_standardized():
    data = get_task("spoken-words", noise=0.0).generate(1)
    lengths = np.array([len(u) for u in data.train.inputs])
    assert 25 <= lengths.min() < 40 and 80 < lengths.max() < 160 and 50 < lengths.mean() < 65
    rows = np.concatenate(data.train.inputs)
    assert abs(rows.mean(axis=0)).max() < 0.3
    np.testing.assert_allclose(rows.std(axis=0), 1.0, atol=0.3)
    same_word = [len(u) for u, label in zip(data.train.inputs, data.train.targets, strict=True) if label == 0]
    assert len(set(same_word)) > 8


def test_utterances_differ_in_tempo_and_recording():
    data = get_task("spoken-words", noise=0.0, train_sequences=1000).generate(4)
    _, phones = spoken_words.lexicon()
    usual = np.array([phones[label][:, 4].sum() for label in data.train.targets])
    lengths = np.array([len(u) for u in data.train.inputs])
    # Ten silent frames on average; a tempo of .15 and some 7 phones of .25 each make .15² + .25² / 7 = .177².
    assert np.log((lengths - 10.0) / usual).std() == pytest.approx(0.177, abs=0.02)
    # The last two frames are silent: all that they hold is the recording, a straight line over the bands.
    mean, deviation = spoken_words.scale()
    lines = np.array([u[-1] - (math.log(0.05) - mean) / deviation for u in data.train.inputs])
    np.testing.assert_allclose(np.diff(lines, 2, axis=1), 0.0, atol=1e-12)
    offset, tilt = lines[:, 6], lines[:, 12] - lines[:, 6]
    assert offset.std() == pytest.approx(0.3, rel=0.1) and tilt.std() == pytest.approx(0.3, rel=0.1)
    assert abs(np.corrcoef(offset, tilt)[0, 1]) < 0.13 and abs(offset.mean()) < 0.04 and abs(tilt.mean()) < 0.04


def test_the_noise_is_added_and_nothing_else_changes():
    task = get_task("spoken-words", train_sequences=60)
    quiet, loud = replace(task, noise=0.0).generate(2), task.generate(2)
    noise = np.concatenate(loud.train.inputs) - np.concatenate(quiet.train.inputs)
    assert noise.std() == pytest.approx(0.6, rel=0.02) and abs(noise.mean()) < 0.01
    assert abs(np.corrcoef(noise.T) - np.eye(13)).max() < 0.1
    assert [len(u) for u in loud.test.inputs] == [len(u) for u in quiet.test.inputs]


def test_the_end_of_a_word_tells_its_group_only():
    """Nearest mean of the last frames: the group is found, the word among its five is not much better than guessed."""
    data = get_task("spoken-words", noise=0.0, train_sequences=1000).generate(3)

    def last(split):
        return np.array([u[-16:-8].ravel() for u in split.inputs])

    train, test = last(data.train), last(data.test)
    means = np.stack([train[data.train.targets == label].mean(axis=0) for label in range(25)])
    guess = np.square(test[:, None] - means).sum(axis=2).argmin(axis=1)
    right_group = guess // 5 == data.test.targets // 5
    assert right_group.mean() > 0.7
    assert np.mean(guess[right_group] == data.test.targets[right_group]) < 0.5
