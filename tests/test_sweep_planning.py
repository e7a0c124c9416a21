"""What a sweep is to do: layers of parameters, the keys of runs, and what is refused before any work."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from sweep_plans import Toy, toy

from reservoir.base.values import canonical
from reservoir.sweeps.plan import Sweep, plan_sweep, takes_integers
from reservoir.sweeps.space import grid


def points(sweep: Sweep) -> list[dict[str, Any]]:
    return [sweep.parameters(point) for point in grid(sweep.dimensions)]


def keys(sweep: Sweep) -> set[bytes]:
    return {sweep.key(canonical(parameters), seed) for parameters in points(sweep) for seed in sweep.seeds}


# Layers


def test_what_is_varied_goes_over_what_is_set_over_the_settings_of_the_task() -> None:
    sweep = toy({"units": [10, 20]}, {"leak_rate": 0.5, "density": 0.3})
    assert points(sweep) == [{"units": units, "density": 0.3, "leak_rate": 0.5, "readout__ridge": 1e-6} for units in (10, 20)]
    assert Toy().settings("esn")["density"] == 0.2


@pytest.mark.parametrize(
    ("vary", "settings", "expected"),
    [
        # the task's own ridge goes with the readout that is replaced, what the user says of it stays
        ({"readout": "RidgeClassifier"}, {}, [{"readout": "RidgeClassifier"}]),
        ({"readout": "RidgeClassifier"}, {"readout__ridge": 0.5}, [{"readout": "RidgeClassifier", "readout__ridge": 0.5}]),
        ({"readout__ridge": [3]}, {"readout": "RidgeClassifier"}, [{"readout": "RidgeClassifier", "readout__ridge": 3}]),
        (
            {"readout__ridge": [1, 2], "readout": "Ridge,RidgeClassifier"}, {},
            [{"readout__ridge": r, "readout": name} for r in (1, 2) for name in ("Ridge", "RidgeClassifier")],
        ),
    ],
)  # fmt: skip
def test_parts_of_a_readout_that_is_replaced(
    vary: dict[str, Any], settings: dict[str, Any], expected: list[dict[str, Any]]
) -> None:
    assert points(toy(vary, settings)) == [{"units": 50, "density": 0.2, **one} for one in expected]


def test_the_size_of_a_sweep() -> None:
    sweep = toy({"leak_rate": "0.1:1:10", "topology": ["cycle", "dense"]}, seeds=range(3))
    assert (sweep.trials, sweep.runs, sweep.seeds) == (20, 60, (0, 1, 2))
    assert [dimension.name for dimension in sweep.dimensions] == ["leak_rate", "topology"]
    assert toy({"leak_rate": "0.1:1"}, strategy="random", trials=7, seeds=[4, 9]).runs == 14


def test_dimensions_keep_the_order_they_are_given_in() -> None:
    sweep = toy({"readout__ridge": "1,2", "units": "1,2", "readout": "Ridge", "density": 0.5})
    assert [dimension.name for dimension in sweep.dimensions] == ["readout__ridge", "units", "readout", "density"]


# Integers


@pytest.mark.parametrize(
    ("model", "name", "settings", "expected"),
    [
        ("esn", "units", {}, True),
        ("esn", "washout", {}, True),
        ("esn", "leak_rate", {}, False),
        ("esn", "readout__ridge", {}, False),
        ("esn", "topology", {}, None),
        ("esn", "readout__forgetting", {"readout": "RecursiveLeastSquares"}, False),
        ("esn", "topology_options__jump", {"topology": "cycle_jumps"}, True),
        ("esn", "topology_options__jump_weight", {"topology": "cycle_jumps"}, False),
        ("esn", "topology_options__weights", {}, None),
        ("lstm", "training__epochs", {}, True),
        ("lstm", "training__patience", {}, True),
        ("lstm", "training__learning_rate", {}, False),
        ("lstm", "layers", {}, True),
        ("esn", "unknown", {}, None),
        ("esn", "unknown__part", {}, None),
        ("esn", "units__part", {}, None),
    ],
)
def test_which_parameters_take_integers(model: str, name: str, settings: dict[str, Any], expected: bool | None) -> None:
    assert takes_integers(model, settings, name) is expected


def test_ranges_are_read_as_their_parameters_take_them() -> None:
    vary = {"units": "10:20", "readout__forgetting": "0.5:1", "readout": "RecursiveLeastSquares", "leak_rate": "log:0.01:1"}
    settings = {"topology": "cycle_jumps", "topology_options__jump_weight": 1}
    sweep = toy({**vary, "topology_options__jump": "2:9"}, settings, strategy="random", trials=1)
    assert {d.name: d.integer for d in sweep.dimensions if not d.values} == {
        "units": True, "readout__forgetting": False, "leak_rate": False, "topology_options__jump": True,
    }  # fmt: skip
    weights = toy({"topology_options__jump_weight": "0:1", "topology": "cycle_jumps"}, strategy="random", trials=1)
    assert not weights.dimensions[0].integer  # though both ends are
    only_there = {"readout__learning_rate": "1:2", "readout": "LeastMeanSquares"}
    assert not toy(only_there, strategy="random", trials=1).dimensions[0].integer
    epochs = toy({"training__epochs": "0:20:3"}, model="lstm")
    assert epochs.dimensions[0].values == (0, 10, 20)


# Keys


def test_a_key_is_the_hash_of_all_that_defines_a_run() -> None:
    sweep = toy({"leak_rate": [0.5, 1.0]}, seeds=[3])
    about = (
        '{"higher_is_better":false,"metric":"nmse","model":"esn","split":"validation","task":"sweep_plans:Toy",'
        '"task_options":{"length":100,"level":1.5}}'
    )
    parameters = '{"density":0.2,"leak_rate":1,"readout__ridge":1e-06,"units":50}'
    assert canonical(points(sweep)[1]) == parameters
    assert sweep.key(parameters, 3) == hashlib.sha256(f"{about}{parameters}3".encode()).digest()[:16]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (toy({"leak_rate": [1, 0.5]}), toy({"leak_rate": [0.5, 1.0]})),
        (toy({"leak_rate": "0.5:1:2"}), toy({"leak_rate": np.array([0.5, 1.0])})),
        (toy({"units": [5, 6]}), toy({"units": "5:6:2"})),
        (toy({"units": [5, 6]}, {"leak_rate": 1}), toy({"units": range(5, 7)}, {"leak_rate": np.float64(1.0)})),
        (toy({"units": [5]}, {"readout_from": ("bias", "state")}), toy({"units": [5]}, {"readout_from": ["bias", "state"]})),
        (toy({"units": [5]}, {"density": 0.2}), toy({"units": [5]})),  # as the task sets it
        (toy({"units": [5, 6], "leak_rate": [0.5]}), toy({"leak_rate": 0.5, "units": [5, 6]})),
        (toy({"units": [5]}, {"leak_rate": 0.5}), toy({"leak_rate": [0.5]}, {"units": np.int64(5)})),
        (toy({"units": [5]}, seeds=[0, 1]), toy({"units": [5]}, seeds=np.arange(2))),
        (toy({"units": [5]}), toy({"units": [5]}, strategy="tpe", trials=3, search_seed=4, batch=2)),
    ],
)
def test_the_same_runs_have_the_same_keys(one: Sweep, other: Sweep) -> None:
    assert keys(one) == keys(other)


def test_other_runs_have_other_keys() -> None:
    vary = {"units": [5]}
    base = toy(vary, {"leak_rate": 0.1})
    different = [
        base,
        toy(vary, {"leak_rate": 0.1 + 2**-54}),
        toy(vary, {"leak_rate": [0.1]}),
        toy(vary),
        toy({"units": [6]}, {"leak_rate": 0.1}),
        toy(vary, {"leak_rate": 0.1}, seeds=[1]),
        toy(vary, {"leak_rate": 0.1}, split="test"),
        plan_sweep(Toy(level=2.5), "esn", vary, {"leak_rate": 0.1}),
        toy({"units": [5]}, model="elman"),
        toy({"units": [5]}, model="gru"),
    ]
    assert len(set.union(*map(keys, different))) == len(different)


@pytest.mark.parametrize(
    ("small", "large"),
    [("0.1:1:10", "0.1:1:19"), ("0.1:1:10", "0.01:1:100"), ("log:0.01:1:5", "log:0.01:1:9")],
)
def test_a_grid_that_grew_holds_the_runs_of_the_smaller(small: str, large: str) -> None:
    few = keys(toy({"leak_rate": small, "readout__ridge": "log:1e-9:1:4"}, seeds=range(2)))
    assert len(few) == 2 * 4 * len(toy({"leak_rate": small}).dimensions[0].values)
    assert few < keys(toy({"readout__ridge": "log:1e-9:1:7", "leak_rate": large}, seeds=range(3)))


# What a store notes


def test_facts_and_what_runs_have_in_common() -> None:
    vary = {"readout__ridge": "1,2", "leak_rate": "log:0.1:1:2"}
    sweep = plan_sweep(Toy(length=7), "esn", vary, {"units": 9}, split="test")
    options = {"level": 1.5, "length": 7}
    common = {
        "task": "sweep_plans:Toy",
        "task_options": options,
        "model": "esn",
        "metric": "nmse",
        "higher_is_better": False,
    }
    assert sweep.about() == {**common, "split": "test"}
    assert sweep.facts({}) == {
        "strategy": "grid",
        "varied": ["readout__ridge", "leak_rate"],
        "log": ["leak_rate"],
        "given": ["readout__ridge", "leak_rate", "units"],
        "task_set": {"length": 7},
    }
    known = {"strategy": "random", "varied": ["units", "leak_rate"], "log": ["density"], "given": ["density", "units"]}
    assert sweep.facts(known) == {
        "strategy": "grid",
        "varied": ["units", "leak_rate", "readout__ridge"],
        "log": ["density", "leak_rate"],
        "given": ["density", "units", "readout__ridge", "leak_rate"],
        "task_set": {"length": 7},
    }
