"""Pictures of scores and of learning."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from compared import LABELS, curve, points, words
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reservoir import plotting
from reservoir.comparison.report import FinishedRun, TaskComparison
from reservoir.plotting.style import PALETTE, looks

# Scores


def run(label: str, seed: int, score: float | None, seconds: float = 1.0) -> dict[str, Any]:
    error = "no" if score is None else None
    return {"label": label, "seed": seed, "score": score, "fit_seconds": seconds, "error": error, "baseline": 0.5}


def compared(rows: list[dict[str, Any]], labels: list[str], higher: bool = False) -> TaskComparison:
    task = SimpleNamespace(name="task $", metric="nmse", higher_is_better=higher)
    return TaskComparison(task, labels, [FinishedRun(row, [], None) for row in rows], 0, None)


def scores(rows: list[dict[str, Any]], higher: bool = False) -> tuple[Axes, Axes]:
    figure = plotting.score_figure(compared(rows, LABELS, higher))
    left, right = figure.axes
    return left, right


ROWS = [
    *[run("good", seed, score, 2.0 + seed**2) for seed, score in enumerate((0.01, 0.04, 0.02))],
    *[run("poor", seed, score, 40.0 + seed) for seed, score in enumerate((0.4, 0.2))],
    run("poor", 2, None),
    run("failed", 0, None),
]


def test_scores_of_all_seeds_with_their_median() -> None:
    figure = plotting.score_figure(compared(ROWS, LABELS))
    left, right = figure.axes
    good, poor, failed = PALETTE[:3]
    assert [sorted(line[:, 1]) for line in points(left, good)] == [[0.01, 0.02, 0.04], [0.02, 0.02]]
    assert [sorted(line[:, 1]) for line in points(left, poor)] == [[0.2, 0.4], pytest.approx([0.3, 0.3])]
    np.testing.assert_allclose(points(right, good)[0], [[2.0, 0.01], [3.0, 0.04], [6.0, 0.02]])
    np.testing.assert_allclose(points(right, good)[1], [[3.0, 0.02]])
    np.testing.assert_allclose(points(right, poor)[1], [[40.5, 0.3]])
    assert points(left, failed) == points(right, failed) == []
    assert [text.get_text() for text in left.get_xticklabels()] == LABELS
    assert [text.get_color() for text in left.get_xticklabels()] == [good, poor, failed]
    assert left.get_title(loc="left") == "no score: failed"
    title = r"task \$: good has the best median nmse, 0.02 test split, 3 seeds, lower is better; bars and large marks are medians"
    assert words(figure) == title


def test_scales_are_logarithmic_where_that_helps() -> None:
    left, right = scores(ROWS)
    assert (left.get_yscale(), right.get_xscale()) == ("log", "log")
    left, right = scores([row for row in ROWS if row["label"] == "good"], higher=True)
    assert (left.get_yscale(), right.get_xscale()) == ("linear", "linear")
    left, _ = scores([run("good", 0, -0.1), run("good", 1, 5.0)])
    assert left.get_yscale() == "linear"


@pytest.mark.parametrize("values", [[0.1], [np.inf, 0.1], [np.nan], []])
def test_few_scores_and_such_that_are_not_finite(values: list[float]) -> None:
    left, _ = scores([*[run("good", seed, value) for seed, value in enumerate(values)], run("poor", 0, None)])
    finite = [value for value in values if np.isfinite(value)]
    assert [line[:, 1].tolist() for line in points(left, PALETTE[0])[:1]] == ([finite] if finite else [])


def test_many_models_take_the_colors_again_with_other_marks() -> None:
    labels = [f"model {k}" for k in range(8)]
    found = looks(labels)
    assert found["model 6"].color == found["model 0"].color
    assert len(set(found.values())) == 8
    plotting.score_figure(compared([run(label, 0, 0.1) for label in labels], labels))


# Learning


def learned(curves: dict[str, list[list[dict[str, Any]]]]) -> Figure:
    runs = [FinishedRun({"label": label}, curve, None) for label, several in curves.items() for curve in several]
    return plotting.learning_figure(TaskComparison(SimpleNamespace(name="task $"), LABELS, runs, 0, None))


def test_learning_curves_of_every_seed_with_the_middle_one_bold() -> None:
    good = [curve(4.0, 2.0, 0.2, validation=1.5), curve(4.0, 3.0, 0.1), curve(4.0, 1.0, 0.3)]
    figure = learned({"good": good, "poor": [], "failed": [curve(5.0, 4.0)]})
    left, right = figure.axes
    lines = [line for line in left.lines if line.get_color() == PALETTE[0]]
    bold = [line for line in lines if line.get_alpha() is None]
    assert len(lines) == 4 and len(bold) == 2
    np.testing.assert_array_equal(bold[0].get_ydata(), [4.0, 2.0, 0.2])
    assert (bold[1].get_linestyle(), list(bold[1].get_ydata())) == ("--", [1.5] * 3)
    np.testing.assert_array_equal(right.lines[0].get_xdata(), [0.0, 0.5, 1.0])
    legend = left.get_legend()
    assert legend is not None and [text.get_text() for text in legend.get_texts()] == ["good", "failed"]
    assert left.get_yscale() == "log"
    assert words(figure).startswith(r"task \$: good reaches the lowest training loss, 0.2 (median at the last epoch)")
    assert all(tick == round(tick) for tick in left.get_xticks())  # epochs


def test_learning_curves_that_end_badly() -> None:
    figure = learned({"good": [curve(1.0, np.nan), curve(2.0)], "poor": [curve(0.0, -1.0)]})
    assert figure.axes[0].get_yscale() == "linear"
    assert np.isfinite(figure.axes[0].get_ylim()).all()


def test_long_learning_curves_are_thinned() -> None:
    figure = learned({"good": [curve(*np.linspace(5.0, 1.0, 9000))]})
    [drawn] = points(figure.axes[0], PALETTE[0])
    assert len(drawn) <= 400
    assert drawn[0].tolist() == [0.0, 5.0] and drawn[-1].tolist() == [8999.0, 1.0]
