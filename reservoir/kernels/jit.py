"""The one Numba decorator, with the one fast-math policy.

`contract` lets a product and a sum become one fused multiply-add. Nothing else is relaxed: `reassoc` would cancel the
rounding trick of the exponential and make sums depend on the vector width, `nnan` and `ninf` would hide NaN and
infinity, `nsz` would lose the sign of zero. Loops vectorize all the same, because kernels are written so that the
innermost loop runs over independent elements. `error_model="numpy"` drops the branch that every division
otherwise has. The GIL is released, so that plain threads run kernels side by side.
"""

from collections.abc import Callable
from typing import Any

import numba
from numba.extending import intrinsic

from reservoir.kernels.cache import keep_apart

FASTMATH = {"contract"}
COMPILES = not vars(numba.config)["DISABLE_JIT"]


def jit(function: Callable[..., Any], **options: Any) -> Any:
    """Compile `function` in nopython mode, cached on disk, with the library's one set of options."""
    compiled = numba.njit(cache=True, error_model="numpy", fastmath=FASTMATH, nogil=True, **options)(function)
    return keep_apart(compiled)


def uncounted(function: Callable[..., Any]) -> Any:
    """Like `jit`, without reference counts: slices cost nothing, and what allocates or returns an array does not compile."""
    return jit(function, _nrt=False)


def woven(function: Callable[..., Any]) -> Any:
    """Like `uncounted`, for parts of a step: their code becomes part of the kernel that calls them.

    A call would pass every array of the weights on the stack, which takes longer than a step of a small reservoir.
    """
    return jit(function, _nrt=False, inline="always")


def emitted(function: Callable[..., Any]) -> Any:
    """Let kernels call `function`, which writes the LLVM instructions itself (see `numba.extending.intrinsic`)."""
    return intrinsic(function)


def inline(function: Callable[..., Any]) -> Any:
    """Like `jit`, for scalar helpers that only make sense inside another kernel's loop."""
    return jit(function, inline="always")
