"""The waveform table of the Clockwork RNN paper (Koutnik et al. 2014, task 1): NMSE of three networks at four sizes.

    python benchmarks/waveform.py [--seeds 20] [--budgets 100 250 500 1000] [--wav FILE --starts 0.5 1.0 ...] [--jobs N]

Elman network, LSTM and Clockwork RNN of the paper's sizes for about 100, 250, 500 and 1,000 weights, trained as the
settings of the task say: weights and biases N(0, .1), squared error summed over time, Nesterov momentum .95, learning rate
3e-4 (LSTM 3e-5), 2,000 epochs, on the five built-in tones, or on excerpts of a WAV file.
"""

from __future__ import annotations

import argparse
import os
import time
from itertools import product
from typing import Any

import numpy as np

from reservoir.base.threads import one_blas_thread
from reservoir.experiments.evaluation import evaluate
from reservoir.experiments.workers import Pool
from reservoir.tasks import get_task
from reservoir.validation import DivergenceError

SIZES = {"elman": (9, 15, 22, 31), "lstm": (4, 7, 10, 15), "clockwork": (11, 19, 27, 40)}
BUDGETS = (100, 250, 500, 1000)


def score(options: dict[str, Any], model: str, units: int, seed: int) -> float:
    """The NMSE of one run; infinite where training diverged."""
    try:
        with one_blas_thread():
            return float(evaluate(get_task("waveform", **options), model, {"units": units}, seed).row["score"])
    except DivergenceError:
        return np.inf


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budgets", type=int, nargs="+", default=BUDGETS, choices=BUDGETS)
    parser.add_argument("--wav")
    parser.add_argument("--starts", type=float, nargs="+", default=[0.0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    waves: list[dict[str, Any]] = [{"tone": number} for number in range(1, 6)]
    if arguments.wav:
        waves = [{"path": arguments.wav, "start": start} for start in arguments.starts]
    started = time.perf_counter()
    grid = list(product(arguments.budgets, SIZES, range(len(waves)), range(arguments.seeds)))
    calls = [(waves[w], model, SIZES[model][BUDGETS.index(budget)], seed) for budget, model, w, seed in grid]
    with Pool(arguments.jobs) as pool:
        scores = [future.result() for future in [pool.submit(score, *call) for call in calls]]
    names = [str(wave.get("tone", wave.get("start"))) for wave in waves]
    label = "start" if arguments.wav else "tone"
    print(f"median NMSE (quartiles) over {arguments.seeds} seeds; columns: {label}, and all together")
    for budget in arguments.budgets:
        print(f"{budget} weights\n{'':10}" + "".join(f"{name:>24}" for name in [*names, "all"]))
        for model in SIZES:
            values = np.array([scores[i] for i, cell in enumerate(grid) if cell[:2] == (budget, model)])
            columns = [*values.reshape(len(waves), -1), values]
            cells = [np.percentile(column, (50, 25, 75), method="nearest") for column in columns]
            print(f"{model:10}" + "".join(f"{m:.4f} ({low:.4f}-{high:.4f})".rjust(24) for m, low, high in cells))
    print(f"{len(calls)} runs in {time.perf_counter() - started:.0f} s with {arguments.jobs} processes")


if __name__ == "__main__":
    main()
