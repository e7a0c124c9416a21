"""The echo state network as a language model: its readout against dense gradients, its weights, its files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import naive
import numpy as np
import pytest

from reservoir import ESN, DataError, ModelFileError, ParameterError, Training, load
from reservoir.echo.reservoir import build
from reservoir.language.echo import EchoLanguageModel, _features, _start
from reservoir.language.generation import generate, likeliest
from reservoir.text.scoring import log_softmax_at, score_text
from reservoir.text.vocabulary import Vocabulary

RHYME = "jack and jill went up the hill to fetch a pail of water\n\njack fell down\n\nand jill came tumbling after\n"


def small(**parameters: Any) -> EchoLanguageModel:
    training = Training(**{"epochs": 2, "batch_size": 3, "learning_rate": 0.02, "truncation": (7, 7), **parameters})
    return EchoLanguageModel(ESN(units=15, density=0.3, leak_rate=0.8, initial_state="random", random_state=0), training)


def fitted(text: str = RHYME, documents: str | None = None, **parameters: Any) -> EchoLanguageModel:
    return small(**parameters).fit(text, Vocabulary.from_text(text, documents=documents))


@pytest.mark.parametrize("topology", ["diagonals", "random", "dense"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_symbols_drive_a_reservoir_as_one_hot_vectors_do(topology: str, dtype: str) -> None:
    esn = ESN(units=12, topology=topology, density=0.4 if topology != "dense" else 1.0, leak_rate=0.7, dtype=dtype)
    reservoir = build(esn, 5, 0, np.random.SeedSequence(0))
    symbols = [np.array([1, 4, 0, 2, 4]), np.array([3]), np.array([], np.int64)]
    states = _start(reservoir, 3)
    features = _features(reservoir, symbols, states)
    matrix = reservoir.recurrent_weights()
    slow = naive.Network(
        matrix if isinstance(matrix, np.ndarray) else matrix.toarray(), reservoir.input_weights, np.zeros((12, 0)),
        reservoir.bias, reservoir.leak, "tanh", reservoir.initial_state,
    )  # fmt: skip
    ref = np.concatenate([naive.drive(slow, np.eye(5)[part]) for part in symbols[:2]])
    np.testing.assert_allclose(features[:, 1:], ref, rtol=1e-4 if dtype == "float32" else 1e-12, atol=1e-6)
    np.testing.assert_array_equal(features[:, 0], 1.0)
    np.testing.assert_array_equal(states[:2], features[[4, 5], 1:])


def test_integers_that_are_no_symbols_stay_numbers() -> None:
    series = np.arange(40) % 3
    ref, comp = (ESN(units=9, washout=5, random_state=0).fit(part).predict(part) for part in (series * 1.0, series))
    np.testing.assert_array_equal(comp, ref)


def test_the_readout_goes_down_the_gradient() -> None:
    model = fitted(epochs=1, batch_size=1, optimizer="sgd", learning_rate=0.5, clip_norm=None, truncation=(10_000, 10_000))
    [document] = model.vocabulary_.documents_of(RHYME)
    features = _features(model.reservoir_, [document[:-1]], _start(model.reservoir_, 1))
    count = len(model.vocabulary_)
    targets = np.eye(count)[document[1:]]
    ref = np.zeros((16, count)) - 0.5 * features.T @ (1.0 / count - targets) / len(targets)  # from zero: all alike
    np.testing.assert_allclose(model.readout_, ref, rtol=1e-10, atol=1e-12)
    assert model.history_[0]["loss"] == pytest.approx(np.log(count))


def test_it_learns() -> None:
    text = "to be or not to be; " * 30
    model = EchoLanguageModel(
        ESN(units=60, random_state=0), Training(epochs=30, batch_size=4, learning_rate=0.02, truncation=(20, 20))
    ).fit(text, Vocabulary.from_text(text))
    assert score_text(model, text).perplexity < 1.2
    assert "".join(generate(model, "or not to", length=13, temperature=0.1, seed=0)) == " be; to be or"
    assert likeliest(model, "or not to", length=13)[0] == " be; to be or"


def test_readers_and_blocks_follow_one_run_over_the_text() -> None:
    model = fitted(RHYME * 3, documents="")
    documents = model.vocabulary_.documents_of(RHYME * 3)
    for document, logs in zip(documents, model.log_probabilities(documents), strict=True):
        features = _features(model.reservoir_, [document[:-1]], _start(model.reservoir_, 1))
        np.testing.assert_allclose(logs, log_softmax_at(features @ model.readout_, document[1:]), rtol=1e-10)
    reader = model.reader(2)
    one, two = (document[:12] for document in documents[:2])
    pairs = np.stack([one, two], axis=1)
    found = [log_softmax_at(reader.read(pair), after) for pair, after in pairwise(pairs)]
    for b, document in enumerate((one, two)):
        np.testing.assert_allclose([logs[b] for logs in found], model.log_probabilities([document])[0], rtol=1e-10)


def test_weights_are_counted_honestly() -> None:
    model = fitted()
    count = len(model.vocabulary_)
    assert model.n_parameters_ == 16 * count == model.readout_.size
    recurrent = model.reservoir_.recurrent_weights()
    assert model.n_fixed_ == np.count_nonzero(recurrent.toarray()) + 15 * count + 15
    assert 0 < np.count_nonzero(recurrent.toarray()) < 225


def test_the_validation_text_chooses_the_epoch() -> None:
    vocabulary = Vocabulary.from_text(RHYME)
    model = small(epochs=5, learning_rate=0.5).fit(RHYME, vocabulary, validation="jill and jack\n")
    losses = [record["validation_loss"] for record in model.history_]
    comp = score_text(model, "jill and jack\n")
    assert -comp.log_probability / comp.symbols == pytest.approx(min(losses)) and min(losses) < losses[-1]


def test_a_file_keeps_the_model(tmp_path: Path) -> None:
    ref = fitted(documents="")
    ref.save(tmp_path / "model.safetensors")
    comp = load(tmp_path / "model.safetensors")
    assert comp.vocabulary_ == ref.vocabulary_ and comp.history_ == ref.history_
    assert score_text(comp, RHYME) == score_text(ref, RHYME) and comp.n_fixed_ == ref.n_fixed_
    ref.vocabulary_ = Vocabulary.from_text("abc")
    ref.save(tmp_path / "damaged.safetensors")
    with pytest.raises(ModelFileError, match="its parts do not fit together"):
        load(tmp_path / "damaged.safetensors")


def test_bad_input() -> None:
    with pytest.raises(ParameterError, match="'truncation' parameter of Training must be set for text"):
        fitted(truncation=None)
    with pytest.raises(ParameterError, match="'units' parameter of ESN"):
        EchoLanguageModel(ESN(units=0)).fit(RHYME, Vocabulary.from_text(RHYME))
    with pytest.raises(DataError, match="do not fill a batch of 200 sequences"):
        fitted(batch_size=200)
    with pytest.raises(ValueError, match="not fitted yet"):
        _ = small().n_parameters_
