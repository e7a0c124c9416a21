"""Slow twins of the library, loop by loop from the equations. Nothing here imports `reservoir`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import mpmath
import numpy as np

Vector = np.ndarray
PARTS = ("bias", "input", "output", "square", "state")


# W @ x


def diagonals_product(values: np.ndarray, shifts: Sequence[int], x: Vector) -> Vector:
    """W[i, (i + s_k) mod N] = values[k, i]."""
    n = len(x)
    out = np.zeros(n)
    for i in range(n):
        for k in range(len(shifts)):
            out[i] += float(values[k][i]) * float(x[(i + int(shifts[k])) % n])
    return out


def csr_product(values: Vector, columns: Sequence[int], pointers: Sequence[int], x: Vector) -> Vector:
    out = np.zeros(len(pointers) - 1)
    for i in range(len(out)):
        for j in range(int(pointers[i]), int(pointers[i + 1])):
            out[i] += float(values[j]) * float(x[int(columns[j])])
    return out


def dense_product(matrix: np.ndarray, x: Vector) -> Vector:
    out = np.zeros(len(matrix))
    for i in range(len(matrix)):
        for j in range(len(x)):
            out[i] += float(matrix[i, j]) * float(x[j])
    return out


def diagonals_matrix(values: np.ndarray, shifts: Sequence[int]) -> np.ndarray:
    n = np.shape(values)[1]
    matrix = np.zeros((n, n))
    for k in range(len(shifts)):
        for i in range(n):
            matrix[i, (i + int(shifts[k])) % n] += values[k][i]
    return matrix


# The reservoir


def sigmoid(a: float) -> float:
    return 1.0 / (1.0 + math.exp(-a)) if a >= 0.0 else math.exp(a) / (1.0 + math.exp(a))


ACTIVATIONS: dict[str, Callable[[float], float]] = {
    "identity": lambda a: a,
    "tanh": math.tanh,
    "sigmoid": sigmoid,
    "relu": lambda a: max(a, 0.0),
}


class Network(NamedTuple):
    """x(t) = (1 - a) x(t-1) + a f(W x(t-1) + W_in u(t) + W_fb y(t-1) + b)."""

    recurrent: np.ndarray  # (N, N)
    inputs: np.ndarray  # (N, I)
    feedback: np.ndarray  # (N, O)
    bias: Vector  # (N,)
    leak: Vector  # (N,)
    activation: str
    start: Vector  # (N,)


def network_of(esn: Any) -> Network:
    """The equations' symbols, read off the public attributes of an estimator."""
    matrix = esn.recurrent_weights_
    n = esn.units
    start = np.zeros(n) if isinstance(esn.initial_state, str) else np.asarray(esn.initial_state, dtype=float)
    return Network(
        matrix.toarray() if hasattr(matrix, "toarray") else matrix,
        esn.input_weights_,
        esn.feedback_weights_,
        esn.bias_,
        np.zeros(n) + np.asarray(esn.leak_rate, dtype=float),
        esn.activation,
        start,
    )


def step(network: Network, x: Vector, u: Vector, y: Vector) -> Vector:
    """One state from the last, for the input u and the fed-back output y."""
    new = np.zeros(len(x))
    for i in range(len(x)):
        a = float(network.bias[i])
        a += sum(float(w) * float(value) for w, value in zip(network.recurrent[i], x, strict=True) if w)
        a += sum(float(w) * float(value) for w, value in zip(network.inputs[i], u, strict=True))
        if network.feedback.shape[1]:
            a += sum(float(w) * float(value) for w, value in zip(network.feedback[i], y, strict=True))
        leak = float(network.leak[i])
        new[i] = (1.0 - leak) * float(x[i]) + leak * ACTIVATIONS[network.activation](a)
    return new


def drive(network: Network, inputs: np.ndarray, forced: np.ndarray | None = None, noise: np.ndarray | None = None) -> np.ndarray:
    """States (T, N) along inputs (T, I) and, with feedback, the targets (T, O) fed back one step late."""
    x = np.array(network.start, dtype=float)
    states = np.zeros((len(inputs), len(x)))
    for t in range(len(inputs)):
        y = np.zeros(network.feedback.shape[1]) if t == 0 or forced is None else forced[t - 1]
        x = step(network, x, inputs[t], y)
        if noise is not None:
            x = x + noise[t]
        states[t] = x
    return states


def features(parts: Sequence[str], u: Vector, last: Vector, x: Vector) -> Vector:
    """What the readout sees at one step, in the documented order."""
    seen = {"bias": [1.0], "input": u, "output": last, "square": [value * value for value in x], "state": x}
    return np.array([value for part in PARTS if part in parts for value in seen[part]], dtype=float)


def feature_rows(network: Network, parts: Sequence[str], inputs: np.ndarray, targets: np.ndarray | None = None) -> np.ndarray:
    """(T, F), the targets teacher-forced."""
    states = drive(network, inputs, targets)
    none = np.zeros(0) if targets is None else np.zeros(targets.shape[1])
    last = [none if t == 0 or targets is None else targets[t - 1] for t in range(len(inputs))]
    return np.array([features(parts, inputs[t], last[t], states[t]) for t in range(len(inputs))])


class Final(NamedTuple):
    """Where a free run begins or ends."""

    x: Vector
    y: Vector


def free_run(
    network: Network, parts: Sequence[str], weights: np.ndarray, begin: Final, steps: int, inputs: Any = None
) -> tuple[np.ndarray, Final]:
    """Outputs (steps, O) of a network that is fed its own outputs: as y(t-1), and as u(t) unless `inputs` are given."""
    x, y = begin
    outputs = np.zeros((steps, len(weights)))
    for t in range(steps):
        u = y[: network.inputs.shape[1]] if inputs is None else inputs[t]
        x = step(network, x, u, y)
        y = weights @ features(parts, u, y, x)
        outputs[t] = y
    return outputs, Final(x, y)


def forecast(network: Network, parts: Sequence[str], weights: np.ndarray, history: np.ndarray, steps: int) -> np.ndarray:
    """Continue a history (T, O) that was the input of a one-step-ahead predictor (or, without inputs, its output)."""
    y = np.zeros(history.shape[1])
    x = np.array(network.start, dtype=float)
    for t in range(len(history)):
        u = history[t][: network.inputs.shape[1]]
        if network.inputs.shape[1]:  # the output wanted at t - 1 was history[t]
            last = np.zeros_like(y) if t == 0 else history[t]
        else:
            last = np.zeros_like(y) if t == 0 else history[t - 1]
        x = step(network, x, u, last)
        y = weights @ features(parts, u, last, x)
    if not network.inputs.shape[1]:
        return free_run(network, parts, weights, Final(x, history[-1]), steps)[0]
    return np.concatenate([[y], free_run(network, parts, weights, Final(x, y), steps - 1)[0]])


def forecast_known(
    network: Network, parts: Sequence[str], weights: np.ndarray, history: np.ndarray, past: np.ndarray, future: np.ndarray
) -> np.ndarray:
    """Continue the targets (T, O) of known inputs `past` (T, I): the step that gives y(t + 1) reads u(t + 1) and y(t)."""
    x = drive(network, past, history)[-1]
    return free_run(network, parts, weights, Final(x, history[-1]), len(future), future)[0]


# Readouts: rows of features (T, F), rows of targets (T, O), coefficients (F, O)


def ridge(features: np.ndarray, targets: np.ndarray, penalty: float, bias: bool) -> np.ndarray:
    """Least squares on the system with sqrt(penalty) I below it, without a row for the bias; minimum norm if several."""
    f = features.shape[1]
    below = np.sqrt(penalty) * np.eye(f)[int(bias) :]
    system = np.concatenate([features, below])
    return np.linalg.lstsq(system, np.concatenate([targets, np.zeros((len(below), targets.shape[1]))]), rcond=None)[0]


def leave_one_out(features: np.ndarray, targets: np.ndarray, penalty: float, bias: bool) -> float:
    """Mean squared error of each row by a fit to the others."""
    errors = []
    for t in range(len(features)):
        others = np.arange(len(features)) != t
        coefficients = ridge(features[others], targets[others], penalty, bias)
        errors.append(np.mean((targets[t] - features[t] @ coefficients) ** 2))
    return float(np.mean(errors))


def recursive_least_squares(
    features: np.ndarray, targets: np.ndarray, forgetting: float, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (F, O) and P after every row was learned once."""
    f = features.shape[1]
    inverse, weights = np.eye(f) / penalty, np.zeros((f, targets.shape[1]))
    for z, y in zip(features, targets, strict=True):
        gain = inverse @ z / (forgetting + z @ inverse @ z)
        weights = weights + np.outer(gain, y - z @ weights)
        inverse = (inverse - np.outer(gain, z @ inverse)) / forgetting
    return weights, inverse


def weighted_least_squares(features: np.ndarray, targets: np.ndarray, forgetting: float, penalty: float) -> np.ndarray:
    """Minimize sum forgetting^(T-1-t) |y(t) - B^T z(t)|^2 + forgetting^T penalty |B|^2, the bias penalized too."""
    rows = len(features)
    root = np.array([forgetting ** ((rows - 1 - t) / 2) for t in range(rows)])[:, None]
    return ridge(features * root, targets * root, forgetting**rows * penalty, bias=False)


def least_mean_squares(features: np.ndarray, targets: np.ndarray, rate: float, normalized: bool) -> np.ndarray:
    weights = np.zeros((features.shape[1], targets.shape[1]))
    for z, y in zip(features, targets, strict=True):
        if normalized and not z.any():
            continue
        error = y - z @ weights
        weights = weights + (rate / (z @ z) if normalized else rate) * np.outer(z, error)
    return weights


# Numbers


def pi_digits(count: int) -> list[int]:
    """The decimal digits of pi after the point."""
    with mpmath.workdps(count + 20):
        return [int(digit) for digit in mpmath.nstr(mpmath.pi, count + 10)[2 : 2 + count]]


def exactly(name: str, x: float) -> mpmath.mpf:
    """tanh or the sigmoid of a float, to 60 digits and more."""
    with mpmath.workdps(60):
        if name == "tanh":
            return mpmath.tanh(mpmath.mpf(x))
        return 1 / (1 + mpmath.exp(-mpmath.mpf(x)))


def ulps(value: Any, exact: mpmath.mpf) -> float:
    """|value - exact| in units of the last place of the float nearest to `exact`."""
    kind = type(value)
    spacing = np.spacing(np.abs(kind(float(exact))))
    with mpmath.workdps(60):
        return float(abs(mpmath.mpf(float(value)) - exact) / mpmath.mpf(float(spacing)))


def spectral_radius(matrix: np.ndarray) -> float:
    return float(np.abs(np.linalg.eigvals(matrix)).max())
