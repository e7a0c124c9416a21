"""Strategies that search, side by side: the best of as many trials of each.

    python benchmarks/searches.py [mackey-glass narma10] [--trials 100] [--repeats 5]

Every strategy searches the same space with another search seed per repeat; told are the best scores on the validation
split (the mean over two seeds of the data), their medians over the repeats, and in how many of these a strategy's best was
better than random search's. Then the best trial of each is scored on the test split with seeds that no search saw.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from statistics import median

from reservoir.experiments.evaluation import evaluate
from reservoir.sweeps.plan import plan_sweep
from reservoir.sweeps.runner import run_sweep
from reservoir.tasks import get_task

SPACE = {
    "spectral_radius": "0.1:1.5",
    "leak_rate": "0.1:1",
    "input_scaling": "log:0.01:2",
    "bias_scaling": "log:0.01:2",
    "readout__ridge": "log:1e-12:1e-2",
}
UNITS = {"mackey-glass": 300, "narma10": 200}
STRATEGIES = ("random", "sobol", "tpe", "cmaes")
SEEDS, FRESH = (0, 1), (1000, 1001, 1002)


def best_of(task: str, strategy: str, trials: int, search_seed: int, folder: str) -> tuple[float, float]:
    """The best score on the validation split, and that trial's median on the test split with fresh seeds."""
    chosen = get_task(task)
    sweep = plan_sweep(chosen, "esn", SPACE, {"units": UNITS.get(task, 200)}, SEEDS, strategy, trials, search_seed=search_seed)
    report = run_sweep(sweep, f"{folder}/{task}-{strategy}-{search_seed}.db")
    best = report.ranking(1)[0]
    fresh = [evaluate(chosen, "esn", report.runs.trials[best["trial"]], seed).row["score"] for seed in FRESH]
    return best["mean"], median(fresh)


def main() -> None:
    """Search and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=["mackey-glass", "narma10"], metavar="TASK")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    for task in arguments.tasks:
        sign = -1.0 if get_task(task).higher_is_better else 1.0
        scores: dict[str, list[float]] = {}
        for strategy in STRATEGIES:
            started = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                found = [best_of(task, strategy, arguments.trials, seed, folder) for seed in range(arguments.repeats)]
            scores[strategy] = [validation for validation, _ in found]
            wins = sum(sign * a < sign * b for a, b in zip(scores[strategy], scores["random"], strict=True))
            print(
                f"{task:14} {strategy:7} best of {arguments.trials}, validation: median {median(scores[strategy]):.4g}"
                f" ({', '.join(f'{score:.3g}' for score in scores[strategy])}), better than random in {wins} of"
                f" {arguments.repeats}; test: median {median(test for _, test in found):.4g};"
                f" {time.perf_counter() - started:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
