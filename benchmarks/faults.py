"""What a sweep survives: kills, dying clusters, full disks; and what it costs the process that runs it.

    python benchmarks/faults.py [kills] [cluster] [scheduler] [disk] [records] [dispatch]

kills      a sweep of 500 runs whose whole process group is killed at 20 random moments, started again each time
cluster    a Dask cluster of three worker processes, one of which is killed half-way
scheduler  a Dask cluster whose scheduler is killed half-way, and the sweep continued elsewhere
disk       a disk of 300 kB that fills up, then has room again (Linux, as root: it mounts a tmpfs)
records    100,000 runs that take no time: memory and time of what runs the sweep, and of `reservoir results`
dispatch   the same over a Dask cluster of two processes, whose work and scheduler share the machine with the sweep

All of them without a name. Each compares the table in the end with that of a sweep which nobody disturbed, bit by bit.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from memory import anonymous_megabytes

from reservoir.experiments.rows import Row
from reservoir.experiments.store import Store
from reservoir.experiments.work import Answer, Chunk
from reservoir.sweeps.plan import plan_sweep
from reservoir.sweeps.runner import run_sweep
from reservoir.tasks import get_task

KILLS = 20
RECORDS = 100_000
COMMAND = [sys.executable, "-m", "reservoir"]
SWEEP = ["sweep", "narma10", "--set", "units=500", "--vary", "spectral_radius=0.1:1.5:25", "--vary", "leak_rate=0.2,1",
         "--vary", "readout.ridge=1e-8,1e-4", "--seeds", "0:5"]  # fmt: skip
RUNS = 25 * 2 * 2 * 5
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "OPENBLAS_NUM_THREADS": "1"}


def started(store: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *SWEEP, "--store", str(store), *more],
        env=ENVIRONMENT, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def rows(store: Path) -> list[tuple[Any, ...]]:
    """What must be the same: all but times and versions."""
    names = ("key", "trial", "parameters", "seed", "status", "score", "scores", "error", "data_hash", "n_parameters")
    with Store.reading(store) as opened:
        return [tuple(repr(row[name]) for name in names) for row in opened.rows()]


def recorded(store: Path) -> int:
    try:
        return len(rows(store))
    except (ValueError, OSError):
        return 0


def quiet(folder: Path) -> list[tuple[Any, ...]]:
    """The table of a sweep that nobody disturbed."""
    store = folder / "quiet.db"
    if not store.exists():
        started(store, "--jobs", "1").communicate()
    return rows(store)


def verdict(folder: Path, store: Path) -> str:
    found = rows(store)
    once = len({row[0] for row in found}) == len(found) == RUNS
    return f"every run once: {once}; bit-identical to an undisturbed sweep: {found == quiet(folder)}"


def kills(folder: Path) -> str:
    """Kill the whole process group at random moments."""
    store, moments = folder / "kills.db", random.Random(0)
    kept = [0]
    while len(kept) <= KILLS:
        process = started(store, "--jobs", "2")
        if len(kept) % 2:  # every other time at work, else perhaps while it starts
            wait_for(process, store, kept[-1])
        time.sleep(moments.uniform(0.0, 0.1 if len(kept) % 2 else 2.0))
        ended = process.poll() is not None
        if not ended:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if ended:
            break
        kept.append(recorded(store))
    started(store, "--jobs", "2").communicate()
    lost = sum(after < before for before, after in pairwise(kept))
    return f"{len(kept) - 1} kills, runs kept after each: {kept[1:]}; fewer than before: {lost}; {verdict(folder, store)}"


def wait_for(process: subprocess.Popen[str], store: Path, runs: int) -> None:
    """Until there are more runs than that, or the sweep has ended."""
    while process.poll() is None and recorded(store) <= runs:
        time.sleep(0.02)


@contextmanager
def dask_cluster(workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address, and the processes, the scheduler's first."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
    commands = [["dask_scheduler", "--host", address], *[["dask_worker", address, "--no-nanny", "--nthreads", "1"]] * workers]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{name}", *words, "--no-dashboard"],
            env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for name, *words in commands
    ]  # fmt: skip
    code = "import sys; from distributed import Client; Client(sys.argv[1], timeout=60).wait_for_workers(int(sys.argv[2]), 60)"
    try:
        subprocess.run([sys.executable, "-c", code, address, str(workers)], check=True, capture_output=True)
        yield address, processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def half_way(store: Path, workers: int, victim: int) -> str:
    """What a sweep on a Dask cluster says when one of the cluster's processes, the scheduler being 0, is killed half-way."""
    with dask_cluster(workers) as (address, processes):
        process = started(store, "--scheduler", address)
        wait_for(process, store, RUNS // 2)
        processes[victim].kill()
        begun = time.perf_counter()
        _, errors = process.communicate()
        return f"status {process.returncode} after {time.perf_counter() - begun:.1f} s{told(errors)}"


def told(errors: str) -> str:
    return "".join(f"; {line}" for line in errors.splitlines() if line.startswith("Error"))


def cluster(folder: Path) -> str:
    """Kill one of three workers half-way."""
    store = folder / "cluster.db"
    return f"{half_way(store, 3, 2)}; {verdict(folder, store)}"


def scheduler(folder: Path) -> str:
    """Kill the scheduler half-way, and go on in this machine's processes."""
    store = folder / "scheduler.db"
    said, kept = half_way(store, 2, 0), recorded(store)
    started(store, "--jobs", "2").communicate()
    return f"{said}; {kept} runs kept; {verdict(folder, store)}"


def disk(folder: Path) -> str:
    """Fill a small disk, then make room."""
    place = folder / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)], capture_output=True).returncode:
        return "needs Linux and root"
    try:
        store = place / "sweep.db"
        process = started(store, "--jobs", "2")
        _, errors = process.communicate()
        kept = recorded(store)
        subprocess.run(["mount", "-o", "remount,size=20m", str(place)], check=True)
        again = recorded(store)
        started(store, "--jobs", "2").communicate()
        return f"status {process.returncode}, {kept} runs kept, {again} of them with room again{told(errors)}; " + verdict(
            folder, store
        )
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


class Instant(Executor):
    """Gives every run a score at once."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that has its answer."""
        future: Future[Any] = Future()
        future.set_result(answered(args[0])._replace(seconds=1e-6))
        return future


def records(folder: Path) -> str:
    """Record many runs, and show them."""
    store = folder / "records.db"
    vary = {"spectral_radius": f"0.1:1.5:{RECORDS // 100}", "leak_rate": "0.1:1:10", "readout__ridge": "log:1e-9:1e-3:10"}
    sweep = plan_sweep(get_task("narma10"), "esn", vary, {"units": 100})
    before, peak, done = anonymous_megabytes(), 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, anonymous_megabytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun = time.perf_counter()
    runs = len(run_sweep(sweep, store, executor=Instant(), jobs=2).runs.score)
    seconds = time.perf_counter() - begun
    begun = time.perf_counter()
    run_sweep(sweep, store, executor=Instant(), jobs=2)
    again = time.perf_counter() - begun
    done.set()
    watcher.join()
    shown = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run([*COMMAND, "results", str(store)], env=ENVIRONMENT, check=True, capture_output=True)
        shown.append(time.perf_counter() - begun)
    return (
        f"{runs:,} runs: {1000 * seconds / runs:.3f} ms each beside the work itself,"
        f" peak memory {peak:.0f} MB ({before:.0f} MB before); again, with nothing to do: {again:.1f} s;"
        f" store {store.stat().st_size / 2**20:.0f} MB; reservoir results: {min(shown):.2f} s"
    )


class InstantWorkers(Executor):
    """Has the workers of a cluster give every run a score at once, which they say took 7 ms."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of the cluster's executor."""
        return self.executor.submit(answered, *args)


def answered(chunk: Chunk) -> Answer:
    """An answer to a chunk."""
    done = [Row(r.key, r.trial, chunk.seed, "done", 0.5, {"nmse": 0.5}, None, (), None, 100, 0.1, 0.1) for r in chunk.runs]
    return Answer(done, "", 0.0, {"version": "1"}, 0.007 * len(done))


def dispatch(folder: Path) -> str:
    """Send many runs to a cluster, and record what comes back."""
    from distributed import Client

    vary = {"spectral_radius": f"0.1:1.5:{RECORDS // 100}", "leak_rate": "0.1:1:10", "readout__ridge": "log:1e-9:1e-3:10"}
    sweep = plan_sweep(get_task("narma10"), "esn", vary, {"units": 100})
    told = []
    for workers in (2, 200):
        with dask_cluster(2) as (address, _), Client(address) as client:
            executor = InstantWorkers(client.get_executor(pure=False))
            begun = time.perf_counter()
            runs = len(run_sweep(sweep, folder / f"dispatch{workers}.db", executor=executor, jobs=workers).runs.score)
            told.append(f"in chunks as for {workers}: {1000 * (time.perf_counter() - begun) / runs:.3f} ms a run")
    return "; ".join(told)


PARTS: dict[str, Callable[[Path], str]] = {
    "kills": kills,
    "cluster": cluster,
    "scheduler": scheduler,
    "disk": disk,
    "records": records,
    "dispatch": dispatch,
}


def main() -> None:
    names = sys.argv[1:] or list(PARTS)
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            print(f"{name}: {PARTS[name](Path(folder))}", flush=True)


if __name__ == "__main__":
    main()
