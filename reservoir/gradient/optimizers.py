"""Optimizers: one update of the weights from their gradient. All state is in the arguments, and is changed in place.

All weights are one contiguous vector (P,), float32 or float64, and so is the gradient. The state is (n_states, P), of the
same type, zero before the first step; weights, state and the number of steps are all that a resumed training needs. Every
optimizer is a kernel and a pure function that turns a `Step` into the numbers of that kernel:
`OPTIMIZERS[name].update(weights, gradient, state, step)` makes one update.

A running mean of squares is divided by 1 - decay^step or 1 - beta2^step, which makes up for its start from zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator

from reservoir.kernels import optimizers as kernels

NOISE_DECAY = 0.55


class Step(NamedTuple):
    """The number of an update, from 1, its learning rate, and the settings of all optimizers, each of which reads its own.

    momentum : in [0, 1), the factor by which the velocity decays
    decay : in [0, 1), the factor by which RMSProp's running mean of squared gradients decays
    beta1, beta2 : in [0, 1), the factors by which Adam's running means of gradients and of their squares decay
    weight_decay : lambda; lambda w is added to the gradient g, the derivative of lambda / 2 |w|^2. AdamW keeps it apart
    epsilon : added to the root of the mean square; far above the least gradient that counts, 1e-18 in single and 1e-150 in
        double precision
    """

    number: int
    rate: float
    momentum: float = 0.9
    decay: float = 0.999
    beta1: float = 0.9
    beta2: float = 0.999
    weight_decay: float = 0.0
    epsilon: float = 1e-8


def sgd(step: Step) -> tuple[float, ...]:
    """Gradient descent: w -= rate g (Robbins & Monro 1951, on gradients of samples).

    >>> weights, gradient = np.array([1.0, 2.0]), np.array([0.5, -1.0])
    >>> OPTIMIZERS["sgd"].update(weights, gradient, np.zeros((0, 2)), Step(1, rate=0.1))
    >>> weights
    array([0.95, 2.1 ])
    """
    return step.rate, step.weight_decay


def momentum(step: Step) -> tuple[float, ...]:
    """Heavy ball (Polyak 1964): v = momentum v + g; w -= rate v.

    The rate multiplies the velocity and not what enters it, so that a new rate takes effect at once.

    >>> weights, state = np.array([1.0]), np.zeros((1, 1))
    >>> for number in (1, 2):  # v = 1, then .9 + 1 = 1.9
    ...     OPTIMIZERS["momentum"].update(weights, np.array([1.0]), state, Step(number, rate=0.1))
    ...     print(weights.round(6), state[0])
    [0.9] [1.]
    [0.71] [1.9]
    """
    return step.rate, step.momentum, step.weight_decay, 0.0


def nesterov(step: Step) -> tuple[float, ...]:
    """Nesterov's momentum (Sutskever, Martens, Dahl & Hinton 2013, eq. 3 and 4): v = momentum v + g; w -= rate (g + momentum v).

    The paper takes the gradient at the point w - rate momentum v ahead of the weights. Here the weights are that point
    (Bengio, Boulanger-Lewandowski & Pascanu 2013), so that gradients are always taken at the weights; at a constant
    rate, w + rate momentum v is the paper's sequence.

    >>> weights, state = np.array([1.0]), np.zeros((1, 1))
    >>> for number in (1, 2):  # 1 - .1 (1 + .9 * 1), then .81 - .1 (1 + .9 * 1.9)
    ...     OPTIMIZERS["nesterov"].update(weights, np.array([1.0]), state, Step(number, rate=0.1))
    ...     print(weights.round(6), state[0])
    [0.81] [1.]
    [0.539] [1.9]
    """
    return *momentum(step)[:-1], 1.0


def rmsprop(step: Step) -> tuple[float, ...]:
    """RMSProp (Tieleman & Hinton 2012): s = decay s + (1 - decay) g^2; w -= rate g / (sqrt(s / (1 - decay^step)) + epsilon).

    The lecture has no division by 1 - decay^step, and a decay of .9. Without it the first steps would be
    1 / sqrt(1 - decay) times too long: 3 times at .9, but 32 times at .999.

    >>> weights, state = np.array([1.0]), np.zeros((1, 1))
    >>> for number, g in enumerate((2.0, 1.0), 1):  # s = .1 * 4, then .9 * .4 + .1: means of 4, and .46 / .19
    ...     OPTIMIZERS["rmsprop"].update(weights, np.array([g]), state, Step(number, rate=0.1, decay=0.9))
    ...     print(weights.round(6), state[0].round(6))
    [0.9] [0.4]
    [0.835732] [0.46]
    """
    correction = 1.0 / math.sqrt(1.0 - step.decay**step.number)
    return step.rate, step.decay, correction, step.epsilon, step.weight_decay


def adam(step: Step) -> tuple[float, ...]:
    """Adam (Kingma & Ba 2015, algorithm 1).

    m = beta1 m + (1 - beta1) g; s = beta2 s + (1 - beta2) g^2;
    w -= rate m / (1 - beta1^step) / (sqrt(s / (1 - beta2^step)) + epsilon)

    >>> weights, state = np.array([1.0]), np.zeros((2, 1))
    >>> for number, g in enumerate((2.0, -1.0), 1):  # the first step is as long as the rate
    ...     OPTIMIZERS["adam"].update(weights, np.array([g]), state, Step(number, rate=0.1, beta1=0.5, beta2=0.9))
    ...     print(weights.round(6), state[0], state[1].round(6))
    [0.9] [1.] [0.4]
    [0.9] [0.] [0.46]
    """
    rate, correction = step.rate / (1.0 - step.beta1**step.number), 1.0 / math.sqrt(1.0 - step.beta2**step.number)
    return rate, step.beta1, step.beta2, correction, step.epsilon, step.weight_decay, 0.0


def adamw(step: Step) -> tuple[float, ...]:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2): `adam` without it, and w -= rate weight_decay w.

    The paper multiplies the decay by the schedule alone, here it is multiplied by the whole learning rate.

    >>> weights, state = np.array([1.0]), np.zeros((2, 1))
    >>> OPTIMIZERS["adamw"].update(weights, np.array([2.0]), state, Step(1, rate=0.1, weight_decay=0.5))  # 1 - .1 - .1 * .5
    >>> print(weights.round(6), state[0].round(6))
    [0.85] [0.2]
    """
    return *adam(step)[:-2], 0.0, step.rate * step.weight_decay


class Optimizer(NamedTuple):
    """The number of vectors of its state, its kernel, the numbers of a step, and the settings of `Training` that it reads."""

    n_states: int
    kernel: Any
    numbers: Callable[[Step], tuple[float, ...]]
    settings: tuple[str, ...]

    def update(self, weights: np.ndarray, gradient: np.ndarray, state: np.ndarray, step: Step) -> None:
        """Change weights and state by one step; the gradient is only read."""
        self.kernel(weights, gradient, *state, *map(float, self.numbers(step)))


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer(0, kernels.sgd, sgd, ("weight_decay",)),
    "momentum": Optimizer(1, kernels.momentum, momentum, ("momentum", "weight_decay")),
    "nesterov": Optimizer(1, kernels.momentum, nesterov, ("momentum", "weight_decay")),
    "rmsprop": Optimizer(1, kernels.rmsprop, rmsprop, ("decay", "weight_decay")),
    "adam": Optimizer(2, kernels.adam, adam, ("beta1", "beta2", "weight_decay")),
    "adamw": Optimizer(2, kernels.adam, adamw, ("beta1", "beta2", "weight_decay")),
}


def global_norm(gradient: np.ndarray) -> float:
    """Return the Euclidean norm of a vector, summed in float64 in a fixed order. NaN and infinity show in it.

    >>> global_norm(np.array([3.0, 4.0], np.float32))
    5.0
    """
    return math.sqrt(kernels.sum_of_squares(gradient))


def clip_by_norm(gradient: np.ndarray, limit: float | None) -> float:
    """Scale a gradient whose norm is above `limit` down to it, in place; the norm before (Pascanu, Mikolov & Bengio 2013).

    A gradient whose norm is NaN or infinite is left as it is, for the caller to see. With None nothing is scaled.

    >>> gradient = np.array([3.0, 4.0])
    >>> clip_by_norm(gradient, 1.0), gradient
    (5.0, array([0.6, 0.8]))
    """
    norm = global_norm(gradient)
    if limit is not None and limit < norm < math.inf:
        gradient *= limit / norm
    return norm


def add_noise(gradient: np.ndarray, step: int, eta: float, generator: Generator) -> None:
    """Add Gaussian noise of variance eta / (1 + t)^.55 to a gradient, in place (Neelakantan et al. 2015, eq. 1).

    step : the number of the update, from 1; t = step - 1

    >>> gradient = np.zeros(3)
    >>> add_noise(gradient, step=1, eta=0.01, generator=np.random.default_rng(0))
    >>> gradient.round(4)
    array([ 0.0126, -0.0132,  0.064 ])
    """
    deviation = math.sqrt(eta / float(step) ** NOISE_DECAY)
    gradient += deviation * generator.standard_normal(gradient.size, dtype=gradient.dtype)
