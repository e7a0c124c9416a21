"""Closed loops whose inputs are known ahead: against a slow twin, the place of every row, functions, and what is refused."""

from __future__ import annotations

from typing import Any

import naive
import numpy as np
import pytest
from networks import INPUTS, TARGETS, UNEQUAL, close, cut, small

from reservoir import DataError, DivergenceError, Elman, ParameterError, Ridge, Training, load
from reservoir.base.estimator import clone
from reservoir.gradient.closed_loop import joined
from reservoir.gradient.diagnostics import measure_gradients
from reservoir.language.recurrent import LanguageModel

SHORT = Training(epochs=3)
ELMAN = Elman(4, feedback=True, training=SHORT, dtype="float64", random_state=0)
CUTS = [40, 53]


# Echo state networks


@pytest.mark.parametrize("parts", [("bias", "input", "state"), naive.PARTS])
@pytest.mark.parametrize("feedback", [0.4, [0.3, 0.0]], ids=str)
def test_forecasts_equal_their_slow_twin(feedback: Any, parts: tuple[str, ...]) -> None:
    esn = small(feedback_scaling=feedback, readout_from=parts, readout=Ridge(1.0)).fit(INPUTS, TARGETS)
    network = naive.network_of(esn)
    for start in (1, 7, 47):
        past, future = INPUTS[:start], INPUTS[start:]
        ref = naive.forecast_known(network, parts, esn.output_weights_, TARGETS[:start], past, future)
        close(esn.forecast(TARGETS[:start], len(future), inputs=past, future=future), ref)


def test_many_forecasts_are_those_of_each() -> None:
    esn = small(feedback_scaling=0.3).fit(INPUTS, TARGETS)
    past, history = cut(INPUTS, UNEQUAL), cut(TARGETS, UNEQUAL)
    future = [INPUTS[s : s + 6] for s in range(len(past))]
    for comp, y, u, ahead in zip(esn.forecast(history, 6, past, future), history, past, future, strict=True):
        np.testing.assert_array_equal(comp, esn.forecast(y, 6, u, ahead))


def driven(inputs: np.ndarray) -> np.ndarray:
    """y(t) = .8 y(t - 1) + .5 u(t)."""
    y = np.zeros(len(inputs))
    for t in range(1, len(y)):
        y[t] = 0.8 * y[t - 1] + 0.5 * inputs[t]
    return y


@pytest.mark.parametrize(
    "model",
    [
        small(feedback_scaling=0.5, units=30, activation="identity", readout=Ridge(1e-6)),
        Elman(12, feedback=True, random_state=0, training=Training(epochs=150, learning_rate=1e-2, window=30)),
    ],
    ids=["esn", "elman"],
)
def test_the_input_of_a_step_is_that_of_the_row_it_gives(model: Any) -> None:
    u = np.random.default_rng(3).normal(size=250)
    y = driven(u)
    model = clone(model).fit(u[:200], y[:200])

    def error(future: np.ndarray) -> float:
        return float(np.abs(model.forecast(y[:200], 20, inputs=u[:200], future=future) - y[200:220]).mean())

    right = error(u[200:220])
    assert right < 0.2 * y.std()
    assert min(error(u[199:219]), error(u[201:221])) > 3 * right


@pytest.mark.parametrize("model", [small(feedback_scaling=0.3), ELMAN], ids=["esn", "elman"])
def test_a_function_of_the_last_output_gives_the_inputs(model: Any) -> None:
    model = clone(model).fit(np.sin(np.r_[np.zeros((1, 2)), TARGETS[:-1]]), TARGETS)
    seen: list[np.ndarray] = []

    def future(last: np.ndarray) -> np.ndarray:
        seen.append(last)
        return np.sin(last)

    histories = [TARGETS[:20], TARGETS[5:45]]
    past = [np.sin(np.r_[y[:1], y[:-1]]) for y in histories]
    one, two = model.forecast(histories, 6, past, future)
    assert len(seen) == 12
    for y, u, comp in zip(histories, past, (one, two), strict=True):
        ahead = np.sin(np.r_[y[-1:], comp[:-1]])
        close(comp, model.forecast(y, 6, u, ahead), 1e-9)


def test_one_output_and_one_input_come_flat() -> None:
    esn = small(feedback_scaling=0.3).fit(INPUTS[:, 0], TARGETS[:, 0])
    ref = esn.forecast(TARGETS[:40, :1], 5, INPUTS[:40, :1], INPUTS[40:45, :1])
    np.testing.assert_array_equal(esn.forecast(TARGETS[:40, 0], 5, INPUTS[:40, 0], INPUTS[40:45, 0]), ref[:, 0])
    assert esn.forecast(TARGETS[:40, 0], 5, INPUTS[:40, 0], lambda last: float(last[0])).shape == (5,)


# Networks trained by gradient: the twin is the same network, in open loop, that reads what the closed loop gave


@pytest.mark.parametrize("parameters", [{}, {"layers": 2, "layer_norm": True}, {"standardize": False}], ids=str)
def test_feedback_joins_the_last_output_to_the_inputs(parameters: dict[str, Any], tmp_path: Any) -> None:
    model = clone(ELMAN).set_params(**parameters).fit(INPUTS, TARGETS)
    open_loop = clone(model).set_params(feedback=False).fit(joined([INPUTS], [TARGETS], TARGETS.mean(axis=0))[0], TARGETS)
    np.testing.assert_array_equal(model._vector, open_loop._vector)  # it was teacher-forced
    assert model.n_features_in_ == 3 and model.weights_["layer0.forward.input_weights"].shape == (4, 5)
    first = TARGETS.mean(axis=0)
    free = model.predict(INPUTS)
    close(free, open_loop.predict(joined([INPUTS], [free], first)[0]), 1e-9)
    past, future = INPUTS[:47], INPUTS[47:]
    comp = model.forecast(TARGETS[:47], 13, inputs=past, future=future)
    fed = np.r_[TARGETS[:47], comp]
    close(comp, open_loop.predict(joined([INPUTS], [fed], first)[0])[47:], 1e-9)
    close(model.states(INPUTS, TARGETS), open_loop.states(joined([INPUTS], [TARGETS], first)[0]), 1e-12)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").forecast(TARGETS[:47], 13, past, future), comp)


def test_networks_without_inputs_live_on_their_feedback() -> None:
    nothing = np.empty((60, 0))
    model = clone(ELMAN).fit(nothing, TARGETS)
    comp = model.forecast(TARGETS[:40], 9)
    again = clone(ELMAN).set_params(feedback=False).fit(joined([nothing], [TARGETS], TARGETS.mean(axis=0))[0], TARGETS)
    fed = np.r_[TARGETS[:40], comp]
    close(comp, again.predict(joined([fed[:, :0]], [fed], TARGETS.mean(axis=0))[0])[40:], 1e-9)


def test_sequences_of_any_lengths_read_their_own_outputs() -> None:
    inputs, targets = cut(INPUTS, UNEQUAL), cut(TARGETS, UNEQUAL)
    model = clone(ELMAN).fit(inputs, targets)
    for u, y in zip(inputs, model.predict(inputs), strict=True):
        close(y, model.predict(u), 1e-10)


def test_validation_data_are_teacher_forced_as_training_data_are() -> None:
    watched = clone(ELMAN).fit(INPUTS, TARGETS, validation=(INPUTS[20:], TARGETS[20:]))
    first = TARGETS.mean(axis=0)
    [training], [validation] = (joined([INPUTS[k:]], [TARGETS[k:]], first) for k in (0, 20))
    open_loop = clone(ELMAN).set_params(feedback=False).fit(training, TARGETS, validation=(validation, TARGETS[20:]))
    comp, ref = ([record["validation_loss"] for record in model.history_] for model in (watched, open_loop))
    assert comp == ref


def test_gradients_are_measured_teacher_forced() -> None:
    model = clone(ELMAN).fit(INPUTS, TARGETS)
    other = clone(ELMAN).set_params(feedback=False)
    inputs = joined([INPUTS], [TARGETS], TARGETS.mean(axis=0))[0]
    comp, ref = measure_gradients(model, INPUTS, TARGETS), measure_gradients(other.fit(inputs, TARGETS), inputs, TARGETS)
    np.testing.assert_allclose(comp["loss_norms"], ref["loss_norms"], rtol=1e-9)


# What is refused

ESN_FITTED = small(feedback_scaling=0.3).fit(INPUTS, TARGETS)
GIVEN: dict[str, Any] = {"history": TARGETS[:40], "steps": 5, "inputs": INPUTS[:40], "future": INPUTS[40:45]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"future": None}, "^future: is missing"),
        ({"inputs": None}, "^inputs: is missing"),
        ({"inputs": INPUTS[:39]}, "^inputs, sequence 0: has 39 rows, its history has 40"),
        ({"future": INPUTS[40:44]}, "^future, sequence 0: has 4 rows, a forecast of 5 steps needs 5"),
        ({"future": INPUTS[40:46]}, "has 6 rows, a forecast of 5"),
        ({"inputs": INPUTS[:40, :2]}, "^inputs: X has 2 features, but ESN is expecting 3"),
        ({"future": INPUTS[40:45, :1]}, "^future: X has 1 features, but ESN is expecting 3"),
        ({"inputs": [INPUTS[:40]] * 2}, "^inputs: has 2 sequences, the history has 1"),
        ({"future": [INPUTS[40:45]] * 2}, "^future: has 2 sequences, the history has 1"),
        ({"future": np.full((5, 3), np.nan)}, "^future: Input contains NaN"),
        ({"future": lambda last: last}, "^future: the function must return 3 finite numbers"),
        ({"future": lambda last: [0.0, np.inf, 0.0]}, "Got .*inf.* at step 0"),
        ({"inputs": None, "future": None}, "3 inputs and 2 outputs do not fit. Give inputs that are known ahead"),
    ],
)
def test_known_inputs_must_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        ESN_FITTED.forecast(**(GIVEN | changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "name"),
    [(small(), "'feedback_scaling' parameter of ESN .*above 0"), (clone(ELMAN).set_params(feedback=False), "'feedback' .*True")],
    ids=["esn", "elman"],
)
def test_known_inputs_need_feedback(model: Any, name: str) -> None:
    with pytest.raises(ParameterError, match=name):
        clone(model).fit(INPUTS, TARGETS).forecast(**GIVEN)


def test_a_loop_that_diverges_names_the_step() -> None:
    esn = small(feedback_scaling=0.3).fit(INPUTS, TARGETS)
    esn.readout_.coefficients_ = np.full_like(esn.output_weights_, 1e9)
    for future in (INPUTS[40:45], lambda last: INPUTS[0]):
        with pytest.raises(DivergenceError, match="diverged at step 0 of sequence 0"):
            esn.forecast(TARGETS[:40], 5, INPUTS[:40], future)


@pytest.mark.parametrize(
    ("parameters", "name"),
    [({"bidirectional": True}, "bidirectional"), ({"symbols": "one-hot"}, "symbols"), ({"loss": "cross_entropy"}, "loss")],
)
def test_what_feedback_does_not_go_with(parameters: dict[str, Any], name: str) -> None:
    with pytest.raises(ParameterError, match=f"'{name}' parameter of Elman .* with feedback"):
        clone(ELMAN).set_params(**parameters).fit(INPUTS, TARGETS)


def test_language_models_have_no_feedback() -> None:
    with pytest.raises(ParameterError, match=r"'symbols' parameter of Elman must be None .* Got 'one-hot'"):
        LanguageModel(Elman(feedback=True, training=Training(truncation=(5, 5)))).check()


def test_feedback_needs_targets_per_step() -> None:
    with pytest.raises(DataError, match=r"^targets: are missing"):
        clone(ELMAN).fit(INPUTS)
    with pytest.raises(DataError, match=r"cannot be fed back; .* set feedback to False"):
        clone(ELMAN).fit([INPUTS, INPUTS], [1.0, 2.0])
    with pytest.raises(DataError, match=r"^states: the network has output feedback"):
        clone(ELMAN).fit(INPUTS, TARGETS).states(INPUTS)
    with pytest.raises(DataError, match=r"^inputs: are missing"):  # the history is no input of such a network
        clone(ELMAN).fit(INPUTS[:, :2], TARGETS).forecast(TARGETS, 3)
