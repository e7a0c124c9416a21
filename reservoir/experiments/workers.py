"""Calls of one function in several processes. Results do not depend on how many: BLAS has one thread in each call.

Processes are spawned, not forked: threads do not survive a fork. So a script that asks for more than one process needs
the usual `if __name__ == "__main__":`. Each process has a pipe of its own, with no lock that a killed one could take along
(as the queues of `ProcessPoolExecutor` have).
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing import connection, resource_tracker
from time import monotonic
from typing import Any, NamedTuple

from reservoir.base.threads import one_blas_thread, thread_count

Report = Callable[[Any], None]
"""What a call may tell while it works: anything that can be pickled."""

LEAST_SECONDS = 0.1
"""Between two reports of one process, so that a fast one does not fill the pipe; what comes in between is dropped."""


class WorkerError(RuntimeError):
    """A process that did part of the work was killed."""


def run_all(
    work: Callable[..., Any], calls: Iterable[tuple[Any, ...]], jobs: int, report: Callable[[int, Any], None]
) -> Iterator[tuple[int, Any]]:
    """Call `work(*arguments, report)` for each of `calls`, in `jobs` processes; yield (index, result) as they finish.

    Parameters
    ----------
    work : a function of a module; with one job it is called in this process
    calls : tuples of arguments, taken one after the other as processes become free
    jobs : number of processes; with one the results come in order
    report : called with the index of a call and with what that call passes to its `report`

    Raises
    ------
    WorkerError
        A process was killed.
    Exception
        Whatever `work` raises. The other processes are ended then, also at Ctrl-C.
    """
    if jobs > 1:
        yield from _run_in_processes(work, calls, jobs, report)
        return
    for index, arguments in enumerate(calls):
        with one_blas_thread():
            result = work(*arguments, lambda message, index=index: report(index, message))
        yield index, result


class _Worker(NamedTuple):
    process: Any
    pipe: Any

    @classmethod
    def started(cls, threads: int) -> _Worker:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, threads), daemon=True)
        with _uninterrupted():
            process.start()
        there.close()  # so that the end of the process is the end of the pipe
        return cls(process, here)


def _run_in_processes(
    work: Callable[..., Any], calls: Iterable[tuple[Any, ...]], jobs: int, report: Callable[[int, Any], None]
) -> Iterator[tuple[int, Any]]:
    numbered = enumerate(calls)
    workers: list[_Worker] = []
    busy: dict[Any, int] = {}

    def send_next(pipe: Any) -> None:
        for index, arguments in islice(numbered, 1):
            busy[pipe] = index
            with _while_alive():
                pipe.send((work, arguments))

    try:
        for _ in range(jobs):
            workers.append(_Worker.started(max(thread_count() // jobs, 1)))
            send_next(workers[-1].pipe)
        while busy:
            ready: list[Any] = connection.wait(list(busy))
            for pipe in ready:
                with _while_alive():
                    kind, message = pipe.recv()
                if kind == "report":
                    report(busy[pipe], message)
                elif kind == "error":
                    raise message
                else:
                    index = busy.pop(pipe)
                    send_next(pipe)
                    yield index, message
    finally:
        for worker in workers:
            worker.pipe.close()  # which ends one that waits for its next call
            if busy:
                worker.process.terminate()
            worker.process.join()


@contextmanager
def _while_alive() -> Iterator[None]:
    """Tell it where the process at the other end of a pipe is no more."""
    try:
        yield
    except (EOFError, ConnectionError):
        raise WorkerError(
            "A worker process was killed, perhaps for want of memory; fewer jobs need less of it. What was finished is kept."
        ) from None


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until the block is over. Processes started in here never see it: this one is to end them."""
    came: list[int] = []
    main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, lambda number, frame: came.append(number)) if main else None
    try:
        with deaf_children():
            yield
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)
    if came:
        raise KeyboardInterrupt


@contextmanager
def deaf_children() -> Iterator[None]:
    """Processes started in here never see Ctrl-C: they inherit that it is blocked. It comes to this one afterwards."""
    resource_tracker.ensure_running()  # Python's own helper, whose start ends the blocking
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        if blocked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _serve(pipe: Any, threads: int) -> None:
    """What a worker does: one call after the other, until the pipe is closed."""
    become_worker(threads)
    while True:
        try:
            work, arguments = pipe.recv()
        except EOFError:
            return
        try:
            with one_blas_thread():
                answer = "done", work(*arguments, _reporter(pipe))
        except Exception as error:
            answer = "error", _portable(error)
        try:
            pipe.send(answer)
        except ConnectionError:  # nobody waits for it any more
            return


def become_worker(threads: int) -> None:
    """Make this process one that works for another: deaf to Ctrl-C, with so many threads, ending with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["RESERVOIR_NUM_THREADS"] = str(threads)  # it shares the cores with the others
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A process in the middle of long work does not outlive the one that started it, however that ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _reporter(pipe: Any) -> Report:
    last = -LEAST_SECONDS

    def report(message: Any) -> None:
        nonlocal last
        if monotonic() - last >= LEAST_SECONDS:
            last = monotonic()
            pipe.send(("report", message))

    return report


def _portable(error: Exception) -> Exception:
    """The error with its traceback as a note; one that cannot be pickled by its text."""
    error.add_note(f"In a worker process:\n{traceback.format_exc()}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
