"""The report of a comparison: one HTML file with everything in it, which opens without a network.

Pictures are inline SVG whose colors of paper and ink are those of the page, light or dark as the reader has it.
"""

from __future__ import annotations

import inspect
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.metadata import version
from typing import Any

from reservoir.base.tables import number
from reservoir.base.threads import thread_count
from reservoir.base.version import __version__
from reservoir.comparison.plan import ComparisonPlan, Entrant
from reservoir.comparison.report import ComparisonReport, TaskComparison
from reservoir.experiments.evaluation import described
from reservoir.models import model_class, model_summary

STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1a1a1a; --soft: #555555; --line: #dddddd; --grid: #e8e8e8;
  --link: #005a9c; --best: #eef6ee; --blue: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --paper: #16191d; --ink: #e6e6e6; --soft: #a8adb3; --line: #3a3f45; --grid: #2b3036;
  --link: #7cc4ff; --best: #1f3326; --blue: #3a97dc; } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); } h3 { margin-top: 2rem; }
a { color: var(--link); } nav ul { columns: 2; padding-left: 1.2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } div.wide { overflow-x: auto; }
th, td { padding: .25rem .8rem .25rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; } td.n, th.n { text-align: right; }
td.best { background: var(--best); padding-left: .4rem; }
p.note, figcaption { color: var(--soft); font-size: .9rem; } .failed { color: var(--soft); font-style: italic; }
pre { background: var(--grid); padding: .8rem; overflow-x: auto; white-space: pre-wrap; font-size: .85rem; }
figure { margin: 1.5rem 0; } svg { width: 100%; height: auto; }
"""
PAGE_COLORS = {
    "#ffffff": "var(--paper)",
    "#1a1a1a": "var(--ink)",
    "#444444": "var(--soft)",
    "#8c8c8c": "var(--soft)",
    "#e8e8e8": "var(--grid)",
    "#0072b2": "var(--blue)",
}
"""Of the pictures' colors, those that follow the page: paper, ink, axes, what is quiet, grid, and the darkest of the models'."""

Pictures = Mapping[str, Sequence[tuple[str, str]]]
"""By task, (caption, SVG) of each picture."""


def report_html(report: ComparisonReport, pictures: Pictures, facts: Mapping[str, str]) -> str:
    """The whole report as a text.

    Parameters
    ----------
    report : with at least one run
    pictures : inline, under their tasks
    facts : what else to tell under "How to reproduce", such as the command, by name
    """
    planned, names = report.plan, [part.task.name for part in report.tasks]
    title = f"{_listed(e.label for e in planned.entrants)} on {_listed(names)}"
    contents = [("summary", "Summary"), *[(f"task-{name}", name) for name in names]]
    contents += [("settings", "Settings of the models"), ("reproduce", "How to reproduce")]
    sections = [
        f"<h1>{escape(title)}</h1>",
        "<nav><ul>" + "".join(f'<li><a href="#{key}">{escape(text)}</a></li>' for key, text in contents) + "</ul></nav>",
        '<h2 id="summary">Summary</h2>',
        _summary(report),
        *[_task(part, pictures.get(part.task.name, ())) for part in report.tasks],
        '<h2 id="settings">Settings of the models</h2>',
        '<p class="note">Bold: not the default.</p>',
        *[_settings(entrant, report.rows) for entrant in planned.entrants],
        '<h2 id="reproduce">How to reproduce</h2>',
        _reproduce(planned, facts),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = "\n".join(section for section in sections if section)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}\n<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n'


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def table(columns: Sequence[str], body: Sequence[Sequence[str]], numeric: bool = True) -> str:
    """A table of cells that are HTML already; with `numeric`, all columns but the first are aligned to the right."""
    kinds = ["", *[' class="n"' if numeric else ""] * (len(columns) - 1)]
    head = "".join(f"<th{kind}>{escape(column)}</th>" for kind, column in zip(kinds, columns, strict=True))
    rows = "".join("<tr>" + "".join(_cell(cell, kind) for kind, cell in zip(kinds, row, strict=True)) + "</tr>\n" for row in body)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>'


def _cell(cell: str, kind: str) -> str:
    return f'<td class="n best">{cell}</td>' if cell.startswith("<b>") and kind else f"<td{kind}>{cell}</td>"


def _best(task: Any, lines: Sequence[Mapping[str, Any]]) -> float | None:
    """The best of the median scores."""
    medians = [line["median"] for line in lines if line["median"] is not None]
    return (max if task.higher_is_better else min)(medians) if medians else None


def _median(line: Mapping[str, Any], best: float | None) -> str:
    if line["median"] is None:
        return '<span class="failed">failed</span>'
    return f"<b>{number(line['median'])}</b>" if line["median"] == best else number(line["median"])


def _summary(report: ComparisonReport) -> str:
    """The medians of all models on all tasks."""
    labels = [entrant.label for entrant in report.plan.entrants]
    body = []
    for part in report.tasks:
        task, found = part.task, {line["model"]: line for line in part.summary()}
        best = _best(task, list(found.values()))
        cells = [_median(found[label], best) if label in found else "" for label in labels]
        arrow = "↑" if task.higher_is_better else "↓"
        baseline = number(next(iter(found.values()))["baseline"])
        body.append([f'<a href="#task-{task.name}">{task.name}</a>', f"{task.metric} {arrow}", *cells, baseline])
    done, total = len(report.rows), len(report.plan.runs)
    count = f"{done} runs" if done == total else f"{done} of {total} runs were finished"
    note = f"Median score over the seeds on test data; the best is bold; arrows point to what is better. {count}."
    return table(["task", "metric", *labels, "trivial baseline"], body) + f'<p class="note">{note}</p>'


def _task(part: TaskComparison, pictures: Sequence[tuple[str, str]]) -> str:
    """A task: its definition, how the models did, its pictures."""
    task = part.task
    definition = inspect.getdoc(type(task)) or ""
    first, _, rest = definition.partition("\n")
    options = ", ".join(f"{name} = {value!r}" for name, value in task.options().items())
    parts = [f'<h2 id="task-{task.name}">{escape(task.name)}</h2>', f"<p>{escape(first)}</p>", _scores(part)]
    for place, (caption, svg) in enumerate(pictures):
        figure = inline(svg, f"{task.name}-{place}-", caption)
        parts.append(f"<figure>{figure}<figcaption>{escape(caption)}</figcaption></figure>")
    definition = f"<pre>{escape(rest.strip())}</pre><p class='note'>Options: {escape(options) or 'none'}.</p>"
    return "\n".join([*parts, f"<details><summary>Definition</summary>{definition}</details>"])


def _scores(part: TaskComparison) -> str:
    """The table of one task, with its notes."""
    title, columns, body, notes = part.table()
    lines = part.summary()
    best = _best(part.task, lines)
    cells = [[escape(cell) for cell in row] for row in body]
    for row, line in zip(cells, lines, strict=False):
        row[1] = _median(line, best)
    return table(columns, cells) + "".join(f'<p class="note">{escape(text)}</p>' for text in [title, *notes])


def inline(svg: str, prefix: str, caption: str) -> str:
    """An SVG file as part of a page: without its head and its size, its names unlike those of others, its colors the page's."""
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], count=1, flags=re.DOTALL)
    head, _, rest = svg.partition(">")
    box = re.search(r'viewBox="[^"]*"', head)
    rest = re.sub(r'\bid="', f'id="{prefix}', rest)
    rest = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{prefix}", rest)
    for color, variable in PAGE_COLORS.items():
        rest = re.sub(rf"(fill|stroke): {color}\b", rf"\1: {variable}", rest)
    return f'<svg role="img" aria-label="{escape(caption)}" style="fill: var(--ink)" {box[0] if box else ""}>{rest.rstrip()}'


def _settings(entrant: Entrant, rows: Sequence[Mapping[str, Any]]) -> str:
    """The parameters of a model, a column per task, or one where they are the same on all."""
    by_task: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if row["label"] == entrant.label:
            by_task.setdefault(row["task"], {key: value for key, value in row["params"].items() if key != "random_state"})
    if not by_task:
        return ""
    columns = (
        by_task
        if any(params != next(iter(by_task.values())) for params in by_task.values())
        else {"value": next(iter(by_task.values()))}
    )
    defaults = described(model_class(entrant.model)().get_params())
    names = list(dict.fromkeys(name for params in columns.values() for name in params))
    body = [
        [escape(name.replace("__", ".")), *[_setting(params, name, defaults) for params in columns.values()]] for name in names
    ]
    heading = entrant.label if entrant.label == entrant.name else f"{entrant.label} ({entrant.name})"
    about = f"<h3>{escape(heading)}</h3><p>{escape(model_summary(entrant.model))}</p>"
    return f"{about}<details><summary>Parameters</summary>{table(['parameter', *columns], body, numeric=False)}</details>"


def _setting(params: Mapping[str, Any], name: str, defaults: Mapping[str, Any]) -> str:
    if name not in params:
        return ""
    text = escape(repr(params[name]))
    return text if name in defaults and defaults[name] == params[name] else f"<strong>{text}</strong>"


def _reproduce(planned: ComparisonPlan, facts: Mapping[str, str]) -> str:
    """The command line, the versions, the machine."""
    packages = {"clockwork-reservoir": __version__, **{name: version(name) for name in ("numpy", "scipy", "numba")}}
    machine = {
        "seeds": ", ".join(map(str, planned.seeds)),
        "versions": ", ".join([*[f"{name} {text}" for name, text in packages.items()], f"Python {platform.python_version()}"]),
        "machine": f"{platform.system()} {platform.machine()}, {thread_count()} cores",
    }
    command = facts.get("command")
    rest = {**{key: text for key, text in facts.items() if key != "command"}, **machine}
    body = [[escape(key), escape(text)] for key, text in rest.items()]
    note = (
        "Scores are the same to the bit on the same machine with the same versions; times are not, and the first of a process"
        " include loading compiled code."
    )
    shown = f"<pre>{escape(command)}</pre>" if command else ""
    return shown + table(["", ""], body, numeric=False) + f'<p class="note">{note}</p>'
