"""Sweeps in several processes, some of which are killed: the same table as if nothing had happened, and nothing left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
import sweep_toys
from messages import mentions
from sweep_toys import Toy, lasting
from test_workers import alive, wait_until

from reservoir.experiments.store import Store
from reservoir.experiments.workers import WorkerError
from reservoir.sweeps.plan import Sweep, plan_sweep
from reservoir.sweeps.runner import run_sweep
from reservoir.validation import ParameterError

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{HERE}:{HERE.parent}", "OPENBLAS_NUM_THREADS": "1"}
CLI = [sys.executable, "-m", "reservoir"]


def sweep_of(acts: tuple[tuple[float, str], ...] = (), folder: str = "", seeds: tuple[int, ...] = (0, 1)) -> Sweep:
    vary = {"spectral_radius": "0.1:1.0:10", "readout__ridge": [1e-6, 1e-2]}
    return plan_sweep(Toy(acts, folder), "esn", vary, seeds=seeds)


def recorded(path: Path) -> int:
    """How many runs the store has by now."""
    try:
        with Store.reading(path) as store:
            return len(store.statuses())
    except (ValueError, OSError):  # it is being made
        return 0


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A program with a process group of its own, as a terminal's; killed in the end, whatever happened."""
    process = subprocess.Popen(
        command, env=ENVIRONMENT, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_two_processes_of_which_some_die(tmp_path: Path) -> None:
    """One run kills its process once, another one every time: the others' rows are those of a single quiet process."""
    others = set(multiprocessing.active_children())
    path, quiet = tmp_path / "two.db", tmp_path / "one.db"
    table = run_sweep(sweep_of(((0.3, "die once"), (0.7, "die")), str(tmp_path)), path, jobs=2).runs
    assert set(multiprocessing.active_children()) == others
    run_sweep(sweep_of(), quiet, jobs=1)
    expected, found = lasting(quiet), lasting(path)
    guilty = [k for k, row in enumerate(expected) if "'spectral_radius': 0.7" in row[1]]
    innocent = [k for k in range(40) if k not in guilty]
    assert len(found) == len(expected) == 40 and len(guilty) == 4
    assert [found[k] for k in innocent] == [expected[k] for k in innocent]
    assert [k for k, status in enumerate(table.status) if status == "failed"] == guilty
    told = "its worker died at every attempt, perhaps for want of memory (BrokenProcessPool)"
    assert {table.error[k] for k in guilty} == {told}
    with Store.reading(path) as store:
        attempts = [row["attempts"] for row in store.rows()]
    assert {attempts[k] for k in guilty} == {3} and set(attempts) <= {1, 2, 3} and 1 in attempts


ENDLESS = """
import sys
from test_sweep_faults import run_sweep, sweep_of
acts = tuple((radius / 10, "linger") for radius in range(2, 11))  # all but the first, however they come together in chunks
if __name__ == "__main__":
    run_sweep(sweep_of(acts, sys.argv[1]), sys.argv[1] + "/a.db", jobs=2)
"""


@pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM", "SIGINT twice"])
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_no_process_outlives_the_one_that_runs_the_sweep(end: str, tmp_path: Path) -> None:
    """Amid long runs, whatever ends it: what was written stays, and the workers are gone."""
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS)
    name, _, twice = end.partition(" ")
    with started(sys.executable, str(script), str(tmp_path)) as process:
        wait_until(lambda: len([p for p in tmp_path.glob("linger*") if p.read_text()]) == 2)
        workers = [int(path.read_text().split()[0]) for path in tmp_path.glob("linger*")]
        assert all(map(alive, workers))
        kept = recorded(tmp_path / "a.db")
        if twice:
            os.killpg(process.pid, signal.SIGINT)  # to all of them, as the terminal does
            time.sleep(0.3)
            assert process.poll() is None and all(map(alive, workers))  # these are in hand
        process.send_signal(getattr(signal, name))
        process.wait()
        wait_until(lambda: not any(map(alive, workers)))
    assert process.returncode == -getattr(signal, name)
    assert recorded(tmp_path / "a.db") >= kept > 0


SWEEP = ["sweep", "narma10", "--set", "units=30", "--vary", "spectral_radius=0.1:1:20", "--vary", "leak_rate=0.5:1:5",
         "--seeds", "0:5"]  # fmt: skip


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a sweep that nobody disturbed."""
    path = tmp_path_factory.mktemp("quiet") / "quiet.db"
    subprocess.run([*CLI, *SWEEP, "--store", str(path), "--jobs", "1"], env=ENVIRONMENT, check=True, capture_output=True)
    return path


def test_killed_again_and_again_and_then_interrupted(quiet: Path, tmp_path: Path) -> None:
    """The whole group is killed, Ctrl-C comes once, and in the end the table is that of a sweep nobody disturbed."""
    path, seen = tmp_path / "a.db", 0
    for jobs in ("1", "2"):
        with started(*CLI, *SWEEP, "--store", str(path), "--jobs", jobs) as process:
            wait_until(lambda before=seen: process.poll() is not None or recorded(path) > before)  # type: ignore[misc]
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert process.returncode == -signal.SIGKILL
        before, seen = seen, recorded(path)
        assert before < seen < 500
    with started(*CLI, *SWEEP, "--store", str(path), "--jobs", "1") as process:
        wait_until(lambda: process.poll() is not None or recorded(path) > seen)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate()
    told = [f"Interrupted; {path} keeps the {recorded(path)} runs that were finished. The same command continues from there."]
    assert (process.returncode, out, [line for line in err.splitlines() if line]) == (130, "", told)
    assert seen < recorded(path) < 500
    last = subprocess.run([*CLI, *SWEEP, "--store", str(path), "--jobs", "1"], env=ENVIRONMENT, capture_output=True, text=True)
    assert last.returncode == 0 and "100 trials, 5 seeds: 500 done." in last.stdout
    assert lasting(path) == lasting(quiet) and len(lasting(path)) == 500


# -- processes that cannot do the work -----------------------------------------------------------------------------------


class Local(Toy):
    """Holds what cannot be pickled."""

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "extra", lambda: None)


def test_a_task_that_cannot_be_sent(tmp_path: Path) -> None:
    """Nothing is recorded as failed that was never begun."""
    sweep = plan_sweep(Local(), "esn", {"spectral_radius": [0.5, 0.9]})
    with pytest.raises(ParameterError, match=mentions("1 another")):
        run_sweep(sweep, tmp_path / "a.db", jobs=2)
    assert lasting(tmp_path / "a.db") == []
    assert len(run_sweep(sweep, tmp_path / "a.db", jobs=1).runs.score) == 2


UNGUARDED = """
import sys
from test_sweep_faults import run_sweep, sweep_of
run_sweep(sweep_of(), sys.argv[1], jobs=2)
"""


def test_a_script_without_the_usual_line(tmp_path: Path) -> None:
    script, path = tmp_path / "script.py", tmp_path / "a.db"
    script.write_text(UNGUARDED)
    found = subprocess.run([sys.executable, str(script), str(path)], env=ENVIRONMENT, capture_output=True, text=True)
    assert found.returncode == 1 and lasting(path) == []
    told = "The worker processes cannot be started, see above; a script needs the usual if __name__"
    assert f"reservoir.experiments.workers.WorkerError: {told}" in found.stderr


def test_a_class_that_the_processes_cannot_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that was typed into a prompt."""
    typed = type("Typed", (Toy,), {"__module__": "sweep_toys", "__qualname__": "Typed"})
    monkeypatch.setattr(sweep_toys, "Typed", typed, raising=False)  # which this process alone knows
    with pytest.raises(WorkerError, match=mentions("AttributeError Can't 'Typed'")):
        run_sweep(plan_sweep(typed(), "esn", {"spectral_radius": [0.5, 0.9]}), tmp_path / "a.db", jobs=2)
    assert lasting(tmp_path / "a.db") == []


# -- Dask ----------------------------------------------------------------------------------------------------------------

dask = pytest.mark.skipif(find_spec("distributed") is None, reason="needs distributed")


def free_address() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def cluster(workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and workers of a thread each, without nannies: what is killed stays so."""
    address = free_address()
    scheduler = ["-m", "distributed.cli.dask_scheduler", "--host", address, "--no-dashboard"]
    worker = ["-m", "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
    processes = [
        subprocess.Popen([sys.executable, *words], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for words in (scheduler, *[worker] * workers)
    ]
    try:
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


COUNT = "import sys; from distributed import Client; Client(sys.argv[1], timeout=30).wait_for_workers(int(sys.argv[2]), 30)"


@dask
def test_a_cluster_one_of_whose_workers_is_killed(quiet: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with cluster(3) as (address, workers):
        subprocess.run([sys.executable, "-c", COUNT, address, "3"], env=ENVIRONMENT, check=True, capture_output=True)
        with started(*CLI, *SWEEP, "--store", str(path), "--scheduler", address) as process:
            wait_until(lambda: process.poll() is not None or recorded(path) > 0)
            workers[1].kill()
            assert recorded(path) < 500
            out, err = process.communicate()
    assert process.returncode == 0, err
    assert "500 done." in out
    assert lasting(path) == lasting(quiet)


ASK = """
import sys
from reservoir.experiments import engines
engines.ANSWER_SECONDS = 0.3
for address in sys.argv[1:]:
    try:
        with engines.engine(scheduler=address):
            pass
    except ConnectionError as error:
        print(error.filename, error.strerror)
"""


@dask
def test_a_scheduler_that_does_not_answer() -> None:
    """Nobody there, one that accepts the call and says nothing, and what is no address: a line each, within seconds."""
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        addresses = [free_address(), f"tcp://127.0.0.1:{mute.getsockname()[1]}", "nowhere"]
        found = subprocess.run([sys.executable, "-c", ASK, *addresses], env=ENVIRONMENT, capture_output=True, text=True)
    told = found.stdout.splitlines()
    assert found.stderr == "" and len(told) == 3
    for line, address in zip(told, addresses, strict=True):
        assert line.startswith(f"{address} no Dask scheduler answers within 0.3 seconds (")
