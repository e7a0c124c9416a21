"""Recurrent language models: what they learn, score and keep in a file, and that no way of reading a text changes an answer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reservoir import (
    GRU,
    LSTM,
    MGU,
    ClockworkRNN,
    DataError,
    DivergenceError,
    Elman,
    IndRNN,
    ModelFileError,
    ParameterError,
    Training,
    load,
)
from reservoir.gradient.network import Batch, Weights, forward, loss_and_gradient
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.language.readers import NetworkReader
from reservoir.language.recurrent import LanguageModel
from reservoir.text.reader import Reader
from reservoir.text.scoring import log_softmax_at, score_text
from reservoir.text.vocabulary import Vocabulary

RHYME = "jack and jill went up the hill to fetch a pail of water\n\njack fell down\n\nand jill came tumbling after\n"
CELLS: dict[str, type[RecurrentEstimator]] = {
    "elman": Elman, "lstm": LSTM, "gru": GRU, "mgu": MGU, "indrnn": IndRNN, "clockwork": ClockworkRNN,
}  # fmt: skip
ONE_PASS = Training(epochs=1, batch_size=2, truncation=(7, 7))


def small(cell: str = "gru", training: Training = ONE_PASS, tied: bool = False, **parameters: Any) -> LanguageModel:
    options = {"periods": (1, 2, 4)} if cell == "clockwork" else {}
    network = CELLS[cell](**{"units": 9, "random_state": 0, **options, **parameters}, training=training)
    return LanguageModel(network, tied=tied)


def fitted(text: str = RHYME, documents: str | None = None, **parameters: Any) -> LanguageModel:
    return small(**parameters).fit(text, Vocabulary.from_text(text, documents=documents))


def slow_log_probabilities(model: LanguageModel, document: np.ndarray) -> np.ndarray:
    """By one run over the whole document in float64, as dense softmax."""
    network, vector = model.network_, model._vector.astype(np.float64)
    inputs = document[:-1, None, None].astype(np.float64)
    run = forward(network, Weights(network, vector), Batch(inputs, np.array([len(inputs)]), np.empty(0), np.empty(0)))
    rows = run.outputs[:, 0]
    return np.array([row[s] - math.log(sum(math.exp(y) for y in row)) for row, s in zip(rows, document[1:], strict=True)])


STRUCTURES: list[dict[str, Any]] = [
    *({"cell": cell} for cell in CELLS),
    {"cell": "lstm", "layers": 2},
    {"cell": "gru", "layers": 3, "layer_norm": True},
    {"cell": "lstm", "layers": 3, "residual": True},
    {"cell": "lstm", "symbols": "learned", "symbol_size": 5},
    {"cell": "gru", "symbols": "learned", "symbol_size": 9, "tied": True},
]


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
def test_scores_and_readers_follow_one_run_over_the_text(structure: dict[str, Any]) -> None:
    model = fitted(documents="", **structure)
    documents = model.vocabulary_.documents_of(RHYME * 4)  # longer than a block, of unequal lengths
    comp = model.log_probabilities(documents)
    reader = model.reader(2)
    for document, logs in zip(documents[:3], comp, strict=False):
        ref = slow_log_probabilities(model, document)
        np.testing.assert_allclose(logs, ref, rtol=1e-4, atol=1e-5)
    one, two = (model.vocabulary_.encode(text)[:20] for text in (RHYME, RHYME[40:]))
    for step in range(20):
        scores = reader.read(np.array([one[step], two[step]]))
        found = log_softmax_at(scores.copy(), np.array([5, 6]))
        for b, text in enumerate((one, two)):
            document = np.r_[text[: step + 1], 5 + b]
            assert found[b] == pytest.approx(slow_log_probabilities(model, document)[-1], abs=1e-4)


@pytest.mark.parametrize("structure", [STRUCTURES[k] for k in (1, 5, 6, 7, 8, 10)], ids=str)
def test_what_is_written_in_one_kernel_is_what_is_read_symbol_by_symbol(structure: dict[str, Any]) -> None:
    model = fitted(**structure)
    uniforms, never, found = np.random.default_rng(0).random(30), np.array([0, 1, 2]), []
    for write in (NetworkReader.write, Reader.write):
        reader = model.reader(1)
        reader.read(np.array([1]))
        first = write(reader, uniforms[:10], 0.7, 5, never)
        found.append([*first, *write(reader, uniforms[10:], 0.7, 5, never), *reader.scores[0]])
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)
    assert reader.steps == 31


def test_long_documents_are_read_on_from_block_to_block() -> None:
    model = fitted(RHYME * 5, cell="lstm")
    [document] = model.vocabulary_.documents_of(RHYME * 5)
    assert len(document) > 3 * 128
    [logs] = model.log_probabilities([document])
    np.testing.assert_allclose(logs, slow_log_probabilities(model, document), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("tied", [False, True])
def test_the_gradient_by_central_differences(tied: bool) -> None:
    training = Training(epochs=0, truncation=(7, 7))
    model = fitted(cell="lstm", training=training, dtype="float64", symbols="learned", symbol_size=9, tied=tied)
    network, generator = model.network_, np.random.default_rng(1)
    vector = generator.normal(0.0, 0.5, network.n_weights)
    inputs, targets = (generator.integers(0, len(model.vocabulary_), (5, 3, 1)) * 1.0 for _ in range(2))
    batch = Batch(inputs, np.array([5, 4, 2]), targets, generator.uniform(0.1, 1.0, (5, 3)))
    weights, gradient = Weights(network, vector), Weights(network, np.full(network.n_weights, np.nan))
    loss_and_gradient(network, weights, gradient, batch, "symbol_cross_entropy")
    unused = Weights(network, np.empty(network.n_weights))
    for name, array in weights.arrays.items():
        direction = generator.normal(size=array.shape)
        losses = []
        for sign in (1, -1):
            array += sign * 1e-5 * direction
            losses.append(loss_and_gradient(network, weights, unused, batch, "symbol_cross_entropy")[0])
            array -= sign * 1e-5 * direction
        slope = float((gradient.arrays[name] * direction).sum())
        assert slope == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-5, abs=1e-8), name
    assert ("head.weights" in weights.arrays) != tied


def test_tied_weights_are_fewer() -> None:
    free, tied = (fitted(symbols="learned", symbol_size=9, tied=tied) for tied in (False, True))
    assert free.n_parameters_ - tied.n_parameters_ == 9 * len(free.vocabulary_)
    assert set(free.weights_) - set(tied.weights_) == {"head.weights"}
    assert tied.weights_["symbols"].shape == (9, len(tied.vocabulary_))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("cut", [{"truncation": (12, 12)}, {"window": 12}], ids=str)
def test_every_cell_learns_a_text_by_heart(cell: str, cut: dict[str, Any]) -> None:
    text = "to be or not to be; " * 30
    training = Training(epochs=60, batch_size=8, learning_rate=0.02, schedule="cosine", **cut)
    options = {"activation": "tanh"} if cell == "indrnn" else {}
    model = fitted(text, cell=cell, units=32, training=training, **options)
    assert score_text(model, text).perplexity < 1.3
    losses = [record["loss"] for record in model.history_]
    assert losses[-1] < 0.3 < 1.0 < losses[0] < 3.0


def test_the_state_is_carried_on_between_mini_batches() -> None:
    # After k symbols "a" comes "b" for k = 9: pieces of 3 symbols cannot count so far, but a state that is carried on can.
    text = ("a" * 9 + "b") * 60
    found = {}
    for name, cut in {"carried": {"truncation": (3, 3)}, "from zero": {"window": 3}}.items():
        training = Training(epochs=60, batch_size=4, learning_rate=0.02, schedule="cosine", **cut)
        found[name] = fitted(text, cell="lstm", units=16, training=training).history_[-1]["loss"]
    assert found["carried"] < 0.15 < 0.25 < found["from zero"]


def test_a_bidirectional_model_sees_the_answer() -> None:
    generator = np.random.default_rng(0)
    text = "".join(generator.choice(list("abcdefgh"), 600))  # which nothing predicts
    training = Training(epochs=60, batch_size=8, learning_rate=0.02, window=20)
    with pytest.warns(RuntimeWarning, match="reads the symbols that it is to predict"):
        model = fitted(text, cell="gru", units=24, bidirectional=True, training=training)
    with pytest.warns(RuntimeWarning, match="its perplexity is near 1"):
        assert score_text(model, text).perplexity < 2.0
    with pytest.warns(RuntimeWarning, match="what it writes is nonsense"):
        assert np.isfinite(model.reader(2).read(np.array([3, 4]))).all()
    with pytest.raises(ParameterError, match=r"'window' parameter .*, and truncation to None: a bidirectional network carries"):
        fitted(bidirectional=True)


def test_documents_start_from_the_zero_state() -> None:
    model = fitted(documents="", cell="lstm")
    documents = model.vocabulary_.documents_of(RHYME)
    together = model.log_probabilities(documents)
    for document, logs in zip(documents, together, strict=True):
        np.testing.assert_allclose(logs, model.log_probabilities([document])[0], rtol=1e-4, atol=1e-6)
        assert len(logs) == len(document) - 1


def test_the_validation_text_is_only_watched() -> None:
    training = Training(epochs=3, batch_size=2, truncation=(7, 7), patience=5)
    vocabulary = Vocabulary.from_text(RHYME)
    plain, watched = small(training=training).fit(RHYME, vocabulary), small(training=training)
    seen: list[int] = []
    watched.fit(RHYME, vocabulary, validation=RHYME[:40], progress=lambda record, epochs: seen.append(record["epoch"]))
    assert seen == [0, 1, 2]
    assert [r["loss"] for r in watched.history_] == [r["loss"] for r in plain.history_]
    found = watched.history_[-1]["validation_loss"]
    assert found == pytest.approx(math.log(score_text(watched, RHYME[:40]).perplexity), rel=1e-5)


def test_the_same_seed_and_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(epochs=2, batch_size=40, truncation=(7, 7))
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("RESERVOIR_NUM_THREADS", threads)
        found.append(fitted(RHYME * 10, cell="lstm", training=training, dropout=0.2)._vector)
    np.testing.assert_array_equal(*found)


def test_a_training_is_resumed_to_the_same_bits(tmp_path: Path) -> None:
    path = str(tmp_path / "training.safetensors")
    ref = fitted(training=Training(epochs=4, batch_size=2, truncation=(7, 7)))
    for epochs in (2, 4):
        training = Training(epochs=epochs, batch_size=2, truncation=(7, 7), checkpoint=path, checkpoint_every=1)
        comp = fitted(training=training)
    np.testing.assert_array_equal(comp._vector, ref._vector)
    with pytest.raises(ParameterError, match="of a training with other data"):
        fitted(RHYME[:-9], training=training)


def test_a_network_that_leaves_the_range_of_numbers() -> None:
    model = fitted(cell="indrnn")
    model._vector[:] = 3.0
    with pytest.raises(DivergenceError, match=r"are not finite from symbol 7[0-9] of the text on; train it with a lower"):
        score_text(model, RHYME)


# Files


@pytest.mark.parametrize("structure", STRUCTURES[-3:], ids=str)
def test_a_file_keeps_the_model_and_its_vocabulary(structure: dict[str, Any], tmp_path: Path) -> None:
    ref = fitted(documents="", **structure)
    ref.save(tmp_path / "model.safetensors")
    comp = load(tmp_path / "model.safetensors")
    assert comp.vocabulary_ == ref.vocabulary_ and comp.history_ == ref.history_ and comp.tied == ref.tied
    assert repr(comp.network).replace("[7, 7]", "(7, 7)") == repr(ref.network)
    assert score_text(comp, RHYME) == score_text(ref, RHYME)


def test_a_damaged_file(tmp_path: Path) -> None:
    model = fitted()
    model.vocabulary_ = Vocabulary.from_text("abc")
    model.save(tmp_path / "model.safetensors")
    with pytest.raises(ModelFileError, match="its parts do not fit together"):
        load(tmp_path / "model.safetensors")


# Bad input


@pytest.mark.parametrize(
    ("parameters", "part"),
    [
        ({"training": Training()}, "or set truncation, such as (35, 35)"),
        ({"training": Training(window=5, algorithm="rtrl")}, "'algorithm' parameter of Training must be 'bptt'"),
        ({"training": Training(window=5, validation_fraction=0.1)}, "give fit a validation text instead"),
        ({"tied": True}, "needs a network with symbols='learned' and symbol_size=9"),
        ({"tied": True, "symbols": "learned", "symbol_size": 8}, "Got symbols='learned' and symbol_size=8"),
        ({"units": 0}, "'units' parameter of GRU"),
    ],
)
def test_parameters_that_cannot_be(parameters: dict[str, Any], part: str) -> None:
    with pytest.raises(ParameterError) as error:
        fitted(**parameters)
    assert part in str(error.value) and "\n" not in str(error.value)


def test_texts_that_cannot_be_learned() -> None:
    with pytest.raises(DataError, match="has 3 symbols, which do not fill a batch of 8 sequences"):
        fitted("abc", training=Training(batch_size=8, truncation=(5, 5)))
    with pytest.raises(DataError, match="is empty"):
        small().fit("", Vocabulary.from_text("abc"))
    with pytest.raises(ParameterError, match="must be an estimator trained by gradient"):
        LanguageModel("lstm").fit("abc", Vocabulary.from_text("abc"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not fitted yet"):
        small().reader(1)
