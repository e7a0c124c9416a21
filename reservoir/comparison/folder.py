"""The folder of a comparison: runs.csv with a row per run, the pictures, and report.html, which holds everything."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reservoir.comparison.html import report_html
from reservoir.comparison.plan import Plan
from reservoir.comparison.work import Run, summarize
from reservoir.experiments.tables import as_json, number
from reservoir.files.writing import replaced, writing

COLUMNS = (
    "task", "label", "model", "seed", "metric", "score", "solved", "baseline", "n_parameters", "fit_seconds", "predict_seconds",
    "error", "warnings", "scores", "task_options", "params", "version",
)  # fmt: skip


class ComparisonFolder:
    """Writes what is finished of a comparison, as often as it is asked to; files are replaced once the new ones are complete.

    Parameters
    ----------
    path : the folder, made if it is not there; its parent must be
    planned : the comparison
    facts : for the report, such as the command line, by name
    pictures : whether to draw any, which takes matplotlib
    """

    def __init__(self, path: str | os.PathLike[str], planned: Plan, facts: Mapping[str, str], pictures: bool = True) -> None:
        self.path = Path(path)
        self._plan, self._facts, self._draws = planned, facts, pictures
        self._pictures: dict[str, list[tuple[str, str]]] = {}

    @property
    def report(self) -> Path:
        """The path of the report."""
        return self.path / "report.html"

    def write(self, found: Mapping[int, Run]) -> None:
        """Write the runs that are finished, by their position in the plan. A task's pictures are drawn once, all runs done.

        Raises OSError where something cannot be written.
        """
        self.path.mkdir(exist_ok=True)
        rows = [found[index].row for index in sorted(found)]
        write_runs(self.path / "runs.csv", rows)
        for task in self._plan.tasks if self._draws else ():
            if task.name not in self._pictures and all(index in found for index in self._plan.of_task(task)):
                self._draw(task, found)
        self._write_report(rows)

    def finish(self, found: Mapping[int, Run]) -> None:
        """Write what is finished of a comparison that was stopped, with pictures of what there is of the last tasks."""
        self.write(found)
        for task in self._plan.tasks if self._draws else ():
            if task.name not in self._pictures and any(index in found for index in self._plan.of_task(task)):
                self._draw(task, found)
        self._write_report([found[index].row for index in sorted(found)])

    def _write_report(self, rows: Sequence[Mapping[str, Any]]) -> None:
        text = report_html(self._plan, rows, summarize(rows), self._pictures, self._facts)
        with writing(self.report), replaced(self.report) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def _draw(self, task: Any, found: Mapping[int, Run]) -> None:
        """Draw what there is of a task: scores, learning curves, predictions of the first seed."""
        from reservoir import plotting

        labels = [entrant.label for entrant in self._plan.entrants]
        runs = [found[index] for index in self._plan.of_task(task) if index in found]
        rows = [run.row for run in runs]
        figures = []
        if any(row["error"] is None for row in rows):
            caption = "Score of every seed, and the seconds it took to fit"
            figures.append(("scores", caption, plotting.score_figure(task, rows, labels, f"{task.name}: {task.metric}")))
        curves = {label: [run.curve for run in runs if run.row["label"] == label and run.curve] for label in labels}
        if any(curves.values()):
            caption = "Learning curves of every seed; the run with the middle loss is bold"
            figures.append(("learning", caption, plotting.learning_figure(curves, labels, f"{task.name}: learning curves")))
        first = {run.row["label"]: run for run in runs if run.predictions is not None}
        if first:
            seed = self._plan.seeds[0]
            captions = {label: f"{label}: {task.metric} = {number(run.row['score'])}" for label, run in first.items()}
            predictions = {label: run.predictions for label, run in first.items()}
            title, data = f"{task.name}: predictions, seed {seed}", self._plan.data[task.name]
            figure = plotting.overlay_figure(task, data, predictions, captions, labels, title)
            figures.append(("predictions", f"Predictions on the test data of seed {seed}, over what was asked for", figure))
        self._pictures[task.name] = []
        for name, caption, figure in figures:
            path = self.path / f"{task.name}-{name}.svg"
            with writing(path):
                plotting.save(figure, path)
            self._pictures[task.name].append((caption, path.read_text(encoding="utf-8")))


def write_runs(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a row per run as CSV, numbers in full; what has parts as JSON; nothing where there is no value."""
    with writing(path), replaced(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            plain = as_json(row)
            cells = [row[key] if isinstance(row[key], float) else plain[key] for key in COLUMNS]
            writer.writerow([json.dumps(cell) if isinstance(cell, (dict, list)) else cell for cell in cells])
