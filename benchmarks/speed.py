"""Time per step of driving, fitting and free running, against a peer in the same run, as ratios.

    python benchmarks/speed.py [--units 200 1000 4000] [--steps 10000] [--repeats 5]

Reservoirs have 10 connections per unit, one input, tanh units, float64. Every figure is the least of several runs, ours
and the peer's (reservoirpy) by turns, after one to warm up: neither pays for drawing its recurrent matrix. Ours are
measured through the public estimator: `states` (drive), `fit`, `forecast`. The floor of `fit` is a drive and one `dsyrk`
of the same size, each timed alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from scipy.linalg import blas

from reservoir import ESN, Ridge

RIDGE = 1e-6
CONNECTIONS = 10


def least(functions: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """The least time of each function over `repeats` rounds, after one round to warm up."""
    times = dict.fromkeys(functions, np.inf)
    for round_number in range(repeats + 1):
        for name, function in functions.items():
            started = time.perf_counter()
            function()
            if round_number:
                times[name] = min(times[name], time.perf_counter() - started)
    return times


def peer(units: int, inputs: np.ndarray, targets: np.ndarray, steps: int) -> dict[str, Callable[[], object]]:
    """The same work by reservoirpy."""
    from reservoirpy.nodes import Reservoir
    from reservoirpy.nodes import Ridge as PeerRidge

    settings = {
        "units": units,
        "sr": 0.9,
        "lr": 0.5,
        "rc_connectivity": CONNECTIONS / units,
        "input_connectivity": 1.0,
        "seed": 0,
    }
    node = Reservoir(**settings)
    model = Reservoir(**settings) >> PeerRidge(ridge=RIDGE)

    def free_run() -> None:
        y = inputs[-1]
        for _ in range(steps):
            y = model.step(y)

    return {
        "drive": lambda: node.run(inputs),
        "fit": lambda: model.fit(inputs, targets, warmup=100),
        "closed loop": free_run,
    }


def ours(units: int, topology: str, inputs: np.ndarray, targets: np.ndarray, steps: int) -> dict[str, Callable[[], object]]:
    """Drive, fit and closed loop, and the floor of the fit."""
    esn = ESN(
        units=units, density=CONNECTIONS / units, spectral_radius=0.9, leak_rate=0.5, topology=topology,
        readout=Ridge(RIDGE, "cholesky"), readout_from=("bias", "state"), random_state=0,
    ).fit(inputs, targets)  # fmt: skip
    states = np.ascontiguousarray(esn.states(inputs))
    return {
        "drive": lambda: esn.states(inputs),
        "fit": lambda: esn.fit(inputs, targets),
        "closed loop": lambda: esn.forecast(inputs[:10], steps),
        "dsyrk": lambda: blas.dsyrk(1.0, states.T),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, nargs="+", default=[200, 1000, 4000])
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    series = np.sin(0.2 * np.arange(arguments.steps + 1))[:, None] * np.cos(0.0311 * np.arange(arguments.steps + 1))[:, None]
    inputs, targets, free_steps = series[:-1], series[1:], 2000
    print("microseconds per step; ratio = peer / ours")
    for units in arguments.units:
        work = {("peer", name): f for name, f in peer(units, inputs, targets, free_steps).items()}
        for topology in ("diagonals", "random"):
            work |= {(topology, name): f for name, f in ours(units, topology, inputs, targets, free_steps).items()}
        times = least(work, arguments.repeats if units < 4000 else 2)
        per_step = {key: 1e6 * t / (free_steps if key[1] == "closed loop" else arguments.steps) for key, t in times.items()}
        for topology in ("diagonals", "random"):
            for name in ("drive", "fit", "closed loop"):
                mine, theirs = per_step[topology, name], per_step["peer", name]
                line = f"N={units:5d} {topology:10s} {name:12s} {mine:8.2f}   peer {theirs:8.2f}   ratio {theirs / mine:5.1f}"
                if name == "fit":
                    floor = per_step[topology, "drive"] + per_step[topology, "dsyrk"]
                    line += f"   floor {floor:6.2f}, fit / floor {mine / floor:.2f}"
                print(line, flush=True)


if __name__ == "__main__":
    main()
