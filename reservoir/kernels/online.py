"""Online learning: one update of the output weights per step, in place."""

import numpy as np

from reservoir.kernels.freerun import fold
from reservoir.kernels.jit import jit


@jit
def weighted_sum(a, b, work):
    """Return the sum of a[i] * b[i]; work has their size."""
    for i in range(a.size):
        work[i] = a[i] * b[i]
    return fold(work, a.size)


@jit
def rls(features, targets, forgetting, inverse, weights):
    """Recursive least squares with exponential forgetting (Haykin, Adaptive Filter Theory, ch. 9).

    k = P z / (lambda + z^T P z);  w += k e;  P = (P - k z^T P) / lambda, with the error e before the update.
    `features` (T, F), `targets` (T, O); `inverse` is P (F, F), symmetric, `weights` (O, F); both are overwritten.
    """
    n = inverse.shape[0]
    pz = np.empty(n)
    work = np.empty(n)
    for t in range(features.shape[0]):
        z = features[t]
        for i in range(n):
            pz[i] = weighted_sum(inverse[i], z, work)
        scale = 1.0 / (forgetting + weighted_sum(pz, z, work))
        for o in range(targets.shape[1]):
            w = weights[o]
            step = (targets[t, o] - weighted_sum(w, z, work)) * scale
            for i in range(n):
                w[i] += step * pz[i]
        for i in range(n):
            row = inverse[i]
            factor = pz[i] * scale
            for j in range(n):
                row[j] = (row[j] - factor * pz[j]) / forgetting


@jit
def lms(features, targets, learning_rate, normalized, weights):
    """Least mean squares (Widrow & Hoff 1960): w += rate e z, the rate over z^T z when `normalized`; z = 0 teaches nothing."""
    n = features.shape[1]
    work = np.empty(n)
    for t in range(features.shape[0]):
        z = features[t]
        rate = learning_rate
        if normalized:
            squares = weighted_sum(z, z, work)
            rate = learning_rate / squares if squares > 0.0 else 0.0
        for o in range(targets.shape[1]):
            w = weights[o]
            step = rate * (targets[t, o] - weighted_sum(w, z, work))
            for i in range(n):
                w[i] += step * z[i]
