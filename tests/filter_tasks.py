"""NARMA tasks, tasks of symbols, and the best that a linear model or any model can do on them."""

import numpy as np
from sklearn.linear_model import LinearRegression

NARMA = {
    "narma10": (10, 0.3, 0.05, 1.5, 0.1, False),
    "narma20": (20, 0.3, 0.05, 1.5, 0.01, True),
    "narma30": (30, 0.2, 0.04, 1.5, 0.001, False),
}
SYMBOLS = ["delayed-recall", "parity"]


def naive_regression(data, taps):
    """scikit-learn's linear regression on u(t) ... u(t-taps+1): targets and predictions of the scored test rows."""

    def rows(split):
        u = split.inputs[0][:, 0]
        windows = [[u[t - k] for k in range(taps)] for t in range(split.washout, len(u))]
        return np.array(windows), split.targets[0][split.washout :, 0]

    test, wanted = rows(data.test)
    return wanted, LinearRegression().fit(*rows(data.train)).predict(test)


def perfect(data):
    return [y.copy() for y in data.test.targets] if isinstance(data.test.targets, list) else data.test.targets.copy()
