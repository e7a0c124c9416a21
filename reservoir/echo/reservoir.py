"""A reservoir: its weights, how they are drawn from a seed, and how they are run; for the estimator and the diagnostics."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from reservoir.echo.input_weights import input_weights
from reservoir.echo.running import run
from reservoir.echo.spectral import circular_law_radius, to_unit_radius
from reservoir.echo.topology import TOPOLOGIES, Diagonals, Matrix, as_csr, check_options, connections, own_matrix, scaled, storage
from reservoir.kernels import drive as kernels
from reservoir.kernels.activations import CODES
from reservoir.kernels.lanes import LaneWeights, dense_panels, sparse_rows
from reservoir.validation import DivergenceError, brief, refused

Segment = tuple[int, int, int]
"""Number of a sequence, first row, last row + 1."""
UNIT_RADIUS = ("cycle", "orthogonal", "permutation")  # by construction
NILPOTENT = ("delay_line",)  # by construction
LARGE = 20_000
"""Above so many units the circular law gives the radius of the topologies `CIRCULAR`, where it holds: from `MANY` connections per
unit on. Arnoldi iterations take minutes there."""
CIRCULAR, MANY = ("diagonals", "random"), 10
BOUNDED = ("tanh", "sigmoid")
"""The activations that keep states within bounds, whatever the weights."""
STATE_LIMIT = 1e12
"""A state beyond this many times the largest drive has diverged: it holds the past of its own growth, not the inputs."""
DIMENSIONS = {"input_weights": 2, "feedback_weights": 2, "bias": 1, "leak": 1, "initial_state": 1}
"""The arrays of a reservoir beside its matrix, and the dimensions of each, the first of which is N."""


@dataclass(frozen=True)
class Reservoir:
    """The weights of a reservoir of N units with I inputs and O fed-back outputs (O = 0 without feedback)."""

    matrix: Matrix  # W at its final scale
    input_weights: np.ndarray  # (N, I)
    feedback_weights: np.ndarray  # (N, O)
    bias: np.ndarray  # (N,)
    leak: np.ndarray  # (N,), the leak rate of each unit
    initial_state: np.ndarray  # (N,) of `dtype`
    activation: str
    dtype: np.dtype

    @property
    def units(self) -> int:
        """N."""
        return len(self.bias)

    @property
    def channels(self) -> int:
        """I + O, the number of inputs and fed-back outputs."""
        return self.input_weights.shape[1] + self.feedback_weights.shape[1]

    @functools.cached_property
    def weights(self) -> kernels.ReservoirWeights:
        """The weights as the kernels read them."""
        stacked = np.concatenate([self.input_weights, self.feedback_weights], axis=1).T
        return kernels.ReservoirWeights(
            storage(self.matrix, self.dtype),
            np.ascontiguousarray(stacked, self.dtype),
            self.bias.astype(self.dtype),
            self.leak.astype(self.dtype),
            CODES[self.activation],
        )

    @functools.cached_property
    def lanes(self) -> LaneWeights:
        """W and the weights of the inputs as the kernel reads them that runs many sequences side by side."""
        return self._lanes(len(self.weights.drive_weights))

    @functools.cached_property
    def symbol_lanes(self) -> LaneWeights:
        """W alone as that kernel reads it, for inputs that are symbols."""
        return self._lanes(0)

    def _lanes(self, count: int) -> LaneWeights:
        stacked, matrix = self.weights.drive_weights[:count], self.matrix
        if isinstance(matrix, np.ndarray):
            return dense_panels(stacked, matrix.astype(self.dtype))
        if isinstance(matrix, Diagonals):  # in the order of the diagonals
            count, units = matrix.values.shape
            columns = (np.arange(units)[:, None] + matrix.shifts) % units
            return sparse_rows(stacked, matrix.values.T.astype(self.dtype).ravel(), columns.ravel(), count * np.arange(units + 1))
        return sparse_rows(stacked, matrix.data.astype(self.dtype), matrix.indices, matrix.indptr)

    def recurrent_weights(self) -> np.ndarray | sp.csr_array:
        """W as an array where it is stored dense, else as SciPy CSR."""
        return self.matrix if isinstance(self.matrix, np.ndarray) else as_csr(self.matrix)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The weights as plain arrays, for a model file."""
        kept = {name: getattr(self, name) for name in DIMENSIONS}
        if isinstance(self.matrix, Diagonals):
            return kept | self.matrix._asdict()
        if isinstance(self.matrix, np.ndarray):
            return kept | {"matrix": self.matrix}
        return kept | {name: getattr(self.matrix, name) for name in ("data", "indices", "indptr")}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], activation: str, dtype: str) -> Reservoir:
        """The reservoir whose `to_arrays` gave `arrays`. Raises KeyError or ValueError where they do not fit together."""
        kept, units = {name: arrays[name] for name in DIMENSIONS}, len(arrays["bias"])
        fits = all(a.ndim == DIMENSIONS[name] and len(a) == units for name, a in kept.items())
        matrix: Matrix
        if "shifts" in arrays:
            shifts, values = matrix = Diagonals(arrays["shifts"], arrays["values"])
            fits = fits and values.shape == (*shifts.shape, units) and shifts.dtype.kind == "i"
            fits = fits and bool(shifts.min() >= 0) and bool(shifts.max() < units)
        elif "matrix" in arrays:
            matrix = arrays["matrix"]
            fits = fits and matrix.shape == (units, units)
        else:
            matrix = sp.csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=(units, units))
            matrix.check_format()
        if not fits:
            raise ValueError("weights of different sizes")
        return cls(matrix=matrix, activation=activation, dtype=np.dtype(dtype), **kept)

    def run(
        self, inputs: np.ndarray, segments: Sequence[Segment], states: np.ndarray, out: np.ndarray, column: int = 0,
        noise: np.ndarray | None = None, limit: float = math.inf, several: bool = False, symbols: bool = False,
    ) -> None:  # fmt: skip
        """Drive segments of S sequences, in parallel threads.

        Parameters
        ----------
        inputs : (T, I + O) inputs and fed-back outputs of all segments, end to end
        segments : the S segments
        states : (S, N), the initial states, overwritten with the final ones
        out : (T, n_columns), contiguous; the states go to columns `column` ... `column + N - 1`
        noise : (T, N), added to the states
        limit : a state beyond ± limit has diverged; see `state_limit`
        several : whether an error names the sequence, because there are several
        symbols : whether the inputs are symbols (T, 1), integers that stand for one-hot vectors

        Raises `DivergenceError`, which names the step, if a last state is beyond the limit or no longer finite (unbounded units,
        too large a radius).
        """
        offsets = np.cumsum([0, *(stop - start for _, start, stop in segments)])
        inputs = np.ascontiguousarray(inputs, np.int64 if symbols else self.dtype)
        noise = np.empty((1, 0), self.dtype) if noise is None else np.ascontiguousarray(noise, self.dtype)
        run(self.weights, lambda: self.symbol_lanes if symbols else self.lanes, inputs, noise, offsets, states, out, column)
        what = "no longer finite" if limit == math.inf else f"beyond {limit:.3g}, {STATE_LIMIT:.0e} times the largest drive,"
        limit = min(limit, float(np.finfo(self.dtype).max))
        bad = ~(np.abs(states) <= limit).all(axis=1)
        if bad.any():
            s = int(np.argmax(bad))
            rows = out[offsets[s] : offsets[s + 1], column : column + self.units]
            step = segments[s][1] + int(np.argmax(~(np.abs(rows) <= limit).all(axis=1)))
            where = f" of sequence {segments[s][0]}" if several else ""
            raise DivergenceError(
                f"The reservoir diverged: its state is {what} at step {step}{where}; lower spectral_radius, or use tanh units."
            )

    def state_limit(self, *driven: Sequence[np.ndarray], starts: np.ndarray) -> float:
        """Compute the size of a state at which the reservoir has diverged; infinity for units that keep within bounds.

        `driven` are the inputs (T, I) of each sequence, then the fed-back outputs (T, O), if there are any; `starts` are the
        states before them.
        """
        if self.activation in BOUNDED:
            return math.inf
        channels = [np.max([np.maximum(v.max(axis=0), -v.min(axis=0)) for v in part], axis=0) for part in driven]
        weights = np.concatenate([self.input_weights, self.feedback_weights], axis=1)[:, : sum(map(len, channels))]
        with np.errstate(over="ignore"):  # then the limit is infinity
            drive = np.abs(weights) @ np.concatenate(channels) + np.abs(self.bias)
        return STATE_LIMIT * max(float(drive.max()), float(np.abs(starts).max())) or math.inf


@functools.lru_cache(maxsize=16)
def _drawn_matrix(
    topology: str, units: int, density: float, options: tuple[tuple[str, Any], ...], unit_radius: bool, seed: tuple[Any, ...]
) -> Matrix:
    """The matrix of a named topology, at radius one if asked for; cached, since a sweep over radii needs it again."""
    entropy, spawn_key = seed
    generator = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=spawn_key))
    matrix = TOPOLOGIES[topology](units, density, generator, **dict(options))
    if not unit_radius or topology in UNIT_RADIUS:
        return matrix
    if units > LARGE and topology in CIRCULAR and connections(units, density) >= MANY:
        return scaled(matrix, 1.0 / circular_law_radius(matrix))
    return to_unit_radius(matrix, topology in NILPOTENT)


def recurrent_matrix(p: Any, seed: np.random.SeedSequence) -> Matrix:
    """The recurrent matrix of the parameters of an `ESN`: of a named topology or the user's own, at the radius asked for.

    Raises `ParameterError` for options that the topology does not have and for matrices that cannot be scaled.
    """
    options, radius = p.topology_options or {}, p.spectral_radius
    if isinstance(p.topology, str):
        check_options(p.topology, options)
        origin = seed.entropy, seed.spawn_key
        matrix = _drawn_matrix(p.topology, p.units, float(p.density), tuple(sorted(options.items())), radius is not None, origin)
    elif options:
        raise refused("topology_options", "ESN", "empty with a matrix of your own", repr(options))
    else:
        matrix = own_matrix(p.topology, p.units)
        matrix = matrix if radius is None else to_unit_radius(matrix)
    return scaled(matrix, 1.0 if radius is None else float(radius))  # a copy: the cached one stays as it is


def per_channel(scaling: Any, channels: int, name: str) -> np.ndarray:
    """A scaling as (channels,): a number for all, or one per channel. Raises `ParameterError` for anything else."""
    values = as_numbers(scaling, name)
    if values.ndim and values.shape != (channels,):
        raise refused(name, "ESN", f"a number or {channels} of them", len(values))
    return np.broadcast_to(values, (channels,))


def as_numbers(values: Any, name: str) -> np.ndarray:
    """A parameter as a float64 copy. Raises `ParameterError` for what is not finite numbers."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if not np.isfinite(array).all():
        raise refused(name, "ESN", "finite numbers", brief(values))
    return array


def drive_weights(
    pattern: Any, units: int, channels: int, density: float, seed: np.random.SeedSequence, offset: int = 0
) -> np.ndarray:
    """Unscaled weights (units, channels): a named pattern, or the user's own array, checked."""
    if isinstance(pattern, str):
        return input_weights(units, channels, pattern, density, np.random.default_rng(seed), offset)
    weights = as_numbers(pattern, "input_weights")
    weights = weights[:, None] if weights.ndim == 1 else weights
    if weights.shape != (units, channels):
        raise refused("input_weights", "ESN", f"a ({units}, {channels}) array", f"shape {weights.shape}")
    return weights


def build(p: Any, n_inputs: int, n_outputs: int, seed: np.random.SeedSequence) -> Reservoir:
    """Draw the reservoir that the parameters of an `ESN` describe, for I inputs and O fed-back outputs.

    Every kind of weight has a random stream of its own, so that changing one leaves the others as they were.
    """
    units, pattern = p.units, p.input_weights
    recurrent, into, bias, back, start = seed.spawn(5)
    matrix = recurrent_matrix(p, recurrent)
    others = pattern if isinstance(pattern, str) else "uniform"  # a matrix of the user's own is for the inputs
    inputs = drive_weights(pattern, units, n_inputs, p.input_density, into)
    constant = drive_weights(others, units, 1, 1.0, bias, offset=units * n_inputs)[:, 0]
    feedback = drive_weights(others, units, n_outputs, 1.0, back, offset=units * (n_inputs + 1))
    state = p.initial_state
    if isinstance(state, str):
        state = np.random.default_rng(start).uniform(-1.0, 1.0, units) if state == "random" else np.zeros(units)
    dtype = np.dtype(p.dtype)
    return Reservoir(
        matrix=matrix,
        input_weights=inputs * per_channel(p.input_scaling, n_inputs, "input_scaling"),
        feedback_weights=feedback * per_channel(p.feedback_scaling, n_outputs, "feedback_scaling"),
        bias=constant * per_channel(p.bias_scaling, units, "bias_scaling"),
        leak=per_channel(p.leak_rate, units, "leak_rate"),
        initial_state=per_channel(state, units, "initial_state").astype(dtype),
        activation=p.activation,
        dtype=dtype,
    )
