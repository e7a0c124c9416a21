"""Initial weights: functions (shape, generator, scale) -> float64 array. Matrices are (from, to): rows feed, columns read."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from reservoir.base.random_matrices import random_orthogonal
from reservoir.validation import Choice

Shape = tuple[int, ...]


def normal(shape: Shape, generator: Generator, scale: float) -> np.ndarray:
    """Normal with mean 0 and standard deviation `scale`."""
    return scale * generator.standard_normal(shape)


def uniform(shape: Shape, generator: Generator, scale: float) -> np.ndarray:
    """Uniform in [-scale, scale]."""
    return scale * generator.uniform(-1.0, 1.0, shape)


def glorot(shape: Shape, generator: Generator, scale: float) -> np.ndarray:
    """Uniform with variance 2 / (rows + columns) (Glorot & Bengio 2010, eq. 16); `scale` is ignored.

    The columns are all that a row feeds: of a cell with G gates and H units, G H.
    """
    return generator.uniform(-1.0, 1.0, shape) * math.sqrt(6.0 / max(sum(shape), 1))


def orthogonal(shape: Shape, generator: Generator, scale: float) -> np.ndarray:
    """Random orthogonal blocks, one per gate, side by side (Saxe, McClelland & Ganguli 2013); `scale` is ignored."""
    units, width = shape
    return np.concatenate([random_orthogonal(units, generator) for _ in range(width // units)], axis=1)


def identity(shape: Shape, generator: Generator, scale: float) -> np.ndarray:
    """`scale` times the identity, a block per gate (Le, Jaitly & Hinton 2015, with a scale of 1 for rectified linear units)."""
    units, width = shape
    return scale * np.tile(np.eye(units), (1, width // units))


def indrnn(shape: Shape, generator: Generator, scale: float) -> np.ndarray:
    """Uniform in [0, scale]: a unit's weight on its own past (Li et al. 2018).

    With rectified linear units and memory over T steps the paper's bound is 2^(1 / T).
    """
    return scale * generator.random(shape)


def zeros(shape: Shape, generator: Generator, scale: float) -> np.ndarray:
    """Zeros; `scale` is ignored."""
    return np.zeros(shape)


INITIALIZERS: dict[str, Callable[[Shape, Generator, float], np.ndarray]] = {
    f.__name__: f for f in (normal, uniform, glorot, orthogonal, identity, indrnn, zeros)
}

MATRIX_INITIALIZERS = Choice(("glorot", "normal", "uniform", "zeros"))
"""The initializers for any matrix."""
RECURRENT_INITIALIZERS = Choice(("orthogonal", "identity", *MATRIX_INITIALIZERS.names))
"""The initializers for matrices (H, G H)."""


def initialize(kind: str, shape: Shape, generator: Generator, scale: float = 1.0) -> np.ndarray:
    """Return a float64 array of initial weights; `kind` is a name of `INITIALIZERS`, whose functions say what `scale` means.

    >>> initialize("identity", (2, 4), np.random.default_rng(0), scale=0.5)
    array([[0.5, 0. , 0.5, 0. ],
           [0. , 0.5, 0. , 0.5]])
    >>> initialize("uniform", (3,), np.random.default_rng(0), scale=0.1).round(3)
    array([ 0.027, -0.046, -0.092])
    """
    return INITIALIZERS[kind](shape, generator, scale)
