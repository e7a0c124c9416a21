"""Runs a sweep: what the store lacks goes to the workers in chunks, and comes back as rows.

A run depends on its seed and its parameters alone, so scores depend neither on the workers nor on where a sweep was stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np

from reservoir.base.threads import one_blas_thread
from reservoir.base.values import canonical
from reservoir.experiments.driver import Driver, Progress, finishing_at_ctrl_c
from reservoir.experiments.engines import engine
from reservoir.experiments.rows import Outcome
from reservoir.experiments.store import Store
from reservoir.experiments.work import Chunk, TrialRun, prepared, shared
from reservoir.sweeps.plan import Sweep, plan_sweep
from reservoir.sweeps.report import SweepReport
from reservoir.sweeps.space import Point
from reservoir.sweeps.summary import RunTable
from reservoir.tasks import as_task

RUNS_AT_ONCE = 10_000
"""How many runs of a strategy that does not depend on scores are in memory at a time."""
Report = Callable[[Progress], None]


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
    report: Report = lambda progress: None,
) -> SweepReport:
    """Try many parameters of a model on a task, and keep every run in a store; `reservoir sweep` does the same.

    The same call, made again, does the runs that the store lacks. At Ctrl-C the runs under way are finished and written, then
    KeyboardInterrupt is raised; a second Ctrl-C drops them.

    Parameters
    ----------
    task : a name, or an object with the methods of `reservoir.tasks.Task`
    model : the model, as "esn" or "lstm", "package.module:Class", or a class of your own
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
    jobs : number of processes, or of the executor's workers; the number of cores unless given. Scores do not depend on it. A
        script that asks for more than one process needs the usual `if __name__ == "__main__":`
    scheduler, executor : the address of a Dask scheduler, or any `concurrent.futures.Executor`, instead of processes
    retry : whether runs that failed are tried again
    report : called whenever runs are finished

    Returns
    -------
    The report of all runs of the store: `table()` has the best trials with their spread over seeds, `ranking()` all of them as
    dicts, `to_csv(path)` writes every run, `plot(path, names)` draws the scores; `latest` is the report of this sweep alone.

    Raises
    ------
    ParameterError
        Nothing to vary, an unknown name (with the nearest), a value out of range, a strategy that does not fit; a class that
        other processes cannot import. The sweep checks this before it starts.
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


def run_sweep(
    planned: Sweep, store: str | os.PathLike[str], *, retry: bool = False, report: Report = lambda progress: None, **workers: Any
) -> SweepReport:
    """Do the runs of a planned sweep that its store lacks, and report all that the store has; see `sweep`."""
    chunk = Chunk(os.urandom(8).hex(), planned.task, planned.model, planned.split, planned.seeds[0])
    finished = {"done"} | ({"pruned"} if planned.prune else set()) | (set() if retry else {"failed"})
    with engine(**workers) as made:
        with one_blas_thread():
            ready = prepared(chunk)
        progress = Progress(planned.runs)
        with Store.writing(store, planned.about()) as opened, finishing_at_ctrl_c(progress):
            opened.check_data(chunk.seed, ready.hashed, ready.baseline)
            opened.note(**planned.facts(opened.about()))
            kept = {key for key, status in opened.statuses().items() if status in finished}
            better = max if planned.task.higher_is_better else min
            driver = Driver(opened, made, progress, report, better, set() if planned.prune else None)
            templates = [replace(chunk, seed=seed) for seed in planned.seeds]
            at_once, outcomes, tried = max(RUNS_AT_ONCE // len(planned.seeds), 1), list[Outcome](), set[int]()
            for points in planned.search.proposals(planned.dimensions, planned.task.higher_is_better, at_once, outcomes):
                trials = [planned.parameters(point) for point in points]
                texts = list(map(canonical, trials))
                numbers = opened.add_trials(texts)
                tried.update(numbers)
                missing = list(_missing(planned, templates, trials, texts, numbers, kept))
                progress.kept += len(trials) * len(planned.seeds) - len(missing)
                driver.finish(missing)
                if progress.finishing:
                    raise KeyboardInterrupt
                kept.update(run.key for _, run in missing)
                if planned.search.listens:
                    outcomes[:] = [opened.outcome(number, planned.seeds) for number in numbers]
                if driver.earlier is not None:
                    driver.earlier.update(numbers)
            runs = RunTable(**opened.table())
            # The store numbers trials from 1, and none is ever removed.
            own = np.isin(runs.trial, np.array(sorted(tried)) - 1) & np.isin(runs.seed, planned.seeds)
            return SweepReport(runs, opened.path, own)


def _missing(
    planned: Sweep,
    templates: Sequence[Chunk],
    trials: Sequence[Point],
    texts: Sequence[str],
    numbers: Sequence[int],
    kept: set[bytes],
) -> Iterator[tuple[Chunk, TrialRun]]:
    """Yield (template of its seed, run) for each run that is not kept; runs that share weights and states follow each other."""
    keys = [{planned.key(text, seed): k for k, text in enumerate(texts)} for seed in planned.seeds]  # equal trials once
    missing = [[(key, k) for key, k in of_seed.items() if key not in kept] for of_seed in keys]
    kinds = {k: shared(trials[k]) for of_seed in missing for _, k in of_seed}
    place = {k: n for n, k in enumerate(sorted(kinds, key=kinds.__getitem__))}
    states = {kind: n for n, kind in enumerate({kind[:2] for kind in kinds.values()})}
    for template, of_seed in zip(templates, missing, strict=True):
        for key, k in sorted(of_seed, key=lambda item: place[item[1]]):
            yield template, TrialRun(key, numbers[k], trials[k], states[kinds[k][:2]])
