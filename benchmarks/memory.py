"""Peak memory of fitting 10,000,000 steps with 1,000 units from memory-mapped inputs.

    python benchmarks/memory.py [--steps 10000000] [--units 1000]

Prints the peak of the process's anonymous memory: everything, the imports too, but for the mapped inputs and the code of
libraries, which are backed by files. From /proc, sampled every 50 ms.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from reservoir import ESN, Ridge


def anonymous_megabytes() -> float:
    """Resident memory of this process that is not file-backed."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise OSError("needs /proc (Linux)")


def main() -> None:
    """Fit and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10_000_000)
    parser.add_argument("--units", type=int, default=1000)
    arguments = parser.parse_args()
    esn = ESN(units=arguments.units, density=10 / arguments.units, readout=Ridge(1e-6, "cholesky"), random_state=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.npy"
        series = np.lib.format.open_memmap(path, "w+", np.float64, (arguments.steps + 1, 1))
        for start in range(0, len(series), 1_000_000):
            series[start : start + 1_000_000, 0] = np.sin(0.2 * np.arange(start, min(start + 1_000_000, len(series))))
        series.flush()
        series = np.load(path, mmap_mode="r")
        peak, done = 0.0, False

        def watch() -> None:
            nonlocal peak
            while not done:
                peak = max(peak, anonymous_megabytes())
                time.sleep(0.05)

        watcher = threading.Thread(target=watch)
        watcher.start()
        started = time.perf_counter()
        esn.fit(series[:-1], series[1:])
        seconds = time.perf_counter() - started
        done = True
        watcher.join()
    print(
        f"{arguments.steps} steps, {arguments.units} units: peak of {peak:.0f} MB without the mapped inputs,"
        f" {1e6 * seconds / arguments.steps:.1f} us per step"
    )


if __name__ == "__main__":
    main()
