"""Networks that read their own outputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reservoir.echo.features import Layout, Sequences, shifted, stream
from reservoir.echo.reservoir import Reservoir
from reservoir.kernels.freerun import Readout, freerun
from reservoir.threads import split_work
from reservoir.validation import DivergenceError


def split_weights(coefficients: np.ndarray, layout: Layout, dtype: np.dtype) -> Readout:
    """Output weights (F, O) by what they read, as the kernel takes them."""
    parts = ("bias", "input", "state", "square", "output")
    return Readout(*(np.ascontiguousarray(coefficients[layout.columns(part)].T, dtype) for part in parts))


def closed_loop(
    reservoir: Reservoir,
    layout: Layout,
    coefficients: np.ndarray,
    limit: float,
    states: np.ndarray,
    last: np.ndarray,
    steps: int,
    inputs: np.ndarray | None = None,
) -> np.ndarray:
    """Run S networks for `steps` steps on their own outputs, in parallel threads: outputs (S, steps, O).

    `states` (S, N) and `last` outputs (S, O) are overwritten with the final ones. `inputs` (S, steps, I) are read where
    given; without them the outputs are the inputs. Raises `DivergenceError` where an output leaves +- limit.
    """
    n_outputs, dtype = coefficients.shape[1], reservoir.dtype
    outputs = np.zeros((len(states), steps, n_outputs), dtype)
    given = np.empty((len(states), 0, layout.n_inputs), dtype) if inputs is None else np.ascontiguousarray(inputs, dtype)
    readout = split_weights(coefficients, layout, dtype)
    completed = np.empty(len(states), dtype=np.int64)

    def work(first: int, end: int) -> None:
        part = slice(first, end)
        completed[part] = freerun(
            reservoir.network, readout, layout.n_inputs, given[part], states[part], last[part], limit, outputs[part]
        )

    split_work(work, len(states))
    if (completed < steps).any():
        s = int(np.argmax(completed < steps))
        raise DivergenceError(
            f"The closed loop diverged at step {completed[s]} of sequence {s}: its output left +-{limit:.3g}, far beyond the data;"
            " raise ridge or noise, or lower spectral_radius."
        )
    return outputs


def forecast(
    reservoir: Reservoir,
    layout: Layout,
    coefficients: np.ndarray,
    limit: float,
    histories: Sequence[np.ndarray],
    steps: int,
) -> list[np.ndarray]:
    """Continue each history (T, O) by its own forecasts: a (steps, O) array each.

    A network with inputs reads the history as input, and its readout after the last step is the first forecast. One
    without is fed the history as its past outputs.
    """
    n_outputs = coefficients.shape[1]
    fed_back = reservoir.feedback_weights.shape[1] > 0
    inputs = histories if layout.n_inputs else [np.empty((len(y), 0)) for y in histories]
    # with inputs, the output that belongs to step t is the input of step t + 1, so that the last output is the input itself
    past = [np.concatenate([np.zeros_like(y[:1]), y[1:]]) if layout.n_inputs else shifted(y) for y in histories]
    states = np.empty((len(histories), reservoir.units), reservoir.dtype)
    first = np.empty((len(histories), n_outputs), reservoir.dtype)
    for segments, rows in stream(reservoir, layout, Sequences(inputs, past if fed_back else None), final_states=states):
        row = -1
        for s, start, stop in segments:
            row += stop - start
            if stop == len(histories[s]):
                first[s] = rows[row] @ coefficients
    if not layout.n_inputs:
        last = np.array([y[-1] for y in histories], reservoir.dtype)
        return list(closed_loop(reservoir, layout, coefficients, limit, states, last, steps))
    last = first.copy()
    rest = closed_loop(reservoir, layout, coefficients, limit, states, last, steps - 1)
    return list(np.concatenate([first[:, None, :], rest], axis=1))
