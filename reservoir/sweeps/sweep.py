"""A whole sweep in one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from reservoir.sweeps.driver import Progress
from reservoir.sweeps.plan import plan_sweep
from reservoir.sweeps.report import SweepReport
from reservoir.sweeps.runner import run_sweep
from reservoir.tasks import as_task


def sweep(
    task: Any,
    model: Any,
    vary: Mapping[str, Any],
    store: str | os.PathLike[str],
    *,
    settings: Mapping[str, Any] | None = None,
    seeds: Sequence[int] = (0,),
    strategy: str = "grid",
    trials: int | None = None,
    split: str = "validation",
    search_seed: int = 0,
    batch: int | None = None,
    prune: bool = False,
    jobs: int | None = None,
    scheduler: str | None = None,
    executor: Executor | None = None,
    retry: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
) -> SweepReport:
    """Try many parameters of a model on a task, and keep every run in a store; `reservoir sweep` does the same.

    The same call, made again, does the runs that the store lacks. At Ctrl-C the runs in hand are finished and written, then
    KeyboardInterrupt is raised; a second Ctrl-C drops them.

    Parameters
    ----------
    task : a name, or an object with the methods of `reservoir.tasks.Task`
    model : the model, as "esn" or "lstm"
    vary : for each parameter a list of values, or a text: "0.1:1.5:15" (from, to, number), "log:1e-9:1e-3:7"; nested
        parameters as `readout__ridge`
    store : the path of an SQLite file of all runs; if it exists, the sweep continues where it stopped
    settings : parameters of every trial, over the task's own settings for the model
    seeds : of the data and of the models; every trial runs with each
    strategy : "grid", "random", "sobol", "tpe" or "cmaes"
    trials : how many sets of parameters the strategy tries; a grid tries all
    split : what runs are scored on: "validation", so that the test data stay unseen while choosing, or "test"
    search_seed : the seed of the strategy's own random numbers
    batch : how many trials tpe and cmaes propose at a time; 8 unless given
    prune : whether runs that fall behind in training are stopped early; for tpe and cmaes
    jobs : number of processes; the number of cores unless given. Scores do not depend on it. A script that asks for more than
        one needs the usual `if __name__ == "__main__":`
    scheduler, executor : the address of a Dask scheduler, or any `concurrent.futures.Executor`, instead of processes
    retry : whether runs that failed are tried again
    report : called whenever a run is finished

    Returns
    -------
    The report: `table()` has the best trials with their spread over seeds, `ranking()` all of them as dicts, `to_csv(path)`
    writes every run, `plot(path, names)` draws the scores.

    Raises
    ------
    ParameterError
        Nothing to vary, an unknown name (with the nearest), a value out of range, a strategy that does not fit. Before any work.
    DataError
        The task's data cannot be used.
    StoreError, OSError
        The store is damaged, of another sweep, newer; cannot be written to. The scheduler does not answer.
    WorkerError
        A broken executor cannot be replaced, or a worker cannot do the work.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from reservoir import sweep
    >>> with TemporaryDirectory() as folder:
    ...     vary = {"leak_rate": [0.1, 1.0]}
    ...     report = sweep("narma10", "esn", vary, f"{folder}/narma10.db", settings={"units": 50}, jobs=1)
    >>> [trial["parameters"]["leak_rate"] for trial in report.ranking()]
    [1, 0.1]
    """
    planned = plan_sweep(as_task(task), model, vary, settings, seeds, strategy, trials, split, search_seed, batch, prune)
    return run_sweep(planned, store, jobs=jobs, scheduler=scheduler, executor=executor, retry=retry, report=report)
