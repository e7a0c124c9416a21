"""The next symbol of a text: characters or words, of a user's file or of Python's own help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.files.reading import Text
from reservoir.tasks.base import COUNT, Data, Split, Task
from reservoir.tasks.settings import given
from reservoir.text.documents import read_text, split_text
from reservoir.text.scoring import Score
from reservoir.text.vocabulary import CONSTRAINTS, Vocabulary
from reservoir.validation import DataError, Number, ParameterError

SHARE = Number(low=0.0, high=1.0, open_high=True)
ORDER = 6
"""The order of the n-gram whose score is the baseline."""


@dataclass(frozen=True)
class TextSplit(Split):
    """A part of a text: `inputs` and `targets` are (T, 1) and (T,) numbers of symbols for each of its documents.

    `text` is the part as it was read.
    """

    text: str = ""


@dataclass(frozen=True)
class TextTask(Task):
    """Predict the next symbol of a text, characters or words, from all symbols before it in the document.

    `path` names the file, in UTF-8; without it, the text is the help of Python's own `pydoc_data.topics` (about 465,000
    characters; it differs between versions of Python). `length` keeps the first characters only. `tokens` are characters or
    words: runs of letters and digits, while each punctuation mark and each end of a line is a word of its own; `lower` reads
    capital letters as small ones. Symbols that occur fewer than `minimum_count` times in the training part are unknown: all of
    them are one symbol. `documents` is the line that divides documents, empty for an empty line; the state starts anew after it.
    The last `test` of the text is the test split, `validation` of it before that the validation split, all before it is for
    training; documents and words are not cut. A share of 0 has no split: then nothing can be scored on it, and
    `reservoir train` learns all of the text. Nothing is random: every seed gives the same data.

    Metric: bits_per_character, the information of the test split in bits, by the number of its characters, whatever the symbols
    are. Beside it the perplexity, 2 to the power of the bits per symbol. Baseline: a 6-gram with interpolated modified
    Kneser-Ney smoothing (Chen & Goodman, Computer Speech and Language 13, 1999).
    """

    path: str = ""
    length: int | None = None
    tokens: str = "characters"
    lower: bool = False
    minimum_count: int = 1
    documents: str | None = None
    validation: float = 0.05
    test: float = 0.05

    name = "text"
    kind = "text"
    metric = "bits_per_character"
    baseline_name = f"{ORDER}-gram, Kneser-Ney"
    picture = "surprise"
    slow = ("esn", "gradient")
    constraints = given(
        path=Text((), described="the name of a text file (on the command line: --data FILE), '' for Python's help", blank=True),
        length=Number(low=COUNT.low, integer=True, optional=True), **CONSTRAINTS, validation=SHARE, test=SHARE,
    )  # fmt: skip
    tuned = given(
        esn=given(units=1000, spectral_radius=1.2, density=0.01, input_scaling=3.0, bias_scaling=0.2, dtype="float32"),
        gradient=given(
            units=256, dropout=0.2, training__epochs=16, training__patience=4, training__learning_rate=4e-3,
            training__schedule="cosine", training__truncation=(50, 50),
        ),
    )  # fmt: skip

    def generate(self, seed: int) -> Data:
        """The splits; the same for every seed. `info` holds the vocabulary.

        Raises `DataError` for a file that is no text, and for a text that is too short for its parts.
        """
        text = (read_text(self.path) if self.path else help_text())[: self.length]
        parts = split_text(text, self.validation, self.test, self.documents, self.tokens == "words")
        vocabulary = Vocabulary.from_text(parts[0], self.tokens, self.lower, self.minimum_count, self.documents)
        train, validation, test = (_split(part, vocabulary) for part in parts)
        return Data(train, validation, test, {"vocabulary": vocabulary})

    def predict(self, model: Any, split: Split) -> Any:
        """The natural logarithm of the probability of every target, (T,) for each document."""
        return model.log_probabilities(self.documents_of(split))

    def score(self, predictions: Any, data: Data) -> float:
        """The bits per character of the test split."""
        return self.scores(predictions, data)["bits_per_character"]

    def scores(self, predictions: Any, data: Data) -> dict[str, float]:
        """The bits per character, and the perplexity of a symbol."""
        found = scored_text(predictions, data.test)
        return {"bits_per_character": found.bits_per_character, "perplexity": found.perplexity}

    def baseline(self, data: Any) -> float:
        """The bits per character of a 6-gram."""
        from reservoir.text.ngram import NGram

        return self.score(self.predict(NGram(ORDER).fit(data.train.text, data.info["vocabulary"]), data.test), data)

    def documents_of(self, split: Split) -> list[np.ndarray]:
        """The documents of a split, (T + 1,) symbols each. Raises `ParameterError` for one of which the share is 0."""
        if not split.inputs:
            raise ParameterError(
                "The 'test' parameter of task text must be above 0 to score a model, as 'validation' for a sweep. Got 0.0"
                " instead; `reservoir train` learns a whole text."
            )
        return [np.r_[symbols[:1, 0], target] for symbols, target in zip(split.inputs, split.targets, strict=True)]


def scored_text(predictions: Iterable[np.ndarray], split: Any) -> Score:
    """The score of a part of a text, from the logarithms of the probabilities of its symbols."""
    logs = np.concatenate(list(predictions))
    return Score(float(logs.sum()), len(logs), len(split.text))


def help_text() -> str:
    """The text of Python's help topics, in the order of their names. Raises `DataError` where Python comes without them."""
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise DataError("text: this Python has no pydoc_data.topics; name a file of text, on the command line --data.") from None
    return "\n".join(topics[name] for name in sorted(topics))


def _split(text: str, vocabulary: Vocabulary) -> TextSplit:
    """A part of the text as a split; of an empty part, an empty one."""
    documents = vocabulary.documents_of(text) if text else []
    return TextSplit([document[:-1, None] for document in documents], [document[1:] for document in documents], text=text)
