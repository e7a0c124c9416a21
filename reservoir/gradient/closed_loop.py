"""A trained network that reads its own outputs: the continuation of series, with inputs that are known ahead or without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from reservoir.base.known import Known
from reservoir.base.state import State
from reservoir.base.targets import shifted
from reservoir.base.threads import one_blas_thread
from reservoir.gradient.network import Batch, Network, Weights, forward
from reservoir.gradient.prediction import NOTHING, SILENT, run_on
from reservoir.gradient.scaling import Scaling

Given = Callable[[int, np.ndarray], np.ndarray]
"""The known inputs (1, B, n_known) of a step after the last outputs (1, B, O), both scaled."""


class Fitted(NamedTuple):
    """A network, its weights and its scalings. Of its inputs the first `n_known` are given, the others are its last outputs."""

    network: Network
    vector: np.ndarray
    inward: Scaling
    outward: Scaling
    n_known: int


def joined(inputs: list[np.ndarray], targets: list[np.ndarray], first: np.ndarray) -> list[np.ndarray]:
    """Join y(t-1) to the inputs u(t) of each sequence, (T, I + O); before the first step it is `first` (O,)."""
    return [np.concatenate([u, shifted(y, first)], axis=1) for u, y in zip(inputs, targets, strict=True)]


def closed_loop(
    fitted: Fitted, histories: list[np.ndarray], steps: list[int], known: Known | None = None, state: State | None = None
) -> list[np.ndarray]:
    """Return the outputs (steps, O) that follow each history, scaled as the network gives them.

    Parameters
    ----------
    histories : (T, n_inputs) for each; the output after the last row is the first to be returned. A network without inputs
        first runs the T steps. Histories of one length with as many steps run together
    known : the known inputs, where the network has any, of the steps from that of the last row on
    state : where the only history starts, which is left where it ends
    """
    network, inward, outward, kind = fitted.network, fitted.inward, fitted.outward, fitted.vector.dtype
    own = slice(fitted.n_known, None)
    factor, shift = np.ones(0, kind), np.zeros(0, kind)
    if network.n_inputs > 0:
        factor = (outward.scale / inward.scale[own]).astype(kind)
        shift = ((outward.shift - inward.shift[own]) / inward.scale[own]).astype(kind)
    known_scaling = Scaling(inward.shift[: fitted.n_known], inward.scale[: fitted.n_known])
    weights, scaled = Weights(network, fitted.vector), [inward.apply(u, kind) for u in histories]
    results: list[np.ndarray] = [NOTHING] * len(histories)
    with one_blas_thread():
        for shape in sorted(set(zip(map(len, histories), steps, strict=True))):
            group = [s for s, u in enumerate(histories) if (len(u), steps[s]) == shape]
            given = _known_inputs(known, group, known_scaling, outward)
            found = _continue(network, weights, [scaled[s] for s in group], shape[1], (factor, shift), given, state)
            for b, s in enumerate(group):
                results[s] = found[:, b]
    return results


def _known_inputs(known: Known | None, group: list[int], scaling: Scaling, outward: Scaling) -> Given:
    """Return the function that gives the known inputs of some sequences, scaled."""
    if known is None:
        return lambda step, last: last[:, :, :0]
    if isinstance(known.future, list):
        table = np.stack([known.future[s] for s in group], axis=1)
        return lambda step, last: scaling.apply(table[step : step + 1], last.dtype)

    def computed(step: int, last: np.ndarray) -> np.ndarray:
        rows = [known.row(s, step, outward.undo(y)) for s, y in zip(group, last[0], strict=True)]
        return scaling.apply(np.stack(rows)[None], last.dtype)

    return computed


@SILENT
def _continue(
    network: Network,
    weights: Weights,
    histories: list[np.ndarray],
    steps: int,
    feedback: tuple[np.ndarray, np.ndarray],
    given: Given,
    start: State | None,
) -> np.ndarray:
    """(steps, B, n_outputs) after B histories of one length; an output y becomes the input y * feedback[0] + feedback[1]."""
    count, first = len(histories), 0 if start is None else start.time
    state: Any = None if start is None else start.values
    for outputs, after in run_on(network, weights, histories, state, first):
        last, state = outputs[-1:], after
    found = [last] if network.n_inputs > 0 else []  # the last output along the history is that of the next step
    time = first + len(histories[0])
    while len(found) < steps:
        own = last * feedback[0] + feedback[1] if network.n_inputs > 0 else last[:, :, :0]
        inputs = np.concatenate([given(len(found), last), own], axis=2)
        run = forward(network, weights, Batch(inputs, np.ones(count, np.int64), NOTHING, NOTHING), state, time)
        state, last, time = run.state_after(1, count), run.outputs, time + 1
        found.append(last)
    if start is not None:
        start.values, start.time = state, time
    return np.concatenate(found)
