"""Pictures of sweeps hold the scores they were given, at the parameters they belong to, and say what is missing."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, PolyCollection, QuadMesh
from matplotlib.colors import LogNorm, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation

from reservoir import DataError, ParameterError, plotting
from reservoir.plotting.style import ERROR, MODEL
from reservoir.plotting.sweeps.scales import axis_of, is_logarithmic, short, span_of, texts, wrapped
from reservoir.sweeps.report import SweepReport
from reservoir.sweeps.summary import RunTable


def report(
    trials: list[dict[str, Any]], scores: Any, strategy: str = "grid", higher: bool = False, metric: str = "nmse"
) -> SweepReport:
    """From scores (trials, seeds); a run whose score is NaN has failed."""
    score = np.array(scores, dtype=float).reshape(len(trials), -1)
    seeds = score.shape[1]
    failed = np.isnan(score).ravel()
    about = {"task": "narma10", "model": "esn", "metric": metric, "higher_is_better": higher, "split": "validation"}
    runs = RunTable(
        about={**about, "strategy": strategy},
        trials=trials,
        trial=np.repeat(np.arange(len(trials)), seeds),
        seed=np.tile(np.arange(seeds), len(trials)),
        score=score.ravel(),
        status=np.where(failed, "failed", "done"),
        error=["it broke\nbadly" if bad else None for bad in failed],
    )
    return SweepReport(runs, Path("sweep.db"))


def pairs(**values: Any) -> list[dict[str, Any]]:
    return [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]


def found(axes: Axes, kind: Any) -> list[Any]:
    return [artist for artist in axes.get_children() if isinstance(artist, kind)]


def drawn(axes: Axes, label: str) -> Any:
    """The one thing whose legend starts with a text."""
    [artist] = [artist for artist in axes.get_children() if str(artist.get_label()).startswith(label)]
    return artist


def points(axes: Axes, label: str) -> np.ndarray:
    line = drawn(axes, label)
    assert isinstance(line, Line2D)
    return np.asarray(line.get_xydata())


def legend(axes: Axes) -> list[str]:
    shown = axes.get_legend()
    return [] if shown is None else [text.get_text() for text in shown.get_texts()]


def title(figure: Figure) -> str:
    """The words above a figure: the finding, and what stands beneath it."""
    return " ".join(" ".join([figure.get_suptitle(), *[text.get_text() for text in figure.findobj(Annotation)]]).split())


# One parameter


def test_a_line_holds_means_and_ranges_of_seeds() -> None:
    sweep = report(pairs(leak_rate=[0.3, 0.1, 0.2]), [[0.5, 0.7], [0.2, 0.4], [0.1, 0.2]])
    [axes] = plotting.sweep_figure(sweep).axes
    np.testing.assert_allclose(points(axes, "mean of 2 seeds"), [[0.1, 0.3], [0.2, 0.15], [0.3, 0.6]])
    np.testing.assert_allclose(points(axes, "the best"), [[0.2, 0.15]])
    [band] = found(axes, PolyCollection)
    corners = {(round(float(x), 9), round(float(y), 9)) for x, y in band.get_paths()[0].vertices}
    assert corners == {(0.1, 0.2), (0.1, 0.4), (0.2, 0.1), (0.2, 0.2), (0.3, 0.5), (0.3, 0.7)}
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")
    assert "lower is better" in axes.get_ylabel()


def test_axes_are_logarithmic_where_values_and_errors_are_spread_so() -> None:
    values = [10.0**k for k in range(-8, -2)]
    sweep = report(pairs(readout__ridge=values), [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0])
    [axes] = plotting.sweep_figure(sweep).axes
    assert (axes.get_xscale(), axes.get_yscale(), axes.get_xlabel()) == ("log", "log", "readout.ridge")
    texts = [text.get_text() for text in axes.get_xticklabels()]
    assert {"1e-8", "1e-4"} <= set(texts) or {"1e-7", "1e-5"} <= set(texts)
    [axes] = plotting.sweep_figure(report(pairs(a=values), [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0], higher=True)).axes
    assert axes.get_yscale() == "linear"  # what is better where it is higher is no error
    np.testing.assert_allclose(points(axes, "the best"), [[1e-3, 100.0]])


def test_categories_are_marks_without_a_line() -> None:
    sweep = report(pairs(activation=["tanh", "relu", None]), [[0.2, 0.4], [0.1, 0.1], [0.5, 0.5]])
    [axes] = plotting.sweep_figure(sweep).axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["tanh", "relu", "none"]
    np.testing.assert_allclose(points(axes, "mean"), [[0, 0.3], [1, 0.1], [2, 0.5]])
    assert drawn(axes, "mean").get_linestyle() == "None"


def test_the_best_over_the_other_parameters_is_drawn_and_said() -> None:
    """The best of a = 1 is .2, of a = 2 it is .1; the mean would be .5 and .55."""
    sweep = report(pairs(a=[1, 2], b=["x", "y"]), [0.2, 0.8, 1.0, 0.1])
    [axes] = plotting.sweep_figure(sweep, "a").axes
    np.testing.assert_allclose(points(axes, "best trial of each value"), [[1, 0.2], [2, 0.1]])
    assert len(points(axes, "all trials")) == 4


def test_failures_are_marked() -> None:
    nan = math.nan
    sweep = report(pairs(a=[1, 2, 3]), [[nan, nan], [0.4, nan], [0.5, 0.5]])
    figure = plotting.sweep_figure(sweep)
    [axes] = figure.axes
    assert points(axes, "no finite score")[:, 0].tolist() == [1.0]
    np.testing.assert_allclose(points(axes, "some runs failed"), [[2, 0.4]])
    np.testing.assert_allclose(points(axes, "the best"), [[3, 0.5]])  # as in the ranking
    assert title(figure).startswith(
        "narma10: esn has its best nmse, 0.5, at a 3 nmse (lower is better), on the validation split; "
    )
    assert "; 3 trials (grid), 2 seeds; of 6 runs 3 failed" in title(figure)


def test_a_few_scores_far_off_do_not_squeeze_all_others() -> None:
    scores = [0.1 + 0.01 * k for k in range(40)]
    scores[7] = 1e9
    [axes] = plotting.sweep_figure(report(pairs(a=list(range(40))), scores)).axes
    assert axes.get_ylim()[1] < 1.0
    assert points(axes, "beyond the axis, as far as 1e9")[:, 0].tolist() == [7.0]


# Two parameters


def test_a_map_holds_the_scores_of_a_grid() -> None:
    scores = np.arange(1.0, 7.0).reshape(2, 3)  # of a, b
    scores[0, 2] = math.nan
    trials = pairs(a=[20, 10], b=[0.1, 0.2, 0.3])[:-1]  # a = 10 with b = .3 was not run
    axes, bar = plotting.sweep_figure(report(trials, scores.ravel()[:-1])).axes
    [mesh] = found(axes, QuadMesh)
    values = np.ma.masked_invalid(mesh.get_array().reshape(3, 2))
    assert values.tolist() == [[4.0, 1.0], [5.0, 2.0], [None, None]]  # rows are b, columns a = 10, 20
    assert [text.get_text() for text in axes.get_xticklabels()] == ["10", "20"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["0.1", "0.2", "0.3"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("a", "b")
    assert {text.get_text(): text.get_position() for text in axes.texts} == {"4": (0, 0), "1": (1, 0), "5": (0, 1), "2": (1, 1)}
    for label, corner in (("the best", (0.5, -0.5)), ("no finite score", (0.5, 1.5)), ("not run", (-0.5, 1.5))):
        box = drawn(axes, label)
        assert isinstance(box, Rectangle) and box.get_xy() == corner
    assert drawn(axes, "no finite score").get_hatch()
    assert not drawn(axes, "the best").get_clip_on()  # its frame is whole at the edge of the map
    assert "lower is better" in bar.get_ylabel()


def test_a_map_has_the_digits_that_tell_scores_apart() -> None:
    for scores, expected in (
        ([0.151, 0.152, 0.2, 0.3], {"0.151", "0.152", "0.2", "0.3"}),
        ([0.151, 0.162, 0.2, 0.3], {"0.15", "0.16", "0.2", "0.3"}),
    ):
        axes, _ = plotting.sweep_figure(report(pairs(a=[1, 2], b=[1, 2]), scores)).axes
        assert {text.get_text() for text in axes.texts} == expected


def test_a_category_has_a_line_over_a_number() -> None:
    nan = math.nan
    scores = [[0.1, 0.3], [0.4, 0.4], [nan, nan], [0.6, 0.8], [0.5, 0.5], [0.2, 0.2]]
    for trials in (
        pairs(kind=["x", "y"], a=[1, 2, 3]),
        [dict(reversed(one.items())) for one in pairs(kind=["x", "y"], a=[1, 2, 3])],
    ):
        [axes] = plotting.sweep_figure(report(trials, scores)).axes
        assert (axes.get_xlabel(), legend(axes)) == ("a", ["kind x", "kind y", "no finite score", "the best"])
        np.testing.assert_allclose(points(axes, "kind x"), [[1, 0.2], [2, 0.4]])
        np.testing.assert_allclose(points(axes, "kind y"), [[1, 0.7], [2, 0.5], [3, 0.2]])
        assert drawn(axes, "kind x").get_color() != drawn(axes, "kind y").get_color()
        assert len(found(axes, PolyCollection)) == 2  # the seeds
        assert points(axes, "no finite score")[:, 0].tolist() == [3.0]
    axes, _ = plotting.sweep_figure(report(pairs(kind=["x", "y"], word=["u", "v", "w"]), scores)).axes
    assert len(found(axes, QuadMesh)) == 1  # two categories are a map


def test_a_cell_is_its_best_trial_over_other_parameters() -> None:
    sweep = report(pairs(a=[1, 2], b=[1, 2], c=[1, 2]), [0.9, 0.1, 0.8, 0.2, 0.3, 0.7, 0.4, math.nan])
    axes, bar = plotting.sweep_figure(sweep, ["b", "a"]).axes
    [mesh] = found(axes, QuadMesh)
    np.testing.assert_allclose(mesh.get_array().reshape(2, 2), [[0.1, 0.2], [0.3, 0.4]])
    assert "best trial of each cell" in bar.get_ylabel()


@pytest.mark.parametrize("higher", [False, True])
def test_the_better_the_darker(higher: bool) -> None:
    scores = np.array([1.0, 2.0, 3.0])
    span = span_of(scores, higher, 4.0)
    norm, cmap = span.norm, span.cmap
    light = cmap(norm(scores))[:, :3].sum(axis=1)
    assert np.argsort(light).tolist() == ([2, 1, 0] if higher else [0, 1, 2])


@pytest.mark.parametrize("count", [2, 15, 50])
def test_labels_of_a_map_do_not_overlap(count: int) -> None:
    values = np.linspace(0.1, 1.5, count).tolist()
    names = [f"some words number {k}" for k in range(count)]
    for rows in (values, names) if count < 50 else (names,):
        sweep = report(pairs(a=rows, b=np.geomspace(1e-7, 1e-2, count).tolist()), np.random.default_rng(0).random(count * count))
        figure = plotting.sweep_figure(sweep)
        axes = figure.axes[0]
        figure.draw_without_rendering()
        for labels, k in ((axes.get_xticklabels(), 0), (axes.get_yticklabels(), 1)):
            assert len(labels) >= min(count, 8)
            boxes = [text.get_window_extent() for text in labels]
            if labels[0].get_rotation() == 0:
                assert all(a.max[k] <= b.min[k] for a, b in itertools.pairwise(boxes))
            else:
                apart = math.sin(math.radians(labels[0].get_rotation())) * np.diff([box.max[0] for box in boxes])
                assert (apart > labels[0].get_fontsize() * figure.dpi / 72.0).all()
        assert len(axes.texts) == (count * count if count == 2 else 0 if count == 50 else len(axes.texts))


def test_trials_off_a_grid_are_marks_in_the_color_of_their_score() -> None:
    rng = np.random.default_rng(0)
    trials = [{"a": float(a), "b": float(10.0 ** (-6 * b))} for a, b in rng.random((40, 2))]
    scores = 10.0 ** (3 * rng.random(40))
    scores[5] = math.nan
    axes, *_ = plotting.sweep_figure(report(trials, scores, "random")).axes
    [marks] = found(axes, PathCollection)
    order = [row["trial"] for row in report(trials, scores).ranking() if row["n"]][::-1]  # the best over the others
    np.testing.assert_allclose(marks.get_offsets(), [[trials[k]["a"], trials[k]["b"]] for k in order])
    np.testing.assert_allclose(marks.get_array(), scores[order])
    assert isinstance(marks.norm, LogNorm)
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "log")
    np.testing.assert_allclose(points(axes, "no finite score"), [[trials[5]["a"], trials[5]["b"]]])
    np.testing.assert_allclose(points(axes, "the best"), [[trials[order[-1]]["a"], trials[order[-1]]["b"]]])


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
    with pytest.raises(DataError, match=r"^There is nothing to draw: of 2 runs 2 failed and 0 were pruned\..*it broke badly$"):
        plotting.sweep_figure(report(pairs(a=[1, 2]), [nan, nan]))
    with pytest.raises(DataError, match="all scores are infinite"):
        plotting.sweep_figure(report(pairs(a=[1, 2]), [math.inf, math.inf]))
    with pytest.raises(DataError, match="no run has ended"):
        plotting.sweep_figure(report(pairs(a=[1, 2]), np.empty((2, 0))))
    with pytest.raises(DataError, match="no parameter has more than one value"):
        plotting.sweep_figure(report([{"a": 1}], [1.0]))


def test_names_are_those_of_parameters_that_vary() -> None:
    sweep = report(pairs(readout__ridge=[1, 2], units=[5], leak_rate=[0.1, 0.2]), [1.0, 2.0, 3.0, 4.0])
    for name in ("readout.ridge", "readout__ridge"):
        assert plotting.sweep_figure(sweep, [name]).axes[0].get_xlabel() == "readout.ridge"
    with pytest.raises(ParameterError, match="'units' has one value in all trials"):
        plotting.sweep_figure(sweep, ["units"])
    with pytest.raises(ParameterError, match=r"There is no varied parameter 'leek_rate'\. Did you mean leak_rate"):
        plotting.sweep_figure(sweep, ["leek_rate"])
    for names in ([], ["leak_rate", "leak_rate"]):
        with pytest.raises(ParameterError, match="none twice"):
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
