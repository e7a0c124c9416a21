"""N-grams against dictionaries of counts and against probabilities by hand; that every context sums to one."""

from __future__ import annotations

import naive_language
import numpy as np
import pytest

from reservoir.text.ngram import NGram, discounts
from reservoir.text.vocabulary import BEGIN, END, Vocabulary
from reservoir.validation import DataError, ParameterError

RHYME = "jack and jill went up the hill\n\nto fetch a pail of water\n\njack fell down and broke his crown\n\n" * 2 + "and jill"


def random_text(seed: int, length: int = 300) -> str:
    """Text over four letters, whose empty lines divide documents, in which counts from 1 up occur in every order."""
    generator = np.random.default_rng(seed)
    return "".join("abcd"[min(int(x), 3)] for x in generator.exponential(1.0, length)) + "\n\nab\n\na"


def test_by_hand() -> None:
    # Documents: <begin> a b <end> and <begin> a c <end>; the vocabulary has 6 symbols, 5 of which can follow.
    text = "ab\n\nac"
    vocabulary = Vocabulary.from_text(text, documents="")
    model = NGram(2).fit(text, vocabulary)
    a, b, c = vocabulary.encode("abc")
    # Bigrams: (begin a) 2, (a b) (a c) (b end) (c end) 1 each: n1 = 4, n2 = 1, n3 = 0. Y = 4 / 6.
    # D1 = 1 - 2 Y 1 / 4 = 2/3, D2 = 2 - 3 Y 0 / 1 = 2.
    # Unigrams count what they follow: a 1 (begin), b 1, c 1, end 2: n1 = 3, n2 = 1, n3 = 0. Y = 3 / 5.
    # D1 = 1 - 2 Y 1 / 3 = 3/5, D2 = 2. Their sum is 5, what they pass on (3 * 3/5 + 2) / 5 = 19/25.
    passed = 19 / 25 / 5
    unigrams = {0: passed, END: (2 - 2) / 5 + passed, a: (1 - 3 / 5) / 5 + passed, b: 2 / 25 + passed, c: 2 / 25 + passed}
    for symbol, ref in unigrams.items():
        assert NGram(2).fit(text, vocabulary).distribution(np.array([], np.int64))[symbol] == pytest.approx(ref, abs=1e-15)
    # After a: b and c once each, 2 in all, passing on (2/3 + 2/3) / 2 = 2/3.
    after_a = model.distribution(np.array([a]))
    assert after_a[b] == pytest.approx((1 - 2 / 3) / 2 + 2 / 3 * unigrams[b], abs=1e-15)
    assert after_a[END] == pytest.approx(2 / 3 * unigrams[END], abs=1e-15)
    # At the beginning: a twice, 2 in all, passing on D2 / 2 = 1, so that nothing of the count is left.
    assert model.distribution(np.array([BEGIN]))[a] == pytest.approx(unigrams[a], abs=1e-15)
    # The whole of "ac": a at the beginning, c after a, the end after c, once in all, passing on 2/3.
    [logs] = model.log_probabilities(vocabulary.documents_of("ac"))
    ref = [unigrams[a], after_a[c], (1 - 2 / 3) / 1 + 2 / 3 * unigrams[END]]
    np.testing.assert_allclose(np.exp(logs), ref, rtol=1e-14)


@pytest.mark.parametrize("order", range(1, 7))
@pytest.mark.parametrize(("text", "documents"), [(random_text(0), ""), (random_text(1), None), (RHYME, "")])
def test_against_the_twin(text: str, documents: str | None, order: int) -> None:
    vocabulary = Vocabulary.from_text(text, documents=documents, minimum_count=2)
    model = NGram(order).fit(text, vocabulary)
    twin = naive_language.KneserNey([d.tolist() for d in vocabulary.documents_of(text)], order, len(vocabulary))
    known = vocabulary.documents_of(text)[-1][:20]
    strange = np.random.default_rng(2).integers(2, len(vocabulary), 20)
    for document in (known, np.r_[BEGIN, strange], known[:1], known[:2]):
        ref = [np.log(twin.probability(int(document[i]), document[:i].tolist())) for i in range(1, len(document))]
        [comp] = model.log_probabilities([document])
        np.testing.assert_allclose(comp, ref, rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 6])
@pytest.mark.parametrize("text", [random_text(3), RHYME, "a", "aaaa"])
def test_every_context_sums_to_one(text: str, order: int) -> None:
    vocabulary = Vocabulary.from_text(text, documents="")
    model = NGram(order).fit(text, vocabulary)
    generator = np.random.default_rng(4)
    seen = vocabulary.documents_of(text)[0]
    contexts = [seen[:k] for k in range(8)] + [generator.integers(0, len(vocabulary), k) for k in (1, 2, 5, 9) for _ in range(10)]
    for context in contexts:
        probabilities = model.distribution(context)
        assert probabilities.sum() == pytest.approx(1.0, abs=1e-12)
        assert probabilities[BEGIN] == 0.0 and np.delete(probabilities, BEGIN).min() > 0.0


def test_documents_and_distributions_agree() -> None:
    vocabulary = Vocabulary.from_text(RHYME, documents="")
    model = NGram(4).fit(RHYME, vocabulary)
    documents = vocabulary.documents_of("jack went down\n\nx\n\njill")
    for document, logs in zip(documents, model.log_probabilities(documents), strict=True):
        assert len(logs) == len(document) - 1
        ref = [model.distribution(document[:i])[document[i]] for i in range(1, len(document))]
        np.testing.assert_allclose(np.exp(logs), ref, rtol=1e-12)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([1, 1, 1, 1, 2, 2, 3, 3, 4], [0, 0.5, 0.5, 2.0]),  # Y = .5
        ([1, 2, 3], [0, 1 - 2 / 3, 1.0, 3.0]),  # Y = 1/3: D2 = 2 - 3 / 3, D3+ = 3 - 0
        ([2, 2], [0, 0.5, 1.0, 1.5]),
        ([1, 2, 2, 2, 2], [0, 1 - 2 / 9 * 4, 2.0, 1.5]),  # Y = 1/9
        ([1, 1, 2, 2, 2, 3, 4, 4, 4, 4, 4, 4], [0, 0.25, 1.75, 1.5]),  # Y = 1/4: D3+ = 3 - 4 * 6 / 4 < 0
        ([], [0, 0.5, 1.0, 1.5]),
    ],
)
def test_discounts(counts: list[int], expected: list[float]) -> None:
    np.testing.assert_allclose(discounts(np.array(counts, np.int64)), expected, rtol=1e-15)


def test_longer_n_grams_know_more() -> None:
    vocabulary = Vocabulary.from_text(RHYME)
    found = [-NGram(n).fit(RHYME, vocabulary).log_probabilities(vocabulary.documents_of(RHYME))[0].mean() for n in range(1, 7)]
    assert found == sorted(found, reverse=True)


def test_a_large_vocabulary_does_not_overflow() -> None:
    text = "".join(map(chr, range(0x4E00, 0x9F00))) * 2
    vocabulary = Vocabulary.from_text(text)
    assert len(vocabulary) ** 6 > 2**63
    model, document = NGram(6).fit(text, vocabulary), vocabulary.documents_of(text)[0].tolist()
    assert model.n_parameters_ == sum(len(set(zip(*(document[k:] for k in range(n)), strict=False))) for n in range(1, 7))
    assert all(len(level.keys) == len(level.shares) and level.keys.min() >= 0 for level in model.levels_)


def test_bad_input() -> None:
    vocabulary = Vocabulary.from_text("ab")
    for order in (0, 7, 2.5):
        with pytest.raises(ParameterError, match=r"'order' parameter of NGram must be an integer in \[1, 6\]"):
            NGram(order).fit("ab", vocabulary)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="is empty"):
        NGram(2).fit("", vocabulary)
