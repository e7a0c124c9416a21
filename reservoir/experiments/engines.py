"""Opens what does the work: this process, a pool of processes, a Dask cluster, or any `Executor`."""

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
from reservoir.validation import Number, ParameterError, check_parameters

ANSWER_SECONDS = 5
"""How long a scheduler may take to answer."""


@dataclass
class Engine:
    """An executor that takes the work, with the facts about it that the driver needs."""

    executor: Executor
    slots: Callable[[], int]  # returns how many calls it works on at a time
    lost: tuple[type[BaseException], ...]  # the errors that mean that a worker died, not that a call failed
    renew: Callable[[], Executor]  # returns the executor to use after such an error; raises `WorkerError` where there is none
    tried: tuple[type[BaseException], ...] = ()  # those of `lost` after which it has already repeated the call several times

    def messages(self) -> Iterator[Any]:
        """Yield what calls in processes of our own reported with `workers.tell` since the last time."""
        reports = getattr(self.executor, "reports", None)
        while reports is not None and not reports.empty():
            yield reports.get()


@contextmanager
def engine(jobs: int | None = None, scheduler: str | None = None, executor: Executor | None = None) -> Iterator[Engine]:
    """Open what does the runs: `jobs` processes (one: this process), a Dask cluster, or an executor with `jobs` workers.

    Raises `ParameterError` for bad jobs and for a scheduler beside another; OSError where it does not answer or has no workers.
    """
    check_parameters("sweep", {"jobs": Number(low=1, integer=True, optional=True)}, {"jobs": jobs})
    if scheduler is not None:
        if executor is not None or jobs is not None:
            raise ParameterError("A scheduler's cluster has its own number of workers; give either a scheduler or jobs.")
        with _dask(scheduler) as made:
            yield made
        return
    slots = jobs or thread_count()
    with ExitStack() as pools:

        def renew() -> Executor:
            pools.close()  # the pool that broke, if there is one
            return pools.enter_context(Pool(slots))

        if executor is None and slots > 1:
            yield Engine(renew(), lambda: slots, (BrokenExecutor,), renew)
        else:
            given = executor or Here()  # nobody can renew it: if it is broken, the next call says so
            yield Engine(given, lambda: slots, (BrokenExecutor, CancelledError), lambda: given)


class Here(Executor):
    """An executor that does the work in this process when it is submitted."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return a future that has its result already."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


async def _ask(address: str) -> None:
    """Make a scheduler answer; a Dask client would wait for ever for one that accepts calls and is silent."""
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
        with ThreadPoolExecutor(1) as thread:  # a new thread has no event loop yet; this one may
            thread.submit(asyncio.run, _ask(address)).result()
        client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except Exception as error:  # whatever answers at that address may send anything
        reason = " ".join(str(error).split()) or "silence"
        text = f"no Dask scheduler answers within {ANSWER_SECONDS} seconds ({reason})"
        raise ConnectionError(errno.ECONNREFUSED, text, address) from None

    def renew() -> Executor:
        if client.status != "running":
            text = "What was finished is kept; run the sweep again to continue."
            raise WorkerError(f"The Dask scheduler at {address} is gone. {text}")
        return executor

    def slots() -> int:
        return max(sum(client.nthreads().values()), 1) if client.status == "running" else 1

    with client:
        if not client.nthreads():
            raise ConnectionError(errno.ECONNREFUSED, f"the scheduler has no workers; start one: dask worker {address}", address)
        executor = client.get_executor(pure=False, retries=0)
        yield Engine(executor, slots, (KilledWorker, CancelledError, CommClosedError), renew, (KilledWorker,))
