"""Writing text with a language model: symbols drawn one at a time, or the likeliest continuation by beam search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from reservoir.text.reader import Predictor, Reader
from reservoir.text.vocabulary import BEGIN, END, UNKNOWN, Vocabulary
from reservoir.validation import Choice, Constraint, Number, check_parameters

CONSTRAINTS: Mapping[str, Constraint] = {
    "length": Number(low=1, integer=True),
    "temperature": Number(low=0, open_low=True),
    "top": Number(low=1, integer=True, optional=True),
    "until": Choice((None,), (str,), "a text"),
    "beams": Number(low=1, integer=True),
    "skip_unknown": Choice((True, False)),
}
AT_ONCE = 8
"""Symbols that are drawn before the first of them is given out."""


def generate(
    model: Predictor,
    prefix: str = "",
    length: int = 200,
    temperature: float = 1.0,
    top: int | None = None,
    until: str | None = None,
    seed: int | None = None,
    skip_unknown: bool = False,
) -> Iterator[str]:
    """Write the continuation of a prefix, piece by piece as it is drawn; "".join(...) gives all of it.

    Parameters
    ----------
    model : a fitted language model
    prefix : the beginning, which is read and not written again; the model starts at the beginning of a document
    length : the most symbols to write; the end of a document ends the text
    temperature : what the logarithms of the probabilities are divided by before a symbol is drawn: below 1 likely symbols
        become more likely still
    top : draw among this many of the likeliest symbols, and those as likely as the last of them; None for all
    until : a text that ends what is written, and is its end
    seed : the seed of the random numbers; None for a fresh one
    skip_unknown : whether tokens of the prefix that the model does not know are left out

    Raises
    ------
    ParameterError, DataError
        A parameter out of its constraint; a prefix with unknown tokens, which are named. Both are raised at once, before
        the first piece is asked for.
    """
    given = {"length": length, "temperature": temperature, "top": top, "until": until, "skip_unknown": skip_unknown}
    check_parameters("generate", {name: CONSTRAINTS[name] for name in given}, given)
    reader = model.reader(1)
    _read_prefix(reader, model.vocabulary_.encode_known(prefix, skip_unknown))
    return _write(reader, model.vocabulary_, prefix, length, temperature, top or 0, until, np.random.default_rng(seed))


def likeliest(
    model: Predictor,
    prefix: str = "",
    length: int = 200,
    beams: int = 8,
    until: str | None = None,
    skip_unknown: bool = False,
) -> tuple[str, float]:
    """Search the likeliest continuation of a prefix, with the best `beams` texts of each length kept (beam search).

    Parameters
    ----------
    model, prefix, length, until, skip_unknown : as for `generate`; a continuation has `length` symbols, or it ends before
        with the document or with `until`

    Returns
    -------
    The continuation, and the natural logarithm of its probability

    Raises
    ------
    ParameterError, DataError
        As `generate`.
    """
    given = {"length": length, "beams": beams, "until": until, "skip_unknown": skip_unknown}
    check_parameters("likeliest", {name: CONSTRAINTS[name] for name in given}, given)
    vocabulary, reader = model.vocabulary_, model.reader(beams)
    scores = _read_prefix(reader, vocabulary.encode_known(prefix, skip_unknown), beams)
    totals = np.r_[0.0, np.full(beams - 1, -np.inf)]  # the others are copies of the first
    texts: list[list[int]] = [[] for _ in range(beams)]
    best: tuple[float, list[int]] = (-np.inf, [])
    for written in range(1, length + 1):
        candidates = totals[:, None] + _log_softmax(scores)
        candidates[:, _never(vocabulary)] = -np.inf
        chosen = np.argsort(-candidates, axis=None, kind="stable")[:beams]
        sources, symbols = np.unravel_index(chosen, candidates.shape)
        totals = candidates.ravel()[chosen]
        texts = [[*texts[source], int(symbol)] for source, symbol in zip(sources, symbols, strict=True)]
        for beam, text in enumerate(texts):
            ended = text[-1] == END or (until is not None and until in vocabulary.decode(text)) or written == length
            if ended and totals[beam] > best[0]:
                best = (float(totals[beam]), text)
            totals[beam] = -np.inf if ended else totals[beam]
        if totals.max() <= best[0]:  # no text becomes likelier
            break
        reader.select(sources)
        scores = reader.read(symbols)
    return vocabulary.decode(best[1]), best[0]


def _read_prefix(reader: Reader, prefix: np.ndarray, count: int = 1) -> np.ndarray:
    """What the model expects after the beginning of a document and the prefix, (count, V)."""
    for symbol in np.r_[BEGIN, prefix]:
        scores = reader.read(np.full(count, symbol))
    return scores


def _write(
    reader: Reader, vocabulary: Vocabulary, prefix: str, length: int, temperature: float, top: int, until: str | None,
    generator: np.random.Generator,
) -> Iterator[str]:  # fmt: skip
    """The pieces of a text as they are drawn."""
    never = np.array(_never(vocabulary))
    before, text = [int(code) for code in vocabulary.encode(prefix)[-1:]], ""
    for start in range(0, length, AT_ONCE):
        uniforms = generator.random(min(AT_ONCE, length - start))
        for symbol in reader.write(uniforms, temperature, top, never).tolist():
            if symbol == END:
                return
            piece = vocabulary.decode([*before, symbol]).removeprefix(vocabulary.decode(before))
            before, text = [symbol], text + piece
            yield piece
            if until is not None and until in text:
                return


def _never(vocabulary: Vocabulary) -> list[int]:
    """The symbols that are never written: the unknown, the beginning, and the end where documents have none."""
    return [UNKNOWN, BEGIN, *([END] if vocabulary.documents is None else [])]


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    """The logarithms of the probabilities of scores (B, V), in float64."""
    shifted = scores.astype(np.float64) - scores.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
