"""Strategies of a sweep: which points they propose, that they go the same way again, and what they hear."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from searches import MIXED, RANGES, all_points, sphere, tried

from reservoir.experiments.rows import Outcome
from reservoir.sweeps.space import Point, point_at, read_dimension
from reservoir.sweeps.strategies import LISTENING, STRATEGIES, Search

SPACES = {name: RANGES if name == "cmaes" else MIXED for name in STRATEGIES if name != "grid"}


def nothing(point: Point) -> Outcome:
    return Outcome(None)


def negative(outcome: Outcome) -> Outcome:
    return Outcome(None if outcome.score is None else -outcome.score, outcome.curve)


# All of them


@pytest.mark.parametrize("name", SPACES)
def test_points_lie_in_the_space_in_its_order(name: str) -> None:
    points = all_points(Search(name, 30), SPACES[name])
    assert len(points) == 30
    for point in points:
        assert list(point) == [dimension.name for dimension in SPACES[name]]
        assert 0.0 <= point["a"] <= 1.0 and 1e-3 <= point["b"] <= 1e3 and 1 <= point["c"] <= 20 and 1 <= point["d"] <= 100
        assert [type(point[key]) for key in "abcd"] == [float, float, int, int]
        assert point["e"] in (0.0, 0.25, 0.5, 0.75, 1.0)
        assert point.get("f") in ("x", None, True, [1, 2]) and point.get("g", 7) == 7
    for key in "abcde"[: len(points[0])]:
        assert len({point[key] for point in points}) > 2
    assert len({repr(point.get("f")) for point in points}) == (1 if name == "cmaes" else 4)


@pytest.mark.parametrize("name", SPACES)
def test_more_trials_go_on_where_fewer_ended(name: str) -> None:
    few, more = (all_points(Search(name, trials, batch=4), SPACES[name]) for trials in (10, 30))
    assert (len(few), len(more)) == (10, 30)
    assert more[:10] == few


@pytest.mark.parametrize("name", SPACES)
def test_the_seed_of_the_search(name: str) -> None:
    first, again, other = (all_points(Search(name, 10, seed), SPACES[name]) for seed in (5, 5, 6))
    assert first == again
    assert not any(point in other for point in first)


# Those that do not listen


def test_a_grid_proposes_every_point() -> None:
    dimensions = [read_dimension("a", "1,2,3", None), read_dimension("b", "0:1:3", False)]
    batches = tried(Search(), dimensions, nothing, at_once=4)
    assert [len(batch) for batch in batches] == [4, 4, 1]
    assert list(itertools.chain.from_iterable(batches)) == [{"a": a, "b": b} for a in (1, 2, 3) for b in (0.0, 0.5, 1.0)]
    assert Search().size(dimensions) == 9


def test_a_huge_grid_is_not_laid_out() -> None:
    dimensions = [read_dimension(name, "0:1:1000", False) for name in "abcdef"]
    assert Search().size(dimensions) == 1000**6
    assert len(next(Search().proposals(dimensions, False, 1234))) == 1234
    assert len(next(Search("random", 10**9).proposals(dimensions, False, 1234))) == 1234
    assert len(next(Search("sobol", 10**9).proposals(dimensions, False, 1234))) == 1234


def test_random_points_are_uniform_numbers_through_the_dimensions() -> None:
    places = np.random.default_rng(7).random((10, len(MIXED)))
    batches = tried(Search("random", 10, 7), MIXED, nothing, at_once=3)
    assert [len(batch) for batch in batches] == [3, 3, 3, 1]
    assert list(itertools.chain.from_iterable(batches)) == [point_at(MIXED, place) for place in places]


@pytest.mark.parametrize("trials", [1, 63, 64, 65, 200])
def test_sobol_of_any_length_is_a_beginning_of_the_sequence(trials: int) -> None:
    assert all_points(Search("sobol", trials), MIXED) == all_points(Search("sobol", 256), MIXED)[:trials]


def test_sobol_fills_the_square_evenly() -> None:
    """64 points in two dimensions: one in each cell of 8 x 8, of 2 x 32 and of 32 x 2 (a (0, 6, 2)-net in base 2)."""
    for seed, (rows, columns) in itertools.product(range(3), [(8, 8), (2, 32), (32, 2)]):
        square = [read_dimension("a", f"1:{rows}", True), read_dimension("b", f"1:{columns}", True)]
        points = all_points(Search("sobol", 64, seed), square, nothing)
        assert len({(point["a"], point["b"]) for point in points}) == 64
        halves = [read_dimension("a", f"1:{rows}:{rows}", False), read_dimension("b", list(range(columns)), None)]
        assert len({tuple(point.values()) for point in all_points(Search("sobol", 128, seed), halves, nothing)[64:]}) == 64


# Those that do


@pytest.mark.parametrize("name", LISTENING)
@pytest.mark.parametrize(("trials", "batch", "sizes"), [(10, 4, [4, 4, 2]), (3, 8, [3]), (3, 1, [1, 1, 1]), (8, 4, [4, 4])])
def test_batches_are_of_one_size(name: str, trials: int, batch: int, sizes: list[int]) -> None:
    assert [len(points) for points in tried(Search(name, trials, batch=batch), RANGES)] == sizes


def test_batches_of_eight_unless_said_otherwise() -> None:
    assert [len(points) for points in tried(Search("tpe", 20), RANGES)] == [8, 8, 4]


@pytest.mark.parametrize("name", LISTENING)
def test_the_same_outcomes_lead_the_same_way_and_others_elsewhere(name: str) -> None:
    heard: list[Outcome] = []

    def answer(point: Point) -> Outcome:
        kind = len(heard) % 7
        outcome = sphere(point) if kind < 5 else Outcome(None, [3.0, 2.0] if kind == 5 else None)
        heard.append(outcome)
        return outcome

    search = Search(name, 40, batch=4)
    points = all_points(search, RANGES, answer)
    again = iter(heard[:])
    assert all_points(search, RANGES, lambda point: next(again)) == points
    elsewhere = all_points(search, RANGES, lambda point: negative(sphere(point)))
    assert elsewhere[0] == points[0] and elsewhere != points


@pytest.mark.parametrize("name", LISTENING)
def test_what_is_known_depends_on_the_batch_alone(name: str) -> None:
    """Within a batch nothing is heard: its points depend on the outcomes of the batches before."""
    search = Search(name, 36, batch=12)
    points = all_points(search, RANGES)
    count = itertools.count()
    later = all_points(search, RANGES, lambda point: sphere(point) if next(count) < 12 else Outcome(None))
    assert later[:24] == points[:24]
    assert later[24:] != points[24:]


@pytest.mark.parametrize("name", LISTENING)
def test_higher_is_better_is_lower_is_better_of_the_negative(name: str) -> None:
    def answer(point: Point) -> Outcome:
        if point["c"] == 20:
            return Outcome(None)
        return Outcome(None, [2.0, 1.0 + point["a"]]) if point["c"] > 15 else sphere(point)

    search = Search(name, 40, batch=4)
    points = all_points(search, RANGES, answer)
    assert all_points(search, RANGES, lambda point: negative(answer(point)), higher=True) == points
    assert all_points(search, RANGES, answer, higher=True) != points


@pytest.mark.parametrize("name", LISTENING)
@pytest.mark.parametrize("bad", [Outcome(None), Outcome(None, []), Outcome(None, [9.0, 9.0]), Outcome(1e300)])
@pytest.mark.parametrize("higher", [False, True])
def test_where_runs_fail_or_are_stopped_is_kept_away_from(name: str, bad: Outcome, higher: bool) -> None:
    """Half of the points of the first batch are below 0.5; those that come last should be rarely."""
    plane = RANGES[:2]

    def answer(point: Point) -> Outcome:
        good = Outcome(abs(math.log10(point["b"])) / 10 - point["a"])
        outcome = bad if point["a"] < 0.5 else good
        return negative(outcome) if higher else outcome

    points = all_points(Search(name, 80, batch=4), plane, answer, higher)
    assert sum(point["a"] < 0.5 for point in points[-40:]) <= 4


@pytest.mark.parametrize("name", LISTENING)
@pytest.mark.parametrize("higher", [False, True])
def test_nothing_but_failures(name: str, higher: bool) -> None:
    points = all_points(Search(name, 24, batch=4), RANGES, nothing, higher)
    assert len({repr(point) for point in points}) == 24


@pytest.mark.parametrize("higher", [False, True])
def test_what_optuna_is_told(higher: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    import optuna

    studies: list[Any] = []
    create = optuna.create_study

    def kept(**options: Any) -> Any:
        studies.append(create(**options))
        return studies[-1]

    monkeypatch.setattr(optuna, "create_study", kept)
    answers = iter([Outcome(0.5), Outcome(None), Outcome(None, [3.0, 1.0, 2.0]), Outcome(-7.0)])
    all_points(Search("tpe", 4, batch=3), MIXED, lambda point: next(answers), higher)
    [study] = studies
    kinds = optuna.distributions
    assert study.trials[0].distributions == {
        "a": kinds.FloatDistribution(0.0, 1.0),
        "b": kinds.FloatDistribution(1e-3, 1e3, log=True),
        "c": kinds.IntDistribution(1, 20),
        "d": kinds.IntDistribution(1, 100, log=True),
        "e": kinds.IntDistribution(0, 4),  # neighbors of a range are alike, those of a list need not be
        "f": kinds.CategoricalDistribution((0, 1, 2, 3)),
        "g": kinds.CategoricalDistribution((0,)),
    }
    assert study.direction.name == ("MAXIMIZE" if higher else "MINIMIZE")
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "COMPLETE", "PRUNED", "COMPLETE"]
    sign = -1.0 if higher else 1.0  # a loss is better when lower, whatever the score
    assert [trial.value for trial in study.trials] == [0.5, sign * math.inf, sign * 2.0, -7.0]
    assert study.trials[2].intermediate_values == {0: sign * 3.0, 1: sign * 1.0, 2: sign * 2.0}


def test_tpe_and_cmaes_find_better_points_than_chance() -> None:
    plane = RANGES[:2]

    def error(point: Point) -> Outcome:
        return Outcome((point["a"] - 0.83) ** 2 + (math.log10(point["b"]) / 6 - 0.31) ** 2)

    def late(name: str) -> float:
        return float(np.median([error(point).score for point in all_points(Search(name, 100), plane, error)[-30:]]))

    by_chance = late("random")
    assert late("tpe") < by_chance / 10
    assert late("cmaes") < by_chance / 10


def test_optuna_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    for name in LISTENING:
        all_points(Search(name, 10, batch=2), RANGES)
    assert capfd.readouterr() == ("", "")
