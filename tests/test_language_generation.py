"""Writing and scoring: how a text ends, the likeliest text of all, and what each line is worth."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from reservoir import DataError, ParameterError
from reservoir.language.generation import generate, likeliest
from reservoir.text.ngram import NGram
from reservoir.text.scoring import Score, score_lines, score_text
from reservoir.text.vocabulary import BEGIN, END, UNKNOWN, Vocabulary

RHYME = "jack and jill went up the hill\n\nto fetch a pail of water\n\njack fell down and broke his crown\n\nand jill came after"


def model(order: int = 4, tokens: str = "characters", documents: str | None = "", text: str = RHYME) -> NGram:
    return NGram(order).fit(text, Vocabulary.from_text(text, tokens=tokens, documents=documents))


# Texts


def test_the_same_seed_writes_the_same_text() -> None:
    first, second, other = ("".join(generate(model(), "ja", length=30, seed=seed)) for seed in (1, 1, 2))
    assert first == second != other and len(first) <= 30


def test_a_text_ends_with_its_document_with_until_or_at_its_length() -> None:
    for seed in range(20):
        text = list(generate(model(), length=500, seed=seed))
        assert len(text) < 500 and "<" not in "".join(text)
        short = "".join(generate(model(), length=500, until=" a", seed=seed))
        assert " a" not in short[:-1] and ("".join(text).startswith(short))
        assert list(generate(model(), length=7, seed=seed)) == text[:7]


def test_pieces_of_words_join_to_the_text_of_words() -> None:
    words = model(3, tokens="words", text="Who's (there)? Well, I am. Who am I?\n" * 3, documents=None)
    for seed in range(10):
        pieces = list(generate(words, "Who", length=12, seed=seed))
        symbols = words.vocabulary_.encode("Who" + "".join(pieces))
        assert len(symbols) == 13 and words.vocabulary_.decode(symbols) == "Who" + "".join(pieces)
    assert "".join(generate(words, "Who", length=4, temperature=0.01)) == "'s (there"


def test_a_prefix_with_unknown_symbols() -> None:
    with pytest.raises(DataError, match=r"does not know the characters \['X', 'é'\]"):
        generate(model(), "jXé")  # before a piece is asked for
    ref, comp = ("".join(generate(model(), prefix, seed=3, skip_unknown=True)) for prefix in ("jack", "jXacék"))
    assert ref == comp


@pytest.mark.parametrize(
    ("parameters", "part"),
    [
        ({"temperature": 0.0}, "'temperature' parameter of generate must be a number in (0, inf). Got 0.0 instead."),
        ({"temperature": -1.0}, "Got -1.0 instead."),
        ({"top": 0}, "'top' parameter of generate must be an integer in [1, inf)"),
        ({"length": 0}, "'length' parameter of generate"),
        ({"until": 5}, "'until' parameter of generate must be one of None or a text"),
    ],
)
def test_parameters_out_of_their_constraints(parameters: dict[str, object], part: str) -> None:
    with pytest.raises(ParameterError) as error:
        generate(model(), **parameters)  # type: ignore[arg-type]
    assert part in str(error.value)
    with pytest.raises(ParameterError, match="'beams' parameter of likeliest"):
        likeliest(model(), beams=0)


# Beam search


def best_of_all(ngram: NGram, prefix: str, length: int) -> tuple[str, float]:
    """Every continuation tried: of `length` symbols, or ended before."""
    vocabulary, found = ngram.vocabulary_, []
    context = np.r_[BEGIN, vocabulary.encode(prefix)]
    inner = [code for code in range(len(vocabulary)) if code not in (UNKNOWN, BEGIN, END)]
    for count in range(length + 1):
        for text in itertools.product(inner, repeat=count):
            symbols = [*text, END] if count < length else list(text)
            total = 0.0
            for place, symbol in enumerate(symbols):
                total += math.log(ngram.distribution(np.r_[context, symbols[:place]].astype(np.int64))[symbol])
            found.append((total, vocabulary.decode(symbols)))
    total, text_ = max(found)
    return text_, total


@pytest.mark.parametrize("prefix", ["", "a", "ab", "ba"])
@pytest.mark.parametrize("length", [1, 3, 4])
def test_enough_beams_find_the_likeliest_text_of_all(prefix: str, length: int) -> None:
    ngram = model(3, text="abab\n\nabba\n\nbab\n\nabcab\n\nab")
    ref_text, ref = best_of_all(ngram, prefix, length)
    text, comp = likeliest(ngram, prefix, length, beams=300)
    assert comp == pytest.approx(ref, abs=1e-12) and text == ref_text


def test_more_beams_are_never_worse() -> None:
    totals = [likeliest(model(), "j", length=20, beams=beams)[1] for beams in (1, 2, 8, 30)]
    assert totals[0] <= totals[1] + 1e-12 and totals[1] <= totals[2] + 1e-12 and totals[2] <= totals[3] + 1e-12


def test_a_beam_search_ends_with_until() -> None:
    text, total = likeliest(model(), "j", length=50, until="ll")
    assert text.endswith("ll") and "ll" not in text[:-1] and total < 0.0
    text, _ = likeliest(model(documents=None), "j", length=50)
    assert len(text) == 50  # a text without documents has no end


# Scores


def test_a_score_is_the_sum_over_symbols() -> None:
    ngram = model(3)
    logs = ngram.log_probabilities(ngram.vocabulary_.documents_of("jack\n\nand jill"))
    found = score_text(ngram, "jack\n\nand jill")
    assert found.symbols == 5 + 9 and found.characters == 14
    assert found.log_probability == pytest.approx(sum(part.sum() for part in logs))
    assert found.perplexity == pytest.approx(math.exp(-found.log_probability / 14))
    assert found.bits_per_character == pytest.approx(-found.log_probability / math.log(2) / 14)


def test_bits_per_character_of_words_count_characters() -> None:
    words = model(2, tokens="words", documents=None)
    found = score_text(words, "jack and jill")
    assert found.symbols == 3 and found.characters == 13
    assert found.bits_per_character == pytest.approx(math.log2(found.perplexity) * 3 / 13)


def test_each_line_is_a_document() -> None:
    ngram = model(3)
    lines = ["jack fell down", "down fell jack"]
    found = score_lines(ngram, lines)
    assert found == [score_text(ngram, line) for line in lines]
    assert found[0].log_probability > found[1].log_probability
    with pytest.raises(DataError, match=r"line 2 has no characters to score. Got '' instead; leave it out"):
        score_lines(ngram, ["jack", ""])


def test_a_hopeless_score() -> None:
    assert Score(-1e6, 10, 10).perplexity == math.inf
