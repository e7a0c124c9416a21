"""The speed of sweeps, for `benchmarks/speed.py sweep`."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reservoir import metrics
from reservoir.experiments.driver import Progress
from reservoir.experiments.work import Chunk, TrialRun, run_chunk
from reservoir.sweeps.plan import plan_sweep
from reservoir.sweeps.runner import run_sweep
from reservoir.sweeps.space import grid
from reservoir.tasks import get_task

SEEDS = (0, 1)
SETTINGS = {"units": 200, "density": 0.05, "bias_scaling": 0.1, "readout__ridge": 2e-9, "washout": 200}
VALUES = {
    "spectral_radius": np.linspace(0.1, 1.5, 10).tolist(),
    "leak_rate": np.linspace(0.1, 1.0, 10).tolist(),
    "input_scaling": np.geomspace(0.01, 1.0, 10).tolist(),
}
PEER_TRIALS = 100


def objective(dataset: Sequence[Any], config: Any, *, spectral_radius: float, leak_rate: float, input_scaling: float) -> Any:
    """A trial of the peer: the mean over two seeds, as its manual writes it."""
    from reservoirpy.nodes import Reservoir, Ridge

    losses = []
    for seed, (train, held_out) in zip(SEEDS, dataset, strict=True):
        node = Reservoir(
            SETTINGS["units"], sr=spectral_radius, lr=leak_rate, input_scaling=input_scaling, rc_connectivity=SETTINGS["density"],
            input_connectivity=1.0, seed=seed,
        )  # fmt: skip
        model = node >> Ridge(ridge=SETTINGS["readout__ridge"])
        model.fit(*train, warmup=SETTINGS["washout"])
        predicted, true = model.run(held_out[0])[SETTINGS["washout"] :], held_out[1][SETTINGS["washout"] :]
        losses.append(metrics.nmse(predicted, true))
    return {"loss": float(np.mean(losses))}


def seconds(work: Callable[[], object]) -> float:
    """How long it takes, whatever it prints."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        started = time.perf_counter()
        work()
    return time.perf_counter() - started


def sharing(arguments: argparse.Namespace) -> None:
    """What 20 values of a ridge cost, which share their states, and 20 spectral radii, which share a matrix."""
    for name, values in (("readout__ridge", "log:1e-8:1e-2:20"), ("spectral_radius", "0.5:1:20")):
        planned = plan_sweep(get_task("narma10"), "esn", {name: values}, {key: SETTINGS[key] for key in SETTINGS if key != name})
        points = list(map(planned.parameters, grid(planned.dimensions)))
        kinds = [0 if name == "readout__ridge" else k for k in range(len(points))]
        runs = [TrialRun(b"", k, parameters, kind) for k, (parameters, kind) in enumerate(zip(points, kinds, strict=True))]
        chunks = [Chunk("sharing", planned.task, "esn", "validation", 0, runs[:n], None, np.inf) for n in (1, len(runs))]
        one, every = (min(run_chunk(chunk).seconds for _ in range(arguments.repeats + 1)) for chunk in chunks)
        print(f"20 values of {name}: {1e3 * every:.1f} ms, {every / one:.1f} times one of them", flush=True)


def sweeps(arguments: argparse.Namespace) -> None:
    """2,000 runs of ours, from the start of the processes to the last row, beside trials of the peer from the same space."""
    from reservoirpy.hyper import parallel_research, research

    task = get_task("narma10")
    planned = plan_sweep(task, "esn", VALUES, SETTINGS, SEEDS)
    data = [task.generate(seed) for seed in SEEDS]
    dataset = [[(split.inputs[0], split.targets[0]) for split in (d.train, d.validation)] for d in data]
    space = {name: ["choice", *values] for name, values in VALUES.items()}
    config = {"exp": "peer", "hp_max_evals": PEER_TRIALS, "hp_method": "random", "seed": 0, "hp_space": space}
    print(f"narma10, N=200, {planned.trials:,} trials x {len(SEEDS)} seeds = {planned.runs:,} runs; best of {arguments.repeats}")
    rates: dict[str, float] = {}
    seen: list[tuple[float, int]] = []

    def note(state: Progress) -> None:
        seen.append((time.perf_counter(), state.finished))

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(config))
        where = (objective, dataset, f"{folder}/config.json", folder)
        for repeat in range(arguments.repeats):
            seen.clear()
            took = {
                "ours, 2 jobs": (
                    planned.runs,
                    seconds(lambda k=repeat: run_sweep(planned, f"{folder}/two{k}.db", jobs=2, report=note)),
                ),
                "ours, 1 job": (planned.runs, seconds(lambda k=repeat: run_sweep(planned, f"{folder}/one{k}.db", jobs=1))),
                "peer, parallel_research": (PEER_TRIALS * len(SEEDS), seconds(lambda: parallel_research(*where, n_jobs=2))),
                "peer, research": (PEER_TRIALS * len(SEEDS), seconds(lambda: research(*where))),
            }
            half = [state for state in seen if state[1] > planned.runs // 4]
            took["ours, 2 jobs at work"] = (half[-1][1] - half[0][1], half[-1][0] - half[0][0])
            for name, (count, spent) in took.items():
                rates[name] = max(rates.get(name, 0.0), count / spent)
    for name, rate in rates.items():
        print(f"{name:24} {rate:7.1f} runs/s   ratio {rates['ours, 2 jobs'] / rate:5.1f}", flush=True)
    sharing(arguments)
