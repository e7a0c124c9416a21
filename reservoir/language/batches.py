"""From documents of symbols to what a network is trained on: streams that run side by side, and pieces for watching."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from reservoir.gradient.batches import Examples
from reservoir.validation import DataError


def streams(documents: list[np.ndarray], count: int, most: float = math.inf) -> list[np.ndarray]:
    """Cut documents of symbols (T,) into streams that run side by side, about `count` of them if the documents are long.

    A document that is longer than its share, or than `most` symbols to predict, is cut into streams of equal length, or
    nearly. A stream begins with the symbol that the stream before it ends with, since a network reads it there and predicts
    it here.

    Raises `DataError` where there are fewer symbols to predict than streams.

    >>> [stream.tolist() for stream in streams([np.arange(8), np.arange(3)], 3)]
    [[0, 1, 2, 3], [3, 4, 5], [5, 6, 7], [0, 1, 2]]
    """
    total = sum(len(document) - 1 for document in documents)
    if total < count:
        raise DataError(
            f"text: has {total} symbols, which do not fill a batch of {count} sequences; give a longer text, or lower batch_size."
        )
    longest = min(math.ceil(total / count), most)
    found = []
    for document in documents:
        parts = np.array_split(np.arange(len(document) - 1), max(math.ceil((len(document) - 1) / longest), 1))
        found += [document[part[0] : part[-1] + 2] for part in parts if len(part)]
    return found


def pieces(documents: list[np.ndarray], length: int) -> list[np.ndarray]:
    """Cut documents into streams of at most `length` symbols to predict.

    >>> [piece.tolist() for piece in pieces([np.arange(6)], 3)]
    [[0, 1, 2, 3], [3, 4, 5]]
    """
    return [d[start : start + length + 1] for d in documents for start in range(0, len(d) - 1, length)]


def blocks(sequences: list[np.ndarray], length: int) -> Iterator[tuple[int, list[np.ndarray]]]:
    """Yield the streams side by side, `length` symbols to predict at a time: where the block starts, and its parts.

    The longest stream comes first; those that have ended are left out.

    >>> [(start, [part.tolist() for part in parts]) for start, parts in blocks([np.arange(4), np.arange(2)], 2)]
    [(0, [[0, 1, 2], [0, 1]]), (2, [[2, 3]])]
    """
    for start in range(0, len(sequences[0]) - 1, length):
        yield start, [sequence[start : start + length + 1] for sequence in sequences if len(sequence) - 1 > start]


def examples(sequences: list[np.ndarray], dtype: str) -> Examples:
    """Give streams of symbols as examples whose target at every step is the next symbol."""
    inputs = [np.ascontiguousarray(s[:-1, None], dtype) for s in sequences]
    targets = [np.ascontiguousarray(s[1:, None], dtype) for s in sequences]
    return Examples(inputs, targets, 0, True)
