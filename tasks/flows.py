"""Free runs of differential equations: Mackey-Glass, Lorenz, Roessler, Kuramoto-Sivashinsky."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from reservoir.metrics import nrmse84
from reservoir.tasks.base import Data, Split
from reservoir.tasks.forecasts import Chaos, FreeRun, training_mean
from reservoir.tasks.settings import DEEP_TANH, FAST, FLOW, epochs, given
from reservoir.validation import Number

Flow = Callable[[float, float, float], tuple[float, float, float]]


def rk4(flow: Flow, state: tuple[float, float, float], time_step: float, steps: int) -> np.ndarray:
    """The (steps, 3) states after each classical Runge-Kutta step; written out, floats are far faster than arrays."""
    x, y, z = state
    half, sixth = time_step / 2.0, time_step / 6.0
    states = []
    for _ in range(steps):
        x1, y1, z1 = flow(x, y, z)
        x2, y2, z2 = flow(x + half * x1, y + half * y1, z + half * z1)
        x3, y3, z3 = flow(x + half * x2, y + half * y2, z + half * z2)
        x4, y4, z4 = flow(x + time_step * x3, y + time_step * y3, z + time_step * z3)
        x += sixth * (x1 + 2.0 * (x2 + x3) + x4)
        y += sixth * (y1 + 2.0 * (y2 + y3) + y4)
        z += sixth * (z1 + 2.0 * (z2 + z3) + z4)
        states.append((x, y, z))
    return np.array(states)


def mackey_glass(tau: int, length: int, generator: np.random.Generator, transient: int = 3000) -> np.ndarray:
    """The (length,) series x of the Mackey-Glass equation, one sample per unit of time, not yet squashed.

    Euler steps of .1 from a history of 1.2 with uniform noise in +-.1; the first `transient` samples are dropped.
    """
    values: list[float] = (1.2 + generator.uniform(-0.1, 0.1, 10 * tau + 1)).tolist()
    # The list begins 10 tau steps before the first one: step n finds its delayed value at n.
    for n in range(10 * (transient + length)):
        delayed, x = values[n], values[-1]
        values.append(x + 0.1 * (0.2 * delayed / (1.0 + delayed**10) - 0.1 * x))
    return np.array(values[10 * tau + 1 :])[9::10][transient:]


@lru_cache
def mackey_glass_variance(tau: int) -> float:
    """The variance of tanh(x - 1) over 50,000 samples."""
    return float(np.var(np.tanh(mackey_glass(tau, 50_000, np.random.default_rng(0)) - 1.0)))


@dataclass(frozen=True)
class MackeyGlass(FreeRun):
    """Continue the chaotic Mackey-Glass series for 84 steps.

    x'(t) = .2 x(t - tau) / (1 + x(t - tau)^10) - .1 x(t), by Euler steps of .1, of which every tenth is kept; the series is
    tanh(x - 1). (Fourth-order steps of 1 with the delayed term frozen give another series.) Source: Mackey & Glass 1977; Jaeger
    2001, GMD report 148, section 6; Jaeger & Haas 2004, Science 304.

    Metric: nrmse84, sqrt(sum e^2 / (n variance)) of the 84th step over the starts, with the variance of 50,000 samples.
    Baseline: the mean of the training series (persistence is worse). Training lengths include the washout.
    """

    train_length: int = 3000
    washout: int = 1000
    history: int = 1000
    steps: int = 84
    starts: int = 50
    tau: int = 17

    name = "mackey-glass"
    metric = "nrmse84"
    baseline_name = "the mean of the training data"
    scored_step = 84
    published = (
        "nrmse84 2.8e-4 with 400 units and 3,000 training steps, 1.2e-4 with 21,000 (Jaeger 2001, GMD 148); "
        "6.3e-5 with 1,000 units (Jaeger & Haas 2004); tau = 17"
    )
    constraints = FreeRun.constraints | given(steps=Number(low=84, integer=True), tau=Number(low=5, high=100, integer=True))
    tuned = given(
        esn=given(units=1000, density=0.01, spectral_radius=1.03, leak_rate=0.52, input_scaling=0.75, bias_scaling=0.65,
                  readout_from=["bias", "input", "state", "square"], readout__ridge=1e-15),
        gradient=FLOW | given(washout=50, training__window=150), clockwork=FAST | given(units=64), indrnn=DEEP_TANH,
    )  # fmt: skip

    @property
    def portrait_lag(self) -> int:
        """The delay of the equation."""
        return self.tau

    def record(self, length: int, generator: np.random.Generator) -> np.ndarray:
        """A record (length, 1) of tanh(x - 1), from a random initial history."""
        return np.tanh(mackey_glass(self.tau, length, generator) - 1.0)[:, None]

    def facts(self) -> dict[str, Any]:
        """What the score is scaled with."""
        return {"variance": mackey_glass_variance(self.tau)}

    def score(self, predictions: Any, data: Data) -> float:
        """The NRMSE of the 84th step."""
        return nrmse84(np.stack(predictions), np.stack(list(data.test.targets)), data.info["variance"])

    def scores(self, predictions: Any, data: Data) -> dict[str, float]:
        """The NRMSE of the 84th step, and its decimal logarithm, as Jaeger & Haas print it."""
        score = self.score(predictions, data)
        with np.errstate(divide="ignore"):
            return {"nrmse84": score, "log10_nrmse84": float(np.log10(score))}

    def baseline(self, data: Data) -> float:
        """The score of the mean of the training series."""
        return self.score(training_mean(data), data)


@dataclass(frozen=True)
class Lorenz(Chaos):
    """Continue the Lorenz attractor, seen in all three variables.

    x' = 10 (y - x), y' = x (28 - z) - y, z' = x y - 8/3 z, by Runge-Kutta steps of .01. Source: Lorenz 1963; training of 100
    units of time and spin-up of 200 steps as in Platt et al. 2022, Neural Networks 153.

    Metric: vpt, the mean valid prediction time of the starts in Lyapunov times (exponent .906 per unit of time, Sprott 2003).
    Baseline: persistence, the last value of each history. The longest score is 18.1 (2,000 steps).
    """

    train_length: int = 10_000
    washout: int = 200
    history: int = 200
    steps: int = 2000
    starts: int = 30

    name = "lorenz"
    slow = ("gradient",)
    time_step = 0.01
    lyapunov = 0.906
    spread = (7.92, 9.01, 8.63)
    tuned = given(
        esn=given(units=500, spectral_radius=0.7, leak_rate=0.55, input_scaling=0.064, bias_scaling=1.4, readout__ridge=1e-11,
                  washout=200),
        gradient=FLOW, clockwork=FAST, indrnn=DEEP_TANH,
    )  # fmt: skip

    def record(self, length: int, generator: np.random.Generator) -> np.ndarray:
        """A record (length, 3) of x, y, z, after 20 units of time from a random start."""
        x, y, z = generator.uniform(-10.0, 10.0, 3).tolist()
        return rk4(_lorenz, (x, y, z + 25.0), self.time_step, 2000 + length)[2000:]


def _lorenz(x: float, y: float, z: float) -> tuple[float, float, float]:
    return 10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z


@dataclass(frozen=True)
class Rossler(Chaos):
    """Continue the Roessler attractor, seen in all three variables.

    x' = -y - z, y' = x + .2 y, z' = .2 + z (x - 5.7), by Runge-Kutta steps of .1 (59 a turn). Source: Roessler 1976.

    Metric: vpt, the mean valid prediction time of the starts in Lyapunov times (exponent .0714 per unit of time, Sprott 2003).
    Baseline: persistence, the last value of each history. The longest score is 14.3 (2,000 steps).
    """

    train_length: int = 5000
    washout: int = 200
    history: int = 200
    steps: int = 2000
    starts: int = 20

    name = "rossler"
    time_step = 0.1
    lyapunov = 0.0714
    spread = (5.14, 4.83, 2.86)
    tuned = given(
        esn=given(units=500, spectral_radius=0.76, leak_rate=0.55, input_scaling=0.032, bias_scaling=0.76, readout__ridge=1e-12,
                  washout=200),
        gradient=FLOW, clockwork=FAST, indrnn=DEEP_TANH,
    )  # fmt: skip

    def record(self, length: int, generator: np.random.Generator) -> np.ndarray:
        """A record (length, 3) of x, y, z, after 200 units of time from a random start."""
        x, y = generator.uniform(-4.0, 4.0, 2).tolist()
        return rk4(_rossler, (x, y, 0.0), self.time_step, 2000 + length)[2000:]


def _rossler(x: float, y: float, z: float) -> tuple[float, float, float]:
    return -y - z, x + 0.2 * y, 0.2 + z * (x - 5.7)


def etdrk4(fields: np.ndarray, length: float, time_step: float, steps: int) -> np.ndarray:
    """Kuramoto-Sivashinsky fields after each step: (..., Q) initial fields, of period `length`, give (steps, ..., Q).

    Exponential time differencing of order four (Cox & Matthews 2002; Kassam & Trefethen 2005, SIAM J. Sci. Comput. 26).
    """
    points = fields.shape[-1]
    wave = 2.0 * np.pi / length * np.arange(points // 2 + 1)
    full, half, q, f1, f2, f3 = _etdrk4_coefficients(wave**2 - wave**4, time_step)

    def nonlinear(spectrum: np.ndarray) -> np.ndarray:
        return -0.5j * wave * np.fft.rfft(np.square(np.fft.irfft(spectrum, points)))

    v = np.fft.rfft(fields)
    record = np.empty((steps, *fields.shape))
    for step in range(steps):
        nv = nonlinear(v)
        a = half * v + q * nv
        na = nonlinear(a)
        b = half * v + q * na
        nb = nonlinear(b)
        c = half * a + q * (2.0 * nb - nv)
        v = full * v + f1 * nv + 2.0 * f2 * (na + nb) + f3 * nonlinear(c)
        record[step] = np.fft.irfft(v, points)
    return record


def _etdrk4_coefficients(linear: np.ndarray, time_step: float) -> list[np.ndarray]:
    """exp(Lh), exp(Lh/2), Q, f1, f2, f3; the last four as means over a circle around Lh, where nothing cancels."""
    z = time_step * linear[:, None] + np.exp(1j * np.pi * (np.arange(1, 33) - 0.5) / 32)
    e = np.exp(z)
    formulas = (
        (np.exp(z / 2.0) - 1.0) / z,
        (-4.0 - z + e * (4.0 - 3.0 * z + z**2)) / z**3,
        (2.0 + z + e * (z - 2.0)) / z**3,
        (-4.0 - 3.0 * z - z**2 + e * (4.0 - z)) / z**3,
    )
    means = [time_step * formula.mean(axis=1).real for formula in formulas]
    return [np.exp(time_step * linear), np.exp(time_step * linear / 2.0), *means]


@dataclass(frozen=True)
class KuramotoSivashinsky(Chaos):
    """Continue a chaotic field in space and time, seen at 64 points.

    u_t = -u u_x - u_xx - u_xxxx, periodic in x with L = 22, zero mean, on Q = 64 points, by `etdrk4` with steps of .25.
    Source: Kassam & Trefethen 2005; such data in Pathak et al. 2017, Chaos 27.

    Metric: vpt, the mean valid prediction time of the starts in Lyapunov times (exponent .05 per unit of time; this
    discretization has .049). Baseline: persistence, the last field of each history. The longest score is 10.
    """

    train_length: int = 10_000
    washout: int = 200
    history: int = 200
    steps: int = 800
    starts: int = 20

    name = "kuramoto-sivashinsky"
    slow = ("esn", "gradient")
    time_step = 0.25
    lyapunov = 0.05
    spread = (1.19,)
    tuned = given(
        esn=given(units=2000, density=0.003, spectral_radius=0.55, input_scaling=0.056, input_density=0.2, bias_scaling=1.0,
                  readout_from=["bias", "input", "state", "square"], readout__ridge=1.5e-8),
        gradient=FLOW | given(units=128, training__beta2=0.999) | epochs(100),
        clockwork=FAST, indrnn=given(layers=2, activation="tanh"),
    )  # fmt: skip

    def record(self, length: int, generator: np.random.Generator) -> np.ndarray:
        """A record (length, 64) of the field, after 250 units of time from a random start."""
        return self.fields(1, length, generator).reshape(length, 64)

    def windows(self, starts: int, generator: np.random.Generator) -> Split:
        """Histories and continuations, each from a random start of its own; stepping them together is cheap."""
        fields = self.fields(starts, self.history + self.steps, generator)
        return Split(inputs=list(fields[:, : self.history]), targets=list(fields[:, self.history :]))

    def fields(self, count: int, length: int, generator: np.random.Generator) -> np.ndarray:
        """Records (count, length, 64) of independent fields."""
        noise = generator.normal(size=(count, 64))
        record = etdrk4(noise - noise.mean(axis=1, keepdims=True), 22.0, self.time_step, 1000 + length)[1000:]
        return np.ascontiguousarray(record.swapaxes(0, 1))
