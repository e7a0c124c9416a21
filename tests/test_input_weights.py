"""Input, bias and feedback weights: patterns, density, scalings, and the digits of pi."""

from __future__ import annotations

from typing import Any

import naive
import numpy as np
import pytest
from messages import mentions

from reservoir import ESN, ParameterError
from reservoir.echo.input_weights import PATTERNS, pi_digits

RANDOM = ("uniform", "normal", "sign")


def built(units: int = 40, n_inputs: int = 3, n_outputs: int = 2, **parameters: Any) -> ESN:
    parameters = {"random_state": 0, "spectral_radius": None, "bias_scaling": 1.0, "feedback_scaling": 1.0, **parameters}
    return ESN(units, **parameters).build(n_inputs, n_outputs)


def every(esn: ESN) -> list[np.ndarray]:
    return [esn.input_weights_, esn.bias_, esn.feedback_weights_]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_shapes_and_seeds(pattern: str) -> None:
    first, same, other = (every(built(input_weights=pattern, random_state=seed)) for seed in (1, 1, 2))
    assert [w.shape for w in first] == [(40, 3), (40,), (40, 2)]
    for a, b, c in zip(first, same, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert (a != c).any() == (pattern in RANDOM)


def test_without_feedback_there_are_no_feedback_weights() -> None:
    assert built(feedback_scaling=0.0).feedback_weights_.shape == (40, 0)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_distributions(which: int) -> None:
    uniform, normal, sign = (every(built(2000, input_weights=pattern))[which] for pattern in RANDOM)
    assert np.abs(uniform).max() <= 1.0 and np.abs(uniform).max() > 0.99
    assert np.std(uniform) == pytest.approx(np.sqrt(1 / 3), abs=0.02) and np.std(normal) == pytest.approx(1.0, abs=0.05)
    assert np.abs(normal).max() > 2.5 and set(sign.ravel()) == {-1.0, 1.0}
    for values in (uniform, normal, sign):
        assert abs(values.mean()) < 0.08


def test_alternating_signs_run_down_the_units_channel_after_channel() -> None:
    # 3 units: inputs take entries 0 ... 5, the bias 6 ... 8, the feedback 9 ... 11
    into, bias, back = every(built(3, 2, 1, input_weights="alternating"))
    np.testing.assert_array_equal(into, [[1, -1], [-1, 1], [1, -1]])
    np.testing.assert_array_equal(bias, [1, -1, 1])
    np.testing.assert_array_equal(back, [[-1], [1], [-1]])


def test_pi_signs() -> None:
    # 3 . 1 4 1 5 9 2 6 5 3 5 8 9: minus below 5
    into, bias, back = every(built(3, 2, 1, input_weights="pi"))
    np.testing.assert_array_equal(into, [[-1, 1], [-1, 1], [-1, -1]])
    np.testing.assert_array_equal(bias, [1, 1, -1])
    np.testing.assert_array_equal(back, [[1], [1], [1]])


@pytest.mark.parametrize("count", [0, 1, 2, 100, 762, 1000, 5000])  # six nines stand at 762
def test_pi_digits(count: int) -> None:
    ref = naive.pi_digits(count)
    np.testing.assert_array_equal(pi_digits(count), ref)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(("density", "reached"), [(1.0, 40), (0.5, 20), (0.1, 4), (0.26, 10), (0.29, 12), (1e-3, 1)])
def test_density_is_that_of_each_input_alone(density: float, reached: int, pattern: str) -> None:
    esn = built(input_weights=pattern, input_density=density)
    np.testing.assert_array_equal(np.count_nonzero(esn.input_weights_, axis=0), [reached] * 3)
    assert np.count_nonzero(esn.bias_) == 40 and np.count_nonzero(esn.feedback_weights_) == 80
    if reached == 4:  # not the same units for all
        assert len(np.unique(np.nonzero(esn.input_weights_)[0])) > 4


@pytest.mark.parametrize(
    ("name", "which", "count"), [("input_scaling", 0, 3), ("bias_scaling", 1, 40), ("feedback_scaling", 2, 2)]
)
def test_scalings(name: str, which: int, count: int) -> None:
    ref = every(built())[which]
    np.testing.assert_allclose(every(built(**{name: -0.3}))[which], -0.3 * ref, rtol=1e-15)
    each = np.linspace(0.5, 2.0, count)
    for given in (each, each.tolist(), tuple(each)):
        comp = every(built(**{name: given}))[which]
        np.testing.assert_allclose(comp, ref * each, rtol=1e-15)
    with pytest.raises(ParameterError, match=mentions(f"'{name}' ESN {count} 4")):
        built(**{name: [1.0] * 4})


def test_every_kind_of_weight_has_a_stream_of_its_own() -> None:
    ref, comp = built(), built(topology="random", n_inputs=5, input_density=0.3)
    np.testing.assert_array_equal(comp.bias_, ref.bias_)
    np.testing.assert_array_equal(comp.feedback_weights_, ref.feedback_weights_)
    esn = built(topology="dense", topology_options={"weights": "uniform"}, initial_state="random")
    drawn = np.concatenate([w.ravel() for w in (*every(esn), esn.recurrent_weights_, esn.reservoir_.initial_state)])
    assert len(np.unique(drawn)) == drawn.size  # a stream used twice would repeat itself


@pytest.mark.parametrize(
    "changed",
    [
        {"input_weights": "pi"},
        {"input_weights": np.ones((40, 3))},
        {"input_scaling": 0.1, "bias_scaling": 2.0, "feedback_scaling": 0.0},
        {"input_density": 0.5},
        {"n_inputs": 5, "n_outputs": 1},
        {"initial_state": "random", "leak_rate": 0.5},
    ],
)
@pytest.mark.parametrize("topology", ["diagonals", "random", "dense"])
def test_the_recurrent_matrix_stays_bit_for_bit(topology: str, changed: dict[str, Any]) -> None:
    ref, comp = (built(topology=topology, **parameters).recurrent_weights_ for parameters in ({}, changed))
    np.testing.assert_array_equal(*(w if isinstance(w, np.ndarray) else w.toarray() for w in (ref, comp)))


@pytest.mark.parametrize("kind", [np.array, np.ndarray.tolist, lambda w: tuple(map(tuple, w))])
def test_own_input_weights(kind: Any) -> None:
    own = np.random.default_rng(5).normal(size=(40, 3))
    esn = built(input_weights=kind(own), input_scaling=[1.0, 0.5, 2.0])
    np.testing.assert_allclose(esn.input_weights_, own * [1.0, 0.5, 2.0], rtol=1e-15)
    np.testing.assert_array_equal(esn.bias_, built().bias_)  # the bias stays uniform


def test_own_input_weights_of_one_input_may_be_flat() -> None:
    own = np.random.default_rng(5).normal(size=40)
    np.testing.assert_array_equal(built(n_inputs=1, input_weights=own).input_weights_, own[:, None])


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (np.ones((40, 2)), "'input_weights' ESN (40, 3) 2)"),
        (np.ones(40), "(40, 1) shape"),
        (np.full((40, 3), np.inf), "'input_weights' ESN"),
        ([[1.0], [1.0, 2.0]], "'input_weights' ESN"),
        ([["a"]], "'input_weights' ESN"),
        ("unifrom", "'input_weights' ESN uniform"),
        (3, "'input_weights' ESN"),
    ],
)
def test_own_input_weights_are_checked(own: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=mentions(message)):
        built(input_weights=own)
