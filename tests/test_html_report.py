"""The folder of a comparison: a CSV file, pictures, and one HTML file with everything in it, whatever is there so far."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from messages import mentions

from reservoir import ESN, DivergenceError, models
from reservoir.base import model_file
from reservoir.comparison import folder as comparison_files
from reservoir.comparison.folder import PAGE_COLORS, STYLE, ComparisonFolder, inline, report_html
from reservoir.comparison.plan import ComparisonPlan, entrants, plan_comparison
from reservoir.comparison.report import COLUMNS, ComparisonReport, FinishedRun
from reservoir.comparison.work import run_comparison
from reservoir.plotting import style
from reservoir.tasks import get_task

VOID = {"meta", "br", "img", "link", "input", "hr"}
COMMAND = "reservoir compare narma10 csv --task-set 'path=a <b> & c.csv'"


class Trained(ESN):
    """An echo state network that says it is trained in epochs, and fails with seed 1."""

    def fit(self, inputs: Any, targets: Any = None, progress: Any = lambda *_: None) -> Any:
        for epoch in range(1, 6):
            record = {"loss": 1.0 / epoch, "validation_loss": None, "gradient_norm": 1.0, "seconds": 0.1 * epoch}
            progress({"epoch": epoch, **record}, 5)
        if self.random_state == 1:
            raise DivergenceError("The loss became <NaN>.")
        return super().fit(inputs, targets)


class Page(HTMLParser):
    """What there is in a page: its tags, closed rightly, its ids, links and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert name not in ("src", "srcset", "background") and not name.startswith("on")
            if name == "id":
                self.ids.append(str(value))
            if name in ("href", "xlink:href"):
                self.links.append(str(value))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ComparisonPlan:
    monkeypatch.setattr("reservoir.tasks.narma.Narma10.tuned", {})  # settings which know no such model
    monkeypatch.setattr("reservoir.tasks.records.CsvTask.tuned", {})
    monkeypatch.setitem(models.MODELS, "trained", models.Model("test_html_report", "Trained", "a network that is trained"))
    path = tmp_path / "a <b> & c.csv"
    path.write_text("load\n" + "\n".join(f"{(k * k) % 17}" for k in range(100)) + "\n")
    tasks = [
        get_task("narma10", train_length=300, test_length=60),
        get_task("csv", path=str(path), horizon=10, washout=10),
    ]
    settings = {"units": 12, "density": 0.3, "washout": 10, "leaky__leak_rate": 0.25}
    return plan_comparison(tasks, entrants(["esn", "leaky=esn", "trained"], settings), [0, 1])


def results(planned: ComparisonPlan, count: int = 12) -> dict[int, FinishedRun]:
    found: dict[int, FinishedRun] = {}
    run_comparison(planned, found)
    return dict(list(found.items())[:count])


def write(
    planned: ComparisonPlan, folder: Path, pictures: bool = True, count: int = 12
) -> tuple[ComparisonFolder, ComparisonReport]:
    written = ComparisonFolder(folder, {"command": COMMAND, "processes": "1"}, pictures)
    report = ComparisonReport(planned, results(planned, count))
    written.write(report, final=True)
    return written, report


def test_the_report_is_one_page_that_needs_nothing_else(planned: ComparisonPlan, tmp_path: Path) -> None:
    written, _ = write(planned, tmp_path / "out")
    text = written.report.read_text(encoding="utf-8")
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert {"#summary", "#task-narma10", "#task-csv", "#settings", "#reproduce"} <= set(page.links)
    assert all(reference[1:] in page.ids for reference in re.findall(r"url\(([^)]*)\)", text))
    assert "http" not in re.sub(r"xmlns[:a-z]*=\"[^\"]*\"", "", text)
    assert page.tags["svg"] == 6 and page.tags["script"] == page.tags["img"] == 0
    assert "prefers-color-scheme: dark" in text and "<metadata" not in text


def test_what_the_report_tells(planned: ComparisonPlan, tmp_path: Path) -> None:
    written, report = write(planned, tmp_path / "out")
    page = Page(written.report.read_text(encoding="utf-8"))
    assert page.text.startswith("esn, leaky and trained on narma10 and csv")
    for line in report.summary():
        assert f"{line['median']:.4g}" in page.text and f"{line['baseline']:.4g}" in page.text
    assert "trained failed with seed 1: The loss became <NaN>." in page.text  # escaped in the source
    assert "1 of 2" in page.text and "12 runs." in page.text
    assert COMMAND in page.text and "numpy" in page.text and "python 3" in page.text
    assert "a <b> & c.csv" in page.text
    assert "leaky (esn)" in page.text and "a network that is trained" in page.text
    assert "Follow a nonlinear moving average" in page.text and "nmse ↓" in page.text
    text = written.report.read_text(encoding="utf-8")
    assert "<strong>0.25</strong>" in text and "<td>leak_rate</td><td>1.0</td>" in text  # bold: not the default


def test_the_best_median_is_bold_and_the_metric_says_which_is_best(planned: ComparisonPlan) -> None:
    report = ComparisonReport(planned, results(planned))
    lines = report.summary()
    for higher, best in ((False, min), (True, max)):
        for task in planned.tasks:
            object.__setattr__(task, "higher_is_better", higher)
        text = report_html(report, {}, {})
        for task in planned.tasks:
            medians = [line["median"] for line in lines if line["task"] == task.name]
            assert len(re.findall(f"<b>{best(medians):.4g}</b>", text)) >= 2  # in the summary and in the task's own table
            assert sum(len(re.findall(f"<b>{median:.4g}</b>", text)) for median in set(medians) - {best(medians)}) == 0


def test_an_unfinished_comparison_has_its_report(planned: ComparisonPlan, tmp_path: Path) -> None:
    written, _ = write(planned, tmp_path / "out", count=2)
    page = Page(written.report.read_text(encoding="utf-8"))
    assert "2 of 12 runs were finished" in page.text
    assert "task-csv" not in page.ids and page.text.startswith("esn, leaky and trained on narma10 ")
    assert page.tags["svg"] == 2
    assert len((tmp_path / "out" / "runs.csv").read_text().splitlines()) == 3


def test_files_are_written_as_tasks_are_finished(
    planned: ComparisonPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, report = ComparisonFolder(tmp_path / "out", {}, True), ComparisonReport(planned, results(planned, 7))
    written.write(report)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["narma10-learning.svg", "narma10-predictions.svg", "narma10-scores.svg", "report.html", "runs.csv"]
    drawn = (tmp_path / "out" / "narma10-scores.svg").stat().st_mtime_ns
    written.write(report, final=True)
    assert (tmp_path / "out" / "narma10-scores.svg").stat().st_mtime_ns == drawn  # not again
    assert "csv-scores.svg" in os.listdir(tmp_path / "out")


def test_without_pictures(planned: ComparisonPlan, tmp_path: Path) -> None:
    written, _ = write(planned, tmp_path / "out", pictures=False)
    assert sorted(os.listdir(tmp_path / "out")) == ["report.html", "runs.csv"]
    assert Page(written.report.read_text(encoding="utf-8")).tags["svg"] == 0


def test_the_csv_has_a_row_per_run_with_numbers_in_full(planned: ComparisonPlan, tmp_path: Path) -> None:
    _, report = write(planned, tmp_path / "out", pictures=False)
    with open(tmp_path / "out" / "runs.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 12
    for index, cells in enumerate(rows):
        row = report.finished[index].row
        assert (cells["task"], cells["label"], int(cells["seed"])) == (row["task"], row["label"], row["seed"])
        assert cells["score"] == ("" if row["score"] is None else repr(row["score"]))
        assert cells["error"] == (row["error"] or "")
        assert json.loads(cells["params"])["units"] == 12
        assert json.loads(cells["task_options"])["washout"] == row["task_options"]["washout"]
    assert rows[5]["error"] == "The loss became <NaN>." and rows[5]["n_parameters"] == ""


def test_a_full_disk_names_the_file_and_leaves_the_old_one(
    planned: ComparisonPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, report = write(planned, tmp_path / "out", pictures=False, count=2)
    before = written.report.read_bytes()

    def replace(source: Any, target: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source))

    monkeypatch.setattr(model_file.os, "replace", replace)
    with pytest.raises(OSError, match=mentions("space left")) as caught:
        written.write(report)
    assert caught.value.filename == str(tmp_path / "out" / "runs.csv")
    assert written.report.read_bytes() == before
    assert sorted(os.listdir(tmp_path / "out")) == ["report.html", "runs.csv"]


def test_an_inline_picture() -> None:
    svg = (
        '<?xml version="1.0"?>\n<!DOCTYPE svg>\n<svg xmlns:xlink="x" width="9pt" viewBox="0 0 9 9" version="1.1">\n'
        ' <metadata>a <b/>\n c</metadata>\n <g id="a"><path id="p" style="fill: #ffffff; stroke: #1a1a1a"/>\n'
        ' <use xlink:href="#p" clip-path="url(#a)" style="fill: #ffffff80; stroke: #123456"/></g></svg>\n'
    )
    found = inline(svg, "one-", 'a "picture" & more')
    assert found.startswith(
        '<svg role="img" aria-label="a &quot;picture&quot; &amp; more" style="fill: var(--ink)" viewBox="0 0 9 9">'
    )
    assert 'id="one-a"' in found and 'id="one-p" style="fill: var(--paper); stroke: var(--ink)"' in found
    assert 'xlink:href="#one-p" clip-path="url(#one-a)" style="fill: #ffffff80; stroke: #123456"' in found
    assert "metadata" not in found and "DOCTYPE" not in found and "9pt" not in found


def test_the_colors_of_the_pictures_are_those_of_the_page() -> None:
    drawn = {"#ffffff", style.TRUTH, style.QUIET, style.ERROR, style.STYLE["axes.edgecolor"], style.STYLE["grid.color"]}
    assert set(PAGE_COLORS) == drawn
    for variable in set(PAGE_COLORS.values()):
        name = variable.removeprefix("var(").removesuffix(")")
        assert len(re.findall(rf"{name}: #", STYLE)) == 2  # in light and in dark


def test_files_are_named_by_the_system_s_errors(planned: ComparisonPlan, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(FileExistsError):
        write(planned, tmp_path / "out", count=1)
    assert comparison_files.ComparisonFolder(tmp_path / "x", {}).report == tmp_path / "x" / "report.html"


def test_on_a_narrow_screen_pictures_and_tables_scroll_at_full_size(planned: ComparisonPlan, tmp_path: Path) -> None:
    written, _ = write(planned, tmp_path / "out")
    text = written.report.read_text(encoding="utf-8")
    assert text.count('<figure><div class="wide"><svg') == text.count("<svg") > 0
    assert text.count('<div class="wide"><table') == text.count("<table") > 0
    assert re.search(r"div\.wide \{ overflow-x: auto", STYLE) and "--edge" in STYLE  # a shadow where there is more
    assert re.search(r"svg \{[^}]*min-width: 50rem", STYLE)  # 9-point letters are 11 pixels high
    assert re.search(r"td\.n, th\.n \{[^}]*white-space: nowrap", STYLE)
    assert re.search(r"th, td \{ padding: \.25rem \.7rem;", STYLE)
