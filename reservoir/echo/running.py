"""Which kernel runs the sequences, and on how many threads. The bits are the same, whatever the choice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from reservoir.base.threads import split_work, thread_count
from reservoir.kernels.drive import ReservoirWeights, drive, scratch_for
from reservoir.kernels.emitters import width
from reservoir.kernels.jit import COMPILES
from reservoir.kernels.lanes import LaneWeights, drive_lanes, lane_scratch
from reservoir.kernels.matvec import BLOCK
from reservoir.kernels.together import drive_units

SHARED_UNITS = 16 * BLOCK
"""A sequence is shared by threads if each gets so many units: the threads wait for each other at every step."""


def run(
    weights: ReservoirWeights,
    lanes: Callable[[], LaneWeights],
    inputs: np.ndarray,
    noise: np.ndarray,
    offsets: np.ndarray,
    states: np.ndarray,
    out: np.ndarray,
    column: int,
) -> None:
    """Drive S sequences as `reservoir.kernels.drive.drive` does, in parallel threads.

    Many sequences run side by side, in the lanes of vectors, from half as many per thread as there are lanes: one at a
    time takes longer then. `lanes` gives the weights for that.
    """
    threads = min(thread_count(), weights.bias.size // SHARED_UNITS)
    if len(states) == 1 and threads > 1 and COMPILES:
        share(weights, inputs, noise, states, out, column, threads)
        return

    def work(first: int, last: int) -> None:
        some = (inputs, noise, offsets[first : last + 1], states[first:last], out, column)
        if last - first >= width(out.itemsize) // 2:
            count = 0 if inputs.dtype.kind == "i" else inputs.shape[1]
            drive_lanes(weights, lanes(), *some, lane_scratch(weights, count))
        else:
            drive(weights, *some, scratch_for(weights))

    split_work(work, len(states))


def share(
    weights: ReservoirWeights,
    inputs: np.ndarray,
    noise: np.ndarray,
    states: np.ndarray,
    out: np.ndarray,
    column: int,
    threads: int,
) -> None:
    """Drive one sequence, every thread computing its own blocks of units."""
    scratch, arrived, units = scratch_for(weights), np.zeros(1, np.int64), weights.bias.size
    scratch.old[: 2 * units] = np.tile(states[0], 2)
    blocks = -(-units // BLOCK)
    borders = [min(BLOCK * (blocks * k // threads), units) for k in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        parts = [
            pool.submit(
                drive_units,
                weights,
                inputs,
                noise,
                out,
                column,
                first,
                last,
                threads,
                arrived,
                scratch._replace(sums=np.zeros_like(scratch.sums)),
            )
            for first, last in pairwise(borders)
        ]
        for part in parts:
            part.result()
    states[0] = (scratch.new if len(inputs) % 2 else scratch.old)[:units]
