"""What `reservoir sweep` and `reservoir results` print and write."""

from __future__ import annotations

import csv
import json
import os
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.experiments.tables import Table as Printed
from reservoir.experiments.tables import number
from reservoir.experiments.values import shown_name
from reservoir.files.writing import replaced
from reservoir.sweeps.store import Store
from reservoir.sweeps.summary import importance, ranking
from reservoir.sweeps.table import Table

if TYPE_CHECKING:
    from reservoir.sweeps.driver import Progress


GAP = 3  # characters between two columns


def value_text(value: Any) -> str:
    """A value of a parameter for people, in the form that --set takes."""
    if isinstance(value, list):
        return ",".join(map(value_text, value))
    return number(value) if isinstance(value, float) else str(value).lower() if value in (True, False, None) else str(value)


def counted(count: int, thing: str) -> str:
    """A number of things.

    >>> counted(1, "seed"), counted(2000, "trial")
    ('1 seed', '2,000 trials')
    """
    return f"{count:,} {thing}{'s' * (count != 1)}"


def ranking_table(table: Table, top: int, width: int = 160) -> Printed:
    """The best trials with their spread over seeds; with less of that where it would be wider than `width`."""
    about, rows = table.about, ranking(table, top)
    names = table.varied()
    several = len(np.unique(table.seed)) > 1
    scores = {"mean": "mean", "std": "std", "min": "min", "max": "max"} if several else {"mean": "score"}
    counts = {"n": "runs"} if several else {}
    counts |= {name: name for name in ("failed", "pruned") if any(row[name] for row in rows)}
    parameters = {shown_name(name): [value_text(row["parameters"][name]) for row in rows] for name in names}
    spread = {name: [_score_text(row, key) for row in rows] for key, name in scores.items()}
    counted_runs = {name: [str(row[key]) for row in rows] for key, name in counts.items()}
    grid = {"trial": [str(row["trial"] + 1) for row in rows], **parameters, **spread, **counted_runs}
    for name in ("min", "max", "std"):
        if sum(max(map(len, [name, *texts])) + GAP for name, texts in grid.items()) > width:
            grid.pop(name, None)
    columns, body = list(grid), [list(texts) for texts in zip(*grid.values(), strict=True)]
    direction = "higher" if about["higher_is_better"] else "lower"
    title = f"{about['task']}, {about['model']}: {about['metric']} on the {about['split']} split, {direction} is better"
    return title, columns, body, _notes(table)


def _score_text(row: Mapping[str, Any], key: str) -> str:
    """A score of a trial; one seed alone has no deviation."""
    return "" if row[key] is None or (key == "std" and row["n"] == 1) else number(row[key])


def _notes(table: Table) -> list[str]:
    """How much there is, what failed and why, and whether all was computed by the same versions."""
    counts = Counter(table.status.tolist())
    told = [f"{counts[status]:,} {status}" for status in ("done", "failed", "pruned") if counts[status]]
    trials, seeds = (len(np.unique(column)) for column in (table.trial, table.seed))
    notes = [f"{counted(trials, 'trial')}, {counted(seeds, 'seed')}: {', '.join(told) or 'no runs'}."]
    reasons = Counter(error for error in table.error if error is not None)
    notes += [f"Failed {counted(count, 'time')}: {error}" for error, count in reasons.most_common(3)]
    if len(reasons) > 3:
        notes.append(f"... and for {counted(len(reasons) - 3, 'other reason')}; --csv tells them all.")
    if len(table.about.get("environments", ())) > 1:
        notes.append(f"Computed by different versions: {'; '.join(map(_cell, table.about['environments']))}.")
    return notes


def importance_table(table: Table) -> Printed | None:
    """Which parameters mattered; None where nothing varies."""
    rows = importance(table)
    if not rows:
        return None
    body = [
        [shown_name(row["name"]), "too few runs" if row["share"] is None else f"{row['share']:.1%}", str(row["levels"] or "")]
        for row in rows
    ]
    scale = "log10 of the score" if rows[0]["scale"] == "log10" else "score"
    notes = [f"Share of the variance of the {scale} that each explains alone, over {rows[0]['runs']:,} runs."]
    return "Which parameters mattered", ["parameter", "variance explained", "levels"], body, notes


def best_command(table: Table) -> str | None:
    """The command that scores the best trial on the test split, with seeds it has not seen; None where no run is done."""
    best = ranking(table, 1)
    if not best or best[0]["mean"] is None:
        return None
    about, settings = table.about, table.trials[best[0]["trial"]]
    words = ["reservoir", "run", about["task"], "--model", about["model"]]
    for option, values in (
        ("--task-set", about["task_set"]),
        ("--set", {n: settings[n] for n in about["given"] if n in settings}),
    ):
        for name, value in values.items():
            words += [option, f"{shown_name(name)}={value if isinstance(value, str) else repr(value)}"]
    first = int(table.seed.max()) + 1
    return shlex.join([*words, "--seeds", f"{first}:{first + 5}"])


def result_json(table: Table, top: int) -> dict[str, Any]:
    """What the two tables tell, as plain data."""
    rows = [{**row, "trial": row["trial"] + 1, "parameters": dict(table.trials[row["trial"]])} for row in ranking(table, top)]
    found = Counter(table.status.tolist())
    counts = {status: found[status] for status in ("done", "failed", "pruned")}
    return {**table.about, "trials": len(np.unique(table.trial)), **counts, "best": rows, "importance": importance(table)}


def write_csv(path: str | os.PathLike[str], store: Store) -> None:
    """Write every run to a CSV file, numbers in full: its trial, parameters, scores, times.

    Rows are in the order of trials and seeds, so that two files differ in nothing but the times where the scores are equal.
    """
    names, scores = _columns(store.rows())
    header = ["trial", *map(shown_name, names), "seed", "status", "score", *[f"scores.{name}" for name in scores]]
    plain = (
        "n_parameters", "baseline", "error", "warnings", "data_hash", "versions", "attempts", "fit_seconds", "predict_seconds",
        "finished",
    )  # fmt: skip
    with replaced(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*header, *plain])
        for row in store.rows():
            writer.writerow([
                row["trial"],
                *[_cell(row["parameters"].get(name)) for name in names],
                row["seed"], row["status"], row["score"],
                *[(row["scores"] or {}).get(name) for name in scores],
                *[_cell(row[name]) for name in plain],
            ])  # fmt: skip


def _columns(rows: Iterable[Mapping[str, Any]]) -> tuple[Sequence[str], Sequence[str]]:
    """The names of all parameters and of all scores."""
    names: dict[str, None] = {}
    scores: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row["parameters"]))
        scores.update(dict.fromkeys(row["scores"] or {}))
    return list(names), list(scores)


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    return json.dumps(value) if isinstance(value, (list, bool)) else value


def progress_text(progress: Progress) -> str:
    """What a progress line says besides the number of runs."""
    parts = ["finishing what is in hand; Ctrl-C again drops it"] if progress.finishing else []
    parts += [f"{progress.failed:,} failed"] if progress.failed else []
    parts += [f"{progress.pruned:,} pruned"] if progress.pruned else []
    parts += [f"best run {number(progress.best)}"] if progress.best is not None else []
    parts += [f"{progress.finished / progress.seconds:,.3g} runs/s"] if progress.finished and progress.seconds else []
    return ", ".join(parts)
