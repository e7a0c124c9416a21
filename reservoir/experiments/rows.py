"""The rows of a store: what defines a run, its result, and how SQLite holds them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from reservoir.base.classes import class_path, plain_fields
from reservoir.base.tables import as_json
from reservoir.files.arrays import packed, unpacked
from reservoir.models import model_name
from reservoir.tasks.registry import TASKS


class Row(NamedTuple):
    """The result of a run."""

    key: bytes
    trial: int
    seed: int
    status: str  # "done", "failed" or "pruned"
    score: float | None = None
    scores: Mapping[str, float] | None = None
    error: str | None = None
    warnings: Sequence[str] = ()
    curve: Sequence[float] | None = None
    n_parameters: int | None = None
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    attempts: int = 1
    history: Sequence[Mapping[str, Any]] | None = None  # an entry per epoch, as in `history_`; of a comparison's runs
    predictions: Any = None  # of the test split; of a comparison's runs with the first seed


class KeptRun(NamedTuple):
    """A run of a store, with the score of the trivial predictor on its data and the versions of what computed it."""

    row: Row
    baseline: float
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """The mean score of a trial over its seeds; None where a run failed, or was stopped: then `curve` has the mean losses."""

    score: float | None
    curve: Sequence[float] | None = None


COLUMNS = (*Row._fields, "finished", "environment")
RECORD = (
    f"INSERT INTO runs ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT (key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[3:])
    + " WHERE runs.status != 'done'"
)
"""The statement that adds a run. A run that is done stays as it is, a failed or a pruned one is replaced."""
JSON = ("scores", "warnings", "curve", "history")
"""The fields of a row that are kept as JSON."""


def facts_of(task: Any, model: str | type, split: str) -> dict[str, Any]:
    """Return what defines a run beside its parameters and seed. A task of your own is named "package.module:Class".

    Raises `ParameterError` for an option of the task that is no plain data.
    """
    path = class_path(type(task))
    return {
        "task": str(task.name) if TASKS.get(task.name) == path else path,
        "task_options": plain_fields(f"options of task '{task.name}'", task.options()),
        "model": model_name(model),
        "metric": task.metric,
        "higher_is_better": task.higher_is_better,
        "split": split,
    }


def run_key(facts: str, parameters: str, seed: int) -> bytes:
    """Return a hash (16 bytes) of what defines a run: its facts and its parameters, both as canonical text, and its seed."""
    return hashlib.sha256(f"{facts}{parameters}{seed}".encode()).digest()[:16]


def row_of(fields: Sequence[Any]) -> Row:
    """Return the row that SQLite holds as these fields. Raises ValueError for texts and bytes that are damaged."""
    row = Row(*fields)
    texts = {name: json.loads(text) for name in JSON if (text := getattr(row, name)) is not None}
    score = math.nan if row.score is None and row.status == "done" else row.score
    predictions = None if row.predictions is None else unpacked(row.predictions)
    return row._replace(**{"warnings": [], **texts}, score=score, predictions=predictions)


def losses(text: str) -> list[float]:
    """Return the curve that SQLite holds as this text; what was not finite is NaN."""
    return [math.nan if loss is None else loss for loss in json.loads(text)]


def _sql(value: Any) -> Any:
    """Convert a field of a row for SQLite: a text to one that UTF-8 can hold, a list or dict to JSON, an empty one to null."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return (json.dumps(as_json(value)) if value else None) if isinstance(value, (Mapping, list, tuple)) else value


def values(row: Row) -> list[Any]:
    """Convert a row for SQLite; losses of a history may be NaN, and predictions that are not arrays are not kept."""
    history = json.dumps(row.history, default=float) if row.history else None
    return [*map(_sql, row[:-2]), history, None if row.predictions is None else packed(row.predictions)]
