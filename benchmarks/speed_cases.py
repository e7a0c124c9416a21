"""The cases of benchmarks/speed.py that peers do too: what they are called, their sizes and their data.

A case is a dictionary that JSON can hold: `group`, `name`, `kind` (what is done), `threads`, `units`, `per` (how many of `unit`'s
pieces of work it is), `unit`, `budget` (seconds of repeats), and what its kind needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

Case = dict[str, Any]
CONNECTIONS = 10
SIZES = ((200, "diagonals"), (1000, "diagonals"), (4000, "diagonals"), (1000, "random"))
STEPS, FREE_STEPS = 10_000, 2_000
SEQUENCES, SHORT = 64, 50
RIDGE = 1e-6
SHAPES = [(32, 1, 320, 1), (32, 32, 100, 2), (64, 32, 100, 16), (128, 32, 100, 32), (256, 32, 100, 64)]
"""Units, sequences, steps, inputs."""
SYMBOLS, EMBEDDING = (65, 10_000), 256


def reservoir_case(group: str, kind: str, units: int, density: float, **more: Any) -> Case:
    """A case of a reservoir with the settings that all have."""
    case = {"group": group, "kind": kind, "units": units, "density": density, "leak": 0.5, "ridge": RIDGE, "threads": 1}
    return (
        case | {"topology": "diagonals", "unit": "µs per step", "scale": 1e6, "per": more.get("steps", 1), "budget": 1.0} | more
    )


def many() -> list[Case]:
    """Many sequences at once."""
    sizes = [
        (450, 0.25, "random"), (450, 0.02, "random"), (1000, 0.01, "random"), (1000, 0.01, "diagonals"), (100, 0.1, "random"),
        (450, 1.0, "dense"),
    ]  # fmt: skip
    return [
        reservoir_case(
            "many", "many", units, density, topology=topology, threads=threads, leak=0.7, sequences=SEQUENCES, steps=SHORT,
            per=SEQUENCES * SHORT, unit="µs per sequence and step", name=f"{units} units, density {density:g}, {topology}",
        )
        for units, density, topology in sizes
        for threads in (1, 2)
    ]  # fmt: skip


def one(kind: str, units: int, topology: str, steps: int) -> Case:
    """One sequence."""
    named, density = f"{units:,} units, {topology}", CONNECTIONS / units
    return reservoir_case(kind, kind, units, density, topology=topology, steps=steps, name=named)


def drive() -> list[Case]:
    """States of one sequence."""
    return [one("drive", *size, STEPS) for size in SIZES]


def closed() -> list[Case]:
    """A network that reads its own output."""
    return [one("closed", *size, FREE_STEPS) for size in SIZES]


def fit() -> list[Case]:
    """States and a readout."""
    return [one("fit", units, "diagonals", STEPS) for units in (1000, 4000)]


def large() -> list[Case]:
    """Reservoirs that leave the caches."""
    return [
        reservoir_case(
            "large", "drive", units, CONNECTIONS / units, steps=steps, threads=threads, name=f"{units:,} units", alone=True
        )
        for units, steps in ((102_400, 100), (1_024_000, 20))
        for threads in (1, 2)
    ]


def digits() -> list[Case]:
    """Images read pixel by pixel: fit on the first 1,297, score on the other 500."""
    return [
        reservoir_case(
            "digits",
            "digits",
            500,
            0.02,
            threads=threads,
            test=500,
            unit="s",
            scale=1.0,
            budget=3.0,
            name="1,797 digits by pixels",
        )
        for threads in (1, 2)
    ]


def training() -> list[Case]:
    """Training steps of the cells that PyTorch has."""
    return [
        {
            "group": "training", "kind": "training", "name": "{} H={} B={} T={} I={}".format(name, *shape),
            "cell": name, "shape": shape,
            "units": shape[0], "threads": threads, "per": 1, "unit": "ms", "scale": 1e3, "budget": 0.8, "symbols": 0,
        }
        for name in ("LSTM", "GRU", "Elman")
        for shape in SHAPES
        for threads in (1, 2)
    ]  # fmt: skip


def language() -> list[Case]:
    """Training steps of language models: 256 units, 32 streams of 35 symbols, learned symbols where there are many."""
    return [
        {
            "group": "language", "kind": "training", "name": f"{name}, {symbols:,} symbols", "cell": name, "units": 256,
            "shape": (256, 32, 35, EMBEDDING if symbols > EMBEDDING else symbols), "symbols": symbols,
            "learned": symbols > EMBEDDING, "threads": threads, "per": 1, "unit": "ms", "scale": 1e3, "budget": 1.5,
        }
        for name in ("LSTM", "GRU")
        for symbols in SYMBOLS
        for threads in (1, 2)
    ]  # fmt: skip


def write_data(case: Case, folder: Path) -> Case:
    """Write what a reservoir's case reads, for the library and its peers; return the case with the path."""
    if "density" not in case:
        return case
    path = folder / f"{case['kind']}{case.get('steps', '')}.npz".replace(" ", "_")
    if not path.exists():
        np.savez(path, **data_of(case))
    return case | {"data": str(path)}


def data_of(case: Case) -> dict[str, np.ndarray]:
    """Return a wave and its next values, many random sequences, or images and labels."""
    if case["kind"] == "digits":
        from sklearn.datasets import load_digits

        images = load_digits()
        return {"inputs": images.data[:, :, None] / 16.0, "labels": images.target}
    if case["kind"] == "many":
        return {"inputs": np.random.default_rng(0).uniform(-1.0, 1.0, (case["sequences"], case["steps"], 1))}
    moments = np.arange(max(case["steps"], STEPS if case["kind"] == "closed" else 0) + 1)
    wave = (np.sin(0.2 * moments) * np.cos(0.0311 * moments))[:, None]
    return {"inputs": wave[:-1], "targets": wave[1:]}
