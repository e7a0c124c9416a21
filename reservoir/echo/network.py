"""A reservoir with a fitted readout, in open and in closed loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from reservoir.base.known import Known
from reservoir.base.memory import check_memory
from reservoir.base.targets import shifted
from reservoir.base.threads import split_work
from reservoir.echo.features import FeatureBlock, Layout, pooled, stream
from reservoir.echo.readouts.base import Readout
from reservoir.echo.reservoir import Reservoir
from reservoir.echo.reuse import MOST_BYTES, reused
from reservoir.kernels.drive import scratch_for
from reservoir.kernels.freerun import ReadoutWeights, freerun, read_rows
from reservoir.validation import DivergenceError

Many = list[np.ndarray]


def states(reservoir: Reservoir, inputs: Sequence[np.ndarray]) -> Many:
    """The states (T, N) along each sequence of inputs, fed-back outputs stacked beside them, (T, I + O).

    Raises `MemoryError`, with the number of steps that would fit, where they need more memory than there is.
    """
    segments, total = [(s, 0, len(u)) for s, u in enumerate(inputs)], sum(map(len, inputs))
    row = float(reservoir.units * reservoir.dtype.itemsize)
    check_memory(f"Keeping the states of {total:,} steps", lambda steps: {"states": row * steps}, total, "steps")
    out = np.empty((total, reservoir.units), reservoir.dtype)
    start = np.tile(reservoir.initial_state, (len(inputs), 1))
    reservoir.run(np.concatenate(inputs), segments, start, out, several=len(inputs) > 1)
    return np.split(out, np.cumsum([len(u) for u in inputs])[:-1])


@dataclass(frozen=True)
class FittedNetwork:
    """A reservoir, the features that its readout sees, the readout, and the limit beyond which an output has diverged."""

    reservoir: Reservoir
    layout: Layout
    readout: Readout
    limit: float

    def outputs(self, inputs: Sequence[np.ndarray], starts: np.ndarray | None = None) -> Many:
        """Open loop: the outputs (T, O) along each input sequence (T, I).

        The states before them are `starts` (S, N), which are overwritten with the final ones, or the reservoir's initial state.
        """
        results = [np.empty((len(u), self.layout.n_outputs)) for u in inputs]
        source = self._features(inputs) if starts is None else stream(self.reservoir, self.layout, inputs, None, starts)
        for segments, rows, states in source:
            outputs = self._row_outputs(rows)
            for (s, start, stop), state in zip(segments, states, strict=True):
                results[s][start:stop] = outputs[: stop - start]
                outputs = outputs[stop - start :]
                if starts is not None and stop == len(inputs[s]):
                    starts[s] = state
        return results

    def _row_outputs(self, rows: np.ndarray) -> np.ndarray:
        """Outputs (R, O) for feature rows (R, F); those of a row do not depend on the others, as they do with BLAS."""
        if not self.readout.linear:
            return self.readout.outputs(rows)
        starts = np.array([self.layout.columns(part).start for part in ("input", "output", "square", "state")])
        outputs, work = np.empty((len(rows), self.layout.n_outputs)), np.empty(self.layout.units)
        read_rows(self.readout_weights(np.dtype(float)), starts, np.ascontiguousarray(rows), work, outputs)
        return outputs

    def readout_weights(self, dtype: np.dtype) -> ReadoutWeights:
        """The weights of a linear readout as the kernels read them."""
        coefficients, parts = self.readout.coefficients_, ("bias", "input", "state", "square", "output")
        return ReadoutWeights(*(np.ascontiguousarray(coefficients[:, self.layout.columns(part)], dtype) for part in parts))

    def pooled_outputs(self, inputs: Sequence[np.ndarray], washout: int, pooling: str) -> np.ndarray:
        """One output per sequence, (S, O): of the "last" features, of their "mean", or "every" step's, averaged."""
        if pooling == "every":
            return np.stack([y[washout:].mean(axis=0) for y in self.outputs(inputs)])
        lengths = [len(u) for u in inputs]
        return self.readout.outputs(pooled(self._features(inputs), lengths, washout, pooling, self.layout))

    def _features(self, inputs: Sequence[np.ndarray]) -> Iterable[FeatureBlock]:
        """The features along sequences, block by block; inside `reusing` they are kept, unless they are large."""
        source = stream(self.reservoir, self.layout, inputs)
        if 8 * sum(map(len, inputs)) * self.layout.width > MOST_BYTES:
            return source
        return reused("features", self.layout, (self.reservoir, *inputs), lambda: source, list)

    def self_fed_outputs(self, inputs: Sequence[np.ndarray]) -> Many:
        """With output feedback: the outputs (T, O) along each input sequence, where each output is fed back at the next step."""
        results = []
        for s, u in enumerate(inputs):
            start = self.reservoir.initial_state[None].copy()
            last = np.zeros((1, self.layout.n_outputs), self.reservoir.dtype)
            results.append(self.closed_loop(start, last, len(u), u[None], first_sequence=s)[0])
        return results

    def forecast(self, histories: Sequence[np.ndarray], steps: int, known: Known | None) -> Many:
        """Continue each history (T, O) by the network's own forecasts (steps, O).

        A network with inputs, none of them known, reads the history as its input, and its output after the last step is the
        first forecast. Another network reads the history as its past outputs.
        """
        has_inputs = self.layout.n_inputs > 0 and known is None
        inputs = known.past if known else histories if has_inputs else [np.empty((len(y), 0)) for y in histories]
        if self.reservoir.feedback_weights.shape[1] > 0:
            # The output that belongs to an input is the next value, so that y(t-1) is the input itself.
            past = [np.concatenate([np.zeros_like(y[:1]), y[1:]]) if has_inputs else shifted(y) for y in histories]
            source: Iterable[FeatureBlock] = stream(self.reservoir, self.layout, inputs, past)
        else:
            source = self._features(inputs)
        states = np.empty((len(histories), self.reservoir.units), self.reservoir.dtype)
        first = np.empty((len(histories), self.layout.n_outputs), self.reservoir.dtype)
        for block in source:
            row = -1
            for (s, start, stop), state in zip(block.segments, block.states, strict=True):
                row += stop - start
                if stop == len(histories[s]):
                    first[s], states[s] = self.readout.outputs(block.rows[row : row + 1])[0], state
        if not has_inputs:
            last = np.array([y[-1] for y in histories], self.reservoir.dtype)
            return list(self._continued(states, last, steps, known))
        inside = (np.abs(first) <= self.limit).all(axis=1)
        if not inside.all():
            raise self.diverged(0, int(np.argmin(inside)))
        rest = self.closed_loop(states, first.copy(), steps - 1, first_step=1)
        return list(np.concatenate([first[:, None, :], rest], axis=1))

    def _continued(self, states: np.ndarray, last: np.ndarray, steps: int, known: Known | None) -> np.ndarray:
        """Run a closed loop with the known inputs, if there are any; step by step where a function computes them."""
        if known is None:
            return self.closed_loop(states, last, steps)
        if isinstance(known.future, list):
            return self.closed_loop(states, last, steps, np.stack(known.future))
        outputs = np.empty((len(last), steps, self.layout.n_outputs), self.reservoir.dtype)
        for t in range(steps):
            inputs = np.stack([known.row(s, t, y) for s, y in enumerate(last)])
            outputs[:, t] = self.closed_loop(states, last, 1, inputs[:, None], first_step=t)[:, 0]
        return outputs

    def closed_loop(
        self, start: np.ndarray, last: np.ndarray, steps: int, inputs: np.ndarray | None = None,
        first_sequence: int = 0, first_step: int = 0,
    ) -> np.ndarray:  # fmt: skip
        """Run S networks for `steps` steps on their own outputs, in parallel threads: outputs (S, steps, O).

        The states `start` (S, N) and the `last` outputs (S, O) are overwritten with the final ones. Without `inputs`
        (S, steps, I) the outputs are the inputs. Raises `DivergenceError` if an output leaves the limit; its text counts
        sequences and steps from `first_sequence` and `first_step`.
        """
        dtype, n_inputs = self.reservoir.dtype, self.layout.n_inputs
        outputs = np.zeros((len(start), steps, self.layout.n_outputs), dtype)
        given = np.empty((len(start), 0, n_inputs), dtype) if inputs is None else np.ascontiguousarray(inputs, dtype)
        run = self._run_linear if self.readout.linear else self._run_steps
        completed = run(given, start, last, outputs)
        if (completed < steps).any():
            s = int(np.argmax(completed < steps))
            raise self.diverged(first_step + int(completed[s]), first_sequence + s)
        return outputs

    def _run_linear(self, given: np.ndarray, start: np.ndarray, last: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Fill `outputs` (S, T, O) in compiled code; return the number of steps (S,) before an output leaves the limit."""
        readout = self.readout_weights(self.reservoir.dtype)
        weights, completed = self.reservoir.weights, np.empty(len(start), dtype=np.int64)

        def work(first: int, end: int) -> None:
            some = slice(first, end)
            freerun(
                weights, readout, self.layout.n_inputs,
                given[some], start[some], last[some], self.limit, outputs[some], completed[some], scratch_for(weights),
            )  # fmt: skip

        split_work(work, len(start))
        return completed

    def _run_steps(self, given: np.ndarray, start: np.ndarray, last: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """The same, by calling the readout at every step; all sequences end with the first that leaves the limit."""
        sequences, steps, _ = outputs.shape
        completed = np.full(sequences, steps)
        fed_back = self.reservoir.feedback_weights.shape[1] > 0
        for t in range(steps):
            u = given[:, t] if given.shape[1] > 0 else last[:, : self.layout.n_inputs]
            source = stream(self.reservoir, self.layout, list(u[:, None]), list(last[:, None]) if fed_back else None, start)
            for segments, rows, states in source:
                numbers = [s for s, _, _ in segments]
                last[numbers], start[numbers] = self.readout.outputs(rows), states
            outputs[:, t] = last
            inside = (np.abs(last) <= self.limit).all(axis=1)
            if not inside.all():
                completed[~inside] = t
                break
        return completed

    def diverged(self, step: int, sequence: int) -> DivergenceError:
        """The error for an output beyond the limit."""
        return DivergenceError(
            f"The closed loop diverged at step {step} of sequence {sequence}: its output left"
            f" +-{self.limit:.3g}, far beyond the data; raise ridge or noise, or lower spectral_radius."
        )
