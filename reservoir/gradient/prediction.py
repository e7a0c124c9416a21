"""The use of a trained network: its outputs and its states along given inputs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from reservoir.base.state import State
from reservoir.base.threads import one_blas_thread, thread_count
from reservoir.gradient.batches import CHUNK, padded
from reservoir.gradient.network import Batch, Network, Weights, forward
from reservoir.gradient.network import State as LayerStates

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
def outputs_after(state: State, network: Network, vector: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Return the outputs (T, O) for inputs (T, n_inputs) after a state, which becomes that after them."""
    with one_blas_thread():
        parts = list(run_on(network, Weights(network, vector), [inputs], state.values, state.time))
    state.values, state.time = parts[-1][1], state.time + len(inputs)
    return np.concatenate([outputs[:, 0] for outputs, _ in parts])


@SILENT
def top_states(network: Network, vector: np.ndarray, sequences: list[np.ndarray]) -> list[np.ndarray]:
    """Return the outputs of the last layer for each sequence, (T, directions * units)."""
    weights = Weights(network, vector)
    with one_blas_thread():
        return [np.array(forward(network, weights, _batch([u], 0)).top[:, 0]) for u in sequences]


def _batch(sequences: list[np.ndarray], washout: int) -> Batch:
    return Batch(padded(sequences), np.array([len(u) for u in sequences]), NOTHING, NOTHING, washout)


def run_on(
    network: Network, weights: Weights, sequences: list[np.ndarray], state: LayerStates | None, first: int
) -> Iterator[tuple[np.ndarray, LayerStates]]:
    """Run sequences (T, n_inputs) of one length from a state after `first` steps; None is the state of zeros.

    Yields the outputs (steps, B, n_outputs) of some steps after the other, and the state after them.
    """
    for start in range(0, len(sequences[0]), BLOCK):
        run = forward(network, weights, _batch([u[start : start + BLOCK] for u in sequences], 0), state, first + start)
        state = run.state_after(len(run.outputs), len(sequences))
        yield run.outputs, state
