"""Slow twins of the recurrent cells, number by number from the equations. Nothing here imports `reservoir`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from naive import ACTIVATIONS, sigmoid

Vector = list[float]
Arrays = Mapping[str, np.ndarray]
Step = Callable[[Arrays, Vector, list[Vector], int], list[Vector]]
"""(weights, x(t), the states at t - 1, t) -> the states at t, the output first."""


def columns(matrix: np.ndarray, gate: int, units: int) -> np.ndarray:
    """The part of W, U or b that belongs to a gate."""
    return matrix[..., gate * units : (gate + 1) * units]


def product(x: Sequence[float], matrix: np.ndarray) -> Vector:
    """x M, for a row vector x."""
    out = [0.0] * matrix.shape[1]
    for i in range(len(x)):
        for j in range(matrix.shape[1]):
            out[j] += float(x[i]) * float(matrix[i, j])
    return out


def total(*parts: Sequence[float]) -> Vector:
    return [sum(float(value) for value in values) for values in zip(*parts, strict=True)]


def times(a: Sequence[float], b: Sequence[float]) -> Vector:
    return [float(x) * float(y) for x, y in zip(a, b, strict=True)]


def each(f: Callable[[float], float], values: Sequence[float]) -> Vector:
    return [f(value) for value in values]


def elman(activation: str) -> Step:
    def step(w: Arrays, x: Vector, states: list[Vector], t: int) -> list[Vector]:
        a = total(product(x, w["input_weights"]), product(states[0], w["recurrent_weights"]), w["bias"])
        return [each(ACTIVATIONS[activation], a)]

    return step


def indrnn(activation: str) -> Step:
    def step(w: Arrays, x: Vector, states: list[Vector], t: int) -> list[Vector]:
        a = total(product(x, w["input_weights"]), times(w["recurrent_weights"], states[0]), w["bias"])
        return [each(ACTIVATIONS[activation], a)]

    return step


def pre_activation(w: Arrays, x: Vector, h: Vector, gate: int) -> Vector:
    """x W_g + h U_g + b_g."""
    units = len(h)
    parts = [columns(w[name], gate, units) for name in ("input_weights", "recurrent_weights", "bias")]
    return total(product(x, parts[0]), product(h, parts[1]), parts[2])


def lstm(peepholes: bool) -> Step:
    def step(w: Arrays, x: Vector, states: list[Vector], t: int) -> list[Vector]:
        h, c = states
        p = w["peepholes"] if peepholes else np.zeros((3, len(h)))
        i = each(sigmoid, total(pre_activation(w, x, h, 0), times(p[0], c)))
        f = each(sigmoid, total(pre_activation(w, x, h, 1), times(p[1], c)))
        g = each(math.tanh, pre_activation(w, x, h, 3))
        c = total(times(f, c), times(i, g))
        o = each(sigmoid, total(pre_activation(w, x, h, 2), times(p[2], c)))
        return [times(o, each(math.tanh, c)), c]

    return step


def gru(reset: str) -> Step:
    def step(w: Arrays, x: Vector, states: list[Vector], t: int) -> list[Vector]:
        h = states[0]
        z = each(sigmoid, pre_activation(w, x, h, 0))
        r = each(sigmoid, pre_activation(w, x, h, 1))
        w_n, u_n, b_n = (columns(w[name], 2, len(h)) for name in ("input_weights", "recurrent_weights", "bias"))
        before = reset == "before"
        read = product(times(r, h), u_n) if before else times(r, total(product(h, u_n), w["recurrent_bias"]))
        n = each(math.tanh, total(product(x, w_n), read, b_n))
        return [[(1.0 - z[j]) * n[j] + z[j] * h[j] for j in range(len(h))]]

    return step


def mgu() -> Step:
    def step(w: Arrays, x: Vector, states: list[Vector], t: int) -> list[Vector]:
        h = states[0]
        f = each(sigmoid, pre_activation(w, x, h, 0))
        c = each(math.tanh, pre_activation(w, x, times(f, h), 1))
        return [[(1.0 - f[j]) * h[j] + f[j] * c[j] for j in range(len(h))]]

    return step


def module_sizes(units: int, modules: int) -> list[int]:
    """As even as can be, the larger ones first."""
    sizes = [0] * modules
    for unit in range(units):
        sizes[unit % modules] += 1
    return sizes


def clockwork_matrix(packed: np.ndarray, units: int, modules: int) -> tuple[np.ndarray, list[int]]:
    """The (H, H) matrix, row from, column to, of the packed weights, and the module of each unit.

    Packed, module by module: a row for each unit of that module and of the slower ones, a column for each of its own units.
    """
    module = [m for m, size in enumerate(module_sizes(units, modules)) for _ in range(size)]
    matrix, values = np.zeros((units, units)), iter(packed)
    for m in range(modules):
        for i in range(units):
            for j in range(units):
                if module[j] == m and module[i] >= m:
                    matrix[i, j] = next(values)
    assert next(values, None) is None
    return matrix, module


def clockwork(periods: Sequence[int], activation: str) -> Step:
    def step(w: Arrays, x: Vector, states: list[Vector], t: int) -> list[Vector]:
        h = states[0]
        matrix, module = clockwork_matrix(w["recurrent_weights"], len(h), len(periods))
        a = total(product(x, w["input_weights"]), product(h, matrix), w["bias"])
        return [[ACTIVATIONS[activation](a[j]) if t % periods[module[j]] == 0 else float(h[j]) for j in range(len(h))]]

    return step


def run(step: Step, weights: Arrays, inputs: np.ndarray, initial: np.ndarray, lengths: Sequence[int], first: int = 0) -> Any:
    """States (n_states, T + 1, B, H) along inputs (T, B, n_inputs) from initial (n_states, B, H).

    A sequence that has ended keeps its state.
    """
    steps, batch, _ = inputs.shape
    states = np.zeros((len(initial), steps + 1, *initial.shape[1:]))
    states[:, 0] = initial
    for b in range(batch):
        for t in range(steps):
            new = [row[t, b].tolist() for row in states]
            if t < lengths[b]:
                new = step(weights, inputs[t, b].tolist(), new, first + t)
            states[:, t + 1, b] = new
    return states
