"""Pictures of many parameters and of the search, their axes, and what cannot be drawn."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from messages import mentions
from sweep_pictures import drawn, found, legend, pairs, points, report

from reservoir import DataError, ParameterError, plotting
from reservoir.plotting.style import ERROR, MODEL
from reservoir.plotting.sweeps.scales import axis_of, is_logarithmic, short, span_of, texts, wrapped

# Many parameters


def lines(axes: Axes) -> dict[tuple[float, ...], np.ndarray]:
    """The lines by their color: (n, axes) heights."""
    kinds: dict[tuple[float, ...], list[np.ndarray]] = {}
    for collection in found(axes, LineCollection):
        shades = np.broadcast_to(collection.get_color(), (len(collection.get_segments()), 4))
        for shade, segment in zip(shades, collection.get_segments(), strict=True):
            kinds.setdefault(tuple(shade), []).append(segment[:, 1])
    return {shade: np.array(rows) for shade, rows in kinds.items()}


def test_a_line_for_each_trial_through_parallel_axes() -> None:
    rng = np.random.default_rng(0)
    trials = [
        {"a": float(x), "b": float(10.0 ** (-8 * y)), "c": ["tanh", "relu"][k % 2]}
        for k, (x, y) in enumerate(rng.random((60, 2)))
    ]
    scores = 10.0 ** (2 * rng.random(60))
    scores[3] = math.nan
    axes, *_ = plotting.sweep_figure(report(trials, scores)).axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b", "c", "nmse"]
    assert sum(len(collection.get_segments()) for collection in found(axes, LineCollection)) == 60 + 1  # the best twice
    best = int(np.nanargmin(scores))
    a, b = (np.array([trial[name] for trial in trials]) for name in ("a", "b"))
    [heights] = lines(axes)[to_rgba(MODEL)]
    assert heights[0] == pytest.approx((a[best] - a.min()) / (a.max() - a.min()))
    assert heights[1] == pytest.approx(np.log(b[best] / b.min()) / np.log(b.max() / b.min()))
    assert heights[2] == pytest.approx(best % 2, abs=0.03)
    assert heights[3] == 0.0
    assert {"tanh", "relu"} <= {text.get_text() for text in axes.texts}
    assert legend(axes) == ["the best", "best 10", "no finite score"]
    assert sorted(one.get_linewidth()[0] for one in found(axes, LineCollection)) == [0.7, 0.7, 2.2, 2.8]


def test_ten_thousand_trials_are_a_thousand_lines() -> None:
    rng = np.random.default_rng(0)
    trials = [{"a": float(a), "b": float(b), "c": float(c)} for a, b, c in rng.random((10_000, 3))]
    axes, *_ = plotting.sweep_figure(report(trials, rng.random(10_000), "sobol", higher=True)).axes
    assert sum(len(collection.get_segments()) for collection in found(axes, LineCollection)) == 1000 + 1
    assert "best 300, and 700 of the other 9,700 trials" in legend(axes)
    assert lines(axes)[to_rgba(MODEL)][0, -1] == 1.0  # the highest


# The search


@pytest.mark.parametrize(
    ("strategy", "names"), [("grid", None), ("random", None), ("sobol", "a"), ("tpe", ["b", "a"]), ("cmaes", ["b"])]
)
def test_searches_have_their_progress(strategy: str, names: Any) -> None:
    rng = np.random.default_rng(1)
    trials = [{"a": float(a), "b": float(b), "c": float(c)} for a, b, c in rng.random((30, 3))]
    scores = rng.random((30, 2))
    scores[4] = math.nan
    sweep = report(trials, scores, strategy)
    panels = {axes.get_xlabel(): axes for axes in plotting.sweep_figure(sweep, names).axes}
    history = panels.get("trial, in the order of the search")
    assert (history is None) == (strategy == "grid")
    if history is not None:
        progress = sweep.progress
        np.testing.assert_array_equal(points(history, "best so far"), np.column_stack([progress.trial + 1, progress.best]))
        assert drawn(history, "best so far").get_drawstyle() == "steps-post"
        assert len(points(history, "trial")) == 29
        assert points(history, "no finite score")[:, 0].tolist() == [5.0]


def test_a_line_over_what_a_search_found_is_no_line() -> None:
    rng = np.random.default_rng(1)
    axes, _ = plotting.sweep_figure(report([{"a": float(a)} for a in rng.random(50)], rng.random((50, 3)), "tpe")).axes
    assert drawn(axes, "trial, mean of 3 seeds").get_linestyle() == "None"
    assert drawn(axes, "trial, mean of 3 seeds").get_color() == ERROR
    assert len(drawn(axes, "lowest to highest seed").get_segments()) == 50


# What cannot be drawn


def test_errors_are_one_line() -> None:
    nan = math.nan
    with pytest.raises(DataError, match=mentions("2 0 nothing")):
        plotting.sweep_figure(report(pairs(a=[1, 2]), [nan, nan]))
    with pytest.raises(DataError, match=mentions("infinite scores")):
        plotting.sweep_figure(report(pairs(a=[1, 2]), [math.inf, math.inf]))
    with pytest.raises(DataError, match=mentions("ended")):
        plotting.sweep_figure(report(pairs(a=[1, 2]), np.empty((2, 0))))
    with pytest.raises(DataError, match=mentions("value")):
        plotting.sweep_figure(report([{"a": 1}], [1.0]))


def test_names_are_those_of_parameters_that_vary() -> None:
    sweep = report(pairs(readout__ridge=[1, 2], units=[5], leak_rate=[0.1, 0.2]), [1.0, 2.0, 3.0, 4.0])
    for name in ("readout.ridge", "readout__ridge"):
        assert plotting.sweep_figure(sweep, [name]).axes[0].get_xlabel() == "readout.ridge"
    with pytest.raises(ParameterError, match=mentions("'units'")):
        plotting.sweep_figure(sweep, ["units"])
    with pytest.raises(ParameterError, match=mentions("'leek_rate' leak_rate")):
        plotting.sweep_figure(sweep, ["leek_rate"])
    for names in ([], ["leak_rate", "leak_rate"]):
        with pytest.raises(ParameterError, match=mentions("twice none")):
            plotting.sweep_figure(sweep, names)


SCORES = {
    "equal": [0.1] * 12,
    "zeros": [0.0] * 12,
    "one zero": [0.0, *[0.5] * 11],
    "one left": [1.0, *[math.nan] * 11],
    "infinite": [1.0, *[math.inf] * 5, *[2.0] * 6],
    "extreme": [1e-300, 1e308, *[1.0] * 10],
    "half extreme": [1e-3, 1e308] * 6,
    "negative": [-1.0, -2.0, -1e308, *[5.0] * 9],
    "tiny steps": [0.1 + 1e-15 * k for k in range(12)],
}


@pytest.mark.parametrize("place", range(len(SCORES)), ids=SCORES)
def test_odd_scores_have_their_picture(place: int, tmp_path: Path) -> None:
    scores, names = list(SCORES.values())[place], [["a$"], ["a$", "b"], ["a$", "b", "c"]][place % 3]
    trials = [{"a$": 10**k, "b": ["$x$", None, [1, 2, 3]][k % 3], "c": k % 2 == 0} for k in range(12)]
    figure = plotting.sweep_figure(report(trials, scores, "random", metric="n$m$se"), names)
    assert all(np.isfinite(axes.get_xlim() + axes.get_ylim()).all() for axes in figure.axes)
    if place < 3:
        plotting.save(figure, tmp_path / "picture.svg")


@pytest.mark.parametrize("scores", SCORES.values(), ids=SCORES)
@pytest.mark.parametrize("higher", [False, True])
def test_the_range_of_odd_scores_is_finite_and_holds_the_best(scores: list[float], higher: bool) -> None:
    finite = np.array(scores)[np.isfinite(scores)]
    span = span_of(finite, higher, 10.0)
    assert -1e101 < span.low < span.high < 1e101
    assert not span.log or span.low > 0.0
    best = np.clip(finite.max() if higher else finite.min(), -1e100, 1e100)
    assert span.low <= best <= span.high
    assert np.isfinite(span.norm(finite)).all()


# Axes


@pytest.mark.parametrize(
    ("values", "log"),
    [
        ([1e-9, 1e-7, 1e-5, 1e-3], True),
        ([1, 2, 4], True),
        ([50, 100, 200, 400, 800], True),
        ([0.01, 2.5, 5.0, 7.5, 10.0], False),  # evenly spaced, though over three decades
        ([1, 2, 3], False),
        ([0, 1, 10, 100], False),
        ([1, 100], False),  # two values are spaced in any way
        (np.sort(10.0 ** np.random.default_rng(0).uniform(-3, 0, 50)).tolist(), True),
        (np.sort(np.random.default_rng(0).uniform(0.001, 1.0, 50)).tolist(), False),
    ],
)
def test_values_are_logarithmic_where_that_spreads_them_evenly(values: list[float], log: bool) -> None:
    assert is_logarithmic(np.array(values, dtype=float)) == log


def test_an_axis_of_values_of_all_kinds() -> None:
    axis = axis_of([None, 2, [1], True, 1.0, 2.0, [1]], "a")
    assert axis.labels == ["1", "2", "none", "[1]", "true"]
    assert axis.code.tolist() == [2, 1, 3, 4, 0, 1, 3]
    assert axis.categorical and axis.places.tolist() == axis.code.tolist()
    axis = axis_of([3, 1, 3], "a")
    assert not axis.categorical and axis.places.tolist() == [3.0, 1.0, 3.0]


def test_the_range_of_scores() -> None:
    scores = np.array([0.1, *np.linspace(0.2, 0.4, 28), 1e6])
    span = span_of(scores, False, 10.0)
    assert (span.low, span.high, span.log, span.cut) == (pytest.approx(0.1), pytest.approx(0.4), False, True)
    assert np.flatnonzero(span.outside(scores)).tolist() == [29]
    span = span_of(np.geomspace(0.1, 100.0, 30), False, 10.0)
    assert (span.log, span.cut) == (True, False)
    np.testing.assert_allclose(span.norm(np.array([0.01, 0.1, 1.0, 100.0])), [0.0, 0.0, 1 / 3, 1.0])
    span = span_of(-scores, True, 10.0)
    assert (span.low, span.high, span.cut) == (pytest.approx(-0.4), pytest.approx(-0.1), True)
    assert np.flatnonzero(span.outside(-scores)).tolist() == [29]
    assert not span_of(np.array([1.0, 100.0]), True, 10.0).log


def test_short_texts() -> None:
    assert texts([0.1001, 0.1002, 3]) == ["0.1001", "0.1002", "3"]
    assert [short(x) for x in (0, -1e-8, 1000, 1234.5, 123456, 99999, -0.25)] == [
        "0",
        "-1e-8",
        "1000",
        "1234",
        "1.23e5",
        "99999",
        "-0.25",
    ]
    assert short("x" * 50) == "x" * 21 + "…"
    assert wrapped("a_rather_long_parameter.with_parts") == "a_rather_long_\nparameter.with_\nparts"
