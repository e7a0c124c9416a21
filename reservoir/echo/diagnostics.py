"""Measures of a reservoir before it is trained: stability, memory, and the richness of its states.

Every function takes a `Reservoir`, such as `ESN(...).build(n_inputs).reservoir_`. The input is an argument, or is drawn
from `generator`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as linalg

from reservoir import metrics
from reservoir.echo.readouts.least_squares import Blocks
from reservoir.echo.readouts.ridge import Ridge
from reservoir.echo.reservoir import Reservoir
from reservoir.echo.spectral import spectral_radius
from reservoir.echo.topology import as_csr
from reservoir.kernels.drive import scratch_for
from reservoir.kernels.lyapunov import tangent_growth
from reservoir.validation import DataError, as_sequences

DENSE_LIMIT = 1000
MOST_ROWS = 4096
"""States that are computed at once, where the last ones alone are wanted."""
MOST_STEPS = 2**16
"""Steps of white noise along which a Lyapunov exponent is measured where less leave its sign open."""


def largest_singular_value(reservoir: Reservoir) -> float:
    """The spectral norm of W; if it is below 1, a reservoir without leak has the echo state property (Jaeger 2001)."""
    csr = as_csr(reservoir.matrix)
    if not csr.nnz:
        return 0.0
    if max(np.diff(csr.indptr).max(), np.bincount(csr.indices).max()) == 1:  # a cycle, a permutation, a delay line
        return float(np.abs(csr.data).max())
    if reservoir.units <= DENSE_LIMIT:
        return float(np.linalg.norm(csr.toarray(), 2))
    start = np.random.default_rng(0).standard_normal(reservoir.units)
    try:
        return float(linalg.svds(csr, k=1, v0=start, tol=1e-10, return_singular_vectors=False)[0])
    except linalg.ArpackError:  # all singular values are the same, those of an orthogonal matrix
        return float(np.linalg.norm(csr @ start) / np.linalg.norm(start))


def leaky_bound(reservoir: Reservoir) -> float:
    """The spectral radius of (1 - a) I + a |W|; if it is below 1, the reservoir has the echo state property for every input.

    |W| holds the absolute weights. The bound holds for units of slope at most one: tanh, sigmoid, relu, identity (Yildiz,
    Jaeger & Kiebel 2012, who show that such a matrix is diagonally Schur stable).
    """
    csr = abs(as_csr(reservoir.matrix))
    return spectral_radius(sp.csr_array(sp.diags_array(1.0 - reservoir.leak) + sp.diags_array(reservoir.leak) @ csr))


class Lyapunov(NamedTuple):
    """A Lyapunov exponent per step, its standard error, and the number of steps along which it is measured."""

    exponent: float
    error: float
    steps: int

    @property
    def decided(self) -> bool:
        """Whether the sign is certain: the exponent is 3 standard errors from 0, and a perturbation changes by e^10 or more."""
        return abs(self.exponent) > 3.0 * self.error and abs(self.exponent) * self.steps >= 10.0

    @property
    def verdict(self) -> str:
        """What the sign means, "forgets" or "chaotic", or that it is "undecided"."""
        return ("forgets" if self.exponent < 0.0 else "chaotic") if self.decided else "undecided"


def lyapunov_exponent(reservoir: Reservoir, inputs: np.ndarray, washout: int = 100) -> Lyapunov:
    """Measure the largest conditional Lyapunov exponent along `inputs` (T, n_inputs): negative if the reservoir forgets.

    It is the mean logarithm of the growth of a small perturbation per step, after `washout` steps; its standard error is that
    of the means of 20 parts of the steps, infinite for less than four steps. Raises `DataError` when no step remains.
    """
    if len(inputs) <= washout:
        raise DataError(f"inputs: has {len(inputs)} steps, but more than washout = {washout} are required.")
    state = reservoir.initial_state.copy()
    tangent = np.random.default_rng(0).standard_normal(reservoir.units).astype(reservoir.dtype)
    tangent /= np.linalg.norm(tangent)
    growth = np.empty(len(inputs), reservoir.dtype)
    scratch, perturbed = scratch_for(reservoir.weights), scratch_for(reservoir.weights)
    fed = np.ascontiguousarray(inputs, reservoir.dtype)
    tangent_growth(reservoir.weights, fed, state, tangent, growth, scratch, perturbed)
    used = growth[washout:]
    exponent, error = float(used.mean()), math.inf
    if not math.isfinite(exponent):
        error = 0.0
    elif len(used) >= 4:
        means = [part.mean() for part in np.array_split(used, min(20, len(used) // 2))]
        error = float(np.std(means, ddof=1) / math.sqrt(len(means)))
    return Lyapunov(exponent, error, len(used))


def echo_state_index(
    reservoir: Reservoir, inputs: np.ndarray, generator: np.random.Generator, starts: int = 20, tolerance: float = 1e-6
) -> int:
    """Count the different states at the end of `inputs` that `starts` random initial states, uniform in +-1, lead to.

    1 is the echo state property as far as this input shows; a larger number means several responses to one input, or chaos
    (Ceni, Ashwin, Livi & Postlethwaite 2020). Two states are the same when no unit differs by more than `tolerance`.
    """
    states = generator.uniform(-1.0, 1.0, (starts, reservoir.units)).astype(reservoir.dtype)
    ends = final_states(reservoir, np.broadcast_to(inputs, (starts, *inputs.shape)), states)
    distinct: list[np.ndarray] = []
    for end in ends:
        if all(np.abs(end - other).max() > tolerance for other in distinct):
            distinct.append(end)
    return len(distinct)


def final_states(reservoir: Reservoir, inputs: np.ndarray, states: np.ndarray | None = None) -> np.ndarray:
    """The states (S, N) after S input sequences (S, T, n_inputs), from `states`, or from the initial state."""
    sequences, steps, channels = inputs.shape
    states = np.tile(reservoir.initial_state, (sequences, 1)) if states is None else states
    rows = max(MOST_ROWS // steps, 1)
    for first in range(0, sequences, rows):
        for start in range(0, steps, MOST_ROWS):
            part = inputs[first : first + rows, start : start + MOST_ROWS]
            segments = [(s, start, start + part.shape[1]) for s in range(len(part))]
            out = np.empty((part.shape[0] * part.shape[1], reservoir.units), reservoir.dtype)
            reservoir.run(part.reshape(-1, channels), segments, states[first : first + rows], out)
    return states


def numerical_rank(matrix: np.ndarray, tolerance: float = 0.01) -> int:
    """How many singular values are above `tolerance` times the largest."""
    values = np.linalg.svd(matrix, compute_uv=False)
    return int((values > tolerance * values[0]).sum()) if values.size and values[0] > 0.0 else 0


def kernel_rank(reservoir: Reservoir, generator: np.random.Generator, steps: int = 50) -> int:
    """The rank of the final states of N different random inputs of `steps` steps, uniform in +-1 (Legenstein & Maass 2007).

    High is good: different inputs stay apart. `numerical_rank` defines the rank.
    """
    return numerical_rank(final_states(reservoir, generator.uniform(-1.0, 1.0, (reservoir.units, steps, reservoir.channels))))


def generalization_rank(reservoir: Reservoir, generator: np.random.Generator, steps: int = 50, same: int = 10) -> int:
    """The rank of the final states of N random inputs that agree in the last `same` steps (Legenstein & Maass 2007).

    Low is good: the reservoir forgets the distant past. The difference to `kernel_rank` shows how many dimensions of the
    states distinguish recent inputs.
    """
    inputs = generator.uniform(-1.0, 1.0, (reservoir.units, steps, reservoir.channels))
    inputs[:, -same:] = generator.uniform(-1.0, 1.0, (same, reservoir.channels))
    return numerical_rank(final_states(reservoir, inputs))


def memory_curve(
    reservoir: Reservoir, generator: np.random.Generator, lags: int | None = None, rows: int | None = None
) -> np.ndarray:
    """The squared correlation (lags,) of the input 1, 2, ... steps ago with its best linear readout, on test data.

    The input is uniform in +-.8; the readout sees bias, input and state, and is fitted by QR without a ridge. The sum is
    the linear memory capacity, at most N (Jaeger 2001, GMD 152): one of the N dimensions of a state holds the input of the
    same step, which the readout sees anyway, so that all N can count. `lags` is 2N unless given. The readout is fitted to
    `rows` steps and tested on as many others: 20,000, or fewer if there are many lags, but at least 5N.
    """
    lags = 2 * reservoir.units if lags is None else lags
    rows = max(5 * reservoir.units, min(20_000, 10_000_000 // lags)) if rows is None else rows
    washout = lags + 100
    inputs = generator.uniform(-0.8, 0.8, washout + 2 * rows)
    fed = np.zeros((len(inputs), reservoir.channels))
    fed[:, 0] = inputs
    features = np.ones((len(inputs), reservoir.units + 2), reservoir.dtype)
    features[:, 1] = inputs
    reservoir.run(fed, [(0, 0, len(inputs))], reservoir.initial_state[None].copy(), features, column=2)
    targets = np.stack([inputs[washout - k : len(inputs) - k] for k in range(1, lags + 1)], axis=1)
    seen = features[washout:]
    readout = Ridge(0.0, solver="svd").fit(Blocks.of(seen[:rows], targets[:rows], bias=True))
    return metrics.squared_correlations(seen[rows:] @ readout.coefficients_.T, targets[rows:])


def degrees(reservoir: Reservoir) -> dict[str, Any]:
    """The connections of W: their number, density, self-connections, and (least, mean, most) into and out of a unit."""
    csr = as_csr(reservoir.matrix)
    degrees = {"in_degree": np.diff(csr.indptr), "out_degree": np.bincount(csr.indices, minlength=reservoir.units)}
    return {
        "connections": int(csr.nnz),
        "density": csr.nnz / reservoir.units**2,
        "self_connections": int((csr.diagonal() != 0.0).sum()),
        **{name: (int(counts.min()), float(counts.mean()), int(counts.max())) for name, counts in degrees.items()},
    }


def measure_reservoir(
    reservoir: Reservoir, seed: int = 0, steps: int = 2000, inputs: np.ndarray | None = None
) -> Mapping[str, Any]:
    """Every measure by name, along the given inputs (T, n_inputs), or along `steps` of white noise uniform in +-1.

    Where the sign of the Lyapunov exponent is open, the noise is made twice as long again and again, up to MOST_STEPS; where it
    is negative, the echo state index is counted after as many steps as states need to come together.
    With output feedback the outputs count as 0. The memory capacity is that of the network's own units; build the network
    with `identity` to measure the linear one.
    """
    generators = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(5)]
    inputs, lyapunov = _stability(reservoir, generators[0], steps, inputs)
    curve = memory_curve(reservoir, generators[4])
    return {
        "units": reservoir.units,
        **degrees(reservoir),
        "spectral_radius": spectral_radius(reservoir.matrix),
        "largest_singular_value": largest_singular_value(reservoir),
        "leaky_bound": leaky_bound(reservoir),
        "echo_state_index": echo_state_index(reservoir, inputs, generators[1]),
        "lyapunov_exponent": lyapunov.exponent,
        "lyapunov_error": lyapunov.error,
        "lyapunov_steps": lyapunov.steps,
        "lyapunov_verdict": lyapunov.verdict,
        "kernel_rank": kernel_rank(reservoir, generators[2]),
        "generalization_rank": generalization_rank(reservoir, generators[3]),
        "memory_capacity": float(curve.sum()),
        "memory_curve": curve,
    }


def _stability(
    reservoir: Reservoir, generator: np.random.Generator, steps: int, given: np.ndarray | None
) -> tuple[np.ndarray, Lyapunov]:
    """Return the inputs for the echo state index, with zeros for the outputs fed back, and the Lyapunov exponent."""
    n_inputs, n_fed_back = reservoir.input_weights.shape[1], reservoir.feedback_weights.shape[1]
    inputs = generator.uniform(-1.0, 1.0, (steps, n_inputs)) if given is None else as_sequences(given)[0]
    while True:
        padded = np.pad(inputs, ((0, 0), (0, n_fed_back)))
        found = lyapunov_exponent(reservoir, padded, washout=min(100, len(padded) // 2))
        if given is not None:
            return padded, found
        if found.decided or len(padded) >= MOST_STEPS:
            break
        inputs = np.concatenate([inputs, generator.uniform(-1.0, 1.0, inputs.shape)])
    needed = min(20.0 / -found.exponent, MOST_STEPS) if found.verdict == "forgets" else 0.0
    return padded[: max(steps, math.ceil(needed))], found
