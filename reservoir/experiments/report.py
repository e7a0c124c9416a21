"""The report of one model on one task over several seeds."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.base.tables import Table, better, csv_cells, number
from reservoir.experiments.evaluation import Result
from reservoir.files.writing import write_csv

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class RunReport:
    """The results of a model on a task.

    Attributes
    ----------
    task : an object with the methods of `reservoir.tasks.Task`
    rows : one for each seed that was finished, at least one, as `evaluate` gives them
    first : the result of the first of these seeds: its fitted model, the data, the predictions
    """

    task: Any
    rows: Sequence[Mapping[str, Any]]
    first: Result

    def records(self) -> list[Mapping[str, Any]]:
        """The rows as plain data."""
        return list(self.rows)

    def table(self) -> Table:
        """A row per seed, and where there are several their mean and standard deviation (divisor n - 1)."""
        first = self.rows[0]
        scores = [first["metric"], *[name for name in first["scores"] if name != first["metric"]]]
        values = np.array([[*[row["scores"][name] for name in scores], row["baseline"]] for row in self.rows])
        body = [
            [
                str(row["seed"]),
                *map(number, numbers),
                str(row["n_parameters"]),
                *_seconds(row["fit_seconds"], row["predict_seconds"]),
            ]
            for row, numbers in zip(self.rows, values.tolist(), strict=True)
        ]
        if len(body) > 1:
            times = [float(np.mean([row[key] for row in self.rows])) for key in ("fit_seconds", "predict_seconds")]
            body.append(["mean", *map(number, values.mean(axis=0)), str(first["n_parameters"]), *_seconds(*times)])
            body.append(["std", *[f"{value:.2g}" for value in values.std(axis=0, ddof=1)], "", "", ""])
        title = f"{first['task']}, {first['model']}: {first['metric']}, {better(self.task)}"
        columns = ["seed", *scores, "baseline", "weights", "fit s", "predict s"]
        return Table(title, columns, body, [f"Published: {self.task.published}"] if self.task.published else [])

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a row per seed, numbers in full; what has parts as JSON."""
        columns = list(self.rows[0])
        write_csv(path, columns, (csv_cells(row, columns) for row in self.rows))

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw the predictions of the first seed, as the task is drawn; also to a file (png, svg or pdf), if one is given.

        Raises `ParameterError` when matplotlib is missing or the file is of another kind.
        """
        from reservoir.plotting import kept, task_figure

        row = self.first.row
        title = f"{row['task']}, {row['model']}: {row['metric']} = {number(row['score'])}"
        return kept(task_figure(self.task, self.first.data, self.first.predictions, title), path)


def _seconds(*times: float) -> list[str]:
    return [f"{time:.3f}" for time in times]
