"""What does not fit a search strategy."""

from __future__ import annotations

import importlib.util
import sys

import pytest
from messages import mentions
from searches import MIXED, RANGES, all_points

from reservoir.sweeps import strategies
from reservoir.sweeps.space import Dimension, read_dimension
from reservoir.sweeps.strategies import Search
from reservoir.validation import ParameterError


def one(text: str) -> Dimension:
    return read_dimension("readout__ridge", text, None)


@pytest.mark.parametrize(
    ("search", "dimensions", "parts"),
    [
        (Search("radnom", 5), RANGES, ["no strategy 'radnom'", "Did you mean random?", "cmaes, grid, random, sobol, tpe"]),
        (Search("", 5), RANGES, ["no strategy ''"]),
        (Search(None, 5), RANGES, ["no strategy 'None'"]),  # type: ignore[arg-type]
        (Search(["tpe"], 5), RANGES, ["no strategy"]),  # type: ignore[arg-type]
        (Search("grid", 5), [one("1,2")], ["A grid tries every point"]),
        (Search("grid"), [one("1:2")], ["readout.ridge", "needs the number of values, as 1:2:10"]),
        (Search("random"), RANGES, ["random needs the number of trials"]),
        (Search("sobol"), RANGES, ["sobol needs the number of trials"]),
        (Search("tpe"), RANGES, ["tpe needs the number of trials"]),
        (Search("cmaes"), RANGES, ["cmaes needs the number of trials"]),
        (Search("cmaes", 5), MIXED, ["two or more ranges", "use tpe", "Lists: f, g."]),
        (Search("cmaes", 5), [one("1:2"), RANGES[0], one("1,2")], ["Lists: readout.ridge."]),
        (Search("cmaes", 5), [one("1:2")], ["two or more ranges"]),
        (Search("cmaes", 5), [one("1:2"), one("3:3:1")], ["two or more ranges"]),
    ],
)
def test_searches_that_do_not_fit_their_space(search: Search, dimensions: list[Dimension], parts: list[str]) -> None:
    with pytest.raises(ParameterError) as caught:
        search.size(dimensions)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("name", "missing", "refused"),
    [
        ("tpe", "optuna", True),
        ("cmaes", "optuna", True),
        ("cmaes", "cmaes", True),
        ("tpe", "cmaes", False),
        ("sobol", "optuna", False),
    ],
)
def test_what_must_be_installed(name: str, missing: str, refused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(strategies, "find_spec", lambda package: None if package == missing else find(package))
    monkeypatch.setitem(sys.modules, missing, None)
    if not refused:
        assert Search(name, 5).size(RANGES) == len(all_points(Search(name, 5), RANGES)) == 5
        return
    with pytest.raises(ParameterError, match=mentions(f"{name} {missing} 'clockwork-reservoir[sweep]'")):
        Search(name, 5).size(RANGES)
