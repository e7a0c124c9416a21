"""The commands for text: train with its checkpoint, generate, score, and what they refuse."""

from __future__ import annotations

import errno
import json
import math
import os
import shlex
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import QUICK, Command, Refused
from texts import QUICK_TEXT, RHYME, rhyme_file

from reservoir import GRU, Training, generate, likeliest, load, score_lines, score_text
from reservoir.commands.console import Bar
from reservoir.commands.train import _samples
from reservoir.language.batches import pieces
from reservoir.language.recurrent import LanguageModel
from reservoir.tasks import get_task
from reservoir.text.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a trained model."""
    path = tmp_path_factory.mktemp("model") / "model"
    training = Training(epochs=3, batch_size=4, truncation=(20, 20))
    LanguageModel(GRU(units=12, training=training, random_state=0)).fit(RHYME, Vocabulary.from_text(RHYME)).save(path)
    return path.read_bytes()


@pytest.fixture
def model(trained: bytes, command: Command) -> str:
    Path("model").write_bytes(trained)
    return "model"


def test_train_keeps_a_language_model_and_prints_its_scores(command: Command) -> None:
    rhyme_file()
    status, out, err = command("train", *QUICK_TEXT, "--save", "model", "--json")
    assert (status, err) == (0, "Model written to model.\n")
    row = json.loads(out.splitlines()[-1])
    assert list(row) == [
        "task", "model", "params", "seed", "train_perplexity", "validation_perplexity", "test_perplexity", "test_bpc",
        "symbols_per_second", "vocabulary",
    ]  # fmt: skip
    data = get_task("text", path="rhyme.txt", validation=0.1, test=0.1).generate(0)
    fitted = load("model")
    apart = fitted.log_probabilities(pieces(fitted.vocabulary_.documents_of(data.train.text), 1024))
    assert row["train_perplexity"] == pytest.approx(math.exp(-np.concatenate(apart).mean()), rel=1e-6)
    for name in ("validation", "test"):
        assert row[f"{name}_perplexity"] == pytest.approx(score_text(fitted, getattr(data, name).text).perplexity, rel=1e-6)
    assert row["test_bpc"] == pytest.approx(math.log2(row["test_perplexity"]), rel=1e-6)  # a symbol is a character
    assert row["params"]["units"] == 16 and row["vocabulary"] == len(fitted.vocabulary_)
    assert sorted(os.listdir()) == ["model", "rhyme.txt"]  # the checkpoint is gone
    assert fitted.network.training.checkpoint is None
    again = command("train", *QUICK_TEXT, "--save", "again")
    assert "test" in again.out and "bits per character" in again.out


def test_train_learns_a_whole_file(command: Command) -> None:
    rhyme_file()
    whole = ("--task-set", "validation=0", "--task-set", "test=0")
    row = json.loads(command("train", *QUICK_TEXT[:-4], *whole, "--save", "model", "--json").out)
    assert row["train_perplexity"] > 1.0
    assert row["validation_perplexity"] is row["test_perplexity"] is row["test_bpc"] is None


@pytest.mark.parametrize("model", ["gru", "esn"])
def test_a_training_continues_where_ctrl_c_stopped_it(command: Command, monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    rhyme_file()
    epochs = () if model == "esn" else QUICK_TEXT[7:11]
    args = ("train", *QUICK_TEXT[:3], "--model", model, "--set", "units=16", *epochs, "--save")
    command(*args, "whole")
    reports: list[int] = []

    def stop(self: Bar, text: str, part: Any = 0, done: int = 0, of: int = 1) -> None:
        reports.append(done)
        if len(reports) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Bar, "within", stop)
        status, out, err = command(*args, "model")
    assert (status, out) == (130, "")
    assert err.strip().startswith("Interrupted; model.checkpoint keeps the epochs that were finished.")
    assert not Path("model").exists()
    monkeypatch.setattr(Bar, "within", lambda self, text, part=0, done=0, of=1: reports.append(done))
    assert command(*args, "model").status == 0
    assert reports == list(range(1, reports[-1] + 1))  # no epoch is done twice
    ref, comp = load("whole"), load("model")
    np.testing.assert_array_equal(*(m.log_probabilities(m.vocabulary_.documents_of(RHYME))[0] for m in (ref, comp)))
    assert not Path("model.checkpoint").exists()


def test_a_model_that_cannot_be_written_leaves_its_training(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    rhyme_file()

    def full(self: Any, path: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(LanguageModel, "save", full)
        assert command("train", *QUICK_TEXT, "--save", "model").status == 1
    assert Path("model.checkpoint").exists()
    assert command("train", *QUICK_TEXT, "--save", "model").status == 0
    assert sorted(os.listdir()) == ["model", "rhyme.txt"]


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_training_of_other_settings_is_not_continued(
    command: Command, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    rhyme_file()
    with monkeypatch.context() as patch:
        patch.setattr(Bar, "within", interrupt)
        command("train", *QUICK_TEXT, "--save", "model")
    text = refused("train", *QUICK_TEXT, "--set", "dropout=0.5", "--save", "model")
    assert "'model.checkpoint'" in text and "remove it or name another file" in text


def test_samples_are_shown_at_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    bar = Bar(None, "text", 1)
    monkeypatch.setattr(Bar, "is_shown", True)
    monkeypatch.setattr(bar, "note", shown.append)
    training = Training(epochs=10, batch_size=4, truncation=(20, 20))
    network = LanguageModel(GRU(units=4, training=training, random_state=0))
    network.fit(RHYME, Vocabulary.from_text(RHYME), watch=_samples(bar))
    assert [text.partition(" epochs")[0] for text in shown] == [f"After {n} of 10" for n in (2, 4, 6, 8, 10)]
    assert all(len(text.partition("\n")[2]) > 100 for text in shown)


def test_train_keeps_any_other_model(command: Command) -> None:
    row = json.loads(command("train", *QUICK, "--seed", "3", "--json", "--save", "model").out)
    task = get_task("narma10", **row["task_options"])
    data = task.generate(3)
    assert task.score(load("model").predict(data.test.inputs), data) == row["score"]
    assert os.listdir() == ["model"]


@pytest.mark.filterwarnings("default")
def test_a_bidirectional_model_is_warned_of(command: Command) -> None:
    rhyme_file()
    apart = ("--set", "bidirectional=true", "--set", "training.truncation=none", "--set", "training.window=20")
    status, _, err = command("train", *QUICK_TEXT, *apart, "--save", "model")
    assert status == 0
    warning = "Warning: A bidirectional language model reads the symbols that it is to predict: its perplexity is near 1"
    assert err.count(warning) == 1
    for line in (("score", "model", "rhyme.txt"), ("generate", "model", "--length", "3")):
        with warnings.catch_warnings():  # a program of its own
            warnings.simplefilter("default")
            status, _, err = command(*line)
        assert status == 0 and err.count(warning) == 1


def test_generate_writes_samples(command: Command, model: str) -> None:
    drawn = ("--prefix", r"Jack\n", "--length", "30", "--temperature", "0.8", "--top", "5")
    fitted = load(model)
    texts = ["".join(generate(fitted, "Jack\n", 30, 0.8, 5, seed=seed)) for seed in (7, 8)]
    assert command("generate", model, *drawn, "--seed", "7").out.rstrip("\n") == f"Jack\n{texts[0]}".rstrip("\n")
    out = command("generate", model, *drawn, "--seed", "7", "--samples", "2").out
    first, second = out.split("--- 2 of 2, seed 8\n")
    assert first.startswith("--- 1 of 2, seed 7\nJack\n") and texts[0].strip() in first and texts[1].strip() in second


def test_generate_stops_and_skips(command: Command, model: str) -> None:
    out = command("generate", model, "--prefix", "aéb", "--unknown", "skip", "--until", "e", "--seed", "1").out
    assert out.rstrip("\n").endswith("e") and out.count("e") == 1
    assert out[3:].strip() == "".join(generate(load(model), "ab", until="e", seed=1)).strip()


def test_generate_searches_the_likeliest_text(command: Command, model: str) -> None:
    text, log_probability = likeliest(load(model), "Jill", 12, 4)
    status, out, err = command("generate", model, "--prefix", "Jill", "--length", "12", "--beam", "4")
    assert (status, out.rstrip("\n")) == (0, f"Jill{text}".rstrip("\n"))
    assert f"{log_probability:.4f}" in err


def test_score_ranks_the_lines_of_a_file(command: Command, model: str) -> None:
    lines = ["lliJ dna kcaJ", "", "Jack and Jill"]
    Path("lines.txt").write_text("\n".join(lines))
    ref = score_lines(load(model), [lines[0], lines[2]])
    rows = [json.loads(row) for row in command("score", model, "lines.txt", "--json").out.splitlines()]
    assert [row["line"] for row in rows] == [1, 3] and [row["text"] for row in rows] == [lines[0], lines[2]]
    for row, expected in zip(rows, ref, strict=True):
        assert row["log_probability"] == expected.log_probability and row["perplexity"] == expected.perplexity
    best = max(rows, key=lambda row: row["log_probability"])
    assert best["rank"] == 1 and f"The likeliest line is {best['line']}." in command("score", model, "lines.txt").out


@pytest.mark.filterwarnings("default")
def test_score_warns_of_unknown_symbols(command: Command, model: str) -> None:
    Path("lines.txt").write_text("Jack and Jill, é\n")
    status, out, err = command("score", model, "lines.txt", "--json")
    assert status == 0 and out.count("\n") == 1
    assert "Warning: lines.txt: 1 of 16 characters are unknown to the model, such as 'é'; all of them count as one symbol." in err


@pytest.mark.parametrize(
    ("command_line", "said"),
    [
        ("train text --data empty.txt --save m", ["empty.txt: is empty"]),
        ("train text --data zero.txt --save m", ["zero.txt: is binary", "zero byte at offset 2"]),
        ("train text --data latin.txt --save m", ["latin.txt: byte 0xe9 at offset 3 is not UTF-8"]),
        ("train text --data absent.txt --save m", ["absent.txt: there is no such file"]),
        ("train text --data rhyme.txt --model gru --set training.batch_size=9999 --save m", ["9999 sequences", "batch_size"]),
        ("train text --data rhyme.txt --task-set validation=1 --save m", ["'validation'", "[0, 1)"]),
        ("train text --data rhyme.txt --task-set validation=0.6 --task-set test=0.6 --save m", ["sum to less than 1"]),
        ("train text --data rhyme.txt --task-set tokens=letters --save m", ["'tokens'", "characters, words"]),
        ("train text --data rhyme.txt --task-set minimum_count=0 --save m", ["'minimum_count'", "[1, inf)"]),
        ("train text --data rhyme.txt --model gru --set training.truncation=none --save m", ["'window'", "truncation"]),
        ("train text --data rhyme.txt --save rhyme.txt", ["rhyme.txt", "is the input"]),
        ("train text --data rhyme.txt", ["'--save'"]),
        ("train text --data rhyme.txt --model gru --set unit=3 --save m", ["'unit'", "Did you mean units"]),
        ("gradients text --data rhyme.txt", ["the task text has symbols", "another task"]),
        ("export model --c model.h", ["Got LanguageModel"]),
        ("run text --data rhyme.txt --task-set test=0 --model gru --set training.epochs=1", ["'test'", "reservoir train"]),
        ("generate model --temperature 0", ["'temperature'", "(0, inf)", "Got 0.0"]),
        ("generate model --temperature nan", ["'temperature'"]),
        ("generate model --length 0", ["'length'", "[1, inf)"]),
        ("generate model --top 0", ["'top'", "[1, inf)"]),
        ("generate model --beam 0", ["'beams'", "[1, inf)"]),
        ("generate model --beam 4 --samples 2", ["--beam", "--samples"]),
        ("generate model --samples 0", ["'--samples'"]),
        ("generate model --prefix aéü", ["does not know the characters ['é', 'ü']", "--unknown skip"]),
        ("generate rhyme.txt", ["rhyme.txt", "not a model file"]),
        ("generate absent", ["absent", "No such file"]),
        ("generate numbers", ["numbers: holds an ESN", "`reservoir predict`"]),
        ("score numbers rhyme.txt", ["numbers: holds an ESN", "`reservoir predict`"]),
        ("score model empty.txt", ["empty.txt: is empty"]),
        ("score model latin.txt", ["offset 3"]),
        ("score model greek.txt", ["greek.txt: 5 of 5 characters are unknown to the model", "trained on"]),
        ("predict model data.csv", ["model: holds a model of text", "`reservoir score`"]),
    ],
)
def test_bad_input_is_one_line(refused: Refused, model: str, command_line: str, said: list[str]) -> None:
    rhyme_file()
    Path("empty.txt").write_text(" \n")
    Path("zero.txt").write_bytes(b"ab\0c")
    Path("latin.txt").write_bytes("caf\xe9".encode("latin-1"))
    Path("greek.txt").write_text("αβγδε\n", encoding="utf-8")
    Path("data.csv").write_text("a\n1\n2\n3\n")
    Path("numbers").write_bytes(numbers())
    text = refused(*shlex.split(command_line))
    assert all(part in text for part in said), text


def numbers() -> bytes:
    """The file of a model of numbers."""
    from reservoir import ESN

    path = Path("other")
    ESN(units=5, washout=1, density=0.5, random_state=0).fit(np.sin(np.arange(30.0))).save(path)
    content = path.read_bytes()
    path.unlink()
    return content
