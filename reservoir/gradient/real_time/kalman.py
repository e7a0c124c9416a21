"""Training by the extended Kalman filter (Puskorius & Feldkamp, IEEE Trans. Neural Networks 5, 1994).

The weights w, with the covariance P, are the state of a system that changes by a little noise alone; the targets are noisy
measurements of the outputs. A measurement with error e, Jacobian H = dy/dw (M, P) and unit noise gives

    A = (I + H P H')^-1,   K = P H' A,   w += K e,   P += q I - K H P.

Only the ratios of P and q to the noise of the measurement matter, so the noise is 1 and P(0) and q are parameters. H comes from
the `sensitivities`, exact except for the changes of the weights along a sequence. All sequences of a batch are measured
together, at every step or after k1 steps (multi-stream training, Feldkamp & Puskorius, Proc. IEEE 86, 1998). P continues from
batch to batch and from epoch to epoch.

Decoupled, P has a block for each node and nothing between blocks: the weights into a unit, through all its gates, or into
an output; the unit's own normalization; the vector of a symbol. A is still one matrix for all outputs.

With cross-entropy the noise is that of a draw of the class from the network's probabilities p, of covariance
C C' = diag(p) - p p', C = diag(sqrt p) - p sqrt(p)'. Divided by C, the measurement has unit noise, the error (d - p) / sqrt p
and the Jacobian C' dz/dw, where z are the logits: the filter is natural gradient descent with a memory (Ollivier, Electronic
Journal of Statistics 12, 2018).
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy.linalg
import scipy.special
from numpy.random import Generator

from reservoir.gradient.network import Batch, ForwardPass, Network, State, Weights, forward, loss_of
from reservoir.gradient.optimizers import global_norm
from reservoir.gradient.real_time.learner import RealTimeLearner, refuse_more, shares
from reservoir.gradient.real_time.sensitivities import Sensitivities, n_below, offsets
from reservoir.gradient.training import Training
from reservoir.kernels.kalman import multiply_blocks, shrink_blocks

LEAST_PROBABILITY = 1e-12


class Measured(NamedTuple):
    """The Jacobian (M, O, P) of outputs, and (M, O): the outputs, their targets, the gradient of the loss by them."""

    jacobian: np.ndarray
    outputs: np.ndarray
    targets: np.ndarray
    gradient: np.ndarray


class Covariance:
    """P in `blocks`, one vector; `groups` holds the weights of each block, every weight once."""

    def __init__(self, groups: list[np.ndarray], variance: float) -> None:
        self.order = np.concatenate(groups)
        self.borders = np.cumsum([0, *(len(group) for group in groups)])
        self.blocks = np.concatenate([np.eye(len(group)).ravel() for group in groups]) * variance

    def update(self, weights: np.ndarray, jacobian: np.ndarray, error: np.ndarray, process: float) -> None:
        """Update `weights` and P by a measurement of unit noise, `error` (M,) with `jacobian` (M, P).

        Raises `numpy.linalg.LinAlgError` where numbers are no longer finite.
        """
        rows = np.ascontiguousarray(jacobian[:, self.order])
        products = np.empty_like(rows)
        multiply_blocks(self.blocks, self.borders, rows, products)
        inverse = products @ rows.T
        inverse[np.diag_indices_from(inverse)] += 1.0
        root = np.linalg.cholesky(inverse)  # A = (root root')^-1, so that K H P is factor' factor
        both = scipy.linalg.solve_triangular(root, np.column_stack([products, error]), lower=True, check_finite=False)
        factor = np.ascontiguousarray(both[:, :-1])
        weights[self.order] += both[:, -1] @ factor
        shrink_blocks(self.blocks, self.borders, factor, process)


def node_groups(network: Network) -> list[np.ndarray]:
    """Return the weights of each node, as indices of the vector: symbols, units from the lowest layer up, outputs."""
    starts, groups = offsets(network), []
    if network.symbols is not None and network.symbols.size is not None:
        shape = network.shapes["symbols"]
        groups += list(starts["symbols"] + np.arange(np.prod(shape)).reshape(shape))
    for layer in network.layers:
        indices, units = [], []
        for name, shape in layer.shapes().items():
            indices.append(starts[name] + np.arange(np.prod(shape, dtype=int)))
            units.append(layer.cell.units_fed(name.rpartition(".")[2], layer.n_inputs))
        where, unit = np.concatenate(indices), np.concatenate(units)
        groups += [where[unit == j] for j in range(layer.cell.units)]
    for norm in network.norms:
        groups += [np.array([starts[name] + j for name in norm.shapes()]) for j in range(norm.size)]
    rows = np.append(starts["head.weights"] + network.n_outputs * np.arange(network.layers[-1].n_outputs), starts["head.bias"])
    return groups + [rows + o for o in range(network.n_outputs)]


def output_jacobian(network: Network, weights: Weights, along: Sensitivities, read: np.ndarray) -> np.ndarray:
    """dy/dw (n, O, P) of the outputs of the first n sequences, whose head reads `read` (n, H) at this step."""
    head, below = weights.arrays["head.weights"], n_below(network)
    n, width = read.shape
    found = np.zeros((n, network.n_outputs, network.n_weights))
    for o in range(network.n_outputs):
        found[:, o, :below] = along.along(np.broadcast_to(head[:, o], read.shape))
        found[:, o, below + o : below + width * network.n_outputs : network.n_outputs] = read
        found[:, o, below + width * network.n_outputs + o] = 1.0
    return found


def whitened(measured: Measured, loss: str) -> tuple[np.ndarray, np.ndarray]:
    """Jacobian (M * O, P) and error (M * O,) of a measurement of unit noise."""
    jacobian, error = measured.jacobian, measured.targets - measured.outputs
    if loss == "cross_entropy":
        p = scipy.special.softmax(measured.outputs, axis=1).clip(LEAST_PROBABILITY)
        p /= p.sum(axis=1, keepdims=True)
        root = np.sqrt(p)
        error = (measured.targets - p) / root
        jacobian = root[:, :, None] * (jacobian - np.einsum("mo,mop->mp", p, jacobian)[:, None])
    return jacobian.reshape(error.size, -1), error.ravel()


class KalmanLearner(RealTimeLearner):
    """Updates by the extended Kalman filter, after every k1 steps (1 where `truncation` is None) or sequence.

    The learning rate is ignored, but the variance of the process noise follows its schedule.
    """

    remedy: ClassVar[str] = "lower training.kalman_covariance or training.kalman_process"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.covariance = Covariance(weight_groups(self.network, self.settings), self.settings.kalman_covariance)
        self.state = self.covariance.blocks
        self.measured: dict[int, Measured] = {}

    @classmethod
    def check(cls, network: Network, settings: Training) -> None:
        """See `Learner`."""
        super().check(network, settings)
        numbers = sum(len(group) ** 2 for group in weight_groups(network, settings))
        refuse_more(8 * numbers, network, settings, "the covariance of its")

    def default_every(self, n_steps: int) -> int:
        """Return the steps between updates where `truncation` is None: one, or all for one output per sequence."""
        return 1 if self.network.reading == "step" else n_steps

    def prepare(self, parts: list[Batch], first: int) -> None:
        """See `Learner`; earlier measurements are dropped."""
        super().prepare(parts, first)
        self.measured.clear()

    def part(self, index: int, part: Batch, state: State | None, first: int, generator: Any) -> tuple[float, ForwardPass]:
        """See `Learner`; keeps the measurement."""
        network, (weights, room), along = self.network, self.rooms[index], self.carried[index]
        run = forward(network, weights, part, state, first)
        value, gradient = loss_of(run.outputs, part, self.loss)
        counts = part.loss_weights > 0.0
        jacobian = self._jacobian(run, weights, along, counts)
        kept = (array[counts].astype(np.float64) for array in (run.outputs, part.targets, gradient))
        measured = self.measured[index] = Measured(jacobian, *kept)
        room.vector[:] = np.tensordot(measured.gradient, jacobian, 2)
        return value, run

    def _jacobian(self, run: ForwardPass, weights: Weights, along: Sensitivities, counts: np.ndarray) -> np.ndarray:
        """dy/dw (M, O, P) of the outputs that count, in their order."""
        network, found = self.network, []
        per_step = network.reading == "step"
        weight = counts if per_step else shares(network, run)
        total = np.zeros((0 if per_step else len(counts), network.n_outputs, network.n_weights))
        for t, n in enumerate(run.steps.active):
            along.forward_step(run, t)
            if weight[t].any():
                jacobian = output_jacobian(network, weights, along, run.top[t, :n])
                if per_step:
                    found.append(jacobian[counts[t, :n]])
                else:
                    total[:n] += weight[t, :n, None, None] * jacobian
        return np.concatenate([total, *found])

    def update(self, step: int, rate: float, noise: Generator | None) -> float:
        """Make one step of the filter; return the norm of the loss's gradient."""
        parts = [self.measured[index] for index in sorted(self.measured)]
        measured = Measured(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
        process = self.settings.kalman_process * rate / self.settings.learning_rate
        with np.errstate(over="ignore", invalid="ignore"):
            try:
                self.covariance.update(self.weights.vector, *whitened(measured, self.loss), process)
            except np.linalg.LinAlgError:  # the next loss shows it
                self.weights.vector[:] = np.nan
        return global_norm(self.rooms[0][1].vector)


def weight_groups(network: Network, settings: Training) -> list[np.ndarray]:
    """Return the weights of each block of the covariance."""
    return node_groups(network) if settings.algorithm == "ekf_decoupled" else [np.arange(network.n_weights)]
