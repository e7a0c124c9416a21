"""How a text is cut into tokens, characters or words, and how tokens become a text again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import NamedTuple

NO_SPACE_BEFORE = frozenset("\n.,;:!?)]}%'’”-…")
NO_SPACE_AFTER = frozenset("\n([{'‘“’-")


class Tokenizer(NamedTuple):
    """A pair of functions: `split` gives the tokens of a text, `join` the text of tokens."""

    split: Callable[[str], list[str]]
    join: Callable[[Iterable[str]], str]


def split_words(text: str) -> list[str]:
    r"""Cut a text into words: runs of letters and digits; each other character is a token, but spaces are not kept.

    Marks that combine with a letter, such as accents and the vowel signs of many scripts, belong to its word.

    >>> split_words("'Tis 20 o'clock,\nsir!")
    ["'", 'Tis', '20', 'o', "'", 'clock', ',', '\n', 'sir', '!']
    """
    marks = "".join(sorted(c for c in set(text) if unicodedata.category(c).startswith("M")))
    letter = r"[^\W_]"
    run = f"(?:{letter}|[{marks}])*" if marks else f"{letter}*"
    return re.findall(rf"{letter}{run}|\n|[^\w\s]|_", text)


def join_words(words: Iterable[str]) -> str:
    r"""Write words with spaces between them, but none where English has none beside a punctuation mark.

    >>> join_words(["Well", ",", "(", "sir", ")", "it", "'", "s", "late", ".", "\n", "Go"])
    "Well, (sir) it's late.\nGo"
    """
    text, before = "", "\n"
    for word in words:
        text += word if before in NO_SPACE_AFTER or word in NO_SPACE_BEFORE else f" {word}"
        before = word
    return text


TOKENIZERS = {"characters": Tokenizer(list, "".join), "words": Tokenizer(split_words, join_words)}
"""The tokenizers by the names that `Vocabulary` takes."""
