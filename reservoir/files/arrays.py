"""Arrays as bytes, for a database: NumPy's npz, which never runs code when it is read."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from zipfile import BadZipFile

import numpy as np

WHOLE = "whole"
"""The name of an array that is no part of a list."""


def packed(value: Any) -> bytes | None:
    """Return an array, or a list of arrays, as bytes; None for anything else, as for arrays of Python objects."""
    parts = {str(k): part for k, part in enumerate(value)} if isinstance(value, (list, tuple)) else {WHOLE: value}
    if not all(isinstance(part, np.ndarray) and not part.dtype.hasobject for part in parts.values()):
        return None
    buffer = BytesIO()
    np.savez(buffer, **parts)
    return buffer.getvalue()


def unpacked(data: bytes) -> np.ndarray | list[np.ndarray]:
    """Return what `packed` made bytes of. Raises ValueError for damaged bytes."""
    try:
        with np.load(BytesIO(data), allow_pickle=False) as parts:
            return parts[WHOLE] if WHOLE in parts else [parts[name] for name in parts.files]
    except (BadZipFile, EOFError) as error:
        raise ValueError(f"arrays are damaged: {error}") from None
