"""What the readout sees: the feature rows of sequences, streamed in blocks that fit the cache."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from reservoir.base.progress import advance
from reservoir.base.targets import Targets
from reservoir.echo.readouts.least_squares import Block, Blocks
from reservoir.echo.reservoir import Reservoir, Segment

PARTS = ("bias", "input", "output", "square", "state")
BLOCK_BYTES = 2**23

SIDE_BY_SIDE = 128
"""Sequences in a block where there are many: they fill the lanes of the vectors in several threads."""
FEWEST = 32
"""From so many sequences on, they run side by side, in blocks of this many steps at least."""


class FeatureBlock(NamedTuple):
    """The features of some segments, end to end."""

    segments: list[Segment]
    rows: np.ndarray  # (rows of all segments, F)
    states: np.ndarray  # (n_segments, N): the state of the reservoir after each


@dataclass(frozen=True)
class Layout:
    """The columns of a feature row: of 1, u(t), y(t-1), x(t)^2 and x(t) those that `parts` names, in this order."""

    parts: frozenset[str]
    n_inputs: int
    n_outputs: int
    units: int

    def columns(self, part: str) -> slice:
        """The columns of a part; an empty slice for one that is left out."""
        sizes = dict(zip(PARTS, (1, self.n_inputs, self.n_outputs, self.units, self.units), strict=True))
        start = sum(sizes[name] for name in PARTS[: PARTS.index(part)] if name in self.parts)
        return slice(start, start + sizes[part] * (part in self.parts))

    @property
    def width(self) -> int:
        """The number of features."""
        return self.columns(PARTS[-1]).stop


def block_rows(width: int) -> int:
    """The number of rows in a block of features: 8 MB, which stay in the cache and keep BLAS busy, but at least 512 rows."""
    return max(512, BLOCK_BYTES // (8 * width))


def cut(lengths: Sequence[int], rows: int) -> Iterator[list[Segment]]:
    """Cut sequences, one after the other, into blocks of `rows` rows; only the last may be shorter.

    >>> list(cut([2, 3], rows=4))
    [[(0, 0, 2), (1, 0, 2)], [(1, 2, 3)]]
    """
    starts = [0, *itertools.accumulate(lengths)]
    for first in range(0, starts[-1], rows):
        last = min(first + rows, starts[-1])
        numbers = range(bisect.bisect(starts, first) - 1, bisect.bisect_left(starts, last))
        yield [(s, max(first - starts[s], 0), min(last - starts[s], lengths[s])) for s in numbers]


def cut_side_by_side(lengths: Sequence[int], rows: int) -> Iterator[list[Segment]]:
    """Cut many sequences into blocks that hold the same steps of `SIDE_BY_SIDE` of them, `rows` rows at most.

    The blocks do not depend on the number of threads, nor do the sums over them.
    """
    for first in range(0, len(lengths), SIDE_BY_SIDE):
        group = range(first, min(first + SIDE_BY_SIDE, len(lengths)))
        steps = max(rows // len(group), 1)
        for start in range(0, max(lengths[s] for s in group), steps):
            yield [(s, start, min(start + steps, lengths[s])) for s in group if start < lengths[s]]


def blocks_of(lengths: Sequence[int], width: int) -> Iterator[list[Segment]]:
    """Cut sequences into the blocks in which their features, `width` columns, are computed."""
    if len(lengths) < FEWEST:
        return cut(lengths, block_rows(width))
    return cut_side_by_side(lengths, max(block_rows(width), FEWEST * SIDE_BY_SIDE))


def gather(arrays: Sequence[np.ndarray], segments: list[Segment]) -> np.ndarray:
    """The rows of some segments, end to end; a view where it is one segment."""
    parts = [arrays[s][start:stop] for s, start, stop in segments]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def stream(
    reservoir: Reservoir, layout: Layout, inputs: Sequence[np.ndarray], last_outputs: Sequence[np.ndarray] | None = None,
    starts: np.ndarray | None = None, noise: tuple[float, np.random.Generator] | None = None,
) -> Iterator[FeatureBlock]:  # fmt: skip
    """Run S sequences through a reservoir and yield their features block by block.

    Parameters
    ----------
    inputs : (T, I) for each sequence
    last_outputs : (T, O) for each, the outputs y(t-1), where the reservoir or the readout reads them
    starts : (S, N), the states before the sequences; the reservoir's initial state unless given
    noise : its standard deviation and its generator
    """
    lengths, units = [len(u) for u in inputs], reservoir.units
    first = layout.columns("state").start  # the last part, so that the states fit in even where the layout leaves them out
    begun = reservoir.initial_state if starts is None else starts
    limit = reservoir.state_limit(inputs, *([] if last_outputs is None else [last_outputs]), starts=begun)
    done, total = 0, sum(lengths)
    carried: dict[int, np.ndarray] = {}  # the states of sequences that continue in the next block
    for segments in blocks_of(lengths, first + units):
        numbers = [s for s, _, _ in segments]
        states = np.tile(reservoir.initial_state, (len(numbers), 1)) if starts is None else starts[numbers]
        for number, s in enumerate(numbers):
            states[number] = carried.get(s, states[number])
        fed = gather(inputs, segments)
        block = np.empty((len(fed), first + units), reservoir.dtype)
        block[:, layout.columns("bias")] = 1.0
        if "input" in layout.parts:
            block[:, layout.columns("input")] = fed
        if last_outputs is not None:
            last = gather(last_outputs, segments)
            if "output" in layout.parts:
                block[:, layout.columns("output")] = last
            fed = np.concatenate([fed, last], axis=1)
        shaken = None if noise is None else noise[0] * noise[1].standard_normal((len(fed), units))
        reservoir.run(fed, segments, states, block, first, shaken, limit, several=len(lengths) > 1)
        if "square" in layout.parts:
            np.square(block[:, first:], out=block[:, layout.columns("square")])
        carried = {s: state for (s, _, stop), state in zip(segments, states, strict=True) if stop < lengths[s]}
        yield FeatureBlock(segments, block[:, : layout.width], states)
        done += len(fed)
        if len(fed) < total:  # a single block is over at once
            advance(done, total)


def per_step(source: Callable[[], Iterator[FeatureBlock]], targets: Sequence[np.ndarray], washout: int, layout: Layout) -> Blocks:
    """Blocks for targets (T, O) per step of each sequence, without the first `washout` rows of each."""

    def make() -> Iterator[Block]:
        for segments, rows, states in source():
            if segments[-1][0] == len(targets) - 1:
                blocks.last_state = states[-1]
            kept = [(s, max(start, washout), stop) for s, start, stop in segments if stop > washout]
            if kept != segments:
                step = np.concatenate([np.arange(start, stop) for _, start, stop in segments])
                rows = rows[np.argmax(step >= washout) :] if len(segments) == 1 else rows[step >= washout]
            if kept:
                yield rows, gather(targets, kept)

    blocks = Blocks(
        make, sum(max(len(y) - washout, 0) for y in targets), layout.width, targets[0].shape[1], "bias" in layout.parts
    )
    return blocks


def pooled(source: Iterable[FeatureBlock], lengths: Sequence[int], washout: int, pooling: str, layout: Layout) -> np.ndarray:
    """One feature row per sequence, (S, F): its last row, or the mean of those after the washout."""
    result = np.zeros((len(lengths), layout.width))
    for segments, rows, _ in source:
        for s, start, stop in segments:
            part, rows = rows[: stop - start], rows[stop - start :]
            if pooling == "last":
                result[s] = part[-1]
            else:
                result[s] += part[max(washout - start, 0) :].sum(axis=0) / (lengths[s] - washout)
    return result


def training_blocks(
    source: Callable[[], Iterator[FeatureBlock]], inputs: Sequence[np.ndarray], read: Targets, washout: int, pooling: str,
    layout: Layout,
) -> Blocks:  # fmt: skip
    """Blocks for the targets of input sequences: a row for each step, or for each sequence one that `pooling` makes."""
    if read.per_step:
        return per_step(source, read.values, washout, layout)
    if pooling == "every":
        repeated = [np.broadcast_to(y, (len(u), len(y))) for u, y in zip(inputs, read.values, strict=True)]
        return per_step(source, repeated, washout, layout)
    rows = pooled(source(), [len(u) for u in inputs], washout, pooling, layout)
    return Blocks.of(rows, np.stack(read.values), "bias" in layout.parts)
