"""Speed against peers in the same run, as ratios.

    python benchmarks/speed.py [reservoir] [training] [clockwork] [sweep] [--repeats 5] [--units 200 1000 4000] [--steps 10000]

Every figure is the least of several runs, ours and the peer's by turns, after one to warm up.

reservoir   Time per step of driving, fitting and free running, beside reservoirpy. Reservoirs have 10 connections per
            unit, one input, tanh units, float64; neither side pays for drawing its recurrent matrix. Ours are measured
            through the public estimator: `states` (drive), `fit`, `forecast`. The floor of `fit` is a drive and one
            `dsyrk` of the same size, each timed alone.
training    Milliseconds per training step, float32, beside PyTorch, with 1 and 2 threads: of the recurrent layer alone,
            forward and backward to the weights; and of a whole step: layer, linear head at every step, squared error,
            gradient, Adam. Ours and the peer's one after the other, shape by shape: by turns the threads of the one,
            still spinning, would slow the other.
clockwork   A whole training step of a Clockwork RNN beside an Elman network of the same width, both ours.
sweep       Runs per second of a grid over three parameters of an echo state network, in 2 processes, whose start counts,
            beside reservoirpy's `parallel_research` (2 processes) and `research` on points of the same space.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import numpy as np
from scipy.linalg import blas
from speed_sweep import sweeps

from reservoir import ESN, Ridge, Training
from reservoir.base.threads import one_blas_thread, thread_count
from reservoir.gradient.batches import Examples, assemble
from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.clockwork import ClockworkCell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.gru import GRUCell
from reservoir.gradient.cells.lstm import LSTMCell
from reservoir.gradient.layers import Steps
from reservoir.gradient.learners import Learner
from reservoir.gradient.network import Network

RIDGE = 1e-6
CONNECTIONS = 10
PAUSE = 0.3  # seconds in which threads that wait for work by spinning, PyTorch's, fall asleep
SHAPES = [(32, 1, 320, 1), (32, 32, 100, 2), (64, 32, 100, 16), (128, 32, 100, 32), (256, 32, 100, 64)]
"""Units, sequences, steps, inputs."""


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


def reservoirs(arguments: argparse.Namespace) -> None:
    """Driving, fitting and free running."""
    series = np.sin(0.2 * np.arange(arguments.steps + 1))[:, None] * np.cos(0.0311 * np.arange(arguments.steps + 1))[:, None]
    inputs, targets, free_steps = series[:-1], series[1:], 2000
    print("microseconds per step; ratio = reservoirpy / ours")
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


def training_step(cell: Cell, shape: tuple[int, ...], pool: ThreadPoolExecutor) -> dict[str, Callable[[], object]]:
    """Our layer, forward and backward, and a whole step."""
    _, batch, steps, n_inputs = shape
    generator = np.random.default_rng(0)
    network = Network((cell,), n_inputs, 1)
    vector = generator.normal(0.0, 0.1, network.n_weights).astype(np.float32)
    sequences, targets = (
        [generator.normal(size=(steps, width)).astype(np.float32) for _ in range(batch)] for width in (n_inputs, 1)
    )
    learner = Learner(network, vector, Training(learning_rate=1e-6, clip_norm=None), "squared_error", pool)
    chunks = assemble(Examples(sequences, targets, 0, True), np.arange(batch), "squared_error", "mean")
    gradients = [generator.normal(size=(steps, len(chunk.lengths), cell.units)).astype(np.float32) for chunk in chunks]
    layer = network.layers[0]

    def part(index: int) -> None:
        weights, room = learner.rooms[index]
        state = layer.state(len(chunks[index].lengths), np.dtype(np.float32))
        present = Steps(chunks[index].lengths, steps)
        _, tapes = layer.forward(weights.bound[0], chunks[index].inputs, present, state, 0, weights.empty)
        layer.backward(weights.bound[0], room.bound[0], tapes, present, gradients[index], wanted=False)

    def alone() -> None:
        list((map if len(chunks) == 1 or thread_count() == 1 else pool.map)(part, range(len(chunks))))
        for _, room in learner.rooms[1 : len(chunks)]:
            learner.rooms[0][1].vector[:] += room.vector

    def step() -> None:
        learner.batch(chunks, 0, 1e-6, None, None)  # neither gradient noise nor dropout

    step()
    return {"layer": alone, "step": step}


def peer_step(name: str, shape: tuple[int, ...]) -> dict[str, Callable[[], object]]:
    """The same by PyTorch."""
    import torch

    units, batch, steps, n_inputs = shape
    layer, head = getattr(torch.nn, name)(n_inputs, units), torch.nn.Linear(units, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], lr=1e-6)
    inputs, targets, gradient = (torch.randn(steps, batch, width) for width in (n_inputs, 1, units))

    def alone() -> None:
        layer.zero_grad(set_to_none=True)
        outputs, _ = layer(inputs)
        outputs.backward(gradient)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        outputs, _ = layer(inputs)
        torch.nn.functional.mse_loss(head(outputs), targets).backward()
        optimizer.step()

    return {"layer": alone, "step": step}


def training(arguments: argparse.Namespace) -> None:
    """A training step beside PyTorch's."""
    import torch

    cells: dict[str, Any] = {"LSTM": LSTMCell, "GRU": GRUCell, "RNN": ElmanCell}
    print("milliseconds; ratio = PyTorch / ours; H units, B sequences, T steps, I inputs")
    for threads, (name, cell), shape in product((1, 2), cells.items(), SHAPES):
        os.environ["RESERVOIR_NUM_THREADS"] = str(threads)
        torch.set_num_threads(threads)
        with ThreadPoolExecutor(threads) as pool:
            with one_blas_thread():
                work = {("ours", key): f for key, f in training_step(cell(shape[0]), shape, pool).items()}
            times = least({key: limited(f) for key, f in work.items()}, 4 * arguments.repeats)
        times |= least({("peer", key): f for key, f in peer_step(name, shape).items()}, 4 * arguments.repeats)
        time.sleep(PAUSE)
        found = [
            f"{part} {times['ours', part] * 1e3:8.3f} peer {times['peer', part] * 1e3:8.3f}"
            f" ratio {times['peer', part] / times['ours', part]:5.2f}"
            for part in ("layer", "step")
        ]
        print(
            f"{threads} threads {name:4} H={shape[0]:3} B={shape[1]:2} T={shape[2]:3} I={shape[3]:2}  ",
            "   ".join(found),
            flush=True,
        )


def limited(function: Callable[[], object]) -> Callable[[], object]:
    """With BLAS on one thread, as in `fit`; entering that is not timed by much: it takes microseconds."""

    def run() -> None:
        with one_blas_thread():
            function()

    return run


def clockwork(arguments: argparse.Namespace) -> None:
    """9 modules, 252 units, 32 sequences of 100 steps."""
    print("milliseconds; ratio = Elman / Clockwork RNN; H = 252, B = 32, T = 100")
    for threads, n_inputs in product((1, 2), (1, 16, 64)):
        os.environ["RESERVOIR_NUM_THREADS"] = str(threads)
        shape = (252, 32, 100, n_inputs)
        with ThreadPoolExecutor(threads) as pool, one_blas_thread():
            cells = {"clockwork": ClockworkCell(252), "elman": ElmanCell(252)}
            work = {name: training_step(cell, shape, pool)["step"] for name, cell in cells.items()}
            times = least(work, 4 * arguments.repeats)
        mine, other = times["clockwork"] * 1e3, times["elman"] * 1e3
        print(
            f"{threads} threads, {n_inputs:2} inputs: clockwork {mine:.3f}, Elman {other:.3f}, ratio {other / mine:.2f}",
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    table = {"reservoir": reservoirs, "training": training, "clockwork": clockwork, "sweep": sweeps}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--units", type=int, nargs="+", default=[200, 1000, 4000])
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    for name in arguments.names or table:
        if name not in table:
            parser.error(f"no benchmark {name!r}; there are {', '.join(table)}")
        table[name](arguments)


if __name__ == "__main__":
    main()
