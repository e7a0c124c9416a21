"""What a reservoir is like before anything is trained: stability, memory, and the richness of its states.

Everything here takes a `Reservoir`; `ESN(...).build(n_inputs).reservoir_` gives one. Measurements that need an input take
it as an argument, or draw their own from `generator`, as their docstrings say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as linalg

from reservoir import metrics
from reservoir.echo.readouts.least_squares import Blocks
from reservoir.echo.readouts.ridge import Ridge
from reservoir.echo.reservoir import Reservoir
from reservoir.echo.spectral import spectral_radius
from reservoir.echo.topology import as_csr
from reservoir.kernels.lyapunov import tangent_growth
from reservoir.validation import DataError, as_sequences

DENSE_LIMIT = 1000


def largest_singular_value(reservoir: Reservoir) -> float:
    """The spectral norm of W: below 1 (without leak) it is enough for the echo state property (Jaeger 2001)."""
    csr = as_csr(reservoir.matrix)
    if not csr.nnz:
        return 0.0
    if reservoir.units <= DENSE_LIMIT:
        return float(np.linalg.norm(csr.toarray(), 2))
    start = np.random.default_rng(0).standard_normal(reservoir.units)
    return float(linalg.svds(csr, k=1, v0=start, tol=1e-10, return_singular_vectors=False)[0])


def leaky_bound(reservoir: Reservoir) -> float:
    """The spectral radius of (1 - a) I + a |W|; below 1 the leaky reservoir has the echo state property for every input.

    |W| holds the absolute weights (Yildiz, Jaeger & Kiebel 2012, who show that such a matrix is diagonally Schur stable);
    it holds for units of slope at most one: tanh, sigmoid, relu, identity.
    """
    csr = abs(as_csr(reservoir.matrix))
    return spectral_radius(sp.csr_array(sp.diags_array(1.0 - reservoir.leak) + sp.diags_array(reservoir.leak) @ csr))


def lyapunov_exponent(reservoir: Reservoir, inputs: np.ndarray, washout: int = 100) -> float:
    """Largest conditional Lyapunov exponent per step along `inputs` (T, n_inputs): negative where the reservoir forgets.

    The mean logarithm of the growth of a perturbation that is carried along by the Jacobians, after `washout` steps.
    Raises `DataError` when no step is left.
    """
    if len(inputs) <= washout:
        raise DataError(f"inputs: has {len(inputs)} steps, but more than washout = {washout} are required.")
    generator = np.random.default_rng(0)
    state = reservoir.initial_state.copy()
    tangent = generator.standard_normal(reservoir.units).astype(reservoir.dtype)
    tangent /= np.linalg.norm(tangent)
    growth = np.empty(len(inputs), reservoir.dtype)
    tangent_growth(reservoir.weights, np.ascontiguousarray(inputs, reservoir.dtype), state, tangent, growth)
    return float(growth[washout:].mean())


def echo_state_index(
    reservoir: Reservoir, inputs: np.ndarray, generator: np.random.Generator, starts: int = 20, tolerance: float = 1e-6
) -> int:
    """How many different trajectories `starts` random initial states, uniform in +-1, have led to at the end of `inputs`.

    1 is the echo state property as far as this input shows; more are coexisting responses, or chaos (Ceni, Ashwin, Livi &
    Postlethwaite 2020). Two end states are the same when no unit differs by more than `tolerance`.
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
    rows = max(4096 // steps, 1)
    for first in range(0, sequences, rows):
        part = inputs[first : first + rows]
        out = np.empty((len(part) * steps, reservoir.units), reservoir.dtype)
        reservoir.run(part.reshape(-1, channels), [steps] * len(part), states[first : first + rows], out)
    return states


def numerical_rank(matrix: np.ndarray, tolerance: float = 0.01) -> int:
    """How many singular values are above `tolerance` times the largest."""
    values = np.linalg.svd(matrix, compute_uv=False)
    return int((values > tolerance * values[0]).sum()) if values.size and values[0] > 0.0 else 0


def kernel_rank(reservoir: Reservoir, generator: np.random.Generator, steps: int = 50) -> int:
    """Rank of the states that N different random inputs, uniform in +-1, lead to (Legenstein & Maass 2007).

    High is good: different inputs stay apart. `steps` is the length of the inputs. See `numerical_rank` for its measure.
    """
    n = reservoir.units
    return numerical_rank(
        final_states(reservoir, generator.uniform(-1.0, 1.0, (n, steps, reservoir.weights.drive_weights.shape[0])))
    )


def generalization_rank(reservoir: Reservoir, generator: np.random.Generator, steps: int = 50, same: int = 10) -> int:
    """Rank of the states that N variants of one random input lead to, which agree in the last `same` steps.

    Low is good: what is long past has washed out (Legenstein & Maass 2007). The difference to `kernel_rank` shows how
    many dimensions the reservoir has for what is recent.
    """
    n, channels = reservoir.units, reservoir.weights.drive_weights.shape[0]
    inputs = generator.uniform(-1.0, 1.0, (n, steps, channels))
    inputs[:, -same:] = generator.uniform(-1.0, 1.0, (same, channels))
    return numerical_rank(final_states(reservoir, inputs))


def memory_curve(
    reservoir: Reservoir, generator: np.random.Generator, lags: int | None = None, rows: int | None = None
) -> np.ndarray:
    """Squared correlation (lags,) of the input k = 1 ... lags steps ago with its best linear readout, on test data.

    The input is uniform in +-.8; the readout sees bias, input and state, and is fitted by QR without a ridge. The sum is
    the linear memory capacity, at most N (Jaeger 2001, GMD 152). A state spends one of its N dimensions on the input of
    this very step; because the readout has that anyway, all N can count. `lags` is 2N unless given; `rows` to fit on, and
    as many to test on, are 20,000, or fewer where the lags are many, but at least 5N.
    """
    lags = 2 * reservoir.units if lags is None else lags
    rows = max(5 * reservoir.units, min(20_000, 10_000_000 // lags)) if rows is None else rows
    washout = lags + 100
    inputs = generator.uniform(-0.8, 0.8, washout + 2 * rows)
    channels = reservoir.weights.drive_weights.shape[0]
    fed = np.zeros((len(inputs), channels))
    fed[:, 0] = inputs
    features = np.ones((len(inputs), reservoir.units + 2), reservoir.dtype)
    features[:, 1] = inputs
    reservoir.run(fed, [len(inputs)], reservoir.initial_state[None].copy(), features, column=2)
    targets = np.stack([inputs[washout - k : len(inputs) - k] for k in range(1, lags + 1)], axis=1)
    seen = features[washout:]
    readout = Ridge(0.0, solver="svd").fit(Blocks.of(seen[:rows], targets[:rows], bias=True))
    return metrics.squared_correlations(seen[rows:] @ readout.coefficients_.T, targets[rows:])


def degrees(reservoir: Reservoir) -> dict[str, Any]:
    """Connections of W: their number, density, self-connections, and (least, mean, most) into and out of a unit."""
    csr = as_csr(reservoir.matrix)
    inward, outward = np.diff(csr.indptr), np.bincount(csr.indices, minlength=reservoir.units)
    return {
        "connections": int(csr.nnz),
        "density": csr.nnz / reservoir.units**2,
        "self_connections": int((csr.diagonal() != 0.0).sum()),
        "in_degree": (int(inward.min()), float(inward.mean()), int(inward.max())),
        "out_degree": (int(outward.min()), float(outward.mean()), int(outward.max())),
    }


def measure_reservoir(
    reservoir: Reservoir, seed: int = 0, steps: int = 2000, inputs: np.ndarray | None = None
) -> Mapping[str, Any]:
    """Every diagnostic by name, for the given inputs (T, n_inputs), or `steps` of white noise uniform in +-1.

    With output feedback the outputs are taken as 0 along these inputs.
    The memory capacity is measured with tanh units as they are; for the linear one build the network with `identity`.
    """
    generators = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(5)]
    n_inputs, n_fed_back = reservoir.input_weights.shape[1], reservoir.feedback_weights.shape[1]
    inputs = generators[0].uniform(-1.0, 1.0, (steps, n_inputs)) if inputs is None else as_sequences(inputs)[0]
    inputs = np.pad(inputs, ((0, 0), (0, n_fed_back)))
    curve = memory_curve(reservoir, generators[4])
    return {
        "units": reservoir.units,
        **degrees(reservoir),
        "spectral_radius": spectral_radius(reservoir.matrix),
        "largest_singular_value": largest_singular_value(reservoir),
        "leaky_bound": leaky_bound(reservoir),
        "echo_state_index": echo_state_index(reservoir, inputs, generators[1]),
        "lyapunov_exponent": lyapunov_exponent(reservoir, inputs, washout=min(100, len(inputs) // 2)),
        "kernel_rank": kernel_rank(reservoir, generators[2]),
        "generalization_rank": generalization_rank(reservoir, generators[3]),
        "memory_capacity": float(curve.sum()),
        "memory_curve": curve,
    }
