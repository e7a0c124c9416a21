"""The report of a sweep: `reservoir sweep` and `reservoir results` print, write and draw it."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.base.tables import Table, alike, counted, number
from reservoir.base.values import parse_value, shown_name, shown_seeds
from reservoir.experiments.store import Store
from reservoir.files.writing import write_csv
from reservoir.sweeps.summary import ProgressCurve, RunTable, Trials, importance, progress_curve, ranking, trials_of
from reservoir.validation import StoreError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DETAILS = (
    "n_parameters", "baseline", "error", "warnings", "data_hash", "versions", "attempts", "fit_seconds", "predict_seconds",
    "finished",
)  # fmt: skip
STATUSES = ("done", "failed", "pruned")
SPREAD = ("std", "min", "max")
GAP = 3  # characters between two columns


@dataclass(frozen=True)
class SweepReport:
    """All runs of a store, its path, and which runs are of the sweep that gave the report; None where a store was read."""

    runs: RunTable
    store: Path
    own: np.ndarray | None = None  # (R,) booleans

    @cached_property
    def latest(self) -> SweepReport:
        """The report of the sweep's own runs, without those of other sweeps in its store."""
        return self if self.own is None else SweepReport(self.runs.chosen(self.own), self.store)

    @cached_property
    def trials(self) -> Trials:
        """Statistics over the seeds of each trial."""
        return trials_of(self.runs)

    @cached_property
    def progress(self) -> ProgressCurve:
        """How the best mean score changed over the trials."""
        return progress_curve(self.runs)

    def ranking(self, top: int | None = None) -> list[dict[str, Any]]:
        """Return the trials as dicts, the best first; or only the `top` best. See `summary.ranking`."""
        return ranking(self.runs, top)

    def records(self, top: int = 10) -> list[dict[str, Any]]:
        """Return the contents of the tables as plain data, in a list of one."""
        runs, found = self.runs, Counter(self.runs.status.tolist())
        best = [{**row, "trial": row["trial"] + 1, "parameters": dict(runs.trials[row["trial"]])} for row in self.ranking(top)]
        counts = {"trials": len(np.unique(runs.trial)), **{status: found[status] for status in STATUSES}}
        return [{**runs.about, **counts, "best": best, "importance": importance(runs)}]

    def table(self, top: int = 10, width: int = 160) -> Table:
        """Return the best trials with their spread over seeds. A table wider than `width` leaves out min, max, then std."""
        about, rows, several = self.runs.about, self.ranking(top), len(np.unique(self.runs.seed)) > 1
        grid = {"trial": [str(row["trial"] + 1) for row in rows]}
        grid |= {shown_name(name): [value_text(row["parameters"][name]) for row in rows] for name in self.runs.varied()}
        grid |= {"mean" if several else "score": [_score_text(row, "mean") for row in rows]}
        grid |= {name: [_score_text(row, name) for row in rows] for name in SPREAD if several}
        counts = {"n": "runs"} if several else {}
        counts |= {name: name for name in STATUSES[1:] if any(row[name] for row in rows)}
        grid |= {name: [str(row[key]) for row in rows] for key, name in counts.items()}
        for name in ("min", "max", "std"):
            if sum(max(map(len, [name, *texts])) + GAP for name, texts in grid.items()) > width:
                grid.pop(name, None)
        direction = "higher" if about["higher_is_better"] else "lower"
        seeds = f"; {shown_seeds(np.unique(self.runs.seed).tolist())}" if len(self.runs.seed) else ""
        title = (
            f"{about['task']}, {about['model']}: {about['metric']} on the {about['split']} split, {direction} is better{seeds}"
        )
        return Table(title, list(grid), [list(texts) for texts in zip(*grid.values(), strict=True)], _notes(self.runs))

    def importance_table(self) -> Table | None:
        """Return how much each parameter mattered; None where nothing varies, or there are too few runs to say."""
        rows = importance(self.runs)
        if all(row["share"] is None for row in rows):
            return None
        shares = ["too few runs" if row["share"] is None else f"{row['share']:.1%}" for row in rows]
        body = [[shown_name(row["name"]), share, str(row["levels"] or "")] for row, share in zip(rows, shares, strict=True)]
        scale = "log10 of the score" if rows[0]["scale"] == "log10" else "score"
        notes = [f"Share of the variance of the {scale} that each explains alone, over {rows[0]['runs']:,} runs."]
        return Table("Which parameters mattered", ["parameter", "variance explained", "levels"], body, notes)

    def best_command(self) -> str | None:
        """Return the command that scores the sweep's best trial on the test split, with new seeds; None where no run is done."""
        best = self.latest.ranking(1)
        if not best or best[0]["mean"] is None:
            return None
        about, settings = self.runs.about, self.runs.trials[best[0]["trial"]]
        words = ["reservoir", "run", about["task"], "--model", about["model"]]
        given = {name: settings[name] for name in about["given"] if name in settings}
        for option, values in (("--task-set", about["task_set"]), ("--set", given)):
            for name, value in values.items():
                words += [option, f"{shown_name(name)}={given_text(value)}"]
        first = int(self.runs.seed.max()) + 1
        return shlex.join([*words, "--seeds", f"{first}:{first + 5}"])

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write every run of the store to a CSV file, numbers in full, in the order of trials and seeds."""
        names, scores = dict[str, None](), dict[str, None]()
        with Store.reading(self.store) as store:
            for row in store.rows():
                names |= dict.fromkeys(row["parameters"])
                scores |= dict.fromkeys(row["scores"] or ())
            header = ["trial", *map(shown_name, names), "seed", "status", "score", *[f"scores.{name}" for name in scores]]
            write_csv(path, [*header, *DETAILS], (_csv_row(row, names, scores) for row in store.rows()))

    def plot(self, path: str | os.PathLike[str] | None = None, names: Sequence[str] | None = None) -> Figure:
        """Draw the scores: a line, a heat map or parallel coordinates; also to a file (png, svg or pdf), if one is given.

        `names` are the parameters to draw, all that vary unless given. Raises what `plotting.sweep_figure` raises.
        """
        from reservoir.plotting import kept, sweep_figure

        return kept(sweep_figure(self, names), path)


def read_sweep(path: str | os.PathLike[str]) -> SweepReport:
    """Read what a sweep found from its store; the sweep may still be running. `reservoir results` shows the same.

    Parameters
    ----------
    path : the SQLite file that `sweep` or `reservoir sweep` wrote

    Returns
    -------
    The report: `table()` has the best trials, `to_csv(path)` writes every run, `plot()` draws the scores.

    Raises
    ------
    StoreError
        The file is damaged, of another kind, or from a newer version.
    OSError
        There is no such file, or it cannot be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from reservoir import read_sweep, sweep
    >>> with TemporaryDirectory() as folder:
    ...     found = sweep("narma10", "esn", {"units": [10, 50]}, f"{folder}/narma10.db", jobs=1)
    ...     again = read_sweep(f"{folder}/narma10.db")
    >>> again.table().rows == found.table().rows
    True
    """
    with Store.reading(path) as store:
        if "model" not in store.about():
            raise StoreError(f"{path}: is the store of a comparison; its report is in the same folder.")
        return SweepReport(RunTable(**store.table()), store.path)


def value_text(value: Any) -> str:
    """Write a value of a parameter in the form that --set takes."""
    if isinstance(value, list):
        return ",".join(map(value_text, value))
    return number(value) if isinstance(value, float) else str(value).lower() if value in (True, False, None) else str(value)


def given_text(value: Any) -> str:
    """Write a value in full, in the form that --set takes: a list without quotes where that is read as the same list."""
    if isinstance(value, str):
        return value
    text = ",".join(map(given_text, value)) if isinstance(value, list) else ""
    names = [part for part in value if isinstance(part, str)] if isinstance(value, list) else []  # a name stands for a list of it
    return text if text and parse_value(text) in (value, *names) else repr(value)


def _score_text(row: Mapping[str, Any], key: str) -> str:
    """Write a score of a trial; a single seed has no deviation."""
    return "" if row[key] is None or (key == "std" and row["n"] == 1) else number(row[key])


def _notes(runs: RunTable) -> list[str]:
    """Say how many runs there are, why some failed, and whether several versions computed them."""
    counts = Counter(runs.status.tolist())
    by_status = [f"{counts[status]:,} {status}" for status in STATUSES if counts[status]]
    trials, seeds = (len(np.unique(column)) for column in (runs.trial, runs.seed))
    notes = [f"{counted(trials, 'trial')}, {counted(seeds, 'seed')}: {', '.join(by_status) or 'no runs'}."]
    reasons = Counter({text: len(places) for text, places in alike([error for error in runs.error if error is not None]).items()})
    notes += [f"Failed {counted(count, 'time')}: {error}" for error, count in reasons.most_common(3)]
    if len(reasons) > 3:
        notes.append(f"... and for {counted(len(reasons) - 3, 'other reason')}; --csv writes them all.")
    if len(runs.about.get("environments", ())) > 1:
        notes.append(f"Computed by different versions: {'; '.join(map(_cell, runs.about['environments']))}.")
    return notes


def _csv_row(row: Mapping[str, Any], names: Iterable[str], scores: Iterable[str]) -> list[Any]:
    """Return the cells of a run in the CSV file."""
    parameters, details = [row["parameters"].get(name) for name in names], [row[name] for name in DETAILS]
    found = [(row["scores"] or {}).get(name) for name in scores]
    return [row["trial"], *map(_cell, parameters), row["seed"], row["status"], row["score"], *found, *map(_cell, details)]


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    return json.dumps(value) if isinstance(value, (list, bool)) else value
