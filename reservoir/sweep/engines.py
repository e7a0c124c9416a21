"""Where the work is done: in this process, in a pool of processes, on a Dask cluster, or on any `Executor`."""

from __future__ import annotations

import errno
import functools
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from reservoir.threads import thread_count
from reservoir.validation import ParameterError
from reservoir.workers import WorkerError, become_worker

ANSWER_SECONDS = 5
"""How long a scheduler may take to answer."""


@dataclass
class Engine:
    """An executor, and what is to be known of it.

    Attributes
    ----------
    executor : takes the work
    slots : how many calls it works on at a time
    lost : the errors that say a worker died, rather than that a call failed
    renew : makes a new executor where the death of a worker breaks the old one; raises `WorkerError` where none can be had
    drop : gives up what is under way
    """

    executor: Executor
    slots: Callable[[], int]
    lost: tuple[type[BaseException], ...]
    renew: Callable[[], Executor]
    drop: Callable[[], None]


@contextmanager
def engine(jobs: int | None = None, scheduler: str | None = None, executor: Executor | None = None) -> Iterator[Engine]:
    """What runs a sweep: `jobs` processes (one: this process), the Dask cluster of a scheduler's address, or an executor.

    With an executor, `jobs` is the number of its workers. Without anything there is a process for every core.

    Raises
    ------
    ParameterError
        Jobs that are no positive number, or two of the three.
    OSError
        The scheduler does not answer, or has no workers.
    """
    if jobs is not None and (not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1):
        raise ParameterError(f"'jobs' must be an integer in [1, inf). Got {jobs!r} instead.")
    if scheduler is not None:
        if executor is not None or jobs is not None:
            raise ParameterError("A scheduler's cluster has its own number of workers; give either a scheduler or jobs.")
        with _dask(scheduler) as made:
            yield made
    elif executor is not None:
        yield Engine(executor, lambda: jobs or thread_count(), (BrokenExecutor, CancelledError), _broken, lambda: None)
    elif (jobs or thread_count()) == 1:
        yield Engine(Here(), lambda: 1, (), _broken, lambda: None)
    else:
        with _processes(jobs or thread_count()) as made:
            yield made


class Here(Executor):
    """An executor that does the work in this process when it is submitted."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that has its result already."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def _broken() -> Executor:
    raise WorkerError("A worker died, and with it the executor. What was finished is kept; run the sweep again to go on.")


@contextmanager
def _processes(jobs: int) -> Iterator[Engine]:
    """Processes of our own, that end with this one."""
    before = multiprocessing.active_children()
    context = multiprocessing.get_context("spawn")  # threads do not survive a fork
    threads = max(thread_count() // jobs, 1)
    start = functools.partial(ProcessPoolExecutor, jobs, context, initializer=become_worker, initargs=(threads,))

    def renew() -> Executor:
        made.executor.shutdown()
        made.executor = start()
        return made.executor

    def drop() -> None:
        for process in multiprocessing.active_children():
            if process not in before:
                process.terminate()

    made = Engine(start(), lambda: jobs, (BrokenExecutor,), renew, drop)
    try:
        yield made
    except BaseException:
        drop()
        raise
    finally:
        made.executor.shutdown(cancel_futures=True)


@contextmanager
def _dask(address: str) -> Iterator[Engine]:
    if find_spec("distributed") is None:
        raise ParameterError("A scheduler needs Dask: pip install 'clockwork-reservoir[sweep]'.")
    from distributed import Client, KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError, CommClosedError) as error:
        told = f"no Dask scheduler answers within {ANSWER_SECONDS} seconds ({' '.join(str(error).split())})"
        raise ConnectionError(errno.ECONNREFUSED, told, address) from None

    def renew() -> Executor:
        if client.status != "running":
            raise WorkerError(
                f"The Dask scheduler at {address} is gone. What was finished is kept; run the sweep again to go on."
            )
        return made.executor

    def slots() -> int:
        return max(sum(client.nthreads().values()), 1) if client.status == "running" else 1

    with client:
        if not client.nthreads():
            raise ConnectionError(errno.ECONNREFUSED, f"the scheduler has no workers; start one: dask worker {address}", address)
        made = Engine(
            client.get_executor(pure=False, retries=0),
            slots,
            (KilledWorker, CancelledError, CommClosedError),
            renew,
            lambda: None,
        )
        yield made
