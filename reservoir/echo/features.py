"""What the readout sees: the feature rows of sequences, streamed in blocks that fit the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reservoir.echo.readouts.least_squares import Block, Blocks
from reservoir.echo.reservoir import Reservoir

PARTS = ("bias", "input", "output", "square", "state")
BLOCK_BYTES = 2**23

Segment = tuple[int, int, int]
"""Number of a sequence, first row, last row + 1."""


@dataclass(frozen=True)
class Layout:
    """The columns of a feature row: 1, u(t), y(t-1), x(t)^2 and x(t), as far as `parts` names them."""

    parts: frozenset[str]
    n_inputs: int
    n_outputs: int
    units: int

    def columns(self, part: str) -> slice:
        """The columns of a part; an empty slice for one that is left out."""
        start = sum(self._width(name) for name in PARTS[: PARTS.index(part)])
        return slice(start, start + self._width(part))

    @property
    def width(self) -> int:
        """The number of features."""
        return sum(self._width(part) for part in PARTS)

    def _width(self, part: str) -> int:
        sizes = {"bias": 1, "input": self.n_inputs, "output": self.n_outputs, "square": self.units, "state": self.units}
        return sizes[part] if part in self.parts else 0


@dataclass(frozen=True)
class Sequences:
    """The inputs of S sequences, and the outputs y(t-1) that they are given at each step, where anything reads them."""

    inputs: Sequence[np.ndarray]  # (T, I) each
    last_outputs: Sequence[np.ndarray] | None = None  # (T, O) each
    start: np.ndarray | None = None  # (S, N), the states before the sequences, if they are not the initial one

    @property
    def lengths(self) -> list[int]:
        """The length of each sequence."""
        return [len(u) for u in self.inputs]


def block_rows(width: int) -> int:
    """How many rows of features to take at once: 8 MB, which stay in the cache and keep BLAS busy, but at least 256."""
    return max(256, BLOCK_BYTES // (8 * width))


def shifted(targets: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
    """y(t-1) for every t: the targets (T, O) one step later, what was `before` (O,) or else zeros first."""
    return np.concatenate([np.zeros_like(targets[:1]) if before is None else before[None], targets[:-1]])


def cut(lengths: Sequence[int], rows: int) -> Iterator[list[Segment]]:
    """Cut sequences, one after the other, into blocks of `rows` rows; only the last may be shorter.

    >>> list(cut([2, 3], rows=4))
    [[(0, 0, 2), (1, 0, 2)], [(1, 2, 3)]]
    """
    block: list[Segment] = []
    used = 0
    for sequence, length in enumerate(lengths):
        start = 0
        while start < length:
            stop = min(length, start + rows - used)
            block.append((sequence, start, stop))
            used += stop - start
            start = stop
            if used == rows:
                yield block
                block, used = [], 0
    if block:
        yield block


def gather(arrays: Sequence[np.ndarray], segments: list[Segment]) -> np.ndarray:
    """The rows of some segments, end to end; a view where it is one segment."""
    parts = [arrays[s][start:stop] for s, start, stop in segments]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def stream(
    reservoir: Reservoir,
    layout: Layout,
    sequences: Sequences,
    noise: tuple[float, np.random.Generator] | None = None,
    final_states: np.ndarray | None = None,
) -> Iterator[tuple[list[Segment], np.ndarray]]:
    """Run sequences through a reservoir and yield (segments, features (rows, F)) block by block.

    The features are overwritten by the next block. `noise` is a standard deviation and its generator; `final_states`
    (S, N) receives the state after each sequence.
    """
    dtype, units = reservoir.dtype, reservoir.units
    input_columns, output_columns, squares = (layout.columns(part) for part in ("input", "output", "square"))
    first = layout.columns("state").start  # the last part, so that the states fit in even where the layout leaves them out
    rows_at_once = min(block_rows(first + units), sum(sequences.lengths))
    buffer = np.ones((rows_at_once, first + units), dtype)
    carried = None  # the state of a sequence that goes on in the next block
    for segments in cut(sequences.lengths, rows_at_once):
        fed = gather(sequences.inputs, segments)
        rows = len(fed)
        if "input" in layout.parts:
            buffer[:rows, input_columns] = fed
        if sequences.last_outputs is not None:
            last = gather(sequences.last_outputs, segments)
            if "output" in layout.parts:
                buffer[:rows, output_columns] = last
            fed = np.concatenate([fed, last], axis=1)
        numbers = [s for s, _, _ in segments]
        states = np.tile(reservoir.initial_state, (len(numbers), 1)) if sequences.start is None else sequences.start[numbers]
        if carried is not None:
            states[0] = carried
        shaken = None if noise is None else noise[0] * noise[1].standard_normal((rows, units))
        lengths = [stop - start for _, start, stop in segments]
        first_sequence, first_step, _ = segments[0]
        named = first_sequence if len(sequences.lengths) > 1 else None
        reservoir.run(fed, lengths, states, buffer, first, shaken, first_step, named)
        carried = states[-1] if segments[-1][2] < sequences.lengths[segments[-1][0]] else None
        if "square" in layout.parts:
            np.square(buffer[:rows, first:], out=buffer[:rows, squares])
        if final_states is not None:
            final_states[numbers] = states
        yield segments, buffer[:rows, : layout.width]


def per_step(
    source: Callable[[], Iterator[tuple[list[Segment], np.ndarray]]],
    targets: Sequence[np.ndarray],
    washout: int,
    layout: Layout,
) -> Blocks:
    """Blocks for targets (T, O) per step of each sequence, the first `washout` rows of each left out."""

    def make() -> Iterator[Block]:
        for segments, rows in source():
            kept = [(s, max(start, washout), stop) for s, start, stop in segments if stop > washout]
            if not kept:
                continue
            if kept != segments:
                step = np.concatenate([np.arange(start, stop) for _, start, stop in segments])
                rows = rows[np.argmax(step >= washout) :] if len(segments) == 1 else rows[step >= washout]
            yield rows, gather(targets, kept)

    rows = sum(max(len(y) - washout, 0) for y in targets)
    return Blocks(make, rows, layout.width, targets[0].shape[1], "bias" in layout.parts)


def pooled(
    source: Iterable[tuple[list[Segment], np.ndarray]],
    lengths: Sequence[int],
    washout: int,
    pooling: str,
    layout: Layout,
) -> np.ndarray:
    """One feature row per sequence, (S, F): its last row, or the mean of those after the washout."""
    result = np.zeros((len(lengths), layout.width))
    for segments, rows in source:
        start_row = 0
        for s, start, stop in segments:
            part = rows[start_row : start_row + stop - start]
            start_row += stop - start
            if pooling == "last":
                result[s] = part[-1]
            else:
                result[s] += part[max(washout - start, 0) :].sum(axis=0) / (lengths[s] - washout)
    return result
