"""Gradient diagnostics, against central differences, products of Jacobians and counts; and their picture."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from messages import mentions
from recurrent import CELLS, batch, vector

from reservoir import GRU, LSTM, MGU, ClockworkRNN, Elman, IndRNN, plotting
from reservoir.diagnostics.gradients import GradientReport
from reservoir.gradient.cells.base import Cell
from reservoir.gradient.diagnostics import gradient_norms, measure_gradients, step_jacobians, with_loss_at_last
from reservoir.gradient.network import Network, Weights, forward
from reservoir.gradient.training import Training
from reservoir.validation import DataError

RNG = np.random.default_rng(3)
INPUTS = [RNG.standard_normal((n, 2)) for n in (9, 4, 7)]
TARGETS = [RNG.standard_normal((len(u), 1)) for u in INPUTS]


def drawn(kind: Any, targets: Any = TARGETS, **parameters: Any) -> Any:
    """A network with random biases that is not trained."""
    defaults = {"units": 4, "bias_init": "normal", "init_scale": 0.5, "training": Training(epochs=0), "random_state": 0}
    return kind(**{**defaults, **parameters}).fit(INPUTS, targets)


def set_weights(model: Any, **values: float) -> None:
    """Fill whole arrays of the first layer with a value."""
    for name, value in values.items():
        model.network_.views(model._vector)[f"layer0.forward.{name}"][:] = value


def jacobians_of(network: Network, weights: Weights, data: Any, layer: int = 0) -> np.ndarray:
    run = forward(network, weights, data)
    tape = run.tapes[layer][0]
    return step_jacobians(network.layers[layer], weights.bound[layer][0], tape, np.arange(len(data.inputs)))


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_the_jacobian_of_a_step_is_its_derivative(cell: Cell) -> None:
    """Central differences of the state after a step with respect to that before it, at every phase of a clockwork."""
    network = Network((cell,), 2, 1)
    weights, data = Weights(network, vector(network)), batch(network, [6])
    found = jacobians_of(network, weights, data)
    states = forward(network, weights, data).tapes[0][0].states.copy()
    for t in range(6):
        one = data._replace(inputs=data.inputs[t : t + 1].copy(), lengths=np.array([1]))
        for column in range(found.shape[1]):
            ends = []
            for change in (1e-6, -1e-6):
                state = states[None, :, t].copy()
                state.reshape(-1)[column] += change
                run = forward(network, weights, one, [state], t)
                ends.append(run.tapes[0][0].states[:, 1].ravel().copy())
            np.testing.assert_allclose(found[t, :, column], (ends[0] - ends[1]) / 2e-6, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("reading", ["step", "last"])
def test_norms_are_those_of_products_of_jacobians(cell: Cell, reading: str) -> None:
    network = Network((cell,), 2, 2, reading=reading)
    weights, data = Weights(network, vector(network)), batch(network, [7], 2 if reading == "step" else 0)
    jacobians, head = jacobians_of(network, weights, data), weights.arrays["head.weights"]
    run = forward(network, weights, data)
    error = 2.0 * data.loss_weights[..., None] * (run.outputs - data.targets)
    error = error[:, 0] if reading == "step" else np.concatenate([np.zeros((6, 2)), error])
    back, ref = np.zeros(len(jacobians[0])), np.empty(7)
    for t in reversed(range(7)):
        back[: cell.units] += head @ error[t]
        ref[t] = np.linalg.norm(back)
        back = back @ jacobians[t]
    np.testing.assert_allclose(gradient_norms(network, weights, data, "squared_error")[0], ref, rtol=1e-10)


@pytest.mark.parametrize(
    "extra", [{}, {"pooling": "attention"}, {"pooling": "mean"}, {"bidirectional": True}, {"layers": 2}], ids=str
)
def test_a_loss_at_the_last_step(extra: dict[str, Any]) -> None:
    """The same as fitted to one target per sequence that the last step gives, whether it is one or there is one per step."""
    targets = [RNG.standard_normal((len(u), 2)) for u in INPUTS]
    labels = [y[-1] for y in targets]
    fitted = np.array(labels) if extra else targets
    model = drawn(LSTM, fitted, standardize=False, dtype="float64", **extra)
    network, weights = with_loss_at_last(model.network_, model._vector)
    assert network.reading == "last"
    assert weights.size == network.n_weights
    ref = []
    for u, d in zip(INPUTS, labels, strict=True):
        data = batch(network, [len(u)])._replace(inputs=u[:, None], targets=d[None], loss_weights=np.ones(1))
        ref.append(gradient_norms(network, Weights(network, weights), data, "squared_error")[0, ::-1])
    found = measure_gradients(model, INPUTS, fitted)
    for lag in range(9):
        known = np.median([r[lag] / r[0] for r in ref if len(r) > lag])
        assert found["last_norms"][lag] == pytest.approx(known, rel=1e-9)
    factors = [np.exp(np.polyfit(np.arange(1, len(r)), np.log(r[1:]), 1)[0]) for r in ref]
    assert found["growth"] == pytest.approx(np.median(factors), rel=1e-9)
    assert found["growth_range"] == (1, 8)


def test_the_loss_that_is_trained() -> None:
    """Of targets per step, the mean over the steps after the washout; lags count from the end of each sequence."""
    model = drawn(GRU, washout=2, standardize=False, dtype="float64")
    found = measure_gradients(model, INPUTS, TARGETS)
    ref = []
    for u, y in zip(INPUTS, TARGETS, strict=True):
        weight = (np.arange(len(u)) >= 2)[:, None] / (len(u) - 2)
        data = batch(model.network_, [len(u)])._replace(inputs=u[:, None], targets=y[:, None], loss_weights=weight)
        ref.append(gradient_norms(model.network_, Weights(model.network_, model._vector), data, "squared_error")[0, ::-1])
    assert found["loss_norms"].shape == (9,)
    for lag in range(9):
        assert found["loss_norms"][lag] == pytest.approx(np.median([r[lag] for r in ref if len(r) > lag]), rel=1e-9)


def test_the_gradient_of_each_layer() -> None:
    model = drawn(LSTM, layers=2, standardize=False, dtype="float64")
    network, weights = model.network_, Weights(model.network_, model._vector)
    upper = Network(network.cells[1:], 4, 1)
    part = {name.replace("layer1", "layer0"): array for name, array in weights.arrays.items() if "layer0" not in name}
    above = Weights(upper, np.concatenate([part[name].ravel() for name in upper.shapes]))
    sizes = []
    for u, y in zip(INPUTS, TARGETS, strict=True):
        data = batch(network, [len(u)])._replace(inputs=u[:, None], targets=y[:, None], loss_weights=np.full((len(u), 1), 0.2))
        below = forward(network, weights, data).tapes[0][0].states[0, 1:].copy()
        sizes.append(gradient_norms(network, weights, data, "squared_error"))
        np.testing.assert_allclose(sizes[-1][1], gradient_norms(upper, above, data._replace(inputs=below), "squared_error")[0])
    ref = np.sqrt(np.square(np.concatenate([s / len(s[0]) for s in sizes], axis=1)).mean(axis=1))  # each loss is a mean
    np.testing.assert_allclose(measure_gradients(model, INPUTS, TARGETS)["layer_gradients"], ref / ref[1], rtol=1e-9)


def test_spectra_are_means_over_all_steps_of_all_sequences() -> None:
    model = drawn(LSTM, layers=2, standardize=False, dtype="float64")
    found = measure_gradients(model, INPUTS, TARGETS, samples=1000)
    weights = Weights(model.network_, model._vector)
    for layer in range(2):
        values, radii = [], []
        for u in INPUTS:
            data = batch(model.network_, [len(u)])._replace(inputs=u[:, None])
            for jacobian in jacobians_of(model.network_, weights, data, layer):
                values.append(np.linalg.svd(jacobian)[1])
                radii.append(np.abs(np.linalg.eigvals(jacobian)).max())
        assert len(radii) == 20
        np.testing.assert_allclose(found["singular_values"][layer], np.mean(values, axis=0), rtol=1e-9)
        assert found["spectral_radius"][layer] == pytest.approx(np.mean(radii), rel=1e-9)
        assert found["largest_singular_value"][layer] == pytest.approx(np.mean([v[0] for v in values]), rel=1e-9)
        assert found["smallest_singular_value"][layer] == pytest.approx(np.mean([v[-1] for v in values]), rel=1e-9)
        assert found["median_singular_value"][layer] == pytest.approx(np.mean([np.median(v) for v in values]), rel=1e-9)


def test_samples_are_drawn_of_all_steps() -> None:
    """One of 20 steps: the values of one of them, and the same ones again."""
    model = drawn(Elman, standardize=False, dtype="float64")
    one, again = (measure_gradients(model, INPUTS, TARGETS, samples=1)["singular_values"][0] for _ in range(2))
    np.testing.assert_array_equal(one, again)
    weights = Weights(model.network_, model._vector)
    data = [batch(model.network_, [len(u)])._replace(inputs=u[:, None]) for u in INPUTS]
    known = [np.linalg.svd(j)[1] for part in data for j in jacobians_of(model.network_, weights, part)]
    assert min(np.abs(one - values).max() for values in known) < 1e-12


@pytest.mark.parametrize("factor", [0.8, 1.1])
def test_a_linear_network_shrinks_or_grows_by_its_factor(factor: float) -> None:
    """h(t) = factor h(t-1) + ..., as a clockwork of one module: every singular value and the growth are the factor."""
    model = drawn(ClockworkRNN, periods=(1,), activation="identity", recurrent_init="identity", init_scale=factor)
    found = measure_gradients(model, INPUTS, TARGETS)
    assert found["growth"] == pytest.approx(factor, rel=1e-6)
    np.testing.assert_allclose(found["last_norms"], factor ** np.arange(9), rtol=1e-6)
    np.testing.assert_allclose(found["singular_values"], factor, rtol=1e-6)
    np.testing.assert_allclose(found["spectral_radius"], factor, rtol=1e-6)
    assert found["saturated"] == {}
    assert "dead" not in found


@pytest.mark.parametrize("length", [20, 200])
def test_the_growth_of_a_gated_cell_does_not_depend_on_the_length(length: int) -> None:
    """Cells that keep a share .99: the output gate, .12 here, acts once, and then all shrinks by the forget gate alone."""
    model = drawn(LSTM, standardize=False)
    set_weights(model, input_weights=0.0, recurrent_weights=0.0, bias=[-2.0] * 4 + [np.log(99.0)] * 4 + [-2.0] * 4 + [0.0] * 4)
    found = measure_gradients(model, [RNG.standard_normal((length, 2))], [RNG.standard_normal((length, 1))])
    assert found["last_norms"][1] < 0.13
    assert found["growth"] == pytest.approx(0.99, rel=1e-6)
    assert found["growth_range"] == (length // 10, length - 1)


def test_growth_needs_two_norms_before_the_last_step() -> None:
    """A gradient that is zero before the last step, as that of units that are off; or no step before the last."""
    model = drawn(Elman, activation="relu", standardize=False)
    set_weights(model, recurrent_weights=0.0)
    found = measure_gradients(model, INPUTS, TARGETS)
    assert (found["last_norms"][1:] == 0.0).all()
    assert np.isnan(found["growth"]) and found["growth_range"] is None
    assert np.isnan(measure_gradients(model, [u[:1] for u in INPUTS], [y[:1] for y in TARGETS])["growth"])


@pytest.mark.parametrize(("kind", "blocks"), [
    (LSTM, ["input gate", "forget gate", "output gate", "candidate"]), (GRU, ["update gate", "reset gate", "candidate"]),
    (MGU, ["forget gate", "candidate"]),
])  # fmt: skip
def test_which_gates_are_saturated(kind: Any, blocks: list[str]) -> None:
    """Biases alone, of +-5 and 0 by turns: sigmoid(5) = .993 and tanh(5) = .9999 are, sigmoid(0) = .5 is not."""
    model = drawn(kind, standardize=False)
    for low, high, middle in itertools.permutations(range(4), 3):
        set_weights(model, input_weights=0.0, recurrent_weights=0.0, bias=0.0)
        if kind is GRU:
            set_weights(model, recurrent_bias=0.0)
        bias = model.network_.views(model._vector)["layer0.forward.bias"].reshape(len(blocks), 4)
        for block in range(len(blocks)):
            bias[block, low] = bias[block, high] = -5.0
            bias[block, middle] = 5.0 if block != 1 else 1.0
        found = measure_gradients(model, INPUTS, TARGETS)["saturated"]
        assert set(found) == {*blocks, "unit"}
        for block, name in enumerate(blocks):
            np.testing.assert_allclose(found[name], [[0.5, 0.25 if block != 1 else 0.0]], rtol=1e-12)


def test_which_units_are_saturated() -> None:
    """tanh(+-3) = +-.995, tanh(1.5) = .905; sigmoid(+-3) = .953 and .047."""
    bias = [3.0, 3.0, -3.0, 1.5]
    for kind, activation in ((Elman, "tanh"), (IndRNN, "tanh"), (ClockworkRNN, "sigmoid")):
        extra = {"periods": (1,)} if kind is ClockworkRNN else {}
        model = drawn(kind, activation=activation, standardize=False, **extra)
        set_weights(model, input_weights=0.0, recurrent_weights=0.0, bias=bias)
        np.testing.assert_allclose(measure_gradients(model, INPUTS, TARGETS)["saturated"]["unit"], [[0.25, 0.5]], rtol=1e-12)


def test_which_units_are_dead() -> None:
    """Only what is zero at all steps of all sequences; one unit is on at a single step."""
    inputs = [np.zeros((4, 1)), np.zeros((6, 1))]
    inputs[0][2] = 1.0
    targets = [np.ones((4, 1)), np.zeros((6, 1))]
    model = Elman(units=4, activation="relu", layers=2, standardize=False, training=Training(epochs=0), random_state=0)
    model.fit(inputs, targets)
    set_weights(model, input_weights=[[5.0, 0.0, 0.0, -5.0]], recurrent_weights=0.0, bias=[-1.0, -1.0, 1.0, -1.0])
    model.network_.views(model._vector)["layer1.forward.bias"][:] = 100.0
    found = measure_gradients(model, inputs, targets)
    np.testing.assert_allclose(found["dead"], [0.5, 0.0])
    assert found["saturated"] == {}


@pytest.mark.parametrize(
    "parameters", [{"loss": "cross_entropy"}, {"symbols": "learned"}, {"symbols": "one-hot", "layer_norm": True}]
)
def test_labels_and_symbols(parameters: dict[str, Any]) -> None:
    inputs = [RNG.integers(0, 3, (n, 1)) for n in (5, 3)]
    targets = [np.array(["a", "b", "b", "a", "a"])[: len(u)] if "loss" in parameters else u * 1.0 for u in inputs]
    model = GRU(units=3, training=Training(epochs=0), random_state=0, **parameters).fit(inputs, targets)
    found = measure_gradients(model, inputs, targets)
    assert found["loss_norms"].shape == found["last_norms"].shape == (5,)
    assert (found["last_norms"] > 0.0).all()


def test_nothing_is_changed_and_other_data_are_refused() -> None:
    model = drawn(LSTM)
    before = model._vector.copy()
    measure_gradients(model, INPUTS, TARGETS)
    np.testing.assert_array_equal(model._vector, before)
    with pytest.raises(DataError, match=mentions("2 features")):
        measure_gradients(model, [u[:, :1] for u in INPUTS], TARGETS)


def test_the_picture() -> None:
    pytest.importorskip("matplotlib")
    models = {"elman": drawn(Elman), "relu": drawn(Elman, activation="relu"), "lstm $": drawn(LSTM, layers=2)}
    found = {name: measure_gradients(model, INPUTS, TARGETS) for name, model in models.items()}
    figure = plotting.gradient_figure(GradientReport("adding", found))
    norms, values, bars = figure.axes
    for line, report in zip(norms.lines[::2], found.values(), strict=True):
        np.testing.assert_allclose(line.get_ydata(), report["last_norms"] / report["last_norms"].max())
    assert norms.get_legend().get_texts()[0].get_text().endswith("over steps 1 to 8)")
    assert "elman 1 to 8" in GradientReport("adding", found).table().notes[-1]
    assert [text.get_text().split(" (")[0] for text in norms.get_legend().get_texts()] == ["elman", "relu", r"lstm \$"]
    growths = ", ".join(f"{name} {report['growth']:.4g}" for name, report in found.items()).replace("$", r"\$")
    assert (
        " ".join(figure.get_suptitle().split()) == f"adding: per step back in time the gradient changes by the factor: {growths}"
    )
    assert norms.get_yscale() == values.get_yscale() == "log"
    np.testing.assert_allclose(values.lines[0].get_ydata(), found["elman"]["singular_values"][0])
    labels = [text.get_text() for text in bars.get_yticklabels()]
    assert labels == ["elman: unit", "relu: dead"] + [rf"lstm \$: {name}" for name in found["lstm $"]["saturated"]]
    widths = [patch.get_width() for patch in bars.patches]
    assert widths[0] == pytest.approx(-found["elman"]["saturated"]["unit"][0, 0])
    assert widths[1] == pytest.approx(found["elman"]["saturated"]["unit"][0, 1])
    assert widths[2] == pytest.approx(-found["relu"]["dead"][0])


def test_the_picture_of_next_to_nothing() -> None:
    """Sequences of one step, gradients of zero, and no gate to show."""
    pytest.importorskip("matplotlib")
    model = drawn(ClockworkRNN, periods=(1,), activation="identity")
    short = measure_gradients(model, [u[:1] for u in INPUTS], [y[:1] for y in TARGETS])
    silent = {**short, "last_norms": np.zeros(3), "loss_norms": np.zeros(3), "growth": np.nan}
    figure = plotting.gradient_figure(GradientReport("adding", {"short": short, "silent": silent}))
    assert len(figure.axes[0].lines) == 4 and len(figure.axes) == 2  # nothing is saturated
    unsaturated = {**short, "saturated": {"unit": np.zeros((1, 2))}}
    assert len(plotting.gradient_figure(GradientReport("adding", {"short": unsaturated})).axes) == 2
