"""The Clockwork RNN's structure: the triangle, the clock, idle modules, sizes, and the work that is really done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import naive_cells
import numpy as np
import pytest
from cell_runs import Case, apart, backward, case, forward

from reservoir.gradient.cells import clockwork
from reservoir.gradient.cells.clockwork import ClockworkCell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.lstm import LSTMCell

PERIODS = [(1, 2, 4, 8), (1, 3, 5), (2, 3, 7), (1,), (3,)]
SIZES = [9, 12, 13]

both = pytest.mark.parametrize(("periods", "units"), [(periods, units) for periods in PERIODS for units in SIZES])


def modules(cell: ClockworkCell) -> list[slice]:
    return [slice(int(i), int(j)) for i, j in zip(cell.starts[:-1], cell.starts[1:], strict=True)]


# The triangle


@both
def test_modules_are_even_and_the_faster_ones_larger(periods: tuple[int, ...], units: int) -> None:
    cell = ClockworkCell(units, periods)
    assert [m.stop - m.start for m in modules(cell)] == naive_cells.module_sizes(units, len(periods))


@both
def test_fast_modules_read_slow_ones_and_never_the_reverse(periods: tuple[int, ...], units: int) -> None:
    cell = ClockworkCell(units, periods)
    packed = np.random.default_rng(0).normal(size=cell.shapes(0)["recurrent_weights"])
    matrix = cell.unpack(packed)  # row from, column to
    for i, source in enumerate(modules(cell)):
        for j, target in enumerate(modules(cell)):
            block = matrix[source, target]
            assert np.all(block != 0) if i >= j else np.all(block == 0)
    ref, _ = naive_cells.clockwork_matrix(packed, units, len(periods))
    np.testing.assert_array_equal(matrix, ref)
    np.testing.assert_array_equal(cell.pack(matrix), packed)
    np.testing.assert_array_equal(cell.pack(np.where(matrix == 0, 5.0, matrix)), packed)


@pytest.mark.parametrize("periods", [(1, 2, 4), (1, 3, 5)])
def test_a_change_reaches_the_faster_modules_only(periods: tuple[int, ...]) -> None:
    cell = ClockworkCell(11, periods)
    run = case(cell, 7, [7], 2)
    ref = forward(run).states[0, 1:, 0]
    for i, changed in enumerate(modules(cell)):
        initial = run.initial.copy()
        initial[0, 0, changed.start] += 0.25
        comp = forward(replace(run, initial=initial)).states[0, 1:, 0]
        for j, module in enumerate(modules(cell)):
            if j > i:
                np.testing.assert_array_equal(comp[:, module], ref[:, module])
            else:
                assert np.all(comp[0, module] != ref[0, module])


# The clock


@both
@pytest.mark.parametrize("first", [0, 1, 6])
def test_modules_run_when_their_period_divides_the_time_and_idle_otherwise(
    periods: tuple[int, ...], units: int, first: int
) -> None:
    cell = ClockworkCell(units, periods)
    states = forward(case(cell, 17, [17, 17], 1, first=first)).states[0]
    for period, module in zip(periods, modules(cell), strict=True):
        for t in range(17):
            if (first + t) % period == 0:
                assert np.all(states[t + 1, :, module] != states[t, :, module])
            else:
                assert states[t + 1, :, module].tobytes() == states[t, :, module].tobytes()


def test_every_module_runs_at_time_zero() -> None:
    states = forward(case(ClockworkCell(18), 2, [2], 0)).states[0, :, 0]
    assert np.all(states[1] != states[0])
    np.testing.assert_array_equal(states[1] != states[2], np.arange(18) < 2)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_one_module_of_period_one_is_the_simple_recurrent_network(activation: str, dtype: type) -> None:
    """Forward bit for bit without inputs, else, and the gradients, to rounding: the products are grouped otherwise."""
    for n_inputs in (0, 3):
        one = case(ClockworkCell(13, (1,), activation), 6, [6, 6, 4], n_inputs, dtype)
        arrays = {**one.arrays, "recurrent_weights": one.cell.unpack(one.arrays["recurrent_weights"])}
        ref = replace(one, cell=ElmanCell(13, activation), arrays=arrays)
        tolerance = 1e-14 if dtype == np.float64 else 1e-6
        if n_inputs == 0:
            np.testing.assert_array_equal(forward(one).states, forward(ref).states)
        assert apart(forward(one).states, forward(ref).states) < tolerance
        comp, whole = backward(one), backward(ref)
        comp.weights["recurrent_weights"] = one.cell.unpack(comp.weights["recurrent_weights"])
        for name, array in whole.weights.items():
            assert apart(comp.weights[name], array) < tolerance, name
        assert apart(comp.inputs, whole.inputs) < tolerance
        assert apart(comp.initial, whole.initial) < tolerance


# A step by hand


def test_two_steps_by_hand() -> None:
    """Two units of periods 1 and 2; x = 1; W = (0.5, -1), b = 0; fast reads itself 2 and slow -1, slow itself 0.5."""
    cell = ClockworkCell(2, (1, 2), "identity")
    arrays = {
        "input_weights": np.array([[0.5, -1.0]]),
        "recurrent_weights": np.array([2.0, -1.0, 0.5]),  # into the fast one: from itself, from the slow one; into the slow one
        "bias": np.zeros(2),
    }
    gradient = np.array([[[0.0, 0.0]], [[1.0, 0.0]]])
    run = Case(cell, arrays, np.ones((2, 1, 1)), np.array([[[1.0, 3.0]]]), [2], gradient, np.zeros((1, 1, 2)))
    states = forward(run).states[0, :, 0]
    np.testing.assert_allclose(states[1], [-0.5, 0.5])  # t = 0: 0.5 + 2 * 1 - 1 * 3; -1 + 0.5 * 3
    np.testing.assert_allclose(states[2], [-1.0, 0.5])  # t = 1: 0.5 + 2 * -0.5 - 1 * 0.5; idle
    comp = backward(run)
    # L = fast(2). To fast(1): 2, to slow(1): -1, through both steps of the slow one, the second idle.
    # To fast(0): 2 * 2 = 4; to slow(0): 2 * -1 + -1 * 0.5 = -2.5
    np.testing.assert_allclose(comp.initial[0, 0], [4.0, -2.5])
    # U: fast from fast 1 * -0.5 + 2 * 1 = 1.5; fast from slow 1 * 0.5 + 2 * 3 = 6.5; slow from slow -1 * 3 = -3
    np.testing.assert_allclose(comp.weights["recurrent_weights"], [1.5, 6.5, -3.0])
    np.testing.assert_allclose(comp.weights["bias"], [1.0 + 2.0, -1.0])
    np.testing.assert_allclose(comp.inputs[:, 0, 0], [2 * 0.5 + -1 * -1.0, 1 * 0.5])


# Sizes


@pytest.mark.parametrize(("modules", "size"), [(1, 5), (3, 4), (9, 28)])
def test_equal_modules_have_half_the_weights_and_half_the_diagonal_more(modules: int, size: int) -> None:
    """n^2 / 2 + n k / 2 of n^2, the paper's section 3."""
    units = modules * size
    cell = ClockworkCell(units, tuple(2**i for i in range(modules)))
    assert 2 * cell.shapes(0)["recurrent_weights"][0] == units * units + units * size


@pytest.mark.parametrize(
    ("budget", "units", "count"),
    [
        (100, (9, 4, 11), (100, 97, 91)),
        (250, (15, 7, 19), (256, 253, 240)),
        (500, (22, 10, 27), (529, 481, 460)),
        (1000, (31, 15, 40), (1024, 1021, 971)),
    ],
)
def test_sizes_of_the_papers_table(budget: int, units: tuple[int, int, int], count: tuple[int, int, int]) -> None:
    """Elman, LSTM and Clockwork RNN, without inputs and with one output.

    Counted are recurrent weights, biases, peepholes, output weights and the output's bias. Then every size of the table
    has the parameters it stands for, to within 10 %. The paper does not say what it counted; of the sums of some of these
    and of weights of one input and of an initial state none makes every size of the table the one nearest to the budget.
    """
    cells = (ElmanCell(units[0]), LSTMCell(units[1], peepholes=True), ClockworkCell(units[2]))
    comp = [sum(int(np.prod(shape)) for shape in cell.shapes(0).values()) + cell.units + 1 for cell in cells]
    assert tuple(comp) == count
    assert all(abs(size - budget) < 0.1 * budget for size in comp)


# Work


class Products:
    """Stands in for `gemm`: does the product and notes its size, the multiplications."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def __call__(self, a: Any, b: Any, add: bool, c: Any, transpose_a: bool = False, transpose_b: bool = False) -> None:
        left, right = a.T if transpose_a else a, b.T if transpose_b else b
        c[:] = left @ right + (c if add else 0)
        self.counts.append(left.shape[0] * left.shape[1] * right.shape[1])

    def taken(self) -> int:
        total, self.counts = sum(self.counts), []
        return total


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> Products:
    counting = Products()
    monkeypatch.setattr(clockwork, "gemm", counting)
    return counting


def work(cell: ClockworkCell, steps: int, batch: int, products: Products) -> tuple[list[int], list[int], int]:
    """Multiplications of the products in every step forward, in every step back, and of the weights' gradient."""
    kernels = [
        getattr(kernel, "py_func", kernel)
        for kernel in (clockwork._forward_step, clockwork._backward_step, clockwork._weight_gradients)
    ]
    run = case(cell, steps, [steps] * batch, 0)
    tape, weights, gradients = forward(run), cell.bind(run.arrays), cell.bind({n: a.copy() for n, a in run.arrays.items()})
    state_gradient = run.state_gradient.copy()
    products.taken()  # without the JIT the products of this run are counted too
    ahead, back = [], []
    for t in range(steps):
        kernels[0](weights, tape, t, batch)
        ahead.append(products.taken())
    for t in range(steps - 1, -1, -1):
        kernels[1](weights, tape, t, batch, state_gradient)
        back.append(products.taken())
    kernels[2](weights, tape, gradients)
    return ahead, back[::-1], products.taken()


@both
@pytest.mark.parametrize("batch", [1, 16])
def test_products_are_those_of_the_modules_that_run(periods: tuple[int, ...], units: int, batch: int, products: Products) -> None:
    cell = ClockworkCell(units, periods)
    ahead, back, weights = work(cell, 18, batch, products)
    sizes = naive_cells.module_sizes(units, len(periods))
    ref = [
        sum(sum(sizes[m:]) * sizes[m] for m in range(len(periods)) if t % periods[m] == 0)  # of all slower ones and itself
        for t in range(18)
    ]
    assert ahead == [batch * count for count in ref]
    assert back == [batch * count for count in ref]
    assert weights == batch * sum(ref)


@pytest.mark.parametrize(("modules", "size"), [(1, 4), (2, 3), (4, 2), (5, 1)])
def test_work_over_a_cycle_is_that_of_the_paper(modules: int, size: int, products: Products) -> None:
    """k^2 (2 g - 2 + 2^(1 - g)) a step, of (g k)^2."""
    cycle = 2 ** (modules - 1)
    cell = ClockworkCell(modules * size, tuple(2**i for i in range(modules)))
    ahead, back, _ = work(cell, cycle, 1, products)
    assert sum(ahead) == sum(back) == size**2 * ((2 * modules - 2) * cycle + 1)  # all times 2^(g - 1)


def test_work_of_nine_modules_is_a_fifth() -> None:
    cell = ClockworkCell(252)
    blocks = [(cell.units - start) * size for start, size in zip(cell.starts, np.diff(cell.starts), strict=False)]
    average = sum(block / period for block, period in zip(blocks, cell.periods, strict=True))  # a module runs every T_i steps
    assert 252**2 / average == pytest.approx(81 / (16 + 2**-8))  # 5.06


def test_steps_without_a_module_do_no_product(products: Products) -> None:
    ahead, back, _ = work(ClockworkCell(6, (2, 4)), 4, 2, products)
    assert ahead[1] == ahead[3] == back[1] == back[3] == 0 < ahead[2]


def test_initial_weights_are_the_triangle_of_a_whole_matrix() -> None:
    cell = ClockworkCell(6, (1, 2))
    drawn = cell.unpack(cell.draw_recurrent("normal", 0.5, np.random.default_rng(0)))
    whole = np.random.default_rng(0).normal(0.0, 0.5, (6, 6))  # row from, column to
    np.testing.assert_array_equal(drawn[:3, 3:], 0.0)
    np.testing.assert_array_equal(np.where(drawn != 0.0, whole, 0.0), drawn)
    assert np.count_nonzero(drawn) == 27


def test_weights_as_users_read_them() -> None:
    cell = ClockworkCell(4, (1, 2))
    matrix = cell.readable("recurrent_weights", np.arange(1.0, 13.0))
    np.testing.assert_array_equal(matrix != 0.0, [[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]])
    np.testing.assert_array_equal(cell.readable("input_weights", np.arange(8.0).reshape(2, 4)), np.arange(8.0).reshape(2, 4).T)
