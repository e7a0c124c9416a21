"""What gates, cells and outputs do along an input: by the equations of the cells, and their report, picture and command."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, Refused, csv_file

from reservoir import ESN, GRU, LSTM, MGU, DataError, Elman, Training, gates, plotting
from reservoir.diagnostics.gates import GatesReport, Part
from reservoir.forecasting.contract import contract_without_task, to_plain
from reservoir.language.echo import EchoLanguageModel
from reservoir.language.recurrent import LanguageModel
from reservoir.text.vocabulary import Vocabulary

WAVE = np.stack([np.sin(0.3 * np.arange(30)), np.cos(0.7 * np.arange(30))], axis=1)
TEXT = "to be or not to be, that is the question\n" * 3
FEW = Training(epochs=1, batch_size=4, truncation=(5, 5))
UNTRAINED = Training(epochs=0)


def drawn(kind: Any, **parameters: Any) -> Any:
    """A network with random biases that is not trained, for numbers as they are."""
    given = {"units": 5, "bias_init": "normal", "init_scale": 0.5, "standardize": False, "dtype": "float64", "random_state": 1}
    return kind(**{**given, "training": UNTRAINED, **parameters}).fit(WAVE)


def writer(kind: Any = LSTM, **parameters: Any) -> LanguageModel:
    network = kind(**{"units": 6, "random_state": 0, "training": FEW, **parameters})
    return LanguageModel(network).fit(TEXT, Vocabulary.from_text(TEXT))


def named(report: GatesReport, layer: int = -1, direction: str = "forward") -> dict[str, np.ndarray]:
    return {part.name: part.values for part in report.layer(layer, direction)}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def slow(kind: type, weights: dict[str, np.ndarray], prefix: str, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Gates and states by the equations of the cell, from `weights_`."""
    w, u, b = (weights[f"{prefix}.{part}"] for part in ("input_weights", "recurrent_weights", "bias"))
    units = u.shape[1]
    h = c = np.zeros(units)
    rows: list[list[np.ndarray]] = []
    for x in inputs:
        reads = np.split(w @ x + b, len(b) // units)
        keeps = np.split(u, len(b) // units)
        if kind is LSTM:
            i, f, o = (sigmoid(a + k @ h) for a, k in zip(reads[:3], keeps[:3], strict=True))
            g = np.tanh(reads[3] + keeps[3] @ h)
            c = f * c + i * g
            h = o * np.tanh(c)
            rows.append([i, f, o, g, c, h])
        elif kind is GRU:
            z, r = (sigmoid(a + k @ h) for a, k in zip(reads[:2], keeps[:2], strict=True))
            n = np.tanh(reads[2] + r * (keeps[2] @ h + weights[f"{prefix}.recurrent_bias"]))
            h = (1 - z) * n + z * h
            rows.append([z, r, n, h])
        elif kind is MGU:
            f = sigmoid(reads[0] + keeps[0] @ h)
            n = np.tanh(reads[1] + keeps[1] @ (f * h))
            h = (1 - f) * h + f * n
            rows.append([f, n, h])
        else:
            h = np.tanh(reads[0] + keeps[0] @ h)
            rows.append([h])
    return dict(zip(NAMES[kind], map(np.array, zip(*rows, strict=True)), strict=True))


NAMES: dict[type, list[str]] = {
    LSTM: ["input gate", "forget gate", "output gate", "candidate", "cell", "output"],
    GRU: ["update gate", "reset gate", "candidate", "output"],
    MGU: ["forget gate", "candidate", "output"],
    Elman: ["output"],
}


@pytest.mark.parametrize("kind", NAMES)
def test_gates_follow_the_equations_of_the_cell(kind: type) -> None:
    model = drawn(kind, layers=2)
    report, below = gates(model, WAVE), WAVE
    for layer in range(2):
        ref = slow(kind, model.weights_, f"layer{layer}.forward", below)
        comp = named(report, layer)
        assert list(comp) == list(ref)
        for name, values in ref.items():
            np.testing.assert_allclose(comp[name], values, rtol=1e-9, atol=1e-12, err_msg=name)
        below = ref["output"]
    np.testing.assert_allclose(named(report)["output"], model.states(WAVE), rtol=1e-12)


def test_the_backward_direction_is_in_the_order_of_the_steps() -> None:
    model = drawn(LSTM, bidirectional=True)
    ref = slow(LSTM, model.weights_, "layer0.backward", WAVE[::-1])
    report = gates(model, WAVE)
    for name, values in named(report, 0, "backward").items():
        np.testing.assert_allclose(values, ref[name][::-1], rtol=1e-9, atol=1e-12, err_msg=name)
    assert {row[0] for row in report.table().rows} == {"0 forward", "0 backward"}


def test_numbers_are_scaled_as_the_network_learned_them() -> None:
    model = drawn(GRU, standardize=True)
    learned = WAVE[:-1]  # the last step has no next one
    scaled = (WAVE - learned.mean(axis=0)) / learned.std(axis=0)
    ref = slow(GRU, model.weights_, "layer0.forward", scaled)
    report = gates(model, WAVE, steps=11)
    np.testing.assert_allclose(named(report)["reset gate"], ref["reset gate"][:11], rtol=1e-9)
    np.testing.assert_array_equal(report.inputs, WAVE[:11])


def test_a_reservoir_shows_its_states() -> None:
    esn = ESN(units=9, density=0.4, random_state=0).fit(np.sin(0.3 * np.arange(200.0)))
    report = gates(esn, np.sin(0.3 * np.arange(40.0)))
    np.testing.assert_array_equal(named(report)["state"], esn.states(np.sin(0.3 * np.arange(40.0))))
    fed = ESN(units=9, density=0.4, feedback_scaling=0.1, washout=3, random_state=0).fit(WAVE, WAVE)
    np.testing.assert_array_equal(named(gates(fed, WAVE, WAVE, steps=9))["state"], fed.states(WAVE[:9], WAVE[:9]))


def test_a_network_with_feedback_is_fed_the_targets() -> None:
    model = LSTM(units=5, feedback=True, training=UNTRAINED, dtype="float64", random_state=1).fit(WAVE[:, :1], WAVE[:, 1:])
    report = gates(model, WAVE[:, :1], WAVE[:, 1:], steps=9)
    np.testing.assert_allclose(named(report)["output"], model.states(WAVE[:, :1], WAVE[:, 1:])[:9], rtol=1e-12)
    with pytest.raises(DataError, match="give the targets"):
        gates(model, WAVE[:, :1])


def test_a_text_is_read_from_its_beginning() -> None:
    model = writer()
    report = gates(model, "to be")
    assert report.symbols == ("<begin>", "t", "o", " ", "b", "e")
    reader = model.reader(1)
    for code, output in zip(report.inputs[:, 0].astype(int), named(report)["output"], strict=True):
        scores = reader.read(np.array([code]))[0]
        weights = model.weights_
        np.testing.assert_allclose(weights["head.weights"] @ output + weights["head.bias"], scores, rtol=1e-4, atol=1e-5)


def test_the_states_of_a_reservoir_that_reads_a_text() -> None:
    esn = ESN(units=12, density=0.3, input_scaling=1.0, random_state=0)
    model = EchoLanguageModel(esn, FEW).fit(TEXT, Vocabulary.from_text(TEXT))
    report, reader = gates(model, "to be"), model.reader(1)
    for code, state in zip(report.inputs[:, 0].astype(int), named(report)["state"], strict=True):
        np.testing.assert_allclose(reader.read(np.array([code]))[0], np.r_[1.0, state] @ model.readout_, rtol=1e-9)


def three_units() -> GatesReport:
    """The tanh of cell 2 lasts, cell 1 is constant there, cell 0 goes to and fro. A fourth of the gate is open, a fourth shut."""
    cell = np.array([[0.0, 7.0, 0.0], [1.0, 27.0, 0.0], [0.0, 7.0, 5.0], [1.0, 27.0, 5.0]])
    gate = np.repeat([[0.96], [0.04], [0.5], [0.95]], 3, axis=1)
    parts = (Part(0, "forward", "forget gate", "sigmoid", gate), Part(0, "forward", "cell", "", cell),
             Part(0, "forward", "output", "tanh", np.array([[0.0, 0.96, 0.0]] * 4)))  # fmt: skip
    return GatesReport("LSTM", np.arange(4.0)[:, None], ("a", "b", "a", "b"), parts)


def test_records_and_table() -> None:
    report = three_units()
    gate, cell, output = report.records()
    assert gate == {
        "model": "LSTM", "layer": 0, "direction": "forward", "part": "forget gate", "mean": pytest.approx(0.6125),
        "saturated_low": 0.25, "saturated_high": 0.25, "units": [2, 1, 0],
    }  # fmt: skip
    assert (cell["saturated_low"], cell["saturated_high"]) == (None, None)
    assert (output["saturated_low"], output["saturated_high"]) == (0.0, pytest.approx(1 / 3))
    table = report.table()
    assert table.rows[0] == ["0", "forget gate", "0.6125", "25.0%", "25.0%"]
    assert table.rows[1][3:] == ["", ""]
    assert "whose tanh of the cell varies much and lasts" in table.notes[1] and "2, 1, 0 of layer 0." in table.notes[1]


def test_a_row_for_each_step(tmp_path: Path) -> None:
    three_units().to_csv(tmp_path / "gates.csv")
    with open(tmp_path / "gates.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["symbol"] for row in rows] == ["a", "b", "a", "b"]
    assert [float(row["layer0.forward.cell.2"]) for row in rows] == [0.0, 0.0, 5.0, 5.0]
    assert [row["step"] for row in rows] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: gates(LSTM(), WAVE), "not fitted"),
        (lambda: gates("lstm", WAVE), "The 'model' parameter of gates must be a fitted ESN"),
        (lambda: gates(drawn(LSTM), [WAVE, WAVE]), "inputs: 2 sequences were given; give one of them"),
        (lambda: gates(drawn(LSTM), WAVE[:, :1]), "1 features"),
        (lambda: gates(drawn(LSTM), WAVE, steps=0), "'steps' parameter of gates"),
        (lambda: gates(drawn(LSTM), WAVE, symbols="ab"), "a text for each of the 30 steps. Got 2 texts"),
        (lambda: gates(drawn(LSTM), WAVE).layer(1), "layer must be from 0 to 0"),
        (lambda: gates(writer(), WAVE), "a language model reads a text"),
        (lambda: gates(writer(), " "), "text: is empty"),
        (lambda: gates(LanguageModel(LSTM()), "to be"), "not fitted"),
    ],
)
def test_bad_arguments(call: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_the_picture_of_numbers_has_a_heat_map_for_each_part(tmp_path: Path) -> None:
    model = drawn(LSTM, units=12, layers=2)
    report = gates(model, WAVE)
    figure = report.plot(tmp_path / "gates.png", layer=0)
    assert (tmp_path / "gates.png").stat().st_size > 1000
    maps = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    units = report.readable(report.layer(0))[:8]
    np.testing.assert_allclose(maps[1], named(report, 0)["forget gate"][:, units].T)
    np.testing.assert_allclose(maps[4], np.tanh(named(report, 0)["cell"][:, units].T))
    assert len(maps) == 6
    assert [text.get_text() for text in figure.axes[1].get_yticklabels()] == [str(unit) for unit in units]


def test_the_picture_of_a_text_colors_its_characters(tmp_path: Path) -> None:
    report = gates(writer(GRU), TEXT)
    figure = report.plot(tmp_path / "gates.svg")
    colored = [axes for axes in figure.axes if axes.get_title(loc="left").startswith("output of unit")]
    assert len(colored) == 2
    best = report.readable(report.layer())[0]
    written = "".join(text.get_text() for text in colored[0].texts)
    assert written.startswith("⊢to·be·or") and len(written) == len(TEXT) + 1
    values = np.asarray(colored[0].images[0].get_array()).ravel()[: len(written)]
    np.testing.assert_allclose(values, named(report)["output"][:, best])
    assert "¶" in written


def test_several_networks_are_drawn_side_by_side() -> None:
    figure = plotting.gates_figure(gates(drawn(LSTM), WAVE), gates(drawn(GRU), WAVE))
    assert len(figure.subfigs) == 2
    assert [len([axes for axes in part.axes if axes.images]) for part in figure.subfigs] == [6, 4]


def test_the_gates_of_a_task(command: Command) -> None:
    options = ("--set", "training.epochs=1", "--set", "units=4", "--task-set", "train_sequences=20", "--task-set",
               "test_sequences=2", "--task-set", "validation_sequences=2", "--steps", "5")  # fmt: skip
    status, out, err = command("gates", "reber", "--model", "gru", *options, "--json", "--csv", "g.csv", "--plot", "g.png")
    assert status == 0
    assert [json.loads(line)["part"] for line in out.splitlines()] == NAMES[GRU]
    assert "Picture written to g.png." in err and Path("g.png").stat().st_size > 1000
    with open("g.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert "".join(row["symbol"] for row in rows)[:2] in ("BT", "BP")
    assert len(rows) == 5
    status, out, _ = command("gates", "reber", *options)
    assert status == 0 and "LSTM: gates over 5 steps" in out and "forget gate" in out


def test_the_gates_of_a_saved_model(command: Command) -> None:
    LSTM(units=3, training=UNTRAINED, random_state=0).fit(WAVE[:, 0]).save("wave.safetensors")
    writer().save("text.safetensors")
    file = csv_file(load=WAVE[:, 0], other=WAVE[:, 1])
    status, out, _ = command("gates", "wave.safetensors", file, "--column", "load", "--json")
    assert status == 0 and len(out.splitlines()) == 6
    network = LSTM(units=3, training=UNTRAINED, random_state=0).fit(WAVE[:, 0])
    contract = replace(contract_without_task(network), columns=["load"], mean=np.array([2.0]), deviation=np.array([0.5]))
    network.contract_ = to_plain(contract)
    network.save("task.safetensors")
    scaled = (WAVE[:, 0] - 2.0) / 0.5
    status, out, _ = command("gates", "task.safetensors", file, "--csv", "-")
    np.testing.assert_allclose([float(row["input0"]) for row in csv.DictReader(out.splitlines())], scaled, rtol=1e-9)
    Path("text.txt").write_text("to be", encoding="utf-8")
    status, out, _ = command("gates", "text.safetensors", "text.txt", "--csv", "-")
    assert status == 0 and out.splitlines()[1].startswith("0,<begin>,1")
    assert len(out.splitlines()) == 7


def test_bad_commands(refused: Refused) -> None:
    LSTM(units=3, training=UNTRAINED, random_state=0).fit(WAVE[:, 0]).save("wave.safetensors")
    writer().save("text.safetensors")
    file = csv_file(load=WAVE[:, 0])
    Path("empty.txt").write_text("", encoding="utf-8")
    for line, expected in (
        (f"wave.safetensors {file} --model gru", "--model is for a task"),
        (f"wave.safetensors {file} --set units=3", "--set is for a task"),
        (f"wave.safetensors {file} --layer 1", "layer must be from 0 to 0"),
        (f"wave.safetensors {file} --column other", "other"),
        ("reber --column load", "--column is for columns of FILE, which is missing"),
        ("nothing", "nothing"),
        (f"missing.safetensors {file}", "missing.safetensors"),
        ("text.safetensors empty.txt", "empty.txt: is empty"),
        (f"text.safetensors {file} --column load", "--column is for CSV files"),
        (f"text.safetensors {file} --json --csv -", "both go to standard output"),
    ):
        assert expected in refused("gates", *line.split())
