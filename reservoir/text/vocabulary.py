"""The vocabulary: how a text becomes documents of symbols, and symbols become text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from reservoir.text.documents import split_documents
from reservoir.text.tokens import TOKENIZERS
from reservoir.validation import Choice, Constraint, DataError, Number, ParameterError, brief, check_parameters

UNKNOWN, BEGIN, END = range(3)
SPECIAL = ("<unknown>", "<begin>", "<end>")
CONSTRAINTS: dict[str, Constraint] = {
    "tokens": Choice(tuple(TOKENIZERS)),
    "lower": Choice((True, False)),
    "minimum_count": Number(low=1, integer=True),
    "documents": Choice((None,), (str,), "the line that divides documents, '' for an empty line"),
}


@dataclass(frozen=True)
class Vocabulary:
    """The symbols of a model, numbered from 0, and how a text is cut into them.

    Symbol 0 stands for every token that is not in the vocabulary, 1 for the beginning of a document, 2 for its end.

    Attributes
    ----------
    symbols : the text of each symbol; those after the first three are tokens, the most frequent first
    tokens : "characters" or "words" (runs of letters and digits, and single punctuation marks and newlines)
    lower : whether texts are read in lower case
    documents : the line that divides documents, "" for an empty line; None where a text is one document without an end
    """

    symbols: tuple[str, ...]
    tokens: str = "characters"
    lower: bool = False
    documents: str | None = None

    @classmethod
    def from_text(
        cls, text: str, tokens: str = "characters", lower: bool = False, minimum_count: int = 1, documents: str | None = None
    ) -> Self:
        """Give the vocabulary of a text: its tokens that occur at least `minimum_count` times.

        Raises `ParameterError` for a parameter out of its constraint and `DataError` for a text without tokens.

        >>> Vocabulary.from_text("to be or not to be", tokens="words", minimum_count=2).symbols
        ('<unknown>', '<begin>', '<end>', 'be', 'to')
        """
        given = {"tokens": tokens, "lower": lower, "minimum_count": minimum_count, "documents": documents}
        check_parameters("Vocabulary", CONSTRAINTS, given)
        empty = cls(SPECIAL, tokens, lower, documents)
        counts = Counter(token for document in split_documents(text, documents) for token in empty.split(document))
        if not counts:
            raise DataError(f"text: has no {tokens}; give a text of at least one.")
        kept = [token for token, count in counts.items() if count >= minimum_count]
        return cls((*SPECIAL, *sorted(kept, key=lambda token: (-counts[token], token))), tokens, lower, documents)

    def __len__(self) -> int:
        return len(self.symbols)

    @cached_property
    def codes(self) -> dict[str, int]:
        """The number of each token."""
        return {symbol: code for code, symbol in enumerate(self.symbols) if code >= len(SPECIAL)}

    def split(self, text: str) -> list[str]:
        """Give the tokens of a text."""
        return TOKENIZERS[self.tokens].split(text.lower() if self.lower else text)

    def encode(self, text: str) -> np.ndarray:
        """Give the numbers of the tokens of a text, (T,), without a beginning or an end; unknown tokens are 0."""
        codes, found = self.codes, self.split(text)
        return np.fromiter((codes.get(token, UNKNOWN) for token in found), np.int64, len(found))

    def encode_known(self, text: str, skip: bool = False) -> np.ndarray:
        """Give the numbers of a text of which every token must be known; or `skip` those that are not.

        Raises `DataError` that names the unknown tokens.
        """
        found = self.encode(text)
        unknown = sorted({token for token, code in zip(self.split(text), found, strict=True) if code == UNKNOWN})
        if unknown and not skip:
            raise DataError(
                f"prefix: the model does not know the {self.tokens} {brief(unknown)}; leave them out, or skip them"
                " (--unknown skip, in Python skip_unknown=True)."
            )
        return found[found != UNKNOWN]

    def documents_of(self, text: str) -> list[np.ndarray]:
        """Give the documents of a text: for each the numbers of its symbols, the beginning first.

        The end comes last, where texts are cut into documents. Raises `DataError` for an empty text.
        """
        end = [] if self.documents is None else [END]
        return [np.r_[BEGIN, self.encode(document), end].astype(np.int64) for document in split_documents(text, self.documents)]

    def decode(self, codes: Iterable[int]) -> str:
        """Give the text of symbols; beginnings and ends have none."""
        return TOKENIZERS[self.tokens].join(self.symbols[code] for code in codes if code not in (BEGIN, END))

    def to_record(self) -> dict[str, Any]:
        """Give the vocabulary as plain data for JSON."""
        return {"symbols": list(self.symbols), "tokens": self.tokens, "lower": self.lower, "documents": self.documents}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Give the vocabulary whose `to_record` gave the data. Raises KeyError or ValueError where they do not fit together."""
        symbols, rest = tuple(record["symbols"]), {name: record[name] for name in ("tokens", "lower", "documents")}
        try:
            check_parameters("Vocabulary", {name: CONSTRAINTS[name] for name in rest}, rest)
        except ParameterError as error:
            raise ValueError(str(error)) from None
        if symbols[:3] != SPECIAL or len(set(symbols)) != len(symbols) or not all(isinstance(s, str) for s in symbols):
            raise ValueError("the symbols of a vocabulary must be texts of which none is there twice")
        return cls(symbols, **rest)
