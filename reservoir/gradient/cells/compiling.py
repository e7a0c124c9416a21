"""The decorator of the cells' kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

from reservoir.kernels.jit import FASTMATH


def jit(function: Callable[..., Any]) -> Any:
    """Like `reservoir.kernels.jit.jit`, without reference counts: a slice costs nothing, and what allocates does not compile."""
    without_counts: dict[str, Any] = {"_nrt": False}
    return numba.njit(cache=True, error_model="numpy", fastmath=FASTMATH, nogil=True, **without_counts)(function)
