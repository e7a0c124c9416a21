"""The report of a comparison: its rows, and a table and pictures for each task."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.base.tables import MARK, Table, alike, baseline_name, better, csv_cells, is_worse, mark_note, number
from reservoir.base.values import shown_seeds
from reservoir.comparison.plan import ComparisonPlan
from reservoir.files.writing import write_csv
from reservoir.validation import ParameterError, unknown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = (
    "task", "label", "model", "seed", "metric", "score", "solved", "baseline", "n_parameters", "fit_seconds", "predict_seconds",
    "error", "warnings", "scores", "task_options", "params", "version",
)  # fmt: skip
FORMS = {
    "weights": ("n_parameters", "{:.0f}".format),
    "fit s": ("fit_seconds", "{:.3f}".format),
    "predict s": ("predict_seconds", "{:.3f}".format),
}


@dataclass(frozen=True)
class FinishedRun:
    """The result of a planned run."""

    row: dict[str, Any]  # of `evaluate`, with `label`, `warnings`, and `error`: None, or why the run failed and has no score
    curve: list[dict[str, Any]]  # an entry per epoch, as in `history_`, also of a run that failed; none for models without epochs
    predictions: Any  # of the test split of the first seed; None for other seeds


@dataclass(frozen=True)
class TaskComparison:
    """The finished runs of one task, at least one, in the order of seeds and models; the task's data of the first seed."""

    task: Any
    labels: Sequence[str]
    runs: Sequence[FinishedRun]
    seed: int
    data: Any

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The row of each run."""
        return [run.row for run in self.runs]

    @property
    def curves(self) -> dict[str, list[list[dict[str, Any]]]]:
        """The learning curves of all seeds, for each model; none of models without epochs."""
        return {label: [run.curve for run in self.runs if run.row["label"] == label and run.curve] for label in self.labels}

    @property
    def first(self) -> dict[str, FinishedRun]:
        """The run of each model with the first seed, whose predictions are kept; not of a model that failed with it."""
        return {run.row["label"]: run for run in self.runs if run.predictions is not None}

    def summary(self) -> list[dict[str, Any]]:
        """A line for each model, see `summarize`."""
        return summarize(self.rows)

    def table(self) -> Table:
        """A row for each model, and one for the task's baseline, by its name; a median that is worse than it has a mark."""
        lines = self.summary()
        seeds = max(line["runs"] for line in lines)
        finished = [line["runs"] - line["failed"] for line in lines]
        grid = {"model": [line["model"] for line in lines]}
        worse = [is_worse(self.task, line["median"], line["baseline"]) for line in lines]
        medians = ["failed" if line["median"] is None else number(line["median"]) for line in lines]
        grid[f"median {self.task.metric}"] = [text + f" {MARK}" * bad for text, bad in zip(medians, worse, strict=True)]
        grid["mean"] = ["" if line["mean"] is None else number(line["mean"]) for line in lines]
        grid["std"] = [f"{line['std']:.2g}" if count > 1 else "" for line, count in zip(lines, finished, strict=True)]
        if any(line["solved"] is not None for line in lines):
            grid["solved"] = [f"{line['solved']:.0%}" for line in lines]
        if any(count < seeds for count in finished):
            grid["runs"] = [f"{count} of {seeds}" for count in finished]
        for title, (key, form) in FORMS.items():
            grid[title] = ["" if line[key] is None else form(line[key]) for line in lines]
        body = [list(row) for row in zip(*grid.values(), strict=True)]
        body.append([baseline_name(self.task), number(lines[0]["baseline"]), *[""] * (len(grid) - 2)])
        used = shown_seeds(list(dict.fromkeys(row["seed"] for row in self.rows)))
        title = f"{self.task.name}: {self.task.metric}, {better(self.task)}; {used}"
        notes = ["The last row is the baseline.", *mark_note(self.task, any(worse))]
        notes += [f"Published: {self.task.published}"] * bool(self.task.published)
        return Table(title, list(grid), body, notes + _failures(lines))

    def plot(self, path: str | os.PathLike[str] | None = None, what: str = "scores") -> Figure:
        """Draw the scores, the "learning" curves, or the "predictions" of the first seed; also to a file, if one is given.

        Raises `ParameterError` without matplotlib, for a file that is not png, svg or pdf, and where there is nothing to draw.
        """
        from reservoir import plotting

        figures = {"scores": plotting.score_figure, "learning": plotting.learning_figure, "predictions": plotting.overlay_figure}
        if what not in figures:
            raise unknown("picture of a comparison", what, figures)
        if what not in self.pictures:
            there = ", ".join(self.pictures) or "nothing"
            raise ParameterError(f"The comparison on {self.task.name} has no {what} to draw. It has: {there}.")
        return plotting.kept(figures[what](self), path)

    @property
    def pictures(self) -> list[str]:
        """The pictures that `plot` can draw of these runs."""
        scored = any(row["error"] is None for row in self.rows)
        having = {"scores": scored, "learning": any(self.curves.values()), "predictions": bool(self.first)}
        return [what for what, there in having.items() if there]


@dataclass(frozen=True)
class ComparisonReport:
    """The finished part of a comparison; `finished` holds the runs by their position in the plan."""

    plan: ComparisonPlan
    finished: dict[int, FinishedRun]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The row of each finished run, in the order of tasks, seeds, models."""
        return [self.finished[index].row for index in sorted(self.finished)]

    @property
    def tasks(self) -> list[TaskComparison]:
        """The part of each task that has any finished runs."""
        plan, labels = self.plan, [entrant.label for entrant in self.plan.entrants]
        runs = [[self.finished[index] for index in plan.of_task(task) if index in self.finished] for task in plan.tasks]
        parts = zip(plan.tasks, runs, strict=True)
        return [TaskComparison(task, labels, some, plan.seeds[0], plan.data[task.name]) for task, some in parts if some]

    def is_complete(self, task: Any) -> bool:
        """Whether all runs of a task are finished."""
        return all(index in self.finished for index in self.plan.of_task(task))

    def records(self) -> list[dict[str, Any]]:
        """The rows as plain data."""
        return self.rows

    def summary(self) -> list[dict[str, Any]]:
        """A line for each task and model, see `summarize`."""
        return summarize(self.rows)

    def part(self, task: str | None = None) -> TaskComparison:
        """The runs of a task by its name, or of the only task. Raises `ParameterError` where that names no task with runs."""
        parts = {part.task.name: part for part in self.tasks}
        if task is None and len(parts) == 1:
            return next(iter(parts.values()))
        if task is None:
            raise ParameterError(f"Name one of the tasks that have finished runs: {', '.join(parts) or 'there are none'}.")
        if task not in parts:
            raise unknown("compared task", task, parts)
        return parts[task]

    def table(self, task: str | None = None) -> Table:
        """The table of a task, by its name; of the only one unless given. Raises what `part` raises."""
        return self.part(task).table()

    def plot(self, path: str | os.PathLike[str] | None = None, task: str | None = None, what: str = "scores") -> Figure:
        """The picture of a task, by its name, or of the only one; see `TaskComparison.plot`. Raises what `part` raises, too."""
        return self.part(task).plot(path, what)

    def tables(self) -> list[Table]:
        """A table for each task."""
        return [part.table() for part in self.tasks]

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a row per run, numbers in full; what has parts as JSON; nothing where there is no value."""
        write_csv(path, COLUMNS, (csv_cells(row, COLUMNS) for row in self.rows))


def _failures(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write a line for each reason why a model failed or warned, with the seeds; a reason with other numbers is the same."""
    written = []
    for key, verb in (("errors", "failed"), ("warnings", "warned")):
        for line in lines:
            for text, places in alike([text for _, text in line[key]]).items():
                seeds = sorted({line[key][place][0] for place in places})
                written.append(f"{line['model']} {verb} with {shown_seeds(seeds)}: {text}")
    return written


def summarize(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a dict of statistics over the seeds for each task and model, in the order of the rows.

    `runs` and `failed` count; `median`, `mean` and `std` (divisor n - 1; 0 of a single one) are of the scores of the runs
    that did not fail, None where all did; `solved` is the fraction of all runs that met the task's criterion, None without
    one; `n_parameters`, `fit_seconds`, `predict_seconds` and `baseline` are medians; `errors`, `warnings` hold (seed, text).

    >>> row = {"task": "t", "label": "m", "metric": "nmse", "solved": None, "error": None, "warnings": [],
    ...        "n_parameters": 9, "fit_seconds": 1.0, "predict_seconds": 0.1, "baseline": 1.0}
    >>> [line] = summarize([{**row, "seed": seed, "score": seed / 2.0} for seed in range(3)])
    >>> line["median"], line["std"], line["failed"]
    (0.5, 0.5, 0)
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["task"], row["label"]), []).append(row)
    return [_summary(group) for group in groups.values()]


def _summary(group: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    finished = [row for row in group if row["error"] is None]
    scores = np.array([row["score"] for row in finished])
    solved = None if group[0]["solved"] is None else sum(row["solved"] for row in group) / len(group)
    with np.errstate(invalid="ignore"):  # scores may be infinite
        spread = float(scores.std(ddof=1)) if len(scores) > 1 else 0.0
    baselines = [row["baseline"] for row in group if not math.isnan(row["baseline"])]  # NaN where a seed has no data
    first, none = group[0], {"median": None, "mean": None, "std": None}
    known = {"median": float(np.median(scores)), "mean": float(scores.mean()), "std": spread} if finished else none
    return {
        "task": first["task"], "model": first["label"], "metric": first["metric"],
        "runs": len(group), "failed": len(group) - len(finished), **known, "solved": solved,
        **{key: _median(finished, key) for key in ("n_parameters", "fit_seconds", "predict_seconds")},
        "baseline": float(np.median(baselines or [math.nan])),
        "errors": [(row["seed"], row["error"]) for row in group if row["error"] is not None],
        "warnings": [(row["seed"], text) for row in group for text in row["warnings"]],
    }  # fmt: skip


def _median(rows: Sequence[Mapping[str, Any]], key: str) -> float | None:
    values = [row[key] for row in rows if row[key] is not None]
    return float(np.median(values)) if values else None
