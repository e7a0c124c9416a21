"""What the command line prints and writes: facts, tables as plain data, JSON, and the forecast as CSV."""

from __future__ import annotations

import csv
import inspect
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from reservoir.forecasting import Report
from reservoir.model_file import replaced
from reservoir.models import MODELS

Table = tuple[str, list[str], list[list[str]], list[str]]
"""Title, columns, rows of text, lines beneath."""


def as_json(value: Any) -> Any:
    """Plain data for `json`: arrays as lists, numbers that are not finite as None, anything else odd as its repr."""
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [as_json(item) for item in value]
    if isinstance(value, np.generic):
        return as_json(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, int, bool, type(None))) else repr(value)


def number(value: float) -> str:
    """A number for people: four significant digits."""
    return f"{value:.4g}"


def table_text(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str], width: int) -> str:
    """A table as text at most `width` wide, numbers right-aligned, with the notes beneath it."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Grid

    grid = Grid(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = index > 0 and all(row[index].lstrip("-.")[:1].isdigit() or row[index] in ("", "-inf") for row in rows)
        short = index == 0 and max(len(row[0]) for row in rows) <= 30  # names that can stay whole
        grid.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=short)
    for row in rows:
        grid.add_row(*row)
    console = Console(width=width, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(grid)
    lines = [line.rstrip() for line in captured.get().rstrip().split("\n")]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def run_table(rows: Sequence[Mapping[str, Any]], task: Any) -> Table:
    """The results of a run: a row per seed, and where there are several their mean and standard deviation (divisor n - 1)."""
    first = rows[0]
    columns = ["seed", first["metric"], *[name for name in first["scores"] if name != first["metric"]]]
    columns += ["baseline", "weights", "fit s", "predict s"]
    body = [
        [
            str(row["seed"]),
            *[number(row["scores"][name]) for name in columns[1:-4]],
            number(row["baseline"]),
            str(row["n_parameters"]),
            f"{row['fit_seconds']:.3f}",
            f"{row['predict_seconds']:.3f}",
        ]
        for row in rows
    ]
    if len(rows) > 1:
        values = np.array([[*[row["scores"][name] for name in columns[1:-4]], row["baseline"]] for row in rows])
        times = [f"{np.mean([row[key] for row in rows]):.3f}" for key in ("fit_seconds", "predict_seconds")]
        body.append(["mean", *map(number, values.mean(axis=0)), str(first["n_parameters"]), *times])
        body.append(["std", *[f"{value:.2g}" for value in values.std(axis=0, ddof=1)], "", "", ""])
    notes = [f"Published: {task.published}"] if task.published else []
    return f"{first['task']}, {first['model']}: {first['metric']}, {better(task)}", columns, body, notes


def better(task: Any) -> str:
    """Which way a task's metric points, in words."""
    return "higher is better" if task.higher_is_better else "lower is better"


def task_facts(task: Any) -> dict[str, Any]:
    """What there is to know of a task class, as plain data."""
    return {
        "name": task.name,
        "kind": task.kind,
        "metric": task.metric,
        "higher_is_better": task.higher_is_better,
        "summary": summary(task),
        "published": task.published,
        "options": {field.name: field.default for field in fields(task)},
        "settings": {model: dict(task.settings(model)) for model in MODELS},
        "definition": inspect.getdoc(task),
    }


def summary(documented: Any) -> str:
    """The first line of a docstring."""
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def task_page(task: Any) -> str:
    """All about one task, as text."""
    facts = task_facts(task)
    lines = [f"{task.name} ({task.kind}; {task.metric}, {better(task)})", "", facts["definition"], ""]
    if task.published:
        lines += [f"Published: {task.published}", ""]
    lines.append("Options (--task-set NAME=VALUE):")
    lines += [f"  {name} = {value!r}: {task.constraints[name]}" for name, value in facts["options"].items()]
    for model, settings in facts["settings"].items():
        lines += ["", f"Settings for {model}:"]
        lines += [f"  {name.replace('__', '.')} = {value!r}" for name, value in settings.items()]
    return "\n".join(lines)


def model_facts(name: str, model: Any) -> dict[str, Any]:
    """What there is to know of a model class, as plain data."""
    parameters = {
        p.name: {"default": p.default, "constraint": str(model.constraints.get(p.name, ""))}
        for p in inspect.signature(model).parameters.values()
    }
    return {"name": name, "summary": summary(model), "parameters": parameters}


def model_page(name: str, model: Any) -> str:
    """All about one model, as text: its parameters, their constraints and defaults, and what can be named in them."""
    facts = model_facts(name, model)
    about = (inspect.getdoc(model) or "").partition("\nAttributes\n")[0].rstrip()  # the rest is for Python
    lines = [name, "", about, "", "Defaults and constraints (--set NAME=VALUE); --seeds sets random_state:"]
    lines += [f"  {key} = {p['default']!r}: {p['constraint']}" for key, p in facts["parameters"].items() if p["constraint"]]
    for title, members in model.catalogue().items():
        lines += ["", f"{title}:"]
        lines += [f"  {key}: {text}" for key, text in members.items()]
    return "\n".join(lines)


def forecast_table(report: Report) -> Table:
    """The errors on the hold-out: a row per forecast and column."""
    truth = report.series[-report.holdout :]
    ours, *trivial = report.errors
    rows, notes = [], []
    for k, column in enumerate(report.names):
        best = min(trivial, key=lambda name: report.errors[name][k])
        least = report.errors[best][k]
        for name, errors in report.errors.items():
            rows.append([column, name, number(errors[k]), quotient(errors[k], truth[:, k].std()), quotient(errors[k], least)])
        if report.errors[ours][k] >= least:
            notes.append(f"The {best} forecast of {column} is no worse than the network's; prefer it.")
    chosen = ", ".join(f"{name.replace('__', '.')}={value}" for name, value in report.settings.items())
    period = "none found" if report.period is None else str(report.period)
    inside = np.mean((report.held_out.low <= truth) & (truth <= report.held_out.high))
    notes += [
        f"Settings: {chosen}",
        f"Seasonal period: {period}. Rows: {len(report.series)}, held out: {report.holdout}.",
        f"The band held {inside:.0%} of the held-out values; it is meant to hold 80%.",
    ]
    diverged = report.held_out.diverged + report.future.diverged
    if diverged:
        networks = 2 * (len(report.future.members) + report.future.diverged)
        notes.append(f"{diverged} of {networks} networks diverged and were left out.")
    return "Error on the hold-out", ["column", "forecast", "rmse", "nrmse", "rmse / best naive"], rows, notes


def quotient(error: float, scale: float) -> str:
    """An error relative to a scale, for people; nothing where the scale is zero."""
    return number(error / scale) if scale > 0.0 else ""


def forecast_json(report: Report) -> dict[str, Any]:
    """The errors, the settings and the forecasts, as plain data."""
    return {
        "columns": report.names,
        "rows": len(report.series),
        "holdout": report.holdout,
        "horizon": len(report.future.median),
        "period": report.period,
        "settings": report.settings,
        "rmse": report.errors,
        "diverged": report.held_out.diverged + report.future.diverged,
        "forecast": report.future.median,
        "low": report.future.low,
        "high": report.future.high,
    }


def write_forecast(path: str | os.PathLike[str], report: Report) -> None:
    """Write the forecast past the end: a row per step, with the number its row would have, the median and the band."""
    header = ["row", *[f"{name}{suffix}" for name in report.names for suffix in ("", "_low", "_high")]]
    future = report.future
    values = np.stack([future.median, future.low, future.high], axis=2).reshape(len(future.median), -1)
    with replaced(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for step, row in enumerate(values):
            writer.writerow([len(report.series) + step + 1, *[repr(float(value)) for value in row]])


def inspect_table(found: Mapping[str, Any]) -> Table:
    """The diagnostics of a reservoir: a row each, with what it says."""
    meanings = {
        "density": "fraction of weights that are not zero",
        "in_degree": "least, mean, most connections into a unit",
        "out_degree": "least, mean, most connections out of a unit",
        "spectral_radius": "largest absolute eigenvalue of W",
        "largest_singular_value": "below 1, without leak: echo state property for every input",
        "leaky_bound": "below 1: echo state property for every input (Yildiz, Jaeger & Kiebel 2012)",
        "echo_state_index": "different responses to one input from 20 starts; 1 is the echo state property",
        "lyapunov_exponent": "growth of a perturbation per step, along the input; negative: it is forgotten",
        "kernel_rank": "how many dimensions different inputs lead to",
        "generalisation_rank": "how many of them are left when the last 10 inputs agree",
        "memory_capacity": "sum of the squared correlations with past inputs; at most the units",
    }
    rows = []
    for name, value in found.items():
        if name != "memory_curve":
            values = value if isinstance(value, tuple) else (value,)
            text = ", ".join(number(v) if isinstance(v, float) else str(v) for v in values)
            rows.append([name.replace("_", " "), text, meanings.get(name, "")])
    return "Reservoir", ["measure", "value", "meaning"], rows, []
