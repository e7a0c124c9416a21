"""The folder of a comparison: runs.csv with a row per run, the pictures, and report.html, which holds everything."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from reservoir.comparison.html import report_html
from reservoir.comparison.report import ComparisonReport, TaskComparison
from reservoir.files.writing import replaced, writing


class ComparisonFolder:
    """Writes what is finished of a comparison, as often as it is asked to; files are replaced once the new ones are complete.

    Parameters
    ----------
    path : the folder, made if it is not there; its parent must be
    facts : for the report, such as the command line, by name
    pictures : whether to draw any, which takes matplotlib
    """

    def __init__(self, path: str | os.PathLike[str], facts: Mapping[str, str], pictures: bool = True) -> None:
        self.path = Path(path)
        self._facts, self._draws = facts, pictures
        self._pictures: dict[str, list[tuple[str, str]]] = {}

    @property
    def report(self) -> Path:
        """The path of the report."""
        return self.path / "report.html"

    def write(self, report: ComparisonReport) -> None:
        """Write what is finished. A task's pictures are drawn once, when all its runs are.

        Raises OSError where something cannot be written.
        """
        self._write(report, lambda part: report.is_complete(part.task))

    def finish(self, report: ComparisonReport) -> None:
        """Write what is finished of a comparison that ended or was stopped, with pictures of the tasks that have none yet."""
        self._write(report, lambda part: True)

    def _write(self, report: ComparisonReport, is_ready: Callable[[TaskComparison], bool]) -> None:
        self.path.mkdir(exist_ok=True)
        report.to_csv(self.path / "runs.csv")
        for part in report.tasks if self._draws else ():
            if part.task.name not in self._pictures and is_ready(part):
                self._pictures[part.task.name] = list(self._draw(part))
        text = report_html(report, self._pictures, self._facts)
        with writing(self.report), replaced(self.report) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def _draw(self, part: TaskComparison) -> Iterator[tuple[str, str]]:
        """Draw scores, learning curves and predictions, where there are any: (caption, SVG) of each picture."""
        captions = {
            "scores": "Score of every seed, and the seconds it took to fit",
            "learning": "Learning curves of every seed; the run with the middle loss is bold",
            "predictions": f"Predictions on the test data of seed {part.seed}, over what was asked for",
        }
        from reservoir import plotting

        for name, figure in [(name, part.plot(what=name)) for name in part.pictures]:
            path = self.path / f"{part.task.name}-{name}.svg"
            with writing(path):
                plotting.save(figure, path)
            yield captions[name], path.read_text(encoding="utf-8")
