"""Every cell, with every option, against its slow twin, against differences, and against a step worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import naive_cells
import numpy as np
import pytest
from cell_runs import KINDS, Case, apart, backward, case, differences, draw, fitting, forward, random

from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.gru import GRUCell
from reservoir.gradient.cells.indrnn import IndRNNCell
from reservoir.gradient.cells.lstm import LSTMCell
from reservoir.gradient.cells.mgu import MGUCell

every_kind = pytest.mark.parametrize("kind", list(KINDS))


def part(whole: Case, keep: slice, steps: int) -> Case:
    """Some sequences of a batch, and its first steps."""
    return replace(
        whole,
        inputs=np.ascontiguousarray(whole.inputs[:steps, keep]),
        initial=np.ascontiguousarray(whole.initial[:, keep]),
        lengths=list(whole.lengths)[keep],
        output_gradient=np.ascontiguousarray(whole.output_gradient[:steps, keep]),
        state_gradient=np.ascontiguousarray(whole.state_gradient[:, keep]),
    )


# Forward


@every_kind
@pytest.mark.parametrize(
    ("units", "lengths", "steps", "n_inputs", "first"),
    [
        (1, [1], 1, 1, 0),
        (1, [5] * 7, 5, 3, 0),
        (7, [6], 6, 0, 0),
        (7, [4] * 7, 4, 1, 3),
        (7, [6, 6, 4, 1, 0], 6, 2, 1),
        (7, [2, 1], 4, 2, 0),
        (17, [2] * 3, 2, 5, 0),
        (33, [2], 2, 1, 2),
    ],
)
def test_states_follow_the_equations(kind: str, units: int, lengths: list[int], steps: int, n_inputs: int, first: int) -> None:
    chosen = fitting(KINDS[kind], units)
    run = case(chosen.of(units), steps, lengths, n_inputs, first=first)
    ref = naive_cells.run(chosen.naive, run.arrays, run.inputs, run.initial, lengths, first)
    np.testing.assert_allclose(forward(run).states, ref, rtol=1e-12, atol=1e-12)


@every_kind
def test_a_sequence_that_has_ended_keeps_its_state(kind: str) -> None:
    states = forward(case(KINDS[kind].of(5), 6, [6, 3, 0], 2)).states
    for t in range(3, 7):
        np.testing.assert_array_equal(states[:, t, 1], states[:, 3, 1])
        np.testing.assert_array_equal(states[:, t, 2], states[:, 0, 2])


@every_kind
def test_a_run_continues_where_another_ended(kind: str) -> None:
    whole = case(KINDS[kind].of(5), 7, [7, 7], 2)
    ref = forward(whole).states
    start = forward(part(whole, slice(None), 3)).states
    rest = replace(whole, inputs=whole.inputs[3:].copy(), initial=start[:, -1].copy(), lengths=[4, 4], first=3)
    np.testing.assert_allclose(forward(rest).states, ref[:, 3:], rtol=1e-13, atol=1e-13)


# Backward


@every_kind
@pytest.mark.parametrize(("lengths", "steps", "n_inputs"), [([4, 4], 4, 2), ([5, 3, 1, 0], 5, 1), ([1], 1, 0), ([3, 1], 4, 2)])
def test_gradients_are_slopes(kind: str, lengths: list[int], steps: int, n_inputs: int) -> None:
    run = case(KINDS[kind].of(3), steps, lengths, n_inputs, first=1)
    comp = backward(run)
    for name, array in run.arrays.items():
        assert apart(comp.weights[name], differences(run, array)) < 1e-8, name
    assert apart(comp.inputs, differences(run, run.inputs)) < 1e-8
    assert apart(comp.initial, differences(run, run.initial)) < 1e-8


@every_kind
def test_gradients_of_a_wide_layer_are_slopes(kind: str) -> None:
    """As many units as make the loops over vectors, their remainders and every tile run; the weights all at once."""
    run = case(KINDS[kind].of(35), 3, [3, 2], 2)
    for array in run.arrays.values():
        array *= 0.3
    comp = backward(run)
    along = {name: random(array.shape, 9) for name, array in run.arrays.items()}

    def objective(factor: float) -> float:
        moved = replace(run, arrays={name: array + factor * along[name] for name, array in run.arrays.items()})
        states = forward(moved).states
        return float(np.sum(states[0, 1:] * run.output_gradient) + np.sum(states[:, -1] * run.state_gradient))

    slope = (objective(1e-5) - objective(-1e-5)) / 2e-5
    assert sum(np.sum(comp.weights[name] * along[name]) for name in along) == pytest.approx(slope, rel=1e-6)


@every_kind
def test_padding_and_company_change_nothing(kind: str) -> None:
    """Gradients of a padded batch: the weights' are the sum over the sequences alone, the others are each one's own."""
    lengths = [5, 3, 3, 1]
    whole = case(KINDS[kind].of(4), 7, lengths, 2)
    for b, length in enumerate(lengths):
        whole.output_gradient[length:, b] = 0
    comp, states = backward(whole), forward(whole).states
    sums = {name: np.zeros_like(array) for name, array in whole.arrays.items()}
    for b, length in enumerate(lengths):
        alone = part(whole, slice(b, b + 1), length)
        ref = backward(alone)
        np.testing.assert_allclose(states[:, : length + 1, b], forward(alone).states[:, :, 0], rtol=0, atol=1e-12)
        np.testing.assert_allclose(comp.inputs[:length, b], ref.inputs[:, 0], rtol=0, atol=1e-12)
        np.testing.assert_array_equal(comp.inputs[length:, b], 0)
        np.testing.assert_allclose(comp.initial[:, b], ref.initial[:, 0], rtol=0, atol=1e-12)
        for name, array in ref.weights.items():
            sums[name] += array
    for name, array in sums.items():
        np.testing.assert_allclose(comp.weights[name], array, rtol=0, atol=1e-12)


@every_kind
def test_norms_are_those_of_the_gradient_after_each_step(kind: str) -> None:
    """After step t: that of the rest of the run with respect to its whole initial state, and of the output at t itself."""
    whole = case(KINDS[kind].of(4), 4, [4, 4], 2)
    states, comp = forward(whole).states, backward(whole).norms
    for t in range(4):
        reached = whole.state_gradient.copy()
        if t < 3:
            rest = replace(
                whole,
                inputs=whole.inputs[t + 1 :].copy(),
                initial=states[:, t + 1].copy(),
                lengths=[3 - t] * 2,
                output_gradient=whole.output_gradient[t + 1 :].copy(),
                first=t + 1,
            )
            reached = backward(rest).initial.copy()
        reached[0] += whole.output_gradient[t]
        assert comp[t] == pytest.approx(np.linalg.norm(reached), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_too_small_for_normal_numbers_become_zero(dtype: type) -> None:
    run = case(ElmanCell(4), 200, [200], 1, dtype)
    run.arrays["recurrent_weights"] *= dtype(0.01)
    run.output_gradient[:-1] = 0
    comp = backward(run)
    assert np.all(comp.initial == 0)
    assert np.all((comp.inputs == 0) | (np.abs(comp.inputs) > np.finfo(dtype).tiny))
    assert np.any(comp.inputs != 0)


@every_kind
@pytest.mark.parametrize("units", [15, 16, 17, 33])
def test_single_precision_agrees_with_double(kind: str, units: int) -> None:
    run = case(KINDS[kind].of(units), 6, [6, 6, 4], 2, np.float32)
    for array in run.arrays.values():
        array /= np.float32(math.sqrt(units))
    double = Case(
        run.cell,
        {name: array.astype(np.float64) for name, array in run.arrays.items()},
        run.inputs.astype(np.float64),
        run.initial.astype(np.float64),
        run.lengths,
        run.output_gradient.astype(np.float64),
        run.state_gradient.astype(np.float64),
    )
    assert apart(forward(run).states, forward(double).states) < 1e-6
    comp, ref = backward(run), backward(double)
    assert comp.initial.dtype == comp.inputs.dtype == np.float32
    for name, array in ref.weights.items():
        assert apart(comp.weights[name], array) < 1e-5, name
    assert apart(comp.inputs, ref.inputs) < 1e-5
    assert apart(comp.initial, ref.initial) < 1e-5
    np.testing.assert_allclose(comp.norms, ref.norms, rtol=1e-5)


# Sizes


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("elman tanh", 3 * 5 + 25 + 5),
        ("lstm", 4 * (3 * 5 + 25 + 5)),
        ("lstm peepholes", 4 * (3 * 5 + 25 + 5) + 3 * 5),
        ("gru before", 3 * (3 * 5 + 25 + 5)),
        ("gru after", 3 * (3 * 5 + 25 + 5) + 5),
        ("mgu", 2 * (3 * 5 + 25 + 5)),
        ("indrnn relu", 3 * 5 + 5 + 5),
    ],
)
def test_number_of_weights(kind: str, count: int) -> None:
    assert sum(array.size for array in draw(KINDS[kind].of(5), 3).values()) == count


# One step of one unit by hand, with x = 2 and a former state of 0.5; s is the sigmoid


def step(cell: object, arrays: dict[str, list], initial: list[float]) -> np.ndarray:
    """The state after one step, all gradients ignored."""
    zeros = np.zeros((len(initial), 1, 1))
    run = Case(
        cell,
        {name: np.array(values, dtype=float) for name, values in arrays.items()},
        np.full((1, 1, 1), 2.0),
        np.array(initial).reshape(-1, 1, 1),
        [1],
        np.zeros((1, 1, 1)),
        zeros,
    )
    return forward(run).states[:, 1, 0, 0]


def test_elman_by_hand() -> None:
    weights = {"input_weights": [[0.3]], "recurrent_weights": [[-0.4]], "bias": [0.1]}
    # a = 2 * 0.3 - 0.4 * 0.5 + 0.1 = 0.5; tanh(0.5) = 0.4621171573
    assert step(ElmanCell(1), weights, [0.5])[0] == pytest.approx(0.4621171573, abs=1e-10)
    assert step(ElmanCell(1, "relu"), weights, [0.5])[0] == pytest.approx(0.5, abs=1e-15)


def test_indrnn_by_hand() -> None:
    weights = {"input_weights": [[0.3]], "recurrent_weights": [-0.4], "bias": [-0.5]}
    # a = 2 * 0.3 - 0.4 * 0.5 - 0.5 = -0.1; tanh(-0.1) = -0.0996679946
    assert step(IndRNNCell(1, "tanh"), weights, [0.5])[0] == pytest.approx(-0.0996679946, abs=1e-10)
    assert step(IndRNNCell(1, "relu"), weights, [0.5])[0] == 0.0


def test_lstm_by_hand() -> None:
    weights = {
        "input_weights": [[0.1, 0.2, 0.3, 0.4]],
        "recurrent_weights": [[0.6, 0.4, 0.2, 0.0]],
        "bias": [0.5, 0.4, -0.7, 0.2],
        "peepholes": np.zeros((0, 1)),
    }
    # i = s(0.2 + 0.3 + 0.5) = s(1.0) = 0.7310585786, f = s(0.4 + 0.2 + 0.4) = s(1.0) = 0.7310585786
    # o = s(0.6 + 0.1 - 0.7) = s(0.0) = 0.5,          g = tanh(0.8 + 0.0 + 0.2) = tanh(1.0) = 0.7615941560
    # c = 0.7310585786 * (-1.0) + 0.7310585786 * 0.7615941560 = -0.1742886375
    # h = 0.5 * tanh(-0.1742886375) = 0.5 * -0.1725450587 = -0.0862725293
    np.testing.assert_allclose(step(LSTMCell(1), weights, [0.5, -1.0]), [-0.0862725293, -0.1742886375], atol=1e-10)
    # with peepholes 1, -1 and 2: i = s(1.0 - 1.0) = 0.5, f = s(1.0 + 1.0) = s(2.0) = 0.8807970780
    # c = -0.8807970780 + 0.5 * 0.7615941560 = -0.5
    # o = s(0.0 + 2 * -0.5) = s(-1.0) = 0.2689414214, h = 0.2689414214 * tanh(-0.5) = -0.1242824451
    weights["peepholes"] = [[1.0], [-1.0], [2.0]]
    np.testing.assert_allclose(step(LSTMCell(1, True), weights, [0.5, -1.0]), [-0.1242824451, -0.5], atol=1e-10)


def test_gru_by_hand() -> None:
    weights = {
        "input_weights": [[0.5, -0.5, 0.25]],
        "recurrent_weights": [[-2.0, 2.0, 3.0]],
        "bias": [0.0, 1.0, 0.25],
        "recurrent_bias": [],
    }
    # z = s(1.0 - 1.0) = 0.5, r = s(-1.0 + 1.0 + 1.0) = s(1.0) = 0.7310585786
    # before: n = tanh(0.5 + 0.7310585786 * 0.5 * 3 + 0.25) = tanh(1.8465878679) = 0.9514235581
    # h = 0.5 * 0.9514235581 + 0.5 * 0.5 = 0.7257117790
    assert step(GRUCell(1, "before"), weights, [0.5])[0] == pytest.approx(0.7257117790, abs=1e-10)
    # after, c = -0.5: n = tanh(0.5 + 0.7310585786 * (0.5 * 3 - 0.5) + 0.25) = tanh(1.4810585786) = 0.9016661292
    # h = 0.5 * 0.9016661292 + 0.25 = 0.7008330646
    weights["recurrent_bias"] = [-0.5]
    assert step(GRUCell(1, "after"), weights, [0.5])[0] == pytest.approx(0.7008330646, abs=1e-10)


def test_mgu_by_hand() -> None:
    weights = {"input_weights": [[0.5, 0.25]], "recurrent_weights": [[-1.0, 4.0]], "bias": [0.5, -0.5]}
    # f = s(1.0 - 0.5 + 0.5) = s(1.0) = 0.7310585786
    # c = tanh(0.5 + 0.7310585786 * 0.5 * 4 - 0.5) = tanh(1.4621171573) = 0.8980630115
    # h = 0.2689414214 * 0.5 + 0.7310585786 * 0.8980630115 = 0.1344707107 + 0.6565366687 = 0.7910073794
    assert step(MGUCell(1), weights, [0.5])[0] == pytest.approx(0.7910073794, abs=1e-10)


def test_forget_gates_begin_open() -> None:
    bias = np.full(12, 0.25)
    LSTMCell(3, forget_bias=2.0).adjust_bias(bias)
    np.testing.assert_array_equal(bias, [0.25] * 3 + [2.25] * 3 + [0.25] * 6)  # i, f, o, g


def test_independent_units_begin_within_their_bound() -> None:
    drawn = IndRNNCell(500, recurrent_bound=1.5).draw_recurrent("orthogonal", 0.1, np.random.default_rng(0))
    assert drawn.shape == (500,)
    assert 0.0 <= drawn.min() < 0.05 and 1.45 < drawn.max() <= 1.5


def test_matrices_are_read_as_to_from_and_peepholes_as_a_row_for_each_gate() -> None:
    cell = LSTMCell(3, peepholes=True)
    for name, shape in cell.shapes(2).items():
        array = np.arange(float(np.prod(shape))).reshape(shape)
        np.testing.assert_array_equal(cell.readable(name, array), array if name == "peepholes" else array.T)
