"""Input, bias and feedback weights of unit scale, which the reservoir multiplies by its scalings."""

from __future__ import annotations

import decimal

import numpy as np

from reservoir.base.random_matrices import draw

PATTERNS = ("uniform", "normal", "sign", "alternating", "pi")


def input_weights(
    units: int, channels: int, pattern: str, density: float, generator: np.random.Generator, offset: int = 0
) -> np.ndarray:
    """Draw weights (units, channels) of unit scale.

    Parameters
    ----------
    pattern : "uniform" in [-1, 1]; "normal", standard; "sign", random +1 and -1; "alternating", +1 and -1 in turn;
        "pi", the aperiodic signs of the minimum-complexity ESN: - for a decimal digit of pi below 5, + otherwise, along
        the units of one channel after the other (Rodan & Tino 2011)
    density : the fraction of units that each channel reaches, rounded to whole units, at least one
    offset : the number of entries of an "alternating" or "pi" pattern to skip
    """
    entries = units * channels
    if pattern == "pi":
        weights = np.where(pi_digits(offset + entries)[offset:] < 5, -1.0, 1.0).reshape(channels, units).T
    elif pattern == "alternating":
        weights = (1.0 - 2.0 * ((offset + np.arange(entries)) % 2)).reshape(channels, units).T
    else:
        weights = draw(generator, (units, channels), pattern)
    silent = units - min(max(round(density * units), 1), units)
    for channel in range(channels) if silent else ():
        weights[generator.choice(units, silent, replace=False), channel] = 0.0
    return weights


def pi_digits(count: int) -> np.ndarray:
    """The first `count` decimal digits of pi after the point, by the arithmetic-geometric mean (Brent 1976, Salamin 1976).

    >>> pi_digits(5)
    array([1, 4, 1, 5, 9])
    """
    with decimal.localcontext() as context:
        context.prec = count + 20
        a, b = decimal.Decimal(1), 1 / decimal.Decimal(2).sqrt()
        t, p = decimal.Decimal("0.25"), 1
        while abs(a - b) > decimal.Decimal(10) ** -(count + 10):
            a, b, previous = (a + b) / 2, (a * b).sqrt(), a
            t -= p * (a - previous) ** 2
            p *= 2
        digits = str((a + b) ** 2 / (4 * t))[2 : 2 + count]
    return np.frombuffer(digits.encode(), dtype=np.uint8).astype(np.int64) - ord("0")
