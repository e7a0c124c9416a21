"""Plans of sweeps that are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from messages import mentions
from sweep_plans import toy

from reservoir import Ridge
from reservoir.sweeps.plan import plan_sweep
from reservoir.tasks import get_task
from reservoir.validation import ParameterError

CYCLE = {"topology": "cycle_jumps"}


@pytest.mark.parametrize(
    ("vary", "settings", "options", "parts"),
    [
        ({}, {}, {}, ["nothing to vary", "spectral_radius=0.1:1.5:15"]),
        ({"readout__ridge": "1,2"}, {"readout__ridge": 1}, {}, ["'readout.ridge' is both varied and set"]),
        ({"unit": [5]}, {}, {}, ["'unit'", "Did you mean units or", "Known: units, "]),
        ({"units": [5]}, {"leek_rate": 1}, {}, ["'leek_rate'", "Did you mean leak_rate?"]),
        ({"readout__rigde": [5]}, {}, {}, ["'rigde'", "Did you mean ridge?"]),
        ({"readout__": [5]}, {}, {}, ["no parameter 'readout.'"]),
        ({"units": [5]}, {"__ridge": 1}, {}, ["no parameter '.ridge'"]),
        ({"": [5]}, {}, {}, ["no parameter ''"]),
        ({"units__part": [5]}, {}, {}, ["'units'", "no parts"]),
        ({"units": [5, 0]}, {}, {}, ["'units'", "[1, inf)", "Got 0"]),
        ({"units": [5, 5.5]}, {}, {}, ["'units'", "Got 5.5"]),
        ({"units": [5, True]}, {}, {}, ["'units'", "Got True"]),
        ({"units": "5.5:10:3"}, {}, {}, ["vary units: takes integers", "Got 5.5 to 10"]),
        ({"leak_rate": "0.1:5:3"}, {}, {}, ["'leak_rate'", "Got 5.0"]),
        ({"leak_rate": "0:1:3"}, {}, {}, ["'leak_rate'", "(0, 1]", "Got 0.0"]),
        ({"leak_rate": "0.1:5"}, {}, {"strategy": "random", "trials": 3}, ["'leak_rate'", "Got 5.0"]),
        ({"leak_rate": "1:0.1:3"}, {}, {}, ["vary leak_rate: the range must rise"]),
        ({"leak_rate": "0.1:1"}, {}, {}, ["needs the number of values"]),
        ({"leak_rate": [0.5]}, {"units": 0}, {}, ["'units'", "Got 0"]),
        ({"units": [5], "topology": "cycle,cylce"}, {}, {}, ["'topology'", "Got 'cylce'", "Did you mean cycle"]),
        ({"readout": "Ridge,Rigde"}, {}, {}, ["no readout 'Rigde'", "Did you mean Ridge"]),
        ({"readout": "Ridge,LeastMeanSquares", "readout__ridge": [1]}, {}, {}, ["'ridge'", "LeastMeanSquares has no such"]),
        ({"readout": "Ridge,LeastMeanSquares"}, {"readout__ridge": 1}, {}, ["'ridge'", "LeastMeanSquares has no such"]),
        ({"topology_options__jmp": [3]}, CYCLE, {}, ["'jmp'", "Did you mean jump?"]),
        ({"topology_options__jump": [3, 1]}, CYCLE, {}, ["'jump'", "[2, inf)", "Got 1"]),
        ({"topology_options__jump": "2.5:4:3"}, CYCLE, {}, ["topology_options.jump: takes integers"]),
        ({"topology": "cycle_jumps,dense", "topology_options__jump": [3]}, {}, {}, ["topology dense", "'jump'"]),
        ({"units": [5]}, {"topology_options__jump": 3}, {}, ["topology diagonals", "'jump'"]),
        ({"random_state": [5]}, {}, {}, ["'random_state' cannot be varied"]),
        ({"topology": "0.1:1:3"}, {}, {}, ["'topology'", "one of", "cycle", "Got 0.1"]),
        ({"units": [5]}, {"random_state": 3}, {}, ["'random_state' cannot be varied or set"]),
        ({"units": [5]}, {"readout": Ridge(1.0)}, {}, ["must be numbers, texts", "readout__ridge"]),
        ({"readout": [Ridge(1.0)]}, {}, {}, ["vary readout: values must be numbers, texts"]),
        ({"units": [5]}, {}, {"split": "train"}, ["'split'", "one of validation, test", "'train'"]),
        ({"units": [5]}, {}, {"strategy": "gird"}, ["no strategy 'gird'", "Did you mean grid"]),
        ({"units": [5]}, {}, {"trials": 3}, ["A grid tries every point"]),
        ({"units": [5]}, {}, {"strategy": "sobol"}, ["sobol needs the number of trials"]),
        ({"units": [5]}, {}, {"strategy": "sobol", "trials": 0}, ["'trials'", "[1, 1000000000]", "Got 0"]),
        ({"units": [5]}, {}, {"strategy": "sobol", "trials": 10**30}, ["'trials'", "Got 1000000"]),
        ({"units": [5]}, {}, {"strategy": "sobol", "trials": 2.0}, ["'trials'", "Got 2.0"]),
        ({"units": [5]}, {}, {"strategy": "tpe", "trials": 2, "batch": 0}, ["'batch'", "[1, 10000]", "Got 0"]),
        ({"units": [5]}, {}, {"strategy": "tpe", "trials": 2, "batch": True}, ["'batch'", "Got True"]),
        ({"units": [5]}, {}, {"strategy": "tpe", "trials": 2, "search_seed": -1}, ["'search_seed'", "[0, 4294967295]", "Got -1"]),
        ({"units": [5]}, {}, {"strategy": "tpe", "trials": 2, "search_seed": 2**32}, ["'search_seed'", "Got 4294967296"]),
        ({"units": [5]}, {}, {"search_seed": None}, ["'search_seed'", "Got None"]),
        ({"units": [5]}, {}, {"batch": 3}, ["batch is for the strategies tpe and cmaes; grid does not"]),
        ({"units": [5]}, {}, {"strategy": "random", "trials": 2, "batch": 3}, ["batch is for", "random does not"]),
        ({"units": [5]}, {}, {"prune": True}, ["Pruning compares with earlier trials", "grid does not"]),
        ({"units": [5]}, {}, {"strategy": "tpe", "trials": 2, "prune": True}, ["Pruning is for models trained in epochs"]),
        ({"units": [5, 6]}, {}, {"strategy": "cmaes", "trials": 2}, ["two or more ranges", "Lists: units"]),
    ],
)
def test_bad_sweeps(vary: dict[str, Any], settings: dict[str, Any], options: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(ParameterError) as caught:
        toy(vary, settings, **options)
    for part in parts:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "seeds", [[], range(0), range(100_001), [-1], [0, 0], [1.0], [True], ["0"], "0:3", 3, None, [None], [2**63], np.array([0.5])]
)
def test_bad_seeds(seeds: Any) -> None:
    with pytest.raises(ParameterError, match=mentions("[0, 2^63) 100,000")):
        toy({"units": [5]}, seeds=seeds)


@pytest.mark.parametrize("seeds", [range(3), [0, 1, 2], (0, 1, 2), np.arange(3), [np.int64(0), 1, np.uint8(2)]])
def test_seeds(seeds: Any) -> None:
    found = toy({"units": [5]}, seeds=seeds).seeds
    assert found == (0, 1, 2) and [type(seed) for seed in found] == [int] * 3


def test_an_unknown_model_and_a_checkpoint() -> None:
    with pytest.raises(ParameterError, match=mentions("'esm' esn")):
        toy({"units": [5]}, model="esm")
    for vary, settings in (({"training__checkpoint": "a,b"}, {}), ({"units": [5]}, {"training__checkpoint": "a"})):
        with pytest.raises(ParameterError, match=mentions("'training.checkpoint'")):
            toy(vary, settings, model="lstm")
    assert toy({"units": [5]}, {"training__checkpoint": None}, model="lstm").trials == 1


def test_pruning_is_for_searches_over_models_trained_in_epochs() -> None:
    assert toy({"units": [5, 6]}, model="lstm", strategy="tpe", trials=3, prune=True).prune


def test_every_value_is_checked_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad value after many good ones, in a space too large to lay out; ranges by their ends."""
    task = get_task("narma10")
    monkeypatch.setattr(type(task), "generate", lambda *args: pytest.fail("there should be no work"))
    wide = dict.fromkeys(("noise", "bias_scaling"), "0:1:100000")
    assert plan_sweep(task, "esn", wide).trials == 10**10
    with pytest.raises(ParameterError, match=mentions("'density' 2")):
        plan_sweep(task, "esn", {**wide, "density": [*np.linspace(0.1, 1, 50), 2]})
    with pytest.raises(ParameterError, match=mentions("'leak_rate' 1.5")):
        plan_sweep(task, "esn", {**wide, "leak_rate": "0.5:1.5:100000"})
