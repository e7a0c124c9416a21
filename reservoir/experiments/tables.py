"""What the command line prints and writes: tables as plain data, JSON, and CSV files."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.files.writing import replaced

if TYPE_CHECKING:
    from reservoir.forecasting.ensemble import Report

Table = tuple[str, list[str], list[list[str]], list[str]]
"""Title, columns, rows of text, lines beneath."""


NO_NUMBERS = ("", "inf", "-inf", "nan", "failed")
"""What may stand among numbers in a column that is aligned to the right."""


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

    if not rows:
        return "\n".join([title, "", *notes])
    grid = Grid(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = index > 0 and all(row[index].lstrip("-.")[:1].isdigit() or row[index] in NO_NUMBERS for row in rows)
        short = index == 0 and max(len(row[0]) for row in rows) <= 30  # names that can stay whole
        least = max(len(row[index]) for row in rows) if numeric else None  # numbers stay whole
        grid.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=short, min_width=least)
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


def comparison_table(task: Any, lines: Sequence[Mapping[str, Any]]) -> Table:
    """How the models did on one task: a row each, from the lines of `comparison.summarize` that are of this task."""
    seeds = max(line["runs"] for line in lines)
    criterion = any(line["solved"] is not None for line in lines)
    incomplete = any(line["failed"] or line["runs"] < seeds for line in lines)
    columns = ["model", f"median {task.metric}", "mean", "std", *["solved"] * criterion, *["runs"] * incomplete]
    columns += ["weights", "fit s", "predict s"]
    body = []
    for line in lines:
        finished = line["runs"] - line["failed"]
        scores = [number(line["median"]), number(line["mean"])] if finished else ["failed", ""]
        spread = f"{line['std']:.2g}" if finished > 1 else ""
        solved = [f"{line['solved']:.0%}"] if criterion else []
        runs = [f"{finished} of {seeds}"] * incomplete
        numbers = ["" if line[key] is None else form(line[key]) for key, form in FORMS.items()]
        body.append([line["model"], *scores, spread, *solved, *runs, *numbers])
    body.append(["trivial baseline", number(lines[0]["baseline"]), *[""] * (len(columns) - 2)])
    title = f"{task.name}: {task.metric}, {better(task)}; {seeds} seed{'s' * (seeds > 1)}"
    return title, columns, body, [f"Published: {task.published}"] * bool(task.published) + failures(lines)


FORMS = {"n_parameters": "{:.0f}".format, "fit_seconds": "{:.3f}".format, "predict_seconds": "{:.3f}".format}


def failures(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each reason for which a model failed or warned, with the seeds."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for key, verb in (("errors", "failed"), ("warnings", "warned")):
        for line in lines:
            for seed, text in line[key]:
                found.setdefault((line["model"], verb, text), []).append(seed)
    return [
        f"{model} {verb} with seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}: {text}"
        for (model, verb, text), seeds in found.items()
    ]


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
    header = [f"{name}{suffix}" for name in report.names for suffix in ("", "_low", "_high")]
    future = report.future
    values = np.stack([future.median, future.low, future.high], axis=2).reshape(len(future.median), -1)
    write_rows(path, header, values, len(report.series) + 1)


def write_rows(path: str | os.PathLike[str], names: Sequence[str], values: np.ndarray, first: int = 1) -> None:
    """Write columns (n, len(names)) as CSV, numbers in full, after a column of row numbers that begins at `first`."""
    with replaced(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", *names])
        writer.writerows([first + k, *row] for k, row in enumerate(values.tolist()))


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
        "generalization_rank": "how many of them are left when the last 10 inputs agree",
        "memory_capacity": "sum of the squared correlations with past inputs; at most the units",
    }
    rows = []
    for name, value in found.items():
        if name != "memory_curve":
            values = value if isinstance(value, tuple) else (value,)
            text = ", ".join(number(v) if isinstance(v, float) else str(v) for v in values)
            rows.append([name.replace("_", " "), text, meanings.get(name, "")])
    return "Reservoir", ["measure", "value", "meaning"], rows, []


def gradients_table(task: str, found: Mapping[str, Mapping[str, Any]]) -> Table:
    """How gradients pass through networks: a row per measure and layer, a column per model."""
    meanings = {
        "growth": "factor of |dL/dh| per step back in time; below 1 gradients vanish",
        "spectral_radius": "of the Jacobian of a step, mean over steps",
        "largest_singular_value": "of the same",
        "median_singular_value": "of the same",
        "smallest_singular_value": "of the same",
        "dead": "share of rectified linear units that are always 0",
    }
    rows = []
    for name, meaning in meanings.items():
        values = [found[label].get(name) for label in found]
        if any(value is not None for value in values):
            texts = ["" if value is None else ", ".join(number(v) for v in np.ravel(value)) for value in values]
            rows.append([name.replace("_", " "), *texts, meaning])
    for gate in dict.fromkeys(gate for measured in found.values() for gate in measured["saturated"]):
        shares = [measured["saturated"].get(gate) for measured in found.values()]
        texts = ["" if s is None else ", ".join(f"{low:.1%} / {high:.1%}" for low, high in s) for s in shares]
        rows.append([f"saturated: {gate}", *texts, "share at the lower / upper end"])
    notes = ["Values of several layers, from the input up, are separated by commas."]
    return f"{task}: gradients", ["measure", *found, "meaning"], rows, notes
