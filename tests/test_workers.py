"""Calls in several processes: the same results whatever their number, and no process left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from reservoir.base.threads import thread_count
from reservoir.experiments.workers import WorkerError, run_all
from reservoir.validation import DataError


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def square(number: int, report: Callable[[Any], None]) -> dict[str, Any]:
    report(("begun", number))
    report(("soon after", number))
    time.sleep(0.01)
    return {"square": number**2, "process": os.getpid(), "blas": blas_threads(), "threads": thread_count()}


def fail_at_three(number: int, report: Callable[[Any], None]) -> int:
    if number == 3:
        raise DataError("three is not wanted")
    return number


class OddError(Exception):
    """Cannot be pickled."""

    def __init__(self, text: str, number: int) -> None:
        super().__init__(text)


def fail_oddly(number: int, report: Callable[[Any], None]) -> None:
    raise OddError("very odd", number)


def much(number: int, report: Callable[[Any], None]) -> bytes:
    return bytes(2_000_000) + bytes([number])


def die_at_three(number: int, report: Callable[[Any], None]) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def linger(folder: str, report: Callable[[Any], None]) -> None:
    Path(folder, str(os.getpid())).touch()
    time.sleep(20.0)
    Path(folder, "finished").touch()


def numbers(count: int, taken: list[int] | None = None) -> Iterator[tuple[int]]:
    for number in range(count):
        if taken is not None:
            taken.append(number)
        yield (number,)


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_call_is_made_once_on_one_blas_thread(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESERVOIR_NUM_THREADS", "5")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    told: list[tuple[int, Any]] = []
    with threadpool_limits(2):
        found = dict(run_all(square, numbers(6), jobs, lambda index, message: told.append((index, message))))
    assert [found[index]["square"] for index in range(6)] == [0, 1, 4, 9, 16, 25]
    assert {*map(frozenset, (one["blas"] for one in found.values()))} == {frozenset({1})}
    processes = {one["process"] for one in found.values()}
    assert processes == {os.getpid()} if jobs == 1 else os.getpid() not in processes and len(processes) <= jobs
    assert {one["threads"] for one in found.values()} == {5 // jobs}  # the cores are shared
    begun = [message[1] for index, message in told if message == ("begun", index)]
    assert sorted(begun) == list(range(6))
    assert len(told) == (12 if jobs == 1 else 6)  # what comes too soon after is dropped


@pytest.mark.parametrize("jobs", [1, 2])
def test_arguments_are_taken_when_their_turn_comes(jobs: int) -> None:
    taken: list[int] = []
    work = run_all(square, numbers(50, taken), jobs, lambda *_: None)
    assert taken == []
    next(work)
    assert len(taken) <= (1 if jobs == 1 else 6)
    work.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_is_raised_and_leaves_no_process(jobs: int) -> None:
    others = set(multiprocessing.active_children())
    with pytest.raises(DataError, match="three is not wanted"):
        dict(run_all(fail_at_three, numbers(50), jobs, lambda *_: None))
    assert set(multiprocessing.active_children()) == others


def test_an_error_tells_where_it_came_from_also_if_it_cannot_be_pickled() -> None:
    with pytest.raises(DataError) as caught:
        dict(run_all(fail_at_three, numbers(5), 2, lambda *_: None))
    assert "fail_at_three" in str(caught.value.__cause__)
    with pytest.raises(RuntimeError, match=r"^OddError: very odd$"):
        dict(run_all(fail_oddly, numbers(2), 2, lambda *_: None))


def test_results_may_be_large() -> None:
    found = dict(run_all(much, numbers(6), 2, lambda *_: None))
    assert [found[k][-1] for k in range(6)] == list(range(6)) and len(found[0]) == 2_000_001


def test_a_killed_process_is_told_in_one_line() -> None:
    others = set(multiprocessing.active_children())
    done = []
    with pytest.raises(WorkerError, match=r"^A worker process was killed, .* kept\.$"):
        done += run_all(die_at_three, numbers(50), 2, lambda *_: None)
    assert set(multiprocessing.active_children()) == others


def test_stopping_in_the_middle_ends_the_processes(tmp_path: Path) -> None:
    others = set(multiprocessing.active_children())
    work = run_all(linger, iter([(str(tmp_path),)] * 4), 2, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 1.0)  # Ctrl-C, for this process only

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            next(work)
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    assert set(multiprocessing.active_children()) == others
    assert not (tmp_path / "finished").exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    code = f"import test_workers as t; dict(t.run_all(t.linger, iter([({str(tmp_path)!r},)] * 2), 2, print))"
    environment = {**os.environ, "PYTHONPATH": f"{Path(__file__).parent}:{Path(__file__).parent.parent}"}
    parent = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: not any(alive(int(path.name)) for path in tmp_path.iterdir()))


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what must come; a minute is far more than it takes."""
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come")


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
