"""Inputs that are symbols: their checks, and the part of a network that turns them into vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reservoir.gradient.cells.base import Shape
from reservoir.kernels.symbols import add_to_rows
from reservoir.validation import DataError

MOST_SYMBOLS = 2**20


def check_symbols(values: np.ndarray, count: int) -> None:
    """Raise `DataError` unless all values are integers in [0, count - 1]."""
    wrong = (values < 0) | (values >= count) | (values != np.floor(values))
    if wrong.any():
        raise DataError(f"inputs: symbols must be integers in [0, {count - 1}]. Got {values[wrong][0]:g} instead.")


def count_symbols(sequences: list[np.ndarray]) -> int:
    """One more than the largest symbol of sequences (T, 1). Raises `DataError` for what cannot be symbols."""
    if (width := sequences[0].shape[1]) != 1:
        raise DataError(f"inputs: symbols are one column of numbers 0, 1, ...; {width} columns were given.")
    for u in sequences:
        check_symbols(u, MOST_SYMBOLS)
    return int(max(u.max() for u in sequences)) + 1


@dataclass(frozen=True)
class Symbols:
    """Symbols 0 ... n - 1, given as numbers in one column, as vectors: rows of a matrix that is learned, or one-hot.

    One-hot vectors are never made: the layer above reads the symbols themselves.
    """

    count: int
    size: int | None
    """Length of the learned vectors; None for one-hot ones."""

    @property
    def n_outputs(self) -> int:
        """Features of the output."""
        return self.count if self.size is None else self.size

    def shapes(self) -> dict[str, Shape]:
        """Names and shapes of the weights."""
        return {} if self.size is None else {"symbols": (self.count, self.size)}

    def forward(self, arrays: Mapping[str, np.ndarray], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vectors (T, B, size), or integers (T, B, 1) for one-hot ones, and codes (T, B) for symbols (T, B, 1).

        Raises `DataError` for a symbol that is not known.
        """
        symbols = x[:, :, 0]
        check_symbols(symbols, self.count)
        codes = symbols.astype(np.int64)
        return (codes[:, :, None] if self.size is None else arrays["symbols"][codes]), codes

    def backward(self, codes: Any, gradient: np.ndarray, gradients: Mapping[str, np.ndarray], add: bool = False) -> None:
        """Write the gradient of the matrix, or `add` it."""
        if self.size is not None:
            if not add:
                gradients["symbols"][:] = 0
            add_to_rows(gradient.reshape(-1, self.size), codes.reshape(-1, 1), gradients["symbols"])
