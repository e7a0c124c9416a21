"""Slow re-implementations of the systems of the free-run tasks, straight from their equations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp


def mackey_glass(tau: int, past: np.ndarray, samples: int) -> np.ndarray:
    """Euler steps of .1 from a past of 10 tau + 1 values; every tenth step is kept."""
    x = {n - 10 * tau: value for n, value in enumerate(past)}  # x[n] is x(.1 n)
    for n in range(10 * samples):
        delayed = x[n - 10 * tau]
        slope = 0.2 * delayed / (1 + delayed**10) - 0.1 * x[n]
        x[n + 1] = x[n] + 0.1 * slope
    return np.array([x[10 * sample] for sample in range(1, samples + 1)])


def lorenz(_time: float, state: np.ndarray) -> np.ndarray:
    x, y, z = state
    return np.array([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])


def rossler(_time: float, state: np.ndarray) -> np.ndarray:
    x, y, z = state
    return np.array([-y - z, x + 0.2 * y, 0.2 + z * (x - 5.7)])


def rk4(flow: Callable[[float, np.ndarray], np.ndarray], state: np.ndarray, step: float, steps: int) -> np.ndarray:
    states = []
    for _ in range(steps):
        k1 = flow(0.0, state)
        k2 = flow(0.0, state + step / 2 * k1)
        k3 = flow(0.0, state + step / 2 * k2)
        k4 = flow(0.0, state + step * k3)
        state = state + step * (k1 + 2 * k2 + 2 * k3 + k4) / 6
        states.append(state)
    return np.array(states)


def spectral_derivative(field: np.ndarray, length: float, order: int) -> np.ndarray:
    """The derivative of a real periodic field by the full complex transform."""
    wave = 2 * np.pi * np.fft.fftfreq(len(field), length / len(field))
    derivative: np.ndarray = np.fft.ifft((1j * wave) ** order * np.fft.fft(field)).real
    return derivative


def kuramoto_sivashinsky(field: np.ndarray, length: float, time: float) -> np.ndarray:
    """The field a while later, by an implicit adaptive method on the values at the points; u u_x is (u^2 / 2)_x."""

    def slope(_time: float, u: np.ndarray) -> np.ndarray:
        u_xx, u_xxxx = spectral_derivative(u, length, 2), spectral_derivative(u, length, 4)
        change: np.ndarray = -spectral_derivative(u * u / 2, length, 1) - u_xx - u_xxxx
        return change

    result: np.ndarray = solve_ivp(slope, (0.0, time), field, method="Radau", rtol=1e-10, atol=1e-12).y[:, -1]
    return result


def henon(x: float, y: float, steps: int) -> np.ndarray:
    """The first variable of the map of two variables."""
    values = []
    for _ in range(steps):
        x, y = 1 - 1.4 * x**2 + y, 0.3 * x
        values.append(x)
    return np.array(values)


def autocorrelation(values: np.ndarray, lag: int) -> float:
    centered = values - values.mean()
    return float(sum(centered[t] * centered[t + lag] for t in range(len(values) - lag)) / sum(centered**2))


def lyapunov(step: Callable[[np.ndarray], np.ndarray], state: np.ndarray, time: float, repeats: int) -> float:
    """The mean growth rate of a small distance between two trajectories, reset after each `step` of that time."""
    size = 1e-8
    other, total = state + np.array([size, 0.0, 0.0]), 0.0
    for _ in range(repeats):
        state, other = step(state), step(other)
        distance = np.linalg.norm(other - state)
        total += float(np.log(distance / size))
        other = state + (other - state) * size / distance
    return float(total / (repeats * time))
