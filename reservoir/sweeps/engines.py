"""Where the work is done: in this process, in a pool of processes, on a Dask cluster, or on any `Executor`."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from reservoir.base.threads import thread_count
from reservoir.experiments.workers import Pool, WorkerError
from reservoir.validation import ParameterError

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
    tried : those of them after which it is no use to try a single run again, since the executor did
    renew : gives the executor to go on with after such an error; raises `WorkerError` where none can be had
    """

    executor: Executor
    slots: Callable[[], int]
    lost: tuple[type[BaseException], ...]
    tried: tuple[type[BaseException], ...]
    renew: Callable[[], Executor]


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
        yield _given(executor, jobs or thread_count())
    elif (jobs or thread_count()) == 1:
        yield _given(Here(), 1)
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


def _given(executor: Executor, slots: int) -> Engine:
    """Somebody's executor. Where it breaks for good, it says so when it is given more."""
    return Engine(executor, lambda: slots, (BrokenExecutor, CancelledError), (), lambda: executor)


@contextmanager
def _processes(jobs: int) -> Iterator[Engine]:
    with ExitStack() as pools:

        def renew() -> Executor:
            pools.close()  # the one that broke, if there is one
            return pools.enter_context(Pool(jobs))

        yield Engine(renew(), lambda: jobs, (BrokenExecutor,), (), renew)


async def _heard(address: str) -> None:
    """Have a scheduler say something; a Dask client would wait for ever for one that accepts calls and is silent."""
    from distributed.core import rpc

    async with asyncio.timeout(ANSWER_SECONDS), rpc(address) as scheduler:
        await scheduler.identity()


@contextmanager
def _dask(address: str) -> Iterator[Engine]:
    if find_spec("distributed") is None:
        raise ParameterError("A scheduler needs Dask: pip install 'clockwork-reservoir[sweep]'.")
    from distributed import Client, KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        with ThreadPoolExecutor(1) as thread:  # which has no event loop of its own yet, as this one may
            thread.submit(asyncio.run, _heard(address)).result()
        client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except Exception as error:  # whatever it is that answers there may say anything
        told = f"no Dask scheduler answers within {ANSWER_SECONDS} seconds ({' '.join(str(error).split()) or 'silence'})"
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
            (KilledWorker,),
            renew,
        )
        yield made
