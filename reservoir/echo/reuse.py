"""Networks that are fitted one after the other share what they have in common: weights, states, and sums of products.

Networks that differ only in their readout have the same states. Inside `reusing` the latest of each kind are kept:

    with reusing():
        for ridge in ridges:
            ESN(readout=Ridge(ridge), random_state=0).fit(inputs, targets)  # one drive, one Gram matrix

The results are those of networks fitted alone, to the bit. Data are the same if they are the same objects.
"""

from __future__ import annotations

import hashlib
import numbers
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp

T = TypeVar("T")
MOST_BYTES = 2**28
"""Larger features are computed again rather than kept."""

_kept: ContextVar[dict[str, tuple[Hashable, tuple[Any, ...], Any]] | None] = ContextVar("kept", default=None)


@contextmanager
def reusing() -> Iterator[None]:
    """Keep the latest result of each kind until the end of the block."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def reused(
    kind: str, key: Hashable, sources: tuple[Any, ...], make: Callable[[], T], hold: Callable[[T], T] = lambda made: made
) -> T:
    """Return `make()`, or, inside `reusing`, its latest result of this kind if key and sources are those of that call.

    Keys are compared by their values, sources as objects. Inside `reusing`, `hold` turns a result into one that can be kept.
    """
    kept = _kept.get()
    if kept is None:
        return make()
    known = kept.get(kind)
    if known is None or known[0] != key or list(map(id, known[1])) != list(map(id, sources)):
        kept.pop(kind, None)  # before anything is made: not two at a time
        known = kept[kind] = (key, sources, hold(make()))
    found: T = known[2]
    return found


def hashable(value: Any) -> Hashable:
    """A hashable value that is equal for equal values of a parameter; for a matrix it holds a digest of the numbers."""
    if sp.issparse(value):
        matrix = sp.csr_array(value)
        return ("sparse", matrix.shape, *map(hashable, (matrix.data, matrix.indices, matrix.indptr)))
    if isinstance(value, np.ndarray) and value.dtype != object:
        return "array", value.shape, value.dtype.str, hashlib.sha256(value.tobytes()).digest()
    if isinstance(value, Mapping):
        return tuple(sorted((name, hashable(part)) for name, part in value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(map(hashable, value))
    return value if value is None or isinstance(value, (str, numbers.Number)) else object()  # equal to nothing else
