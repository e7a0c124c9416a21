"""Processes that do parts of the work, and what work reports on its way.

Processes are spawned, because threads do not survive a fork; a script that asks for more than one process needs the usual
`if __name__ == "__main__":`.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from time import monotonic
from typing import Any

from reservoir.base.threads import thread_count
from reservoir.validation import ParameterError

Report = Callable[[Any], None]
LEAST_SECONDS = 0.1
"""The time between two reports of a process, so that fast work does not fill the pipe; those in between are dropped."""


class WorkerError(RuntimeError):
    """A process that did part of the work was killed."""


class Pool(ProcessPoolExecutor):
    """Processes that end with this one and never see Ctrl-C. An error within its block ends them at once.

    Arguments are pickled and unpickled within the call, because `ProcessPoolExecutor` takes a failure for the death of a worker.
    """

    def __init__(self, jobs: int) -> None:
        context = multiprocessing.get_context("spawn")  # threads do not survive a fork
        self.reports = context.SimpleQueue()
        super().__init__(jobs, context, _become_worker, (max(thread_count() // jobs, 1), self.reports))
        self._started = False

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Send a call to a process. Raises `ParameterError` for what cannot be pickled, `WorkerError` where no process starts."""
        try:
            call = pickle.dumps((function, args, kwargs))
        except Exception as error:
            remedy = "define what it holds in a module, or use 1 job"
            raise ParameterError(f"The task cannot be sent to another process ({error}); {remedy}.") from None
        if not self._started:
            with _undisturbed():
                first = super().submit(os.getpid)
            try:
                first.result()
            except BrokenExecutor:
                remedy = "a script needs the usual if __name__ == '__main__':"
                raise WorkerError(f"The worker processes cannot be started, see above; {remedy}") from None
            self._started = True
        with _undisturbed():
            return super().submit(_called, call)

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is not None:
            for process in list((self._processes or {}).values()):
                process.terminate()
        self.shutdown(cancel_futures=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let Ctrl-C wait until the block is over. Processes that start in the block inherit that it is blocked for ever."""
    resource_tracker.ensure_running()  # Python's own process, whose start unblocks Ctrl-C
    came: list[int] = []
    main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, lambda number, frame: came.append(number)) if main else None
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        if blocked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if main:
            signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)


_hear: Report | None = None
"""What is called with the reports of work in this process."""


def tell(message: Any) -> None:
    """Report from within work to the process that asked for it: anything that can be pickled, at most a page of text."""
    if _hear is not None:
        _hear(message)


@contextmanager
def listening(hear: Report) -> Iterator[None]:
    """Call `hear` with what work in this process tells within the block."""
    global _hear
    before, _hear = _hear, hear
    try:
        yield
    finally:
        _hear = before


def _become_worker(threads: int, reports: Any) -> None:
    """Make this process ignore Ctrl-C, use a number of threads, send its reports, and end with its parent."""
    global _hear
    last = -LEAST_SECONDS

    def send(message: Any) -> None:
        nonlocal last
        if monotonic() - last >= LEAST_SECONDS:
            last = monotonic()
            reports.put(message)

    _hear = send
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["RESERVOIR_NUM_THREADS"] = str(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent ends, even in the middle of long work."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _called(call: bytes) -> Any:
    """Do a pickled call. An error that cannot be pickled is raised as a RuntimeError with its text."""
    function, args, kwargs = pickle.loads(call)
    try:
        return function(*args, **kwargs)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            raise RuntimeError(f"{type(error).__name__}: {error}") from error
        raise
