"""The use of a trained network: outputs along given inputs, and the continuation of a series from its own outputs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from reservoir.base.threads import one_blas_thread, thread_count
from reservoir.gradient.batches import CHUNK, padded
from reservoir.gradient.network import Batch, Network, Weights, forward

NOTHING = np.empty(0)
BLOCK = 2048  # steps that run at once where the next ones need only the state
SILENT = np.errstate(over="ignore", invalid="ignore")  # the outputs show it


def outputs(network: Network, vector: np.ndarray, sequences: list[np.ndarray], washout: int) -> list[np.ndarray]:
    """Return the outputs for each sequence (T, n_inputs): (T, n_outputs) per step, or (n_outputs,)."""
    order = np.argsort([-len(u) for u in sequences], kind="stable")
    groups = [[sequences[i] for i in order[start : start + CHUNK]] for start in range(0, len(order), CHUNK)]
    with one_blas_thread(), ThreadPoolExecutor(thread_count()) as pool:
        found = [y for results in pool.map(lambda group: _run(network, vector, group, washout), groups) for y in results]
    return [found[place] for place in np.argsort(order)]


@SILENT
def _run(network: Network, vector: np.ndarray, sequences: list[np.ndarray], washout: int) -> list[np.ndarray]:
    """`outputs` of a few sequences, the longest first."""
    weights = Weights(network, vector)
    lengths = np.array([len(u) for u in sequences])
    if network.reading != "step":
        return list(forward(network, weights, _batch(sequences, washout)).outputs)
    block = int(lengths[0]) if network.bidirectional else BLOCK
    results: list[list[np.ndarray]] = [[] for _ in sequences]
    state = None
    for start in range(0, int(lengths[0]), block):
        left = int((lengths > start).sum())
        run = forward(network, weights, _batch([u[start : start + block] for u in sequences[:left]], 0), state, start)
        for b in range(left):
            results[b].append(run.outputs[: lengths[b] - start, b])
        state = run.state_after(min(block, int(lengths[0]) - start), int((lengths > start + block).sum()))
    return [np.concatenate(parts) for parts in results]


@SILENT
def top_states(network: Network, vector: np.ndarray, sequences: list[np.ndarray]) -> list[np.ndarray]:
    """Return the outputs of the last layer for each sequence, (T, directions * units)."""
    weights = Weights(network, vector)
    with one_blas_thread():
        return [np.array(forward(network, weights, _batch([u], 0)).top[:, 0]) for u in sequences]


def _batch(sequences: list[np.ndarray], washout: int) -> Batch:
    return Batch(padded(sequences), np.array([len(u) for u in sequences]), NOTHING, NOTHING, washout)


def continuations(
    network: Network, vector: np.ndarray, histories: list[np.ndarray], steps: int, feedback: tuple[np.ndarray, np.ndarray]
) -> list[np.ndarray]:
    """Return the (steps, n_outputs) that follow each history (T, n_inputs), every output fed back as the next input.

    An output y becomes the input y * feedback[0] + feedback[1]. A network without inputs first runs the T steps. Histories of
    one length run together.
    """
    results: list[np.ndarray] = [NOTHING] * len(histories)
    weights = Weights(network, vector)
    with one_blas_thread():
        for length in sorted({len(u) for u in histories}):
            group = [i for i, u in enumerate(histories) if len(u) == length]
            found = _continue(network, weights, [histories[i] for i in group], steps, feedback)
            for b, index in enumerate(group):
                results[index] = found[:, b]
    return results


@SILENT
def _continue(
    network: Network, weights: Weights, histories: list[np.ndarray], steps: int, feedback: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """(steps, B, n_outputs) after B histories of one length."""
    length, count = len(histories[0]), len(histories)
    state, outputs = None, NOTHING
    for start in range(0, length, BLOCK):
        run = forward(network, weights, _batch([u[start : start + BLOCK] for u in histories], 0), state, start)
        state, outputs = run.state_after(len(run.outputs), count), run.outputs[-1:]
    found = [outputs] if network.n_inputs > 0 else []  # the last output along the history is that of the next step
    for time in range(length, length + steps - len(found)):
        inputs = outputs * feedback[0] + feedback[1] if network.n_inputs > 0 else outputs[:, :, :0]
        run = forward(network, weights, Batch(inputs, np.ones(count, np.int64), NOTHING, NOTHING), state, time)
        state, outputs = run.state_after(1, count), run.outputs
        found.append(outputs)
    return np.concatenate(found)
