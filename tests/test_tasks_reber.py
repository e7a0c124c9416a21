"""The task of the embedded Reber grammar."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sequence_tasks import small, spelled

from reservoir.tasks import get_task

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
