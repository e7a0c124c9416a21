"""Networks fitted within `reusing` are those fitted alone, to the bit, and what they have in common is computed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from messages import mentions

from reservoir import ESN, LeastMeanSquares, Logistic, RecursiveLeastSquares, Ridge, RidgeClassifier
from reservoir.echo import reuse
from reservoir.echo.parameters import RESERVOIR
from reservoir.echo.readouts.least_squares import Gram, Triangle
from reservoir.echo.reservoir import Reservoir
from reservoir.echo.reuse import reused, reusing
from reservoir.validation import DivergenceError, ParameterError

random = np.random.default_rng(5)
WAVE = np.sin(0.3 * np.arange(261.0))[:, None] + 0.1 * random.standard_normal((261, 1))
ONE = WAVE[:-1], WAVE[1:]
MANY = [WAVE[:90], WAVE[20:101], WAVE[100:]], [WAVE[1:91], WAVE[21:102], np.roll(WAVE, -1)[100:]]
LABELS = [random.standard_normal((length, 2)) for length in (30, 41, 33, 50, 36, 30)], np.array([0, 1, 2, 0, 1, 2])
MATRIX = random.standard_normal((20, 20)) / 5.0

NETWORKS: dict[str, tuple[tuple[Any, Any], dict[str, Any]]] = {
    "plain": (ONE, {}),
    "many sequences": (MANY, {}),
    "float32": (ONE, {"dtype": "float32"}),
    "no bias": (ONE, {"readout_from": ("input", "state")}),
    "squares": (ONE, {"readout_from": ("bias", "square", "state")}),
    "squares alone": (ONE, {"readout_from": ("square",)}),
    "input alone": (ONE, {"readout_from": ("bias", "input")}),
    "output": (ONE, {"readout_from": ("bias", "state", "output"), "readout": Ridge(1e-3)}),
    "feedback": (ONE, {"feedback_scaling": 0.2, "readout": Ridge(1e-3)}),
    "noise": (ONE, {"noise": 1e-3}),
    "noise, many sequences": (MANY, {"noise": 1e-3}),
    "matrix of the user": (ONE, {"topology": MATRIX}),
    "random start": (ONE, {"initial_state": "random", "washout": 0}),
    "last": (LABELS, {"washout": 5, "readout": RidgeClassifier(1e-3)}),
    "mean": (LABELS, {"washout": 5, "pooling": "mean", "readout": RidgeClassifier(1e-3)}),
    "every": (LABELS, {"washout": 5, "pooling": "every", "readout": RidgeClassifier(1e-3)}),
}
READOUTS = {
    "auto": Ridge(1e-6),
    "no ridge": Ridge(0.0),
    "cholesky": Ridge(1e-5, "cholesky"),
    "qr": Ridge(1e-9, "qr"),
    "svd": Ridge(1e-9, "svd"),
    "a list": Ridge([1e-8, 1e-4, 1.0]),
    "recursive": RecursiveLeastSquares(0.999, 1e-3),
    "mean squares": LeastMeanSquares(0.1),
}


def network(**parameters: Any) -> ESN:
    return ESN(**{"units": 20, "density": 0.2, "washout": 10, "random_state": 3, **parameters})


def outcome(esn: ESN, inputs: Any, targets: Any) -> list[np.ndarray]:
    """All that a network learned, and what it makes of the data."""
    esn.fit(inputs, targets)
    found = [esn.output_weights_, *(x if isinstance(x := esn.predict(inputs), list) else [x])]
    if inputs is ONE[0]:
        found.append(esn.forecast(inputs, 7))
    return found


def assert_same(alone: list[np.ndarray], together: list[np.ndarray]) -> None:
    assert len(alone) == len(together)
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_the_same_alone_and_after_others(name: str) -> None:
    """The first of each block computes, the second has it kept; others come between."""
    (inputs, targets), parameters = NETWORKS[name]
    other = {**parameters, "readout": Ridge(0.1) if "readout" not in parameters else type(parameters["readout"])(0.1)}
    alone, other_alone = (outcome(network(**p), inputs, targets) for p in (parameters, other))
    with reusing():
        assert_same(other_alone, outcome(network(**other), inputs, targets))
        for _ in range(2):
            assert_same(alone, outcome(network(**parameters), inputs, targets))
        assert_same(other_alone, outcome(network(**other), inputs, targets))


@pytest.mark.parametrize(
    "parameters", [{}, {"readout": RecursiveLeastSquares()}, {"noise": 1e-3, "readout_from": ("bias", "square")}]
)
def test_sequences_of_several_blocks(parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks that are kept are those of a network fitted alone."""
    monkeypatch.setattr("reservoir.echo.features.BLOCK_BYTES", 1)  # blocks of 512 rows
    long = np.sin(0.3 * np.arange(900.0))[:, None] + 0.1 * np.random.default_rng(1).standard_normal((900, 1))
    inputs, targets = [long[:700], long[100:399]], [long[1:701], long[101:400]]
    alone = outcome(network(**parameters), inputs, targets)
    with reusing():
        for _ in range(3):
            assert_same(alone, outcome(network(**parameters), inputs, targets))


def test_every_readout_is_the_same_after_every_other() -> None:
    alone = {name: outcome(network(readout=readout), *ONE) for name, readout in READOUTS.items()}
    with reusing():
        for name in [*READOUTS, *reversed(READOUTS)]:
            assert_same(alone[name], outcome(network(readout=READOUTS[name]), *ONE))


def test_classifiers_share_with_each_other() -> None:
    readouts = [Logistic(1.0), RidgeClassifier(1e-3), Logistic(0.1), RidgeClassifier(1e-2, "svd"), RecursiveLeastSquares()]
    for pooling in ("last", "every"):
        alone = [outcome(network(readout=r, pooling=pooling), *LABELS) for r in readouts]
        with reusing():
            for readout, expected in zip(readouts, alone, strict=True):
                assert_same(expected, outcome(network(readout=readout, pooling=pooling), *LABELS))


def test_fewer_rows_than_features() -> None:
    """The dual problem keeps its rows for partial_fit."""
    inputs, targets = WAVE[:25], WAVE[1:26]
    for ridge in (1e-3, 0.0, [1e-6, 1e-2]):
        alone = network(readout=Ridge(ridge)).fit(inputs, targets)
        with reusing():
            network(readout=Ridge(1.0)).fit(inputs, targets)
            together = network(readout=Ridge(ridge)).fit(inputs, targets)
        np.testing.assert_array_equal(alone.output_weights_, together.output_weights_)
        assert together.readout_.solver_ == alone.readout_.solver_


@pytest.mark.parametrize("solver", ["cholesky", "qr"])
@pytest.mark.parametrize("rows", [25, 200])
def test_learning_on_disturbs_no_other_network(solver: str, rows: int) -> None:
    inputs, targets = WAVE[:rows], WAVE[1 : rows + 1]

    def learned_on() -> list[np.ndarray]:
        esn = network(readout=Ridge(1e-3, solver)).fit(inputs, targets).partial_fit(WAVE[:100], WAVE[1:101])
        return [esn.partial_fit(WAVE[100:150], WAVE[101:151], continued=True).output_weights_]

    def fitted() -> list[np.ndarray]:
        return [network(readout=Ridge(1e-3, solver)).fit(inputs, targets).output_weights_]

    alone, plain = learned_on(), fitted()
    with reusing():
        for expected, compute in ((alone, learned_on), (plain, fitted), (alone, learned_on), (plain, fitted)):
            assert_same(expected, compute())


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often states are run through, and blocks are summed up."""
    counts = {"drives": 0, "gram": 0, "triangle": 0}

    def count(name: str, owner: type, method: str) -> None:
        original: Callable[..., Any] = getattr(owner, method)

        def counting(*arguments: Any, **named: Any) -> Any:
            counts[name] += 1
            return original(*arguments, **named)

        monkeypatch.setattr(owner, method, counting)

    count("drives", Reservoir, "run")
    count("gram", Gram, "add")
    count("triangle", Triangle, "add")
    return counts


def fit_and_predict(test: np.ndarray, **parameters: Any) -> None:
    network(**parameters).fit(*ONE).predict(test)


def test_many_ridges_cost_one_fit(counted: dict[str, int]) -> None:
    test = WAVE[:100]
    ridges = np.geomspace(1e-6, 1.0, 10)
    for ridge in ridges:
        fit_and_predict(test, readout=Ridge(ridge, "cholesky"))
    assert counted == {"drives": 20, "gram": 10, "triangle": 0}  # all of this is a single block
    counted.update(drives=0, gram=0)
    with reusing():
        for ridge in ridges:
            fit_and_predict(test, readout=Ridge(ridge, "cholesky"))
        assert counted == {"drives": 2, "gram": 1, "triangle": 0}
        for ridge in ridges:
            fit_and_predict(test, readout=Ridge(ridge, "qr"))
        assert counted == {"drives": 2, "gram": 1, "triangle": 1}
    fit_and_predict(test, readout=Ridge(1e-3, "cholesky"))
    assert counted == {"drives": 4, "gram": 2, "triangle": 1}  # nothing is kept after the block


CHANGES: dict[str, Any] = {
    "units": 21, "spectral_radius": 0.5, "density": 0.3, "leak_rate": 0.5, "input_scaling": 0.5, "bias_scaling": 0.1,
    "feedback_scaling": 0.1, "topology": "cycle", "activation": "sigmoid", "input_weights": "sign", "input_density": 0.5,
    "noise": 0.01, "washout": 11, "readout_from": ("bias", "state"), "initial_state": "random", "dtype": "float32",
    "random_state": 4,
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_differs_in_anything_but_the_readout_shares_no_states(name: str) -> None:
    """Each parameter, changed, gives within the block what it gives alone: nothing of the network before."""
    changed = {name: CHANGES[name], "readout": Ridge(1e-3)}
    alone = outcome(network(**changed), *ONE)
    with reusing():
        before = outcome(network(readout=Ridge(1e-3)), *ONE)
        assert_same(alone, outcome(network(**changed), *ONE))
    assert not np.array_equal(before[0], alone[0])


def test_every_parameter_is_changed_above() -> None:
    every = set(ESN().get_params(deep=False))
    assert {*CHANGES, "topology_options", "readout", "pooling"} == every
    assert every - set(RESERVOIR) == {"noise", "washout", "readout", "readout_from", "pooling", "random_state"}


def test_equal_data_that_are_other_objects_are_run_through_again(counted: dict[str, int]) -> None:
    with reusing():
        network().fit(*ONE)
        network().fit(ONE[0].copy(), ONE[1])
        network().fit(ONE[0], ONE[1].copy())
    assert counted["drives"] == 3


def test_states_that_are_too_large_are_run_through_again(counted: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    alone = outcome(network(), *ONE)
    for module in ("esn", "network"):
        monkeypatch.setattr(f"reservoir.echo.{module}.MOST_BYTES", 8 * 22 * 250 - 1)  # 22 features, 250 rows after the washout
    counted.update(drives=0, gram=0, triangle=0)
    with reusing():
        for _ in range(2):
            assert_same(alone, outcome(network(), *ONE))
    summed = counted["gram"] + counted["triangle"]
    # Summed up once, by either kind that "auto" takes; the states of training are those of the sums, predictions' are made anew.
    assert summed <= 2 and counted["drives"] == summed + 4


def test_a_failure_is_not_kept() -> None:
    wild = {"activation": "identity", "spectral_radius": 1e6, "washout": 0}
    fine = outcome(network(), *ONE)
    with reusing():
        for _ in range(2):
            with pytest.raises(DivergenceError):
                network(**wild).fit(*ONE)
        assert_same(fine, outcome(network(), *ONE))


def test_blocks_may_be_nested_and_end_with_an_error() -> None:
    made: list[int] = []

    def make() -> list[int]:
        made.append(1)
        return made

    def error_within() -> None:
        with reusing():
            reused("kind", 1, (), make)
            raise KeyError

    with reusing():
        reused("kind", 1, (), make)
        with pytest.raises(KeyError):
            error_within()
        reused("kind", 1, (), make)
        assert len(made) == 2  # the inner block knew nothing, and left the outer one as it was
        reused("kind", 2, (), make)
        reused("kind", 1, (), make)
        assert len(made) == 4  # only the last of a kind is kept
    reused("kind", 1, (), make)
    assert len(made) == 5 and reuse._kept.get() is None


@pytest.mark.parametrize("dtype", ["U3", "M8[s]", "O", "c16"])
def test_a_matrix_that_holds_no_numbers_is_refused_inside_too(dtype: str) -> None:
    with reusing(), pytest.raises(ParameterError, match=mentions("matrix")):
        network(topology=np.zeros((20, 20), dtype) if dtype != "O" else np.array([[None]])).fit(*ONE)
