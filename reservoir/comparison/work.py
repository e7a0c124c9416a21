"""Runs every model on every task with every seed, all models on the very same data.

Every run is kept in a store, as a sweep's are; what the store has already is not done again.
"""

from __future__ import annotations

import json
import math
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from reservoir.base.classes import check_importable, plain_fields
from reservoir.base.threads import one_blas_thread
from reservoir.base.values import canonical
from reservoir.base.version import __version__
from reservoir.comparison.plan import ComparisonPlan, PlannedRun, entrants, plan_comparison
from reservoir.comparison.report import ComparisonReport, FinishedRun
from reservoir.experiments.database import MEMORY
from reservoir.experiments.driver import Driver, Progress, finishing_at_ctrl_c
from reservoir.experiments.engines import engine
from reservoir.experiments.evaluation import make_model, report_row, settings_for
from reservoir.experiments.rows import KeptRun, facts_of, run_key
from reservoir.experiments.store import Store
from reservoir.experiments.work import Chunk, TrialRun, prepared
from reservoir.experiments.workers import listening
from reservoir.models import MODELS, model_class
from reservoir.tasks import as_task
from reservoir.validation import StoreError

ABOUT = {"task": "a comparison"}
"""What all runs of a comparison's store have in common; the store of a sweep names its task."""


def compare(
    tasks: Any,
    models: Sequence[str | type] | str | type = tuple(MODELS),
    seeds: Sequence[int] = range(5),
    settings: Mapping[str, Any] | None = None,
    budget: int | None = None,
    store: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    retry: bool = False,
    report: Callable[[PlannedRun, Any], None] = lambda run, message: None,
) -> ComparisonReport:
    """Run every model on every task with every seed, all on the same data; `reservoir compare` does the same.

    A model that fails with a seed is recorded with its reason, and the other runs continue. At Ctrl-C the runs under way are
    finished, then KeyboardInterrupt is raised; a second Ctrl-C drops them.

    Parameters
    ----------
    tasks : a task or several, of different names: a name, or an object with the methods of `reservoir.tasks.Task`
    models : names of models, or classes of your own; all named ones unless given. "wide=esn" enters one once more, with a label
        of its own. The label of a class is its name; "own=package.module:Class" gives it another one
    seeds : of the data and of the models
    settings : parameters over each task's own settings for a model, nested ones as `readout__ridge`; with a label before
        it, as `esn__units`, for one model, otherwise for all
    budget : number of trained weights to which every model is sized, by its number of units
    store : the path of an SQLite file of all runs; if it exists, the comparison continues where it stopped, also with more
        tasks, models or seeds. Without it, nothing is kept
    jobs : number of processes; results do not depend on it
    retry : whether runs that failed are tried again
    report : called at the start of a run with it and None, and after epochs with (entry of `history_`, epochs)

    Returns
    -------
    The report: `table(task)` has a row per model, `to_csv(path)` writes a row per run, `plot(path, task, what)` draws scores,
    learning curves or predictions of a task. With one task it need not be named.

    Raises
    ------
    ParameterError
        An unknown task, model or parameter, a value out of range, a name that is there twice; with several jobs, a class
        that their processes cannot import; with a store, a setting that is no plain data. This is checked before the work.
    DataError
        A user's file that cannot be used.
    StoreError, OSError
        The store is damaged, of another comparison, newer; cannot be written to.
    WorkerError
        The processes cannot be started, or cannot do the work.

    Examples
    --------
    >>> from reservoir import compare
    >>> report = compare("narma10", ["esn", "small=esn"], seeds=[0, 1], settings={"small__units": 10})
    >>> [row[0] for row in report.table().rows]
    ['esn', 'small', 'linear regression on 30 inputs']
    >>> esn, small = report.summary()
    >>> esn["median"] < small["median"]
    True
    """
    several = list(tasks) if isinstance(tasks, (list, tuple)) else [tasks]
    named = [models] if isinstance(models, (str, type)) else models
    planned = plan_comparison([as_task(task) for task in several], entrants(named, settings or {}), seeds, budget)
    found: dict[int, FinishedRun] = {}
    where = MEMORY if store is None else store
    run_comparison(planned, found, where, jobs, retry, lambda index, message: report(planned.runs[index], message))
    return ComparisonReport(planned, found)


def run_comparison(
    planned: ComparisonPlan,
    found: dict[int, FinishedRun],
    store: str | os.PathLike[str] = MEMORY,
    jobs: int = 1,
    retry: bool = False,
    report: Callable[[int, Any], None] = lambda index, message: None,
    count: Callable[[Progress], None] = lambda progress: None,
) -> None:
    """Do the runs of a plan that the store lacks; put every result into `found`, by its position in the plan.

    `report` gets the position of a run, and None at its start or (entry of `history_`, epochs); `count` gets the progress
    whenever runs are finished. Raises what `compare` raises.
    """
    _check_importable(planned, jobs)
    progress, is_kept = Progress(len(planned.runs)), os.fspath(store) != MEMORY
    known = [_Identity.of(run, None if is_kept else index) for index, run in enumerate(planned.runs)]
    place = {identity.key: index for index, identity in enumerate(known)}
    with Store.writing(store, ABOUT) as opened, finishing_at_ctrl_c(progress):
        _check_same(opened, known)
        work = list(_work(planned, known, opened))

        def collect(kept: KeptRun) -> None:
            found[place[kept.row.key]] = finished(planned.runs[place[kept.row.key]], kept)

        for kept in opened.kept():
            if not (retry if kept.row.status == "failed" else _lacks_predictions(kept, planned)):
                collect(kept)
        missing = [item for index, item in enumerate(work) if index not in found]
        progress.kept, jobs = len(found), max(min(jobs, len(missing)), 1)

        def estimated(progress: Progress) -> None:
            progress.left = seconds_left(planned, found, jobs)
            count(progress)

        def hear(message: tuple[bytes, Any]) -> None:
            report(place[message[0]], message[1])

        with engine(jobs) as made, listening(hear):
            Driver(opened, made, progress, estimated, collect=collect, hear=hear).finish(missing)
    if progress.finishing:
        raise KeyboardInterrupt


def _check_importable(planned: ComparisonPlan, jobs: int) -> None:
    """Raise `ParameterError` for what several processes cannot import."""
    for task in planned.tasks if jobs > 1 else ():
        check_importable(f"task '{task.name}'", type(task))
    for entrant in planned.entrants if jobs > 1 else ():
        check_importable(f"model '{entrant.label}'", model_class(entrant.model))


class _Identity(NamedTuple):
    """What tells a run from others: facts and parameters as canonical text, and its seed."""

    facts: str
    parameters: str
    seed: int

    @property
    def key(self) -> bytes:
        return run_key(*self)

    @classmethod
    def of(cls, run: PlannedRun, place: int | None) -> _Identity:
        """Return what tells a run from others; its place does where that is given: then settings may be any objects."""
        task, model, label = run.task, run.entrant.model, run.entrant.label
        if place is not None:
            return cls(canonical({"task": task.name, "label": label}), str(place), run.seed)
        parameters = plain_fields(f"settings of model '{label}'", settings_for(task, model, run.parameters))
        return cls(canonical({"label": label, **facts_of(task, model, "test")}), canonical(parameters), run.seed)


def _work(planned: ComparisonPlan, known: Sequence[_Identity], store: Store) -> Iterator[tuple[Chunk, TrialRun]]:
    """Yield every run as the driver takes it; check the data of the first seed."""
    name, first = os.urandom(8).hex(), planned.seeds[0]
    for place, (run, identity) in enumerate(zip(planned.runs, known, strict=True)):
        task, model = run.task, run.entrant.model
        keeps = ("history", "predictions") if run.seed == first else ("history",)
        chunk = Chunk(name, task, model, "test", run.seed, subject=store.add_subject(identity.facts), keeps=keeps)
        if run.seed == first:
            with one_blas_thread():
                ready = prepared(chunk, planned.data[task.name])
            store.check_data(run.seed, ready.hashed, ready.baseline, chunk.subject)
        [trial] = store.add_trials([identity.parameters], chunk.subject)
        parameters = settings_for(task, model, run.parameters)
        yield chunk, TrialRun(identity.key, trial, parameters, place)


def _lacks_predictions(kept: KeptRun, planned: ComparisonPlan) -> bool:
    """Return whether predictions that are drawn are not kept: another seed was the first, or they are no arrays."""
    return kept.row.seed == planned.seeds[0] and kept.row.predictions is None


def _named(facts: str, seed: int) -> str:
    about = json.loads(facts)
    return f"{about['task']}, {about['label']}, seed {seed}"


def _check_same(store: Store, known: Sequence[_Identity]) -> None:
    """Raise `StoreError` where the store has runs that are not of this comparison: its report would lose them."""
    keys, names = {one.key for one in known}, {_named(one.facts, one.seed) for one in known}
    for row in store.rows():
        if bytes.fromhex(row["key"]) not in keys:
            other = _named(row["subject"], row["seed"])
            how = "has it with other settings" if other in names else "lacks it"
            raise StoreError(f"{store.path}: holds another comparison: a run of {other}, and this one {how}; give another store.")


def finished(run: PlannedRun, kept: KeptRun) -> FinishedRun:
    """Return the result of a planned run from its row."""
    task, model, row = run.task, run.entrant.model, kept.row
    made = make_model(model, settings_for(task, model, run.parameters), run.seed)
    solved = (None if task.solved(math.nan) is None else False) if row.score is None else task.solved(row.score)
    numbers = {"score": row.score, "scores": row.scores or {}, "n_parameters": row.n_parameters}
    seconds = {"fit_seconds": row.fit_seconds, "predict_seconds": row.predict_seconds}
    version = kept.versions.get("reservoir", __version__)
    whole = report_row(task, model, made, run.seed, kept.baseline, version, **numbers, **seconds, solved=solved)
    about = {"label": run.entrant.label, "error": row.error, "warnings": list(row.warnings)}
    return FinishedRun({**whole, **about}, [dict(record) for record in row.history or ()], row.predictions)


def seconds_left(planned: ComparisonPlan, found: Mapping[int, FinishedRun], jobs: int) -> float | None:
    """Estimate the seconds of the other runs: each as long as its model on its task so far, or else as any; None of none."""
    known = defaultdict[tuple[str, str], list[float]](list)
    for row in (result.row for result in found.values()):
        if row["fit_seconds"] is not None:
            known[row["task"], row["label"]].append(row["fit_seconds"] + row["predict_seconds"])
    if not known:
        return None
    means = {name: sum(seconds) / len(seconds) for name, seconds in known.items()}
    usual = sum(means.values()) / len(means)
    others = [run for index, run in enumerate(planned.runs) if index not in found]
    return sum(means.get((run.task.name, run.entrant.label), usual) for run in others) / jobs
