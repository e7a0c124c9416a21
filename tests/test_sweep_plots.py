"""Pictures of sweeps hold the scores they were given, at the parameters they belong to, and say what is missing."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from matplotlib.collections import PathCollection, PolyCollection, QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation
from sweep_pictures import drawn, found, legend, pairs, points, report

from reservoir import plotting
from reservoir.plotting.sweeps.scales import span_of


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
