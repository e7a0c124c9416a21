"""What the machine can do at best, in the run that measures the library: multiply-adds, products, tanh and copies.

A row's floor is the time that its work would take at these rates if nothing else were in the way.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
from speed_timing import least
from threadpoolctl import threadpool_limits

from reservoir.kernels.activations import TANH, activate
from reservoir.kernels.emitters import wide_vectors
from reservoir.kernels.matvec import aligned

Rates = dict[str, float]
REPEATS = 200_000
CHAINS = 128  # of multiply-adds that depend on each other, in 8 or 16 vector registers
SMALL, LARGE = 13, 128
"""Megabytes read and written by a step of about 100,000 and 1,000,000 units."""


@numba.njit(fastmath={"contract"}, nogil=True)
def multiply_adds(sums: np.ndarray, repeats: int) -> None:
    wide_vectors()
    factor, term = sums.dtype.type(0.999), sums.dtype.type(0.001)
    for _ in range(repeats):
        for k in range(CHAINS):
            sums[k] = sums[k] * factor + term


@numba.njit(nogil=True)
def activations(values: np.ndarray, repeats: int) -> None:
    wide_vectors()
    for _ in range(repeats):
        activate(TANH, values)


def on_threads(work: Callable[[Any], object], parts: list[Any]) -> Callable[[], object]:
    """Return a function that works on every part, each in a thread."""
    if len(parts) == 1:
        return lambda: work(parts[0])
    pool = ThreadPoolExecutor(len(parts))
    return lambda: list(pool.map(work, parts))


def product(dtype: type, threads: int) -> Callable[[], object]:
    """Return a large BLAS product."""
    a, b = (np.random.default_rng(k).normal(size=(1024, 1024)).astype(dtype) for k in (0, 1))
    c = np.empty_like(a)

    def multiply() -> None:
        with threadpool_limits(threads, "blas"):
            np.dot(a, b, out=c)

    return multiply


def copies(megabytes: int, threads: int) -> Callable[[], object]:
    """Return a copy that reads and writes so many megabytes in all."""
    half = megabytes * 10**6 // 16 // threads
    pairs = [(np.zeros(half), np.ones(half)) for _ in range(threads)]
    return on_threads(lambda pair: np.copyto(*pair), pairs)


def rates(threads: int) -> Rates:
    """Return operations per second: flops of products and multiply-adds, values of tanh, bytes of copies."""
    chains = {size: [aligned(np.ones(CHAINS, f"float{size}")) for _ in range(threads)] for size in (32, 64)}
    values = [aligned(np.linspace(-2.0, 2.0, 1000)) for _ in range(threads)]
    work = {
        "gemm64": (2 * 1024**3, product(np.float64, threads)),
        "gemm32": (2 * 1024**3, product(np.float32, threads)),
        **{
            f"fma{size}": (2 * CHAINS * REPEATS * threads, on_threads(lambda sums: multiply_adds(sums, REPEATS), chains[size]))
            for size in (32, 64)
        },
        "tanh64": (1000 * 1000 * threads, on_threads(lambda array: activations(array, 1000), values)),
        "copy_small": (SMALL * 10**6, copies(SMALL, threads)),
        "copy_large": (LARGE * 10**6, copies(LARGE, threads)),
    }
    times = {name: least({name: function}, 1.0)[name] for name, (_, function) in work.items()}
    return {name: work[name][0] / times[name]["cpu" if threads == 1 else "wall"] for name in work}


if __name__ == "__main__":
    for threads in (1, 2):
        print(threads, {name: f"{rate / 1e9:.2f}" for name, rate in rates(threads).items()})
