"""The folder of a comparison: its store runs.db, runs.csv with a row per run, the pictures, and report.html with everything.

The report opens without a network. Its pictures are inline SVG with the page's colors of paper and ink, light or dark.
"""

from __future__ import annotations

import inspect
import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from reservoir.base.tables import MARK, baseline_name, is_worse, number
from reservoir.base.threads import thread_count
from reservoir.comparison.plan import Entrant
from reservoir.comparison.report import ComparisonReport, TaskComparison
from reservoir.experiments.evaluation import described, versions
from reservoir.files.writing import replaced, writing
from reservoir.models import model_class, model_name, model_summary
from reservoir.validation import StoreError

STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1a1a1a; --soft: #555555; --line: #dddddd; --grid: #e8e8e8;
  --link: #005a9c; --best: #eef6ee; --blue: #0072b2; --edge: #00000033; }
@media (prefers-color-scheme: dark) { :root { --paper: #16191d; --ink: #e6e6e6; --soft: #a8adb3; --line: #3a3f45; --grid: #2b3036;
  --link: #7cc4ff; --best: #1f3326; --blue: #3a97dc; --edge: #ffffff40; } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); } h3 { margin-top: 2rem; }
a { color: var(--link); } nav ul { columns: 2; padding-left: 1.2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
div.wide { overflow-x: auto; scrollbar-width: thin; background-repeat: no-repeat;
  background-image:
    linear-gradient(to right, var(--paper) 1rem, transparent), linear-gradient(to left, var(--paper) 1rem, transparent),
    linear-gradient(to right, var(--edge), transparent), linear-gradient(to left, var(--edge), transparent);
  background-position: left, right, left, right; background-size: 2.5rem 100%, 2.5rem 100%, 1rem 100%, 1rem 100%;
  background-attachment: local, local, scroll, scroll; } /* a shadow at an edge beyond which there is more */
th, td { padding: .25rem .7rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
th { color: var(--soft); font-weight: 600; } td.n, th.n { text-align: right; white-space: nowrap; }
td.best { background: var(--best); }
p.note, figcaption { color: var(--soft); font-size: .9rem; } .failed { color: var(--soft); font-style: italic; }
pre { background: var(--grid); padding: .8rem; overflow-x: auto; white-space: pre-wrap; font-size: .85rem; }
figure { margin: 1.5rem 0; } svg { width: 100%; min-width: 50rem; height: auto; display: block; }
"""
PAGE = Template("""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>$title</title>
<style>$style</style></head>
<body>
<h1>$title</h1>
<nav><ul><li><a href="#summary">Summary</a></li>$links
<li><a href="#settings">Settings of the models</a></li><li><a href="#reproduce">How to reproduce</a></li></ul></nav>
<h2 id="summary">Summary</h2>
$summary
$tasks
<h2 id="settings">Settings of the models</h2>
<p class="note">Bold: not the default.</p>
$settings
<h2 id="reproduce">How to reproduce</h2>
$reproduce
<p class="note">Scores are the same to the bit on the same machine with the same versions; times are not, and the first of a
process include loading compiled code.</p>
</body></html>
""")
TASK = Template("""<h2 id="task-$name">$name</h2>
<p>$first</p>
$scores
$pictures
<details><summary>Definition</summary><pre>$definition</pre><p class="note">Options: $options.</p></details>
""")
PAGE_COLORS = {
    "#ffffff": "var(--paper)", "#1a1a1a": "var(--ink)", "#444444": "var(--soft)", "#8c8c8c": "var(--soft)",
    "#e8e8e8": "var(--grid)", "#0072b2": "var(--blue)",
}  # fmt: skip
"""The colors of pictures that become the page's: paper, ink, axes, quiet marks, grid, and the darkest of the models'."""

Pictures = Mapping[str, Sequence[tuple[str, str]]]
"""The (caption, SVG) of each picture, by the name of its task."""


CAPTIONS = {
    "scores": "Score of every seed, and the seconds it took to fit",
    "learning": "Learning curves of every seed; the run with the middle loss is bold",
    "predictions": "Predictions on the test data of seed {}, over the targets",
}
"""The captions of a task's pictures, by their names."""


class ComparisonFolder:
    """Writes what is finished of a comparison, as often as it is asked to; files are replaced once the new ones are complete.

    The folder is made if it is not there; its parent must be. `facts` are lines by name for the report, such as the command.
    Raises `StoreError` for a folder with the report of runs that are in no store.
    """

    def __init__(self, path: str | os.PathLike[str], facts: Mapping[str, str], pictures: bool = True) -> None:
        self.path = Path(path)
        self.report, self.store = self.path / "report.html", self.path / "runs.db"
        if self.report.exists() and not self.store.exists():
            raise StoreError(f"{self.report}: is of runs that are in no store, and the new report would replace it.")
        self._facts, self._draws = facts, pictures
        self._pictures: dict[str, list[tuple[str, str]]] = {}

    def write(self, report: ComparisonReport, final: bool = False) -> None:
        """Write what is finished. A task's pictures are drawn once, when all its runs are finished or the report is `final`."""
        self.path.mkdir(exist_ok=True)
        report.to_csv(self.path / "runs.csv")
        for part in report.tasks:
            if part.task.name not in self._pictures and (final or report.is_complete(part.task)):
                self._pictures[part.task.name] = list(self._draw(part))
        text = report_html(report, self._pictures, self._facts)
        with writing(self.report), replaced(self.report) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def _draw(self, part: TaskComparison) -> Iterator[tuple[str, str]]:
        """Draw scores, learning curves and predictions, where there are any: (caption, SVG) of each picture.

        A picture of an earlier time that is not drawn again is removed.
        """
        for name, caption in CAPTIONS.items():
            path = self.path / f"{part.task.name}-{name}.svg"
            with writing(path):
                if not self._draws or name not in part.pictures:
                    path.unlink(missing_ok=True)
                    continue
                part.plot(path, name)
            yield caption.format(part.seed), path.read_text(encoding="utf-8")


def report_html(report: ComparisonReport, pictures: Pictures, facts: Mapping[str, str]) -> str:
    """Return the whole report of at least one run as a text; `facts` are more lines by name for "How to reproduce"."""
    entered, parts = report.plan.entrants, report.tasks
    title = escape(f"{_listed(entrant.label for entrant in entered)} on {_listed(part.task.name for part in parts)}")
    links = "".join(f'<li><a href="#task-{part.task.name}">{escape(part.task.name)}</a></li>' for part in parts)
    tasks = "".join(_task(part, pictures.get(part.task.name, ())) for part in parts)
    settings, reproduce = "\n".join(_settings(e, report.rows) for e in entered), _reproduce(report.plan.seeds, facts)
    summary = _summary(report)
    return PAGE.substitute(
        title=title, style=STYLE, links=links, summary=summary, tasks=tasks, settings=settings, reproduce=reproduce
    )


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _table(columns: Sequence[str], body: Sequence[Sequence[str]], numeric: bool = True) -> str:
    """Return a table of cells that are HTML already; with `numeric`, all columns but the first are aligned to the right."""
    kinds = ["", *[' class="n"' if numeric else ""] * (len(columns) - 1)]

    def line(tag: str, cells: Sequence[str]) -> str:
        best = [' class="n best"' if cell.startswith("<b>") and kind else kind for cell, kind in zip(cells, kinds, strict=True)]
        return "<tr>" + "".join(f"<{tag}{kind}>{cell}</{tag}>" for cell, kind in zip(cells, best, strict=True)) + "</tr>\n"

    head, rows = line("th", list(map(escape, columns))), "".join(line("td", row) for row in body)
    return f'<div class="wide"><table><thead>{head}</thead>\n<tbody>{rows}</tbody></table></div>'


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


def _medians(task: Any, lines: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the median score of each model, the best in bold."""
    known = [line["median"] for line in lines if line["median"] is not None]
    best = (max if task.higher_is_better else min)(known, default=None)

    def text(median: float | None, baseline: float) -> str:
        if median is None:
            return '<span class="failed">failed</span>'
        mark = f" {MARK}" * is_worse(task, median, baseline)
        return f"<b>{number(median)}</b>{mark}" if median == best else number(median) + mark

    return {line["model"]: text(line["median"], line["baseline"]) for line in lines}


def _summary(report: ComparisonReport) -> str:
    """Return the table of the medians of all models on all tasks."""
    labels, body = [entrant.label for entrant in report.plan.entrants], []
    for part in report.tasks:
        task, lines = part.task, part.summary()
        medians = _medians(task, lines)
        metric = f"{task.metric} {'↑' if task.higher_is_better else '↓'}"
        cells = [medians.get(label, "") for label in labels]
        body.append(
            [
                f'<a href="#task-{task.name}">{task.name}</a>',
                metric,
                *cells,
                f"{number(lines[0]['baseline'])} ({escape(baseline_name(task))})",
            ]
        )
    done, total = len(report.rows), len(report.plan.runs)
    count = f"{done} runs" if done == total else f"{done} of {total} runs were finished"
    note = f"Median score over the seeds on test data; the best is bold; arrows point to what is better. {count}."
    note += f" {MARK} worse than the baseline." * any(MARK in cell for row in body for cell in row)
    return _table(["task", "metric", *labels, "baseline"], body) + _note(note)


def _task(part: TaskComparison, pictures: Sequence[tuple[str, str]]) -> str:
    """Return the section of a task: its definition, the table of the models, its pictures."""
    task, (title, columns, body, notes) = part.task, part.table()
    first, _, definition = (inspect.getdoc(type(task)) or "").partition("\n")
    options = ", ".join(f"{name} = {value!r}" for name, value in task.options().items())
    cells = [[escape(cell) for cell in row] for row in body]
    for row, median in zip(cells, _medians(task, part.summary()).values(), strict=False):
        row[1] = median
    figure = '<figure><div class="wide">{}</div><figcaption>{}</figcaption></figure>'.format
    figures = [figure(inline(svg, f"{task.name}-{k}-", caption), escape(caption)) for k, (caption, svg) in enumerate(pictures)]
    scores, shown = _table(columns, cells) + "".join(map(_note, [title, *notes])), {"options": escape(options) or "none"}
    shown |= {"name": escape(task.name), "first": escape(first), "definition": escape(definition.strip())}
    return TASK.substitute(shown, scores=scores, pictures="\n".join(figures))


def inline(svg: str, prefix: str, caption: str) -> str:
    """Make an SVG file part of a page: without its head and size, with a prefix for its names and the colors of the page."""
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], count=1, flags=re.DOTALL)
    head, _, rest = svg.partition(">")
    box = re.search(r'viewBox="[^"]*"', head)
    rest = re.sub(r'\b(id="|xlink:href="#|url\(#)', rf"\g<1>{prefix}", rest)
    for color, variable in PAGE_COLORS.items():
        rest = re.sub(rf"(fill|stroke): {color}\b", rf"\1: {variable}", rest)
    return f'<svg role="img" aria-label="{escape(caption)}" style="fill: var(--ink)" {box[0] if box else ""}>{rest.rstrip()}'


def _settings(entrant: Entrant, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the parameters of a model, a column per task, or one where they are the same on all."""
    by_task = {row["task"]: {**row["params"], "random_state": None} for row in rows if row["label"] == entrant.label}
    if not by_task:
        return ""
    first = next(iter(by_task.values()))
    columns = by_task if any(params != first for params in by_task.values()) else {"value": first}
    defaults = described(model_class(entrant.model)().get_params())

    def cell(params: Mapping[str, Any], name: str) -> str:
        text = escape(repr(params[name])) if name in params else ""
        return text if name not in params or (name in defaults and defaults[name] == params[name]) else f"<strong>{text}</strong>"

    names = dict.fromkeys(name for params in columns.values() for name in params if name != "random_state")
    body = [[escape(name.replace("__", ".")), *[cell(params, name) for params in columns.values()]] for name in names]
    name = model_name(entrant.model)
    heading = entrant.label if entrant.label == name else f"{entrant.label} ({name})"
    about = f"<h3>{escape(heading)}</h3><p>{escape(model_summary(entrant.model))}</p>"
    return f"{about}<details><summary>Parameters</summary>{_table(['parameter', *columns], body, numeric=False)}</details>"


def _reproduce(seeds: Sequence[int], facts: Mapping[str, str]) -> str:
    """Return the command line, the seeds, the versions, the machine."""
    found = ", ".join(f"{name} {text}" for name, text in versions().items())
    machine = f"{platform.system()}, {thread_count()} cores"
    lines = {**facts, "seeds": ", ".join(map(str, seeds)), "versions": found, "machine": machine}
    command = lines.pop("command", "")
    shown = f"<pre>{escape(command)}</pre>" if command else ""
    return shown + _table(["", ""], [[escape(name), escape(text)] for name, text in lines.items()], numeric=False)
