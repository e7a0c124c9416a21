"""The speed of sweeps, beside a peer's trials from the same space."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

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
TRIALS, REPEATS = 10, 3  # trials of the peer; repeats of ours
Row = dict[str, Any]
Ask = Callable[[list[Row]], dict[str, tuple[str, list[Any]]]]


def sweeps(ask: Ask, counts: Sequence[int]) -> list[Row]:
    """Rows of narma10 with 200 units: 2,000 runs in two processes and in one, beside the peers' in as many."""
    planned = plan_sweep(get_task("narma10"), "esn", VALUES, SETTINGS, SEEDS)
    ours: dict[int, list[dict[str, float]]] = {jobs: [] for jobs in counts}
    at_work = []
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(REPEATS):
            for jobs in ours:
                seconds, working = swept(planned, Path(folder) / f"{jobs}-{repeat}.db", jobs)
                ours[jobs].append({"wall": seconds, "cpu": seconds})
                if jobs == 2:
                    at_work.append({"wall": working, "cpu": working})
        data = Path(folder) / "data.npz"
        np.savez(data, **arrays(planned.task))
        rows = []
        for jobs, found in ours.items():
            case = row(f"2,000 runs in {jobs} process{'es' * (jobs > 1)}, start included", jobs)
            asked = case | {
                "kind": "sweep",
                "data": str(data),
                "space": VALUES,
                "settings": SETTINGS,
                "trials": TRIALS,
                "budget": 0.0,
            }
            seconds = {"ours": least_of(found)}
            for version, times in ask([asked]).values():
                if times[0]:
                    wall = times[0]["wall"] / (TRIALS * len(SEEDS))
                    seconds[version] = {"wall": wall, "cpu": wall}
            rows.append(case | {"seconds": seconds})
    if at_work:
        rows.append(row("2 processes at work", 2) | {"seconds": {"ours": least_of(at_work)}})
    shared = sharing() if 1 in counts else {}
    return rows + [row(name, 1) | {"seconds": {"ours": found}} for name, found in shared.items()]


def row(name: str, threads: int, unit: str = "ms per run", scale: float = 1e3) -> Row:
    """A row without seconds."""
    return {
        "group": "sweep",
        "name": name,
        "threads": threads,
        "per": 1,
        "unit": unit,
        "scale": scale,
        "floor": None,
        "bound": None,
    }


def least_of(times: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: min(found[key] for found in times) for key in times[0]}


def arrays(task: Any) -> dict[str, np.ndarray]:
    """Return training and validation data of every seed."""
    found = {}
    for seed in SEEDS:
        data = task.generate(seed)
        for name, split in (("train", data.train), ("held_out", data.validation)):
            found |= {f"{name}_inputs_{seed}": split.inputs[0], f"{name}_targets_{seed}": split.targets[0]}
    return found


def swept(planned: Any, store: Path, jobs: int) -> tuple[float, float]:
    """Return the seconds per run of a sweep: all of it, and once a quarter of the runs are done."""
    seen: list[tuple[float, int]] = []

    def note(state: Progress) -> None:
        seen.append((time.perf_counter(), state.finished))

    with contextlib.redirect_stderr(io.StringIO()):
        begun = time.perf_counter()
        run_sweep(planned, store, jobs=jobs, report=note)
        whole = time.perf_counter() - begun
    later = [state for state in seen if state[1] > planned.runs // 4]
    return whole / planned.runs, (later[-1][0] - later[0][0]) / (later[-1][1] - later[0][1])


def sharing() -> dict[str, dict[str, float]]:
    """Return what 20 values of a ridge cost, which share their states, and 20 spectral radii, which share a matrix."""
    found = {}
    for name, values in (("readout__ridge", "log:1e-8:1e-2:20"), ("spectral_radius", "0.5:1:20")):
        planned = plan_sweep(get_task("narma10"), "esn", {name: values}, {key: SETTINGS[key] for key in SETTINGS if key != name})
        points = list(map(planned.parameters, grid(planned.dimensions)))
        kinds = [0 if name == "readout__ridge" else k for k in range(len(points))]
        runs = [TrialRun(b"", k, parameters, kind) for k, (parameters, kind) in enumerate(zip(points, kinds, strict=True))]
        for count in (1, len(runs)):
            chunk = Chunk("sharing", planned.task, "esn", "validation", 0, runs[:count], None, np.inf)
            seconds = min(run_chunk(chunk).seconds for _ in range(2 * REPEATS))
            found[f"{count} value{'s' * (count > 1)} of {name.replace('__', '.')}"] = {"wall": seconds, "cpu": seconds}
    return found
