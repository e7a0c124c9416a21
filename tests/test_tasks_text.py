"""The task of text: its splits, its scores and its baseline, and that run, compare and sweep make language models for it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from texts import RHYME, rhyme_file

from reservoir import DataError, EchoLanguageModel, LanguageModel, NGram, ParameterError, compare, run, sweep
from reservoir.experiments.evaluation import learner_for, make_model
from reservoir.tasks import get_task
from reservoir.tasks.text import help_text
from reservoir.text.vocabulary import BEGIN

SMALL = {"units": 16, "training__epochs": 2, "training__batch_size": 4}
ECHO = {"units": 30}


@pytest.fixture
def rhyme(tmp_path: Path) -> str:
    return rhyme_file(str(tmp_path / "rhyme.txt"))


def task(path: str, **options: Any) -> Any:
    return get_task("text", path=path, **{"validation": 0.1, "test": 0.1, **options})


def test_the_parts_are_the_text_in_order(rhyme: str) -> None:
    data = task(rhyme).generate(0)
    splits = (data.train, data.validation, data.test)
    assert "".join(split.text for split in splits) == RHYME * 12
    assert [len(split.text) / len(RHYME * 12) for split in splits] == pytest.approx([0.8, 0.1, 0.1], abs=0.01)
    vocabulary = data.info["vocabulary"]
    assert set(vocabulary.symbols[3:]) == set(data.train.text)
    for split in splits:
        [inputs], [targets] = split.inputs, split.targets
        assert inputs[0, 0] == BEGIN and inputs.shape == (len(targets), 1)
        np.testing.assert_array_equal(inputs[1:, 0], targets[:-1])
        assert vocabulary.decode(targets) == split.text


def test_options_say_how_a_text_is_read(rhyme: str) -> None:
    words = task(rhyme, tokens="words", lower=True, minimum_count=40, documents="").generate(0)
    assert words.info["vocabulary"].symbols[3:] == ("jill", "\n", "and", "jack") or len(words.info["vocabulary"]) < 10
    assert all(symbol == symbol.lower() for symbol in words.info["vocabulary"].symbols)
    assert len(words.train.inputs) > 10  # documents
    assert "".join(task(rhyme, length=100).generate(0).train.text) == RHYME[:80]


def test_the_text_without_a_file_is_python_s_help() -> None:
    data = get_task("text", length=5000).generate(0)
    assert data.train.text + data.validation.text + data.test.text == help_text()[:5000]


def test_the_baseline_is_a_6_gram(rhyme: str) -> None:
    chosen = task(rhyme)
    data = chosen.generate(0)
    ngram = NGram(6).fit(data.train.text, data.info["vocabulary"])
    [logs] = ngram.log_probabilities(data.info["vocabulary"].documents_of(data.test.text))
    assert chosen.baseline(data) == pytest.approx(-logs.sum() / math.log(2) / len(data.test.text), rel=1e-12)
    predictions = chosen.predict(ngram, data.test)
    np.testing.assert_array_equal(predictions[0], logs)
    assert chosen.scores(predictions, data)["perplexity"] == pytest.approx(math.exp(-logs.mean()))


@pytest.mark.parametrize(("model", "settings", "kind"), [("gru", SMALL, LanguageModel), ("esn", ECHO, EchoLanguageModel)])
def test_run_fits_and_scores_a_language_model(rhyme: str, model: str, settings: dict[str, Any], kind: type) -> None:
    report = run(task(rhyme), model, settings)
    [row], learner = report.rows, report.first.model
    assert type(learner) is kind and row["n_parameters"] == learner.n_parameters_
    assert row["params"]["units"] == settings["units"]  # by the names that --set takes
    assert 0.0 < row["score"] == row["scores"]["bits_per_character"] < 6.0
    assert learner.history_[-1]["validation_loss"] is not None  # the validation split is watched
    assert "6-gram" in str(report.table())


def test_the_title_of_a_picture_names_what_differs_from_the_model_s_defaults(rhyme: str) -> None:
    report = run(task(rhyme), "gru", SMALL)
    figure = report.plot()
    shown = " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))
    assert "units 16" in shown and "init_scale" not in shown


def test_compare_and_sweep_use_language_models(rhyme: str, tmp_path: Path) -> None:
    [one, two] = compare(
        [task(rhyme)], ["gru", "esn"], [0], {f"gru__{k}": v for k, v in SMALL.items()} | {"esn__units": 30}
    ).records()
    assert one["score"] == run(task(rhyme), "gru", SMALL).rows[0]["score"] and two["error"] is None
    found = sweep(
        task(rhyme), "gru", {"units": [8, 16]}, tmp_path / "store.db", settings={k: SMALL[k] for k in list(SMALL)[1:]}, jobs=1
    )
    [record] = found.records()
    assert record["metric"] == "bits_per_character" and record["split"] == "validation"


@pytest.mark.parametrize(("model", "default"), [("gru", LanguageModel().network), ("esn", EchoLanguageModel().esn)])
def test_the_settings_of_the_task_are_the_defaults_of_language_models(model: str, default: Any) -> None:
    made = make_model(model, get_task("text").settings(model), 0).set_params(random_state=None)
    assert repr(made) == repr(default)


def test_a_budget_counts_the_weights_of_the_symbols(rhyme: str) -> None:
    [row] = compare([task(rhyme)], ["gru"], [0], {k: v for k, v in SMALL.items() if k != "units"}, budget=3000).records()
    assert row["n_parameters"] == pytest.approx(3000, rel=0.1)


def test_nothing_is_scored_on_a_split_of_share_0(rhyme: str) -> None:
    with pytest.raises(ParameterError, match="'test' parameter of task text must be above 0 to score"):
        run(task(rhyme, test=0.0), "gru", SMALL)


def test_a_text_that_is_too_short_for_a_part(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too short for its"):
        task(rhyme_file(str(tmp_path / "r.txt"), 1), length=3).generate(0)


def test_only_networks_become_language_models(rhyme: str) -> None:
    with pytest.raises(ParameterError, match="model of text must be a network trained by gradient, or an ESN"):
        learner_for(task(rhyme), NGram(2))
