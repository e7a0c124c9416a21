"""What models at work cost: an update, a file of a million rows, a thousand groups.

python benchmarks/at_work.py [update | million | groups]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from reservoir import ESN, Ridge
from reservoir.echo.learning import learn_on, learning_to_plain

SETTINGS = {"units": 300, "density": 0.033, "leak_rate": 0.1, "washout": 100, "readout": Ridge(1.0), "random_state": 0}


def record(rows: int) -> np.ndarray:
    """Two waves and noise, (rows, 1)."""
    t = np.arange(rows)
    noise = np.random.default_rng(0).normal(size=rows)
    return np.asarray(np.sin(t / 20) + 0.3 * np.sin(t / 7.3) + 0.1 * noise)[:, None]


def update() -> None:
    """Learning 1,000 new rows against a fit of everything."""
    for rows in (20_000, 50_000, 100_000):
        u = record(rows + 1001)
        esn = ESN(**SETTINGS).fit(u[:rows], u[1 : rows + 1])
        plain = learning_to_plain(esn)
        start = time.perf_counter()
        learn_on(esn, plain, u[rows:-1], u[rows + 1 :])
        weights = esn.output_weights_
        learned = time.perf_counter()
        whole = ESN(**SETTINGS).fit(u[:-1], u[1:]).output_weights_
        ratio = (time.perf_counter() - learned) / (learned - start)
        print(f"{rows:,} rows: an update is {ratio:.0f} times faster, weights differ by {np.abs(weights - whole).max():.0e}")


def timed(*arguments: str) -> None:
    """Run a command line, and print its seconds, and the largest memory of any so far."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "reservoir", *arguments, "--quiet"], check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{' '.join(arguments[:3])}: {time.perf_counter() - start:.1f} s, {used.ru_maxrss / 1024:.0f} MB")


def million(folder: Path) -> None:
    """A CSV file of a million rows: train, save, predict."""
    path, model = str(folder / "million.csv"), str(folder / "model")
    np.savetxt(path, 100.0 + 10.0 * record(1_000_000), fmt="%.4f", header="load", comments="")
    timed("train", "csv", "--data", path, "--set", "units=100", "--set", "density=0.1", "--save", model)
    timed("predict", model, path, "--horizon", "100", "--out", str(folder / "out.csv"))


def groups(folder: Path) -> None:
    """A thousand series of 100 rows in long format."""
    days = (np.datetime64("2024-01-01") + np.arange(100)).astype(str)
    noise = np.random.default_rng(0).normal(size=(1000, 100))
    lines = [f"{day},s{g},{50 + 5 * np.sin(k + g) + noise[g, k]:.3f}" for g in range(1000) for k, day in enumerate(days)]
    path = folder / "groups.csv"
    path.write_text("\n".join(["day,shop,sold", *lines]) + "\n")
    timed("forecast", str(path), "--group", "shop", "--horizon", "7", "--save", str(folder / "m"), "--out", str(folder / "f.csv"))


def main() -> None:
    """Run what the command line names, or all."""
    wanted = sys.argv[1:] or ["update", "million", "groups"]
    if "update" in wanted:
        update()
    with TemporaryDirectory() as folder:
        for name, work in (("million", million), ("groups", groups)):
            if name in wanted:
                work(Path(folder))


if __name__ == "__main__":
    main()
