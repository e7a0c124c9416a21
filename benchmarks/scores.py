"""Scores beside published or reference figures.

    python benchmarks/scores.py [NAME ...] [--csv FILE ...]

Names: narma10 mackey-glass lorenz memory-capacity channel-equalization digits forecast blas-threads, of echo state networks;
adding temporal-order reber digits-by-gradient, of networks trained by gradient; all by default. `forecast` adds the named CSV
files to the embedded sunspot record. The waveform table has a file of its own, waveform.py.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from reservoir import Forecaster, backtest
from reservoir.experiments.evaluation import evaluate
from reservoir.tasks import get_task

NARMA = {
    "units": 200, "spectral_radius": 0.95, "density": 0.1, "input_scaling": 0.1, "bias_scaling": 0.1,
    "readout__ridge": 1e-9, "washout": 200,
}  # fmt: skip
PLATT = {
    "units": 800, "spectral_radius": 0.8, "density": 0.02, "leak_rate": 0.6, "input_scaling": 0.084, "bias_scaling": 1.6,
    "readout__ridge": 8.5e-8, "washout": 200,
}  # fmt: skip


def scores(task: Any, seeds: range, parameters: Mapping[str, Any] | None = None, model: str = "esn") -> np.ndarray:
    """The score of each seed."""
    return np.array([evaluate(task, model, parameters or {}, seed).row["score"] for seed in seeds])


def spread(values: np.ndarray) -> str:
    """Mean, standard deviation and range."""
    return f"{values.mean():.4g} ± {values.std(ddof=1):.2g} (from {values.min():.4g} to {values.max():.4g}, {len(values)} seeds)"


def narma10() -> None:
    """NARMA10, N = 200."""
    print("  fixed settings (SR .95, density .1):", spread(scores(get_task("narma10"), range(10), NARMA)))
    print("  the task's settings:", spread(scores(get_task("narma10"), range(10))))


def mackey_glass() -> None:
    """Mackey-Glass, N = 1000, 3,000 training steps; published 6.3e-5 (Jaeger & Haas 2004)."""
    task = get_task("mackey-glass")
    print("  reading states and squares:", spread(scores(task, range(5))), f"over {task.options()['starts']} starts each")
    print("  reading states only:", spread(scores(task, range(5), {"readout_from": ["bias", "input", "state"]})))


def lorenz() -> None:
    """Lorenz, 30 starts; reference 9.3 to 9.7 Lyapunov times with the settings of Platt et al. 2022."""
    task = get_task("lorenz")
    bare = {**PLATT, "readout_from": ["bias", "state"]}
    print("  settings of Platt et al., readout from bias and state:", spread(scores(task, range(5), bare)))
    print("  the same, readout from the input too:", spread(scores(task, range(5), PLATT)))
    print("  the task's settings:", spread(scores(task, range(5))))


def memory_capacity() -> None:
    """Linear memory capacity, N = 50; reference 49.2 / 48.8 / 47.4, bound 50."""
    for topology in ("orthogonal", "cycle", "random"):
        found = scores(get_task("memory-capacity"), range(20), {"topology": topology, "density": 0.2})
        print(f"  {topology}:", spread(found))


def channel_equalization() -> None:
    """Symbol error rate by signal-to-noise ratio, N = 46, mean of 5 seeds, beside a linear equalizer of 46 taps."""
    for snr in range(12, 33, 4):
        task = get_task("channel-equalization", snr=snr)
        rows = [evaluate(task, "esn", {}, seed).row for seed in range(5)]
        ser, linear = (np.mean([row[key] for row in rows]) for key in ("score", "baseline"))
        print(f"  {snr} dB: {ser:.2g}, linear {linear:.2g}")


def digits() -> None:
    """Digits, accuracy on 500 test images."""
    for order in ("rows", "pixels"):
        print(f"  {order}:", spread(scores(get_task("digits", order=order), range(5))))


def by_gradient(name: str, models: tuple[str, ...]) -> None:
    """A task with the settings of its own, seed by seed."""
    task = get_task(name)
    for model in models:
        rows = [evaluate(task, model, {}, seed).row for seed in range(5)]
        found = np.array([row["score"] for row in rows])
        solved = "" if rows[0]["solved"] is None else f", solved by {sum(row['solved'] for row in rows)} of {len(rows)}"
        seconds = np.mean([row["fit_seconds"] for row in rows])
        print(f"  {model}: {spread(found)}{solved}; {rows[0]['n_parameters']} weights, {seconds:.1f} s to fit", flush=True)


def adding() -> None:
    """Adding, T = 200: mean squared error on 10,000 fresh sequences; the mean alone 1/6."""
    by_gradient("adding", ("lstm", "gru", "elman"))


def temporal_order() -> None:
    """Temporal order, two marked symbols: accuracy."""
    by_gradient("temporal-order", ("lstm", "gru"))


def reber() -> None:
    """Embedded Reber grammar: share of strings with every set of legal next symbols right."""
    by_gradient("reber", ("lstm", "gru"))


def digits_by_gradient() -> None:
    """Digits by rows, accuracy on 500 test images."""
    by_gradient("digits", ("lstm", "gru", "elman", "clockwork"))


def forecast(files: list[str]) -> None:
    """Forecasts from eight origins: mean root mean squared errors."""
    sunspots = Path(__file__).parent.parent / "tasks" / "data" / "sunspots_monthly.csv"
    for path, columns, horizon in [(str(sunspots), ["sunspots"], 132), *[(f, None, 100) for f in files]]:
        records = backtest(path, Forecaster(horizon), columns=columns).records()
        print(f"  {Path(path).name}, {horizon} steps:", ", ".join(f"{r['method']} {r['rmse']:.4g}" for r in records))


def blas_threads() -> None:
    """Relative difference of scores between 1 and 2 BLAS threads."""
    for name in ("narma10", "lorenz", "mackey-glass", "sunspots"):
        found = []
        for threads in (1, 2):
            with threadpool_limits(threads):
                found.append(evaluate(get_task(name), "esn", {}, 0).row["score"])
        print(f"  {name}: {abs(found[0] - found[1]) / abs(found[0]):.1e}")


def main() -> None:
    """Run what is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--csv", nargs="*", default=[])
    arguments = parser.parse_args()
    table: dict[str, Callable[[], None]] = {
        "narma10": narma10,
        "mackey-glass": mackey_glass,
        "lorenz": lorenz,
        "memory-capacity": memory_capacity,
        "channel-equalization": channel_equalization,
        "digits": digits,
        "forecast": lambda: forecast(arguments.csv),
        "blas-threads": blas_threads,
        "adding": adding,
        "temporal-order": temporal_order,
        "reber": reber,
        "digits-by-gradient": digits_by_gradient,
    }
    titles = {"forecast": forecast.__doc__}
    for name in arguments.names or table:
        if name not in table:
            parser.error(f"no benchmark {name!r}; there are {', '.join(table)}")
        print(titles.get(name) or table[name].__doc__, flush=True)
        started = time.perf_counter()
        table[name]()
        print(f"  ({time.perf_counter() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
