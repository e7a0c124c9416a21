"""Processes for parts of the work: what they report, their errors, and no process left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from messages import mentions

from reservoir.base.threads import thread_count
from reservoir.experiments.engines import Engine, engine
from reservoir.experiments.workers import LEAST_SECONDS, Pool, listening, tell
from reservoir.validation import DataError


def square(number: int) -> dict[str, int]:
    tell(("begun", number))
    tell(("soon after", number))
    time.sleep(LEAST_SECONDS)
    return {"square": number**2, "process": os.getpid(), "threads": thread_count()}


def fail_at_three(number: int) -> int:
    if number == 3:
        raise DataError("three is not wanted")
    return number


class OddError(Exception):
    """Cannot be pickled."""

    def __init__(self, text: str, number: int) -> None:
        super().__init__(text)


def fail_oddly(number: int) -> None:
    raise OddError("very odd", number)


def much(number: int) -> bytes:
    return bytes(2_000_000) + bytes([number])


def linger(folder: str) -> None:
    Path(folder, str(os.getpid())).touch()
    time.sleep(20.0)
    Path(folder, "finished").touch()


def mapped(pool: Pool, work: Callable[..., Any], *values: Any) -> list[Any]:
    return [future.result() for future in [pool.submit(work, value) for value in values]]


def test_processes_share_the_cores_and_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESERVOIR_NUM_THREADS", "5")
    with engine(2) as made:
        assert isinstance(made, Engine) and isinstance(made.executor, Pool)
        found = mapped(made.executor, square, *range(6))
        told = list(made.messages())
    assert [one["square"] for one in found] == [0, 1, 4, 9, 16, 25]
    assert os.getpid() not in {one["process"] for one in found}
    assert {one["threads"] for one in found} == {2}
    assert sorted(told) == [("begun", number) for number in range(6)]  # what comes too soon after is dropped


def test_work_in_this_process_is_heard_within_a_block() -> None:
    told: list[Any] = []
    with listening(told.append):
        square(3)
    square(4)
    assert told == [("begun", 3), ("soon after", 3)]


def test_an_error_is_raised_and_leaves_no_process() -> None:
    others = set(multiprocessing.active_children())
    with pytest.raises(DataError, match=mentions("wanted three")) as caught, Pool(2) as pool:
        mapped(pool, fail_at_three, *range(50))
    assert "fail_at_three" in str(caught.value.__cause__)  # where it came from
    assert set(multiprocessing.active_children()) == others


def test_an_error_that_cannot_be_pickled_and_large_results() -> None:
    with Pool(2) as pool:
        with pytest.raises(RuntimeError, match=mentions("OddError very")):
            mapped(pool, fail_oddly, 1)
        found = mapped(pool, much, *range(6))
    assert [data[-1] for data in found] == list(range(6)) and len(found[0]) == 2_000_001


def test_stopping_in_the_middle_ends_the_processes(tmp_path: Path) -> None:
    others = set(multiprocessing.active_children())

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 1.0)  # Ctrl-C, for this process only
    try:
        with pytest.raises(KeyboardInterrupt), Pool(2) as pool:
            mapped(pool, linger, *[str(tmp_path)] * 4)
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    assert set(multiprocessing.active_children()) == others
    assert not (tmp_path / "finished").exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    code = f"import test_workers as t\nwith t.Pool(2) as pool: t.mapped(pool, t.linger, *[{str(tmp_path)!r}] * 2)"
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
