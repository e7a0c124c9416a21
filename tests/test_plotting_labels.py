"""Pictures of labels and of symbols."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from pictures import drawn, line, rng, small

from reservoir import plotting
from reservoir.tasks import Data, Split


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


# Labels


def test_a_confusion_matrix_counts() -> None:
    task = small("digits")
    data = task.generate(0)
    truth = np.array([3, 3, 3, 8, 8, 1] + [5] * 54)
    guess = truth.copy()
    guess[[0, 4]] = [8, 9]
    figure = plotting.task_figure(task, replace(data, test=replace(data.test, targets=truth)), guess, "")
    # Classes 1, 3, 5, 8 and 9, which is predicted once and never true.
    assert texts(figure.axes[0]) == ["1", "2", "1", "54", "1", "1", "100%", "67%", "100%", "50%", "none", "right"]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["1", "3", "5", "8", "9"]
    confusion, bar = figure.axes[0], figure.axes[1]
    shares = confusion.images[0].get_array()  # mistakes are negative
    np.testing.assert_allclose(
        shares.filled(0.0)[[1, 1, 2, 3]],
        [[0, 2 / 3, 0, -1 / 3, 0], [0, 2 / 3, 0, -1 / 3, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0.5, -0.5]],
    )
    assert [tick.get_text() for tick in bar.get_xticklabels()] == ["100%", "50%", "10%", "0%", "10%", "50%", "100%"]
    assert [axes.get_title(loc="left") for axes in figure.axes[2:]] == ["3, taken for 8", "8, taken for 9"]
    np.testing.assert_array_equal(figure.axes[3].images[0].get_array(), data.test.inputs[4])
    assert figure.subfigs[1].get_suptitle() == "2 of 60 wrong"


@pytest.mark.parametrize("order", ["rows", "pixels"])
def test_digits_are_images_in_either_order(order: str) -> None:
    _, data, _, figure = drawn("digits", order=order)
    # The labels that were rolled to their own value are right.
    wrong = np.flatnonzero((np.arange(60) % 3 == 0) & (np.roll(data.test.targets, 1) != data.test.targets))
    np.testing.assert_array_equal(figure.axes[2].images[0].get_array(), data.test.inputs[wrong[0]].reshape(8, 8))
    assert figure.subfigs[1].get_suptitle() == f"{len(wrong)} of 60 wrong; the first 9"


def test_without_mistakes_some_sequences_are_shown() -> None:
    task = small("frequency-discrimination", test_sequences=3)
    data = task.generate(0)
    figure = plotting.task_figure(task, data, data.test.targets, "")
    assert len(figure.axes) == 2 + 3
    assert figure.subfigs[1].get_suptitle() == "all 3 right"
    np.testing.assert_array_equal(figure.axes[3].lines[0].get_ydata(), data.test.inputs[1][:, 0])


def test_many_classes_and_names_as_classes() -> None:
    task = small("frequency-discrimination")
    inputs = [np.zeros((4, 2))] * 60
    for labels in (np.arange(60) % 50, np.array(["$a$", "b_{"] * 30)):
        split = Split(inputs, labels)
        figure = plotting.task_figure(task, Data(split, split, split), np.roll(labels, 1), "")
        assert len(figure.axes[0].get_xticklabels()) <= 20


@pytest.mark.parametrize("task", [small("frequency-discrimination"), small("adding")])
def test_numbers_per_sequence_are_drawn_over_their_targets(task: Any) -> None:
    values = rng().normal(size=(60, 2))
    split = Split([np.zeros((4, 1))] * 60, values)
    figure = plotting.task_figure(task, Data(split, split, split), values + 0.1, "")
    assert [figure.axes[k].get_ylabel() for k in (0, 3)] == [f"prediction, output {k} of 2" for k in (1, 2)]
    np.testing.assert_array_equal(figure.axes[3].lines[1].get_xydata(), np.column_stack([values, values + 0.1])[:, [1, 3]])
    np.testing.assert_allclose(figure.axes[4].lines[1].get_ydata(), 0.1 / values[:, 1].std())
    assert sum(patch.get_height() for patch in figure.axes[5].patches) == 60


def test_labels_that_are_answered_with_numbers_are_drawn_as_numbers() -> None:
    task = small("digits")
    data = task.generate(0)
    figure = plotting.task_figure(task, data, data.test.targets + 0.25, "")
    np.testing.assert_array_equal(figure.axes[0].lines[1].get_xdata(), data.test.targets)


def test_labels_have_their_names() -> None:
    task = small("temporal-order")
    data = task.generate(0)
    figure = plotting.task_figure(task, data, (data.test.targets + 1) % 4, "")
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["XX", "XY", "YX", "YY"]
    names, asked = task.generate(0).info["classes"], data.test.targets[0]
    assert names == ["XX", "XY", "YX", "YY"]
    assert figure.axes[2].get_title(loc="left") == f"{names[asked]}, taken for {names[(asked + 1) % 4]}"
    # Eight features are a map, the first at the bottom.
    np.testing.assert_array_equal(figure.axes[2].images[0].get_array(), data.test.inputs[0].T)
    assert figure.axes[2].images[0].origin == "lower"
    assert len({axes.images[0].get_clim() for axes in figure.axes[2:6]}) == 1 and figure.axes[6].get_ylabel() == "input"
    *_, words = drawn("spoken-words", test_sequences=100)
    assert len(words.axes[0].get_xticklabels()) == 25


# Symbols


def test_labels_per_step_are_counted_where_they_are_scored() -> None:
    task = small("copy")
    data = task.generate(0)
    predictions = [target.copy() for target in data.test.targets]
    for prediction in predictions:
        prediction[:110] = 3  # washout
    for prediction in predictions[:15]:
        prediction[-1] = 8
    confusion, _, above, beneath = plotting.task_figure(task, data, predictions, "").axes
    symbols = np.stack(data.test.targets)[:, -10:]
    assert sum(int(text) for text in texts(confusion) if text.isdigit()) == 600
    assert texts(confusion)[0] == str((symbols == 0).sum() - (symbols[:15, -1] == 0).sum())
    np.testing.assert_array_equal(above.lines[0].get_xydata(), np.column_stack([np.arange(110, 120), [1.0] * 9 + [45 / 60]]))
    shown = beneath.images[0].get_array()
    assert shown.shape == (40, 10) and not shown[:15, -1].any() and shown[15:].all() and shown[:, :-1].all()
    assert beneath.images[0].get_extent() == [109.5, 119.5, 39.5, -0.5]


def test_labels_per_step_of_unequal_lengths() -> None:
    task = small("copy")
    targets = [np.arange(5), np.arange(70)]
    split = Split([np.zeros((len(y), 1)) for y in targets], targets)
    guesses = [targets[0], np.where(targets[1] == 1, 0, targets[1])]
    *_, above, beneath = plotting.task_figure(task, Data(split, split, split), guesses, "").axes
    # Of the last 60 steps, 10 to 69, the first sequence has none.
    np.testing.assert_array_equal(above.lines[0].get_xydata(), np.column_stack([np.arange(10, 70), np.ones(60)]))
    np.testing.assert_array_equal(np.ma.getmaskarray(beneath.images[0].get_array()).all(axis=1), [True, False])


def test_labels_per_step_that_are_answered_with_numbers() -> None:
    task = small("copy")
    data = task.generate(0)
    left, _ = plotting.task_figure(task, data, [target + 0.1 for target in data.test.targets], "").axes
    assert line(left, "symbol asked for")[-1, 1] == data.test.targets[-1][-1]


def test_outputs_for_symbols_are_marked_where_legal() -> None:
    task = small("reber")
    data = task.generate(0)
    legal = task.legal(data.test.inputs)
    predictions = [np.where(allowed, 0.5, 0.1) for allowed in legal]
    for string, step in ((7, 2), (9, 0)):
        predictions[string][step] = 0.3 - 0.2 * predictions[string][step]  # .2 for legal, .28 for illegal symbols
    first, second, _, margins = plotting.task_figure(task, data, predictions, "").axes
    assert [axes.get_title(loc="left").split(":")[0] for axes in (first, second)] == ["string 8", "string 10"]
    np.testing.assert_array_equal(first.images[0].get_array(), predictions[7].T)
    np.testing.assert_array_equal(first.lines[0].get_xydata(), np.argwhere(legal[7]))
    read = "".join("BTPSXVE"[code] for code in data.test.inputs[7].argmax(axis=1))
    assert "".join(tick.get_text() for tick in first.get_xticklabels()) == read
    assert [tick.get_color() == plotting.style.MODEL for tick in first.get_xticklabels()][:4] == [False, False, True, False]
    assert margins.get_title(loc="left") == f"{round(60 * task.score(predictions, data))} of 60 strings right"
    counts = [patch.get_height() for patch in margins.patches]
    assert sum(counts) == sum(map(len, legal)) and sum(counts[40:]) == 2
    for bad in (np.nan, np.inf, -np.inf):
        predictions = [np.where(allowed, 0.5, bad) for allowed in legal]
        *_, margins = plotting.task_figure(task, data, predictions, "").axes
        assert margins.get_title(loc="left") == f"{60 if bad == -np.inf else 0} of 60 strings right"
