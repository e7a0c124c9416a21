"""Text: reading files, documents, parts by position, tokens, vocabularies, and the streams that networks are trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from reservoir.language.batches import examples, pieces, streams
from reservoir.text.documents import read_text, split_documents, split_text
from reservoir.text.tokens import TOKENIZERS, join_words, split_words
from reservoir.text.vocabulary import BEGIN, END, UNKNOWN, Vocabulary
from reservoir.validation import DataError, ParameterError

RHYME = "Jack and Jill\nwent up the hill\n\nTo fetch a pail\nof water.\n\n\nJack fell down\n"


# Reading


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"to be\r\nor\rnot\n", "to be\nor\nnot\n"),
        ("\ufeffgrün".encode(), "grün"),
        ("日本語 🎉".encode(), "日本語 🎉"),
        (b" a", " a"),
    ],
)
def test_text_is_read_as_utf_8_with_single_newlines(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    assert read_text(path) == text


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (b"ab\0cd", "is binary, it holds a zero byte at offset 2"),
        (b"\x89PNG\r\n", "byte 0x89 at offset 0 is not UTF-8"),
        ("gr\xfcn".encode("latin-1"), "byte 0xfc at offset 2 is not UTF-8"),
        ("日本".encode()[:4], "byte 0xe6 at offset 3 is not UTF-8"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes, part: str) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        read_text(path)
    assert part in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(DataError, match="is a directory; name a text file"):
        read_text(tmp_path)


# Documents and parts


def test_documents_end_at_empty_lines_or_at_a_mark() -> None:
    assert split_documents(RHYME, None) == [RHYME]
    assert split_documents(RHYME, "") == ["Jack and Jill\nwent up the hill", "To fetch a pail\nof water.", "Jack fell down"]
    assert split_documents("%\none\n % \n\ntwo %\n%\n", "%") == ["one", "two %"]
    for text, mark in (("", None), (" \n", ""), ("%\n%", "%")):
        with pytest.raises(DataError, match="is empty"):
            split_documents(text, mark)


def test_parts_are_cut_by_position() -> None:
    text = "abcdefghijklmnopqrst"
    assert split_text(text, 0.1, 0.05) == ("abcdefghijklmnopq", "rs", "t")
    assert split_text(text, 0.0, 0.0) == (text, "", "")
    assert split_text(text, 0.0, 0.5) == ("abcdefghij", "", "klmnopqrst")


def test_no_word_and_no_document_is_cut() -> None:
    assert split_text("forever and a day", 0.5, 0.25, words=True) == ("forever", " and a", " day")
    parts = split_text(RHYME, 0.3, 0.3, mark="")
    assert [split_documents(part, "") for part in parts] == [[document] for document in split_documents(RHYME, "")]


@pytest.mark.parametrize(
    ("shares", "text", "part"),
    [
        ((1.0, 0.0), "abc", "'validation' parameter must be a share in [0, 1). Got 1.0"),
        ((0.0, -0.1), "abc", "'test' parameter must be a share in [0, 1). Got -0.1"),
        ((0.5, 0.5), "abc", "must sum to less than 1. Got 0.5 + 0.5"),
        ((0.1, 0.0), "abc", "too short for its validation part"),
        ((0.0, 0.1), "abc", "too short for its test part"),
        ((0.9, 0.0), "abc", "too short for its training part"),
    ],
)
def test_parts_that_cannot_be_cut(shares: tuple[float, float], text: str, part: str) -> None:
    with pytest.raises((ParameterError, DataError)) as error:
        split_text(text, *shares)
    assert part in str(error.value)


# Tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ne'er 2nd--half", ["ne", "'", "er", "2nd", "-", "-", "half"]),
        ("a_b\tc\n\n", ["a", "_", "b", "c", "\n", "\n"]),
        ("Äpfel, e\u0301te\u0301", ["Äpfel", ",", "e\u0301te\u0301"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("日本。", ["日本", "。"]),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize("text", ["Go, go!\nWho's (there)?", "well-known: 'tis", "one two"])
def test_joined_words_are_cut_into_the_same_words(text: str) -> None:
    assert split_words(join_words(split_words(text))) == split_words(text)


def test_characters_are_all_of_a_text() -> None:
    assert TOKENIZERS["characters"].join(TOKENIZERS["characters"].split(RHYME)) == RHYME


# Vocabularies


def test_the_most_frequent_tokens_come_first() -> None:
    vocabulary = Vocabulary.from_text("abcabcabxa")
    assert vocabulary.symbols == ("<unknown>", "<begin>", "<end>", "a", "b", "c", "x")
    assert Vocabulary.from_text("abcabcabxa", minimum_count=3).symbols[3:] == ("a", "b")
    assert Vocabulary.from_text("The the THE", tokens="words", lower=True).symbols[3:] == ("the",)


def test_codes_and_back() -> None:
    vocabulary = Vocabulary.from_text("to be or not to be", tokens="words", minimum_count=2)
    np.testing.assert_array_equal(vocabulary.encode("to be, or to"), [4, 3, UNKNOWN, UNKNOWN, 4])
    assert vocabulary.decode([BEGIN, 4, 3, UNKNOWN, END]) == "to be <unknown>"
    assert vocabulary.encode("").shape == (0,)


def test_marks_of_documents_are_no_tokens() -> None:
    vocabulary = Vocabulary.from_text("ab\n%\nba", documents="%")
    assert vocabulary.symbols[3:] == ("a", "b")
    assert [d.tolist() for d in vocabulary.documents_of("ab\n%\nb")] == [[BEGIN, 3, 4, END], [BEGIN, 4, END]]
    assert [d.tolist() for d in Vocabulary.from_text("ab").documents_of("ab")] == [[BEGIN, 3, 4]]


def test_a_prefix_with_unknown_tokens_names_them() -> None:
    vocabulary = Vocabulary.from_text("abc")
    with pytest.raises(DataError, match=r"does not know the characters \['x', 'y'\]"):
        vocabulary.encode_known("axyxb")
    np.testing.assert_array_equal(vocabulary.encode_known("axyxb", skip=True), vocabulary.encode("ab"))


def test_a_vocabulary_survives_json() -> None:
    vocabulary = Vocabulary.from_text(RHYME, tokens="words", lower=True, documents="")
    assert Vocabulary.from_record(json.loads(json.dumps(vocabulary.to_record()))) == vocabulary


@pytest.mark.parametrize(
    "change",
    [
        {"symbols": ["<unknown>", "<begin>", "a"]},
        {"symbols": ["<unknown>", "<begin>", "<end>", "a", "a"]},
        {"symbols": ["<unknown>", "<begin>", "<end>", 7]},
        {"tokens": "syllables"},
        {"lower": 3},
        {"documents": 3},
    ],
)
def test_a_damaged_record(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Vocabulary.from_record({**Vocabulary.from_text("ab").to_record(), **change})


@pytest.mark.parametrize(
    ("parameters", "part"),
    [
        ({"tokens": "word"}, "must be one of characters, words. Got 'word' instead. Did you mean words?"),
        ({"minimum_count": 0}, "'minimum_count' parameter of Vocabulary must be an integer in [1"),
        ({"lower": "yes"}, "'lower' parameter"),
        ({"documents": 5}, "'documents' parameter"),
    ],
)
def test_parameters_out_of_their_constraints(parameters: dict[str, object], part: str) -> None:
    with pytest.raises(ParameterError) as error:
        Vocabulary.from_text("abc", **parameters)  # type: ignore[arg-type]
    assert part in str(error.value)


# Streams


def test_streams_are_no_longer_than_the_most() -> None:
    """A long text then has more streams than run side by side, and each of them starts from the zero state."""
    documents = [np.arange(1000), np.arange(30)]
    found = streams(documents, 2, most=100)
    assert max(len(stream) - 1 for stream in found) <= 100 and len(found) == 10 + 1
    np.testing.assert_array_equal(np.concatenate([stream[1:] for stream in found[:10]]), documents[0][1:])


@pytest.mark.parametrize(("lengths", "count"), [([101], 4), ([101], 100), ([50, 3, 9, 2], 4), ([5, 5, 5], 3), ([2], 1)])
def test_streams_hold_every_symbol_to_predict_once_in_order(lengths: list[int], count: int) -> None:
    documents = [1000 * k + np.arange(length) for k, length in enumerate(lengths)]
    found = streams(documents, count)
    np.testing.assert_array_equal(np.concatenate([s[1:] for s in found]), np.concatenate([d[1:] for d in documents]))
    for stream in found:
        np.testing.assert_array_equal(np.diff(stream), 1)  # neighbors, within one document
    if len(lengths) == 1:
        sizes = [len(s) for s in found]
        assert count - 1 <= len(found) <= count or lengths[0] // count < 2
        assert max(sizes) - min(sizes) <= 1


def test_a_text_shorter_than_a_batch() -> None:
    with pytest.raises(DataError, match="has 3 symbols, which do not fill a batch of 4 sequences"):
        streams([np.arange(3), np.arange(2)], 4)
    assert len(streams([np.arange(3), np.arange(3)], 4)) == 4


def test_pieces_hold_every_symbol_to_predict_once() -> None:
    documents = [np.arange(10), np.arange(3), np.arange(4)]
    found = pieces(documents, 3)
    assert max(len(piece) for piece in found) == 4
    np.testing.assert_array_equal(np.concatenate([p[1:] for p in found]), np.concatenate([d[1:] for d in documents]))


def test_the_target_is_the_next_symbol() -> None:
    found = examples([np.array([5, 7, 9]), np.array([1, 2])], "float32")
    assert [u[:, 0].tolist() for u in found.inputs] == [[5, 7], [1]]
    assert [y[:, 0].tolist() for y in found.targets] == [[7, 9], [2]]
    assert found.inputs[0].dtype == np.float32 and found.per_step and found.washout == 0
