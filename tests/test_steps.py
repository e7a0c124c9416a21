"""Networks that go on from a state: single rows and parts of a sequence give what the whole one gives."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from networks import INPUTS, TARGETS, WAVE, close, small

from reservoir import (
    GRU,
    LSTM,
    ClockworkRNN,
    DataError,
    DivergenceError,
    ParameterError,
    RecursiveLeastSquares,
    Ridge,
    RidgeClassifier,
    Training,
)  # fmt: skip
from reservoir.base.estimator import clone

SHORT: dict[str, Any] = {"training": Training(epochs=2), "dtype": "float64", "random_state": 0}
LABELS = np.where(INPUTS[:, 0] > 0.0, "up", "down")
RESERVOIRS: dict[str, dict[str, Any]] = {
    "open loop": {},
    "squares, no input": {"readout_from": ("square", "bias")},
    "feedback": {"feedback_scaling": 0.4},
    "output in the readout": {"readout_from": ("bias", "output", "square", "state")},
    "random": {"topology": "random", "initial_state": "random"},
    "single precision": {"dtype": "float32"},
    "single precision and feedback": {"dtype": "float32", "feedback_scaling": 0.4},
}
TRAINED: dict[str, Any] = {
    "lstm": LSTM(4, layers=2, layer_norm=True, **SHORT),
    "gru": GRU(4, feedback=True, **SHORT),
    "clockwork": ClockworkRNN(4, periods=(1, 2, 4), **SHORT),
}
PARTS = ((0, 1), (1, 2), (2, 33), (33, 60))


def in_parts(model: Any, inputs: np.ndarray) -> np.ndarray:
    state = model.reset()
    found = np.concatenate([model.predict(inputs[start:stop], state=state) for start, stop in PARTS])
    assert state.time == len(inputs)
    return found


def one_by_one(model: Any, inputs: np.ndarray) -> np.ndarray:
    model.reset()
    return np.array([model.step(row) for row in inputs])


# Echo state networks, to the bit


@pytest.mark.parametrize("case", list(RESERVOIRS))
def test_rows_and_parts_have_the_bits_of_the_whole(case: str) -> None:
    esn = small(**RESERVOIRS[case], readout=Ridge(1.0)).fit(INPUTS, TARGETS)
    ref = esn.predict(INPUTS)
    np.testing.assert_array_equal(in_parts(esn, INPUTS), ref)
    np.testing.assert_array_equal(one_by_one(esn, INPUTS), ref)
    np.testing.assert_array_equal(esn.predict(INPUTS), ref)  # from the initial state still


def test_many_rows_side_by_side_have_the_bits_of_each() -> None:
    esn = small().fit(INPUTS, TARGETS)
    many = [INPUTS[k : k + 9] for k in range(40)]
    for u, y in zip(many, esn.predict(many), strict=True):
        np.testing.assert_array_equal(one_by_one(esn, u), y)


def test_the_first_step_after_a_fit_is_the_first_of_a_sequence() -> None:
    esn = small().fit(INPUTS, TARGETS)
    first = esn.step(INPUTS[0])
    esn.step(INPUTS[1])
    assert not np.array_equal(esn.step(INPUTS[0]), first)
    esn.fit(INPUTS, TARGETS)
    np.testing.assert_array_equal(esn.step(INPUTS[0]), first)
    esn.reset()
    np.testing.assert_array_equal(esn.step(INPUTS[0]), first)


def test_an_answer_stays_as_it_was() -> None:
    esn = small(feedback_scaling=0.3).fit(INPUTS, TARGETS)
    answers = [esn.step(row) for row in INPUTS[:3]]
    np.testing.assert_array_equal(answers, esn.predict(INPUTS[:3]))


def test_steps_go_on_with_what_was_learned_meanwhile() -> None:
    esn = small(readout=RecursiveLeastSquares()).fit(INPUTS[:30], TARGETS[:30])
    for row in INPUTS[:30]:
        esn.step(row)
    esn.partial_fit(INPUTS[30:50], TARGETS[30:50], continued=True)
    np.testing.assert_array_equal(esn.step(INPUTS[30]), esn.predict(INPUTS[:31])[30])


def test_states_of_several_streams_are_apart() -> None:
    esn = small().fit(INPUTS, TARGETS)
    one, other = esn.reset(), esn.reset()
    esn.predict(INPUTS[:20], state=one)
    esn.predict(INPUTS[5:15], state=other)
    kept, stored = copy.deepcopy(one), pickle.loads(pickle.dumps(one))
    for state in (one, kept, stored):
        np.testing.assert_array_equal(esn.predict(INPUTS[20:], state=state), esn.predict(INPUTS)[20:])
    np.testing.assert_array_equal(esn.predict(INPUTS[15:], state=other), esn.predict(INPUTS[5:])[10:])


def test_answers_have_the_form_of_the_targets() -> None:
    flat = small().fit(INPUTS[:, 0], TARGETS[:, 0])
    ref = flat.predict(INPUTS[:, 0])
    assert [float(flat.step(value)) for value in INPUTS[:4, 0]] == ref[:4].tolist()
    labels = small(readout=RidgeClassifier()).fit(INPUTS, LABELS)
    assert one_by_one(labels, INPUTS).tolist() == labels.predict(INPUTS).tolist()
    nothing = small(feedback_scaling=0.7).fit(np.empty((60, 0)), WAVE)
    np.testing.assert_array_equal([nothing.step() for _ in range(9)], nothing.predict(np.empty((9, 0))))


def test_a_model_of_scikit_learn_steps() -> None:
    from sklearn.linear_model import LinearRegression

    for feedback in (0.0, 0.1):
        esn = small(readout=LinearRegression(), feedback_scaling=feedback).fit(INPUTS, TARGETS)
        close(one_by_one(esn, INPUTS[:9]), esn.predict(INPUTS[:9]))
        close(in_parts(esn, INPUTS), esn.predict(INPUTS))


# Networks trained by gradient, to rounding


@pytest.mark.parametrize("name", list(TRAINED))
def test_a_trained_network_goes_on(name: str) -> None:
    model = clone(TRAINED[name]).fit(INPUTS, TARGETS)
    ref = model.predict(INPUTS)
    close(in_parts(model, INPUTS), ref, 1e-12)
    close(one_by_one(model, INPUTS), ref, 1e-12)
    model.reset()
    close(model.step(INPUTS[0]), ref[0], 1e-12)


# What is refused


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1.0, 2.0], r"^row: must be 3 numbers, .* shape \(2,\)"),
        (np.ones((3, 1)), r"shape \(3, 1\)"),
        ([1.0, np.nan, 2.0], "^row: must be finite"),
        (["a", "b", "c"], "^row: must be 3 numbers"),
        ((), r"shape \(0,\)"),
    ],
)
def test_rows_must_fit(row: Any, message: str) -> None:
    esn = small().fit(INPUTS, TARGETS)
    with pytest.raises(DataError, match=message):
        esn.step(row)
    np.testing.assert_array_equal(esn.step(INPUTS[0]), esn.predict(INPUTS[:1])[0])  # nothing was read


def test_states_must_fit() -> None:
    esn = small().fit(INPUTS, TARGETS)
    other = small(units=9).fit(INPUTS, TARGETS).reset()
    for inputs, state in ((INPUTS, other), (INPUTS, "last"), ([INPUTS], esn.reset())):
        with pytest.raises(DataError, match=r"^state: must be what reset of this network returned, for one sequence"):
            esn.predict(inputs, state=state)


def test_what_cannot_step() -> None:
    with pytest.raises(DataError, match=r"^step: the network has one output per sequence"):
        small().fit([INPUTS, INPUTS], [1.0, 2.0]).step(INPUTS[0])
    with pytest.raises(ParameterError, match="'bidirectional' parameter must be False for step"):
        clone(TRAINED["lstm"]).set_params(bidirectional=True).fit(INPUTS, TARGETS).step(INPUTS[0])


def test_a_step_that_diverges_is_named() -> None:
    for feedback, message in ((0.3, "closed loop diverged at step 1"), (0.0, "reservoir diverged: .* at step 1")):
        esn = small(feedback_scaling=feedback).fit(INPUTS, TARGETS)
        esn.step(INPUTS[0])
        vars(esn).pop("_stepper")
        esn.readout_.coefficients_ = np.full_like(esn.output_weights_, np.inf)
        with pytest.raises(DivergenceError, match=message):
            esn.step(INPUTS[1])
