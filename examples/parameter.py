"""Learn a system at some values of its parameter, and forecast it at others: the logistic map y(t + 1) = r y(t) (1 - y(t)).

The parameter r is a constant input, known ahead. The network is fed its own outputs.

python examples/parameter.py bifurcations.png
"""

import sys

import numpy as np

from reservoir import ESN, Ridge


def logistic(r: float, steps: int) -> np.ndarray:
    """The map from 0.4 on, (steps,)."""
    y = np.full(steps, 0.4)
    for t in range(1, steps):
        y[t] = r * y[t - 1] * (1 - y[t - 1])
    return y


learned = [3.5, 3.6, 3.7, 3.8, 3.9]
esn = ESN(units=200, spectral_radius=0.1, feedback_scaling=2.0, input_scaling=0.5, readout=Ridge(1e-10), random_state=0)
esn.fit([np.full(600, r) for r in learned], [logistic(r, 600) for r in learned], target="step")


def forecast(r: float, steps: int) -> np.ndarray:
    """What the network makes of 20 steps of the map, and of r: `steps` further ones."""
    return esn.forecast(logistic(r, 20), steps, inputs=np.full(20, r), future=np.full(steps, r))


for r in (3.55, 3.65, 3.835):
    ahead, truth = forecast(r, 1000), logistic(r, 1020)[20:]
    values = len(np.unique(ahead[-300:].round(3)))
    print(f"r = {r}: 5 steps ahead off by {abs(ahead[4] - truth[4]):.1e}; values at the end: {values}, of the map", end=" ")
    print(len(np.unique(truth[-300:].round(3))))

if len(sys.argv) > 1:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 1, sharex=True, sharey=True, figsize=(8, 7), layout="constrained")
    for r in np.linspace(3.45, 3.95, 251):
        for axis, end in zip(axes, (logistic(r, 600)[-80:], forecast(r, 580)[-80:]), strict=True):
            axis.plot(np.full(80, r), end, ",", color="black")
    for axis, name in zip(axes, ("The logistic map", "The network, fitted at the marked values of r alone"), strict=True):
        axis.set(title=name, ylabel="y")
    for r in learned:
        axes[1].axvline(r, color="tab:orange", linewidth=1, zorder=0)
    axes[1].set_xlabel("r")
    figure.savefig(sys.argv[1], dpi=120)
